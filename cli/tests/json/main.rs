//! What commands print with `--json` is what the tables of docs/json.md say, and all of it, and what docs/schema says.

mod schema;

use cnnc::rt::image::write_png;
use cnnc_testing::file;
use schema::Schemas;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// A row of a table.
struct Row {
    path: String,
    types: Vec<String>,
    sometimes: bool,
}

/// The tables, by the command that they are of.
fn tables() -> BTreeMap<String, Vec<Row>> {
    let text = fs::read_to_string(file("docs/json.md")).unwrap();
    let mut tables = BTreeMap::new();
    for section in text.split("\n## ").skip(1) {
        let (title, body) = section.split_once('\n').unwrap();
        let name = title.trim_start_matches("`cnnc ").replace('`', "");
        let rows = body.lines().filter(|line| line.starts_with("| `"));
        let rows = rows.map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            Row {
                path: cells[0].trim_matches('`').to_owned(),
                types: cells[1].split(", ").map(str::to_owned).collect(),
                sometimes: cells[2].contains("sometimes"),
            }
        });
        tables.insert(name, rows.collect());
    }
    tables
}

/// Paths of all values, with their types; `empty` of arrays without elements.
fn flat(path: &str, value: &Value, found: &mut BTreeMap<String, BTreeSet<&'static str>>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(items) => {
            let path = format!("{path}[]");
            items.iter().for_each(|item| flat(&path, item, found));
            if items.is_empty() {
                found.entry(path).or_default().insert("empty");
            }
            return;
        }
        Value::Object(entries) => {
            let dot = if path.is_empty() { "" } else { "." };
            for (key, value) in entries {
                flat(&format!("{path}{dot}{key}"), value, found);
            }
            return;
        }
    };
    found.entry(path.to_owned()).or_default().insert(kind);
}

/// Whether the row is about the path: `a.*` is about all that is in `a`.
fn about(row: &Row, path: &str) -> bool {
    match row.path.strip_suffix('*') {
        Some(start) => path.starts_with(start),
        None => row.path == path,
    }
}

fn cnnc(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cnnc"));
    command.current_dir(folder).args(args).output().unwrap()
}

const EMBED: &str = "cnn 1
model Net {
  input x: 3x16x16 { resize 16x16 }
  map: conv 3x3 4 relu
  globalavgpool
  head embed
}
";

const CLASSES: &str = "cnn 1
model Classes {
  input x: 3x16x16 { resize 16x16 }
  c: conv 3x3 4 relu
  globalavgpool
  dense 2
  head classify { labels [\"no\", \"yes\"] }
}
";

fn prepare(folder: &Path) {
    fs::write(folder.join("net.cnn"), EMBED).unwrap();
    fs::write(folder.join("classes.cnn"), CLASSES).unwrap();
    fs::write(
        folder.join("wrong.cnn"),
        "cnn 1\nmodel Wrong { input x: 3x8x8; convv 3x3 4 }\n",
    )
    .unwrap();
    let picture = file("examples/data/pelican.jpeg");
    for place in [
        "faces",
        "signs/no",
        "signs/yes",
        "boxes/images",
        "boxes/labels",
    ] {
        fs::create_dir_all(folder.join(place)).unwrap();
    }
    fs::copy(&picture, folder.join("cat.jpeg")).unwrap();
    fs::copy(&picture, folder.join("faces/cat.jpeg")).unwrap();
    fs::copy(&picture, folder.join("boxes/images/a.jpeg")).unwrap();
    fs::write(
        folder.join("boxes/labels/a.txt"),
        "0 0.5 0.5 0.2 0.4\n1 0.3 0.3 0.1 0.1\n",
    )
    .unwrap();
    for class in ["no", "yes"] {
        for name in ["a", "b", "c", "d", "e"] {
            fs::copy(&picture, folder.join(format!("signs/{class}/{name}.jpeg"))).unwrap();
        }
    }
    for (spec, weights) in [
        ("net.cnn", "net.safetensors"),
        ("classes.cnn", "classes.safetensors"),
    ] {
        assert!(
            cnnc(
                folder,
                &["convert", spec, "--weights", "synthetic", weights]
            )
            .status
            .success()
        );
    }
    let raw = [
        "run",
        "classes.cnn",
        "--weights",
        "classes.safetensors",
        "cat.jpeg",
        "--raw",
        "theirs.safetensors",
    ];
    assert!(cnnc(folder, &raw).status.success());
}

/// A line for each command, some several; with `!`, exit code 1 is expected, and with `~` an object a line.
const LINES: &[&str] = &[
    "!check net.cnn wrong.cnn absent.cnn",
    "summary net.cnn",
    "zoo",
    "explain net.cnn --weights net.safetensors",
    "run classes.cnn --weights classes.safetensors cat.jpeg",
    "run classes.cnn --weights classes.safetensors cat.jpeg --compare theirs.safetensors",
    "run net.cnn --weights net.safetensors cat.jpeg cat.jpeg",
    "run yolov2_tiny_voc --weights synthetic cat.jpeg --keep 0.001",
    "~run classes.cnn --weights classes.safetensors cat.jpeg faces/cat.jpeg",
    "~!run classes.cnn --weights classes.safetensors cat.jpeg none.jpeg",
    "~run classes.cnn --weights classes.safetensors faces --shard 0/1",
    "weights net.safetensors net.cnn",
    "convert net.cnn --weights synthetic again.safetensors",
    "identify net.cnn --weights net.safetensors --gallery faces cat.jpeg",
    "!identify net.cnn --weights net.safetensors --gallery faces none.jpeg cat.jpeg",
    "bench net.cnn --seconds 0.01 --layers",
    "gradcheck net.cnn",
    "train classes.cnn --data signs --epochs 1 --batch 2 --threads 1",
    "evaluate classes.cnn --weights classes.safetensors --data signs --threads 1",
    "anchors boxes -n 2",
    "style net.cnn --weights net.safetensors cat.jpeg cat.jpeg -o styled.jpg --steps 2 --size 32 --content map --style map --threads 1",
    "visualize net.cnn --weights net.safetensors --photo cat.jpeg -o seen --threads 1",
    "crops boxes -o crops",
    "propose cat.jpeg",
    "~!propose none.jpeg cat.jpeg --side 64",
];

#[test]
fn what_is_printed_is_what_the_tables_say() {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let tables = tables();
    let schemas = Schemas::read();
    let mut printed: BTreeMap<String, BTreeMap<String, BTreeSet<&str>>> = BTreeMap::new();
    for line in LINES {
        let (line, lines) = line
            .strip_prefix('~')
            .map_or((*line, false), |line| (line, true));
        let (line, code) = line.strip_prefix('!').map_or((line, 0), |line| (line, 1));
        let words: Vec<&str> = line.split(' ').chain(["--json"]).collect();
        let output = cnnc(folder.path(), &words);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{line}: {error}");
        let text = String::from_utf8(output.stdout).unwrap();
        let (name, values) = match lines {
            true => (format!("{}, a line", words[0]), text.lines().collect()),
            false => (words[0].to_owned(), vec![text.as_str()]),
        };
        for value in values {
            let value: Value = serde_json::from_str(value).unwrap();
            if let Err(why) = schemas.check(words[0], &value) {
                panic!("{line}: {why}");
            }
            flat("", &value, printed.entry(name.clone()).or_default());
        }
    }
    for (name, found) in &printed {
        let rows = &tables[name];
        for (path, kinds) in found {
            let of = rows.iter().filter(|row| about(row, path));
            let listed = |kind: &&str| match *kind {
                "empty" => rows.iter().any(|row| row.path.starts_with(path.as_str())),
                kind => of
                    .clone()
                    .any(|row| row.types.iter().any(|known| known == kind)),
            };
            for kind in kinds {
                // Others may add figures to these two; what is said of them has to be true.
                let more = matches!(name.as_str(), "bench" | "run") && of.clone().next().is_none();
                assert!(
                    more || listed(kind),
                    "docs/json.md has no `{path}` ({kind}) of `cnnc {name}`"
                );
            }
        }
        for row in rows.iter().filter(|row| !row.sometimes) {
            let there = found.keys().any(|path| about(row, path));
            assert!(there, "`cnnc {name}` prints no `{}`", row.path);
        }
    }
    let commands: BTreeSet<&str> = printed.keys().map(String::as_str).collect();
    let documented: BTreeSet<&str> = tables
        .keys()
        .map(String::as_str)
        .filter(|name| *name != "Exit codes" && *name != "Errors")
        .collect();
    assert_eq!(commands, documented);
    let described: BTreeSet<&str> = schemas.names().filter(|name| *name != "error").collect();
    let commands: BTreeSet<&str> = commands.iter().map(|name| command(name)).collect();
    assert_eq!(commands, described, "docs/schema has a file for each");
    for (name, rows) in &tables {
        let name = match name.as_str() {
            "Exit codes" => continue,
            "Errors" => "error",
            name => command(name),
        };
        for row in rows {
            let there = schemas.has(name, &row.path);
            assert!(there, "docs/schema/{name}.json has no `{}`", row.path);
        }
    }
}

/// The command of a table, which may be of its lines.
fn command(table: &str) -> &str {
    table.strip_suffix(", a line").unwrap_or(table)
}

/// Other forms that commands print, beside those of [`LINES`]: with flags, of other data, mistakes.
const FORMS: &[&str] = &[
    "check fixable.cnn --fix",
    "check net.cnn --hash",
    "!check absent.onnx net.cnn",
    "explain E0101",
    "explain net.cnn",
    "run classes.cnn --weights classes.safetensors signs",
    "!run classes.cnn --weights classes.safetensors some.txt",
    "!run classes.cnn --weights classes.safetensors cat.jpeg absent.jpeg",
    "run verify.cnn --weights synthetic cat.jpeg cat.jpeg",
    "run points.cnn --weights synthetic cat.jpeg",
    "run segments.cnn --weights synthetic cat.jpeg",
    "run edges cat.jpeg",
    "run net.cnn --weights synthetic --input synthetic --backend reference",
    "run lenet5_slide --weights synthetic cat.jpeg --slide",
    "run lenet5_slide --weights synthetic cat.jpeg --slide --scales 1,2 --cost",
    "run lenet5_slide --weights synthetic cat.jpeg --slide --raw map.safetensors",
    "weights classes.safetensors",
    "!weights classes.safetensors net.cnn",
    "bench net.cnn classes.cnn --seconds 0.01 --threads 1",
    "bench net.cnn --kernels --seconds 0.01 --save base.json",
    "bench net.cnn --seconds 0.01 --compare base.json",
    "gradcheck net.cnn --show",
    "train classes.cnn --data signs --batch 2 --dry --threads 1",
    "evaluate net.cnn --weights net.safetensors --data signs --threads 1",
    "evaluate segments.cnn --weights segments.safetensors --data maps --threads 1",
    "evaluate street_3x3x2x8 --weights street.safetensors --data boxes --threads 1",
    "evaluate one.cnn --weights one.safetensors --data one --threads 1",
    "evaluate sliding.cnn --weights sliding.safetensors --data boxes --slide --threads 1",
    "style net.cnn --weights net.safetensors cat.jpeg cat.jpeg -o styled.jpg --steps 2 --size 32 --each --content map --style map --threads 1",
    "style net.cnn --weights net.safetensors cat.jpeg cat.jpeg -o styled.jpg --size 32 --gram --style map --threads 1",
    "propose --data boxes",
];

#[test]
fn other_forms_are_in_the_schemas_too() {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    more(folder.path());
    let schemas = Schemas::read();
    for line in FORMS {
        let (line, code) = line.strip_prefix('!').map_or((*line, 0), |line| (line, 1));
        let words: Vec<&str> = line.split(' ').chain(["--json"]).collect();
        let output = cnnc(folder.path(), &words);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{line}: {error}");
        let values = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
        let values: Vec<Value> = values.map(Result::unwrap).collect();
        assert!(!values.is_empty(), "{line}");
        for value in values {
            if let Err(why) = schemas.check(words[0], &value) {
                panic!(
                    "{line}: {why}
{value:#}"
                );
            }
        }
    }
}

/// Specs and data of other forms.
fn more(folder: &Path) {
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    write(
        "fixable.cnn",
        "cnn 1\nmodel F { input x: 3x8x8; convv 3x3 4 }\n",
    );
    write("some.txt", "cat.jpeg\nabsent.jpeg\n");
    write(
        "verify.cnn",
        "cnn 1\nmodel V { input x: 3x16x16 { resize 16x16 }; conv 3x3 4 relu; globalavgpool; head embed { threshold 0.5 } }\n",
    );
    write(
        "points.cnn",
        "cnn 1\nmodel P { input x: 3x16x16 { resize 16x16 }; conv 3x3 4 relu; globalavgpool; dense 4; head landmarks }\n",
    );
    write(
        "segments.cnn",
        "cnn 1\nmodel S { input x: 3x16x16 { resize 16x16 }; conv 1x1 2; head segment { labels [\"no\", \"yes\"] } }\n",
    );
    write(
        "one.cnn",
        "cnn 1\nmodel O { input x: 3x16x16 { resize 16x16 }; conv 3x3 4 relu; globalavgpool; dense 5; head boxes { labels [\"0\"] } }\n",
    );
    write(
        "sliding.cnn",
        "cnn 1\nmodel L { input x: 3x16x16; conv 3x3 /2 4 relu; globalavgpool; dense 3; head classify { labels [\"background\", \"0\", \"1\"] } }\n",
    );
    for (spec, weights) in [
        ("one.cnn", "one.safetensors"),
        ("sliding.cnn", "sliding.safetensors"),
        ("segments.cnn", "segments.safetensors"),
        ("street_3x3x2x8", "street.safetensors"),
    ] {
        let words = ["convert", spec, "--weights", "synthetic", weights];
        assert!(cnnc(folder, &words).status.success(), "{spec}");
    }
    for place in ["maps/images", "maps/masks", "one/images", "one/labels"] {
        fs::create_dir_all(folder.join(place)).unwrap();
    }
    fs::copy(folder.join("cat.jpeg"), folder.join("one/images/a.jpeg")).unwrap();
    write("one/labels/a.txt", "0 0.5 0.5 0.2 0.4\n");
    let classes: Vec<u8> = (0..256).map(|pixel| u8::from(pixel % 3 == 0)).collect();
    for name in ["a.png", "b.png"] {
        let images = folder.join("maps/images").join(name);
        write_png(images, 16, 16, 3, &[90; 3 * 256]).unwrap();
        let masks = folder.join("maps/masks").join(name);
        write_png(masks, 16, 16, 1, &classes).unwrap();
    }
}

#[test]
fn mistakes_are_objects_and_codes_are_those_that_are_documented() {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let wrong = |args: &[&str], code: i32| {
        let output = cnnc(folder.path(), args);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {error}");
        (String::from_utf8(output.stdout).unwrap(), error)
    };
    let (text, _) = wrong(&["run", "wrong.cnn", "--json"], 1);
    let value: Value = serde_json::from_str(&text).unwrap();
    assert!(
        value["error"]["message"].is_string()
            && value["error"]["diagnostics"][0]["code"].is_string()
    );
    let schemas = Schemas::read();
    assert_eq!(schemas.check("error", &value), Ok(()));
    let (text, _) = wrong(&["weights", "absent.safetensors", "--json"], 1);
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(schemas.check("error", &value), Ok(()));
    wrong(&["run", "--no-such-flag"], 2);
    // What is not supported yet, not misspelt.
    fs::write(
        folder.path().join("later.cnn"),
        "cnn 1\nmodel Later { input x: 3x8x8; RMSNorm }\n",
    )
    .unwrap();
    let (text, _) = wrong(&["summary", "later.cnn", "--json"], 3);
    assert!(text.contains("not supported yet"), "{text}");
    let help = wrong(&["--help"], 0).0;
    for code in [
        "0  done",
        "1  a mistake",
        "2  a command line",
        "3  something",
    ] {
        assert!(help.contains(code), "{help}");
    }
}

#[test]
fn outputs_are_compared_with_those_of_another_engine() {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let run = |more: &[&str]| {
        let start = [
            "run",
            "classes.cnn",
            "--weights",
            "classes.safetensors",
            "cat.jpeg",
        ];
        let output = cnnc(folder.path(), &[&start, more].concat());
        let texts = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (output.status.code().unwrap(), texts.concat())
    };
    let (code, text) = run(&["--compare", "theirs.safetensors"]);
    assert!(code == 0 && text.contains("they agree"), "{text}");
    // One number off, as another engine writes it: a batch of one, under a name of its own.
    let tensors =
        cnnc::rt::tensor_file::read_tensors(folder.path().join("theirs.safetensors")).unwrap();
    let mut values = tensors[0].values.clone();
    values[1] += 0.1;
    let npy = folder.path().join("output_0.npy");
    cnnc::rt::tensor_file::write_npy(&npy, &[1, 2], &values).unwrap();
    let (code, text) = run(&["--compare", "output_0.npy"]);
    assert!(
        code == 1
            && text.contains("[1]")
            && text.contains("the outputs differ: 1 element of `raw`"),
        "{text}"
    );
    assert_eq!(run(&["--compare", "output_0.npy", "--tolerance", "1"]).0, 0);
    // What cannot be compared, and what cannot be meant.
    cnnc::rt::tensor_file::write_npy(&npy, &[3], &[1.0; 3]).unwrap();
    let (code, text) = run(&["--compare", "output_0.npy"]);
    assert!(
        code == 1 && text.contains("output `raw` is 2, but the tensor `output_0` is 3"),
        "{text}"
    );
    assert_eq!(run(&["--tolerance", "0.1"]).0, 2);
    assert_eq!(
        run(&["--compare", "theirs.safetensors", "--tolerance", "2"]).0,
        2
    );
    assert_eq!(run(&["--compare", "nowhere.npy"]).0, 1);
    let (code, text) = run(&[
        "--compare",
        "theirs.safetensors",
        "--raw",
        "theirs.safetensors",
    ]);
    assert!(code == 1 && text.contains("would be overwritten"), "{text}");
}
