//! A spec's head as data: which task, and its numbers. Generated code holds it as a constant.

use super::constant::constant;
use super::{Answer, AnswerError, Detection, Numbers, Overlap, Placement, Settings, Task, Tensor};
use crate::memory;
use crate::plan::List;
use std::borrow::Cow;
use std::fmt;

/// Outputs of no more numbers are answered without asking for memory first.
const SMALL: usize = 1 << 20;

/// Bytes that an answer takes at most for a number of the outputs: where each is a detection, in a vector that grows and is sorted.
const EACH: u64 = 4 * size_of::<Detection>() as u64;

/// What turns the outputs of a network into an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// Names of the classes; empty if the spec has none.
    pub labels: List<Cow<'static, str>>,
    /// What is asked, and how the outputs say it.
    pub task: Task,
}

constant!(struct Head { labels, task });

/// Settings to replace those of a spec's head; what is absent stays.
///
/// ```
/// use cnnc_runtime::answer::{Classify, Head, Thresholds};
/// let mut head = Head { task: Classify { top: 5 }.into(), ..Head::default() };
/// head.set(&Thresholds::default().top(1))?;
/// assert_eq!(head.task, Classify { top: 1 }.into());
///
/// let refused = head.set(&Thresholds::default().keep(0.9)).unwrap_err();
/// assert_eq!(refused.to_string(), "the head has no `keep`");
/// # Ok::<(), cnnc_runtime::answer::NoSetting>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Thresholds {
    /// How many classes are shown.
    pub top: Option<usize>,
    /// Least score of a box, or of there being anything.
    pub keep: Option<f32>,
    /// Overlap from which on a better box suppresses another.
    pub iou: Option<f32>,
    /// Which boxes suppress which; `Some(None)`: none does.
    pub nms: Option<Option<Overlap>>,
    /// From which score on, or up to which distance, inputs count as alike.
    pub threshold: Option<f32>,
}

impl Thresholds {
    /// Shows that many classes.
    #[must_use]
    pub fn top(mut self, count: usize) -> Thresholds {
        self.top = Some(count);
        self
    }

    /// Keeps what has at least that score.
    #[must_use]
    pub fn keep(mut self, least: f32) -> Thresholds {
        self.keep = Some(least);
        self
    }

    /// Suppresses boxes that overlap a better one by more.
    #[must_use]
    pub fn iou(mut self, most: f32) -> Thresholds {
        self.iou = Some(most);
        self
    }

    /// Says which boxes suppress which; `None`: none does.
    #[must_use]
    pub fn nms(mut self, overlap: Option<Overlap>) -> Thresholds {
        self.nms = Some(overlap);
        self
    }

    /// Holds scores or distances against that number.
    #[must_use]
    pub fn threshold(mut self, value: f32) -> Thresholds {
        self.threshold = Some(value);
        self
    }
}

/// A setting that the head does not have: its key in a spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSetting(pub &'static str);

impl fmt::Display for NoSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the head has no `{}`", self.0)
    }
}

impl std::error::Error for NoSetting {}

impl Head {
    /// The answer, from the outputs in the spec's order (`raw` first) and where the picture lies in the input; see
    /// [`PreProcess::placement`](crate::image::PreProcess::placement).
    ///
    /// # Errors
    /// When the outputs are not those of a network with this head; when they are so large that there may not be the memory for an answer.
    pub fn answer(&self, outputs: &[Tensor<'_>], place: &Placement) -> Result<Answer, AnswerError> {
        let numbers: usize = outputs.iter().map(|output| output.data.len()).sum();
        if numbers > SMALL {
            memory::ask(numbers as u64 * EACH)?;
        }
        self.task.decode().answer(outputs, place)
    }

    /// The name of a class: its label, or `class 7`; `object`, where there are no classes.
    pub fn label(&self, class: usize) -> Cow<'_, str> {
        match self.labels.get(class) {
            Some(label) => Cow::Borrowed(label),
            None if self.task.decode().classes() == Some(0) => Cow::Borrowed("object"),
            None => Cow::Owned(format!("class {class}")),
        }
    }

    /// Every setting that may be changed.
    pub fn settings(&mut self) -> Settings<'_> {
        self.task.decode_mut().settings()
    }

    /// Replaces settings.
    ///
    /// # Errors
    /// When the head does not have one of them; it is then left as it was.
    pub fn set(&mut self, thresholds: &Thresholds) -> Result<(), NoSetting> {
        let mut changed = self.clone();
        let settings = changed.settings();
        replace("top", settings.top, thresholds.top)?;
        replace("keep", settings.keep, thresholds.keep)?;
        replace("iou", settings.iou, thresholds.iou)?;
        replace("nms", settings.nms, thresholds.nms)?;
        replace("threshold", settings.threshold, thresholds.threshold)?;
        *self = changed;
        Ok(())
    }
}

fn replace<T>(
    key: &'static str,
    setting: Option<&mut T>,
    value: Option<T>,
) -> Result<(), NoSetting> {
    match (setting, value) {
        (_, None) => {}
        (Some(setting), Some(value)) => *setting = value,
        (None, Some(_)) => return Err(NoSetting(key)),
    }
    Ok(())
}

impl Default for Head {
    /// Of a network without a head.
    fn default() -> Head {
        Head {
            labels: Cow::Borrowed(&[]),
            task: Task::Numbers(Numbers {}),
        }
    }
}
