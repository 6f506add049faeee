//! Every head of the table, through the program.

use super::{Folder, cnnc, failure, text};
use cnnc_compiler::head::HEADS;
use serde_json::Value;

/// The flags that change a head, with a value, and the keys of which they are.
const FLAGS: [(&str, &str); 5] = [
    ("top", "2"),
    ("keep", "0.9"),
    ("iou", "0.3"),
    ("nms", "off"),
    ("threshold", "0.25"),
];

/// A head takes the flags of the keys that it has, in one of its samples at least, and says of others whose they are.
#[test]
fn heads_take_the_flags_of_their_keys() {
    let folder = Folder::new("flags");
    for decl in HEADS {
        let mut taken = Vec::new();
        for sample in decl.samples {
            let spec = folder.write("sample.cnn", &format!("cnn 1\nmodel S {{\n{sample}\n}}\n"));
            let made_up = ["--weights", "synthetic", "--input", "synthetic"];
            let run = [&["run", &spec], &made_up[..]].concat();
            // The answer is told, in both forms.
            assert!(!text(&run).trim().is_empty(), "{sample}");
            let answer: Value =
                serde_json::from_str(&text(&[&run[..], &["--json"]].concat())).unwrap();
            assert!(answer["results"][0]["outputs"].is_array(), "{sample}");
            for (key, value) in FLAGS {
                let flag = format!("--{key}");
                let args = [&run[..], &[&flag, value]].concat();
                if cnnc(&args).status.success() {
                    taken.push(key);
                    continue;
                }
                let (code, error) = failure(&args);
                let why = match decl.key(key) {
                    // What the key needs is said where it is declared.
                    Some(param) => format!(
                        "`{flag}` changes nothing in this spec. `{key}`: {}",
                        param.doc
                    ),
                    None => format!("`{flag}` is for specs with `head "),
                };
                assert!(code == Some(1) && error.contains(&why), "{sample}: {error}");
            }
        }
        for (key, _) in FLAGS {
            let declared = decl.key(key).is_some();
            assert_eq!(
                taken.contains(&key),
                declared,
                "--{key} of {}",
                decl.keyword
            );
        }
    }
}

/// A flag's owners are those of the table.
#[test]
fn a_flag_that_is_for_other_heads_names_them() {
    let folder = Folder::new("owners");
    let spec = "cnn 1\nmodel S { input x: 3; dense 4; head classify }\n";
    let spec = folder.write("classes.cnn", spec);
    let run = [
        "run",
        &spec,
        "--weights",
        "synthetic",
        "--input",
        "synthetic",
    ];
    let refused = |flag: &'static str, value| failure(&[&run[..], &[flag, value]].concat()).1;
    let detectors = "`head yolo1`, `head yolo2`, `head yolo3`, `head dfl` or `head regions`";
    assert!(refused("--iou", "0.3").contains(&format!("`--iou` is for specs with {detectors}")));
    let alike = "`--threshold` is for specs with `head embed` or `head verify`";
    assert!(refused("--threshold", "1").contains(alike));
}
