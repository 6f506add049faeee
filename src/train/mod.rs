//! Training: a network learns from labelled examples, by steps that are compiled as everything else is.
//!
//! ```
//! use cnnc::train::{Optimizer, Recipe, Trainer};
//!
//! let model = cnnc::compile_str(
//!     "tiny",
//!     "cnn 1
//!      model Tiny { input x: 2; dense 8 tanh; dense 2; head classify }",
//! )?;
//! let recipe = Recipe { rate: 0.1, batch: 4, ..Recipe::default() };
//! let mut trainer = Trainer::new(&model, &recipe)?;
//! // Which of two numbers is the larger?
//! let (inputs, labels) = ([1.0, 0.0, 0.0, 1.0, 0.5, -0.5, -1.0, 2.0], [0, 1, 0, 1]);
//! let first = trainer.step(&inputs, &labels, 0.1)?.loss;
//! for _ in 0..100 {
//!     trainer.step(&inputs, &labels, 0.1)?;
//! }
//! assert!(trainer.step(&inputs, &labels, 0.1)?.loss < 0.1 * first);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod augment;
mod chart;
mod data;
mod error;
mod initial;
mod loader;
mod measure;
mod random;
mod recipe;
mod run;
mod sheet;
mod state;
mod trainer;

pub use augment::{Affine, Augmenter, Change, Colour};
pub use cnnc_compiler::loss::{Measure, Targets, UNLABELLED};
pub use cnnc_compiler::recipe::{
    Augment, DataKind, Loss, Method, Recipe as Section, Schedule, Source, Split,
};
pub use cnnc_compiler::step::{Optimizer, Untrainable};
pub use data::{Data, DataError, Kept, Samples};
pub use error::TrainError;
pub use loader::{Batch, Loader};
pub use measure::Score;
pub use recipe::{Recipe, usual};
pub use run::{Epoch, Run};
pub use sheet::contact_sheet;
pub use trainer::{Done, Trainer};
