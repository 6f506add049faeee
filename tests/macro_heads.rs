//! Heads of networks that `cnn_model!` writes: the same as the compiler's own, for every kind, and their answers.
#![forbid(unsafe_code)]

use cnnc::Answer;
use cnnc::compiler::head::HEADS;
use cnnc::rt::answer::{Alike, Head, Placement, Thresholds};

macro_rules! heads {
    ($($name:ident = $spec:literal;)*) => {
        $(cnnc::cnn_model!($name = $spec);)*

        /// Every kind of head, as the compiler has it and as the generated code does.
        #[test]
        fn heads_are_those_of_the_spec() {
            $({
                let model = cnnc::compile_str(stringify!($name), $spec).unwrap();
                assert_eq!($name::head(), model.head(), stringify!($name));
                assert_ne!($name::head().task, Head::default().task, stringify!($name));
            })*
        }

        /// Keywords of the heads above.
        fn tried() -> Vec<&'static str> {
            let specs = [$($spec),*];
            let head = |spec| {
                let model = cnnc::compile_str("spec", spec).unwrap();
                model.graph().head.as_ref().unwrap().decl.keyword
            };
            specs.map(head).to_vec()
        }
    };
}

heads! {
    Classes = r#"cnn 1
        model M { input x: 3; dense 4; head classify { labels ["a", "b", "c", "d"]  top 2 } }"#;
    First = r#"cnn 1
        model M { input x: 3; dense 52; head yolo1 { labels ["a", "b", "c"]  side 2  per_box all } }"#;
    Second = r#"cnn 1
        model M { input x: 3x64x64; conv 3x3 21 /16 pad half; head yolo2 { anchors pixels (10, 20) (30, 40) (5.5, 7)  nms score } }"#;
    Third = r#"cnn 1
        model M {
          input x: 3x64x96
          a: conv 1x1 18 /16
          b: conv 1x1 9 /2
          head yolo3 { anchors (10, 13) (16, 30) (33, 23)  maps a b  masks (1, 2) (0)  stretch (1.05, 1.2)  squared  nms off }
        }"#;
    Distances = r#"cnn 1
        model M {
          input x: 3x64x96
          a: conv 1x1 34 /16
          b: conv 1x1 34 /2
          head dfl { maps a b  bins 8  labels ["cat", "dog"]  nms off }
        }"#;
    Regions = r#"cnn 1
        model M {
          input boxes: 5x4
          scores: route boxes reshape 4x5 conv 1 3
          deltas: route boxes reshape 4x5 conv 1 12
          regions: route boxes scale 2
          head regions { maps scores deltas regions  std (0.1, 0.1, 0.2, 0.2)  labels ["a", "b"] }
        }"#;
    OneBox = r#"cnn 1
        model M { input x: 3; dense 7; head boxes { presence  format corners  labels ["a", "b"] } }"#;
    Points = r#"cnn 1
        model M { input x: 1x8x8; flatten; dense 11; head landmarks { presence  range symmetric  order axes  keep 0.25  swap (0, 1) } }"#;
    Maps = r#"cnn 1
        model M { input x: 1x8x8; conv 3x3 3 /2; head keypoints { around 3  swap (0, 2) } }"#;
    Vector = r#"cnn 1
        model M { input x: 3; dense 8; head embed { metric cosine  threshold 0.3 } }"#;
    Pair = r#"cnn 1
        model M { input a, b: 3; head verify { measure distance  threshold 0.7; sub(a, b) } }"#;
    Sound = r#"cnn 1
        model M { input x: 3; dense 12 sigmoid; head pitch { first 1200  step 100  around 2 } }"#;
    Pixels = r#"cnn 1
        model M { input x: 1x12x8; conv 3x3 2 pad valid; head segment { labels ["sky", "tree"]  margin 1 } }"#;
    Shown = r#"cnn 1
        model M { input x: 1x4x4; conv 1x1 3; head image { range minmax } }"#;
}

#[test]
fn answers_are_those_of_the_head() {
    let net = Pair::synthetic().unwrap();
    let mut session = net.session();
    let place = Placement::new(1, 1);
    let mut distance = |a: [f32; 3], b: [f32; 3]| match session.run(&a, &b).unwrap().answer(&place)
    {
        Answer::Alike(Alike { value, alike, .. }) => (value, alike),
        other => panic!("{other:?}"),
    };
    assert_eq!(distance([0.0, 3.0, 0.0], [4.0, 0.0, 0.0]), (5.0, false));
    assert_eq!(distance([0.5, 0.0, 0.0], [0.0, 0.0, 0.0]), (0.5, true));

    // A map of zeros: every box is as sure as the next, with the anchors' sizes.
    let net = Second::synthetic().unwrap();
    let mut session = net.session();
    let outputs = session.run(&vec![0.0f32; Second::INPUT_LEN]).unwrap();
    let mut head = Second::head();
    head.set(&Thresholds::default().keep(0.1)).unwrap();
    let place = Placement::new(640, 640).resized(64, 64);
    assert_eq!(outputs.answer(&place), Answer::Boxes(vec![]));
}

/// A head whose answer is the outputs is no head of the generated type; every other one is among those above.
#[test]
fn every_head_is_tried() {
    let tried = tried();
    for decl in HEADS {
        let numbers = decl.keyword == "style";
        assert_eq!(tried.contains(&decl.keyword), !numbers, "{}", decl.keyword);
    }
}

cnnc::cnn_model! {
    Faces {
        input a: 3x8x8 { letterbox 8  color (1, 2, 3.5)  topleft  rounding round  bgr  mean (1, 2, 3)  std 0.5 }
        input b: 1x8x8 { resize 12  crop 8  filter nearest }
        input c: 5
        means_a: route a globalavgpool
        means_b: route b globalavgpool
        concat(means_a, means_b, c)
        head embed
    }
}

#[test]
fn pictures_are_prepared_as_the_spec_says() {
    let text = "cnn 1; model Faces {
        input a: 3x8x8 { letterbox 8  color (1, 2, 3.5)  topleft  rounding round  bgr  mean (1, 2, 3)  std 0.5 }
        input b: 1x8x8 { resize 12  crop 8  filter nearest }
        input c: 5
        means_a: route a globalavgpool
        means_b: route b globalavgpool
        concat(means_a, means_b, c)
        head embed
    }";
    let model = cnnc::compile_str("faces", text).unwrap();
    let declared: Vec<_> = model
        .graph()
        .inputs
        .iter()
        .map(|input| input.pre.clone())
        .collect();
    assert_eq!(
        declared,
        [Some(Faces::prepare_a()), Some(Faces::prepare_b()), None]
    );
    assert_eq!(
        Faces::prepare_a().placement(80, 40).point(0.5, 0.5),
        (40.0, 40.0)
    );
}

cnnc::cnn_model! {
    Proposals {
        input scores: 3x2
        input deltas: 12x2
        input boxes: 2x4
        logits: route scores scale 2
        moves:  route deltas scale 2
        head regions { maps logits moves boxes  keep 0.4  labels ["a", "b"] }
    }
}

#[test]
fn regions_are_classified_and_moved() {
    let net = Proposals::synthetic().unwrap();
    let mut session = net.session();
    // The first is of class `b` and moves down by its height, the second is background. Logits are halved here and doubled there.
    let mut scores = [0.0f32; 6];
    (scores[4], scores[1]) = (5.0, 5.0);
    let mut deltas = [0.0f32; 24];
    deltas[(4 * 2 + 1) * 2] = 0.5;
    let boxes = [0.25f32, 0.0, 0.75, 0.5, 0.0, 0.0, 1.0, 1.0];
    let outputs = session.run(&scores, &deltas, &boxes).unwrap();
    // What regions are in pixels of is the first input: two columns, three rows.
    let Answer::Boxes(found) = outputs.answer(&Placement::new(200, 300)) else {
        panic!("boxes");
    };
    assert_eq!((found.len(), found[0].class), (1, 1));
    assert!(found[0].score > 0.99);
    let bbox = found[0].bbox;
    let sides = [bbox.left, bbox.top, bbox.right, bbox.bottom];
    assert_eq!(sides.map(f32::round), [25.0, 50.0, 75.0, 100.0]);
    assert_eq!(*outputs.boxes(), boxes);
}
