//! `dense`: every output is a weighted sum of every input.

use super::epilogue::Epilogue;
use super::{ArgError, Args, Decl, Inferred, Kind, Layer, ParamDecl, ParamSpec, ShapeError};
use crate::graph::Shape;
use crate::lower::{ConvJob, Lower};
use ndarray::{ArrayD, IxDyn};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "dense",
    doc: "Fully connected layer: `out[o] = bias[o] + Σ weight[o, i] · in[i]`. `weight` is (out, in), `bias` is (out). \
          Its operand is a vector: put `flatten` or a global pool before it.",
    params: &[
        ParamDecl {
            name: "out",
            kind: Kind::Int,
            positional: true,
            default: None,
            doc: "Outputs.",
        },
        ParamDecl {
            name: "bias",
            kind: Kind::Flag,
            positional: false,
            default: Some("on"),
            doc: "Whether a bias is added.",
        },
    ],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 10; f: dense 7",
        "input x: 37; f: dense 130 bias off relu",
        "input x: 5x3x4; flatten; f: dense 9 tanh",
        "input x: 12; f: dense 1 sigmoid",
    ],
};

/// In which order a dense layer that has swallowed a `flatten` reads its operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Channels, then depth, height, width: PyTorch's.
    Channels,
    /// Depth, height, width, then channels: Keras's.
    Spatial,
}

/// A dense layer.
#[derive(Clone, Debug)]
pub struct Dense {
    /// Outputs.
    pub out: usize,
    /// Whether a bias is added.
    pub bias: bool,
    /// The `flatten` it has swallowed: the operand is then of any rank.
    pub flatten: Option<Order>,
    /// What passes have fused.
    pub epilogue: Epilogue,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let out = args.positive("out")?.ok_or_else(|| args.missing("out"))?;
    let bias = args.flag("bias")?.unwrap_or(true);
    Ok(Box::new(Dense {
        out,
        bias,
        flatten: None,
        epilogue: Epilogue::default(),
    }))
}

impl Layer for Dense {
    fn attributes(&self) -> (&'static str, Vec<(&'static str, String)>) {
        let mut attributes = vec![
            ("out", self.out.to_string()),
            ("bias", if self.bias { "on" } else { "off" }.to_owned()),
        ];
        if let Some(order) = self.flatten {
            attributes.push(("flatten", format!("{order:?}").to_lowercase()));
        }
        attributes.extend(self.epilogue.attributes());
        (DECL.keyword, attributes)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let x = &inputs[0];
        if self.flatten.is_none() && !x.spatial().is_empty() {
            let message = format!("`dense` takes a vector, its operand is {x}");
            return Err(ShapeError::new(message).help("put `flatten` or `globalavgpool` before it"));
        }
        let output = Shape::new([self.out]).ok_or_else(|| ShapeError::new("too many outputs"))?;
        self.epilogue.check(inputs, &output)?;
        let weights = (x.elements() as u64).checked_mul(self.out as u64);
        let macs = weights
            .filter(|&n| n <= crate::graph::MAX_ELEMENTS as u64)
            .ok_or_else(|| {
                ShapeError::new(format!(
                    "a dense layer from {x} to {} is too large",
                    self.out
                ))
            })?;
        let mut params = vec![ParamSpec::learned("weight", [self.out, x.elements()])];
        if self.bias {
            params.push(ParamSpec::learned("bias", [self.out]));
        }
        params.extend(self.epilogue.params(self.out));
        Ok(Inferred {
            output,
            params,
            macs,
            halo: Vec::new(),
        })
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], params: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let x = inputs[0];
        let vector: Vec<f64> = match self.flatten {
            Some(Order::Spatial) => {
                let axes: Vec<usize> = (1..x.ndim()).chain([0]).collect();
                x.view().permuted_axes(axes).iter().copied().collect()
            }
            _ => x.iter().copied().collect(),
        };
        let sums = (0..self.out).map(|o| {
            let row = params[0].index_axis(ndarray::Axis(0), o);
            let bias = if self.bias { params[1][[o]] } else { 0.0 };
            bias + row.iter().zip(&vector).map(|(w, x)| w * x).sum::<f64>()
        });
        let sums =
            ArrayD::from_shape_vec(IxDyn(&[self.out]), sums.collect()).expect("one sum per output");
        self.epilogue.evaluate(
            sums,
            inputs.get(1).copied(),
            &params[1 + usize::from(self.bias)..],
        )
    }

    /// A convolution whose kernel covers the whole operand.
    fn lower(&self, cx: &mut Lower<'_>) {
        let shape = cx.input_shape(0).clone();
        let kernel = shape.dhw();
        let [d, h, w] = kernel.map(|n| n as i64);
        let c = shape.channels() as i64;
        let strides = match self.flatten {
            Some(Order::Spatial) => [1, h * w * c, w * c, c],
            _ => [d * h * w, h * w, w, 1],
        };
        let norm = self.epilogue.norm(cx, 1 + usize::from(self.bias));
        let job = ConvJob {
            origin: 0,
            input: cx.input(0),
            output: cx.output(),
            residual: self.epilogue.add.then(|| cx.input(1)),
            kernel,
            stride: [1; 3],
            dilation: [1; 3],
            groups: 1,
            weight: 0,
            weight_base: 0,
            weight_group: 0,
            weight_strides: [
                shape.elements() as i64,
                strides[0],
                strides[1],
                strides[2],
                strides[3],
            ],
            bias: self.bias.then_some(1),
            norm,
            act: self.epilogue.act.clone(),
        };
        cx.convolve(job);
    }
}
