//! docs/course.md as it is read: lectures, commands, and what stands behind them.

use cnnc_testing::file;
use std::fs;

/// A lecture: its number, and its commands.
pub struct Lecture {
    pub number: usize,
    pub commands: Vec<Line>,
}

/// A command as it stands on the page.
pub struct Line {
    pub command: String,
    pub promises: Vec<Promise>,
}

/// What a command promises.
#[derive(Clone, Debug, PartialEq)]
pub enum Promise {
    /// To print these words.
    Words(String),
    /// A share that what judges reaches at last, in hundredths.
    Share(f64),
    /// A figure of that name that is so much at least, or at most.
    Figure {
        name: String,
        least: bool,
        bound: f64,
    },
}

/// The lectures of a week.
pub fn lectures(week: usize) -> Vec<Lecture> {
    let page = fs::read_to_string(file("docs/course.md")).unwrap();
    let weeks: Vec<&str> = page.split("\n## ").collect();
    let of_week = weeks[week];
    assert!(of_week.starts_with(&format!("Week {week}: ")), "{of_week}");
    let lectures = of_week.split("\n### ").skip(1).map(|lecture| {
        let (number, text) = lecture.split_once(". ").expect("a number");
        let number = number.parse().unwrap_or_else(|_| panic!("### {number}"));
        let blocks = text.split("```sh\n").skip(1);
        let blocks = blocks.map(|block| block.split("```").next().unwrap());
        let commands = blocks.flat_map(str::lines).map(line).collect();
        Lecture { number, commands }
    });
    lectures.collect()
}

/// A command, and the promises behind it.
fn line(text: &str) -> Line {
    let (command, promised) = text.split_once("    # ").unwrap_or((text, ""));
    Line {
        command: command.trim().to_owned(),
        promises: promises(promised),
    }
}

/// What is promised, part by part.
pub fn promises(text: &str) -> Vec<Promise> {
    let parts = text.split(", ").map(str::trim);
    parts.filter(|part| !part.is_empty()).map(promise).collect()
}

fn promise(part: &str) -> Promise {
    let number = |text: &str| text.trim_end_matches('%').trim().parse::<f64>().ok();
    for (sign, least) in [(" ≥ ", true), (" ≤ ", false)] {
        if let Some((name, bound)) = part.split_once(sign) {
            return Promise::Figure {
                name: name.to_owned(),
                least,
                bound: number(bound).unwrap_or_else(|| panic!("no number: {part}")),
            };
        }
    }
    match number(part).filter(|_| part.ends_with('%')) {
        Some(share) => Promise::Share(share),
        None => Promise::Words(part.to_owned()),
    }
}
