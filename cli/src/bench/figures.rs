//! Figures for other programs: JSON and CSV.

use super::{Finest, Outcome};
use cnnc::bench::{Kernel, Machine, Row, Trial};
use serde_json::{Value, json};
use std::time::Duration;

/// A network by itself, or all of several in a list.
pub fn json(machine: &Machine, outcomes: &[Outcome]) -> Value {
    match outcomes {
        [only] => of(machine, only),
        all => all.iter().map(|outcome| of(machine, outcome)).collect(),
    }
}

/// The figures of a network on a number of threads.
pub fn of(machine: &Machine, outcome: &Outcome) -> Value {
    let (network, report) = (&outcome.network, &outcome.report);
    let times = &report.times;
    let load = &report.load;
    let mut value = json!({
        "spec": outcome.spec,
        "model": network.name(),
        "hash": outcome.hash,
        "isa": network.isa().name(),
        "arithmetic": arithmetic(outcome),
        "cpu": machine.cpu,
        "processors": machine.processors,
        "threads": report.threads,
        "batch": report.images,
        "images_per_s": images_per_s(outcome),
        "session_bytes": network.session_bytes(),
        "runs": times.runs,
        "median_ms": times.median,
        "min_ms": times.min,
        "p50_ms": times.median,
        "p90_ms": times.p90,
        "p99_ms": times.p99,
        "spread": times.spread,
        "cpu_ms": report.cpu.map(milliseconds),
        "macs": report.macs,
        "gflops": report.gflops,
        "peak_gflops": report.peak_gflops,
        "peak_share": report.peak_share,
        "compile_ms": milliseconds(report.compile),
        "load_ms": milliseconds(report.load_time),
        "busy": report.busy,
        "load": {
            "others": load.others,
            "stolen": load.stolen,
            "waited": load.waited,
            "involuntary_switches_per_s": load.switches,
        },
        "layers": report.layers.iter().map(layer).collect::<Value>(),
    });
    if let Some(head) = outcome.head {
        value["head_ms"] = json!(head);
    }
    if let Some(pace) = &outcome.files {
        value["files"] = json!({
            "answered": pace.answered,
            "broken": pace.broken,
            "seconds": pace.time.as_secs_f64(),
            "per_s": pace.per_second,
            "share": outcome.share_of_files(pace),
            "decoders": pace.decoders,
            "reading_share": pace.reading,
            "waiting_share": pace.waiting,
        });
    }
    if let Some(kernels) = &outcome.kernels {
        value["kernels"] = kernels.iter().map(kernel).collect();
    }
    if let Some(compared) = &outcome.compared {
        value["compared"] = compared.to_json();
    }
    value
}

/// How convolutions were computed: `fast` is with Winograd's algorithm, `exact` without.
pub fn arithmetic(outcome: &Outcome) -> &'static str {
    match outcome.exact {
        true => "exact",
        false => "fast",
    }
}

fn layer(row: &Row) -> Value {
    json!({
        "label": row.label,
        "layer": row.layer,
        "schedule": row.schedule,
        "winograd": row.winograd,
        "macs": row.macs,
        "bytes": row.bytes,
        "median_ms": row.times.median,
        "min_ms": row.times.min,
        "p90_ms": row.times.p90,
        "p99_ms": row.times.p99,
        "spread": row.times.spread,
        "gflops": row.gflops,
        "peak_share": row.peak_share,
    })
}

fn kernel(kernel: &Kernel) -> Value {
    let trial = |trial: &Trial| {
        json!({
            "schedule": trial.schedule,
            "winograd": trial.winograd,
            "taken": trial.taken,
            "estimated_cycles": trial.cycles,
            "median_ms": trial.times.median,
            "min_ms": trial.times.min,
            "spread": trial.times.spread,
            "gflops": trial.gflops,
            "peak_share": trial.peak_share,
        })
    };
    json!({
        "labels": kernel.labels,
        "layer": kernel.layer,
        "input": kernel.input,
        "output": kernel.output,
        "macs": kernel.macs,
        "schedules": kernel.trials.iter().map(trial).collect::<Value>(),
    })
}

/// Images a second.
pub fn images_per_s(outcome: &Outcome) -> f64 {
    let report = &outcome.report;
    match report.times.median > 0.0 {
        true => report.images as f64 * 1e3 / report.times.median,
        false => 0.0,
    }
}

/// A duration in milliseconds.
pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// A row for each schedule, else for each layer, else for each network: whatever is finest of what was measured.
pub fn csv(outcomes: &[Outcome], finest: Finest) -> String {
    let (kernels, layers) = (finest.kernels, finest.layers);
    let mut rows: Vec<Vec<String>> = Vec::new();
    let common = ["spec", "model", "isa", "threads", "batch"];
    let own: &[&str] = match (kernels, layers) {
        (true, _) => &["labels", "layer", "schedule", "taken"],
        (_, true) => &["label", "layer", "schedule"],
        _ => &[
            "images_per_s",
            "cpu_ms",
            "compile_ms",
            "load_ms",
            "peak_gflops",
        ],
    };
    let times = [
        "runs",
        "median_ms",
        "min_ms",
        "p90_ms",
        "p99_ms",
        "spread",
        "macs",
        "gflops",
        "peak_share",
    ];
    let headings = common.iter().chain(own).chain(&times);
    rows.push(headings.map(|&heading| heading.to_owned()).collect());
    for outcome in outcomes {
        let (network, report) = (&outcome.network, &outcome.report);
        let mut row = |own: Vec<String>, times: &cnnc::bench::Times, rates: (u64, f64, f64)| {
            let mut row = vec![
                outcome.spec.clone(),
                network.name().to_owned(),
                network.isa().name().to_owned(),
                report.threads.to_string(),
                report.images.to_string(),
            ];
            row.extend(own);
            row.push(times.runs.to_string());
            let figures = [times.median, times.min, times.p90, times.p99, times.spread];
            row.extend(figures.map(|figure| figure.to_string()));
            row.extend([
                rates.0.to_string(),
                rates.1.to_string(),
                rates.2.to_string(),
            ]);
            rows.push(row);
        };
        if kernels {
            for kernel in outcome.kernels.iter().flatten() {
                for trial in &kernel.trials {
                    let own = vec![
                        kernel.labels.join(" "),
                        kernel.layer.clone(),
                        trial.schedule.clone(),
                        trial.taken.to_string(),
                    ];
                    row(
                        own,
                        &trial.times,
                        (kernel.macs, trial.gflops, trial.peak_share),
                    );
                }
            }
        } else if layers {
            for layer in &report.layers {
                let own = vec![
                    layer.label.clone(),
                    layer.layer.clone(),
                    layer.schedule.clone().unwrap_or_default(),
                ];
                row(
                    own,
                    &layer.times,
                    (layer.macs, layer.gflops, layer.peak_share),
                );
            }
        } else {
            let cpu = report.cpu.map(milliseconds);
            let own = vec![
                images_per_s(outcome).to_string(),
                cpu.map_or_else(String::new, |cpu| cpu.to_string()),
                milliseconds(report.compile).to_string(),
                milliseconds(report.load_time).to_string(),
                report.peak_gflops.to_string(),
            ];
            row(
                own,
                &report.times,
                (report.macs, report.gflops, report.peak_share),
            );
        }
    }
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| quoted(cell)).collect();
        text += &cells.join(",");
        text.push('\n');
    }
    text
}

/// A cell as RFC 4180 has it.
fn quoted(cell: &str) -> String {
    match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn cells_with_commas_are_quoted() {
        assert_eq!(quoted("conv 3x3 8"), "conv 3x3 8");
        assert_eq!(quoted("a, \"b\""), "\"a, \"\"b\"\"\"");
    }
}
