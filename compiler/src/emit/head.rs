//! A head as a Rust expression, and the functions that give it and its answers.

use cnnc_runtime::answer::{Head, Select, Task};
use cnnc_runtime::plan::List;
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};

/// `head()` of the network's type, and `answer()` of its outputs'; nothing for a network without a head.
pub(super) fn functions(head: &Head, name: &Ident, rt: &TokenStream) -> (TokenStream, TokenStream) {
    if head.task == Task::Numbers {
        return (TokenStream::new(), TokenStream::new());
    }
    let value = expression(head, rt);
    let doc = format!(
        "The answer of the spec's head: labels, boxes or points, in pixels of the picture that `place` is of; \
         [`{name}::head`] has its thresholds."
    );
    let of_network = quote! {
        /// What turns outputs into an answer, with the spec's labels and thresholds.
        pub fn head() -> #rt::answer::Head {
            #value
        }
    };
    let of_outputs = quote! {
        #[doc = #doc]
        pub fn answer(&self, place: &#rt::answer::Placement) -> #rt::answer::Answer {
            match self.outputs.answer(&#name::head(), place) {
                ::core::result::Result::Ok(answer) => answer,
                // The compiler has held the head against these outputs.
                ::core::result::Result::Err(error) => ::core::panic!("{error}"),
            }
        }
    };
    (of_network, of_outputs)
}

fn expression(head: &Head, rt: &TokenStream) -> TokenStream {
    let labels = head.labels.iter().map(|label| {
        let label: &str = label;
        quote!(Cow::Borrowed(#label))
    });
    let task = task(&head.task);
    quote! {
        use ::std::borrow::Cow;
        #[allow(unused_imports)]
        use #rt::answer::{Bins, Head, Labels, Map, Metric, Overlap, Range, Select, Task};
        #[allow(unused_imports)]
        use #rt::image::Show;
        static HEAD: Head = Head { labels: Cow::Borrowed(&[#(#labels),*]), task: #task };
        HEAD.clone()
    }
}

fn number(n: usize) -> Literal {
    Literal::usize_unsuffixed(n)
}

fn float(x: f32) -> TokenStream {
    let bits = Literal::u32_unsuffixed(x.to_bits());
    quote!(f32::from_bits(#bits))
}

/// A variant without fields, by its name.
fn variant(kind: &str, name: impl std::fmt::Debug) -> TokenStream {
    let (kind, name) = (
        Ident::new(kind, Span::call_site()),
        format_ident!("{}", format!("{name:?}")),
    );
    quote!(#kind::#name)
}

fn pairs(pairs: &List<(f32, f32)>) -> TokenStream {
    let pairs = pairs.iter().map(|&(a, b)| {
        let (a, b) = (float(a), float(b));
        quote!((#a, #b))
    });
    quote!(Cow::Borrowed(&[#(#pairs),*]))
}

fn select(select: &Select) -> TokenStream {
    let (keep, iou) = (float(select.keep), float(select.iou));
    let overlap = match select.overlap {
        Some(overlap) => {
            let overlap = variant("Overlap", overlap);
            quote!(::core::option::Option::Some(#overlap))
        }
        None => quote!(::core::option::Option::None),
    };
    let labels = variant("Labels", select.labels);
    quote!(Select { keep: #keep, iou: #iou, overlap: #overlap, labels: #labels })
}

fn task(task: &Task) -> TokenStream {
    match task {
        Task::Classify { top } => {
            let top = number(*top);
            quote!(Task::Classify { top: #top })
        }
        Task::Yolo1 {
            side,
            boxes,
            classes,
            select: of,
        } => {
            let (side, boxes) = (number(*side), number(*boxes));
            let (classes, select) = (number(*classes), select(of));
            quote!(Task::Yolo1 { side: #side, boxes: #boxes, classes: #classes, select: #select })
        }
        Task::Yolo2 {
            anchors,
            classes,
            select: of,
        } => {
            let (anchors, classes, select) = (pairs(anchors), number(*classes), select(of));
            quote!(Task::Yolo2 { anchors: #anchors, classes: #classes, select: #select })
        }
        Task::Yolo3 {
            maps,
            classes,
            squared,
            select: of,
        } => {
            let maps = maps.iter().map(|map| {
                let (anchors, stretch) = (pairs(&map.anchors), float(map.stretch));
                quote!(Map { anchors: #anchors, stretch: #stretch })
            });
            let (classes, select) = (number(*classes), select(of));
            quote! {
                Task::Yolo3 {
                    maps: Cow::Borrowed(&[#(#maps),*]), classes: #classes, squared: #squared, select: #select,
                }
            }
        }
        Task::Regions {
            classes,
            std,
            input,
            select: of,
        } => {
            let (classes, select) = (number(*classes), select(of));
            let std = std.map(float);
            let (width, height) = (float(input.0), float(input.1));
            quote! {
                Task::Regions {
                    classes: #classes, std: [#(#std),*], input: (#width, #height), select: #select,
                }
            }
        }
        Task::Locate {
            presence,
            corners,
            classes,
            keep,
        } => {
            let (classes, keep) = (number(*classes), float(*keep));
            quote!(Task::Locate { presence: #presence, corners: #corners, classes: #classes, keep: #keep })
        }
        Task::Landmarks {
            presence,
            range,
            axes,
            input,
            keep,
        } => {
            let (range, keep) = (variant("Range", range), float(*keep));
            let (width, height) = (float(input.0), float(input.1));
            quote! {
                Task::Landmarks {
                    presence: #presence, range: #range, axes: #axes, input: (#width, #height), keep: #keep,
                }
            }
        }
        Task::Verify {
            distance,
            threshold,
        } => {
            let threshold = float(*threshold);
            quote!(Task::Verify { distance: #distance, threshold: #threshold })
        }
        Task::Embed { metric, threshold } => {
            let (metric, threshold) = (variant("Metric", metric), float(*threshold));
            quote!(Task::Embed { metric: #metric, threshold: #threshold })
        }
        Task::Pitch { bins } => {
            let (first, step, around) = (float(bins.first), float(bins.step), number(bins.around));
            quote!(Task::Pitch { bins: Bins { first: #first, step: #step, around: #around } })
        }
        Task::Image { show } => {
            let show = variant("Show", show);
            quote!(Task::Image { show: #show })
        }
        Task::Numbers => quote!(Task::Numbers),
    }
}
