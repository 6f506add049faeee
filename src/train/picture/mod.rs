//! The gradient of the picture: style transfer, and what the layers of a network look for.
//!
//! A network stays as it is, and the picture that it sees is changed by its gradient, in steps that are compiled and proven as training steps are ([`PictureStep`]).
//!
//! ```
//! use cnnc::Weights;
//! use cnnc::rt::image::Picture;
//! use cnnc::train::picture::{By, Size, Style, StyleOptions};
//!
//! let model = cnnc::compile_str(
//!     "tiny",
//!     "cnn 1
//!      model Tiny {
//!        input image: 3x16x16 { normalize unit }
//!        a: conv 3x3 8 pad half relu
//!        b: conv 3x3 8 pad half relu
//!        head style { style a b  content b }
//!      }",
//! )?;
//! let content = Picture::from_rgb(16, 16, (0..768).map(|i| (i % 251) as u8).collect()).expect("a picture");
//! let style = Picture::from_rgb(16, 16, (0..768).map(|i| (i * i % 253) as u8).collect()).expect("a picture");
//! let options = StyleOptions { size: Size::Exactly(16, 16), by: By::Lbfgs, steps: 30, ..StyleOptions::default() };
//! let mut transfer = Style::new(&model, &Weights::synthetic(), &content, &style, &options)?;
//! while transfer.step()?.is_some() {}
//! assert!(transfer.last()?.total < transfer.costs()[0].total);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod curves;
mod grams;
pub mod lbfgs;
mod options;
mod pixels;
mod step;
mod style;
pub(super) mod tensors;

pub use cnnc_compiler::step::Cost;
pub use curves::curves;
pub use grams::{Compared, Grams};
pub use options::{By, From, StyleOptions};
pub use pixels::Size;
pub use step::PictureStep;
pub use style::{Costs, Style};

pub(super) use pixels::{Pixels, WHITE, resized};
