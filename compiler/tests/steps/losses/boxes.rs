//! Losses of detectors: which place answers for a box, and what it is told.

use super::*;

/// Boxes that cannot be learned, and a head whose boxes are others.
#[test]
fn boxes_that_do_not_fit_are_told() {
    let network = compile(
        "input x: 2x4x6; conv 1x1 14 /2; head yolo2 { anchors cells (1.2, 1.5) (0.7, 0.6) }",
    );
    let loss = loss::build(&network, &recipe::Loss::new("yolo2")).expect("it fits");
    let output = network.values[network.outputs[0].value].shape.clone();
    let told = |targets: Targets<'_>| {
        let batch = Batch {
            images: 1,
            output: &output,
            targets,
            made: None,
        };
        let mut into = vec![vec![0.0; output.elements()]; 6];
        loss.write(&batch, &mut into)
    };
    let none = [-1.0; 5];
    assert_eq!(told(Targets::Numbers(&none)), Ok(1.0));
    for (row, message) in [
        (
            [2.0, 0.5, 0.5, 0.1, 0.1],
            "the class 2 is none of the network's 2",
        ),
        (
            [0.0, 1.5, 0.5, 0.1, 0.1],
            "the centre 1.5 0.5 of a box is outside of the picture",
        ),
        ([0.0, 0.5, 0.5, 0.0, 0.25], "a box of 0 by 0.25 has no size"),
    ] {
        assert_eq!(told(Targets::Numbers(&row)), Err(message.to_owned()));
    }
    let message =
        "boxes are five numbers each: the class, the centre and the size in fractions of the input";
    assert_eq!(told(Targets::Numbers(&[0.0; 4])), Err(message.to_owned()));
    assert_eq!(told(Targets::Classes(&[0])), Err(message.to_owned()));
    for (body, name, message) in [
        (
            "input x: 3; dense 4",
            "yolo2",
            "`yolo2` is for networks with `head yolo2`",
        ),
        (
            "input x: 3x4x4; conv 1x1 6; head yolo3 { anchors (1, 1)  stretch 1.1 }",
            "yolo3",
            "`yolo3` knows neither `stretch` nor `squared`: its centres are logistic within a cell, its sizes powers of e",
        ),
        (
            "input x: 3x4x4; conv 1x1 6",
            "triplet",
            "`triplet` compares vectors, and the output is 6x4x4",
        ),
    ] {
        let error = loss::build(&compile(body), &recipe::Loss::new(name)).expect_err("a misfit");
        assert_eq!(error, message);
    }
}

/// The place that answers for a box has its targets; of two boxes at a place the later one counts, and small boxes count more in `yolo3`, whose maps share them.
#[test]
fn one_place_of_all_maps_answers_for_a_box() {
    let network = compile(
        "input x: 2x4x4
        a: conv 1x1 7 /2
        b: conv 1x1 14 /2
        head yolo3 { anchors (1, 2) (2, 1) (4, 3)  maps a b  masks (2) (0, 1) }",
    );
    let loss = loss::build(&network, &recipe::Loss::new("yolo3")).expect("it fits");
    let output = network.values[network.outputs[0].value].shape.clone();
    // In the first map's last cell; twice at the second anchor of the second map, which is a single cell.
    let boxes = [
        [0.0, 0.75, 0.75, 1.0, 0.75],
        [1.0, 0.75, 0.25, 0.5, 0.25],
        [0.0, 0.625, 0.25, 0.5, 0.25],
    ];
    let made = [vec![0.0; 28], vec![0.0; 14]];
    let batch = Batch {
        images: 1,
        output: &output,
        targets: Targets::Numbers(boxes.as_flattened()),
        made: Some(&made),
    };
    let mut into: Vec<Vec<f64>> = [28, 14]
        .iter()
        .flat_map(|&len| vec![vec![0.0; len]; 6])
        .collect();
    assert_eq!(loss.write(&batch, &mut into), Ok(1.0));
    // Channel by channel four cells.
    assert_eq!((into[0][3], into[1][3]), (0.5, 1.25));
    assert_eq!((into[4][4 * 4 + 3], into[5][4 * 4 + 3]), (1.0, 1.0));
    // The second anchor's channels are behind seven.
    let second = |channel: usize| 7 + channel;
    assert_eq!((into[6][second(0)], into[7][second(0)]), (0.625, 1.875));
    assert_eq!([into[10][second(5)], into[10][second(6)]], [1.0, 0.0]);
    let answers = into[1]
        .iter()
        .chain(&into[7])
        .filter(|weight| **weight > 0.0);
    assert_eq!(answers.count(), 4, "two centres");
}

/// One box, of the second class, in the second cell of four; of the cell's predictors the first overlaps it. All numbers were worked out by hand from the paper's formula.
#[test]
fn yolo1_is_the_papers_sum() {
    let network = compile("input x: 3; dense 52; head yolo1 { side 2 }");
    let output = network.values[network.outputs[0].value].shape.clone();
    let loss = loss::build(&network, &recipe::Loss::new("yolo1")).expect("it fits");
    let mut raw = vec![0.0; 52];
    // Classes of four cells; confidences of two predictors each; their boxes.
    raw[3..6].copy_from_slice(&[0.1, 0.6, 0.3]);
    // Of a cell without a box nothing is said of classes.
    raw[0] = 0.9;
    let (confidences, corners) = (12, 20);
    raw[confidences + 1] = 0.4;
    raw[confidences + 2..][..2].copy_from_slice(&[0.7, 0.2]);
    raw[corners + 8..][..4].copy_from_slice(&[0.25, 0.5, 0.6, 0.5]);
    // Centre .75 .25, size .36 by .16; another box of that cell comes too late.
    let truths = [1.0, 0.75, 0.25, 0.36, 0.16, 2.0, 0.6, 0.3, 0.1, 0.1];
    let made = [raw.clone()];
    let batch = Batch {
        images: 1,
        output: &output,
        targets: Targets::Numbers(&truths),
        made: Some(&made),
    };
    let mut into = vec![vec![0.0; 52]; 2];
    assert_eq!(loss.write(&batch, &mut into), Ok(1.0));
    let sum: f64 = (0..52)
        .map(|at| into[1][at] * (raw[at] - into[0][at]).powi(2))
        .sum();
    // The predictor's box is .36 by .25 around .625 .25: it shares .235 by .16.
    let iou = 0.235 * 0.16 / (0.36 * 0.25 + 0.36 * 0.16 - 0.235 * 0.16);
    let place = 5.0 * (0.25_f64.powi(2) + 0.1_f64.powi(2));
    let confidence = (0.7_f64 - iou).powi(2) + 0.5 * (0.2_f64.powi(2) + 0.4_f64.powi(2));
    let classes = 0.1_f64.powi(2) + 0.4_f64.powi(2) + 0.3_f64.powi(2);
    // What is known is f32.
    assert!((sum - (place + confidence + classes)).abs() < 1e-6, "{sum}");
    let places = loss.places(&batch).expect("it fits");
    let told = |of: &loss::Place| (of.class, of.cell, of.answers, of.lost);
    assert_eq!(
        places.iter().map(told).collect::<Vec<_>>(),
        [(1, 1, 0, false), (2, 1, 0, true)]
    );
    // Where none overlaps it the nearest answers: a box of no size at the centre of the cell, not one in its corner.
    let mut far = vec![0.0; 52];
    far[corners + 12..][..2].copy_from_slice(&[0.5, 0.5]);
    let made = [far];
    let places = loss.places(&Batch {
        made: Some(&made),
        ..batch
    });
    assert_eq!(places.expect("it fits")[0].answers, 1);
}

/// Two boxes around one centre, a tall and a wide one: an anchor for each, and nothing left for a third.
#[test]
fn boxes_of_one_cell_have_an_anchor_each() {
    let network =
        compile("input x: 2x6x6; conv 1x1 16 /2; head yolo2 { anchors pixels (1, 3) (3, 1) }");
    let output = network.values[network.outputs[0].value].shape.clone();
    let loss = loss::build(&network, &recipe::Loss::new("yolo2")).expect("it fits");
    let truths = [
        0.0, 0.5, 0.5, 0.15, 0.4, 1.0, 0.55, 0.5, 0.5, 0.2, 2.0, 0.45, 0.4, 0.1, 0.4,
    ];
    let batch = Batch {
        images: 1,
        output: &output,
        targets: Targets::Numbers(&truths),
        made: None,
    };
    let places = loss.places(&batch).expect("it fits");
    let told = |of: &loss::Place| (of.class, of.cell, of.answers, of.lost);
    let told: Vec<_> = places.iter().map(told).collect();
    // Of two boxes of one place the later one has it.
    assert_eq!(told, [(0, 4, 0, true), (1, 4, 1, false), (2, 4, 0, false)]);
    assert_eq!(places[0].by, Some([0.5, 0.5, 1.0 / 6.0, 0.5]));
    // .15 by .4 within 1/6 by 1/2.
    assert!((places[0].overlap.expect("an anchor") - 0.72).abs() < 1e-6);
}
