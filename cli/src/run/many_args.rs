//! Flags of runs on many files.

use clap::ArgAction;
use cnnc::source::Shard;

/// How many files are shared out and answered.
#[derive(clap::Args)]
#[command(next_help_heading = "Many files")]
pub struct Flags {
    /// Print a row of comma-separated values for each thing that is found, as it is
    #[arg(long, conflicts_with_all = ["json", "resume", "input", "slide"])]
    pub csv: bool,
    /// Answer this part of the files alone, by a hash of their paths relative to the folder: I from 0 of N; `/N` takes I from JOB_COMPLETION_INDEX or SLURM_ARRAY_TASK_ID, `auto` N from SLURM_ARRAY_TASK_COUNT too
    #[arg(long, value_name = "I/N", value_parser = shard, conflicts_with_all = ["input", "slide"])]
    pub shard: Option<Shard>,
    /// Go on where an earlier run with the same `--out FOLDER` was ended: what it has answered is not computed again
    #[arg(long, requires = "out", action = ArgAction::SetTrue, conflicts_with_all = ["input", "slide"])]
    pub resume: bool,
    /// Threads that read and prepare files while others compute; by default one for each core that is left, one at least and eight at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256), conflicts_with_all = ["input", "slide"])]
    pub decoders: Option<u16>,
    /// End with exit code 0 where all files were answered but those that cannot be: they are reported all the same
    #[arg(long, conflicts_with_all = ["input", "slide"])]
    pub allow_broken: bool,
}

impl Flags {
    /// Whether any of them is written.
    pub fn any(&self) -> bool {
        self.csv
            || self.resume
            || self.allow_broken
            || self.shard.is_some()
            || self.decoders.is_some()
    }
}

fn shard(text: &str) -> Result<Shard, String> {
    let read = Shard::read(text, &|name| std::env::var(name).ok());
    read.map_err(|error| error.to_string())
}
