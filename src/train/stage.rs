//! What is trained from an epoch on: the steps, and the frozen front, whose features are computed once.

use super::data::{Data, Samples};
use super::error::TrainError;
use super::recipe::Recipe;
use super::trainer::{Trainer, weights};
use super::trunk::{Front, Trunk};
use crate::{Model, Weights};
use cnnc_compiler::graph::{Graph, Param};
use cnnc_compiler::step::Cut;
use cnnc_runtime::threads::Pool;
use std::collections::{BTreeSet, HashMap};

/// Most floats of all features: 4 GiB.
const MOST: usize = 1 << 30;

/// Values of tensors, by their names.
pub(super) type Tensors = HashMap<String, Vec<f32>>;

/// What is trained between two changes of what is frozen.
#[derive(Debug)]
pub(super) struct Stage {
    /// Epochs that are done before it.
    pub first: usize,
    pub trainer: Trainer,
    trunk: Option<Trunk>,
    /// The network behind the trunk.
    rest: Model,
}

impl Stage {
    /// What is trained once so many epochs are done. Inputs of the data become features where a front is frozen.
    pub fn new(
        model: &Model,
        recipe: &Recipe,
        epochs: usize,
        data: &mut Data,
        values: &dyn Fn(&Param) -> Result<Vec<f32>, TrainError>,
    ) -> Result<Stage, TrainError> {
        let graph = model.graph();
        let frozen = recipe.tuning.frozen(graph, epochs);
        let first = recipe
            .tuning
            .phases()
            .into_iter()
            .rfind(|first| *first <= epochs);
        let samples = data.train.len() + data.test.len();
        // Inputs that are changed at random have other features every time.
        let alone = data.train.together() == 1;
        let once = recipe.augment.is_none() && data.lies_somewhere() && alone;
        let cut = match once {
            true => cut(graph, &frozen, MOST / samples.max(1)),
            false => None,
        };
        let rest = match &cut {
            Some(cut) => model.with_graph(cut.rest.clone()),
            None => model.clone(),
        };
        // What cannot be trained is told before features are computed.
        let mut trainer = Trainer::begin(rest.graph(), recipe, &frozen, values)?;
        trainer.judge_as(graph);
        let mut trunk = None;
        if let Some(cut) = cut {
            let mut of = Trunk::new(&cut.trunk, values)?;
            let pool = (recipe.threads > 1).then(|| Pool::new(recipe.threads));
            let mut features = |samples: &mut Samples| -> Result<(), TrainError> {
                *samples = of.features(samples, recipe.batch, pool.as_ref())?;
                Ok(())
            };
            features(&mut data.train)?;
            features(&mut data.test)?;
            trunk = Some(of);
        }
        Ok(Stage {
            first: first.unwrap_or(0),
            trainer,
            trunk,
            rest,
        })
    }

    /// The network that samples are run on, as they are now.
    pub fn model(&self) -> &Model {
        &self.rest
    }

    /// The frozen front, if features are computed once.
    pub fn front(&self) -> Option<&Front> {
        self.trunk.as_ref().map(Trunk::front)
    }

    /// The whole network's tensors.
    pub fn weights(&self) -> Result<Weights, TrainError> {
        let tensors = self.trainer.tensors().chain(self.of_trunk());
        weights(tensors.filter(|(param, _)| param.literal.is_none()))
    }

    /// Everything that steps change, and the tensors that they do not.
    pub fn state(&self) -> Result<Weights, TrainError> {
        weights(self.trainer.all().chain(self.of_trunk()))
    }

    /// The whole network's tensors, to go on from with others.
    pub fn tensors(&self) -> Tensors {
        let tensors = self.trainer.tensors().chain(self.of_trunk());
        let named = |(param, values): (&Param, &[f32])| (param.name.clone(), values.to_vec());
        tensors.map(named).collect()
    }

    /// Tensors of the trunk that no layer behind it shares.
    fn of_trunk(&self) -> impl Iterator<Item = (&Param, &[f32])> {
        let behind: BTreeSet<&str> = self
            .trainer
            .tensors()
            .map(|(param, _)| &*param.name)
            .collect();
        let all = self.trunk.iter().flat_map(Trunk::tensors);
        all.filter(move |(param, _)| !behind.contains(&*param.name))
    }
}

fn cut(graph: &Graph, frozen: &BTreeSet<String>, most: usize) -> Option<Cut> {
    match frozen.is_empty() {
        true => None,
        false => Cut::of(graph, &|param| frozen.contains(&param.name), most),
    }
}
