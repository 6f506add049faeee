//! The frozen front of a network: it computes the features of each sample once, in place of once an epoch.

use super::data::Samples;
use super::error::TrainError;
use crate::Error;
use cnnc_compiler::graph::{Graph, Param};
use cnnc_compiler::jit::{self, Code};
use cnnc_compiler::lower::lower_step;
use cnnc_compiler::step::Step;
use cnnc_compiler::target::{Arithmetic, Target};
use cnnc_runtime::Isa;
use cnnc_runtime::session::{State, StepSession};
use cnnc_runtime::threads::Pool;
use std::fmt;

/// The layers in front of everything that learns, as a step computes them: features are the bits that a step of the whole network would see.
pub(super) struct Trunk {
    step: Step,
    state: State,
    isa: Isa,
    front: Front,
}

/// What the frozen front of a network is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Front {
    /// The tensor that it ends with.
    pub label: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Layers that are computed once for each sample.
    pub layers: usize,
}

impl Trunk {
    /// The front of a network, with its tensors.
    pub fn new(
        graph: &Graph,
        values: &dyn Fn(&Param) -> Result<Vec<f32>, TrainError>,
    ) -> Result<Trunk, TrainError> {
        let step = Step::forward(graph)?;
        let params = step.state.iter().map(|&id| &step.graph.params[id]);
        let lens: Vec<usize> = params.map(Param::elements).collect();
        let mut state = State::new(&lens)?;
        for (index, &id) in step.state.iter().enumerate() {
            let values = values(&step.graph.params[id])?;
            state.tensor_mut(index).copy_from_slice(&values);
        }
        let end = graph.outputs[0].value;
        Ok(Trunk {
            front: Front {
                label: graph.label_of(end).to_owned(),
                shape: graph.values[end].shape.dims().to_vec(),
                layers: graph.order.len(),
            },
            isa: Isa::detect().map_err(Error::from)?,
            step,
            state,
        })
    }

    /// What it is.
    pub fn front(&self) -> &Front {
        &self.front
    }

    /// Its tensors.
    pub fn tensors(&self) -> impl Iterator<Item = (&Param, &[f32])> {
        let ids = self.step.state.iter().enumerate();
        ids.map(|(index, &id)| (&self.step.graph.params[id], self.state.tensor(index)))
    }

    /// Samples whose inputs are features, computed in batches.
    pub fn features(
        &mut self,
        samples: &Samples,
        batch: usize,
        pool: Option<&Pool>,
    ) -> Result<Samples, TrainError> {
        let elements = self.front.shape.iter().product::<usize>();
        let mut features = samples.emptied(elements);
        let batch = batch.min(samples.len()).max(1);
        let mut done = 0;
        while done < samples.len() {
            let count = batch.min(samples.len() - done);
            let (mut session, _code) = self.session(count)?;
            // As many whole batches as there are, and then what is left.
            while samples.len() - done >= count && count == batch || done + count == samples.len() {
                let input = session.input_mut(0);
                let each = input.len() / count;
                for (to, index) in input.chunks_mut(each).zip(done..) {
                    samples.fill(index, to)?;
                }
                session.run(&mut self.state, pool);
                features.extend(session.output(0));
                done += count;
                if done == samples.len() {
                    break;
                }
            }
        }
        Ok(features)
    }

    fn session(&self, samples: usize) -> Result<(StepSession, Code), TrainError> {
        let target = Target::new(self.isa, Arithmetic::Fast).batch(samples);
        let Step {
            graph,
            single,
            state,
            ..
        } = &self.step;
        let lowered = lower_step(graph, single, state, &target);
        let code = jit::compile(&lowered).map_err(Error::from)?;
        let driver = code.drivers()[0];
        // SAFETY: the program is proven for its plan, and its code is kept beside the session.
        let session = unsafe { StepSession::new(lowered.plan, driver) }?;
        Ok((session, code))
    }
}

impl fmt::Debug for Trunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trunk({})", self.front.label)
    }
}
