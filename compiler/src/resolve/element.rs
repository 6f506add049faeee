//! Chains as values: `relu`, `leaky 0.1`, `conv 3x3 w bn`, passed to a block or named by `let`, and the elements of chains that they
//! become.
//!
//! Names in such a chain are those of where it is written, and so are its mistakes, which are looked for there, once. What it is
//! applied to, and the defaults, are those of where it stands.

use super::args::{find, lone};
use super::chain::Chain;
use super::value::{Steps, Value, Written};
use super::{Reported, Resolver, Result, Tensor};
use crate::ast::{Expr, ExprKind, Infix, Term, TermKind};
use crate::diagnostic::{Diagnostic, codes};
use crate::layer;
use crate::span::Span;
use crate::words;

impl<'a> Resolver<'a> {
    /// Whether the word is an element of chains, without a value of its own.
    pub(super) fn is_element(&self, word: &str) -> bool {
        layer::find(word).is_some() || self.program.block(word).is_some() || self.is_shared(word)
    }

    /// The input that a chain begins with although it is called as a layer: where the layer could not stand so. Where both could, neither is
    /// taken; in a block, which any model may call, the word is the layer.
    pub(super) fn input_at_start(
        &mut self,
        word: &str,
        terms: &[Term],
        at: usize,
    ) -> Result<Option<Tensor>> {
        let Some(decl) = layer::find(word).filter(|_| at == 0 && self.active.is_empty()) else {
            return Ok(None);
        };
        if !self.graph.inputs.iter().any(|input| input.name == word) {
            return Ok(None);
        }
        let next = terms.get(at + 1).map(|term| &term.kind);
        let belongs_to_layer = match next {
            Some(TermKind::Value(_) | TermKind::Stride(_)) => true,
            Some(TermKind::Word(next)) => {
                find(decl.params, next).is_some()
                    || lone(decl.params, next).is_some()
                    || (!self.is_callable(next) && self.find_variable(next).is_some())
            }
            Some(TermKind::Call(name, _)) => find(decl.params, &name.value).is_some(),
            _ => false,
        };
        if belongs_to_layer {
            return Ok(None);
        }
        let lacks = decl.operands.0 > 1 || decl.params.iter().any(|param| param.default.is_none());
        if lacks {
            return Ok(self.tensors.get(word).copied());
        }
        let message = format!("`{word}` is a layer and an input");
        let problem = Diagnostic::new(codes::RESERVED, terms[at].span, message)
            .label("either could begin this chain")
            .help(format!("the input is `route {word}` here"))
            .help(format!(
                "the layer stands behind what it works on: `x {word}`, `{word}(x)`"
            ));
        Err(self.error(problem))
    }

    /// The chain that is written there, as a value.
    pub(super) fn chain_value(&mut self, expr: &'a Expr) -> Value<'a> {
        let steps = Steps {
            expr: Written(expr),
            variables: self.variables.mark(),
            blocks: self.active.len(),
            text: self.quoted(expr.span).into(),
        };
        let is_name = matches!(expr.kind, ExprKind::Name(_));
        if !is_name && self.seen.insert(expr.span) && !self.halted {
            let current = self.current.replace(Tensor::Unknown);
            self.unexpanded(false, |this| this.run_steps(expr, &mut Chain::default()));
            self.current = current;
        }
        Value::Chain(steps)
    }

    /// Expands a chain that is the value of a variable, as a part of the chain around it.
    pub(super) fn steps(
        &mut self,
        steps: &Steps<'a>,
        span: Span,
        chain: &mut Chain<'_>,
    ) -> Result<()> {
        // It has been looked at where it is written.
        if self.blind.is_some() {
            self.current = Some(Tensor::Unknown);
            return Ok(());
        }
        self.check_depth(span)?;
        let Steps {
            expr: Written(expr),
            variables,
            blocks,
            ..
        } = *steps;
        let mark = self.variables.mark();
        if !matches!(expr.kind, ExprKind::Name(_)) {
            self.spend(variables.len())?;
            self.variables.enter();
            self.variables.repeat(variables);
        }
        // Blocks around where it stands are not those that it is in: `twice(twice(relu))`.
        let around = self.active.split_off(blocks);
        self.steps_around += 1;
        let result = self.run_steps(expr, chain);
        self.steps_around -= 1;
        self.active.extend(around);
        self.variables.back(mark);
        result
    }

    fn run_steps(&mut self, expr: &'a Expr, chain: &mut Chain<'_>) -> Result<()> {
        match &expr.kind {
            ExprKind::Name(word) => self.element(word, expr.span, chain),
            ExprKind::Call(name, args) => self.block(&name.value, expr.span, args, chain),
            ExprKind::Chain(terms) => self.links(terms, chain),
            _ => Err(Reported),
        }
    }

    /// A layer, block or shared network that nothing is said of.
    pub(super) fn element(&mut self, word: &str, span: Span, chain: &mut Chain<'_>) -> Result<()> {
        if let Some(decl) = layer::find(word) {
            let operands = self.value_so_far().into_iter().collect();
            return self.layer(decl, span, operands, &[], 0, chain).map(drop);
        }
        if self.program.block(word).is_some() {
            return self.block(word, span, &[], chain);
        }
        let operands = self.value_so_far().into_iter().collect();
        let result = self.shared_call(word, span, operands, true, chain)?;
        self.current = Some(result);
        Ok(())
    }

    /// A value where elements of chains may stand as well: of a word that is nothing, one may be meant.
    pub(super) fn argument(&mut self, expr: &'a Expr) -> Result<Value<'a>> {
        match &expr.kind {
            ExprKind::Name(name) => self.variable(expr, name, true),
            _ => self.eval(expr),
        }
    }

    /// The variable, block or layer that was most likely meant.
    pub(super) fn nearest_element(&self, word: &str) -> Option<String> {
        let layers = layer::LAYERS.iter().map(|decl| decl.keyword);
        let names = self.variables.names().chain(self.program.block_names());
        let mut known: Vec<&str> = names.chain(layers).collect();
        known.sort_unstable();
        self.charge(words::effort(word, known.iter().copied()));
        words::nearest(word, &known).map(str::to_owned)
    }

    /// A chain where an operator works on values.
    pub(super) fn chain_among_values(
        &mut self,
        op: Infix,
        left: (&Expr, &Value<'a>),
        right: (&Expr, &Value<'a>),
        span: Span,
    ) -> Reported {
        let message = format!("`{}` works on values, not on chains", op.symbol());
        let problem = Diagnostic::new(codes::TYPE, span, message)
            .also(left.0.span, format!("this is {}", left.1.kind()))
            .also(right.0.span, format!("this is {}", right.1.kind()));
        let problem = match op {
            Infix::Divide => problem.help("behind a layer a stride is written `stride 2` here"),
            Infix::Subtract => {
                problem.help("behind a layer a negative number is written `(-1)` here")
            }
            _ => problem,
        };
        self.error(problem)
    }
}
