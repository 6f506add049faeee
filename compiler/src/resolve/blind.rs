//! What is written and never expanded: blocks that nobody calls, arms that are not chosen, loops without turns.
//!
//! It is looked at all the same, once: names, keywords and parameters are checked where they stand. Variables are
//! then [`Value::Unknown`], tensors [`Tensor::Unknown`], and what is made of them is unknown in silence. No layer
//! is added to the network, and labels are forgotten at the end.

use super::value::Value;
use super::{Resolver, Result, Tensor};
use crate::ast::{Binding, Body, Expr, Name, Statement, StatementKind, Term, TermKind};
use crate::layer::LAYERS;
use crate::span::Span;
use crate::words;

impl<'a> Resolver<'a> {
    /// Looks at a body that nothing has expanded yet, be it by a mistake.
    pub(super) fn blindly(
        &mut self,
        body: &'a Body,
        mistake: bool,
        run: impl FnOnce(&mut Self) -> Result<()>,
    ) {
        if self.seen.contains(&body.span) || self.halted {
            return;
        }
        self.unexpanded(mistake, run);
    }

    /// Runs what expands nothing: all is unknown, and forgotten at the end. Labels stay where it is by a mistake, for it is no other to use them.
    pub(super) fn unexpanded(&mut self, mistake: bool, run: impl FnOnce(&mut Self) -> Result<()>) {
        let here = self.here;
        let outermost = self.blind.is_none();
        self.blind.get_or_insert_default();
        self.current = self.current.map(|_| Tensor::Unknown);
        // Mistakes have been reported.
        let _ = run(self);
        if outermost {
            for (path, before) in self.blind.take().unwrap_or_default().into_iter().rev() {
                match before {
                    Some(tensor) => self.tensors.insert(path, tensor),
                    None if mistake => self.tensors.insert(path, Tensor::Unknown),
                    None => self.tensors.remove(&path),
                };
            }
        }
        self.here = here;
    }

    /// Whether a word that is not known here may name a tensor of whoever calls the block.
    pub(super) fn may_be_tensor(&self, word: &str, terms: &[Term], at: usize) -> bool {
        let next = terms.get(at + 1).map(|term| &term.kind);
        let valued = matches!(next, Some(TermKind::Value(_) | TermKind::Stride(_)));
        let layers = || LAYERS.iter().map(|decl| decl.keyword);
        self.blind.is_some() && at == 0 && !valued && !words::is_slip(word, layers())
    }

    /// Looks at expressions that are not evaluated, once; the span is what they are known by.
    pub(super) fn glance(&mut self, span: Span, exprs: impl IntoIterator<Item = &'a Expr>) {
        if !self.seen.insert(span) || self.halted {
            return;
        }
        let outermost = self.blind.is_none();
        self.blind.get_or_insert_default();
        for expr in exprs {
            let _ = self.eval(expr);
        }
        if outermost {
            self.blind = None;
        }
    }

    /// Looks at the body of a loop without turns, or of which the turns are not known, be it by a mistake.
    pub(super) fn turns_blindly(
        &mut self,
        statement: &'a Statement,
        body: &'a Body,
        mistake: bool,
        mut run: impl FnMut(&mut Self, &'a Body) -> Result<()>,
    ) -> Result<()> {
        let names: Vec<&'a Name> = match &statement.kind {
            StatementKind::Repeat { var, .. } => var.iter().collect(),
            StatementKind::For { index, binding, .. } => {
                let bound = match binding {
                    Binding::One(name) => std::slice::from_ref(name),
                    Binding::Tuple(names, _) => names,
                };
                index.iter().chain(bound).collect()
            }
            _ => Vec::new(),
        };
        let start = self.current;
        self.blindly(body, mistake, |this| {
            this.turn(0, statement.span, |this| {
                for name in names {
                    this.bind(name, Value::Unknown)?;
                }
                run(this, body)
            })
        });
        self.current = start;
        Ok(())
    }

    /// Looks at a shared network that is defined and not called.
    pub(super) fn glance_at_shared(&mut self, index: usize) {
        let net = &self.shared[index];
        let (body, params) = (net.body, net.params);
        let current = self.current;
        self.blindly(body, false, |this| {
            let prefix = super::label::scope(&this.labels);
            for param in params {
                this.set_tensor(format!("{prefix}{}", param.value), Tensor::Unknown);
            }
            this.current = Some(Tensor::Unknown);
            this.entered(|this| this.body(body))
        });
        self.current = current;
    }

    /// Looks at blocks that nobody calls, and presets that nobody starts from.
    pub(super) fn glance_at_items(&mut self) {
        let program = self.program;
        for block in program.blocks() {
            let mark = self.variables.mark();
            self.variables.enter();
            for param in &block.params {
                self.variables.push(param, Value::Unknown);
            }
            self.current = Some(Tensor::Unknown);
            self.active.push(&block.name.value);
            self.blindly(&block.body, false, |this| this.body(&block.body));
            self.active.pop();
            self.variables.back(mark);
        }
        for preset in program.presets() {
            if self.halted {
                return;
            }
            if self.seen.insert(preset.name.span) {
                let mark = self.defaults.len();
                self.default_list(&preset.settings);
                self.defaults.truncate(mark);
            }
        }
    }
}
