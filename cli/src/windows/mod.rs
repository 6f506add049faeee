//! The flags of `run --slide` and `evaluate --slide`, and what both make of them.

mod judge;

pub use judge::Judge;

use crate::{Failure, print, thresholds};
use cnnc::rt::answer::Head;
use cnnc::sliding::{self, Sliding, background};
use cnnc::{Model, Options, Weights};

/// Which windows there are.
#[derive(clap::Args)]
pub struct Args {
    /// With `--slide`: by what pictures are resized before windows slide over them, for windows of other sizes [default: 1]
    #[arg(long, value_name = "A,B,…", requires = "slide", value_delimiter = ',', value_parser = scale)]
    scales: Vec<f64>,
    /// With `--slide`: the class that is no object [default: `background`, if the head has it]
    #[arg(long, value_name = "LABEL", requires = "slide")]
    background: Option<String>,
    /// With `--slide`: pixels from one window to the next, where a network that pads inside has them cut out [default: a quarter of a window]
    #[arg(long, value_name = "N", requires = "slide", value_parser = clap::value_parser!(u16).range(1..))]
    stride: Option<u16>,
    /// With `--slide`: memory that a pass may take; larger pictures go in bands [default: 256]
    #[arg(long, value_name = "MIB", requires = "slide", value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    memory: Option<u32>,
}

/// Which windows become boxes.
#[derive(clap::Args)]
pub struct Finding {
    /// With `--slide`: least probability of a window's class [default: 0.5]
    #[arg(long, value_name = "0..1", requires = "slide", value_parser = thresholds::fraction)]
    keep: Option<f32>,
    /// With `--slide`: overlap from which on windows of a class are one thing [default: 0.3]
    #[arg(long, value_name = "0..1", requires = "slide", value_parser = thresholds::fraction)]
    iou: Option<f32>,
}

/// By what a picture is resized.
fn scale(text: &str) -> Result<f64, String> {
    match text.trim().parse() {
        Ok(scale) if (0.001..=16.0).contains(&scale) => Ok(scale),
        _ => Err("a scale is a number from 0.001 to 16".to_owned()),
    }
}

impl Args {
    /// Whether scales are written.
    pub fn has_scales(&self) -> bool {
        !self.scales.is_empty()
    }

    /// Whether anything is written that only windows with classes have.
    pub fn is_written(&self) -> bool {
        let flags = self.background.is_some() || self.stride.is_some() || self.memory.is_some();
        self.has_scales() || flags
    }

    /// By what pictures are resized.
    pub fn scales(&self) -> &[f64] {
        match &self.scales[..] {
            [] => &[1.0],
            scales => scales,
        }
    }

    /// The network, ready to slide.
    pub fn sliding<'a>(
        &self,
        model: &'a Model,
        weights: &'a Weights,
        options: &Options,
    ) -> Result<Sliding<'a>, Failure> {
        let mut sliding = Sliding::new(model, weights, options)?;
        if let Some(mebibytes) = self.memory {
            sliding = sliding.within((mebibytes as usize) << 20);
        }
        if let Some(stride) = self.stride {
            sliding = sliding.apart(stride.into())?;
        }
        if let Some(why) = sliding.refused() {
            let [rows, columns] = sliding.window();
            let [down, along] = sliding.stride();
            print::notes(&[format!(
                "{why}: windows of {rows}x{columns} are cut out one by one, {down}x{along} pixels apart"
            )]);
        }
        Ok(sliding)
    }

    /// Which windows become boxes.
    pub fn finding(
        &self,
        head: &Head,
        (keep, iou): (Option<f32>, Option<f32>),
    ) -> Result<sliding::Finding, Failure> {
        let background = match &self.background {
            None => background(head),
            Some(label) => match head.labels.iter().position(|of| of == label) {
                Some(class) => Some(class),
                None => {
                    return Err(Failure::NoLabel {
                        label: label.clone(),
                        labels: head.labels.iter().map(|of| of.to_string()).collect(),
                    });
                }
            },
        };
        let usual = sliding::Finding::default();
        Ok(sliding::Finding {
            background,
            keep: keep.unwrap_or(usual.keep),
            iou: iou.unwrap_or(usual.iou),
        })
    }
}

/// What boxes are, for people.
pub fn stated(finding: &sliding::Finding, head: &Head) -> String {
    let of = match finding.background {
        Some(class) => format!("of classes but `{}`, ", head.label(class)),
        None => String::new(),
    };
    format!(
        "boxes: windows {of}likely by {} or more; those of a class that overlap the likeliest by more than {} are one box, the mean of the nearest",
        finding.keep, finding.iou
    )
}
