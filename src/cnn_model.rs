//! `cnn_model!`, which tells the proc macro where this crate is, whatever the user calls it.

/// A network as a type, compiled from its spec when your crate is.
///
/// ```
/// cnnc::cnn_model! {
///     /// Ten classes of 8x8 pixels.
///     pub Small {
///         input image: 1x8x8
///         c1: conv 3x3 4 relu
///             globalavgpool
///         out: dense 10
///         head classify
///     }
/// }
///
/// let net = Small::synthetic()?;
/// let mut session = net.session();
/// let probabilities: &[f32; 10] = session.run(&[0.5; Small::INPUT_LEN])?.probabilities();
/// assert!(probabilities.iter().all(|p| (0.0..=1.0).contains(p)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// | What is written | What is compiled |
/// |---|---|
/// | `pub Net = "specs/net.cnn"` | a file, relative to your crate's Cargo.toml |
/// | `pub Net { … }` | the body of a model, or, if it begins with `cnn 1`, a whole spec; mistakes are underlined where they stand |
/// | `pub Net = r#"…"#` | a string with line breaks is a whole spec, too |
///
/// Behind it may stand `, weights = "net.safetensors"`, which makes the weights part of your program, and `, exact`: every sum is computed as it
/// is defined, without the algorithms that are faster and round a little more.
///
/// The type has constants for its sizes (`PARAMETERS`, `MACS`, `ARENA_BYTES`, `INPUT_SHAPE`, `INPUT_LEN`, …),
/// constructors (`load(path)`, `from_bytes(bytes)`, `synthetic()`, and `embedded()` where weights are given) and sessions
/// (`session()`, `session_with(threads)`, `session_in(&mut arena)`). A session's `run` takes the inputs (slices,
/// arrays, vectors, ndarray's views), allocates nothing, and returns the outputs, each a method that gives `&[f32; N]`.
///
/// What stands between braces must consist of Rust's tokens: an apostrophe in a `#` comment is none.
#[macro_export]
macro_rules! cnn_model {
    ($($call:tt)*) => {
        $crate::__cnn_model! { $crate; $($call)* }
    };
}
