//! What a file is by its content, and what to do with it instead, for messages about files that are not what they should be.

mod protobuf;
mod text;
pub(crate) mod zip;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The format with its article: `an ONNX model`.
    pub name: &'static str,
    /// One sentence on how to go on from there, without its full stop; empty where there is nothing to say.
    pub advice: &'static str,
}

/// Name of a text of no known kind.
pub const TEXT: &str = "text";
/// Name of a spec.
pub const SPEC: &str = "a spec of cnnc";
/// Name of a configuration of darknet.
pub const DARKNET_CFG: &str = "a configuration of darknet";

/// Name of darknet's weights.
pub const DARKNET_WEIGHTS: &str = "a file of darknet's weights";

/// How trained weights get out of a framework.
const PYTORCH: &str =
    "in PyTorch, save `model.state_dict()` with `torch.save`, or with safetensors";

/// For formats that hold a graph and weights. Where frameworks keep kernels in another order, that is half of the work.
const EXPORT: &str = "write the network as a spec, and save its tensors as safetensors or .npz, kernels as (out, in, rows, columns)";

const NO_NETWORK: &str =
    "it holds no convolutional network; save the tensors of one as safetensors or .npz";

const IMPORT: &str = "the layers are in its `.cfg`, which `cnnc import` reads";

const UNPACK: &str = "unpack it first";

/// Starts of files, what they are called in a message, and the way to go.
const STARTS: &[(&[u8], &str, &str)] = &[
    (b"\x89PNG\r\n\x1a\n", "a PNG picture", ""),
    (b"\xff\xd8\xff", "a JPEG picture", ""),
    (b"GIF87a", "a GIF picture", ""),
    (b"GIF89a", "a GIF picture", ""),
    (b"II*\0", "a TIFF picture", ""),
    (b"MM\0*", "a TIFF picture", ""),
    (b"BM", "a BMP picture", ""),
    (b"\x1f\x8b", "a gzip archive", UNPACK),
    (b"BZh", "a bzip2 archive", UNPACK),
    (b"\xfd7zXZ\0", "an xz archive", UNPACK),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", UNPACK),
    (
        b"\x93NUMPY",
        "a numpy array",
        "save several arrays, each under its name, with `numpy.savez`",
    ),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file (Keras `.h5`?)", EXPORT),
    (b"MATLAB ", "a MATLAB file", EXPORT),
    (b"GGUF", "a GGUF model", NO_NETWORK),
    (b"lmgg", "a GGML model", NO_NETWORK),
    (b"tjgg", "a GGML model", NO_NETWORK),
    (b"7767517\n", "an ncnn network", EXPORT),
    // Major and minor version, little endian.
    (b"\0\0\0\0\x01\0\0\0", DARKNET_WEIGHTS, IMPORT),
    (b"\0\0\0\0\x02\0\0\0", DARKNET_WEIGHTS, IMPORT),
    (b"%PDF", "a PDF document", ""),
    (b"\x7fELF", "a program", ""),
    // Protocol 0 of Python's pickle is text.
    (b"(dp", "a Python pickle", PYTORCH),
    (b"ccollections\n", "a Python pickle", PYTORCH),
];

/// What a file is, from its first kilobytes or all of it; `None` when nothing fits.
///
/// ```
/// use cnnc_runtime::sniff::kind;
/// let found = kind(b"\x1c\0\0\0TFL3rest").expect("a known format");
/// assert_eq!(found.name, "a TensorFlow Lite model");
/// assert!(found.advice.starts_with("write the network as a spec"));
/// ```
pub fn kind(bytes: &[u8]) -> Option<Kind> {
    let of = |name, advice| Some(Kind { name, advice });
    if bytes.is_empty() {
        return of("an empty file", "");
    }
    if bytes.get(8) == Some(&b'{') && bytes.get(5..8) == Some(&[0; 3]) {
        return of("a safetensors file", "");
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return of("a WebP picture", "");
    }
    if bytes.get(4..8) == Some(b"TFL3") {
        return of("a TensorFlow Lite model", EXPORT);
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return of("a tar archive", UNPACK);
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Some(zip::kind(bytes));
    }
    if let Some((_, name, advice)) = STARTS.iter().find(|(start, ..)| bytes.starts_with(start)) {
        return of(name, advice);
    }
    // Protocols 2 to 5 of Python's pickle open with their number; behind that of PyTorch's files before 1.6, a frame
    // apart, stands a number of their own.
    if let [0x80, 2..=5, rest @ ..] = bytes {
        let framed = rest.strip_prefix(b"\x95").and_then(|rest| rest.get(8..));
        return match framed.unwrap_or(rest) {
            rest if rest.starts_with(b"\x8a\x0a\x6c\xfc\x9c\x46") => of("a PyTorch file", ""),
            _ => of("a Python pickle", PYTORCH),
        };
    }
    // The footer of the table that lists a checkpoint's tensors.
    if bytes.ends_with(b"\x57\xfb\x80\x8b\x24\x75\x47\xdb") {
        return of("a TensorFlow checkpoint", EXPORT);
    }
    text::kind(&bytes[..bytes.len().min(512)]).or_else(|| protobuf::kind(bytes))
}

impl Kind {
    /// `: it looks like …; do that`: the end of a message, nothing where there is no guess.
    pub(crate) fn and_advice(kind: Option<Kind>) -> String {
        match kind {
            None => String::new(),
            Some(Kind { name, advice: "" }) => Guess(Some(name)).to_string(),
            Some(Kind { name, advice }) => format!("{}; {advice}", Guess(Some(name))),
        }
    }
}

/// The name of a file's kind, for messages that have no use for advice.
pub(crate) fn looks_like(bytes: &[u8]) -> Option<&'static str> {
    kind(bytes).map(|kind| kind.name)
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
    use super::kind;

    #[test]
    fn names_what_people_mix_up() {
        let tar = [&[b'x'; 257][..], b"ustar\x0000"].concat();
        for (bytes, name) in [
            (&b""[..], Some("an empty file")),
            (b"\x89PNG\r\n\x1a\nrest", Some("a PNG picture")),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some("a WebP picture")),
            (b"\x80\x02}q\0", Some("a Python pickle")),
            (
                b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.",
                Some("a PyTorch file"),
            ),
            (
                b"\x80\x04\x95\x0d\0\0\0\0\0\0\0\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.",
                Some("a PyTorch file"),
            ),
            (b"\x10\0\0\0\0\0\0\0{}", Some("a safetensors file")),
            (b"\x01\x02\x03\xfe", None),
            (b"(dp0\nVa\np1\nI1\ns.", Some("a Python pickle")),
            (b"MATLAB 5.0 MAT-file", Some("a MATLAB file")),
            (b"GGUF\x03\0\0\0", Some("a GGUF model")),
            (b"\0\0\0\0\x02\0\0\0\0\0\0\0", Some(super::DARKNET_WEIGHTS)),
            (&tar, Some("a tar archive")),
            (
                b"\0\0\x01model\x08\x57\xfb\x80\x8b\x24\x75\x47\xdb",
                Some("a TensorFlow checkpoint"),
            ),
        ] {
            assert_eq!(kind(bytes).map(|kind| kind.name), name, "{bytes:?}");
        }
    }
}
