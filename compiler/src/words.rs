//! Words that are nearly right.

use crate::frameworks;
use crate::slip::{LONGEST, SHORTEST, one_change};
use strsim::damerau_levenshtein;

/// The known word that was most likely meant.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let lower = word.to_lowercase();
    if frameworks::is_mode(&lower) && !known.contains(&lower.as_str()) {
        return None;
    }
    let find = |ours: &str| known.iter().find(|name| **name == ours).copied();
    if let Some(same) = known.iter().find(|name| name.to_lowercase() == lower) {
        return Some(same);
    }
    if let Some(ours) = frameworks::ours(word).find_map(find) {
        return Some(ours);
    }
    let allowed = (word.chars().count() / 3).max(1);
    let near = known
        .iter()
        .filter(|name| name.len() <= LONGEST)
        .map(|name| (damerau_levenshtein(&lower, &name.to_lowercase()), *name))
        // Replacing every letter is no resemblance.
        .filter(|&(distance, name)| distance <= allowed && distance < name.chars().count())
        .min_by_key(|&(distance, _)| distance);
    match near {
        Some((1, name)) => Some(name),
        near => {
            let slip = frameworks::slips(&lower).find_map(find);
            slip.or(near.map(|(_, name)| name))
        }
    }
}

/// Whether the word is one of those but for a slip of the finger.
pub fn is_slip<'a>(word: &str, mut known: impl Iterator<Item = &'a str>) -> bool {
    (SHORTEST..=LONGEST).contains(&word.len()) && known.any(|name| one_change(name, word))
}

/// What it costs to look for the nearest of those words, in steps of expansion.
pub(crate) fn effort<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> usize {
    /// Names of other frameworks, most of which differ in length by more than a slip.
    const FOREIGN: usize = 32;
    let known = known.map(|name| 4 + word.len().min(LONGEST) * name.len().min(LONGEST) / LONGEST);
    FOREIGN + known.sum::<usize>()
}

/// A list that is not longer than this stands on one line;
const LINE: usize = 100;
/// in columns it is not wider than this many characters,
const WIDTH: usize = 84;
/// nor higher than this many lines.
const LINES: usize = 24;

/// The words behind one another where one line is enough, else in columns, which begin on a new line; of too many the first,
/// and how many more there are.
pub fn list(words: &[&str]) -> String {
    let line = words.join(", ");
    if line.chars().count() <= LINE {
        return line;
    }
    let length = |word: &str| word.chars().count();
    let widest = words.iter().map(|word| length(word)).max().unwrap_or(0) + 2;
    let across = (WIDTH / widest).max(1);
    let shown = words.len().min(across * LINES);
    let lines = shown.div_ceil(across);
    let mut text = String::new();
    for line in 0..lines {
        text.push('\n');
        let mut row = String::new();
        for word in words[..shown].iter().skip(line).step_by(lines) {
            row += &format!("  {word}{}", " ".repeat(widest - 2 - length(word)));
        }
        text += row.trim_end();
    }
    if shown < words.len() {
        text.push_str(&format!("\n  … and {} more", words.len() - shown));
    }
    text
}

/// Most characters of a piece of text that is quoted.
const QUOTED: usize = 60;

/// What a message quotes of a piece of text: not more than a line, and not all of a long one.
pub fn excerpt(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    match line.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None if line.len() < text.len() => format!("{line} …"),
        None => line.to_owned(),
    }
}

/// The article and noun for a number of things: `1 layer`, `2 layers`.
pub fn count(number: usize, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{s}")
}

/// The number with its digits in groups, as a spec has it: `61_706`.
pub fn grouped(number: impl ToString) -> String {
    groups(number, '_')
}

/// The number with its digits in groups, as text has it: `61,706`.
pub fn thousands(number: impl ToString) -> String {
    groups(number, ',')
}

fn groups(number: impl ToString, between: char) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        let left = digits.len() - index;
        if index > 0 && left.is_multiple_of(3) && !out.ends_with('-') {
            out.push(between);
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_groups() {
        let numbers = [0u64, 999, 1000, 61_706, 4_089_184_256];
        let expected = ["0", "999", "1,000", "61,706", "4,089,184,256"];
        assert_eq!(numbers.map(thousands), expected);
        assert_eq!(grouped(-61_706), "-61_706");
    }

    #[test]
    fn long_lists_stand_in_columns() {
        assert_eq!(list(&[]), "");
        assert_eq!(list(&["b", "a"]), "b, a");
        let words: Vec<String> = (0..40).map(|n| format!("word{n}")).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let columns = list(&words);
        let lines: Vec<&str> = columns.lines().collect();
        assert_eq!((lines[0], lines.len()), ("", 5));
        assert!(lines[1].starts_with("  word0   word4   word8"), "{columns}");
        assert!(lines.iter().all(|line| line.len() <= WIDTH), "{columns}");
        let many = list(&["x".repeat(50).as_str(); 1000]);
        assert_eq!(many.lines().count(), 1 + LINES + 1);
        assert!(many.ends_with("… and 976 more"), "{many}");
    }

    #[test]
    fn excerpts_are_short() {
        assert_eq!(excerpt("conv 3x3"), "conv 3x3");
        assert_eq!(excerpt("[1,\n 2]"), "[1, …");
        assert_eq!(excerpt(&"é".repeat(100)), "é".repeat(60) + "…");
        assert_eq!(excerpt(""), "");
    }

    #[test]
    fn slips_and_foreign_names_are_recognised() {
        let known = ["conv", "relu", "maxpool", "bn", "dense"];
        assert_eq!(nearest("rellu", &known), Some("relu"));
        assert_eq!(nearest("Conv", &known), Some("conv"));
        assert_eq!(nearest("maxpol", &known), Some("maxpool"));
        assert_eq!(nearest("BatchNorm", &known), Some("bn"));
        assert_eq!(nearest("fc", &known), Some("dense"));
        assert_eq!(nearest("BatchNrom2d", &known), Some("bn"));
        assert_eq!(
            nearest("linear", &["nearest", "bilinear"]),
            Some("bilinear")
        );
        assert_eq!(nearest("xyzzy", &known), None);
        assert_eq!(nearest("b", &["c"]), None);
        assert_eq!(nearest("flase", &["on", "off"]), Some("off"));
        assert!(is_slip("rellu", known.into_iter()) && !is_slip("relu", known.into_iter()));
        assert!(!is_slip("stem", known.into_iter()));
        for (word, near) in [
            ("aab", true),
            ("rellu", true),
            ("relu", false),
            ("reul", true),
            ("rlu", true),
            ("erlu", true),
            ("relé", true),
            ("rélu", true),
            ("éérelu", false),
            ("", false),
            ("relux", true),
            ("luer", false),
        ] {
            let other = if word == "aab" { "ab" } else { "relu" };
            assert_eq!(one_change(word, other), near, "{word}");
            assert_eq!(damerau_levenshtein(word, other) == 1, near, "{word}");
        }
        assert_eq!(nearest(&"a".repeat(100_000), &known), None);
    }
}
