//! Which values parameters take, and how that is said.

use super::value::whole;
use crate::ast::Spanned;
use crate::diagnostic::{Diagnostic, codes};
use crate::layer::{Args, Decl, Kind, Literal};
use crate::span::Span;

/// The named paddings.
pub(super) const PADDINGS: [&str; 3] = ["valid", "half", "same"];

/// Whether the value is one of those that a parameter takes several of.
pub(super) fn is_item(kind: &Kind, value: &Literal) -> bool {
    match (kind, value) {
        (Kind::Pairs, Literal::List(items)) => {
            items.len() == 2 && items.iter().all(|item| item.value.as_number().is_some())
        }
        (Kind::Lists, Literal::List(items)) => items
            .iter()
            .all(|item| matches!(item.value, Literal::Int(_))),
        // `(0)` is `0`.
        (Kind::Lists, Literal::Int(_)) => true,
        (Kind::Tensors, Literal::Str(_)) => true,
        (Kind::Series, value) => value.as_number().is_some(),
        _ => false,
    }
}

/// Whether the parameter takes values like this one.
pub(super) fn fits(kind: &Kind, value: &Literal) -> bool {
    let integers = |items: &[Spanned<Literal>]| {
        !items.is_empty()
            && items
                .iter()
                .all(|item| matches!(item.value, Literal::Int(_)))
    };
    match (kind, value) {
        (_, Literal::Unknown) => true,
        (Kind::Dims | Kind::Stride | Kind::Padding, Literal::Int(_) | Literal::Dims(_)) => true,
        (Kind::Dims | Kind::Stride | Kind::Padding, Literal::List(items)) => integers(items),
        (Kind::Int, Literal::Int(_)) => true,
        (Kind::Float, Literal::Int(_) | Literal::Float(_)) => true,
        (Kind::Numbers, Literal::List(_) | Literal::Int(_) | Literal::Float(_)) => true,
        (Kind::Strings, Literal::Str(_)) => true,
        (Kind::Strings, Literal::List(items)) => items
            .iter()
            .all(|item| matches!(item.value, Literal::Str(_))),
        (kind, Literal::Word(word)) => takes_word(kind, word),
        (Kind::Pairs | Kind::Lists | Kind::Tensors | Kind::Series, Literal::List(items)) => {
            // `(6, 7, 8)` is one of several lists, not three.
            let whole = *kind != Kind::Lists
                || items
                    .iter()
                    .all(|item| matches!(item.value, Literal::List(_)));
            whole && !items.is_empty() && items.iter().all(|item| is_item(kind, &item.value))
        }
        _ => false,
    }
}

/// The value for a parameter: a number that is whole stands for the integer where one is needed.
pub(super) fn suited(kind: &Kind, value: Literal) -> Literal {
    as_integer(kind, &value).unwrap_or(value)
}

pub(super) fn as_integer(kind: &Kind, value: &Literal) -> Option<Literal> {
    match *value {
        Literal::Float(x) if !fits(kind, value) => {
            let integer = whole(x).map(Literal::Int);
            integer.filter(|n| fits(kind, n))
        }
        _ => None,
    }
}

pub(super) fn takes_word(kind: &Kind, word: &str) -> bool {
    words_of(kind).contains(&word)
}

pub(super) fn words_of(kind: &Kind) -> &'static [&'static str] {
    match kind {
        Kind::Flag => &["on", "off"],
        Kind::Word(words) => words,
        Kind::Padding => &PADDINGS,
        _ => &[],
    }
}

/// What the parameter takes, in words.
pub fn describe(kind: &Kind) -> String {
    match kind {
        Kind::Dims => "extents such as `3x3`".to_owned(),
        Kind::Stride => "a stride such as `/2`".to_owned(),
        Kind::Int => "an integer".to_owned(),
        Kind::Float => "a number".to_owned(),
        Kind::Flag => "`on` or `off`".to_owned(),
        Kind::Word(words) => format!("one of `{}`", words.join("`, `")),
        Kind::Padding => {
            "`valid`, `half`, `same`, a number or `(top, bottom, left, right)`".to_owned()
        }
        Kind::Numbers => "a list of numbers".to_owned(),
        Kind::Strings => "a file name or a list of strings".to_owned(),
        Kind::Pairs => "pairs such as `(1.3, 1.7) (3.2, 4)`".to_owned(),
        Kind::Lists => "lists such as `(3, 4, 5) (0, 1, 2)`".to_owned(),
        Kind::Tensors => "labels of tensors such as `large small`".to_owned(),
        Kind::Series => "numbers such as `0.9 0.999`".to_owned(),
    }
}

pub(super) fn example(kind: &Kind) -> String {
    match kind {
        Kind::Dims => "3x3".to_owned(),
        Kind::Stride => "/2".to_owned(),
        Kind::Int => "8".to_owned(),
        Kind::Float => "0.1".to_owned(),
        Kind::Flag => "on".to_owned(),
        Kind::Word(words) => words.join("|"),
        Kind::Padding => "half".to_owned(),
        Kind::Numbers => "[1, 2]".to_owned(),
        Kind::Strings => "[\"a\", \"b\"]".to_owned(),
        Kind::Pairs => "(1, 2) (3, 4)".to_owned(),
        Kind::Lists => "(3, 4, 5) (0, 1, 2)".to_owned(),
        Kind::Tensors => "a b".to_owned(),
        Kind::Series => "0.9 0.999".to_owned(),
    }
}

/// The first parameter that has no default and no value.
pub(super) fn missing(decl: &Decl, args: &Args, span: Span) -> Option<Diagnostic> {
    let param = decl
        .params
        .iter()
        .find(|param| param.default.is_none() && args.get(param.name).is_none())?;
    let message = format!("`{}` of `{}` is missing", param.name, decl.keyword);
    Some(
        Diagnostic::new(codes::ARGUMENT, span, message)
            .label(format!("needs {}", describe(&param.kind)))
            .note(format!("`{}`: {}", param.name, param.doc)),
    )
}
