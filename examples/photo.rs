//! What is on a photograph, by machine code made while the program runs: `cargo run --release --example photo [PICTURE]`.

use cnnc::rt::image::Picture;
use cnnc::{Options, Weights};
use std::error::Error;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = std::env::args_os()
        .nth(1)
        .map_or_else(|| here.join("examples/data/pelican.jpeg"), PathBuf::from);

    let model = cnnc::compile_file(here.join("specs/squeezenet1_1.cnn"))?;
    let weights = Weights::open(here.join("examples/data/squeezenet1_1.safetensors"))?;
    let network = model.jit(&weights, &Options::new())?;

    // The spec says how a picture is prepared, and what the classes are called.
    let prepare = model.graph().inputs[0]
        .pre
        .as_ref()
        .ok_or("the spec's input is not a picture")?;
    let head = model.graph().head.as_ref().ok_or("the spec has no head")?;
    let image = prepare.apply(&Picture::open(&path)?, &path.display().to_string())?;

    let mut session = network.session()?;
    let outputs = session.run(&[&image])?;
    let probabilities = outputs
        .get("probabilities")
        .ok_or("the head is not a classifier")?;
    let mut classes: Vec<(&f32, &String)> = probabilities.data.iter().zip(&head.labels).collect();
    classes.sort_by(|a, b| b.0.total_cmp(a.0));
    for (probability, class) in &classes[..5] {
        println!("{probability:.3}  {class}");
    }
    println!(
        "compiled in {:.1?}, weights packed in {:.1?}",
        network.compile_time(),
        network.load_time()
    );
    Ok(())
}
