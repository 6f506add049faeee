//! Darknet's `.cfg` as a `.cnn`: what darknet spells out layer by layer, written as a spec that reads like a table.
//!
//! ```text
//! .cfg ──cfg──▶ sections ──network──▶ layers with shapes ──fold, blocks──▶ residuals, repeats, calls ──spec──▶ .cnn
//! ```
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

mod blocks;
mod cfg;
mod error;
mod fold;
mod heads;
mod joins;
mod keys;
mod layers;
mod network;
mod spec;

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

/// Writes the spec of a `.cfg`.
///
/// # Errors
/// A `.cfg` that is damaged or contradicts itself, or has a section or key that is not imported; section, key and line are named.
pub fn import(cfg: &[u8], options: &Options) -> Result<String, CfgError> {
    let sections = cfg::parse(cfg)?;
    let network = network::read(&sections)?;
    let mut statements = fold::fold(&network);
    let blocks = blocks::extract(&mut statements);
    Ok(spec::write(&network, &blocks, &statements, options))
}
