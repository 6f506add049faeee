//! Figures that are kept, and what has become of them.

use super::{Outcome, figures};
use crate::Failure;
use cnnc::bench::Machine;
use serde_json::{Value, json};
use std::path::Path;

/// What a file of figures begins with.
const MADE_BY: &str = "cnnc bench";

/// A difference that is never called one, as a share: machines drift by as much from one second to the next.
const NOTHING: f64 = 0.02;

/// The text of a file of figures.
pub fn text(machine: &Machine, outcomes: &[Outcome]) -> String {
    let results = outcomes.iter().map(|outcome| figures::of(machine, outcome));
    let base = json!({
        "made_by": MADE_BY,
        "version": 1,
        "results": results.collect::<Value>(),
    });
    format!("{base:#}\n")
}

/// Figures of an earlier time.
pub struct Base {
    file: String,
    results: Vec<Value>,
}

/// What has become of a network's time.
pub struct Compared {
    /// The base's median, in milliseconds.
    base: f64,
    /// This median by that.
    ratio: f64,
    /// Whether that is more than both spreads.
    told: bool,
    /// Why the comparison may mean nothing.
    pub remark: Option<String>,
}

impl Base {
    /// Reads a file that `--save` has written.
    pub fn read(path: &Path) -> Result<Base, Failure> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| Failure::Read {
            file: file.clone(),
            why: error.to_string(),
        })?;
        let none = |why: &str| Failure::Base {
            file: file.clone(),
            why: why.to_owned(),
        };
        let value: Value = serde_json::from_str(&text)
            .map_err(|_| none("it is not what `cnnc bench --save` writes: it is no JSON"))?;
        if value["made_by"] != MADE_BY {
            return Err(none("it is not what `cnnc bench --save` writes"));
        }
        if value["version"] != 1 {
            return Err(none("another version of cnnc has written it"));
        }
        let results = value["results"].as_array().cloned().unwrap_or_default();
        let whole = |result: &Value| {
            result["model"].is_string()
                && result["threads"].is_u64()
                && result["median_ms"].as_f64().is_some_and(|ms| ms > 0.0)
        };
        if results.is_empty() || !results.iter().all(whole) {
            return Err(none("its figures are incomplete"));
        }
        Ok(Base { file, results })
    }

    /// Those of a network of that name; of several, those that are like it in most.
    fn find(
        &self,
        model: &str,
        threads: usize,
        batch: usize,
        like: impl Fn(&Value) -> usize,
    ) -> Option<&Value> {
        let named = self.results.iter().filter(|result| {
            result["model"] == model && result["threads"] == threads && result["batch"] == batch
        });
        // The first of those that are alike.
        named.rev().max_by_key(|result| like(result))
    }

    /// Refuses a comparison for which there are no figures, before anything is measured.
    pub fn has(&self, model: &str, threads: &[u16], batch: usize) -> Result<(), Failure> {
        let lacking = threads.iter().map(|&threads| usize::from(threads));
        let lacking = lacking.filter(|&threads| self.find(model, threads, batch, |_| 0).is_none());
        match lacking.into_iter().next() {
            None => Ok(()),
            Some(threads) => Err(self.lacks(model, threads, batch)),
        }
    }

    fn lacks(&self, model: &str, threads: usize, batch: usize) -> Failure {
        let described = self.results.iter().map(|result| {
            let name = result["model"].as_str().unwrap_or_default();
            of(name, result["threads"].as_u64(), result["batch"].as_u64())
        });
        let there: Vec<String> = described.collect();
        let wanted = of(model, Some(threads as u64), Some(batch as u64));
        Failure::Base {
            file: self.file.clone(),
            why: format!(
                "it has no figures of {wanted}; it has those of {}",
                there.join(", ")
            ),
        }
    }

    /// What is said of figures of another machine.
    pub fn remark(&self, machine: &Machine) -> Option<String> {
        let cpu = self.results[0]["cpu"]
            .as_str()
            .unwrap_or("another processor");
        (cpu != machine.cpu).then(|| {
            let (file, here) = (&self.file, &machine.cpu);
            format!("{file} is of another machine ({cpu}, here {here}): the comparison is of machines, too")
        })
    }

    /// Compares.
    pub fn compare(&self, outcome: &Outcome) -> Result<Compared, Failure> {
        let (network, report) = (&outcome.network, &outcome.report);
        let name = network.name();
        let isa = network.isa().name();
        let arithmetic = figures::arithmetic(outcome);
        // Most of all the same network, then the same instructions.
        let like = |result: &Value| {
            4 * usize::from(result["hash"] == outcome.hash)
                + 2 * usize::from(result["isa"] == isa)
                + usize::from(result["arithmetic"] == arithmetic)
        };
        let found = self.find(name, report.threads, report.images, like);
        let result = found.ok_or_else(|| self.lacks(name, report.threads, report.images))?;
        let base = result["median_ms"].as_f64().unwrap_or(f64::NAN);
        let spread = result["spread"].as_f64().unwrap_or(0.0);
        let ratio = report.times.median / base;
        let file = &self.file;
        let remark = if result["hash"] != outcome.hash {
            Some(format!(
                "{file} is of another network that is called {name}, too: its architecture is another"
            ))
        } else if result["isa"] != isa {
            let theirs = result["isa"].as_str().unwrap_or("another instruction set");
            Some(format!(
                "{file} is of {name} on {theirs}, here it is on {isa}"
            ))
        } else {
            // Files of earlier versions do not say.
            let theirs = result["arithmetic"].as_str();
            let other = theirs.filter(|&theirs| theirs != arithmetic);
            other.map(|theirs| {
                format!(
                    "{file} is of {name} with {theirs} arithmetic, here it is {arithmetic} (`--exact`)"
                )
            })
        };
        Ok(Compared {
            base,
            ratio,
            told: (ratio - 1.0).abs() > (spread + report.times.spread).max(NOTHING),
            remark,
        })
    }
}

/// `Net on 2 threads, 8 images at once`
fn of(model: &str, threads: Option<u64>, batch: Option<u64>) -> String {
    let threads = match threads.unwrap_or(1) {
        1 => "1 thread".to_owned(),
        threads => format!("{threads} threads"),
    };
    match batch.unwrap_or(1) {
        1 => format!("`{model}` on {threads}"),
        batch => format!("`{model}` on {threads}, {batch} images at once"),
    }
}

impl Compared {
    /// `0.93 of 1.10 ms, faster`
    pub fn to_text(&self) -> String {
        let verdict = match (self.told, self.ratio < 1.0) {
            (false, _) => "within the spread",
            (true, true) => "faster",
            (true, false) => "slower",
        };
        format!(
            "{:.2} of {} ms, {verdict}",
            self.ratio,
            crate::print::ms(self.base)
        )
    }

    pub(super) fn to_json(&self) -> Value {
        json!({ "base_ms": self.base, "ratio": self.ratio, "beyond_spread": self.told })
    }
}
