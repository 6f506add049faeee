//! The CNN compiler: a convolutional network is a short text file, and this crate turns it into machine code.
//!
//! With [`cnn_model!`] the network becomes a type of your program, checked and specialised when the program is
//! built. With [`compile_file`] it is compiled while the program runs, in milliseconds:
//!
//! ```
//! use cnnc::{Options, Weights};
//!
//! let model = cnnc::compile_str(
//!     "digits",
//!     "cnn 1
//!      model Digits {
//!        input image: 1x28x28
//!        conv 5x5 6 /2 relu
//!        conv 5x5 16 /2 relu
//!        flatten
//!        dense 10
//!        head classify
//!      }",
//! )?;
//! let network = model.jit(&Weights::synthetic(), &Options::new())?;
//! let mut session = network.session()?;
//! let image = vec![0.5; 28 * 28];
//! let outputs = session.run(&[&image])?;
//! let probabilities = outputs.get("probabilities").expect("a classifier has them");
//! assert_eq!(probabilities.shape, [10]);
//! # Ok::<(), cnnc::Error>(())
//! ```
//!
//! | Feature | What it adds |
//! |---|---|
//! | `jit` | everything but the macro: compiling specs while the program runs |
//! | `train` | training: [`train`]; many files made ready on threads: [`source`] |
//! | `macros` | [`cnn_model!`]; the compiler is built once more, for the macro |
//! | `images` | picture files, read and written |
//! | `drawing` | answers drawn on pictures |
//! | `foreign-weights` | weights of PyTorch, numpy and darknet, besides safetensors |
//! | `onnx` | ONNX files, read and written: [`onnx`] |
//!
//! All are on by default. The command line is a package of its own, `cnnc-cli`.

// The programs in it run as tests.
#[cfg(all(doctest, feature = "jit", feature = "macros"))]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(feature = "macros")]
mod cnn_model;

/// What compiled networks run on: kernels, weights, sessions. Code that [`cnn_model!`] writes uses it.
pub use cnnc_runtime as rt;

#[cfg(feature = "macros")]
#[doc(hidden)]
pub use cnnc_macros::__cnn_model;

pub use cnnc_runtime::Isa;
pub use cnnc_runtime::answer::Answer;
pub use cnnc_runtime::input::Input;
pub use cnnc_runtime::weights::Weights;

#[cfg(feature = "jit")]
mod accuracy;
#[cfg(feature = "jit")]
pub mod bench;
#[cfg(feature = "jit")]
mod bound;
#[cfg(feature = "jit")]
pub mod darknet;
#[cfg(feature = "jit")]
mod error;
#[cfg(feature = "jit")]
mod finite;
#[cfg(feature = "jit")]
mod model;
#[cfg(feature = "jit")]
mod network;
#[cfg(feature = "onnx")]
pub mod onnx;
#[cfg(feature = "jit")]
mod options;
#[cfg(feature = "jit")]
mod picture;
#[cfg(all(feature = "jit", feature = "drawing"))]
pub mod propose;
#[cfg(all(feature = "jit", feature = "drawing"))]
mod ramp;
#[cfg(feature = "jit")]
mod reference;
#[cfg(feature = "jit")]
mod sections;
#[cfg(all(feature = "jit", feature = "drawing"))]
pub mod sliding;
#[cfg(feature = "train")]
pub mod source;
#[cfg(feature = "jit")]
mod summary;
#[cfg(feature = "train")]
pub mod train;
#[cfg(feature = "zoo")]
pub mod zoo;

#[cfg(feature = "jit")]
pub use self::{
    accuracy::Accuracy,
    error::Error,
    finite::NotFinite,
    model::{Model, Slid, compile_file, compile_str},
    network::{Network, Output, Outputs, SectionInfo, Session},
    options::{Arithmetic, Backend, Options, Progress, UnknownBackend},
    picture::{Picture, TooLarge, View},
    summary::{Fold, Row, Summary},
};

/// The compiler itself, for tools that look inside: graphs, passes, loops, dumps.
#[cfg(feature = "jit")]
pub use cnnc_compiler as compiler;
