//! What would help against a failure.

use super::Failure;
use super::text::list;
use cnnc::compiler::gradient::check::TooMuch;
use cnnc::compiler::slide::SlideError;

impl Failure {
    /// What would help.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Failure::NoNetwork { near: Some(near), .. } => format!("did you mean `{near}`?"),
            Failure::NoNetwork { .. } => "`cnnc zoo` lists them".to_owned(),
            Failure::NoWeights { .. } => {
                "give `--weights FILE.safetensors`, or `--weights synthetic` for made-up ones"
                    .to_owned()
            }
            Failure::NoInput { names } if names.len() == 1 => {
                "name a picture, a .npy, .npz or .safetensors file, or give `--input synthetic`"
                    .to_owned()
            }
            Failure::NoInput { .. } => {
                "name one file for each input, or give `--input synthetic`".to_owned()
            }
            Failure::NotAPicture { .. } => "give it as .npy, .npz or .safetensors".to_owned(),
            Failure::NoTensor { names, .. } if !names.is_empty() => {
                format!("it has {}", list(names))
            }
            Failure::Nameless { .. } => {
                "name the spec of the network: `cnnc convert SPEC --weights FILE OUT`".to_owned()
            }
            Failure::Kept { .. } => {
                "give another name for the spec, or `--force` to replace them".to_owned()
            }
            Failure::Overwrite { .. } | Failure::Twice { .. } => "give another name for what is written".to_owned(),
            Failure::Ending { .. } => "call it `….safetensors`".to_owned(),
            Failure::EmptyGallery(_) => {
                "a gallery has a sub-folder of pictures for each identity, or a picture named after it"
                    .to_owned()
            }
            Failure::Picture(_) => "show less with `--depth 0`, or leave out `--expand`".to_owned(),
            Failure::Network(cnnc::Error::Slide(SlideError::Fixed { .. })) => {
                "every window is answered as if it were alone, so nothing may depend on its border: \
                 let the input have the pixels that the layer pads, as specs/lenet5_slide.cnn does"
                    .to_owned()
            }
            Failure::Numbers(TooMuch::Work(_)) => {
                "leave out `--show`: layers are checked one by one, whatever the size of the network"
                    .to_owned()
            }
            Failure::NoCode(_) => "codes look like E0101; a diagnostic shows its own".to_owned(),
            _ => return None,
        })
    }
}
