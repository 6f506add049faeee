//! Pictures: pre-processing as other libraries do it, and writing.

use cnnc_runtime::image::{
    Filter, ImageError, ImageStep, Normalize, Picture, Place, PreProcess, Rounding, Show, write_png,
};
use cnnc_testing::shared;
use std::borrow::Cow;
use std::fs;

const fn resize_and_crop(steps: &'static [ImageStep], normalize: &'static Normalize) -> PreProcess {
    PreProcess {
        channels: 3,
        steps: Cow::Borrowed(steps),
        bgr: normalize.bgr,
        scale: normalize.scale,
        mean: Cow::Borrowed(&normalize.mean),
        std: Cow::Borrowed(&normalize.std),
        width: 224,
        height: 224,
    }
}

/// `resize 256 crop 224 normalize imagenet`, as generated code holds it.
static IMAGENET: PreProcess = resize_and_crop(
    &[
        ImageStep::ResizeShort {
            side: 256,
            filter: Filter::Antialias,
        },
        ImageStep::CenterCrop {
            width: 224,
            height: 224,
        },
    ],
    &Normalize::IMAGENET,
);

/// Nothing but the steps: the 8-bit values themselves.
fn steps(steps: &[ImageStep], channels: usize, width: usize, height: usize) -> PreProcess {
    PreProcess {
        channels,
        steps: steps.to_vec().into(),
        bgr: false,
        scale: 1.0,
        mean: Cow::Borrowed(&[]),
        std: Cow::Borrowed(&[]),
        width,
        height,
    }
}

/// FNV-1a of interleaved bytes, from planar values.
fn hash(planar: &[f32], channels: usize) -> u64 {
    let plane = planar.len() / channels;
    let bytes = (0..planar.len()).map(|i| planar[i % channels * plane + i / channels] as u8);
    cnnc_testing::fnv(bytes)
}

#[test]
fn a_photograph_as_torchvision_prepares_it() {
    let Some(path) = shared("data/images/chelsea.png") else {
        return;
    };
    let picture = Picture::open(path).unwrap();
    assert_eq!((picture.width(), picture.height()), (451, 300));
    // Pillow 12.3: resize((384, 256), BILINEAR), crop((80, 16, 304, 240)).
    let bytes = steps(&IMAGENET.steps, 3, 224, 224)
        .apply(&picture, "")
        .unwrap();
    assert_eq!(hash(&bytes, 3), 0x4ef0_8003_9560_ed28);
    // numpy, in f32: (x / 255 - mean) / std.
    let values = IMAGENET.apply(&picture, "chelsea.png").unwrap();
    assert_eq!(values.len(), IMAGENET.elements());
    for (index, expected) in [
        (0, 0.793_304_26f32),
        (50_175, 1.187_173_6),
        (50_176, 0.275_210_2),
        (100_352, 0.095_337_76),
        (150_527, 0.775_076_45),
    ] {
        assert!(
            (values[index] - expected).abs() < 1e-6,
            "{} {expected}",
            values[index]
        );
    }
    let sum: f64 = values.iter().map(|&value| f64::from(value)).sum();
    assert!((sum + 15_780.764).abs() < 0.1, "{sum}");
    // Pillow: resize((28, 28), BILINEAR).convert("L").
    let small = [ImageStep::Resize {
        width: 28,
        height: 28,
        filter: Filter::Antialias,
    }];
    let grey = steps(&small, 1, 28, 28).apply(&picture, "").unwrap();
    assert_eq!(hash(&grey, 1), 0x4853_1acb_0dcc_2ba2);
}

#[test]
fn real_photographs_decode_to_the_colours_that_pillow_sees() {
    for (file, width, height, mean) in [
        ("grace_hopper.jpg", 517, 606, [82.588, 72.432, 86.369]),
        ("pelican.jpeg", 500, 375, [149.729, 144.075, 142.122]),
        ("dog.jpg", 768, 576, [134.447, 135.666, 114.080]),
        ("coffee.png", 600, 400, [158.569, 85.794, 51.485]),
    ] {
        let Some(path) = shared(&format!("data/images/{file}")) else {
            return;
        };
        let picture = Picture::open(path).unwrap();
        assert_eq!(
            (picture.width(), picture.height()),
            (width, height),
            "{file}"
        );
        for (channel, expected) in mean.iter().enumerate() {
            let values = picture.rgb().iter().skip(channel).step_by(3);
            let found = values.map(|&v| f64::from(v)).sum::<f64>() / (width * height) as f64;
            assert!(
                (found - expected).abs() < 0.5,
                "{file} {channel}: {found} {expected}"
            );
        }
    }
}

#[test]
fn the_caffe_convention() {
    let picture = Picture::from_rgb(2, 1, vec![10, 20, 30, 255, 0, 128]).unwrap();
    let caffe = PreProcess {
        width: 2,
        height: 1,
        steps: Cow::Borrowed(&[]),
        ..resize_and_crop(&[], &Normalize::IMAGENET_BGR_CAFFE)
    };
    let expected = [
        30.0 - 104.0,
        128.0 - 104.0,
        20.0 - 117.0,
        -117.0,
        10.0 - 123.0,
        255.0 - 123.0,
    ];
    assert_eq!(caffe.apply(&picture, "").unwrap(), expected);
    let one_for_all = PreProcess {
        mean: vec![0.5].into(),
        scale: 0.5,
        ..steps(&[], 3, 2, 1)
    };
    assert_eq!(
        one_for_all.apply(&picture, "").unwrap(),
        [4.5, 127.0, 9.5, -0.5, 14.5, 63.5]
    );
}

#[test]
fn steps_give_the_sizes_that_torchvision_gives() {
    let grey = |width: usize, height: usize| {
        let values: Vec<u8> = (0..width * height).map(|i| (i % 251) as u8).collect();
        Picture::from_grey(width, height, &values).unwrap()
    };
    for (from, side, to) in [
        ((640, 480), 256, (341, 256)),
        ((480, 640), 256, (256, 341)),
        ((451, 300), 256, (384, 256)),
        ((100, 100), 30, (30, 30)),
        ((3, 1000), 6, (6, 2000)),
    ] {
        let step = [ImageStep::ResizeShort {
            side,
            filter: Filter::Nearest,
        }];
        steps(&step, 1, to.0, to.1)
            .apply(&grey(from.0, from.1), "")
            .unwrap();
    }
    let crop = |from: usize, to: u32| {
        let step = [ImageStep::CenterCrop {
            width: to,
            height: 1,
        }];
        steps(&step, 1, to as usize, 1)
            .apply(&grey(from, 1), "")
            .unwrap()
    };
    // Half of 1, 3 and 5, rounded to even.
    assert_eq!(crop(4, 3), [0.0, 1.0, 2.0]);
    assert_eq!(crop(6, 3), [2.0, 3.0, 4.0]);
    assert_eq!(crop(8, 3), [2.0, 3.0, 4.0]);
    assert_eq!(crop(2, 5), [0.0, 0.0, 1.0, 0.0, 0.0]);

    let step = ImageStep::Letterbox {
        width: 6,
        height: 6,
        fill: [114.0; 3],
        place: Place::Center,
        rounding: Rounding::Floor,
        filter: Filter::Nearest,
    };
    let boxed = steps(&[step], 1, 6, 6).apply(&grey(3, 1), "").unwrap();
    let rows: Vec<&[f32]> = boxed.chunks(6).collect();
    assert_eq!(rows[2], [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]);
    assert_eq!(rows[3], rows[2]);
    assert!([0, 1, 4, 5].iter().all(|&row| rows[row] == [114.0; 6]));
}

/// Sizes of darknet's `letterbox_image`: `(im.w * h) / im.h` in whole numbers, in the middle of 0.5.
#[test]
fn a_letterbox_as_darknet_has_it() {
    for ((width, height), (columns, left), (rows, top)) in [
        ((353, 500), (293, 61), (416, 0)),
        ((500, 353), (416, 0), (293, 61)),
        ((768, 576), (416, 0), (312, 52)),
        ((31, 31), (416, 0), (416, 0)),
        ((2000, 3), (416, 0), (1, 207)),
    ] {
        let step = [ImageStep::Letterbox {
            width: 416,
            height: 416,
            fill: [127.5; 3],
            place: Place::Center,
            rounding: Rounding::Floor,
            filter: Filter::Bilinear,
        }];
        let pre = PreProcess {
            scale: 1.0 / 255.0,
            ..steps(&step, 3, 416, 416)
        };
        let picture = Picture::from_grey(width, height, &vec![51; width * height]).unwrap();
        let values = pre.apply(&picture, "").unwrap();
        for (at, value) in values.iter().enumerate() {
            let (x, y) = (at % 416, at / 416 % 416);
            let inside = (left..left + columns).contains(&x) && (top..top + rows).contains(&y);
            let expected = if inside { 0.2 } else { 0.5 };
            // Two passes of two products with rounded weights, and the scale: at most eight roundings.
            let error = (*value - expected).abs();
            let most = 8.0 * 2f32.powi(-24) * expected;
            assert!(error <= most, "{width}x{height} at {x}, {y}: {value}");
        }
        let place = pre.placement(width, height);
        let (x, y) = place.point(left as f32 / 416.0, top as f32 / 416.0);
        assert!(x.abs() < 1e-3 && y.abs() < 1e-3, "{x} {y}");
    }
}

/// Every pixel of a letterbox as ultralytics has it, and of one in a corner, in colour.
#[test]
fn letterboxes_of_a_colour_in_a_place() {
    // 7 x 5 pixels into 10 x 4: 5.6 columns, which are 5 or 6, and nothing above.
    let picture = Picture::from_grey(7, 5, &[10; 35]).unwrap();
    let columns = |fill, place, rounding, channels, bgr| {
        let step = [ImageStep::Letterbox {
            width: 10,
            height: 4,
            fill,
            place,
            rounding,
            filter: Filter::Nearest,
        }];
        let pre = PreProcess {
            bgr,
            ..steps(&step, channels, 10, 4)
        };
        let values = pre.apply(&picture, "").unwrap();
        let rows: Vec<&[f32]> = values.chunks(10).collect();
        let planes: Vec<Vec<f32>> = rows.chunks(4).map(|plane| plane[0].to_vec()).collect();
        for (plane, first) in rows.chunks(4).zip(&planes) {
            assert!(plane.iter().all(|row| row == first));
        }
        (planes, pre.placement(7, 5))
    };
    let row = |left: usize, inside: usize, fill: f32| {
        let mut row = vec![fill; 10];
        row[left..left + inside].fill(10.0);
        row
    };
    let grey = [114.0; 3];
    let (planes, place) = columns(grey, Place::Center, Rounding::Round, 3, false);
    assert_eq!(
        planes,
        [row(2, 6, 114.0), row(2, 6, 114.0), row(2, 6, 114.0)]
    );
    let (left, right) = (place.point(0.2, 0.0), place.point(0.8, 1.0));
    let near =
        |(x, y): (f32, f32), to: (f32, f32)| (x - to.0).abs() < 1e-5 && (y - to.1).abs() < 1e-5;
    assert!(
        near(left, (0.0, 0.0)) && near(right, (7.0, 5.0)),
        "{left:?} {right:?}"
    );
    let (planes, place) = columns(grey, Place::TopLeft, Rounding::Floor, 1, false);
    assert_eq!(planes, [row(0, 5, 114.0)]);
    let (left, right) = (place.point(0.0, 0.0), place.point(0.5, 1.0));
    assert!(
        near(left, (0.0, 0.0)) && near(right, (7.0, 5.0)),
        "{left:?} {right:?}"
    );
    let (planes, _) = columns(
        [0.0, 127.5, 255.0],
        Place::BottomRight,
        Rounding::Round,
        3,
        true,
    );
    assert_eq!(planes, [row(4, 6, 255.0), row(4, 6, 127.5), row(4, 6, 0.0)]);
    // Grey of red: 0.299 of it.
    let (planes, _) = columns(
        [255.0, 0.0, 0.0],
        Place::TopRight,
        Rounding::Floor,
        1,
        false,
    );
    assert_eq!(planes, [row(5, 5, 76.0)]);
    // Where a step follows, the border is of pixels.
    let boxed = ImageStep::Letterbox {
        width: 10,
        height: 4,
        fill: [1.5, 2.0, 3.0],
        place: Place::BottomLeft,
        rounding: Rounding::Round,
        filter: Filter::Nearest,
    };
    let crop = ImageStep::CenterCrop {
        width: 8,
        height: 1,
    };
    let values = steps(&[boxed, crop], 3, 8, 1).apply(&picture, "").unwrap();
    assert_eq!(values[..8], [10.0, 10.0, 10.0, 10.0, 10.0, 2.0, 2.0, 2.0]);
    assert_eq!(values[21..], [3.0, 3.0, 3.0]);
}

#[test]
fn pictures_that_do_not_fit_the_network() {
    let picture = Picture::from_grey(3, 2, &[0; 6]).unwrap();
    let message = |error: Result<Vec<f32>, ImageError>| error.unwrap_err().to_string();
    assert_eq!(
        message(steps(&[], 1, 28, 28).apply(&picture, "digit.png")),
        "digit.png: the picture is 3x2 after pre-processing (width x height), but the network takes 28x28; \
         `resize` or `crop` in the input's declaration can help"
    );
    assert_eq!(
        message(steps(&[], 5, 3, 2).apply(&picture, "digit.png")),
        "digit.png: a picture gives 1 or 3 channels, but the network takes 5"
    );
    let thin = Picture::from_grey(60_000, 1, &[0; 60_000]).unwrap();
    let step = [ImageStep::ResizeShort {
        side: 256,
        filter: Filter::Antialias,
    }];
    assert_eq!(
        message(steps(&step, 1, 256, 256).apply(&thin, "thin.png")),
        "thin.png: 15360000x1 pixels are too many; at most 65535 a side and 134217728 in all are handled"
    );
}

#[test]
fn maps_become_pictures() {
    let map = [-1.0, 0.0, 0.5, 2.0];
    let grey = |show| -> Vec<u8> {
        Picture::of_map(&map, 1, 2, 2, show)
            .unwrap()
            .rgb()
            .iter()
            .copied()
            .step_by(3)
            .collect()
    };
    assert_eq!(grey(Show::Clamp), [0, 0, 128, 255]);
    assert_eq!(grey(Show::Magnitude), [128, 0, 64, 255]);
    assert_eq!(grey(Show::MinMax), [0, 85, 128, 255]);
    let constant = Picture::of_map(&[3.0; 4], 1, 2, 2, Show::MinMax).unwrap();
    assert_eq!(constant.rgb(), [0; 12]);
    let odd = Picture::of_map(&[f32::NAN, f32::INFINITY, 1.0], 1, 1, 3, Show::MinMax).unwrap();
    assert_eq!(odd.rgb()[..3], [0; 3]);
    let colour = Picture::of_map(&[0.0, 1.0, 1.0, 0.0, 0.2, 0.4], 3, 1, 2, Show::Clamp).unwrap();
    assert_eq!(colour.rgb(), [0, 255, 51, 255, 0, 102]);
    assert!(Picture::of_map(&map, 2, 1, 2, Show::Clamp).is_none());
    assert!(Picture::of_map(&map, 1, 2, 3, Show::Clamp).is_none());
    assert!(Picture::of_map(&[], 1, 0, 5, Show::Clamp).is_none());
}

#[test]
fn png_files_are_written_whole_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("edges.png");
    let picture = Picture::from_rgb(2, 2, (0..12).collect()).unwrap();
    picture.write_png(&path).unwrap();
    assert_eq!(Picture::open(&path).unwrap(), picture);
    write_png(&path, 3, 1, 1, &[1, 2, 3]).unwrap();
    assert_eq!(
        Picture::open(&path).unwrap().rgb(),
        [1, 1, 1, 2, 2, 2, 3, 3, 3]
    );

    for (width, height, channels) in [(3, 1, 3), (3, 1, 7), (0, 0, 1), (usize::MAX, 2, 3)] {
        let error = write_png(&path, width, height, channels, &[1, 2, 3]).unwrap_err();
        let text = path.display();
        assert_eq!(
            error.to_string(),
            format!(
                "cannot write {text}: 3 bytes are not {width}x{height} pixels of {channels} channels"
            )
        );
    }
    assert_eq!(
        Picture::open(&path).unwrap().width(),
        3,
        "what was there stays"
    );
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
}
