//! A hundred thousand steps: memory does not grow, the loss stays finite, and a run that stopped in the middle is the run that did not.

use cnnc::rt::image::Picture;
use cnnc::train::{Augment, Data, Recipe, Run};
use cnnc_testing::{Random, say};
use std::fs;
use std::path::Path;
use std::time::Instant;

const BATCH: usize = 8;
const STEPS: usize = 1000;
const EPOCHS: usize = 100;

/// Strips of pictures with noise, whose class is the column that is bright.
fn strips(folder: &Path) {
    let (side, count) = (8, BATCH * STEPS);
    let mut random = Random(1);
    let (mut grey, mut text) = (Vec::new(), String::new());
    for _ in 0..count {
        let class = random.below(4);
        text += &format!("{class}\n");
        for at in 0..side * side {
            let bright = if at % side == 2 * class { 120 } else { 0 };
            grey.push((random.below(120) + bright) as u8);
        }
    }
    let picture = Picture::from_grey(side * side, count, &grey).expect("pixels");
    picture
        .write_png(folder.join("strip.png"))
        .expect("written");
    fs::write(folder.join("labels.txt"), text).expect("written");
}

/// Bytes of memory that the process has, and seconds of its threads, as Linux counts them.
fn process() -> Option<(usize, f64)> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: usize = line.split_whitespace().next()?.parse().ok()?;
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the name in brackets; the 14th and 15th field of all, in hundredths.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some((1024 * kib, ticks / 100.0))
}

#[test]
#[ignore = "takes a minute: a part of the long run"]
fn a_hundred_thousand_steps_leave_memory_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    fs::create_dir(&data).expect("a folder");
    strips(&data);
    let spec = folder.path().join("net.cnn");
    let text = "cnn 1; model Net { input x: 1x8x8; conv 3x3 4 bn relu; maxpool 2x2; flatten; dropout 0.1; dense 4; head classify }";
    fs::write(&spec, text).expect("written");
    let recipe = Recipe {
        batch: BATCH,
        epochs: EPOCHS,
        rate: 0.02,
        augment: Some(Augment {
            shift: 0.5,
            ..Augment::default()
        }),
        ..Recipe::default()
    };
    let begin = |name: &str| {
        let model = cnnc::compile_file(&spec).expect("it is right");
        let data = Data::open(&data, Some(&data), model.graph()).expect("strips");
        let runs = folder.path().join("runs");
        Run::begin(model, &spec, &recipe, data, &runs, Some(name)).expect("it can be trained")
    };
    let state = |run: &Run| {
        let name = format!("state-{EPOCHS:03}.safetensors");
        fs::read(run.folder().join(name)).expect("saved")
    };
    let start = Instant::now();
    let mut whole = begin("whole");
    let mut seen = Vec::new();
    while !whole.is_done() {
        let epoch = whole.epoch(|_, _, _| true).expect("an epoch");
        assert!(epoch.expect("all of it").loss.is_finite());
        seen.push(process());
    }
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(whole.trainer().steps(), (STEPS * EPOCHS) as u64);
    // The first epochs find memory that nobody has touched.
    if let (Some((first, early)), Some((before, late)), Some((last, end)), Some((_, tenth))) =
        (seen[4], seen[EPOCHS - 6], seen[EPOCHS - 1], seen[9])
    {
        let steps = (5 * STEPS) as f64;
        let of = |from: f64, to: f64| 1e6 * (to - from) / steps;
        say(&format!(
            "{} steps in {seconds:.0} s, {:.0} µs of processor a step at first and {:.0} µs at the end; resident {:.1} MiB after 5 epochs, {:.1} before the last 5, {:.1} at the end",
            STEPS * EPOCHS,
            of(early, tenth),
            of(late, end),
            first as f64 / f64::from(1 << 20),
            before as f64 / f64::from(1 << 20),
            last as f64 / f64::from(1 << 20),
        ));
        assert!(last <= first + (1 << 20), "{first} bytes became {last}");
    }
    // Stopped in the middle of the middle epoch.
    let mut parts = begin("parts");
    while parts.epochs().len() < EPOCHS / 2 {
        parts.epoch(|_, _, _| true).expect("an epoch");
    }
    assert_eq!(
        parts
            .epoch(|done, _, _| done < STEPS / 2)
            .expect("no error"),
        None
    );
    let at = parts.folder().to_owned();
    drop(parts);
    let mut parts = Run::resume(&at, None).expect("a run");
    while !parts.is_done() {
        parts.epoch(|_, _, _| true).expect("an epoch");
    }
    assert!(state(&parts) == state(&whole));
}
