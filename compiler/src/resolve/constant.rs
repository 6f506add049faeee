//! Names for values: `let w = 4`.

use super::value::Value;
use super::{Resolver, Result};
use crate::ast::{Constant, Name, StatementKind};
use crate::diagnostic::{Diagnostic, codes};
use crate::span::Span;

impl<'a> Resolver<'a> {
    /// The constants that stand outside of blocks and models, which all of them know.
    pub(super) fn file_constants(&mut self) {
        let program = self.program;
        for Constant { name, value } in program.constants() {
            if self.halted {
                return;
            }
            // What is wrong with it has been reported.
            let value = self.argument(value).unwrap_or(Value::Unknown);
            let first = self.variables.place_everywhere(&name.value);
            if self.may_name(name, first).is_ok() {
                self.variables.push_everywhere(name, value);
            }
        }
    }

    /// A `let` among statements.
    pub(super) fn constant(&mut self, Constant { name, value }: &'a Constant) {
        let value = self.argument(value).unwrap_or(Value::Unknown);
        let in_file = self.variables.place_everywhere(&name.value);
        let in_file = in_file.filter(|first| first.file == name.span.file);
        let first = self.variables.place(&name.value).or(in_file);
        if self.may_name(name, first).is_ok() {
            self.variables.push_fixed(name, value);
        }
    }

    /// Whether a variable may have that name; `first` is where it has a value already.
    pub(super) fn may_name(&mut self, name: &Name, first: Option<Span>) -> Result<()> {
        if crate::layer::find(&name.value).is_some() {
            let message = format!("`{}` is a layer and cannot be a variable", name.value);
            return Err(self.error(Diagnostic::new(codes::RESERVED, name.span, message)));
        }
        let Some(first) = first else { return Ok(()) };
        let message = format!("`{}` has a value already", name.value);
        let problem = Diagnostic::new(codes::DUPLICATE, name.span, message);
        let problem = problem.also(first, "given here");
        Err(self
            .error(problem.help("a name keeps its value to the end of its block: choose another")))
    }

    /// Where a name that is not known where it is used gets its value, too late.
    pub(super) fn value_further_down(&self, name: &str, used: Span) -> Option<Span> {
        let around = self.bodies.iter().rev().filter(|body| {
            let body = body.span;
            body.file == used.file && body.start <= used.start && used.end <= body.end
        });
        let statements = around.flat_map(|body| &body.statements);
        let lets = statements.filter_map(|statement| {
            self.charge(1);
            match &statement.kind {
                StatementKind::Let(constant) => Some(constant),
                _ => None,
            }
        });
        let mut all = lets.chain(self.program.constants());
        all.find(|constant| constant.name.value == name)
            .map(|constant| constant.name.span)
    }
}
