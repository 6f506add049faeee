//! A file's graph as a spec and weights: what the network computes, where its tail becomes a head, what its inputs and outputs are called.

use super::ctx::Item;
use super::error::OnnxError;
use super::graph::{self, Graph};
use super::imported::{From, Imported, Input, Options, Output};
use super::inputs::Shapes;
use super::label;
use super::net::{Id, Net, Op};
use super::picture::{self, Said, said};
use super::proto::ModelProto;
use super::read::{self, Outside};
use super::spec::{self, Frame, Head};
use super::statement::statements;
use super::tail::{self, End, Tail};
use super::word::Defaults;
use super::written::Source;
use cnnc_compiler::limits::NODES;
use cnnc_compiler::words::grouped;
use std::path::Path;

/// Reads a file.
///
/// # Errors
/// [`OnnxError`]: a file that is damaged, or a network that is not supported.
pub fn import_file(path: &Path, options: &Options) -> Result<Imported, OnnxError> {
    let bytes = read::file(path)?;
    import(bytes, Some(path), options)
}

/// Reads a network that is in memory. Tensors in other files are looked for beside `beside`.
///
/// # Errors
/// [`OnnxError`]: a file that is damaged, or a network that is not supported.
pub fn import(
    bytes: Vec<u8>,
    beside: Option<&Path>,
    options: &Options,
) -> Result<Imported, OnnxError> {
    let size = bytes.len();
    let model = read::model(bytes)?;
    let shapes = Shapes {
        given: options.shapes.clone(),
        samples: options.samples.clone(),
        picture: picture::size(&model),
    };
    let outside = Outside::beside(beside);
    let write = |plain: bool| {
        let graph = graph::read(&model, &outside, &shapes, size)?;
        write(&model, graph, options, plain, size)
    };
    let written = match write(false) {
        // Names that do not suit the language are not worth a refusal.
        Err(OnnxError::Beyond(_)) => write(true),
        other => other,
    };
    written.map(|imported| Imported {
        files: outside.files(),
        ..imported
    })
}

/// Where a tensor stands among the graph's inputs, if it is one.
fn input_of(id: Id, inputs: &[graph::Input]) -> Option<usize> {
    inputs.iter().position(|input| input.id == id)
}

/// The tensors that the network computes for the graph's outputs; one that is an input, or constant, is none of its.
fn computed(
    net: &mut Net,
    inputs: &[graph::Input],
    outputs: &[graph::Output],
) -> Result<Vec<Id>, OnnxError> {
    let mut ids: Vec<Id> = Vec::new();
    for output in outputs {
        if let Item::Val(val) | Item::Whole(val) = &output.item
            && input_of(val.id, inputs).is_none()
            && !ids.contains(&val.id)
        {
            ids.push(val.id);
        }
    }
    if ids.is_empty() {
        // Something must be computed: the first input.
        let Some(first) = inputs.first() else {
            return Err(OnnxError::Beyond(
                "it computes nothing of an input".to_owned(),
            ));
        };
        let dims = net.dims(first.id).to_vec();
        ids.push(net.push(Op::Word("relu"), &[first.id], Vec::new(), dims));
    }
    Ok(ids)
}

/// The order of each input's axes in the spec, where that is another than the file's.
fn turned(
    net: &mut Net,
    inputs: &[graph::Input],
    outputs: &[graph::Output],
    ids: &[Id],
) -> Vec<Option<Vec<usize>>> {
    let passed = |id: Id| {
        let mut outputs = outputs.iter();
        outputs.any(|output| matches!(&output.item, Item::Val(val) if val.id == id))
    };
    let each = inputs.iter().map(|input| match passed(input.id) {
        true => None,
        false => net.turn_input(input.id, ids),
    });
    each.collect()
}

/// The layers that outputs need, of which there may be so many.
fn layers(net: &Net, ids: &[Id]) -> Result<Vec<Id>, OnnxError> {
    let order = spec::order(net, ids);
    match order.len() <= NODES {
        true => Ok(order),
        false => Err(OnnxError::Beyond(format!(
            "the network has more than {} layers",
            grouped(NODES)
        ))),
    }
}

/// Inputs that the network reads, by their places in the file, and what they are called; `plain` gives names that say nothing.
fn named(net: &Net, inputs: &[graph::Input], ids: &[Id], plain: bool) -> Vec<(usize, String)> {
    let (live, _) = net.live(ids);
    let mut used = label::Labels::default();
    let read = inputs.iter().enumerate();
    let read = read.filter(|(_, input)| live[input.id]);
    let name = |(at, input): (usize, &graph::Input)| {
        let name = match plain {
            true => format!("x{at}"),
            false => label::input(&input.name),
        };
        (at, used.unique(name))
    };
    read.map(name).collect()
}

/// The head: that of a tail, or of classes.
fn head(tail: Option<&Tail>, single: bool, said: &Said) -> Option<Head> {
    let labels = said.labels.iter();
    match tail {
        Some(tail) => Some(tail.head(said)),
        None => (single && said.classes).then(|| Head {
            keyword: "classify",
            maps: Vec::new(),
            keys: labels.map(|labels| format!("labels {labels}")).collect(),
        }),
    }
}

fn write(
    file: &ModelProto,
    mut graph: Graph,
    options: &Options,
    plain: bool,
    size: usize,
) -> Result<Imported, OnnxError> {
    let net = &mut graph.ctx.net;
    let mut ids = computed(net, &graph.inputs, &graph.outputs)?;
    let orders = turned(net, &graph.inputs, &graph.outputs, &ids);
    let first = |named: &[(usize, String)], net: &Net| {
        let first = named.first().map(|(at, _)| graph.inputs[*at].id);
        first.map_or(Vec::new(), |id| net.dims(id).to_vec())
    };
    let entry = first(&named(net, &graph.inputs, &ids, plain), &*net);
    let end = tail::find(net, &ids, &entry, size);
    let tail = match &end {
        End::Head(tail) => Some(tail),
        End::Boxes | End::Other => None,
    };
    if let Some(tail) = tail {
        // Maps are outputs in the place of what was made of them.
        ids.retain(|id| !(tail.maps.contains(id) || tail.whole && *id == tail.table));
        ids.splice(0..0, tail.maps.iter().copied());
    }
    let maps = tail.map_or(&[][..], |tail| &tail.maps);
    let mut order = layers(net, &ids)?;
    let mut last = *order.last().expect("an output is made by a layer");
    // One result of classes is the head's business.
    let single = tail.is_none()
        && ids.len() == 1
        && graph.outputs.len() == 1
        && net.dims(last).len() == 1
        && net.dims(last)[0] > 1;
    let result = single.then(|| net.dims(last)[0]);
    let named = named(net, &graph.inputs, &ids, plain);
    if named.is_empty() {
        return Err(OnnxError::Beyond(
            "its outputs depend on no input".to_owned(),
        ));
    }
    let said = said(
        file,
        &options.pictures,
        &first(&named, &*net),
        result,
        tail.is_some(),
    );
    let softmax = single && spec::is_softmax(net, last) && order.len() > 1;
    let head = head(tail, single, &said);
    let dropped = head.is_some() && softmax;
    if dropped {
        // The head's own.
        order.pop();
        last = order[order.len() - 1];
        ids = vec![last];
    }
    let inputs: Vec<(Id, String)> = named
        .iter()
        .map(|(at, name)| (graph.inputs[*at].id, name.clone()))
        .collect();
    let defaults = Defaults::of(net, &order);
    let labelled = match maps {
        [] => &[][..],
        _ => &ids[..],
    };
    let body = statements(net, &order, &inputs, &ids, labelled, defaults, plain);
    let is_tap = |id: &Id| match maps {
        [] => *id != last,
        maps => !maps.contains(id),
    };
    let settings = |at: usize| match at {
        0 => said.settings.clone(),
        _ => String::new(),
    };
    let frame = Frame {
        name: &label::model(&options.name),
        doc: &options.doc,
        inputs: inputs
            .iter()
            .enumerate()
            .map(|(at, (id, name))| (name.clone(), net.dims(*id).to_vec(), settings(at)))
            .collect(),
        ids: inputs.iter().map(|(id, _)| *id).collect(),
        defaults,
        taps: ids.iter().copied().filter(is_tap).collect(),
        head,
    };
    let place = options.place.as_deref();
    let place = place.unwrap_or(Path::new("imported.cnn"));
    let source = Source {
        frame,
        net,
        body,
        order,
        outputs: ids.clone(),
    };
    let mut written = source.plain(place)?;
    if !plain {
        written = source.folded(place, written);
    }
    let raw = maps.first().copied().unwrap_or(last);
    let port = |id: Id| match id == raw || dropped {
        true if dropped => "probabilities".to_owned(),
        true => "raw".to_owned(),
        false => written.labels[&id].clone(),
    };
    let is_table = |id: Id| tail.is_some_and(|tail| tail.whole && tail.table == id);
    let outputs = graph.outputs.iter().map(|output| {
        let (dims, from) = match &output.item {
            Item::Const(tensor) => (
                tensor.dims.clone(),
                From::Constant(tensor.to_floats().into_owned()),
            ),
            Item::Val(val) | Item::Whole(val) => match input_of(val.id, &graph.inputs) {
                Some(at) => (val.dims.clone(), From::Input(at)),
                None if is_table(val.id) => (val.dims.clone(), From::Head),
                None => (val.dims.clone(), From::Port(port(val.id))),
            },
            Item::Unknown => (Vec::new(), From::Constant(Vec::new())),
        };
        Output {
            name: output.name.clone(),
            dims,
            from,
        }
    });
    let outputs = outputs.collect();
    let port_of = |at: usize| named.iter().position(|(input, _)| *input == at);
    let inputs = graph
        .inputs
        .iter()
        .zip(orders)
        .enumerate()
        .map(|(at, (input, order))| Input {
            name: input.name.clone(),
            dims: input.dims.clone(),
            port: port_of(at),
            order,
        });
    let inputs = inputs.collect();
    let undecoded = end.undecoded(picture::finds_boxes(file));
    Ok(Imported {
        spec: written.text,
        weights: written.weights,
        inputs,
        outputs,
        batch: graph.ctx.batch,
        files: Vec::new(),
        notes: said.guess.into_iter().chain(undecoded).collect(),
        model: written.model,
        turned: tail.is_some_and(|tail| tail.turned),
    })
}
