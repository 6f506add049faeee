//! `cnnc style`: a picture with the content of one and the style of another.

use crate::{Failure, network, outputs, print, signals, threads};
use cnnc::rt::image::Picture;
use cnnc::train::picture::{By, Costs, From, Grams, Size, Style, StyleOptions, curves};
use cnnc::train::side_by_side;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What may be written behind `style`.
#[derive(clap::Args)]
pub struct Args {
    /// The spec of a network that pictures are compared by
    #[arg(value_name = "SPEC", value_parser = network::spec())]
    spec: PathBuf,
    /// Its weights
    #[arg(long, value_name = "FILE")]
    weights: PathBuf,
    /// The picture whose content is kept
    #[arg(value_name = "CONTENT")]
    picture: PathBuf,
    /// The picture whose style is taken
    #[arg(value_name = "STYLE")]
    with: PathBuf,
    /// The picture to be written: .png or .jpg; the sheets of `--each` and `--gram`: .png
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    /// A layer that the content is compared in, several times for several; with `LABEL=W` it weighs W. Without it: what `head style` says, or the last of the style's layers
    #[arg(long, value_name = "LABEL", value_parser = weighted)]
    content: Vec<(String, f64)>,
    /// Layers that the style is compared in; with `LABEL=W` one weighs W of all. Without it: what `head style` says, or five of the labelled layers with at least an eighth of the picture's rows
    #[arg(long, value_name = "LABEL", value_parser = weighted, num_args = 1..)]
    style: Vec<(String, f64)>,
    /// What the content counts
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    alpha: f64,
    /// What the style counts
    #[arg(long, value_name = "X", default_value_t = 1000.0)]
    beta: f64,
    /// What the total variation counts: squares of differences between neighbouring pixels, in levels from 0 to 255
    #[arg(long, value_name = "X", default_value_t = 0.0)]
    tv: f64,
    /// What the picture begins as
    #[arg(long, value_enum, default_value = "content")]
    from: Begin,
    /// Pixels of the longer side, or width and height of both pictures, which are scaled and cut for it
    #[arg(long, value_name = "N|WxH", default_value = "384", value_parser = size)]
    size: Size,
    /// Steps
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    steps: u32,
    /// What makes the steps: Adam, or L-BFGS, which searches for the length of each
    #[arg(long, value_enum, default_value = "adam")]
    optimizer: Optimizer,
    /// Levels, from 0 to 255, by which a pixel moves in Adam's first step; the rate falls like half a cosine. L-BFGS moves none by more in its first trial
    #[arg(long, value_name = "X", default_value_t = 10.0)]
    rate: f64,
    /// Seed of the noise
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Write the picture every N steps too, as OUT-0020.png …
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    every: Option<u32>,
    /// Draw what content and style cost over the steps: .svg or .png
    #[arg(long, value_name = "FILE")]
    curves: Option<PathBuf>,
    /// Make a picture for each of the content's layers by itself, and write them side by side
    #[arg(long, conflicts_with_all = ["every", "curves", "gram"])]
    each: bool,
    /// Draw the Gram matrices of both pictures beside one another, and print how far they are apart, instead of changing anything
    #[arg(long, conflicts_with_all = ["content", "alpha", "beta", "tv", "from", "steps", "optimizer", "rate", "seed", "every", "curves"])]
    gram: bool,
    /// Threads to run on; what comes out is the same for any number [default: every processor, 16 at most]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Begin {
    /// The content picture
    Content,
    /// Noise
    Noise,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Optimizer {
    Adam,
    Lbfgs,
}

/// `LABEL` or `LABEL=W`.
fn weighted(text: &str) -> Result<(String, f64), String> {
    let (label, weight) = text.split_once('=').unwrap_or((text, "1"));
    let weight: Option<f64> = weight.parse().ok();
    match weight.filter(|weight| weight.is_finite() && *weight >= 0.0) {
        Some(weight) => Ok((label.to_owned(), weight)),
        None => Err("a layer is written as LABEL or LABEL=W, with a weight from 0 on".to_owned()),
    }
}

/// `384` or `256x192`.
fn size(text: &str) -> Result<Size, String> {
    let side = |text: &str| text.parse().ok().filter(|side| (1..=4096).contains(side));
    let found = match text.split_once('x') {
        None => side(text).map(Size::Longer),
        Some((width, height)) => side(width)
            .zip(side(height))
            .map(|(width, height)| Size::Exactly(width, height)),
    };
    found.ok_or_else(|| "a size is written like 384 or 256x192, of 1 to 4096 pixels".to_owned())
}

/// Changes the picture.
pub fn run(args: &Args) -> Result<(), Failure> {
    let start = Instant::now();
    let model = cnnc::compile_file(&args.spec)?;
    if !args.json {
        print::diagnostics(model.warnings());
    }
    let written = [&args.out].into_iter().chain(&args.curves);
    let given = [&args.spec, &args.weights, &args.picture, &args.with];
    let read = model.files().iter().chain(given).map(PathBuf::as_path);
    let read: Vec<&Path> = read.collect();
    outputs::apart(written.map(PathBuf::as_path), read.iter().copied())?;
    on_the_way(args, &read)?;
    if !args.each && !args.gram {
        outputs::pictures([args.out.as_path()])?;
    }
    let weights = network::open(&args.weights)?;
    let content = Picture::open(&args.picture)?;
    let style = Picture::open(&args.with)?;
    if args.gram {
        return grams(args, &model, &weights, [&content, &style]);
    }
    let options = options(args);
    if args.each {
        return each(args, &model, &weights, [&content, &style], &options);
    }
    let mut transfer = Style::new(&model, &weights, &content, &style, &options)?;
    let prepared = start.elapsed().as_secs_f64();
    if !args.json {
        print::line(opening(&transfer, &options, prepared))?;
    }
    let first = transfer.last()?;
    steps(args, &mut transfer)?;
    let last = transfer.last()?;
    outputs::picture(&transfer.picture(), &args.out)?;
    if let Some(path) = &args.curves {
        let all: Vec<Costs> = transfer.costs().iter().copied().chain([last]).collect();
        let name = format!(
            "{}: {} in the style of {}",
            model.graph().name,
            name(&args.picture),
            name(&args.with)
        );
        curves(&name, &all, &options).write(path)?;
        print::wrote(path);
    }
    let seconds = start.elapsed().as_secs_f64();
    if args.json {
        return Ok(print::json(&to_json(&transfer, [first, last], seconds))?);
    }
    let taken = transfer.costs().len();
    let each = 1e3 * (seconds - prepared) / taken.max(1) as f64;
    print::line(format_args!(
        "{}\n{} after {taken} steps, {} evaluations ({seconds:.1} s, {} ms a step)",
        table(first, last),
        args.out.display(),
        transfer.evaluations(),
        print::ms(each),
    ))?;
    Ok(())
}

fn options(args: &Args) -> StyleOptions {
    StyleOptions {
        content: args.content.clone(),
        style: args.style.clone(),
        alpha: args.alpha,
        beta: args.beta,
        variation: args.tv,
        from: match args.from {
            Begin::Content => From::Content,
            Begin::Noise => From::Noise,
        },
        size: args.size,
        steps: args.steps as usize,
        by: match args.optimizer {
            Optimizer::Adam => By::Adam,
            Optimizer::Lbfgs => By::Lbfgs,
        },
        rate: args.rate,
        seed: args.seed,
        threads: threads::many(args.threads),
    }
}

/// Refuses pictures on the way that would be written over what is read, or over the curves. They are called differently from one another, and many.
fn on_the_way(args: &Args, read: &[&Path]) -> Result<(), Failure> {
    let Some(every) = args.every else {
        return Ok(());
    };
    for step in (every..=args.steps).step_by(every as usize) {
        let path = numbered(&args.out, step);
        if args.curves.as_ref() == Some(&path) {
            let file = path.display().to_string();
            return Err(Failure::Twice { file });
        }
        if path.exists() {
            outputs::apart([path.as_path()], read.iter().copied())?;
        }
    }
    Ok(())
}

/// Takes all steps, and writes pictures on the way. The first Ctrl-C ends it with the picture as it is.
fn steps(args: &Args, transfer: &mut Style) -> Result<(), Failure> {
    signals::ask();
    let bar = print::progress_of_picture();
    let mut done: u32 = 0;
    while let Some(costs) = transfer.step()? {
        done += 1;
        bar(
            done as usize,
            args.steps as usize,
            costs.content,
            costs.style,
        );
        if args.every.is_some_and(|every| done.is_multiple_of(every)) {
            transfer.picture().write(numbered(&args.out, done))?;
        }
        if signals::asked().is_some() {
            break;
        }
    }
    bar(args.steps as usize, args.steps as usize, 0.0, 0.0);
    Ok(())
}

/// `out-0020.png` beside `out.png`.
fn numbered(out: &Path, step: u32) -> PathBuf {
    let stem = out.file_stem().unwrap_or_default().to_string_lossy();
    let ending = out.extension().unwrap_or("png".as_ref()).to_string_lossy();
    out.with_file_name(format!("{stem}-{step:04}.{ending}"))
}

/// A file's name without its ending.
fn name(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn listed<'l>(layers: impl Iterator<Item = (&'l str, f64)>) -> String {
    let layers = layers.map(|(label, weight)| match weight == 1.0 {
        true => label.to_owned(),
        false => format!("{label}={weight:.3}"),
    });
    layers.collect::<Vec<_>>().join(" ")
}

fn opening(transfer: &Style, options: &StyleOptions, seconds: f64) -> String {
    let [height, width] = transfer.extents();
    let (state, rest) = transfer.bytes();
    let by = match options.by {
        By::Adam => format!("Adam, rate {} falling like half a cosine", options.rate),
        By::Lbfgs => "L-BFGS".to_owned(),
    };
    format!(
        "{width}x{height}, content {}, style {}, alpha {}, beta {}\n{by}; tensors and picture {}, activations and gradients {}; compiled in {seconds:.2} s",
        listed(transfer.content()),
        listed(transfer.style()),
        options.alpha,
        options.beta,
        print::bytes(state),
        print::bytes(rest),
    )
}

/// What each part cost at first and in the end.
fn table(first: Costs, last: Costs) -> comfy_table::Table {
    let mut table = print::table(&["cost", ">first", ">last", ">share"]);
    let mut row = |name: &str, of: fn(&Costs) -> f64| {
        let (first, last) = (of(&first), of(&last));
        let share = if first > 0.0 {
            format!("{:.4}", last / first)
        } else {
            "–".to_owned()
        };
        table.add_row([
            name.to_owned(),
            format!("{first:.4e}"),
            format!("{last:.4e}"),
            share,
        ]);
    };
    row("content", |costs| costs.content);
    row("style", |costs| costs.style);
    row("variation", |costs| costs.variation);
    row("J", |costs| costs.total);
    table
}

fn to_json(transfer: &Style, [first, last]: [Costs; 2], seconds: f64) -> Value {
    let value = |costs: &Costs| json!({ "content": costs.content, "style": costs.style, "variation": costs.variation, "total": costs.total });
    json!({
        "first": value(&first),
        "last": value(&last),
        "steps": transfer.costs().iter().map(value).collect::<Vec<Value>>(),
        "evaluations": transfer.evaluations(),
        "seconds": seconds,
    })
}

/// A picture for each content layer alone.
fn each(
    args: &Args,
    model: &cnnc::Model,
    weights: &cnnc::Weights,
    [content, style]: [&Picture; 2],
    options: &StyleOptions,
) -> Result<(), Failure> {
    let mut pictures = vec![];
    let mut rows = print::table(&["content", ">first", ">last", ">share", ">J last"]);
    let mut found = Vec::new();
    for (label, weight) in &args.content {
        let options = StyleOptions {
            content: vec![(label.clone(), *weight)],
            ..options.clone()
        };
        let mut transfer = Style::new(model, weights, content, style, &options)?;
        let first = transfer.last()?;
        steps(args, &mut transfer)?;
        let last = transfer.last()?;
        let share = if first.content > 0.0 {
            format!("{:.4}", last.content / first.content)
        } else {
            "–".to_owned()
        };
        rows.add_row([
            label.clone(),
            format!("{:.4e}", first.content),
            format!("{:.4e}", last.content),
            share.clone(),
            format!("{:.4e}", last.total),
        ]);
        found.push(json!({ "content": label, "first": first.content, "last": last.content, "total": last.total }));
        let said = match first.content > 0.0 {
            true => format!(
                "{:.1} % of its first cost",
                100.0 * last.content / first.content
            ),
            false => format!("cost {:.3e}", last.content),
        };
        pictures.push((label.clone(), said, transfer.picture()));
    }
    if pictures.is_empty() {
        return Err(cnnc::train::TrainError::Recipe(
            "`--each` takes the layers that `--content` names, several times for several"
                .to_owned(),
        )
        .into());
    }
    side_by_side(&pictures).write(&args.out)?;
    print::wrote(&args.out);
    match args.json {
        true => print::json(&json!(found))?,
        false => print::line(format_args!("{rows}\n{}", args.out.display()))?,
    }
    Ok(())
}

/// The Gram matrices of both pictures.
fn grams(
    args: &Args,
    model: &cnnc::Model,
    weights: &cnnc::Weights,
    pictures: [&Picture; 2],
) -> Result<(), Failure> {
    if let Some((label, weight)) = args.style.iter().find(|(_, weight)| *weight != 1.0) {
        return Err(cnnc::train::TrainError::Recipe(format!(
            "`--gram` compares all layers alike: `--style {label}={weight}` is written `--style {label}` there"
        ))
        .into());
    }
    let labels: Vec<String> = args.style.iter().map(|(label, _)| label.clone()).collect();
    let grams = Grams::of(
        model,
        weights,
        pictures,
        &labels,
        args.size,
        threads::many(args.threads),
    )?;
    let names = [name(&args.picture), name(&args.with)];
    grams.sheet([&names[0], &names[1]]).write(&args.out)?;
    print::wrote(&args.out);
    if args.json {
        let layers = grams.layers.iter().map(|layer| json!({ "layer": layer.label, "channels": layer.channels, "distance": layer.distance(), "apart": layer.apart() }));
        let layers: Vec<Value> = layers.collect();
        return Ok(print::json(
            &json!({ "distance": grams.distance(), "layers": layers }),
        )?);
    }
    let mut table = print::table(&["layer", ">channels", ">distance", ">apart"]);
    for layer in &grams.layers {
        table.add_row([
            layer.label.clone(),
            layer.channels.to_string(),
            format!("{:.4e}", layer.distance()),
            format!("{:.4}", layer.apart()),
        ]);
    }
    print::line(format_args!(
        "{table}\nstyle distance {:.4e}\n{}",
        grams.distance(),
        args.out.display()
    ))?;
    Ok(())
}
