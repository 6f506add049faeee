//! A plan as a Rust constant.

use cnnc_runtime::plan::{Data, Fusion, Norm, Plan, Port, Recipe, Source};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

/// The plan as an expression; its types are in scope.
pub(super) fn plan(plan: &Plan) -> TokenStream {
    let Plan {
        name,
        isa,
        arena,
        packed,
        sources,
        literals,
        recipes,
        inputs,
        outputs,
        batch,
        between,
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
    let recipes = list(recipes, recipe);
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
            recipes: #recipes,
            inputs: #inputs,
            outputs: #outputs,
            batch: #batch,
            between: #between,
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

fn index(index: &u32) -> TokenStream {
    let index = Literal::u32_unsuffixed(*index);
    quote!(#index)
}

fn norm(norm: &Norm) -> TokenStream {
    let (gamma, beta) = (option(&norm.gamma, index), option(&norm.beta, index));
    let (mean, var) = (index(&norm.mean), index(&norm.var));
    let eps = Literal::u64_unsuffixed(norm.eps.to_bits());
    quote!(Norm { gamma: #gamma, beta: #beta, mean: #mean, var: #var, eps: f64::from_bits(#eps) })
}

fn data(data: &Data) -> TokenStream {
    match data {
        Data::Source(source) => {
            let source = index(source);
            quote!(Data::Source(#source))
        }
        Data::Literal(literal) => {
            let literal = index(literal);
            quote!(Data::Literal(#literal))
        }
    }
}

fn pair(&(count, stride): &(usize, i64)) -> TokenStream {
    let (count, stride) = (number(count), Literal::i64_unsuffixed(stride));
    quote!((#count, #stride))
}

fn channels(&(first, per_group): &(usize, usize)) -> TokenStream {
    let (first, per_group) = (number(first), number(per_group));
    quote!((#first, #per_group))
}

fn recipe(recipe: &Recipe) -> TokenStream {
    match recipe {
        Recipe::Panels {
            dest,
            data: from,
            base,
            groups,
            outs,
            channel,
            reduce,
            block,
            norm: fold,
        } => {
            let (dest, block) = (number(*dest), number(*block));
            let (from, base) = (data(from), Literal::i64_unsuffixed(*base));
            let (groups, outs, reduce) = (pair(groups), pair(outs), list(reduce, pair));
            let (channel, norm) = (channels(channel), option(fold, norm));
            quote! {
                Recipe::Panels {
                    dest: #dest, data: #from, base: #base, groups: #groups, outs: #outs,
                    channel: #channel, reduce: #reduce, block: #block, norm: #norm,
                }
            }
        }
        Recipe::Winograd {
            dest,
            data: from,
            base,
            outs,
            first,
            ins,
            taps,
            block,
            norm: fold,
        } => {
            let (dest, block, first) = (number(*dest), number(*block), number(*first));
            let (from, base) = (data(from), Literal::i64_unsuffixed(*base));
            let (outs, ins, norm) = (pair(outs), pair(ins), option(fold, norm));
            let taps = taps.map(Literal::i64_unsuffixed);
            quote! {
                Recipe::Winograd {
                    dest: #dest, data: #from, base: #base, outs: #outs, first: #first, ins: #ins,
                    taps: [#(#taps),*], block: #block, norm: #norm,
                }
            }
        }
        Recipe::Bias {
            dest,
            data: from,
            at: (first, group, out),
            groups,
            outs,
            channel,
            block,
            norm: fold,
        } => {
            let (first, group, out) = (number(*first), number(*group), number(*out));
            let (dest, groups, outs) = (number(*dest), number(*groups), number(*outs));
            let (from, block, norm) = (option(from, data), number(*block), option(fold, norm));
            let channel = channels(channel);
            quote! {
                Recipe::Bias {
                    dest: #dest, data: #from, at: (#first, #group, #out), groups: #groups, outs: #outs, channel: #channel,
                    block: #block, norm: #norm,
                }
            }
        }
        Recipe::ScaleShift {
            dest,
            channels,
            padded,
            norm: fold,
        } => {
            let (dest, channels, padded) = (number(*dest), number(*channels), number(*padded));
            let norm = norm(fold);
            quote! {
                Recipe::ScaleShift { dest: #dest, channels: #channels, padded: #padded, norm: #norm }
            }
        }
        Recipe::Shares {
            dest,
            data: from,
            operands,
            channels,
            each,
            padded,
            fusion,
        } => {
            let (dest, channels, padded) = (number(*dest), number(*channels), number(*padded));
            let (from, operands) = (data(from), number(*operands));
            let fusion = match fusion {
                Fusion::Unbounded => quote!(Fusion::Unbounded),
                Fusion::Fast(eps) => quote!(Fusion::Fast(#eps)),
                Fusion::Exponential(eps) => quote!(Fusion::Exponential(#eps)),
            };
            quote! {
                Recipe::Shares {
                    dest: #dest, data: #from, operands: #operands, channels: #channels, each: #each,
                    padded: #padded, fusion: #fusion,
                }
            }
        }
        Recipe::Vector {
            dest,
            data: from,
            count,
            padded,
        } => {
            let (dest, count, padded) = (number(*dest), number(*count), number(*padded));
            let from = data(from);
            quote!(Recipe::Vector { dest: #dest, data: #from, count: #count, padded: #padded })
        }
    }
}
