//! What stands beneath what: blanks between the tokens of lines.

use super::lines::Line;
use super::row::{GAP, Row, pad, width};
use crate::parse::tokens::{CHAIN, Kind, NAMED};
use std::collections::BTreeMap;
use std::ops::Range;

/// The lines as text.
pub(super) fn print(lines: &[Line<'_>]) -> String {
    let mut rows: Vec<Row> = lines.iter().map(Row::new).collect();
    // Neighbours that are of one kind are laid out together.
    let mut start = 0;
    while start < lines.len() {
        let kind = Sort::of(&lines[start]);
        let alike = |line: &&Line| !line.spaced && Sort::of(line) == kind;
        let more = lines[start + 1..].iter().take_while(alike).count();
        let end = start + 1 + more;
        match kind {
            Sort::Chain => chains(&mut rows[start..end]),
            Sort::Tuple => {
                let which: Vec<(usize, usize)> = (0..end - start).map(|row| (row, 0)).collect();
                table(&mut rows[start..end], &which);
            }
            Sort::Names => names(&mut rows[start..end]),
            Sort::Other => {}
        }
        start = end;
    }
    let texts: Vec<String> = rows.iter().map(Row::text).collect();
    let mut out = String::new();
    let mut at = 0;
    while at < rows.len() {
        // Comments behind lines that follow one another stand beneath one another.
        let behind = |row: &&Row| row.comment().is_some() && row.code() > 0;
        let count = match rows[at..].iter().take_while(behind).count() {
            0 => 1,
            count => count,
        };
        let widest = texts[at..at + count].iter().map(|text| width(text)).max();
        for (row, text) in rows[at..at + count].iter().zip(&texts[at..]) {
            if row.line.spaced {
                out.push('\n');
            }
            out += text;
            if let Some(comment) = row.comment() {
                if row.code() > 0 {
                    pad(&mut out, widest.unwrap_or(0) + GAP - width(text));
                }
                out += comment;
            }
            out.push('\n');
        }
        at += count;
    }
    out
}

/// What a line is, for its neighbours.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// Statements that are chains.
    Chain,
    /// An item of a list that is in brackets itself.
    Tuple,
    /// Pairs of names of weights.
    Names,
    Other,
}

impl Sort {
    fn of(line: &Line<'_>) -> Sort {
        let Some(first) = line.tokens.first() else {
            return Sort::Other;
        };
        match line.whole {
            true if first.is(CHAIN) => Sort::Chain,
            true if first.kind == Kind::Open && first.text != "{" => Sort::Tuple,
            true if first.is(NAMED) => Sort::Names,
            _ => Sort::Other,
        }
    }
}

/// Labels, chains behind them, and columns of these.
fn chains(rows: &mut [Row<'_, '_>]) {
    let mut calls: BTreeMap<&str, Vec<(usize, usize)>> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        if let Some((name, open)) = row.call() {
            calls.entry(name).or_default().push((index, open));
        }
    }
    for calls in calls.values() {
        table(rows, calls);
    }
    // From the first label on, what has none begins where chains do.
    let first = rows.iter().position(|row| row.label() > 0);
    let (before, rows) = rows.split_at_mut(first.unwrap_or(rows.len()));
    strides(before);
    columns(before);
    let widths = rows.iter().map(|row| row.width(0..row.label()));
    let widest = widths.max().unwrap_or(0);
    for row in rows.iter_mut() {
        let label = row.label();
        row.more[label] += match label {
            0 => widest + 1,
            _ => widest - row.width(0..label),
        };
    }
    strides(rows);
    columns(rows);
}

/// Where lines have a stride behind the kernel, those with a gap there have an empty place for it:
///
/// ```text
/// conv1: conv 3x3 /s w
/// conv2: conv 3x3    w
/// ```
fn strides(rows: &mut [Row<'_, '_>]) {
    // By the width of what stands before it: lines, the token at the place, and the stride's width.
    let mut places: BTreeMap<usize, Vec<(usize, usize, Option<usize>)>> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        let label = row.label();
        let at = label + 2;
        if at >= row.code() || row.gap(at - 1) {
            continue;
        }
        let text = row.tokens()[at].text;
        let stride = text.starts_with('/') && text.len() > 1;
        if stride != row.gap(at) {
            let place = (index, at, stride.then(|| width(text)));
            places.entry(row.width(label..at)).or_default().push(place);
        }
    }
    for places in places.values() {
        let widest = places.iter().filter_map(|place| place.2).max();
        let (Some(widest), true) = (widest, places.iter().any(|place| place.2.is_none())) else {
            continue;
        };
        let behind = |row: &Row, at: usize| at + 1 < row.code() && row.gap(at + 1);
        let mut strides = places.iter().filter(|place| place.2.is_some());
        let gap = match strides.any(|&(row, at, _)| behind(&rows[row], at)) {
            true => GAP,
            false => 1,
        };
        for &(row, at, stride) in places {
            let row = &mut rows[row];
            let (at, blanks, now) = match stride {
                None => (at, 1 + widest + gap, GAP),
                Some(width) => {
                    let now = if behind(row, at) { GAP } else { 1 };
                    (at + 1, widest - width + gap, now)
                }
            };
            if at < row.code() {
                row.more[at] += blanks - now;
                row.slot = Some(at);
            }
        }
    }
}

/// The columns of chains that begin beneath one another.
fn columns(rows: &mut [Row<'_, '_>]) {
    let starts: Vec<Vec<usize>> = rows.iter().map(|row| row.columns()).collect();
    in_turn(rows, &starts, |rows, column, all| {
        align(
            rows,
            |row| Some((starts[row][column], *starts[row].get(column + 1)?)),
            all,
        );
    });
}

/// For each column, with the rows that have it.
fn in_turn(
    rows: &mut [Row<'_, '_>],
    starts: &[Vec<usize>],
    align: impl Fn(&mut [Row<'_, '_>], usize, Vec<usize>),
) {
    let mut left: Vec<usize> = (0..rows.len()).collect();
    for column in 0.. {
        left.retain(|&row| starts[row].len() > column);
        if left.is_empty() {
            return;
        }
        align(rows, column, left.clone());
    }
}

/// Pads what stands between two tokens of each of these rows, so that the second stand beneath one another; rows without them have no say.
fn align(
    rows: &mut [Row<'_, '_>],
    ends: impl Fn(usize) -> Option<(usize, usize)>,
    which: Vec<usize>,
) {
    let spans = which.into_iter();
    let spans = spans.filter_map(|row| ends(row).map(|(start, end)| (row, start, end)));
    let widths: Vec<(usize, usize, usize)> = spans
        .map(|(row, start, end)| (row, end, rows[row].width(start..end)))
        .collect();
    let widest = widths.iter().map(|&(_, _, width)| width).max();
    for (row, end, width) in widths {
        rows[row].more[end] += widest.unwrap_or(width) - width;
    }
}

/// What brackets have in them as a table, if the author has it so: where blanks beyond one stand in one of them, and all have as many
/// columns. Columns of numbers are flush right, but for the first. A row is its index and the token that is its bracket.
fn table(rows: &mut [Row<'_, '_>], which: &[(usize, usize)]) {
    let cells: Vec<Vec<Range<usize>>> = which
        .iter()
        .map(|&(row, open)| rows[row].arguments(open))
        .collect();
    let Some(count) = cells.first().map(Vec::len) else {
        return;
    };
    let spread = which.iter().zip(&cells).any(|(&(row, _), cells)| {
        let mut inner = cells.iter().skip(1);
        inner.any(|cell| rows[row].tokens()[cell.start].blanks >= GAP)
    });
    if !spread || cells.iter().any(|row| row.len() != count) {
        return;
    }
    // Blanks that are still to come, behind a cell that is flush left.
    let mut behind = vec![0; which.len()];
    let at = |index: usize, column: usize| cells[index][column].clone();
    for column in 0..count {
        let cell = |index: usize| at(index, column);
        let all = || which.iter().map(|&(row, _)| row).enumerate();
        let widths: Vec<usize> = all()
            .map(|(index, row)| rows[row].width(cell(index)))
            .collect();
        let widest = widths.iter().copied().max().unwrap_or(0);
        let number = |(index, row): (usize, usize)| {
            let token = &rows[row].tokens()[cell(index)];
            matches!(token, [one] if one.text.starts_with(|c: char| c.is_ascii_digit() || c == '-'))
        };
        let right = column > 0 && all().all(number);
        for (index, row) in all() {
            let rest = widest - widths[index];
            let before = std::mem::replace(&mut behind[index], if right { 0 } else { rest });
            rows[row].more[cell(index).start] += before + if right { rest } else { 0 };
        }
    }
}

/// `"name in the file" -> "label"`, some to a line.
fn names(rows: &mut [Row<'_, '_>]) {
    let pairs: Vec<Vec<usize>> = rows
        .iter()
        .map(|row| {
            let tokens = row.tokens().iter().enumerate();
            let names = tokens.filter(|(_, token)| token.is(NAMED) && token.text.starts_with('"'));
            names.map(|(at, _)| at).collect()
        })
        .collect();
    in_turn(rows, &pairs, |rows, column, all| {
        // The arrow behind the name, and the next name.
        align(
            rows,
            |row| Some((pairs[row][column], pairs[row][column] + 1)),
            all.clone(),
        );
        align(
            rows,
            |row| Some((pairs[row][column], *pairs[row].get(column + 1)?)),
            all,
        );
    });
}
