//! A small network as a whole, element by element.

use super::layer::values;
use super::points::Points;
use super::{FLOOR, STEP, TOLERANCE};
use crate::gradient::{NoGradient, Wanted, differentiate};
use crate::graph::{Graph, Param};
use crate::reference::Reference;
use cnnc_runtime::synthetic::Synthetic;
use ndarray::{ArrayD, IxDyn};
use std::collections::HashMap;
use std::fmt;

/// Elements of a tensor that are looked at.
const EACH: usize = 3;

/// Most multiplications and elements, of all runs together.
pub const MOST_WORK: u64 = 1 << 31;

/// What becomes of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The gradient is that of the differences.
    Pass,
    /// It is not.
    Fail,
    /// There is no derivative here: differences to both sides are not the same. A rectifier or a maximum changes sides.
    Kink,
}

/// The gradient of one element.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    /// The input or the tensor.
    pub tensor: String,
    /// Its index.
    pub index: Vec<usize>,
    /// Its value.
    pub x: f64,
    /// The gradient's.
    pub analytic: f64,
    /// What differences say.
    pub numeric: f64,
    /// The relative error.
    pub error: f64,
    /// What to think of it.
    pub verdict: Verdict,
}

/// Why there are no numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TooMuch {
    /// They would take so much work, in multiplications and elements.
    Work(u64),
    /// A layer has no gradient.
    NoGradient(NoGradient),
}

impl fmt::Display for TooMuch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TooMuch::Work(work) => {
                let [work, most] = [*work, MOST_WORK].map(crate::words::grouped);
                write!(f, "`--show` takes {work} multiplications, more than {most}")
            }
            TooMuch::NoGradient(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TooMuch {}

/// The network, what is differentiated of it, and where.
struct Whole<'g> {
    graph: &'g Graph,
    inputs: Vec<ArrayD<f64>>,
    params: HashMap<String, ArrayD<f64>>,
    cotangents: Vec<ArrayD<f64>>,
}

impl Whole<'_> {
    /// The outputs, each times its cotangent.
    fn terms(&self) -> Vec<ArrayD<f64>> {
        let params = |param: &Param| self.params[&param.name].clone();
        let values = Reference::new(self.graph, &params).run(&self.inputs);
        let outputs = self.graph.outputs.iter().zip(&self.cotangents);
        outputs
            .map(|(output, dy)| &values[&output.value] * dy)
            .collect()
    }

    /// An input, or the tensor of that name.
    fn tensor(&mut self, name: &str) -> &mut ArrayD<f64> {
        let mut inputs = self.graph.inputs.iter();
        match inputs.position(|input| input.name == name) {
            Some(index) if !self.params.contains_key(name) => &mut self.inputs[index],
            _ => self.params.get_mut(name).expect("an input or a tensor"),
        }
    }

    /// Changes of the sum of all terms towards both sides of an element, over the step.
    fn sides(&mut self, name: &str, place: &[usize], middle: &[ArrayD<f64>]) -> [f64; 2] {
        let at = self.tensor(name)[place];
        let sides = [STEP, -STEP].map(|step| {
            self.tensor(name)[place] = at + step;
            let terms = self.terms();
            let change = terms.iter().zip(middle).map(|(to, from)| (to - from).sum());
            change.sum::<f64>() / step
        });
        self.tensor(name)[place] = at;
        sides
    }
}

/// The index of the `nth` element.
fn place(mut nth: usize, shape: &[usize]) -> Vec<usize> {
    let mut place = vec![0; shape.len()];
    for (index, extent) in place.iter_mut().zip(shape).rev() {
        (nth, *index) = (nth / extent, nth % extent);
    }
    place
}

/// The gradients of a few elements of every input and every tensor, at numbers that are functions of names, beside differences.
///
/// # Errors
/// A network that is too large, or a layer without a gradient.
pub fn numbers(graph: &Graph) -> Result<Vec<Number>, TooMuch> {
    let tensors = graph.inputs.len() + graph.sources().len();
    let elements: usize = graph
        .live()
        .map(|(_, node)| graph.values[node.output].shape.elements())
        .sum();
    let each = graph
        .macs()
        .saturating_add(elements as u64)
        .saturating_add(graph.parameters());
    let work = each.saturating_mul((2 * EACH * tensors) as u64 + 4);
    if work > MOST_WORK {
        return Err(TooMuch::Work(work));
    }
    let gradients = differentiate(graph, &Wanted::all()).map_err(TooMuch::NoGradient)?;
    let made = |name: &str, dims: &[usize]| {
        let values = Synthetic::input(name).values(dims.iter().product());
        let values = values.into_iter().map(f64::from).collect();
        ArrayD::from_shape_vec(IxDyn(dims), values).expect("as many elements")
    };
    let dims = |value| graph.values[value].shape.dims();
    let inputs = graph.inputs.iter();
    let outputs = graph.outputs.iter();
    let mut whole = Whole {
        graph,
        inputs: inputs
            .map(|input| made(&input.name, dims(input.value)))
            .collect(),
        params: graph
            .params
            .values()
            .map(|param| (param.name.clone(), values(param)))
            .collect(),
        cotangents: outputs
            .map(|output| made(&format!("d({})", output.name), dims(output.value)))
            .collect(),
    };
    let params = whole.params.clone();
    let given = gradients.evaluate(
        &|param| params[&param.name].clone(),
        &whole.inputs,
        &whole.cotangents,
    );
    let middle = whole.terms();
    let size = middle
        .iter()
        .map(|terms| terms.mapv(|x| x * x).sum())
        .sum::<f64>();
    let floor = FLOOR * size.sqrt();
    let of_inputs = graph.inputs.iter().zip(given.inputs);
    let of_inputs = of_inputs.filter_map(|(input, gradient)| Some((input.name.clone(), gradient?)));
    let mut points = Points::new(0);
    let mut found = Vec::new();
    for (name, gradient) in of_inputs.chain(given.params) {
        let first = points.below(gradient.len());
        let each = EACH.min(gradient.len());
        for turn in 0..each {
            let nth = (first + turn * gradient.len() / each) % gradient.len();
            let place = place(nth, gradient.shape());
            let analytic = gradient[&place[..]];
            let [after, before] = whole.sides(&name, &place, &middle);
            let numeric = (after + before) / 2.0;
            let scale = analytic.abs().max(floor);
            let error = match analytic == numeric {
                true => 0.0,
                false => (analytic - numeric).abs() / scale,
            };
            // Where a rectifier changes sides, the derivative is one side's, or between both.
            let between = (analytic - before) * (analytic - after) <= 0.0;
            let verdict = match error <= TOLERANCE {
                true => Verdict::Pass,
                false if between => Verdict::Kink,
                false => Verdict::Fail,
            };
            found.push(Number {
                x: whole.tensor(&name)[&place[..]],
                tensor: name.clone(),
                index: place,
                analytic,
                numeric,
                error,
                verdict,
            });
        }
    }
    Ok(found)
}
