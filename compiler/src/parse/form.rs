//! The words that statements begin with, and how each is written.

/// How each statement is written, by its first word.
pub(super) const FORMS: &[(&str, &str)] = &[
    ("input", "input name: 3x224x224 { resize 256 crop 224 }"),
    ("defaults", "defaults { pad half bn.eps 1e-5 }"),
    ("repeat", "repeat 3 as i { … }"),
    ("for", "for i, (a, b) in [(1, 2), (3, 4)] { … }"),
    ("if", "if a == b { … } else { … }"),
    ("branch", "branch { … }"),
    ("residual", "residual { … } shortcut auto { … }"),
    ("shortcut", "residual { … } shortcut { … }"),
    ("route", "route label"),
    ("tap", "tap label"),
    ("shared", "shared name { … }"),
    ("head", "head classify { … }"),
    ("expect", "expect { params 61_706 }"),
    (
        "weights",
        "weights map { \"name in the file\" -> \"label\" }",
    ),
    (
        TRAIN,
        "train { optimizer sgd { momentum 0.9 } rate 0.1 batch 64 epochs 4 }",
    ),
    (LET, "let name = value"),
    ("import", "import \"file.cnn\""),
    ("preset", "preset name { … }"),
    ("block", "block name(a, b) { … }"),
    ("model", "model Name { … }"),
];

/// Both an item and a statement.
pub(super) const LET: &str = "let";

/// The one statement with names before values on lines of their own.
pub(super) const TRAIN: &str = "train";

/// The word that begins at a place of a text.
pub(super) fn word_at(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or("");
    let end = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(rest.len());
    &rest[..end]
}
