//! Which terms of a chain belong to a layer, and which of its parameters each one fills.
//!
//! The same matching reads the settings of `input`, heads and defaults: all are lists of [`ParamDecl`].

use super::kinds::{as_integer, describe, example, fits, is_item, suited, takes_word, words_of};
use super::value::Value;
use super::{Resolver, Result};
use crate::ast::{ExprKind, Spanned, Term, TermKind};
use crate::diagnostic::{Diagnostic, codes};
use crate::layer::{Args, Kind, LAYERS, Literal, ParamDecl};
use crate::span::Span;
use crate::words;

/// Parameters and their values.
pub(super) type Given = Vec<(&'static str, Spanned<Literal>)>;

/// Where the matching of terms stands.
struct Matching<'d> {
    /// Keyword that the parameters belong to.
    owner: &'d str,
    params: &'static [ParamDecl],
    given: Given,
    /// Where each parameter's name (or lone value) is written.
    places: Vec<Span>,
    /// The term behind those that have been looked at: where it goes on, also after a mistake.
    next: usize,
    /// Whether a value without a name was not known, or was one too many: others may fill other parameters than they seem to.
    vague: bool,
}

/// What terms have been matched with parameters.
pub(super) struct Matched {
    pub(super) given: Given,
    /// The first term that belongs to no parameter.
    pub(super) next: usize,
    /// Whether there was a mistake in them.
    pub(super) failed: bool,
}

impl<'a> Resolver<'a> {
    /// Matches the terms from `at` on with the parameters, over every mistake.
    pub(super) fn match_terms(
        &mut self,
        owner: &str,
        params: &'static [ParamDecl],
        terms: &'a [Term],
        at: usize,
    ) -> Result<Matched> {
        let mut matching = Matching {
            owner,
            params,
            given: Vec::new(),
            places: Vec::new(),
            next: at,
            vague: false,
        };
        let mut failed = false;
        while let Some(term) = terms.get(matching.next) {
            let at = matching.next;
            matching.next += 1;
            match self.term(&mut matching, term, terms, at) {
                Ok(true) => {}
                Ok(false) => {
                    matching.next = at;
                    break;
                }
                Err(reported) if self.halted => return Err(reported),
                Err(_) => failed = true,
            }
        }
        Ok(Matched {
            given: matching.given,
            next: matching.next,
            failed,
        })
    }

    /// One term, or as many as belong together; whether it belongs to a parameter at all.
    fn term(
        &mut self,
        matching: &mut Matching<'_>,
        term: &'a Term,
        terms: &'a [Term],
        at: usize,
    ) -> Result<bool> {
        let params = matching.params;
        match &term.kind {
            TermKind::Stride(expr) => {
                let value = self.eval_literal(expr)?;
                let value = Spanned {
                    value: suited(&Kind::Stride, value),
                    span: term.span,
                };
                match params.iter().find(|param| param.kind == Kind::Stride) {
                    Some(param) if fits(&param.kind, &value.value) => {
                        self.give(matching, param, value, term.span)?;
                    }
                    Some(param) => return Err(self.misfit(matching.owner, param, &value)),
                    None => return Err(self.no_taker(matching, term, None)),
                }
            }
            TermKind::Value(expr) => {
                let value = self.eval(expr)?;
                let span = term.span;
                self.positional(matching, Spanned { value, span }, term)?;
            }
            TermKind::Word(word) => return self.word(matching, word, terms, at),
            // `pad(1, 2)` is `pad (1, 2)`.
            TermKind::Call(name, args) => {
                let Some(param) = find(params, &name.value) else {
                    return Ok(false);
                };
                let span = Span {
                    start: name.span.end,
                    ..term.span
                };
                let value = match args.as_slice() {
                    [one] => self.eval(one)?,
                    _ => self.list(args, span)?,
                };
                let value = Spanned {
                    value: suited(&param.kind, self.literal(&value)?),
                    span,
                };
                if !fits(&param.kind, &value.value) {
                    return Err(self.misfit(matching.owner, param, &value));
                }
                self.give(matching, param, value, name.span)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A word: whether it is a parameter's name, a value that stands for itself, or a variable.
    fn word(
        &mut self,
        matching: &mut Matching<'_>,
        word: &str,
        terms: &'a [Term],
        at: usize,
    ) -> Result<bool> {
        let term = &terms[at];
        if let Some(param) = find(matching.params, word) {
            self.named(matching, param, terms, at)?;
            return Ok(true);
        }
        if let Some(param) = lone(matching.params, word) {
            let value = Spanned {
                value: Literal::Word(word.to_owned()),
                span: term.span,
            };
            self.give(matching, param, value, term.span)?;
            return Ok(true);
        }
        let span = term.span;
        match self.find_constant(word) {
            // The next element of the chain.
            None | Some(Value::Chain(_)) => Ok(false),
            // Perhaps that, too.
            Some(Value::Unknown) if !takes_unnamed(matching) => Ok(false),
            Some(value) => {
                self.positional(matching, Spanned { value, span }, term)?;
                Ok(true)
            }
        }
    }

    /// `name value`, or a flag's bare name.
    fn named(
        &mut self,
        matching: &mut Matching<'_>,
        param: &'static ParamDecl,
        terms: &'a [Term],
        at: usize,
    ) -> Result<()> {
        let name = &terms[at];
        if param.kind.is_several() {
            return self.several(matching, param, terms, at);
        }
        // `pad reflect 1` is `pad 1 reflect`.
        let mut at = at;
        if param.kind == Kind::Padding
            && let Some(TermKind::Word(word)) = terms.get(at + 1).map(|term| &term.kind)
            && let Some(other) = lone(matching.params, word)
        {
            at += 1;
            let (value, span) = (Literal::Word(word.clone()), terms[at].span);
            self.give(matching, other, Spanned { value, span }, span)?;
        }
        let value = match terms.get(at + 1) {
            Some(term) => match self.value_of(param, term) {
                Ok(value) => value,
                Err(reported) => {
                    matching.next = at + 2;
                    return Err(reported);
                }
            },
            None => None,
        };
        match value {
            Some(value) if fits(&param.kind, &value.value) => {
                matching.next = at + 2;
                self.give(matching, param, value, name.span)
            }
            // What follows a bare flag fills the next parameter, or begins the next layer.
            Some(Spanned {
                value: Literal::Word(word),
                span,
            }) if param.kind == Kind::Flag
                && find(matching.params, &word).is_none()
                && self.is_nearly(&word, words_of(&param.kind)) =>
            {
                matching.next = at + 2;
                let value = Literal::Word(word);
                Err(self.misfit(matching.owner, param, &Spanned { value, span }))
            }
            _ if param.kind == Kind::Flag => {
                let value = Spanned {
                    value: Literal::Word("on".to_owned()),
                    span: name.span,
                };
                self.give(matching, param, value, name.span)
            }
            Some(value) => {
                matching.next = at + 2;
                Err(self.misfit(matching.owner, param, &value))
            }
            None => {
                matching.next = at + 1;
                let message = format!("`{}` has no value", param.name);
                let problem = Diagnostic::new(codes::NO_VALUE, name.span, message)
                    .label(format!("{} should follow", describe(&param.kind)))
                    .note(format!("`{}`: {}", param.name, param.doc));
                let problem = self.variable_of_that_name(param, problem);
                Err(self.error(problem))
            }
        }
    }

    /// Whether one of those words was meant.
    fn is_nearly(&self, word: &str, known: &[&str]) -> bool {
        self.charge(words::effort(word, known.iter().copied()));
        words::nearest(word, known).is_some()
    }

    /// `anchors cells (1, 2) (3, 4)`: a name and every value behind it, which make one list. A word that another
    /// parameter lists may stand before them.
    fn several(
        &mut self,
        matching: &mut Matching<'_>,
        param: &'static ParamDecl,
        terms: &'a [Term],
        at: usize,
    ) -> Result<()> {
        let name = &terms[at];
        let mut next = at + 1;
        // Behind a mistake, all that could belong to it.
        let value = |term: &&Term| matches!(term.kind, TermKind::Value(_));
        let word = usize::from(!terms.get(next).is_some_and(|term| value(&term)));
        let values = terms.iter().skip(next + word).take_while(value).count();
        matching.next = (next + word + values).min(terms.len());
        if let Some(TermKind::Word(word)) = terms.get(next).map(|term| &term.kind)
            && param.kind != Kind::Tensors
            && let Some(other) = lone(matching.params, word)
        {
            let span = terms[next].span;
            let value = Literal::Word(word.clone());
            self.give(matching, other, Spanned { value, span }, span)?;
            next += 1;
        }
        let mut items: Vec<Spanned<Literal>> = Vec::new();
        while let Some(term) = terms.get(next) {
            let value = match &term.kind {
                TermKind::Value(expr) => self.eval_literal(expr)?,
                TermKind::Word(word) => match self.find_variable(word) {
                    Some(value) => self.literal(&value)?,
                    None if param.kind == Kind::Tensors
                        && find(matching.params, word).is_none() =>
                    {
                        Literal::Str(word.clone())
                    }
                    None => break,
                },
                _ => break,
            };
            let value = Spanned {
                value,
                span: term.span,
            };
            // The list as a whole, or one more of its items.
            if items.is_empty() && fits(&param.kind, &value.value) {
                items.extend_from_slice(value.value.as_items());
            } else if is_item(&param.kind, &value.value) {
                items.push(value);
            } else {
                return Err(self.misfit(matching.owner, param, &value));
            }
            next += 1;
        }
        matching.next = next;
        let (Some(first), Some(last)) = (items.first(), items.last()) else {
            let message = format!("`{}` has no value", param.name);
            let problem = Diagnostic::new(codes::NO_VALUE, name.span, message)
                .label(format!("{} should follow", describe(&param.kind)))
                .note(format!("`{}`: {}", param.name, param.doc));
            return Err(self.error(problem));
        };
        let span = first.span.to(last.span);
        let value = Literal::List(items);
        self.give(matching, param, Spanned { value, span }, name.span)
    }

    /// The term as a value for the parameter; `None` if it is something else, such as the next layer.
    fn value_of(&mut self, param: &ParamDecl, term: &'a Term) -> Result<Option<Spanned<Literal>>> {
        let value = match &term.kind {
            TermKind::Value(expr) => self.eval_literal(expr)?,
            TermKind::Stride(expr) if param.kind == Kind::Stride => self.eval_literal(expr)?,
            TermKind::Word(word) => match self.find_variable(word) {
                Some(Value::Chain(_)) => return Ok(None),
                Some(value) => self.literal(&value)?,
                // `flatten order channels`
                None if takes_word(&param.kind, word) => Literal::Word(word.clone()),
                None if self.is_callable(word) => return Ok(None),
                None => match self.find_constant(word) {
                    Some(value) => self.literal(&value)?,
                    None => Literal::Word(word.clone()),
                },
            },
            _ => return Ok(None),
        };
        let (value, span) = (suited(&param.kind, value), term.span);
        Ok(Some(Spanned { value, span }))
    }

    /// A value without a name.
    fn positional(
        &mut self,
        matching: &mut Matching<'_>,
        value: Spanned<Value<'a>>,
        term: &'a Term,
    ) -> Result<()> {
        let kind = value.value.kind();
        let value = Spanned {
            value: self.literal(&value.value)?,
            span: value.span,
        };
        matching.vague |= value.value == Literal::Unknown;
        let param = {
            let mut open = unnamed(matching);
            let as_written = open.clone().find(|param| fits(&param.kind, &value.value));
            as_written
                .or_else(|| open.find(|param| as_integer(&param.kind, &value.value).is_some()))
        };
        match param {
            Some(param) => {
                let value = Spanned {
                    value: suited(&param.kind, value.value),
                    span: value.span,
                };
                self.give(matching, param, value, term.span)
            }
            None if std::mem::replace(&mut matching.vague, true) => Err(super::Reported),
            None => Err(self.no_taker(matching, term, Some(kind))),
        }
    }

    fn give(
        &mut self,
        matching: &mut Matching<'_>,
        param: &'static ParamDecl,
        value: Spanned<Literal>,
        place: Span,
    ) -> Result<()> {
        if let Some(first) = matching
            .given
            .iter()
            .position(|(name, _)| *name == param.name)
        {
            let message = format!("`{}` of `{}` is given twice", param.name, matching.owner);
            let problem = Diagnostic::new(codes::GIVEN_TWICE, place.to(value.span), message)
                .also(matching.places[first], "given here first");
            return Err(self.error(problem));
        }
        matching.given.push((param.name, value));
        matching.places.push(place);
        Ok(())
    }

    fn no_taker(
        &mut self,
        matching: &Matching<'_>,
        term: &'a Term,
        kind: Option<&str>,
    ) -> super::Reported {
        let text = self.quoted(term.span);
        let open: Vec<String> = matching
            .params
            .iter()
            .filter(|param| !matching.given.iter().any(|(name, _)| *name == param.name))
            .map(|param| format!("{} {}", param.name, example(&param.kind)))
            .collect();
        let message = format!("`{}` takes no `{text}` here", matching.owner);
        let mut problem = Diagnostic::new(codes::UNEXPECTED, term.span, message);
        // Of a name, it is not seen what it is.
        let named = match &term.kind {
            TermKind::Word(_) => true,
            TermKind::Value(expr) => matches!(expr.kind, ExprKind::Name(_)),
            _ => false,
        };
        if let Some(kind) = kind.filter(|_| named) {
            problem = problem.label(format!("this is {kind}"));
        }
        if let Some(kernel) = misplaced(matching, &text) {
            let kernel = self.quoted(kernel);
            problem = problem.help(format!(
                "the kernel stands before the channels: `{} {text} {kernel}`",
                matching.owner
            ));
        }
        problem = if matching.params.is_empty() {
            problem.note(format!("`{}` has no parameters", matching.owner))
        } else if open.is_empty() {
            problem.note(format!(
                "every parameter of `{}` has its value",
                matching.owner
            ))
        } else {
            problem.note(format!("it could still take: {}", open.join(", ")))
        };
        self.error(problem)
    }

    fn misfit(
        &mut self,
        owner: &str,
        param: &ParamDecl,
        value: &Spanned<Literal>,
    ) -> super::Reported {
        let text = self.quoted(value.span);
        let message = format!(
            "`{}` of `{owner}` takes {}, not `{text}`",
            param.name,
            describe(&param.kind)
        );
        let mut problem = Diagnostic::new(codes::WRONG_KIND, value.span, message);
        let words = words_of(&param.kind);
        if let Literal::Word(word) = &value.value
            && !words.is_empty()
        {
            problem = problem.suggest(word, value.span, "words", words.iter().copied());
        } else if let Literal::Str(word) = &value.value
            && words.contains(&word.as_str())
        {
            problem = problem.fix("a word has no quotes", value.span, word.clone());
        } else {
            problem = problem.note(format!("`{}`: {}", param.name, param.doc));
        }
        let problem = self.variable_of_that_name(param, problem);
        self.error(problem)
    }

    /// In a chain, the name of a parameter hides the variable that is called the same.
    fn variable_of_that_name(&self, param: &ParamDecl, problem: Diagnostic) -> Diagnostic {
        let name = param.name;
        match self.find_variable(name) {
            Some(_) => problem.help(format!(
                "`{name}` is the parameter's name here; the variable is written `({name})`"
            )),
            None => problem,
        }
    }

    /// Adds defaults for what was not given.
    pub(super) fn fill_defaults(
        &self,
        keyword: &'static str,
        params: &'static [ParamDecl],
        args: &mut Args,
    ) {
        for param in params {
            if args.get(param.name).is_some() {
                continue;
            }
            let mut known = self.defaults.of(keyword, param.name);
            let suits = |value: &&Spanned<Literal>| {
                self.charge(1);
                fits(&param.kind, &value.value)
            };
            if let Some(value) = known.find(suits) {
                self.charge(value.value.size());
                args.given.push((param.name, value.clone()));
                args.defaults.push(param.name);
            }
        }
    }
}

/// Where the channels stand, if the value that is one too many is a kernel behind them: `conv 8 3x3`.
fn misplaced(matching: &Matching<'_>, text: &str) -> Option<Span> {
    let [(name, channels)] = matching.given.as_slice() else {
        return None;
    };
    let extents =
        |text: &str| text.contains('x') && text.split('x').all(|n| n.parse::<u32>().is_ok());
    let single = matches!(&channels.value, Literal::Int(_))
        || matches!(&channels.value, Literal::Dims(dims) if dims.len() == 1);
    let has_out = find(matching.params, "out").is_some();
    (*name == "kernel" && has_out && single && extents(text)).then_some(channels.span)
}

/// Parameters that a value without a name can fill.
fn unnamed<'m>(
    matching: &'m Matching<'_>,
) -> impl Iterator<Item = &'static ParamDecl> + Clone + use<'m> {
    matching.params.iter().filter(|param| {
        let named = matching.given.iter().any(|(name, _)| *name == param.name);
        !named && param.positional && param.kind != Kind::Stride
    })
}

fn takes_unnamed(matching: &Matching<'_>) -> bool {
    unnamed(matching).next().is_some()
}

pub(super) fn find(params: &'static [ParamDecl], name: &str) -> Option<&'static ParamDecl> {
    params.iter().find(|param| param.name == name)
}

/// The parameter that the word is a value of, standing alone.
pub(super) fn lone(params: &'static [ParamDecl], word: &str) -> Option<&'static ParamDecl> {
    let takes =
        |param: &&ParamDecl| matches!(param.kind, Kind::Word(words) if words.contains(&word));
    params.iter().find(takes)
}

/// Names of all parameters of all layers.
pub(super) fn all_param_names() -> impl Iterator<Item = &'static str> {
    LAYERS
        .iter()
        .flat_map(|decl| decl.params.iter().map(|param| param.name))
}
