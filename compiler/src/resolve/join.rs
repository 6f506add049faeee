//! Branches and residuals: several paths from one value, joined by a layer.

use super::chain::Chain;
use super::label::Place;
use super::{Resolver, Result, Tensor};
use crate::ast::{Body, Join, Shortcut, Statement, StatementKind};
use crate::diagnostic::{Diagnostic, codes};
use crate::id::ValueId;
use crate::layer::{self, Args, Decl};
use crate::shape::Shape;
use crate::span::Span;

/// A layer that joins.
struct Joining {
    decl: &'static Decl,
    args: Args,
    /// Where it is named.
    span: Span,
}

impl<'a> Resolver<'a> {
    /// `branch add { … }`: every statement or `{ … }` is a branch.
    pub(super) fn branch(
        &mut self,
        join: Option<&'a Join>,
        body: &'a Body,
        span: Span,
        chain: &mut Chain<'_>,
    ) -> Result<()> {
        let joining = self.joining(join, "concat", head(span, "branch"))?;
        let start = self.current;
        let place = chain.place.cloned();
        let mut ends: Vec<Tensor> = Vec::new();
        let blind = self.blind.is_some();
        let result = self.within(place.as_ref(), |this| {
            this.scope(body, |this| {
                body.statements.iter().try_for_each(|statement| {
                    this.branch_statement(statement, start, |this, end| {
                        // Of what is only looked at, nothing is joined.
                        if blind == this.blind.is_some() {
                            ends.extend(end);
                        }
                    })
                })
            })
        });
        self.current = start;
        result?;
        match ends.as_slice() {
            // How many there are may depend on what is not known.
            [] if self.incomplete || blind => {
                self.current = Some(Tensor::Unknown);
                Ok(())
            }
            [] => {
                let message = "there is no branch to join";
                Err(self.error(Diagnostic::new(codes::BRANCHES, span, message)))
            }
            // A loop or condition may leave one.
            [only] => {
                self.current = Some(*only);
                Ok(())
            }
            _ => self.join(joining, ends, chain),
        }
    }

    /// The branches of one statement: loops have one for each turn.
    fn branch_statement(
        &mut self,
        statement: &'a Statement,
        start: Option<Tensor>,
        mut end: impl FnMut(&Self, Option<Tensor>),
    ) -> Result<()> {
        match &statement.kind {
            StatementKind::Defaults { .. }
            | StatementKind::Shared { .. }
            | StatementKind::Let(_) => self.statement(statement),
            StatementKind::Repeat { .. } | StatementKind::For { .. } => {
                let place = statement.label.as_ref().map(|label| self.place(label));
                let place: Option<Place> = place.transpose()?;
                self.within(place.as_ref(), |this| {
                    this.looped(statement, |this, body| {
                        this.current = start;
                        this.body(body)?;
                        end(this, this.current);
                        Ok(())
                    })
                })
            }
            StatementKind::If { arms, otherwise } => {
                let place = statement.label.as_ref().map(|label| self.place(label));
                let place: Option<Place> = place.transpose()?;
                self.within(place.as_ref(), |this| {
                    this.choose(arms, otherwise.as_ref(), |this, body| {
                        this.current = start;
                        this.body(body)?;
                        end(this, this.current);
                        Ok(())
                    })
                })
            }
            _ => {
                self.current = start;
                self.statement(statement)?;
                end(self, self.current);
                Ok(())
            }
        }
    }

    /// `residual { … } shortcut auto { … }`
    pub(super) fn residual(
        &mut self,
        join: Option<&'a Join>,
        body: &'a Body,
        shortcut: &'a Shortcut,
        span: Span,
        chain: &mut Chain<'_>,
    ) -> Result<()> {
        let joining = self.joining(join, "add", head(span, "residual"))?;
        let start = self.current;
        let Some(input) = self.value_so_far() else {
            self.no_start(span);
            return Err(super::Reported);
        };
        let place = chain.place.cloned();
        let main = self.path(place.as_ref(), body, start)?;
        let other = match shortcut {
            Shortcut::Identity => input,
            Shortcut::Body(body) => self.path(place.as_ref(), body, start)?,
            Shortcut::Auto(body) => match (main, input) {
                (Tensor::Known(a), Tensor::Known(b)) if self.shape(a) == self.shape(b) => {
                    self.blindly(body, false, |this| {
                        this.path(place.as_ref(), body, start).map(drop)
                    });
                    input
                }
                (Tensor::Known(_), Tensor::Known(_)) => self.path(place.as_ref(), body, start)?,
                _ => {
                    self.blindly(body, false, |this| {
                        this.path(place.as_ref(), body, start).map(drop)
                    });
                    Tensor::Unknown
                }
            },
            Shortcut::Unknown(word) => {
                let message = format!("`{}` is no shortcut", word.value);
                let problem = Diagnostic::new(codes::UNKNOWN_WORD, word.span, message)
                    .suggest(&word.value, word.span, "shortcuts", ["identity", "auto"])
                    .help("or statements: `shortcut { conv 1x1 64 }`");
                return Err(self.error(problem));
            }
        };
        self.current = start;
        let (Tensor::Known(a), Tensor::Known(b)) = (main, other) else {
            self.current = Some(Tensor::Unknown);
            return Ok(());
        };
        let shapes = [self.shape(a).clone(), self.shape(b).clone()];
        let mut args = Args {
            rank: shapes[0].spatial().len(),
            ..joining.args.clone()
        };
        let layer = (joining.decl.build)(&mut args);
        if layer.is_ok_and(|layer| layer.infer(&shapes).is_err()) {
            return Err(self.paths_differ((a, b), input, shortcut, body, joining.span));
        }
        self.join(joining, vec![main, other], chain)
    }

    /// Runs the statements from that value and returns what they end with.
    fn path(
        &mut self,
        place: Option<&Place>,
        body: &'a Body,
        start: Option<Tensor>,
    ) -> Result<Tensor> {
        self.current = start;
        self.within(place, |this| this.body(body))?;
        Ok(self.current.unwrap_or(Tensor::Unknown))
    }

    fn no_start(&mut self, span: Span) {
        let message = "there is no value for the residual to start from";
        self.error(Diagnostic::new(codes::INPUT, span, message));
    }

    fn join(
        &mut self,
        joining: Joining,
        operands: Vec<Tensor>,
        chain: &mut Chain<'_>,
    ) -> Result<()> {
        let Joining { decl, args, span } = joining;
        let result = self.apply(decl, args, operands, span, chain)?;
        self.current = Some(result);
        Ok(())
    }

    /// The layer that joins, and its parameters.
    fn joining(&mut self, join: Option<&'a Join>, otherwise: &str, head: Span) -> Result<Joining> {
        let word = join.map_or(otherwise, |join| join.layer.value.as_str());
        let span = join.map_or(head, |join| join.layer.span);
        let joins = |decl: &&&'static Decl| decl.operands.1 >= 2;
        let decl = match layer::find(word) {
            Some(decl) if decl.operands.1 >= 2 => decl,
            _ => {
                let known: Vec<&str> = layer::LAYERS
                    .iter()
                    .filter(joins)
                    .map(|decl| decl.keyword)
                    .collect();
                let message = format!("`{word}` joins no branches");
                let problem = Diagnostic::new(codes::BRANCHES, span, message).suggest(
                    word,
                    span,
                    "layers that do",
                    known,
                );
                return Err(self.error(problem));
            }
        };
        let terms = join.map_or(&[][..], |join| &join.terms);
        let matched = self.match_terms(decl.keyword, decl.params, terms, 0)?;
        if let Some(stray) = terms.get(matched.next) {
            let text = self.quoted(stray.span);
            let message = format!("`{text}` is no parameter of `{word}`, which joins");
            let problem = Diagnostic::new(codes::UNEXPECTED, stray.span, message);
            let problem = match layer::find(&text) {
                Some(_) => problem.help("what comes next stands behind the `}`"),
                None => {
                    let what = format!("parameters of `{word}`");
                    let known = decl.params.iter().map(|param| param.name);
                    problem.suggest(&text, stray.span, &what, known)
                }
            };
            return Err(self.error(problem));
        }
        if matched.failed {
            return Err(super::Reported);
        }
        let mut args = Args {
            given: matched.given,
            span: Some(span),
            ..Args::default()
        };
        self.fill_defaults(decl.keyword, decl.params, &mut args);
        Ok(Joining { decl, args, span })
    }

    fn paths_differ(
        &mut self,
        (main, other): (ValueId, ValueId),
        input: Tensor,
        shortcut: &Shortcut,
        body: &Body,
        span: Span,
    ) -> super::Reported {
        let (a, b) = (self.shape(main).clone(), self.shape(other).clone());
        let message = format!("the paths of the residual differ: {a} and {b}");
        let mut problem = Diagnostic::new(codes::RESIDUAL, span, message)
            .label("these are joined")
            .also(self.maker(main), format!("the main path ends with {a}"));
        let shortcut_is_input = Tensor::Known(other) == input;
        problem = problem.also(
            self.maker(other),
            if shortcut_is_input {
                format!("the shortcut is this, {b}")
            } else {
                format!("the shortcut ends with {b}")
            },
        );
        if let (Shortcut::Identity, true, Some(projection)) =
            (shortcut, shortcut_is_input, projection(&b, &a))
        {
            let behind = Span {
                start: body.span.end,
                ..body.span
            };
            let written = format!(" shortcut auto {{ {projection} }}");
            // A shortcut that is written out is replaced in words only.
            if !self.writes_shortcut(body) {
                problem = problem.fix("project the shortcut", behind, written);
            } else {
                problem = problem.help(format!("project it: `{}`", written.trim()));
            }
        }
        self.error(problem)
    }

    /// Whether the text goes on with `shortcut` behind the main path.
    fn writes_shortcut(&self, body: &Body) -> bool {
        let text = self.files.text(body.span.file);
        text.get(body.span.end as usize..)
            .is_some_and(|rest| rest.trim_start().starts_with("shortcut"))
    }
}

/// The 1x1 convolution that turns one shape into the other, if one does.
fn projection(from: &Shape, to: &Shape) -> Option<String> {
    let (a, b) = (from.spatial(), to.spatial());
    if a.len() != b.len() || a.is_empty() {
        return None;
    }
    let strides: Vec<usize> = a.iter().zip(b).map(|(a, b)| a.div_ceil(*b)).collect();
    let reached = a
        .iter()
        .zip(b)
        .zip(&strides)
        .all(|((a, b), stride)| (a - 1) / stride + 1 == *b);
    if !reached {
        return None;
    }
    let kernel = vec!["1"; a.len()].join("x");
    let stride = match strides.as_slice() {
        same if same.iter().all(|s| *s == 1) => String::new(),
        same if same.iter().all(|s| *s == same[0]) => format!(" /{}", same[0]),
        each => {
            let each: Vec<String> = each.iter().map(usize::to_string).collect();
            format!(" /{}", each.join("x"))
        }
    };
    Some(format!(
        "conv {kernel}{stride} {} pad valid bn",
        to.channels()
    ))
}

/// The first word of a statement.
fn head(span: Span, word: &str) -> Span {
    Span {
        end: span.start + word.len() as u32,
        ..span
    }
}
