//! The page's tables: figures on every number of threads, time layer by layer, and schedules.

use super::{KEY, Outcome, class, escaped};
use crate::bench::figures::{images_per_s, milliseconds};
use crate::bench::percent;
use crate::print;
use cnnc::bench::{Kernel, Trial};
use cnnc::compiler::words;

/// A row of cells; those that begin with `>` are numbers, set to the right. Cells are HTML.
fn row(tag: &str, cells: &[String]) -> String {
    let mut text = "<tr>".to_owned();
    for cell in cells {
        text += &match cell.strip_prefix('>') {
            Some(number) => format!("<{tag} class=\"n\">{number}</{tag}>"),
            None => format!("<{tag}>{cell}</{tag}>"),
        };
    }
    text + "</tr>\n"
}

fn headings(headings: &[&str]) -> String {
    let cells: Vec<String> = headings.iter().map(|&heading| heading.to_owned()).collect();
    row("th", &cells)
}

/// The network on every number of threads.
pub fn figures(outcomes: &[Outcome]) -> String {
    let mut text = "<table>\n".to_owned();
    text += &headings(&[
        "",
        ">median ms",
        ">spread",
        ">p90",
        ">p99",
        ">images/s",
        ">GFLOP/s",
        ">of peak",
        ">CPU ms a run",
    ]);
    for outcome in outcomes {
        let report = &outcome.report;
        let times = &report.times;
        let cpu = report.cpu.map(milliseconds);
        text += &row(
            "td",
            &[
                words::count(report.threads, "thread"),
                format!(">{}", print::ms(times.median)),
                format!(">± {}", percent(times.spread)),
                format!(">{}", print::ms(times.p90)),
                format!(">{}", print::ms(times.p99)),
                format!(">{:.1}", images_per_s(outcome)),
                format!(">{:.1}", report.gflops),
                format!(">{}", percent(report.peak_share)),
                format!(">{}", cpu.map_or_else(String::new, print::ms)),
            ],
        );
    }
    text + "</table>\n"
}

/// Time of each layer, a bar for each number of threads.
pub fn layers(outcomes: &[Outcome]) -> String {
    let reports = || outcomes.iter().map(|outcome| &outcome.report);
    let all = reports().flat_map(|report| &report.layers);
    let longest = all.map(|row| row.times.median).fold(0.0, f64::max);
    let mut text = format!("<h2>Time of each layer</h2>\n{KEY}<table>\n");
    let mut names: Vec<String> = vec!["layer".to_owned(), String::new()];
    names
        .extend(reports().map(|report| format!(">ms, {}", words::count(report.threads, "thread"))));
    names.extend([">of peak".to_owned(), String::new()]);
    text += &row("th", &names);
    for (index, first) in outcomes[0].report.layers.iter().enumerate() {
        let times: Vec<f64> = reports()
            .filter_map(|report| Some(report.layers.get(index)?.times.median))
            .collect();
        let how = first.schedule.as_deref().unwrap_or_default();
        let mut cells = vec![
            format!("<span class=\"l\">{}</span>", escaped(&first.label)),
            format!(
                "{}<br><span class=\"d\">{}</span>",
                escaped(&first.layer),
                escaped(how)
            ),
        ];
        cells.extend(times.iter().map(|&ms| format!(">{}", print::ms(ms))));
        cells.push(match first.macs {
            0 => String::new(),
            _ => format!(">{}", percent(first.peak_share)),
        });
        let line = row("td", &cells);
        let class = class(first.schedule.as_deref());
        let bars = times.iter().map(|ms| {
            let width = if longest > 0.0 {
                100.0 * ms / longest
            } else {
                0.0
            };
            format!("<i class=\"{class}\" style=\"width:{width:.1}%\"></i>")
        });
        let bars: String = bars.collect();
        text += line.trim_end().trim_end_matches("</tr>");
        text += &format!("<td class=\"bars\">{bars}</td></tr>\n");
    }
    let mut cells = vec!["sum".to_owned(), String::new()];
    cells.extend(reports().map(|report| {
        let sum: f64 = report.layers.iter().map(|row| row.times.median).sum();
        format!(">{}", print::ms(sum))
    }));
    cells.extend([String::new(), String::new()]);
    text += &row("td", &cells);
    text + "</table>\n"
}

/// Which schedule each form of layers has, and what it beat.
pub fn schedules(outcome: &Outcome) -> String {
    let kernels = outcome.kernels.as_deref().unwrap_or_default();
    let mut text = format!(
        "<h2>Schedules</h2>\n<p>Every way to compute each form of layers, measured in machine code between the layers around it, on {}.</p>\n<table>\n",
        words::count(outcome.report.threads, "thread")
    );
    text += &headings(&[
        "layer",
        "taken",
        ">ms",
        ">GFLOP/s",
        ">of peak",
        "the next best",
        ">ms",
        ">",
    ]);
    for kernel in kernels {
        let taken = kernel.taken();
        let layers = match kernel.labels.len() {
            1 => String::new(),
            layers => format!(" × {layers}"),
        };
        let mut cells = vec![
            format!(
                "<span class=\"l\">{}</span>{layers}<br><span class=\"d\">{}, {} → {}</span>",
                escaped(kernel.labels.first().map_or("", String::as_str)),
                escaped(&kernel.layer),
                print::shape(&kernel.input),
                print::shape(&kernel.output)
            ),
            format!("{}{}", escaped(&taken.schedule), others(kernel)),
            format!(">{}", print::ms(taken.times.median)),
            format!(">{:.1}", taken.gflops),
            format!(">{}", percent(taken.peak_share)),
        ];
        cells.extend(match kernel.rival() {
            Some(rival) => [
                escaped(&rival.schedule),
                format!(">{}", print::ms(rival.times.median)),
                format!(">{}", against(rival, taken)),
            ],
            None => [
                "<span class=\"d\">none</span>".to_owned(),
                String::new(),
                String::new(),
            ],
        });
        text += &row("td", &cells);
    }
    text + "</table>\n"
}

/// `+12 %`
fn against(trial: &Trial, taken: &Trial) -> String {
    match taken.times.median > 0.0 {
        true => format!(
            "{:+.0} %",
            100.0 * (trial.times.median / taken.times.median - 1.0)
        ),
        false => String::new(),
    }
}

/// The schedules beyond the next best, to be opened.
fn others(kernel: &Kernel) -> String {
    let rest = kernel.trials.get(2..).unwrap_or_default();
    if rest.is_empty() {
        return String::new();
    }
    let mut text = format!("<details><summary>and {} more</summary>", rest.len());
    for trial in rest {
        text += &format!(
            "{}: {} ms, {}<br>",
            escaped(&trial.schedule),
            print::ms(trial.times.median),
            against(trial, kernel.taken())
        );
    }
    text + "</details>"
}
