//! What a file looks like, for the message when it is not what it should be.

/// Starts of files, and what they are called in a message.
const STARTS: &[(&[u8], &str)] = &[
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF87a", "a GIF picture"),
    (b"GIF89a", "a GIF picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"BM", "a BMP picture"),
    (
        b"PK\x03\x04",
        "a zip archive (a PyTorch `.pt` file, an `.npz` file?)",
    ),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x93NUMPY", "a numpy array"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file (Keras `.h5`?)"),
    (b"GGUF", "a GGUF model"),
    (b"%PDF", "a PDF document"),
    (
        b"version https://git-lfs",
        "a Git LFS pointer (run `git lfs pull`)",
    ),
];

/// Names the format of a file from its first bytes, with its article; `None` when nothing fits.
pub(crate) fn looks_like(bytes: &[u8]) -> Option<&'static str> {
    if bytes.is_empty() {
        return Some("an empty file");
    }
    if bytes.get(8) == Some(&b'{') && bytes.get(5..8) == Some(&[0; 3]) {
        return Some("a safetensors file");
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Some("a WebP picture");
    }
    if let Some((_, name)) = STARTS.iter().find(|(start, _)| bytes.starts_with(start)) {
        return Some(name);
    }
    // Protocols 2 to 5 of Python's pickle open with their number.
    if matches!(bytes, [0x80, 2..=5, ..]) {
        return Some("a Python pickle");
    }
    looks_like_text(&bytes[..bytes.len().min(512)])
}

fn looks_like_text(start: &[u8]) -> Option<&'static str> {
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
    let text = text.trim_start().to_ascii_lowercase();
    if text.starts_with("<!doctype html") || text.starts_with("<html") {
        Some("an HTML page")
    } else if text.starts_with("<?xml") || text.starts_with("<svg") {
        Some("XML text")
    } else if text.starts_with('{') {
        Some("JSON text")
    } else {
        Some("text")
    }
}

/// `: it looks like …`, or nothing: the end of a message.
pub(crate) struct Guess(pub Option<&'static str>);

impl std::fmt::Display for Guess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(what) => write!(f, ": it looks like {what}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::looks_like;

    #[test]
    fn names_what_people_mix_up() {
        for (bytes, name) in [
            (&b""[..], Some("an empty file")),
            (b"\x89PNG\r\n\x1a\nrest", Some("a PNG picture")),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some("a WebP picture")),
            (b"\x80\x02}q\0", Some("a Python pickle")),
            (b"  <!DOCTYPE html><html>", Some("an HTML page")),
            (b"{\"a\": 1}", Some("JSON text")),
            ("grüße aus".as_bytes(), Some("text")),
            (b"\x10\0\0\0\0\0\0\0{}", Some("a safetensors file")),
            (b"\x01\x02\x03\xfe", None),
        ] {
            assert_eq!(looks_like(bytes), name, "{bytes:?}");
        }
    }
}
