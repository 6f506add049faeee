//! How the embeddings of several inputs compare: each with the first.

use super::alike::verdict;
use cnnc::Answer;
use cnnc::rt::answer::{Head, Task};
use serde_json::{Value, json};

/// An embedding, and the first one.
pub struct Comparison {
    /// Which is compared with the first.
    pub index: usize,
    /// How far they are apart.
    pub distance: f32,
    /// Up to where they count as the same.
    threshold: f32,
}

impl Comparison {
    /// Compares every embedding with the first; none where the head gives no embeddings.
    pub fn all(head: &Head, answers: &[Answer]) -> Vec<Comparison> {
        let Task::Embed(embed) = &head.task else {
            return Vec::new();
        };
        let vectors: Vec<&[f32]> = answers
            .iter()
            .filter_map(|answer| match answer {
                Answer::Embedding(vector) => Some(vector.as_slice()),
                _ => None,
            })
            .collect();
        let others = vectors.iter().enumerate().skip(1);
        let compared = others.filter_map(|(index, other)| {
            Some(Comparison {
                index,
                distance: embed.metric.distance(vectors[0], other)?,
                threshold: embed.threshold,
            })
        });
        compared.collect()
    }

    fn same(&self) -> bool {
        self.distance <= self.threshold
    }

    /// For people: the names of the two, and the verdict.
    pub fn to_text(&self, first: &str, other: &str) -> String {
        let verdict = verdict(self.same(), "distance", self.distance, self.threshold);
        format!("{first} and {other}\n  {verdict}")
    }

    /// For tools.
    pub fn to_json(&self, first: &str, other: &str) -> Value {
        json!({
            "inputs": [first, other], "distance": self.distance,
            "threshold": self.threshold, "alike": self.same(),
        })
    }
}
