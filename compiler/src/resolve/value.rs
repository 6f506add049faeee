//! Constants: what expressions make.

use crate::ast::{Expr, Spanned};
use crate::layer::Literal;
use crate::words::excerpt;
use std::ops::Deref;
use std::rc::Rc;

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Int(i64),
    Float(f64),
    Bool(bool),
    Str(Rc<str>),
    /// `half`, `nearest`: a word that some layer takes.
    Word(Rc<str>),
    Dims(Rc<[i64]>),
    List(List<'a>),
    /// `relu`, `leaky 0.1`: an element of a chain, or several.
    Chain(Steps<'a>),
    /// It depends on a parameter of a block that nobody calls, or on a tensor that has been complained about.
    Unknown,
}

/// Items, which other lists may have too: `[a, a]` copies nothing, and is twice as large as `a`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct List<'a> {
    items: Rc<[Spanned<Value<'a>>]>,
    /// Constants in it, or as many as can be counted.
    size: usize,
    /// How deep lists are nested in it, itself included.
    pub(super) depth: usize,
    /// Whether something in it is unknown.
    unknown: bool,
}

impl<'a> List<'a> {
    pub(super) fn new(items: Rc<[Spanned<Value<'a>>]>) -> List<'a> {
        let sizes = items.iter().map(|item| item.value.size());
        let depths = items.iter().map(|item| match &item.value {
            Value::List(list) => list.depth,
            _ => 0,
        });
        List {
            size: sizes.fold(1, usize::saturating_add),
            depth: 1 + depths.max().unwrap_or(0),
            unknown: items.iter().any(|item| item.value.is_unknown()),
            items,
        }
    }
}

impl<'a> Deref for List<'a> {
    type Target = [Spanned<Value<'a>>];
    fn deref(&self) -> &[Spanned<Value<'a>>] {
        &self.items
    }
}

/// As it would be written, in short.
impl std::fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Int(n) => write!(f, "{n}"),
            Value::Float(x) => write!(f, "{x}"),
            Value::Bool(yes) => f.write_str(if *yes { "on" } else { "off" }),
            Value::Str(text) => write!(f, "\"{}\"", excerpt(text)),
            Value::Word(word) => f.write_str(&excerpt(word)),
            Value::Dims(dims) if dims.len() <= 4 => {
                let dims: Vec<String> = dims.iter().map(i64::to_string).collect();
                f.write_str(&dims.join("x"))
            }
            Value::Dims(_) => f.write_str("…"),
            // A table of a network's sizes says too much.
            Value::List(_) => f.write_str("[…]"),
            Value::Chain(steps) => f.write_str(&steps.text),
            Value::Unknown => f.write_str("?"),
        }
    }
}

impl Value<'_> {
    /// What it is, with its article.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Value::Int(_) => "an integer",
            Value::Float(_) => "a number",
            Value::Bool(_) => "a truth value",
            Value::Str(_) => "a string",
            Value::Word(_) => "a word",
            Value::Dims(_) => "extents",
            Value::List(_) => "a list",
            Value::Chain(_) => "a chain",
            Value::Unknown => "something unknown",
        }
    }

    /// Whether it, or something in it, is unknown.
    pub(super) fn is_unknown(&self) -> bool {
        match self {
            Value::Unknown => true,
            Value::List(list) => list.unknown,
            _ => false,
        }
    }

    /// Number of constants in it; what a copy costs.
    pub(super) fn size(&self) -> usize {
        match self {
            Value::List(list) => list.size,
            Value::Dims(dims) => dims.len(),
            Value::Str(text) | Value::Word(text) => letters(text),
            _ => 1,
        }
    }

    /// As layers see it.
    pub(super) fn literal(&self) -> Literal {
        match self {
            unknown if unknown.is_unknown() => Literal::Unknown,
            Value::Unknown => Literal::Unknown,
            Value::Int(n) => Literal::Int(*n),
            Value::Float(x) => Literal::Float(*x),
            Value::Bool(true) => Literal::Word("on".to_owned()),
            Value::Bool(false) => Literal::Word("off".to_owned()),
            Value::Str(text) => Literal::Str(text.to_string()),
            Value::Word(word) => Literal::Word(word.to_string()),
            // No layer takes it: it is the next.
            Value::Chain(steps) => Literal::Word(steps.text.to_string()),
            Value::Dims(dims) => Literal::Dims(dims.to_vec()),
            Value::List(items) => Literal::List(
                items
                    .iter()
                    .map(|item| Spanned {
                        value: item.value.literal(),
                        span: item.span,
                    })
                    .collect(),
            ),
        }
    }
}

/// What a copy of the text costs.
pub(super) fn letters(text: &str) -> usize {
    1 + text.len() / 64
}

/// A chain as a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Steps<'a> {
    /// A name, a call of a block, or a chain.
    pub(super) expr: Written<'a>,
    /// What its names mean; they are there as long as it is.
    pub(super) variables: Mark,
    /// How many blocks it is written in.
    pub(super) blocks: usize,
    /// As it is written, in short.
    pub(super) text: Rc<str>,
}

/// An expression, which is the same only where it is the same text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written<'a>(pub(super) &'a Expr);

impl PartialEq for Written<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.span == other.0.span
    }
}

/// How many variables there are, and which of them are seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mark {
    pub(super) seen: usize,
    pub(super) end: usize,
}

impl Mark {
    /// How many are seen.
    pub(super) fn len(self) -> usize {
        self.end - self.seen
    }
}

/// The integer that the number is, if it is one.
pub(super) fn whole(x: f64) -> Option<i64> {
    /// Up to here every integer is a double.
    const MOST: f64 = (1u64 << f64::MANTISSA_DIGITS) as f64;
    (x.fract() == 0.0 && x.abs() <= MOST).then_some(x as i64)
}
