//! `convtranspose`: a convolution turned round, which enlarges its operand.
//!
//! At stride `s` the outputs fall into `s` phases along each axis, by their index modulo `s`. All outputs of a phase are
//! reached by the same taps of the kernel, every `s`-th one where these are side by side, so a phase is an ordinary convolution at stride 1 with a
//! part of the kernel, read backwards, whose result is spread out. Three taps at stride 2 without padding, over inputs a, b, c:
//!
//! ```text
//!     output    0     1     2        3     4        5     6
//!     sums      a·k0  a·k1  a·k2+b·k0  b·k1  b·k2+c·k0  c·k1  c·k2
//!     phase 0   *           *              *              *     taps k2, k0
//!     phase 1         *              *              *           tap  k1
//! ```

use super::conv::Conv;
use super::copy;
use super::epilogue::{Epilogue, clamp};
use super::phase::{Phase, Turned, reach};
use super::pointwise;
use super::window::{DILATION, Padding, STRIDE, Window, of_rank, show};
use super::{
    ArgError, Args, Attributes, Decl, Halo, Inferred, Kind, Layer, Lowering, NO_HALO, ParamDecl,
    ParamSpec, ShapeError, grid,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::limits;
use crate::lower::{ConvJob, Lower, Storage};
use crate::op::conv::{ConvWeight, Taps};
use crate::shape::Shape;
use cnnc_runtime::kernel::map::Step;
use ndarray::{ArrayD, IxDyn};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "convtranspose",
    doc: "Transposed convolution (also called deconvolution) of the rank of its kernel: every input adds its multiple of the kernel to the result, \
          `out[o, i·stride + k·dilation − pad] += weight[c, o, k] · in[c, i]`, and `bias[o]` is added. `weight` is (in, out/groups, kernel…) as in PyTorch, \
          `bias` is (out). Extents are `(n − 1)·stride + (kernel − 1)·dilation + 1 − padding + output_pad`, with `pad same` `n·stride`.",
    params: &[
        ParamDecl {
            name: "kernel",
            kind: Kind::Dims,
            positional: true,
            default: None,
            doc: "Extents of the kernel: `3x3`; one number for one dimension, `3x3x3` for three.",
        },
        ParamDecl {
            name: "out",
            kind: Kind::Int,
            positional: true,
            default: None,
            doc: "Output channels.",
        },
        STRIDE,
        ParamDecl {
            name: "pad",
            kind: Kind::Padding,
            positional: false,
            default: Some("valid"),
            doc: "Elements that are cut off the result: `valid` (nothing), `half` (dilation·(kernel−1)/2 on both sides, rounded down), `same` (Keras's and TensorFlow's: \
                  all that is more than `n·stride`, the odd element at the end), `1`, `0x1x1` (each axis), or `(top, bottom, left, right)`.",
        },
        DILATION,
        ParamDecl {
            name: "output_pad",
            kind: Kind::Int,
            positional: false,
            default: Some("0"),
            doc: "Rows and columns added at the end of the result, fewer than the stride.",
        },
        ParamDecl {
            name: "groups",
            kind: Kind::Int,
            positional: false,
            default: Some("1"),
            doc: "Channels are cut into this many independent groups.",
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
        "input x: 5x4x3; c: convtranspose 2x2 7 /2",
        "input x: 5x4x3; c: convtranspose 4x4 9 /2 pad 1 relu",
        "input x: 6x5x4; c: convtranspose 3x3 9 /2 pad half output_pad 1 bias off",
        "input x: 6x5x4; c: convtranspose 3x3 9 groups 3 pad (1, 0, 0, 1)",
        "input x: 8x5x4; c: convtranspose 3x3 8 /2 groups 8 pad 1",
        "input x: 5x4x3; c: convtranspose 1x2 3 /3",
        "input x: 5x4x3; c: convtranspose 5x3 40 /3x2 pad 2x0",
        "input x: 4x9; c: convtranspose 4 5 /2 pad 1",
        "input x: 3x2x3x2; c: convtranspose 2x3x2 5 /2x1x2",
        "input x: 5x4x3; c: convtranspose 3x3 9 /2 pad same",
        "input x: 6x5x4; c: convtranspose 4x5 9 /1x2 groups 3 pad same",
        "input x: 5x4x3; c: convtranspose 2x1 3 /3 pad same",
        "input x: 6x5x4; c: convtranspose 4x4 16 /2 pad 1 bias off; bn affine off; silu",
        "input x: 5x4x3; c: convtranspose 3x3 9 dilation 2 relu",
        "input x: 6x5x4; c: convtranspose 3x2 9 /2x3 pad half dilation 3x2 groups 3",
        "input x: 8x5x4; c: convtranspose 3x3 8 /4 groups 8 dilation 6 pad same",
        "input x: 4x9; c: convtranspose 3 5 /2 pad 1 dilation 2 output_pad 1 bias off",
        "input x: 3x2x3x2; c: convtranspose 2x2x2 5 /2x1x2 dilation 1x2x3",
        "input x: 5x4x3; input r: 9x8x6; c: x convtranspose 4x4 9 /2 pad 1 bn; add(c, r); tanh",
    ],
};

/// A transposed convolution.
#[derive(Clone, Debug)]
pub struct ConvTranspose {
    /// How the kernel slides over the result.
    pub window: Window,
    /// Output channels.
    pub out: usize,
    /// What is added at the end of each axis.
    pub output_pad: usize,
    /// Groups.
    pub groups: usize,
    /// Whether a bias is added.
    pub bias: bool,
    /// What passes have fused.
    pub epilogue: Epilogue,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let window = Window::from_args(args, false)?;
    let output_pad = args.whole("output_pad")?.unwrap_or(0);
    if output_pad > 0 && window.padding == Padding::Same {
        let message = "`pad same` says how large the result is, so nothing is added to it";
        return Err(args
            .error("output_pad", message)
            .help("write `pad half`, or numbers"));
    }
    let strides = &window.stride[3 - window.rank..];
    if output_pad > 0 && strides.iter().any(|&stride| output_pad >= stride) {
        let message = format!(
            "`output_pad` {output_pad} is not less than the stride /{}",
            show(strides)
        );
        return Err(args.error("output_pad", message));
    }
    let out = args.positive("out")?.ok_or_else(|| args.missing("out"))?;
    let groups = args.positive("groups")?.unwrap_or(1);
    if !out.is_multiple_of(groups) {
        let message = format!("{out} output channels cannot be cut into {groups} groups");
        return Err(args.error("groups", message));
    }
    Ok(Box::new(ConvTranspose {
        window,
        out,
        output_pad,
        groups,
        bias: args.flag("bias")?.unwrap_or(true),
        epilogue: Epilogue::default(),
    }))
}

impl ConvTranspose {
    fn kernel(&self) -> &[usize] {
        &self.window.kernel[3 - self.window.rank..]
    }

    /// What is cut off before and behind an axis.
    pub fn cut(&self, axis: usize) -> (usize, usize) {
        let (reach, stride) = (self.window.reach()[axis], self.window.stride[axis]);
        match &self.window.padding {
            Padding::Valid => (0, 0),
            Padding::Half => ((reach - 1) / 2, (reach - 1) / 2),
            // What the convolution that this one turns round pads: its result has one element for `stride` of its operand.
            Padding::Same => {
                let all = reach.saturating_sub(stride);
                (all / 2, all - all / 2)
            }
            Padding::Explicit(pairs) => pairs[axis],
        }
    }

    /// What is added at the end of an axis.
    pub fn added(&self, axis: usize) -> usize {
        match &self.window.padding {
            Padding::Same => self.window.stride[axis].saturating_sub(self.window.reach()[axis]),
            _ => self.output_pad,
        }
    }

    /// Extents of the result.
    fn extents(&self, x: &Shape) -> Result<[usize; 3], ShapeError> {
        let rank = self.window.rank;
        if x.spatial().len() != rank {
            let message = format!(
                "a {rank}-dimensional kernel {} cannot be applied to {x}, which has {} spatial dimensions",
                show(self.kernel()),
                x.spatial().len()
            );
            let error = ShapeError::new(message);
            return Err(of_rank(error, self.kernel(), x.spatial().len()));
        }
        let mut extents = [1; 3];
        for (axis, extent) in extents.iter_mut().enumerate().skip(3 - rank) {
            let (before, behind) = self.cut(axis);
            let whole = (x.dhw()[axis] - 1)
                .saturating_mul(self.window.stride[axis])
                .saturating_add(self.window.reach()[axis] + self.added(axis));
            *extent = match whole.checked_sub(before + behind) {
                None | Some(0) => {
                    let message = format!(
                        "nothing is left of {x}: the padding cuts off {} of {whole}",
                        before + behind
                    );
                    return Err(ShapeError::new(message).help("use less padding"));
                }
                Some(left) => left,
            };
        }
        Ok(extents)
    }

    /// The phases of an axis with `n` inputs, whose result has that extent.
    fn phases(&self, axis: usize, n: usize, extent: usize) -> Vec<Phase> {
        Turned::new(&self.window, axis, self.cut(axis).0).phases(n, extent)
    }
}

impl Layer for ConvTranspose {
    fn attributes(&self) -> (&'static str, Attributes) {
        let mut attributes = self.window.attributes();
        if self.window.dilation == [1; 3] {
            attributes.retain(|(name, _)| *name != "dilation");
        }
        attributes.insert(1, ("out", self.out.into()));
        attributes.push(("output_pad", self.output_pad.into()));
        attributes.push(("groups", self.groups.into()));
        attributes.push(("bias", self.bias.into()));
        attributes.extend(self.epilogue.attributes());
        (DECL.keyword, attributes)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let x = &inputs[0];
        let channels = x.channels();
        if !channels.is_multiple_of(self.groups) {
            let message = format!(
                "{channels} channels of {x} cannot be cut into {} groups",
                self.groups
            );
            return Err(ShapeError::new(message).help(format!("choose a divisor of {channels}")));
        }
        let extents = self.extents(x)?;
        let too_large = || {
            ShapeError::new(format!(
                "the result of {} on {x} is too large",
                show(self.kernel())
            ))
        };
        let mut dims = vec![self.out];
        dims.extend(&extents[3 - self.window.rank..]);
        let output = Shape::new(dims).ok_or_else(too_large)?;
        self.epilogue.check(inputs, &output)?;
        let phases = (0..3).map(|axis| self.window.stride[axis].min(extents[axis]));
        let phases = phases.fold(1, usize::saturating_mul);
        if phases > limits::PHASES {
            let message = format!(
                "the stride /{} is too large",
                show(&self.window.stride[3 - self.window.rank..])
            );
            return Err(ShapeError::new(message));
        }
        let mut weight = vec![channels, self.out / self.groups];
        weight.extend(self.kernel());
        let pixels = (x.elements() / channels) as u64;
        let macs = weight.iter().map(|&extent| extent as u64);
        let macs = macs.fold(pixels, u64::saturating_mul);
        let mut params = vec![ParamSpec::learned("weight", weight)];
        if self.bias {
            params.push(ParamSpec::learned("bias", [self.out]));
        }
        params.extend(self.epilogue.params(self.out));
        let halo: Halo = std::array::from_fn(|axis| {
            let n = x.dhw()[axis];
            reach(&self.phases(axis, n, extents[axis]), n)
        });
        Ok(Inferred {
            output,
            params,
            macs,
            halo: vec![halo],
            pieces: phases,
        })
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], params: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let shape = grid::shape(inputs[0]);
        let x = grid::view(inputs[0]);
        let extents = self.extents(&shape).expect("infer accepted it");
        let (ins, outs) = (shape.channels() / self.groups, self.out / self.groups);
        let [depth, height, width] = shape.dhw();
        let kernel = self.window.kernel;
        let volume: usize = kernel.iter().product();
        let weight = params[0].as_standard_layout();
        let weight = weight.as_slice().expect("standard layout");
        let mut sums = ndarray::Array4::zeros([self.out, extents[0], extents[1], extents[2]]);
        if self.bias {
            for (o, mut channel) in sums.outer_iter_mut().enumerate() {
                channel.fill(params[1][[o]]);
            }
        }
        // The output that an input meets through a tap, if it is not cut off.
        let meets = |axis: usize, i: usize, k: usize| {
            let at = i * self.window.stride[axis] + k * self.window.dilation[axis];
            at.checked_sub(self.cut(axis).0)
                .filter(|&at| at < extents[axis])
        };
        for c in 0..shape.channels() {
            for o in 0..outs {
                let to = c / ins * outs + o;
                for k in 0..volume {
                    let factor = weight[(c * outs + o) * volume + k];
                    let tap = [
                        k / (kernel[1] * kernel[2]),
                        k / kernel[2] % kernel[1],
                        k % kernel[2],
                    ];
                    for d in 0..depth {
                        let Some(z) = meets(0, d, tap[0]) else {
                            continue;
                        };
                        for h in 0..height {
                            let Some(y) = meets(1, h, tap[1]) else {
                                continue;
                            };
                            for w in 0..width {
                                if let Some(q) = meets(2, w, tap[2]) {
                                    sums[[to, z, y, q]] += factor * x[[c, d, h, w]];
                                }
                            }
                        }
                    }
                }
            }
        }
        let mut dims = vec![self.out];
        dims.extend(&extents[3 - self.window.rank..]);
        let sums = sums.into_raw_vec_and_offset().0;
        let sums = ArrayD::from_shape_vec(IxDyn(&dims), sums).expect("as many sums as outputs");
        self.epilogue.evaluate(sums, inputs, params)
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        g.unfused(&self.epilogue)?;
        let weight = g.param_shape(0).to_vec();
        // The convolution that this one turns round.
        let window = Window {
            padding: Padding::Explicit(std::array::from_fn(|axis| self.cut(axis))),
            ceil: false,
            ..self.window.clone()
        };
        if g.wants(0) {
            let conv = Conv {
                window: window.clone(),
                border: None,
                out: weight[0],
                groups: self.groups,
                bias: false,
                literal: None,
                epilogue: Epilogue::default(),
            };
            let dx = g.push_with(conv, &[g.dy()], &[g.param(0)]);
            g.give(0, dx);
        }
        if g.wants_param(0) {
            let y = g.shape(g.y());
            let placed = window
                .place(&y)
                .expect("it makes the operand of the result");
            let taps = Taps::new(&window, &placed, self.groups, weight);
            let dw = g.push(ConvWeight { taps }, &[g.dy(), g.x(0)]);
            g.give_param(0, dw);
        }
        if self.bias {
            g.give_shift(1);
        }
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn epilogue_mut(&mut self) -> Option<&mut Epilogue> {
        Some(&mut self.epilogue)
    }
}

impl Lowering for ConvTranspose {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (output, input) = (cx.output(), cx.input(0));
        let along: [Vec<Phase>; 3] =
            std::array::from_fn(|axis| self.phases(axis, input.dhw[axis], output.dhw[axis]));
        // Pixels of a phase are apart: where channels do not fill vectors, all phases together take fewer of them.
        let together = clamp(&self.epilogue.act).is_none()
            && along.iter().any(|phases| phases.len() > 1)
            && !self.out.is_multiple_of(cx.lanes());
        let act = if together {
            &[]
        } else {
            &self.epilogue.act[..]
        };
        for &planes in &along[0] {
            for &rows in &along[1] {
                for &pixels in &along[2] {
                    self.phase(cx, [planes, rows, pixels], act);
                }
            }
        }
        if together {
            pointwise::map(cx, &output, &output, &self.epilogue.act);
        }
    }
}

impl ConvTranspose {
    /// Emits one combination of phases.
    fn phase(&self, cx: &mut Lower<'_>, along: [Phase; 3], act: &[Step]) {
        let (output, mut input) = (cx.output(), cx.input(0));
        let (ins, outs) = (
            (input.channels / self.groups) as i64,
            (self.out / self.groups) as i64,
        );
        let [_, kh, kw] = self.window.kernel.map(|k| k as i64);
        let volume = self.window.kernel.iter().product::<usize>() as i64;
        let taps = [kh * kw, kw, 1];
        let stride = self.window.stride.map(|s| s as i64);
        let apart = along.map(|phase| phase.apart as i64);
        let mut kernel = along.map(|phase| phase.taps);
        let mut origin: i64 = (0..3)
            .map(|axis| along[axis].input * input.strides[axis])
            .sum();
        let mut base: i64 = (0..3)
            .map(|axis| along[axis].last as i64 * taps[axis])
            .sum();
        if kernel.contains(&0) {
            // Nothing but the bias gets here: any tap, on zeros.
            let zeros = Shape::new([input.channels]).expect("as many as the operand's");
            input = cx.scratch(&zeros, NO_HALO);
            copy::fill(cx, &input, 0.0);
            input.strides = [0; 3];
            (kernel, origin, base) = ([1; 3], 0, 0);
        }
        // The outputs of this phase among all.
        let part = |whole: Storage| {
            let first = along.map(|phase| phase.first as i64);
            Storage {
                base: whole.base + whole.at(first[0], first[1], first[2]),
                dhw: along.map(|phase| phase.count),
                strides: std::array::from_fn(|axis| whole.strides[axis] * stride[axis]),
                ..whole
            }
        };
        let norm = self.epilogue.norm(cx);
        cx.convolve(ConvJob {
            input,
            origin,
            output: part(output),
            residual: self.epilogue.residual(cx).map(part),
            kernel,
            stride: [1; 3],
            dilation: along.map(|phase| phase.dilation),
            groups: self.groups,
            weight: 0,
            weight_base: base,
            weight_group: ins * outs * volume,
            weight_strides: [
                volume,
                outs * volume,
                -apart[0] * taps[0],
                -apart[1] * taps[1],
                -apart[2] * taps[2],
            ],
            bias: self.bias.then_some(1),
            norm,
            act: act.to_vec(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    /// Three taps at stride 2 over two inputs, whole: 1, 10, 100 + 2, 20, 200.
    #[test]
    fn same_cuts_at_the_end_first_as_keras_does() {
        let layer = |padding| ConvTranspose {
            window: Window {
                rank: 1,
                kernel: [1, 1, 3],
                stride: [1, 1, 2],
                dilation: [1; 3],
                padding,
                ceil: false,
            },
            out: 1,
            output_pad: 0,
            groups: 1,
            bias: false,
            epilogue: Epilogue::default(),
        };
        let (x, weight) = (
            array![[1.0, 2.0]].into_dyn(),
            array![[[1.0, 10.0, 100.0]]].into_dyn(),
        );
        let of = |padding| {
            layer(padding)
                .evaluate(&[&x], &[&weight])
                .into_raw_vec_and_offset()
                .0
        };
        assert_eq!(of(Padding::Valid), [1.0, 10.0, 102.0, 20.0, 200.0]);
        assert_eq!(of(Padding::Same), [1.0, 10.0, 102.0, 20.0]);
        assert_eq!(of(Padding::Half), [10.0, 102.0, 20.0]);
    }
}
