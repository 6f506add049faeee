//! The text of `dump --stage=ast`: one line per statement, operators in parentheses, values in their canonical form.
//!
//! ```text
//! model LeNet5
//!   input image: 1x28x28
//!   c1: conv 5x5 6 pad 2 tanh
//! ```

use crate::ast::*;
use std::fmt::{Display, Formatter, Result};

/// The tree as text.
pub fn dump(file: &File) -> String {
    file.to_string()
}

impl Display for File {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if let Some(edition) = &self.edition {
            writeln!(f, "cnn {}", edition.value)?;
        }
        for import in &self.imports {
            writeln!(f, "import {:?}", import.value)?;
        }
        for preset in &self.presets {
            writeln!(
                f,
                "preset {}{}",
                preset.name.value,
                Settings(&preset.settings)
            )?;
        }
        for Constant { name, value } in &self.constants {
            writeln!(f, "let {} = {value}", name.value)?;
        }
        for block in &self.blocks {
            writeln!(f, "block {}{}", block.name.value, Params(&block.params))?;
            statements(f, &block.body, 1)?;
        }
        for model in &self.models {
            writeln!(f, "model {}", model.name.value)?;
            statements(f, &model.body, 1)?;
        }
        Ok(())
    }
}

fn statements(f: &mut Formatter<'_>, body: &Body, depth: usize) -> Result {
    body.statements
        .iter()
        .try_for_each(|statement| one(f, statement, depth))
}

fn one(f: &mut Formatter<'_>, statement: &Statement, depth: usize) -> Result {
    indent(f, depth)?;
    if let Some(label) = &statement.label {
        write!(f, "{label}: ")?;
    }
    match &statement.kind {
        StatementKind::Chain(terms) => chain(f, terms, depth),
        StatementKind::Group(body) => nested(f, "group", body, depth),
        StatementKind::Repeat { count, var, body } => {
            let var = var
                .as_ref()
                .map_or(String::new(), |var| format!(" as {}", var.value));
            nested(f, &format!("repeat {count}{var}"), body, depth)
        }
        StatementKind::For {
            index,
            binding,
            items,
            body,
        } => {
            let index = index
                .as_ref()
                .map_or(String::new(), |index| format!("{}, ", index.value));
            let binding = match binding {
                Binding::One(name) => name.value.clone(),
                Binding::Tuple(names, _) => Params(names).to_string(),
            };
            nested(f, &format!("for {index}{binding} in {items}"), body, depth)
        }
        StatementKind::If { arms, otherwise } => choice(f, arms, otherwise.as_ref(), depth),
        StatementKind::Input {
            names,
            shape,
            settings,
        } => writeln!(f, "input {}: {shape}{}", joined(names), Settings(settings)),
        StatementKind::Defaults { preset, settings } => {
            let preset = preset
                .as_ref()
                .map_or(String::new(), |name| format!(" {}", name.value));
            writeln!(f, "defaults{preset}{}", Settings(settings))
        }
        StatementKind::Let(Constant { name, value }) => {
            writeln!(f, "let {} = {value}", name.value)
        }
        StatementKind::Shared { name, params, body } => nested(
            f,
            &format!("shared {}{}", name.value, Params(params)),
            body,
            depth,
        ),
        StatementKind::Tap(names) => writeln!(f, "tap {}", joined(names)),
        StatementKind::Head { name, body } => {
            writeln!(f, "head {}", name.value)?;
            body.as_ref()
                .map_or(Ok(()), |body| statements(f, body, depth + 1))
        }
        StatementKind::Weights { rule, map } => {
            writeln!(f, "weights {}", rule.value)?;
            map.iter().try_for_each(|(file, label)| {
                indent(f, depth + 1)?;
                writeln!(f, "{:?} -> {:?}", file.value, label.value)
            })
        }
        StatementKind::Expect(terms) => writeln!(f, "expect{}", Settings(terms)),
        StatementKind::Train(clauses) => {
            writeln!(f, "train")?;
            clauses.iter().try_for_each(|clause| {
                indent(f, depth + 1)?;
                let words: Vec<String> = clause
                    .terms
                    .iter()
                    .map(|term| term.kind.to_string())
                    .collect();
                let settings = clause.settings.as_deref().unwrap_or_default();
                writeln!(f, "{}{}", words.join(" "), Settings(settings))
            })
        }
        StatementKind::Error => writeln!(f, "error"),
    }
}

fn nested(f: &mut Formatter<'_>, head: &str, body: &Body, depth: usize) -> Result {
    writeln!(f, "{head}")?;
    statements(f, body, depth + 1)
}

fn choice(
    f: &mut Formatter<'_>,
    arms: &[(Expr, Body)],
    otherwise: Option<&Body>,
    depth: usize,
) -> Result {
    for (at, (condition, body)) in arms.iter().enumerate() {
        if at > 0 {
            indent(f, depth)?;
        }
        let word = if at == 0 { "if" } else { "else if" };
        nested(f, &format!("{word} {condition}"), body, depth)?;
    }
    match otherwise {
        Some(body) => {
            indent(f, depth)?;
            nested(f, "else", body, depth)
        }
        None => Ok(()),
    }
}

/// Terms on one line; what has a body goes below.
fn chain(f: &mut Formatter<'_>, terms: &[Term], depth: usize) -> Result {
    let mut fresh = true;
    for (at, term) in terms.iter().enumerate() {
        if fresh && at > 0 {
            indent(f, depth)?;
        } else if at > 0 {
            write!(f, " ")?;
        }
        fresh = false;
        let name = |join: &Option<Join>| {
            let Some(Join { layer, terms }) = join else {
                return String::new();
            };
            let terms = terms.iter().map(|term| format!(" {}", term.kind));
            format!(" {}{}", layer.value, terms.collect::<String>())
        };
        match &term.kind {
            TermKind::Branch { join, body } => {
                nested(f, &format!("branch{}", name(join)), body, depth)?;
                fresh = true;
            }
            TermKind::Residual {
                join,
                body,
                shortcut,
            } => {
                nested(f, &format!("residual{}", name(join)), body, depth)?;
                indent(f, depth)?;
                match shortcut {
                    Shortcut::Identity => writeln!(f, "shortcut identity")?,
                    Shortcut::Auto(body) => nested(f, "shortcut auto", body, depth)?,
                    Shortcut::Body(body) => nested(f, "shortcut", body, depth)?,
                    Shortcut::Unknown(word) => writeln!(f, "shortcut {}", word.value)?,
                }
                fresh = true;
            }
            TermKind::If { arms, otherwise } => {
                choice(f, arms, otherwise.as_ref(), depth)?;
                fresh = true;
            }
            kind => write!(f, "{kind}")?,
        }
    }
    if fresh { Ok(()) } else { writeln!(f) }
}

fn indent(f: &mut Formatter<'_>, depth: usize) -> Result {
    write!(f, "{:1$}", "", 2 * depth)
}

fn joined(names: &[Name]) -> String {
    let names: Vec<&str> = names.iter().map(|name| name.value.as_str()).collect();
    names.join(", ")
}

struct Params<'a>(&'a [Name]);

impl Display for Params<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "({})", joined(self.0))
    }
}

struct Settings<'a>(&'a [Term]);

impl Display for Settings<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, " {{")?;
        self.0
            .iter()
            .try_for_each(|term| write!(f, " {}", term.kind))?;
        write!(f, " }}")
    }
}

impl Display for Label {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.parts.iter().try_for_each(|part| match part {
            LabelPart::Text(text) => f.write_str(text),
            LabelPart::Expr(expr) => write!(f, "{{{expr}}}"),
        })
    }
}

impl Display for TermKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            TermKind::Word(word) => f.write_str(word),
            TermKind::Call(name, args) => write!(f, "{}({})", name.value, List(args)),
            TermKind::Value(expr) => write!(f, "{expr}"),
            TermKind::Stride(expr) => write!(f, "/{expr}"),
            TermKind::Operator(sign) => write!(f, "{sign}"),
            TermKind::Route(name) => write!(f, "route {}", name.value),
            TermKind::Branch { .. } => f.write_str("branch"),
            TermKind::Residual { .. } => f.write_str("residual"),
            TermKind::If { .. } => f.write_str("if"),
        }
    }
}

struct List<'a>(&'a [Expr]);

impl Display for List<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.0.iter().enumerate().try_for_each(|(at, expr)| {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{expr}")
        })
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.kind {
            ExprKind::Int(n) => write!(f, "{n}"),
            ExprKind::Float(x) => write!(f, "{x:?}"),
            ExprKind::Str(text) => write!(f, "\"{text}\""),
            ExprKind::Dims(parts) => parts.iter().enumerate().try_for_each(|(at, part)| {
                let x = if at == 0 { "" } else { "x" };
                match part.kind {
                    ExprKind::Int(n) => write!(f, "{x}{n}"),
                    _ => write!(f, "{x}({part})"),
                }
            }),
            ExprKind::List(items) => write!(f, "[{}]", List(items)),
            ExprKind::Name(name) => f.write_str(name),
            ExprKind::Call(name, args) => write!(f, "{}({})", name.value, List(args)),
            ExprKind::Prefix(Prefix::Minus, operand) => write!(f, "(-{operand})"),
            ExprKind::Prefix(Prefix::Not, operand) => write!(f, "(not {operand})"),
            ExprKind::Infix(op, left, right) => write!(f, "({left} {} {right})", op.symbol()),
            ExprKind::Index(list, index) => write!(f, "{list}[{index}]"),
            ExprKind::If { arms, otherwise } => {
                for (condition, value) in arms {
                    write!(f, "if {condition} {{ {value} }} else ")?;
                }
                write!(f, "{{ {otherwise} }}")
            }
            ExprKind::Chain(terms) => {
                let terms = terms.iter().map(|term| term.kind.to_string());
                write!(f, "({})", terms.collect::<Vec<_>>().join(" "))
            }
            ExprKind::Error => f.write_str("error"),
        }
    }
}
