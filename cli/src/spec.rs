//! Specs by their texts: files, networks of the zoo, and `-`, which is standard input.

use crate::Failure;
use cnnc::Model;
use cnnc::compiler::diagnostic::{DiskLoader, Loader, MAX_FILE_BYTES};
use std::io::Read as _;
use std::path::Path;
use std::sync::OnceLock;

/// What messages call the text on standard input.
const STANDARD_INPUT: &str = "standard input";

/// That text, or why there is none: it can be read once, whoever asks for it.
static INPUT: OnceLock<Result<String, String>> = OnceLock::new();

/// Whether a spec is what stands on standard input.
pub fn is_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// What messages call a spec.
pub fn name(path: &Path) -> &Path {
    match is_input(path) {
        true => Path::new(STANDARD_INPUT),
        false => path,
    }
}

/// The text of a spec.
pub fn read(path: &Path) -> Result<String, Failure> {
    let text = match is_input(path) {
        true => INPUT.get_or_init(standard_input).clone(),
        false => match cnnc::zoo::name(path).and_then(cnnc::zoo::text) {
            Some(text) => Ok(text.to_owned()),
            None => DiskLoader.read(path),
        },
    };
    text.map_err(|why| Failure::Read {
        file: name(path).display().to_string(),
        why,
    })
}

/// Compiles a spec; what one on standard input imports is looked for where the command runs.
pub fn compile(path: &Path) -> Result<Model, Failure> {
    Ok(match is_input(path) {
        true => cnnc::compile_str(STANDARD_INPUT, &read(path)?)?,
        false => cnnc::compile_file(path)?,
    })
}

fn standard_input() -> Result<String, String> {
    let mut bytes = Vec::new();
    // One more than is accepted, so that a longer one is known as such.
    let most = MAX_FILE_BYTES as u64 + 1;
    let read = std::io::stdin().take(most).read_to_end(&mut bytes);
    read.map_err(|error| error.to_string().to_lowercase())?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("it is not UTF-8 text (byte {at})")
    })
}
