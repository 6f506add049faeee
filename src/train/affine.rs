//! Maps of the plane, by which pixels, boxes and points of a picture move alike.

/// `x′ = a·x + b·y + c`, `y′ = d·x + e·y + f`, in pixels from the upper left corner: the middle of the first pixel is at (½, ½).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine {
    rows: [[f64; 3]; 2],
}

impl Affine {
    /// What leaves everything where it is.
    pub const IDENTITY: Affine = Affine::new([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);

    /// That of these rows.
    pub const fn new(rows: [[f64; 3]; 2]) -> Affine {
        Affine { rows }
    }

    /// A move.
    pub const fn moved(x: f64, y: f64) -> Affine {
        Affine::new([[1.0, 0.0, x], [0.0, 1.0, y]])
    }

    /// Growth of both axes, from the corner.
    pub const fn scaled(x: f64, y: f64) -> Affine {
        Affine::new([[x, 0.0, 0.0], [0.0, y, 0.0]])
    }

    /// This one first, then another.
    pub fn then(self, next: Affine) -> Affine {
        let [[a, b, c], [d, e, f]] = self.rows;
        let row = |[p, q, r]: [f64; 3]| [p * a + q * d, p * b + q * e, p * c + q * f + r];
        Affine::new(next.rows.map(row))
    }

    /// The same around a point.
    pub fn around(self, x: f64, y: f64) -> Affine {
        Affine::moved(-x, -y).then(self).then(Affine::moved(x, y))
    }

    /// Where a point goes.
    pub fn point(self, x: f64, y: f64) -> (f64, f64) {
        let [[a, b, c], [d, e, f]] = self.rows;
        (a * x + b * y + c, d * x + e * y + f)
    }

    /// Whether it makes a left hand a right one.
    pub fn mirrors(self) -> bool {
        let [[a, b, _], [d, e, _]] = self.rows;
        a * e < b * d
    }

    /// The way back; none where a plane becomes a line.
    pub fn inverse(self) -> Option<Affine> {
        let [[a, b, c], [d, e, f]] = self.rows;
        let area = a * e - b * d;
        let (a, b, d, e) = (e / area, -b / area, -d / area, a / area);
        let back = Affine::new([[a, b, -(a * c + b * f)], [d, e, -(d * c + e * f)]]);
        area.is_normal().then_some(back)
    }
}

/// A plane of pixels as a map moves them, to rows of so many columns: each pixel of the result is interpolated between the four around the point that it comes from. Outside of the plane lies the
/// nearest pixel of its edge. `back` leads from the result to the plane.
pub fn resample<T: Copy + Into<f32>>(
    plane: &[T],
    (width, height): (usize, usize),
    back: Affine,
    to: &mut [f32],
    columns: usize,
) {
    let [[across, _, _], [down, _, _]] = back.rows;
    let inside = |at: f64, end: usize| {
        let at = at.clamp(0.0, (end - 1) as f64);
        let first = at as usize;
        (first, (first + 1).min(end - 1), (at - first as f64) as f32)
    };
    for (y, row) in to.chunks_exact_mut(columns).enumerate() {
        let (left, top) = back.point(0.5, y as f64 + 0.5);
        for (x, pixel) in row.iter_mut().enumerate() {
            let x = x as f64;
            let (left, right, across) = inside(left + across * x - 0.5, width);
            let (top, bottom, down) = inside(top + down * x - 0.5, height);
            let at = |x: usize, y: usize| -> f32 { plane[y * width + x].into() };
            let mix = |a: f32, b: f32, share: f32| a + (b - a) * share;
            let above = mix(at(left, top), at(right, top), across);
            let below = mix(at(left, bottom), at(right, bottom), across);
            *pixel = mix(above, below, down);
        }
    }
}

/// The same of what cannot be mixed: of each pixel of so many columns and rows that one is handed on that it comes from.
pub fn nearest(
    plane: &[u8],
    (width, height): (usize, usize),
    back: Affine,
    (columns, rows): (usize, usize),
    mut take: impl FnMut(u8),
) {
    let inside = |at: f64, end: usize| at.clamp(0.0, (end - 1) as f64) as usize;
    for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
        let (x, y) = back.point(x as f64 + 0.5, y as f64 + 0.5);
        take(plane[inside(y, height) * width + inside(x, width)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A quarter turn, a mirror and moves by whole pixels are exact: nothing is interpolated.
    #[test]
    fn whole_pixels_stay_what_they_are() {
        let plane: Vec<u8> = (0..16).map(|at| at * 15).collect();
        let moved = |affine: Affine| {
            let mut to = vec![0.0; 16];
            resample(&plane, (4, 4), affine.inverse().unwrap(), &mut to, 4);
            to
        };
        let pixel = |x: usize, y: usize| f32::from(plane[4 * y + x]);
        let same = moved(Affine::IDENTITY);
        let mirrored = moved(Affine::new([[-1.0, 0.0, 4.0], [0.0, 1.0, 0.0]]));
        let turned = moved(Affine::new([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]).around(2.0, 2.0));
        let shifted = moved(Affine::moved(1.0, -2.0));
        for (y, x) in (0..4).flat_map(|y| (0..4).map(move |x| (y, x))) {
            assert_eq!(same[4 * y + x], pixel(x, y));
            assert_eq!(mirrored[4 * y + x], pixel(3 - x, y));
            assert_eq!(turned[4 * y + x], pixel(y, 3 - x));
            // The edge is repeated.
            assert_eq!(
                shifted[4 * y + x],
                pixel(x.saturating_sub(1), (y + 2).min(3))
            );
        }
        let half = moved(Affine::moved(0.5, 0.0));
        assert_eq!(half[1], 0.5 * (pixel(0, 0) + pixel(1, 0)));
    }

    /// Points go where pixels go: what is bright stays under its point.
    #[test]
    fn points_move_as_pixels_do() {
        let (width, height) = (40, 30);
        let (turn_sin, turn_cos) = 0.4_f64.sin_cos();
        let affine = Affine::scaled(0.9, 0.9)
            .then(Affine::new([[1.0, 0.2, 0.0], [0.0, 1.0, 0.0]]))
            .then(Affine::new([
                [turn_cos, -turn_sin, 0.0],
                [turn_sin, turn_cos, 0.0],
            ]))
            .around(20.0, 15.0)
            .then(Affine::moved(2.5, -1.25));
        let back = affine.inverse().unwrap();
        for (x, y) in [(12, 9), (25, 20), (20, 15)] {
            let mut plane = vec![0.0_f32; width * height];
            plane[y * width + x] = 1.0;
            let mut to = vec![0.0; width * height];
            resample(&plane, (width, height), back, &mut to, width);
            let all: f32 = to.iter().sum();
            let mean = |along: &dyn Fn(usize) -> usize| {
                let parts = to
                    .iter()
                    .enumerate()
                    .map(|(at, value)| value * (along(at) as f32 + 0.5));
                f64::from(parts.sum::<f32>() / all)
            };
            let found = (mean(&|at| at % width), mean(&|at| at / width));
            let expected = affine.point(x as f64 + 0.5, y as f64 + 0.5);
            let off = (found.0 - expected.0)
                .abs()
                .max((found.1 - expected.1).abs());
            assert!(off < 0.2, "{found:?} is not {expected:?}");
        }
        let (x, y) = back.point(affine.point(3.0, 4.0).0, affine.point(3.0, 4.0).1);
        assert!((x - 3.0).abs() < 1e-12 && (y - 4.0).abs() < 1e-12);
        assert_eq!(Affine::scaled(1.0, 0.0).inverse(), None);
    }
}
