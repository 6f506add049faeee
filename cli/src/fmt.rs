//! `cnnc fmt`: specs in the canonical layout.

use crate::{Failure, outputs, print};
use cnnc::compiler::diagnostic::{DiskLoader, Loader, MAX_FILE_BYTES};
use cnnc::compiler::format::format_file;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

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
        let input = path == Path::new("-");
        let text = match input {
            true => standard_input(),
            false => read(path),
        };
        let text = match text {
            Ok(text) => text,
            // The others are formatted all the same.
            Err(failure) => {
                print::error(&failure);
                failed = true;
                continue;
            }
        };
        let name = if input {
            Path::new("standard input")
        } else {
            path
        };
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

pub fn read(path: &Path) -> Result<String, Failure> {
    DiskLoader.read(path).map_err(|why| {
        let file = path.display().to_string();
        Failure::Read { file, why }
    })
}

fn standard_input() -> Result<String, Failure> {
    let mut text = String::new();
    let most = MAX_FILE_BYTES as u64 + 1;
    match io::stdin().take(most).read_to_string(&mut text) {
        Ok(_) => Ok(text),
        Err(error) => Err(Failure::Read {
            file: "standard input".to_owned(),
            why: error.to_string(),
        }),
    }
}
