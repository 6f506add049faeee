//! Arrays have the file's axes, and so have its outputs: `--raw DIR/`.

use super::{NET, alike, array, exported, made, place, tensor, write};
use cnnc::rt::tensor_file::{read_tensors, write_npy};
use cnnc_testing::{shared, told};
use std::fs;

/// What the spec makes of an image.
fn expected(place: &cnnc_testing::Place, name: &str, values: &[f32]) -> Vec<f32> {
    write_npy(place.path(name), &[3, 8, 8], values).unwrap();
    place.prints(&format!(
        "run net.cnn --weights synthetic {name} --raw {name}.safetensors"
    ));
    tensor(place, &format!("{name}.safetensors")).values
}

#[test]
fn one_image_is_a_batch_of_one() {
    let place = place();
    let values = array(&place, "x.npy", &[1, 3, 8, 8]);
    let output = place.output("run net.onnx x.npy --raw out/");
    assert!(output.status.success(), "{}", told(&output));
    // Numbers need no guess of what becomes of pixels.
    assert!(!told(&output).contains("warning"), "{}", told(&output));
    let files: Vec<String> = fs::read_dir(place.path("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(files, ["output_0.npy"]);
    let found = tensor(&place, "out/output_0.npy");
    assert_eq!(found.shape, [1, 3]);
    alike(
        &found.values,
        &expected(&place, "alone.npy", &values),
        "one",
    );
    // A folder that is there needs no slash.
    place.prints("run net.onnx x.npy --raw out");
    assert_eq!(tensor(&place, "out/output_0.npy").values, found.values);
    // One file has the shape of an image.
    place.prints("run net.onnx x.npy --raw raw.safetensors");
    assert_eq!(tensor(&place, "raw.safetensors").values, found.values);
}

#[test]
fn a_batch_is_answered_image_by_image() {
    let place = place();
    let values = array(&place, "many.npy", &[5, 3, 8, 8]);
    let each: Vec<f32> = values
        .chunks(3 * 8 * 8)
        .flat_map(|image| expected(&place, "image.npy", image))
        .collect();
    for flags in ["", "--batch 2", "--batch 8", "--threads 2"] {
        place.prints(&format!("run net.onnx many.npy --raw out/ {flags}"));
        let found = tensor(&place, "out/output_0.npy");
        assert_eq!(found.shape, [5, 3], "{flags}");
        alike(&found.values, &each, flags);
    }
    // Files behind one another are images behind one another.
    array(&place, "a.npy", &[1, 3, 8, 8]);
    array(&place, "bb.npy", &[2, 3, 8, 8]);
    place.prints("run net.onnx many.npy bb.npy a.npy --raw three/");
    let three = tensor(&place, "three/output_0.npy");
    assert_eq!(three.shape, [8, 3]);
    alike(&three.values[..15], &each, "the first file");
}

#[test]
fn outputs_are_in_the_order_of_the_file() {
    let place = place();
    let two = NET.replace("SETTINGS", "resize 8x8").replace(
        "  scores: dense 3\n",
        "  scores: dense 3\n  head classify { labels [\"a\", \"b\", \"c\"] }\n",
    );
    write(&place, "two.cnn", two);
    exported(&place, "two");
    array(&place, "x.npy", &[4, 3, 8, 8]);
    place.prints("run two.onnx x.npy --raw out/");
    let (raw, probable) = (
        tensor(&place, "out/output_0.npy"),
        tensor(&place, "out/output_1.npy"),
    );
    assert_eq!(
        (&raw.shape[..], &probable.shape[..]),
        (&[4, 3][..], &[4, 3][..])
    );
    for (raw, probable) in raw.values.chunks(3).zip(probable.values.chunks(3)) {
        let powers: Vec<f32> = raw.iter().map(|x| x.exp()).collect();
        let sum: f32 = powers.iter().sum();
        let softmax: Vec<f32> = powers.iter().map(|x| x / sum).collect();
        alike(probable, &softmax, "softmax");
    }
    assert!(!place.path("out/output_2.npy").exists());
}

/// An array says what the file leaves open.
#[test]
fn open_extents_are_those_of_the_array() {
    let place = place();
    write(&place, "open.onnx", made::node("Relu", &[0, 3, 0, 0]));
    let values = array(&place, "x.npy", &[2, 3, 5, 7]);
    place.prints("run open.onnx x.npy --raw out/");
    let found = tensor(&place, "out/output_0.npy");
    assert_eq!(found.shape, [2, 3, 5, 7]);
    assert_eq!(found.values, values);
    // What is given wins, and has to suit the array.
    place.fails("run open.onnx x.npy --shape x=3x5x6");
    array(&place, "wrong.npy", &[2, 4, 5, 7]);
    place.fails("run open.onnx wrong.npy");
}

#[test]
fn what_does_not_fit_is_said() {
    let place = place();
    array(&place, "small.npy", &[1, 3, 8, 7]);
    let said = place.fails("run net.onnx small.npy");
    assert!(said.contains("small.npy"), "{said}");
    array(&place, "flat.npy", &[192]);
    let said = place.fails("run net.onnx flat.npy");
    assert!(said.contains("flat.npy"), "{said}");
    write(&place, "broken.npy", b"\x93NUMPY");
    let said = place.fails("run net.onnx broken.npy");
    assert!(said.contains("broken.npy"), "{said}");
    array(&place, "x.npy", &[1, 3, 8, 8]);
    write(&place, "file", "");
    let said = place.fails("run net.onnx x.npy --raw file/");
    assert!(said.contains("cannot write file/"), "{said}");
    let before = place.read("net.onnx");
    let said = place.fails("run net.onnx x.npy --raw net.onnx");
    assert!(said.contains("would be overwritten"), "{said}");
    assert_eq!(place.read("net.onnx"), before);
}

#[test]
fn without_an_input_numbers_are_made_up() {
    let place = place();
    let output = place.output("run net.onnx --raw out/");
    assert!(output.status.success());
    let said = told(&output);
    assert!(
        said.contains("no input is given: the network runs on made-up numbers"),
        "{said}"
    );
    assert_eq!(tensor(&place, "out/output_0.npy").shape, [1, 3]);
}

/// Files of exporters, with what ONNX Runtime makes of their inputs.
#[test]
fn files_of_exporters_are_answered_as_they_are_elsewhere() {
    let Some(pack) = shared("onnx/models") else {
        return;
    };
    let place = place();
    for (network, variants) in [
        ("lenet5", &["op9", "op13-dyn", "op13-initin", "op21"][..]),
        ("espcn", &["op13", "op13-dynall"]),
    ] {
        for sample in ["s0", "s1"] {
            let folder = pack.join(network).join(sample);
            fs::copy(folder.join("input_0.npy"), place.path("in.npy")).unwrap();
            let expected = read_tensors(folder.join("ref_0.npy")).unwrap().remove(0);
            for variant in variants {
                let file = pack.join(network).join(format!("{variant}.onnx"));
                fs::copy(file, place.path("theirs.onnx")).unwrap();
                place.prints("run theirs.onnx in.npy --raw out/");
                let found = tensor(&place, "out/output_0.npy");
                let what = format!("{network}/{variant} on {sample}");
                assert_eq!(found.shape, expected.shape, "{what}");
                alike(&found.values, &expected.values, &what);
            }
        }
    }
}
