//! What lines of one run have in common: network, weights and settings, as short hashes of what they are.

use crate::Failure;
use crate::network::{self, is_made_up};
use cnnc::Model;
use cnnc::rt::answer::Head;
use cnnc::rt::synthetic;
use cnnc::source::Shard;
use serde_json::{Value, json};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The identity of a run; where it has a part, with what that is gone on by, for which weights are read.
pub fn identity(
    network: &network::Args,
    model: &Model,
    head: &Head,
    shard: Option<Shard>,
    part: bool,
) -> Result<Value, Failure> {
    let mut identity = json!({
        "model": model.graph().name,
        "weights": network.origin(),
        "shard": shard.map(|shard| shard.to_string()),
    });
    if part {
        let inputs = &model.graph().inputs;
        let inputs = inputs
            .iter()
            .map(|input| format!("{:?}{:?}{:?}", input.pre, input.frames, input.hearing));
        let graph = format!("{}{}", model.hash(), inputs.collect::<String>());
        let weights = match network.weights.as_deref() {
            Some(path) if is_made_up(path) => Some("synthetic".to_owned()),
            Some(path) => Some(of_file(path)?),
            None => None,
        };
        identity["run"] = json!({
            "network": of_text(&graph),
            "weights": weights,
            "settings": of_text(&format!("{head:?}")),
        });
    }
    Ok(identity)
}

fn of_text(text: &str) -> String {
    format!("{:016x}", synthetic::hash(text.as_bytes()))
}

/// Of what a file has, so that neither its name nor its time matters: FNV-1a of its words and its length.
fn of_file(path: &Path) -> Result<String, Failure> {
    let failed = |error: std::io::Error| Failure::Read {
        file: path.display().to_string(),
        why: error.to_string(),
    };
    let mut file = File::open(path).map_err(failed)?;
    let mut buffer = vec![0; 1 << 16];
    let (mut hash, mut length) = (0xCBF2_9CE4_8422_2325_u64, 0_u64);
    let mut add = |word: u64| {
        hash = (hash ^ word).wrapping_mul(0x0100_0000_01B3);
        // High bits of words reach the low ones.
        hash ^= hash >> 32;
    };
    loop {
        // Whole buffers, so that words begin where they do in the file.
        let mut filled = 0;
        while filled < buffer.len() {
            match file.read(&mut buffer[filled..]).map_err(failed)? {
                0 => break,
                read => filled += read,
            }
        }
        for bytes in buffer[..filled].chunks(8) {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            add(u64::from_le_bytes(word));
        }
        length += filled as u64;
        if filled < buffer.len() {
            break;
        }
    }
    add(length);
    Ok(format!("{hash:016x}"))
}
