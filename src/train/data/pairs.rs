//! Pictures with a picture each: `images`, and a file of the same name, but for its ending, in `masks` (a class for each pixel) or `targets` (what the network should make of it). All may have folders `train` and `val` (or `test`).
//!
//! A mask is a PNG whose palette indices or grey values are the classes, and 255 counts for nothing; where `colours.txt` lies beside them, a row `R G B` or `R G B NAME` for each class, its colours are.

use super::ahead::{ahead, unbroken};
use super::annotated::Purpose;
use super::files::{entries, name, read, within};
use super::maps::{NOTHING, Pixel, View};
use super::reader::Reader;
use super::{Data, DataError};
use crate::source::Viewed;
use crate::train::affine::Affine;
use cnnc_runtime::image::{Picture, is_called_a_picture};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A picture, its target, and what they are for.
struct Pair {
    picture: PathBuf,
    target: PathBuf,
    purpose: Purpose,
}

impl Reader<'_> {
    /// The samples of a folder, if it is such a one.
    pub(super) fn pairs(&self, root: &Path) -> Result<Option<Data>, DataError> {
        let [images, masks, targets] = ["images", "masks", "targets"].map(|name| root.join(name));
        if !images.is_dir() || !(masks.is_dir() || targets.is_dir()) {
            return Ok(None);
        }
        let classes = masks.is_dir() && (self.segments || !targets.is_dir());
        let of = if classes { &masks } else { &targets };
        let pairs = found(&images, of)?;
        // Broken pictures are left out below.
        let opens = |pair: &&Pair| Picture::open(&pair.picture).is_ok();
        let Some(first) = pairs.iter().find(opens).or(pairs.first()) else {
            return Err(DataError::Empty(images, "that is a picture"));
        };
        let view = self.view(root, first, classes)?;
        let pre = self.sight()?;
        let mut filling = self.filling(root);
        filling.reserve_files(pairs.len(), Some(view), self.most)?;
        let view = filling.view().expect("room was made for targets");
        let (mut broken, mut judges) = (Vec::new(), Vec::new());
        let make = |at: usize| {
            let Pair {
                picture, target, ..
            } = &pairs[at];
            let viewed = Viewed::open(picture, pre, false);
            let both = viewed.map(|viewed| (view.read(target, Some(viewed.size())), viewed.seen));
            (at, both)
        };
        ahead(&mut (0..pairs.len()), &make, &mut |(at, both)| {
            let pair = &pairs[at];
            let Some((target, seen)) = unbroken(root, both, pairs.len(), &mut broken)? else {
                return Ok(());
            };
            let files = (pair.picture.clone(), pair.target.clone());
            filling.pair(files, seen, &target?)?;
            filling.name(within(root, &pair.picture));
            judges.push(pair.purpose == Purpose::Judge);
            Ok(())
        })?;
        let kind = match classes {
            true => "pictures with a class for each pixel",
            false => "pictures with targets",
        };
        let samples = filling.done();
        Ok(Some(Data::divided(
            kind.to_owned(),
            samples,
            &judges,
            broken,
        )))
    }

    /// How targets are read, as the network and the first of them say.
    fn view(&self, root: &Path, first: &Pair, classes: bool) -> Result<View, DataError> {
        let refuse = |why: String| Err(DataError::Classes(root.to_owned(), why));
        let (channels, &[_, height, width]) = (self.output.channels(), self.output.dims()) else {
            return refuse(format!(
                "its pictures have pictures as targets, and `{}` makes {} of each: that has no rows and columns",
                self.network, self.output
            ));
        };
        let pixel = match (classes, channels) {
            (true, 1) => {
                return refuse(format!(
                    "`{}` has one channel, and a class for each pixel needs one for each class; a black and white picture of one class goes into `targets`",
                    self.network
                ));
            }
            (true, 256..) => {
                return refuse(format!(
                    "{channels} classes are more than the 255 of a mask"
                ));
            }
            (true, _) => match root.join("colours.txt") {
                list if list.is_file() => Pixel::Colour(self.colours(&list)?),
                _ => Pixel::Index(channels),
            },
            (false, 1 | 3) => Pixel::Shade(channels),
            (false, _) => {
                return refuse(format!(
                    "a picture has 1 or 3 channels, and `{}` makes {}",
                    self.network, self.output
                ));
            }
        };
        let pre = self.sight()?;
        let output = (width, height);
        let [picture, target] = [&first.picture, &first.target].map(|file| {
            let picture = Picture::open(file).map_err(DataError::Picture)?;
            Ok::<_, DataError>((picture.width(), picture.height()))
        });
        let (picture, target) = (picture?, target?);
        let of_output = target != picture;
        if of_output && target != output {
            let why = format!(
                "{}x{} pixels are neither those of its picture, {}x{}, nor those of the network's output, {width}x{height}",
                target.0, target.1, picture.0, picture.1
            );
            return Err(DataError::Broken(first.target.clone(), why));
        }
        let Some(to_input) = covered((pre.width, pre.height), output, self.margin) else {
            return refuse(format!(
                "which part of the input, {}x{}, an output of {width}x{height} covers is not known: neither is a multiple of the other",
                pre.width, pre.height
            ));
        };
        Ok(View {
            pre: pre.clone(),
            pixel,
            output,
            to_input,
            of_output,
        })
    }

    /// Colours and the classes that they are.
    fn colours(&self, list: &Path) -> Result<Vec<([u8; 3], u8)>, DataError> {
        let bytes = read(list)?;
        let text = String::from_utf8_lossy(&bytes);
        let mut colours: Vec<([u8; 3], u8)> = Vec::new();
        let rows = text.lines().enumerate();
        let rows = rows.filter(|(_, row)| !row.trim().is_empty() && !row.starts_with('#'));
        let mut counted = 0;
        for (line, row) in rows {
            let broken = |why: String| {
                DataError::Broken(list.to_owned(), format!("line {}: {why}", line + 1))
            };
            let mut words = row.split_whitespace();
            let colour = [(); 3].map(|()| words.next().and_then(|word| word.parse::<u8>().ok()));
            let [Some(r), Some(g), Some(b)] = colour else {
                return Err(broken(format!(
                    "`{row}` is no row of red, green, blue (0 to 255) and perhaps a name: `128 0 0 cat`"
                )));
            };
            let called = words.collect::<Vec<_>>().join(" ");
            let known = self.labels.iter().position(|label| *label == called);
            let class = match (&*called, known) {
                ("-", _) => usize::from(NOTHING),
                (_, Some(class)) => class,
                (name, None) if !name.is_empty() && !self.labels.is_empty() => {
                    return Err(broken(format!(
                        "`{name}` is none of the head's labels `{}`, nor `-`, which counts for nothing",
                        self.labels.join("`, `")
                    )));
                }
                _ => counted,
            };
            counted += usize::from(called != "-");
            if class >= self.output.channels() && called != "-" {
                return Err(broken(format!(
                    "there are more colours than the {} classes of the network",
                    self.output.channels()
                )));
            }
            if colours.iter().any(|(other, _)| *other == [r, g, b]) {
                return Err(broken(format!("the colour {r} {g} {b} is there twice")));
            }
            colours.push(([r, g, b], class as u8));
        }
        Ok(colours)
    }
}

/// From pixels of an output to those of the input that it covers: all of it but for a margin, or its middle, if neither is a multiple of the other.
fn covered(input: (usize, usize), output: (usize, usize), margin: f64) -> Option<Affine> {
    let along = |input: usize, output: usize| {
        let inner = input as f64 - 2.0 * margin;
        if margin > 0.0 || input.is_multiple_of(output) || output.is_multiple_of(input) {
            return Some((inner / output as f64, margin));
        }
        (input > output).then_some((1.0, 0.5 * (input - output) as f64))
    };
    let ((across, left), (down, top)) = (along(input.0, output.0)?, along(input.1, output.1)?);
    Some(Affine::scaled(across, down).then(Affine::moved(left, top)))
}

/// All pairs of two folders.
fn found(images: &Path, targets: &Path) -> Result<Vec<Pair>, DataError> {
    let mut all = Vec::new();
    for (inside, purpose) in Purpose::folders(images) {
        let (images, targets) = (images.join(inside), targets.join(inside));
        if !images.is_dir() || purpose == Purpose::Nothing {
            continue;
        }
        let pictures = |folder: &Path| -> Result<Vec<PathBuf>, DataError> {
            let mut all = entries(folder)?;
            all.retain(|path| !path.is_dir() && is_called_a_picture(path));
            Ok(all)
        };
        let pictures_of = pictures(&images)?;
        if pictures_of.is_empty() {
            continue;
        }
        let mut by_name: BTreeMap<String, PathBuf> = BTreeMap::new();
        for target in pictures(&targets)? {
            if let Some(other) = by_name.insert(stem(&target), target.clone()) {
                let why = format!("{} has the same name", other.display());
                return Err(DataError::Broken(target, why));
            }
        }
        for picture in pictures_of {
            let Some(target) = by_name.remove(&stem(&picture)) else {
                let why = format!("there is no picture of that name in {}", targets.display());
                return Err(DataError::Broken(picture, why));
            };
            all.push(Pair {
                picture,
                target,
                purpose,
            });
        }
        if let Some((_, alone)) = by_name.pop_first() {
            let why = format!("there is no picture of that name in {}", images.display());
            return Err(DataError::Broken(alone, why));
        }
    }
    Ok(all)
}

/// A file's name without its ending.
fn stem(path: &Path) -> String {
    let name = name(path);
    name.rsplit_once('.')
        .map_or(name, |(stem, _)| stem)
        .to_owned()
}
