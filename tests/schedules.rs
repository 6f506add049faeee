//! Every schedule that a convolution has: whichever is asked for computes the same answer.

use cnnc::{Options, Weights};

const NETS: [&str; 4] = [
    // Maps of sides that no tile divides, channels that fill no vector.
    "cnn 1; model A { input x: 3x23x19; conv 3x3 20 relu; conv 3x3 40 relu; conv 1x1 24 relu; conv 5x5 33 /2 relu; conv 3x3 33 groups 33; globalavgpool; dense 7 }",
    // Shortcuts, groups and steps.
    "cnn 1; model B { input x: 16x14x14; a: conv 3x3 32 pad 1 relu; b: conv 3x3 32 pad 1; add(a, b); conv 3x3 64 groups 4 relu; conv 3x3 64 /2; globalavgpool }",
    // Weights that are expanded while the network runs.
    "cnn 1; model C { input x: 192x14x14; conv 3x3 256 pad 1 relu; globalavgpool }",
    // Five taps.
    "cnn 1; model D { input x: 24x13x17; conv 5x5 40 pad 2 relu; c: conv 5x5 33; e: conv 5x5 33 pad 2; add(e, c); relu; globalavgpool }",
];

#[test]
fn every_schedule_gives_the_same_answer() {
    for text in NETS {
        let model = cnnc::compile_str("net", text).unwrap();
        let shape = &model.graph().values[model.graph().inputs[0].value].shape;
        let input: Vec<f32> = (0..shape.elements())
            .map(|index| ((index * 37 % 101) as f32 - 50.0) / 50.0)
            .collect();
        let run = |options: &Options| {
            let network = model.jit(&Weights::synthetic(), options).unwrap();
            let mut session = network.session().unwrap();
            let raw = session.run(&[&input]).unwrap().raw().to_vec();
            (raw, network)
        };
        for threads in [1, 2] {
            let options = Options::new().threads(threads);
            let (expected, network) = run(&options);
            let largest = expected.iter().fold(0.0f32, |most, x| most.max(x.abs()));
            assert!(
                network
                    .choices()
                    .iter()
                    .all(|choice| choice.taken == choice.cheapest)
            );
            let (_, first) = run(&options.clone().schedule(0));
            let most = first.choices().iter().map(|choice| choice.schedules.len());
            let most = most.max().unwrap();
            assert!(most > 2, "{text}");
            for number in 0..most {
                let (found, network) = run(&options.clone().schedule(number));
                for choice in network.choices() {
                    let asked = (number < choice.schedules.len()).then_some(number);
                    assert_eq!(choice.taken, asked.unwrap_or(choice.cheapest));
                }
                for (found, expected) in found.iter().zip(&expected) {
                    assert!(
                        (found - expected).abs() <= 1e-4 * largest,
                        "schedule {number} on {threads}: {found} {expected}"
                    );
                }
            }
        }
    }
}

/// Nothing is measured when a network is compiled: without a wish, the cheapest by estimate is taken, and it is one of what can be asked for.
#[test]
fn the_usual_schedule_can_be_asked_for() {
    let model = cnnc::compile_str("net", NETS[0]).unwrap();
    let usual = model.lower(&Options::new()).unwrap();
    let number = usual.choices[1].taken;
    let asked = model.lower(&Options::new().schedule(number)).unwrap();
    assert_eq!(
        usual.choices[1].schedules[number],
        asked.choices[1].schedules[number]
    );
    assert_eq!(usual.choices[1].cheapest, asked.choices[1].cheapest);
}
