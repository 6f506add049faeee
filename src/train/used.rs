//! The spec of a run: its `train` section says how the run trains, whatever flags and defaults that comes of.

use super::recipe::Recipe;
use cnnc_compiler::ast::{Clause, File, StatementKind, TermKind};
use cnnc_compiler::diagnostic::Files;
use cnnc_compiler::loss::as_written;
use cnnc_compiler::parse::parse;
use cnnc_compiler::recipe::{
    Clip, DataKind, Loss, Method, Optimizer, Recipe as Section, Source, Split,
};
use cnnc_compiler::resolve::{CLAUSES, PHRASES};
use cnnc_compiler::tuning::Tuning;
use std::path::{Path, absolute};

/// Clauses that are written anew; all others stay as they stand.
const WRITTEN: [&str; 13] = [
    "optimizer",
    "rate",
    "clip",
    "batch",
    "epochs",
    "seed",
    "threads",
    "init",
    "start",
    "freeze",
    "schedule",
    "keep",
    "stop",
];

/// The text of a spec with the section of a recipe in place of its own, or behind everything else in the model. `section` is what the text's own says.
pub(super) fn as_used(
    text: &str,
    section: Option<&Section>,
    recipe: &Recipe,
    source: &Source,
) -> String {
    let id = Files::default().add("spec", text);
    let File { models, .. } = parse(id, text).file;
    let Some(model) = models.last() else {
        return text.to_owned();
    };
    let loss = recipe.loss != section.and_then(|section| section.loss.clone());
    let own = model
        .body
        .statements
        .iter()
        .find_map(|statement| match &statement.kind {
            StatementKind::Train(lines) => Some((statement.span, lines.as_slice())),
            _ => None,
        });
    let data = data_of(source);
    let stays = |word: &str| match word {
        "loss" => !loss,
        "data" => data.is_none(),
        word => !WRITTEN.contains(&word),
    };
    let mut lines: Vec<String> = data.iter().cloned().collect();
    lines.extend(lines_of(recipe));
    if loss {
        lines.extend(recipe.loss.as_ref().map(loss_of));
    }
    let (start, end) = match own {
        Some((span, clauses)) => {
            let kept = clauses.iter().flat_map(|clause| pieces(text, clause));
            lines.extend(
                kept.filter(|(word, _)| stays(word))
                    .map(|(_, piece)| piece.to_owned()),
            );
            (span.start as usize, span.end as usize)
        }
        // In front of the brace.
        None => (
            model.body.span.end as usize - 1,
            model.body.span.end as usize - 1,
        ),
    };
    let (before, behind) = (&text[..start], &text[end..]);
    let section = format!("train {{\n    {}\n  }}", lines.join("\n    "));
    match own {
        Some(_) => format!("{before}{section}{behind}"),
        None => format!("{}\n  {section}\n{behind}", before.trim_end()),
    }
}

/// The clauses of a line: their words, and their texts.
fn pieces<'t>(text: &'t str, clause: &'t Clause) -> Vec<(&'t str, &'t str)> {
    let begins = |word: &str| {
        let clauses = CLAUSES.iter().map(|clause| clause.value.name);
        let phrases = PHRASES.iter().map(|phrase| phrase.keys[0].name);
        clauses.chain(phrases).any(|known| known == word)
    };
    let mut starts: Vec<(&str, usize)> = Vec::new();
    // `keep best loss`: its last word is a value.
    let mut value = None;
    for (index, term) in clause.terms.iter().enumerate() {
        if let TermKind::Word(word) = &term.kind
            && (index == 0 || (begins(word) && value != Some(index)))
        {
            value = (word == "keep").then_some(index + 2);
            starts.push((word, term.span.start as usize));
        }
    }
    let ends = starts.iter().skip(1).map(|(_, start)| *start);
    let ends: Vec<usize> = ends.chain([clause.span.end as usize]).collect();
    let pieces = starts.iter().zip(ends);
    pieces
        .map(|(&(word, start), end)| (word, text[start..end].trim()))
        .collect()
}

/// The clauses of a recipe, each a line.
fn lines_of(recipe: &Recipe) -> Vec<String> {
    let Recipe {
        optimizer,
        rate,
        schedule,
        warmup,
        clip,
        batch,
        each,
        alike,
        epochs,
        seed,
        threads,
        tuning,
        loss: _,
        augment: _,
    } = recipe;
    let curve = schedule.written();
    let mut lines = vec![
        optimizer_of(optimizer, &tuning.spared),
        format!(
            "rate {rate} {{ warmup {}  {curve} }}",
            epochs_of(*warmup, *epochs)
        ),
        format!(
            "batch {batch}{}  epochs {epochs}  seed {seed}  threads {threads}",
            drawn(*each, *alike)
        ),
    ];
    if let Some((of, most)) = clip.map(Clip::parts) {
        lines.insert(2, format!("clip {most} {{ {of} }}"));
    }
    lines.extend(tuning_of(tuning));
    lines
}

/// The settings of `batch`, where they say something.
fn drawn(each: usize, alike: f64) -> String {
    let usual = Recipe::default();
    let mut said = String::new();
    if each != usual.each {
        said += &format!(" each {each} ");
    }
    if alike != usual.alike {
        said += &format!(" alike {alike} ");
    }
    match said.is_empty() {
        true => said,
        false => format!(" {{{said}}}"),
    }
}

/// Epochs of a share, such that it is the same again when they are divided, if any are.
fn epochs_of(share: f64, epochs: usize) -> f64 {
    let near = share * epochs as f64;
    let all = [near, near.next_up(), near.next_down()];
    let exact = all
        .into_iter()
        .find(|warmup| warmup / epochs as f64 == share);
    exact.unwrap_or(near)
}

fn optimizer_of(optimizer: &Optimizer, spared: &[String]) -> String {
    let Optimizer {
        method,
        momentum,
        nesterov,
        alpha,
        betas,
        eps,
        decay,
    } = optimizer;
    let constants = match method {
        Method::Sgd if *nesterov => format!("momentum {momentum}  nesterov"),
        Method::Sgd => format!("momentum {momentum}"),
        Method::RmsProp => format!("alpha {alpha}  momentum {momentum}  eps {eps}"),
        Method::Adam | Method::AdamW => format!("betas {} {}  eps {eps}", betas[0], betas[1]),
    };
    let except = match spared {
        [] => String::new(),
        spared => format!(" except bias bn{}", quoted(spared)),
    };
    format!(
        "optimizer {} {{ {constants}  decay {decay}{except} }}",
        method.name()
    )
}

/// Where samples lie, whose paths do not depend on where the spec lies; nothing for those in memory, and for names that no spec can write.
fn data_of(source: &Source) -> Option<String> {
    let written = |path: &Path| {
        let text = path.to_str().filter(|text| !text.is_empty())?;
        let plain = !text.contains(['"', '\\', '\n', '\r']);
        plain.then(|| format!(" \"{text}\""))
    };
    let kind = source.kind.map_or("", DataKind::name);
    let kind = match kind {
        "" => String::new(),
        kind => format!(" {kind}"),
    };
    let rest = match (&source.test, &source.split) {
        (Some(test), _) => format!(" test{}", written(test)?),
        (None, Some(Split::List(list))) => format!(" split list{}", written(list)?),
        (None, Some(Split::Hash([train, test, apart]))) => {
            format!(" split {train} {test} {apart} by hash")
        }
        (None, None) => String::new(),
    };
    let columns = source.columns.iter();
    let columns = columns.map(|name| written(Path::new(name)));
    let columns = columns.collect::<Option<String>>()?;
    Some(format!(
        "data{kind}{}{columns}{rest}",
        written(&source.path)?
    ))
}

fn loss_of(loss: &Loss) -> String {
    let settings = loss.settings.iter().map(|(name, numbers)| {
        let numbers = numbers.iter();
        let numbers = numbers.map(|&number| format!(" {}", as_written(loss, name, number)));
        format!(" {name}{} ", numbers.collect::<String>())
    });
    match loss.settings.is_empty() {
        true => format!("loss {}", loss.name),
        false => format!("loss {} {{{}}}", loss.name, settings.collect::<String>()),
    }
}

fn tuning_of(tuning: &Tuning) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(init) = &tuning.init {
        // The spec lies elsewhere than what it was made of.
        let file = absolute(&init.file).unwrap_or_else(|_| init.file.clone());
        let except = match init.except.as_slice() {
            [] => String::new(),
            except => format!(" except{}", quoted(except)),
        };
        lines.push(format!("init \"{}\"{except}", file.display()));
    }
    let start = tuning.start.iter();
    let start = start.map(|of| format!(" set{} to {} ", quoted(&of.patterns), of.value));
    let start: String = start.collect();
    if !start.is_empty() {
        lines.push(format!("start {{{start}}}"));
    }
    if !tuning.freeze.is_empty() {
        lines.push(format!("freeze{}", quoted(&tuning.freeze)));
    }
    let changes = tuning.unfreeze.iter().map(|of| {
        let rate = of
            .rate
            .map_or(String::new(), |rate| format!(" rate {rate}"));
        format!(" unfreeze{} at {}{rate} ", quoted(&of.patterns), of.at)
    });
    let changes: String = changes.collect();
    if !changes.is_empty() {
        lines.push(format!("schedule {{{changes}}}"));
    }
    let stop = tuning
        .stop
        .map_or(String::new(), |stop| format!("  stop after {stop}"));
    lines.push(format!("keep best {}{stop}", tuning.keep.name()));
    lines
}

fn quoted(patterns: &[String]) -> String {
    patterns
        .iter()
        .map(|pattern| format!(" \"{pattern}\""))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cnnc_compiler::recipe::Schedule;
    use cnnc_compiler::tuning::{Init, Keep, Start, Unfreeze};

    fn smoothed(share: f64) -> Loss {
        let mut loss = Loss::new("cross_entropy");
        loss.set("smooth", share);
        loss
    }

    fn spec(section: &str) -> String {
        format!(
            "cnn 1\nmodel M {{\n  input x: 8\n  a: dense 4 tanh\n  dense 2\n  head classify\n{section}}}\n"
        )
    }

    /// The recipe of the text that a recipe makes of a spec.
    fn again(text: &str, recipe: &Recipe) -> Recipe {
        let model = crate::compile_str("net.cnn", text).unwrap_or_else(|error| panic!("{error}"));
        let source = Source::default();
        let text = as_used(text, model.recipe(), recipe, &source);
        let again = crate::compile_str("net.cnn", &text);
        let again = again.unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(as_used(&text, again.recipe(), recipe, &source), text);
        Recipe::of(&again)
    }

    #[test]
    fn what_is_written_is_what_was_used() {
        let mut recipes = vec![Recipe::default()];
        for method in [Method::Sgd, Method::RmsProp, Method::Adam, Method::AdamW] {
            recipes.push(Recipe {
                optimizer: Optimizer {
                    decay: 3e-5,
                    ..Optimizer::new(method)
                },
                rate: 1e-7,
                schedule: match method {
                    Method::Sgd => Schedule::Constant,
                    Method::RmsProp => Schedule::Polynomial { power: 0.9 },
                    Method::Adam => Schedule::At {
                        epochs: vec![1.5, 6.0],
                        by: 0.3,
                    },
                    Method::AdamW => Schedule::Every {
                        epochs: 2.0,
                        by: 0.5,
                    },
                },
                warmup: 2.1 / 7.0,
                clip: match method {
                    Method::Sgd => Some(Clip::Norm(0.25)),
                    Method::RmsProp => Some(Clip::Value(1e-3)),
                    _ => None,
                },
                batch: 3,
                each: Recipe::default().each,
                alike: Recipe::default().alike,
                epochs: 7,
                seed: 9_007_199_254_740_993,
                loss: Some(smoothed(0.3)),
                augment: None,
                threads: 3,
                tuning: Tuning {
                    init: Some(Init {
                        file: "/a b/net.safetensors".into(),
                        except: vec!["a".to_owned()],
                    }),
                    freeze: vec!["a".to_owned(), "a.*".to_owned()],
                    unfreeze: vec![Unfreeze {
                        patterns: vec!["a.weight".to_owned()],
                        at: 2,
                        rate: Some(0.5),
                    }],
                    spared: vec!["dense*".to_owned()],
                    keep: Keep::Loss,
                    stop: Some(3),
                    start: vec![Start {
                        patterns: vec!["a.bias".to_owned(), "dense*".to_owned()],
                        value: -0.25,
                    }],
                },
            });
        }
        for recipe in &recipes {
            for section in [
                "",
                "  train { }\n",
                "  train { rate 0.1 batch 5 ; loss cross_entropy { smooth 0.1 }\n keep best accuracy }\n",
            ] {
                assert_eq!(again(&spec(section), recipe), *recipe);
            }
        }
    }

    #[test]
    fn what_is_said_of_identities_stays() {
        let text = "cnn 1\nmodel M {\n  input x: 8\n  dense 2\n  head embed\n  train { batch 60 { each 5 } }\n}\n";
        let recipe = Recipe {
            batch: 60,
            each: 3,
            ..Recipe::default()
        };
        assert_eq!(again(text, &recipe).each, 3);
    }

    #[test]
    fn other_clauses_stay_as_they_stand() {
        let text =
            spec("  train { rate 0.1 loss cross_entropy { smooth (1 / 4.0) } # of two\n }\n");
        let recipe = Recipe {
            loss: Some(smoothed(0.25)),
            ..Recipe::default()
        };
        let model = crate::compile_str("net.cnn", &text).expect("it is right");
        let used = as_used(&text, model.recipe(), &recipe, &Source::default());
        assert!(
            used.contains("\n    loss cross_entropy { smooth (1 / 4.0) }\n  }\n}\n"),
            "{used}"
        );
    }

    #[test]
    fn the_data_are_where_they_were() {
        let text = spec("  train { data folder \"near/\" split 80 20 by hash ; batch 3 }\n");
        let model = crate::compile_str("net.cnn", &text).expect("it is right");
        let of = |test: Option<&str>, split: Option<Split>| Source {
            kind: None,
            path: "/a b/signs".into(),
            columns: Vec::new(),
            test: test.map(Into::into),
            split,
        };
        for source in [
            of(None, None),
            of(Some("/c"), None),
            of(None, Some(Split::Hash([80, 10, 10]))),
            of(None, Some(Split::List("/list.txt".into()))),
            Source {
                kind: Some(DataKind::Ts),
                ..of(None, None)
            },
            Source {
                kind: Some(DataKind::Csv),
                columns: vec!["file name".to_owned(), "kind".to_owned()],
                ..of(Some("/c"), None)
            },
        ] {
            let used = as_used(&text, model.recipe(), &Recipe::default(), &source);
            let again = crate::compile_str("net.cnn", &used);
            let again = again.unwrap_or_else(|error| panic!("{error}\n{used}"));
            let recipe = again.recipe().expect("a section");
            assert_eq!(recipe.data, Some(source), "{used}");
        }
        // Nothing that could be written.
        for path in ["", "/a\"b"] {
            let source = Source {
                path: path.into(),
                ..Source::default()
            };
            let used = as_used(&text, model.recipe(), &Recipe::default(), &source);
            assert!(used.contains("data folder \"near/\" split"), "{used}");
        }
    }
}
