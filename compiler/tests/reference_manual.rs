//! docs/language.md and README.md: their tables are those of the compiler, and their examples compile.
//!
//! `UPDATE=1 cargo test --release --workspace` writes the tables.

use cnnc_compiler::diagnostic::MemoryLoader;
use cnnc_compiler::diagnostic::codes;
use cnnc_compiler::frameworks::{FOREIGN, Framework, Ours};
use cnnc_compiler::head::HEADS;
use cnnc_compiler::layer::{Kind, LAYERS, ParamDecl};
use cnnc_compiler::loss::LOSSES;
use cnnc_compiler::resolve::{
    CLAUSES, INPUT_SETTINGS, LATER_LOSSES, OPTIMIZERS, PHRASES, describe,
};
use cnnc_compiler::{Files, compile_source};
use std::path::PathBuf;

const MANUAL: &str = "docs/language.md";
const README: &str = "README.md";

fn path(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(file)
}

fn text(file: &str) -> String {
    std::fs::read_to_string(path(file)).unwrap()
}

/// `kernel`, `[out]`, `bias = on`
fn signature(param: &ParamDecl) -> String {
    let name = if param.positional {
        format!("[`{}`]", param.name)
    } else {
        format!("`{}`", param.name)
    };
    match param.default {
        Some(default)
            if default
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "/.-".contains(c)) =>
        {
            format!("{name} = `{default}`")
        }
        Some(default) => format!("{name} = {default}"),
        None => name,
    }
}

fn takes(kind: &Kind) -> String {
    match kind {
        Kind::Word(words) => format!("`{}`", words.join("`, `")),
        kind => describe(kind),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
}

fn params<'p>(out: &mut String, params: impl IntoIterator<Item = &'p ParamDecl>, head: &str) {
    *out += &format!("| {head} | takes | |\n|---|---|---|\n");
    for param in params {
        *out += &format!(
            "| {} | {} | {} |\n",
            signature(param),
            takes(&param.kind),
            one_line(param.doc)
        );
    }
}

fn layers() -> String {
    let mut sorted: Vec<_> = LAYERS.to_vec();
    sorted.sort_by_key(|decl| decl.keyword);
    let mut out = String::new();
    let names: Vec<String> = sorted
        .iter()
        .map(|decl| format!("[`{0}`](#{0})", decl.keyword))
        .collect();
    out += &format!("{}\n", names.join(" · "));
    for decl in sorted {
        out += &format!(
            "\n### {}\n\n{}",
            decl.keyword,
            decl.doc.split_whitespace().collect::<Vec<_>>().join(" ")
        );
        if decl.operands != (1, 1) {
            let most = match decl.operands.1 {
                most if most > 64 => "or more".to_owned(),
                most if most == decl.operands.0 => String::new(),
                most => format!("to {most}"),
            };
            out += &format!(" Operands: {} {most}.", decl.operands.0).replace(" .", ".");
        }
        out += "\n";
        if !decl.params.is_empty() {
            out += "\n";
            params(&mut out, decl.params, "parameter");
        }
        if let Some(sample) = decl.samples.first() {
            out += &format!("\n    {sample}\n");
        }
    }
    out
}

fn heads() -> String {
    let mut out = String::new();
    for head in HEADS {
        out += &format!("**`head {}`**: {}\n\n", head.keyword, one_line(head.doc));
        params(&mut out, head.keys, "key");
        out += "\n";
    }
    out.trim_end().to_owned() + "\n"
}

fn inputs() -> String {
    let mut out = String::new();
    params(&mut out, INPUT_SETTINGS, "setting");
    out
}

/// The clauses of `train`, and the constants of each optimiser.
fn training() -> String {
    let clauses: Vec<&ParamDecl> = CLAUSES.iter().map(|clause| &clause.value).collect();
    let mut out = String::new();
    params(&mut out, clauses, "clause");
    out += "\n**Fine-tuning**\n\n| clause | |\n|---|---|\n";
    for phrase in PHRASES {
        out += &format!("| `{}` | {} |\n", phrase.form, phrase.doc);
    }
    for clause in CLAUSES.iter().filter(|clause| !clause.settings.is_empty()) {
        out += &format!("\n**`{} … {{ … }}`**\n\n", clause.value.name);
        params(&mut out, clause.settings, "setting");
    }
    for (method, keys) in &OPTIMIZERS {
        out += &format!("\n**`optimizer {} {{ … }}`**\n\n", method.name());
        params(&mut out, *keys, "setting");
    }
    for loss in LOSSES {
        out += &format!(
            "\n**`loss {} {{ … }}`**\n\n{}\n\n",
            loss.name,
            one_line(loss.doc)
        );
        params(&mut out, loss.settings, "setting");
    }
    let losses = LATER_LOSSES.iter().map(|word| format!("`{word}`"));
    out += &format!(
        "\nFor later versions, and errors in this one: the losses {}.\n",
        losses.collect::<Vec<_>>().join(", ")
    );
    out
}

fn all_codes() -> String {
    let mut out = "| code | | |\n|---|---|---|\n".to_owned();
    for code in codes::ALL {
        let info = code.info();
        out += &format!(
            "| {} | {} | {} |\n",
            info.id,
            info.title,
            one_line(info.explanation)
        );
    }
    out
}

/// PyTorch's modules and functions: those that are layers here, then what else is said of names.
fn pytorch() -> String {
    let rows = || {
        FOREIGN
            .iter()
            .filter(|row| row.framework == Framework::PyTorch)
    };
    let mut out = "| PyTorch | spec |\n|---|---|\n".to_owned();
    for (theirs, here) in rows().flat_map(|row| row.examples()) {
        out += &format!("| `{theirs}` | `{here}` |\n");
    }
    for row in rows() {
        let says = match row.ours {
            Ours::Layer(_) => continue,
            Ours::Write(text) => text.to_owned(),
            Ours::Nothing(why) => format!("leave it out: {why}"),
            Ours::Missing(what) => format!("not supported yet: {what}"),
        };
        let names: Vec<String> = row.names().map(|name| format!("`{name}`")).collect();
        out += &format!("| {} | {} |\n", names.join(", "), says.replace('|', "\\|"));
    }
    out
}

/// The text with the table between its markers.
fn with(text: &str, name: &str, table: &str) -> String {
    let begin = format!("<!-- generated: {name} -->\n");
    let start = text
        .find(&begin)
        .unwrap_or_else(|| panic!("no marker {begin}"))
        + begin.len();
    let end = start
        + text[start..]
            .find("<!-- end -->")
            .expect("the table has an end");
    format!("{}{table}{}", &text[..start], &text[end..])
}

#[test]
fn tables_are_those_of_the_compiler() {
    for (file, name, table) in [
        (MANUAL, "layers", layers()),
        (MANUAL, "heads", heads()),
        (MANUAL, "inputs", inputs()),
        (MANUAL, "training", training()),
        (MANUAL, "codes", all_codes()),
        (README, "pytorch", pytorch()),
    ] {
        let expected = with(&text(file), name, &table);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path(file), &expected).unwrap();
        }
        assert!(
            text(file) == expected,
            "the table `{name}` of {file} is out of date: UPDATE=1 writes it"
        );
    }
}

#[test]
fn examples_compile() {
    let text = text(MANUAL) + &text(README);
    let examples: Vec<&str> = text
        .split("```cnn\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert!(examples.len() >= 8);
    for example in examples {
        let spec = if example.starts_with("cnn 1") {
            example.to_owned()
        } else {
            format!("cnn 1\nmodel Example {{\n  input x: 8x16x16\n{example}\n}}\n")
        };
        let mut files = Files::new(MemoryLoader::default());
        if let Err(problems) = compile_source(&mut files, "language.md", &spec) {
            panic!("{problems}");
        }
    }
}
