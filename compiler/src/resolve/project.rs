//! What a head adds to the network: layers, outputs, warnings.

use super::chain::Chain;
use super::{Resolver, Tensor};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::Code;
use crate::graph::{Def, Output};
use crate::head::Project;
use crate::id::ValueId;
use crate::layer::{self, Args, Literal, Spanned};
use crate::shape::Shape;
use crate::span::Span;

/// The network under a head.
pub(super) struct Projector<'r, 'a> {
    resolver: &'r mut Resolver<'a>,
    /// The head.
    span: Span,
    chain: Chain<'a>,
}

impl<'r, 'a> Projector<'r, 'a> {
    pub fn new(resolver: &'r mut Resolver<'a>, span: Span) -> Projector<'r, 'a> {
        let chain = Chain {
            place: None,
            nodes: Vec::new(),
            labels_call: false,
        };
        Projector {
            resolver,
            span,
            chain,
        }
    }
}

impl Project for Projector<'_, '_> {
    fn shape(&self, value: ValueId) -> Shape {
        self.resolver.shape(value).clone()
    }

    fn layer(
        &mut self,
        keyword: &str,
        arg: Option<(&'static str, Literal)>,
        operands: &[ValueId],
    ) -> Option<ValueId> {
        let span = self.span;
        let decl = layer::find(keyword).unwrap_or_else(|| {
            panic!("a head needs the layer `{keyword}`, but no row declares it")
        });
        let given = arg.map(|(name, value)| (name, Spanned { value, span }));
        let args = Args {
            given: given.into_iter().collect(),
            span: Some(span),
            ..Args::default()
        };
        let operands = operands.iter().copied().map(Tensor::Known).collect();
        let made = self
            .resolver
            .apply(decl, args, operands, span, &mut self.chain);
        made.ok()?.known()
    }

    fn output(&mut self, name: &str, value: ValueId) {
        let name = name.to_owned();
        self.resolver.graph.outputs.push(Output { name, value });
    }

    fn maker(&self, value: ValueId) -> Option<&'static str> {
        let graph = &self.resolver.graph;
        match graph.values[value].def {
            Def::Node(node) => Some(graph.nodes[node].layer.keyword()),
            _ => None,
        }
    }

    fn warn_of_second(&mut self, code: Code, value: ValueId, message: &str) {
        let at = self.resolver.maker(value);
        let problem = Diagnostic::new(code, at, message)
            .also(self.span, "the head applies it too")
            .fix("remove it", at, "");
        self.resolver.warn(problem);
    }
}
