//! Darknet's activations as the language writes them.

use super::cfg::Section;
use super::error::CfgError;
use super::note::Notes;

/// Activations by name; nothing is written for `linear`.
const ACTIVATIONS: &[(&str, &str)] = &[
    ("linear", ""),
    ("leaky", "leaky"),
    ("revleaky", "leaky"),
    ("relu", "relu"),
    ("relu6", "relu6"),
    ("mish", "mish"),
    ("swish", "silu"),
    ("logistic", "sigmoid"),
    ("tanh", "tanh"),
    ("elu", "elu"),
    ("selu", "elu 1.6732 scale 1.0507"),
    ("gelu", "gelu approximate"),
    ("relie", "leaky 0.01"),
    ("hardtan", "clip -1 1"),
    ("loggy", "sigmoid scale 2 shift -1"),
    // 1.1 x where it is positive, 0.1 x elsewhere.
    ("ramp", "leaky 0.09090909090909091 scale 1.1"),
    // x within 0 .. 1, a thousandth of it beyond.
    ("lhtan", "residual { clip 0 1 scale 999 } scale 0.001"),
    // x / 8 + 1/2 within -4 .. 4, a hundredth of it beyond.
    (
        "plse",
        "residual { clip -4 4 scale 11.5 } scale 0.01 shift 0.5",
    ),
    // x · min(max(x + 2, 0), 2) / 2
    (
        "hard_mish",
        "mul { { } ; scale 1 shift 2 clip 0 2 } scale 0.5",
    ),
];

/// What darknet has and nobody imports.
const UNSUPPORTED: &[&str] = &[
    "stair",
    "normalize_channels",
    "normalize_channels_softmax",
    "normalize_channels_softmax_maxval",
];

/// What a section says of its activation, or the default.
pub(super) fn of(
    section: &Section,
    default: &str,
    notes: &mut Notes,
) -> Result<&'static str, CfgError> {
    let name = section.text("activation").unwrap_or(default);
    if let Some(&(_, text)) = ACTIVATIONS.iter().find(|(known, _)| *known == name) {
        return Ok(text);
    }
    if UNSUPPORTED.contains(&name) {
        let what = format!("the activation `{name}`");
        return Err(section.unsupported(Some("activation"), what));
    }
    notes.unknown(section, "activation", "relu");
    Ok("relu")
}
