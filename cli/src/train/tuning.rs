//! What a run says of fine-tuning.

use cnnc::train::{Keep, Recipe, Run, Tuning};

/// A line for each thing that is not as ever, each with its end.
pub fn written(recipe: &Recipe) -> String {
    let Tuning {
        init,
        freeze,
        unfreeze,
        spared,
        keep,
        stop,
        start,
    } = &recipe.tuning;
    let mut lines = Vec::new();
    if let Some(init) = init {
        let except = match init.except.as_slice() {
            [] => String::new(),
            except => format!("; at random {}", except.join(" ")),
        };
        lines.push(format!("begins with {}{except}", init.file.display()));
    }
    for of in start {
        lines.push(format!("{} begins as {}", of.patterns.join(" "), of.value));
    }
    if !freeze.is_empty() {
        lines.push(format!("frozen {}", freeze.join(" ")));
    }
    for of in unfreeze {
        let rate = of
            .rate
            .map_or(String::new(), |rate| format!(", rate {rate}"));
        let patterns = of.patterns.join(" ");
        lines.push(format!("behind epoch {} unfrozen {patterns}{rate}", of.at));
    }
    if !spared.is_empty() {
        lines.push(format!("without decay {}", spared.join(" ")));
    }
    if *keep != Keep::default() {
        lines.push(format!(
            "the best epoch is that of the best {}",
            keep.name()
        ));
    }
    if let Some(stop) = stop {
        lines.push(format!("stops behind {stop} epochs that are no better"));
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// That features are computed once, where they are.
pub fn front(run: &Run) -> String {
    let Some(front) = run.front() else {
        return String::new();
    };
    let shape: Vec<String> = front.shape.iter().map(usize::to_string).collect();
    let samples = run.data().train.len() + run.data().test.len();
    format!(
        "{} frozen layers up to `{}` have run once for all {samples} samples: the rest learns from {} features each\n",
        front.layers,
        front.label,
        shape.join("x"),
    )
}

/// Why a run ends before its last epoch.
pub fn stuck(run: &Run) -> String {
    match run.recipe().tuning.stop {
        Some(stop) if run.epochs().len() < run.recipe().epochs => {
            format!("stopped: {stop} epochs were no better\n")
        }
        _ => String::new(),
    }
}
