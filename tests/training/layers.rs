//! Single layers: all elements of all gradients, in the definition in f64 and as compiled programs in f32.

use crate::case::{Case, array, input, largest, numbers, tensor};
use crate::compiled::Compiled;
use cnnc::compiler::gradient::Wanted;
use cnnc::compiler::graph::Graph;
use cnnc::compiler::step::{Method, Optimizer, Step};
use cnnc::compiler::target::Arithmetic;
use ndarray::ArrayD;
use std::collections::BTreeMap;

pub fn check(file: &Case) {
    for json in file.get("cases").as_array().expect("cases") {
        let case = Case::new(json.clone());
        let model = case.model();
        let graph = model.graph();
        let step = match &*case.text("mode") {
            "train" => Step::gradients_in_training(graph, &Wanted::all()),
            _ => Step::gradients(graph, &Wanted::all()),
        };
        let step = step.unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let run = Run {
            case: &case,
            network: graph,
            step: &step,
        };
        run.shapes();
        run.defined();
        run.compiled();
    }
}

/// A case, and the step that it is.
struct Run<'c> {
    case: &'c Case,
    network: &'c Graph,
    step: &'c Step,
}

/// What came of it: outputs of all images, and what tensors have become.
struct Found {
    outputs: Vec<Vec<f64>>,
    state: Vec<Vec<f64>>,
}

/// How far numbers may be off, relative to the largest of their tensor or to the terms of their sum.
struct Bounds {
    what: &'static str,
    value: f64,
    gradient: f64,
}

impl Run<'_> {
    fn images(&self) -> usize {
        self.case.number("batch", 1)
    }

    /// Inputs of each image, the cotangents behind them, and the factors of running statistics.
    fn inputs(&self) -> Vec<Vec<ArrayD<f64>>> {
        let (case, images) = (self.case, self.images());
        let first = case.number("first", 0);
        let own = self.network.inputs.len();
        assert!(self.step.masks.is_empty(), "{}: dropout", case.name);
        let graph = &self.step.graph;
        let all = graph.inputs.iter().enumerate().map(|(index, of)| {
            let dims = graph.values[of.value].shape.dims();
            if index > own {
                let optimizer = Optimizer::new(Method::Sgd);
                let factors = self.step.factors[index - own - 1];
                let values = self.step.factors_of(factors, &optimizer, 0.0, 1, images);
                return vec![ArrayD::from_shape_vec(dims, values).expect("as many factors")];
            }
            let name = if index == own { "u" } else { &of.name };
            let given = &case.get("given")[name];
            let one = |image: usize| match given.is_null() {
                true => input(&format!("{name}.{}", first + image), dims),
                false => {
                    let count = dims.iter().product();
                    let values = numbers(given).into_iter().skip(image * count).take(count);
                    array(dims, &values.map(|x| x as f32).collect::<Vec<_>>())
                }
            };
            (0..images).map(one).collect()
        });
        all.collect()
    }

    /// What the file says of tensors is what the network has: no other tensors, and no other shapes.
    fn shapes(&self) {
        let (case, graph) = (self.case, self.network);
        let of_value = |value| [&[self.images()][..], graph.values[value].shape.dims()].concat();
        let inputs = graph.inputs.iter();
        let inputs = inputs.map(|input| (&*input.name, of_value(input.value)));
        let params = graph
            .params
            .values()
            .filter(|param| param.literal.is_none());
        let params = params.map(|param| (&*param.name, param.shape.to_vec()));
        let output = ("y", of_value(graph.outputs[0].value));
        let own: BTreeMap<&str, Vec<usize>> = inputs.chain(params).chain([output]).collect();
        for (name, dims) in case.get("shapes").as_object().expect("shapes") {
            let dims: Vec<usize> = numbers(dims).into_iter().map(|x| x as usize).collect();
            if own.get(&**name) != Some(&dims) {
                case.differs("shapes", name, own.get(&**name), dims);
            }
        }
        for name in case
            .get("given")
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
        {
            let is_input = graph.inputs.iter().any(|input| input.name == *name);
            assert!(is_input || name == "u", "{}: given: no `{name}`", case.name);
        }
    }

    fn state(&self) -> Vec<ArrayD<f64>> {
        let ids = self.step.state.iter();
        ids.map(|&id| tensor(&self.step.graph.params[id])).collect()
    }

    /// The definition, in f64.
    fn defined(&self) {
        let flat = |tensors: &[ArrayD<f64>]| tensors.iter().flatten().copied().collect();
        let evaluated = self.step.evaluate(&self.state(), &self.inputs());
        let found = Found {
            outputs: evaluated.outputs.iter().map(|all| flat(all)).collect(),
            state: evaluated
                .state
                .into_iter()
                .map(|one| flat(&[one]))
                .collect(),
        };
        let bounds = Bounds {
            what: "in f64",
            value: 1e-9,
            gradient: 1e-9,
        };
        self.compare(&found, &bounds);
    }

    /// Machine code for this machine, as defined and as fast as it may be.
    fn compiled(&self) {
        for (what, arithmetic) in [("exact", Arithmetic::Exact), ("fast", Arithmetic::Fast)] {
            let mut code = Compiled::new(self.step, self.images(), arithmetic, &self.state());
            code.run(&self.inputs());
            let outputs = 0..self.step.graph.outputs.len();
            let found = Found {
                outputs: outputs.map(|index| code.output(index)).collect(),
                state: (0..self.step.tensors)
                    .map(|index| code.tensor(index))
                    .collect(),
            };
            let error = self.case.get("error").as_f64().expect("an error");
            let bounds = Bounds {
                what,
                value: 2e-5,
                gradient: 5.0 * error + 2e-5,
            };
            self.compare(&found, &bounds);
        }
    }

    fn compare(&self, found: &Found, bounds: &Bounds) {
        let (case, what) = (self.case, bounds.what);
        let u = &self.inputs()[self.network.inputs.len()];
        let terms = found.outputs[0].iter().zip(u.iter().flatten());
        let (mut value, mut size) = (0.0, 0.0);
        for (y, u) in terms {
            value += y * u;
            size += (y * u).abs();
        }
        let want = case.get("value").as_f64().expect("a value");
        // NaN is near nothing.
        let near = (value - want).abs() <= bounds.value * size;
        if !near {
            case.differs(&format!("value, {what}"), "y", value, want);
        }
        let outputs = self.step.graph.outputs.iter().zip(&found.outputs).skip(1);
        let named = outputs.filter_map(|(output, values)| {
            let name = output.name.strip_prefix("d(")?.strip_suffix(')')?;
            Some((name, values))
        });
        self.tensors("gradient", &named.collect(), bounds);
        if !case.get("after").is_null() {
            let became = self.step.state.iter().zip(&found.state);
            let named = became.map(|(&id, values)| (&*self.step.graph.params[id].name, values));
            let running = named.filter(|(name, _)| name.contains(".running_"));
            self.tensors("after", &running.collect(), bounds);
        }
    }

    /// Compares all elements of tensors with those of a part of the case.
    fn tensors(&self, part: &str, found: &BTreeMap<&str, &Vec<f64>>, bounds: &Bounds) {
        let (case, what) = (self.case, bounds.what);
        let expected = case.get(part).as_object().expect("tensors");
        let mut names: Vec<&String> = expected.keys().collect();
        names.sort();
        assert_eq!(
            found.keys().collect::<Vec<_>>(),
            names,
            "{}: {part}, {what}",
            case.name
        );
        for (name, want) in expected {
            let (found, want) = (found[&**name], numbers(want));
            assert_eq!(found.len(), want.len(), "{}: `{name}`", case.name);
            let bound = bounds.gradient * largest(&want);
            for (index, (found, want)) in found.iter().zip(&want).enumerate() {
                let near = (found - want).abs() <= bound;
                if !near {
                    case.differs(
                        &format!("{part}, {what}"),
                        &format!("{name}[{index}]"),
                        found,
                        want,
                    );
                }
            }
        }
    }
}
