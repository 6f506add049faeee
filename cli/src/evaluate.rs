//! `cnnc evaluate`: how well a classifier, or a network that finds boxes, compares faces or answers for each pixel, does on labelled pictures, and whether that is what its spec expects.

use crate::classified::{self, Classified};
use crate::goals::Goals;
use crate::pixels::Judged;
use crate::places::{self, Placed};
use crate::precision::Found;
use crate::{Failure, likeness, network, one_shot, outputs, print, threads, windows};
use cnnc::train::{
    Annotations, Data, Gathered, Judgement, Recipe, Targeted, Whereabouts, contact_sheet, found,
    found_in_regions, matrix, precision_recall, scored, takes_regions, target_sheet,
};
use cnnc::{Model, Weights};
use std::path::PathBuf;
use std::time::Instant;

/// What may be written behind `evaluate`.
#[derive(clap::Args)]
pub struct Args {
    /// The spec of a network, `-` for its text on standard input, or its name in the zoo
    #[arg(value_name = "SPEC", value_parser = network::spec())]
    spec: PathBuf,
    /// Its weights
    #[arg(long, value_name = "FILE")]
    weights: PathBuf,
    /// Folder of labelled pictures: its test set if it has one, else all of them. Without it, the folder that the spec's `expect { accuracy … on … }` names
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Text file with the samples, or folders of samples, of the data that judge, one a line
    #[arg(long, value_name = "FILE", conflicts_with = "one_shot")]
    test: Option<PathBuf>,
    /// Folder of one-shot runs, as Omniglot's come: a network that compares says which of the known pictures is of the class of each that is asked
    #[arg(long, value_name = "DIR", conflicts_with_all = ["data", "out", "show_targets"])]
    one_shot: Option<PathBuf>,
    /// Draw the confusion matrix, the curves of a network that compares or, of one that finds boxes, the curves of precision over recall: .svg, .png or .jpg
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Draw the pictures that it is most wrong about, or the hardest triplets of a network that compares: .png or .jpg
    #[arg(long, value_name = "FILE")]
    worst: Option<PathBuf>,
    /// Draw pictures of the first batch with the grid, the boxes that are there, and the cells and anchors that answer for them: .png or .jpg
    #[arg(long, value_name = "FILE")]
    show_targets: Option<PathBuf>,
    /// Judge a classifier by the boxes that its windows find in pictures with boxes
    #[arg(long, conflicts_with_all = ["out", "worst", "show_targets"])]
    slide: bool,
    #[command(flatten)]
    windows: windows::Args,
    #[command(flatten)]
    finding: windows::Finding,
    /// Threads to run on; what comes out is the same for any number [default: every processor, 16 at most]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// How many of the worst pictures are kept.
const WORST: usize = 25;
/// Most pictures that are drawn with what is learned of them.
const TARGETS: usize = 16;

/// Judges the network, draws what is asked for, and holds it against what is expected.
pub fn run(args: &Args) -> Result<(), Failure> {
    let start = Instant::now();
    let model = crate::spec::compile(&args.spec)?;
    if !args.json {
        print::diagnostics(model.warnings());
    }
    if let Some(folder) = &args.one_shot {
        return one_shot::run(&one_shot::Asked {
            model: &model,
            weights: &args.weights,
            folder,
            worst: args.worst.as_deref(),
            spec: &args.spec,
            threads: threads::many(args.threads),
            json: args.json,
        });
    }
    let named = model.goals().iter().find_map(|goal| goal.on.clone());
    let Some(folder) = args.data.clone().or(named) else {
        return Err(Failure::NoData);
    };
    let written = || {
        [&args.out, &args.worst, &args.show_targets]
            .into_iter()
            .flatten()
            .map(PathBuf::as_path)
    };
    let given = [&args.spec, &args.weights].into_iter().chain(&args.test);
    let read = model.files().iter().chain(given);
    outputs::apart(written(), read.map(PathBuf::as_path))?;
    let weights = Weights::open(&args.weights).map_err(cnnc::Error::from)?;
    if args.slide {
        let judge = windows::Judge {
            folder: &folder,
            windows: &args.windows,
            finding: &args.finding,
            threads: threads::many(args.threads),
            json: args.json,
        };
        return judge.show(&model, &weights, start);
    }
    if takes_regions(model.graph()).is_some() {
        without_targets(args)?;
        if written().next().is_some() {
            return Err(Failure::NothingDrawn);
        }
        let data = Annotations::open(&folder)?;
        print::broken(&data.left_out);
        let pictures = data.to_judge();
        let threads = threads::many(args.threads);
        let (precision, broken) = found_in_regions(&model, &weights, &pictures, threads)?;
        print::broken(&broken);
        let count = pictures.len() - broken.len();
        let found = Found {
            precision: &precision,
            labels: &labels(&model, precision.classes()),
            kind: &format!("{count} pictures, all proposed regions"),
            broken: &[data.left_out, broken].concat(),
            seconds: start.elapsed().as_secs_f64(),
        };
        return found.show(args.json);
    }
    let source = model.recipe().and_then(|recipe| recipe.data.as_ref());
    let columns = source.map_or(&[][..], |source| &source.columns);
    let data = Data::judged_by(&folder, columns, args.test.as_deref(), model.graph())?;
    outputs::apart_from_samples(written(), &data, &[&folder])?;
    outputs::sheets(args.out.as_deref(), false)?;
    outputs::sheets(args.worst.as_deref(), true)?;
    outputs::sheets(args.show_targets.as_deref(), true)?;
    if !args.json {
        print::skipped(&data.skipped);
    }
    // Figures are of the others.
    print::broken(&data.broken);
    let recipe = Recipe {
        threads: threads::many(args.threads),
        loss: Recipe::of(&model).loss,
        ..Recipe::default()
    };
    if data.test.gathered() != Gathered::Each {
        without_targets(args)?;
        return likeness::show(&likeness::Judged {
            model: &model,
            weights: &weights,
            data: &data,
            folder: &folder,
            out: args.out.as_deref(),
            worst: args.worst.as_deref(),
            threads: threads::many(args.threads),
            json: args.json,
            start,
        });
    }
    let detects = model
        .graph()
        .head
        .as_ref()
        .is_some_and(|head| head.decl.detects);
    if let Some(path) = &args.show_targets {
        let recipe = Recipe::of(&model);
        let most = recipe.batch.min(TARGETS);
        let drawn = target_sheet(&model, &weights, &data.test, &recipe, most)?;
        drawn.sheet.write(path)?;
        print::wrote(path);
        if !args.json {
            print::line(targets(&drawn))?;
        }
    }
    if let Some(found) = Whereabouts::of(&model, &weights, &data.test, &recipe, WORST)? {
        let (out, worst) = (args.out.as_deref(), args.worst.as_deref());
        places::draw(&model, &found, &data, out, worst)?;
        let goals = Goals::of(&model, &folder, found.accuracy());
        let names = found.located.names();
        let named = found.named.as_ref();
        let placed = Placed {
            model: &model,
            found: &found,
            data: &data,
            goals: &goals,
            named: named.map(|named| classified::text(named, &names, &|_| String::new())),
            seconds: start.elapsed().as_secs_f64(),
        };
        placed.show(args.json)?;
        return goals.met();
    }
    let classifies = !detects && data.test.labels_each() == 1;
    if !classifies && (args.worst.is_some() || (args.out.is_some() && !detects)) {
        return Err(Failure::NothingDrawn);
    }
    if detects {
        let precision = found(&model, &weights, &data.test, &recipe)?;
        let labels = labels(&model, precision.classes());
        if let Some(path) = &args.out {
            precision_recall(&model.graph().name, &precision, &labels).write(path)?;
            print::wrote(path);
        }
        let found = Found {
            precision: &precision,
            labels: &labels,
            kind: &data.kind,
            broken: &data.broken,
            seconds: start.elapsed().as_secs_f64(),
        };
        return found.show(args.json);
    }
    if data.test.labels_each() != 1 {
        let recipe = Recipe {
            threads: threads::many(args.threads),
            ..Recipe::of(&model)
        };
        let score = scored(&model, &weights, &data.test, &recipe)?;
        let goals = Goals::of(&model, &folder, score.share());
        let judged = Judged {
            model: &model,
            score: &score,
            samples: data.test.len(),
            kind: &data.kind,
            broken: &data.broken,
            goals: &goals,
            seconds: start.elapsed().as_secs_f64(),
        };
        judged.show(args.json)?;
        return goals.met();
    }
    let judgement = Judgement::of(&model, &weights, &data.test, &recipe, WORST)?;
    print::broken(&judgement.broken);
    let name = |sample: usize| match data.test.name(sample) {
        Some(name) => name.to_owned(),
        None => format!("sample {sample}"),
    };
    let labels = labels(&model, judgement.confusion.len());
    if let Some(path) = &args.out {
        matrix(&model.graph().name, &judgement, &labels).write(path)?;
        print::wrote(path);
    }
    if let Some(path) = &args.worst
        && let Some(pre) = model.graph().inputs[0].pre.as_ref()
    {
        contact_sheet(&judgement, &labels, pre, &data.test, name)?.write(path)?;
        print::wrote(path);
    }
    let goals = Goals::of(&model, &folder, Some(judgement.accuracy()));
    let seconds = start.elapsed().as_secs_f64();
    let judged = Classified {
        judgement: &judgement,
        labels: &labels,
        name: &name,
        kind: &data.kind,
        broken: &[&data.broken[..], &judgement.broken].concat(),
        goals: &goals,
        seconds,
    };
    judged.show(args.json)?;
    goals.met()
}

/// Refuses to draw targets of a network that has no places that answer for boxes.
fn without_targets(args: &Args) -> Result<(), Failure> {
    let why = "targets are those of networks with `head boxes`, `yolo1`, `yolo2` or `yolo3`";
    match args.show_targets {
        Some(_) => Err(Failure::NotShown {
            flag: "--show-targets",
            why,
        }),
        None => Ok(()),
    }
}

/// What is drawn of targets.
fn targets(drawn: &Targeted) -> String {
    let lost = match drawn.lost {
        0 => String::new(),
        lost => format!(
            ", {lost} of which share a place with another, so that nothing is learned of them"
        ),
    };
    format!(
        "targets of {} pictures with {} boxes{lost}",
        drawn.pictures, drawn.boxes
    )
}

fn labels(model: &Model, classes: usize) -> Vec<String> {
    let head = model.head();
    let label = |class: usize| match head.labels.get(class) {
        Some(label) => label.to_string(),
        None => class.to_string(),
    };
    (0..classes).map(label).collect()
}
