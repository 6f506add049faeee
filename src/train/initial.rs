//! First values of a network's tensors.

use super::error::TrainError;
use super::random::{Purpose, Random};
use super::recipe::Recipe;
use crate::{Error, Model, Weights};
use cnnc_compiler::graph::Param;
use cnnc_compiler::tuning::named;
use std::collections::HashMap;

/// Values that a tensor begins with: Glorot's for what is multiplied with, 1 for scales and variances, 0 for everything that is added.
///
/// X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010: uniform within ±√(6 / (fan in + fan out)).
pub fn initial(param: &Param, seed: u64) -> Vec<f32> {
    let elements = param.elements();
    if let Some(values) = param.constants() {
        return values.collect();
    }
    match (&*param.shape, param.role) {
        (_, "bias" | "running_mean") => vec![0.0; elements],
        ([_] | [], _) => vec![1.0; elements],
        (&[out, ins, ref taps @ ..], _) => {
            let field: usize = taps.iter().product();
            let fans = ((out + ins) * field).max(1) as f64;
            let bound = (6.0 / fans).sqrt();
            let mut random = Random::new(seed, Purpose::Initial, param.name.as_bytes());
            let value = |_| (bound * (2.0 * random.unit() - 1.0)) as f32;
            (0..elements).map(value).collect()
        }
    }
}

/// What tensors of a network begin with: the number that the recipe says, those of the weights that it names, and [`initial`] ones for the rest.
pub fn first_values(
    model: &Model,
    recipe: &Recipe,
) -> Result<impl Fn(&Param) -> Result<Vec<f32>, TrainError> + use<>, TrainError> {
    let mut given: HashMap<String, Vec<f32>> = HashMap::new();
    if let Some(init) = &recipe.tuning.init {
        let graph = model.graph();
        let anew = named(graph, &init.except);
        let mut sources = graph.sources();
        sources.retain(|source| !anew.contains(&*source.name));
        let weights = Weights::open(&init.file).map_err(Error::from)?;
        let bound = weights
            .bind(&sources)
            .map_err(|error| TrainError::Init(model.unfit(error, &weights)))?;
        for (index, source) in sources.iter().enumerate() {
            let values = bound.values(index).map_err(Error::from)?;
            given.insert(source.name.to_string(), values.into_owned());
        }
    }
    for start in &recipe.tuning.start {
        let named = named(model.graph(), &start.patterns);
        let params = model.graph().params.iter().map(|(_, param)| param);
        for param in params.filter(|param| param.literal.is_none() && named.contains(&param.name)) {
            let values = vec![start.value as f32; param.elements()];
            given.insert(param.name.clone(), values);
        }
    }
    let seed = recipe.seed;
    Ok(move |param: &Param| match given.get(&param.name) {
        Some(values) => Ok(values.clone()),
        None => Ok(initial(param, seed)),
    })
}
