//! What each module may know: the one place where ARCHITECTURE.md's rules are written as data.
//!
//! A name stands for a module and all that is in it, a longer path for that alone. Modules stand in an order in which each knows
//! only those above it, but for the members of a knot.

/// Sources whose paths below `root` are held against rows.
pub struct Part {
    pub folder: &'static str,
    /// `crate`, or another crate with the module in it that the rows are about.
    pub root: &'static str,
    pub rows: &'static [Row],
    /// Modules that know each other by nature.
    pub knot: &'static [&'static str],
}

/// A module (every one, if it has no name) and what it may know.
pub type Row = (&'static str, &'static [&'static str]);

#[rustfmt::skip]
pub const COMPILER: Part = Part {
    folder: "compiler/src",
    root: "crate",
    knot: &["gradient", "graph", "layer", "lower", "op", "reference"],
    rows: &[
        ("limits", &[]),
        ("id", &[]),
        ("slip", &[]),
        ("target", &[]),
        ("note", &[]),
        ("span", &["id"]),
        ("shape", &["limits"]),
        ("outline", &["span"]),
        ("args", &["limits", "span"]),
        ("frameworks", &["slip"]),
        ("words", &["slip", "frameworks"]),
        ("diagnostic", &["id", "span", "words"]),
        ("ast", &["args", "span"]),
        ("loops", &["id", "limits"]),
        ("head", &["args", "diagnostic", "id", "shape", "span"]),
        ("layer", &["args", "gradient", "id", "limits", "loops", "lower", "op", "shape", "words"]),
        ("op", &["args", "gradient", "id", "layer", "limits", "loops", "lower", "shape"]),
        ("gradient", &["graph", "id", "layer", "op", "reference", "shape", "span", "words"]),
        ("graph", &["head", "id", "shape", "span",
            "layer::Inferred", "layer::Layer", "layer::ParamSpec", "layer::ShapeError", "layer::attribute"]),
        ("tuning", &["graph", "id"]),
        ("recipe", &["tuning"]),
        ("lower", &["graph", "id", "limits", "loops", "note", "shape", "target",
            "layer::Halo", "layer::NO_HALO", "layer::Role", "layer::copy", "layer::conv::is_depthwise",
            "layer::elements", "layer::epilogue", "layer::padded"]),
        ("hash", &["graph", "id", "shape", "layer::attribute", "layer::window"]),
        ("reference", &["graph", "id", "limits"]),
        ("pass", &["graph", "id", "lower::each_operand", "note",
            "layer::Attributes", "layer::Layer", "layer::Role", "layer::dense::Dense", "layer::epilogue"]),
        ("loss", &["args", "graph", "head", "id", "op", "recipe", "shape", "words",
            "layer::Layer", "layer::add::Add", "layer::permute::Permute", "layer::reshape::Reshape", "layer::sigmoid::Sigmoid", "layer::slice::Slice"]),
        ("step", &["gradient", "graph", "id", "loss", "op", "pass", "recipe", "shape", "span",
            "layer::Layer", "layer::ParamSpec", "layer::ShapeError", "layer::bn::BatchNorm", "layer::crop::Crop", "layer::dropout::Dropout",
            "layer::elementwise", "layer::gram"]),
        ("slide", &["graph", "id", "note", "pass", "shape",
            "layer::Sliding", "layer::crop::Crop", "layer::window::show"]),
        ("field", &["graph", "id", "layer::Sliding"]),
        ("foreign", &["diagnostic", "frameworks", "layer", "span"]),
        ("parse", &["ast", "diagnostic", "foreign::Python", "frameworks", "span"]),
        ("format", &["diagnostic", "id", "parse"]),
        ("resolve", &["ast", "diagnostic", "foreign", "frameworks", "graph", "head", "id", "layer", "limits", "loss", "outline", "parse",
            "recipe", "shape", "span", "tuning", "words"]),
        ("jit", &["id", "loops", "lower::Lowered"]),
        ("emit", &["diagnostic", "graph::Graph", "id", "loops", "lower::Lowered", "lower::lower", "pass::optimize", "resolve",
            "span", "target"]),
    ],
};

#[rustfmt::skip]
pub const RUNTIME: Part = Part {
    folder: "runtime/src",
    root: "crate",
    knot: &[],
    rows: &[
        ("isa", &[]),
        ("files", &[]),
        ("memory", &[]),
        ("sniff", &[]),
        ("input", &[]),
        ("denormals", &[]),
        ("simd", &["isa"]),
        ("kernel", &["denormals", "isa", "simd"]),
        ("plan", &["isa", "kernel"]),
        ("threads", &["denormals"]),
        ("synthetic", &["memory"]),
        ("npy", &["memory", "sniff"]),
        ("image", &["files", "memory", "plan", "sniff"]),
        ("answer", &["image", "memory", "plan"]),
        ("weights", &["files", "memory", "npy", "plan", "sniff", "synthetic"]),
        ("tensor_file", &["files", "memory", "npy", "sniff", "synthetic", "weights"]),
        ("pack", &["isa", "kernel", "memory", "plan", "weights"]),
        ("peak", &["isa", "simd"]),
        ("session", &["answer", "denormals", "input", "memory", "plan", "threads"]),
        ("generated", &["isa", "kernel", "memory", "pack", "plan", "session", "threads", "weights"]),
    ],
};

/// Files and folders side by side that still know each other in circles, by their paths.
pub const CIRCLES: &[&[&str]] = &[
    // Gradients are made of layers, those of these two pairs of each other.
    &["compiler/src/layer/crop", "compiler/src/layer/pad"],
    &["compiler/src/layer/padchannels", "compiler/src/layer/slice"],
];

/// What the other packages know of the compiler.
#[rustfmt::skip]
pub const USERS: &[Part] = &[
    Part { folder: "runtime/src", root: "cnnc_compiler", knot: &[], rows: &[("", &[])] },
    Part { folder: "macros/src", root: "cnnc_compiler", knot: &[], rows: &[("", &["emit", "target"])] },
    Part { folder: "macros/src", root: "cnnc_runtime", knot: &[], rows: &[("", &[])] },
    // The language only.
    Part { folder: "src/darknet", root: "cnnc_compiler", knot: &[], rows: &[("", &[
        "compile_source", "diagnostic", "format::format", "limits", "span", "words",
    ])] },
    // Of layers their role, their costs and how they are written.
    Part { folder: "src/picture", root: "cnnc_compiler", knot: &[], rows: &[("", &[
        "graph", "id", "outline", "shape", "span", "words", "head::Enters", "layer::Attribute", "layer::Role", "layer::conv::is_depthwise", "layer::written",
    ])] },
    Part { folder: "cli/src", root: "cnnc::compiler", knot: &[], rows: &[("", &[
        "diagnostic", "format", "graph", "head::HEADS", "words",
        // What `dump` prints, and errors.
        "emit", "jit", "loops", "parse", "pass", "lower::ports", "slide::SlideError",
        // What `gradcheck` prints.
        "gradient::check", "shape",
    ])] },
    Part { folder: "cli/src", root: "cnnc_compiler", knot: &[], rows: &[("", &[])] },
    Part { folder: "cli/src", root: "cnnc_runtime", knot: &[], rows: &[("", &[])] },
];
