//! How a layer or a head declares what may be written behind its keyword, and gets it.
//!
//! A statement `conv 5x5 6 /2 pad 2 bias off` is a keyword and *terms*. Terms without a name fill
//! the positional parameters in declared order by kind (`5x5` and `6`); `/2` fills the one of kind
//! [`Kind::Stride`]; `name value` fills that parameter. A word that is neither a parameter
//! nor a value starts the next layer of the chain (`conv 3x3 8 bn relu`).

use crate::limits;
use crate::span::Span;
use std::fmt;

/// A thing with the place where it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Spanned<T> {
    /// The thing.
    pub value: T,
    /// The place.
    pub span: Span,
}

/// A constant, after expressions have been evaluated.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `6`, `61_706`
    Int(i64),
    /// `1e-5`
    Float(f64),
    /// `half`, `on`
    Word(String),
    /// `"coco.txt"`
    Str(String),
    /// `5x5`, `3x224x224`
    Dims(Vec<i64>),
    /// `(1, 2)` or `[1, 2]`
    List(Vec<Spanned<Literal>>),
    /// What it is depends on something that is not known; no layer is made with it.
    Unknown,
}

/// What a parameter accepts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// `3x3`, or a bare integer for one dimension: a list of positive extents.
    Dims,
    /// `/2` or `/2x1`.
    Stride,
    /// An integer ≥ 0.
    Int,
    /// A number.
    Float,
    /// `on` or `off`; the bare name means `on`.
    Flag,
    /// One of these words, optionally; also standing alone without the parameter's name.
    Word(&'static [&'static str]),
    /// `valid`, `half`, `same`, `1`, `(top, bottom, left, right)`.
    Padding,
    /// Numbers, nested or flat: literal weights.
    Numbers,
    /// Strings: the name of a file with one on each line, or a list.
    Strings,
    /// `(1.3, 1.7) (3.2, 4)`: pairs of numbers behind one another, or a list of them.
    Pairs,
    /// `(6, 7, 8) (3, 4, 5)`: lists of integers behind one another, or a list of them.
    Lists,
    /// `large medium small`: labels of tensors behind one another, or a list of strings.
    Tensors,
    /// `0.9 0.999`: numbers behind one another, or a list of them.
    Series,
}

impl Kind {
    /// Whether several values behind one another are one: [`Kind::Pairs`], [`Kind::Lists`], [`Kind::Tensors`], [`Kind::Series`].
    pub fn is_several(&self) -> bool {
        matches!(
            self,
            Kind::Pairs | Kind::Lists | Kind::Tensors | Kind::Series
        )
    }
}

impl Literal {
    /// The items of a list; none of anything else.
    pub fn as_items(&self) -> &[Spanned<Literal>] {
        match self {
            Literal::List(items) => items,
            _ => &[],
        }
    }
    /// Number of constants in it.
    pub fn size(&self) -> usize {
        match self {
            Literal::List(items) => items.iter().map(|item| item.value.size()).sum::<usize>() + 1,
            _ => 1,
        }
    }
    /// An integer or number.
    pub fn as_number(&self) -> Option<f64> {
        match *self {
            Literal::Int(n) => Some(n as f64),
            Literal::Float(x) => Some(x),
            _ => None,
        }
    }
}

/// A documented parameter of a layer.
#[derive(Debug)]
pub struct ParamDecl {
    /// Its name.
    pub name: &'static str,
    /// What it accepts.
    pub kind: Kind,
    /// Whether it may stand without its name.
    pub positional: bool,
    /// The default as it would be written; `None` when it must be given.
    pub default: Option<&'static str>,
    /// One sentence.
    pub doc: &'static str,
}

/// What was written behind a keyword; the resolver has matched names and kinds with the declaration and
/// filled in `defaults`.
#[derive(Clone, Debug, Default)]
pub struct Args {
    /// Parameter name, value.
    pub given: Vec<(&'static str, Spanned<Literal>)>,
    /// Those of them that `defaults` say, and not the layer itself.
    pub defaults: Vec<&'static str>,
    /// Number of spatial dimensions of the (first) operand, for parameters whose rank follows it.
    pub rank: usize,
    /// Span of the keyword.
    pub span: Option<Span>,
}

/// An argument that the layer rejects.
#[derive(Clone, Debug, PartialEq)]
pub struct ArgError {
    /// One sentence, lower case.
    pub message: String,
    /// The argument, or the keyword when something is missing.
    pub span: Option<Span>,
    /// A remedy.
    pub help: Option<String>,
}

impl ArgError {
    /// An error at a place.
    pub fn new(span: Option<Span>, message: impl Into<String>) -> ArgError {
        ArgError {
            message: message.into(),
            span,
            help: None,
        }
    }
    /// Adds a remedy.
    pub fn help(mut self, help: impl Into<String>) -> ArgError {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for ArgError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ArgError {}

/// Extents of the nesting, and all numbers in row-major order.
pub type Numbers = (Vec<usize>, Vec<f32>);

impl Args {
    /// What was written for a parameter.
    pub fn get(&self, name: &str) -> Option<&Spanned<Literal>> {
        self.given
            .iter()
            .find(|(given, _)| *given == name)
            .map(|(_, value)| value)
    }

    /// Whether the layer itself says it: what it has no use for is then a mistake, which a value for many layers is not.
    pub fn is_written(&self, name: &str) -> bool {
        self.get(name).is_some() && !self.defaults.contains(&name)
    }

    /// Span of a parameter's value, or of the keyword.
    pub fn span_of(&self, name: &str) -> Option<Span> {
        self.get(name).map(|value| value.span).or(self.span)
    }

    /// An error at a parameter.
    pub fn error(&self, name: &str, message: impl Into<String>) -> ArgError {
        ArgError::new(self.span_of(name), message)
    }

    /// An integer from 1 to [`limits::EXTENT`], if given.
    ///
    /// # Errors
    /// Zero, negative, too large, or no integer.
    pub fn positive(&self, name: &str) -> Result<Option<usize>, ArgError> {
        match self.whole(name)? {
            Some(0) => Err(self.error(name, format!("`{name}` must be at least 1"))),
            other => Ok(other),
        }
    }

    /// An integer from 0 to [`limits::EXTENT`], if given.
    ///
    /// # Errors
    /// Negative, too large, or no integer.
    pub fn whole(&self, name: &str) -> Result<Option<usize>, ArgError> {
        match self.get(name).map(|value| &value.value) {
            None => Ok(None),
            Some(&Literal::Int(n)) => Ok(Some(self.extent(name, n)?)),
            Some(_) => Err(self.error(name, format!("`{name}` takes an integer"))),
        }
    }

    fn extent(&self, name: &str, n: i64) -> Result<usize, ArgError> {
        if (0..=limits::EXTENT).contains(&n) {
            Ok(n as usize)
        } else {
            Err(self.error(
                name,
                format!("`{name}` must be between 0 and {}, not {n}", limits::EXTENT),
            ))
        }
    }

    /// A number, if given. Rounded to f32, as networks compute, it is finite and no denormal.
    ///
    /// # Errors
    /// No number, or one beyond the range of f32.
    pub fn number(&self, name: &str) -> Result<Option<f64>, ArgError> {
        let Some(given) = self.get(name) else {
            return Ok(None);
        };
        match given.value.as_number() {
            Some(number) => in_range(number, given.span).map(Some),
            None => Err(self.error(name, format!("`{name}` takes a number"))),
        }
    }

    /// `on` or `off`, if given.
    ///
    /// # Errors
    /// Any other word or value.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, ArgError> {
        match self.get(name).map(|value| &value.value) {
            None => Ok(None),
            Some(Literal::Word(word)) if word == "on" => Ok(Some(true)),
            Some(Literal::Word(word)) if word == "off" => Ok(Some(false)),
            Some(_) => Err(self.error(name, format!("`{name}` is `on` or `off`"))),
        }
    }

    /// A word, if given; the resolver has checked that it is among the declared ones.
    pub fn word(&self, name: &str) -> Option<&str> {
        match self.get(name).map(|value| &value.value) {
            Some(Literal::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// Extents (`3x3`, `3`, `(3, 3)`), each from 1 to [`limits::EXTENT`], one to four of them, if given.
    ///
    /// # Errors
    /// Anything else.
    pub fn dims(&self, name: &str) -> Result<Option<Vec<usize>>, ArgError> {
        let Some(given) = self.get(name) else {
            return Ok(None);
        };
        let numbers: Vec<i64> = match &given.value {
            Literal::Int(n) => vec![*n],
            Literal::Dims(dims) => dims.clone(),
            Literal::List(items) => items
                .iter()
                .map(|item| match item.value {
                    Literal::Int(n) => Ok(n),
                    _ => Err(ArgError::new(
                        Some(item.span),
                        format!("`{name}` takes integers"),
                    )),
                })
                .collect::<Result<_, _>>()?,
            _ => return Err(self.error(name, format!("`{name}` takes extents such as `3x3`"))),
        };
        if numbers.is_empty() || numbers.len() > 4 {
            return Err(self.error(name, format!("`{name}` takes one to four extents")));
        }
        let dims = numbers
            .iter()
            .map(|&n| self.extent(name, n))
            .collect::<Result<Vec<_>, _>>()?;
        if dims.contains(&0) {
            return Err(self.error(
                name,
                format!("`{name}` must be at least 1 in every dimension"),
            ));
        }
        Ok(Some(dims))
    }

    /// All numbers of a nested list in row-major order, with the extents of the nesting, if given.
    ///
    /// # Errors
    /// Ragged nesting, nesting deeper than five, something that is no number, or one beyond the range of f32.
    pub fn numbers(&self, name: &str) -> Result<Option<Numbers>, ArgError> {
        fn walk(
            item: &Spanned<Literal>,
            depth: usize,
            dims: &mut Vec<usize>,
            out: &mut Vec<f32>,
        ) -> Result<(), ArgError> {
            let wrong = |message: &str| Err(ArgError::new(Some(item.span), message));
            match &item.value {
                Literal::List(items) => {
                    if depth >= 5 {
                        return wrong("numbers are nested at most five deep");
                    }
                    match dims.get(depth) {
                        None if out.is_empty() => dims.push(items.len()),
                        Some(&len) if len == items.len() => {}
                        _ => return wrong("every row must have the same number of entries"),
                    }
                    items
                        .iter()
                        .try_for_each(|item| walk(item, depth + 1, dims, out))
                }
                _ if depth != dims.len() => wrong("every row must have the same number of entries"),
                value => match value.as_number() {
                    Some(number) => {
                        out.push(in_range(number, item.span)? as f32);
                        Ok(())
                    }
                    None => wrong("expected a number"),
                },
            }
        }
        let Some(given) = self.get(name) else {
            return Ok(None);
        };
        let (mut dims, mut out) = (Vec::new(), Vec::new());
        walk(given, 0, &mut dims, &mut out)?;
        Ok(Some((dims, out)))
    }

    /// The error for a required parameter that was not given.
    pub fn missing(&self, name: &str) -> ArgError {
        ArgError::new(self.span, format!("`{name}` is missing"))
    }
}

/// The number, unless it is beyond what the network can compute with; zero of its sign where networks have zero.
fn in_range(number: f64, span: Span) -> Result<f64, ArgError> {
    let ranged = limits::ranged(number);
    if ranged.is_finite() {
        return Ok(ranged);
    }
    let message =
        format!("{number:e} is beyond the range of the numbers that networks compute with");
    let help = format!("they have 32 bits: from {:e} to {:e}", f32::MIN, f32::MAX);
    Err(ArgError::new(Some(span), message).help(help))
}

/// Why a small number is refused where 0 is.
pub const TINY: &str = "numbers below 1.2e-38 are 0";

/// A number as it would be written: the shortest that reads back as the same.
pub fn shown(number: f64) -> String {
    let text = format!("{number:?}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A flag as it would be written.
pub fn on_off(flag: bool) -> String {
    if flag { "on" } else { "off" }.to_owned()
}
