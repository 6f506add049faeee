//! The check that a spec compiles, and what is said of a `.cfg` whose spec does not.
//!
//! Nobody who imports has seen the spec: what is wrong with a line of it is told of the section that the line comes of, and of the
//! setting with the number that is to blame.

use super::cfg::Section;
use super::error::{CfgError, Mistake};
use super::keys::Keys;
use super::reader::keys_of;
use super::spec::Spec;
use cnnc_compiler::diagnostic::{Diagnostic, Diagnostics, Files, MAX_FILE_BYTES};
use cnnc_compiler::{compile_source, span::Span};

/// Compiles a spec.
pub(super) fn check(spec: &Spec, sections: &[Section]) -> Result<(), CfgError> {
    if spec.text.len() > MAX_FILE_BYTES {
        let why = "the network is larger than a spec may be".to_owned();
        return Err(CfgError::file(Mistake::Limit { why }));
    }
    match compile_source(&mut Files::default(), "net.cnn", &spec.text) {
        Ok(_) => Ok(()),
        Err(problems) => Err(translate(spec, sections, &problems)),
    }
}

fn translate(spec: &Spec, sections: &[Section], problems: &Diagnostics) -> CfgError {
    let placed = |problem: &&Diagnostic| problem.span.is_some();
    let items = problems.items();
    let problem = items.iter().find(placed).or(items.first());
    let why = problem.map_or_else(String::new, |problem| problem.message.clone());
    let at = problem.and_then(|problem| section_at(spec, sections, problem.span?));
    let Some((section, text)) = at else {
        return CfgError::file(Mistake::Limit { why });
    };
    // The setting that has the one number which is marked.
    let mut numbers = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|number| !number.is_empty());
    let number = numbers.next().filter(|_| numbers.next().is_none());
    let read = keys_of(section).map_or_else(|_| Vec::new(), Keys::read);
    let blamed = number.and_then(|number| {
        let mut settings = section.settings();
        settings.find(|(key, value, _)| read.contains(key) && *value == number)
    });
    match blamed {
        None => section.error(Mistake::Limit { why }),
        Some((key, value, _)) => {
            let why = format!("`{key}` is {value}: {why}");
            section.key_error(key, Mistake::Limit { why })
        }
    }
}

/// The section that a place in the spec comes of, and what stands there.
fn section_at<'s>(
    spec: &'s Spec,
    sections: &'s [Section],
    span: Span,
) -> Option<(&'s Section, &'s str)> {
    let before = spec.text.get(..span.range().start)?;
    let line = spec.origins.get(before.matches('\n').count())?;
    let text = spec.text.get(span.range()).unwrap_or_default();
    let section = sections.iter().rfind(|section| section.line <= *line)?;
    Some((section, text))
}
