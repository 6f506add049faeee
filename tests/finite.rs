//! The tensor with which infinities begin: the same in every backend, of whatever the network is made.

#![cfg(feature = "jit")]

use cnnc::{Backend, Input, Options, Weights, compile_str};

/// A network, its body, and the first tensor that is not finite.
const BEGINNINGS: [(&str, &str, &str); 9] = [
    (
        "a chain",
        "input x: 2x6x6; conv 3x3 4 pad 1 tanh; large: scale 3e38; more: scale 1e10; conv 3x3 2 pad 1; maxpool 2x2",
        "more",
    ),
    (
        "made finite on the way",
        "input x: 2x6x6; large: scale 3e38; more: scale 1e10; tanh; conv 1x1 3 tanh; again: scale 3e38; beyond: scale 1e20",
        "more",
    ),
    (
        "what an input brings",
        "input x: 2x6x6; input given: 2x6x6; add(x, given); conv 3x3 2 pad 1",
        "given",
    ),
    (
        "another branch, which the output is not made of",
        "input x: 2x6x6; s: conv 3x3 2 pad 1 tanh; lost: route s scale 3e38 scale 1e19; mine: route s scale 2e38 scale 1e30",
        "mine",
    ),
    (
        "windows of one tensor",
        "input x: 2x6x6; s: conv 3x3 2 pad 1 tanh; fine: route s conv 1x1 2; broken: route s scale 3e38 scale 1e19; both: concat(fine, broken); conv 3x3 2 pad 1",
        "broken",
    ),
    (
        "a tensor in another form",
        "input x: 4x4x4; large: scale 3e38; more: scale 1e20; flatten; reshape 8x8; permute (1, 0); softmax",
        "more",
    ),
    (
        "a halo",
        "input x: 3x9x9; c: conv 3x3 20 pad 1 tanh; large: scale 3e38; more: scale 1e20; conv 5x5 3 pad 2 maxpool 3x3 /2 pad 1",
        "more",
    ),
    (
        "three dimensions",
        "input x: 2x3x5x4; c: conv 3x3x3 3 pad 1 tanh; large: scale 3e38; more: scale 1e20; maxpool 2x2x2",
        "more",
    ),
    (
        "a layer of all images",
        "input x: 64x8x8; conv 1x1 64 tanh; flatten; large: scale 3e38; wide: dense 1024; dense 4",
        "wide",
    ),
];

/// Numbers from −1 to 1; those of the second input are infinite in places.
fn inputs(network: &cnnc::Network) -> Vec<Vec<f32>> {
    let ports = network.inputs().iter().enumerate();
    let number = |input: usize, at: usize| match (input, at % 7) {
        (1, 3) => f32::NEG_INFINITY,
        _ => ((at * 37 % 101) as f32 - 50.0) / 50.0,
    };
    ports
        .map(|(input, port)| (0..port.elements()).map(|at| number(input, at)).collect())
        .collect()
}

#[test]
fn the_first_tensor_that_is_not_finite() {
    for (name, body, first) in BEGINNINGS {
        let model = compile_str(name, &format!("cnn 1; model M {{ {body} }}")).unwrap();
        for backend in Backend::ALL {
            for batch in [1, 3] {
                let options = Options::new().backend(backend).batch(batch).threads(2);
                let network = model.jit(&Weights::synthetic(), &options).unwrap();
                let mut session = network.session().unwrap();
                let inputs = inputs(&network);
                let inputs: Vec<&dyn Input> = inputs.iter().map(|input| input as _).collect();
                let outputs = session.run(&inputs).unwrap();
                let found = network.not_finite(&inputs, &outputs).unwrap();
                let found: Vec<_> = found.iter().map(|found| found.first.as_deref()).collect();
                assert_eq!(found, [Some(first)], "{name}, {backend}, {batch}");
            }
        }
    }
}

#[test]
fn each_output_has_its_own() {
    let text = "cnn 1; model M { input x: 2x6x6; s: conv 3x3 2 pad 1 tanh; \
        a: route s scale 3e38 scale 1e19; fine: route s relu; b: route s scale 3e38 scale 1e25; tap a, fine }";
    let model = compile_str("outputs", text).unwrap();
    let network = model.jit(&Weights::synthetic(), &Options::new()).unwrap();
    let mut session = network.session().unwrap();
    let inputs = inputs(&network);
    let inputs: Vec<&dyn Input> = inputs.iter().map(|input| input as _).collect();
    let outputs = session.run(&inputs).unwrap();
    let found = network.not_finite(&inputs, &outputs).unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|found| (&*found.output, found.first.as_deref()))
        .collect();
    assert_eq!(found, [("raw", Some("b")), ("a", Some("a"))]);
}
