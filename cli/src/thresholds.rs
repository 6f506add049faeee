//! Flags that replace the thresholds of a spec's head.

use crate::Failure;
use cnnc::Model;
use cnnc::compiler::head::HEADS;
use cnnc::rt::answer::{Head, NoSetting, Overlap, Thresholds};

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
pub fn fraction(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("it is a number between 0 and 1".to_owned()),
    }
}

impl Args {
    /// Least probability and overlap of windows, as far as they are written.
    pub fn of_windows(&self) -> (Option<f32>, Option<f32>) {
        (self.keep, self.iou)
    }

    /// The spec's head with what was written; a flag that is not for this head is a mistake.
    pub fn apply(&self, model: &Model) -> Result<Head, Failure> {
        let thresholds = Thresholds {
            top: self.top,
            keep: self.keep,
            iou: self.iou,
            nms: self.nms.map(|nms| match nms {
                Nms::Class => Some(Overlap::Class),
                Nms::Score => Some(Overlap::Score),
                Nms::Off => None,
            }),
            threshold: self.threshold,
        };
        let mut head = model.head();
        head.set(&thresholds)
            .map_err(|NoSetting(key)| Failure::NoSetting {
                key,
                why: refusal(model, key),
            })?;
        Ok(head)
    }
}

/// Why the head of a spec has no such setting.
fn refusal(model: &Model, key: &str) -> String {
    let own = model.graph().head.as_ref().map(|head| head.decl);
    let doc = own.and_then(|decl| Some(decl.key(key)?.doc));
    if let Some(doc) = doc {
        return format!("changes nothing in this spec. `{key}`: {doc}");
    }
    let heads = HEADS.iter().filter(|decl| decl.key(key).is_some());
    let heads: Vec<String> = heads
        .map(|decl| format!("`head {}`", decl.keyword))
        .collect();
    match heads.split_last() {
        Some((last, others)) if !others.is_empty() => {
            format!("is for specs with {} or {last}", others.join(", "))
        }
        _ => format!("is for specs with {}", heads.concat()),
    }
}
