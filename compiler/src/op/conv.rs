//! `conv_input` and `conv_weight`: the two adjoints of a convolution, in its operand and in its weights.
//!
//! They serve `conv`, `dense` (whose kernel has no extents), `local` (whose weights differ from position to position), and, with the roles of
//! operand and result exchanged, `convtranspose`.

use super::flat;
use crate::gradient::Adjoint;
use crate::layer::epilogue::Epilogue;
use crate::layer::window::{Placed, Window, show};
use crate::layer::{
    Attribute, Attributes, Inferred, Layer, Lowering, NO_HALO, ParamSpec, ShapeError,
};
use crate::shape::Shape;
use ndarray::{ArrayD, IxDyn};

/// Keyword of [`ConvInput`].
pub const INPUT: &str = "conv_input";

/// Keyword of [`ConvWeight`].
pub const WEIGHT: &str = "conv_weight";

/// Which element of a convolution's operand meets which weight for which element of its result.
#[derive(Clone, Debug, PartialEq)]
pub struct Taps {
    /// Extents of the kernel.
    pub kernel: [usize; 3],
    /// Steps of the window.
    pub stride: [usize; 3],
    /// Distance between taps.
    pub dilation: [usize; 3],
    /// Padding before the first element.
    pub before: [usize; 3],
    /// Groups.
    pub groups: usize,
    /// Whether every position has weights of its own.
    pub local: bool,
    /// Shape of the weights.
    pub weight: Vec<usize>,
}

/// Products of neighbours: first indices and the steps from one to the next.
struct Run {
    weight: usize,
    weight_step: usize,
    input: usize,
    input_step: usize,
    output: usize,
    count: usize,
}

impl Taps {
    /// Those of a window that has been placed.
    pub fn new(window: &Window, placed: &Placed, groups: usize, weight: Vec<usize>) -> Taps {
        Taps {
            kernel: window.kernel,
            stride: window.stride,
            dilation: window.dilation,
            before: placed.before,
            groups,
            local: false,
            weight,
        }
    }

    /// Those of a dense layer.
    pub fn dense(weight: Vec<usize>) -> Taps {
        Taps {
            kernel: [1; 3],
            stride: [1; 3],
            dilation: [1; 3],
            before: [0; 3],
            groups: 1,
            local: false,
            weight,
        }
    }

    fn attributes(&self) -> Attributes {
        let mut attributes = vec![
            ("kernel", Attribute::extents(&self.kernel)),
            ("stride", Attribute::stride(&self.stride)),
            ("before", Attribute::extents(&self.before)),
            ("dilation", Attribute::extents(&self.dilation)),
            ("groups", self.groups.into()),
            ("weight", Attribute::extents(&self.weight)),
        ];
        if self.local {
            attributes.push(("local", true.into()));
        }
        attributes
    }

    /// Checks that operand and result of the convolution have the channels that the weights speak of.
    fn check(&self, x: &Shape, y: &Shape) -> Result<(), ShapeError> {
        let channels = &self.weight[if self.local { 2 } else { 0 }..];
        match x.channels() == channels[1] * self.groups && y.channels() == channels[0] {
            true => Ok(()),
            false => Err(ShapeError::new(format!(
                "weights of {} are not between {x} and {y}",
                show(&self.weight)
            ))),
        }
    }

    /// The places of an output's taps along an axis: those outputs that tap `k` meets an element with, as first and count, and the first element.
    fn met(&self, axis: usize, k: usize, inputs: usize, outputs: usize) -> (usize, usize, usize) {
        let (stride, at) = (self.stride[axis], k * self.dilation[axis]);
        let before = self.before[axis];
        let first = before.saturating_sub(at).div_ceil(stride);
        let end = (inputs + before)
            .saturating_sub(at)
            .div_ceil(stride)
            .min(outputs);
        match first < end {
            true => (first, end - first, first * stride + at - before),
            false => (0, 0, 0),
        }
    }

    /// Every product of the convolution, in runs.
    fn each(&self, x: &Shape, y: &Shape, mut act: impl FnMut(Run)) {
        let ([d, h, w], [od, oh, ow]) = (x.dhw(), y.dhw());
        let [kd, kh, kw] = self.kernel;
        let volume = kd * kh * kw;
        let (ins, outs) = (x.channels() / self.groups, y.channels() / self.groups);
        // From one position to the next, weights of `local` are those of all channels apart.
        let step = if self.local {
            y.channels() * ins * volume
        } else {
            0
        };
        for o in 0..y.channels() {
            for c in 0..ins {
                let channel = o / outs * ins + c;
                for k in 0..volume {
                    let weight = (o * ins + c) * volume + k;
                    let (i, j, l) = (k / (kh * kw), k / kw % kh, k % kw);
                    let (z0, planes, iz) = self.met(0, i, d, od);
                    let (y0, rows, iy) = self.met(1, j, h, oh);
                    let (x0, count, ix) = self.met(2, l, w, ow);
                    for z in 0..planes {
                        for r in 0..rows {
                            let plane = channel * d + iz + z * self.stride[0];
                            let row = plane * h + iy + r * self.stride[1];
                            let output = ((o * od + z0 + z) * oh + y0 + r) * ow + x0;
                            act(Run {
                                weight: weight + output % (od * oh * ow) * step,
                                weight_step: step,
                                input: row * w + ix,
                                input_step: self.stride[2],
                                output,
                                count,
                            });
                        }
                    }
                }
            }
        }
    }
}

/// Pushes the gradients of a layer whose operand meets its first tensor in these taps.
pub fn gradient(g: &mut Adjoint<'_>, taps: &Taps) {
    let taps = || taps.clone();
    if g.wants(0) {
        let to = g.shape(g.x(0));
        let dx = g.push_with(ConvInput::new(taps(), to), &[g.dy()], &[g.param(0)]);
        g.give(0, dx);
    }
    if g.wants_param(0) {
        let dw = g.push(ConvWeight { taps: taps() }, &[g.x(0), g.dy()]);
        g.give_param(0, dw);
    }
}

/// The adjoint in the operand: `x[c, i·stride + k·dilation − before] += weight[o, c, k] · dy[o, i]`, of the operand dy. Elements that no window
/// reaches are 0.
#[derive(Clone, Debug)]
pub struct ConvInput {
    /// The convolution.
    pub taps: Taps,
    /// Shape of its operand.
    pub to: Shape,
    /// What is added: cotangents that other readers of the operand give.
    pub epilogue: Epilogue,
}

impl ConvInput {
    fn new(taps: Taps, to: Shape) -> ConvInput {
        ConvInput {
            taps,
            to,
            epilogue: Epilogue::default(),
        }
    }
}

impl Layer for ConvInput {
    fn attributes(&self) -> (&'static str, Attributes) {
        let mut attributes = self.taps.attributes();
        attributes.push(("to", Attribute::extents(self.to.dims())));
        attributes.extend(self.epilogue.attributes());
        (INPUT, attributes)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        self.taps.check(&self.to, &inputs[0])?;
        self.epilogue.check(inputs, &self.to)?;
        let taps = &self.taps;
        // A matrix for each tap reads what there is, and nothing beyond.
        let halo = match taps.local || taps.reads_whole(&self.to) {
            true => Vec::new(),
            false => vec![taps.beyond_result(&self.to, &inputs[0])],
        };
        Ok(Inferred {
            params: vec![ParamSpec::learned("weight", taps.weight.clone())],
            halo,
            pieces: taps.pieces(&self.to),
            ..Inferred::plain(self.to.clone())
        })
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], params: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let y = Shape::new(inputs[0].shape()).expect("infer accepted it");
        let (dy, weight) = (
            inputs[0].as_standard_layout(),
            params[0].as_standard_layout(),
        );
        let dy = dy.as_slice().expect("standard layout");
        let weight = weight.as_slice().expect("standard layout");
        let mut dx = vec![0.0; self.to.elements()];
        self.taps.each(&self.to, &y, |run| {
            for n in 0..run.count {
                dx[run.input + n * run.input_step] +=
                    weight[run.weight + n * run.weight_step] * dy[run.output + n];
            }
        });
        let dx = ArrayD::from_shape_vec(IxDyn(self.to.dims()), dx).expect("as many elements");
        self.epilogue.evaluate(dx, inputs, params)
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn epilogue_mut(&mut self) -> Option<&mut Epilogue> {
        let whole = self.taps.stride == [1; 3] && !self.taps.local && !self.reads_once();
        whole.then_some(&mut self.epilogue)
    }

    fn reads_once(&self) -> bool {
        let dense = self.taps.is_dense() && self.to.spatial().is_empty();
        !self.taps.local && (dense || self.taps.reads_whole(&self.to))
    }
}

/// The adjoint in the weights: `weight[o, c, k] = Σ dy[o, i] · x[c, i·stride + k·dilation − before]`, of the operands x and dy, in the shape of
/// [`flat`].
#[derive(Clone, Debug)]
pub struct ConvWeight {
    /// The convolution.
    pub taps: Taps,
}

impl Layer for ConvWeight {
    fn attributes(&self) -> (&'static str, Attributes) {
        (WEIGHT, self.taps.attributes())
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        self.taps.check(&inputs[0], &inputs[1])?;
        let halo = self.taps.beyond_operand(&inputs[0], &inputs[1]);
        Ok(Inferred {
            halo: vec![halo, NO_HALO],
            ..Inferred::plain(flat(&self.taps.weight))
        })
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let shapes = [0, 1].map(|i| Shape::new(inputs[i].shape()).expect("infer accepted it"));
        let (x, dy) = (
            inputs[0].as_standard_layout(),
            inputs[1].as_standard_layout(),
        );
        let x = x.as_slice().expect("standard layout");
        let dy = dy.as_slice().expect("standard layout");
        let to = flat(&self.taps.weight);
        let mut dw = vec![0.0; to.elements()];
        self.taps.each(&shapes[0], &shapes[1], |run| {
            for n in 0..run.count {
                dw[run.weight + n * run.weight_step] +=
                    dy[run.output + n] * x[run.input + n * run.input_step];
            }
        });
        ArrayD::from_shape_vec(IxDyn(to.dims()), dw).expect("as many elements")
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn reduces(&self) -> bool {
        true
    }
}
