//! `cnnc completions`: what a shell needs to complete commands, flags, files and the names of networks.

use crate::{Failure, examples};
use clap::builder::PossibleValuesParser;
use clap::{Arg, Command};
use clap_complete::Generator as _;
use clap_complete::shells::{Bash, Fish, Zsh};
use std::io::Write;

/// What may be written behind `completions`.
#[derive(clap::Args)]
pub struct Args {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Which,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Which {
    Bash,
    Zsh,
    Fish,
}

/// Prints the script.
pub fn run(args: &Args) -> Result<(), Failure> {
    let names = cnnc::zoo::names();
    let mut command = examples::command();
    let all: Vec<String> = command
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    for name in all {
        let zoo = (name == "zoo").then_some(&names);
        command = command.mut_subcommand(name, |command| command.mut_args(|arg| marked(arg, zoo)));
    }
    command.set_bin_name("cnnc");
    command.build();
    let mut script = Vec::new();
    match args.shell {
        Which::Bash => Bash.generate(&command, &mut script),
        Which::Zsh => Zsh.generate(&command, &mut script),
        Which::Fish => Fish.generate(&command, &mut script),
    }
    let script = String::from_utf8_lossy(&script);
    let names = names.join(" ");
    let script = match args.shell {
        Which::Bash => bash(&script, &names),
        Which::Zsh => zsh(&script, &names),
        Which::Fish => fish(&script, &names, &command),
    };
    Ok(std::io::stdout().write_all(script.as_bytes())?)
}

/// Stands in a generated script where a network may be named: values that a command line is said to have take the place of files there, and a spec
/// is a file or a name of the zoo.
const MARK: &str = "_cnnc_specs";

/// Whether an argument is a spec.
fn is_spec(arg: &Arg) -> bool {
    let names = arg.get_value_names().unwrap_or_default();
    names
        .iter()
        .any(|name| matches!(name.as_str(), "SPEC" | "SPEC OUT" | "SPEC|CODE"))
}

/// The argument, with what is completed in its place.
fn marked(arg: Arg, zoo: Option<&Vec<&'static str>>) -> Arg {
    match zoo {
        Some(names) if arg.is_positional() => arg.value_parser(PossibleValuesParser::new(names)),
        _ if is_spec(&arg) => arg.value_parser(PossibleValuesParser::new([MARK])),
        _ => arg,
    }
}

/// Flags are completed behind a `-`, and networks and files elsewhere.
fn bash(script: &str, names: &str) -> String {
    let mut text = format!(
        r#"{MARK}() {{
    local file
    [[ "$1" == -* ]] && return 1
    COMPREPLY=( $(compgen -W "{names}" -- "$1") )
    while IFS= read -r file; do
        COMPREPLY+=("$file")
    done < <(compgen -f -- "$1")
    [[ "${{BASH_VERSINFO[0]}}" -ge 4 ]] && compopt -o filenames 2>/dev/null
    return 0
}}

"#
    );
    let flags = r#"COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )"#;
    let value = format!(r#"COMPREPLY=($(compgen -W "{MARK}" -- "${{cur}}"))"#);
    let mark = format!(" {MARK}");
    let mut takes_a_spec = false;
    for line in script.lines() {
        let words = line.trim_start();
        let indent = &line[..line.len() - words.len()];
        if words.starts_with("opts=\"") {
            takes_a_spec = line.contains(&mark);
            text.push_str(&line.replace(&mark, ""));
        } else if words == value {
            text.push_str(&format!("{indent}{MARK} \"${{cur}}\""));
        } else if takes_a_spec && words == flags {
            text.push_str(&format!("{indent}{MARK} \"${{cur}}\" || {flags}"));
        } else {
            text.push_str(line);
        }
        text.push('\n');
    }
    text
}

/// A function in the place of the mark, defined before the script calls itself.
fn zsh(script: &str, names: &str) -> String {
    let function = format!(
        "{MARK}() {{\n    _alternative 'files:spec:_files' 'networks:network of the zoo:({names})'\n}}\n\n"
    );
    let script = script.replace(&format!("({MARK})"), MARK);
    let end = script
        .rfind("if [ \"$funcstack[1]\"")
        .unwrap_or(script.len());
    let (start, end) = script.split_at(end);
    format!("{start}{function}{end}")
}

/// What stands without a flag is not in the generated script.
fn fish(script: &str, names: &str, command: &Command) -> String {
    let value = format!(" -r -f -a \"{MARK}\\t''\"");
    let mut text = script.replace(&value, &format!(" -r -F -a \"{names}\""));
    for command in command.get_subcommands() {
        let name = command.get_name();
        let files = match name {
            "zoo" => " -f",
            _ if command.get_positionals().any(is_spec) => "",
            _ => continue,
        };
        text.push_str(&format!(
            "complete -c cnnc -n \"__fish_cnnc_using_subcommand {name}\"{files} -a \"{names}\" -d 'Network of the zoo'\n"
        ));
    }
    text
}
