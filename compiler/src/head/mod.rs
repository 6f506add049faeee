//! Heads: what turns the raw output of a network into an answer.
//!
//! A head is a row of [`HEADS`]: its keys are declared like the parameters of a layer, and the parser,
//! the checks and the documentation come from the table. [`Head::fit`] holds a head against the shapes of what
//! enters it, and what comes of it is the runtime's `answer::Head`, which decodes.

mod answer;
mod fit;
mod table;

pub use fit::Misfit;
pub use table::HEADS;

use crate::graph::{Span, ValueId};
use crate::layer::{Literal, ParamDecl, Spanned};

/// A row of the table of heads.
#[derive(Debug)]
pub struct HeadDecl {
    /// The word behind `head`.
    pub keyword: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// Its keys.
    pub keys: &'static [ParamDecl],
    /// What there is a label for each of.
    pub classes: &'static str,
    /// Whether it finds things, of one kind at least.
    pub detects: bool,
    /// What the network computes for it beside `raw`.
    pub computes: Computes,
}

/// What the network computes for a head beside `raw`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Computes {
    /// Nothing.
    Nothing,
    /// `probabilities`, the softmax of a vector.
    Probabilities,
    /// The key `maps` names the tensors that enter the head: the first is `raw`, the others are outputs by
    /// their names.
    Maps,
    /// Gram matrices of the tensors of the key `style` and their sums, then the tensors of the key `content` and their
    /// mean squares; the sums are `raw`.
    Style,
}

/// The head of that keyword.
pub fn find(keyword: &str) -> Option<&'static HeadDecl> {
    HEADS.iter().copied().find(|head| head.keyword == keyword)
}

/// A head as it stands in a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// Row of [`HEADS`].
    pub keyword: &'static str,
    /// Names of the classes; empty if there are none.
    pub labels: Vec<String>,
    /// Every other key that was written.
    pub given: Vec<(&'static str, Spanned<Literal>)>,
    /// The tensors that the key `maps` names, or `style` and then `content`.
    pub tensors: Vec<(String, ValueId)>,
}

impl Head {
    /// What was written for a key.
    pub fn get(&self, key: &str) -> Option<&Spanned<Literal>> {
        let mut given = self.given.iter();
        let found = given.find(|(name, _)| *name == key);
        found.map(|(_, value)| value)
    }
    /// Where a key's value is written.
    pub fn span_of(&self, key: &str) -> Option<Span> {
        self.get(key).map(|value| value.span)
    }
    /// The declared default of a key.
    fn default(&self, key: &str) -> Option<&'static str> {
        let decl = find(self.keyword)?;
        decl.keys.iter().find(|param| param.name == key)?.default
    }
    /// A number or integer, the default if none is written; `None` if the head has no such key.
    pub fn number(&self, key: &str) -> Option<f64> {
        match self.get(key).map(|value| &value.value) {
            Some(literal) => literal.as_number(),
            None => self.default(key)?.parse().ok(),
        }
    }
    /// A word, the default if none is written; `None` if the head has no such key.
    pub fn word(&self, key: &str) -> Option<&str> {
        match self.get(key).map(|value| &value.value) {
            Some(Literal::Word(word)) => Some(word),
            _ => self.default(key),
        }
    }
    /// Whether a flag is on.
    pub fn flag(&self, key: &str) -> bool {
        self.word(key) == Some("on")
    }
    /// The rows of a key that takes several: `(1.3, 1.7) (3.2, 4)`; none if it is not written.
    pub fn rows(&self, key: &str) -> Vec<Vec<f64>> {
        let rows = self
            .get(key)
            .map_or(&[][..], |value| value.value.as_items());
        let row = |row: &Spanned<Literal>| {
            let items = row.value.as_items().iter();
            let listed = items.filter_map(|item| item.value.as_number()).collect();
            row.value.as_number().map_or(listed, |number| vec![number])
        };
        rows.iter().map(row).collect()
    }
}
