//! What the scan of brackets, the grammar and the reader of expressions see.

use super::{File, many, model, nested};

pub(super) static TEXTS: &[File] = &[
    ("labels on one line", "sound", || {
        let strings = many(|n| format!("\"{n}\","));
        let count = strings.matches(',').count();
        let head = format!("head classify {{ labels [{strings}] }}");
        format!("cnn 1\nmodel M {{ input x: 3\n dense {count}\n {head} }}")
    }),
    ("short strings on one line", "E0101", || many(|_| "\"\"")),
    ("quotes on lines", "E0103", || many(|_| "\"\n")),
    ("quotes and brackets", "E0103", || many(|_| "\")\n")),
    ("comments", "E0104", || many(|_| "#\n")),
    ("doc comments", "E0606", || model(&many(|_| "///\n"))),
    ("doc comments behind statements", "E0101", || {
        model(&many(|_| "relu /// [[[(((\n"))
    }),
    ("slashes", "E0101", || model(&many(|_| "relu // {{{\n"))),
    ("slashes in one statement", "E0101", || {
        model(&format!("[\n{}]", many(|_| "///[[\n")))
    }),
    ("semicolons", "E0606", || model(&many(|_| ";"))),
    ("newlines", "E0104", || many(|_| "\n")),
    ("equals signs", "E0101", || model(&many(|_| "= ;"))),
    ("one long mistake", "E0101", || model(&many(|_| "= "))),
    ("nulls", "E0101", || many(|_| "\0")),
    ("umlauts", "E0101", || model(&many(|_| "é"))),
    ("nothing", "E0104", String::new),
    ("a byte order mark", "E0104", || "\u{feff}".to_owned()),
    ("the first word", "E0104", || "cnn".to_owned()),
    ("the first line", "E0601", || "cnn 1".to_owned()),
    ("a byte more than may be", "E0801", || {
        "x".repeat((1 << 20) + 1)
    }),
    ("byte order marks", "E0101", || many(|_| "\u{feff}")),
    ("words that are no items", "E0101", || many(|_| "x\n")),
    ("models", "E0104", || many(|_| "model M{}\n")),
    ("a long label", "E0801", || {
        model(&format!("{}: relu", many(|_| "a")))
    }),
    ("a long word", "E0201", || model(&many(|_| "a"))),
    ("a long number", "E0105", || {
        model(&format!("dense {}", many(|_| "9")))
    }),
    ("many extents", "E0301", || {
        model(&format!("conv {}1", many(|_| "1x")))
    }),
    ("a long string", "E0202", || {
        model(&format!("route \"{}\"", many(|_| "a")))
    }),
    ("dots", "E0801", || {
        model(&format!("a{}: relu", many(|_| ".a")))
    }),
];

/// Lines of brackets that are nested nearly as deep as they may be.
fn lines(depth: usize, open: &str, inside: &str, close: &str) -> String {
    let line = nested(depth, open, inside, close) + "\n";
    model(&many(|_| &line))
}

pub(super) static BRACKETS: &[File] = &[
    ("parentheses", "E0302", || lines(60, "(", "1", ")")),
    ("lists", "E0302", || lines(60, "[", "", "]")),
    ("braces", "E0606", || lines(60, "{", "", "}")),
    ("groups", "E0801", || lines(60, "{ relu; ", "", "}")),
    ("groups with labels", "E0801", || {
        lines(60, "a: { ", "b: relu", "}")
    }),
    ("branches", "E0401", || {
        lines(30, "branch { relu ; { ", "relu", "} }")
    }),
    ("residuals", "E0801", || {
        lines(60, "residual { ", "relu", " }")
    }),
    ("shortcuts", "sound", || {
        lines(60, "residual { relu } shortcut auto { ", "", " }")
    }),
    ("loops", "sound", || {
        lines(60, "for i in [1] { ", "relu", " }")
    }),
    ("conditions", "sound", || {
        lines(60, "if 1 == 1 { ", "relu", " } else { tanh }")
    }),
    ("conditions in chains", "E0801", || {
        lines(60, "relu if 1 == 1 { ", "relu", " } else { tanh } relu")
    }),
    ("conditions behind one another", "E0801", || {
        model(&format!("relu {}", many(|_| "if 1 == 1 { relu } ")))
    }),
    ("choices", "E0302", || {
        lines(30, "(if 1 == 1 { ", "1", " } else { 2 })")
    }),
    ("calls", "E0801", || lines(60, "add(x, ", "x", ")")),
    ("functions", "E0302", || lines(30, "(max(1, ", "1", "))")),
    ("indices in indices", "E0302", || {
        lines(30, "([1][", "0", "])")
    }),
    ("brackets in labels", "E0501", || {
        let label = nested(30, "([", "1", "])");
        model(&many(|_| format!("{{{label}}}: relu\n")))
    }),
    ("shared networks in themselves", "E0203", || {
        lines(60, "shared s { ", "relu", " }")
    }),
    ("brackets that are no statement", "E0101", || {
        lines(60, "= [", "", "]")
    }),
    ("braces that are no statement", "E0101", || {
        lines(60, "= {", "", "}")
    }),
    ("braces without a model", "E0106", || {
        nested(64, "{", "", "}")
    }),
    ("chains in chains", "E0302", || {
        lines(30, "(a b(", "1", "))")
    }),
    ("chains in chains that are none", "E0101", || {
        lines(30, "(a b(", "=", "))")
    }),
    ("strides in chains that are none", "E0101", || {
        lines(30, "(a /(", "=", ")b)")
    }),
    ("indices in chains that are none", "E0101", || {
        lines(30, "(a [1][", "=", "])")
    }),
    ("differences in chains that are none", "E0101", || {
        lines(60, "(a -", "(=)", ")")
    }),
    ("a long chain", "E0201", || {
        model(&format!("b({})", many(|_| "relu ")))
    }),
    ("crossed brackets", "E0102", || model(&many(|_| "([)]"))),
    ("closing brackets", "E0102", || model(&many(|_| "}"))),
    ("opening brackets", "E0801", || model(&many(|_| "("))),
    ("heads in heads", "E0203", || {
        lines(60, "head yolo1 { ", "", " }")
    }),
    ("training", "E0101", || {
        model(&format!("train {{ {} }}", many(|_| "{}")))
    }),
    ("clauses of training", "E0303", || {
        model(&format!("train {{ {} }}", many(|_| "batch 1 ")))
    }),
    ("settings of training", "E0303", || {
        model(&format!(
            "train {{ rate 1 {{ {} }} }}",
            many(|_| "warmup 1 ")
        ))
    }),
    ("words in training", "E0307", || {
        model(&format!(
            "train {{ {} }}",
            many(|at| if at % 2 == 0 { "a\n" } else { "keep " })
        ))
    }),
    ("training within training", "E0101", || {
        lines(60, "train { ", "", " }")
    }),
];

/// An expression where a number is needed.
fn value(text: String) -> String {
    model(&format!("dense ({text})"))
}

pub(super) static EXPRESSIONS: &[File] = &[
    ("indices", "E0801", || {
        value(format!("a{}", many(|_| "[0]")))
    }),
    ("indices of a list", "E0801", || {
        value(format!("[1]{}", many(|_| "[0]")))
    }),
    ("sums", "E0801", || value(format!("1{}", many(|_| "+1")))),
    ("signs", "E0801", || value(format!("{}1", many(|_| "-")))),
    ("nots", "E0801", || value(format!("{}1", many(|_| "not ")))),
    ("nots behind operators", "E0801", || {
        value(format!("1{}", many(|_| " + not 2")))
    }),
    ("ifs", "E0101", || value(many(|_| "if "))),
    ("ifs behind operators", "E0101", || value(many(|_| "if 1+"))),
    ("ifs as statements", "E0101", || model(&many(|_| "if "))),
    ("else ifs", "E0401", || {
        let ifs = many(|_| "else if 1==2 {1}");
        value(format!("if 1==2 {{1}} {ifs} else {{1}}"))
    }),
    ("else ifs of statements", "E0606", || {
        let ifs = many(|_| "else if 1==2 {}");
        model(&format!("if 1==2 {{}} {ifs}"))
    }),
    ("numbers", "E0401", || {
        model(&format!("conv 3x3 8 weight [{}]", many(|_| "1,")))
    }),
    ("rows of numbers", "E0401", || {
        model(&format!("conv 3x3 8 weight [{}]", many(|_| "[1],")))
    }),
    ("arguments", "E0401", || {
        value(format!("max({}1)", many(|_| "1,")))
    }),
    ("operands", "E0801", || {
        model(&format!("add({}x)", many(|_| "x,")))
    }),
    ("sums of tensors", "E0801", || {
        model(&format!("x{}", many(|_| " + x")))
    }),
    ("strides", "E0302", || model(&many(|_| "/2 "))),
    ("words", "E0801", || model(&many(|_| "relu "))),
    ("statements", "E0801", || model(&many(|_| "relu;"))),
    ("flags", "E0303", || {
        model(&format!("conv 3x3 8 {}", many(|_| "bias ")))
    }),
    ("expressions in a label", "E0801", || {
        model(&format!("{}: relu", many(|_| "{1}")))
    }),
];
