//! What `evaluate` says of classifiers.

use crate::goals::Goals;
use crate::{Failure, print};
use cnnc::train::{Judgement, OfClass};
use serde_json::{Value, json};

/// More classes than these are no matrix of text.
const MOST: usize = 20;

/// A classifier that has been judged.
pub struct Classified<'a> {
    pub judgement: &'a Judgement,
    /// What its classes are called.
    pub labels: &'a [String],
    /// What a sample is called.
    pub name: &'a dyn Fn(usize) -> String,
    /// Where samples were found, in a few words.
    pub kind: &'a str,
    /// What is broken and was left out.
    pub broken: &'a [String],
    pub goals: &'a Goals<'a>,
    /// How long all of it took.
    pub seconds: f64,
}

impl Classified<'_> {
    /// Prints it.
    pub fn show(&self, as_json: bool) -> Result<(), Failure> {
        if as_json {
            return Ok(print::json(&to_json(self))?);
        }
        let Classified {
            judgement, seconds, ..
        } = self;
        print::line(format_args!(
            "{} samples ({}) in {seconds:.1} s, {:.1} a second\n{}",
            judgement.samples(),
            self.kind,
            rate(judgement, *seconds),
            text(judgement, self.labels, self.name)
        ))?;
        self.goals.show()
    }
}

/// Samples a second, reading and compiling included.
fn rate(judgement: &Judgement, seconds: f64) -> f64 {
    judgement.samples() as f64 / seconds.max(1e-9)
}

/// What a judgement comes to, for people.
pub fn text(judgement: &Judgement, labels: &[String], name: &dyn Fn(usize) -> String) -> String {
    let (right, all) = (judgement.right(), judgement.samples());
    let mut out = format!(
        "accuracy {:.2} % ({right} of {all})",
        100.0 * judgement.accuracy()
    );
    if labels.len() > 5 {
        let share = judgement.top5 as f64 / all as f64;
        out += &format!(", among the first five {:.2} %", 100.0 * share);
    }
    let percent = |share: Option<f64>| match share {
        Some(share) => format!("{:.1} %", 100.0 * share),
        None => "–".to_owned(),
    };
    let few = labels.len() <= MOST;
    let mut columns = vec!["class", ">samples", ">precision", ">recall"];
    let heads: Vec<String> = labels.iter().map(|label| format!(">{label}")).collect();
    if few {
        columns.extend(heads.iter().map(String::as_str));
    }
    let mut table = print::table(&columns);
    let of_classes = judgement.classes();
    let rows = labels.iter().zip(&of_classes).enumerate();
    // Of many classes, the worst.
    let mut rows: Vec<(usize, (&String, &OfClass))> =
        rows.filter(|(_, (_, of))| few || of.samples > 0).collect();
    if !few {
        rows.sort_by(|(_, (_, a)), (_, (_, b))| {
            a.recall
                .partial_cmp(&b.recall)
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        rows.truncate(MOST);
    }
    for (class, (label, of)) in rows {
        let mut row = vec![
            label.clone(),
            of.samples.to_string(),
            percent(of.precision),
            percent(of.recall),
        ];
        if few {
            let counts = judgement.confusion[class].iter();
            row.extend(counts.map(|count| {
                if *count == 0 {
                    "·".to_owned()
                } else {
                    count.to_string()
                }
            }));
        }
        table.add_row(row);
    }
    let what = match few {
        true => {
            "behind the recall: how many samples of the row's class were taken for the column's"
        }
        false => "the classes with the least recall",
    };
    out += &format!("\n{what}\n{table}");
    let mistakes = judgement.mistakes();
    if !mistakes.is_empty() {
        let shown = mistakes.iter().take(8).map(|&(class, guess, count)| {
            format!("{} for {} {count} times", labels[class], labels[guess])
        });
        out += &format!(
            "\ntaken for another: {}",
            shown.collect::<Vec<_>>().join(", ")
        );
        let wrong = judgement
            .worst
            .iter()
            .filter(|miss| miss.guess != miss.class);
        let worst = wrong.take(5).map(|miss| {
            let (class, guess) = (&labels[miss.class], &labels[miss.guess]);
            format!("\n  {}: {class}, taken for {guess}", name(miss.sample))
        });
        let worst: String = worst.collect();
        if !worst.is_empty() {
            out += &format!("\nthe worst:{worst}");
        }
    }
    out
}

fn to_json(judged: &Classified<'_>) -> Value {
    let Classified {
        judgement,
        labels,
        name,
        goals,
        seconds,
        ..
    } = judged;
    let classes = labels.iter().zip(judgement.classes()).map(|(label, of)| {
        json!({ "label": label, "samples": of.samples, "precision": of.precision, "recall": of.recall })
    });
    let worst = judgement.worst.iter().map(|miss| {
        json!({
            "sample": name(miss.sample), "class": labels[miss.class], "taken_for": labels[miss.guess], "probability": miss.probability,
        })
    });
    json!({
        "samples": judgement.samples(),
        "right": judgement.right(),
        "accuracy": judgement.accuracy(),
        "top5_accuracy": judgement.top5 as f64 / judgement.samples() as f64,
        "classes": classes.collect::<Vec<Value>>(),
        "confusion": judgement.confusion,
        "worst": worst.collect::<Vec<Value>>(),
        "expected": goals.to_json(),
        "broken": judged.broken,
        "seconds": seconds,
        "samples_per_s": rate(judgement, *seconds),
    })
}
