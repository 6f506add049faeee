//! The program `cnnc`: checks, summarises, explains, runs and measures networks.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
