//! `cnnc explain`: what the compiler did with a network, or what an error code means.

use crate::{Failure, print};
use cnnc::compiler::diagnostic::Code;
use serde_json::{Value, json};

/// What may be written behind `explain`.
#[derive(clap::Args)]
pub struct Args {
    /// A spec, or an error code such as E0101
    #[arg(value_name = "SPEC|CODE")]
    what: String,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// Explains.
pub fn run(args: &Args) -> Result<(), Failure> {
    match is_code(&args.what) {
        true => code(args),
        false => passes(args),
    }
}

/// `E0101`, `W0001`
fn is_code(what: &str) -> bool {
    let digits = what.strip_prefix(['E', 'W', 'e', 'w']);
    digits.is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn code(args: &Args) -> Result<(), Failure> {
    let id = args.what.to_ascii_uppercase();
    let info = Code::find(&id).ok_or(Failure::NoCode(id))?.info();
    if args.json {
        let entry =
            json!({ "code": info.id, "title": info.title, "explanation": info.explanation });
        return Ok(print::json(&entry)?);
    }
    Ok(print::line(format_args!(
        "{}: {}\n\n{}",
        info.id, info.title, info.explanation
    ))?)
}

fn passes(args: &Args) -> Result<(), Failure> {
    let model = cnnc::compile_file(&args.what)?;
    let notes = model.explain(cnnc::Isa::detect()?);
    if args.json {
        let entries = notes.iter().map(|note| {
            json!({ "pass": note.pass, "label": note.label, "applied": note.applied, "text": note.text })
        });
        return Ok(print::json(&Value::Array(entries.collect()))?);
    }
    if notes.is_empty() {
        return Ok(print::line("No pass found anything to do.")?);
    }
    let mut table = print::table(&["", "layer", "pass", ""]);
    for note in &notes {
        let mark = if note.applied { "✓" } else { "–" };
        table.add_row([mark, &note.label, note.pass, &note.text]);
    }
    Ok(print::line(table.trim_fmt())?)
}
