//! `local`: a convolution that has another kernel at every position.

use super::epilogue::{Epilogue, clamp};
use super::window::{PAD, STRIDE, Window, show};
use super::{
    ArgError, Args, Attributes, Decl, Inferred, Kind, Layer, Lowering, ParamDecl, ParamSpec,
    ShapeError, grid,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::{Biases, LONG, Lower, Panels};
use crate::op::conv::{self, Taps};
use crate::shape::Shape;
use cnnc_runtime::kernel::{Axis, ConvCall, Pixels, conv_tiles, long_conv_tiles};
use ndarray::ArrayD;

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "local",
    doc: "Locally connected layer in two dimensions: a convolution whose weights are not shared between positions (darknet's `local`, YOLOv1; \
          Keras's `LocallyConnected2D`). `out[o, i, j] = bias[o, i, j] + Σ weight[i, j, o, c, k, l] · in[c, i·stride + k − pad, j·stride + l − pad]`. \
          `weight` is (rows, columns, out, in, kernel rows, kernel columns), `bias` is (out, rows, columns): the order in darknet's files.",
    params: &[
        ParamDecl {
            name: "kernel",
            kind: Kind::Dims,
            positional: true,
            default: None,
            doc: "Extents of the kernels: `3x3`.",
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
        "input x: 5x4x3; l: local 3x3 7 pad half",
        "input x: 3x9x7; l: local 3x2 9 /2 bias off relu",
        "input x: 17x5x6; l: local 3x3 40 /2x1 pad (1, 0, 2, 1)",
        "input x: 4x3x3; l: local 1x1 130",
        "input x: 3x6x5; conv 3x3 12 pad half relu; l: local 2x2 70 leaky",
        "input x: 5x4x3; l: local 3x3 17 pad half bias off; bn affine off; silu",
        "input x: 5x4x3; input r: 40x4x3; l: x local 3x3 40 pad half bn; add(l, r); relu",
    ],
};

/// A locally connected layer.
#[derive(Clone, Debug)]
pub struct Local {
    /// How the kernel slides.
    pub window: Window,
    /// Output channels.
    pub out: usize,
    /// Whether a bias is added.
    pub bias: bool,
    /// What passes have fused.
    pub epilogue: Epilogue,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let window = Window::from_args(args, false)?;
    if window.rank != 2 {
        return Err(args.error(
            "kernel",
            "`local` works in two dimensions: its kernel is such as `3x3`",
        ));
    }
    Ok(Box::new(Local {
        window,
        out: args.positive("out")?.ok_or_else(|| args.missing("out"))?,
        bias: args.flag("bias")?.unwrap_or(true),
        epilogue: Epilogue::default(),
    }))
}

impl Layer for Local {
    fn attributes(&self) -> (&'static str, Attributes) {
        let mut attributes = self.window.attributes();
        attributes.retain(|(name, _)| *name != "dilation");
        attributes.insert(1, ("out", self.out.into()));
        attributes.push(("bias", self.bias.into()));
        attributes.extend(self.epilogue.attributes());
        (DECL.keyword, attributes)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let x = &inputs[0];
        let placed = self.window.place(x)?;
        let [_, rows, columns] = placed.out;
        let [_, height, width] = self.window.kernel;
        let output = Shape::new([self.out, rows, columns]).ok_or_else(|| {
            let kernel = show(&[height, width]);
            ShapeError::new(format!("the result of {kernel} on {x} is too large"))
        })?;
        self.epilogue.check(inputs, &output)?;
        let weight = [rows, columns, self.out, x.channels(), height, width];
        let macs = weight.iter().map(|&extent| extent as u64);
        let macs = macs.fold(1, u64::saturating_mul);
        let mut params = vec![ParamSpec::learned("weight", weight)];
        if self.bias {
            params.push(ParamSpec::learned("bias", [self.out, rows, columns]));
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

    fn evaluate(&self, inputs: &[&ArrayD<f64>], params: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let shape = grid::shape(inputs[0]);
        let placed = self.window.place(&shape).expect("infer accepted it");
        let output =
            Shape::new([self.out, placed.out[1], placed.out[2]]).expect("infer accepted it");
        let ([_, height, width], [_, kh, kw]) = (shape.dhw(), self.window.kernel);
        let tap = |axis: usize, n: usize, out: usize, k: usize| {
            let at = out * self.window.stride[axis] + k;
            at.checked_sub(placed.before[axis]).filter(|&at| at < n)
        };
        let sums = grid::tabulate(&output, |[o, _, i, j]| {
            let mut sum = if self.bias { params[1][[o, i, j]] } else { 0.0 };
            for c in 0..shape.channels() {
                for k in 0..kh {
                    let Some(y) = tap(1, height, i, k) else {
                        continue;
                    };
                    for l in 0..kw {
                        if let Some(x) = tap(2, width, j, l) {
                            sum += params[0][[i, j, o, c, k, l]] * inputs[0][[c, y, x]];
                        }
                    }
                }
            }
            sum
        });
        self.epilogue.evaluate(sums, inputs, params)
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        g.unfused(&self.epilogue)?;
        let x = g.shape(g.x(0));
        let placed = self.window.place(&x).expect("infer accepted it");
        let weight = g.param_shape(0).to_vec();
        let taps = Taps {
            local: true,
            ..Taps::new(&self.window, &placed, 1, weight)
        };
        conv::gradient(g, &taps);
        if self.bias && g.wants_param(1) {
            g.give_param(1, g.dy());
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

impl Lowering for Local {
    /// The convolution tile of one pixel, at every position with the panels of that position: what takes the time is reading weights.
    fn lower(&self, cx: &mut Lower<'_>) {
        let shape = cx.input_shape(0);
        let placed = self.window.place(shape).expect("infer accepted it");
        let taps = self.window.taps(&placed, shape);
        let (input, output) = (cx.input(0), cx.output());
        let [_, rows, columns] = placed.out;
        let [_, kh, kw] = self.window.kernel;
        let [_, y, x] = taps.each_ref().map(|taps| taps.len());
        let (channels, positions) = (input.channels, rows * columns);
        // Equal panels, so that only the last vector of the last one has unused lanes: a tile stores no less.
        let needed = self.out.div_ceil(cx.lanes());
        let depth = channels * y * x;
        let long = depth > LONG;
        let tiles = if long {
            long_conv_tiles()
        } else {
            conv_tiles(cx.isa())
        };
        let widths = [8, 4, 3, 2, 1].into_iter();
        let vectors = widths
            .filter(|&width| tiles.contains(&(1, width as u8)))
            .find(|&width| needed.is_multiple_of(width))
            .expect("there is a tile of one vector");
        let block = vectors * cx.lanes();
        let kernels = (channels * kh * kw) as i64;
        let norm = self.epilogue.norm(cx);
        // Each position is a group, of the same channels.
        let weights = cx.panels(Panels {
            param: 0,
            base: (taps[1].start * kw + taps[2].start) as i64,
            groups: (positions, self.out as i64 * kernels),
            outs: (self.out, kernels),
            channel: (0, 0),
            reduce: vec![(y, kw as i64), (x, 1), (channels, (kh * kw) as i64)],
            block,
            norm,
        });
        let bias = cx.bias(Biases {
            param: self.bias.then_some(1),
            at: (0, 1, positions),
            groups: positions,
            outs: self.out,
            channel: (0, 0),
            block,
            norm,
        });
        let residual = self.epilogue.residual(cx);
        let fused = clamp(&self.epilogue.act);
        let (slope, high) = fused.unwrap_or((1.0, f64::INFINITY));
        let blocks = self.out.div_ceil(block);
        let first = |axis: usize| taps[axis].start as i64 - placed.before[axis] as i64;
        let origin = input.at(0, first(1), first(2));
        let stride = self.window.stride.map(|s| s as i64);
        cx.parallel(rows, |cx, i| {
            cx.repeat(columns, |cx, j| {
                let position = i.clone().times(columns as i64).add(&j);
                let along = |strides: [i64; 2]| {
                    i.clone()
                        .times(strides[0])
                        .add(&j.clone().times(strides[1]))
                };
                let out = along([output.strides[1], output.strides[2]]);
                let added = residual.as_ref().map(|residual| {
                    residual.access(along([residual.strides[1], residual.strides[2]]))
                });
                let from = along([stride[1] * input.strides[1], stride[2] * input.strides[2]])
                    .offset(origin);
                let part = |cx: &mut Lower<'_>, first: usize, count: usize, lanes: usize| {
                    cx.repeat(count, |cx, p| {
                        let panel = position
                            .clone()
                            .times(blocks as i64)
                            .add(&p)
                            .offset(first as i64);
                        let channel = p.times(block as i64).offset((first * block) as i64);
                        let pixel = |at| Pixels {
                            at,
                            row: 0,
                            pixel: 0,
                        };
                        let tap = |axis: usize, count| Axis {
                            count,
                            stride: input.strides[axis],
                        };
                        cx.call(ConvCall {
                            tile: (1, vectors),
                            long,
                            rows: 1,
                            tiles: 1,
                            channels: lanes,
                            taps: [Axis::ONCE, tap(1, y), tap(2, x)],
                            run: channels,
                            out: pixel(output.access(out.clone().add(&channel))),
                            x: pixel(input.access(from.clone())),
                            w: weights.moved(&panel.clone().times((depth * block) as i64)),
                            w_row: 0,
                            bias: Some(bias.moved(&panel.times(block as i64))),
                            fetch: None,
                            residual: added.as_ref().map(|added| pixel(added.moved(&channel))),
                            slope,
                            hi: high,
                        });
                    });
                };
                let full = self.out / block;
                if full > 0 {
                    part(cx, 0, full, block);
                }
                if full < blocks {
                    part(cx, full, 1, self.out - full * block);
                }
            });
            if fused.is_none() {
                let row = output.access(i.times(output.strides[1]));
                let pixels = (columns, output.strides[2]);
                cx.activate(&self.epilogue.act, row, (1, 0), pixels, self.out);
            }
        });
    }
}
