//! The best classes of a vector of probabilities.

/// The `k` largest values with their indices, best first; equal values in the order of their
/// indices, NaN last.
pub fn top_k(values: &[f32], k: usize) -> Vec<(usize, f32)> {
    let rank = |value: f32| {
        if value.is_nan() {
            f32::NEG_INFINITY
        } else {
            value
        }
    };
    let mut ranked: Vec<(usize, f32)> = values.iter().copied().enumerate().collect();
    ranked.sort_by(|a, b| {
        let order = rank(b.1).total_cmp(&rank(a.1));
        order.then(a.1.is_nan().cmp(&b.1.is_nan()))
    });
    ranked.truncate(k);
    ranked
}

#[cfg(test)]
mod tests {
    use super::top_k;

    #[test]
    fn best_first_ties_by_index() {
        let values = [0.1, 0.7, 0.1, 0.7, f32::NAN, f32::NEG_INFINITY];
        assert_eq!(top_k(&values, 3), [(1, 0.7), (3, 0.7), (0, 0.1)]);
        let all: Vec<usize> = top_k(&values, 99).iter().map(|&(index, _)| index).collect();
        assert_eq!(all, [1, 3, 0, 2, 5, 4]);
        assert_eq!(top_k(&[], 5), []);
        assert_eq!(top_k(&values, 0), []);
    }
}
