//! Classes that no sample to learn from is of.

use cnnc::Model;
use cnnc::train::Data;

/// Most classes that a warning names.
const NAMED: usize = 8;

/// Classes that cannot be learned: one at least.
pub struct Lacks {
    /// What they are called; numbers where they have no names.
    pub labels: Vec<String>,
}

impl Lacks {
    /// `no sample to learn from is of the class `cat`, `dog``
    pub fn warning(&self) -> String {
        let named = self.labels.iter().take(NAMED);
        let named: Vec<String> = named.map(|label| format!("`{label}`")).collect();
        let more = match self.labels.len() > NAMED {
            true => " …",
            false => "",
        };
        let named = named.join(", ");
        format!("no sample to learn from is of the class {named}{more}")
    }
}

/// The classes of a network that no sample to learn from is of, if there are some. Those of identities are not the network's.
pub fn lacking(model: &Model, data: &Data) -> Option<Lacks> {
    let (graph, head) = (model.graph(), model.head());
    let embeds = graph
        .head
        .as_ref()
        .is_some_and(|head| head.decl.keyword == "embed");
    if embeds || data.train.together() > 1 {
        return None;
    }
    let classes = graph.values[graph.outputs[0].value].shape.channels();
    let label = |class: usize| match head.labels.get(class) {
        Some(label) => label.to_string(),
        None => class.to_string(),
    };
    let labels: Vec<String> = data.lacks(classes).into_iter().map(label).collect();
    (!labels.is_empty()).then_some(Lacks { labels })
}
