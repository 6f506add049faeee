//! Words that are nearly right.

use strsim::damerau_levenshtein;

/// What other frameworks call things, and what they are called here.
const ALIASES: &[(&str, &str)] = &[
    ("conv1d", "conv"),
    ("conv2d", "conv"),
    ("conv3d", "conv"),
    ("convolution", "conv"),
    ("convolutional", "conv"),
    ("fc", "dense"),
    ("linear", "dense"),
    ("connected", "dense"),
    ("fullyconnected", "dense"),
    ("gemm", "dense"),
    ("batchnorm", "bn"),
    ("batch_norm", "bn"),
    ("batchnorm2d", "bn"),
    ("batch_normalization", "bn"),
    ("max_pool", "maxpool"),
    ("maxpool2d", "maxpool"),
    ("pool", "maxpool"),
    ("avg_pool", "avgpool"),
    ("averagepool", "avgpool"),
    ("avgpool2d", "avgpool"),
    ("global_avg_pool", "globalavgpool"),
    ("gap", "globalavgpool"),
    ("adaptive_avg_pool", "adaptiveavgpool"),
    ("leakyrelu", "leaky"),
    ("leaky_relu", "leaky"),
    ("lrelu", "leaky"),
    ("cat", "concat"),
    ("concatenate", "concat"),
    ("identity", "dropout"),
    ("swish", "silu"),
    ("l2_normalize", "l2norm"),
    ("filters", "out"),
    ("channels", "out"),
    ("units", "out"),
    ("padding", "pad"),
    ("strides", "stride"),
    ("kernel_size", "kernel"),
    ("epsilon", "eps"),
    ("use_bias", "bias"),
    ("slope", "alpha"),
    ("none", "off"),
    ("true", "on"),
    ("false", "off"),
    ("no", "off"),
    ("yes", "on"),
    ("full", "half"),
    ("maximum", "max"),
    ("minimum", "min"),
];

/// The known word that was most likely meant.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    // Quadratic in the length: nothing this long is a slip of the finger.
    if word.len() > 64 {
        return None;
    }
    let lower = word.to_lowercase();
    if let Some(same) = known.iter().find(|name| name.to_lowercase() == lower) {
        return Some(same);
    }
    let slips = |theirs: &str| theirs.len() >= 5 && damerau_levenshtein(theirs, &lower) == 1;
    let mut aliases = ALIASES
        .iter()
        .filter(|(theirs, _)| *theirs == lower || slips(theirs));
    if let Some(ours) = aliases.find_map(|(_, ours)| known.iter().find(|name| *name == ours)) {
        return Some(ours);
    }
    let allowed = (word.chars().count() / 3).max(1);
    known
        .iter()
        .filter(|name| name.len() <= 64)
        .map(|name| (damerau_levenshtein(&lower, &name.to_lowercase()), *name))
        // Replacing every letter is no resemblance.
        .filter(|&(distance, name)| distance <= allowed && distance < name.chars().count())
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, name)| name)
}

/// Whether the word is one of those but for a slip of the finger.
pub fn is_slip<'a>(word: &str, mut known: impl Iterator<Item = &'a str>) -> bool {
    (5..=64).contains(&word.len()) && known.any(|name| damerau_levenshtein(name, word) == 1)
}

/// What it costs to look for the nearest of those words, in steps of expansion.
pub(crate) fn effort<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> usize {
    known
        .map(|name| 4 + word.len().min(64) * name.len().min(64) / 64)
        .sum()
}

/// At most this many words are listed.
const LISTED: usize = 60;

/// The words behind one another, with their number where there are too many.
pub fn list(words: &[&str]) -> String {
    let mut text = words[..words.len().min(LISTED)].join(", ");
    if words.len() > LISTED {
        text.push_str(&format!(" … and {} more", words.len() - LISTED));
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

/// The number with its digits in groups: `61_706`.
pub fn grouped(number: impl ToString) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        let left = digits.len() - index;
        if index > 0 && left.is_multiple_of(3) && !out.ends_with('-') {
            out.push('_');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(nearest("xyzzy", &known), None);
        assert_eq!(nearest("b", &["c"]), None);
        assert_eq!(nearest("flase", &["on", "off"]), Some("off"));
        assert!(is_slip("rellu", known.into_iter()) && !is_slip("relu", known.into_iter()));
        assert!(!is_slip("stem", known.into_iter()));
        assert_eq!(nearest(&"a".repeat(100_000), &known), None);
    }
}
