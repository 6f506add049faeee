//! What `cnnc evaluate` says of networks that answer with more than a class: maps of classes, pictures, numbers.

use crate::goals::Goals;
use crate::{Failure, print};
use cnnc::Model;
use cnnc::train::{Measure, Score};
use serde_json::json;

/// Most classes that are listed.
const MOST: usize = 40;

/// What was judged.
pub struct Judged<'j> {
    pub model: &'j Model,
    pub score: &'j Score,
    pub samples: usize,
    /// What the samples are.
    pub kind: &'j str,
    /// What is broken and was left out.
    pub broken: &'j [String],
    pub goals: &'j Goals<'j>,
    pub seconds: f64,
}

impl Judged<'_> {
    /// Prints it.
    pub fn show(&self, as_json: bool) -> Result<(), Failure> {
        let Judged {
            score,
            samples,
            kind,
            goals,
            seconds,
            ..
        } = self;
        let measure = score.measure();
        if as_json {
            let mut object = json!({ "samples": samples, "measure": measure.name(), "value": score.value(), "expected": goals.to_json(), "broken": self.broken, "seconds": seconds });
            if measure == Measure::MeanIou {
                object["pixel_accuracy"] = json!(score.share());
                let classes = self.classes();
                let classes = classes.map(|(label, iou)| json!({ "label": label, "iou": iou }));
                object["classes"] = classes.collect();
            }
            return Ok(print::json(&object)?);
        }
        let name = measure.name().replace('_', " ");
        print::line(format_args!(
            "{samples} samples ({kind}) in {seconds:.1} s\n{name} {}",
            measure.show(score.value())
        ))?;
        if measure == Measure::MeanIou {
            if let Some(share) = score.share() {
                print::line(format_args!("pixels that are right {:.2} %", 100.0 * share))?;
            }
            let mut table = print::table(&["class", ">intersection over union"]);
            for (label, iou) in self.classes().take(MOST) {
                let iou = iou.map_or_else(|| "–".to_owned(), |iou| format!("{:.1} %", 100.0 * iou));
                table.add_row([label, iou]);
            }
            print::line(table)?;
            if let Some(more) = self
                .classes()
                .count()
                .checked_sub(MOST)
                .filter(|&more| more > 0)
            {
                print::line(format_args!("and {more} more; `--json` has all"))?;
            }
        }
        goals.show()
    }

    /// Classes by their names, and what each came to, if it is there or was found.
    fn classes(&self) -> impl Iterator<Item = (String, Option<f64>)> {
        let head = self.model.head();
        let label = move |class: usize| match head.labels.get(class) {
            Some(label) => label.to_string(),
            None => class.to_string(),
        };
        let parts = self.score.parts().into_iter().enumerate();
        parts.map(move |(class, part)| (label(class), part))
    }
}
