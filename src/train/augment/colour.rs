//! Maps of colours.

/// Shares of red, green and blue in brightness: ITU-R 601.
const LUMA: [f64; 3] = [0.299, 0.587, 0.114];

/// `(r′, g′, b′) = M · (r, g, b) + c`, of values from 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Colour {
    matrix: [[f64; 3]; 3],
    added: [f64; 3],
}

impl Colour {
    /// What leaves all colours as they are.
    pub const SAME: Colour = Colour {
        matrix: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        added: [0.0; 3],
    };

    /// Saturation first: a colour goes away from its grey by that share. Then contrast, away from middle grey, and brightness, which adds a share of white.
    pub fn new(brightness: f64, contrast: f64, saturation: f64) -> Colour {
        let grey = |row: usize, column: usize| {
            let own = if row == column { 1.0 + saturation } else { 0.0 };
            (1.0 + contrast) * (own - saturation * LUMA[column])
        };
        Colour {
            matrix: [0, 1, 2].map(|row| [0, 1, 2].map(|column| grey(row, column))),
            added: [255.0 * brightness - 127.5 * contrast; 3],
        }
    }

    /// The same, and these levels more of red, green and blue; grey gets those of green, which is most of its brightness.
    pub fn tinted(mut self, levels: [f64; 3]) -> Colour {
        for (added, more) in self.added.iter_mut().zip(levels) {
            *added += more;
        }
        self
    }

    /// Changes planes of red, green and blue, or of grey; the result stays between 0 and 255.
    pub fn apply(&self, planes: &mut [f32], pixels: usize, bgr: bool) {
        let within = |value: f64| value.clamp(0.0, 255.0) as f32;
        if planes.len() == pixels {
            let [row, ..] = self.matrix;
            let factor: f64 = row.iter().sum();
            for grey in planes {
                *grey = within(factor * f64::from(*grey) + self.added[1]);
            }
            return;
        }
        let place = |colour: usize| if bgr { 2 - colour } else { colour } * pixels;
        for pixel in 0..pixels {
            let from = [0, 1, 2].map(|colour| f64::from(planes[place(colour) + pixel]));
            for (colour, (row, added)) in self.matrix.iter().zip(self.added).enumerate() {
                let sum: f64 = row
                    .iter()
                    .zip(from)
                    .map(|(share, value)| share * value)
                    .sum();
                planes[place(colour) + pixel] = within(sum + added);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(colour: Colour, mut pixel: [f32; 3], bgr: bool) -> [f32; 3] {
        colour.apply(&mut pixel, 1, bgr);
        pixel.map(f32::round)
    }

    #[test]
    fn each_number_does_what_it_is_called() {
        let pixel = [200.0, 100.0, 50.0];
        assert_eq!(of(Colour::new(0.0, 0.0, 0.0), pixel, false), pixel);
        assert_eq!(Colour::new(0.0, 0.0, 0.0), Colour::SAME);
        // 51 more of each, none above white.
        assert_eq!(
            of(Colour::new(0.2, 0.0, 0.0), [250.0, 100.0, 50.0], false),
            [255.0, 151.0, 101.0]
        );
        assert_eq!(of(Colour::new(0.0, -1.0, 0.0), pixel, false), [128.0; 3]);
        assert_eq!(
            of(Colour::new(0.0, 0.2, 0.0), pixel, false),
            [215.0, 95.0, 35.0]
        );
        // 0.299 · 200 + 0.587 · 100 + 0.114 · 50
        assert_eq!(of(Colour::new(0.0, 0.0, -1.0), pixel, false), [124.0; 3]);
        assert_eq!(
            of(Colour::new(0.0, 0.0, -1.0), [50.0, 100.0, 200.0], true),
            [124.0; 3]
        );
        let tinted = Colour::SAME.tinted([10.0, -20.0, 250.0]);
        assert_eq!(of(tinted, pixel, false), [210.0, 80.0, 255.0]);
        assert_eq!(of(tinted, [50.0, 100.0, 200.0], true), [255.0, 80.0, 210.0]);
        let mut grey = [100.0];
        tinted.apply(&mut grey, 1, false);
        assert_eq!(grey, [80.0]);
        let mut grey = [100.0];
        Colour::new(0.1, 0.2, 0.9).apply(&mut grey, 1, false);
        assert_eq!(grey, [120.0]);
    }
}
