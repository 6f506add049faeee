//! `cnnc completions`: what a shell needs to complete commands and flags.

use crate::{Failure, examples};
use clap_complete::Shell;
use std::io::Write;

/// What may be written behind `completions`.
#[derive(clap::Args)]
pub struct Args {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Which,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Which {
    Bash,
    Zsh,
    Fish,
}

/// Prints the script.
pub fn run(args: &Args) -> Result<(), Failure> {
    let shell = match args.shell {
        Which::Bash => Shell::Bash,
        Which::Zsh => Shell::Zsh,
        Which::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut examples::command(), "cnnc", &mut script);
    Ok(std::io::stdout().write_all(&script)?)
}
