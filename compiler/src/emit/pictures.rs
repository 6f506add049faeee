//! How pictures become inputs, as Rust expressions.

use super::names::Names;
use cnnc_runtime::image::{Filter, ImageStep, PreProcess};
use cnnc_runtime::plan::{List, Port};
use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

/// `prepare()`, or `prepare_a()` and so on where there are several inputs, for those that have the shape of a picture.
pub(super) fn functions(
    names: &mut Names,
    inputs: &[Port],
    pictures: &[Option<PreProcess>],
    rt: &TokenStream,
) -> TokenStream {
    let mut functions = TokenStream::new();
    for (port, pre) in inputs.iter().zip(pictures) {
        let Some(pre) = pre else {
            continue;
        };
        let name = match inputs.len() {
            1 => names.function("prepare"),
            _ => names.function(&format!("prepare_{}", port.name)),
        };
        let value = expression(pre);
        let doc = format!(
            "How a picture becomes input `{}`, and where it lies in it: `apply` and `placement`.",
            port.name
        );
        functions.extend(quote! {
            #[doc = #doc]
            pub fn #name() -> #rt::image::PreProcess {
                use ::std::borrow::Cow;
                #[allow(unused_imports)]
                use #rt::image::{Filter, ImageStep, Place, PreProcess, Rounding};
                static PREPARE: PreProcess = #value;
                PREPARE.clone()
            }
        });
    }
    functions
}

fn expression(pre: &PreProcess) -> TokenStream {
    let PreProcess {
        channels,
        steps,
        bgr,
        scale,
        mean,
        std,
        width,
        height,
    } = pre;
    let steps = steps.iter().map(step);
    let [channels, width, height] =
        [channels, width, height].map(|&n| Literal::usize_unsuffixed(n));
    let (scale, mean, std) = (float(*scale), floats(mean), floats(std));
    quote! {
        PreProcess {
            channels: #channels, steps: Cow::Borrowed(&[#(#steps),*]), bgr: #bgr, scale: #scale,
            mean: #mean, std: #std, width: #width, height: #height,
        }
    }
}

fn float(x: f32) -> TokenStream {
    let bits = Literal::u32_unsuffixed(x.to_bits());
    quote!(f32::from_bits(#bits))
}

fn floats(values: &List<f32>) -> TokenStream {
    let values = values.iter().map(|&value| float(value));
    quote!(Cow::Borrowed(&[#(#values),*]))
}

fn filter(filter: Filter) -> TokenStream {
    let name = format_ident!("{}", format!("{filter:?}"));
    quote!(Filter::#name)
}

fn step(step: &ImageStep) -> TokenStream {
    match *step {
        ImageStep::ResizeShort { side, filter: by } => {
            let by = filter(by);
            quote!(ImageStep::ResizeShort { side: #side, filter: #by })
        }
        ImageStep::Resize {
            width,
            height,
            filter: by,
        } => {
            let by = filter(by);
            quote!(ImageStep::Resize { width: #width, height: #height, filter: #by })
        }
        ImageStep::CenterCrop { width, height } => {
            quote!(ImageStep::CenterCrop { width: #width, height: #height })
        }
        ImageStep::Letterbox {
            width,
            height,
            fill,
            place,
            rounding,
            filter: by,
        } => {
            let (fill, by) = (fill.map(float), filter(by));
            let place = format_ident!("{}", format!("{place:?}"));
            let rounding = format_ident!("{}", format!("{rounding:?}"));
            quote!(ImageStep::Letterbox {
                width: #width, height: #height, fill: [#(#fill),*],
                place: Place::#place, rounding: Rounding::#rounding, filter: #by,
            })
        }
    }
}
