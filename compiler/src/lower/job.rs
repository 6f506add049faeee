//! A convolution to be lowered, and the geometry of its loops.

use super::Norm;
use super::Storage;
use super::tiling::{LONG, Row};
use cnnc_runtime::kernel::winograd::Form;
use cnnc_runtime::kernel::{Axis as Tap, Step};

/// A convolution to be lowered.
#[derive(Clone)]
pub struct ConvJob {
    /// The operand, with the halo that the taps reach into.
    pub input: Storage,
    /// Offset of the first tap of the first output from the operand's first element.
    pub origin: i64,
    /// The result.
    pub output: Storage,
    /// What is added to the sums.
    pub residual: Option<Storage>,
    /// Taps of depth, height and width.
    pub kernel: [usize; 3],
    /// Steps.
    pub stride: [usize; 3],
    /// Distances between taps.
    pub dilation: [usize; 3],
    /// Groups.
    pub groups: usize,
    /// Index of the weight among the node's parameters.
    pub weight: usize,
    /// Element of the weight at the origin.
    pub weight_base: i64,
    /// Stride of the weight from group to group.
    pub weight_group: i64,
    /// Strides of the weight: output channel, input channel, depth, height, width.
    pub weight_strides: [i64; 5],
    /// Index of the bias among the node's parameters.
    pub bias: Option<usize>,
    /// Batch norm to fold.
    pub norm: Option<Norm>,
    /// Activation.
    pub act: Vec<Step>,
}

/// One dimension of the output with its strides in output, operand and residual.
#[derive(Clone, Copy)]
pub(super) struct Axis {
    pub count: usize,
    pub out: i64,
    pub input: i64,
    pub residual: i64,
}

/// The geometry that every call of one convolution shares.
pub(super) struct Grid {
    pub planes: Axis,
    pub rows: Axis,
    pub pixels: Axis,
    /// Taps, outermost first, then the contiguous run.
    pub taps: [Tap; 3],
    pub run: usize,
    /// Whether there are so many that they are summed in blocks.
    pub long: bool,
}

impl ConvJob {
    pub(super) fn grid(&self) -> Grid {
        let residual = self
            .residual
            .as_ref()
            .map_or([0; 3], |storage| storage.strides);
        let mut axes: Vec<Axis> = Vec::new();
        // Images of one pixel are together a row; where nothing lies between their pixels, so are others.
        let images = Axis {
            count: self.output.images,
            out: self.output.image,
            input: self.input.image,
            residual: self.residual.as_ref().map_or(0, |storage| storage.image),
        };
        let extents = [2, 1, 0].map(|i| Axis {
            count: self.output.dhw[i],
            out: self.output.strides[i],
            input: self.input.strides[i] * self.stride[i] as i64,
            residual: residual[i],
        });
        for axis in extents.into_iter().chain([images]) {
            match axes.last_mut() {
                _ if axis.count == 1 => {}
                Some(inner) if inner.continues(&axis) => inner.count *= axis.count,
                _ => axes.push(axis),
            }
        }
        axes.resize(
            3,
            Axis {
                count: 1,
                out: 0,
                input: 0,
                residual: 0,
            },
        );
        // The reduction: depth, height, width, channels; neighbours that are contiguous become one run.
        let run = self.input.channels / self.groups;
        let mut taps = vec![Tap {
            count: run,
            stride: 1,
        }];
        for i in [2, 1, 0] {
            let tap = self.tap(i);
            match taps.last_mut() {
                _ if tap.count == 1 => {}
                Some(inner) if tap.stride == inner.count as i64 * inner.stride => {
                    inner.count *= tap.count;
                }
                _ => taps.push(tap),
            }
        }
        taps.resize(4, Tap::ONCE);
        Grid {
            planes: axes[2],
            rows: axes[1],
            pixels: axes[0],
            taps: [taps[3], taps[2], taps[1]],
            run: taps[0].count,
            long: self.depth() > LONG,
        }
    }

    /// The taps along an axis.
    pub(super) fn tap(&self, axis: usize) -> Tap {
        Tap {
            count: self.kernel[axis],
            stride: self.input.strides[axis] * self.dilation[axis] as i64,
        }
    }

    /// Which of Winograd's algorithms computes it, if one does.
    pub(super) fn form(&self) -> Option<Form> {
        let [depth, height, width] = self.kernel;
        let plain = (depth, height) == (1, width)
            && self.stride == [1, 1, 1]
            && self.dilation == [1, 1, 1]
            && self.groups == 1
            && self.output.dhw[0] == 1
            && (self.output.images == 1 || self.is_merged());
        Form::of(width).filter(|_| plain)
    }

    /// Whether it is of several images of several pixels.
    pub(super) fn is_merged(&self) -> bool {
        self.output.images > 1 && self.output.pixels() > 1
    }

    /// Whether it can be of several images: pictures whose channels all meet.
    pub(super) fn merges(&self) -> bool {
        self.groups == 1 && self.output.dhw[0] == 1
    }

    /// The same of other images: its tensors are put where `of` says.
    pub(super) fn of_images(self, of: impl Fn(Storage) -> Storage) -> ConvJob {
        ConvJob {
            input: of(self.input),
            output: of(self.output),
            residual: self.residual.map(of),
            ..self
        }
    }

    /// Elements of the operand that one group reads.
    pub(super) fn operand(&self) -> usize {
        self.input.images * self.input.pixels() * self.input.channels / self.groups
    }

    /// Pixels of the result, of all images.
    pub(super) fn pixels(&self) -> usize {
        self.output.images * self.output.pixels()
    }

    /// Multiply-adds.
    pub(super) fn sums(&self) -> usize {
        self.pixels() * self.output.channels * self.depth()
    }

    /// Terms of each sum.
    pub(super) fn depth(&self) -> usize {
        let taps: usize = self.kernel.iter().product();
        taps * self.input.channels / self.groups
    }
}

impl Grid {
    /// The pixels of a row, as a tile reads them.
    pub fn row(&self) -> Row {
        Row {
            pixels: self.pixels.count,
            apart: self.pixels.input.unsigned_abs() as usize,
        }
    }

    /// Whether all pixels are one row.
    pub fn is_flat(&self) -> bool {
        self.rows.count == 1
    }

    /// What can be cut into blocks, and the least that is worth a block: rows, or pixels where there is one row, enough for a tile of registers.
    pub fn cuttable(&self) -> (usize, usize) {
        match self.is_flat() {
            true => (self.pixels.count, 6),
            false => (self.rows.count, 1),
        }
    }
}

impl Axis {
    fn continues(&self, outer: &Axis) -> bool {
        let n = self.count as i64;
        outer.out == n * self.out
            && outer.input == n * self.input
            && outer.residual == n * self.residual
    }
}
