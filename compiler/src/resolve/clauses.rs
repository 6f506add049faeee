//! What may stand in a `train` section.

use crate::layer::{Kind, ParamDecl};
use crate::loss;
use crate::recipe::{Clip, DataKind, Method, Schedule};

/// A clause: a word, its value, and what may stand in braces behind it.
#[derive(Debug)]
pub struct ClauseDecl {
    /// The word is the name.
    pub value: ParamDecl,
    /// Those of `optimizer` are in [`OPTIMIZERS`], those of `loss` in [`loss::LOSSES`].
    pub settings: &'static [ParamDecl],
}

/// Every clause.
pub static CLAUSES: &[ClauseDecl] = &[
    ClauseDecl {
        value: key(
            "optimizer",
            Kind::Word(&Method::NAMES),
            None,
            "How tensors are changed; `sgd { momentum 0.9 nesterov decay 5e-4 }` if there is no such clause.",
        ),
        settings: &[],
    },
    ClauseDecl {
        value: key(
            "rate",
            Kind::Float,
            None,
            "The rate, once it has warmed up; 0.05 with `sgd` and 0.001 with others if there is no such clause.",
        ),
        settings: &[
            key(
                "warmup",
                Kind::Float,
                None,
                "Epochs in which the rate rises from zero, also parts of one; a twentieth of all if nothing is said.",
            ),
            key(
                "curve",
                Kind::Word(&Schedule::NAMES),
                Some("cosine"),
                "What it does behind them: it falls to zero like half a cosine, stays, falls in steps, or falls to zero like a power of what is left.",
            ),
            key(
                "at",
                Kind::Series,
                None,
                "Epochs behind which `steps` fall, also parts of one: `steps at 10 20`.",
            ),
            key(
                "every",
                Kind::Float,
                None,
                "Epochs after which `steps` fall again and again, in place of `at`.",
            ),
            key(
                "by",
                Kind::Float,
                Some("0.1"),
                "What each of the `steps` multiplies the rate by.",
            ),
            key(
                "power",
                Kind::Float,
                Some("1"),
                "Power of `polynomial`; a straight line with 1.",
            ),
        ],
    },
    ClauseDecl {
        value: key(
            "clip",
            Kind::Float,
            None,
            "How long the gradients of a step may be: longer ones are made as long; as they are if there is no such clause.",
        ),
        settings: &[key(
            "of",
            Kind::Word(&Clip::NAMES),
            Some("norm"),
            "What is as long at most: all gradients as one vector, or each number.",
        )],
    },
    ClauseDecl {
        value: key("batch", Kind::Int, Some("64"), "Samples of a step."),
        settings: &[
            key(
                "each",
                Kind::Int,
                Some("4"),
                "Samples of each identity in a batch, where folders are identities (`head embed`).",
            ),
            key(
                "alike",
                Kind::Float,
                Some("0.5"),
                "Share of the pairs that are alike, where they are learned (`head verify` of two pictures).",
            ),
        ],
    },
    ClauseDecl {
        value: key(
            "epochs",
            Kind::Int,
            Some("5"),
            "How often all samples are seen.",
        ),
        settings: &[],
    },
    ClauseDecl {
        value: key(
            "seed",
            Kind::Int,
            Some("1"),
            "What all random numbers are made of.",
        ),
        settings: &[],
    },
    ClauseDecl {
        value: key(
            "threads",
            Kind::Int,
            None,
            "Threads that steps run on, which change no weights; every processor, 16 at most, if there is no such clause.",
        ),
        settings: &[],
    },
    ClauseDecl {
        value: key(
            "loss",
            Kind::Word(&loss::NAMES),
            None,
            "What is made small; that of the head if there is no such clause.",
        ),
        settings: &[],
    },
    ClauseDecl {
        value: key(
            "data",
            Kind::Word(&DataKind::NAMES),
            None,
            "What is learned from: a kind and a path, `data folder \"signs/\"`; `--data` comes before it.",
        ),
        settings: &[],
    },
    ClauseDecl {
        value: key(
            "augment",
            Kind::Flag,
            None,
            "How samples are changed at random each time that they are learned from; no value, settings only.",
        ),
        settings: AUGMENT,
    },
];

/// The settings of `augment`.
const AUGMENT: &[ParamDecl] = &[
    key(
        "mirror",
        Kind::Flag,
        Some("off"),
        "Left and right are exchanged in half of the samples.",
    ),
    key(
        "crop",
        Kind::Int,
        None,
        "Side of a square of pixels that is cut out anywhere, and scaled to the input's size.",
    ),
    key(
        "pad",
        Kind::Int,
        Some("0"),
        "Pixels around the picture in which that square may lie, too.",
    ),
    key(
        "rotate",
        Kind::Float,
        Some("0"),
        "Degrees that a picture is turned by at most, either way.",
    ),
    key(
        "shear",
        Kind::Float,
        Some("0"),
        "Degrees that its vertical lines lean at most, either way.",
    ),
    key(
        "scale",
        Kind::Float,
        Some("0"),
        "Share by which a picture or series grows or shrinks at most.",
    ),
    key(
        "shift",
        Kind::Float,
        Some("0"),
        "Pixels, or elements of a series, by which it is moved at most along each axis.",
    ),
    key(
        "colour",
        Kind::Series,
        Some("0 0 0"),
        "Shares by which brightness, contrast and saturation change at most.",
    ),
    key(
        "tint",
        Kind::Float,
        Some("0"),
        "Levels, of 255, that are added to red, green and blue at most, each by itself, either way.",
    ),
];

/// The constants of each method; what is not written is as in PyTorch.
pub static OPTIMIZERS: [(Method, &[ParamDecl]); 4] = [
    (Method::Sgd, &[MOMENTUM, NESTEROV, DECAY, EXCEPT]),
    (Method::RmsProp, &[ALPHA, MOMENTUM, EPS, DECAY, EXCEPT]),
    (Method::Adam, &[BETAS, EPS, DECAY, EXCEPT]),
    (Method::AdamW, &[BETAS, EPS, OWN_DECAY, EXCEPT]),
];

const MOMENTUM: ParamDecl = key(
    "momentum",
    Kind::Float,
    Some("0"),
    "Share of the velocity that stays.",
);
const NESTEROV: ParamDecl = key(
    "nesterov",
    Kind::Flag,
    Some("off"),
    "The gradient is looked at where the velocity leads.",
);
const ALPHA: ParamDecl = key(
    "alpha",
    Kind::Float,
    Some("0.99"),
    "Share of the mean square that stays.",
);
const BETAS: ParamDecl = key(
    "betas",
    Kind::Series,
    Some("0.9 0.999"),
    "Shares of the first and the second moment that stay.",
);
const EPS: ParamDecl = key("eps", Kind::Float, Some("1e-8"), "Added to the root.");
const DECAY: ParamDecl = key(
    "decay",
    Kind::Float,
    Some("0"),
    "Decay of weights, which is added to their gradients.",
);
const OWN_DECAY: ParamDecl = key(
    "decay",
    Kind::Float,
    Some("0.01"),
    "Decay of weights, apart from their gradients.",
);
const EXCEPT: ParamDecl = key(
    "except",
    Kind::Tensors,
    Some("bias bn"),
    "What does not decay: `bias` and `bn`, said or not, and tensors or layers as `freeze` names them.",
);

/// What `except` may name beside tensors and layers.
pub(super) const SPARED: [&str; 2] = ["bias", "bn"];

/// Losses that are for later.
pub static LATER_LOSSES: &[&str] = &["style"];

/// The clause of that name.
pub(super) fn find(word: &str) -> Option<&'static ClauseDecl> {
    CLAUSES.iter().find(|clause| clause.value.name == word)
}

const fn key(
    name: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    doc: &'static str,
) -> ParamDecl {
    ParamDecl {
        name,
        kind,
        positional: false,
        default,
        doc,
    }
}
