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

mod affine;
mod anchors;
mod augment;
mod batch_sheet;
mod beside;
mod by_windows;
mod chart;
mod classes;
mod clip;
mod compiled;
mod contact;
mod crops;
mod data;
mod draw;
mod epoch;
mod error;
mod head;
mod in_regions;
mod initial;
mod judge;
mod likeness;
mod loader;
mod located;
mod located_sheet;
mod mask;
mod measure;
mod origin;
mod parallel;
mod pass;
pub mod picture;
mod place;
mod precision;
mod proposed;
mod random;
mod readable;
mod recall_chart;
mod recipe;
mod run;
mod sheet;
mod stage;
mod state;
mod target_sheet;
mod target_tile;
mod targets;
mod trainer;
mod trunk;
mod tuning;
mod used;
pub mod visual;
mod whereabouts;

pub use affine::Affine;
pub use anchors::{Anchors, anchors};
pub use augment::{Augmenter, Change, Colour};
pub use batch_sheet::batch_sheet;
pub use beside::side_by_side;
pub use by_windows::found_by_windows;
pub use chart::{Ran, by_pictures, overlaid};
pub use classes::classes;
pub use cnnc_compiler::loss::{Measure, Targets, UNLABELLED, as_written};
pub use cnnc_compiler::recipe::{
    Augment, Clip, DataKind, Goal, Loss, Method, Recipe as Section, Schedule, Source, Split,
};
pub use cnnc_compiler::step::{Optimizer, Untrainable};
pub use cnnc_compiler::tuning::{Init, Keep, Tuning, Unfreeze};
pub use contact::{contact_sheet, matrix};
pub use crops::{Crops, Square};
pub use data::{
    Annotation, Annotations, Data, DataError, Gathered, Kept, Known, Samples, sizes_of,
    takes_regions,
};
pub use draw::{Draw, order};
pub use epoch::Epoch;
pub use error::TrainError;
pub use head::{NewHead, name_of};
pub use in_regions::found_in_regions;
pub use judge::{Judgement, Miss, OfClass, found, scored};
pub use likeness::{
    Hard, Likeness, OfGallery, OneShot, OneShotRun, Roc, Step, Tried, curves, hardest_sheet,
    missed_sheet, one_shot, one_shot_files,
};
pub use loader::{Batch, Loader};
pub use located::{Located, Place, Worth};
pub use located_sheet::worst_places;
pub use measure::Score;
pub use parallel::Gradients;
pub use pass::Done;
pub use precision::{Definition, Precision};
pub use proposed::Proposed;
pub use recall_chart::precision_recall;
pub use recipe::{Recipe, usual};
pub use run::{Run, ran};
pub use sheet::{Sheet, SheetFormat};
pub use target_sheet::{Targeted, target_sheet};
pub use targets::odd_boxes;
pub use trainer::{Memory, Trainer};
pub use trunk::Front;
pub use whereabouts::{Strayed, Whereabouts};
