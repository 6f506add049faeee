//! Darknet's `.cfg` as a `.cnn`: what darknet spells out layer by layer, written as a spec that reads like a table.
//!
//! ```text
//! .cfg ──cfg──▶ sections ──network──▶ layers with shapes ──fold, blocks──▶ residuals, repeats, calls ──spec, check──▶ .cnn
//! ```
//!
//! What darknet computes, its own source is read for; what it ignores is ignored here, and said in one line of the spec.
//!
//! The spec has the layers in the order of the `.cfg`, so darknet's `.weights`, which have an order and no names, fit it. Labels
//! count layers as darknet prints them: `conv12` is layer 12.
//!
//! ```
//! let cfg = b"[net]\nwidth=8\nheight=8\nchannels=1\n[convolutional]\nfilters=4\nsize=3\npad=1\nactivation=leaky\n";
//! let options = cnnc::darknet::Options { name: "tiny".into(), ..Default::default() };
//! let spec = cnnc::darknet::import(cfg, &options)?;
//! assert!(spec.contains("conv0: conv 3x3 4 leaky"));
//! assert!(cnnc::compile_str("tiny.cnn", &spec).is_ok());
//! # Ok::<(), cnnc::darknet::CfgError>(())
//! ```

mod activation;
mod blocks;
mod cfg;
mod check;
mod convolution;
mod error;
mod fold;
mod head;
mod heads;
mod joins;
mod keys;
mod layers;
mod network;
mod node;
mod note;
mod number;
mod pools;
mod reader;
mod shortcut;
mod spec;
mod window;

use cnnc_compiler::format::format;

pub use cfg::MAX_BYTES;
pub use error::{CfgError, Mistake};

/// What a `.cfg` does not say.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What the model is called after; any text.
    pub name: String,
    /// The model's documentation.
    pub doc: String,
    /// The file with the names of the classes, relative to the spec.
    pub labels: Option<String>,
    /// Whether pictures keep their proportions, on grey, as darknet's own `detect` has it; without, they are
    /// stretched to the input.
    pub letterbox: bool,
}

/// Writes the spec of a `.cfg`: one that compiles.
///
/// # Errors
/// A `.cfg` that is damaged or contradicts itself, has a section or setting that is not imported, or is of a network beyond the limits
/// of this compiler; section, key and line are named.
pub fn import(cfg: &[u8], options: &Options) -> Result<String, CfgError> {
    let cfg = cfg::parse(cfg)?;
    let network = network::read(&cfg)?;
    let mut statements = fold::fold(&network);
    let blocks = blocks::extract(&mut statements);
    let write = |options| spec::write(&network, &blocks, &statements, options);
    // Names of classes stand in a file, where the spec will be.
    let nameless = Options {
        labels: None,
        ..options.clone()
    };
    let spec = write(&nameless);
    check::check(&spec, &cfg.sections)?;
    let text = match options.labels {
        Some(_) => write(options).text,
        None => spec.text,
    };
    // What compiles parses.
    Ok(format(&text).unwrap_or(text))
}
