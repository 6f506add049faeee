//! One layer on its operands: the node, its shape and its parameters.

use super::chain::Chain;
use super::kinds::missing;
use super::label::{Naming, scope, staged};
use super::{Note, Reported, Resolver, Result, Tensor};
use crate::diagnostic::{Diagnostic, codes};
use crate::graph::{Def, Param};
use crate::id::{ParamId, ValueId};
use crate::layer::{
    ArgError, Args, Decl, Inferred, Layer, Literal, ParamSpec, ShapeError, Spanned,
};
use crate::limits;
use crate::shape::Shape;
use crate::span::Span;
use crate::words::{count, grouped};

impl Resolver<'_> {
    /// Applies the layer and adds the node to the chain.
    pub(super) fn apply(
        &mut self,
        decl: &'static Decl,
        mut args: Args,
        operands: Vec<Tensor>,
        span: Span,
        chain: &mut Chain<'_>,
    ) -> Result<Tensor> {
        let (least, most) = decl.operands;
        if operands.is_empty() {
            return Err(self.no_operand(decl.keyword, span));
        }
        if !(least..=most).contains(&operands.len()) {
            return Err(self.operand_count(decl, operands.len(), span));
        }
        if let Some(problem) = missing(decl, &args, span) {
            self.error(problem);
            return Ok(Tensor::Unknown);
        }
        let unknown = |(_, value): &(&str, Spanned<Literal>)| value.value == Literal::Unknown;
        if args.given.iter().any(unknown) {
            return Ok(Tensor::Unknown);
        }
        let known = operands.iter().map(|operand| match operand {
            Tensor::Known(value) if self.blind.is_none() => Some(*value),
            _ => None,
        });
        let Some(values) = known.collect::<Option<Vec<ValueId>>>() else {
            self.check_arguments(decl, &args, span);
            return Ok(Tensor::Unknown);
        };
        args.rank = self.shape(values[0]).spatial().len();
        let mut layer = match (decl.build)(&mut args) {
            Ok(layer) => layer,
            Err(error) => {
                if !self.is_misread(decl, &mut args, &values, span) {
                    self.bad_argument(error, span);
                }
                return Ok(Tensor::Unknown);
            }
        };
        let added = match layer.before(self.shape(values[0])) {
            Ok(None) => self.add(layer, values, span, chain),
            Ok(Some(before)) => self.add_both(before, layer, values, span, chain),
            Err(error) => Err((error, values)),
        };
        match added {
            Ok(tensor) => Ok(tensor),
            Err((error, values)) => {
                if !self.is_misread(decl, &mut args, &values, span) {
                    self.bad_shape(decl.keyword, error, &values, span);
                }
                Ok(Tensor::Unknown)
            }
        }
    }

    /// Adds a layer, and another on its result in place of its operand.
    fn add_both(
        &mut self,
        first: Box<dyn Layer>,
        layer: Box<dyn Layer>,
        mut values: Vec<ValueId>,
        span: Span,
        chain: &mut Chain<'_>,
    ) -> std::result::Result<Tensor, (ShapeError, Vec<ValueId>)> {
        match self.add(first, vec![values[0]], span, chain)? {
            Tensor::Known(value) => {
                values[0] = value;
                self.add(layer, values, span, chain)
            }
            Tensor::Unknown => Ok(Tensor::Unknown),
        }
    }

    /// Checks the arguments of a layer on something unknown: what no operand would make right is a mistake of its own.
    fn check_arguments(&mut self, decl: &'static Decl, args: &Args, span: Span) {
        if !self.seen.insert(span) {
            return;
        }
        let build = |rank| {
            let mut args = Args {
                rank,
                ..args.clone()
            };
            (decl.build)(&mut args).err()
        };
        if let (Some(_), Some(error), Some(_)) = (build(1), build(2), build(3)) {
            self.bad_argument(error, span);
        }
    }

    /// Adds the node, unless the shapes do not fit.
    pub(super) fn add(
        &mut self,
        layer: Box<dyn Layer>,
        values: Vec<ValueId>,
        span: Span,
        chain: &mut Chain<'_>,
    ) -> std::result::Result<Tensor, (ShapeError, Vec<ValueId>)> {
        if self.graph.nodes.len() >= limits::NODES {
            self.halt(format!(
                "the network has more than {} layers",
                grouped(limits::NODES)
            ));
            return Ok(Tensor::Unknown);
        }
        self.operands += values.len();
        if self.operands > limits::OPERANDS {
            self.halt(format!(
                "the layers of the network have more than {} operands",
                grouped(limits::OPERANDS)
            ));
            return Ok(Tensor::Unknown);
        }
        let shapes = self.graph.shapes(&values);
        let inferred = match layer.infer(&shapes) {
            Ok(inferred) => inferred,
            Err(error) => return Err((error, values)),
        };
        if let Err(error) = inferred.check(&shapes) {
            return Err((error, values));
        }
        if !self.within_limits(&inferred) {
            return Ok(Tensor::Unknown);
        }
        let keyword = layer.keyword();
        let made = self.owned.len();
        let Ok(params) = self.params(inferred.params.clone(), span) else {
            return Ok(Tensor::Unknown);
        };
        let own_weights = self.owned.len() > made || params.is_empty();
        let label = String::new();
        let node = self
            .graph
            .push_inferred(layer, values, params, label, span, inferred);
        let weights = if own_weights {
            Naming::Auto {
                scope: scope(&self.weights),
                keyword,
            }
        } else {
            Naming::None
        };
        let label = Naming::Auto {
            scope: scope(&self.labels),
            keyword,
        };
        self.notes.push(Note {
            label,
            weights,
            span,
            staged: staged(&self.weights),
        });
        chain.nodes.push(node);
        Ok(Tensor::Known(self.graph.nodes[node].output))
    }

    pub(super) fn shape(&self, value: ValueId) -> &Shape {
        &self.graph.values[value].shape
    }

    fn within_limits(&mut self, inferred: &Inferred) -> bool {
        let size = |param: &ParamSpec| param.shape.iter().map(|&n| n as u64).product::<u64>();
        self.elements = self
            .elements
            .saturating_add(inferred.output.elements() as u64);
        self.parameters = self
            .parameters
            .saturating_add(inferred.params.iter().map(size).sum());
        self.pieces += inferred.pieces - 1;
        if self.pieces > limits::PIECES {
            let most = grouped(limits::PIECES);
            self.halt(format!(
                "windows and strides cut the layers of the network into more than {most} pieces"
            ));
            return false;
        }
        if self.elements <= limits::TOTAL && self.parameters <= limits::TOTAL {
            return true;
        }
        let most = grouped(limits::TOTAL);
        self.halt(format!(
            "the tensors of the network have more than {most} elements"
        ));
        false
    }

    /// Makes the parameters, or takes those of an earlier call of the shared network.
    fn params(&mut self, specs: Vec<ParamSpec>, span: Span) -> Result<Vec<ParamId>> {
        let node = self.next_node();
        let mut ids = Vec::new();
        for spec in specs {
            if let Some(id) = self.replayed(&spec, span)? {
                ids.push(id);
                continue;
            }
            let id = self.graph.params.push(Param {
                name: String::new(),
                shape: spec.shape,
                role: spec.role,
                learned: spec.learned,
                literal: spec.literal,
                span,
            });
            self.owned.push((id, node));
            if let Some(call) = self.calls.last_mut() {
                call.made.push(id);
            }
            ids.push(id);
        }
        Ok(ids)
    }

    fn replayed(&mut self, spec: &ParamSpec, span: Span) -> Result<Option<ParamId>> {
        let Some(call) = self.calls.last_mut() else {
            return Ok(None);
        };
        let (net, call_span) = (call.net, call.span);
        let Some(at) = &mut call.replay else {
            return Ok(None);
        };
        let index = *at;
        *at += 1;
        let net = &self.shared[net];
        let id = net
            .record
            .as_ref()
            .and_then(|record| record.get(index))
            .copied();
        let Some(id) = id else {
            let message = format!(
                "this call of `{}` needs weights that its first has not",
                net.name.value
            );
            let problem = Diagnostic::new(codes::SHARED_SHAPE, call_span, message);
            return Err(self.error(problem.also(span, "for this layer")));
        };
        let param = &self.graph.params[id];
        if param.shape == spec.shape && param.role == spec.role {
            return Ok(Some(id));
        }
        let message = format!(
            "`{}` has weights of {:?} from its first call, but this one needs {:?}",
            net.name.value, param.shape, spec.shape
        );
        let problem = Diagnostic::new(codes::SHARED_SHAPE, call_span, message)
            .also(span, format!("the `{}` of this layer", spec.role));
        Err(self.error(problem))
    }

    fn no_operand(&mut self, keyword: &str, span: Span) -> Reported {
        let message = format!("there is no value for `{keyword}` to work on");
        let problem = Diagnostic::new(codes::INPUT, span, message);
        let problem = match self.graph.inputs.len() {
            0 => problem.help("declare an input: `input image: 3x224x224`"),
            _ => {
                let names: Vec<&str> = self.graph.inputs.iter().map(|i| i.name.as_str()).collect();
                problem.help(format!(
                    "the model has the inputs {}: begin the chain with one, `{} {keyword}`",
                    names.join(", "),
                    names[0]
                ))
            }
        };
        self.error(problem)
    }

    fn operand_count(&mut self, decl: &Decl, given: usize, span: Span) -> Reported {
        let (least, most) = decl.operands;
        let wanted = match (least, most) {
            (least, most) if least == most => count(least, "operand"),
            (least, usize::MAX) => format!("at least {}", count(least, "operand")),
            (least, most) if most > 64 => format!("at least {}", count(least, "operand")),
            (least, most) => format!("{least} to {}", count(most, "operand")),
        };
        let message = format!("`{}` takes {wanted}, not {given}", decl.keyword);
        let mut problem = Diagnostic::new(codes::OPERANDS, span, message);
        if given < least {
            let names: Vec<String> = ('a'..='z').take(least).map(String::from).collect();
            let names = names.join(", ");
            problem = problem.help(format!("name them: `{}({names})`", decl.keyword));
        }
        self.error(problem)
    }

    pub(super) fn bad_argument(&mut self, error: ArgError, span: Span) -> Reported {
        let mut problem =
            Diagnostic::new(codes::ARGUMENT, error.span.unwrap_or(span), error.message);
        problem.help.extend(error.help);
        self.error(problem)
    }

    pub(super) fn bad_shape(
        &mut self,
        keyword: &str,
        error: ShapeError,
        values: &[ValueId],
        span: Span,
    ) -> Reported {
        let mut problem = Diagnostic::new(codes::SHAPE, span, error.message)
            .label(format!("`{keyword}` cannot be applied"));
        problem.help.extend(error.help);
        let mut seen = Vec::new();
        for &value in values {
            if !seen.contains(&value) && seen.len() < 4 {
                seen.push(value);
                problem = problem.also(self.maker(value), format!("this is {}", self.shape(value)));
            }
        }
        self.error(problem)
    }

    /// Where a value is made.
    pub(super) fn maker(&self, value: ValueId) -> Span {
        match self.graph.values[value].def {
            Def::Node(node) => self.graph.nodes[node].span,
            Def::Input(_) | Def::Param(_) => self
                .input_spans
                .get(&value)
                .copied()
                .unwrap_or_else(Span::none),
        }
    }
}
