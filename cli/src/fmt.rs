//! `cnnc fmt`: specs in the canonical layout.

use crate::{Failure, outputs, print, spec};
use cnnc::compiler::format::format_file;
use std::path::PathBuf;

/// What may be written behind `fmt`.
#[derive(clap::Args)]
pub struct Args {
    /// Specs, written anew where their layout is another; `-` is a spec on standard input, which is printed
    #[arg(required = true, value_name = "SPEC|-")]
    specs: Vec<PathBuf>,
    /// Write nothing, and fail where a spec would be written
    #[arg(long)]
    check: bool,
}

/// Formats every spec; those with mistakes stay as they are.
pub fn run(args: &Args) -> Result<(), Failure> {
    let mut failed = false;
    for path in &args.specs {
        let input = spec::is_input(path);
        let text = match spec::read(path) {
            Ok(text) => text,
            // The others are formatted all the same.
            Err(failure) => {
                print::error(&failure);
                failed = true;
                continue;
            }
        };
        let name = spec::name(path);
        let formatted = match format_file(name, &text) {
            Ok(formatted) => formatted,
            Err(problems) => {
                print::diagnostics(&problems);
                failed = true;
                continue;
            }
        };
        let same = formatted == text;
        match (args.check, input) {
            (true, _) if !same => {
                failed = true;
                let line = first_difference(&text, &formatted);
                print::line(format_args!(
                    "{}:{line}: not as `cnnc fmt` writes it",
                    name.display()
                ))?;
            }
            (true, _) => {}
            (false, true) => print::text(&formatted)?,
            (false, false) if !same => match outputs::write(path, &formatted) {
                Ok(()) => {}
                Err(failure) => {
                    print::error(&failure);
                    failed = true;
                }
            },
            (false, false) => {}
        }
    }
    match failed {
        true => Err(Failure::Reported),
        false => Ok(()),
    }
}

/// The first line that is not alike, from 1.
fn first_difference(text: &str, formatted: &str) -> usize {
    let alike = text.split('\n').zip(formatted.split('\n'));
    1 + alike.take_while(|(a, b)| a == b).count()
}
