//! Diagnostics as text.

use super::{Diagnostic, Files, Fix, Severity};
use crate::span::Span;
use annotate_snippets::{
    Annotation, AnnotationKind, Group, Level, Origin, Patch, Renderer, Snippet,
    renderer::DecorStyle,
};
use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

/// More than these are counted, not shown.
const SHOWN: usize = 30;
/// Terminals are at least this wide.
const WIDTH: usize = 120;

pub(super) fn render(items: &[Diagnostic], files: &Files, color: bool) -> String {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(WIDTH);
    let mut out = String::new();
    let mut lists = HashSet::new();
    for item in items.iter().take(SHOWN) {
        let item = &without_known_lists(item, &mut lists);
        out.push_str(&renderer.render(&groups(item, files)));
        out.push_str("\n\n");
    }
    if items.len() > SHOWN {
        out.push_str(&format!("… and {} more\n\n", items.len() - SHOWN));
    }
    out.truncate(out.trim_end().len());
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// The diagnostic without the long lists that one before it has shown.
fn without_known_lists<'a>(
    item: &'a Diagnostic,
    known: &mut HashSet<&'a str>,
) -> Cow<'a, Diagnostic> {
    let is_list = |note: &str| note.contains(":\n");
    let again: Vec<usize> = (0..item.notes.len())
        .filter(|&index| is_list(&item.notes[index]) && !known.insert(&item.notes[index]))
        .collect();
    if again.is_empty() {
        return Cow::Borrowed(item);
    }
    let mut item = item.clone();
    for index in again {
        let (what, _) = item.notes[index].split_once(':').unwrap_or_default();
        item.notes[index] = format!("{what} are listed above");
    }
    Cow::Owned(item)
}

/// Lines longer than this are not shown: no one reads them, and laying them out takes long.
const LONGEST_LINE: usize = 2000;
/// Nor are excerpts longer than this.
const LONGEST_EXCERPT: usize = 1 << 16;

fn groups<'a>(item: &'a Diagnostic, files: &'a Files) -> Vec<Group<'a>> {
    let level = match item.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level
        .primary_title(item.message.as_str())
        .id(item.code.id());
    let mut group = Group::with_title(title);
    if let Some(span) = item.span.filter(|&span| files.contains(span)) {
        let mut marks = vec![(AnnotationKind::Primary, span, item.label.as_str())];
        let others = item.secondary.iter().filter(|(at, _)| files.contains(*at));
        marks.extend(others.map(|(at, text)| (AnnotationKind::Context, *at, text.as_str())));
        let (near, far): (Vec<_>, Vec<_>) = marks
            .into_iter()
            .partition(|(_, at, _)| at.file == span.file);
        group = match excerpt(&near, files) {
            Some(snippet) => group.element(snippet),
            None => group.element(origin(span, files)),
        };
        for mark in far {
            group = match excerpt(&[mark], files) {
                Some(snippet) => group.element(snippet),
                None => group.element(origin(mark.1, files)),
            };
        }
    }
    for note in &item.notes {
        group = group.element(Level::NOTE.message(note.as_str()));
    }
    for help in &item.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let mut groups = vec![group];
    groups.extend(item.fixes.iter().map(|fix| patch(fix, files)));
    groups
}

/// The lines that the marks are on and those between, with the marks; `None` if they are too long to show.
fn excerpt<'a>(
    marks: &[(AnnotationKind, Span, &'a str)],
    files: &'a Files,
) -> Option<Snippet<'a, Annotation<'a>>> {
    let spans: Vec<Span> = marks.iter().map(|&(_, span, _)| span).collect();
    let (lines, first) = lines(&spans, files)?;
    let annotations = marks.iter().map(|(kind, span, text)| {
        let range = range(*span, files);
        let annotation = kind.span(range.start - lines.start..range.end - lines.start);
        if text.is_empty() {
            annotation
        } else {
            annotation.label(*text)
        }
    });
    let file = spans.first()?.file;
    let snippet = Snippet::source(&files.text(file)[lines.clone()])
        .path(files.path(file).display().to_string())
        .line_start(first);
    Some(snippet.annotations(annotations))
}

/// What stands in the fix's lines once it is applied, without what is before and behind; empty if they are too long to show.
pub(super) fn applied(fix: &Fix, files: &Files) -> String {
    let Some((lines, _)) = lines(&[fix.span], files) else {
        return String::new();
    };
    let text = files.text(fix.span.file);
    let range = range(fix.span, files);
    let (before, after) = (&text[lines.start..range.start], &text[range.end..lines.end]);
    format!("{before}{}{after}", fix.replacement)
        .trim()
        .to_owned()
}

fn patch<'a>(fix: &'a Fix, files: &'a Files) -> Group<'a> {
    let title = Level::HELP.secondary_title(fix.message.as_str());
    let Some((lines, first)) = lines(&[fix.span], files) else {
        return Group::with_title(title);
    };
    let range = range(fix.span, files);
    let range = range.start - lines.start..range.end - lines.start;
    let snippet = Snippet::source(&files.text(fix.span.file)[lines])
        .path(files.path(fix.span.file).display().to_string())
        .line_start(first);
    title.element(snippet.patch(Patch::new(range, fix.replacement.as_str())))
}

fn origin<'a>(span: Span, files: &Files) -> Origin<'a> {
    let (line, column) = files.position(span.file, span.start as usize);
    Origin::path(files.path(span.file).display().to_string())
        .line(line)
        .char_column(column)
}

/// The bytes of the whole lines that the spans of one file are on, and the number of the first.
fn lines(spans: &[Span], files: &Files) -> Option<(Range<usize>, usize)> {
    let first = spans.iter().find(|&&span| files.contains(span))?;
    let text = files.text(first.file);
    let ranges: Vec<Range<usize>> = spans.iter().map(|&span| range(span, files)).collect();
    let start = ranges.iter().map(|range| range.start).min()?;
    let end = ranges.iter().map(|range| range.end).max()?;
    let start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[end..].find('\n').map_or(text.len(), |at| end + at);
    let short = end - start <= LONGEST_EXCERPT
        && text[start..end]
            .lines()
            .all(|line| line.len() <= LONGEST_LINE);
    short.then(|| (start..end, files.position(first.file, start).0))
}

/// The span's bytes, moved to where characters begin.
fn range(span: Span, files: &Files) -> Range<usize> {
    let text = files.text(span.file);
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(span.start as usize);
    start..floor(span.end as usize).max(start)
}
