//! What every command prints alike: tables, numbers, errors.

use cnnc::compiler::diagnostic::Diagnostics;
use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fmt::{Display, Write as _};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

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

/// Shows how far an epoch is, on standard error if that is a terminal: told its number, the steps that are done, those of all, and the loss.
pub fn progress_of_steps() -> impl Fn(usize, usize, usize, f64) {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style =
        ProgressStyle::with_template("{prefix:>5} {bar:30} {pos}/{len} steps, {eta} left, {msg}");
    bar.set_style(style.expect("a template that is right"));
    move |epoch, done, all, loss| {
        if done == 1 {
            bar.reset();
        }
        bar.set_prefix(epoch.to_string());
        bar.set_length(all as u64);
        bar.set_position(done as u64);
        bar.set_message(format!("loss {loss:.4}"));
        if done == all {
            bar.finish_and_clear();
        }
    }
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
