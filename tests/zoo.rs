//! docs/zoo.md and the pictures in docs/zoo: they are those of the specs.
//!
//! `UPDATE=1 cargo test --release -p cnnc --test zoo` writes them.

use cnnc::compiler::pass::optimize;
use cnnc::compiler::shape::Shape;
use cnnc::rt::Isa;
use cnnc::rt::session::session_bytes;
use cnnc::{Model, Options, View, compile_file};
use std::fs;
use std::path::{Path, PathBuf};

const COMMAND: &str = "UPDATE=1 cargo test --release -p cnnc --test zoo";

/// Who has a picture in the repository: one of each family, so that it stays small.
const DRAWN: &[&str] = &[
    "lenet5",
    "alexnet_2012",
    "vgg16",
    "resnet20_cifar10",
    "resnet50",
    "resnet152",
    "nin",
    "googlenet",
    "inception_v3",
    "inception_resnet_v1",
    "squeezenet1_1",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "convnext_block",
    "fast_style",
    "densenet121",
    "shufflenet_v2_x1_0",
    "efficientnet_b0",
    "unet",
    "yolov2_608",
    "yolov3",
    "siamese_koch",
    "face_embed18",
    "style_vgg19",
    "m5",
    "c3d",
    "r3d_18",
    "edges",
];

/// Largest picture.
const MAX_BYTES: usize = 60_000;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The specs with a model, by name.
fn specs() -> Vec<(String, Model)> {
    let files = fs::read_dir(root().join("specs")).unwrap();
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    let is_spec = |path: &PathBuf| {
        path.extension().is_some_and(|ending| ending == "cnn")
            && fs::read_to_string(path)
                .unwrap()
                .lines()
                .any(|line| line.starts_with("model "))
    };
    paths
        .into_iter()
        .filter(is_spec)
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let model = compile_file(&path).unwrap_or_else(|error| panic!("{error}"));
            (name, model)
        })
        .collect()
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The first sentence of the doc comment, which names the paper.
fn paper(doc: &str) -> String {
    let doc = doc.split_whitespace().collect::<Vec<_>>().join(" ");
    let initials = |head: &str| {
        // `et al. 2015` and `v1.5` go on.
        head.ends_with(" al")
            || head
                .chars()
                .rev()
                .nth(1)
                .is_none_or(|c| c == ' ' || c == '.')
    };
    let mut ends = doc.match_indices(". ").map(|(at, _)| at);
    let end = ends.find(|&at| !initials(&doc[..at]));
    let first = end.map_or(doc.as_str(), |at| &doc[..at]);
    first.trim_end_matches(['.', ':']).replace('|', "\\|")
}

/// `4.6 MiB`: two digits are what a reader wants.
fn mebibytes(bytes: usize) -> String {
    let value = bytes as f64 / f64::from(1 << 20);
    match value {
        value if value < 0.095 => format!("{:.0} KiB", value * 1024.0),
        value if value < 9.5 => format!("{value:.1} MiB"),
        value => format!("{value:.0} MiB"),
    }
}

/// One line of the table, without and with what the arena takes, which changes whenever the compiler gets better at it.
struct Row {
    start: String,
    arena: usize,
    end: String,
}

impl Row {
    fn new(name: &str, model: &Model) -> Row {
        let graph = model.graph();
        let inputs = graph
            .inputs
            .iter()
            .map(|input| graph.values[input.value].shape.to_string());
        let inputs: Vec<String> = inputs.collect();
        let picture = match DRAWN.contains(&name) {
            true => format!("[picture](zoo/{name}.svg)"),
            false => String::new(),
        };
        Row {
            start: format!(
                "| [{name}](../specs/{name}.cnn) | {} | {} | {} | {} |",
                paper(&graph.doc),
                inputs.join(", "),
                grouped(graph.parameters()),
                grouped(graph.macs()),
            ),
            arena: session_bytes(&model.lower(&Options::new().isa(Isa::Avx2)).unwrap().plan),
            end: format!(" {picture} |"),
        }
    }

    fn text(&self) -> String {
        format!("{} {} |{}\n", self.start, mebibytes(self.arena), self.end)
    }

    /// Whether the line says the same, the arena about the same.
    fn is(&self, line: &str) -> bool {
        let Some(rest) = line.strip_prefix(&self.start) else {
            return false;
        };
        let Some(arena) = rest
            .strip_suffix(&self.end)
            .and_then(|rest| rest.strip_suffix(" |"))
        else {
            return false;
        };
        let mut words = arena.split_whitespace();
        let value: Option<f64> = words.next().and_then(|word| word.parse().ok());
        let unit = match words.next() {
            Some("KiB") => 1024.0,
            Some("MiB") => 1048576.0,
            _ => return false,
        };
        value.is_some_and(|value| (value * unit / self.arena as f64 - 1.0).abs() < 0.25)
    }
}

const BEGIN: &str = "<!-- generated: zoo -->\n";
const END: &str = "<!-- end -->";
const HEAD: &str =
    "| network | from | input | parameters | MACs | arena | |\n|---|---|---|--:|--:|--:|---|\n";

#[test]
fn the_table_is_that_of_the_specs() {
    let path = root().join("docs/zoo.md");
    let rows: Vec<Row> = specs()
        .iter()
        .map(|(name, model)| Row::new(name, model))
        .collect();
    if std::env::var_os("UPDATE").is_some() {
        let text = fs::read_to_string(&path).unwrap();
        let (start, rest) = text.split_once(BEGIN).expect("the table has a beginning");
        let (_, end) = rest.split_once(END).expect("the table has an end");
        let table: String = rows.iter().map(Row::text).collect();
        fs::write(&path, format!("{start}{BEGIN}{HEAD}{table}{END}{end}")).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap();
    let table = text.split_once(BEGIN).expect("the table has a beginning").1;
    let table = table.split_once(END).expect("the table has an end").0;
    let lines: Vec<&str> = table.lines().skip(2).collect();
    for row in &rows {
        let found = lines.iter().any(|line| row.is(line));
        assert!(
            found,
            "docs/zoo.md has no such line; `{COMMAND}` writes it:\n{}",
            row.text()
        );
    }
    let more = lines.len() as i64 - rows.len() as i64;
    assert_eq!(
        more, 0,
        "docs/zoo.md has lines of specs that are gone; `{COMMAND}` writes it anew"
    );
}

#[test]
fn the_pictures_are_those_of_the_specs() {
    let folder = root().join("docs/zoo");
    let update = std::env::var_os("UPDATE").is_some();
    let mut expected = Vec::new();
    for (name, model) in specs() {
        if !DRAWN.contains(&name.as_str()) {
            continue;
        }
        let svg = model.picture(View::Auto).unwrap().to_svg();
        assert!(svg.len() <= MAX_BYTES, "{name}: {} bytes", svg.len());
        let path = folder.join(format!("{name}.svg"));
        if update {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, &svg).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == svg,
            "docs/zoo/{name}.svg is out of date; `{COMMAND}` draws it"
        );
        expected.push(path);
    }
    for file in fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        if !expected.contains(&path) {
            assert!(
                update,
                "{} has no spec; `{COMMAND}` removes it",
                path.display()
            );
            remove(&path);
        }
    }
}

/// Removes a picture, and nothing else.
fn remove(path: &Path) {
    assert!(path.extension().is_some_and(|ending| ending == "svg"));
    fs::remove_file(path).unwrap();
}

/// Every name that a command shows, with what is known of its tensor: the shape, where the command shows it too.
fn shown(model: &Model) -> Vec<(&'static str, String, Option<Shape>)> {
    let isa = Isa::Avx2;
    let (graph, _) = optimize(model.graph());
    let lowered = model.lower(&Options::new().isa(isa)).unwrap();
    let summary = model.summary(&Options::new()).unwrap();
    let mut names = Vec::new();
    let mut see = |by, name: &str, shape| names.push((by, name.to_owned(), shape));
    for row in &summary.rows {
        see("summary", &row.label, Shape::new(row.output.clone()));
    }
    for fold in &summary.folds {
        for name in fold.label.split(" … ").chain([&*fold.like]) {
            see("summary, folded", name, None);
        }
    }
    // `dump --stage=graph`, and what `bench` measures by the same labels.
    for (_, node) in model.graph().live() {
        see(
            "dump graph",
            &node.label,
            Some(model.graph().values[node.output].shape.clone()),
        );
    }
    for (_, node) in graph.live() {
        see(
            "dump graph --passes",
            &node.label,
            Some(graph.values[node.output].shape.clone()),
        );
    }
    for section in lowered
        .program
        .sections
        .iter()
        .filter(|section| section.node.is_some())
    {
        see("dump loops, bench", &section.label, None);
    }
    for note in model.explain(&Options::new().isa(isa)).unwrap() {
        see("explain", &note.label, None);
        // Other layers stand between backquotes.
        for name in note.text.split('`').skip(1).step_by(2) {
            see("explain", name, None);
        }
    }
    let picture = model.picture(View::Auto).unwrap();
    let ports = model
        .graph()
        .outputs
        .iter()
        .map(|output| output.name.as_str());
    let ports: Vec<&str> = ports.collect();
    for name in picture
        .names()
        .into_iter()
        .filter(|name| !name.is_empty() && !ports.contains(name))
    {
        see("graph", name, None);
    }
    names
}

#[test]
fn every_command_calls_a_thing_the_same() {
    for (spec, model) in specs() {
        let graph = model.graph();
        let directory = graph.directory();
        for (by, name, shape) in shown(&model) {
            // What `--tap` finds.
            let Some(&value) = directory.get(name.as_str()) else {
                // Words that explain a layer, not one of its names.
                assert!(
                    by == "explain" && cnnc::compiler::layer::find(&name).is_some(),
                    "{spec}: `{name}` of {by} is no name"
                );
                continue;
            };
            let found = &graph.values[value].shape;
            assert!(
                shape.is_none_or(|shape| shape == *found),
                "{spec}: `{name}` of {by} is {found}"
            );
        }
        // A label is one thing's.
        let mut labels: Vec<&str> = graph.live().map(|(_, node)| node.label.as_str()).collect();
        labels.sort_unstable();
        assert!(labels.windows(2).all(|pair| pair[0] != pair[1]), "{spec}");
    }
}

#[test]
fn papers_end_where_their_sentence_does() {
    let docs = [
        (
            "He et al. 2015, v1.5, as in torchvision.",
            "He et al. 2015, v1.5, as in torchvision",
        ),
        (
            "LeCun 1998, full C3.  On 28x28 digits.",
            "LeCun 1998, full C3",
        ),
        (
            "A. G. Howard et al. 2017. Width 1.0.",
            "A. G. Howard et al. 2017",
        ),
    ];
    for (doc, expected) in docs {
        assert_eq!(paper(doc), expected);
    }
}
