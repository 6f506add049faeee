//! The page of a network: HTML in one file, which loads nothing and runs nothing.

mod arena;
mod roofline;
mod tables;

use super::Outcome;
use cnnc::bench::{Machine, Memory};
use cnnc::compiler::words;
use cnnc::rt::peak;

/// The page's looks, in light and in dark.
const STYLE: &str = include_str!("page.css");

/// The page: outcomes are of one network, each on other threads.
pub fn page(machine: &Machine, outcomes: &[Outcome], memory: &Memory) -> String {
    let first = &outcomes[0];
    let name = escaped(first.network.name());
    let isa = first.network.isa();
    let mut most = 0.0f64;
    let roofs = outcomes.iter().map(|outcome| {
        let threads = outcome.report.threads;
        // More threads read no less; what says so was disturbed.
        most = most.max(peak::bandwidth_gbs_on(threads));
        roofline::Roof {
            threads,
            gflops: outcome.report.peak_gflops,
            gbs: most,
        }
    });
    let roofs: Vec<_> = roofs.collect();
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{name}</title>\n\
         <style>\n{STYLE}</style></head>\n<body><h1>{name}</h1>\n\
         <p>{} by {isa} on {}, {}. Architecture {}.</p>\n",
        escaped(&first.spec),
        escaped(&machine.cpu),
        words::count(machine.processors, "processor"),
        escaped(&first.hash),
    );
    for outcome in outcomes {
        if !outcome.report.busy.is_empty() {
            let threads = words::count(outcome.report.threads, "thread");
            let reasons = escaped(&outcome.report.busy.join("; "));
            page +=
                &format!("<p class=\"warn\">Times on {threads} may be too long: {reasons}.</p>\n");
        }
    }
    page += &tables::figures(outcomes);
    page += &roofline::section(first, &roofs);
    page += &tables::layers(outcomes);
    page += &tables::schedules(first);
    page += &arena::section(memory);
    page += "</body></html>\n";
    page
}

/// What a layer's colour stands for: its algorithm.
fn class(schedule: Option<&str>) -> &'static str {
    let word = schedule.and_then(|schedule| schedule.split([',', ' ']).next());
    match word {
        Some("direct") => "direct",
        Some("winograd") => "winograd",
        Some("depthwise") => "depthwise",
        _ => "",
    }
}

/// Which colour stands for what.
const KEY: &str = "<p class=\"key\"><i class=\"direct\"></i>direct<i class=\"winograd\"></i>winograd\
     <i class=\"depthwise\"></i>depthwise<i></i>other layers</p>\n";

/// Text as HTML has it, in attributes too.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_tags() {
        assert_eq!(escaped("a<b> & \"c\""), "a&lt;b&gt; &amp; &quot;c&quot;");
        assert_eq!(class(Some("direct in f64 blocks, panels of 1")), "direct");
        assert_eq!(class(None), "");
    }
}
