//! `head style`: Gram matrices of some maps, and what sums them and others up.

use super::chain::Chain;
use super::{Resolver, Result, Tensor};
use crate::ast::Spanned;
use crate::graph::{Output, Span};
use crate::head::Head;
use crate::layer::{self, Args, Literal};

impl Resolver<'_> {
    /// Adds the outputs `gram.NAME` and the content; returns their sums in one vector: of each Gram matrix, then the mean
    /// square of each content.
    pub(super) fn style(&mut self, head: &Head, span: Span) -> Result<Tensor> {
        let mut chain = Chain {
            place: None,
            nodes: Vec::new(),
            labels_call: false,
        };
        let styles = head
            .get("style")
            .map_or(0, |names| names.value.as_items().len());
        let mut sums = Vec::new();
        for (index, (name, value)) in head.tensors.iter().enumerate() {
            let map = Tensor::Known(*value);
            if index < styles {
                let gram = self.builtin("gram", vec![map], span, &mut chain)?;
                let Tensor::Known(matrix) = gram else {
                    return Ok(Tensor::Unknown);
                };
                let channels = self.shape(matrix).channels();
                let mean = self.mean(gram, channels, span, &mut chain)?;
                let all = Literal::Float((channels * channels) as f64);
                sums.push(self.with("scale", ("factor", all), mean, span, &mut chain)?);
                self.graph.outputs.push(Output {
                    name: format!("gram.{name}"),
                    value: matrix,
                });
            } else {
                let channels = self.shape(*value).channels();
                let square = self.builtin("mul", vec![map, map], span, &mut chain)?;
                sums.push(self.mean(square, channels, span, &mut chain)?);
                self.graph.outputs.push(Output {
                    name: name.clone(),
                    value: *value,
                });
            }
        }
        match sums.as_slice() {
            &[one] => Ok(one),
            _ => self.builtin("concat", sums, span, &mut chain),
        }
    }

    /// The mean of all elements, as a vector of one.
    fn mean(
        &mut self,
        tensor: Tensor,
        channels: usize,
        span: Span,
        chain: &mut Chain<'_>,
    ) -> Result<Tensor> {
        let means = self.builtin("globalavgpool", vec![tensor], span, chain)?;
        let row = Literal::Dims(vec![1, channels as i64]);
        let row = self.with("reshape", ("shape", row), means, span, chain)?;
        self.builtin("globalavgpool", vec![row], span, chain)
    }

    /// A layer with one argument.
    fn with(
        &mut self,
        keyword: &str,
        (name, value): (&'static str, Literal),
        operand: Tensor,
        span: Span,
        chain: &mut Chain<'_>,
    ) -> Result<Tensor> {
        let decl = layer::find(keyword)
            .unwrap_or_else(|| panic!("`head style` needs the layer `{keyword}`"));
        let args = Args {
            given: vec![(name, Spanned { value, span })],
            span: Some(span),
            ..Args::default()
        };
        self.apply(decl, args, vec![operand], span, chain)
    }
}
