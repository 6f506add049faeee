//! Pictures with a picture each: classes of pixels, and what a network should make of them.

use super::{Folder, is_in};
use cnnc::Model;
use cnnc::rt::image::Picture;
use cnnc::train::{Affine, Augment, Augmenter, Loader, UNLABELLED};

/// A network that keeps rows and columns.
fn net(body: &str) -> Model {
    let spec = format!("cnn 1; model Net {{ {body} }}");
    cnnc::compile_str("net.cnn", &spec).unwrap_or_else(|error| panic!("{error}"))
}

fn segments(more: &str) -> Model {
    net(&format!(
        "input x: 1x4x4 {{ resize 4x4 nearest gray }}; conv 1x1 3; head segment {{ {more} }}"
    ))
}

/// A PNG file of that colour type (0 grey, 2 colours, 3 a palette) and so many bits.
fn png(
    folder: &Folder,
    name: &str,
    size: (u32, u32),
    kind: (png::ColorType, png::BitDepth),
    bytes: &[u8],
) {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, size.0, size.1);
    encoder.set_color(kind.0);
    encoder.set_depth(kind.1);
    if kind.0 == png::ColorType::Indexed {
        // Colours that have nothing to do with the classes.
        encoder.set_palette(
            (0..=255)
                .flat_map(|index| [255 - index, 7, index / 2])
                .collect::<Vec<u8>>(),
        );
    }
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(bytes).expect("pixels");
    writer.finish().expect("an end");
    folder.write(name, out);
}

const INDEXED: (png::ColorType, png::BitDepth) = (png::ColorType::Indexed, png::BitDepth::Eight);
const GREY: (png::ColorType, png::BitDepth) = (png::ColorType::Grayscale, png::BitDepth::Eight);
const RGB: (png::ColorType, png::BitDepth) = (png::ColorType::Rgb, png::BitDepth::Eight);

/// Sixteen classes of three, and a pixel that counts for nothing.
const CLASSES: [u8; 16] = [0, 1, 2, 0, 1, 1, 2, 2, 255, 0, 0, 0, 2, 1, 0, 1];

fn labels(of: &[u8]) -> Vec<u32> {
    let label = |&class: &u8| {
        if class == 255 {
            UNLABELLED
        } else {
            class.into()
        }
    };
    of.iter().map(label).collect()
}

/// The colour of a class in masks of colours.
fn colour(class: &u8) -> [u8; 3] {
    match class {
        0 => [0, 0, 0],
        1 => [0, 250, 0],
        2 => [250, 0, 0],
        _ => [9, 9, 9],
    }
}

#[test]
fn masks_are_indices_greys_or_colours() {
    let folder = Folder::new();
    let net = segments("");
    for name in ["a", "b", "c"] {
        folder.picture(&format!("d/images/{name}.png"), 4, 100);
    }
    png(&folder, "d/masks/a.png", (4, 4), INDEXED, &CLASSES);
    png(&folder, "d/masks/b.png", (4, 4), GREY, &CLASSES);
    // Two bits a pixel: 0 1 2 0, and so on.
    let packed = [0b00_01_10_00, 0b01_01_10_10, 0, 0b10_01_00_01];
    let bits = (png::ColorType::Indexed, png::BitDepth::Two);
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, 4, 4);
    encoder.set_color(bits.0);
    encoder.set_depth(bits.1);
    encoder.set_palette(vec![9; 12]);
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(&packed).expect("pixels");
    writer.finish().expect("an end");
    folder.write("d/masks/c.png", out);
    let data = folder.open("d", Some("d"), &net).unwrap();
    assert_eq!(&*data.kind, "pictures with a class for each pixel");
    let known = |index| data.train.known(index).unwrap().labels;
    assert_eq!([known(0), known(1)], [labels(&CLASSES), labels(&CLASSES)]);
    let mut without = CLASSES;
    without[8] = 0;
    assert_eq!(
        (data.train.name(2), known(2)),
        (Some("images/c.png"), labels(&without))
    );
    // By a list of colours, two of which are one class's; what is called `-` counts for nothing.
    let named = segments("labels [\"ground\", \"cat\", \"dog\"]");
    folder.write(
        "d/colours.txt",
        "# of this set\n0 0 0 ground\n250 0 0 dog\n0 250 0 cat\n0 240 0 cat\n9 9 9 -\n",
    );
    for name in ["a", "b", "c"] {
        let mut rgb: Vec<u8> = CLASSES.iter().flat_map(colour).collect();
        rgb[3..6].copy_from_slice(&[0, 240, 0]);
        png(&folder, &format!("d/masks/{name}.png"), (4, 4), RGB, &rgb);
    }
    let data = folder.open("d", Some("d"), &named).unwrap();
    assert_eq!(data.train.known(0).unwrap().labels, labels(&CLASSES));
    for (list, message) in [
        (
            "0 0 0 ground\n1 2 x\n",
            "DIR/d/colours.txt: line 2: `1 2 x` is no row of red, green, blue (0 to 255) and perhaps a name: `128 0 0 cat`",
        ),
        (
            "0 0 0 bird\n",
            "DIR/d/colours.txt: line 1: `bird` is none of the head's labels `ground`, `cat`, `dog`, nor `-`, which counts for nothing",
        ),
        (
            "0 0 0\n0 0 0\n",
            "DIR/d/colours.txt: line 2: the colour 0 0 0 is there twice",
        ),
        (
            "1 0 0\n2 0 0\n3 0 0\n4 0 0\n",
            "DIR/d/colours.txt: line 4: there are more colours than the 3 classes of the network",
        ),
        (
            "0 0 0\n",
            "DIR/d/masks/a.png: pixel 1 of row 0, from 0: the colour 0 240 0 is not in the list",
        ),
    ] {
        folder.write("d/colours.txt", list);
        is_in(&folder.open("d", None, &named).unwrap_err(), message);
    }
    // Without names classes are counted, but for what counts for nothing.
    folder.write("d/colours.txt", "0 0 0\n9 9 9 -\n0 250 0\n250 0 0\n");
    for name in ["a", "b", "c"] {
        let rgb: Vec<u8> = CLASSES.iter().flat_map(colour).collect();
        png(&folder, &format!("d/masks/{name}.png"), (4, 4), RGB, &rgb);
    }
    let data = folder.open("d", Some("d"), &segments("")).unwrap();
    assert_eq!(data.train.known(0).unwrap().labels, labels(&CLASSES));
}

/// A folder of two pictures with masks, of which the second is spoiled.
#[test]
fn masks_that_do_not_fit_are_told_by_file() {
    let folder = Folder::new();
    let net = segments("");
    let fresh = || {
        let _ = std::fs::remove_dir_all(folder.path("d"));
        for name in ["a", "b"] {
            folder.picture(&format!("d/images/{name}.png"), 4, 100);
            png(
                &folder,
                &format!("d/masks/{name}.png"),
                (4, 4),
                GREY,
                &CLASSES,
            );
        }
    };
    let told = |spoil: &dyn Fn(), message: &str| {
        fresh();
        spoil();
        is_in(&folder.open("d", None, &net).unwrap_err(), message);
    };
    let mask = |bytes: &[u8]| png(&folder, "d/masks/b.png", (4, 4), GREY, bytes);
    let mut seven = CLASSES;
    seven[6] = 7;
    told(
        &|| mask(&seven),
        "DIR/d/masks/b.png: pixel 2 of row 1, from 0: the class 7 is none of the network's 3, which are 0 to 2; 255 counts for nothing",
    );
    told(
        &|| png(&folder, "d/masks/b.png", (4, 2), GREY, &[0; 8]),
        "DIR/d/masks/b.png: 4x2 pixels are not those of its picture, 4x4",
    );
    told(
        &|| png(&folder, "d/masks/a.png", (2, 2), GREY, &[0; 4]),
        "DIR/d/masks/a.png: 2x2 pixels are neither those of its picture, 4x4, nor those of the network's output, 4x4",
    );
    told(
        &|| png(&folder, "d/masks/b.png", (4, 4), RGB, &[0; 48]),
        "DIR/d/masks/b.png: pictures of this kind are not read: it has colours, where shades of grey or indices of a palette are expected",
    );
    let remove = |name: &str| std::fs::remove_file(folder.path(name)).unwrap();
    told(
        &|| remove("d/masks/b.png"),
        "DIR/d/images/b.png: there is no picture of that name in DIR/d/masks",
    );
    told(
        &|| remove("d/images/b.png"),
        "DIR/d/masks/b.png: there is no picture of that name in DIR/d/images",
    );
    told(
        &|| {
            remove("d/masks/b.png");
            folder.write("d/masks/b.jpg", "x");
        },
        "DIR/d/masks/b.jpg: pictures of this kind are not read: indices are read from PNG files",
    );
    told(
        &|| {
            folder.write("d/masks/b.jpg", "x");
        },
        "DIR/d/masks/b.png: DIR/d/masks/b.jpg has the same name",
    );
    told(
        &|| {
            ["a", "b"]
                .iter()
                .for_each(|name| remove(&format!("d/images/{name}.png")))
        },
        "DIR/d/images: nothing that is a picture",
    );
    // Broken pictures are left out, with their masks.
    for name in ["a", "b"] {
        fresh();
        folder.write(&format!("d/images/{name}.png"), "no picture");
        let data = folder.open("d", Some("d"), &net).unwrap();
        assert_eq!((data.train.len(), data.test.len()), (1, 1));
        is_in(
            &folder.shortened(&data.broken[0]),
            &format!("DIR/d/images/{name}.png: not a PNG"),
        );
    }
    fresh();
    let net_of = self::net;
    for (body, message) in [
        (
            "input x: 1x4x4; flatten; dense 3; head classify",
            "DIR/d: its pictures have pictures as targets, and `Net` makes 3 of each: that has no rows and columns",
        ),
        (
            "input x: 1x4x4; conv 1x1 1",
            "DIR/d: `Net` has one channel, and a class for each pixel needs one for each class",
        ),
        (
            "input x: 1x4x4; conv 1x1 300; head segment",
            "DIR/d: 300 classes are more than the 255 of a mask",
        ),
        (
            "input x: 1x4x4; convtranspose 4x4 3; head segment",
            "DIR/d: which part of the input, 4x4, an output of 7x7 covers is not known",
        ),
    ] {
        let net = net_of(body);
        is_in(&folder.open("d", None, &net).unwrap_err(), message);
    }
}

/// Targets are brightness, of the picture's size or of the output's, and every other pixel where the output has half as many.
#[test]
fn targets_are_shades_of_the_output() {
    let folder = Folder::new();
    let ramp: Vec<u8> = (0..16).map(|at| 16 * at).collect();
    folder.picture("d/images/a.png", 4, 100);
    folder.picture("d/images/val/b.png", 4, 50);
    for name in ["d/targets/a.png", "d/targets/val/b.png"] {
        png(&folder, name, (4, 4), GREY, &ramp);
    }
    let shades = |places: &[usize]| -> Vec<f32> {
        places
            .iter()
            .map(|&at| f32::from(ramp[at]) / 255.0)
            .collect()
    };
    let all: Vec<usize> = (0..16).collect();
    let of = |body: &str| {
        let net = net(&format!(
            "input x: 1x4x4 {{ resize 4x4 nearest gray }}; {body}; train {{ loss squared }}"
        ));
        let data = folder.open("d", None, &net).unwrap();
        assert_eq!((data.train.len(), data.test.len()), (1, 1));
        assert_eq!(&*data.kind, "pictures with targets");
        data.train.known(0).unwrap().numbers
    };
    assert_eq!(of("conv 1x1 1"), shades(&all));
    // A mean of four, where it is half as large; three channels of a grey picture are alike.
    let means = [0, 2, 8, 10].map(|at| 16.0 * (at as f32 + 2.5) / 255.0);
    for (found, want) in of("avgpool 2x2").iter().zip(means) {
        assert!((found - want).abs() < 1e-6);
    }
    assert_eq!(
        of("conv 1x1 3"),
        [shades(&all), shades(&all), shades(&all)].concat()
    );
    // As large as the output, and not as the picture.
    for name in ["d/targets/a.png", "d/targets/val/b.png"] {
        png(&folder, name, (2, 2), GREY, &[0, 51, 102, 255]);
    }
    assert_eq!(of("avgpool 2x2"), [0.0, 0.2, 0.4, 1.0]);
    let four = net("input x: 1x4x4; conv 1x1 2; train { loss squared }");
    is_in(
        &folder.open("d", None, &four).unwrap_err(),
        "DIR/d: a picture has 1 or 3 channels, and `Net` makes 2x4x4",
    );
}

/// Where convolutions do not pad, the output is the middle of the picture, and of a head with a `margin` what is within that.
#[test]
fn targets_are_cut_where_outputs_are() {
    let folder = Folder::new();
    let ramp: Vec<u8> = (0..25).map(|at| 10 * at).collect();
    for at in ["a", "val/a"] {
        folder.picture(&format!("d/images/{at}.png"), 5, 100);
        png(&folder, &format!("d/targets/{at}.png"), (5, 5), GREY, &ramp);
        let classes: Vec<u8> = (0..25).map(|at| at % 3).collect();
        png(
            &folder,
            &format!("d/masks/{at}.png"),
            (5, 5),
            GREY,
            &classes,
        );
    }
    let middle = [6, 7, 8, 11, 12, 13, 16, 17, 18];
    let shade = net("input x: 1x5x5; conv 3x3 1 pad valid; train { loss squared }");
    let data = folder.open("d", None, &shade).unwrap();
    let expected = middle.map(|at| f32::from(ramp[at]) / 255.0);
    assert_eq!(data.train.known(0).unwrap().numbers, expected);
    let segment = net("input x: 1x5x5; conv 3x3 3 pad valid; head segment { margin 1 }");
    let data = folder.open("d", None, &segment).unwrap();
    assert_eq!(
        data.train.known(0).unwrap().labels,
        middle.map(|at| at as u32 % 3)
    );
}

/// Masks go where the steps of the input put the picture; around it nothing counts.
#[test]
fn masks_follow_the_steps_of_the_input() {
    let folder = Folder::new();
    for at in ["a", "val/a"] {
        let grey = Picture::from_grey(8, 4, &[9; 32]).expect("pixels");
        let path = folder.write(&format!("d/images/{at}.png"), "");
        grey.write_png(path).expect("written");
        let classes: Vec<u8> = (0..32).map(|at| u8::from(at % 8 >= 4) * 2).collect();
        png(
            &folder,
            &format!("d/masks/{at}.png"),
            (8, 4),
            GREY,
            &classes,
        );
    }
    let net = net("input x: 1x4x4 { letterbox 4x4 nearest gray }; conv 1x1 3; head segment");
    let data = folder.open("d", None, &net).unwrap();
    let none = [UNLABELLED; 4];
    let row = [0, 0, 2, 2];
    assert_eq!(
        data.train.known(0).unwrap().labels,
        [none, row, row, none].concat()
    );
}

/// What moves a picture moves its target: a mask that is the picture stays the picture, to the nearest pixel, whatever its map; shades are interpolated as the picture is.
#[test]
fn targets_move_with_their_pictures() {
    let folder = Folder::new();
    let side = 16;
    let bright = |x: usize, y: usize| (3..9).contains(&x) && (2..13).contains(&y);
    let cells: Vec<bool> = (0..side * side)
        .map(|at| bright(at % side, at / side))
        .collect();
    for at in ["a", "val/a"] {
        let grey: Vec<u8> = cells.iter().map(|&on| if on { 255 } else { 0 }).collect();
        let picture = Picture::from_grey(side, side, &grey).expect("pixels");
        for of in ["images", "targets"] {
            let path = folder.write(&format!("d/{of}/{at}.png"), "");
            picture.write_png(path).expect("written");
        }
        let classes: Vec<u8> = cells.iter().map(|&on| u8::from(on)).collect();
        png(
            &folder,
            &format!("d/masks/{at}.png"),
            (16, 16),
            GREY,
            &classes,
        );
    }
    let augment = Augment {
        mirror: true,
        crop: Some(14),
        pad: 2,
        rotate: 30.0,
        shear: 8.0,
        scale: 0.2,
        shift: 2.0,
        ..Augment::default()
    };
    let shade = net("input x: 1x16x16; conv 1x1 1; train { loss squared }");
    let segment = net("input x: 1x16x16; conv 1x1 2; head segment");
    let inner = net("input x: 1x16x16; conv 5x5 2 pad valid; head segment { margin 2 }");
    let batches = |model: &Model| {
        let data = folder.open("d", None, model).unwrap();
        let augmenter = Augmenter::new(&augment, 5, model.graph()).expect("it fits");
        let all = (1..40).map(|epoch| {
            let loader = Loader {
                samples: &data.train,
                augmenter: Some(&augmenter),
                epoch,
                batch: 1,
            };
            let moved = augmenter.change(epoch, 0).affine;
            (loader.batch(&[0]).unwrap(), moved)
        });
        all.collect::<Vec<_>>()
    };
    let mut moved = 0;
    for (batch, map) in batches(&shade) {
        let pairs = batch.inputs.iter().zip(&batch.known.numbers);
        for (input, target) in pairs {
            assert!((input - target).abs() < 1e-6, "{input} {target}");
        }
        moved += usize::from(map != Affine::IDENTITY);
    }
    assert!(moved > 30);
    let of_segment = batches(&segment);
    for (batch, _) in &of_segment {
        let pairs = batch.inputs.iter().zip(&batch.known.labels);
        // Where the picture is surely one of both, the mask is that one.
        for (number, label) in pairs
            .clone()
            .filter(|(number, _)| **number > 0.8 || **number < 0.2)
        {
            assert_eq!(*label, u32::from(*number > 0.5));
        }
        assert!(pairs.filter(|(_, label)| **label == 1).count() > 10);
    }
    for ((batch, _), (whole, _)) in batches(&inner).iter().zip(&of_segment) {
        let middle = (2..14).flat_map(|y| whole.known.labels[16 * y + 2..][..12].to_vec());
        assert_eq!(batch.known.labels, middle.collect::<Vec<u32>>());
    }
}
