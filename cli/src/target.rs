//! What a network is compiled for, where its plan is looked at and not run: the flags of `summary`, `explain` and `dump`.

use cnnc::{Isa, Options};

/// Instruction set, arithmetic and batch.
#[derive(clap::Args)]
pub struct Args {
    /// Instruction set, instead of this machine's best
    #[arg(long, value_name = "ISA")]
    pub isa: Option<Isa>,
    /// Compute convolutions as they are defined: without Winograd's algorithm, whose rounding errors are larger
    #[arg(long)]
    pub exact: bool,
    /// For so many images at once
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    batch: u16,
}

impl Args {
    /// How it is compiled.
    pub fn options(&self) -> Options {
        let mut options = Options::new().batch(self.batch.into());
        options.isa = self.isa;
        match self.exact {
            true => options.exact(),
            false => options,
        }
    }
}
