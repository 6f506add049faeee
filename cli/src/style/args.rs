//! What may be written behind `style`.

use crate::{network, size, threads};
use cnnc::train::picture::{By, From, Size, StyleOptions};
use std::path::{Path, PathBuf};

/// Pictures, layers, what they count, and where to write.
#[derive(clap::Args)]
pub struct Args {
    /// The spec of a network that pictures are compared by, or its name in the zoo
    #[arg(value_name = "SPEC", value_parser = network::spec())]
    pub(super) spec: PathBuf,
    /// Its weights
    #[arg(long, value_name = "FILE")]
    pub(super) weights: PathBuf,
    /// The picture whose content is kept
    #[arg(value_name = "CONTENT")]
    pub(super) picture: PathBuf,
    /// The picture whose style is taken
    #[arg(value_name = "STYLE")]
    pub(super) with: PathBuf,
    /// The picture, or the sheet of `--each` or `--gram`, to be written: .png or .jpg
    #[arg(short, long, value_name = "FILE")]
    pub(super) out: PathBuf,
    /// A layer that the content is compared in, several times for several; with `LABEL=W` it weighs W. Without it: what `head style` says, or the last of the style's layers
    #[arg(long, value_name = "LABEL", value_parser = weighted)]
    pub(super) content: Vec<(String, f64)>,
    /// Layers that the style is compared in; with `LABEL=W` one weighs W of all. Without it: what `head style` says, or five of the labelled layers with at least an eighth of the picture's rows
    #[arg(long, value_name = "LABEL", value_parser = weighted, num_args = 1..)]
    pub(super) style: Vec<(String, f64)>,
    /// What the content counts
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    pub(super) alpha: f64,
    /// What the style counts
    #[arg(long, value_name = "X", default_value_t = 1000.0)]
    pub(super) beta: f64,
    /// What the total variation counts: squares of differences between neighbouring pixels, in levels from 0 to 255
    #[arg(long, value_name = "X", default_value_t = 0.0)]
    pub(super) tv: f64,
    /// What the picture begins as
    #[arg(long, value_enum, default_value = "content")]
    pub(super) from: Begin,
    /// Pixels of the longer side, or width and height of both pictures, which are scaled and cut for it
    #[arg(long, value_name = "N|WxH", default_value = "384", value_parser = extents)]
    pub(super) size: Size,
    /// Steps
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) steps: u32,
    /// What makes the steps: Adam, or L-BFGS, which searches for the length of each
    #[arg(long, value_enum, default_value = "adam")]
    pub(super) optimizer: Optimizer,
    /// Levels, from 0 to 255, by which a pixel moves in Adam's first step; the rate falls like half a cosine. L-BFGS moves none by more in its first trial
    #[arg(long, value_name = "X", default_value_t = 10.0)]
    pub(super) rate: f64,
    /// Seed of the noise
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// Write the picture every N steps too, as OUT-0020.png …
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) every: Option<u32>,
    /// Draw what content and style cost over the steps: .svg, .png or .jpg
    #[arg(long, value_name = "FILE")]
    pub(super) curves: Option<PathBuf>,
    /// Make a picture for each of the content's layers by itself, and write them side by side
    #[arg(long, conflicts_with_all = ["every", "curves", "gram"])]
    pub(super) each: bool,
    /// Draw the Gram matrices of both pictures beside one another, and print how far they are apart, instead of changing anything
    #[arg(long, conflicts_with_all = ["content", "alpha", "beta", "tv", "from", "steps", "optimizer", "rate", "seed", "every", "curves"])]
    pub(super) gram: bool,
    /// Threads to run on; what comes out is the same for any number [default: every processor, 16 at most]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) threads: Option<u16>,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum Begin {
    /// The content picture
    Content,
    /// Noise
    Noise,
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum Optimizer {
    Adam,
    Lbfgs,
}

/// `LABEL` or `LABEL=W`.
fn weighted(text: &str) -> Result<(String, f64), String> {
    let (label, weight) = text.split_once('=').unwrap_or((text, "1"));
    let weight: Option<f64> = weight.parse().ok();
    match weight.filter(|weight| weight.is_finite() && *weight >= 0.0) {
        Some(weight) => Ok((label.to_owned(), weight)),
        None => Err("a layer is written as LABEL or LABEL=W, with a weight from 0 on".to_owned()),
    }
}

/// `384` or `256x192`.
fn extents(text: &str) -> Result<Size, String> {
    match size::one_or_both(text, 4096) {
        Some(size::Size::Side(side)) => Ok(Size::Longer(side as usize)),
        Some(size::Size::Both(width, height)) => Ok(Size::Exactly(width as usize, height as usize)),
        None => Err("a size is written like 384 or 256x192, of 1 to 4096 pixels".to_owned()),
    }
}

/// The options that the flags say.
pub(super) fn options(args: &Args) -> StyleOptions {
    StyleOptions {
        content: args.content.clone(),
        style: args.style.clone(),
        alpha: args.alpha,
        beta: args.beta,
        variation: args.tv,
        from: match args.from {
            Begin::Content => From::Content,
            Begin::Noise => From::Noise,
        },
        size: args.size,
        steps: args.steps as usize,
        by: match args.optimizer {
            Optimizer::Adam => By::Adam,
            Optimizer::Lbfgs => By::Lbfgs,
        },
        rate: args.rate,
        seed: args.seed,
        threads: threads::many(args.threads),
        names: [&args.picture, &args.with].map(|path| path.display().to_string()),
    }
}

/// A file's name without its ending.
pub(super) fn name(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
