//! Which keys a file of goldens may have: what this test does not know it does not check, and says so by failing.

use serde_json::{Map, Value};

/// Keys of networks that are trained.
const TRAINING: &str = "name kind what spec inputs first batch dataset quantum steps optimizer schedule rate frozen loss loss_per_step loss_error detail tensors \
     output input gradient gradient_l2 after floor floor_gradient floor_later floor_loss";

/// Keys of pictures that are changed.
const PICTURE: &str = "name kind what spec inputs first steps optimizer schedule rate loss loss_per_step loss_error tensors input after floor floor_gradient floor_later floor_loss";

/// Keys of a single layer.
const LAYER: &str = "name spec batch mode first note given shapes value error gradient after";

/// Keys of a tensor in a part.
const ENTRY: &str = "l2 sum max values e2 es zero";

const LOSSES: [(&str, &str); 10] = [
    ("cross_entropy", "smoothing"),
    ("logistic_pair", ""),
    ("contrastive", "margin"),
    ("triplet", "margin pictures_per_identity"),
    ("localise", "classes presence weights truths"),
    ("landmarks", "classes presence weights truths"),
    ("yolo2", "classes anchors unit ignore weights truths"),
    ("yolo3", "classes anchors masks unit ignore weights truths"),
    ("style", "style content alpha beta"),
    ("activation", "tensor channel"),
];

const OPTIMIZERS: [(&str, &str); 4] = [
    ("sgd", "lr momentum nesterov decay"),
    ("rmsprop", "lr alpha eps momentum decay"),
    ("adam", "lr beta1 beta2 eps decay"),
    ("adamw", "lr beta1 beta2 eps decay"),
];

const SCHEDULES: [(&str, &str); 2] = [("step", "every factor"), ("cosine", "warmup total floor")];

/// Where in a file something is, and what is wrong there.
type Problem = Result<(), String>;

/// The first key of a file, or the first kind of something in it, that is not known.
pub fn check(file: &Value) -> Problem {
    let of_file = object("the file", file)?;
    let kind = file["kind"].as_str().unwrap_or("");
    match kind {
        "layers" => {
            only("the file", of_file, "name kind cases")?;
            for (index, case) in items(file, "cases")?.iter().enumerate() {
                let place = format!("cases[{index}]");
                only(&place, object(&place, case)?, LAYER)?;
                if !matches!(case["mode"].as_str(), Some("train" | "infer")) {
                    return Err(format!("{place}: mode {}", case["mode"]));
                }
            }
            Ok(())
        }
        "training" | "picture" => {
            let known = if kind == "training" {
                TRAINING
            } else {
                PICTURE
            };
            only("the file", of_file, known)?;
            for (key, kinds) in [
                ("loss", &LOSSES[..]),
                ("optimizer", &OPTIMIZERS[..]),
                ("schedule", &SCHEDULES[..]),
            ] {
                if key != "schedule" || !file[key].is_null() {
                    of_kind(key, &file[key], kinds)?;
                }
            }
            for (index, input) in items(file, "inputs")?.iter().enumerate() {
                let place = format!("inputs[{index}]");
                only(&place, object(&place, input)?, "name shape")?;
            }
            for (name, tensor) in object("tensors", &file["tensors"])? {
                let place = format!("tensors[\"{name}\"]");
                only(&place, object(&place, tensor)?, "shape positions")?;
            }
            let after = object("after", &file["after"])?;
            let after = after
                .iter()
                .map(|(step, part)| (format!("after {step}"), part));
            let first = ["output", "input", "gradient"].map(|part| (part.to_owned(), &file[part]));
            for (part, tensors) in first
                .into_iter()
                .chain(after)
                .filter(|(_, of)| !of.is_null())
            {
                for (name, entry) in object(&part, tensors)? {
                    let place = format!("{part}: `{name}`");
                    if file["tensors"][name].is_null() {
                        return Err(format!("{place}: not among `tensors`"));
                    }
                    only(&place, object(&place, entry)?, ENTRY)?;
                }
            }
            Ok(())
        }
        _ => Err(format!("kind {}", file["kind"])),
    }
}

/// An object that is of one of these kinds, with the keys of that.
fn of_kind(place: &str, value: &Value, kinds: &[(&str, &str)]) -> Problem {
    let kind = &value["kind"];
    let found = kinds.iter().find(|(name, _)| *kind == **name);
    let (_, keys) = found.ok_or_else(|| format!("{place}: kind {kind}"))?;
    only(place, object(place, value)?, &format!("kind {keys}"))
}

fn only(place: &str, of: &Map<String, Value>, known: &str) -> Problem {
    let known: Vec<&str> = known.split_whitespace().collect();
    match of.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => Err(format!("{place}: unknown key `{key}`")),
    }
}

fn object<'v>(place: &str, value: &'v Value) -> Result<&'v Map<String, Value>, String> {
    value
        .as_object()
        .ok_or_else(|| format!("{place}: no object"))
}

fn items<'v>(file: &'v Value, key: &str) -> Result<&'v Vec<Value>, String> {
    let items = file[key].as_array();
    items.ok_or_else(|| format!("{key}: no list"))
}

/// What is not known is a failure, wherever it stands.
#[test]
fn what_is_unknown_fails() {
    let entry = serde_json::json!({ "zero": true });
    let training = serde_json::json!({
        "name": "made", "kind": "training", "spec": "", "inputs": [{ "name": "x", "shape": [1] }],
        "loss": { "kind": "triplet", "margin": 1, "pictures_per_identity": 2 },
        "optimizer": { "kind": "sgd", "lr": 0.1, "decay": 0 },
        "schedule": { "kind": "step", "every": 2, "factor": 0.5 },
        "tensors": { "x": { "shape": [1, 1], "positions": [] } },
        "input": { "x": entry }, "after": { "1": { "x": entry } },
    });
    let layers = serde_json::json!({ "name": "made", "kind": "layers", "cases": [{ "name": "one", "mode": "train" }] });
    assert_eq!([check(&training), check(&layers)], [Ok(()), Ok(())]);
    for (file, at, wrong, says) in [
        (&training, "/kind", "layer", "kind \"layer\""),
        (&training, "/new", "", "the file: unknown key `new`"),
        (&training, "/loss/kind", "arcface", "loss: kind \"arcface\""),
        (
            &training,
            "/loss/semi_hard",
            "",
            "loss: unknown key `semi_hard`",
        ),
        (
            &training,
            "/optimizer/kind",
            "lamb",
            "optimizer: kind \"lamb\"",
        ),
        (
            &training,
            "/optimizer/beta1",
            "",
            "optimizer: unknown key `beta1`",
        ),
        (
            &training,
            "/schedule/kind",
            "cyclic",
            "schedule: kind \"cyclic\"",
        ),
        (
            &training,
            "/inputs/0/dtype",
            "",
            "inputs[0]: unknown key `dtype`",
        ),
        (
            &training,
            "/tensors/x/kind",
            "",
            "tensors[\"x\"]: unknown key `kind`",
        ),
        (
            &training,
            "/input/x/mean",
            "",
            "input: `x`: unknown key `mean`",
        ),
        (
            &training,
            "/after/1/x/mean",
            "",
            "after 1: `x`: unknown key `mean`",
        ),
        (
            &training,
            "/after/1/y",
            "",
            "after 1: `y`: not among `tensors`",
        ),
        (&layers, "/cases/0/mode", "both", "cases[0]: mode \"both\""),
        (&layers, "/cases/0/u", "", "cases[0]: unknown key `u`"),
    ] {
        let mut file = file.clone();
        let (whole, key) = at.rsplit_once('/').expect("a place");
        let parent = file.pointer_mut(whole).expect("it is there");
        parent[key] = wrong.into();
        assert_eq!(check(&file), Err(says.to_owned()), "{at}");
    }
}
