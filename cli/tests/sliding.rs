//! Windows that slide and regions that are proposed, from pictures with boxes to what is found in them: `crops`, `train`, `evaluate --slide`, `run --slide`, `propose`.

use cnnc::rt::image::Picture;
use cnnc_testing::{Place, Random, shared};
use serde_json::Value;

const SIDE: usize = 120;

fn place() -> Place {
    Place::new(env!("CARGO_BIN_EXE_cnnc"))
}

/// Pictures of 120x120 pixels with two dark discs each on bright clutter, and bright crosses that are not looked for; the last eight judge.
fn made(place: &Place, pictures: usize) {
    let mut random = Random(3);
    for index in 0..pictures {
        let set = if index + 8 < pictures { "train" } else { "val" };
        for part in ["images", "labels"] {
            std::fs::create_dir_all(place.path(&format!("data/{part}/{set}"))).unwrap();
        }
        let mut grey: Vec<u8> = (0..SIDE * SIDE)
            .map(|_| 150 + random.below(60) as u8)
            .collect();
        let mut rows = String::new();
        for half in 0..2 {
            let radius = 11 + random.below(8);
            let x = radius + random.below(SIDE - 2 * radius);
            let y =
                half * SIDE / 2 + radius + random.below((SIDE / 2 + 1).saturating_sub(2 * radius));
            for (pixel, value) in grey.iter_mut().enumerate() {
                let (across, down) = ((pixel % SIDE).abs_diff(x), (pixel / SIDE).abs_diff(y));
                if across * across + down * down <= radius * radius {
                    *value = 20 + random.below(60) as u8;
                }
            }
            let share = |of: usize| of as f64 / SIDE as f64;
            rows += &format!(
                "0 {} {} {} {}\n",
                share(x),
                share(y),
                share(2 * radius),
                share(2 * radius)
            );
        }
        let (x, y) = (random.below(SIDE - 20), random.below(SIDE - 20));
        for step in 0..20 {
            grey[(y + step) * SIDE + x + step] = 255;
            grey[(y + step) * SIDE + x + 19 - step] = 255;
        }
        rows += &format!(
            "1 {} {} {} {}\n",
            (x + 10) as f64 / 120.0,
            (y + 10) as f64 / 120.0,
            1.0 / 6.0,
            1.0 / 6.0
        );
        let picture = Picture::from_grey(SIDE, SIDE, &grey).unwrap();
        picture
            .write_png(place.path(&format!("data/images/{set}/{index:02}.png")))
            .unwrap();
        std::fs::write(
            place.path(&format!("data/labels/{set}/{index:02}.txt")),
            rows,
        )
        .unwrap();
    }
}

const SPEC: &str = "cnn 1
model Discs {
  input image: 3x24x24 { resize 24x24 }
  conv 5x5 8 relu   maxpool 2x2 /2
  conv 3x3 12 relu  maxpool 2x2 /2
  flatten
  dense 16 relu
  dense 2
  head classify { labels [\"background\", \"0\"] }
  train { optimizer adamw  rate 4e-3 { cosine }  batch 32  epochs 6 }
}
";

const SCALES: &str = "1,0.8,0.64";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn crops_become_boxes() {
    let place = place();
    made(&place, 40);
    std::fs::write(place.path("net.cnn"), SPEC).unwrap();
    let cut = place.prints("crops data -o crops --class 0 --size 24 --each 10 --background 40");
    assert!(
        cut.contains("head classify { labels [\"background\", \"0\"] }"),
        "{cut}"
    );
    let again =
        place.prints("crops data -o again --class 0 --size 24 --each 10 --background 40 --json");
    let counts = json(&again)["classes"].clone();
    assert_eq!(counts[1]["class"], "0");
    // Two discs of each of 32 pictures, and nothing is given up for want of room.
    assert_eq!(
        (&counts[1]["train"], &counts[1]["val"]),
        (&640.into(), &160.into())
    );
    let name = "train/0/07-003.png";
    assert_eq!(
        place.read(&format!("crops/{name}")),
        place.read(&format!("again/{name}"))
    );

    place.prints("train net.cnn --data crops/train --test crops/val");
    let weights = "--weights runs/discs-01/last.safetensors";
    let judged = json(&place.prints(&format!(
        "evaluate net.cnn {weights} --data data --slide --scales {SCALES} --keep 0.9 --json"
    )));
    let of = &judged["classes"][0];
    assert_eq!(
        (of["class"].as_str(), of["boxes"].as_u64()),
        (Some("0"), Some(16))
    );
    assert!(
        of["recall"].as_f64() >= Some(0.85) && of["precision"].as_f64() >= Some(0.7),
        "{of}"
    );
    assert_eq!(judged["not_looked_for"][0], "1");
    let text = place.prints(&format!(
        "evaluate net.cnn {weights} --data data --slide --scales {SCALES}"
    ));
    assert!(
        text.contains("not looked for: 1")
            && text.contains("overlap the likeliest by more than 0.3 are one box"),
        "{text}"
    );

    let picture = "data/images/val/39.png";
    let run = format!("run net.cnn {weights} --slide --scales {SCALES} --keep 0.9 {picture}");
    let text = place.prints(&format!("{run} --draw boxes.png --heat heat.png --cost"));
    assert!(
        text.contains("times as long") && text.contains("background"),
        "{text}"
    );
    let drawn = Picture::open(place.path("boxes.png")).unwrap();
    assert_eq!((drawn.width(), drawn.height()), (SIDE, SIDE));
    assert!(drawn != Picture::open(place.path(picture)).unwrap());
    assert!(Picture::open(place.path("heat.png")).unwrap().height() > SIDE);
    let whole = json(&place.prints(&format!("{run} --json")))["results"][0].clone();
    assert_eq!(whole["scales"][0]["positions"], serde_json::json!([25, 25]));
    let bands = json(&place.prints(&format!("{run} --memory 1 --json")))["results"][0].clone();
    assert_eq!(
        bands["boxes"].as_array().map(Vec::len),
        whole["boxes"].as_array().map(Vec::len)
    );
    // The input of 360x360 pixels alone is more than 1 MiB, which is less than is usual.
    for (memory, several) in [("", false), ("--memory 1", true)] {
        let line = format!("run net.cnn {weights} --slide --scales 3 {memory} --json {picture}");
        let map = json(&place.prints(&line))["results"][0]["scales"][0].clone();
        assert_eq!(map["passes"].as_u64() > Some(1), several, "{map}");
        assert_eq!(map["positions"], serde_json::json!([85, 85]));
    }

    // Mistakes, each before anything is computed.
    for (line, said) in [
        (
            format!("run net.cnn {weights} --slide --scales 1,0.1 {picture}"),
            "12x12 at the scale 0.1, smaller than a window of 24x24",
        ),
        (
            format!("run net.cnn {weights} --slide --scales 1 --background sky {picture}"),
            "`sky` is no class; there are `background`, `0`",
        ),
        (
            format!("run net.cnn {weights} --slide --scales 1 --stride 3 {picture}"),
            "are 4x4 pixels apart, as its strides say",
        ),
        (
            format!("run net.cnn {weights} --slide --raw map.safetensors --draw a.png {picture}"),
            "finds no boxes",
        ),
        (
            format!("run net.cnn {weights} --slide --draw a.png {picture} {picture}"),
            "`--draw` takes the answer to one input",
        ),
        (
            format!("run net.cnn {weights} --slide --scales 1 --draw {picture} {picture}"),
            "would be overwritten",
        ),
        (
            format!("evaluate net.cnn {weights} --data data --slide --background 0"),
            "no box of data is of a class of `Discs`",
        ),
        (
            format!("evaluate net.cnn {weights} --data crops --slide"),
            "no data of the kind `voc` or `yolo`",
        ),
        ("crops data -o crops".to_owned(), "it is there already"),
        (
            "crops data -o more --class bird".to_owned(),
            "`bird` is no class; there are `0`, `1`",
        ),
        (
            "crops crops -o more".to_owned(),
            "no data of the kind `voc` or `yolo`",
        ),
    ] {
        let told = place.fails(&line);
        assert!(told.contains(said), "{line}: {told}");
    }
    for flags in [
        "--scales nan",
        "--raw a.safetensors --scales 1",
        "--raw a.safetensors --background 0",
        "--raw a.safetensors --memory 9",
        "--raw a.safetensors --stride 9",
        "--raw a.safetensors --cost",
    ] {
        let told = place.output(&format!("run net.cnn {weights} --slide {flags} {picture}"));
        assert_eq!(told.status.code(), Some(2), "{flags}");
    }

    let proposed = json(&place.prints("propose --data data --json"));
    assert_eq!(proposed["pictures"], 8);
    assert_eq!(
        proposed["classes"][0],
        serde_json::json!({ "class": "0", "found": 16, "boxes": 16 })
    );
    // A broken picture is named, and figures are of the others.
    std::fs::write(place.path(picture), "no picture").unwrap();
    let line = format!("evaluate net.cnn {weights} --data data --slide --scales {SCALES} --json");
    let judged = json(&place.prints(&line));
    assert_eq!(
        (&judged["pictures"], &judged["classes"][0]["boxes"]),
        (&7.into(), &14.into())
    );
    let why = judged["broken"][0].as_str().unwrap_or_default();
    assert!(why.starts_with(picture), "{why}");
}

/// Classes are numbers in the data, and have names in the head.
#[test]
fn proposed_regions_are_learned_and_judged() {
    let place = place();
    made(&place, 16);
    let spec = std::fs::read_to_string(cnnc_testing::file("specs/bccd_rcnn.cnn")).unwrap();
    let mut small = spec;
    for (from, to) in [
        ("3x240x320 { resize 320x240 }", "3x48x48 { resize 48x48 }"),
        ("512x4", "64x4"),
        (
            "\"RBC\", \"WBC\", \"Platelets\"",
            "\"disc\", \"cross\", \"star\"",
        ),
        ("epochs 4", "epochs 1"),
    ] {
        assert!(small.contains(from), "{from}");
        small = small.replace(from, to);
    }
    std::fs::write(place.path("net.cnn"), &small).unwrap();
    place.prints("train net.cnn --data data");
    let weights = "--weights runs/bccdrcnn-01/last.safetensors";
    let judged = json(&place.prints(&format!("evaluate net.cnn {weights} --data data --json")));
    let boxes = |class: usize| judged["classes"][class]["boxes"].as_u64();
    assert_eq!(
        [boxes(0), boxes(1), boxes(2)],
        [Some(16), Some(8), Some(0)],
        "{judged}"
    );
    assert_eq!(judged["broken"], serde_json::json!([]));
    let broken = "data/images/val/14.png";
    std::fs::write(place.path(broken), "no picture").unwrap();
    let line = format!("evaluate net.cnn {weights} --data data --json");
    let of_others = json(&place.prints(&line));
    let boxes = |class: usize| of_others["classes"][class]["boxes"].as_u64();
    assert_eq!([boxes(0), boxes(1)], [Some(14), Some(7)], "{of_others}");
    let why = of_others["broken"][0].as_str().unwrap_or_default();
    assert!(why.starts_with(broken), "{why}");
    let moved = small.replace("train {", "train {\n    augment { mirror }");
    std::fs::write(place.path("moved.cnn"), moved).unwrap();
    let told = place.fails("train moved.cnn --data data");
    assert!(told.contains("leave `augment` out"), "{told}");
    // What is not known is refused, as it is when it is learned.
    let rows = place.path("data/labels/val/15.txt");
    std::fs::write(rows, "7 0.5 0.5 0.2 0.2\n").unwrap();
    let told = place.fails(&format!("evaluate net.cnn {weights} --data data"));
    assert!(told.contains("the class `7` is none of"), "{told}");
}

/// A network that pads has its windows cut out, and says so.
#[test]
fn networks_that_pad_say_how_they_are_answered() {
    let place = place();
    made(&place, 9);
    let spec = SPEC.replace("conv 3x3 12", "c2: conv 3x3 12 pad half");
    std::fs::write(place.path("net.cnn"), spec).unwrap();
    let line =
        "run net.cnn --weights synthetic --slide --scales 0.5 --stride 6 data/images/val/08.png";
    let output = place.output(line);
    let (told, text) = (
        cnnc_testing::told(&output),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    );
    assert!(
        told.contains("`c2_conv` cannot slide")
            && told.contains("windows of 24x24 are cut out one by one, 6x6 pixels apart"),
        "{told}"
    );
    assert!(text.contains("cut out"), "{text}");
}

#[test]
fn labels_that_are_no_folders_are_named() {
    let place = place();
    for folder in ["Annotations", "JPEGImages"] {
        std::fs::create_dir_all(place.path("voc").join(folder)).unwrap();
    }
    let grey = Picture::from_grey(20, 20, &[9; 400]).unwrap();
    grey.write_png(place.path("voc/JPEGImages/a.png")).unwrap();
    let note = "<annotation><object><name>../up</name><bndbox><xmin>2</xmin><ymin>2</ymin><xmax>12</xmax><ymax>12</ymax></bndbox></object></annotation>";
    std::fs::write(place.path("voc/Annotations/a.xml"), note).unwrap();
    let told = place.fails("crops voc -o crops");
    assert!(told.contains("`../up` is no name for a folder"), "{told}");
    assert!(!place.path("crops").exists());
    // Sizes that are not those of the picture.
    let size = "<annotation><size><width>40</width><height>20</height><depth>3</depth></size>";
    let note = note.replace("../up", "up").replace("<annotation>", size);
    std::fs::write(place.path("voc/Annotations/a.xml"), note).unwrap();
    for line in ["crops voc -o crops", "propose --data voc"] {
        let told = place.fails(line);
        assert!(
            told.contains("40x20 pixels are not those of a.png, which has 20x20"),
            "{told}"
        );
    }
    let mut there = std::fs::read_dir(place.path("")).unwrap();
    let begun = |name: &std::ffi::OsStr| name.to_string_lossy().contains("crops");
    assert!(!there.any(|entry| begun(&entry.unwrap().file_name())));
}

/// Of pictures that are called alike none is written over, and a class that is named twice is one.
#[test]
fn crops_of_pictures_that_are_called_alike_stay_apart() {
    let place = place();
    made(&place, 9);
    let folder = |part: &str| place.path(&format!("data/{part}"));
    std::fs::copy(folder("images/train/00.png"), folder("images/00.png")).unwrap();
    std::fs::copy(folder("labels/train/00.txt"), folder("labels/00.txt")).unwrap();
    let line = "crops data -o crops --class 0 --class 0 --each 3 --background 2 --json";
    let classes = json(&place.prints(line))["classes"].clone();
    assert_eq!(classes.as_array().map(Vec::len), Some(2));
    let files = std::fs::read_dir(place.path("crops/train/0")).unwrap();
    assert_eq!(classes[1]["train"].as_u64(), Some(files.count() as u64));
    assert!(place.path("crops/train/0/00~2-000.png").exists());
}

#[test]
fn proposals_are_printed_drawn_and_written() {
    let place = place();
    made(&place, 9);
    let picture = "data/images/val/08.png";
    let text = place.prints(&format!(
        "propose {picture} --draw drawn.png --out boxes.csv"
    ));
    let rows = String::from_utf8(place.read("boxes.csv")).unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    assert_eq!(rows[0], "left,top,right,bottom");
    assert!(
        text.contains(&format!("{} proposals", rows.len() - 1)),
        "{text}"
    );
    let drawn = Picture::open(place.path("drawn.png")).unwrap();
    assert_eq!((drawn.width(), drawn.height()), (2 * SIDE + 8, SIDE));
    let some = json(&place.prints(&format!("propose {picture} --most 5 --json")));
    let first = &some["results"][0]["proposals"];
    assert_eq!(first.as_array().map(Vec::len), Some(5));
    assert_eq!(
        first[0],
        serde_json::json!({ "x": 0.0, "y": 0.0, "width": 120.0, "height": 120.0 })
    );
    // Of several pictures a line each; what cannot be read is one of them.
    let output = place.output(&format!(
        "propose {picture} none.png data/images/train/00.png --json"
    ));
    assert_eq!(output.status.code(), Some(1));
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<serde_json::Value> = lines.lines().map(json).collect();
    let inputs: Vec<&str> = lines
        .iter()
        .flat_map(|line| line["input"].as_str())
        .collect();
    assert_eq!(inputs, [picture, "none.png", "data/images/train/00.png"]);
    assert!(lines[1]["error"].is_string() && lines[2]["proposals"].is_array());
    for (line, said) in [
        ("propose", "`propose` needs pictures"),
        (
            "propose data/images/val/08.png data/images/train/00.png --out a.csv",
            "`--out` takes the answer to one input",
        ),
        (
            "propose data/labels/val/08.txt",
            "not a PNG, JPEG, BMP, PNM, GIF or WebP picture",
        ),
        (
            "propose --data data/images",
            "no data of the kind `voc` or `yolo`",
        ),
        (
            "propose data/images/val/08.png --draw data/images/val/08.png",
            "would be overwritten",
        ),
    ] {
        let told = place.fails(line);
        assert!(told.contains(said), "{line}: {told}");
    }
    // One pixel, and one row.
    for (name, width, height) in [("one.png", 1, 1), ("row.png", 200, 1)] {
        let picture = Picture::from_grey(width, height, &vec![9; width * height]).unwrap();
        picture.write_png(place.path(name)).unwrap();
        place.prints(&format!("propose {name} --draw small.png"));
    }
}

/// Of the blood cells of ten photographs of BCCD's validation list; of all 87 it is the long test.
#[test]
fn blood_cells_are_proposed() {
    let Some(data) = shared("data/bccd") else {
        return;
    };
    let place = place();
    few(&place, &data, 10);
    let found = json(&place.prints("propose --data few --json"));
    let number = |key: &str| found[key].as_f64().unwrap();
    assert!(
        number("recall") >= 0.9 && number("proposals") <= 1500.0,
        "{found}"
    );
}

/// The first photographs of the validation list, where they lie.
fn few(place: &Place, data: &std::path::Path, count: usize) {
    let list = std::fs::read_to_string(data.join("ImageSets/Main/val.txt")).unwrap();
    for folder in ["Annotations", "JPEGImages"] {
        std::fs::create_dir_all(place.path("few").join(folder)).unwrap();
    }
    for name in list.split_whitespace().take(count) {
        for file in [
            format!("Annotations/{name}.xml"),
            format!("JPEGImages/{name}.jpg"),
        ] {
            std::fs::copy(data.join(&file), place.path("few").join(&file)).unwrap();
        }
    }
}

/// docs/sliding.md's figures: the worst of three seeds.
#[test]
#[ignore = "three trainings on BCCD and a judgement by all of its validation list"]
fn long_blood_cells_are_found_by_windows_and_proposed() {
    let Some(data) = shared("data/bccd") else {
        return;
    };
    let data = data.canonicalize().unwrap();
    let place = place();
    let (spec, data) = (cnnc_testing::file("specs/bccd_windows.cnn"), data.display());
    let spec = spec.canonicalize().unwrap();
    let spec = spec.display();
    for seed in 1..=3 {
        place.prints(&format!(
            "crops {data} -o crops{seed} --class WBC --seed {seed}"
        ));
        place.prints(&format!(
            "train {spec} --data crops{seed}/train --test crops{seed}/val --seed {seed}"
        ));
        let judged = place.prints(&format!(
            "evaluate {spec} --weights runs/bccdwindows-0{seed}/last.safetensors --data {data} --slide --scales 0.4,0.32,0.26,0.21,0.17 --json"
        ));
        let of = json(&judged)["classes"][0].clone();
        assert!(
            of["recall"].as_f64() >= Some(0.9) && of["precision"].as_f64() >= Some(0.8),
            "{of}"
        );
    }
    let found = json(&place.prints(&format!("propose --data {data} --json")));
    let number = |key: &str| found[key].as_f64().unwrap();
    assert!(
        number("recall") >= 0.9 && number("proposals") <= 1500.0,
        "{found}"
    );
}
