//! The answer to an image does not depend on those that it is run with.

use crate::shared::{file, model};
use cnnc::rt::synthetic::Synthetic;
use cnnc::{Network, Options, Weights};
use std::fs;

/// Images that differ from each other; larger batches repeat them.
const IMAGES: usize = 3;

/// The bits of each image's outputs, run `at_once` at a time.
fn answers(network: &Network, images: &[Vec<Vec<f32>>], at_once: usize) -> Vec<Vec<u32>> {
    let mut session = network.session().expect("enough memory");
    let mut answers = Vec::new();
    for images in images.chunks(at_once) {
        let inputs: Vec<Vec<f32>> = (0..network.inputs().len())
            .map(|input| {
                images
                    .iter()
                    .flat_map(|image| image[input].clone())
                    .collect()
            })
            .collect();
        let inputs: Vec<_> = inputs.iter().map(|input| input as _).collect();
        let outputs = session.run(&inputs).expect("inputs of these sizes");
        assert_eq!(outputs.images(), images.len());
        answers.extend((0..images.len()).map(|image| {
            let outputs = outputs.image(image);
            let values = outputs.iter().flat_map(|output| output.data);
            values.map(|value| value.to_bits()).collect()
        }));
    }
    answers
}

fn same(spec: &str) {
    let model = model(spec);
    let made = Weights::synthetic();
    let network = |batch: usize, threads: usize| {
        let options = Options::new().batch(batch).threads(threads);
        model.jit(&made, &options).expect("synthetic weights fit")
    };
    let alone = network(1, 1);
    let images: Vec<Vec<Vec<f32>>> = (0..IMAGES)
        .map(|image| {
            let ports = alone.inputs().iter();
            let made = |name: &str| Synthetic::input(&format!("{name}.{image}"));
            ports
                .map(|port| made(&port.name).values(port.elements()))
                .collect()
        })
        .collect();
    let expected = answers(&alone, &images, 1);
    assert!(expected[0] != expected[1], "{spec}: images do not differ");
    // As many as the network is for, some left over, fewer.
    let runs: &[_] = match alone.macs() > LARGE {
        true => &[(3, 2, 3), (8, 1, 4)],
        false => &[(3, 2, 3), (8, 1, 8), (8, 3, 11)],
    };
    for &(batch, threads, count) in runs {
        let network = network(batch, threads);
        let images: Vec<_> = images.iter().cycle().take(count).cloned().collect();
        let found = answers(&network, &images, batch);
        for (index, found) in found.iter().enumerate() {
            let right = found == &expected[index % IMAGES];
            assert!(
                right,
                "{spec}: image {index} of a batch of {batch} on {threads} threads"
            );
        }
    }
}

/// Multiply-adds of a network that is run on fewer images.
const LARGE: u64 = 1 << 30;

/// The specs, every second of them from `first` on.
fn every_second(first: usize) {
    let files = fs::read_dir(file("specs")).expect("the specs");
    let mut specs: Vec<String> = files
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "cnn"))
        .map(|path| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    specs.sort();
    assert!(specs.len() > 50);
    for spec in specs.iter().skip(first).step_by(2) {
        same(spec);
    }
}

#[test]
fn every_spec() {
    every_second(0);
}

#[test]
fn every_other_spec() {
    every_second(1);
}
