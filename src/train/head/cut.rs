//! What is taken out of a spec's text, so that it ends in front of its last layer.
//!
//! ```text
//! block top(n) { dense 64 relu ✂ dense (n) }      the block of the layer, or a copy of it where others call it, too
//! model Old { …  top(10) ✂ softmax }              behind the call, everything
//! ```

use cnnc_compiler::ast::{
    Block, Body, File, Join, Model, Shortcut, Spanned, Statement, StatementKind, Term, TermKind,
};
use cnnc_compiler::span::Span;
use std::collections::HashSet;
use std::ops::Range;

/// What is taken out of a text, and what is written in its place.
#[derive(Debug, Default)]
pub(super) struct Edits {
    /// What is taken out, in any order.
    pub out: Vec<Range<usize>>,
    /// Places of the names of blocks, and the names that stand there.
    pub renamed: Vec<(Range<usize>, String)>,
    /// Copies of blocks: the range of the block's text and what its copy is called, and what is taken out of the copy or named anew in it.
    pub copies: Vec<(Range<usize>, Edits)>,
}

/// A body in which the layer, or a call that leads to it, is written.
struct Level<'a> {
    body: &'a Body,
    block: Option<&'a Block>,
    /// The layer, or the call.
    at: Span,
}

/// A call of a block.
struct Call<'a> {
    /// Which block.
    name: &'a str,
    at: Span,
    /// Whether it stands in an arm of an `if`.
    in_arm: bool,
}

/// What is behind a place in a body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    /// It goes, too.
    There,
    /// It stays.
    Behind,
}

/// The edits that let a model end in front of a layer.
///
/// # Errors
/// Where it cannot: what the layer is written in.
pub(super) fn cut(text: &str, file: &File, model: &Model, at: Span) -> Result<Edits, String> {
    if at.file != model.body.span.file {
        return Err("in a file that it imports".to_owned());
    }
    let levels = levels(file, model, at)?;
    let mut edits = Edits::default();
    let mut all: Vec<Edits> = Vec::new();
    let last = levels.len() - 1;
    let mut cut_at = last;
    for (index, level) in levels.iter().enumerate() {
        let from = if index == last {
            From::There
        } else {
            From::Behind
        };
        let mut own = Edits::default();
        let whole = edit(level.body, level.at, from, index == 0, &mut own.out)?;
        all.push(own);
        if whole {
            cut_at = index;
            break;
        }
    }
    // A block that others call, too, is copied, and so is what is called within it.
    let mut copies = false;
    let copied_of = levels.iter().map(|level| {
        let called = level
            .block
            .map_or(0, |block| uses(file, model, &block.name.value));
        copies |= called > 1;
        copies
    });
    let copies: Vec<bool> = copied_of.collect();
    let mut copied: Option<(Span, String)> = None;
    for index in (0..=cut_at).rev() {
        let mut own = std::mem::take(&mut all[index]);
        if let Some((call, name)) = copied.take() {
            let start = call.start as usize;
            let old = levels[index + 1]
                .block
                .expect("what is called")
                .name
                .value
                .len();
            own.renamed.push((start..start + old, name));
        }
        let level = &levels[index];
        match level.block {
            Some(block) if copies[index] => {
                let name = format!("{}_trunk", block.name.value);
                own.renamed.push((block.name.span.range(), name.clone()));
                let name_at = block.name.span.range().start;
                let start = text[..name_at].rfind("block").unwrap_or(name_at);
                edits.copies.push((start..block.body.span.range().end, own));
                copied = Some((levels[index - 1].at, name));
            }
            _ => {
                edits.out.extend(own.out);
                edits.renamed.extend(own.renamed);
            }
        }
    }
    Ok(edits)
}

/// The bodies that lead to a layer, the model's first.
fn levels<'a>(file: &'a File, model: &'a Model, at: Span) -> Result<Vec<Level<'a>>, String> {
    let inside = |body: &Body| body.span.start <= at.start && at.end <= body.span.end;
    let (body, block, mut levels) = match inside(&model.body) {
        true => (&model.body, None, Vec::new()),
        false => {
            let block = file.blocks.iter().find(|block| inside(&block.body));
            let block = block.ok_or_else(|| "where no block is".to_owned())?;
            let levels = calling(file, model, &block.name.value)?;
            (&block.body, Some(block), levels)
        }
    };
    levels.push(Level { body, block, at });
    Ok(levels)
}

/// The bodies that lead to the call of a block that runs last: in each, the last call of any block that leads there.
///
/// # Errors
/// Where no call leads there, or another arm of an `if` may be taken.
fn calling<'a>(
    file: &'a File,
    model: &'a Model,
    target: &'a str,
) -> Result<Vec<Level<'a>>, String> {
    let names = leading(file, target);
    let mut levels: Vec<Level> = Vec::new();
    let (mut body, mut block) = (&model.body, None);
    // Whether every body so far has one such call: then that one leads to the layer, in whatever arm it stands.
    let mut only = true;
    loop {
        let mut found = Vec::new();
        calls(body, &names, false, &mut found);
        only &= found.len() == 1;
        let call = found.pop();
        let call =
            call.ok_or_else(|| format!("in the block `{target}`, which no call leads to"))?;
        if call.in_arm && !only {
            return Err("within an `if`, which may take another arm".to_owned());
        }
        let at = call.at;
        levels.push(Level { body, block, at });
        if call.name == target {
            return Ok(levels);
        }
        let called = |block: &&Block| block.name.value == call.name;
        let next = file.blocks.iter().find(called);
        let next = next.expect("names are those of blocks");
        let within = |level: &Level| level.body.span == next.body.span;
        if levels.iter().any(within) {
            return Err(format!("in the block `{}`, which calls itself", call.name));
        }
        (body, block) = (&next.body, Some(next));
    }
}

/// The names of a block and of all blocks that call it, if through others.
fn leading<'a>(file: &'a File, target: &'a str) -> HashSet<&'a str> {
    let mut names = HashSet::from([target]);
    loop {
        let before = names.len();
        for block in &file.blocks {
            let mut found = Vec::new();
            calls(&block.body, &names, false, &mut found);
            if !found.is_empty() {
                names.insert(&block.name.value);
            }
        }
        if names.len() == before {
            return names;
        }
    }
}

/// How often a block is called.
fn uses(file: &File, model: &Model, name: &str) -> usize {
    let names = HashSet::from([name]);
    let mut found = Vec::new();
    calls(&model.body, &names, false, &mut found);
    for block in &file.blocks {
        calls(&block.body, &names, false, &mut found);
    }
    found.len()
}

/// Collects the calls of blocks in order of text; `in_arm` is whether the body is within an `if`.
fn calls<'a>(body: &'a Body, names: &HashSet<&str>, in_arm: bool, found: &mut Vec<Call<'a>>) {
    for statement in &body.statements {
        match &statement.kind {
            StatementKind::Chain(terms) => calls_of(terms, names, in_arm, found),
            StatementKind::Group(body)
            | StatementKind::Repeat { body, .. }
            | StatementKind::For { body, .. }
            | StatementKind::Shared { body, .. }
            | StatementKind::Head {
                body: Some(body), ..
            } => calls(body, names, in_arm, found),
            StatementKind::If { arms, otherwise } => {
                let bodies = arms.iter().map(|(_, body)| body).chain(otherwise);
                bodies.for_each(|body| calls(body, names, true, found));
            }
            _ => {}
        }
    }
}

fn calls_of<'a>(terms: &'a [Term], names: &HashSet<&str>, in_arm: bool, found: &mut Vec<Call<'a>>) {
    for term in terms {
        match &term.kind {
            TermKind::Word(name) | TermKind::Call(Spanned { value: name, .. }, _)
                if names.contains(name.as_str()) =>
            {
                found.push(Call {
                    name,
                    at: term.span,
                    in_arm,
                });
            }
            TermKind::Branch { join, body } => {
                of_join(join.as_ref(), names, in_arm, found);
                calls(body, names, in_arm, found);
            }
            TermKind::Residual {
                join,
                body,
                shortcut,
            } => {
                of_join(join.as_ref(), names, in_arm, found);
                calls(body, names, in_arm, found);
                if let Shortcut::Auto(body) | Shortcut::Body(body) = shortcut {
                    calls(body, names, in_arm, found);
                }
            }
            TermKind::If { arms, otherwise } => {
                let bodies = arms.iter().map(|(_, body)| body).chain(otherwise);
                bodies.for_each(|body| calls(body, names, true, found));
            }
            _ => {}
        }
    }
}

fn of_join<'a>(
    join: Option<&'a Join>,
    names: &HashSet<&str>,
    in_arm: bool,
    found: &mut Vec<Call<'a>>,
) {
    if let Some(join) = join {
        calls_of(&join.terms, names, in_arm, found);
    }
}

/// Collects what is to be taken out of a body: everything from a place on, or behind it, but for rules of weights, and of a model what speaks of the old head. Whether the
/// place itself is gone, with the branches around it.
fn edit(
    body: &Body,
    at: Span,
    from: From,
    outermost: bool,
    out: &mut Vec<Range<usize>>,
) -> Result<bool, String> {
    let mut found: Option<bool> = None;
    for statement in &body.statements {
        let (start, end) = (statement.span.start, statement.span.end);
        let weights = matches!(statement.kind, StatementKind::Weights { .. });
        if (found.is_some() && !weights) || (outermost && is_of_head(statement)) {
            out.push(statement.span.range());
            continue;
        }
        if found.is_some() || !(start <= at.start && at.end <= end) {
            continue;
        }
        found = Some(match &statement.kind {
            StatementKind::Chain(terms) => {
                let holds = |term: &&Term| term.span.start <= at.start && at.start < term.span.end;
                let place = terms.iter().position(|term| holds(&term));
                let place = place.ok_or_else(|| "in an expression".to_owned())?;
                let term = &terms[place];
                // What stands in branches begins with the value in front of them, and all of them go.
                let whole = from == From::There
                    || matches!(
                        term.kind,
                        TermKind::Branch { .. } | TermKind::Residual { .. } | TermKind::If { .. }
                    );
                let first = match (whole, place, terms.get(place + 1)) {
                    (true, 0, _) => Some(start),
                    (true, ..) => Some(term.span.start),
                    (false, _, next) => next.map(|next| next.span.start),
                };
                out.extend(first.map(|first| first as usize..end as usize));
                whole
            }
            StatementKind::Group(inner) => edit(inner, at, from, false, out)?,
            StatementKind::If { arms, otherwise } => {
                let bodies = arms.iter().map(|(_, body)| body).chain(otherwise);
                let inside = |body: &&Body| body.span.start <= at.start && at.end <= body.span.end;
                let mut bodies = bodies.filter(inside);
                let inner = bodies.next().ok_or_else(|| "in an expression".to_owned())?;
                edit(inner, at, from, false, out)?
            }
            StatementKind::Repeat { .. } => return Err("within a `repeat`".to_owned()),
            StatementKind::For { .. } => return Err("within a `for`".to_owned()),
            StatementKind::Shared { .. } => {
                return Err("in a `shared` part, which runs more than once".to_owned());
            }
            StatementKind::Head { .. } => return Err("within its head".to_owned()),
            _ => return Err("where no layer is expected".to_owned()),
        });
    }
    found.ok_or_else(|| "in an expression".to_owned())
}

fn is_of_head(statement: &Statement) -> bool {
    match &statement.kind {
        StatementKind::Head { .. }
        | StatementKind::Expect(_)
        | StatementKind::Train(_)
        | StatementKind::Tap(_) => true,
        StatementKind::Chain(terms) => {
            matches!(terms.first().map(|term| &term.kind), Some(TermKind::Word(word)) if word == "labels")
        }
        _ => false,
    }
}

impl Edits {
    /// A part of a text with what is taken out and named anew, without lines that are empty then.
    pub fn apply(&self, text: &str, part: Range<usize>) -> String {
        let taken = self.out.iter().map(|range| (range.clone(), "\u{0}"));
        let renamed = self.renamed.iter();
        let renamed = renamed.map(|(range, name)| (range.clone(), name.as_str()));
        let mut all: Vec<(Range<usize>, &str)> = taken.chain(renamed).collect();
        all.retain(|(range, _)| part.start <= range.start && range.end <= part.end);
        all.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        let mut out = String::new();
        let mut at = part.start;
        for (range, instead) in all {
            if range.start < at {
                at = at.max(range.end);
                continue;
            }
            out += &text[at..range.start];
            // What would be an empty line has a mark.
            out += instead;
            at = range.end;
        }
        out += &text[at.min(part.end)..part.end];
        let emptied = |line: &&str| {
            !(line.contains('\u{0}') && line.trim_matches(['\u{0}', ' ', '\t', ';']).is_empty())
        };
        let lines = out.lines().filter(emptied);
        let lines: Vec<String> = lines
            .map(|line| line.replace(" \u{0} ", " ").replace('\u{0}', ""))
            .map(|line| line.trim_end().to_owned())
            .collect();
        lines.join("\n")
    }
}
