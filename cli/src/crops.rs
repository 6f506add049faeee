//! `cnnc crops`: close crops of objects and of backgrounds, a folder for each class, as a classifier of windows learns from them.

use crate::{Failure, outputs, print};
use cnnc::sliding::BACKGROUND;
use cnnc::train::{Annotation, Annotations, Crops, TrainError};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

/// What may be written behind `crops`.
#[derive(clap::Args)]
pub struct Args {
    /// Folder of pictures with boxes: VOC's XML or YOLO's rows
    #[arg(value_name = "DATA")]
    data: PathBuf,
    /// Folder to make: `train` and `val` in it have a folder for each class, and one for `background`, of PNG files
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    /// A class of objects; may be given several times [default: all that there are]
    #[arg(long, value_name = "LABEL")]
    class: Vec<String>,
    /// Columns and rows of a crop
    #[arg(long, default_value_t = 48, value_name = "N", value_parser = clap::value_parser!(u16).range(4..=1024))]
    size: u16,
    /// Crops of each box, moved and scaled a little
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    each: u16,
    /// Crops of the background of each picture
    #[arg(long, default_value_t = 30, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    background: u16,
    /// Where chance begins
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// Cuts them out, and says how many there are of each class.
pub fn run(args: &Args) -> Result<(), Failure> {
    outputs::folder("--out", &args.out)?;
    let data = Annotations::open(&args.data)?;
    let known = data.labels();
    let mut classes: Vec<String> = Vec::new();
    let wanted = match args.class.is_empty() {
        true => &known,
        false => &args.class,
    };
    for label in wanted {
        if !classes.contains(label) {
            classes.push(label.clone());
        }
    }
    for label in &classes {
        if !known.contains(label) {
            return Err(Failure::NoLabel {
                label: label.clone(),
                labels: known,
            });
        }
        let mut parts = Path::new(label).components();
        let one = matches!(parts.next(), Some(Component::Normal(_))) && parts.next().is_none();
        if !one || label.contains(['/', '\\']) || label == BACKGROUND {
            return Err(Failure::LabelOfFolder(label.clone()));
        }
    }
    if args.out.exists() {
        return Err(Failure::Exists(args.out.clone()));
    }
    if !args.json {
        print::broken(&data.left_out);
    }
    let crops = Crops {
        classes,
        size: args.size.into(),
        each: args.each.into(),
        background: args.background.into(),
        seed: args.seed,
    };
    // What is there is all of it.
    let name = args.out.file_name().unwrap_or_default().to_string_lossy();
    let name = format!(".{name}.{}", std::process::id());
    let partial = args.out.with_file_name(name);
    let written = write_all(&data, &crops, &partial).and_then(|counts| {
        let renamed = std::fs::rename(&partial, &args.out);
        renamed.map_err(|error| TrainError::File(args.out.clone(), error))?;
        Ok(counts)
    });
    if written.is_err() {
        let _ = std::fs::remove_dir_all(&partial);
    }
    let counts = written?;
    let count = |set, label| counts.get(&(set, label)).copied().unwrap_or(0);
    let labels = [BACKGROUND]
        .into_iter()
        .chain(crops.classes.iter().map(String::as_str));
    if args.json {
        let rows = labels.map(|label| {
            json!({ "class": label, "train": count("train", label), "val": count("val", label) })
        });
        let rows: Vec<_> = rows.collect();
        return Ok(print::json(
            &json!({ "size": args.size, "seed": args.seed, "classes": rows }),
        )?);
    }
    let mut table = print::table(&["class", ">train", ">val"]);
    let quoted: Vec<String> = labels.clone().map(|label| format!("{label:?}")).collect();
    for label in labels {
        let of = |set| count(set, label).to_string();
        table.add_row([label.to_owned(), of("train"), of("val")]);
    }
    let out = args.out.display();
    print::line(format_args!(
        "{}\nhead classify {{ labels [{}] }}\nnext: cnnc train SPEC --data {out}/train --test {out}/val",
        table.trim_fmt(),
        quoted.join(", ")
    ))?;
    Ok(())
}

/// How many crops there are of each set and label.
type Counts<'c> = BTreeMap<(&'static str, &'c str), usize>;

/// Writes the crops of all pictures.
fn write_all<'c>(data: &Annotations, crops: &'c Crops, to: &Path) -> Result<Counts<'c>, Failure> {
    let folder = |error| TrainError::File(to.to_owned(), error);
    std::fs::create_dir_all(to).map_err(folder)?;
    let mut counts = Counts::new();
    let mut stems = BTreeSet::new();
    for of in &data.pictures {
        let set = if of.judges { "val" } else { "train" };
        let stem = of.picture.file_stem().unwrap_or_default();
        let stem = stem.to_string_lossy().into_owned();
        // Pictures of other folders or endings may be called alike.
        let mut unique = stem.clone();
        let mut number = 2;
        while !stems.insert((set, unique.clone())) {
            unique = format!("{stem}~{number}");
            number += 1;
        }
        for label in write(of, crops, &to.join(set), &unique)? {
            *counts.entry((set, label)).or_default() += 1;
        }
    }
    Ok(counts)
}

/// Writes the crops of a picture, whose names begin with that of the picture; gives the label of each.
fn write<'c>(
    of: &Annotation,
    crops: &'c Crops,
    to: &Path,
    stem: &str,
) -> Result<Vec<&'c str>, Failure> {
    let name = of.picture.display().to_string();
    let picture = of.open()?;
    let mut labels = Vec::new();
    let places = crops.places(of, picture.width(), picture.height());
    for (index, place) in places.iter().enumerate() {
        let label = place
            .class
            .map_or(BACKGROUND, |class| &crops.classes[class]);
        let folder = to.join(label);
        std::fs::create_dir_all(&folder)
            .map_err(|error| TrainError::File(folder.clone(), error))?;
        let file = folder.join(format!("{stem}-{index:03}.png"));
        place.cut(&picture, crops.size, &name)?.write_png(file)?;
        labels.push(label);
    }
    Ok(labels)
}
