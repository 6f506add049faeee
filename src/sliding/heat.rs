//! What windows show, as colours on the photo.

use super::WindowMap;
use crate::ramp::ramp;
use cnnc_runtime::answer::Canvas;
use cnnc_runtime::image::Picture;

/// Rows of the strip that says what colours mean.
const LEGEND: usize = 24;

/// The photo in grey under a heat map: how likely each place is of a class that is not the background, or of its likeliest class where there is none. At a place
/// the windows count whose middles are nearest, interpolated between them, and of several scales the likeliest; along the edges, where no window has its middle, there is none. A strip below says which colour is which probability.
///
/// `None` without maps, or where the picture would be too large.
pub fn heat(picture: &Picture, maps: &[WindowMap], background: Option<usize>) -> Option<Picture> {
    let (width, height) = (picture.width(), picture.height());
    let mut most = vec![0.0_f32; width * height];
    for map in maps {
        let values: Vec<f32> = (0..map.windows())
            .map(|window| object(map, window, background))
            .collect();
        let columns = (0..width).map(|x| between(map, 1, x));
        let columns: Vec<Option<(usize, f32)>> = columns.collect();
        for (y, row) in most.chunks_exact_mut(width).enumerate() {
            let Some((down, below)) = between(map, 0, y) else {
                continue;
            };
            let next = (down + 1).min(map.positions[0] - 1);
            let line = |row: usize| &values[row * map.positions[1]..][..map.positions[1]];
            let (upper, lower) = (line(down), line(next));
            for (to, place) in row.iter_mut().zip(&columns) {
                let Some((along, right)) = *place else {
                    continue;
                };
                let next = (along + 1).min(map.positions[1] - 1);
                let mix = |of: &[f32]| of[along] + (of[next] - of[along]) * right;
                let (above, under) = (mix(upper), mix(lower));
                *to = to.max(above + (under - above) * below);
            }
        }
    }
    if maps.is_empty() {
        return None;
    }
    let pixels = picture.rgb().as_chunks::<3>().0.iter().zip(&most);
    let mut rgb = Vec::with_capacity(3 * width * (height + LEGEND));
    for (&[red, green, blue], &share) in pixels {
        let grey = 0.299 * f32::from(red) + 0.587 * f32::from(green) + 0.114 * f32::from(blue);
        // Where nothing is, the photo is seen best.
        let cover = 0.25 + 0.45 * share.clamp(0.0, 1.0);
        let mix = |colour: u8| (grey + (f32::from(colour) - grey) * cover).round() as u8;
        rgb.extend(ramp(share).map(mix));
    }
    rgb.resize(3 * width * (height + LEGEND), 255);
    let mut canvas = Canvas::new(width, height + LEGEND, rgb)?;
    legend(&mut canvas, width as i64, height as i64);
    Picture::from_rgb(width, height + LEGEND, canvas.into_rgb())
}

/// How likely a window shows something.
fn object(map: &WindowMap, window: usize, background: Option<usize>) -> f32 {
    match background {
        Some(class) => 1.0 - map.probability(class, window),
        None => map.best(window).1,
    }
}

/// The window whose middle is before a pixel along an axis, and how far it is from there to the next one's. `None` where the nearest middle is further away than half of the way to the next.
fn between(map: &WindowMap, axis: usize, pixel: usize) -> Option<(usize, f32)> {
    let scaled = (pixel as f32 + 0.5) * map.scaled[axis] as f32 / map.picture[axis] as f32;
    let at = (scaled - map.window[axis] as f32 / 2.0) / map.stride[axis] as f32;
    let last = (map.positions[axis] - 1) as f32;
    let near = (-0.5..=last + 0.5).contains(&at);
    let at = at.clamp(0.0, last);
    near.then(|| (at as usize, at.fract()))
}

/// A bar of all colours between 0 and 1.
fn legend(canvas: &mut Canvas, width: i64, top: i64) {
    let (letter, _) = Canvas::extents("0");
    let (left, right) = (letter + 12, width - letter - 12);
    for x in left..right {
        let share = (x - left) as f32 / (right - left) as f32;
        canvas.rectangle((x, top + 6), (1, LEGEND as i64 - 12), ramp(share));
    }
    canvas.text((6, top + 4), "0", [0; 3]);
    canvas.text((width - letter - 6, top + 4), "1", [0; 3]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_brightest_place_is_the_middle_of_the_likeliest_window() {
        let mut probabilities = vec![0.0; 18];
        probabilities[9 + 5] = 1.0;
        for window in 0..9 {
            probabilities[window] = 1.0 - probabilities[9 + window];
        }
        let map = WindowMap::made(0.5, 20, 3, probabilities);
        let grey = Picture::from_grey(80, 80, &[128; 6400]).expect("pixels");
        let hot = heat(&grey, &[map], Some(0)).expect("small");
        assert_eq!((hot.width(), hot.height()), (80, 80 + LEGEND));
        let light = |x: usize, y: usize| {
            let at = 3 * (y * 80 + x);
            hot.rgb()[at..at + 3]
                .iter()
                .map(|&of| u32::from(of))
                .sum::<u32>()
        };
        // Window 5 is in the middle row, on the right: 40 to 80 along, 20 to 60 down.
        let brightest = (0..6400)
            .max_by_key(|&at| light(at % 80, at / 80))
            .expect("pixels");
        assert!((59..70).contains(&(brightest % 80)));
        assert!((brightest / 80).abs_diff(40) <= 1);
        assert!(light(20, 40) < light(60, 40) && light(60, 10) < light(60, 40));
        // The last middle is at 60, and nothing is known beyond half of a stride from there.
        assert_eq!(light(75, 40), light(20, 75));
        assert_eq!(heat(&grey, &[], None), None);
    }
}
