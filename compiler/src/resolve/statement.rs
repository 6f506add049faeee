//! Statements: scopes, loops and conditions; chains are next door.

use super::chain::Chain;
use super::label::{Component, Place};
use super::value::Value;
use super::{Resolver, Result, SharedNet, Tensor};
use crate::ast::{Binding, Body, Expr, Name, Statement, StatementKind};
use crate::diagnostic::{Diagnostic, codes};
use crate::outline::Kind;
use crate::span::Span;

/// Deepest nesting of bodies, those of blocks within those of their callers; it bounds the stack.
const MAX_NESTED: usize = 128;

impl<'a> Resolver<'a> {
    /// Expands the statements in a scope of their own.
    pub(super) fn body(&mut self, body: &'a Body) -> Result<()> {
        self.scope(body, |this| {
            body.statements
                .iter()
                .try_for_each(|statement| this.statement(statement))
        })
    }

    /// Runs with the body's defaults and shared networks; variables, defaults and networks end with it.
    pub(super) fn scope<T>(&mut self, body: &'a Body, run: impl FnOnce(&mut Self) -> T) -> T {
        self.seen.insert(body.span);
        let marks = (
            self.variables.mark(),
            self.defaults.len(),
            self.shared.len(),
        );
        self.bodies.push(body);
        for statement in &body.statements {
            if self.halted {
                break;
            }
            match &statement.kind {
                StatementKind::Defaults { preset, settings } => {
                    self.read_defaults(preset.as_ref(), settings);
                }
                StatementKind::Shared { name, params, body } => {
                    // What is wrong has been reported, and calls will say no more.
                    let _ = self.define(statement, name, params, body);
                }
                _ => {}
            }
        }
        let result = run(self);
        for index in marks.2..self.shared.len() {
            self.glance_at_shared(index);
        }
        self.bodies.pop();
        self.variables.back(marks.0);
        self.defaults.truncate(marks.1);
        for net in self.shared.drain(marks.2..) {
            self.shared_names.remove(net.name.value.as_str());
        }
        result
    }

    fn define(
        &mut self,
        statement: &'a Statement,
        name: &'a Name,
        params: &'a [Name],
        body: &'a Body,
    ) -> Result<()> {
        self.spend(1)?;
        let known = self.shared_names.get(name.value.as_str());
        let clash = known
            .map(|&index| self.shared[index].name.span)
            .or_else(|| self.program.block(&name.value).map(|block| block.name.span));
        if crate::layer::find(&name.value).is_some() {
            let message = format!("`{}` is a layer and cannot be a shared network", name.value);
            return Err(self.error(Diagnostic::new(codes::RESERVED, name.span, message)));
        }
        if let Some(first) = clash {
            let message = format!("`{}` is already defined", name.value);
            let problem = Diagnostic::new(codes::DUPLICATE, name.span, message);
            return Err(self.error(problem.also(first, "first here")));
        }
        let weights = match &statement.label {
            Some(label) => self.place(label)?.weights,
            None => self.weights.clone(),
        };
        self.shared_names.insert(&name.value, self.shared.len());
        self.shared.push(SharedNet {
            name,
            params,
            body,
            variables: self.variables.mark(),
            weights,
            record: None,
            calls: 0,
        });
        Ok(())
    }

    /// A shared network knows the constants above it; until it is reached, those of the bodies around it.
    fn defined_here(&mut self, name: &Name) {
        if let Some(&index) = self.shared_names.get(name.value.as_str())
            && self.shared[index].name.span == name.span
        {
            self.shared[index].variables = self.variables.mark();
        }
    }

    /// Expands one statement. Mistakes end here: only a halt goes on.
    pub(super) fn statement(&mut self, statement: &'a Statement) -> Result<()> {
        self.here = Some(statement.span);
        self.check_nesting()?;
        self.spend(1)?;
        let place = match &statement.label {
            None => None,
            Some(label) => match self.place(label) {
                Ok(place) => Some(place),
                Err(_) => {
                    self.current = Some(Tensor::Unknown);
                    return if self.halted {
                        Err(super::Reported)
                    } else {
                        Ok(())
                    };
                }
            },
        };
        let done = self.kind(statement, place.as_ref());
        if done.is_err() {
            self.current = Some(Tensor::Unknown);
        }
        if let (Some(place), Some(tensor)) = (&place, self.current) {
            self.name_tensor(place, tensor);
        }
        if self.halted {
            Err(super::Reported)
        } else {
            Ok(())
        }
    }

    /// Whether there are not more bodies around this than may be.
    fn check_nesting(&mut self) -> Result<()> {
        if self.bodies.len() <= MAX_NESTED {
            return Ok(());
        }
        let message = format!("statements are nested deeper than {MAX_NESTED}, over all blocks");
        Err(self.halt(message))
    }

    /// Expands statements within a chain: a chain without a label is a part of it.
    pub(super) fn inlined(&mut self, body: &'a Body, chain: &mut Chain<'_>) -> Result<()> {
        let [
            Statement {
                label: None,
                kind: StatementKind::Chain(terms),
                ..
            },
        ] = body.statements.as_slice()
        else {
            let place = chain.place.cloned();
            return self.within(place.as_ref(), |this| this.body(body));
        };
        self.check_nesting()?;
        self.seen.insert(body.span);
        self.bodies.push(body);
        let result = self.links(terms, chain);
        self.bodies.pop();
        result
    }

    fn kind(&mut self, statement: &'a Statement, place: Option<&Place>) -> Result<()> {
        match &statement.kind {
            StatementKind::Chain(terms) => self.chain(terms, place),
            StatementKind::Group(body) => match place {
                Some(place) => self.part(Kind::Group, place.label(), statement.span, |this| {
                    this.within(Some(place), |this| this.body(body))
                }),
                None => self.body(body),
            },
            StatementKind::If { arms, otherwise } => self.within(place, |this| {
                this.choose(arms, otherwise.as_ref(), |this, body| this.body(body))
            }),
            StatementKind::Repeat { .. } | StatementKind::For { .. } => self
                .within(place, |this| {
                    this.looped(statement, |this, body| this.body(body))
                }),
            // Read with the scope.
            StatementKind::Defaults { .. } => self.no_label(place, "defaults"),
            StatementKind::Shared { name, .. } => {
                self.defined_here(name);
                Ok(())
            }
            StatementKind::Let(constant) => {
                self.constant(constant);
                self.no_label(place, "let")
            }
            StatementKind::Error => {
                self.incomplete = true;
                Err(super::Reported)
            }
            StatementKind::Input { .. } => self.misplaced("input", statement.span),
            StatementKind::Head { .. } => self.misplaced("head", statement.span),
            StatementKind::Weights { .. } => self.misplaced("weights", statement.span),
            StatementKind::Expect(_) => self.misplaced("expect", statement.span),
            StatementKind::Tap(_) => self.misplaced("tap", statement.span),
            StatementKind::Train(_) => self.misplaced("train", statement.span),
        }
    }

    fn misplaced(&mut self, word: &str, span: Span) -> Result<()> {
        let message = format!("`{word}` stands only directly in the model");
        let before = self.current;
        self.error(Diagnostic::new(codes::MISPLACED, span, message));
        self.current = before;
        Ok(())
    }

    pub(super) fn no_label(&mut self, place: Option<&Place>, word: &str) -> Result<()> {
        if let Some(place) = place {
            let message = format!("`{word}` makes no tensor, so it has no label");
            self.error(Diagnostic::new(codes::MISPLACED, place.span, message));
        }
        Ok(())
    }

    /// Runs the body whose condition holds, and looks at the others.
    pub(super) fn choose(
        &mut self,
        arms: &'a [(Expr, Body)],
        otherwise: Option<&'a Body>,
        mut run: impl FnMut(&mut Self, &'a Body) -> Result<()>,
    ) -> Result<()> {
        let mut chosen = otherwise;
        let mut known = self.blind.is_none();
        let (mut evaluated, mut failed) = (0, Ok(()));
        for (condition, body) in arms {
            evaluated += 1;
            match self.condition(condition) {
                Ok(Some(false)) => continue,
                Ok(Some(true)) => chosen = Some(body),
                Ok(None) => known = false,
                Err(reported) if self.halted => return Err(reported),
                Err(reported) => (known, failed) = (false, Err(reported)),
            }
            break;
        }
        let start = self.current;
        let result = match chosen {
            Some(body) if known => run(self, body),
            _ => Ok(()),
        };
        let end = self.current;
        self.glance(
            arms.first().map_or(Span::none(), |(first, _)| first.span),
            arms.iter().skip(evaluated).map(|(condition, _)| condition),
        );
        for body in arms.iter().map(|(_, body)| body).chain(otherwise) {
            self.current = start;
            self.blindly(body, failed.is_err(), |this| run(this, body));
        }
        self.current = if known {
            end
        } else {
            start.map(|_| Tensor::Unknown)
        };
        failed.and(result)
    }

    /// Runs the body of a `repeat` or `for` with its variables, once for each turn.
    pub(super) fn looped(
        &mut self,
        statement: &'a Statement,
        mut run: impl FnMut(&mut Self, &'a Body) -> Result<()>,
    ) -> Result<()> {
        let result = self.turns(statement, &mut run);
        match &statement.kind {
            StatementKind::Repeat { body, .. } | StatementKind::For { body, .. }
                if result.is_err() =>
            {
                self.turns_blindly(statement, body, true, run)?;
            }
            _ => {}
        }
        result
    }

    /// The turns of a loop, if it can be told how many there are.
    fn turns(
        &mut self,
        statement: &'a Statement,
        mut run: impl FnMut(&mut Self, &'a Body) -> Result<()>,
    ) -> Result<()> {
        match &statement.kind {
            StatementKind::Repeat { count, var, body } => {
                let Some(times) = self.integer(count)? else {
                    return self.turns_blindly(statement, body, false, run);
                };
                if times < 0 {
                    let message = format!("something cannot be repeated {times} times");
                    return Err(self.error(Diagnostic::new(codes::ARGUMENT, count.span, message)));
                }
                if times == 0 || self.blind.is_some() {
                    return self.turns_blindly(statement, body, false, run);
                }
                (0..times).try_for_each(|turn| {
                    self.turn(turn, statement.span, |this| {
                        if let Some(var) = var {
                            this.bind(var, Value::Int(turn))?;
                        }
                        run(this, body)
                    })
                })
            }
            StatementKind::For {
                index,
                binding,
                items,
                body,
            } => {
                let list = match self.eval(items)? {
                    Value::List(list) if self.blind.is_none() && !list.is_empty() => list,
                    Value::List(_) | Value::Unknown => {
                        return self.turns_blindly(statement, body, false, run);
                    }
                    other => {
                        let message = "`for` needs a list";
                        let problem = Diagnostic::new(codes::TYPE, items.span, message)
                            .label(format!("this is {}", other.kind()));
                        return Err(self.error(problem));
                    }
                };
                list.iter().enumerate().try_for_each(|(turn, item)| {
                    self.turn(turn as i64, statement.span, |this| {
                        if let Some(index) = index {
                            this.bind(index, Value::Int(turn as i64))?;
                        }
                        this.destructure(binding, item)?;
                        run(this, body)
                    })
                })
            }
            _ => Ok(()),
        }
    }

    /// One turn: its index is part of the path.
    pub(super) fn turn(
        &mut self,
        turn: i64,
        span: Span,
        run: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        self.spend(1)?;
        let component = Component {
            text: turn.to_string(),
            index: true,
        };
        let mark = self.variables.mark();
        self.labels.push(component.clone());
        self.weights.push(component);
        let result = self.part(Kind::Turn, String::new(), span, run);
        self.labels.pop();
        self.weights.pop();
        self.variables.back(mark);
        result
    }

    fn destructure(
        &mut self,
        binding: &Binding,
        item: &crate::ast::Spanned<Value<'a>>,
    ) -> Result<()> {
        match binding {
            Binding::One(name) => self.bind(name, item.value.clone()),
            Binding::Tuple(names, span) => {
                let parts = match &item.value {
                    Value::List(parts) if parts.len() == names.len() => parts.clone(),
                    other => {
                        let what = match other {
                            Value::List(parts) => format!("a tuple of {}", parts.len()),
                            other => other.kind().to_owned(),
                        };
                        let message = format!("{what} does not match {} names", names.len());
                        let problem = Diagnostic::new(codes::BINDING, item.span, message)
                            .also(*span, "this pattern");
                        return Err(self.error(problem));
                    }
                };
                for (name, part) in names.iter().zip(parts.iter()) {
                    self.bind(name, part.value.clone())?;
                }
                Ok(())
            }
        }
    }
}
