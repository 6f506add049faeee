//! A hundred thousand steps of LeNet-5: memory does not grow, steps take as long at the end as at the start, the loss stays finite, and a run that stopped in the
//! middle is the run that did not. The test command takes a few thousand.

use cnnc::rt::image::Picture;
use cnnc::train::{Augment, Data, Recipe, Run};
use cnnc_testing::{Random, say};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

const BATCH: usize = 8;

/// Processor time and memory are of the process: one at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Strips of pictures with noise, whose class is the pair of columns that is bright.
fn strips(folder: &Path, count: usize) {
    fs::create_dir(folder).expect("a folder");
    let side = 28;
    let mut random = Random(1);
    let (mut grey, mut text) = (Vec::new(), String::new());
    for _ in 0..count {
        let class = random.below(10);
        text += &format!("{class}\n");
        for at in 0..side * side {
            let bright = if (at % side) / 2 == class + 2 { 120 } else { 0 };
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

/// Training runs of so many steps an epoch, in a folder of their own.
struct Soak {
    folder: tempfile::TempDir,
    spec: PathBuf,
    recipe: Recipe,
    steps: usize,
}

impl Soak {
    fn new(steps: usize, epochs: usize) -> Soak {
        let folder = tempfile::tempdir().expect("a folder");
        strips(&folder.path().join("data"), BATCH * steps);
        strips(&folder.path().join("test"), 64);
        Soak {
            spec: cnnc_testing::file("specs/lenet5.cnn"),
            recipe: Recipe {
                batch: BATCH,
                epochs,
                rate: 0.01,
                augment: Some(Augment {
                    shift: 0.5,
                    ..Augment::default()
                }),
                ..Recipe::default()
            },
            folder,
            steps,
        }
    }

    fn begin(&self, name: &str) -> Run {
        let model = cnnc::compile_file(&self.spec).expect("it is right");
        let [train, test] = ["data", "test"].map(|name| self.folder.path().join(name));
        let data = Data::open(&train, Some(&test), model.graph()).expect("strips");
        let runs = self.folder.path().join("runs");
        let run = Run::begin(model, &self.spec, &self.recipe, data, &runs, Some(name));
        run.expect("it can be trained")
    }

    /// Trains for an epoch; memory behind it, and the processor's seconds of a step, if the system says.
    fn epoch(&self, run: &mut Run) -> Option<(usize, f64)> {
        let mut first = None;
        let mut last = None;
        let epoch = run.epoch(|done, _, _| {
            if done == 1 {
                first = process();
            }
            if done == self.steps {
                last = process();
            }
            true
        });
        let epoch = epoch.expect("an epoch").expect("all of it");
        assert!(epoch.loss.is_finite());
        let ((_, from), (_, to)) = (first?, last?);
        Some((process()?.0, (to - from) / (self.steps - 1) as f64))
    }

    /// All epochs, one behind the other.
    fn whole(&self, run: &mut Run) -> Vec<(usize, f64)> {
        let mut seen = Vec::new();
        while !run.is_done() {
            seen.extend(self.epoch(run));
        }
        let steps = self.steps * self.recipe.epochs;
        assert_eq!(run.trainer().steps(), steps as u64);
        seen
    }

    fn state(&self, run: &Run) -> Vec<u8> {
        let name = format!("state-{:03}.safetensors", self.recipe.epochs);
        fs::read(run.folder().join(name)).expect("saved")
    }

    /// The same, but stopped in the middle of the middle epoch: every bit is that of the whole.
    fn in_parts(&self, whole: &Run) {
        let mut parts = self.begin("parts");
        while parts.epochs().len() < self.recipe.epochs / 2 {
            parts.epoch(|_, _, _| true).expect("an epoch");
        }
        let stopped = parts.epoch(|done, _, _| done < self.steps / 2);
        assert_eq!(stopped.expect("no error"), None);
        let at = parts.folder().to_owned();
        drop(parts);
        let mut parts = Run::resume(&at, None).expect("a run");
        while !parts.is_done() {
            parts.epoch(|_, _, _| true).expect("an epoch");
        }
        assert!(self.state(&parts) == self.state(whole));
    }
}

/// Epochs whose cheapest is compared.
const FEW: usize = 10;

/// Others on the machine make steps dearer, and never cheaper.
fn least(of: &[(usize, f64)]) -> f64 {
    of.iter().fold(f64::INFINITY, |least, x| least.min(x.1))
}

/// What stands in front of the seconds of a step.
const SECONDS: &str = "seconds a step: ";

/// A run of a few epochs, which another process may ask for.
#[test]
#[ignore = "takes seconds: what the long run compares with"]
fn steps_of_a_run_that_begins() {
    let _alone = ALONE.lock();
    let soak = Soak::new(1000, FEW);
    let seen = soak.whole(&mut soak.begin("young"));
    println!("{SECONDS}{}", least(&seen));
}

/// The seconds of a step in a process that begins now.
fn elsewhere() -> f64 {
    let this = std::env::current_exe().expect("a program");
    let mut command = std::process::Command::new(this);
    command.args([
        "--ignored",
        "--nocapture",
        "--exact",
        "steps_of_a_run_that_begins",
    ]);
    let output = command.output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let found = text
        .split_once(SECONDS)
        .and_then(|(_, rest)| rest.lines().next());
    let found = found.and_then(|number| number.trim().parse().ok());
    found.unwrap_or_else(|| panic!("no seconds in {text}"))
}

fn mib(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Memory behind the fifth epoch (the first ones find memory that nobody has touched) and at the end.
fn memory_stays(seen: &[(usize, f64)]) {
    let (Some((first, _)), Some((last, _))) = (seen.get(4), seen.last()) else {
        return say("SKIPPED: memory that does not grow, which this system does not tell");
    };
    say(&format!(
        "resident {:.1} MiB after 5 epochs, {:.1} at the end",
        mib(*first),
        mib(*last)
    ));
    assert!(*last < first + (1 << 20), "{first} bytes became {last}");
}

#[test]
fn thousands_of_steps_leave_memory_as_it_was() {
    let _alone = ALONE.lock();
    let soak = Soak::new(250, 12);
    let mut whole = soak.begin("whole");
    memory_stays(&soak.whole(&mut whole));
    soak.in_parts(&whole);
}

#[test]
#[ignore = "takes minutes: a part of the long run"]
fn a_hundred_thousand_steps_leave_memory_and_time_as_they_were() {
    let _alone = ALONE.lock();
    let soak = Soak::new(1000, 100);
    let mut whole = soak.begin("whole");
    let seen = soak.whole(&mut whole);
    memory_stays(&seen);
    if seen.len() == soak.recipe.epochs {
        let start = least(&seen[..FEW]);
        let end = least(&seen[seen.len() - FEW..]);
        say(&format!(
            "{:.0} µs of processor a step at first, {:.0} µs at the end",
            1e6 * start,
            1e6 * end
        ));
        // If it is the machine that has become slower in these minutes, a process that begins now is slower, too.
        let limit = match end <= 1.1 * start {
            true => start,
            false => start.max(elsewhere()),
        };
        assert!(
            end <= 1.1 * limit,
            "{start} s a step became {end} s, and {limit} s in a run that begins now"
        );
    }
    soak.in_parts(&whole);
}
