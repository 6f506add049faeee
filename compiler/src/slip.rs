//! Slips of the finger: words that are one change apart.

/// Longest word that is compared letter by letter: nothing longer is a slip of the finger, and the work is quadratic.
pub(crate) const LONGEST: usize = 64;
/// Shortest word that one letter makes a slip of another: of shorter ones, too many are one letter away.
pub(crate) const SHORTEST: usize = 5;

/// Whether one change makes one word the other: a letter more, less or another, or two that change places.
/// Every name of another framework is asked, for which the edit distance and its tables are too slow.
pub(crate) fn one_change(a: &str, b: &str) -> bool {
    let same = a
        .bytes()
        .zip(b.bytes())
        .take_while(|(a, b)| a == b && a.is_ascii())
        .count();
    let (a, b) = (&a[same..], &b[same..]);
    let ends = a.bytes().rev().zip(b.bytes().rev());
    let same = ends.take_while(|(a, b)| a == b && a.is_ascii()).count();
    let (mut a, mut b) = (a[..a.len() - same].chars(), b[..b.len() - same].chars());
    match (
        [a.next(), a.next(), a.next()],
        [b.next(), b.next(), b.next()],
    ) {
        ([Some(_), None, None], [None, ..] | [Some(_), None, None]) => true,
        ([None, ..], [Some(_), None, None]) => true,
        ([Some(a), Some(b), None], [Some(c), Some(d), None]) => (a, b) == (d, c),
        _ => false,
    }
}
