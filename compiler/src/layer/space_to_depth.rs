//! `space_to_depth` and `depth_to_space`: blocks of pixels become channels, and back.

use super::{
    ArgError, Args, Attributes, Decl, Inferred, Kind, Layer, Lowering, ParamDecl, ShapeError, copy,
    grid,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::{Lower, Storage};
use crate::shape::Shape;
use ndarray::ArrayD;

const BLOCK: ParamDecl = ParamDecl {
    name: "size",
    kind: Kind::Int,
    positional: true,
    default: None,
    doc: "Extent of a block along every axis.",
};

/// Row of the table of layers: `space_to_depth`.
pub static SPACE_TO_DEPTH: Decl = Decl {
    keyword: "space_to_depth",
    doc: "Blocks of pixels become channels (darknet's `reorg`, PyTorch's `pixel_unshuffle`). With `b` the block, `c` of `C` the operand's channel and \
          `p` of `P` the pixel's place in its block, row by row, the new channel is `p·C + c` for `dcr` (TensorFlow, ONNX) and `c·P + p` for `crd` \
          (PyTorch). `darknet` is the permutation of darknet's own code: operand and result of `dcr` \
          are taken, in row-major order, for tensors with fewer channels and more pixels: `C/b² × b·H × b·W` becomes `C × H × W`.",
    params: &[
        BLOCK,
        ParamDecl {
            name: "order",
            kind: Kind::Word(&["dcr", "crd", "darknet"]),
            positional: true,
            default: Some("dcr"),
            doc: "Order of the new channels; `darknet` works in two dimensions.",
        },
    ],
    operands: (1, 1),
    build: |args| build(args, &SPACE_TO_DEPTH),
    samples: &[
        "input x: 3x4x6; space_to_depth 2",
        "input x: 5x6x6; space_to_depth 3 crd",
        "input x: 8x4x6; space_to_depth 2 darknet",
        "input x: 18x6x3; space_to_depth 3 order darknet; relu",
        "input x: 3x8; space_to_depth 4 order dcr",
        "input x: 3x4x2x4; space_to_depth 2 crd",
        "input x: 3x4x4; conv 3x3 5 pad half; space_to_depth 2; conv 3x3 4 pad half",
    ],
};

/// Row of the table of layers: `depth_to_space`.
pub static DEPTH_TO_SPACE: Decl = Decl {
    keyword: "depth_to_space",
    doc: "Channels become blocks of pixels: the inverse of `space_to_depth` with the same order (`crd` is PyTorch's `pixel_shuffle`).",
    params: &[
        BLOCK,
        ParamDecl {
            name: "order",
            kind: Kind::Word(&["dcr", "crd"]),
            positional: true,
            default: Some("dcr"),
            doc: "Order of the operand's channels.",
        },
    ],
    operands: (1, 1),
    build: |args| build(args, &DEPTH_TO_SPACE),
    samples: &[
        "input x: 12x2x3; depth_to_space 2",
        "input x: 18x2x2; depth_to_space 3 crd",
        "input x: 6x5; depth_to_space 2",
        "input x: 24x1x2x3; depth_to_space 2 order dcr",
    ],
};

/// Order of the channels that are made of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Place in the block, then channel.
    Dcr,
    /// Channel, then place in the block.
    Crd,
    /// The permutation of darknet's code.
    Darknet,
}

/// Pixels to channels, or back.
#[derive(Clone, Debug)]
pub struct Rearrange {
    /// Extent of a block along every axis.
    pub block: usize,
    /// Order of the channels.
    pub order: Order,
    /// Whether channels become pixels.
    pub inverse: bool,
}

fn build(args: &mut Args, row: &'static Decl) -> Result<Box<dyn Layer>, ArgError> {
    let block = args.positive("size")?.ok_or_else(|| args.missing("size"))?;
    let order = match args.word("order") {
        Some("crd") => Order::Crd,
        Some("darknet") => Order::Darknet,
        _ => Order::Dcr,
    };
    Ok(Box::new(Rearrange {
        block,
        order,
        inverse: row.keyword == DEPTH_TO_SPACE.keyword,
    }))
}

impl Rearrange {
    /// Pixels in a block of that many dimensions.
    fn volume(&self, rank: usize) -> usize {
        self.block.saturating_pow(rank as u32)
    }

    /// Channel that is made of channel `c` of `channels` and place `p` of `volume`.
    fn channel(&self, c: usize, channels: usize, p: usize, volume: usize) -> usize {
        match self.order {
            Order::Crd => c * volume + p,
            Order::Dcr | Order::Darknet => p * channels + c,
        }
    }

    /// The shape with pixels as channels.
    fn deep(&self, x: &Shape) -> Result<Shape, ShapeError> {
        let rank = x.spatial().len();
        let uneven = x.spatial().iter().any(|n| !n.is_multiple_of(self.block));
        if rank == 0 || uneven {
            let message = format!("{x} cannot be cut into blocks of {}", self.block);
            return Err(
                ShapeError::new(message).help("every extent must be a multiple of the block")
            );
        }
        if self.order == Order::Darknet {
            if rank != 2 {
                return Err(ShapeError::new(format!(
                    "{x} does not have two spatial dimensions, which `darknet` needs"
                )));
            }
            if !x.channels().is_multiple_of(self.volume(2)) {
                let message = format!(
                    "`darknet` needs a multiple of {} channels, its operand is {x}",
                    self.volume(2)
                );
                return Err(ShapeError::new(message).help("use the order `dcr`"));
            }
        }
        let mut dims = vec![x.channels().saturating_mul(self.volume(rank))];
        dims.extend(x.spatial().iter().map(|n| n / self.block));
        Ok(Shape::new(dims).expect("as many elements as the operand"))
    }

    /// The shape with channels as pixels.
    fn wide(&self, x: &Shape) -> Result<Shape, ShapeError> {
        let rank = x.spatial().len();
        let volume = self.volume(rank);
        if rank == 0 || !x.channels().is_multiple_of(volume) {
            let message = format!("the channels of {x} cannot become blocks of {}", self.block);
            return Err(ShapeError::new(message).help(format!(
                "it needs a multiple of {volume} channels and at least one spatial dimension"
            )));
        }
        let mut dims = vec![x.channels() / volume];
        dims.extend(x.spatial().iter().map(|n| n * self.block));
        Ok(Shape::new(dims).expect("as many elements as the operand"))
    }
}

impl Layer for Rearrange {
    fn attributes(&self) -> (&'static str, Attributes) {
        let row = if self.inverse {
            &DEPTH_TO_SPACE
        } else {
            &SPACE_TO_DEPTH
        };
        let order = match self.order {
            Order::Dcr => "dcr",
            Order::Crd => "crd",
            Order::Darknet => "darknet",
        };
        (
            row.keyword,
            vec![("size", self.block.into()), ("order", order.into())],
        )
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let output = match self.inverse {
            true => self.wide(&inputs[0]),
            false => self.deep(&inputs[0]),
        };
        output.map(Inferred::plain)
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let shape = grid::shape(inputs[0]);
        let output = self
            .infer(std::slice::from_ref(&shape))
            .expect("infer accepted it")
            .output;
        let b = self.block;
        let rank = shape.spatial().len();
        let volume = self.volume(rank);
        // Blocks along axes that the tensor does not have are one element long.
        let blocks: [usize; 3] = std::array::from_fn(|axis| if axis + rank < 3 { 1 } else { b });
        if self.order == Order::Darknet {
            return darknet(inputs[0], &output, b);
        }
        let x = grid::view(inputs[0]);
        if self.inverse {
            return grid::tabulate(&output, |[c, d, h, w]| {
                let place = (d % blocks[0] * blocks[1] + h % blocks[1]) * blocks[2] + w % blocks[2];
                let channel = self.channel(c, output.channels(), place, volume);
                x[[channel, d / blocks[0], h / blocks[1], w / blocks[2]]]
            });
        }
        grid::tabulate(&output, |[channel, d, h, w]| {
            let (c, place) = match self.order {
                Order::Crd => (channel / volume, channel % volume),
                _ => (channel % shape.channels(), channel / shape.channels()),
            };
            let (i, j, k) = (
                place / (blocks[1] * blocks[2]),
                place / blocks[2] % blocks[1],
                place % blocks[2],
            );
            x[[c, d * blocks[0] + i, h * blocks[1] + j, w * blocks[2] + k]]
        })
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let x = g.shape(g.x(0));
        let back = |order| Rearrange {
            order,
            inverse: !self.inverse,
            ..self.clone()
        };
        let dx = match self.order {
            Order::Darknet => {
                // What is rearranged is the operand taken for a tensor with fewer channels and more pixels.
                let taken = g.reshape(g.dy(), &x);
                let wide = g.push(back(Order::Dcr), &[taken]);
                g.reshape(wide, &x)
            }
            order => g.push(back(order), &[g.dy()]),
        };
        g.give(0, dx);
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl Lowering for Rearrange {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (to, from) = (cx.output(), cx.input(0));
        let (deep, wide) = if self.inverse {
            (&from, &to)
        } else {
            (&to, &from)
        };
        let b = self.block;
        if self.order == Order::Darknet {
            return lower_darknet(cx, &to, &from, b);
        }
        let rank = cx.input_shape(0).spatial().len();
        let volume = self.volume(rank);
        // Strides of place and channel in the deep tensor.
        let place = self.channel(0, wide.channels, 1, volume) as i64;
        let channel = self.channel(1, wide.channels, 0, volume) as i64;
        // (count, stride in the wide tensor, stride in the deep one)
        let mut dims: Vec<copy::Dim> = Vec::new();
        for axis in 3 - rank..3 {
            let inner = b.pow((2 - axis) as u32) as i64;
            dims.push((
                deep.dhw[axis],
                b as i64 * wide.strides[axis],
                deep.strides[axis],
            ));
            dims.push((b, wide.strides[axis], inner * place));
        }
        dims.push((wide.channels, 1, channel));
        if !self.inverse {
            dims = dims
                .into_iter()
                .map(|(count, wide, deep)| (count, deep, wide))
                .collect();
        }
        copy::copy(cx, &to, &from, &dims);
    }
}

/// `reorg_cpu` of darknet's src/blas.c, as its `reorg` layer calls it.
fn darknet(x: &ArrayD<f64>, output: &Shape, stride: usize) -> ArrayD<f64> {
    let flat: Vec<f64> = x.iter().copied().collect();
    let (c, h, w) = (x.shape()[0], x.shape()[1], x.shape()[2]);
    let out_c = c / (stride * stride);
    let mut out = vec![0.0; flat.len()];
    for k in 0..c {
        for j in 0..h {
            for i in 0..w {
                let (c2, offset) = (k % out_c, k / out_c);
                let (w2, h2) = (i * stride + offset % stride, j * stride + offset / stride);
                out[i + w * (j + h * k)] = flat[w2 + w * stride * (h2 + h * stride * c2)];
            }
        }
    }
    ArrayD::from_shape_vec(output.dims(), out).expect("as many elements")
}

/// Through row-major scratch memory on both sides, where the permutation is one of strides.
fn lower_darknet(cx: &mut Lower<'_>, to: &Storage, from: &Storage, block: usize) {
    let (channels, [_, h, w], b) = (from.channels / (block * block), from.dhw, block as i64);
    let before = copy::unfolded(cx, from);
    let after = copy::scratch(cx, from.channels * from.pixels());
    let (row, plane) = (w as i64, (h * w) as i64);
    let dims = [
        (block, b * channels as i64 * plane, b * row),
        (block, channels as i64 * plane, 1),
        (channels, plane, b * b * plane),
        (h, row, b * b * row),
        (w, 1, b),
    ];
    copy::copy(cx, &after, &before, &dims);
    copy::copy(cx, to, &after, &copy::inverse(&copy::row_major(to)));
}
