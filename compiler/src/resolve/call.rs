//! Calls of blocks and shared networks, and tensors as operands.

use super::chain::Chain;
use super::label::{Component, Place, scope};
use super::unknown::Spot;
use super::value::Value;
use super::{Resolver, Result, SharedCall, Tensor};
use crate::ast::{Expr, ExprKind, Infix};
use crate::diagnostic::{Diagnostic, codes};
use crate::frameworks;
use crate::layer::{self, Args};
use crate::outline::Kind;
use crate::span::Span;
use crate::words::count;

/// Deepest nesting of block and shared calls.
const MAX_CALLS: usize = 64;

impl<'a> Resolver<'a> {
    /// Expands a block where it is called.
    pub(super) fn block(
        &mut self,
        name: &str,
        span: Span,
        args: &'a [Expr],
        chain: &mut Chain<'_>,
    ) -> Result<()> {
        let program = self.program;
        let Some(block) = program.block(name) else {
            return Err(super::Reported);
        };
        if self.active.contains(&block.name.value.as_str()) {
            let message = format!("the block `{name}` calls itself");
            let problem = Diagnostic::new(codes::RECURSION, span, message)
                .also(block.name.span, "defined here");
            return Err(self.error(problem));
        }
        self.check_depth(span)?;
        if args.len() != block.params.len() {
            let message = format!(
                "`{name}` takes {}, not {}",
                count(block.params.len(), "argument"),
                args.len()
            );
            let names: Vec<&str> = block.params.iter().map(|p| p.value.as_str()).collect();
            let problem = Diagnostic::new(codes::CALL_ARGUMENTS, span, message).also(
                block.name.span,
                format!("its parameters are ({})", names.join(", ")),
            );
            return Err(self.error(problem));
        }
        let values = args
            .iter()
            .map(|arg| self.argument(arg))
            .collect::<Result<Vec<Value<'a>>>>()?;
        if self.blind.is_some() && self.seen.contains(&block.body.span) {
            self.current = Some(Tensor::Unknown);
            return Ok(());
        }
        let written: Vec<String> = values.iter().map(|value| value.to_string()).collect();
        let written = match written.as_slice() {
            [] => name.to_owned(),
            written => format!("{name}({})", written.join(", ")),
        };
        let mark = self.variables.mark();
        self.variables.enter();
        for (name, value) in block.params.iter().zip(values) {
            self.variables.push(name, value);
        }
        self.active.push(&block.name.value);
        self.called_at.push(span);
        let result = self.part(Kind::Block, written, span, |this| {
            this.within(chain.place, |this| {
                this.entered(|this| this.body(&block.body))
            })
        });
        self.called_at.pop();
        self.active.pop();
        self.variables.back(mark);
        result
    }

    pub(super) fn check_depth(&mut self, span: Span) -> Result<()> {
        if self.active.len() + self.calls.len() + self.steps_around < MAX_CALLS {
            return Ok(());
        }
        let message = format!("calls are nested deeper than {MAX_CALLS}");
        Err(self.error(Diagnostic::new(codes::LIMIT, span, message)))
    }

    pub(super) fn is_shared(&self, name: &str) -> bool {
        self.shared_names.contains_key(name)
    }

    /// Expands a shared network on operands; its parameters are those of its first call. `whole` says that the call is an
    /// element of the chain, whose label it may then have, and no operand.
    pub(super) fn shared_call(
        &mut self,
        name: &str,
        span: Span,
        operands: Vec<Tensor>,
        whole: bool,
        chain: &mut Chain<'_>,
    ) -> Result<Tensor> {
        let Some(&index) = self.shared_names.get(name) else {
            return Err(super::Reported);
        };
        self.check_depth(span)?;
        let net = &self.shared[index];
        let (body, params, definition) = (net.body, net.params, net.name.span);
        if self.calls.iter().any(|call| call.net == index) {
            let message = format!("the shared network `{name}` calls itself");
            let problem = Diagnostic::new(codes::RECURSION, span, message);
            return Err(self.error(problem.also(definition, "defined here")));
        }
        let wanted = params.len().max(1);
        if operands.len() != wanted {
            let message = format!(
                "`{name}` takes {}, not {}",
                count(wanted, "operand"),
                operands.len()
            );
            let problem = Diagnostic::new(codes::OPERANDS, span, message);
            return Err(self.error(problem.also(definition, "defined here")));
        }
        if self.blind.is_some() {
            self.glance_at_shared(index);
            return Ok(Tensor::Unknown);
        }
        let place = self.shared_place(index, whole, chain, span);
        let defined = self.shared[index].variables;
        let mark = self.variables.mark();
        self.variables.enter();
        self.spend(defined.len())?;
        self.variables.repeat(defined);
        self.calls.push(SharedCall {
            net: index,
            made: Vec::new(),
            replay: self.shared[index].record.is_some().then_some(0),
            span,
        });
        self.called_at.push(span);
        let before = self.current.replace(operands[0]);
        let result = self.part(Kind::Shared, name.to_owned(), span, |this| {
            this.within(Some(&place), |this| {
                let prefix = scope(&this.labels);
                for (param, &operand) in params.iter().zip(&operands) {
                    this.set_tensor(format!("{prefix}{}", param.value), operand);
                }
                this.entered(|this| this.body(body))
            })
        });
        self.called_at.pop();
        let tensor = std::mem::replace(&mut self.current, before);
        self.variables.back(mark);
        if let Some(call) = self.calls.pop() {
            // A first call that failed says nothing about what later ones need.
            let unknown = result.is_err() || tensor == Some(Tensor::Unknown);
            let net = &mut self.shared[index];
            if net.record.is_none() && !unknown {
                net.record = Some(call.made);
            }
        }
        result?;
        Ok(tensor.unwrap_or(Tensor::Unknown))
    }

    /// Labels in a shared network are those of the call, weights those of the definition.
    fn shared_place(
        &mut self,
        index: usize,
        whole: bool,
        chain: &mut Chain<'_>,
        span: Span,
    ) -> Place {
        let net = &mut self.shared[index];
        net.calls += 1;
        let labels = match chain.place {
            Some(place) if whole && !std::mem::replace(&mut chain.labels_call, true) => {
                place.labels.clone()
            }
            _ => {
                let text = format!("{}_{}", net.name.value, net.calls);
                let own = Component { text, index: false };
                let outer = chain.place.map_or(&self.labels, |place| &place.labels);
                outer.iter().cloned().chain([own]).collect()
            }
        };
        Place {
            labels,
            weights: net.weights.clone(),
            span,
        }
    }

    // ---- tensors ------------------------------------------------------------------------------------

    /// The tensor of that name, looked for here and then further out.
    pub(super) fn find_tensor(&self, name: &str) -> Option<Tensor> {
        self.charge(self.labels.len());
        let mut path = scope(&self.labels);
        let mut end = path.len();
        for part in self.labels.iter().rev() {
            path.truncate(end);
            path.push_str(name);
            if let Some(&tensor) = self.tensors.get(&path) {
                return Some(tensor);
            }
            end -= part.text.len() + 1;
        }
        self.tensors.get(name).copied()
    }

    pub(super) fn knows_tensor(&self, name: &str) -> bool {
        self.find_tensor(name).is_some()
    }

    /// The tensor of that name.
    pub(super) fn tensor(&mut self, name: &str, span: Span) -> Result<Tensor> {
        if let Some(tensor) = self.find_tensor(name) {
            return Ok(tensor);
        }
        // It may be one of the caller's.
        if self.blind.is_some() {
            return Ok(Tensor::Unknown);
        }
        let prefix = scope(&self.labels);
        let known: Vec<String> = self
            .tensors
            .keys()
            .map(|path| path.strip_prefix(&prefix).unwrap_or(path).to_owned())
            .collect();
        let message = format!("there is no tensor `{name}` at this point");
        let problem = Diagnostic::new(codes::UNKNOWN_TENSOR, span, message);
        let problem = self.suggest(problem, name, span, "tensors", &known);
        Err(self.error(problem))
    }

    /// An expression that makes a tensor.
    pub(super) fn operand(&mut self, expr: &'a Expr, chain: &mut Chain<'_>) -> Result<Tensor> {
        self.spend(1)?;
        match &expr.kind {
            ExprKind::Name(name)
                if !self.knows_tensor(name) && self.find_variable(name).is_some() =>
            {
                let what = self
                    .find_variable(name)
                    .map_or("a constant", |value| match value {
                        Value::Chain(_) => "a chain",
                        _ => "a constant",
                    });
                let message = format!("`{name}` is {what}, not a tensor");
                Err(self.error(Diagnostic::new(codes::MIXED, expr.span, message)))
            }
            ExprKind::Name(name) => self.tensor(name, expr.span),
            // `route 3`: a label may be a number.
            ExprKind::Int(n) if self.knows_tensor(&n.to_string()) => {
                self.tensor(&n.to_string(), expr.span)
            }
            ExprKind::Str(name) => self.tensor(name, expr.span),
            ExprKind::Call(name, args) => self.call_operand(name, args, expr.span, chain),
            ExprKind::Infix(op @ (Infix::Add | Infix::Subtract | Infix::Multiply), left, right) => {
                let a = self.operand(left, chain)?;
                let b = self.operand(right, chain)?;
                self.combine(*op, a, b, expr.span, chain)
            }
            ExprKind::Error => Err(super::Reported),
            _ => {
                let text = self.quoted(expr.span);
                let message = format!("`{text}` is no tensor");
                Err(self.error(
                    Diagnostic::new(codes::MIXED, expr.span, message)
                        .help("tensors are inputs, labels, calls of layers, and sums of those"),
                ))
            }
        }
    }

    /// `abs(x)`, `twin(a)` as an operand.
    pub(super) fn call_operand(
        &mut self,
        name: &'a crate::ast::Name,
        args: &'a [Expr],
        span: Span,
        chain: &mut Chain<'_>,
    ) -> Result<Tensor> {
        let word = name.value.as_str();
        let decl = layer::find(word);
        if decl.is_none() && !self.is_shared(word) {
            let row = frameworks::layer(word, None);
            if let (Some(row), None) = (row, self.program.block(word)) {
                let problem = self.foreign_layer(row, word, name.span, Spot::Operand);
                return Err(self.error(problem));
            }
            let message = match self.program.block(word) {
                Some(_) => format!("`{word}` is a block: it stands in a chain of its own"),
                None => format!("`{word}` is no layer or shared network"),
            };
            let layers = layer::LAYERS.iter().map(|decl| decl.keyword);
            let shared = self.shared.iter().map(|net| net.name.value.as_str());
            let known: Vec<String> = layers.chain(shared).map(str::to_owned).collect();
            let problem = Diagnostic::new(codes::UNKNOWN_WORD, name.span, message);
            let what = "layers and shared networks";
            let problem = self.suggest(problem, word, name.span, what, &known);
            return Err(self.error(problem));
        }
        let operands = self.operands(args, chain)?;
        match decl {
            Some(decl) => {
                let mut args = Args {
                    span: Some(name.span),
                    ..Args::default()
                };
                self.fill_defaults(decl.keyword, decl.params, &mut args);
                self.apply(decl, args, operands, span, chain)
            }
            None => self.shared_call(word, span, operands, false, chain),
        }
    }

    /// An operator between tensors is a layer.
    pub(super) fn combine(
        &mut self,
        op: Infix,
        a: Tensor,
        b: Tensor,
        span: Span,
        chain: &mut Chain<'_>,
    ) -> Result<Tensor> {
        let keyword = match op {
            Infix::Add => "add",
            Infix::Subtract => "sub",
            _ => "mul",
        };
        self.builtin(keyword, vec![a, b], span, chain)
    }

    /// A layer that the language itself names, without arguments.
    pub(super) fn builtin(
        &mut self,
        keyword: &str,
        operands: Vec<Tensor>,
        span: Span,
        chain: &mut Chain<'_>,
    ) -> Result<Tensor> {
        let decl = layer::find(keyword).unwrap_or_else(|| {
            panic!("the language needs the layer `{keyword}`, but no row declares it")
        });
        let args = Args {
            span: Some(span),
            ..Args::default()
        };
        self.apply(decl, args, operands, span, chain)
    }
}
