//! `cnnc run --compare`: what is said of outputs and tensors that have no counterpart.

use cnnc::rt::image::Picture;
use cnnc_testing::Place;
use serde_json::Value;
use std::fs;

const NET: &str = "cnn 1
model Net {
  input image: 3x8x8 { resize 8x8 }
  mean: globalavgpool
  flatten
  dense 3
}
";

const RUN: &str = "run net.cnn --weights synthetic p.png";

fn place() -> Place {
    let place = Place::new(env!("CARGO_BIN_EXE_cnnc"));
    fs::write(place.path("net.cnn"), NET).unwrap();
    let picture = Picture::from_rgb(8, 8, [90, 20, 200].repeat(64)).unwrap();
    picture.write_png(place.path("p.png")).unwrap();
    place
}

#[test]
fn outputs_and_tensors_without_a_counterpart_are_told() {
    let place = place();
    place.prints(&format!("{RUN} --raw raw.safetensors"));
    place.prints(&format!("{RUN} --tap mean --raw both.safetensors"));
    let said = place.prints(&format!("{RUN} --compare raw.safetensors"));
    assert!(said.contains("they agree: "), "{said}");
    // The file has less.
    let said = place.prints(&format!("{RUN} --tap mean --compare raw.safetensors"));
    assert!(
        said.contains("not in the file: mean") && said.contains("they agree in 1 of 2 outputs"),
        "{said}"
    );
    // The file has more.
    let said = place.prints(&format!("{RUN} --compare both.safetensors"));
    assert!(said.contains("of no output, in the file: mean"), "{said}");
    let json = place.prints(&format!("{RUN} --compare both.safetensors --json"));
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["compared"]["unused"][0], "mean");
    assert_eq!(json["compared"]["outputs"][0]["tensor"], "raw");
}

#[test]
fn a_tensor_alone_is_said_to_be_taken_for_the_first_output() {
    let place = place();
    place.prints(&format!("{RUN} --raw raw.safetensors"));
    let tensors = cnnc::rt::tensor_file::read_tensors(place.path("raw.safetensors")).unwrap();
    let theirs = place.path("theirs.npy");
    cnnc::rt::tensor_file::write_npy(theirs, &[1, 3], &tensors[0].values).unwrap();
    let said = place.prints(&format!("{RUN} --compare theirs.npy"));
    assert!(said.contains("of the file was taken for `raw`"), "{said}");
    // One that is called as another output is that one.
    place.prints(&format!("{RUN} --tap mean --raw both.safetensors"));
    let both = cnnc::rt::tensor_file::read_tensors(place.path("both.safetensors")).unwrap();
    let mean = both.iter().find(|tensor| tensor.name == "mean").unwrap();
    let file = place.path("mean.npy");
    cnnc::rt::tensor_file::write_npy(file, &mean.shape, &mean.values).unwrap();
    let said = place.prints(&format!("{RUN} --tap mean --compare mean.npy"));
    assert!(said.contains("not in the file: raw"), "{said}");
}
