//! Every schedule of a network's convolutions, measured where it will run: in machine code, between the layers around it.
//!
//! The network is compiled once for each schedule that some layer has to try, each layer by the one of that number, and its sections are timed. So a
//! layer finds its operands and weights in the caches where the layers before it leave them, as in a network that is run. Layers of one form,
//! which have the same schedules, are one row.

use super::{Rates, Settings, Times};
use crate::{Error, Input, Model, Network, Options, SectionInfo};
use cnnc_compiler::lower::Choice;
use cnnc_runtime::weights::Weights;
use std::collections::HashMap;

/// Layers of one form, and the ways to compute them.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// Labels of the layers, in order.
    pub labels: Vec<String>,
    /// The layer and what is fused into it.
    pub layer: String,
    /// Shape of its first operand.
    pub input: Vec<usize>,
    /// Shape of its result.
    pub output: Vec<usize>,
    /// Multiply-adds of one image.
    pub macs: u64,
    /// The schedules, the one that is taken first, then by their times.
    pub trials: Vec<Trial>,
}

/// A way to compute a layer.
#[derive(Clone, Debug)]
pub struct Trial {
    /// What it is.
    pub schedule: String,
    /// Whether it is Winograd's: multiply-adds that it spares count as if they were done.
    pub winograd: bool,
    /// Whether the compiler takes it.
    pub taken: bool,
    /// What the compiler estimates: cycles of one core.
    pub cycles: f64,
    /// Times of one run, of all images: the means over the layers of this form.
    pub times: Times,
    /// Multiply-adds, two operations each, in 10⁹ a second.
    pub gflops: f64,
    /// `gflops` by the peak of all threads.
    pub peak_share: f64,
}

impl Kernel {
    /// The schedule that the compiler takes.
    pub fn taken(&self) -> &Trial {
        &self.trials[0]
    }

    /// The quickest of the others.
    pub fn rival(&self) -> Option<&Trial> {
        self.trials.get(1)
    }
}

/// Measures every schedule of every layer that has some, each number of them in the settings' budget. `told` is told how many have been measured, and
/// how many there are.
///
/// # Errors
/// As [`Model::jit`] and [`Session::run`](crate::Session::run).
pub fn kernels(
    model: &Model,
    weights: &Weights,
    options: &Options,
    inputs: &[&dyn Input],
    settings: &Settings,
    told: &dyn Fn(usize, usize),
) -> Result<Vec<Kernel>, Error> {
    let mut kernels: Vec<Kernel> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut rates = None;
    let (mut number, mut most) = (0, 1);
    while number < most {
        let network = model.jit(weights, &options.clone().schedule(number))?;
        let mut session = network.session()?;
        let images = session.run(inputs)?.images();
        let rates = rates.get_or_insert_with(|| Rates::of(&network, session.threads(), images));
        for (section, times) in session.time_sections(inputs, settings)? {
            let Some(choice) = section.choice.map(|at| &network.choices()[at]) else {
                continue;
            };
            most = most.max(choice.schedules.len());
            if number >= choice.schedules.len() {
                continue;
            }
            let new = Kernel::new(&network, &section, choice);
            let key = format!(
                "{} {:?} {:?} {} {:?}",
                new.layer, new.input, new.output, choice.cheapest, choice.schedules
            );
            let at = *known.entry(key).or_insert_with(|| {
                kernels.push(new);
                kernels.len() - 1
            });
            let kernel = &mut kernels[at];
            if number == 0 {
                kernel.labels.push(section.label);
            }
            match kernel.trials.get_mut(number) {
                Some(trial) => trial.times = trial.times.plus(&times),
                None => kernel.trials.push(Trial {
                    schedule: choice.schedules[number].to_string(),
                    winograd: choice.schedules[number].is_winograd(),
                    taken: choice.cheapest == number,
                    cycles: choice.cycles[number],
                    times,
                    gflops: 0.0,
                    peak_share: 0.0,
                }),
            }
        }
        for kernel in &mut kernels {
            let layers = kernel.labels.len();
            if let Some(trial) = kernel.trials.get_mut(number) {
                trial.times = trial.times.divided(layers);
                trial.gflops = rates.gflops(kernel.macs, trial.times.median);
                trial.peak_share = rates.share(trial.gflops);
            }
        }
        number += 1;
        told(number, most);
    }
    for kernel in &mut kernels {
        kernel.trials.sort_by(|a, b| {
            let order = b.taken.cmp(&a.taken);
            order.then(a.times.median.total_cmp(&b.times.median))
        });
    }
    Ok(kernels)
}

impl Kernel {
    fn new(network: &Network, section: &SectionInfo, choice: &Choice) -> Kernel {
        let graph = network.graph();
        let node = &graph.nodes[choice.node];
        let shape = |&value| graph.values[value].shape.dims().to_vec();
        Kernel {
            labels: Vec::new(),
            layer: section.layer.clone(),
            input: node.inputs.first().map_or_else(Vec::new, shape),
            output: shape(&node.output),
            macs: section.macs,
            trials: Vec::new(),
        }
    }
}
