//! Building graphs by hand, layer by layer.

use crate::support::{parameter, wide};
use cnnc_compiler::graph::{Def, Graph, Input, Param, Value};
use cnnc_compiler::id::{Id, ParamId, ValueId};
use cnnc_compiler::layer::{Args, Decl, Layer, Literal, Spanned};
use cnnc_compiler::shape::Shape;
use cnnc_compiler::span::Span;
use cnnc_runtime::synthetic::Synthetic;
use ndarray::ArrayD;

/// Values stay below this, so that exponentials of exponentials do not occur.
const MAX_MAGNITUDE: f64 = 100.0;

/// A graph under construction.
pub struct Builder {
    /// What is built.
    pub graph: Graph,
    /// Its tensors.
    tensors: Vec<ArrayD<f64>>,
    /// Most elements of a tensor that a layer may make.
    most: usize,
}

impl Builder {
    /// An empty graph whose tensors will have at most so many elements.
    pub fn new(most: usize) -> Builder {
        Builder {
            graph: Graph::default(),
            tensors: Vec::new(),
            most,
        }
    }

    /// Adds an input.
    pub fn input(&mut self, name: &str, dims: &[usize]) -> ValueId {
        let index = self.graph.inputs.len();
        let value = self.graph.values.push(Value {
            shape: Shape::new(dims).expect("a shape"),
            def: Def::Input(index),
        });
        let tensor = Synthetic::input(name).values(dims.iter().product());
        self.tensors.push(wide(dims, &tensor));
        let name = name.to_owned();
        self.graph.inputs.push(Input {
            name,
            value,
            pre: None,
            frames: None,
            hearing: None,
        });
        value
    }

    /// Adds a layer with parameters named after it, if it accepts its operands and its result stays small.
    pub fn layer(
        &mut self,
        decl: &'static Decl,
        given: Vec<(&'static str, Spanned<Literal>)>,
        inputs: &[ValueId],
    ) -> Result<ValueId, String> {
        let shapes = self.graph.shapes(inputs);
        let mut args = Args {
            given,
            rank: shapes[0].spatial().len(),
            ..Args::default()
        };
        let mut layer = (decl.build)(&mut args).map_err(|error| error.message)?;
        let before = layer.before(&shapes[0]);
        match before.map_err(|error| error.message)? {
            Some(before) => {
                let first = self.add(before, &inputs[..1])?;
                self.add(layer, &[&[first], &inputs[1..]].concat())
            }
            None => self.add(layer, inputs),
        }
    }

    fn add(&mut self, layer: Box<dyn Layer>, inputs: &[ValueId]) -> Result<ValueId, String> {
        let shapes = self.graph.shapes(inputs);
        let inferred = layer.infer(&shapes).map_err(|error| error.message)?;
        if inferred.output.elements() > self.most {
            return Err("too large".to_owned());
        }
        let label = format!("{}_{}", layer.keyword(), self.graph.nodes.len());
        let params: Vec<Param> = inferred
            .params
            .into_iter()
            .map(|spec| Param {
                name: format!("{label}.{}", spec.role),
                shape: spec.shape,
                role: spec.role,
                learned: spec.learned,
                literal: spec.literal,
                span: Span::none(),
            })
            .collect();
        let operands: Vec<_> = inputs.iter().map(|v| &self.tensors[v.index()]).collect();
        let tensors: Vec<_> = params.iter().map(parameter).collect();
        let result = layer.evaluate(&operands, &tensors.iter().collect::<Vec<_>>());
        // Also false where there is a NaN.
        if !result.iter().all(|x| x.abs() <= MAX_MAGNITUDE) {
            return Err("too large values".to_owned());
        }
        self.tensors.push(result);
        let params = params
            .into_iter()
            .map(|param| self.graph.params.push(param))
            .collect::<Vec<ParamId>>();
        let node = self
            .graph
            .push(layer, inputs.to_vec(), params, label, Span::none());
        Ok(self.graph.nodes[node.map_err(|error| error.message)?].output)
    }
}
