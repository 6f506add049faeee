//! Schedules side by side: how fast each way to compute a layer is, and which the compiler takes.

use super::{counted, percent};
use crate::print;
use cnnc::bench::{Kernel, Trial};

/// Cells of a bar that stands for the peak.
const BAR: f64 = 20.0;

/// A block of lines for each form of layers.
pub fn text(kernels: &[Kernel], peak: f64) -> String {
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
        for trial in &kernel.trials {
            text += &line(trial, kernel.taken(), width);
        }
        text.push('\n');
    }
    text + &sum(kernels, peak)
}

/// `✓ direct, panels of 4, pixels in 8 blocks   1.36 ms   173.1 GFLOP/s   92.0 %          ██████████████████▍`
fn line(trial: &Trial, taken: &Trial, width: usize) -> String {
    let mark = if trial.taken { "✓" } else { " " };
    let against = match trial.taken {
        true => String::new(),
        false => format!(
            "{:+.0} %",
            100.0 * (trial.times.median / taken.times.median - 1.0)
        ),
    };
    let bar = bar(trial.peak_share);
    let line = format!(
        "{mark} {:<width$}  {:>8} ms  {:>7.1} GFLOP/s  {:>7}  {against:>7}  {bar}",
        trial.schedule,
        print::ms(trial.times.median),
        trial.gflops,
        percent(trial.peak_share),
    );
    format!("{}\n", line.trim_end())
}

/// A bar of that share of the peak, in eighths of cells; longer than the peak up to one and a half.
fn bar(share: f64) -> String {
    let eighths = (share.clamp(0.0, 1.5) * BAR * 8.0).round() as usize;
    let part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    format!("{}{part}", "█".repeat(eighths / 8))
}

/// How good the choice was.
fn sum(kernels: &[Kernel], peak: f64) -> String {
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
    let taken = times(&|kernel| kernel.taken().times.median);
    let best = times(&|kernel| {
        let all = kernel.trials.iter();
        all.map(|trial| trial.times.median)
            .fold(f64::INFINITY, f64::min)
    });
    // As fast as another is as good.
    let right = tried.iter().filter(|kernel| {
        let (taken, rival) = (kernel.taken(), kernel.rival());
        rival.is_none_or(|rival| rival.times.median > 0.98 * taken.times.median)
    });
    format!(
        "✓ is what the compiler takes: the quickest, or within 2 % of it, for {} of {}. The quickest of all would take {} of its time.\n\
         Bars of {BAR} cells are the peak, {peak:.0} GFLOP/s; winograd does a quarter of the multiplications that are counted.",
        right.count(),
        counted(tried.len(), "form"),
        percent(best / taken),
    )
}

#[cfg(test)]
mod tests {
    use super::bar;

    #[test]
    fn bars_are_shares() {
        assert_eq!(bar(0.0), "");
        assert_eq!(bar(0.5).chars().count(), 10);
        assert_eq!(bar(9.0).chars().count(), 30);
        assert_eq!(bar(0.03), "▋");
    }
}
