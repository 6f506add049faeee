//! How a network is trained: flags, before what its `train` section says, before the defaults.

use crate::threads;
use cnnc::train::{
    Augment, Clip, Init, Loss, Method, Optimizer, Recipe, Schedule, as_written, usual,
};
use std::path::PathBuf;

/// Flags that stand for clauses of a `train` section.
#[derive(clap::Args)]
pub struct Flags {
    /// How often all samples are seen
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Samples of a step
    #[arg(long, value_name = "N")]
    batch: Option<usize>,
    /// The rate, once it has warmed up
    #[arg(long, value_name = "R")]
    rate: Option<f64>,
    /// The optimiser; another one than the section's comes with a rate of its own
    #[arg(long, value_name = "NAME", value_parser = Method::NAMES)]
    optimizer: Option<String>,
    /// Decay of weights; biases and norms do not decay
    #[arg(long, value_name = "D")]
    decay: Option<f64>,
    /// Share of each label that is spread over all classes
    #[arg(long, value_name = "S")]
    smoothing: Option<f64>,
    /// Number that all random numbers are made of
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Weights that tensors begin with; what the section's `init` leaves to chance begins at random all the same
    #[arg(long, value_name = "FILE")]
    init: Option<PathBuf>,
    /// Threads to run on, in place of those of the section; the weights are the same for any number [default: every processor, 16 at most; of a resumed run as many as it began with]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

impl Flags {
    /// Threads, if they are given.
    pub fn threads(&self) -> Option<usize> {
        self.threads.map(usize::from)
    }

    /// How the model is trained.
    pub fn recipe(&self, model: &cnnc::Model) -> Recipe {
        let mut section = model.recipe().cloned().unwrap_or_default();
        let before = section.optimizer.as_ref();
        let before = before.map_or(Method::Sgd, |optimizer| optimizer.method);
        let method = self.optimizer.as_deref().and_then(Method::find);
        if let Some(method) = method.filter(|method| *method != before) {
            // A rate is one for its optimiser.
            section.rate = None;
            section.optimizer = Some(usual(method));
        }
        if let Some(decay) = self.decay {
            let optimizer = section.optimizer.get_or_insert_with(|| usual(before));
            optimizer.decay = decay;
        }
        section.rate = self.rate.or(section.rate);
        section.batch = self.batch.or(section.batch);
        section.epochs = self.epochs.or(section.epochs);
        if let Some(smoothing) = self.smoothing {
            let loss = section.loss.get_or_insert(Loss::new("cross_entropy"));
            loss.set("smooth", smoothing);
        }
        section.seed = self.seed.or(section.seed);
        if let Some(file) = &self.init {
            let before = section.tuning.init.take();
            section.tuning.init = Some(Init {
                file: file.clone(),
                except: before.map_or_else(Vec::new, |init| init.except),
            });
        }
        let mut recipe = Recipe::from(&section);
        recipe.threads = match (self.threads, section.threads) {
            (None, Some(threads)) => threads,
            (given, _) => threads::many(given),
        };
        recipe
    }

    /// Where the recipe comes from: `as the train section says, but for --rate`.
    pub fn source(&self, model: &cnnc::Model) -> String {
        let flags = [
            ("--epochs", self.epochs.is_some()),
            ("--batch", self.batch.is_some()),
            ("--rate", self.rate.is_some()),
            ("--optimizer", self.optimizer.is_some()),
            ("--decay", self.decay.is_some()),
            ("--smoothing", self.smoothing.is_some()),
            ("--seed", self.seed.is_some()),
            ("--init", self.init.is_some()),
            (
                "--threads",
                self.threads.is_some()
                    && model
                        .recipe()
                        .is_some_and(|recipe| recipe.threads.is_some()),
            ),
        ];
        let given = flags.iter().filter(|(_, given)| *given);
        let given: Vec<&str> = given.map(|(name, _)| *name).collect();
        let source = match model.recipe() {
            Some(_) => "as the train section says",
            None => "no train section: the defaults of classifiers",
        };
        match given.as_slice() {
            [] => source.to_owned(),
            given => format!("{source}, but for {}", given.join(" ")),
        }
    }
}

/// `sgd, momentum 0.9, nesterov, decay 0.0005; rate 0.05 after 0.25 epochs, falling like a cosine; loss cross_entropy; batch 64, 5 epochs, seed 1`
pub fn written(recipe: &Recipe, loss: &Loss) -> String {
    let Optimizer {
        method,
        momentum,
        nesterov,
        alpha,
        betas,
        decay,
        ..
    } = &recipe.optimizer;
    let name = method.name();
    let optimizer = match method {
        Method::Sgd => {
            let nesterov = if *nesterov { ", nesterov" } else { "" };
            format!("{name}, momentum {momentum}{nesterov}, decay {decay}")
        }
        Method::RmsProp => format!("{name}, alpha {alpha}, momentum {momentum}, decay {decay}"),
        Method::Adam | Method::AdamW => {
            format!("{name}, betas {} {}, decay {decay}", betas[0], betas[1])
        }
    };
    let warmup = match recipe.warmup * recipe.epochs as f64 {
        0.0 => String::new(),
        epochs => format!(" after {} epochs", (1e3 * epochs).round() / 1e3),
    };
    let curve = match &recipe.schedule {
        Schedule::Cosine => ", falling like a cosine".to_owned(),
        Schedule::Constant => String::new(),
        other => format!(", {}", other.written()),
    };
    let clip = match recipe.clip {
        None => String::new(),
        Some(Clip::Norm(most)) => format!("; gradients of {most} at most"),
        Some(Clip::Value(most)) => format!("; gradients of {most} at most each"),
    };
    let loss = described(loss);
    let augment = recipe.augment.as_ref().map_or(String::new(), augmentation);
    format!(
        "{optimizer}; rate {}{warmup}{curve}{clip}{loss}{augment}; batch {}, {} epochs, seed {}",
        recipe.rate, recipe.batch, recipe.epochs, recipe.seed
    )
}

/// `; loss cross_entropy, smooth 0.1`
fn described(loss: &Loss) -> String {
    let mut text = format!("; loss {}", loss.name);
    for (name, numbers) in &loss.settings {
        text += &format!(", {name}");
        for &number in numbers {
            text += &format!(" {}", as_written(loss, name, number));
        }
    }
    text
}

/// `; mirror, crop 32 pad 4, rotate 10`
fn augmentation(augment: &Augment) -> String {
    let Augment {
        mirror,
        crop,
        pad,
        rotate,
        shear,
        scale,
        shift,
        colour,
        tint,
    } = *augment;
    let mut parts = Vec::new();
    if mirror {
        parts.push("mirror".to_owned());
    }
    if let Some(side) = crop {
        parts.push(format!("crop {side} pad {pad}"));
    }
    for (name, number) in [
        ("rotate", rotate),
        ("shear", shear),
        ("scale", scale),
        ("shift", shift),
    ] {
        if number > 0.0 {
            parts.push(format!("{name} {number}"));
        }
    }
    if colour != [0.0; 3] {
        let [brightness, contrast, saturation] = colour;
        parts.push(format!("colour {brightness} {contrast} {saturation}"));
    }
    if tint > 0.0 {
        parts.push(format!("tint {tint}"));
    }
    match parts.is_empty() {
        true => String::new(),
        false => format!("; {}", parts.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use cnnc::train::Tuning;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        flags: Flags,
    }

    /// The recipe of flags on a spec with this section, and where it comes from.
    fn recipe(section: &str, flags: &str) -> (Recipe, String) {
        let spec = format!("cnn 1; model M {{ input x: 8; dense 2; head classify; {section} }}");
        let model = cnnc::compile_str("net.cnn", &spec).expect("a spec");
        let line = Line::try_parse_from(format!("train {flags}").split_whitespace());
        let flags = line.unwrap_or_else(|error| panic!("{error}")).flags;
        (flags.recipe(&model), flags.source(&model))
    }

    const ADAM: &str = "train { optimizer adam { decay 0.1 }  rate 0.2 { warmup 1 constant }  batch 8  epochs 4  seed 3  loss cross_entropy { smooth 0.1 } }";

    #[test]
    fn without_section_and_flags_there_are_the_defaults() {
        let usual = Recipe {
            threads: threads::many(None),
            ..Recipe::default()
        };
        let (defaults, source) = recipe("", "");
        assert_eq!(defaults, usual);
        assert_eq!(source, "no train section: the defaults of classifiers");
        let (open, source) = recipe("train { }", "");
        assert_eq!(open, usual);
        assert_eq!(source, "as the train section says");
    }

    fn smoothed(share: f64) -> Loss {
        Loss {
            name: "cross_entropy",
            settings: vec![("smooth", vec![share])],
        }
    }

    #[test]
    fn a_section_is_followed_and_flags_come_before_it() {
        let (section, _) = recipe(ADAM, "");
        let adam = |decay| Optimizer {
            decay,
            ..Optimizer::new(Method::Adam)
        };
        let expected = Recipe {
            optimizer: adam(0.1),
            rate: 0.2,
            schedule: Schedule::Constant,
            warmup: 0.25,
            clip: None,
            batch: 8,
            each: 4,
            alike: 0.5,
            epochs: 4,
            loss: Some(smoothed(0.1)),
            augment: None,
            seed: 3,
            threads: threads::many(None),
            tuning: Tuning::default(),
        };
        assert_eq!(section, expected);
        let flags = "--epochs 2 --batch 16 --rate 0.3 --optimizer adam --decay 0.2 --smoothing 0 --seed 5 --threads 2";
        let (given, source) = recipe(ADAM, flags);
        let expected = Recipe {
            optimizer: adam(0.2),
            rate: 0.3,
            schedule: Schedule::Constant,
            // One epoch, as the section says.
            warmup: 0.5,
            clip: None,
            batch: 16,
            each: 4,
            alike: 0.5,
            epochs: 2,
            loss: Some(smoothed(0.0)),
            augment: None,
            seed: 5,
            threads: 2,
            tuning: Tuning::default(),
        };
        assert_eq!(given, expected);
        let written = "as the train section says, but for --epochs --batch --rate --optimizer --decay --smoothing --seed";
        assert_eq!(source, written);
    }

    #[test]
    fn another_optimiser_has_its_own_rate() {
        let (sgd, _) = recipe(ADAM, "--optimizer sgd");
        assert_eq!(
            (sgd.rate, &sgd.optimizer),
            (0.05, &Recipe::default().optimizer)
        );
        let (adam, _) = recipe("train { rate 0.1 }", "--optimizer adamw");
        assert_eq!((adam.rate, adam.optimizer.decay), (1e-3, 5e-4));
        let (same, _) = recipe("train { rate 0.1 }", "--optimizer sgd --decay 0");
        assert_eq!((same.rate, same.optimizer.decay), (0.1, 0.0));
    }
}
