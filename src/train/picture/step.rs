//! A compiled step that changes a picture: what the network makes of it, what that costs, its gradient, and an optimiser.

use super::super::compiled::{Compiled, Half};
use super::super::error::TrainError;
use crate::{Error, Model, Weights};
use cnnc_compiler::id::ValueId;
use cnnc_compiler::jit;
use cnnc_compiler::lower::lower_step;
use cnnc_compiler::step::{Cost, NoPicture, Optimizer, Step, on_picture};
use cnnc_compiler::target::{Arithmetic, Target};
use cnnc_runtime::Isa;
use cnnc_runtime::session::{State, StepSession};
use cnnc_runtime::threads::Pool;
use std::fmt;

/// A picture on a network that stays as it is, and the proven program that changes it.
pub struct PictureStep {
    step: Step,
    optimizer: Optimizer,
    isa: Isa,
    state: State,
    /// Where the picture is in the state.
    place: usize,
    /// Targets and weights of each cost, then what each counts.
    given: Vec<Vec<f32>>,
    compiled: Vec<Compiled>,
    pool: Option<Pool>,
    steps: u64,
}

impl PictureStep {
    /// The step on a picture of that height and width. All targets and weights are 0, and every cost counts 1.
    ///
    /// # Errors
    /// A network without a picture, or with a layer that takes none of that size; weights that do not fit or hold what is no number; too little memory.
    pub fn new(
        model: &Model,
        weights: &Weights,
        costs: &[Cost],
        extents: [usize; 2],
        optimizer: &Optimizer,
        threads: usize,
    ) -> Result<PictureStep, TrainError> {
        let graph = model.graph();
        let tensors: Vec<ValueId> = costs.iter().filter_map(|cost| cost.tensor()).collect();
        let part = on_picture(graph, &tensors, extents);
        let part = part.map_err(|error| {
            misfit(&error, |extents| {
                on_picture(graph, &tensors, extents).is_ok()
            })
        })?;
        let sources = part.sources();
        let bound = weights.bind(&sources);
        let bound = bound.map_err(|error| model.unfit(error, weights))?;
        let step = Step::picture(&part, costs, optimizer)?;
        let params = step.state.iter().map(|&id| &step.graph.params[id]);
        let lens: Vec<usize> = params.clone().map(|param| param.elements()).collect();
        let mut state = State::new(&lens)?;
        for (index, param) in params.take(step.tensors).enumerate() {
            let own = state.tensor_mut(index);
            if let Some(constants) = param.constants() {
                own.iter_mut().zip(constants).for_each(|(to, x)| *to = x);
            } else if let Some(source) =
                sources.iter().position(|source| source.name == *param.name)
            {
                own.copy_from_slice(&bound.values(source).map_err(Error::from)?);
                if let Some(value) = own.iter().find(|value| !value.is_finite()) {
                    let why = format!(
                        "{}: `{}` holds {value}, of which nothing can be made",
                        weights.origin(),
                        param.name
                    );
                    return Err(TrainError::Network(why));
                }
            }
        }
        let given = step.graph.inputs[..step.targets + costs.len()]
            .iter()
            .enumerate();
        let given = given.map(|(index, input)| {
            let counts = if index < step.targets { 0.0 } else { 1.0 };
            vec![counts; step.graph.values[input.value].shape.elements()]
        });
        Ok(PictureStep {
            given: given.collect(),
            place: step.picture_of().expect("a picture is changed"),
            isa: Isa::detect().map_err(Error::from)?,
            optimizer: optimizer.clone(),
            compiled: Vec::new(),
            pool: (threads > 1).then(|| Pool::new(threads)),
            steps: 0,
            state,
            step,
        })
    }

    /// The picture, in the network's numbers, channels first.
    pub fn picture(&self) -> &[f32] {
        self.state.tensor(self.place)
    }

    /// The same, to be changed.
    pub fn picture_mut(&mut self) -> &mut [f32] {
        self.state.tensor_mut(self.place)
    }

    /// Height and width of the picture.
    pub fn extents(&self) -> [usize; 2] {
        let shape = &self.step.graph.params[self.step.state[self.place]].shape;
        [shape[1], shape[2]]
    }

    /// Extents of what a cost compares, channels first.
    pub fn compared(&self, cost: usize) -> &[usize] {
        let input = &self.step.graph.inputs[2 * cost];
        self.step.graph.values[input.value].shape.dims()
    }

    /// What a cost is compared with.
    pub fn target_mut(&mut self, cost: usize) -> &mut [f32] {
        &mut self.given[2 * cost]
    }

    /// What each element of what a cost compares weighs.
    pub fn weights_mut(&mut self, cost: usize) -> &mut [f32] {
        &mut self.given[2 * cost + 1]
    }

    /// What a cost counts in the sum that is made small.
    pub fn count(&mut self, cost: usize, counts: f64) {
        self.given[self.step.targets + cost][0] = counts as f32;
    }

    /// The optimiser begins anew with the next step.
    pub fn begin(&mut self) {
        for index in self.step.tensors..self.state.len() {
            self.state.tensor_mut(index).fill(0.0);
        }
        self.steps = 0;
    }

    /// Bytes of the network's tensors and the picture, and of activations and gradients of the largest program so far.
    pub fn bytes(&self) -> (usize, usize) {
        let programs = self
            .compiled
            .iter()
            .map(|compiled| compiled.session.bytes());
        (self.state.bytes(), programs.max().unwrap_or(0))
    }

    /// Changes the picture once, at a rate in the network's numbers. Returns what each cost was before.
    ///
    /// # Errors
    /// A program that cannot be compiled, or costs that are no numbers.
    pub fn step(&mut self, rate: f64) -> Result<Vec<f64>, TrainError> {
        self.steps += 1;
        let number = self.run(Half::Whole, rate)?;
        self.costs(number)
    }

    /// What each cost is, and the gradient of their sum as they count.
    ///
    /// # Errors
    /// As [`PictureStep::step`].
    pub fn gradient(&mut self) -> Result<(Vec<f64>, &[f32]), TrainError> {
        let number = self.run(Half::Gradients, 0.0)?;
        let costs = self.costs(number)?;
        Ok((
            costs,
            self.compiled[number].session.output(self.step.cotangents),
        ))
    }

    /// What each cost compares, of the picture as it is.
    ///
    /// # Errors
    /// As [`PictureStep::step`].
    pub fn made(&mut self) -> Result<Vec<Vec<f32>>, TrainError> {
        let number = self.run(Half::Outputs, 0.0)?;
        let session = &self.compiled[number].session;
        let made = 0..self.step.made.len();
        Ok(made.map(|index| session.output(index).to_vec()).collect())
    }

    fn costs(&self, number: usize) -> Result<Vec<f64>, TrainError> {
        let session = &self.compiled[number].session;
        let costs = 0..self.step.cotangents;
        let costs: Vec<f64> = costs
            .map(|cost| f64::from(session.output(cost)[0]))
            .collect();
        match costs.iter().all(|cost| cost.is_finite()) {
            true => Ok(costs),
            false => Err(TrainError::Network(
                "what the picture costs is no number any more: try a smaller rate, or less of what counts".to_owned(),
            )),
        }
    }

    fn run(&mut self, half: Half, rate: f64) -> Result<usize, TrainError> {
        let number = self.program(half)?;
        let session = &mut self.compiled[number].session;
        for (index, values) in self.given.iter().enumerate() {
            session.input_mut(index).copy_from_slice(values);
        }
        for (index, &factors) in self.step.factors.iter().enumerate() {
            let values = self
                .step
                .factors_of(factors, &self.optimizer, rate, self.steps, 1);
            let to = session.input_mut(self.given.len() + index).iter_mut();
            to.zip(values).for_each(|(to, value)| *to = value as f32);
        }
        session.run(&mut self.state, self.pool.as_ref());
        Ok(number)
    }

    fn program(&mut self, half: Half) -> Result<usize, TrainError> {
        let mut compiled = self.compiled.iter();
        if let Some(known) = compiled.position(|of| of.half == half) {
            return Ok(known);
        }
        let part = match half {
            Half::Outputs => Some(self.step.up_to_outputs()),
            Half::Gradients => Some(self.step.up_to_gradients()),
            Half::Whole | Half::Update => None,
        };
        let Step {
            graph,
            single,
            state,
            ..
        } = part.as_ref().unwrap_or(&self.step);
        let lowered = lower_step(
            graph,
            single,
            state,
            &Target::new(self.isa, Arithmetic::Fast),
        );
        let code = jit::compile(&lowered).map_err(Error::from)?;
        let driver = code.drivers()[0];
        // SAFETY: the program is proven for its plan, and its code is kept beside the session.
        let session = unsafe { StepSession::new(lowered.plan, driver) }?;
        self.compiled.push(Compiled {
            half,
            samples: 1,
            session,
            code,
        });
        Ok(self.compiled.len() - 1)
    }
}

impl fmt::Debug for PictureStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [height, width] = self.extents();
        write!(f, "PictureStep({width}x{height}, {} steps)", self.steps)
    }
}

/// Longest side that is tried for a message.
const LONGEST: usize = 1024;

/// Says what does not fit, and which size would.
fn misfit(error: &NoPicture, fits: impl Fn([usize; 2]) -> bool) -> TrainError {
    let mut why = error.to_string();
    if let NoPicture::Fixed {
        extents,
        small: true,
        ..
    } = error
    {
        let shortest = extents[0].min(extents[1]);
        let enough = (shortest + 1..LONGEST).find(|&side| fits([side, side]));
        if let Some(side) = enough {
            why += &format!("; the smallest picture that it takes is {side}x{side}");
        }
    }
    TrainError::Network(why)
}
