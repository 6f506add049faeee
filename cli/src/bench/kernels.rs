//! Schedules side by side: how fast each way to compute a layer is, and which the compiler takes.

use super::percent;
use crate::print;
use cnnc::bench::{Kernel, Trial};
use cnnc::compiler::words;

/// Cells of the bar of the quickest schedule.
const BAR: f64 = 20.0;

/// Most schedules of a form that are printed.
const SHOWN: usize = 8;

/// A block of lines for each form of layers.
pub fn text(kernels: &[Kernel]) -> String {
    let widest = kernels.iter().flat_map(|kernel| &kernel.trials);
    let width = widest.map(|trial| trial.schedule.chars().count()).max();
    let width = width.unwrap_or(0);
    let mut text = String::new();
    for kernel in kernels {
        let labels = match &kernel.labels[..] {
            [only] => only.clone(),
            [first, rest @ ..] => format!("{first} and {} like it", rest.len()),
            [] => String::new(),
        };
        let shapes = format!(
            "{} → {}",
            print::shape(&kernel.input),
            print::shape(&kernel.output)
        );
        text += &print::heading(&labels);
        text += &format!("  {}  {shapes}\n", kernel.layer);
        let best = best(kernel);
        for trial in kernel.trials.iter().take(SHOWN) {
            text += &line(trial, kernel.taken(), best, width);
        }
        if let Some(next) = kernel.trials.get(SHOWN) {
            let more = words::count(kernel.trials.len() - SHOWN, "more schedule");
            text += &format!(
                "  and {more}, from {} ms on\n",
                print::ms(next.times.median)
            );
        }
        text.push('\n');
    }
    text + &sum(kernels)
}

/// The time of the quickest schedule.
fn best(kernel: &Kernel) -> f64 {
    let all = kernel.trials.iter().map(|trial| trial.times.median);
    all.fold(f64::INFINITY, f64::min)
}

/// `✓ direct, panels of 4, pixels in 8 blocks   1.36 ms   173.1 GFLOP/s   92.0 %          ██████████████████▍`
fn line(trial: &Trial, taken: &Trial, best: f64, width: usize) -> String {
    let mark = if trial.taken { "✓" } else { " " };
    let against = match trial.taken {
        true => String::new(),
        false => format!(
            "{:+.0} %",
            100.0 * (trial.times.median / taken.times.median - 1.0)
        ),
    };
    let line = format!(
        "{mark} {:<width$}  {:>8} ms  {:>7.1} GFLOP/s  {:>7}  {against:>7}  {}",
        trial.schedule,
        print::ms(trial.times.median),
        trial.gflops,
        percent(trial.peak_share),
        bar(best / trial.times.median),
    );
    format!("{}\n", line.trim_end())
}

/// A bar of that share of the longest, in eighths of cells.
fn bar(share: f64) -> String {
    let eighths = (share.clamp(0.0, 1.0) * BAR * 8.0).round() as usize;
    let part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    format!("{}{part}", "█".repeat(eighths / 8))
}

/// How good the choice was.
fn sum(kernels: &[Kernel]) -> String {
    let tried: Vec<&Kernel> = kernels
        .iter()
        .filter(|kernel| kernel.trials.len() > 1)
        .collect();
    if tried.is_empty() {
        return "No layer has a choice of schedules.".to_owned();
    }
    let times = |of: &dyn Fn(&Kernel) -> f64| -> f64 {
        let times = kernels.iter();
        times
            .map(|kernel| of(kernel) * kernel.labels.len() as f64)
            .sum()
    };
    let (taken, quickest) = (times(&|kernel| kernel.taken().times.median), times(&best));
    // As fast as another is as good.
    let right = tried
        .iter()
        .filter(|kernel| best(kernel) > 0.98 * kernel.taken().times.median);
    format!(
        "✓ is what the compiler takes: the quickest, or within 2 % of it, for {} of {}. All layers together take {} ms, by the quickest schedules {} ms.\n\
         Bars are speeds; winograd does a quarter of the multiplications that are counted (of 5x5 taps 9 of 25).",
        right.count(),
        words::count(tried.len(), "form"),
        print::ms(taken),
        print::ms(quickest),
    )
}

#[cfg(test)]
mod tests {
    use super::bar;

    #[test]
    fn bars_are_shares() {
        assert_eq!(bar(0.0), "");
        assert_eq!(bar(0.5).chars().count(), 10);
        assert_eq!(bar(9.0).chars().count(), 20);
        assert_eq!(bar(0.03), "▋");
    }
}
