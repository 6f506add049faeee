//! `dense`: every output is a weighted sum of every input.

use super::epilogue::Epilogue;
use super::{
    ArgError, Args, Attribute, Attributes, Decl, Inferred, Kind, Layer, Lowering, ParamDecl,
    ParamSpec, ShapeError,
};
use super::{Sliding, grid};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::{ConvJob, Lower};
use crate::op::conv::{self, Taps};
use crate::shape::Shape;
use ndarray::{ArrayD, IxDyn, s};

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

impl Order {
    /// As a spec writes it.
    pub fn word(self) -> &'static str {
        match self {
            Order::Channels => "channels",
            Order::Spatial => "spatial",
        }
    }
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
    /// Extents of the window that it looks at, where it slides: the result then has a pixel for each window. Passes
    /// fill it in; a spec never writes one.
    pub window: Option<[usize; 3]>,
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
        window: None,
        epilogue: Epilogue::default(),
    }))
}

impl Layer for Dense {
    fn attributes(&self) -> (&'static str, Attributes) {
        let mut attributes = vec![("out", self.out.into()), ("bias", self.bias.into())];
        if let Some(order) = self.flatten {
            attributes.push(("flatten", order.word().into()));
        }
        if let Some(window) = self.window {
            attributes.push(("window", Attribute::extents(&window)));
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
        let window = self.window.unwrap_or(x.dhw());
        let mut dims = vec![self.out];
        if self.window.is_some() {
            let first = 3 - x.spatial().len();
            for (n, extent) in x.dhw().into_iter().zip(window).skip(first) {
                let positions = (n + 1)
                    .checked_sub(extent)
                    .filter(|&positions| positions > 0);
                dims.push(
                    positions.ok_or_else(|| {
                        ShapeError::new(format!("{x} is smaller than the window"))
                    })?,
                );
            }
        }
        let output = Shape::new(dims).ok_or_else(|| ShapeError::new("too many outputs"))?;
        self.epilogue.check(inputs, &output)?;
        let seen = x.channels() * window.iter().product::<usize>();
        let weights = (seen as u64).checked_mul(self.out as u64);
        let macs = weights
            .filter(|&n| n <= crate::limits::ELEMENTS as u64)
            .ok_or_else(|| {
                ShapeError::new(format!(
                    "a dense layer from {x} to {} is too large",
                    self.out
                ))
            })?;
        let mut params = vec![ParamSpec::learned("weight", [self.out, seen])];
        if self.bias {
            params.push(ParamSpec::learned("bias", [self.out]));
        }
        params.extend(self.epilogue.params(self.out));
        let positions = (output.elements() / self.out) as u64;
        Ok(Inferred {
            output,
            params,
            macs: macs.saturating_mul(positions),
            halo: Vec::new(),
            pieces: 1,
        })
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], params: &[&ArrayD<f64>]) -> ArrayD<f64> {
        if let Some(window) = self.window {
            return self.evaluate_windows(window, inputs, params);
        }
        let sums = self.sums(inputs[0], params);
        let sums = ArrayD::from_shape_vec(IxDyn(&[self.out]), sums).expect("one sum per output");
        self.epilogue.evaluate(sums, inputs, params)
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        g.unfused(&self.epilogue)?;
        if self.flatten.is_some() || self.window.is_some() {
            return g.refuse("it has become one with the layer before it");
        }
        let weight = g.param_shape(0).to_vec();
        conv::gradient(g, &Taps::dense(weight));
        if self.bias && g.wants_param(1) {
            g.give_param(1, g.dy());
        }
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn reads_once(&self) -> bool {
        true
    }

    fn epilogue_mut(&mut self) -> Option<&mut Epilogue> {
        Some(&mut self.epilogue)
    }

    fn sliding(&self, operands: &[Shape]) -> Sliding {
        Sliding::Whole(Box::new(Dense {
            flatten: self.flatten.or(Some(Order::Channels)),
            window: Some(operands[0].dhw()),
            ..self.clone()
        }))
    }
}

impl Lowering for Dense {
    /// A convolution whose kernel covers the whole operand, or the window.
    fn lower(&self, cx: &mut Lower<'_>) {
        let shape = cx.input_shape(0).clone();
        let kernel = self.window.unwrap_or(shape.dhw());
        let [d, h, w] = kernel.map(|n| n as i64);
        let c = shape.channels() as i64;
        let strides = match self.flatten {
            Some(Order::Spatial) => [1, h * w * c, w * c, c],
            _ => [d * h * w, h * w, w, 1],
        };
        let norm = self.epilogue.norm(cx);
        let job = ConvJob {
            origin: 0,
            input: cx.input(0),
            output: cx.output(),
            residual: self.epilogue.residual(cx),
            kernel,
            stride: [1; 3],
            dilation: [1; 3],
            groups: 1,
            weight: 0,
            weight_base: 0,
            weight_group: 0,
            weight_strides: [
                c * d * h * w,
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

impl Dense {
    /// The weighted sums of an operand of any rank.
    fn sums(&self, x: &ArrayD<f64>, params: &[&ArrayD<f64>]) -> Vec<f64> {
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
        sums.collect()
    }

    /// The same for every window of the operand.
    fn evaluate_windows(
        &self,
        [depth, height, width]: [usize; 3],
        inputs: &[&ArrayD<f64>],
        params: &[&ArrayD<f64>],
    ) -> ArrayD<f64> {
        let shapes: Vec<Shape> = inputs.iter().map(|input| grid::shape(input)).collect();
        let output = self.infer(&shapes).expect("infer accepted it").output;
        let x = grid::view(inputs[0]);
        let [planes, rows, columns] = output.dhw();
        let mut sums = ndarray::Array4::zeros([self.out, planes, rows, columns]);
        for z in 0..planes {
            for y in 0..rows {
                for w in 0..columns {
                    let window = s![.., z..z + depth, y..y + height, w..w + width];
                    let window = x.slice(window).to_owned().into_dyn();
                    let values = self.sums(&window, params);
                    sums.slice_mut(s![.., z, y, w])
                        .assign(&ndarray::aview1(&values));
                }
            }
        }
        let sums = sums.into_raw_vec_and_offset().0;
        let sums = ArrayD::from_shape_vec(IxDyn(output.dims()), sums).expect("one sum per output");
        self.epilogue.evaluate(sums, inputs, params)
    }
}
