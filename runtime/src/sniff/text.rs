//! Text files: specs, configurations, web pages that were downloaded instead of a file.

use super::{DARKNET_CFG, EXPORT, Kind, SPEC, TEXT};

/// Starts of texts, in lower case, without the space before; what they are called, and the way to go.
const STARTS: &[(&str, &str, &str)] = &[
    (
        "<!doctype html",
        "an HTML page",
        "the file behind the link may need another way to download it",
    ),
    (
        "<html",
        "an HTML page",
        "the file behind the link may need another way to download it",
    ),
    ("<?xml", "XML text", ""),
    ("<svg", "XML text", ""),
    (
        "version https://git-lfs",
        "a Git LFS pointer (run `git lfs pull`)",
        "",
    ),
    (
        "cnn 1",
        SPEC,
        "specs come first, weights behind `--weights`",
    ),
    ("[net]", DARKNET_CFG, "`cnnc import` makes a spec of it"),
    ("[network]", DARKNET_CFG, "`cnnc import` makes a spec of it"),
    ("{", "JSON text", ""),
];

/// Lines that Python source and Caffe's and ONNX's texts have near their beginning.
const LINES: &[(&str, &str, &str)] = &[
    ("import ", "Python source", "write the network as a spec"),
    ("from ", "Python source", "write the network as a spec"),
    ("layer {", "a Caffe network", EXPORT),
    ("layers {", "a Caffe network", EXPORT),
    ("input_dim:", "a Caffe network", EXPORT),
];

/// What a text is from its start, `None` if it is no text.
pub(super) fn kind(start: &[u8]) -> Option<Kind> {
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        // The sample may end inside a character.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&start[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    if text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return None;
    }
    let lower = text.trim_start().to_ascii_lowercase();
    let found = STARTS.iter().find(|(start, ..)| lower.starts_with(start));
    let found = found.or_else(|| {
        let of = |line: &str| LINES.iter().find(|(start, ..)| line.starts_with(start));
        lower.lines().find_map(of)
    });
    let (_, name, advice) = found.unwrap_or(&("", TEXT, ""));
    Some(Kind { name, advice })
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn texts_are_told_apart() {
        for (text, name) in [
            ("  <!DOCTYPE html><html>", Some("an HTML page")),
            ("{\"a\": 1}", Some("JSON text")),
            ("grüße aus", Some("text")),
            ("cnn 1\nmodel M {", Some("a spec of cnnc")),
            ("\n[net]\nwidth=416\n", Some("a configuration of darknet")),
            ("# a net\nfrom torch import nn\n", Some("Python source")),
            ("name: \"LeNet\"\nlayer {\n", Some("a Caffe network")),
            ("a\0b", None),
        ] {
            assert_eq!(kind(text.as_bytes()).map(|kind| kind.name), name, "{text}");
        }
    }
}
