//! A row of the table of layers.

use super::{ArgError, Args, Layer, ParamDecl};
use std::fmt;

/// What the language knows of a layer.
pub struct Decl {
    /// The word that starts it.
    pub keyword: &'static str,
    /// What it computes: the first sentence is the summary, formulas and sources follow.
    pub doc: &'static str,
    /// Its parameters.
    pub params: &'static [ParamDecl],
    /// Fewest and most operands (a chain gives one; `add`, `concat`, calls and joins give more).
    pub operands: (usize, usize),
    /// Makes the layer.
    pub build: fn(&mut Args) -> Result<Box<dyn Layer>, ArgError>,
    /// Bodies of models that use it, as tests and examples: statements separated by `;`.
    pub samples: &'static [&'static str],
}

impl fmt::Debug for Decl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decl({})", self.keyword)
    }
}
