//! Same or different, and whose face it is.

use super::{BLUE, Folder, RED, SPOTS, cnnc, failure, json_of, spots, text};
use cnnc_testing::Raster;
use serde_json::{Value, json};
use std::fs;

#[test]
fn same_or_different() {
    let folder = Folder::new("pairs");
    let spec = folder.write(
        "pair.cnn",
        "cnn 1
        model Pair {
          input a, b: 3x4x4 { resize 4x4 }
          shared colour { globalavgpool }
          head verify { measure distance  threshold 0.5; sub(colour(a), colour(b)) }
        }",
    );
    let plain = |name: &str, colour| folder.picture(name, &Raster::of(20, 10, |_, _| colour));
    let (red, dark, blue) = (
        plain("red.png", RED),
        plain("dark.png", [204, 0, 0]),
        plain("blue.png", BLUE),
    );
    assert_eq!(
        text(&["run", &spec, &red, &dark]).trim(),
        "same: distance 0.2000, the threshold is 0.5"
    );
    let different = text(&["run", &spec, &red, &blue]);
    assert!(
        different.starts_with("different: distance 1.4142"),
        "{different}"
    );
    let changed = json_of(&["run", &spec, &red, &blue, "--threshold", "2"]);
    assert_eq!(changed["results"][0]["alike"], true);

    let spec = folder.write("colour.cnn", COLOUR);
    let found = json_of(&["run", &spec, &red, &dark, &blue]);
    let alike: Vec<bool> = found["comparisons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| pair["alike"].as_bool().unwrap())
        .collect();
    assert_eq!(alike, [true, false]);
    let found = text(&["run", &spec, &red, &blue]);
    assert!(
        found.contains("different: distance 1.4142, the threshold is 0.4"),
        "{found}"
    );
}

/// Where a picture's colour points.
const COLOUR: &str = "cnn 1
model Colour { input image: 3x4x4 { resize 4x4 }; globalavgpool; l2norm; head embed { threshold 0.4 } }";

#[test]
fn whose_face_it_is() {
    let folder = Folder::new("faces");
    let spec = folder.write("colour.cnn", COLOUR);
    let plain = |name: &str, colour| folder.picture(name, &Raster::of(20, 10, |_, _| colour));
    plain("gallery/anna/1.png", RED);
    plain("gallery/anna/2.png", [255, 120, 0]);
    plain("gallery/ben.png", BLUE);
    folder.write("gallery/notes.txt", "not a picture");
    folder.write("gallery/anna/.DS_Store", "nor this");
    fs::create_dir(folder.path("gallery/nobody")).unwrap();
    let (orange, green) = (
        plain("orange.png", [255, 110, 10]),
        plain("green.png", [0, 255, 0]),
    );
    let gallery = folder.path("gallery");
    let args = ["identify", &spec, "--gallery", &gallery, &orange, &green];
    let found = json_of(&args);
    assert_eq!(found["faces"], 3);
    let notes = format!("{gallery}/notes.txt");
    let inner = format!("{gallery}/anna/.DS_Store");
    let nobody = format!("{gallery}/nobody");
    assert_eq!(found["skipped"], json!([inner, nobody, notes]));
    let warned = String::from_utf8(cnnc(&args).stderr).unwrap();
    assert!(
        warned.contains(&format!("no picture: {inner}, {nobody}, {notes}")),
        "{warned}"
    );
    assert_eq!(found["results"][0]["identity"], "anna");
    assert!(
        found["results"][0]["picture"]
            .as_str()
            .unwrap()
            .ends_with("2.png")
    );
    assert_eq!(found["results"][1]["identity"], Value::Null);
    let table = text(&args);
    assert!(table.lines().nth(2).unwrap().contains("unknown"), "{table}");
    let anybody = json_of(&[&args[..], &["--threshold", "3"]].concat());
    assert_eq!(anybody["results"][1]["identity"], "anna");

    fs::create_dir(folder.path("empty")).unwrap();
    let (code, error) = failure(&[
        "identify",
        &spec,
        "--gallery",
        &folder.path("empty"),
        &green,
    ]);
    assert!(
        code == Some(1) && error.contains("no picture in it"),
        "{error}"
    );
    let (_, error) = failure(&[
        "identify",
        &spec,
        "--gallery",
        &folder.path("nowhere"),
        &green,
    ]);
    assert!(error.contains("cannot be read"), "{error}");
    let [spots, _] = spots(&folder, SPOTS);
    let (_, error) = failure(&["identify", &spots, "--gallery", &gallery, &green]);
    assert!(error.contains("no `head embed`"), "{error}");
}
