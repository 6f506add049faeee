//! What may be given to a network as an input: slices, arrays, vectors and ndarray's views.

use std::borrow::Cow;

use ndarray::{ArrayBase, Data, Dimension};

/// A tensor of f32 in the spec's order, channels first.
pub trait Input {
    /// Extents, where the type has some; a flat slice only has a length.
    fn extents(&self) -> Option<&[usize]>;

    /// Number of elements.
    fn elements(&self) -> usize;

    /// The elements, if they lie in memory one behind the other. They are then used where they are.
    fn contiguous(&self) -> Option<&[f32]>;

    /// Copies the elements, in order, to a slice of as many.
    fn copy_to(&self, to: &mut [f32]);
}

impl Input for [f32] {
    fn extents(&self) -> Option<&[usize]> {
        None
    }
    fn elements(&self) -> usize {
        self.len()
    }
    fn contiguous(&self) -> Option<&[f32]> {
        Some(self)
    }
    fn copy_to(&self, to: &mut [f32]) {
        to.copy_from_slice(self);
    }
}

/// Implements [`Input`] for what is a slice underneath.
macro_rules! as_slice {
    ($([$($generics:tt)*] $type:ty, $slice:ident => $as_slice:expr;)*) => {$(
        impl<$($generics)*> Input for $type {
            fn extents(&self) -> Option<&[usize]> {
                None
            }
            fn elements(&self) -> usize {
                self.contiguous().map_or(0, <[f32]>::len)
            }
            fn contiguous(&self) -> Option<&[f32]> {
                let $slice = self;
                Some($as_slice)
            }
            fn copy_to(&self, to: &mut [f32]) {
                let $slice = self;
                to.copy_from_slice($as_slice);
            }
        }
    )*};
}

as_slice! {
    [const N: usize] [f32; N], array => array.as_slice();
    [const W: usize, const H: usize] [[f32; W]; H], rows => rows.as_flattened();
    [const W: usize, const H: usize, const C: usize] [[[f32; W]; H]; C], planes => planes.as_flattened().as_flattened();
    [] Vec<f32>, vec => vec.as_slice();
    [] Box<[f32]>, boxed => boxed;
    [] Cow<'_, [f32]>, cow => cow;
}

impl<S: Data<Elem = f32>, D: Dimension> Input for ArrayBase<S, D> {
    fn extents(&self) -> Option<&[usize]> {
        Some(self.shape())
    }
    fn elements(&self) -> usize {
        self.len()
    }
    fn contiguous(&self) -> Option<&[f32]> {
        self.as_slice()
    }
    fn copy_to(&self, to: &mut [f32]) {
        for (to, from) in to.iter_mut().zip(self) {
            *to = *from;
        }
    }
}

impl<T: Input + ?Sized> Input for &T {
    fn extents(&self) -> Option<&[usize]> {
        (**self).extents()
    }
    fn elements(&self) -> usize {
        (**self).elements()
    }
    fn contiguous(&self) -> Option<&[f32]> {
        (**self).contiguous()
    }
    fn copy_to(&self, to: &mut [f32]) {
        (**self).copy_to(to);
    }
}
