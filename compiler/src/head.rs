//! Heads: what turns the raw output of a network into an answer.
//!
//! A head is a row of [`HEADS`]: its keys are declared like the parameters of a layer, and the parser,
//! the checks and the documentation come from the table.

use crate::layer::{Kind, Literal, ParamDecl};

/// A row of the table of heads.
#[derive(Debug)]
pub struct HeadDecl {
    /// The word behind `head`.
    pub keyword: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// Its keys.
    pub keys: &'static [ParamDecl],
    /// Whether softmax over the raw output is a second output, `probabilities`.
    pub probabilities: bool,
}

/// Every head of the language.
pub static HEADS: &[&HeadDecl] = &[&CLASSIFY, &VERIFY, &EMBED, &IMAGE];

/// The head of that keyword.
pub fn find(keyword: &str) -> Option<&'static HeadDecl> {
    HEADS.iter().copied().find(|head| head.keyword == keyword)
}

/// The labels of classes.
const LABELS: ParamDecl = ParamDecl {
    name: "labels",
    kind: Kind::Strings,
    positional: false,
    default: Some("none"),
    doc: "Names of the classes: a list, or a text file with one on each line, relative to the spec.",
};

static CLASSIFY: HeadDecl = HeadDecl {
    keyword: "classify",
    doc: "One of several classes. `raw` is the logits, a vector; `probabilities` is their softmax.",
    keys: &[
        LABELS,
        ParamDecl {
            name: "top",
            kind: Kind::Int,
            positional: false,
            default: Some("5"),
            doc: "How many of the most probable classes are shown.",
        },
    ],
    probabilities: true,
};

static VERIFY: HeadDecl = HeadDecl {
    keyword: "verify",
    doc: "Whether several inputs are of one kind. `raw` is a single number, the larger the more alike.",
    keys: &[ParamDecl {
        name: "threshold",
        kind: Kind::Float,
        positional: false,
        default: Some("0.5"),
        doc: "From which value on the inputs count as alike.",
    }],
    probabilities: false,
};

static EMBED: HeadDecl = HeadDecl {
    keyword: "embed",
    doc: "A vector that stands for the input, to be compared with others. `raw` is the vector.",
    keys: &[ParamDecl {
        name: "metric",
        kind: Kind::Word(&["cosine", "euclidean"]),
        positional: false,
        default: Some("euclidean"),
        doc: "How two vectors are compared.",
    }],
    probabilities: false,
};

static IMAGE: HeadDecl = HeadDecl {
    keyword: "image",
    doc: "A picture: `raw` has one channel (grey) or three (red, green, blue).",
    keys: &[ParamDecl {
        name: "range",
        kind: Kind::Word(&["clamp", "magnitude", "minmax"]),
        positional: false,
        default: Some("clamp"),
        doc: "How values become brightness: `clamp` takes 0 for black and 1 for white and cuts the rest off, `magnitude` takes 0 for \
              black and the largest magnitude for white, `minmax` the smallest and the largest value.",
    }],
    probabilities: false,
};

/// A head as it stands in a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// Row of [`HEADS`].
    pub keyword: &'static str,
    /// Names of the classes; empty if there are none.
    pub labels: Vec<String>,
    /// Every other key that was written.
    pub given: Vec<(&'static str, Literal)>,
}

impl Head {
    /// What was written for a key.
    fn get(&self, key: &str) -> Option<&Literal> {
        self.given
            .iter()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value)
    }
    /// The declared default of a key.
    fn default(&self, key: &str) -> Option<&'static str> {
        let decl = find(self.keyword)?;
        decl.keys.iter().find(|param| param.name == key)?.default
    }
    /// A number or integer, the default if none is written; `None` if the head has no such key.
    pub fn number(&self, key: &str) -> Option<f64> {
        match self.get(key) {
            Some(&Literal::Int(n)) => Some(n as f64),
            Some(&Literal::Float(x)) => Some(x),
            _ => self.default(key)?.parse().ok(),
        }
    }
    /// A word, the default if none is written; `None` if the head has no such key.
    pub fn word(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(Literal::Word(word)) => Some(word),
            _ => self.default(key),
        }
    }
}
