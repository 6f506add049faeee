//! Many names: labels, tensors, variables, blocks, shared networks, inputs, imports.

use super::{File, calls, items, many, model, nested, some};

/// So many labels that they are half of the layers that a network may have.
fn labels() -> String {
    some(9_000, |n| format!("label{n}: relu\n"))
}

/// Statements where every name is looked for in sixty places.
fn deep(statements: &str) -> String {
    model(&nested(60, "aaaaaa: { ", statements, " }"))
}

pub(super) static NAMES: &[File] = &[
    ("labels", "sound", || {
        model(&some(19_000, |n| format!("label{n}: relu\n")))
    }),
    ("labels twice", "E0204", || model(&labels().repeat(2))),
    ("one label again and again", "E0801", || {
        model(&many(|_| "a: relu\n"))
    }),
    ("names without layers", "E0606", || {
        model(&many(|n| format!("a{n}: x\n")))
    }),
    ("words that are unknown", "E0201", || {
        model(&many(|n| format!("rellu{n}\n")))
    }),
    ("unknown words in one chain", "E0201", || {
        model(&many(|n| format!("foo{n} ")))
    }),
    ("names of Keras in one chain", "E0201", || {
        model(&many(|_| "Conv2D "))
    }),
    ("names of PyTorch in one chain", "E0201", || {
        model(&many(|_| "BatchNorm2d "))
    }),
    ("tensors that are unknown", "E0202", || {
        let unknown = some(40_000, |n| format!("route lable{n}\n"));
        model(&format!("{}{unknown}", labels()))
    }),
    ("long names that are unknown", "E0202", || {
        let long = "abcdefgh".repeat(7);
        let known = some(9_000, |n| format!("{long}{n}: relu\n"));
        model(&format!(
            "{known}{}",
            some(4_000, |n| format!("route {long}x{n}\n"))
        ))
    }),
    ("taps", "E0203", || {
        let taps = some(60_000, |n| format!("label{},", n % 9000));
        model(&format!("{}tap {taps} label1", labels()))
    }),
    ("taps that are unknown", "E0202", || {
        let taps = some(60_000, |n| format!("lable{n},"));
        model(&format!("{}tap {taps} x", labels()))
    }),
    ("expected shapes", "sound", || {
        let shapes = some(30_000, |n| format!("shape label{} 3x8x8 ", n % 9000));
        model(&format!("{}expect {{ {shapes} }}", labels()))
    }),
    ("expected shapes that are unknown", "E0202", || {
        let shapes = some(30_000, |n| format!("shape lable{n} 3x8x8 "));
        model(&format!("{}expect {{ {shapes} }}", labels()))
    }),
    ("expectations", "E0701", || {
        let shapes = some(15_000, |n| format!("expect {{ shape label{n} 3 }}\n"));
        model(&format!("{}{shapes}", labels()))
    }),
    ("names in a deep place", "E0801", || {
        deep(&some(80_000, |_| "x;"))
    }),
    ("turns in a deep place", "E0801", || {
        deep("repeat 2000000 { b: x }")
    }),
    ("layers in a deep place", "E0801", || {
        deep("repeat 2000000 { relu }")
    }),
    ("unknown names in a deep place", "E0201", || {
        deep(&some(80_000, |n| format!("y{n};")))
    }),
    ("strings as names", "E0202", || {
        model(&many(|n| format!("route \"{n}\";")))
    }),
];

/// Names behind one another.
fn list(count: usize) -> String {
    some(count, |n| format!("p{n},"))
}

pub(super) static DECLARATIONS: &[File] = &[
    ("parameters of a block", "sound", || {
        let used = some(60_000, |n| format!("p{n};"));
        items(&format!("block b({}) {{ {used} }}", list(60_000)))
    }),
    ("one parameter again and again", "E0203", || {
        items(&format!("block b({}) {{ relu }}", many(|_| "p,")))
    }),
    ("arguments of a block", "E0302", || {
        let used = some(30_000, |n| format!("prelu (p{n});"));
        let block = format!("block b({}) {{ {used} }}", list(60_000));
        let call = format!("b({})", "1,".repeat(60_000));
        format!("cnn 1\n{block}\nmodel M {{ input x: 3; {call} }}")
    }),
    ("a pattern of names", "E0801", || {
        let used = some(30_000, |n| format!("conv 1x1 p{n};"));
        let ones = "1,".repeat(60_000);
        model(&format!(
            "for ({}) in [({ones})] {{ {used} }}",
            list(60_000)
        ))
    }),
    ("blocks", "sound", || {
        items(&many(|n| format!("block b{n}() {{}}\n")))
    }),
    ("one block again and again", "E0203", || {
        items(&many(|_| "block b() {}\n"))
    }),
    ("presets", "sound", || {
        items(&many(|n| format!("preset b{n} {{}}\n")))
    }),
    ("presets that are unknown", "E0307", || {
        let known = some(20_000, |n| format!("preset preset{n} {{}}\n"));
        let used = some(20_000, |n| format!("defaults prestt{n} {{}};"));
        format!("cnn 1\n{known}\nmodel M {{ input x: 3; {used} }}")
    }),
    ("blocks that call the next", "E0801", || {
        calls(3000, |next| format!("{next}(1)"), "relu")
    }),
    (
        "blocks that call the next from deep within",
        "E0801",
        || {
            let body = |next: &str| nested(30, "residual { a: { ", &format!("{next}(1)"), " } }");
            calls(60, body, "relu")
        },
    ),
    (
        "blocks that call the next from conditions within",
        "E0801",
        || {
            let body = |next: &str| nested(60, "relu if 1 == 1 { ", &format!("{next}(1)"), " }");
            calls(60, body, "relu")
        },
    ),
    ("blocks that call the next twice", "E0801", || {
        calls(60, |next| format!("{next}(1); {next}(1)"), "relu")
    }),
    // Their size doubles with each block.
    ("lists of one list", "E0801", || {
        let last = "prelu p; dense ([p] == [p])";
        calls(60, |next| format!("{next}([p, p])"), last)
    }),
    ("lists in lists", "E0801", || {
        let list = nested(60, "[", "p", "]");
        calls(60, |next| format!("{next}({list})"), "prelu p")
    }),
    ("constants", "sound", || {
        let used = some(15_000, |n| format!("scale c{};", n * 2));
        let known = some(30_000, |n| format!("let c{n} = {n}\n"));
        model(&format!("{known}{used}"))
    }),
    ("constants of files", "sound", || {
        items(&many(|n| format!("let c{n} = {n}\n")))
    }),
    ("one constant again and again", "E0203", || {
        model(&many(|_| "let c = 1\n"))
    }),
    ("constants that have their values too late", "E0205", || {
        let used = some(20_000, |n| format!("scale (c{n});"));
        model(&format!(
            "{used}{}",
            some(30_000, |n| format!("let c{n} = {n}\n"))
        ))
    }),
    // Their size doubles with each.
    ("constants of one constant", "E0801", || {
        let known = some(100, |n| format!("let c{} = [c{n}, c{n}]\n", n + 1));
        model(&format!("let c0 = [1, 1]\n{known}\nprelu c50"))
    }),
    ("chains of one chain", "E0801", || {
        let known = some(1000, |n| format!("let c{} = c{n} c{n}\n", n + 1));
        model(&format!("let c0 = relu tanh\n{known}\nc1000"))
    }),
    ("chains of one chain that nobody uses", "E0801", || {
        let known = some(30_000, |n| format!("let c{} = c{n} c{n}\n", n + 1));
        model(&format!("let c0 = relu tanh\n{known}\nc40"))
    }),
    ("chains among constants", "E0801", || {
        let known = some(20_000, |n| format!("let c{n} = 1;"));
        model(&format!(
            "{known} let f = relu tanh; repeat 2000000 {{ f }}"
        ))
    }),
    ("blocks that make their chain longer", "sound", || {
        calls(60, |next| format!("{next}(p relu)"), "p").replace("b0(1)", "b0(relu tanh)")
    }),
    ("blocks that pass their chain on", "E0801", || {
        calls(60, |next| format!("{next}(p p)"), "p").replace("b0(1)", "b0(relu tanh)")
    }),
    ("constants in turns", "E0801", || {
        model("repeat 2000000 { let c = 1 }")
    }),
    ("shared networks among constants", "E0801", || {
        let known = some(20_000, |n| format!("let c{n} = 1;"));
        let shared = some(20_000, |n| format!("shared s{n} {{}};s{n};"));
        model(&format!("{known}{shared}"))
    }),
    ("shared networks", "E0606", || {
        model(&many(|n| format!("shared s{n} {{}}\n")))
    }),
    ("calls of shared networks", "sound", || {
        let known = some(9_000, |n| format!("shared s{n} {{ relu }}\n"));
        let used = some(18_000, |n| format!("s{}\n", n % 9000));
        model(&format!("{known}{used}"))
    }),
    ("shared networks among variables", "E0801", || {
        let ones = "1,".repeat(20_000);
        let shared = some(20_000, |n| format!("shared s{n} {{}};s{n};"));
        model(&format!(
            "for ({}) in [({ones})] {{ {shared} }}",
            list(20_000)
        ))
    }),
    ("inputs", "E0801", || {
        format!("cnn 1\nmodel M {{ input {} x: 3\nx relu }}", list(100_000))
    }),
    ("inputs and no choice", "E0602", || {
        let relus = "relu;".repeat(100_000);
        format!("cnn 1\nmodel M {{ input {} x: 3\n{relus} }}", list(1_000))
    }),
    ("imports", "E0901", || {
        items(&many(|n| format!("import \"a{n}\"\n")))
    }),
    ("one import again and again", "E0801", || {
        items(&many(|_| "import \"large.cnn\"\n"))
    }),
    ("standard imports", "E0901", || {
        items(&many(|n| format!("import \"std/{n}\"\n")))
    }),
];
