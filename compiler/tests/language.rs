//! What specs mean: `tests/language/*.txt` are sections of a spec and the graph that it is, `tests/passes/*.txt` of a spec, what passes say of
//! it, and the graph that they make. What presets say.

mod sections;

use cnnc_compiler::diagnostic::MemoryLoader;
use cnnc_compiler::graph::{dump, verify};
use cnnc_compiler::layer::LAYERS;
use cnnc_compiler::pass::optimize;
use cnnc_compiler::recipe::{
    Augment, Clip, DataKind, Loss, Method, Optimizer, Recipe, Schedule, Source, Split,
};
use cnnc_compiler::resolve::OPTIMIZERS;
use cnnc_compiler::tuning::{Init, Keep, Start, Tuning, Unfreeze};
use cnnc_compiler::{Files, compile_source, hash, parse};
use std::collections::HashMap;

#[test]
fn specs_mean_the_graphs_that_are_written() {
    sections::compare("language", |case| match case.compile(&case.spec) {
        Ok(model) => {
            assert_eq!(verify(&model.graph), Ok(()), "{}", case.name);
            dump(&model.graph) + &model.warnings.render(false)
        }
        Err(problems) => problems.render(false),
    });
}

#[test]
fn passes_make_the_graphs_that_are_written() {
    sections::compare("passes", |case| {
        let model = case.compile(&case.spec);
        let model = model.unwrap_or_else(|problems| panic!("{}", problems.render(false)));
        let (graph, notes) = optimize(&model.graph);
        let said = notes.list.iter().map(|note| {
            let mark = if note.applied { "✓" } else { "–" };
            format!("{mark} {} {}: {}\n", note.label, note.pass, note.text)
        });
        said.collect::<String>() + &dump(&graph)
    });
}

/// A spec with names for values, chains as values and conditions within chains, and the same written out.
const WRITTEN_OUT: &[(&str, &str)] = &[
    (
        "let w = 4
         block cell(k, act) { c: conv (k)x(k) (2 * w) bn act ; act }
         model M { input x: 3x8x8; let slope = 0.2; a: cell(1, leaky (slope)); b: cell(3, relu) if w == 4 { tanh } }",
        "block one() { c: conv 1x1 8 bn leaky 0.2 ; leaky 0.2 }
         block two() { c: conv 3x3 8 bn relu ; relu }
         model M { input x: 3x8x8; a: one; b: two tanh }",
    ),
    (
        "block se(r) { dense (channels / r) relu dense (r * channels) sigmoid }
         block gated(gate) { mul { { } ; globalavgpool gate } }
         model M { input x: 16x8x8; for g in [se(4), (dense channels sigmoid)] { gated(g) }; conv 1x1 (sqrt(channels)) }",
        "model M { input x: 16x8x8
         repeat 1 as i { mul { { } ; globalavgpool dense 4 relu dense 16 sigmoid } }
         1: { mul { { } ; globalavgpool dense 16 sigmoid } }; conv 1x1 4 }",
    ),
];

#[test]
fn networks_are_those_that_are_written_out() {
    for (short, long) in WRITTEN_OUT {
        let [short, long] = [short, long].map(|text| {
            let text = format!("cnn 1\n{text}");
            let mut files = Files::new(MemoryLoader::default());
            let model = compile_source(&mut files, "net.cnn", &text);
            model.unwrap_or_else(|problems| panic!("{problems}")).graph
        });
        assert_eq!(hash::architecture(&short), hash::architecture(&long));
        assert_eq!(dump(&short), dump(&long));
    }
}

/// The presets of `std/presets.cnn`.
const PRESETS: [&str; 3] = ["pytorch", "keras", "darknet"];

/// A layer, and the values of its parameters under each preset.
type Defaults = (&'static str, &'static [(&'static str, [&'static str; 3])]);

/// A layer with nothing but what it must have, and each of its parameters that has a default, in each preset. The values are those of
/// the signatures of torch.nn, of keras.layers (Keras 3) and of darknet's parser; a framework that has no such parameter, or no default for
/// it, leaves the language's own, which is marked by a star.
const DEFAULTS: &[Defaults] = &[
    (
        "input x: 4x8x8; conv 2x2 4",
        &[
            ("stride", ["/1x1", "/1x1", "/1x1"]),
            ("pad", ["valid", "valid", "valid"]),
            ("dilation", ["1x1", "1x1", "*1x1"]),
            ("groups", ["1", "1", "1"]),
            ("bias", ["on", "on", "off"]),
        ],
    ),
    (
        "input x: 4x8x8; convtranspose 2x2 4",
        &[
            ("stride", ["/1x1", "/1x1", "/1x1"]),
            ("pad", ["valid", "valid", "valid"]),
            ("output_pad", ["0", "*0", "*0"]),
            ("groups", ["1", "1", "1"]),
            ("bias", ["on", "on", "off"]),
        ],
    ),
    (
        "input x: 4x8x8; local 2x2 4",
        &[
            ("stride", ["*/1x1", "/1x1", "/1x1"]),
            ("pad", ["*valid", "valid", "valid"]),
            ("bias", ["on", "on", "on"]),
        ],
    ),
    ("input x: 4; dense 3", &[("bias", ["on", "on", "on"])]),
    (
        "input x: 4x8x8; maxpool 2x2",
        &[
            ("stride", ["*/2x2", "*/2x2", "/1x1"]),
            ("pad", ["valid", "valid", "same"]),
            ("rounding", ["floor", "floor", "floor"]),
        ],
    ),
    (
        "input x: 4x8x8; avgpool 2x2",
        &[
            ("stride", ["*/2x2", "*/2x2", "*/2x2"]),
            ("pad", ["valid", "valid", "valid"]),
            ("rounding", ["floor", "floor", "floor"]),
            ("count_include_pad", ["on", "off", "*off"]),
        ],
    ),
    (
        "input x: 4x8x8; bn",
        &[
            ("eps", ["1e-5", "0.001", "1e-5"]),
            ("affine", ["on", "on", "*on"]),
        ],
    ),
    (
        "input x: 4x8x8; lrn",
        &[
            ("size", ["*5", "*5", "5"]),
            ("alpha", ["0.0001", "*0.0001", "0.0005"]),
            ("beta", ["0.75", "*0.75", "0.75"]),
            ("k", ["1", "*1", "1"]),
        ],
    ),
    (
        "input x: 4x8x8; l2norm",
        &[("eps", ["1e-12", "1e-12", "*1e-12"])],
    ),
    ("input x: 4; leaky", &[("slope", ["0.01", "0.3", "0.1"])]),
    ("input x: 4; elu", &[("alpha", ["1", "1", "1"])]),
    (
        "input x: 4; gelu",
        &[("form", ["exact", "exact", "approximate"])],
    ),
    ("input x: 4; prelu", &[("single", ["on", "*off", "*off"])]),
    (
        "input x: 4; dropout; relu",
        &[("rate", ["0.5", "*0.5", "0.5"])],
    ),
    (
        "input x: 4x8x8; upsample 2",
        &[("mode", ["nearest", "nearest", "nearest"])],
    ),
    (
        "input x: 4x8x8; upsample 2 bilinear",
        &[("align_corners", ["off", "off", "*off"])],
    ),
    (
        "input x: 4x8x8; instancenorm",
        &[
            ("eps", ["1e-5", "*1e-5", "*1e-5"]),
            ("affine", ["off", "*off", "*off"]),
        ],
    ),
    (
        "input x: 4x8x8; groupnorm 2",
        &[
            ("eps", ["1e-5", "0.001", "*1e-5"]),
            ("affine", ["on", "on", "*on"]),
        ],
    ),
    (
        "input x: 4; layernorm",
        &[
            ("over", ["*channels", "channels", "*channels"]),
            ("eps", ["1e-5", "0.001", "*1e-5"]),
            ("affine", ["on", "on", "*on"]),
        ],
    ),
    (
        "input x: 4x8x8; flatten",
        &[("order", ["channels", "spatial", "channels"])],
    ),
    (
        "input x: 16x8x8; space_to_depth 2",
        &[("order", ["crd", "*dcr", "darknet"])],
    ),
    (
        "input x: 16x8x8; depth_to_space 2",
        &[("order", ["crd", "*dcr", "*dcr"])],
    ),
];

/// Layers that no framework has as one, or with other parameters: no preset says anything of them.
const OF_NO_PRESET: &[&str] = &[
    "add",
    "roipool",
    "roialign",
    "gram",
    "concat",
    "scale",
    "pad",
    "padchannels",
    "crop",
    "slice",
    "clip",
    "reduce",
    "argmax",
    "argmin",
    "hardmax",
    "softmax",
    "logsoftmax",
    "resize",
    "constant",
    "lppool",
    "flip",
    "gather",
    "celu",
    "thresholdedrelu",
    "shrink",
    "hardsigmoid",
];

/// The keyword of the first layer, and its parameters by their names, where these defaults hold.
fn first_layer(defaults: &str, body: &str) -> (&'static str, HashMap<&'static str, String>) {
    let import = "cnn 1\nimport \"std/presets.cnn\"";
    let spec = format!("{import}\nmodel M {{ {defaults}; {body} }}");
    let mut files = Files::new(MemoryLoader::default());
    let model = compile_source(&mut files, "net.cnn", &spec)
        .unwrap_or_else(|problems| panic!("{defaults}: {problems}"));
    let (_, node) = model.graph.live().next().unwrap();
    let (keyword, attributes) = node.layer.attributes();
    let attributes = attributes.into_iter();
    let shown = attributes.map(|(name, value)| (name, value.to_string()));
    (keyword, shown.collect())
}

#[test]
fn presets_are_the_defaults_of_the_frameworks() {
    for (index, preset) in PRESETS.iter().enumerate() {
        for (body, params) in DEFAULTS {
            let (_, own) = first_layer("", body);
            let (keyword, attributes) = first_layer(&format!("defaults {preset} {{ }}"), body);
            for (name, values) in *params {
                let found = attributes.get(name);
                let value = found.unwrap_or_else(|| panic!("{keyword} {name}"));
                let wanted = values[index].trim_start_matches('*');
                assert_eq!(value, wanted, "{preset}: {keyword} {name}");
                if values[index].starts_with('*') {
                    assert_eq!(own[name], wanted, "the language: {keyword} {name}");
                }
            }
            // Every default of the layer is in the list, but for weights in the text, borders, which are a layer of their own, and dilations of pools and
            // transposed convolutions, which are no attributes where they are 1, all of which have none.
            let decl = LAYERS.iter().find(|decl| decl.keyword == keyword).unwrap();
            for param in decl.params.iter().filter(|param| param.default.is_some()) {
                let listed = DEFAULTS.iter().any(|(body, params)| {
                    body.split([' ', ';']).any(|word| word == keyword)
                        && params.iter().any(|(name, _)| *name == param.name)
                });
                let silent = keyword.ends_with("pool") || keyword == "convtranspose";
                let silent = param.name == "dilation" && silent;
                let other = silent || ["weight", "border"].contains(&param.name);
                assert!(listed || other, "{keyword} {}", param.name);
            }
        }
    }
    let listed = |keyword: &str| {
        let of = |body: &str| body.split([' ', ';']).any(|word| word == keyword);
        OF_NO_PRESET.contains(&keyword) || DEFAULTS.iter().any(|(body, _)| of(body))
    };
    for decl in LAYERS {
        let open = decl.params.iter().any(|param| param.default.is_some());
        assert!(!open || listed(decl.keyword), "{}", decl.keyword);
    }
}

/// A small network with this behind it.
fn with_section(section: &str) -> cnnc_compiler::Model {
    on_input("8", section)
}

fn on_input(shape: &str, section: &str) -> cnnc_compiler::Model {
    let text = format!(
        "cnn 1\nmodel M {{ input x: {shape}; let slow = 0.001; flatten; dense 2; {section} }}\n"
    );
    let compiled = compile_source(&mut Files::default(), "net.cnn", &text);
    compiled.unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn a_train_section_is_what_is_written() {
    let section = "train {
        optimizer sgd { momentum 0.9 nesterov  decay 5e-4 except bias bn }  rate 0.1 {
            warmup (1 / 4.0)
            constant
        }
        batch 64 ; epochs 4  seed 9_007_199_254_740_993
        loss cross_entropy { smooth 0.1 }
    }";
    let written = Recipe {
        optimizer: Some(Optimizer {
            momentum: 0.9,
            nesterov: true,
            decay: 5e-4,
            ..Optimizer::new(Method::Sgd)
        }),
        rate: Some(0.1),
        warmup: Some(0.25),
        schedule: Some(Schedule::Constant),
        batch: Some(64),
        epochs: Some(4),
        seed: Some(9_007_199_254_740_993),
        loss: Some(Loss {
            name: "cross_entropy",
            settings: vec![("smooth", vec![0.1])],
        }),
        ..Recipe::default()
    };
    assert_eq!(with_section(section).recipe, Some(written));
    let samples = "train {
      data folder \"signs/\" split 80 10 10 by hash   batch 8
      augment { mirror ; crop 30 pad 4 ; rotate 10 ; shear 5 ; scale 0.1 ; shift 2 ; colour 0.2 0.3 0.4 ; tint 20 }
    }";
    let recipe = on_input("3x32x32", samples).recipe.expect("a section");
    let augment = Augment {
        mirror: true,
        crop: Some(30),
        pad: 4,
        rotate: 10.0,
        shear: 5.0,
        scale: 0.1,
        shift: 2.0,
        colour: [0.2, 0.3, 0.4],
        tint: 20.0,
    };
    assert_eq!((recipe.augment, recipe.batch), (Some(augment), Some(8)));
    let source = Source {
        kind: Some(DataKind::Folder),
        path: "signs/".into(),
        columns: Vec::new(),
        test: None,
        split: Some(Split::Hash([80, 10, 10])),
    };
    assert_eq!(recipe.data, Some(source));
    for (text, test, split) in [
        (
            "split list \"a.txt\"",
            None,
            Some(Split::List("a.txt".into())),
        ),
        ("test \"t.ts\"", Some("t.ts".into()), None),
        ("", None, None),
    ] {
        let section = format!("train {{ data ts \"a.ts\" {text} }}");
        let source = Source {
            kind: Some(DataKind::Ts),
            path: "a.ts".into(),
            columns: Vec::new(),
            test,
            split,
        };
        assert_eq!(
            with_section(&section).recipe.expect("a section").data,
            Some(source)
        );
    }
    let table = with_section("train { data csv \"a.csv\" image \"the label\" test \"b.csv\" }");
    let table = table.recipe.and_then(|recipe| recipe.data).expect("data");
    assert_eq!(table.columns, ["image", "the label"]);
    assert_eq!(table.test, Some("b.csv".into()));
    for (rate, schedule) in [
        (
            "steps at 10 20.5",
            Schedule::At {
                epochs: vec![10.0, 20.5],
                by: 0.1,
            },
        ),
        (
            "steps every 4 by 0.5",
            Schedule::Every {
                epochs: 4.0,
                by: 0.5,
            },
        ),
        ("polynomial", Schedule::Polynomial { power: 1.0 }),
        ("polynomial power 0.9", Schedule::Polynomial { power: 0.9 }),
        ("curve cosine", Schedule::Cosine),
    ] {
        let recipe = with_section(&format!("train {{ rate 0.1 {{ warmup 0 {rate} }} }}"));
        let found = recipe.recipe.and_then(|recipe| recipe.schedule);
        // As it is written in the spec of a run.
        let again = format!("train {{ rate 0.1 {{ {} }} }}", schedule.written());
        let again = with_section(&again)
            .recipe
            .and_then(|recipe| recipe.schedule);
        assert_eq!(
            (found.as_ref(), again.as_ref()),
            (Some(&schedule), Some(&schedule))
        );
    }
    for (clip, expected) in [
        ("clip 1", Clip::Norm(1.0)),
        ("clip 0.5 { norm }", Clip::Norm(0.5)),
        ("clip 5 { of value }", Clip::Value(5.0)),
    ] {
        let recipe = with_section(&format!("train {{ {clip}  threads 3 }}")).recipe;
        let recipe = recipe.expect("a section");
        assert_eq!((recipe.clip, recipe.threads), (Some(expected), Some(3)));
    }
    let tuned = with_section(
        "freeze: dense 4; dense 2; train {
            optimizer adam { decay 0.1 except bias \"dense*\" }
            freeze \"freeze\"  init \"a/net.safetensors\" except \"dense_*\"
            keep best loss  stop after 3  epochs 9
            schedule { unfreeze \"freeze.*\" at 2  unfreeze \"freeze\" at 1 rate slow }
            start { set \"freeze.bias\" to -1  set \"dense*\" to (2 / 4.0) }
        }",
    );
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    let unfreeze = |pattern: &str, at: usize, rate: Option<f64>| Unfreeze {
        patterns: texts(&[pattern]),
        at,
        rate,
    };
    let start = |pattern: &str, value: f64| Start {
        patterns: texts(&[pattern]),
        value,
    };
    let written = Tuning {
        init: Some(Init {
            file: "a/net.safetensors".into(),
            except: texts(&["dense_*"]),
        }),
        freeze: texts(&["freeze"]),
        unfreeze: vec![
            unfreeze("freeze", 1, Some(0.001)),
            unfreeze("freeze.*", 2, None),
        ],
        spared: texts(&["dense*"]),
        keep: Keep::Loss,
        stop: Some(3),
        start: vec![start("freeze.bias", -1.0), start("dense*", 0.5)],
    };
    assert_eq!(tuned.recipe.map(|recipe| recipe.tuning), Some(written));
    let drawn =
        with_section("head embed; train { batch 60 { each 5 } loss triplet { mining hard } }");
    let drawn = drawn.recipe.expect("a section");
    assert_eq!((drawn.each, drawn.alike), (Some(5), None));
    let loss = drawn.loss.expect("a loss");
    assert_eq!(loss.settings, [("mining", vec![1.0])]);
    let text = "cnn 1\nmodel M { input a, b: 1x8x8; head verify { abs(a - b) flatten; dense 1 }; train { batch 60 { alike 0.25 } } }\n";
    let pairs = compile_source(&mut Files::default(), "net.cnn", text);
    let pairs = pairs.unwrap_or_else(|problems| panic!("{problems}"));
    let pairs = pairs.recipe.expect("a section");
    assert_eq!((pairs.each, pairs.alike), (None, Some(0.25)));
    let open = with_section("train { rate slow }").recipe;
    let rate = Some(0.001);
    assert_eq!(
        open,
        Some(Recipe {
            rate,
            ..Recipe::default()
        })
    );
    assert_eq!(with_section("").recipe, None);
}

#[test]
fn defaults_of_optimisers_are_those_that_are_declared() {
    for (method, keys) in &OPTIMIZERS {
        let written = keys.iter().map(|key| {
            let default = key.default.expect("a default");
            format!(" {} {default}", key.name)
        });
        let (name, written) = (method.name(), written.collect::<String>());
        let spare = with_section(&format!("train {{ optimizer {name} }}")).recipe;
        let full = with_section(&format!("train {{ optimizer {name} {{ {written} }} }}")).recipe;
        assert_eq!(spare, full, "{written}");
        let optimizer = spare.and_then(|recipe| recipe.optimizer);
        assert_eq!(optimizer, Some(Optimizer::new(*method)));
    }
}

#[test]
fn a_train_section_changes_nothing_of_a_network() {
    let (plain, trained) = (with_section(""), with_section("train { rate 0.1 }"));
    assert_eq!(dump(&plain.graph), dump(&trained.graph));
    let hash = |model: &cnnc_compiler::Model| hash::architecture(&model.graph);
    assert_eq!(hash(&plain), hash(&trained));
}

#[test]
fn a_train_section_is_in_the_dump_of_the_syntax_tree() {
    let text = "cnn 1\nmodel M { train { optimizer sgd { nesterov  decay -5e-4 }  rate (2 * 0.1)\nbatch 64 {} } }";
    let id = Files::default().add("net.cnn", text);
    let parsed = parse::parse(id, text);
    let dumped = "cnn 1\nmodel M\n  train\n    optimizer sgd { nesterov decay -0.0005 }\n    rate (2 * 0.1)\n    batch 64\n";
    assert_eq!(parse::dump(&parsed.file), dumped);
}
