//! What is on a photograph, by machine code made while the program runs: `cargo run --release -p cnnc --example photo [PICTURE]`.

use cnnc::rt::image::Picture;
use cnnc::{Answer, Options, Weights};
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

    // The spec says how a picture is prepared.
    let prepare = model.graph().inputs[0]
        .pre
        .as_ref()
        .ok_or("the spec's input is not a picture")?;
    let picture = Picture::open(&path)?;
    let image = prepare.apply(&picture, &path.display().to_string())?;

    // The head is the way back: labels here; with a detector, boxes in pixels of the picture.
    let head = model.head();
    let place = prepare.placement(picture.width(), picture.height());
    let mut session = network.session()?;
    if let Answer::Classes(classes) = session.run(&[&image])?.answer(&head, &place)? {
        for (class, probability) in classes {
            println!("{probability:.3}  {}", head.label(class));
        }
    }
    println!(
        "compiled in {:.1?}, weights packed in {:.1?}",
        network.compile_time(),
        network.load_time()
    );
    Ok(())
}
