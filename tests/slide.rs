//! A network that slides says of every window what it says to that window alone.

#![cfg(feature = "jit")]

use cnnc::rt::image::Picture;
use cnnc::rt::synthetic::Synthetic;
use cnnc::sliding::{Sliding, SlidingError};
use cnnc::{Backend, Error, Model, Options, Weights};
use cnnc_testing::{Counting, Random, most};
use std::path::{Path, PathBuf};

#[global_allocator]
static MEMORY: Counting = Counting;

/// The window at that place of a picture, both channels first.
fn window(
    picture: &[f32],
    extents: &[usize],
    size: &[usize],
    at: &[usize],
    channels: usize,
) -> Vec<f32> {
    let mut window = Vec::new();
    let pixels: usize = size.iter().product();
    for c in 0..channels {
        for pixel in 0..pixels {
            let (mut rest, mut index, mut step) = (pixel, 0, 1);
            for axis in (0..size.len()).rev() {
                index += (at[axis] + rest % size[axis]) * step;
                rest /= size[axis];
                step *= extents[axis];
            }
            window.push(picture[c * step + index]);
        }
    }
    window
}

/// Compares every output of every window.
fn equals_cropping(model: &Model, weights: &Weights, extents: &[usize], backend: Backend) {
    let slid = model
        .slide(extents)
        .unwrap_or_else(|error| panic!("{error}"));
    // Which convolutions are Winograd's depends on extents.
    let options = Options::new().backend(backend).exact();
    let port = model.jit(weights, &options).expect("a network");
    let (small, large) = (port, slid.model.jit(weights, &options).expect("a network"));
    let channels = large.inputs()[0].shape[0];
    let picture = Synthetic::input("picture").values(large.inputs()[0].elements());
    let mut session = large.session().expect("a session");
    let outputs = session.run(&[&picture]).expect("outputs");
    let mut alone = small.session().expect("a session");
    let count: usize = slid.positions.iter().product();
    for index in 0..count {
        let (mut rest, mut position) = (index, vec![0; extents.len()]);
        for axis in (0..extents.len()).rev() {
            position[axis] = rest % slid.positions[axis];
            rest /= slid.positions[axis];
        }
        let at: Vec<usize> = position
            .iter()
            .zip(&slid.stride)
            .map(|(p, s)| p * s)
            .collect();
        let cropped = window(&picture, extents, &slid.window, &at, channels);
        let expected = alone.run(&[&cropped]).expect("outputs");
        for output in expected.iter() {
            let map = outputs.get(output.name).expect("the same outputs");
            // A vector's element is one element of the map, a pixel is as far on as the window.
            let mut size = output.shape[1..].to_vec();
            size.resize(extents.len(), 1);
            let found = window(map.data, &map.shape[1..], &size, &position, output.shape[0]);
            let most = output.data.iter().fold(0.0f32, |most, x| most.max(x.abs()));
            for (found, expected) in found.iter().zip(output.data) {
                assert!(
                    (found - expected).abs() <= 1e-5 * most,
                    "{} at {at:?} of {}: {found}, alone {expected}",
                    output.name,
                    model.graph().name
                );
            }
        }
    }
}

fn compile(body: &str) -> Model {
    let text = format!("cnn 1\nmodel Sample {{\n{body}\n}}\n");
    cnnc::compile_str("sample.cnn", &text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_window_is_the_window_alone() {
    let samples: [(&str, &[&[usize]]); 10] = [
        // One step, with what a classifier has.
        (
            "input x: 3x9x9; conv 3x3 5 relu; flatten; dense 7 tanh; dense 4; head classify",
            &[&[9, 9], &[10, 14], &[17, 9]],
        ),
        // Two pools: windows are four pixels apart, and some pixels are left over.
        (
            "input x: 1x32x32; conv 5x5 6 tanh; avgpool 2x2 /2; conv 5x5 8; maxpool 2x2 /2; flatten; dense 10",
            &[&[32, 32], &[47, 61]],
        ),
        // Strides that differ, and a window with pixels that are never looked at.
        (
            "input x: 2x13x11; conv 3x3 4 /2x3 relu; conv 2x2 6 /2x1; flatten; dense 5",
            &[&[13, 11], &[24, 29]],
        ),
        // Batch norm, branches and a residual, all without padding; a global pool.
        (
            "input x: 3x12x12; conv 3x3 8 bn relu; branch { conv 1x1 4; conv 1x1 6 relu }; residual { conv 1x1 10 bn } relu; globalavgpool; dense 3 softmax",
            &[&[15, 20]],
        ),
        (
            "input x: 3x10x8; conv 3x2 6 /2 leaky; lrn 3; globalmaxpool; l2norm",
            &[&[17, 13]],
        ),
        // Dropout, a spatial order, an adaptive pool that does nothing.
        (
            "input x: 3x10x10; conv 3x3 6 /2; adaptiveavgpool 4x4; flatten spatial; dropout 0.5; dense 9 relu",
            &[&[19, 16]],
        ),
        (
            "input x: 3x10x10; conv 3x3 6 dilation 2; adaptiveavgpool 1x1; flatten; dense 9",
            &[&[12, 16]],
        ),
        // A pool that says `ceil` and clips nothing here.
        (
            "input x: 3x9x9; maxpool 3x3 /2 ceil; conv 1x1 6; subsample /2; flatten; dense 3",
            &[&[18, 23]],
        ),
        // Sound and volumes.
        (
            "input x: 1x64; conv 9 6 /4 relu; maxpool 2; flatten; dense 5",
            &[&[64], &[103]],
        ),
        (
            "input x: 2x4x6x5; conv 2x3x2 3; maxpool 1x2x2 /1x2x2; flatten; dense 3",
            &[&[6, 9, 9]],
        ),
    ];
    for (body, pictures) in samples {
        let model = compile(body);
        for extents in pictures {
            for backend in [Backend::Jit, Backend::Interp, Backend::Reference] {
                equals_cropping(&model, &Weights::synthetic(), extents, backend);
            }
        }
    }
}

#[test]
fn maps_are_windows_of_larger_maps() {
    let model = compile("input x: 3x12x12; conv 3x3 8 /2 relu; conv 3x3 4");
    equals_cropping(&model, &Weights::synthetic(), &[15, 20], Backend::Jit);
}

#[test]
fn what_cannot_slide_is_named() {
    let cases = [
        (
            "input x: 3x9x9; c1: conv 3x3 5 pad half; flatten; dense 4",
            "`c1` cannot slide: `conv` pads 3x9x9",
        ),
        (
            "input x: 3x9x9; p: maxpool 2x2 /2 ceil; flatten; dense 4",
            "`p` cannot slide: `maxpool` cuts off its last window",
        ),
        (
            "input x: 3x9x9; a: adaptiveavgpool 3x3; flatten; dense 4",
            "`a` cannot slide: `adaptiveavgpool` cuts 3x9x9 into bins",
        ),
        (
            "input x: 3x9x9; flatten; s: softmax; dense 4",
            "cannot slide: `flatten` is not followed by a dense layer",
        ),
        (
            "input x: 3x9x9; u: upsample 2; globalavgpool",
            "`u` cannot slide: `upsample` depends on where",
        ),
        (
            "input x: 3x9x9; l: local 3x3 4; flatten; dense 3",
            "`l` cannot slide: `local` depends on where",
        ),
        (
            "input x: 3x9x9; g: globalavgpool sigmoid; m: mul(x, g); globalavgpool",
            "`m` cannot slide: `mul` combines single pixels",
        ),
        (
            "input x: 3x9x9; a: conv 1x1 4 /2; b: x conv 5x5 4; c: add(a, b); globalavgpool",
            "`c` cannot slide: `add` combines tensors of different strides",
        ),
        (
            "input x: 3x9x9; p: pad 1 reflect; conv 3x3 4; globalavgpool",
            "`p` cannot slide: `pad` depends on where",
        ),
        (
            "input x: 3x9x9; p: permute (1, 0, 2); globalavgpool",
            "`p` cannot slide: `permute` puts axes in another order",
        ),
        (
            "input x: 3x9x9; a: relu; c: concat(a, x) axis 1; globalavgpool",
            "`c` cannot slide: `concat` puts pictures beside one another",
        ),
        (
            "input x: 3x9x9; s: slice 2 7 axis 2; globalavgpool",
            "`s` cannot slide: `slice` cuts pixels off, along axis 2",
        ),
    ];
    for (body, expected) in cases {
        let error = compile(body).slide(&[20, 20]).expect_err(body).to_string();
        assert!(error.contains(expected), "{body}: {error}");
    }
    let model = compile("input x: 3x9x9; conv 3x3 4");
    for extents in [&[8, 20][..], &[20], &[20, 20, 20], &[]] {
        let error = model.slide(extents).expect_err("not a picture");
        assert!(matches!(error, Error::Slide(_)), "{error}");
    }
    let twins = compile("input a, b: 3x9x9; sub(a, b) globalavgpool");
    let error = twins.slide(&[20, 20]).expect_err("two inputs").to_string();
    assert!(error.contains("2 inputs"), "{error}");
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The sheet of digits, in one pass: where a window stands on a digit, it is read as LeNet-5 reads the digit alone.
#[test]
fn digits_of_a_sheet_are_read_in_one_pass() {
    const ROWS: usize = 12;
    const COLUMNS: usize = 25;
    const SIDE: usize = 28;
    let data = root().join("examples/data");
    let weights = Weights::open(data.join("lenet5.safetensors")).expect("weights");
    let sheet = Picture::open(data.join("digits.png")).expect("a picture");
    let labels = std::fs::read_to_string(data.join("digits.txt")).expect("labels");
    let brightness =
        |y: usize, x: usize| f32::from(sheet.rgb()[3 * (y * sheet.width() + x)]) / 255.0;
    let open = |spec: &str| cnnc::compile_file(root().join("specs").join(spec)).expect(spec);
    let alone = open("lenet5.cnn")
        .jit(&weights, &Options::new())
        .expect("a network");
    let mut alone = alone.session().expect("a session");

    // Digits are moved apart by the width of two borders, so that every window sees one digit, and stands on it: 32 is 8 strides.
    let (height, width) = (ROWS * 32, COLUMNS * 32);
    let mut picture = vec![0.0; height * width];
    for y in 0..ROWS * SIDE {
        for x in 0..COLUMNS * SIDE {
            let (row, column) = (y / SIDE * 32 + 2 + y % SIDE, x / SIDE * 32 + 2 + x % SIDE);
            picture[row * width + column] = brightness(y, x);
        }
    }
    let slid = open("lenet5_slide.cnn")
        .slide(&[height, width])
        .expect("it slides");
    assert_eq!(
        (&slid.window[..], &slid.stride[..]),
        (&[32, 32][..], &[4, 4][..])
    );
    let network = slid
        .model
        .jit(&weights, &Options::new())
        .expect("a network");
    let mut session = network.session().expect("a session");
    let outputs = session.run(&[&picture]).expect("outputs");
    let map = outputs.get("probabilities").expect("a classifier");
    let [rows, columns] = slid.positions[..] else {
        panic!("{:?}", slid.positions)
    };
    assert_eq!(map.shape, [10, rows, columns]);
    let mut right = 0;
    for (row, labels) in labels.lines().enumerate() {
        for (column, label) in labels.bytes().enumerate() {
            let digit: Vec<f32> = (0..SIDE * SIDE)
                .map(|pixel| brightness(row * SIDE + pixel / SIDE, column * SIDE + pixel % SIDE))
                .collect();
            let expected = alone.run(&[&digit]).expect("outputs");
            let expected = expected.get("probabilities").expect("a classifier").data;
            let at = row * 8 * columns + column * 8;
            let found: Vec<f32> = (0..10)
                .map(|class| map.data[class * rows * columns + at])
                .collect();
            for (found, expected) in found.iter().zip(expected) {
                assert!(
                    (found - expected).abs() < 1e-5,
                    "{row}, {column}: {found}, alone {expected}"
                );
            }
            let best = (0..10).max_by(|&a, &b| found[a].total_cmp(&found[b]));
            right += usize::from(best == Some(usize::from(label - b'0')));
        }
    }
    assert!(right >= 290, "{right} of 300 digits are read");
}

#[test]
fn the_spec_that_slides_takes_the_weights_of_the_one_that_does_not() {
    let of =
        |spec: &str| cnnc::compile_file(root().join("specs").join(Path::new(spec))).expect(spec);
    let (plain, slides) = (of("lenet5.cnn"), of("lenet5_slide.cnn"));
    let names = |model: &Model| -> Vec<String> {
        model
            .graph()
            .params
            .values()
            .map(|param| format!("{} {:?}", param.name, param.shape))
            .collect()
    };
    assert_eq!(names(&plain), names(&slides));
}

fn speckled(width: usize, height: usize) -> Picture {
    let mut random = Random(7);
    let rgb = (0..3 * width * height).map(|_| random.below(256) as u8);
    Picture::from_rgb(width, height, rgb.collect()).expect("three bytes a pixel")
}

const WINDOWS: &str = "input x: 3x16x16; conv 3x3 8 /2 relu; conv 3x3 8 relu; flatten; dense 3; head classify { labels [\"a\", \"b\", \"c\"] }";

/// Whatever memory a pass may take, answers are those of the whole, to rounding; and it takes no more.
#[test]
fn large_pictures_go_in_bands_with_the_same_answers() {
    let (model, weights) = (compile(WINDOWS), Weights::synthetic());
    let picture = speckled(301, 203);
    let options = Options::new().exact();
    let mut whole = Sliding::new(&model, &weights, &options).expect("it slides");
    let whole = whole.map(&picture, 1.0, "specks").expect("a map");
    assert_eq!((whole.passes, whole.positions), (1, [94, 143]));
    // Of 16x301 pixels a band of one row of windows takes 58 KB for the input alone.
    for (memory, bands) in [
        (whole.bytes - 1, 2..3),
        (300_000, 3..94),
        (30_000, 95..2000),
    ] {
        let sliding = Sliding::new(&model, &weights, &options).expect("it slides");
        let mut sliding = sliding.within(memory);
        let map = sliding.map(&picture, 1.0, "specks").expect("a map");
        assert!(bands.contains(&map.passes), "{memory}: {}", map.passes);
        assert!(map.bytes <= memory, "{memory}: {}", map.bytes);
        for (index, (a, b)) in map
            .probabilities
            .iter()
            .zip(&whole.probabilities)
            .enumerate()
        {
            assert!((a - b).abs() <= 1e-5, "{memory}, {index}: {a}, whole {b}");
        }
    }
}

/// Beside the resized picture (three bytes a pixel) and the map (twelve a window) nothing grows.
#[test]
fn bands_take_the_same_memory_whatever_the_picture() {
    let (model, weights) = (compile(WINDOWS), Weights::synthetic());
    let took = |height: usize| {
        let picture = speckled(256, height);
        let sliding = Sliding::new(&model, &weights, &Options::new()).expect("it slides");
        let mut sliding = sliding.within(1 << 20);
        // Compiled before it counts.
        let first = sliding.map(&picture, 1.0, "specks").expect("a map");
        let (map, bytes) = most(|| sliding.map(&picture, 1.0, "specks").expect("a map"));
        assert!(map.bytes <= 1 << 20 && first.probabilities == map.probabilities);
        (bytes, map.windows())
    };
    let ((small, few), (large, many)) = (took(512), took(4096));
    let grows = 3 * 256 * (4096 - 512) + 12 * (many - few);
    assert!(
        large <= small + grows + (64 << 10),
        "{small} {large} {grows}"
    );
}

/// A network that pads is answered window by window, as each is answered alone.
#[test]
fn windows_of_networks_that_pad_are_cut_out() {
    let model =
        compile("input x: 3x12x12; c1: conv 3x3 6 pad half relu; flatten; dense 3; head classify");
    let weights = Weights::synthetic();
    let picture = speckled(40, 29);
    let sliding = Sliding::new(&model, &weights, &Options::new()).expect("a classifier");
    assert_eq!(sliding.stride(), [3, 3]);
    let refused = sliding.refused().expect("it pads").to_string();
    assert!(refused.contains("`c1_conv` cannot slide"), "{refused}");
    let mut sliding = sliding.apart(5).expect("cut out");
    let map = sliding.map(&picture, 1.0, "specks").expect("a map");
    assert_eq!((map.positions, map.passes), ([4, 6], 0));
    let alone = model.jit(&weights, &Options::new()).expect("a network");
    let mut session = alone.session().expect("a session");
    for index in 0..map.windows() {
        let (left, top) = map.corner(index);
        let at = (-(left as i64), -(top as i64));
        let part = picture.placed((12, 12), at, [0; 3]).expect("a part");
        let pre = model.graph().inputs[0].pre.as_ref().expect("a picture");
        let tensor = pre.apply(&part, "part").expect("a tensor");
        let outputs = session.run(&[&tensor]).expect("outputs");
        let expected = outputs.get("probabilities").expect("a classifier").data;
        for (class, expected) in expected.iter().enumerate() {
            assert_eq!(map.probability(class, index), *expected, "{index}");
        }
    }
    let slides = compile(WINDOWS);
    let mut slides = Sliding::new(&slides, &weights, &Options::new()).expect("it slides");
    let (count, time) = slides
        .time_alone(&picture, 1.0, 50, "specks")
        .expect("a time");
    assert!(count == 50 && time.as_nanos() > 0);
    assert!(matches!(slides.apart(4), Err(SlidingError::Stride([2, 2]))));
}

/// 30000x20000 pixels have 600 million windows a pixel apart.
#[test]
fn too_many_windows_are_refused() {
    let model =
        compile("input x: 3x12x12; c1: conv 3x3 6 pad half relu; flatten; dense 3; head classify");
    let weights = Weights::synthetic();
    let sliding = Sliding::new(&model, &weights, &Options::new()).expect("a classifier");
    let sliding = sliding.apart(1).expect("cut out");
    assert!(sliding.check((3000, 2000), &[1.0, 0.5], "small").is_ok());
    let error = sliding.check((3000, 2000), &[1.0, 10.0], "large");
    let error = error.expect_err("too many").to_string();
    assert!(
        error.starts_with("large: there are ") && error.contains("`--stride`"),
        "{error}"
    );
}

#[test]
fn windows_that_cannot_be_are_named() {
    let weights = Weights::synthetic();
    for (body, expected) in [
        ("input x: 3x9x9; conv 3x3 4", "has no `head classify`"),
        (
            "input x: 9; dense 4; head classify",
            "does not take pictures",
        ),
        (
            "input a, b: 3x9x9; sub(a, b) globalavgpool; head classify",
            "has several inputs",
        ),
    ] {
        let model = compile(body);
        let error = Sliding::new(&model, &weights, &Options::new()).err();
        let error = error.map_or_else(String::new, |error| error.to_string());
        assert!(error.contains(expected), "{body}: {error}");
    }
    let model = compile(WINDOWS);
    let mut sliding = Sliding::new(&model, &weights, &Options::new()).expect("it slides");
    let error = sliding.maps(&speckled(40, 20), &[1.0, 0.5], "specks.png");
    let error = error.expect_err("too small").to_string();
    assert_eq!(
        error,
        "specks.png: the picture is 20x10 at the scale 0.5, smaller than a window of 16x16 (width x height)"
    );
}
