//! `cnnc train`: a network learns from labelled samples.

mod lacks;
mod recipe;
mod samples;
mod tuning;

use crate::{Failure, network, outputs, print, signals};
use cnnc::train::{
    Augmenter, Data, Draw, Epoch, Gathered, Loader, Measure, Memory, Recipe, Run, TrainError,
};
use lacks::{Lacks, lacking};
use recipe::{Flags, written};
use samples::{first_batch, source_of};
use serde_json::{Value, json};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What may be written behind `train`.
#[derive(clap::Args)]
pub struct Args {
    /// The spec of a network, or its name in the zoo
    #[arg(value_name = "SPEC", required_unless_present = "resume", value_parser = network::spec())]
    spec: Option<PathBuf>,
    /// What it learns from, instead of what the section says: idx files, strips of pictures with a list of labels, a folder of pictures, sounds or arrays for each class,
    /// pictures with masks or targets, sounds called CLASS_….wav, a .csv, .ts or .npz file
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    /// What it is judged by, instead of the test set that is there or a fifth of all: another path of that kind, or a text file with the samples that judge, one a line
    #[arg(long, value_name = "PATH")]
    test: Option<PathBuf>,
    /// Go on with the run in this folder, as if it had never stopped; nothing else is needed
    #[arg(long, value_name = "RUN", conflicts_with_all = ["spec", "data", "test", "epochs", "batch", "rate", "decay", "smoothing", "optimizer", "seed", "init", "name", "dry", "overfit", "limit", "show_batch", "memory"])]
    resume: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
    /// Folder of all runs
    #[arg(long, value_name = "DIR", default_value = "runs")]
    runs: PathBuf,
    /// Name of the run's folder, instead of the model's with a number
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Learn only the first N samples, as they are, and be judged by them: the loss must come close to 0
    #[arg(long, value_name = "N")]
    overfit: Option<NonZeroUsize>,
    /// Learn from N samples only, of each class as many as there are; those that judge stay
    #[arg(long, value_name = "N")]
    limit: Option<NonZeroUsize>,
    /// MiB of memory that pictures may take, instead of half of what is free; where they need more, they are read each time that they are needed
    #[arg(long, value_name = "MIB")]
    memory: Option<usize>,
    /// Draw the first batch as it is learned, with its labels, as .png or .jpg (series also as .svg), and go on; with `--dry` it is drawn as MODEL-batch.png anyway
    #[arg(long, value_name = "FILE")]
    show_batch: Option<PathBuf>,
    /// Say what a run would take, train five steps, and draw the first batch; there is no run
    #[arg(long)]
    dry: bool,
    /// With `--dry`: list what each part of a step takes
    #[arg(long, requires = "dry")]
    layers: bool,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// Trains, and says where the weights are.
pub fn run(args: &Args) -> Result<(), Failure> {
    let start = Instant::now();
    let mut source = "as the run began".to_owned();
    let mut lacks = None;
    let mut run = match (&args.resume, &args.spec) {
        (Some(folder), _) => Run::resume(folder, args.flags.threads())?,
        (None, Some(spec)) => {
            let model = cnnc::compile_file(spec)?;
            if !args.json {
                print::diagnostics(model.warnings());
            }
            let mut recipe = args.flags.recipe(&model);
            source = args.flags.source(&model);
            let from = source_of(args.data.as_deref(), args.test.as_deref(), &model, spec)?;
            let most = args.memory.map(|mib| mib.saturating_mul(1 << 20));
            let mut data = Data::within(&from, model.graph(), most)?;
            let shown = args.show_batch.clone().or_else(|| {
                let name = model.graph().name.to_lowercase();
                let file = PathBuf::from(format!("{name}-batch.png"));
                args.dry.then_some(file)
            });
            if let Some(file) = &shown {
                let init = recipe.tuning.init.iter().map(|init| &init.file);
                let given = model.files().iter().chain([spec]).chain(init);
                outputs::apart([file.as_path()], given.map(PathBuf::as_path))?;
                let places = std::iter::once(&from.path).chain(&from.test);
                let places: Vec<&Path> = places.map(PathBuf::as_path).collect();
                outputs::apart_from_samples([file.as_path()], &data, &places)?;
                outputs::sheets([file.as_path()], false)?;
            }
            if !args.json {
                print::skipped(&data.skipped);
                print::broken(&data.broken);
            }
            lacks = lacking(&model, &data);
            if let (false, Some(lacks)) = (args.json, &lacks) {
                print::warning(lacks.warning());
            }
            if let Some(count) = args.limit {
                data.limit(count.get());
            }
            if let Some(count) = args.overfit {
                data.overfit(count.get());
                // What changes each time is not learned by heart.
                recipe.augment = None;
            }
            if let Some(file) = &shown {
                match first_batch(&recipe, &model, &data) {
                    Ok(sheet) => match sheet.write(file) {
                        Ok(()) => print::wrote(file),
                        // Nobody asked for it.
                        Err(error) if args.show_batch.is_none() => print::warning(error),
                        Err(error) => return Err(error.into()),
                    },
                    // Numbers of other things than pictures and series have no look.
                    Err(_) if args.show_batch.is_none() => {}
                    Err(error) => return Err(error),
                }
            }
            if args.dry {
                let odd = data.odd_boxes(&model, &recipe)?;
                if !args.json {
                    odd.iter().for_each(print::warning);
                }
                return dry(args, &model, spec, &recipe, &source, &data, start);
            }
            let name = args.name.as_deref();
            let run = Run::begin(model, spec, &recipe, data, &args.runs, name)?;
            if !args.json {
                run.odd().iter().for_each(print::warning);
            }
            run
        }
        _ => unreachable!("clap asks for them"),
    };
    if !args.json {
        print::line(opening(&run, &source))?;
    }
    signals::ask();
    let mut bar = print::progress_of_steps(run.recipe().batch);
    while !run.is_done() {
        let number = run.epochs().len() + 1;
        let epoch = run.epoch(|done, all, loss| {
            bar(number, done, all, loss);
            signals::asked().is_none()
        });
        let epoch = epoch.map_err(|error| ended(error, &run))?;
        if let Some(epoch) = epoch.filter(|_| !args.json) {
            print::line(row(&epoch, run.measure(), run.drawn()))?;
            if let Some(trouble) = run.trouble() {
                print::warning(trouble);
            }
        }
        if let Some(signal) = signals::asked().filter(|_| !run.is_done()) {
            let folder = run.folder().to_owned();
            return Err(Failure::Stopped { signal, folder });
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    match args.json {
        true => print::json(&to_json(&run, lacks.as_ref(), seconds))?,
        false => print::line(closing(&run, seconds))?,
    }
    Ok(())
}

/// Why a run has ended in the middle. With a loss that is not a number it would not go on in another way.
fn ended(error: TrainError, run: &Run) -> Failure {
    match error {
        error @ TrainError::NotFinite { .. } => error.into(),
        error => Failure::Ended {
            error: Box::new(error),
            folder: run.folder().to_owned(),
        },
    }
}

/// What is trained, on what, and how.
fn opening(run: &Run, source: &str) -> String {
    let (recipe, data) = (run.recipe(), run.data());
    format!(
        "{} samples, {} to be judged by ({}, {}{})\n{source}\n{}\n{}{}{}\n{}",
        data.train.len(),
        data.test.len(),
        data.kind,
        taken(data),
        gathered(recipe, data),
        written(recipe, run.trainer().loss()),
        tuning::written(recipe),
        tuning::front(run),
        memory(run.trainer().bytes()),
        print::heading(&format!(
            "epoch     rate     loss  training     test{}   samples/s",
            if run.trainer().score().names() {
                "    named"
            } else {
                ""
            }
        )),
    )
}

/// How samples come together, where they do.
fn gathered(recipe: &Recipe, data: &Data) -> String {
    match data.train.gathered() {
        Gathered::Each => String::new(),
        Gathered::Pairs => format!("; in pairs, {} % alike", 100.0 * recipe.alike),
        Gathered::Identities => format!("; {} of each identity in a batch", recipe.each),
    }
}

/// `parameters 240.0 KiB, optimiser 240.0 KiB, activations and gradients 3.1 MiB`
fn memory(bytes: Memory) -> String {
    format!(
        "parameters {}, optimiser {}, activations and gradients {}",
        print::bytes(bytes.parameters),
        print::bytes(bytes.optimizer),
        print::bytes(bytes.step)
    )
}

/// What samples take of memory.
fn taken(data: &Data) -> String {
    match data.are_in_files() {
        true => "read when they are needed".to_owned(),
        false => print::bytes(data.bytes()),
    }
}

fn row(epoch: &Epoch, measure: Measure, samples: usize) -> String {
    format!(
        "{:>5} {:>8.5} {:>8.4} {:>9} {:>8}{} {:>11.0}",
        epoch.number,
        epoch.rate,
        epoch.loss,
        epoch
            .train
            .map_or_else(|| "–".to_owned(), |train| measure.show(train)),
        measure.show(epoch.test),
        epoch
            .named
            .map_or_else(String::new, |named| format!(" {:>8}", percent(named))),
        samples as f64 / epoch.seconds
    )
}

fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

fn closing(run: &Run, seconds: f64) -> String {
    let best = run.best().map_or(String::new(), |best| {
        format!(
            "best: epoch {}, {} {} of the test samples{}\n",
            best.number,
            run.measure().name().replace('_', " "),
            run.measure().show(best.test),
            best.named.map_or_else(String::new, |named| format!(
                ", {} named right",
                percent(named)
            ))
        )
    });
    let weights = run.folder().join("weights.safetensors");
    format!(
        "{}{best}{} ({seconds:.1} s)",
        tuning::stuck(run),
        weights.display()
    )
}

fn to_json(run: &Run, lacks: Option<&Lacks>, seconds: f64) -> Value {
    let epochs = run.epochs().iter();
    let epochs = epochs.map(|epoch| epoch.to_json(run.measure().name()));
    let mut json = json!({
        "run": run.folder().display().to_string(),
        "epochs": epochs.collect::<Vec<Value>>(),
        "seconds": seconds,
    });
    if let Some(lacks) = lacks {
        json["without_samples"] = json!(lacks.labels);
    }
    json
}

/// Trains a few steps, and says what they took.
fn dry(
    args: &Args,
    model: &cnnc::Model,
    spec: &Path,
    recipe: &Recipe,
    source: &str,
    data: &Data,
    start: Instant,
) -> Result<(), Failure> {
    const STEPS: u32 = 5;
    /// Steps that are timed at most, once those told of are done, and the time after which none begins.
    const MORE: u32 = 200;
    const ENOUGH: Duration = Duration::from_millis(250);
    let mut trainer = cnnc::train::Trainer::new(model, recipe)?;
    trainer.check(&data.train)?;
    trainer.check(&data.test)?;
    let draw = Draw::of(recipe, &data.train)?;
    let samples = match data.train.gathered() {
        Gathered::Each => (0..recipe.batch as u32).collect(),
        _ => draw.order(recipe.seed, 1),
    };
    let samples = &samples[..recipe.batch * data.train.together()];
    let ready = trainer.prepare(recipe.batch);
    ready.map_err(|error| error.placed(spec))?;
    let prepared = start.elapsed();
    let augment = recipe.augment.as_ref();
    let augmenter = augment.map(|augment| Augmenter::new(augment, recipe.seed, model.graph()));
    let augmenter = augmenter.transpose()?;
    let loader = Loader {
        samples: &data.train,
        augmenter: augmenter.as_ref(),
        epoch: 1,
        batch: recipe.batch,
    };
    let batch = loader.batch(samples)?;
    let (mut losses, mut times) = (Vec::new(), Vec::new());
    let all = Instant::now();
    for step in 0..MORE {
        let rate = recipe.rate_of(step.min(STEPS - 1).into(), u64::from(STEPS));
        let begun = Instant::now();
        let done = trainer.step_targets(&batch.inputs, batch.targets(), rate);
        times.push(begun.elapsed());
        if step < STEPS {
            losses.push(done?.loss);
        } else if done.is_err() || all.elapsed() > ENOUGH {
            break;
        }
    }
    // The first steps find memory that nobody has touched, and a step of milliseconds is as fast as its neighbours let it be.
    let each = times.iter().min().copied().unwrap_or_default();
    let bytes = trainer.bytes();
    let batches = draw.len().div_ceil(recipe.batch);
    let steps = batches.saturating_mul(recipe.epochs);
    if args.json {
        return Ok(print::json(&json!({
            "samples": data.train.len(), "test_samples": data.test.len(), "steps": steps, "seconds_per_step": each.as_secs_f64(),
            "parameter_bytes": bytes.parameters, "optimizer_bytes": bytes.optimizer, "state_bytes": bytes.parameters + bytes.optimizer, "step_bytes": bytes.step, "losses": losses,
        }))?);
    }
    let (first, last) = (losses[0], losses[losses.len() - 1]);
    print::line(format_args!(
        "{} samples, {} to be judged by ({}, {}{}); read and compiled in {:.1} s\n{source}\n{}: {steps} steps\n{}\
         {}\n\
         {:.2} ms a step, {:.0} samples/s, so a run takes {:.0} s; loss of the first batch {first:.4} → {last:.4} in {STEPS} steps, the fastest of {} counts",
        data.train.len(),
        data.test.len(),
        data.kind,
        taken(data),
        gathered(recipe, data),
        prepared.as_secs_f64(),
        written(recipe, trainer.loss()),
        tuning::written(recipe),
        memory(bytes),
        1e3 * each.as_secs_f64(),
        recipe.batch as f64 / each.as_secs_f64(),
        each.as_secs_f64() * steps as f64,
        times.len(),
    ))?;
    if args.layers {
        print::line(parts(&mut trainer, recipe.batch)?)?;
    }
    Ok(())
}

/// A table of a step's parts, each the least of several times.
fn parts(
    trainer: &mut cnnc::train::Trainer,
    samples: usize,
) -> Result<comfy_table::Table, Failure> {
    const ROUNDS: usize = 7;
    let mut least = trainer.profile(samples)?;
    for _ in 1..ROUNDS {
        for (known, (_, time)) in least.iter_mut().zip(trainer.profile(samples)?) {
            known.1 = known.1.min(time);
        }
    }
    let all: f64 = least.iter().map(|(_, time)| time.as_secs_f64()).sum();
    let mut table = print::table(&["part", ">ms", ">share"]);
    for (name, time) in least {
        let seconds = time.as_secs_f64();
        table.add_row([
            name,
            print::ms(1e3 * seconds),
            format!("{:.1} %", 100.0 * seconds / all),
        ]);
    }
    Ok(table)
}
