//! Texts of other frameworks: what they are called by [names](crate::frameworks), read and written as specs.
//!
//! | file | what |
//! |---|---|
//! | `call`, `translate`, `params` | a layer as Python calls it, as it stands in a chain: what is read, the chain, its arguments |
//! | `python`, `statement`, `origin` | Python where a spec should be: all of it, a statement, whose names they are |
//! | `file` | files that are no specs |
//!
//! Only `python` and `file` make an error themselves, the one for a text that is no spec at all.

mod call;
pub mod file;
mod origin;
mod params;
mod python;
mod statement;
mod translate;

pub(crate) use python::Python;
pub(crate) use translate::{Chain, Untold, translate_start};
pub use translate::{translate, translate_on};
