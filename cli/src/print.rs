//! What every command prints alike: tables, numbers, errors.

use cnnc::compiler::diagnostic::Diagnostics;
use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fmt::{Display, Write as _};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Writes text and a newline to standard output, with colours if it is a terminal that has them.
pub fn line(text: impl Display) -> io::Result<()> {
    writeln!(anstream::stdout(), "{text}")
}

/// Writes text as it is to standard output.
pub fn text(text: &str) -> io::Result<()> {
    write!(anstream::stdout(), "{text}")
}

/// Writes what `--help` and `--version` show to standard output.
pub fn help(help: &clap::Error) -> io::Result<()> {
    help.print()?;
    io::stdout().flush()
}

/// Writes a JSON value to standard output.
pub fn json(value: &serde_json::Value) -> io::Result<()> {
    line(format_args!("{value:#}"))
}

/// Writes `error: …` and what would help to standard error.
pub fn error(failure: &crate::Failure) {
    let mut text = format!("\x1b[1;31merror\x1b[0m: {failure}");
    if let Some(help) = failure.help() {
        let _ = write!(text, "\n  \x1b[1;36mhelp\x1b[0m: {help}");
    }
    // Nobody is left to tell when this fails.
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Writes a warning to standard error.
pub fn warning(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "\x1b[1;33mwarning\x1b[0m: {text}");
}

/// Most files that a warning names.
const NAMED: usize = 20;

/// Warns of files that are not looked at.
pub fn skipped(files: &[PathBuf]) {
    let names = files.iter().take(NAMED);
    let names: Vec<String> = names.map(|file| file.display().to_string()).collect();
    let more = match files.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    if !names.is_empty() {
        let names = names.join(", ");
        warning(format_args!("skipped what is no picture: {names}{more}"));
    }
}

/// Warns of samples that are broken and were left out: each message names its file.
pub fn broken(files: &[String]) {
    for file in files {
        warning(format_args!("left out: {file}"));
    }
}

/// Writes remarks to standard error.
pub fn notes(notes: &[String]) {
    for note in notes {
        let _ = writeln!(anstream::stderr(), "\x1b[1mnote\x1b[0m: {note}");
    }
}

/// Warns of tensors that a network does not read. That may be all there is to see when they are another network's.
pub fn unused(names: &[impl AsRef<str>], origin: &str) {
    if let [first, rest @ ..] = names {
        let first = first.as_ref();
        let (more, theirs) = match rest.len() {
            0 => (String::new(), "is it"),
            more => (format!(" and {more} more"), "are they"),
        };
        warning(format_args!(
            "the network does not read `{first}`{more} of {origin}: {theirs} of another network? `--strict` refuses them"
        ));
    }
}

/// Says on standard error that a file is there.
pub fn wrote(path: &Path) {
    let _ = writeln!(anstream::stderr(), "wrote {}", path.display());
}

/// Writes a line to standard error, where standard output is of something else.
pub fn aside(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Writes mistakes and warnings in a spec to standard error.
pub fn diagnostics(diagnostics: &Diagnostics) {
    if !diagnostics.is_empty() {
        let text = diagnostics.render(true);
        let _ = writeln!(anstream::stderr(), "{}", text.trim_end());
    }
}

/// Says that something takes a while, if anybody watches.
pub fn patience(text: impl Display) {
    if io::stderr().is_terminal() {
        let _ = writeln!(anstream::stderr(), "\x1b[2m{text}\x1b[0m");
    }
}

/// A bar that shows how far a run is, once it has taken a second; hidden where standard error is no terminal.
pub fn progress() -> impl Fn(usize, usize) + Send + Sync + 'static {
    let bar = ProgressBar::hidden();
    let style = ProgressStyle::with_template("{bar:30} layer {pos} of {len}, {eta} left");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    move |done, all| {
        if bar.is_hidden() && bar.elapsed() > Duration::from_secs(1) {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        bar.set_length(all as u64);
        bar.set_position(done as u64);
        if done == all {
            bar.finish_and_clear();
            // The next run starts anew.
            bar.set_draw_target(ProgressDrawTarget::hidden());
            bar.reset();
        }
    }
}

/// A line of headings.
pub fn heading(text: &str) -> String {
    format!("\x1b[1m{text}\x1b[0m")
}

/// Shows how far an epoch is, on standard error if that is a terminal: told its number, the steps that are done, those of all, and the loss. With the samples of a second, and a small curve of
/// the losses so far.
pub fn progress_of_steps(batch: usize) -> impl FnMut(usize, usize, usize, f64) {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style =
        ProgressStyle::with_template("{prefix:>5} {bar:20} {pos}/{len} steps, {eta} left, {msg}");
    bar.set_style(style.expect("a template that is right"));
    // The epoch, and the step that was done when it was first heard of.
    let mut begun = (0, 0, Instant::now());
    let mut curve: Vec<f64> = Vec::new();
    move |epoch, done, all, loss| {
        if begun.0 != epoch {
            begun = (epoch, done, Instant::now());
            bar.reset();
        }
        // A few points of each epoch.
        if done.is_multiple_of(all.div_ceil(POINTS_OF_EPOCH).max(1)) || done == all {
            curve.push(loss);
        }
        let shown = &curve[curve.len().saturating_sub(POINTS)..];
        let samples = ((done - begun.1) * batch) as f64;
        let speed = match begun.2.elapsed().as_secs_f64() {
            seconds if samples > 0.0 && seconds > 0.0 => {
                format!("{:.0} samples/s, ", samples / seconds)
            }
            _ => String::new(),
        };
        bar.set_prefix(epoch.to_string());
        bar.set_length(all as u64);
        bar.set_position(done as u64);
        bar.set_message(format!("{speed}loss {loss:.4} {}", spark(shown)));
        if done == all {
            bar.finish_and_clear();
        }
    }
}

/// Points of a small curve, and those that an epoch adds.
const POINTS: usize = 24;
const POINTS_OF_EPOCH: usize = 8;

/// `█▅▃▂▁`: numbers between the least and the largest of them; what is none has a gap.
fn spark(values: &[f64]) -> String {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let (least, most) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let level = |&value: &f64| match value.is_finite() {
        false => ' ',
        true if most <= least => LEVELS[0],
        true => LEVELS[((value - least) / (most - least) * 7.0).round() as usize],
    };
    values.iter().map(level).collect()
}

/// Shows how far a picture is, on standard error if that is a terminal: told the steps that are done, those of all, and what content and style cost.
pub fn progress_of_picture() -> impl Fn(usize, usize, f64, f64) {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} steps, {eta} left, {msg}");
    bar.set_style(style.expect("a template that is right"));
    move |done, all, content, style| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
        bar.set_message(format!("content {content:.3e}, style {style:.3e}"));
        if done == all {
            bar.finish_and_clear();
        }
    }
}

/// A table with these headings; those that start with `>` head numbers, which are set to the right.
pub fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    let cells = headings.iter().map(|heading| {
        let text = heading.trim_start_matches('>');
        Cell::new(text).add_attribute(Attribute::Bold)
    });
    table.set_header(cells);
    for (heading, column) in headings.iter().zip(table.column_iter_mut()) {
        column.set_padding((0, 2));
        if heading.starts_with('>') {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// `97.5 MiB`
pub fn bytes(count: usize) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    let mut value = count as f64;
    let mut name = "bytes";
    for unit in units {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        name = unit;
    }
    match name {
        "bytes" => format!("{count} bytes"),
        _ => format!("{value:.1} {name}"),
    }
}

/// `3x224x224`
pub fn shape(extents: &[usize]) -> String {
    let extents: Vec<_> = extents.iter().map(ToString::to_string).collect();
    extents.join("x")
}

/// `0.0123`, `1.23`, `123`: about three digits of a time in milliseconds.
pub fn ms(value: f64) -> String {
    let decimals = match value {
        value if value >= 100.0 => 0,
        value if value >= 10.0 => 1,
        value if value >= 1.0 => 2,
        value if value >= 0.1 => 3,
        _ => 4,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_a_small_curve() {
        assert_eq!(spark(&[8.0, 4.0, f64::NAN, 2.0, 1.0]), "█▄ ▂▁");
        assert_eq!(spark(&[0.5, 0.5]), "▁▁");
        assert_eq!(
            (spark(&[]), spark(&[f64::INFINITY])),
            (String::new(), " ".to_owned())
        );
    }

    #[test]
    fn numbers() {
        assert_eq!(
            [1023, 1024, 102_228_128].map(bytes),
            ["1023 bytes", "1.0 KiB", "97.5 MiB"]
        );
        assert_eq!(
            [0.01234, 0.1234, 1.234, 12.34, 123.4].map(ms),
            ["0.0123", "0.123", "1.23", "12.3", "123"]
        );
    }
}
