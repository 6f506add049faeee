//! Networks that compare pictures, on the command line: what `train` and `evaluate` say of identities, pairs and one-shot runs, and of mistakes in them.

use cnnc_testing::{Place, Random};
use serde_json::Value;
use std::fs;

const SIDE: usize = 12;

const EMBED: &str = "cnn 1
model Faces {
  input face: 1x12x12
  conv 3x3 6 relu  maxpool 2x2  flatten
  dense 8  l2norm
  head embed { threshold 0.8 }
  train { loss triplet { mining hard }  optimizer adam  rate 0.01  batch 12 { each 4 }  epochs 6  keep best loss }
}
";

const VERIFY: &str = "cnn 1
model Twins {
  input a, b: 1x12x12
  shared twin { conv 3x3 6 relu  maxpool 2x2  flatten  dense 8  l2norm }
  head verify { abs(twin(a) - twin(b)) ; out: dense 1 sigmoid }
  train { start { set \"out.weight\" to -1  set \"out.bias\" to 1 }  optimizer adam  rate 0.01  batch 10 { alike 0.3 }  epochs 6 }
}
";

/// Both specs, and ten identities of five pictures.
fn made() -> Place {
    let place = Place::new(env!("CARGO_BIN_EXE_cnnc"));
    fs::write(place.path("embed.cnn"), EMBED).unwrap();
    fs::write(place.path("verify.cnn"), VERIFY).unwrap();
    for identity in 0..10 {
        face(&place, &format!("faces/p{identity}"), identity, 5);
    }
    fs::write(place.path("judge.txt"), "p8\np9\np3\n").unwrap();
    place
}

/// Pictures of a face: blots of its own, with noise.
fn face(place: &Place, folder: &str, identity: u64, pictures: usize) {
    let folder = place.path(folder);
    fs::create_dir_all(&folder).unwrap();
    let mut own = Random(identity + 1);
    let blots: Vec<usize> = (0..SIDE * SIDE).map(|_| 150 * own.below(2)).collect();
    for picture in 0..pictures {
        let mut noise = Random(100 * identity + picture as u64 + 7);
        let pixels = blots.iter().map(|value| (value + noise.below(100)) as u8);
        let file = [
            format!("P5 {SIDE} {SIDE} 255\n").into_bytes(),
            pixels.collect(),
        ];
        fs::write(folder.join(format!("{picture}.pgm")), file.concat()).unwrap();
    }
}

#[test]
fn what_is_learned_of_identities_is_judged_by_others() {
    let place = made();
    for (spec, says, auc) in [
        ("embed", "4 of each identity in a batch", 0.9),
        ("verify", "in pairs, 30 % alike", 0.8),
    ] {
        let line = format!(
            "train {spec}.cnn --data faces --test judge.txt --name {spec} --show-batch {spec}.png"
        );
        let said = place.prints(&line);
        assert!(said.starts_with("35 samples, 15 to be judged by"), "{said}");
        assert!(said.contains(says), "{said}");
        let judged = format!(
            "evaluate {spec}.cnn --weights runs/{spec}/last.safetensors --data faces --test judge.txt"
        );
        let said = place.prints(&format!("{judged} -o roc.svg --worst worst.png"));
        for part in [
            "105 pairs, 30 of them alike",
            "area under the curve",
            "strangers accepted",
            "the hardest triplets:\n  p",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        let drawn = String::from_utf8(place.read("roc.svg")).unwrap();
        assert!(drawn.contains("one among K"), "{drawn}");
        assert!(place.read("worst.png").starts_with(b"\x89PNG"));
        let json: Value = serde_json::from_str(&place.prints(&format!("{judged} --json"))).unwrap();
        assert!(json["auc"].as_f64().unwrap() >= auc, "{json}");
        assert_eq!(json["identities"], 3);
        assert_eq!(json["galleries"].as_array().unwrap().len(), 2);
        // The run's own spec says the same.
        let used = String::from_utf8(place.read(&format!("runs/{spec}/spec.cnn"))).unwrap();
        let written = match spec {
            "embed" => "loss triplet { mining hard }",
            _ => "batch 10 { alike 0.3 }",
        };
        assert!(used.contains(written), "{used}");
        let again = format!("train runs/{spec}/spec.cnn --name {spec}-again");
        place.prints(&again);
        assert!(
            place.read(&format!("runs/{spec}/last.safetensors"))
                == place.read(&format!("runs/{spec}-again/last.safetensors"))
        );
    }
    let dry = place.prints("train verify.cnn --data faces --dry");
    assert!(dry.contains("in pairs, 30 % alike"), "{dry}");
    assert!(dry.contains("out.weight begins as -1"), "{dry}");
}

#[test]
fn mistakes_are_told_before_the_first_step() {
    let place = made();
    let fails = |line: &str, why: &str| {
        let said = place.fails(line);
        assert!(said.contains(why), "{line}: {said}");
        assert!(!place.path("runs").exists(), "{line}");
    };
    fails(
        "train embed.cnn --data faces --batch 36",
        "a batch of 36 with 4 of each identity takes 9 identities, and there are 8 to learn from: at most `batch 32`",
    );
    fs::write(place.path("list.txt"), "p8\nnobody\n").unwrap();
    fails(
        "train verify.cnn --data faces --test list.txt",
        "list.txt: line 2: there is no sample `nobody`, nor a folder with some",
    );
    fs::write(
        place.path("list.txt"),
        "p1/0.pgm\np1/1.pgm\np1/2.pgm\np1/3.pgm\np8\np9\n",
    )
    .unwrap();
    for spec in ["embed", "verify"] {
        fails(
            &format!("train {spec}.cnn --data faces --test list.txt"),
            "`p1` has one sample among 36, and no other to be compared with: add one, or leave it out",
        );
    }
    // One identity judges nothing.
    face(&place, "one/p0", 0, 3);
    for dry in ["", " --dry"] {
        fails(
            &format!("train verify.cnn --data faces --test one{dry}"),
            "identities are told from one another, and the samples have 1 of them",
        );
    }
    face(&place, "faces/alone", 77, 1);
    fails(
        "train verify.cnn --data faces",
        "alone: there is one sample of it, which has no other to be near to",
    );
    // Never read.
    fs::write(place.path("none.safetensors"), "").unwrap();
    let judge = "evaluate embed.cnn --weights none.safetensors";
    fails(judge, "nothing says which pictures");
    face(&place, "single/p0", 0, 3);
    fails("train embed.cnn --data single", "nothing to learn from");
}

#[test]
fn one_shot_runs_are_counted() {
    let place = made();
    place.prints("train embed.cnn --data faces --name net");
    for run in ["run1", "run2"] {
        for (inside, picture) in [("training", 0), ("test", 1)] {
            fs::create_dir_all(place.path(&format!("shots/{run}/{inside}"))).unwrap();
            for person in 0..4 {
                fs::copy(
                    place.path(&format!("faces/p{person}/{picture}.pgm")),
                    place.path(&format!("shots/{run}/{inside}/{person}.pgm")),
                )
                .unwrap();
            }
        }
        let lines: String = (0..4)
            .map(|person| format!("{run}/test/{person}.pgm {run}/training/{person}.pgm\n"))
            .collect();
        fs::write(place.path(&format!("shots/{run}/class_labels.txt")), lines).unwrap();
    }
    let line = "evaluate embed.cnn --weights runs/net/weights.safetensors --one-shot shots";
    let said = place.prints(line);
    assert!(said.contains("of 8 right in 2 runs"), "{said}");
    let json: Value = serde_json::from_str(&place.prints(&format!("{line} --json"))).unwrap();
    // People that it has learned.
    assert!(json["accuracy"].as_f64().unwrap() >= 0.75, "{json}");
    assert_eq!(json["runs"][0]["known"], 4);
    place.prints(&format!("{line} --worst missed.png"));
    assert!(place.read("missed.png").starts_with(b"\x89PNG"));
    // A picture that is known and never right is read, too; that is told before anything is done.
    fs::copy(
        place.path("faces/p9/0.pgm"),
        place.path("shots/run1/training/9.pgm"),
    )
    .unwrap();
    fs::write(place.path("none.safetensors"), "").unwrap();
    let none = "evaluate embed.cnn --weights none.safetensors --one-shot shots";
    for file in ["test/0.pgm", "training/9.pgm", "class_labels.txt"] {
        let said = place.fails(&format!("{none} --worst shots/run1/{file}"));
        assert!(said.contains("would be overwritten"), "{said}");
    }
    let said =
        place.fails("evaluate embed.cnn --weights runs/net/weights.safetensors --one-shot faces");
    assert!(
        said.contains("there is no folder with a `class_labels.txt`"),
        "{said}"
    );
}
