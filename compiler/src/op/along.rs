//! `along`: a sparse matrix along each axis of the pixels.
//!
//! Average pools, upsampling, every n-th pixel and mirrored or repeated edges are, for each channel, a matrix along depth, one along height and one
//! along width, one after the other. So are their adjoints: the matrices transposed.

use crate::gradient::Adjoint;
use crate::id::ValueId;
use crate::layer::{
    Attribute, Attributes, Inferred, Layer, Lowering, NO_HALO, ShapeError, copy, grid,
};
use crate::lower::{Lower, Storage};
use crate::shape::Shape;
use cnnc_runtime::kernel::{AlongCall, AlongTerm, Pace};
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
        evaluate(inputs[0], &self.to, &self.terms, 0.0)
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl Lowering for Along {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (out, x) = (cx.output(), cx.input(0));
        sums(cx, &out, &x, &self.terms);
    }
}

/// The plain definition: every element of the result is a sum over a grid of the operand's, or `outside` where it has no terms along an axis.
pub fn evaluate(
    x: &ArrayD<f64>,
    to: &Shape,
    [depth, height, width]: &[Vec<Terms>; 3],
    outside: f64,
) -> ArrayD<f64> {
    let x = grid::view(x);
    grid::tabulate(to, |[c, d, h, w]| {
        let (planes, rows, pixels) = (&depth[d], &height[h], &width[w]);
        if planes.is_empty() || rows.is_empty() || pixels.is_empty() {
            return outside;
        }
        let mut sum = 0.0;
        for &(i, plane) in planes {
            for &(j, row) in rows {
                for &(k, pixel) in pixels {
                    sum += plane * row * pixel * x[[c, i, j, k]];
                }
            }
        }
        sum
    })
}

/// Emits sums along depth, height and width, by the terms of each place of the result: one axis after the other, the innermost first, while the tensor is
/// small; axes that stay as they are cost nothing.
pub fn sums(cx: &mut Lower<'_>, out: &Storage, x: &Storage, terms: &[Vec<Terms>; 3]) {
    let changed = |axis: &usize| {
        let mut places = terms[*axis].iter().enumerate();
        x.dhw[*axis] != out.dhw[*axis] || !places.all(|(place, terms)| *terms == [(place, 1.0)])
    };
    let axes: Vec<usize> = [2, 1, 0].into_iter().filter(changed).collect();
    let mut from = x.clone();
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
        line(cx, axis, &to, &from, &terms[axis]);
        from = to;
    }
    if axes.is_empty() {
        copy::copy(cx, out, &from, &copy::all(out, &from));
    }
}

/// Emits what the places along an axis become. Threads share what is around it, or pieces of what is beside.
fn line(cx: &mut Lower<'_>, axis: usize, to: &Storage, from: &Storage, places: &[Terms]) {
    let mut table = Vec::new();
    for (place, terms) in places.iter().enumerate() {
        let term = |source, factor| AlongTerm {
            place,
            source,
            factor,
        };
        table.extend(terms.iter().map(|&(source, factor)| term(source, factor)));
        if terms.is_empty() {
            table.push(term(from.dhw[axis], 0.0));
        }
    }
    // The other axes, innermost first; the channels are adjacent, and what follows them closely in both tensors.
    let mut run = to.channels;
    let mut around: Vec<Pace> = Vec::new();
    for other in [2, 1, 0].into_iter().filter(|other| *other != axis) {
        let (count, a, b) = (to.dhw[other], to.strides[other], from.strides[other]);
        if count == 1 {
            continue;
        }
        if around.is_empty() && other > axis && a == run as i64 && b == run as i64 {
            run *= count;
            continue;
        }
        around.push(Pace { count, a, b });
    }
    around.resize(2, Pace::ONCE);
    around.reverse();
    let outer = usize::from(around[0].count == 1);
    let work = table.len() * run * around[0].count * around[1].count;
    let parts = cx.machine().shares(around[outer].count, work);
    around[outer].count /= parts;
    let (a, b) = (around[outer].a, around[outer].b);
    let step = around[outer].count as i64;
    cx.parallel(parts, |cx, i| {
        cx.call(AlongCall {
            around: [around[0], around[1]],
            sources: from.dhw[axis],
            places: places.len(),
            out_place: to.strides[axis],
            x_place: from.strides[axis],
            run,
            out: to.access(i.clone().times(step * a)),
            x: from.access(i.times(step * b)),
            terms: table,
        });
    });
}

/// Gives what a layer whose result is made along one axis only, in row-major order, has of a cotangent `dy`: `forward(place)` are the terms of a place of
/// the result, and `extent` is the operand's.
pub fn back(
    g: &mut Adjoint<'_>,
    of: (&'static str, Attributes),
    dy: ValueId,
    (axis, extent): (usize, usize),
    forward: impl Fn(usize) -> Terms,
) -> ValueId {
    let y = g.shape(dy);
    let around: usize = y.dims()[..axis].iter().product();
    let beside: usize = y.dims()[axis + 1..].iter().product();
    let shape = |extent| Shape::new([around, extent, beside]).expect("as large as a tensor");
    let (from, to) = (shape(y.dims()[axis]), shape(extent));
    let adjoint = Along::adjoint(of, &to, &from, |axis, place| match axis {
        1 => forward(place),
        _ => vec![(place, 1.0)],
    });
    let flat = g.reshape(dy, &from);
    let flat = g.push(adjoint, &[flat]);
    let mut dims = y.dims().to_vec();
    dims[axis] = extent;
    let shape = Shape::new(dims).expect("as large as a tensor");
    g.reshape(flat, &shape)
}
