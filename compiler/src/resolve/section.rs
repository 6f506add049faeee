//! What is read of every clause of a `train` section.

use super::args::Given;
use crate::ast::{Spanned, Term, TermKind};
use crate::layer::{Args, Literal};
use crate::recipe::Recipe;
use crate::span::Span;

/// A section while it is read.
#[derive(Default)]
pub(super) struct Section {
    pub recipe: Recipe,
    /// Clauses so far.
    pub clauses: Vec<(&'static str, Span)>,
    pub warmup: Option<Span>,
    /// Where the epochs are written behind which the rate falls.
    pub falls: Option<Span>,
    pub loss: LossPlaces,
}

/// Where the settings of a loss are written, and those of `batch`.
pub(super) type LossPlaces = Vec<(&'static str, Span)>;

/// Where a number may lie.
pub(super) enum Bounds {
    /// Anywhere that a tensor's numbers may.
    Any,
    Positive,
    NotNegative,
    Share,
    Turn,
    Lean,
}

impl Bounds {
    pub fn hold(&self, number: f64) -> bool {
        match self {
            Bounds::Any => (number as f32).is_finite(),
            Bounds::Positive => number > 0.0,
            Bounds::NotNegative => number >= 0.0,
            Bounds::Share => (0.0..1.0).contains(&number),
            Bounds::Turn => (0.0..=180.0).contains(&number),
            Bounds::Lean => (0.0..=80.0).contains(&number),
        }
    }

    pub fn text(&self) -> &'static str {
        match self {
            Bounds::Any => "a number that 32 bits can hold, at most 3.4e38",
            Bounds::Positive => "above 0",
            Bounds::NotNegative => "0 or more",
            Bounds::Share => "at least 0 and below 1",
            Bounds::Turn => "between 0 and 180",
            // Far from where nothing is left of a picture.
            Bounds::Lean => "between 0 and 80",
        }
    }
}

/// The word that the term is.
pub(super) fn word(term: &Term) -> Option<&str> {
    match &term.kind {
        TermKind::Word(word) => Some(word),
        _ => None,
    }
}

/// What was written and is known.
pub(super) fn arguments(given: Given) -> Args {
    let known = |(_, value): &(&str, Spanned<Literal>)| value.value != Literal::Unknown;
    Args {
        given: given.into_iter().filter(known).collect(),
        ..Args::default()
    }
}
