//! Text in pictures: how wide it is, how it is shortened, numbers for people.

/// Advance widths of DejaVu Sans, in thousandths of the font size, from the blank to the tilde. It is the widest of the
/// fonts that a viewer is likely to have, so what fits in it fits in Arial and Helvetica too.
const REGULAR: [u16; 95] = [
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636,
    636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632,
    575, 775, 752, 295, 295, 656, 557, 863, 748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685,
    611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579,
    278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
];

/// How much wider the bold face is at most.
const BOLD: f64 = 1.17;

/// Width of the text at that font size, bold or not; never too small for characters that the table has.
pub fn width(text: &str, size: f64, bold: bool) -> f64 {
    let advance = |c: char| match c {
        ' '..='~' => f64::from(REGULAR[c as usize - 32]),
        '·' => 318.0,
        '–' => 500.0,
        _ => 1000.0,
    };
    let thousandths: f64 = text.chars().map(advance).sum();
    thousandths / 1000.0 * size * if bold { BOLD } else { 1.0 }
}

/// The text without characters that no viewer shows as one (controls, marks of direction), at most so many
/// characters long; what is too long loses its middle, since labels differ at their ends.
pub fn shown(text: &str, most: usize) -> String {
    let plain: Vec<char> = text
        .chars()
        .map(|c| if is_plain(c) { c } else { '\u{fffd}' })
        .collect();
    if plain.len() <= most {
        return plain.into_iter().collect();
    }
    let kept = most.saturating_sub(1);
    let (head, tail) = (kept - kept / 2, kept / 2);
    let ends = plain[..head].iter().copied().chain(['…']);
    ends.chain(plain[plain.len() - tail..].iter().copied())
        .collect()
}

/// Whether the character stands in a line of text by itself.
fn is_plain(c: char) -> bool {
    !(c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}' | '\u{e000}'..='\u{f8ff}')
        || u32::from(c) >= 0xe_0000)
}

/// Lines of at most so many characters, broken at blanks.
pub fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let word = shown(word, most);
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= most => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// Three or four digits: `84`, `1.92 k`, `118.0 M`, `4.09 G`.
pub fn rounded(number: u64) -> String {
    let (value, unit) = match number {
        0..1_000 => return number.to_string(),
        1_000..1_000_000 => (number as f64 / 1e3, "k"),
        1_000_000..1_000_000_000 => (number as f64 / 1e6, "M"),
        _ => (number as f64 / 1e9, "G"),
    };
    let decimals = match value {
        value if value < 9.995 => 2,
        _ => 1,
    };
    format!("{value:.decimals$} {unit}")
}

/// `features.12, 14`; `layer3.1 … 22`
pub fn joined(names: &[String], times: usize) -> String {
    let [first, last] = names else {
        return names.concat();
    };
    if first == last {
        return first.clone();
    }
    let parts: Vec<&str> = last.split('.').collect();
    let same = first.split('.').zip(&parts).take_while(|(a, b)| a == *b);
    let (head, tail) = (first, parts[same.count().min(parts.len() - 1)..].join("."));
    match times {
        2 => format!("{head}, {tail}"),
        _ => format!("{head} … {tail}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        let numbers = [
            0,
            84,
            999,
            1_920,
            61_706,
            416_520,
            118_013_952,
            4_089_184_256,
            182_600_000_000,
        ];
        let expected = [
            "0", "84", "999", "1.92 k", "61.7 k", "416.5 k", "118.0 M", "4.09 G", "182.6 G",
        ];
        assert_eq!(numbers.map(rounded), expected);
    }

    #[test]
    fn long_labels_keep_both_ends() {
        assert_eq!(shown("layer1.0.conv1", 20), "layer1.0.conv1");
        assert_eq!(shown("abcdefghijklmnop", 7), "abc…nop");
        assert_eq!(
            shown("a\u{0}b\u{202e}c\nd", 9),
            "a\u{fffd}b\u{fffd}c\u{fffd}d"
        );
    }

    #[test]
    fn text_wraps_at_blanks() {
        assert_eq!(wrapped("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrapped("abcdefghij", 5), ["ab…ij"]);
    }
}
