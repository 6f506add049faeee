//! Every configuration of a folder: imported, or refused for what docs/darknet.md names.
//!
//! `DARKNET_CFGS=folder cargo test --release -p cnnc-cli --test import -- --ignored published` prints how many, and why. What is imported must be
//! sound, must lower, and every layer must have the extents that darknet computes (those of [`oracle`](crate::oracle)).

use crate::{options, oracle};
use cnnc::Isa;
use cnnc::compiler::graph::{Graph, Node};
use cnnc::darknet::{Mistake, import};
use cnnc_testing::say;
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

#[test]
#[ignore = "reads the folder that DARKNET_CFGS names"]
fn published_configurations() {
    let Some(folder) = std::env::var_os("DARKNET_CFGS") else {
        say("SKIPPED: published configurations, for DARKNET_CFGS names no folder");
        return;
    };
    let files = configurations(Path::new(&folder));
    assert!(
        !files.is_empty(),
        "there is no .cfg in {}",
        folder.display()
    );
    let mut distinct = HashSet::new();
    // By outcome: files, and different ones.
    let mut outcomes: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let (mut layers, mut slowest) = (0, 0.0f64);
    for file in &files {
        let cfg = std::fs::read(file).unwrap();
        let new = distinct.insert(cfg.clone());
        let start = Instant::now();
        let outcome = match import(&cfg, &options()) {
            Ok(spec) => {
                slowest = slowest.max(start.elapsed().as_secs_f64());
                if new {
                    layers += check(file, &cfg, &spec);
                }
                "imported".to_owned()
            }
            Err(error) => {
                let documented = matches!(error.mistake, Mistake::Unsupported { .. });
                let section = error.section.as_deref().unwrap_or_default();
                let key = error.key.as_deref();
                let named = key.map_or(format!("`[{section}]`"), |key| format!("`{key}`"));
                let docs = include_str!("../../../docs/darknet.md");
                let told = documented && docs.contains(&named);
                assert!(
                    told,
                    "{}: {error}: the documentation does not say so",
                    file.display()
                );
                format!("refused: [{section}] {}", key.unwrap_or_default())
            }
        };
        let counts = outcomes.entry(outcome).or_default();
        *counts = (counts.0 + 1, counts.1 + usize::from(new));
    }
    for (outcome, (files, different)) in &outcomes {
        say(&format!("{files:4} {different:4}  {outcome}"));
    }
    let (all, different) = (files.len(), distinct.len());
    say(&format!("{all:4} {different:4}  files, and different ones"));
    say(&format!(
        "{layers} layers have darknet's extents; slowest import {slowest:.2} s"
    ));
}

/// The `.cfg` files below a folder.
fn configurations(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.extension() {
                _ if path.is_dir() => folders.push(path),
                Some(ending) if ending == "cfg" => files.push(path),
                _ => {}
            }
        }
    }
    files.sort();
    files
}

/// Compiles and lowers a spec, and compares its layers with darknet's; how many there are.
fn check(file: &Path, cfg: &[u8], spec: &str) -> usize {
    let model = match cnnc::compile_str("net.cnn", spec) {
        Ok(model) => model,
        Err(error) => panic!("{}: {error}", file.display()),
    };
    let warnings = model.warnings();
    assert!(
        warnings.is_empty(),
        "{}: {}",
        file.display(),
        warnings.render(false)
    );
    model
        .lower(&cnnc::Options::new().isa(Isa::Portable))
        .expect("every machine has it");
    let (expected, found) = (expected(cfg), found(model.graph()));
    let differs = expected.iter().zip(&found).position(|(a, b)| a != b);
    if let Some(at) = differs {
        panic!(
            "{}: darknet has {:?}, not {:?}",
            file.display(),
            expected[at],
            found[at]
        );
    }
    assert_eq!(expected.len(), found.len(), "{}", file.display());
    expected.len()
}

/// What makes a layer, and what it makes.
type Made = (&'static str, [i64; 3]);

/// Layers of the graph that are those of a configuration, in its order.
fn found(graph: &Graph) -> Vec<Made> {
    let layer = |node: &Node| -> Option<Made> {
        let constant = node
            .params
            .iter()
            .any(|&id| graph.params[id].literal.is_some());
        let kind = match node.layer.attributes().0 {
            _ if constant => return None,
            kind @ ("conv" | "convtranspose" | "local" | "dense" | "maxpool" | "avgpool"
            | "add" | "mul" | "concat" | "slice" | "upsample" | "crop"
            | "space_to_depth") => kind,
            "globalavgpool" | "adaptiveavgpool" => "mean",
            _ => return None,
        };
        let mut extents = [1; 3];
        let shape = &graph.values[node.output].shape;
        for (extent, &dim) in extents.iter_mut().zip(shape.dims()) {
            *extent = dim as i64;
        }
        Some((kind, extents))
    };
    graph.live().filter_map(|(_, node)| layer(node)).collect()
}

/// The same, as darknet has it.
fn expected(cfg: &[u8]) -> Vec<Made> {
    let sections = oracle::read(cfg);
    let outs = oracle::shapes(&sections);
    let mut layers = Vec::new();
    for (at, section) in sections[1..].iter().enumerate() {
        let (before, out) = (outs[at], outs[at + 1]);
        let kind = match section.kind.as_str() {
            "convolutional" | "conv" => "conv",
            "deconvolutional" | "deconv" => "convtranspose",
            "local" => "local",
            "connected" | "conn" => "dense",
            "maxpool" | "max" => "maxpool",
            "local_avgpool" | "local_avg" => "avgpool",
            "avgpool" | "avg" => "mean",
            "shortcut" => {
                let from = oracle::named(section, "from", at).into_iter();
                let longer = from.filter(|&index| outs[index + 1].c > before.c);
                layers.extend(longer.map(|index| {
                    let other = outs[index + 1];
                    ("slice", [before.c, other.h, other.w])
                }));
                "add"
            }
            "scale_channels" | "sam" => "mul",
            "route" => {
                let from = oracle::named(section, "layers", at);
                let groups = section.int("groups", 1);
                if groups > 1 {
                    let parts = from.iter().map(|&index| outs[index + 1]);
                    layers.extend(parts.map(|part| ("slice", [part.c / groups, part.h, part.w])));
                }
                if from.len() == 1 {
                    continue;
                }
                "concat"
            }
            "upsample" => "upsample",
            "crop" => "crop",
            "reorg" | "reorg3d" if section.int("stride", 1) > 1 => "space_to_depth",
            _ => continue,
        };
        layers.push((kind, [out.c, out.h, out.w]));
    }
    layers
}
