//! Zip archives, told apart by the names of their members.

use super::{EXPORT, Kind, PYTORCH, UNPACK};

/// Most members that are looked at.
const MEMBERS: usize = 64;

/// What a zip archive is, from its first members as far as the bytes reach.
pub(super) fn kind(bytes: &[u8]) -> Kind {
    let names: Vec<&str> = names(bytes).take(MEMBERS).collect();
    of_names(&names)
}

/// What a zip archive with these members is.
pub(crate) fn of_names(names: &[&str]) -> Kind {
    let has = |found: fn(&str) -> bool| names.iter().any(|name| found(name));
    let (name, advice) = if has(|name| name.ends_with("constants.pkl") || name.contains("/code/")) {
        ("a TorchScript program", PYTORCH)
    } else if has(|name| name.ends_with("model_weights_config.json")) {
        ("a program of `torch.export`", PYTORCH)
    } else if has(|name| name.ends_with("data.pkl")) {
        ("a PyTorch file", "")
    } else if has(|name| name.ends_with(".npy")) {
        ("a file of numpy arrays (`.npz`)", "")
    } else if has(|name| name == "model.weights.h5") {
        ("a Keras model", EXPORT)
    } else if has(|name| name.ends_with(".mlmodel")) {
        ("a Core ML model", EXPORT)
    } else {
        ("a zip archive", UNPACK)
    };
    Kind { name, advice }
}

/// The names in the headers that precede the members.
fn names(bytes: &[u8]) -> impl Iterator<Item = &str> {
    const HEADER: &[u8] = b"PK\x03\x04";
    let mut rest = bytes;
    std::iter::from_fn(move || {
        // How long a member is, its header does not always know.
        let at = rest
            .windows(HEADER.len())
            .position(|window| window == HEADER)?;
        let header = rest.get(at..at + 30)?;
        let len = usize::from(u16::from_le_bytes([header[26], header[27]]));
        let name = rest.get(at + 30..at + 30 + len)?;
        rest = &rest[at + 30..];
        Some(str::from_utf8(name).unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::kind;

    fn zip(names: &[&str]) -> Vec<u8> {
        let member = |name: &&str| {
            let mut member = b"PK\x03\x04".to_vec();
            member.resize(26, 0);
            member.extend([name.len() as u8, 0, 0, 0]);
            [&member, name.as_bytes(), b"abc"].concat()
        };
        names.iter().flat_map(member).collect()
    }

    #[test]
    fn archives_are_told_apart() {
        for (names, name) in [
            (&["net/data.pkl", "net/data/0"][..], "a PyTorch file"),
            (
                &["net/data/0", "net/data.pkl", "net/code/net.py"],
                "a TorchScript program",
            ),
            (
                &["net/data/weights/model_weights_config.json"],
                "a program of `torch.export`",
            ),
            (&["conv.weight.npy"], "a file of numpy arrays (`.npz`)"),
            (
                &["metadata.json", "config.json", "model.weights.h5"],
                "a Keras model",
            ),
            (&["Data/com.apple.CoreML/model.mlmodel"], "a Core ML model"),
            (&["readme.txt"], "a zip archive"),
            (&[], "a zip archive"),
        ] {
            assert_eq!(kind(&zip(names)).name, name);
        }
        let whole = zip(&["a/b.npy"]);
        for len in 4..whole.len() {
            let found = kind(&whole[..len]).name;
            assert_eq!(found == "a zip archive", len < 30 + 7, "cut to {len}");
        }
    }
}
