//! Pictures that are changed by their gradient: the gradient, losses, and by how much the picture changes, in the definition in f64 and as compiled programs in f32.

use crate::case::{Case, input, numbers, tensor};
use crate::compare::{Found, compare, floor_of_change, floor_of_loss, text};
use crate::compiled::Compiled;
use crate::steps::optimizer;
use cnnc::compiler::graph::Graph;
use cnnc::compiler::id::ValueId;
use cnnc::compiler::step::{Cost, Optimizer, Step, on_picture};
use cnnc::compiler::target::Arithmetic;
use ndarray::{ArrayD, Axis};
use std::collections::BTreeMap;

/// A number of costs, and what each counts.
struct Loss {
    costs: Vec<Cost>,
    counts: Vec<f64>,
    /// The picture that each is compared with; none for what has no target.
    with: Vec<Option<&'static str>>,
}

struct Run<'c> {
    case: &'c Case,
    step: Step,
    /// Up to what is compared, and up to the gradient.
    made: Step,
    gradient: Step,
    loss: Loss,
    optimizer: Optimizer,
    rates: Vec<f64>,
    shape: Vec<usize>,
}

/// How a step is computed: outputs, and what stays behind it.
type Compute<'r> =
    dyn Fn(&Step, &[ArrayD<f64>], &[Vec<ArrayD<f64>>]) -> (Vec<Vec<f64>>, Vec<ArrayD<f64>>) + 'r;

pub fn check(case: &Case) -> Result<(), String> {
    let model = case.model();
    let graph = model.graph();
    let loss = loss(case, graph);
    let tensors: Vec<ValueId> = loss.costs.iter().filter_map(|cost| cost.tensor()).collect();
    let shape = graph.values[graph.inputs[0].value].shape.dims().to_vec();
    let on = on_picture(graph, &tensors, [shape[1], shape[2]]);
    let on = on.unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let optimizer = optimizer(case.get("optimizer"));
    let step = Step::picture(&on, &loss.costs, &optimizer);
    let step = step.unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let run = Run {
        case,
        made: step.up_to_outputs(),
        gradient: step.up_to_gradients(),
        step,
        loss,
        optimizer,
        rates: numbers(case.get("rate")),
        shape,
    };
    run.steps(true, &|step, state, inputs| {
        let evaluated = step.evaluate(state, inputs);
        let outputs = evaluated.outputs.iter();
        let outputs = outputs.map(|of| of.iter().flatten().copied().collect());
        (outputs.collect(), evaluated.state)
    });
    for arithmetic in [Arithmetic::Exact, Arithmetic::Fast] {
        run.steps(false, &|step, state, inputs| {
            let mut code = Compiled::new(step, 1, arithmetic, state);
            code.run(inputs);
            let outputs = (0..step.graph.outputs.len()).map(|index| code.output(index));
            let mut state = state.to_vec();
            for (index, tensor) in state.iter_mut().enumerate() {
                tensor
                    .iter_mut()
                    .zip(code.tensor(index))
                    .for_each(|(to, x)| *to = x);
            }
            (outputs.collect(), state)
        });
    }
    Ok(())
}

/// The loss of a case as costs.
fn loss(case: &Case, graph: &Graph) -> Loss {
    let settings = case.get("loss");
    let number = |key: &str| settings[key].as_f64().expect("a number");
    let find = |name: &str| graph.find(name).expect("the tensor of the loss");
    let names = |key: &str| -> Vec<String> {
        let names = settings[key].as_array().expect("names");
        names.iter().map(text).collect()
    };
    match &*text(&settings["kind"]) {
        "style" => {
            let (content, style) = (names("content"), names("style"));
            let of_content = content.iter().map(|name| {
                (
                    Cost::Content(find(name)),
                    number("alpha"),
                    Some("content.0"),
                )
            });
            let each = number("beta") / style.len() as f64;
            let of_style = style
                .iter()
                .map(|name| (Cost::Style(find(name)), each, Some("style.0")));
            let all: Vec<_> = of_content.chain(of_style).collect();
            Loss {
                costs: all.iter().map(|of| of.0).collect(),
                counts: all.iter().map(|of| of.1).collect(),
                with: all.iter().map(|of| of.2).collect(),
            }
        }
        "activation" => Loss {
            costs: vec![Cost::Linear(find(&text(&settings["tensor"])))],
            counts: vec![1.0],
            with: vec![None],
        },
        kind => panic!("{}: loss `{kind}`", case.name),
    }
}

impl Run<'_> {
    /// What stays, with that picture.
    fn state(&self, picture: &ArrayD<f64>) -> Vec<ArrayD<f64>> {
        let place = self.step.picture_of();
        let ids = self.step.state.iter().enumerate();
        let first = ids.map(|(index, &id)| {
            let param = &self.step.graph.params[id];
            match index < self.step.tensors {
                true if Some(index) == place => picture.clone(),
                true => tensor(param),
                false => ArrayD::zeros(param.shape.clone()),
            }
        });
        first.collect()
    }

    /// Inputs of a step: targets and weights, what each cost counts, and factors.
    fn inputs(&self, number: usize, targets: &[ArrayD<f64>]) -> Vec<Vec<ArrayD<f64>>> {
        let mut inputs = Vec::new();
        for (cost, target) in self.loss.costs.iter().zip(targets) {
            let mut weights = ArrayD::zeros(target.raw_dim());
            match cost {
                Cost::Content(_) => weights.fill(0.5),
                Cost::Style(_) => weights.fill(0.25 / (target.shape()[0] as f64).powi(2)),
                _ => {
                    let channel = self.case.get("loss")["channel"]
                        .as_u64()
                        .expect("a channel");
                    let positions = (target.len() / target.shape()[0]) as f64;
                    weights
                        .index_axis_mut(Axis(0), channel as usize)
                        .fill(-1.0 / positions);
                }
            }
            inputs.push(vec![target.clone()]);
            inputs.push(vec![weights]);
        }
        let one = |x: &f64| vec![ArrayD::from_elem(vec![1], *x)];
        inputs.extend(self.loss.counts.iter().map(one));
        let factors = self.step.factors.iter().map(|&of| {
            let values = self.step.factors_of(
                of,
                &self.optimizer,
                self.rates[number],
                number as u64 + 1,
                1,
            );
            vec![ArrayD::from_shape_vec(vec![values.len()], values).expect("factors")]
        });
        inputs.extend(factors);
        inputs
    }

    /// What each cost is compared with.
    fn targets(&self, compute: &Compute<'_>) -> Vec<ArrayD<f64>> {
        let graph = &self.made.graph;
        let targets = self.loss.with.iter().enumerate().map(|(index, with)| {
            let shape = graph.values[graph.outputs[index].value].shape.dims();
            let Some(name) = with else {
                return ArrayD::zeros(shape);
            };
            let picture = input(name, &self.shape);
            let none: Vec<Vec<ArrayD<f64>>> = graph
                .inputs
                .iter()
                .map(|input| vec![ArrayD::zeros(graph.values[input.value].shape.dims())])
                .collect();
            let outputs = compute(&self.made, &self.state(&picture), &none).0;
            ArrayD::from_shape_vec(shape, outputs[index].clone()).expect("as many")
        });
        targets.collect()
    }

    fn steps(&self, exact: bool, compute: &Compute<'_>) {
        let case = self.case;
        let place = self.step.picture_of().expect("a picture");
        let start = case.sample("image", 0, &self.shape);
        let targets = self.targets(compute);
        let mut state = self.state(&start);
        let gradient = compute(&self.gradient, &state, &self.inputs(0, &targets))
            .0
            .pop();
        self.compare(exact, "input", 0, gradient.expect("a gradient"));
        for (number, want) in numbers(case.get("loss_per_step")).into_iter().enumerate() {
            let (costs, became) = compute(&self.step, &state, &self.inputs(number, &targets));
            state = became;
            let counted = costs.iter().zip(&self.loss.counts);
            let loss: f64 = counted.map(|(cost, counts)| cost[0] * counts).sum();
            let bound = match exact {
                true => 1e-9 * want.abs(),
                false => {
                    5.0 * numbers(case.get("loss_error"))[number]
                        + floor_of_loss(case, number) * want.abs()
                }
            };
            // NaN is near nothing.
            let near = (loss - want).abs() <= bound;
            if !near {
                case.differs(&format!("loss {number}, exact {exact}"), "loss", loss, want);
            }
            let after = (number + 1).to_string();
            if !case.get("after")[&after].is_null() {
                let change = (&state[place] - &start).into_iter().collect();
                self.compare(exact, &after, number, change);
            }
        }
    }

    /// Compares the picture's gradient, or its change after a step.
    fn compare(&self, exact: bool, part: &str, number: usize, values: Vec<f64>) {
        let is_gradient = part == "input";
        let tensors = BTreeMap::from([("image".to_owned(), values)]);
        let expected = match is_gradient {
            true => self.case.get(part),
            false => &self.case.get("after")[part],
        };
        let found = Found {
            part,
            tensors: &tensors,
            floor: (!exact).then(|| floor_of_change(self.case, number)),
            exact: if is_gradient { 1e-9 } else { 1e-8 },
        };
        compare(self.case, expected, &found);
    }
}
