//! Colours for numbers from 0 to 1: the same ramp in every picture that shows heat.

use cnnc_runtime::answer::Colour;

/// From nearly black over purple and orange to a pale yellow, ever lighter.
const STOPS: [Colour; 6] = [
    [0, 0, 20],
    [80, 18, 110],
    [160, 40, 105],
    [225, 85, 60],
    [250, 165, 20],
    [252, 250, 160],
];

/// The colour of a share; what is beyond 0 and 1 is the end, and what is not a number the beginning.
pub(crate) fn ramp(share: f32) -> Colour {
    let share = if share.is_nan() { 0.0 } else { share };
    let at = share.clamp(0.0, 1.0) * (STOPS.len() - 1) as f32;
    let first = (at as usize).min(STOPS.len() - 2);
    let part = at - first as f32;
    std::array::from_fn(|channel| {
        let [low, high] = [0, 1].map(|next| f32::from(STOPS[first + next][channel]));
        (low + (high - low) * part).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::{STOPS, ramp};

    #[test]
    fn it_grows_lighter_and_ends() {
        let light = |share: f32| {
            let [red, green, blue] = ramp(share).map(f32::from);
            0.299 * red + 0.587 * green + 0.114 * blue
        };
        let all: Vec<f32> = (0..=50).map(|step| light(step as f32 / 50.0)).collect();
        assert!(all.is_sorted());
        let sums = (0..=100).map(|step| ramp(step as f32 / 100.0).map(u32::from));
        assert!(sums.map(|colour| colour.iter().sum::<u32>()).is_sorted());
        assert_eq!((ramp(-1.0), ramp(2.0)), (STOPS[0], STOPS[5]));
        assert_eq!([f32::NAN, -f32::NAN].map(ramp), [STOPS[0]; 2]);
    }
}
