//! Nodes: what sections become, and the tensors between them.

/// A tensor: 0 is the input, `n + 1` what darknet's layer `n` makes.
pub(super) type Value = usize;

/// A tensor's shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Map {
        c: usize,
        h: usize,
        w: usize,
    },
    /// A map of one pixel, to darknet.
    Vector(usize),
    /// Numbers that darknet knows no extents of.
    Flat(usize),
}

impl Shape {
    /// Channels, rows and columns.
    pub fn extents(self) -> Option<[usize; 3]> {
        match self {
            Shape::Map { c, h, w } => Some([c, h, w]),
            Shape::Vector(n) => Some([n, 1, 1]),
            Shape::Flat(_) => None,
        }
    }

    pub fn elements(self) -> usize {
        match self {
            Shape::Map { c, h, w } => c * h * w,
            Shape::Vector(n) | Shape::Flat(n) => n,
        }
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Shape::Map { c, h, w } => write!(f, "{c}x{h}x{w}"),
            Shape::Vector(n) | Shape::Flat(n) => write!(f, "{n}"),
        }
    }
}

/// What a layer computes, as the language writes it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// Layers applied to one operand, each on a line of its own but for activations.
    Chain(Vec<String>),
    /// A layer of several operands, and what follows on the line.
    Join { word: &'static str, then: String },
}

/// A layer, or a step on the way to what one makes.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub value: Value,
    pub inputs: Vec<Value>,
    pub what: What,
    /// What its label begins with.
    pub kind: &'static str,
    /// Darknet's number of the layer: what its label ends with.
    pub number: usize,
    /// Whether it has weights.
    pub weights: bool,
    /// Line of its section.
    pub line: usize,
}
