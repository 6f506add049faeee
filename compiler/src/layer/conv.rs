//! `conv`: convolution in one, two or three dimensions, with groups and dilation.

use super::Sliding;
use super::attribute::Exact;
use super::epilogue::Epilogue;
use super::pad::{Mode, Pad};
use super::window::{DILATION, PAD, Padding, STRIDE, Window, show};
use super::{
    ArgError, Args, Attribute, Attributes, Decl, Inferred, Kind, Layer, Lowering, ParamDecl,
    ParamSpec, ShapeError,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::{ConvJob, Lower};
use crate::op::conv::{self, Taps};
use crate::shape::Shape;
use ndarray::{ArrayD, IxDyn};
use std::sync::Arc;

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "conv",
    doc: "Convolution (cross-correlation) of the rank of its kernel: `out[o] = bias[o] + Σ weight[o, c, k] · in[c, i·stride + k·dilation − pad]`. \
          `weight` is (out, in/groups, kernel…), `bias` is (out).",
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
        PAD,
        ParamDecl {
            name: "border",
            kind: Kind::Word(&["zeros", "reflect", "edge"]),
            positional: true,
            default: Some("zeros"),
            doc: "What `pad` consists of: `pad 1 reflect` and `pad 1 edge` are the layer `pad` before the convolution.",
        },
        DILATION,
        ParamDecl {
            name: "groups",
            kind: Kind::Int,
            positional: false,
            default: Some("1"),
            doc: "Channels are cut into this many independent groups; as many as the operand and the result have channels makes it depthwise.",
        },
        ParamDecl {
            name: "bias",
            kind: Kind::Flag,
            positional: false,
            default: Some("on"),
            doc: "Whether a bias is added.",
        },
        ParamDecl {
            name: "weight",
            kind: Kind::Numbers,
            positional: false,
            default: Some("from the weights file"),
            doc: "Constant weights in row-major order: all of (out, in/groups, kernel…), or one kernel that every output \
                  channel applies to each of its input channels.",
        },
    ],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 3x9x9; c: conv 3x3 5 pad half",
        "input x: 4x7x6; c: conv 3x2 8 /2 pad (1, 0, 1, 1) bias off",
        "input x: 6x8x8; c: conv 3x3 9 groups 3 pad 1 relu",
        "input x: 17x6x7; c: conv 3x3 17 groups 17 pad half",
        "input x: 5x6x6; c: conv 3x3 10 groups 5 pad same /2",
        "input x: 8x6x7; c: conv 3x3 4 groups 4 pad half; d: x conv 1x1 4; add(c, d); relu",
        "input x: 18x8x9; c: conv 3x3 18 groups 18 pad half bn; add(c, x); silu",
        "input x: 8x9x9; c: conv 3x3 16 dilation 2 pad half bn relu",
        "input x: 3x40; c: conv 5 7 /2 pad same tanh",
        "input x: 2x4x5x6; c: conv 3x3x3 4 pad half /1x2x1",
        "input x: 33x5x5; c: conv 1x1 40",
        "input x: 32x13x14; c: conv 3x3 48 pad half bn relu",
        "input x: 64x6x233; c: conv 3x3 17 pad half tanh",
        "input x: 32x9x10; c: conv 3x3 32 pad half; add(c, x); relu",
        "input x: 3x9x9; c: conv 3x3 5 /2 pad same reflect",
        "input x: 6x8x8; c: conv 3x3 6 groups 6 pad (2, 1, 0, 3) edge bn relu",
        "input x: 1x6x6; c: conv 3x3 1 bias off weight [[1, 0, -1], [2, 0, -2], [1, 0, -1]]",
        "input x: 4x6x6; c: conv 3x3 6 groups 2 pad half weight [[1, 0, -1], [2, 0, -2], [1, 0, -1]]",
    ],
};

/// A convolution.
#[derive(Clone, Debug)]
pub struct Conv {
    /// How the kernel slides.
    pub window: Window,
    /// Output channels.
    pub out: usize,
    /// Groups.
    pub groups: usize,
    /// Whether a bias is added.
    pub bias: bool,
    /// What its padding consists of, if not of zeros; none is left in a graph, where [`Layer::before`] has padded.
    pub border: Option<Mode>,
    /// Constant weights: extents as nested in the spec, values.
    pub literal: Option<(Vec<usize>, Arc<[f32]>)>,
    /// What passes have fused.
    pub epilogue: Epilogue,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let window = Window::from_args(args, false)?;
    let out = args.positive("out")?.ok_or_else(|| args.missing("out"))?;
    let groups = args.positive("groups")?.unwrap_or(1);
    if !out.is_multiple_of(groups) {
        return Err(args.error(
            "groups",
            format!("{out} output channels cannot be cut into {groups} groups"),
        ));
    }
    let border = match args.word("border") {
        Some("reflect") => Some(Mode::Reflect),
        Some("edge") => Some(Mode::Edge),
        _ => None,
    };
    if border.is_some() && window.padding == Padding::Valid && args.is_written("border") {
        return Err(args
            .error("border", "there is no padding that could consist of it")
            .help("say how much: `pad half`, or `pad 1`"));
    }
    Ok(Box::new(Conv {
        window,
        border,
        out,
        groups,
        bias: args.flag("bias")?.unwrap_or(true),
        literal: args
            .numbers("weight")?
            .map(|(dims, values)| (dims, values.into())),
        epilogue: Epilogue::default(),
    }))
}

/// Whether such a convolution is depthwise: every group has one channel, and makes one.
pub fn is_depthwise(groups: usize, ins: usize, outs: usize) -> bool {
    groups > 1 && ins == groups && outs == groups
}

impl Conv {
    fn kernel(&self) -> &[usize] {
        &self.window.kernel[3 - self.window.rank..]
    }

    fn weight(&self, channels: usize) -> Result<ParamSpec, ShapeError> {
        let mut shape = vec![self.out, channels / self.groups];
        shape.extend(self.kernel());
        let mut spec = ParamSpec::learned("weight", shape.clone());
        if let Some((dims, values)) = &self.literal {
            let whole = dims.len() > self.window.rank;
            if if whole {
                *dims != shape
            } else {
                dims != self.kernel()
            } {
                let message = format!(
                    "the constant weights are {}, the layer needs {}",
                    show(dims),
                    show(&shape)
                );
                return Err(ShapeError::new(message)
                    .help(format!("or one kernel of {}", show(self.kernel()))));
            }
            spec.literal = Some(Arc::clone(values));
            spec.learned = false;
        }
        Ok(spec)
    }
}

impl Layer for Conv {
    fn attributes(&self) -> (&'static str, Attributes) {
        let mut attributes = self.window.attributes();
        attributes.insert(1, ("out", self.out.into()));
        attributes.push(("groups", self.groups.into()));
        attributes.push(("bias", self.bias.into()));
        if let Some((dims, values)) = &self.literal {
            let constants = Attribute::Constants(dims.clone(), Exact(values.clone()));
            attributes.push(("weight", constants));
        }
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
        let placed = self.window.place(x)?;
        let mut dims = vec![self.out];
        dims.extend(&placed.out[3 - self.window.rank..]);
        let output = Shape::new(dims).ok_or_else(|| {
            ShapeError::new(format!(
                "the result of {} on {x} is too large",
                self.window.show(&self.window.kernel)
            ))
        })?;
        self.epilogue.check(inputs, &output)?;
        let pixels = (output.elements() / self.out) as u64;
        let weight = self.weight(channels)?;
        let multiplied = weight.shape.iter().map(|&extent| extent as u64);
        let macs = multiplied.fold(pixels, u64::saturating_mul);
        let mut params = vec![weight];
        if self.bias {
            params.push(ParamSpec::learned("bias", [self.out]));
        }
        params.extend(self.epilogue.params(self.out));
        let taps = self.window.taps(&placed, x);
        Ok(Inferred {
            output,
            params,
            macs,
            halo: vec![self.window.halo(&placed, x, &taps)],
            pieces: 1,
        })
    }

    fn before(&mut self, operand: &Shape) -> Result<Option<Box<dyn Layer>>, ShapeError> {
        let Some(mode) = self.border.take() else {
            return Ok(None);
        };
        let placed = self.window.place(operand)?;
        self.window.padding = Padding::Valid;
        let sides = std::iter::zip(placed.before, placed.after);
        let sides: Vec<_> = sides.skip(3 - self.window.rank).collect();
        let some = sides.iter().any(|&side| side != (0, 0));
        Ok(some.then(|| Box::new(Pad { sides, mode }) as Box<dyn Layer>))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], params: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let shape = Shape::new(inputs[0].shape()).expect("operands have the inferred shapes");
        let placed = self
            .window
            .place(&shape)
            .expect("operands have the inferred shapes");
        let [d, h, w] = shape.dhw();
        let [od, oh, ow] = placed.out;
        let [kd, kh, kw] = self.window.kernel;
        let (cin, cout) = (shape.channels() / self.groups, self.out / self.groups);
        let x = inputs[0].as_standard_layout();
        let x = x.as_slice().expect("standard layout");
        let weight = params[0].as_standard_layout();
        let weight = weight.as_slice().expect("standard layout");
        let mut sums = vec![0.0; self.out * od * oh * ow];
        // Input coordinate along an axis, if the tap is inside.
        let tap = |axis: usize, n: usize, out: usize, k: usize| {
            let at = out * self.window.stride[axis] + k * self.window.dilation[axis];
            at.checked_sub(placed.before[axis]).filter(|&at| at < n)
        };
        for (o, plane) in sums.chunks_exact_mut(od * oh * ow).enumerate() {
            if self.bias {
                plane.fill(params[1][[o]]);
            }
            for c in 0..cin {
                let channel = &x[(o / cout * cin + c) * d * h * w..][..d * h * w];
                let kernel = &weight[(o * cin + c) * kd * kh * kw..][..kd * kh * kw];
                for (k, &value) in kernel.iter().enumerate() {
                    let (i, j, l) = (k / (kh * kw), k / kw % kh, k % kw);
                    let columns: Vec<usize> =
                        (0..ow).filter(|&q| tap(2, w, q, l).is_some()).collect();
                    let Some(&first) = columns.first() else {
                        continue;
                    };
                    let from = tap(2, w, first, l).expect("filtered above");
                    for z in 0..od {
                        let Some(iz) = tap(0, d, z, i) else { continue };
                        for y in 0..oh {
                            let Some(iy) = tap(1, h, y, j) else { continue };
                            let row = &channel[(iz * h + iy) * w..][..w];
                            let out = &mut plane[(z * oh + y) * ow + first..][..columns.len()];
                            let taps = row[from..].iter().step_by(self.window.stride[2]);
                            out.iter_mut()
                                .zip(taps)
                                .for_each(|(sum, x)| *sum += value * x);
                        }
                    }
                }
            }
        }
        let mut dims = vec![self.out];
        dims.extend(&placed.out[3 - self.window.rank..]);
        let sums = ArrayD::from_shape_vec(IxDyn(&dims), sums).expect("as many sums as outputs");
        self.epilogue.evaluate(sums, inputs, params)
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        g.unfused(&self.epilogue)?;
        let x = g.shape(g.x(0));
        let placed = self.window.place(&x).expect("infer accepted it");
        let weight = g.param_shape(0).to_vec();
        conv::gradient(g, &Taps::new(&self.window, &placed, self.groups, weight));
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

    fn window(&self) -> Option<&Window> {
        Some(&self.window)
    }

    fn sliding(&self, operands: &[Shape]) -> Sliding {
        match self.window.unpadded(&operands[0]) {
            Ok(window) => {
                let stride = window.stride;
                let conv = self.clone();
                Sliding::Window(Box::new(Conv { window, ..conv }), stride)
            }
            Err(why) => Sliding::Fixed(why),
        }
    }
}

impl Lowering for Conv {
    fn lower(&self, cx: &mut Lower<'_>) {
        let shape = cx.input_shape(0);
        let placed = self
            .window
            .place(shape)
            .expect("infer accepted these operands");
        let taps = self.window.taps(&placed, shape);
        let cin = shape.channels() / self.groups;
        let [kd, kh, kw] = self.window.kernel.map(|k| k as i64);
        let volume = kd * kh * kw;
        let strides = [kh * kw, kw, 1];
        let norm = self.epilogue.norm(cx);
        let input = cx.input(0);
        let first = |axis: usize| {
            (taps[axis].start * self.window.dilation[axis]) as i64 - placed.before[axis] as i64
        };
        let output = cx.output();
        let job = ConvJob {
            origin: input.at(first(0), first(1), first(2)),
            input,
            output,
            residual: self.epilogue.residual(cx),
            kernel: taps.each_ref().map(|taps| taps.len()),
            stride: self.window.stride,
            dilation: self.window.dilation,
            groups: self.groups,
            weight: 0,
            weight_base: (0..3)
                .map(|axis| taps[axis].start as i64 * strides[axis])
                .sum(),
            weight_group: (self.out / self.groups * cin) as i64 * volume,
            weight_strides: [
                cin as i64 * volume,
                volume,
                strides[0],
                strides[1],
                strides[2],
            ],
            bias: self.bias.then_some(1),
            norm,
            act: self.epilogue.act.clone(),
        };
        cx.convolve(job);
    }
}
