//! `pad`: pixels around a tensor, of a constant or of the tensor itself.

use super::crop::Crop;
use super::window::Padding;
use super::{
    ArgError, Args, Attribute, Attributes, Decl, Inferred, Kind, Layer, Lowering, ParamDecl,
    ShapeError, copy, grid,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::op::along::Along;
use crate::shape::Shape;
use ndarray::ArrayD;

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "pad",
    doc: "Pixels around a tensor, of a constant or of the tensor itself (PyTorch's `ReflectionPad2d` and `ReplicationPad2d`). Convolutions and pools pad by \
          themselves, with zeros, see their `pad`.",
    params: &[
        ParamDecl {
            name: "pad",
            kind: Kind::Padding,
            positional: true,
            default: None,
            doc: "How many: `1`, `0x1` (each axis), or `(top, bottom, left, right)`.",
        },
        ParamDecl {
            name: "mode",
            kind: Kind::Word(&["constant", "reflect", "edge", "wrap"]),
            positional: true,
            default: Some("constant"),
            doc: "What they are: the constant; `reflect`: the tensor mirrored at its outermost pixels, which are not repeated; `edge`: its outermost pixels, \
                  repeated (PyTorch's `replicate`); `wrap`: those of the opposite end (PyTorch's `circular`).",
        },
        ParamDecl {
            name: "value",
            kind: Kind::Float,
            positional: false,
            default: Some("0"),
            doc: "The constant.",
        },
    ],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x4x3; pad 1",
        "input x: 3x4x3; pad (0, 1, 2, 0)",
        "input x: 5x60x64; pad 1",
        "input x: 17x9; pad 2 value -1.5",
        "input x: 3x2x3x4; pad 0x1x2",
        "input x: 3x5x5; pad (1, 2, 1, 2); conv 3x3 8 /2",
        "input x: 5x4x3; pad (3, 1, 0, 2) reflect",
        "input x: 17x9; pad (0, 8) reflect",
        "input x: 3x2x3x4; pad 1x2x3 reflect; conv 3x3x3 2 pad half",
        "input x: 5x60x64; pad 3 reflect",
        "input x: 5x4x3; pad (5, 1, 0, 4) edge",
        "input x: 7x1; pad (2, 3) mode edge",
        "input x: 3x2x1x3; pad (1, 0, 2, 2, 4, 1) edge",
        "input x: 5x4x3; pad (1, 4, 0, 2) wrap",
    ],
};

/// What the pixels around a tensor are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// This number.
    Constant(f64),
    /// The tensor, mirrored at its outermost pixels.
    Reflect,
    /// Its outermost pixels.
    Edge,
    /// Those of the opposite end.
    Wrap,
}

/// Pixels around a tensor.
#[derive(Clone, Debug)]
pub struct Pad {
    /// `(before, after)` of each axis.
    pub sides: Vec<(usize, usize)>,
    /// What they are.
    pub mode: Mode,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    if args.get("pad").is_none() {
        return Err(args.missing("pad"));
    }
    if args.rank == 0 {
        return Err(args
            .error("pad", "a vector has no pixels to pad")
            .help("use `padchannels`"));
    }
    let Padding::Explicit(sides) = Padding::from_args(args, args.rank)? else {
        return Err(args.error(
            "pad",
            "the layer `pad` takes numbers: it has no kernel that words could refer to",
        ));
    };
    let sides = sides[3 - args.rank..].to_vec();
    let value = args.number("value")?.unwrap_or(0.0);
    let mode = match args.word("mode") {
        Some("reflect") => Mode::Reflect,
        Some("edge") => Mode::Edge,
        Some("wrap") => Mode::Wrap,
        _ => Mode::Constant(value),
    };
    if !matches!(mode, Mode::Constant(_)) && args.is_written("value") {
        return Err(args.error("value", "`value` is a parameter of `constant` only"));
    }
    Ok(Box::new(Pad { sides, mode }))
}

/// Pixels along an axis that are copied together.
struct Run {
    count: usize,
    /// Place of the first in the result, and in the operand.
    to: usize,
    from: usize,
    /// From one to the next in the operand.
    step: i64,
}

impl Pad {
    /// What the result is made of along an axis of `n` pixels: those before, the operand, those behind.
    fn runs(&self, (before, after): (usize, usize), n: usize) -> Vec<Run> {
        let run = |count, to, from, step| Run {
            count,
            to,
            from,
            step,
        };
        let inside = run(n, before, 0, 1);
        let runs = match self.mode {
            Mode::Constant(_) => vec![inside],
            Mode::Reflect => vec![
                run(before, 0, before, -1),
                inside,
                run(after, before + n, n.saturating_sub(2), -1),
            ],
            Mode::Edge => vec![
                run(before, 0, 0, 0),
                inside,
                run(after, before + n, n - 1, 0),
            ],
            Mode::Wrap => vec![
                run(before, 0, n.saturating_sub(before), 1),
                inside,
                run(after, before + n, 0, 1),
            ],
        };
        runs.into_iter().filter(|run| run.count > 0).collect()
    }

    /// Which element of an axis of `extent` stands at a place of the result; none where the constant does.
    fn source(&self, axis: usize, place: usize, extent: usize) -> Option<usize> {
        let spatial = (axis + self.sides.len()).checked_sub(3);
        let before = spatial.map_or(0, |axis| self.sides[axis].0) as i64;
        let (i, last) = (place as i64 - before, extent as i64 - 1);
        let source = match self.mode {
            Mode::Constant(_) if i < 0 || i > last => return None,
            Mode::Reflect if i < 0 => -i,
            Mode::Reflect if i > last => 2 * last - i,
            Mode::Wrap => i.rem_euclid(last + 1),
            _ => i.clamp(0, last),
        };
        Some(source as usize)
    }

    /// The runs of depth, height and width.
    fn grid(&self, x: &Shape) -> [Vec<Run>; 3] {
        let [d, h, w] = x.dhw();
        let mut sides = [(0, 0); 3];
        sides[3 - self.sides.len()..].copy_from_slice(&self.sides);
        [
            self.runs(sides[0], d),
            self.runs(sides[1], h),
            self.runs(sides[2], w),
        ]
    }
}

impl Layer for Pad {
    fn attributes(&self) -> (&'static str, Attributes) {
        let mode = match self.mode {
            Mode::Constant(value) => ("value", value.into()),
            Mode::Reflect => ("mode", "reflect".into()),
            Mode::Edge => ("mode", "edge".into()),
            Mode::Wrap => ("mode", "wrap".into()),
        };
        (
            DECL.keyword,
            vec![("pad", Attribute::sides(&self.sides)), mode],
        )
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let x = &inputs[0];
        if x.spatial().len() != self.sides.len() {
            return Err(ShapeError::new(format!(
                "{x} does not have {} spatial dimensions",
                self.sides.len()
            )));
        }
        let axes = || x.spatial().iter().zip(&self.sides);
        if self.mode == Mode::Reflect
            && let Some((n, far)) = axes()
                .map(|(n, (before, after))| (n, before.max(after)))
                .find(|(n, far)| far >= n)
        {
            let message = format!(
                "reflecting {far} pixels takes an extent of at least {}, {x} has {n}",
                far + 1
            );
            let help = "use less padding, or `edge`, which repeats the outermost pixel";
            return Err(ShapeError::new(message).help(help));
        }
        if self.mode == Mode::Wrap
            && let Some((n, far)) = axes()
                .map(|(n, (before, after))| (n, before.max(after)))
                .find(|(n, far)| far > n)
        {
            let message = format!("{far} pixels of the opposite end, where {x} has {n}");
            return Err(ShapeError::new(message).help("use less padding"));
        }
        let mut dims = vec![x.channels()];
        dims.extend(axes().map(|(n, (before, after))| before + n + after));
        let output = Shape::new(dims)
            .ok_or_else(|| ShapeError::new(format!("the padded {x} is too large")))?;
        Ok(Inferred {
            pieces: self.grid(x).iter().map(Vec::len).product(),
            ..Inferred::plain(output)
        })
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let shape = grid::shape(inputs[0]);
        let output = self
            .infer(std::slice::from_ref(&shape))
            .expect("infer accepted it")
            .output;
        let (x, extents) = (grid::view(inputs[0]), shape.dhw());
        let constant = match self.mode {
            Mode::Constant(value) => value,
            Mode::Reflect | Mode::Edge | Mode::Wrap => 0.0,
        };
        grid::tabulate(&output, |[c, pixel @ ..]| {
            let mut source = [0; 3];
            for axis in 0..3 {
                match self.source(axis, pixel[axis], extents[axis]) {
                    Some(place) => source[axis] = place,
                    None => return constant,
                }
            }
            let [d, h, w] = source;
            x[[c, d, h, w]]
        })
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let x = g.shape(g.x(0));
        let dx = match self.mode {
            Mode::Constant(_) => {
                let (size, at) = (x.spatial().to_vec(), self.sides.iter().map(|side| side.0));
                let at = Some(at.collect());
                g.push(Crop { size, at }, &[g.dy()])
            }
            Mode::Reflect | Mode::Edge | Mode::Wrap => {
                let y = g.shape(g.y());
                let adjoint = Along::adjoint(self.attributes(), &x, &y, |axis, place| {
                    let source = self.source(axis, place, x.dhw()[axis]);
                    source.map(|source| (source, 1.0)).into_iter().collect()
                });
                g.push(adjoint, &[g.dy()])
            }
        };
        g.give(0, dx);
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl Lowering for Pad {
    /// A copy for each part of the result: the operand, and what lies beyond each edge, edges crossing included.
    fn lower(&self, cx: &mut Lower<'_>) {
        let (to, from) = (cx.output(), cx.input(0));
        if let Mode::Constant(value) = self.mode {
            copy::fill(cx, &to, value);
        }
        let [depth, height, width] = self.grid(cx.input_shape(0));
        for d in &depth {
            for h in &height {
                for w in &width {
                    let (mut into, mut out_of) = (to.clone(), from.clone());
                    for (axis, run) in [d, h, w].into_iter().enumerate() {
                        into.base += run.to as i64 * to.strides[axis];
                        into.dhw[axis] = run.count;
                        out_of.base += run.from as i64 * from.strides[axis];
                        out_of.strides[axis] *= run.step;
                    }
                    copy::copy(cx, &into, &out_of, &copy::all(&into, &out_of));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array, IxDyn};

    /// What PyTorch's documentation shows of its layers.
    #[test]
    fn rows_are_mirrored_and_repeated() {
        let row = ArrayD::from_shape_vec(IxDyn(&[1, 4]), vec![0.0, 1.0, 2.0, 3.0]).unwrap();
        for (sides, mode, expected) in [
            ((2, 2), Mode::Reflect, vec![2, 1, 0, 1, 2, 3, 2, 1]),
            ((3, 1), Mode::Reflect, vec![3, 2, 1, 0, 1, 2, 3, 2]),
            ((2, 2), Mode::Edge, vec![0, 0, 0, 1, 2, 3, 3, 3]),
            ((0, 5), Mode::Edge, vec![0, 1, 2, 3, 3, 3, 3, 3, 3]),
            ((1, 2), Mode::Constant(9.0), vec![9, 0, 1, 2, 3, 9, 9]),
            ((3, 2), Mode::Wrap, vec![1, 2, 3, 0, 1, 2, 3, 0, 1]),
        ] {
            let sides = vec![sides];
            let padded = Pad { sides, mode }.evaluate(&[&row], &[]);
            let expected: Vec<f64> = expected.into_iter().map(f64::from).collect();
            assert_eq!(padded.into_raw_vec_and_offset().0, expected, "{mode:?}");
        }
    }

    /// `ReflectionPad2d((1, 1, 2, 0))` and `ReplicationPad2d((1, 1, 2, 0))` of the numbers 0 to 8.
    #[test]
    fn corners_are_mirrored_and_repeated_along_both_axes() {
        let x = Array::from_iter((0..9).map(f64::from));
        let x = x.into_shape_with_order(IxDyn(&[1, 3, 3])).unwrap();
        let sides = vec![(2, 0), (1, 1)];
        for (mode, expected) in [
            (
                Mode::Reflect,
                [
                    [7, 6, 7, 8, 7],
                    [4, 3, 4, 5, 4],
                    [1, 0, 1, 2, 1],
                    [4, 3, 4, 5, 4],
                    [7, 6, 7, 8, 7],
                ],
            ),
            (
                Mode::Edge,
                [
                    [0, 0, 1, 2, 2],
                    [0, 0, 1, 2, 2],
                    [0, 0, 1, 2, 2],
                    [3, 3, 4, 5, 5],
                    [6, 6, 7, 8, 8],
                ],
            ),
        ] {
            let sides = sides.clone();
            let padded = Pad { sides, mode }.evaluate(&[&x], &[]);
            let expected: Vec<f64> = expected.concat().into_iter().map(f64::from).collect();
            assert_eq!(padded.shape(), [1, 5, 5]);
            assert_eq!(padded.into_raw_vec_and_offset().0, expected, "{mode:?}");
        }
    }
}
