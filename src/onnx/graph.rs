//! A file's graph as layers: its constants, what it is fed, and what it gives out.

use super::ctx::{Ctx, Item, Val};
use super::error::{OnnxError, Why, show};
use super::inputs::{Fed, Shapes, inputs};
use super::proto::{GraphProto, ModelProto};
use super::read::Outside;
use super::scopes::{self, Names, Scope};
use super::tensor;
use super::walk::Walker;

/// Newest operator set that is known.
const NEWEST: i64 = 24;

/// An input of the graph.
#[derive(Clone, Debug)]
pub(super) struct Input {
    pub name: String,
    /// Extents in the file, batch included.
    pub dims: Vec<usize>,
    pub id: usize,
}

/// An output of the graph.
#[derive(Clone)]
pub(super) struct Output {
    pub name: String,
    pub item: Item,
}

/// A graph that has been read.
pub(super) struct Graph {
    pub ctx: Ctx,
    pub inputs: Vec<Input>,
    pub outputs: Vec<Output>,
}

/// Reads a model's graph; `file` is the size of its file.
pub(super) fn read(
    model: &ModelProto,
    outside: &Outside,
    shapes: &Shapes,
    file: usize,
) -> Result<Graph, OnnxError> {
    let invalid = |why: &str| Err(OnnxError::Invalid(why.to_owned()));
    let Some(graph) = &model.graph else {
        return invalid("the file has no graph");
    };
    if graph.output.is_empty() {
        return invalid("the graph has no outputs");
    }
    if graph.node.is_empty() && graph.input.is_empty() {
        return invalid("the graph has neither nodes nor inputs");
    }
    let mut opsets = scopes::opsets(&model.opset_import);
    let opset = *opsets.entry(String::new()).or_insert(1);
    if !(1..=NEWEST).contains(&opset) {
        return Err(OnnxError::Invalid(format!(
            "operator set {opset} is not known; the newest one that is read is {NEWEST}"
        )));
    }
    let constants = constants(graph, outside)?;
    let source = Source {
        model,
        graph,
        outside,
        constants,
        scope: Scope::outermost(&opsets),
        // What lies in other files is the network's as well.
        size: file.saturating_add(outside.held()),
    };
    let inputs = match inputs(graph, &source.constants, shapes) {
        Ok(inputs) => inputs,
        Err(error @ OnnxError::Open { .. }) => return Err(source.open(error)),
        Err(error) => return Err(error),
    };
    let mut firsts = inputs
        .iter()
        .map(|input| input.dims.first().copied().unwrap_or(1));
    let batch = firsts.next().filter(|&n| n > 1);
    let Some(batch) = batch.filter(|&n| firsts.all(|other| other == n)) else {
        return source.run(&inputs, None);
    };
    // Each image by itself, or all of them as one tensor.
    match source.run(&inputs, Some(batch)) {
        Err(OnnxError::Unsupported(rows)) => {
            source.run(&inputs, None).map_err(|error| match error {
                OnnxError::Unsupported(_) => OnnxError::Unsupported(rows),
                other => other,
            })
        }
        other => other,
    }
}

/// The tensors of the file by name.
fn constants(graph: &GraphProto, outside: &Outside) -> Result<Names<'static>, OnnxError> {
    let mut all = Names::default();
    for proto in &graph.initializer {
        let bytes = outside.bytes(proto).map_err(OnnxError::Invalid)?;
        let item = match tensor::read(proto, bytes) {
            Ok(tensor) => Item::Const(tensor),
            Err(Why::Invalid(why)) => return Err(OnnxError::Invalid(why)),
            // Refused where it is read.
            Err(Why::Unsupported(_)) => Item::Unknown,
        };
        insert(&mut all, &proto.name, item)?;
    }
    Ok(all)
}

fn insert(names: &mut Names<'_>, name: &str, item: Item) -> Result<(), OnnxError> {
    if names.contains(name) {
        return Err(OnnxError::Invalid(format!(
            "two tensors are called `{}`",
            show(name)
        )));
    }
    names.insert(name, item);
    Ok(())
}

/// What a graph is read from.
struct Source<'m> {
    model: &'m ModelProto,
    graph: &'m GraphProto,
    outside: &'m Outside,
    constants: Names<'m>,
    scope: Scope<'m>,
    /// Bytes of it all.
    size: usize,
}

impl Source<'_> {
    fn walker(&self, batch: Option<usize>) -> Walker<'_> {
        Walker::new(batch, self.model, self.outside, self.size)
    }

    fn walk(&self, walker: &mut Walker<'_>, names: &mut Names<'_>) -> Result<(), OnnxError> {
        let outputs = scopes::outputs(self.graph);
        walker.graph(&self.graph.node, names, &outputs, &self.scope)
    }

    /// Why a graph is not read whose inputs are open: what is not supported is so whatever the shapes.
    fn open(&self, error: OnnxError) -> OnnxError {
        let mut walker = self.walker(None);
        let mut names = Names::within(&self.constants);
        for input in &self.graph.input {
            if !names.contains(&input.name) {
                names.insert(&input.name, Item::Unknown);
            }
        }
        let walked = self.walk(&mut walker, &mut names);
        let refused = walked.and_then(|()| walker.reader.refusals.checked());
        refused.err().unwrap_or(error)
    }

    /// Reads the graph with so many images, each by itself.
    fn run(&self, fed: &[Fed], batch: Option<usize>) -> Result<Graph, OnnxError> {
        let mut walker = self.walker(batch);
        let mut names = Names::within(&self.constants);
        let mut inputs = Vec::new();
        for Fed { name, dims, float } in fed {
            let ctx = &mut walker.reader.ctx;
            let lang = ctx.lang(dims);
            let id = ctx.net.input(lang);
            let dims = dims.clone();
            let val = Val {
                id,
                dims: dims.clone(),
            };
            let item = match float {
                true => Item::Val(val),
                false => Item::Whole(val),
            };
            insert(&mut names, name, item)?;
            let name = name.clone();
            inputs.push(Input { name, dims, id });
        }
        for _ in &self.graph.sparse_initializer {
            let remedy = "write it out as a dense one";
            let refusals = &mut walker.reader.refusals;
            refusals.add("SparseTensor", "a sparse initialiser", remedy);
        }
        self.walk(&mut walker, &mut names)?;
        let mut reader = walker.reader;
        let mut outputs = Vec::new();
        for output in &self.graph.output {
            let name = &output.name;
            let Some(item) = names.get(name) else {
                return Err(OnnxError::Invalid(format!(
                    "nothing makes the output `{}`",
                    show(name)
                )));
            };
            if let Item::Const(tensor) = item
                && reader.ctx.pay(tensor.len() + tensor.unwidened()).is_err()
            {
                return Err(OnnxError::Invalid(format!(
                    "the output `{}` is constant, and larger than the file",
                    show(name)
                )));
            }
            outputs.push(Output {
                name: name.clone(),
                item: item.clone(),
            });
        }
        let unknown = |output: &Output| matches!(output.item, Item::Unknown);
        if reader.refusals.is_empty() && outputs.iter().any(unknown) {
            let why = "what it is made of is not read";
            reader.refusals.add("graph", "an output", why);
        }
        reader.refusals.checked()?;
        Ok(Graph {
            ctx: reader.ctx,
            inputs,
            outputs,
        })
    }
}
