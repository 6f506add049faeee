//! From numbers to a picture that can be looked at.

use super::Picture;

/// How the numbers of a map become brightness. NaN is black.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// 0 is black and 1 is white; what is outside is cut off.
    Clamp,
    /// 0 is black and the largest magnitude is white: edges, gradients.
    Magnitude,
    /// The smallest number is black and the largest is white; a constant map is black.
    MinMax,
}

impl Picture {
    /// A picture of a map, channels first: one channel is shown in grey, three as red, green, blue.
    /// `None` for other numbers of channels, too large a size (see [`Picture::from_rgb`]), or values that are more or
    /// fewer than that.
    pub fn of_map(
        values: &[f32],
        channels: usize,
        height: usize,
        width: usize,
        show: Show,
    ) -> Option<Picture> {
        let plane = height.checked_mul(width)?;
        if !matches!(channels, 1 | 3) || plane.checked_mul(channels) != Some(values.len()) {
            return None;
        }
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        let (low, high) = match show {
            Show::Clamp => (0.0, 1.0),
            Show::Magnitude => (
                0.0,
                finite().fold(0.0, |high: f32, value| high.max(value.abs())),
            ),
            Show::MinMax => finite()
                .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| {
                    (low.min(value), high.max(value))
                }),
        };
        let level = |value: f32| {
            let value = if show == Show::Magnitude {
                value.abs()
            } else {
                value
            };
            let (value, low, high) = (f64::from(value), f64::from(low), f64::from(high));
            let range = high - low;
            // A cast from NaN gives 0, one from beyond the range its end.
            if range > 0.0 {
                ((value - low) / range * 255.0).round() as u8
            } else {
                0
            }
        };
        let rgb = if channels == 1 {
            values.iter().flat_map(|&value| [level(value); 3]).collect()
        } else {
            (0..plane)
                .flat_map(|i| [0, 1, 2].map(|c| level(values[c * plane + i])))
                .collect()
        };
        Picture::from_rgb(width, height, rgb)
    }
}
