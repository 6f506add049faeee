//! What broken specs are told.
//!
//! `tests/diagnostics/*.txt` are sections: a spec, and the text that it must be told.

mod sections;

use cnnc_compiler::Diagnostics;
use cnnc_compiler::diagnostic::Severity;
use cnnc_compiler::layer::LAYERS;
use cnnc_compiler::words;
use sections::Case;
use std::collections::BTreeSet;
use std::path::Path;

/// What the case's spec is told.
fn told(case: &Case) -> Diagnostics {
    match case.compile(&case.spec) {
        Ok(model) => model.warnings,
        Err(problems) => problems,
    }
}

fn all() -> Vec<Case> {
    sections::files("diagnostics")
        .iter()
        .flat_map(|path| sections::cases(path))
        .collect()
}

#[test]
fn broken_specs_are_told_what_is_written() {
    sections::compare("diagnostics", |case| {
        without_tables(&told(case).render(false))
    });
}

/// The text without the lists of all layers and all parameters, which grow with every layer.
fn without_tables(text: &str) -> String {
    let layers: BTreeSet<&str> = LAYERS.iter().map(|decl| decl.keyword).collect();
    let params = LAYERS.iter().flat_map(|decl| decl.params);
    let params: BTreeSet<&str> = params.map(|param| param.name).collect();
    let list = |names: BTreeSet<&str>| {
        let list = words::list(&names.into_iter().collect::<Vec<_>>());
        // As far in as the note.
        list.replace('\n', "\n          ")
    };
    text.replace(&list(layers), " (every layer)")
        .replace(&list(params), " (every parameter)")
}

#[test]
fn there_are_many_kinds_of_mistakes() {
    let cases: Vec<Case> = all();
    assert!(cases.len() >= 60, "{}", cases.len());
    let codes: BTreeSet<&str> = cases
        .iter()
        .flat_map(|case| {
            told(case)
                .items()
                .iter()
                .map(|item| item.code.id())
                .collect::<Vec<_>>()
        })
        .collect();
    let missing: Vec<&str> = cnnc_compiler::diagnostic::codes::ALL
        .iter()
        .map(|code| code.id())
        .filter(|id| !codes.contains(id))
        .collect();
    assert!(missing.is_empty(), "no case shows {missing:?}");
}

/// Errors and warnings of a spec.
fn counts(told: &Diagnostics) -> (usize, usize) {
    let items = told.items();
    let errors = items
        .iter()
        .filter(|item| item.severity() == Severity::Error)
        .count();
    (errors, items.len() - errors)
}

#[test]
fn every_fix_removes_its_mistake() {
    let mut fixes = 0;
    for case in all() {
        let told = told(&case);
        for item in told.items() {
            for fix in &item.fixes {
                if told.files().path(fix.span.file) != Path::new("net.cnn") {
                    continue;
                }
                let mut spec = case.spec.clone();
                spec.replace_range(fix.span.range(), &fix.replacement);
                let now = match case.compile(&spec) {
                    Ok(model) => model.warnings,
                    Err(problems) => problems,
                };
                assert!(
                    counts(&now) < counts(&told),
                    "{}: the fix `{}` does not help:\n{spec}\n{now}",
                    case.name,
                    fix.message,
                );
                fixes += 1;
            }
        }
    }
    assert!(fixes >= 30, "only {fixes} fixes");
}

/// Applied together and again, fixes come to an end, at a text that has fewer mistakes and carries no more of them.
#[test]
fn fixes_are_applied_until_none_is_left() {
    let mut repaired = 0;
    for case in all() {
        let path = Path::new("net.cnn");
        let first = told(&case);
        let carries = |told: &Diagnostics| {
            let fixes = told.items().iter().flat_map(|item| &item.fixes);
            fixes
                .filter(|fix| told.files().path(fix.span.file) == path)
                .count()
                > 0
        };
        if !carries(&first) {
            assert_eq!(first.repair(path), None, "{}", case.name);
            continue;
        }
        let mut now = first.clone();
        let mut rounds = 0;
        while let Some((spec, repairs)) = now.repair(path) {
            assert!(repairs.iter().all(|repair| repair.from != repair.to));
            rounds += 1;
            assert!(rounds <= 8, "{}: {spec}", case.name);
            now = match case.compile(&spec) {
                Ok(model) => model.warnings,
                Err(problems) => problems,
            };
        }
        assert!(rounds > 0, "{}", case.name);
        assert!(counts(&now) < counts(&first), "{}: {now}", case.name);
        assert!(!carries(&now), "{}: {now}", case.name);
        repaired += 1;
    }
    assert!(repaired >= 30, "only {repaired} cases");
}

#[test]
fn json_has_what_the_text_has() {
    for case in all() {
        let told = told(&case);
        let json = told.to_json();
        let rows = json.as_array().unwrap();
        assert_eq!(rows.len(), told.items().len());
        for (row, item) in rows.iter().zip(told.items()) {
            assert_eq!(row["code"], item.code.id());
            assert_eq!(row["message"], item.message);
            assert_eq!(row["fixes"].as_array().unwrap().len(), item.fixes.len());
            if let Some(span) = item.span {
                assert_eq!(row["at"]["start"], span.start);
                assert!(row["at"]["line"].as_u64().unwrap() >= 1);
            }
        }
    }
}

#[test]
fn colours_change_nothing_but_colours() {
    let cases = all();
    let told = told(&cases[0]);
    let colored = told.render(true);
    assert!(colored.contains("\u{1b}["), "{colored:?}");
    let mut plain = String::new();
    let mut rest = colored.as_str();
    while let Some(at) = rest.find("\u{1b}[") {
        plain += &rest[..at];
        rest = &rest[at..];
        rest = &rest[rest.find('m').unwrap() + 1..];
    }
    assert_eq!(plain + rest, told.render(false));
}

/// What is written in a model with `x: 8x16x16` and, of the same shape, `a` and `b`, and what the fix makes of it; nothing where
/// no fix may be offered, since there is no such layer.
#[rustfmt::skip]
const FOREIGN: &[(&str, Option<&str>)] = &[
    ("nn.Conv2d(8, 8, 3, padding=1, padding_mode=\"circular\")", None),
    ("nn.Conv2d(8, 8, 3, padding=\"same\", padding_mode=\"replicate\")", Some("conv 3x3 8 pad same edge")),
    ("torch.cat((a, b), dim=2)", Some("concat(a, b) axis 1")),
    ("torch.cat((a, b), 2)", Some("concat(a, b) axis 1")),
    ("torch.cat((a, b), dim=-1)", None),
    ("torch.cat((a, b), dim=0)", None),
    ("nn.Flatten(2)", None),
    ("BatchNorm2d(8, track_running_stats=False)", None),
    ("upsample 2 trilinear", None),
    ("upsample 2 bicubic", None),
    ("upsample 2 mode bicubic", None),
    ("conv 3x3 8 pad full", None),
    ("dwconv 3x3 8", Some("conv 3x3 channels groups channels")),
    ("depthwise 3x3", Some("conv 3x3 channels groups channels")),
    ("depthwise", None),
    ("flatten; fc: linear 10", Some("flatten; fc: dense 10")),
    ("conv 1x1 8 linear", Some("conv 1x1 8 ")),
    ("conv 3x3 /2,2 8", Some("conv 3x3 /2x2 8")),
    ("torch.cat((a,b),1)", Some("concat(a, b)")),
    ("torch.cat([a, b], 1)", Some("concat(a, b)")),
    ("torch.cat([a, b], dim=1)", Some("concat(a, b)")),
    ("Concatenate()([a,b])", Some("concat(a, b)")),
    ("Add()([a,b])", Some("add(a, b)")),
    ("F.max_pool2d(x, 2)", Some("x maxpool 2x2")),
    ("F.max_pool2d(b, 2)", Some("maxpool 2x2")),
    ("F.interpolate(b, scale_factor=2)", Some("b upsample 2")),
    ("b.view(-1, 400)", Some("flatten")),
    ("MaxPooling2D()", Some("maxpool 2x2")),
    ("UpSampling2D()", Some("upsample 2")),
    ("nn.AdaptiveMaxPool2d(2)", None),
    ("nn.AdaptiveMaxPool2d(1)", Some("globalmaxpool")),
    ("conv 3x3 8 act=relu", Some("conv 3x3 8 relu")),
    ("conv 3x3 8 act relu", Some("conv 3x3 8 relu")),
    ("conv 3x3 8 stride=2 pad=1", Some("conv 3x3 8 stride 2 pad 1")),
    ("y = self.conv1(x)", None),
    ("Conv2D(8, 3)(b)", Some("conv 3x3 8")),
    ("Conv2D(8, 3)(x)", Some("x conv 3x3 8")),
    ("nn.Upsample(size=(32, 32))", None),
    ("nn.Softplus(beta=2)", None),
    ("ReLU(max_value=6)", Some("relu6")),
    ("MaxPooling2D", Some("maxpool 2x2")),
    ("UpSampling2D", Some("upsample 2")),
    ("SeparableConv2D(32,3)", None),
    ("softmax dim 1", None),
    ("flatten; dense 10; head classify { classes 10 }", None),
];

#[test]
fn fixes_of_foreign_names_are_the_same_layer_or_there_is_none() {
    let compile = |body: &str| {
        let text =
            format!("cnn 1\nmodel M {{\n  input x: 8x16x16\n  a: relu\n  b: relu\n  {body}\n}}\n");
        let mut files = cnnc_compiler::Files::default();
        let told = cnnc_compiler::compile_source(&mut files, "net.cnn", &text);
        (text, told)
    };
    let mut wrong = Vec::new();
    for &(body, here) in FOREIGN {
        let (text, told) = compile(body);
        let told = told.expect_err(body);
        let fix = told.items()[0].fixes.first();
        let Some((fix, here)) = fix.zip(here) else {
            if fix.is_some() || here.is_some() {
                wrong.push(format!("{body}: {told}"));
            }
            continue;
        };
        let mut fixed = text;
        fixed.replace_range(fix.span.range(), &fix.replacement);
        let (wanted, known) = compile(here);
        if fixed != wanted || known.is_err() || told.items().len() != 1 {
            wrong.push(format!("{body}: {told}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
