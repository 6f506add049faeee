//! Flags that replace the thresholds of a spec's head.

use crate::Failure;
use cnnc::rt::answer::{Head, Overlap, Task};

/// What may be written to change a head's thresholds.
#[derive(clap::Args)]
pub struct Args {
    /// How many classes to show, instead of what the spec says
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// Least score of a box (or of there being anything), instead of what the spec says
    #[arg(long, value_name = "0..1", value_parser = fraction)]
    keep: Option<f32>,
    /// Overlap from which on the better of two boxes suppresses the other
    #[arg(long, value_name = "0..1", value_parser = fraction)]
    iou: Option<f32>,
    /// Which boxes suppress which: those of their class, the best of any class, or none
    #[arg(long, value_name = "class|score|off")]
    nms: Option<Nms>,
    /// From which score on, or up to which distance, inputs count as the same
    #[arg(long, value_name = "X")]
    threshold: Option<f32>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Nms {
    Class,
    Score,
    Off,
}

/// A number from 0 to 1.
fn fraction(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("it is a number between 0 and 1".to_owned()),
    }
}

impl Args {
    /// The head with what was written; a flag that is not for this head is a mistake.
    pub fn apply(&self, mut head: Head) -> Result<Head, Failure> {
        let wrong = |flag, what| Err(Failure::NoSetting { flag, what });
        if let Some(count) = self.top {
            let Task::Classify { top } = &mut head.task else {
                return wrong("--top", "specs with `head classify`");
            };
            *top = count;
        }
        if let Some(least) = self.keep
            && !head.set_keep(least)
        {
            return wrong(
                "--keep",
                "heads that find boxes, or say whether there is anything",
            );
        }
        if self.iou.is_some() || self.nms.is_some() {
            let flag = if self.iou.is_some() { "--iou" } else { "--nms" };
            let Some(select) = head.select_mut() else {
                return wrong(flag, "heads that find several boxes");
            };
            select.iou = self.iou.unwrap_or(select.iou);
            match self.nms {
                Some(Nms::Class) => select.overlap = Some(Overlap::Class),
                Some(Nms::Score) => select.overlap = Some(Overlap::Score),
                Some(Nms::Off) => select.overlap = None,
                None => {}
            }
        }
        if let Some(threshold) = self.threshold
            && !head.set_threshold(threshold)
        {
            return wrong("--threshold", "specs with `head verify` or `head embed`");
        }
        Ok(head)
    }
}
