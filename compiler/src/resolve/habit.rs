//! What is written in chains by habit of another language: parameters that need none here, and values in another form.

use crate::ast::{Expr, ExprKind, Term, TermKind};
use crate::diagnostic::{Diagnostic, codes};
use crate::frameworks;
use crate::layer::{self, Decl, Kind, ParamDecl};
use crate::span::Span;

/// What is said of a word behind a layer, if it is such a habit.
pub(super) fn habit(
    word: &str,
    span: Span,
    terms: &[Term],
    at: usize,
    before: Option<&'static Decl>,
) -> Option<Diagnostic> {
    let decl = before.filter(|_| matches!(terms[at].kind, TermKind::Word(_)))?;
    if frameworks::is_activation(word) {
        let next = terms.get(at + 1)?;
        let TermKind::Word(name) = &next.kind else {
            return None;
        };
        layer::find(name)?;
        let message = "an activation is a layer behind the other";
        let both = span.to(next.span);
        return Some(
            unknown(word, span)
                .note(message)
                .fix("write it so", both, name.clone()),
        );
    }
    if let Some(written) = short(word, decl) {
        return Some(unknown(word, span).fix(format!("did you mean `{written}`?"), span, written));
    }
    if ["axis", "dim", "dims"].contains(&word) {
        let (keyword, doc) = (decl.keyword, decl.doc);
        let sentence = doc.split_once(". ").map_or(doc, |(first, _)| first);
        let message = format!("`{keyword}` has no parameter `{word}`");
        return Some(
            Diagnostic::new(codes::UNKNOWN_WORD, span, message)
                .note(format!("`{keyword}`: {}", sentence.trim_end_matches('.'))),
        );
    }
    let modes = |param: &ParamDecl| match param.kind {
        Kind::Word(words) if param.name == "mode" => Some(words),
        _ => None,
    };
    let words = decl.params.iter().find_map(modes)?;
    if frameworks::is_mode(word) {
        return Some(unknown(word, span).note(format!(
            "`mode` of `{}` is one of `{}`",
            decl.keyword,
            words.join("`, `")
        )));
    }
    None
}

/// `k3`, `s2`, `p1`, `no_bias`: a parameter in one word.
fn short(word: &str, decl: &Decl) -> Option<String> {
    let param = |name: &str| decl.params.iter().find(|param| param.name == name);
    if let Some(flag) = word.strip_prefix("no") {
        let name = flag.trim_start_matches('_');
        let flag = param(name).is_some_and(|param| param.kind == Kind::Flag);
        return flag.then(|| format!("{name} off"));
    }
    let digits = word.get(1..)?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (name, written) = match &word[..1] {
        "k" => ("kernel", format!("{digits}x{digits}")),
        "s" => ("stride", format!("/{digits}")),
        "p" => ("pad", format!("pad {digits}")),
        "d" => ("dilation", format!("dilation {digits}")),
        "g" => ("groups", format!("groups {digits}")),
        _ => return None,
    };
    param(name).map(|_| written)
}

/// Whether a word says elsewhere what a parameter of the layer says.
pub(super) fn is_parameter(word: &str, decl: &Decl) -> bool {
    let named = |ours: &str| decl.params.iter().any(|param| param.name == ours);
    short(word, decl).is_some() || frameworks::ours(word).any(named)
}

/// `3 x 3`: extents with blanks, of which the term there is the sign.
pub(super) fn spaced(terms: &[Term], at: usize) -> Option<Diagnostic> {
    let sign = |at: usize| match &terms.get(at)?.kind {
        TermKind::Word(word) if ["x", "X"].contains(&word.as_str()) => Some(()),
        _ => None,
    };
    let extent = |at: usize| match terms.get(at)? {
        Term {
            kind:
                TermKind::Value(Expr {
                    kind: ExprKind::Int(extent),
                    ..
                }),
            span,
        } => Some((extent.to_string(), *span)),
        _ => None,
    };
    let (first, start) = extent(at.checked_sub(1)?)?;
    let (mut extents, mut span, mut at) = (vec![first], start, at);
    while let (Some(()), Some((next, end))) = (sign(at), extent(at + 1)) {
        extents.push(next);
        span = start.to(end);
        at += 2;
    }
    let message = "extents are joined by the letter x, without blanks";
    (extents.len() > 1).then(|| {
        Diagnostic::new(codes::SYNTAX, span, message).fix("write it so", span, extents.join("x"))
    })
}

/// What is said of every word that is nothing here.
pub(super) fn unknown(word: &str, span: Span) -> Diagnostic {
    let message = format!("`{word}` is no layer, block or tensor");
    Diagnostic::new(codes::UNKNOWN_WORD, span, message).label("not known here")
}
