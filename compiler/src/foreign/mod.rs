//! Texts of other frameworks: what they are called by [names](crate::frameworks), read and written as specs.
//!
//! | file | what |
//! |---|---|
//! | `call`, `translate`, `params` | a layer as Python calls it, as it stands in a chain: what is read, the chain, its arguments |
//! | `python`, `statement`, `origin`, `extents`, `printed` | Python where a spec should be: all of it, a statement, whose names they are, the shapes of inputs, a network that it has printed |
//! | `file` | files that are no specs |
//!
//! Only `python` and `file` make an error themselves, the one for a text that is no spec at all.

mod call;
mod extents;
pub mod file;
mod origin;
mod params;
mod printed;
mod python;
mod statement;
mod translate;

pub(crate) use python::Python;
pub(crate) use translate::{Chain, Untold, translate_start};
pub use translate::{translate, translate_on};
