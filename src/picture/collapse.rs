//! From a graph to a diagram: activations join their layer, blocks become boxes, what repeats becomes one box.

use super::describe::{self, Words};
use super::diagram::{Diagram, Edge, Item, Kind};
use super::family::Family;
use super::parts::Tree;
use super::repeat::{self, Same};
use super::units::{Context, Detail, Unit};
use cnnc_compiler::id::ValueId;
use std::collections::HashMap;

impl Context<'_> {
    /// The whole network.
    pub fn diagram(&self, tree: &Tree, detail: Detail) -> Diagram {
        let graph = self.graph;
        let mut diagram = Diagram::default();
        let mut makers = HashMap::new();
        let port = |name: &str| Item {
            kind: Kind::Port,
            family: Family::Port,
            title: super::text::shown(name, 32),
            names: vec![name.to_owned()],
            lines: Vec::new(),
            cost: Vec::new(),
            times: 1,
        };
        for input in &graph.inputs {
            makers.insert(input.value, diagram.items.len());
            diagram.items.push(port(&input.name));
        }
        self.fill(&mut diagram, &mut makers, tree, detail, 0, "");
        for (name, value) in &self.outputs {
            // What the head goes on from is not shown as an end.
            if name == "raw" && !self.users(*value).is_empty() {
                continue;
            }
            let item = diagram.items.len();
            diagram.items.push(port(name));
            self.connect(&mut diagram, &makers, *value, item);
        }
        diagram
    }

    /// Adds the units of the part and their arrows.
    fn fill(
        &self,
        diagram: &mut Diagram,
        makers: &mut HashMap<ValueId, usize>,
        tree: &Tree,
        detail: Detail,
        level: usize,
        scope: &str,
    ) {
        let units = self.units(tree);
        for run in repeat::runs(self, &units, detail) {
            let units = &units[run.units.clone()];
            let (Some(first), Some(last)) = (units.first(), units.last()) else {
                continue;
            };
            let open = first
                .part
                .filter(|_| level < detail.depth && run.same != Same::Varied);
            let words = Words::new(self, units, scope);
            let item = diagram.items.len();
            match open {
                // Parts that have no name and stand alone open into what is around them.
                Some(part) if units.len() == 1 && part.name.is_empty() => {
                    self.fill(diagram, makers, part, detail, level + 1, scope);
                    continue;
                }
                Some(part) => {
                    let inner = self.frame(part, first, last, detail, level + 1, &words.scope);
                    diagram
                        .items
                        .push(describe::item(Kind::Frame(inner), words));
                }
                None => {
                    let kind = match first.part {
                        Some(_) => Kind::Block,
                        None => Kind::Layer,
                    };
                    diagram.items.push(describe::item(kind, words));
                }
            }
            for &value in &first.reads {
                self.connect(diagram, makers, value, item);
            }
            for &value in &last.makes {
                makers.insert(value, item);
            }
        }
    }

    /// What is in an open part; of several alike the first is shown, and its results are those of the last.
    fn frame(
        &self,
        part: &Tree,
        first: &Unit<'_>,
        last: &Unit<'_>,
        detail: Detail,
        level: usize,
        scope: &str,
    ) -> Diagram {
        let gate = || Item {
            kind: Kind::Gate,
            family: Family::Port,
            title: String::new(),
            names: Vec::new(),
            lines: Vec::new(),
            cost: Vec::new(),
            times: 1,
        };
        let mut inner = Diagram::default();
        let mut makers = HashMap::new();
        for &value in &first.reads {
            makers.insert(value, inner.items.len());
            inner.enters.push((value, inner.items.len()));
            inner.items.push(gate());
        }
        self.fill(&mut inner, &mut makers, part, detail, level, scope);
        for (&value, &outside) in first.makes.iter().zip(&last.makes) {
            let item = inner.items.len();
            inner.items.push(gate());
            self.connect(&mut inner, &makers, value, item);
            inner.leaves.push((outside, item));
        }
        inner
    }

    fn connect(
        &self,
        diagram: &mut Diagram,
        makers: &HashMap<ValueId, usize>,
        value: ValueId,
        to: usize,
    ) {
        // An input that is an output at once has a maker too; a value without one is a bug in `units`.
        let Some(&from) = makers.get(&value) else {
            panic!("picture: nothing in sight makes {value}");
        };
        diagram.edges.push(Edge {
            from,
            to,
            value,
            shape: self.graph.values[value].shape.to_string().replace('x', "×"),
        });
    }
}
