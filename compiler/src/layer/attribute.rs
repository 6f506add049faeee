//! What a layer is told: named values with their types, and the one place that prints them.
//!
//! Dumps, the architecture hash and [`written`](super::written()) print values, passes compare them. A value is printed as a spec would write it, but for constant weights,
//! and for what only passes and gradients say.

use super::window::show;
use super::written::statement;
use crate::args::{on_off, shown};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The parameters of a layer, each with the value in use, in the order in which they are shown. No two have one name.
pub type Attributes = Vec<(&'static str, Attribute)>;

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Attribute {
    /// `6`
    Int(usize),
    /// `1e-5`
    Float(Exact<f64>),
    /// `on`, `off`
    Flag(bool),
    /// `half`
    Word(&'static str),
    /// `5x5`
    Extents(Vec<usize>),
    /// `/2x2`
    Stride(Vec<usize>),
    /// `(1, 1, 2, 2)`: what there is at both ends of each axis.
    Sides(Vec<usize>),
    /// `[1, 2, 0]`
    List(Vec<usize>),
    /// `[0.6, 0.5]`
    Series(Exact<Arc<[f32]>>),
    /// `1x3 of [1.0, 2.0, 1.0]`: constant weights, the extents of their nesting first.
    Constants(Vec<usize>, Exact<Arc<[f32]>>),
    /// `eps 1e-5, affine off`: what a layer that has become a part of this one is told.
    Settings(Attributes),
    /// `leaky 0.1`: another layer.
    Layer(&'static str, Attributes),
}

/// Numbers that are equal where their bits are: 0 and −0 make different results, and a NaN is itself.
#[derive(Clone, Copy, Debug)]
pub struct Exact<T>(pub T);

/// Numbers as bits.
pub trait Bits {
    /// Those of each.
    fn bits(&self) -> impl Iterator<Item = u64>;
}

impl Bits for f64 {
    fn bits(&self) -> impl Iterator<Item = u64> {
        std::iter::once(self.to_bits())
    }
}

impl Bits for Arc<[f32]> {
    fn bits(&self) -> impl Iterator<Item = u64> {
        self.iter().map(|number| number.to_bits().into())
    }
}

impl<T: Bits> PartialEq for Exact<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0.bits().eq(other.0.bits())
    }
}

impl<T: Bits> Eq for Exact<T> {}

impl<T: Bits> Hash for Exact<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.bits().for_each(|bits| bits.hash(state));
    }
}

impl Attribute {
    /// `5x5`
    pub fn extents(extents: &[usize]) -> Attribute {
        Attribute::Extents(extents.to_vec())
    }

    /// `/2x2`
    pub fn stride(extents: &[usize]) -> Attribute {
        Attribute::Stride(extents.to_vec())
    }

    /// `(1, 1, 2, 2)`
    pub fn sides(pairs: &[(usize, usize)]) -> Attribute {
        let ends = pairs.iter().flat_map(|&(before, after)| [before, after]);
        Attribute::Sides(ends.collect())
    }

    /// As it is written at its shortest: what stands for the same along every axis once, `/2` for `/2x2` and `1` for `(1, 1, 1, 1)`.
    pub fn short(&self) -> Attribute {
        let once = |extents: &[usize]| match extents {
            [first, rest @ ..] if rest.iter().all(|extent| extent == first) => vec![*first],
            _ => extents.to_vec(),
        };
        match self {
            Attribute::Extents(extents) => Attribute::Extents(once(extents)),
            Attribute::Stride(extents) => Attribute::Stride(once(extents)),
            Attribute::Sides(ends) => match once(ends)[..] {
                [all] => Attribute::Int(all),
                _ => self.clone(),
            },
            other => other.clone(),
        }
    }
}

impl From<usize> for Attribute {
    fn from(number: usize) -> Attribute {
        Attribute::Int(number)
    }
}

impl From<f64> for Attribute {
    fn from(number: f64) -> Attribute {
        Attribute::Float(Exact(number))
    }
}

impl From<bool> for Attribute {
    fn from(flag: bool) -> Attribute {
        Attribute::Flag(flag)
    }
}

impl From<&'static str> for Attribute {
    fn from(word: &'static str) -> Attribute {
        Attribute::Word(word)
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = |numbers: &[usize]| {
            let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
            numbers.join(", ")
        };
        match self {
            Attribute::Int(number) => write!(f, "{number}"),
            Attribute::Float(number) => f.write_str(&shown(number.0)),
            Attribute::Flag(flag) => f.write_str(&on_off(*flag)),
            Attribute::Word(word) => f.write_str(word),
            Attribute::Extents(extents) => f.write_str(&show(extents)),
            Attribute::Stride(extents) => write!(f, "/{}", show(extents)),
            Attribute::Sides(ends) => write!(f, "({})", numbers(ends)),
            Attribute::List(items) => write!(f, "[{}]", numbers(items)),
            Attribute::Series(values) => {
                let values: Vec<String> = values.0.iter().map(|value| value.to_string()).collect();
                write!(f, "[{}]", values.join(", "))
            }
            Attribute::Constants(dims, values) => write!(f, "{} of {:?}", show(dims), values.0),
            Attribute::Settings(settings) => f.write_str(&listed(settings, " ", ", ")),
            Attribute::Layer(keyword, attributes) => f.write_str(&statement(keyword, attributes)),
        }
    }
}

/// Names and values with something between both and something between every two: `kernel 5x5, out 6`.
pub fn listed(attributes: &Attributes, is: &str, and: &str) -> String {
    let attributes = attributes.iter();
    let shown: Vec<String> = attributes
        .map(|(name, value)| format!("{name}{is}{value}"))
        .collect();
    shown.join(and)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_axes_are_written_once() {
        let values = [
            (Attribute::stride(&[2, 2]), "/2"),
            (Attribute::stride(&[2, 1]), "/2x1"),
            (Attribute::extents(&[1, 1, 1]), "1"),
            (Attribute::extents(&[]), ""),
            (Attribute::sides(&[(2, 2), (2, 2)]), "2"),
            (Attribute::sides(&[(0, 1), (0, 1)]), "(0, 1, 0, 1)"),
            (Attribute::List(vec![1, 1]), "[1, 1]"),
            ("half".into(), "half"),
            (3.into(), "3"),
        ];
        for (value, expected) in values {
            assert_eq!(value.short().to_string(), expected);
        }
    }

    #[test]
    fn every_value_is_printed_as_it_is_written() {
        let values: [Arc<[f32]>; 2] = [[1.0, -0.5].into(), [1.0, 0.0].into()];
        let constants =
            |values: &Arc<[f32]>| Attribute::Constants(vec![1, 2], Exact(values.clone()));
        let settings = vec![("eps", 1e-5.into()), ("affine", false.into())];
        for (value, expected) in [
            (0.1.into(), "0.1"),
            (2.0.into(), "2"),
            ((-0.0).into(), "-0"),
            (true.into(), "on"),
            (Attribute::List(vec![1, 0]), "[1, 0]"),
            (constants(&values[0]), "1x2 of [1.0, -0.5]"),
            (Attribute::Settings(settings), "eps 1e-5, affine off"),
            (
                Attribute::Layer("leaky", vec![("slope", 0.2.into())]),
                "leaky 0.2",
            ),
            (
                Attribute::Layer("leaky", vec![("slope", 0.01.into())]),
                "leaky",
            ),
        ] {
            assert_eq!(value.to_string(), expected);
        }
        assert_ne!(constants(&values[0]), constants(&values[1]));
    }

    #[test]
    fn numbers_are_equal_where_their_bits_are() {
        let number = |number: f64| Attribute::from(number);
        assert_eq!(number(f64::NAN), number(f64::NAN));
        assert_eq!(number(0.1), number(0.1));
        assert_ne!(number(0.0), number(-0.0));
        assert_ne!(number(2.0), Attribute::from(2));
    }
}
