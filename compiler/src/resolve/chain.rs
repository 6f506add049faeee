//! Chains: layers, calls, branches and tensors, one after the other.

use super::args::Matched;
use super::habit::{is_parameter, spaced};
use super::kinds::missing;
use super::label::Place;
use super::unknown::layer_before;
use super::value::Value;
use super::{Reported, Resolver, Result, Tensor};
use crate::ast::{Body, Expr, ExprKind, Infix, Name, StatementKind, Term, TermKind};
use crate::diagnostic::{Diagnostic, codes};
use crate::id::{Id, NodeId};
use crate::layer::{self, Args, Decl, LAYERS, ParamDecl};
use crate::outline::Kind;
use crate::span::Span;
use crate::words;

/// A chain while it is expanded.
#[derive(Default)]
pub(super) struct Chain<'p> {
    /// Where its label stands.
    pub(super) place: Option<&'p Place>,
    /// Its own nodes, without those of blocks and branches.
    pub(super) nodes: Vec<NodeId>,
    /// Whether the label is already the prefix of a shared network's call.
    pub(super) labels_call: bool,
}

impl<'a> Resolver<'a> {
    /// Expands a chain; its result becomes the current value.
    pub(super) fn chain(&mut self, terms: &'a [Term], place: Option<&Place>) -> Result<()> {
        let mut chain = Chain {
            place,
            nodes: Vec::new(),
            labels_call: false,
        };
        self.links(terms, &mut chain)?;
        self.name_chain(place, &chain.nodes);
        Ok(())
    }

    /// Expands elements of a chain.
    pub(super) fn links(&mut self, terms: &'a [Term], chain: &mut Chain<'_>) -> Result<()> {
        let (mut at, mut failed) = (0, false);
        let mut next = self.operators(terms, chain);
        loop {
            at = match next {
                Ok(next) => next,
                Err(reported) if self.halted => return Err(reported),
                Err(_) => {
                    failed = true;
                    self.current = Some(Tensor::Unknown);
                    self.resume(terms, at)
                }
            };
            if at >= terms.len() {
                break;
            }
            self.spend(1)?;
            next = self.link(terms, at, chain);
        }
        if failed { Err(Reported) } else { Ok(()) }
    }

    /// Where a chain goes on behind a mistake: at the next layer, which may have mistakes of its own.
    fn resume(&self, terms: &[Term], mistake: usize) -> usize {
        // The layer behind a value without one may be its own.
        if let Some(TermKind::Value(_) | TermKind::Stride(_)) =
            terms.get(mistake).map(|term| &term.kind)
        {
            return terms.len();
        }
        let operator = |term: &Term| matches!(term.kind, TermKind::Operator(_));
        // Behind an operator stands its operand.
        let operand = terms.iter().rposition(operator).map_or(0, |at| at + 2);
        let from = operand.max(mistake + 1);
        let before = layer_before(terms.get(..mistake).unwrap_or_default());
        let starts = |term: &Term| match &term.kind {
            // A parameter of the layer before, as others call it.
            TermKind::Word(word) if before.is_some_and(|decl| is_parameter(word, decl)) => true,
            TermKind::Word(word) | TermKind::Call(Name { value: word, .. }, _) => {
                layer::find(word).is_some()
                    || self.program.block(word).is_some()
                    || self.is_shared(word)
                    || self.is_chain(word)
                    || self.is_slip(word)
            }
            TermKind::Branch { .. } | TermKind::Residual { .. } | TermKind::If { .. } => true,
            _ => false,
        };
        let rest = terms.get(from..).unwrap_or_default();
        let skip = rest.iter().position(starts);
        skip.map_or(terms.len(), |skip| from + skip)
    }

    /// Whether a word is a layer's but for a slip of the finger.
    fn is_slip(&self, word: &str) -> bool {
        let layers = LAYERS.iter().map(|decl| decl.keyword);
        self.charge(words::effort(word, layers.clone()));
        words::is_slip(word, layers)
    }

    /// One element of the chain; returns the position of the next.
    fn link(&mut self, terms: &'a [Term], at: usize, chain: &mut Chain<'_>) -> Result<usize> {
        let term = &terms[at];
        match &term.kind {
            TermKind::Word(word) => {
                if let Some(problem) = spaced(terms, at) {
                    return Err(self.error(problem));
                }
                if let Some(input) = self.input_at_start(word, terms, at)? {
                    self.current = Some(input);
                    return Ok(at + 1);
                }
                if let Some(decl) = layer::find(word) {
                    let operands = self.value_so_far().into_iter().collect();
                    return self.layer(decl, term.span, operands, terms, at + 1, chain);
                }
                match self.find_variable(word) {
                    Some(Value::Chain(steps)) => {
                        self.steps(&steps, term.span, chain)?;
                        return Ok(at + 1);
                    }
                    // It may be a chain.
                    Some(Value::Unknown) => {
                        self.current = Some(Tensor::Unknown);
                        return Ok(at + 1);
                    }
                    _ => {}
                }
                if self.is_element(word) {
                    self.element(word, term.span, chain)?;
                } else if let Some(tensor) = self.find_tensor(word) {
                    if at > 0 {
                        return Err(self.late_start(word, term.span));
                    }
                    self.current = Some(tensor);
                } else if self.may_be_tensor(word, terms, at) {
                    self.current = Some(Tensor::Unknown);
                } else {
                    return Err(self.unknown_word(word, term.span, terms, at));
                }
                Ok(at + 1)
            }
            TermKind::Call(name, args) => self.called(name, args, terms, at, chain),
            TermKind::Route(name) => {
                if at > 0 {
                    return Err(self.late_start(&name.value, term.span));
                }
                self.current = Some(self.tensor(&name.value, name.span)?);
                Ok(at + 1)
            }
            TermKind::Branch { join, body } => {
                self.part(Kind::Branch, String::new(), term.span, |this| {
                    this.branch(join.as_ref(), body, term.span, chain)
                })?;
                Ok(at + 1)
            }
            TermKind::Residual {
                join,
                body,
                shortcut,
            } => {
                self.part(Kind::Residual, String::new(), term.span, |this| {
                    this.residual(join.as_ref(), body, shortcut, term.span, chain)
                })?;
                Ok(at + 1)
            }
            TermKind::If { arms, otherwise } => {
                if self.chooses_value(&term.kind) {
                    return Err(self.chosen_value(term.span, otherwise.is_some()));
                }
                self.choose(arms, otherwise.as_ref(), |this, body| {
                    this.inlined(body, chain)
                })?;
                Ok(at + 1)
            }
            TermKind::Value(_) | TermKind::Stride(_) => {
                let text = self.quoted(term.span);
                if let Some(place) = chain
                    .place
                    .filter(|place| at == 0 && place.label() == "input")
                {
                    let message = "an input needs a name";
                    let problem = Diagnostic::new(codes::SYNTAX, place.span, message);
                    return Err(self.error(problem.fix("for instance", place.span, "input x")));
                }
                let message = format!("`{text}` belongs to no layer");
                Err(self.error(Diagnostic::new(codes::UNEXPECTED, term.span, message)))
            }
            TermKind::Operator(sign) => {
                let message =
                    format!("`{sign}` stands between two tensors at the start of a chain");
                Err(self.error(
                    Diagnostic::new(codes::UNEXPECTED, term.span, message)
                        .help("constants are computed in parentheses: `(4 * w)`"),
                ))
            }
        }
    }

    /// Whether it is an `if` between values, where elements of the chain should stand.
    fn chooses_value(&self, kind: &TermKind) -> bool {
        let TermKind::If { arms, otherwise } = kind else {
            return false;
        };
        let value = |body: &Body| match body.statements.as_slice() {
            [only] => match &only.kind {
                StatementKind::Chain(terms) => match terms.as_slice() {
                    [term] => match &term.kind {
                        TermKind::Value(_) | TermKind::Stride(_) => true,
                        TermKind::Word(word) => {
                            !self.is_callable(word) && self.find_variable(word).is_some()
                        }
                        _ => false,
                    },
                    _ => false,
                },
                _ => false,
            },
            _ => false,
        };
        arms.iter()
            .map(|(_, body)| body)
            .chain(otherwise)
            .any(value)
    }

    fn chosen_value(&mut self, span: Span, complete: bool) -> Reported {
        let message = "a value that depends on a condition stands in parentheses";
        let problem = Diagnostic::new(codes::UNEXPECTED, span, message);
        let problem = match complete {
            true => problem.fix("write it so", span, format!("({})", self.files.slice(span))),
            false => problem.help("as in `(if a { 8 } else { 16 })`"),
        };
        self.error(problem)
    }

    /// A layer, its parameters, and its application.
    pub(super) fn layer(
        &mut self,
        decl: &'static Decl,
        keyword: Span,
        operands: Vec<Tensor>,
        terms: &'a [Term],
        at: usize,
        chain: &mut Chain<'_>,
    ) -> Result<usize> {
        let Matched {
            given,
            next,
            failed,
        } = self.match_terms(decl.keyword, decl.params, terms, at)?;
        if failed {
            self.incomplete = true;
            self.current = Some(Tensor::Unknown);
            return Ok(next);
        }
        if spaced(terms, next).is_some() {
            self.current = Some(Tensor::Unknown);
            return Ok(next);
        }
        // What is missing may be what follows and is not understood.
        let stray = |term: &Term| match &term.kind {
            TermKind::Word(word) => !self.is_callable(word),
            kind => self.chooses_value(kind),
        };
        let open = |param: &ParamDecl| {
            param.default.is_none() && !given.iter().any(|(name, _)| *name == param.name)
        };
        if terms.get(next).is_some_and(stray) && decl.params.iter().any(open) {
            self.current = Some(Tensor::Unknown);
            return Ok(next);
        }
        let span = terms[..next]
            .last()
            .map_or(keyword, |last| keyword.to(last.span));
        let mut args = Args {
            given,
            span: Some(keyword),
            ..Args::default()
        };
        self.fill_defaults(decl.keyword, decl.params, &mut args);
        // What should have been its value may be a chain.
        if let Some(Term {
            kind: TermKind::Word(word),
            span,
        }) = terms.get(next)
            && self.is_chain(word)
            && let Some(problem) = missing(decl, &args, keyword)
        {
            self.error(problem.also(*span, "this is a chain, which comes next"));
            self.current = Some(Tensor::Unknown);
            return Ok(next);
        }
        let result = self.apply(decl, args, operands, span, chain)?;
        self.current = Some(result);
        Ok(next)
    }

    /// `name(arguments)`: a block with constants; a layer or shared network with tensors.
    fn called(
        &mut self,
        name: &'a Name,
        args: &'a [Expr],
        terms: &'a [Term],
        at: usize,
        chain: &mut Chain<'_>,
    ) -> Result<usize> {
        let word = name.value.as_str();
        if self.program.block(word).is_some() {
            self.block(word, terms[at].span, args, chain)?;
            return Ok(at + 1);
        }
        let decl = layer::find(word);
        if decl.is_none() && self.is_chain(word) {
            let message = format!("`{word}` is a chain and takes no values");
            let problem = Diagnostic::new(codes::UNEXPECTED, terms[at].span, message);
            return Err(
                self.error(problem.help(format!("it works on the value before it: `… {word}`")))
            );
        }
        if decl.is_none() && !self.is_shared(word) {
            return Err(self.unknown_word(word, name.span, terms, at));
        }
        if let Some(decl) = decl
            && let Some(problem) = self.constants_called(decl, name, args, terms[at].span)
        {
            return Err(self.error(problem));
        }
        let before = self.current;
        let mut operands = self.operands(args, chain)?;
        // In the middle of a chain the value before is the first operand, if one is missing.
        let wanted = decl.map_or(1, |decl| decl.operands.0);
        if operands.len() < wanted
            && let Some(current) = self.value_so_far()
        {
            operands.insert(0, current);
        } else if at > 0 {
            let message = format!("`{word}(…)` does not use the value before it");
            let problem = Diagnostic::new(codes::OPERANDS, terms[at].span, message)
                .help("begin a new statement");
            return Err(self.error(problem));
        }
        match decl {
            Some(decl) => {
                let count = operands.len();
                let next = self.layer(decl, terms[at].span, operands, terms, at + 1, chain)?;
                if at == 0 && decl.operands.1 > 1 {
                    self.note_dropped(before, terms[at].span, count < decl.operands.1);
                }
                Ok(next)
            }
            None => {
                let result = self.shared_call(word, terms[at].span, operands, true, chain)?;
                self.current = Some(result);
                Ok(at + 1)
            }
        }
    }

    /// Operands, each of which may be a mistake.
    pub(super) fn operands(
        &mut self,
        args: &'a [Expr],
        chain: &mut Chain<'_>,
    ) -> Result<Vec<Tensor>> {
        let found = args.iter().map(|arg| self.operand(arg, chain));
        let found: Vec<Result<Tensor>> = found.collect();
        found.into_iter().collect()
    }

    /// `scale(0.17)`, written for `scale 0.17`.
    fn constants_called(
        &self,
        decl: &Decl,
        name: &Name,
        args: &[Expr],
        span: Span,
    ) -> Option<Diagnostic> {
        let constant = |arg: &Expr| match &arg.kind {
            ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Dims(_) => true,
            ExprKind::Str(name) => !self.knows_tensor(name),
            ExprKind::Name(name) => !self.knows_tensor(name) && self.find_variable(name).is_some(),
            _ => false,
        };
        if args.is_empty() || !args.iter().all(constant) {
            return None;
        }
        let values: Vec<&str> = args.iter().map(|arg| self.files.slice(arg.span)).collect();
        let written = format!("{} {}", decl.keyword, values.join(" "));
        let message = format!("`{}(…)` takes tensors, not constants", name.value);
        Some(Diagnostic::new(codes::MIXED, span, message).fix(
            "parameters follow the layer without parentheses",
            span,
            written,
        ))
    }

    /// `a + b`, `twin(a) - twin(b)` at the start of a chain; returns the position behind it.
    fn operators(&mut self, terms: &'a [Term], chain: &mut Chain<'_>) -> Result<usize> {
        let sign = |at: usize| match terms.get(at).map(|term| &term.kind) {
            Some(TermKind::Operator('+')) => Some(Infix::Add),
            Some(TermKind::Operator('-')) => Some(Infix::Subtract),
            Some(TermKind::Operator(_)) => Some(Infix::Multiply),
            _ => None,
        };
        if sign(1).is_none() {
            return Ok(0);
        }
        let mut sum: Option<(Infix, Tensor, Span)> = None;
        let mut at = 0;
        loop {
            let (mut product, mut span) = self.operand_term(terms, at, chain)?;
            at += 1;
            while let Some(Infix::Multiply) = sign(at) {
                let (next, end) = self.operand_term(terms, at + 1, chain)?;
                span = span.to(end);
                product = self.combine(Infix::Multiply, product, next, span, chain)?;
                at += 2;
            }
            let total = match sum {
                None => product,
                Some((op, left, start)) => {
                    span = start.to(span);
                    self.combine(op, left, product, span, chain)?
                }
            };
            match sign(at) {
                Some(op) => sum = Some((op, total, span)),
                None => {
                    self.current = Some(total);
                    return Ok(at);
                }
            }
            at += 1;
        }
    }

    fn operand_term(
        &mut self,
        terms: &'a [Term],
        at: usize,
        chain: &mut Chain<'_>,
    ) -> Result<(Tensor, Span)> {
        let Some(term) = terms.get(at) else {
            let span = terms[at - 1].span;
            let message = "a tensor is missing behind the operator";
            return Err(self.error(Diagnostic::new(codes::OPERANDS, span, message)));
        };
        let tensor = match &term.kind {
            TermKind::Word(name) => self.tensor(name, term.span)?,
            TermKind::Value(expr) => self.operand(expr, chain)?,
            TermKind::Call(name, args) => self.call_operand(name, args, term.span, chain)?,
            _ => {
                let message = "operators stand between tensors";
                return Err(self.error(Diagnostic::new(codes::OPERANDS, term.span, message)));
            }
        };
        Ok((tensor, term.span))
    }

    fn late_start(&mut self, name: &str, span: Span) -> Reported {
        let message = format!("the chain goes on with the tensor `{name}` and drops what it had");
        let problem = Diagnostic::new(codes::OPERANDS, span, message).help(format!(
            "begin a new statement, or join: `add({name})`, `concat({name})`"
        ));
        self.error(problem)
    }

    /// The next node's id.
    pub(super) fn next_node(&self) -> NodeId {
        NodeId::new(self.graph.nodes.len())
    }
}
