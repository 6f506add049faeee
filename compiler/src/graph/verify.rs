//! The verifier of graphs. What it checks is what a [`Graph`] is:
//!
//! 1. Ids are those of rows that exist.
//! 2. A value is defined once: input `i` of the graph defines the value that says `Def::Input(i)`, node `n` the one
//!    that says `Def::Node(n)`.
//! 3. The schedule has each node at most once, and every operand is an input of the graph, a tensor of it as a vector, or made by a
//!    node before it in the schedule.
//! 4. A node keeps what its layer infers from the operands' shapes, and its value has the shape that this says.
//! 5. The parameters of a node are those that its layer infers: as many, with these roles and shapes, and a literal fills
//!    its shape a whole number of times.
//! 6. Labels of live nodes are not empty, and unique.
//! 7. Outputs are alive: an input, or made by a node in the schedule. The first is `raw`, and names are unique.
//! 8. What is stored in a tensor is alive and has as many elements, each tensor is stored to once, and no node that comes behind what makes
//!    its new content reads the old one.
//!
//! It runs after the resolver and after every pass; what it finds is a bug of the compiler, not of a spec.

use super::{Def, Graph, Node, NodeId, Param, ParamId, Shape, ValueId};
use crate::id::Id;
use std::collections::{HashMap, HashSet};

/// Checks the graph.
///
/// # Errors
/// Every broken rule, one sentence each, naming node and value.
pub fn verify(graph: &Graph) -> Result<(), Vec<String>> {
    let mut verifier = Verifier {
        graph,
        problems: Vec::new(),
        alive: vec![false; graph.values.len()],
    };
    verifier.inputs();
    verifier.schedule();
    verifier.outputs();
    verifier.stores();
    if verifier.problems.is_empty() {
        Ok(())
    } else {
        Err(verifier.problems)
    }
}

struct Verifier<'g> {
    graph: &'g Graph,
    problems: Vec<String>,
    /// Values that are defined at this point of the schedule.
    alive: Vec<bool>,
}

impl Verifier<'_> {
    fn is_alive(&self, value: ValueId) -> bool {
        self.alive.get(value.index()) == Some(&true)
    }

    fn inputs(&mut self) {
        for (index, input) in self.graph.inputs.iter().enumerate() {
            match self.graph.values.get(input.value) {
                None => self.say(format!(
                    "input `{}` is {}, which does not exist",
                    input.name, input.value
                )),
                Some(value) if value.def != Def::Input(index) => self.say(format!(
                    "input `{}` is {}, which is defined by {:?}",
                    input.name, input.value, value.def
                )),
                Some(_) => {
                    self.alive[input.value.index()] = true;
                }
            }
        }
    }

    fn schedule(&mut self) {
        let mut scheduled = vec![false; self.graph.nodes.len()];
        let mut labels: HashMap<&str, NodeId> = HashMap::new();
        for &id in &self.graph.order {
            let Some(node) = self.graph.nodes.get(id) else {
                self.say(format!("the schedule has {id}, which does not exist"));
                continue;
            };
            if std::mem::replace(&mut scheduled[id.index()], true) {
                self.say(format!("{} is in the schedule twice", name(id, node)));
                continue;
            }
            if node.label.is_empty() {
                self.say(format!("{id} has no label"));
            }
            if let Some(first) = labels.insert(&node.label, id) {
                self.say(format!(
                    "{first} and {id} have the same label `{}`",
                    node.label
                ));
            }
            self.node(id, node);
        }
    }

    /// Whether the value is a tensor of the graph.
    fn is_tensor(&self, value: ValueId) -> bool {
        let Some(Def::Param(id)) = self.graph.values.get(value).map(|value| value.def) else {
            return false;
        };
        let elements = self.graph.values[value].shape.elements();
        let param = self.graph.params.get(id);
        param.is_some_and(|param| param.elements() == elements)
    }

    fn stores(&mut self) {
        let mut stored: HashMap<ParamId, ValueId> = HashMap::new();
        for &(param, value) in &self.graph.stores {
            let elements = self.graph.params.get(param).map(Param::elements);
            if !self.is_alive(value) || elements != Some(self.graph.values[value].shape.elements())
            {
                self.say(format!("{value} cannot be stored in {param:?}"));
            }
            if stored.insert(param, value).is_some() {
                self.say(format!("{param:?} is stored to twice"));
            }
        }
        let mut made: HashSet<ValueId> = HashSet::new();
        let scheduled = self.graph.order.iter();
        // What does not exist has been said.
        let nodes = scheduled.filter_map(|&id| Some((id, self.graph.nodes.get(id)?)));
        for (id, node) in nodes {
            let tensors =
                node.inputs
                    .iter()
                    .filter_map(|&value| match self.graph.values.get(value)?.def {
                        Def::Param(param) => Some(param),
                        _ => None,
                    });
            let old = tensors.chain(node.params.iter().copied());
            let old = old.filter(|param| stored.get(param).is_some_and(|new| made.contains(new)));
            let old: Vec<ParamId> = old.collect();
            for param in old {
                self.say(format!("{} reads {param:?} of before", name(id, node)));
            }
            made.insert(node.output);
        }
    }

    fn node(&mut self, id: NodeId, node: &Node) {
        let mut shapes: Vec<Shape> = Vec::new();
        for &operand in &node.inputs {
            if !self.is_alive(operand) && !self.is_tensor(operand) {
                self.say(format!(
                    "{} reads {operand}, which is not made before it",
                    name(id, node)
                ));
                return;
            }
            shapes.push(self.graph.values[operand].shape.clone());
        }
        let Some(output) = self.graph.values.get(node.output) else {
            self.say(format!(
                "{} makes {}, which does not exist",
                name(id, node),
                node.output
            ));
            return;
        };
        if output.def != Def::Node(id) {
            let def = output.def;
            self.say(format!(
                "{} makes {}, which is defined by {def:?}",
                name(id, node),
                node.output
            ));
        }
        self.alive[node.output.index()] = true;
        match node.layer.infer(&shapes) {
            Err(error) => self.say(format!(
                "{} does not fit its operands: {error}",
                name(id, node)
            )),
            Ok(inferred) => {
                if inferred.output != output.shape {
                    self.say(format!(
                        "{} makes {}, but {} is {}",
                        name(id, node),
                        inferred.output,
                        node.output,
                        output.shape
                    ));
                }
                if inferred != node.inferred {
                    self.say(format!(
                        "{} says {inferred:?} of its operands, but keeps {:?}",
                        name(id, node),
                        node.inferred
                    ));
                }
                self.params(id, node, &inferred.params);
            }
        }
    }

    fn params(&mut self, id: NodeId, node: &Node, specs: &[crate::layer::ParamSpec]) {
        if specs.len() != node.params.len() {
            self.say(format!(
                "{} has {} parameters, but its layer needs {}",
                name(id, node),
                node.params.len(),
                specs.len()
            ));
            return;
        }
        for (&param, spec) in node.params.iter().zip(specs) {
            let Some(row) = self.graph.params.get(param) else {
                self.say(format!(
                    "{} has {param}, which does not exist",
                    name(id, node)
                ));
                continue;
            };
            if row.role != spec.role || row.shape != spec.shape {
                self.say(format!(
                    "{} has {param}, a {} of {:?}, where its layer needs a {} of {:?}",
                    name(id, node),
                    row.role,
                    row.shape,
                    spec.role,
                    spec.shape
                ));
            }
            let fills = |values: &std::sync::Arc<[f32]>| {
                !values.is_empty() && row.elements().is_multiple_of(values.len())
            };
            if row.literal.as_ref().is_some_and(|values| !fills(values)) {
                self.say(format!(
                    "the values of {param} do not fill its shape {:?}",
                    row.shape
                ));
            }
        }
    }

    fn outputs(&mut self) {
        let mut names = HashSet::new();
        for (index, output) in self.graph.outputs.iter().enumerate() {
            if !self.is_alive(output.value) {
                self.say(format!(
                    "output `{}` is {}, which nothing makes",
                    output.name, output.value
                ));
            }
            if !names.insert(&output.name) {
                self.say(format!("there are two outputs `{}`", output.name));
            }
            if (index == 0) != (output.name == "raw") {
                self.say(format!(
                    "output {index} is `{}`: `raw` is the first",
                    output.name
                ));
            }
        }
        if self.graph.outputs.is_empty() {
            self.say("there is no output".to_owned());
        }
        let made: HashSet<usize> = self.graph.order.iter().map(|id| id.index()).collect();
        for (id, value) in self.graph.values.iter() {
            if let Def::Node(node) = value.def
                && made.contains(&node.index())
                && self
                    .graph
                    .nodes
                    .get(node)
                    .is_some_and(|node| node.output != id)
            {
                self.say(format!(
                    "{id} says that it is made by {node}, which makes another value"
                ));
            }
        }
    }

    fn say(&mut self, problem: String) {
        self.problems.push(problem);
    }
}

fn name(id: NodeId, node: &Node) -> String {
    format!("{id} (`{}` {})", node.label, node.layer.keyword())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Output;

    fn graph() -> Graph {
        let text = "cnn 1\nmodel M { input x: 3x8x8\n a: conv 3x3 4 relu\n b: conv 1x1 4 }";
        let mut files = crate::Files::default();
        crate::compile_source(&mut files, "m.cnn", text)
            .unwrap()
            .graph
    }

    /// A way to break a graph, and part of what is said of it.
    type Break = (&'static str, fn(&mut Graph));

    #[test]
    fn every_broken_rule_is_found() {
        assert_eq!(verify(&graph()), Ok(()));
        let breaks: &[Break] = &[
            ("is in the schedule twice", |g| g.order.push(g.order[0])),
            ("not made before it", |g| g.order.reverse()),
            ("which is not made before it", |g| {
                g.nodes[NodeId::new(0)].inputs[0] = ValueId::new(99);
            }),
            ("does not exist", |g| g.order.push(NodeId::new(99))),
            ("which does not exist", |g| {
                g.nodes[NodeId::new(0)].output = ValueId::new(99)
            }),
            ("but v1 is", |g| {
                g.values[ValueId::new(1)].shape = Shape::new([4, 9, 9]).unwrap()
            }),
            ("parameters, but its layer needs", |g| {
                g.nodes[NodeId::new(0)].params.pop();
            }),
            ("where its layer needs", |g| {
                g.nodes[NodeId::new(0)].params.swap(0, 1)
            }),
            ("the same label", |g| {
                g.nodes[NodeId::new(0)].label = "b".to_owned();
            }),
            ("has no label", |g| g.nodes[NodeId::new(0)].label.clear()),
            ("which nothing makes", |g| {
                g.order.pop();
            }),
            ("two outputs", |g| {
                let value = g.outputs[0].value;
                let name = "raw".to_owned();
                g.outputs.push(Output { name, value });
            }),
            ("`raw` is the first", |g| {
                g.outputs[0].name = "cooked".to_owned()
            }),
            ("there is no output", |g| g.outputs.clear()),
            ("defined by", |g| {
                g.values[ValueId::new(0)].def = Def::Node(NodeId::new(0))
            }),
            ("do not fill its shape", |g| {
                g.params[crate::id::ParamId::new(0)].literal = Some([1.0; 5].into());
            }),
            ("of its operands, but keeps", |g| {
                g.nodes[NodeId::new(0)].inferred.macs += 1;
            }),
            ("does not fit its operands", |g| {
                g.values[ValueId::new(0)].shape = Shape::new([3, 2, 2]).unwrap();
            }),
        ];
        for (expected, break_it) in breaks {
            let mut graph = graph();
            break_it(&mut graph);
            let problems = verify(&graph).expect_err(expected);
            assert!(
                problems.iter().any(|problem| problem.contains(expected)),
                "{expected}: {problems:?}"
            );
        }
    }
}
