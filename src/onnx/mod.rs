//! ONNX files: read as specs that read like a table, and written.
//!
//! ```text
//! .onnx ──read──▶ messages ──walk, fold, ops──▶ layers ──statement, spec──▶ .cnn and weights
//! ```
//!
//! A file's nodes become layers one by one, each by its row of `ops`; what they are in the form that their operator set gives them
//! is decided there. Constants are computed once, shapes first. Where several nodes are one layer (`x · sigmoid(x)`, a division by a
//! length, a padding before a convolution), the second sees what the first became. What is not supported is refused in one table of all of it.

mod activations;
mod behind;
mod blocks;
mod ctx;
mod error;
mod export;
mod fold;
mod graph;
mod import;
mod imported;
mod inputs;
mod label;
mod lines;
mod loops;
mod nested;
mod net;
mod node;
mod operator;
mod ops;
mod picture;
pub mod proto;
mod read;
mod refusals;
mod scopes;
mod shapes;
mod spec;
mod statement;
mod tail;
mod tensor;
mod text;
mod tree;
mod walk;
mod weights;
mod word;
mod written;

pub use error::{OnnxError, Unsupported};
pub use export::{ExportError, Exported, FILE_KEY, OPSET, SPEC_KEY, Texts, export, forms};
pub use import::{import, import_file};
pub use imported::{From, Imported, Input, Options, Output};
pub use picture::Pictures;

/// A row of the table of operators that are imported.
#[derive(Clone, Copy, Debug)]
pub struct Operator {
    /// Names of operators that become the same.
    pub names: &'static [&'static str],
    /// First operator set whose form is read.
    pub since: i64,
    /// What they become.
    pub layer: &'static str,
    /// What of them is not imported.
    pub limits: &'static str,
}

impl Operator {
    /// First operator set whose form of that operator, one of these, is read: some are younger than the others of their row.
    pub fn first(&self, name: &str) -> i64 {
        let younger = ops::YOUNGER.iter().find(|(other, _)| *other == name);
        younger.map_or(self.since, |(_, first)| *first)
    }
}

/// Every operator that is imported, and those that are computed when the network is read.
pub fn imported_operators() -> Vec<Operator> {
    let rows = ops::TABLE.iter().map(|row| Operator {
        names: row.names,
        since: row.since,
        layer: row.layer,
        limits: row.limits,
    });
    let folded = Operator {
        names: ops::FOLDED,
        since: 1,
        layer: "nothing: they are computed when the network is read",
        limits: "operands are constant, or shapes",
    };
    rows.chain([folded]).collect()
}
