//! A plan as a Rust constant.

use cnnc_runtime::plan::{Base, Pack, Plan, Pointer, Port, Source};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};

/// The plan as an expression; its types are in scope.
pub(super) fn plan(plan: &Plan) -> TokenStream {
    let Plan {
        name,
        isa,
        arena,
        packed,
        sources,
        literals,
        packing,
        inputs,
        outputs,
        batch,
        between,
        state: _,
        runs,
    } = plan;
    let isa = Ident::new(&format!("{isa:?}"), Span::call_site());
    let (arena, packed) = (number(*arena), number(*packed));
    let sources = list(sources, source);
    let literals = list(literals, |values| {
        list(values, |value| {
            let bits = Literal::u32_unsuffixed(value.to_bits());
            quote!(f32::from_bits(#bits))
        })
    });
    let packing = list(packing, pack);
    let (inputs, outputs) = (list(inputs, port), list(outputs, port));
    let (batch, between) = (number(*batch), shape(between));
    let runs = list(runs, |run| {
        let run = Ident::new(&format!("{run:?}"), Span::call_site());
        quote!(Run::#run)
    });
    quote! {
        Plan {
            name: Cow::Borrowed(#name),
            isa: Isa::#isa,
            arena: #arena,
            packed: #packed,
            sources: #sources,
            literals: #literals,
            packing: #packing,
            inputs: #inputs,
            outputs: #outputs,
            batch: #batch,
            between: #between,
            state: Cow::Borrowed(&[]),
            runs: #runs,
        }
    }
}

fn number(n: usize) -> Literal {
    Literal::usize_unsuffixed(n)
}

fn list<T>(items: &[T], item: impl Fn(&T) -> TokenStream) -> TokenStream {
    let items = items.iter().map(item);
    quote!(Cow::Borrowed(&[#(#items),*]))
}

fn shape(extents: &[usize]) -> TokenStream {
    list(extents, |&extent| {
        let extent = number(extent);
        quote!(#extent)
    })
}

fn source(source: &Source) -> TokenStream {
    let (name, shape) = (&source.name, shape(&source.shape));
    quote!(Source { name: Cow::Borrowed(#name), shape: #shape })
}

fn port(port: &Port) -> TokenStream {
    let (name, shape) = (&port.name, shape(&port.shape));
    quote!(Port { name: Cow::Borrowed(#name), shape: #shape })
}

fn option<T>(value: &Option<T>, some: impl Fn(&T) -> TokenStream) -> TokenStream {
    match value {
        Some(value) => {
            let value = some(value);
            quote!(Some(#value))
        }
        None => quote!(None),
    }
}

fn pack(pack: &Pack) -> TokenStream {
    // The constant of that name is the kernel's number in the runtime that is linked.
    let kernel = format_ident!("{}", pack.kernel.row().name.to_uppercase());
    let trips = list(&pack.trips, |&trip| {
        let trip = Literal::u32_unsuffixed(trip);
        quote!(#trip)
    });
    let args = list(&pack.args, |arg| option(arg, pointer));
    let consts = list(&pack.consts, word);
    quote!(Pack { kernel: kernel::#kernel, trips: #trips, args: #args, consts: #consts })
}

fn pointer(pointer: &Pointer) -> TokenStream {
    let base = match pointer.base {
        Base::Packed => quote!(Base::Packed),
        Base::Source(index) => {
            let index = Literal::u32_unsuffixed(index);
            quote!(Base::Source(#index))
        }
        Base::Literal(index) => {
            let index = Literal::u32_unsuffixed(index);
            quote!(Base::Literal(#index))
        }
    };
    let offset = Literal::i64_unsuffixed(pointer.offset);
    let steps = list(&pointer.steps, word);
    quote!(Pointer { base: #base, offset: #offset, steps: #steps })
}

fn word(word: &i64) -> TokenStream {
    let word = Literal::i64_unsuffixed(*word);
    quote!(#word)
}
