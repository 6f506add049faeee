//! Whole networks over several steps: losses, and by how much tensors change, in the definition in f64 and as compiled programs in f32.

use crate::case::{Case, numbers, tensor};
use crate::compare::{Found, compare, floor, floor_of_change, floor_of_loss, frozen, label, text};
use crate::compiled::Compiled;
use cnnc::compiler::graph::Graph;
use cnnc::compiler::loss::{self, Batch, Loss, Targets};
use cnnc::compiler::recipe::Loss as Written;
use cnnc::compiler::shape::Shape;
use cnnc::compiler::step::{Method, Optimizer, Recipe, Step};
use cnnc::compiler::target::Arithmetic;
use ndarray::ArrayD;
use serde_json::Value;
use std::collections::BTreeMap;

/// The loss, the optimiser and the step of a case.
pub fn begun(case: &Case, graph: &Graph) -> (Box<dyn Loss>, Optimizer, Step) {
    let loss = loss::build(graph, &written(case));
    let loss = loss.unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let frozen = frozen(case);
    let optimizer = optimizer(case.get("optimizer"));
    let recipe = Recipe {
        optimizer: &optimizer,
        trained: &|param| !frozen(param),
        decayed: &|_| true,
    };
    let step = Step::new(graph, &*loss, &recipe);
    let step = step.unwrap_or_else(|error| panic!("{}: {error}", case.name));
    (loss, optimizer, step)
}

/// Checks a case; in f64 too, if its steps are of fewer multiplications on the way forward.
pub fn check(case: &Case, most: u64) -> Result<(), String> {
    let graph = case.model().graph().clone();
    let (loss, optimizer, step) = begun(case, &graph);
    let before = loss.looks().then(|| step.up_to_outputs());
    let run = Run {
        case,
        step: &step,
        before: before.as_ref(),
        loss: &*loss,
        output: &graph.values[graph.outputs[0].value].shape,
        optimizer: &optimizer,
    };
    run.compiled();
    let work = graph.macs() * (case.number("batch", 1) * case.number("steps", 1)) as u64;
    if work > most {
        return Err(format!("in f64: {work} multiplications"));
    }
    run.defined();
    Ok(())
}

/// The loss of a case, as a spec has it.
pub fn written(case: &Case) -> Written {
    let settings = case.get("loss");
    let kind = text(&settings["kind"]);
    let mut loss = match &*kind {
        "cross_entropy" => Written::new("cross_entropy"),
        "logistic_pair" => Written::new("logistic"),
        "localise" | "landmarks" => Written::new("localize"),
        "contrastive" => Written::new("contrastive"),
        "triplet" => Written::new("triplet"),
        "yolo2" => Written::new("yolo2"),
        "yolo3" => Written::new("yolo3"),
        _ => panic!("{}: loss `{kind}`", case.name),
    };
    for (theirs, here) in [
        ("smoothing", "smooth"),
        ("margin", "margin"),
        ("ignore", "ignore"),
    ] {
        if let Some(number) = settings[theirs].as_f64() {
            loss.set(here, number);
        }
    }
    for (name, factor) in settings["weights"].as_object().into_iter().flatten() {
        let decl = loss::find(loss.name).expect("a loss");
        let setting = decl.settings.iter().find(|known| known.name == name);
        let setting = setting.unwrap_or_else(|| panic!("{}: weight `{name}`", case.name));
        loss.set(setting.name, factor.as_f64().expect("a number"));
    }
    loss
}

pub fn optimizer(json: &Value) -> Optimizer {
    let number = |key: &str| json[key].as_f64().unwrap_or(0.0);
    let kind = text(&json["kind"]);
    let method = Method::find(&kind).unwrap_or_else(|| panic!("optimizer `{kind}`"));
    Optimizer {
        method,
        momentum: number("momentum"),
        nesterov: json["nesterov"] == true,
        alpha: number("alpha"),
        betas: [number("beta1"), number("beta2")],
        eps: number("eps"),
        decay: number("decay"),
    }
}

/// A case, and a step of it or a part of one.
pub struct Run<'c> {
    pub case: &'c Case,
    pub step: &'c Step,
    /// What a loss that looks sees before the step.
    pub before: Option<&'c Step>,
    pub loss: &'c dyn Loss,
    /// Shape of what enters the loss.
    pub output: &'c Shape,
    pub optimizer: &'c Optimizer,
}

impl Run<'_> {
    /// Inputs of a step: the samples, their targets, the cotangent, and the factors.
    pub fn inputs(&self, step: usize, made: Option<&[Vec<f64>]>) -> Vec<Vec<ArrayD<f64>>> {
        let (case, graph) = (self.case, &self.step.graph);
        let (batch, dataset) = (case.number("batch", 1), case.number("dataset", 1));
        let samples: Vec<usize> = (0..batch).map(|i| (step * batch + i) % dataset).collect();
        let first = self.step.first_target();
        let (targets, divisor) = self.targets(&samples, made);
        let mut inputs = Vec::new();
        for (index, of) in graph.inputs.iter().enumerate() {
            let shape = graph.values[of.value].shape.dims();
            let all = if index < first {
                let one = |g: &usize| case.sample(&of.name, *g, shape);
                samples.iter().map(one).collect()
            } else if let Some(target) = targets.get(index - first) {
                let one = |values: &[f64]| ArrayD::from_shape_vec(shape, values.to_vec());
                let each = target.chunks(shape.iter().product());
                each.map(|values| one(values).expect("as many")).collect()
            } else if index == first + targets.len() {
                // One number for a batch, but for what is an output of each image.
                let each = if of.name == "d(raw)" { batch } else { 1 };
                vec![ArrayD::from_elem(vec![1], 1.0 / divisor); each]
            } else {
                let factors = self.step.factors[index - first - targets.len() - 1];
                let number = step as u64 + 1;
                let (rate, of) = (numbers(case.get("rate"))[step], self.optimizer);
                let values = self.step.factors_of(factors, of, rate, number, batch);
                vec![ArrayD::from_shape_vec(shape, values).expect("as many factors")]
            };
            inputs.push(all);
        }
        inputs
    }

    /// What the loss makes of what is known of samples, and what it divides by.
    fn targets(&self, samples: &[usize], made: Option<&[Vec<f64>]>) -> (Vec<Vec<f64>>, f64) {
        let settings = self.case.get("loss");
        let (classes, pixels) = (
            self.output.channels(),
            self.output.elements() / self.output.channels(),
        );
        let (mut labels, mut known): (Vec<u32>, Vec<f32>) = Default::default();
        for &sample in samples {
            match &*text(&settings["kind"]) {
                "cross_entropy" => {
                    let of = |pixel| label(sample, pixel, pixels, classes) as u32;
                    labels.extend((0..pixels).map(of));
                }
                "triplet" => {
                    let each = settings["pictures_per_identity"].as_u64();
                    labels.push(sample as u32 / each.expect("a count") as u32);
                }
                "logistic_pair" | "contrastive" => known.push(((7 * sample + 3) % 2) as f32),
                "yolo2" | "yolo3" => {
                    let all = settings["truths"].as_array().expect("boxes");
                    let most = all
                        .iter()
                        .map(|of| of.as_array().expect("rows").len())
                        .max();
                    let mut rows = vec![-1.0; loss::BOX * most.unwrap_or(0)];
                    let own = all[sample].as_array().expect("rows").iter();
                    let own = own.flat_map(numbers);
                    rows.iter_mut().zip(own).for_each(|(to, x)| *to = x as f32);
                    known.extend(rows);
                }
                _ => {
                    let truth = numbers(&settings["truths"][sample]);
                    known.extend(truth.iter().map(|&x| x as f32));
                }
            }
        }
        let batch = Batch {
            images: samples.len(),
            output: self.output,
            targets: match known.is_empty() {
                true => Targets::Classes(&labels),
                false => Targets::Numbers(&known),
            },
            made,
        };
        let graph = &self.step.graph;
        let inputs = graph.inputs[self.step.first_target()..][..self.step.targets].iter();
        let elements = |value| samples.len() * graph.values[value].shape.elements();
        let room = inputs.map(|input| vec![0.0; elements(input.value)]);
        let mut into: Vec<Vec<f64>> = room.collect();
        let divisor = self.loss.write(&batch, &mut into);
        let divisor = divisor.unwrap_or_else(|error| panic!("{}: {error}", self.case.name));
        (into, divisor)
    }

    /// What stays, as it begins.
    pub fn start(&self) -> Vec<ArrayD<f64>> {
        let ids = self.step.state.iter().enumerate();
        let first = ids.map(|(index, &id)| {
            let param = &self.step.graph.params[id];
            match index < self.step.tensors {
                true => tensor(param),
                false => ArrayD::zeros(param.shape.clone()),
            }
        });
        first.collect()
    }

    /// Goes through all steps with something that makes outputs and new state of state and inputs; `exact` says which limits hold.
    fn steps(
        &self,
        exact: bool,
        mut look: impl FnMut(&Step, &[ArrayD<f64>], &[Vec<ArrayD<f64>>]) -> Vec<Vec<f64>>,
        mut one: impl FnMut(&mut Vec<ArrayD<f64>>, &[Vec<ArrayD<f64>>]) -> [Vec<f64>; 2],
    ) {
        let case = self.case;
        let want = numbers(case.get("loss_per_step"));
        let start = self.start();
        let mut state = start.clone();
        for (step, want) in want.iter().enumerate() {
            // Targets that are not there yet are 0, and nothing reads them.
            let made = self
                .before
                .map(|before| look(before, &state, &self.inputs(step, None)));
            let inputs = self.inputs(step, made.as_deref());
            let [raw, losses] = one(&mut state, &inputs);
            if step == 0 {
                let all = std::iter::once(raw).chain(made.into_iter().flatten().skip(1));
                let named = all.enumerate();
                let tensors: BTreeMap<String, Vec<f64>> = named
                    .map(|(index, values)| (format!("output.{index}"), values))
                    .collect();
                let found = Found {
                    part: "output",
                    tensors: &tensors,
                    floor: (!exact).then(|| floor(case, "floor")),
                    exact: 1e-9,
                };
                compare(case, case.get("output"), &found);
            }
            // What the sum is multiplied by is the cotangent, behind the targets.
            let cotangent = &inputs[self.step.first_target() + self.step.targets][0];
            let loss = losses.iter().sum::<f64>() * cotangent.sum();
            let bound = match exact {
                true => 1e-9 * want.abs(),
                false => {
                    let errors = numbers(case.get("loss_error"));
                    5.0 * errors[step] + floor_of_loss(case, step) * want.abs()
                }
            };
            // NaN is near nothing.
            let near = (loss - want).abs() <= bound;
            if !near {
                case.differs(&format!("loss {step}, exact {exact}"), "loss", loss, want);
            }
            let after = &case.get("after")[(step + 1).to_string()];
            if after.is_null() {
                continue;
            }
            let ids = self.step.state[..self.step.tensors].iter().enumerate();
            let changes = ids.map(|(index, &id)| {
                let change = &state[index] - &start[index];
                (
                    self.step.graph.params[id].name.clone(),
                    change.into_iter().collect(),
                )
            });
            let changes: BTreeMap<String, Vec<f64>> = changes.collect();
            let found = Found {
                part: &format!("after {}", step + 1),
                tensors: &changes,
                floor: (!exact).then(|| floor_of_change(case, step)),
                exact: 1e-8,
            };
            compare(case, after, &found);
        }
    }

    /// What a loss that looks sees before the first step, as machine code makes it.
    pub fn made(&self, arithmetic: Arithmetic) -> Option<Vec<Vec<f64>>> {
        let before = self.before?;
        let images = self.case.number("batch", 1);
        let mut code = Compiled::new(before, images, arithmetic, &self.start());
        code.run(&self.inputs(0, None));
        let outputs = 0..before.graph.outputs.len();
        Some(outputs.map(|index| code.output(index)).collect())
    }

    /// The definition, in f64.
    fn defined(&self) {
        let flat = |of: &[ArrayD<f64>]| of.iter().flatten().copied().collect();
        let look = |before: &Step, state: &[ArrayD<f64>], inputs: &[Vec<ArrayD<f64>>]| {
            let made = before.evaluate(state, inputs).outputs;
            made.iter().map(|of| flat(of)).collect()
        };
        self.steps(true, look, |state, inputs| {
            let evaluated = self.step.evaluate(state, inputs);
            *state = evaluated.state;
            [0, 1].map(|index| flat(&evaluated.outputs[index]))
        });
    }

    /// Machine code for this machine, as defined and as fast as it may be.
    fn compiled(&self) {
        for arithmetic in [Arithmetic::Exact, Arithmetic::Fast] {
            let images = self.case.number("batch", 1);
            let mut code = Compiled::new(self.step, images, arithmetic, &self.start());
            let look = |before: &Step, state: &[ArrayD<f64>], inputs: &[Vec<ArrayD<f64>>]| {
                let mut code = Compiled::new(before, images, arithmetic, state);
                code.run(inputs);
                let outputs = 0..before.graph.outputs.len();
                outputs.map(|index| code.output(index)).collect()
            };
            self.steps(false, look, |state, inputs| {
                code.run(inputs);
                for (index, tensor) in state.iter_mut().enumerate() {
                    let became = code.tensor(index);
                    tensor.iter_mut().zip(became).for_each(|(to, x)| *to = x);
                }
                [0, 1].map(|index| code.output(index))
            });
        }
    }
}
