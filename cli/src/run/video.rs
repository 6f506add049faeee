//! `cnnc run` on a video: frames of a folder, or raw ones on standard input, answered one by one and drawn one by one.

use super::{Args, milliseconds};
use crate::answer::{self, Context};
use crate::{Failure, finite, print};
use cnnc::rt::image::{Picture, is_called_a_picture};
use cnnc::rt::memory::reserved;
use cnnc::{Model, Weights};
use serde_json::json;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where frames come from.
enum Frames {
    /// Pictures of a folder, in the order of their names.
    Folder(std::vec::IntoIter<PathBuf>),
    /// Rows of red, green and blue on standard input, frames of that width and height behind one another.
    Raw {
        width: usize,
        height: usize,
        count: usize,
    },
}

/// Whether the inputs are frames.
pub fn is_one(args: &Args) -> bool {
    args.frames.is_some() || matches!(&args.files[..], [only] if only.is_dir())
}

/// Answers for every frame.
pub fn run(args: &Args, model: &Model, weights: &Weights) -> Result<(), Failure> {
    let refused = |flag| {
        let why = "frames are answered one by one, and only `--draw` has a place for each";
        Err(Failure::NotShown { flag, why })
    };
    for (flag, given) in [
        ("--raw", args.raw.is_some()),
        ("--out", args.out.is_some()),
        ("--draw-all", args.draw_all.is_some()),
        ("--tap", !args.tap.is_empty()),
    ] {
        if given {
            return refused(flag);
        }
    }
    let piped = args.draw.as_deref().is_some_and(is_pipe);
    if args.json && piped {
        let (flag, why) = ("--draw", "`--json` has standard output already");
        return Err(Failure::NotShown { flag, why });
    }
    let mut frames = Frames::of(args)?;
    let network = args.network.network(model, weights, args.backend, &[])?;
    let mut session = network.session()?;
    let head = args.thresholds.apply(model)?;
    let port = &network.inputs()[0];
    let pre = model.graph().inputs[0].pre.as_ref();
    let pre = pre.filter(|_| network.inputs().len() == 1);
    let pre = pre.ok_or_else(|| Failure::NotAPicture {
        file: "frames".to_owned(),
        input: port.name.to_string(),
        shape: print::shape(&port.shape),
    })?;
    if let Some(folder) = args.draw.as_deref().filter(|_| !piped) {
        std::fs::create_dir_all(folder).map_err(|error| Failure::WriteFile {
            file: folder.display().to_string(),
            error,
        })?;
    }
    let (mut size, mut count, mut time) = (None, 0_u32, Duration::ZERO);
    while let Some((name, picture)) = frames.next()? {
        let own = (picture.width(), picture.height());
        let first = *size.get_or_insert(own);
        if piped && own != first {
            return Err(another_size(name, own, first));
        }
        let begun = Instant::now();
        let tensor = pre.apply(&picture, &name)?;
        let outputs = session.run(&[&tensor])?;
        let place = pre.placement(picture.width(), picture.height());
        let found = outputs.answer(&head, &place)?;
        (count, time) = (count + 1, time + begun.elapsed());
        let broken = network.not_finite(&[&tensor], &outputs)?;
        let of = Context {
            head: &head,
            taps: &[],
            outputs: &outputs,
        };
        if !args.json {
            finite::warn(&broken, Some(&name));
        }
        match (args.json, piped) {
            (true, _) => {
                let mut entry = answer::to_json(&found, &of);
                entry["input"] = json!(name);
                entry["not_finite"] = finite::to_json(&broken);
                entry["weights"] = json!(args.network.origin());
                // A line each, so that a video without an end takes no more memory than a frame.
                print::line(entry)?;
            }
            // Standard output is the video.
            (false, true) => {}
            (false, false) => {
                print::line(format_args!("\x1b[1m{name}\x1b[0m"))?;
                print::line(answer::to_text(&found, &of))?;
            }
        }
        if let Some(path) = &args.draw {
            let drawn = answer::draw(&head, &found, picture)?;
            match piped {
                true => std::io::stdout()
                    .write_all(drawn.rgb())
                    .map_err(Failure::Write)?,
                false => drawn.write_png(path.join(frame_file(&name)))?,
            }
        }
    }
    if !args.json {
        let each = milliseconds(time) / f64::from(count.max(1));
        print::patience(format!("{count} frames, {} ms each", print::ms(each)));
        if let Some(remark) = args.network.remark(model).filter(|_| !piped) {
            print::line(remark)?;
        }
    }
    Ok(())
}

/// Whether drawn frames go to standard output, as they would come from standard input.
pub fn is_pipe(path: &Path) -> bool {
    path == Path::new("-")
}

/// Why a frame has no place in what standard output takes, which says nothing of sizes.
fn another_size(frame: String, own: (usize, usize), first: (usize, usize)) -> Failure {
    let why = format!(
        "it has {} by {} pixels, and the first frame {} by {}: frames on standard output are of one size, and `--draw FOLDER` takes any",
        own.0, own.1, first.0, first.1
    );
    Failure::WriteFile {
        file: frame,
        error: std::io::Error::other(why),
    }
}

/// The first of the drawn frames' files that two frames would have.
fn twice(frames: &[PathBuf], folder: &Path) -> Option<PathBuf> {
    let mut taken = BTreeSet::new();
    let files = frames
        .iter()
        .map(|frame| frame_file(&frame.to_string_lossy()));
    let mut again = files.filter(|file| !taken.insert(file.clone()));
    again.next().map(|file| folder.join(file))
}

/// The drawn frame's file: the picture's own name where that is a PNG, else with that ending behind it.
fn frame_file(name: &str) -> PathBuf {
    let own = Path::new(Path::new(name).file_name().unwrap_or_default());
    match own.extension() {
        Some(ending) if ending.eq_ignore_ascii_case("png") => own.to_owned(),
        _ => own.with_added_extension("png"),
    }
}

impl Frames {
    fn of(args: &Args) -> Result<Frames, Failure> {
        if let Some((width, height)) = args.frames {
            return Ok(Frames::Raw {
                width,
                height,
                count: 0,
            });
        }
        let folder = &args.files[0];
        let same = |draw: &PathBuf| match (draw.canonicalize(), folder.canonicalize()) {
            (Ok(draw), Ok(folder)) => draw == folder,
            _ => false,
        };
        if args.draw.as_ref().is_some_and(same) {
            let file = folder.display().to_string();
            return Err(Failure::Overwrite { file });
        }
        let read = |error: std::io::Error| Failure::Read {
            file: folder.display().to_string(),
            why: error.to_string(),
        };
        let entries = std::fs::read_dir(folder).map_err(read)?;
        let paths = entries.map(|entry| Ok(entry.map_err(read)?.path()));
        let mut paths: Vec<PathBuf> = paths.collect::<Result<_, Failure>>()?;
        paths.retain(|path| path.is_file() && is_called_a_picture(path));
        paths.sort();
        let drawn = args.draw.as_deref().filter(|draw| !is_pipe(draw));
        if let Some(file) = drawn.and_then(|draw| twice(&paths, draw)) {
            let file = file.display().to_string();
            return Err(Failure::Twice { file });
        }
        match paths.is_empty() {
            true => Err(Failure::Read {
                file: folder.display().to_string(),
                why: "there is no picture in it".to_owned(),
            }),
            false => Ok(Frames::Folder(paths.into_iter())),
        }
    }

    /// The next frame with its name, if there is one.
    fn next(&mut self) -> Result<Option<(String, Picture)>, Failure> {
        match self {
            Frames::Folder(paths) => {
                let next = paths.next();
                let open = |path: PathBuf| Ok((path.display().to_string(), Picture::open(&path)?));
                next.map(open).transpose()
            }
            Frames::Raw {
                width,
                height,
                count,
            } => {
                *count += 1;
                let name = format!("{count:06}");
                let rgb = frame(&mut std::io::stdin().lock(), 3 * *width * *height, *count)?;
                let Some(rgb) = rgb else {
                    return Ok(None);
                };
                let picture = Picture::from_rgb(*width, *height, rgb);
                let picture = picture.ok_or_else(|| {
                    not_read(format!(
                        "frames of {width} by {height} pixels are no pictures"
                    ))
                })?;
                Ok(Some((name, picture)))
            }
        }
    }
}

/// Why standard input is no video.
fn not_read(why: String) -> Failure {
    let file = "standard input".to_owned();
    Failure::Read { file, why }
}

/// So many bytes, or none where the video has ended.
fn frame(from: &mut impl Read, bytes: usize, number: usize) -> Result<Option<Vec<u8>>, Failure> {
    let mut rgb = reserved::<u8>(bytes)?;
    let read = from.take(bytes as u64).read_to_end(&mut rgb);
    let filled = read.map_err(|error| not_read(error.to_string()))?;
    match filled {
        0 => Ok(None),
        _ if filled == bytes => Ok(Some(rgb)),
        _ => Err(not_read(format!(
            "frame {number} ends behind {filled} of {bytes} bytes: is it another width or height, or not three bytes a pixel?"
        ))),
    }
}
