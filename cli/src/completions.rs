//! `cnnc completions`: what a shell needs to complete commands and flags.

use crate::{Failure, examples};
use clap_complete::Generator as _;
use clap_complete::shells::{Bash, Fish, Zsh};
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
    let mut command = examples::command();
    command.set_bin_name("cnnc");
    command.build();
    let mut script = Vec::new();
    match args.shell {
        Which::Bash => Bash.generate(&command, &mut script),
        Which::Zsh => Zsh.generate(&command, &mut script),
        Which::Fish => Fish.generate(&command, &mut script),
    }
    Ok(std::io::stdout().write_all(&script)?)
}
