//! Heads: what turns the raw output of a network into an answer, one file and one row of [`HEADS`] each.
//!
//! A head's file declares its keyword and documented keys ([`HeadDecl`]), what enters it and what the network computes for it,
//! holds it against the shapes of what enters, and says what it is to the runtime, which decodes. The parser, the checks and
//! the documentation come from the table. What several heads share stands beside them: `keys`, `select` (which boxes are
//! kept), `anchors`, `presence`, `swap` (which points a mirror exchanges), `fit`.

mod anchors;
mod boxes;
mod classify;
mod dfl;
mod embed;
mod fit;
mod image;
mod keypoints;
mod keys;
mod landmarks;
mod pitch;
mod presence;
mod regions;
mod segment;
mod select;
mod style;
mod swap;
#[cfg(test)]
mod tests;
mod verify;
mod yolo1;
mod yolo2;
mod yolo3;

use fit::{channels, vector};

pub use fit::Misfit;

use crate::args::{Literal, ParamDecl, Spanned};
use crate::diagnostic::codes::Code;
use crate::id::ValueId;
use crate::shape::Shape;
use crate::span::Span;
use cnnc_runtime::answer::Task;

/// Every head of the language.
pub static HEADS: &[&HeadDecl] = &[
    &classify::DECL,
    &yolo1::DECL,
    &yolo2::DECL,
    &yolo3::DECL,
    &dfl::DECL,
    &regions::DECL,
    &boxes::DECL,
    &landmarks::DECL,
    &keypoints::DECL,
    &embed::DECL,
    &verify::DECL,
    &style::DECL,
    &pitch::DECL,
    &image::DECL,
    &segment::DECL,
];

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
    /// What enters it.
    pub enters: Enters,
    /// Adds what the network computes beyond `raw`, which fits.
    pub project: fn(&Head, ValueId, &mut dyn Project),
    /// Holds the head against what enters it (one tensor at least); returns the number of classes.
    pub fit: fn(&Head, &Entering<'_>) -> Result<usize, Misfit>,
    /// What it is to the runtime, with that number of classes and every default filled in.
    pub task: fn(&Head, &Entering<'_>, usize) -> Task,
    /// Models that have it, for tests: statements, the head last.
    pub samples: &'static [&'static str],
}

impl HeadDecl {
    /// The key of that name.
    pub fn key(&self, name: &str) -> Option<&'static ParamDecl> {
        self.keys.iter().find(|param| param.name == name)
    }
}

/// One head is another where they have the same keyword.
impl PartialEq for HeadDecl {
    fn eq(&self, other: &HeadDecl) -> bool {
        self.keyword == other.keyword
    }
}

/// What enters a head, and is the output `raw`.
#[derive(Clone, Copy, Debug)]
pub enum Enters {
    /// The result of the last chain.
    LastChain,
    /// The tensors that the key `maps` names: the first is `raw`, the others are outputs by their names. The result of
    /// the last chain without the key.
    Maps,
    /// What the head makes of the tensors that its keys name, on the network; `None` where that cannot be known.
    Made(fn(&Head, &mut dyn Project) -> Option<ValueId>),
}

/// The network that a head adds to.
pub trait Project {
    /// The shape of a value.
    fn shape(&self, value: ValueId) -> Shape;
    /// Applies a layer, with one argument or none; `None` where its result cannot be known.
    fn layer(
        &mut self,
        keyword: &str,
        arg: Option<(&'static str, Literal)>,
        operands: &[ValueId],
    ) -> Option<ValueId>;
    /// Makes a value an output.
    fn output(&mut self, name: &str, value: ValueId);
    /// The layer that has made the value, by its keyword; `None` for inputs.
    fn maker(&self, value: ValueId) -> Option<&'static str>;
    /// Warns of the layer that has made the value, which the head applies too.
    fn warn_of_second(&mut self, code: Code, value: ValueId, message: &str);
}

/// For a head that needs nothing beyond `raw`.
fn nothing(_: &Head, _: ValueId, _: &mut dyn Project) {}

/// What a head is held against.
#[derive(Clone, Copy, Debug)]
pub struct Entering<'a> {
    /// Shapes of the tensors that enter it: one, or one for each of its maps.
    pub shapes: &'a [Shape],
    /// Width and height of the network's first input.
    pub input: (f64, f64),
}

impl<'a> Entering<'a> {
    /// Tensors of those shapes in a network whose first input has that shape.
    pub fn new(input: Option<&Shape>, shapes: &'a [Shape]) -> Entering<'a> {
        let input = input.map(|input| extents(input.dims()));
        Entering {
            shapes,
            input: input.unwrap_or((1.0, 1.0)),
        }
    }
}

/// Width and height of a map.
fn extents(dims: &[usize]) -> (f64, f64) {
    match *dims {
        [.., rows, columns] => (columns as f64, rows as f64),
        _ => (1.0, 1.0),
    }
}

/// The head of that keyword.
pub fn find(keyword: &str) -> Option<&'static HeadDecl> {
    HEADS.iter().copied().find(|head| head.keyword == keyword)
}

/// A head as it stands in a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// Row of [`HEADS`].
    pub decl: &'static HeadDecl,
    /// Names of the classes; empty if there are none.
    pub labels: Vec<String>,
    /// Every other key that was written.
    pub given: Vec<(&'static str, Spanned<Literal>)>,
    /// The tensors that its keys name, in the order of what is written.
    pub tensors: Vec<(String, ValueId)>,
}

impl Head {
    /// Holds the head against what enters it; returns the number of classes.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn fit(&self, entering: &Entering<'_>) -> Result<usize, Misfit> {
        for key in keys::FRACTIONS {
            if self.number(key).is_some_and(|x| !(0.0..=1.0).contains(&x)) {
                let message = format!("`{key}` is between 0 and 1");
                return Err(Misfit::key(self, key, message));
            }
        }
        (self.decl.fit)(self, entering)
    }

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
        self.decl.key(key)?.default
    }
    /// A number or integer, the default if none is written; `None` if the head has no such key.
    pub fn number(&self, key: &str) -> Option<f64> {
        match self.get(key).map(|value| &value.value) {
            Some(literal) => literal.as_number(),
            None => self.default(key)?.parse().ok(),
        }
    }
    /// The number of a key that the head has.
    fn real(&self, key: &str) -> f32 {
        self.number(key).unwrap_or(0.0) as f32
    }
    /// The integer of a key that the head has.
    fn count(&self, key: &str) -> usize {
        self.number(key).unwrap_or(0.0) as usize
    }
    /// A word, the default if none is written; `None` if the head has no such key.
    pub fn word(&self, key: &str) -> Option<&str> {
        match self.get(key).map(|value| &value.value) {
            Some(Literal::Word(word)) => Some(word),
            _ => self.default(key),
        }
    }
    /// What the word of a key stands for.
    ///
    /// # Panics
    /// When a word that is declared has no meaning, which is a bug of the head's file.
    fn choice<T: Copy>(&self, key: &str, meanings: &[(&str, T)]) -> T {
        let word = self.word(key);
        let found = meanings.iter().find(|(name, _)| Some(*name) == word);
        let found = found.map(|&(_, meaning)| meaning);
        found.unwrap_or_else(|| {
            panic!(
                "`{key}` of `head {}` has no meaning of {word:?}",
                self.decl.keyword
            )
        })
    }
    /// Whether a flag is on.
    pub fn flag(&self, key: &str) -> bool {
        self.word(key) == Some("on")
    }
    /// One number or a list of them, as it is written; `None` if it is not.
    pub(crate) fn numbers(&self, key: &str) -> Option<Vec<f64>> {
        Some(numbers(&self.get(key)?.value))
    }
    /// The rows of a key that takes several: `(1.3, 1.7) (3.2, 4)`; none if it is not written.
    pub fn rows(&self, key: &str) -> Vec<Vec<f64>> {
        let rows = self
            .get(key)
            .map_or(&[][..], |value| value.value.as_items());
        rows.iter().map(|row| numbers(&row.value)).collect()
    }
}

fn numbers(literal: &Literal) -> Vec<f64> {
    let items = literal.as_items().iter();
    let listed = items.filter_map(|item| item.value.as_number()).collect();
    literal.as_number().map_or(listed, |number| vec![number])
}
