//! What a command has printed, and what a run of training has written of itself.

use super::page::Promise;
use std::fs;
use std::path::Path;

/// What came of a command.
pub struct Outcome<'a> {
    /// What it printed on both outputs.
    pub printed: &'a str,
    /// Of training: the folder of its run.
    pub run: Option<&'a Path>,
}

impl Outcome<'_> {
    /// What a promise has come to, or if it is not kept, what there is instead.
    pub fn keeps(&self, promise: &Promise) -> Result<String, String> {
        let (name, least, bound) = match promise {
            Promise::Words(words) => {
                return match even(self.printed).contains(&even(words)) {
                    true => Ok(format!("`{words}`")),
                    false => Err(format!("`{words}` is not printed")),
                };
            }
            Promise::Share(bound) => ("", true, *bound),
            Promise::Figure { name, least, bound } => (name.as_str(), *least, *bound),
        };
        let found = match self.run {
            Some(run) => at_last(&fs::read_to_string(run.join("results.csv")).unwrap(), name),
            None if name.is_empty() => share(self.printed),
            None => figure(self.printed, name),
        };
        let Some(found) = found else {
            return Err(format!("no figure `{name}`"));
        };
        let kept = if least {
            found >= bound
        } else {
            found <= bound
        };
        match kept {
            true => Ok(format!("{name} {found:.4}").trim().to_owned()),
            false => Err(format!("{name} {found}, promised was {bound}")),
        }
    }
}

/// With a blank where there are several.
fn even(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Of a run's table of epochs the last row's number of that name, in hundredths: of the samples that judge, the first one where nothing is named.
pub fn at_last(table: &str, name: &str) -> Option<f64> {
    let column = format!("test_{}", name.replace(' ', "_"));
    Some(100.0 * last_of(table, |head| head.starts_with(&column))?)
}

/// The last row's number in the first column that is wanted.
pub fn last_of(table: &str, wanted: impl Fn(&str) -> bool) -> Option<f64> {
    let at = table.lines().next()?.split(',').position(wanted)?;
    table.lines().last()?.split(',').nth(at)?.parse().ok()
}

/// The last share in the last line with any, in hundredths.
fn share(printed: &str) -> Option<f64> {
    let in_line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let pairs = words.windows(2).filter(|pair| pair[1].starts_with('%'));
        pairs.rev().find_map(|pair| pair[0].parse().ok())
    };
    printed.lines().rev().find_map(in_line)
}

/// The number behind a name, or the one of a table whose row and column the name says.
fn figure(printed: &str, name: &str) -> Option<f64> {
    if let Some((_, rest)) = printed.split_once(name) {
        return rest.split_whitespace().find_map(number);
    }
    let places = name.match_indices(' ').map(|(place, _)| place);
    places
        .map(|place| (&name[..place], &name[place + 1..]))
        .find_map(|(row, column)| in_table(printed, row, column))
}

/// The number of a row and a column of a table, whose cells are two blanks apart.
fn in_table(printed: &str, row: &str, column: &str) -> Option<f64> {
    let cells = |line: &str| {
        let cells = line.split("  ").map(str::trim);
        let cells = cells.filter(|cell| !cell.is_empty()).map(str::to_owned);
        cells.collect::<Vec<_>>()
    };
    let mut lines = printed.lines().map(cells);
    let at = lines.find_map(|head| head.iter().position(|cell| cell == column))?;
    let of_row = lines.find(|cells| cells.first().is_some_and(|first| first == row))?;
    of_row.get(at)?.split_whitespace().find_map(number)
}

/// A word that is a number.
fn number(word: &str) -> Option<f64> {
    let bare = word.trim_matches(|c: char| !c.is_ascii_digit() && c != '-');
    bare.parse().ok()
}

#[test]
fn what_came_out_is_found() {
    let table = "epoch,loss,test_box_iou,test_named\n1,2,0.5,0.6\n2,1,0.75,0.98\n";
    assert_eq!(at_last(table, ""), Some(75.0));
    assert_eq!(at_last(table, "named"), Some(98.0));
    assert_eq!(at_last(table, "accuracy"), None);
    assert_eq!(last_of(table, |head| head == "loss"), Some(1.0));
    assert_eq!(
        share("66.25 % of 400 right in 20 runs (2 s)\n"),
        Some(66.25)
    );
    assert_eq!(share("nothing\n"), None);

    let printed = "mAP 79.3 % at .5\nclass      VOC 2007  VOC 2010\nRBC          70.0 %    82.2 %\nPlatelets    50.0 %    55.0 %\nno number is further than 2.4e-4 from Sobel's\n";
    assert_eq!(figure(printed, "mAP"), Some(79.3));
    assert_eq!(figure(printed, "Platelets VOC 2010"), Some(55.0));
    assert_eq!(figure(printed, "RBC VOC 2007"), Some(70.0));
    assert_eq!(figure(printed, "WBC VOC 2007"), None);
    assert_eq!(figure(printed, "further than"), Some(2.4e-4));
}

#[test]
fn promises_are_kept_or_not() {
    let outcome = Outcome {
        printed: "two   words\narea under the curve 0.9700\n",
        run: None,
    };
    let holds = |text| {
        let mut promises = super::page::promises(text);
        outcome.keeps(&promises.remove(0)).is_ok()
    };
    assert!(holds("two words") && !holds("three words"));
    assert!(holds("area under the curve ≥ 0.97") && !holds("area under the curve ≥ 0.98"));
    assert!(holds("area under the curve ≤ 0.97") && !holds("area under the curve ≤ 0.96"));
    assert!(!holds("another ≥ 0") && !holds("90 %"));
}
