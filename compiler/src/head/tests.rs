//! Laws that hold for every head of the table and each of its samples.

use super::{HEADS, HeadDecl};
use crate::diagnostic::MemoryLoader;
use crate::graph::Graph;
use crate::layer::{Kind, Literal, Spanned};
use crate::span::Span;
use crate::{Files, compile_source};
use cnnc_runtime::answer;
use std::collections::BTreeSet;

/// Keys that are settings of the runtime's head, which may be changed when the network runs.
const SETTINGS: [&str; 5] = ["top", "keep", "iou", "nms", "threshold"];

fn compile(sample: &str) -> Graph {
    let text = format!("cnn 1\nmodel Sample {{\n{sample}\n}}\n");
    let mut files = Files::new(MemoryLoader::default());
    let model = compile_source(&mut files, "sample.cnn", &text);
    model.unwrap_or_else(|problems| panic!("{problems}")).graph
}

fn each_sample(mut law: impl FnMut(&str, &'static HeadDecl, answer::Head)) {
    for &decl in HEADS {
        assert!(!decl.samples.is_empty(), "`{}` has no sample", decl.keyword);
        for sample in decl.samples {
            let graph = compile(sample);
            let own = graph.head.as_ref().map(|head| head.decl);
            assert_eq!(own, Some(decl), "{sample}");
            law(sample, decl, graph.answer_head());
        }
    }
}

/// The settings that a head of the runtime has, by their keys.
fn settings(mut head: answer::Head) -> BTreeSet<&'static str> {
    let found = head.settings();
    let has = [
        found.top.is_some(),
        found.keep.is_some(),
        found.iou.is_some(),
        found.nms.is_some(),
        found.threshold.is_some(),
    ];
    let found = SETTINGS.into_iter().zip(has);
    found.filter_map(|(key, has)| has.then_some(key)).collect()
}

#[test]
fn keywords_are_given_once() {
    let keywords: BTreeSet<&str> = HEADS.iter().map(|decl| decl.keyword).collect();
    assert_eq!(keywords.len(), HEADS.len());
}

/// What a spec may set, a user may set again; and nothing else.
#[test]
fn settings_are_those_of_the_declaration() {
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    each_sample(|sample, decl, head| {
        for key in settings(head) {
            assert!(decl.key(key).is_some(), "`{key}` of `{sample}`");
            seen.insert((decl.keyword, key));
        }
    });
    for decl in HEADS {
        for key in SETTINGS {
            let declared = decl.key(key).is_some();
            let settable = seen.contains(&(decl.keyword, key));
            assert_eq!(settable, declared, "`{key}` of `head {}`", decl.keyword);
        }
    }
}

/// Every word that a key takes means something of its own to the runtime.
#[test]
fn words_have_meanings() {
    for &decl in HEADS {
        for param in decl.keys {
            let Kind::Word(words) = param.kind else {
                continue;
            };
            let mut tasks = Vec::new();
            for word in words {
                let graph = compile(decl.samples[0]);
                let mut head = graph.head.clone().unwrap();
                head.given.retain(|(key, _)| *key != param.name);
                let span = Span::none();
                let value = Literal::Word((*word).to_owned());
                head.given.push((param.name, Spanned { value, span }));
                let graph = Graph {
                    head: Some(head),
                    ..graph
                };
                tasks.push(graph.answer_head().task);
            }
            for (index, task) in tasks.iter().enumerate() {
                let what = format!("`{} {}` of `{}`", param.name, words[index], decl.keyword);
                assert!(!tasks[..index].contains(task), "{what} is like another");
            }
        }
    }
}

/// Labels reach the runtime.
#[test]
fn labels_are_carried_over() {
    each_sample(|sample, decl, head| {
        let written = sample.contains("labels [");
        assert_eq!(!head.labels.is_empty(), written, "{sample}");
        assert!(!written || decl.key("labels").is_some(), "{sample}");
    });
}
