//! Loops that do little, often; lists of settings; what is held against many names.

use super::{File, many, model, some};

/// Half as long as a file may be.
fn long() -> String {
    "a".repeat(500_000)
}

pub(super) static LOOPS: &[File] = &[
    ("turns", "E0801", || model("repeat 2000000 { }")),
    ("turns within turns", "E0801", || {
        model("repeat 2000 { repeat 2000 { } }")
    }),
    ("endless turns", "E0801", || {
        model("repeat 9223372036854775807 { }")
    }),
    ("turns with a label", "E0801", || {
        model("repeat 2000000 { a: x }")
    }),
    ("turns with a condition", "E0801", || {
        model("repeat 2000000 as i { if i % 2 == 1 { } else { } }")
    }),
    ("turns with a mistake", "E0201", || {
        model("repeat 2000000 { rellu }")
    }),
    ("turns with a long mistake", "E0201", || {
        model(&format!("repeat 2000000 {{ {} }}", long()))
    }),
    ("turns with a long label", "E0801", || {
        model(&format!("repeat 2000000 {{ {}: x }}", long()))
    }),
    ("turns with a long string", "E0801", || {
        let block = "block b(s) { }";
        let call = format!("repeat 2000000 {{ b(\"{}\") }}", long());
        format!("cnn 1\n{block}\nmodel M {{ input x: 3; {call} }}")
    }),
    ("turns with a block", "E0801", || {
        "cnn 1\nblock b(s) { }\nmodel M { input x: 3; repeat 2000000 { b(1) } }".to_owned()
    }),
    ("turns with defaults", "E0801", || {
        let defaults = "pad half ".repeat(60_000);
        model(&format!("repeat 2000000 {{ defaults {{ {defaults} }} }}"))
    }),
    ("turns with a preset", "E0801", || {
        let preset = format!("preset p {{ {} }}", "pad half ".repeat(60_000));
        format!("cnn 1\n{preset}\nmodel M {{ input x: 3; repeat 2000000 {{ defaults p {{}} }} }}")
    }),
    ("turns with a shared network", "E0801", || {
        model("repeat 2000000 { shared s { } ; s }")
    }),
    ("turns with branches", "E0401", || {
        model("repeat 2000000 { branch { {} ; {} } }")
    }),
    ("branches of turns", "E0801", || {
        model("branch { repeat 2000000 { } }")
    }),
    ("branches of layers", "E0801", || {
        model("branch { repeat 2000000 { relu } }")
    }),
    ("layers of turns", "E0801", || {
        model("repeat 2000000 { relu }")
    }),
    ("layers with operands", "E0801", || {
        model(&format!("repeat 2000000 {{ add({}x) }}", "x,".repeat(1000)))
    }),
    ("items", "E0801", || {
        model(&format!("for a in [{}] {{ relu }}", many(|_| "1,")))
    }),
    ("rows", "E0606", || {
        model(&format!("for (a, b) in [{}] {{ x }}", many(|_| "(1,2),")))
    }),
    ("tables that are compared", "E0801", || {
        let body = "repeat 2000000 { if a == a { } }";
        model(&format!(
            "for a in [[{}]] {{ {body} }}",
            "1,".repeat(200_000)
        ))
    }),
    ("tables as weights", "E0401", || {
        let body = "repeat 2000000 { conv 3x3 3 weight a }";
        model(&format!(
            "for a in [[{}]] {{ {body} }}",
            "1,".repeat(200_000)
        ))
    }),
];

/// Layers with weights, and a map of their names.
fn map(pair: impl FnMut(usize) -> String) -> String {
    let layers = some(9_000, |n| format!("label{n}: prelu\n"));
    let pairs = some(20_000, pair);
    model(&format!("{layers}weights map {{ {pairs} }}"))
}

pub(super) static SETTINGS: &[File] = &[
    ("defaults", "sound", || {
        let layers = "conv 3x3 8 pad half\n".repeat(19_000);
        let defaults = "bias on ".repeat(50_000);
        model(&format!("defaults {{ {defaults} }}\n{layers}"))
    }),
    ("defaults that do not fit", "E0801", || {
        let defaults = "size 3x3 ".repeat(50_000);
        model(&format!(
            "defaults {{ {defaults} }}\n{}",
            "lrn\n".repeat(19_000)
        ))
    }),
    ("defaults that are unknown", "E0307", || {
        model(&format!(
            "defaults {{ {} }}",
            many(|n| format!("padd{n} half "))
        ))
    }),
    ("defaults of scopes", "E0606", || {
        model(&many(|_| "{ defaults { pad half } };"))
    }),
    ("a map of names", "W0104", || {
        map(|n| format!("\"file{n}\" -> \"label{n}\","))
    }),
    ("a map of patterns", "W0104", || {
        map(|n| format!("\"file{n}.{{i}}\" -> \"label{n}{{i}}\","))
    }),
    ("a map of variables", "W0104", || {
        map(|n| format!("\"{n}{{i}}{{j}}\" -> \"{{i:word}}{{j:word}}{n}\","))
    }),
    ("a map of the rest", "W0104", || {
        map(|n| format!("\"{n}*\" -> \"*{n}\","))
    }),
    ("a long label in a long pattern", "E0801", || {
        let (label, pattern) = ("a".repeat(2000), "{a}".repeat(300));
        let pair = format!("\"a\" -> \"{pattern}\"");
        model(&format!("{label}: dense 3; weights map {{ {pair} }}"))
    }),
    ("maps", "W0104", || {
        let layers = some(9_000, |n| format!("label{n}: prelu\n"));
        let maps = some(20_000, |n| {
            format!("weights map {{ \"f{n}\" -> \"l{n}\" }}\n")
        });
        model(&format!("{layers}{maps}"))
    }),
    ("heads", "E0203", || model(&many(|_| "head classify\n"))),
    ("one file of labels", "E0303", || {
        let labels = many(|_| "labels \"labels.txt\";");
        model(&format!("head classify {{ {labels} }}"))
    }),
    ("anchors", "E0401", || {
        let anchors = many(|_| "(1, 2) ");
        model(
            &format!("conv 1x1 6 head yolo2 {{ anchors cells {anchors} }}")
                .replace("6 head", "6\nhead"),
        )
    }),
    ("maps of a detector", "sound", || {
        let maps = some(5000, |n| format!("m{n}: route x conv 1x1 6\n"));
        let names = some(5000, |n| format!("m{n} "));
        let masks = some(5000, |n| format!("({n}) "));
        let anchors = "(1, 2) ".repeat(5000);
        let keys = format!("maps {names} masks {masks} anchors pixels {anchors}");
        model(&format!("{maps}head yolo3 {{ {keys} }}"))
    }),
    ("settings of an input", "E0303", || {
        let settings = many(|_| "resize 8 ");
        format!("cnn 1\nmodel M {{ input x: 3x8x8 {{ {settings} }}\nrelu }}")
    }),
    ("settings that are unknown", "E0307", || {
        let settings = many(|_| "resiez 8 ");
        format!("cnn 1\nmodel M {{ input x: 3x8x8 {{ {settings} }}\nrelu }}")
    }),
    ("expected numbers", "sound", || {
        model(&format!("relu\nexpect {{ {} }}", many(|_| "params 0 ")))
    }),
    ("expected numbers that are wrong", "E0701", || {
        model(&format!("relu\nexpect {{ {} }}", many(|_| "params 1 ")))
    }),
];
