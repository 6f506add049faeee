//! A network with made samples, and the commands that train it.

use cnnc::rt::image::Picture;
use cnnc_testing::Random;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub fn cnnc(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cnnc"));
    command.args(args).output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder with a spec and made pictures: class k is bright in column k.
pub struct Made {
    folder: tempfile::TempDir,
}

pub const CLASSES: usize = 4;

pub const SIDE: usize = 8;

impl Made {
    pub fn new(body: &str) -> Made {
        let made = Made {
            folder: tempfile::tempdir().unwrap(),
        };
        let spec = format!("cnn 1\nmodel Net {{ {body} }}\n");
        std::fs::write(made.path("net.cnn"), spec).unwrap();
        std::fs::create_dir(made.path("data")).unwrap();
        let mut random = Random(1);
        for (of, count) in [("train", 120), ("t10k", 40)] {
            let (mut pixels, mut labels) = (Vec::new(), Vec::new());
            for _ in 0..count {
                let class = random.below(CLASSES);
                labels.push(class as u8);
                for place in 0..SIDE * SIDE {
                    let bright = place % SIDE == 2 * class;
                    pixels.push((random.below(80) + if bright { 170 } else { 0 }) as u8);
                }
            }
            made.idx(
                &format!("{of}-images-idx3-ubyte"),
                &[count, SIDE, SIDE],
                &pixels,
            );
            made.idx(&format!("{of}-labels-idx1-ubyte"), &[count], &labels);
        }
        made
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn idx(&self, name: &str, extents: &[usize], bytes: &[u8]) {
        let mut file = vec![0, 0, 8, extents.len() as u8];
        file.extend(extents.iter().flat_map(|&n| (n as u32).to_be_bytes()));
        file.extend(bytes);
        std::fs::write(self.path("data").join(name), file).unwrap();
    }

    /// A folder with so many pictures for each class, and something else beside them.
    pub fn classes(&self, folder: &str, count: usize) {
        let mut random = Random(count as u64);
        for class in 0..CLASSES {
            let within = self.path(folder).join(class.to_string());
            std::fs::create_dir_all(&within).unwrap();
            std::fs::write(within.join("notes.txt"), "").unwrap();
            for number in 0..count {
                let bright = |place: usize| if place % SIDE == 2 * class { 200 } else { 0 };
                let pixels = (0..SIDE * SIDE).map(|place| random.below(50) + bright(place));
                let pixels: Vec<u8> = pixels.map(|pixel| pixel as u8).collect();
                let picture = Picture::from_grey(SIDE, SIDE, &pixels).unwrap();
                picture
                    .write_png(within.join(format!("{number}.PNG")))
                    .unwrap();
            }
        }
    }

    /// `cnnc train` of its spec on its data, with runs in its folder.
    pub fn train(&self, more: &[&str]) -> Output {
        let [spec, data, runs] = ["net.cnn", "data", "runs"].map(|name| self.path(name));
        let mut args = vec![
            "train",
            spec.to_str().unwrap(),
            "--data",
            data.to_str().unwrap(),
        ];
        args.extend(["--runs", runs.to_str().unwrap()]);
        args.extend(more);
        let mut command = Command::new(env!("CARGO_BIN_EXE_cnnc"));
        command.args(args).current_dir(self.folder.path());
        command.output().unwrap()
    }

    pub fn resume(&self, run: &str) -> Output {
        let folder = self.path("runs").join(run);
        cnnc(&["train", "--resume", folder.to_str().unwrap()])
    }

    /// What is said of a run that cannot go on.
    pub fn refused(&self, run: &str) -> String {
        let output = self.resume(run);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
        let message = text(&output.stderr);
        message.replace(self.folder.path().to_str().unwrap(), "DIR")
    }

    pub fn error(&self, more: &[&str]) -> String {
        let output = self.train(more);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
        let message = text(&output.stderr);
        message.replace(self.folder.path().to_str().unwrap(), "DIR")
    }
}

pub const NET: &str =
    "input x: 1x8x8; conv 3x3 6 relu; maxpool 2x2; flatten; dense 4; head classify";

pub fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
