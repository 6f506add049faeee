//! The CNN compiler: a convolutional network is a text file, and `cnnc` turns it into machine code.

mod cnn_model;

/// What compiled networks run on: kernels, weights, sessions. Code that [`cnn_model!`] writes uses it.
pub use cnnc_runtime as rt;

#[doc(hidden)]
pub use cnnc_macros::__cnn_model;
