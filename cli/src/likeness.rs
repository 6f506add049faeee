//! What `cnnc evaluate` says of networks that compare pictures: over all pairs, and among known identities.

use crate::goals::Goals;
use crate::{Failure, print};
use cnnc::train::{Data, Hard, Likeness, OfGallery, Roc, curves, hardest_sheet};
use cnnc::{Model, Weights};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Instant;

/// What is judged, and what is drawn of it.
pub struct Judged<'j> {
    pub model: &'j Model,
    pub weights: &'j Weights,
    pub data: &'j Data,
    pub folder: &'j Path,
    pub out: Option<&'j Path>,
    pub worst: Option<&'j Path>,
    pub threads: usize,
    pub json: bool,
    pub start: Instant,
}

/// How many of the hardest triplets are drawn, and how many are printed.
const DRAWN: usize = 10;
const PRINTED: usize = 3;

/// Compares all samples, draws what is asked for, and prints what came of it.
pub fn show(judged: &Judged<'_>) -> Result<(), Failure> {
    let Judged { model, data, .. } = judged;
    let samples = &data.test;
    let all = Likeness::of(model, judged.weights, samples, judged.threads)?;
    print::broken(&all.broken);
    let broken = [&data.broken[..], &all.broken].concat();
    let roc = all.roc();
    let (rate, equal) = roc.equal_error();
    let [at_head, at_equal] = [all.threshold, equal].map(|threshold| all.galleries(threshold));
    let hardest = all.hardest(DRAWN);
    let name = |sample: usize| match samples.name(sample) {
        Some(name) => name.to_owned(),
        None => format!("sample {sample}"),
    };
    if let Some(path) = judged.out {
        curves(&model.graph().name, &roc, &at_equal).write(path)?;
        print::wrote(path);
    }
    if let Some(path) = judged.worst {
        let Some(pre) = model.graph().inputs[0].pre.as_ref() else {
            return Err(Failure::NothingDrawn);
        };
        hardest_sheet(&all, &hardest, pre, samples, name)?.write(path)?;
        print::wrote(path);
    }
    let head = roc.at(all.threshold);
    let right = 1.0 - 0.5 * (head.false_accepts + head.false_rejects());
    let accuracy = match samples.together() {
        1 => all.nearest(),
        _ => right,
    };
    let goals = Goals::of(model, judged.folder, Some(accuracy));
    let seconds = judged.start.elapsed().as_secs_f64();
    if judged.json {
        print::json(&json!({
            "samples": samples.len(), "compared": all.samples.len(), "identities": all.identities(),
            "alike_pairs": roc.pairs.0, "unlike_pairs": roc.pairs.1,
            "auc": roc.area(), "equal_error_rate": rate, "equal_error_threshold": all.said(equal),
            "threshold": all.said(all.threshold), "false_accepts": head.false_accepts, "false_rejects": head.false_rejects(),
            "nearest_accuracy": all.nearest(), "galleries": galleries_to_json(&at_head, &at_equal),
            "hardest": hardest.iter().map(|of| hard_to_json(&all, of, name)).collect::<Vec<Value>>(),
            "expected": goals.to_json(), "broken": broken, "seconds": seconds,
        }))?;
        return goals.met();
    }
    print::line(format_args!(
        "{} samples ({}) in {seconds:.1} s{}\n{}",
        samples.len(),
        data.kind,
        part(&all, samples.len()),
        text(&all, &roc)
    ))?;
    let mut table = print::table(&[
        ">known identities",
        ">nearest is right",
        &format!(">strangers accepted at {:.3}", all.said(equal)),
        &format!(">at the head's {:.3}", all.said(all.threshold)),
    ]);
    for (of, other) in at_equal.iter().zip(&at_head) {
        let shares = [of.rank1, of.false_accepts, other.false_accepts];
        let mut row = vec![of.size.to_string()];
        row.extend(shares.map(|share| format!("{:.1} %", 100.0 * share)));
        table.add_row(row);
    }
    print::line(format_args!(
        "one picture of each of K known identities, a face among them or a stranger\n{table}"
    ))?;
    let lines = hardest.iter().take(PRINTED).map(|of| {
        let (own, other) = (name(of.alike.0 as usize), name(of.unlike.0 as usize));
        format!(
            "\n  {}: {own} is at {:.3}, {other} at {:.3}",
            name(of.anchor as usize),
            all.said(of.alike.1),
            all.said(of.unlike.1)
        )
    });
    print::line(format_args!(
        "the hardest triplets:{}",
        lines.collect::<String>()
    ))?;
    goals.show()?;
    goals.met()
}

/// How many of the samples are compared, if not all.
fn part(all: &Likeness, samples: usize) -> String {
    match all.samples.len() {
        count if count == samples => String::new(),
        count => format!("; {count} of them are compared"),
    }
}

fn text(all: &Likeness, roc: &Roc) -> String {
    let ((alike, unlike), (rate, equal)) = (roc.pairs, roc.equal_error());
    let head = roc.at(all.threshold);
    let what = if all.scores { "score" } else { "distance" };
    let side = if all.scores { "from" } else { "up to" };
    format!(
        "{} pairs, {alike} of them alike\n\
         area under the curve {:.4}\n\
         equal error rate {:.2} % ({side} a {what} of {:.4})\n\
         {side} the head's threshold, {:.4}: {:.2} % of the unlike pairs accepted, {:.2} % of the alike ones rejected\n\
         nearest other picture is of the same identity {:.2} %",
        alike + unlike,
        roc.area(),
        100.0 * rate,
        all.said(equal),
        all.said(all.threshold),
        100.0 * head.false_accepts,
        100.0 * head.false_rejects(),
        100.0 * all.nearest()
    )
}

fn galleries_to_json(at_head: &[OfGallery], at_equal: &[OfGallery]) -> Value {
    let rows = at_head.iter().zip(at_equal);
    let rows = rows.map(|(of, equal)| {
        json!({
            "identities": of.size, "rank1": of.rank1, "false_accepts": of.false_accepts, "false_accepts_at_equal_error": equal.false_accepts,
        })
    });
    rows.collect()
}

fn hard_to_json(all: &Likeness, of: &Hard, name: impl Fn(usize) -> String) -> Value {
    json!({
        "anchor": name(of.anchor as usize),
        "alike": { "sample": name(of.alike.0 as usize), "distance": all.said(of.alike.1) },
        "unlike": { "sample": name(of.unlike.0 as usize), "distance": all.said(of.unlike.1) },
    })
}
