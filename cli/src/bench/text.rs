//! Figures for people: a list for one network, a table for several.

use super::figures::{images_per_s, milliseconds};
use super::{Finest, Outcome, algorithm, kernels, percent};
use crate::print;
use cnnc::bench::{Machine, Row};
use cnnc::compiler::words;

/// All that was measured.
pub fn text(machine: &Machine, outcomes: &[Outcome], finest: Finest) -> String {
    let mut text = match outcomes {
        [only] => list(machine, only),
        all => table(machine, all),
    };
    for outcome in outcomes {
        let mut add = |part: String| {
            text += "\n\n";
            if outcomes.len() > 1 {
                let (name, threads) = (outcome.network.name(), outcome.report.threads);
                text += &print::heading(&format!("{name}, {}", words::count(threads, "thread")));
                text.push('\n');
            }
            text += &part;
        };
        if finest.layers {
            add(layers(outcome));
        }
        if let Some(kernels) = outcome.kernels.as_ref().filter(|_| finest.kernels) {
            add(kernels::text(kernels));
        }
    }
    text
}

/// `± 1.2 %`
fn spread(share: f64) -> String {
    format!("± {}", percent(share))
}

/// What the figures are of.
fn place(machine: &Machine) -> String {
    format!(
        "{}, {}",
        machine.cpu,
        words::count(machine.processors, "processor")
    )
}

fn list(machine: &Machine, outcome: &Outcome) -> String {
    let (network, report) = (&outcome.network, &outcome.report);
    let times = &report.times;
    let threads = words::count(report.threads, "thread");
    let mut text = format!(
        "{} on {}, {threads}: {}",
        network.name(),
        network.isa(),
        place(machine)
    );
    let mut line = |name: &str, value: String| text += &format!("\n{name:<10}{value}");
    let of = match report.images {
        1 => String::new(),
        images => format!(" for {images} images"),
    };
    let (median, runs) = (print::ms(times.median), words::count(times.runs, "run"));
    line(
        "median",
        format!("{median} ms{of} {} ({runs})", spread(times.spread)),
    );
    let quantiles = [times.min, times.p90, times.p99].map(print::ms);
    line(
        "min",
        format!(
            "{} ms, p90 {} ms, p99 {} ms",
            quantiles[0], quantiles[1], quantiles[2]
        ),
    );
    if let Some(head) = outcome.head {
        let head = print::ms(head);
        line(
            "head",
            format!("{head} ms more, for the end of the .onnx that has become one"),
        );
    }
    if let Some(compared) = &outcome.compared {
        line("compared", compared.to_text());
    }
    line("images/s", format!("{:.1}", images_per_s(outcome)));
    if let Some(pace) = &outcome.files {
        let speed = match pace.answered {
            0 => "none answered".to_owned(),
            answered => format!(
                "{:.1}, {} of that ({answered} answered); {}",
                pace.per_second,
                percent(outcome.share_of_files(pace)),
                pace.shares()
            ),
        };
        line("files/s", speed);
    }
    let peak = format!(
        "{} of the {:.0} measured peak",
        percent(report.peak_share),
        report.peak_gflops
    );
    line("GFLOP/s", format!("{:.1}, {peak}", report.gflops));
    if let Some(cpu) = report.cpu {
        line(
            "CPU time",
            format!("{} ms a run", print::ms(milliseconds(cpu))),
        );
    }
    for (name, time) in [("compile", report.compile), ("load", report.load_time)] {
        line(name, format!("{} ms", print::ms(milliseconds(time))));
    }
    text
}

fn table(machine: &Machine, outcomes: &[Outcome]) -> String {
    let any = |has: &dyn Fn(&Outcome) -> bool| outcomes.iter().any(has);
    let batches = any(&|outcome| outcome.report.images > 1);
    let compared = any(&|outcome| outcome.compared.is_some());
    let files = any(&|outcome| outcome.files.is_some());
    let mut headings = vec!["network", "", ">threads"];
    if batches {
        headings.push(">images");
    }
    headings.extend([
        ">median ms",
        ">",
        ">p90",
        ">p99",
        ">images/s",
        ">GFLOP/s",
        ">of peak",
    ]);
    let heads = any(&|outcome| outcome.head.is_some());
    if heads {
        headings.push(">head ms");
    }
    if files {
        headings.extend([">files/s", ">waiting"]);
    }
    if compared {
        headings.push("compared");
    }
    let mut table = print::table(&headings);
    for outcome in outcomes {
        let (network, report) = (&outcome.network, &outcome.report);
        let times = &report.times;
        let mut row = vec![
            network.name().to_owned(),
            network.isa().name().to_owned(),
            report.threads.to_string(),
        ];
        if batches {
            row.push(report.images.to_string());
        }
        row.extend([
            print::ms(times.median),
            spread(times.spread),
            print::ms(times.p90),
            print::ms(times.p99),
            format!("{:.1}", images_per_s(outcome)),
            format!("{:.1}", report.gflops),
            percent(report.peak_share),
        ]);
        if heads {
            row.push(outcome.head.map_or(String::new(), print::ms));
        }
        if let Some(pace) = &outcome.files {
            row.push(format!("{:.1}", pace.per_second));
            row.push(percent(pace.waiting));
        }
        if let Some(compared) = &outcome.compared {
            row.push(compared.to_text());
        }
        table.add_row(row);
    }
    format!("{}\n{}", place(machine), table.trim_fmt())
}

fn layers(outcome: &Outcome) -> String {
    let report = &outcome.report;
    let headings = [
        "layer",
        "",
        "",
        ">median ms",
        ">share",
        ">GFLOP/s",
        ">of peak",
    ];
    let mut table = print::table(&headings);
    let sum: f64 = report.layers.iter().map(|row| row.times.median).sum();
    let share = |ms: f64| if sum > 0.0 { ms / sum } else { 0.0 };
    for row in &report.layers {
        let Row { label, layer, .. } = row;
        let how = algorithm(row.schedule.as_deref().unwrap_or_default()).to_owned();
        let (gflops, peak) = match row.macs {
            0 => (String::new(), String::new()),
            _ => (format!("{:.1}", row.gflops), percent(row.peak_share)),
        };
        let median = print::ms(row.times.median);
        let share = percent(share(row.times.median));
        table.add_row([label, layer, &how, &median, &share, &gflops, &peak]);
    }
    let operations = 2.0 * (report.macs * report.images as u64) as f64;
    let gflops = if sum > 0.0 {
        operations / sum / 1e6
    } else {
        0.0
    };
    let peak = match report.peak_gflops > 0.0 {
        true => percent(gflops / report.peak_gflops),
        false => String::new(),
    };
    let (median, gflops) = (print::ms(sum), format!("{gflops:.1}"));
    let of = format!("{} of a run", percent(sum / report.times.median));
    table.add_row(["sum", &of, "", &median, "100.0 %", &gflops, &peak]);
    let mut text = table.trim_fmt();
    if report.layers.iter().any(|row| row.winograd) {
        text += "\nwinograd does a quarter of the multiplications that are counted (of 5x5 taps 9 of 25), so that its share of the peak may be more than 100 %";
    }
    text
}
