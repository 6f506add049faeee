//! A graph as a spec, weights, and how both fit the file's inputs and outputs.

use super::ctx::Item;
use super::error::OnnxError;
use super::graph::{self, Graph};
use super::inputs::Shapes;
use super::label;
use super::net::{Id, Net, Op};
use super::picture::{Pictures, said};
use super::proto::ModelProto;
use super::read::{self, Outside};
use super::spec::{self, Folding, Frame, Head};
use super::statement::{Body, Defaults, statements};
use super::tail;
use super::tensor::Tensor;
use super::weights;
use crate::{Model, Outputs, Weights};
use cnnc_compiler::diagnostic::Severity;
use cnnc_compiler::limits::NODES;
use cnnc_compiler::words::grouped;
use cnnc_runtime::answer;
use std::borrow::Cow;
use std::path::Path;

/// What the file does not say.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What the model is called after; any text.
    pub name: String,
    /// The model's documentation.
    pub doc: String,
    /// Extents of inputs by name, without the batch, where the file leaves them open.
    pub shapes: Vec<(String, Vec<usize>)>,
    /// Extents of the tensors that the network will be run on, in the order of its inputs, batch included: they say what is left open.
    pub samples: Vec<Vec<usize>>,
    /// What is known of pictures and classes.
    pub pictures: Pictures,
    /// Where the spec will be: files that it names are looked for there.
    pub place: Option<std::path::PathBuf>,
}

/// An input of the file.
#[derive(Clone, Debug)]
pub struct Input {
    /// Its name in the file.
    pub name: String,
    /// Its extents in the file, batch included.
    pub dims: Vec<usize>,
    /// Where it stands among the spec's inputs; none, if nothing reads it.
    pub port: Option<usize>,
    /// The order of its axes without the batch in which the spec has it, if that is another.
    pub order: Option<Vec<usize>>,
}

/// Where an output of the file comes from.
#[derive(Clone, Debug)]
pub enum From {
    /// An output of the network.
    Port(String),
    /// All boxes of the head, which was the end of the file's network.
    Head,
    /// An input of the file, as it is.
    Input(usize),
    /// Numbers that do not depend on any input.
    Constant(Vec<f32>),
}

/// An output of the file.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its name in the file.
    pub name: String,
    /// Its extents in the file, batch included.
    pub dims: Vec<usize>,
    /// Where it comes from.
    pub from: From,
}

/// A network that was imported.
pub struct Imported {
    /// The spec.
    pub spec: String,
    /// The weights, as the bytes of a safetensors file.
    pub weights: Vec<u8>,
    /// The file's inputs, in its order.
    pub inputs: Vec<Input>,
    /// The file's outputs, in its order.
    pub outputs: Vec<Output>,
    /// Images of a run, where the file fixes a batch of several.
    pub batch: Option<usize>,
    /// The files beside it that tensors were read from.
    pub files: Vec<std::path::PathBuf>,
    /// What was guessed, or may be missed.
    pub notes: Vec<String>,
    /// The spec, compiled.
    pub model: Model,
}

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
    let file = bytes.len();
    let model = read::model(bytes)?;
    let shapes = Shapes {
        given: options.shapes.clone(),
        samples: options.samples.clone(),
    };
    let outside = Outside::beside(beside);
    let graph = graph::read(&model, &outside, &shapes, file)?;
    let plain = write(&model, graph, options, false, file);
    let written = match plain {
        Err(OnnxError::Beyond(_)) => {
            // Names that do not suit the language are not worth a refusal.
            let graph = graph::read(&model, &outside, &shapes, file)?;
            write(&model, graph, options, true, file)
        }
        other => other,
    };
    written.map(|imported| Imported {
        files: outside.files(),
        ..imported
    })
}

fn write(
    file: &ModelProto,
    mut graph: Graph,
    options: &Options,
    plain: bool,
    size: usize,
) -> Result<Imported, OnnxError> {
    let net = &mut graph.ctx.net;
    // Tensors that are outputs; one that is an input, or constant, is none of the network's.
    let is_input = |id: Id, inputs: &[graph::Input]| inputs.iter().position(|input| input.id == id);
    let mut ids: Vec<Id> = Vec::new();
    for output in &graph.outputs {
        if let Item::Val(val) | Item::Whole(val) = &output.item
            && is_input(val.id, &graph.inputs).is_none()
            && !ids.contains(&val.id)
        {
            ids.push(val.id);
        }
    }
    if ids.is_empty() {
        // Something must be computed: the first input.
        let Some(first) = graph.inputs.first() else {
            return Err(OnnxError::Beyond(
                "it computes nothing of an input".to_owned(),
            ));
        };
        let id = net.push(
            Op::Word("relu"),
            &[first.id],
            Vec::new(),
            net.dims(first.id).to_vec(),
        );
        ids.push(id);
    }
    let mut orders = Vec::new();
    for input in &graph.inputs {
        let passed = graph
            .outputs
            .iter()
            .any(|output| matches!(&output.item, Item::Val(val) if val.id == input.id));
        orders.push(if passed {
            None
        } else {
            net.turn_input(input.id, &ids)
        });
    }
    let (live, _) = net.live(&ids);
    let entry = graph.inputs.iter().find(|input| live[input.id]);
    let entry = entry.map_or(Vec::new(), |input| net.dims(input.id).to_vec());
    let tail = tail::find(net, &ids, &entry, size);
    if let Some(tail) = &tail {
        // Maps are outputs in the place of what was made of them.
        ids.retain(|id| *id != tail.table && !tail.maps.contains(id));
        ids.splice(0..0, tail.maps.iter().copied());
    }
    let maps = tail.as_ref().map_or(&[][..], |tail| &tail.maps);
    let order = spec::order(net, &ids);
    if order.len() > NODES {
        // Before names are made for them.
        return Err(OnnxError::Beyond(format!(
            "the network has more than {} layers",
            grouped(NODES)
        )));
    }
    let last = *order.last().expect("an output is made by a layer");
    let (live, _) = net.live(&ids);
    // One result of classes is the head's business.
    let single = tail.is_none()
        && ids.len() == 1
        && graph.outputs.len() == 1
        && net.dims(last).len() == 1
        && net.dims(last)[0] > 1;
    let result = single.then(|| net.dims(last)[0]);
    let named: Vec<(usize, String)> = graph
        .inputs
        .iter()
        .enumerate()
        .filter(|(_, input)| live[input.id])
        .map(|(at, input)| {
            (
                at,
                if plain {
                    format!("x{at}")
                } else {
                    label::input(&input.name)
                },
            )
        })
        .collect();
    let first = named
        .first()
        .map(|(at, _)| net.dims(graph.inputs[*at].id).to_vec())
        .unwrap_or_default();
    let said = said(file, &options.pictures, &first, result, tail.is_some());
    let softmax = single && spec::is_softmax(net, last) && order.len() > 1;
    let head = match &tail {
        Some(tail) => Some(tail.head(&said)),
        None => (single && said.classes).then(|| Head {
            keyword: "classify",
            maps: Vec::new(),
            keys: said
                .labels
                .iter()
                .map(|labels| format!("labels {labels}"))
                .collect(),
        }),
    };
    let dropped = head.is_some() && softmax;
    let (order, last) = match dropped {
        true => (order[..order.len() - 1].to_vec(), order[order.len() - 2]),
        false => (order, last),
    };
    let outputs_of_net: Vec<Id> = ids
        .iter()
        .map(|&id| if dropped { last } else { id })
        .collect();
    let mut inputs: Vec<(Id, String)> = Vec::new();
    let mut used = label::Labels::default();
    for (at, name) in &named {
        inputs.push((graph.inputs[*at].id, used.unique(name.clone())));
    }
    if inputs.is_empty() {
        return Err(OnnxError::Beyond(
            "its outputs depend on no input".to_owned(),
        ));
    }
    let defaults = Defaults::of(net, &order);
    let labelled = match maps {
        [] => &[][..],
        _ => &outputs_of_net[..],
    };
    let body = statements(
        net,
        &order,
        &inputs,
        &outputs_of_net,
        labelled,
        defaults,
        plain,
    );
    let taps: Vec<Id> = outputs_of_net
        .iter()
        .copied()
        .filter(|&id| match maps {
            [] => id != last,
            maps => !maps.contains(&id),
        })
        .collect();
    let settings = |at: usize| {
        if at == 0 {
            said.settings.clone()
        } else {
            String::new()
        }
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
        taps: taps.clone(),
        head,
    };
    let place = options
        .place
        .clone()
        .unwrap_or_else(|| "imported.cnn".into());
    let compiled = |text: String| {
        let text = cnnc_compiler::format::format(&text).unwrap_or(text);
        let model = crate::compile_str(&place, &text)
            .map_err(|error| OnnxError::Beyond(first_message(&error)))?;
        Ok((text, model))
    };
    let (mut text, mut model) = compiled(spec::write(&frame, &body))?;
    let mut weights = weights::weights(net, &order, &model, frame.name)?;
    let mut labels = body.labels.clone();
    // Blocks, loops and shared networks are taken where they are the same network.
    if !plain {
        let form = model.unshared_hash();
        for folded in folded(&frame, net, &body, &outputs_of_net) {
            if let Ok((short, other)) = compiled(folded.text)
                && short.lines().count() <= text.lines().count()
                && other.unshared_hash() == form
                && let Ok(bytes) = weights::weights(net, &folded.order, &other, frame.name)
            {
                (text, model, weights, labels) = (short, other, bytes, folded.labels);
                break;
            }
        }
    }
    let raw = maps.first().copied().unwrap_or(last);
    let port = |id: Id| match id == raw || dropped {
        true if dropped => "probabilities".to_owned(),
        true => "raw".to_owned(),
        false => labels[&id].clone(),
    };
    let is_table = |id: Id| tail.as_ref().is_some_and(|tail| tail.table == id);
    let outputs = graph.outputs.iter().map(|output| {
        let (dims, from) = match &output.item {
            Item::Const(tensor) => (
                tensor.dims.clone(),
                From::Constant(tensor.to_floats().into_owned()),
            ),
            Item::Val(val) | Item::Whole(val) => match is_input(val.id, &graph.inputs) {
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
    Ok(Imported {
        spec: text,
        weights,
        inputs: inputs.collect(),
        outputs,
        batch: graph.ctx.batch,
        files: Vec::new(),
        notes: said.guess.into_iter().collect(),
        model,
    })
}

/// Ways to write the spec with blocks and loops, best first.
fn folded(
    frame: &Frame<'_>,
    net: &Net,
    body: &Body,
    outputs: &[Id],
) -> impl Iterator<Item = spec::Folded> {
    let fold = move |folding| spec::fold(frame, net, body, outputs, folding);
    let rest = move || {
        let [nested, plain] = [Folding::Nested, Folding::Plain].map(fold);
        let lines = |folded: &Option<spec::Folded>| {
            let text = folded.as_ref().map(|folded| folded.text.lines().count());
            text.unwrap_or(usize::MAX)
        };
        // Blocks within blocks are harder to read, and have to be worth it.
        let worth = lines(&nested) <= lines(&plain) / 3 * 2;
        let nested = nested.filter(|_| worth);
        nested.into_iter().chain(plain)
    };
    let shared = std::iter::once_with(move || fold(Folding::Shared)).flatten();
    shared.chain(std::iter::once_with(rest).flatten())
}

fn first_message(error: &crate::Error) -> String {
    match error {
        crate::Error::Spec(found) => found
            .items()
            .iter()
            .find(|item| item.severity() == Severity::Error)
            .map_or_else(String::new, |first| first.message.clone()),
        other => other.to_string(),
    }
}

impl Imported {
    /// Bytes of a file of weights within which it says what wrote it.
    pub const MARK: usize = 256;

    /// Whether a file with these first bytes, [`Imported::MARK`] of them, holds weights that an import of a network of this name wrote.
    ///
    /// Asked before [`Imported::take_weights`].
    pub fn wrote(&self, begin: &[u8]) -> bool {
        let mark = self.weights.get(8..).and_then(|header| {
            let end = header.iter().position(|&byte| byte == b'}')?;
            header.get(..=end)
        });
        mark.is_some_and(|mark| begin.get(8..).is_some_and(|rest| rest.starts_with(mark)))
    }

    /// The weights, to run the network with: once, since they are moved.
    ///
    /// # Panics
    /// Never: what was written here is read.
    pub fn take_weights(&mut self) -> Weights {
        let bytes = std::mem::take(&mut self.weights);
        Weights::from_bytes(bytes).expect("the header was written here")
    }

    /// The elements of an output of the file that the network computes: of all images of a run, one behind another. `None`
    /// for one that does not come from it, or if these are another network's outputs.
    pub fn output<'s>(&self, at: usize, outputs: &Outputs<'s>) -> Option<Cow<'s, [f32]>> {
        match &self.outputs.get(at)?.from {
            From::Port(port) => Some(Cow::Borrowed(outputs.get(port)?.data)),
            From::Input(_) | From::Constant(_) => None,
            From::Head => {
                let graph = self.model.graph();
                let input = graph.values[graph.inputs.first()?.value].shape.dims();
                let &[.., height, width] = input else {
                    return None;
                };
                let task = self.model.head().task;
                let mut all = Vec::new();
                for image in 0..outputs.images() {
                    let outputs = outputs.image(image);
                    let tensors: Vec<answer::Tensor<'_>> = outputs
                        .iter()
                        .map(|output| answer::Tensor {
                            name: output.name,
                            shape: output.shape,
                            data: output.data,
                        })
                        .collect();
                    let size = (width as f32, height as f32);
                    all.extend(tail::table(&task, &tensors, size)?);
                }
                Some(Cow::Owned(all))
            }
        }
    }

    /// A tensor of the file's input as the spec's: one image after another, axes in the spec's order.
    ///
    /// # Errors
    /// When the tensor has not the input's extents.
    pub fn feed(&self, at: usize, dims: &[usize], values: &[f32]) -> Result<Vec<f32>, String> {
        let input = &self.inputs[at];
        let count: usize = input.dims.iter().product();
        let fits = dims == input.dims
            || (dims.len() == input.dims.len()
                && !dims.is_empty()
                && dims[1..] == input.dims[1..]
                && input.dims[0] == 1);
        if !fits || count == 0 || !values.len().is_multiple_of(count) {
            return Err(format!(
                "input `{}` is {}, but the tensor is {}",
                super::error::show(&input.name),
                super::text::extents(&input.dims),
                super::text::extents(dims)
            ));
        }
        let Some(order) = &input.order else {
            return Ok(values.to_vec());
        };
        let lead = input.dims.len().saturating_sub(order.len());
        let own = &input.dims[lead..];
        let image: usize = own.iter().product();
        let mut all = Vec::with_capacity(values.len());
        for part in values.chunks_exact(image) {
            let tensor = Tensor::floats(own.to_vec(), part.to_vec());
            all.extend_from_slice(&tensor.permuted(order).to_floats());
        }
        Ok(all)
    }
}

impl std::fmt::Debug for Imported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Imported({} of {} inputs and {} outputs)",
            self.model.graph().name,
            self.inputs.len(),
            self.outputs.len()
        )
    }
}
