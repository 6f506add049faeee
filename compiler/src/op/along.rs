//! `along`: a sparse matrix along each axis of the pixels.
//!
//! Average pools, upsampling, every n-th pixel and mirrored or repeated edges are, for each channel, a matrix along depth, one along height and one
//! along width, one after the other. So are their adjoints: the matrices transposed.

use crate::layer::{
    Attribute, Attributes, Inferred, Layer, Lowering, NO_HALO, ShapeError, copy, grid,
};
use crate::lower::{Lower, Storage, Sweep};
use crate::shape::Shape;
use cnnc_runtime::kernel::AccumulateCall;
use ndarray::ArrayD;
use std::sync::Arc;

/// Its keyword.
pub const KEYWORD: &str = "along";

/// The terms of a sum: which element, and its factor.
pub type Terms = Vec<(usize, f64)>;

/// Every element is a sum over a grid of the operand's: the factors are those along the axes, multiplied.
#[derive(Clone, Debug)]
pub struct Along {
    /// The layer whose adjoint it is, which with both shapes says what the factors are.
    of: (&'static str, Attributes),
    /// Depth, height and width of the operand.
    from: [usize; 3],
    /// The result's shape.
    to: Shape,
    /// For each axis and each place along it in the result, the terms.
    terms: Arc<[Vec<Terms>; 3]>,
}

impl Along {
    /// The adjoint of what makes a tensor of shape `y` of one of shape `x` by these terms: `forward(axis, place)` of a place in `y`.
    pub fn adjoint(
        of: (&'static str, Attributes),
        x: &Shape,
        y: &Shape,
        forward: impl Fn(usize, usize) -> Terms,
    ) -> Along {
        let terms = std::array::from_fn(|axis| {
            let mut terms = vec![Terms::new(); x.dhw()[axis]];
            for place in 0..y.dhw()[axis] {
                for (source, factor) in forward(axis, place) {
                    terms[source].push((place, factor));
                }
            }
            terms
        });
        Along {
            of,
            from: y.dhw(),
            to: x.clone(),
            terms: Arc::new(terms),
        }
    }
}

/// Equal factors for neighbouring elements: a mean over `counted` of them.
pub fn mean(start: usize, taps: usize, counted: usize) -> Terms {
    let factor = 1.0 / counted as f64;
    (start..start + taps).map(|place| (place, factor)).collect()
}

impl Layer for Along {
    fn attributes(&self) -> (&'static str, Attributes) {
        let (keyword, told) = &self.of;
        let of = Attribute::Layer(keyword, told.clone());
        let to = Attribute::extents(self.to.dims());
        (KEYWORD, vec![("adjoint_of", of), ("to", to)])
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let fits = inputs[0].dhw() == self.from && inputs[0].channels() == self.to.channels();
        match fits {
            true => Ok(Inferred::plain(self.to.clone())),
            false => Err(ShapeError::new(format!(
                "the adjoint of `{}` of {} cannot be applied to {}",
                self.of.0, self.to, inputs[0]
            ))),
        }
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let dy = grid::view(inputs[0]);
        let [depth, height, width] = &*self.terms;
        grid::tabulate(&self.to, |[c, d, h, w]| {
            let mut sum = 0.0;
            for &(i, plane) in &depth[d] {
                for &(j, row) in &height[h] {
                    for &(k, pixel) in &width[w] {
                        sum += plane * row * pixel * dy[[c, i, j, k]];
                    }
                }
            }
            sum
        })
    }
    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl Lowering for Along {
    /// One axis after the other, the innermost first, while the tensor is small; axes that stay as they are cost nothing.
    fn lower(&self, cx: &mut Lower<'_>) {
        let out = cx.output();
        let changed = |axis: &usize| {
            let mut places = self.terms[*axis].iter().enumerate();
            self.from[*axis] != out.dhw[*axis]
                || !places.all(|(place, terms)| *terms == [(place, 1.0)])
        };
        let axes: Vec<usize> = [2, 1, 0].into_iter().filter(changed).collect();
        let mut from = cx.input(0);
        for (index, &axis) in axes.iter().enumerate() {
            let to = match index + 1 == axes.len() {
                true => out.clone(),
                false => {
                    let mut dhw = from.dhw;
                    dhw[axis] = out.dhw[axis];
                    let dims = [out.channels, dhw[0], dhw[1], dhw[2]];
                    let shape = Shape::new(dims).expect("no larger than both tensors");
                    cx.scratch(&shape, NO_HALO)
                }
            };
            for (place, terms) in self.terms[axis].iter().enumerate() {
                line(cx, axis, (&to, place), &from, terms);
            }
            from = to;
        }
        if axes.is_empty() {
            copy::copy(cx, &out, &from, &copy::all(&out, &from));
        }
    }
}

/// Emits what one place along an axis becomes.
fn line(
    cx: &mut Lower<'_>,
    axis: usize,
    (to, place): (&Storage, usize),
    from: &Storage,
    terms: &Terms,
) {
    let at = |storage: &Storage, place: usize| {
        let mut dhw = storage.dhw;
        dhw[axis] = 1;
        Storage {
            base: storage.base + place as i64 * storage.strides[axis],
            dhw,
            ..storage.clone()
        }
    };
    let out = at(to, place);
    if terms.is_empty() {
        copy::fill(cx, &out, 0.0);
    }
    for (index, &(source, factor)) in terms.iter().enumerate() {
        cx.sweep(&[out.clone(), at(from, source)], |cx, sweep| {
            let Sweep {
                rows,
                pixels: runs,
                channels: run,
                tensors: [out, x],
            } = sweep.runs();
            cx.call(AccumulateCall {
                rows,
                runs,
                run,
                out,
                add: index > 0,
                x,
                factor,
            });
        });
    }
}
