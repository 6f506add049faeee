//! ONNX files.

mod export;
pub mod proto;

pub use export::{ExportError, Exported, FILE_KEY, OPSET, SPEC_KEY, Texts, export, forms};
