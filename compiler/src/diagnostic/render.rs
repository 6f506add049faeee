//! Diagnostics as text.

use super::{Diagnostic, Files, Fix, Severity};
use crate::graph::Span;
use annotate_snippets::{
    Annotation, AnnotationKind, Group, Level, Patch, Renderer, Snippet, renderer::DecorStyle,
};
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
    for item in items.iter().take(SHOWN) {
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
        let mut annotations = vec![annotation(
            AnnotationKind::Primary,
            span,
            &item.label,
            files,
        )];
        let (near, far): (Vec<_>, Vec<_>) = item
            .secondary
            .iter()
            .filter(|(at, _)| files.contains(*at))
            .partition(|(at, _)| at.file == span.file);
        annotations.extend(
            near.iter()
                .map(|(at, text)| annotation(AnnotationKind::Context, *at, text, files)),
        );
        group = group.element(snippet(span, files).annotations(annotations));
        for (at, text) in far {
            let mark = annotation(AnnotationKind::Context, *at, text, files);
            group = group.element(snippet(*at, files).annotation(mark));
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

fn patch<'a>(fix: &'a Fix, files: &'a Files) -> Group<'a> {
    let title = Level::HELP.secondary_title(fix.message.as_str());
    if !files.contains(fix.span) {
        return Group::with_title(title);
    }
    let snippet = Snippet::source(files.text(fix.span.file))
        .path(files.path(fix.span.file).display().to_string());
    title.element(snippet.patch(Patch::new(range(fix.span, files), fix.replacement.as_str())))
}

fn snippet<'a>(span: Span, files: &'a Files) -> Snippet<'a, Annotation<'a>> {
    Snippet::source(files.text(span.file)).path(files.path(span.file).display().to_string())
}

fn annotation<'a>(
    kind: AnnotationKind,
    span: Span,
    text: &'a str,
    files: &Files,
) -> Annotation<'a> {
    let annotation = kind.span(range(span, files));
    if text.is_empty() {
        annotation
    } else {
        annotation.label(text)
    }
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
