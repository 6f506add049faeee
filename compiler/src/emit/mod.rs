//! Specialised Rust: a network as a typed struct, static plans and one function per distinct section.
//!
//! There is a plan for every ISA; which is used is decided when weights are loaded.
//!
//! ```text
//! pub struct LeNet5 { … }                      api: load, session, sizes
//! pub struct LeNet5Session<'a> { … }           run(&image)
//! pub struct LeNet5Outputs<'s> { … }           raw(), probabilities()
//! const _: () = {
//!     mod plan_0 { … }                         sections, steps, plan; a driver per ISA
//!     impl LeNet5 { pub fn with_weights … }    chooses among them
//! };
//! ```

mod api;
mod driver;
mod expand;
mod head;
mod inline;
mod layout;
mod names;
mod pictures;
mod plan;

pub use expand::{Invocation, Spec, expand};

use crate::graph::Graph;
use crate::loops::Unproven;
use crate::lower::{Lowered, lower};
use crate::target::{Arithmetic, Target};
use cnnc_runtime::Isa;
use cnnc_runtime::answer::Head;
use cnnc_runtime::image::PreProcess;
use cnnc_runtime::session::session_bytes;
use driver::Driver;
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};

/// What is known of a network beside its loops.
#[derive(Clone, Debug)]
pub struct Model {
    /// Visibility of the types.
    pub vis: TokenStream,
    /// Name of the type.
    pub name: Ident,
    /// Path of the runtime, as the user's crate sees it.
    pub rt: TokenStream,
    /// Documentation, in Markdown.
    pub doc: String,
    /// Learned parameters.
    pub parameters: u64,
    /// Multiply-adds.
    pub macs: u64,
    /// How pictures become its inputs, for each of them that has the shape of one.
    pub pictures: Vec<Option<PreProcess>>,
    /// What turns outputs into an answer.
    pub head: Head,
    /// The weights file to embed: an absolute path.
    pub weights: Option<String>,
    /// Files that the network was compiled from, absolute paths: it is compiled again when one changes.
    pub sources: Vec<String>,
}

/// Loops, and every ISA that they are for.
pub type Variant = (Vec<Isa>, Lowered);

/// Lowers a graph for every ISA and so many images at once. A plan depends on an ISA through its lanes and registers only, so ISAs that
/// agree in these share one.
pub fn variants(graph: &Graph, arithmetic: Arithmetic, batch: usize) -> Vec<Variant> {
    let mut variants: Vec<Variant> = Vec::new();
    for isa in Isa::ALL {
        let alike =
            |other: &Isa| (other.lanes(), other.registers()) == (isa.lanes(), isa.registers());
        match variants.iter_mut().find(|(isas, _)| alike(&isas[0])) {
            Some((isas, _)) => isas.push(isa),
            None => {
                let lowered = lower(graph, &Target::new(isa, arithmetic).batch(batch));
                variants.push((vec![isa], lowered));
            }
        }
    }
    variants
}

/// The Rust of a network.
///
/// # Errors
/// When the network is too much for the proof.
///
/// # Panics
/// As [`Lowered::prove`]: a bug of the compiler. When there are no loops.
pub fn emit(model: &Model, variants: &[Variant]) -> Result<TokenStream, Unproven> {
    for (_, lowered) in variants {
        lowered.prove()?;
    }
    let first = &variants[0].1.plan;
    let arena = variants
        .iter()
        .map(|(_, lowered)| session_bytes(&lowered.plan));
    let api = api::api(
        model,
        &first.inputs,
        &first.outputs,
        arena.max().unwrap_or(0),
        first.batch,
    );
    let plans = plans(model, variants);
    let sources = model.sources.iter();
    Ok(quote! {
        #api
        const _: () = {
            #plans
            // An edit of a source is an edit of this crate.
            #(const _: &[u8] = ::core::include_bytes!(#sources);)*
        };
    })
}

fn plans(model: &Model, variants: &[Variant]) -> TokenStream {
    let Model { name, rt, .. } = model;
    let modules = variants
        .iter()
        .enumerate()
        .map(|(index, variant)| module(rt, index, variant));
    let arms = variants.iter().enumerate().flat_map(|(index, (isas, _))| {
        let module = format_ident!("plan_{index}");
        isas.iter().map(move |&isa| {
            let (variant, function) = (variant(isa), format_ident!("{}", isa.name()));
            quote!(#rt::Isa::#variant => #module::#function(weights)?,)
        })
    });
    quote! {
        #(#modules)*
        impl #name {
            /// Checks weights and packs them for this machine.
            ///
            /// # Errors
            /// As `load`.
            pub fn with_weights(
                weights: &#rt::weights::Weights,
            ) -> ::core::result::Result<Self, #rt::generated::LoadError> {
                Self::on(#rt::Isa::detect()?, weights)
            }

            /// Checks weights and packs them for an instruction set of your choice.
            ///
            /// # Errors
            /// As `load`, and when this machine does not have it.
            pub fn on(
                isa: #rt::Isa,
                weights: &#rt::weights::Weights,
            ) -> ::core::result::Result<Self, #rt::generated::LoadError> {
                if !isa.available() {
                    return ::core::result::Result::Err(#rt::isa::IsaError::Unavailable(isa).into());
                }
                let network = match isa {
                    #(#arms)*
                };
                ::core::result::Result::Ok(Self { network })
            }
        }
    }
}

fn variant(isa: Isa) -> Ident {
    Ident::new(&format!("{isa:?}"), Span::call_site())
}

fn module(rt: &TokenStream, index: usize, (isas, lowered): &Variant) -> TokenStream {
    let name = format_ident!("plan_{index}");
    let Driver {
        kernels,
        functions,
        steps,
        places,
    } = driver::driver(&lowered.program, &lowered.plan);
    let plan = plan::plan(&lowered.plan);
    let (k, p) = (
        Literal::usize_unsuffixed(kernels.len()),
        Literal::usize_unsuffixed(places),
    );
    let functions = functions.iter().enumerate().map(|(index, function)| {
        let name = format_ident!("section_{index}");
        let body = &function.body;
        let pool = if function.parallel {
            quote!(pool)
        } else {
            quote!(_)
        };
        quote! {
            unsafe fn #name(k: &[KernelFn; K], p: &[*mut f32; P], #pool: *const Pool) {
                unsafe { #body }
            }
        }
    });
    let count = Literal::usize_unsuffixed(steps.len());
    let steps = steps.iter().map(|(function, places)| {
        let function = format_ident!("section_{function}");
        let places = places.iter().map(|&(base, offset)| {
            let base = Literal::usize_unsuffixed(base);
            let offset = Literal::i64_unsuffixed(offset);
            quote!((#base, #offset))
        });
        quote!(Step { section: #function, places: &[#(#places),*] })
    });
    let runs = lowered.program.runs();
    let names: Vec<Ident> = (0..runs.len())
        .map(|run| format_ident!("driver_{run}"))
        .collect();
    let run_functions: Vec<TokenStream> = runs
        .iter()
        .zip(&names)
        .map(|(run, name)| {
            let [from, to] = [run.start, run.end].map(Literal::usize_unsuffixed);
            quote! {
                unsafe extern "C" fn #name(bases: *const *mut f32, pool: *const Pool) {
                    unsafe { drive(bases, pool, &KERNELS, &STEPS[#from..#to]) }
                }
            }
        })
        .collect();
    let drivers = isas.iter().map(|&isa| {
        let (variant, function) = (variant(isa), format_ident!("{}", isa.name()));
        let (names, functions) = (&names, &run_functions);
        quote! {
            pub(super) fn #function(weights: &Weights) -> Result<Arc<Network>, LoadError> {
                static KERNELS: Kernels<K> = Kernels::new(Isa::#variant, NAMES);
                #(#functions)*
                // SAFETY: the steps were proven for this plan when they were written.
                unsafe { load(&PLAN, &KERNELS, &[#(#names),*], weights) }
            }
        }
    });
    quote! {
        #[allow(unused_imports, dead_code)]
        mod #name {
            use ::core::prelude::rust_2021::*;
            use ::std::borrow::Cow;
            use ::std::sync::Arc;
            use #rt::Isa;
            use #rt::generated::{Context, Kernels, LoadError, Step, drive, load};
            use #rt::kernel::{self, KernelFn};
            use #rt::plan::{Base, Pack, Plan, Pointer, Port, Run, Source};
            use #rt::session::Network;
            use #rt::threads::{Pool, parallel_for};
            use #rt::weights::Weights;

            /// Kernels, and most addresses of a section.
            const K: usize = #k;
            const P: usize = #p;
            const NONE: *const f32 = ::core::ptr::null();
            const NAMES: [&str; K] = [#(#kernels),*];
            static PLAN: Plan = #plan;
            static STEPS: [Step<K, P>; #count] = [#(#steps),*];
            #(#functions)*
            #(#drivers)*
        }
    }
}

/// How pictures become the inputs of a network.
fn pictures(graph: &Graph) -> Vec<Option<PreProcess>> {
    let inputs = graph.inputs.iter();
    inputs.map(|input| input.pre.clone()).collect()
}

/// The text of `dump --stage=rust`: what `cnn_model!(pub Name = …)` stands for.
///
/// # Errors
/// As [`emit`].
pub fn dump(graph: &Graph, arithmetic: Arithmetic, batch: usize) -> Result<String, Unproven> {
    let model = Model {
        vis: quote!(pub),
        name: names::Names::default().model(&graph.name),
        rt: quote!(::cnnc::rt),
        doc: graph.doc.clone(),
        parameters: graph.parameters(),
        macs: graph.macs(),
        pictures: pictures(graph),
        head: graph.answer_head(),
        weights: None,
        sources: Vec::new(),
    };
    emit(
        &model,
        &variants(&crate::pass::optimize(graph).0, arithmetic, batch),
    )
    .map(layout::lines)
}
