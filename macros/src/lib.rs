//! The proc macro behind `cnn_model!`: a shim over `cnnc_compiler::emit`.
//!
//! The facade's `cnn_model!` adds its own path in front, so that the code finds the runtime whatever the user calls the crate.

use cnnc_compiler::emit::{Invocation, Spec, expand};
use cnnc_compiler::target::Arithmetic;
use proc_macro2::TokenTree;
use quote::ToTokens;
use syn::parse::{Parse, ParseStream, Result};
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitInt, LitStr, Meta, Path, Token, Visibility};

/// `path; attributes visibility Name = "file.cnn", weights = "file.safetensors", batch = 8, exact`, or `Name { spec }`.
#[doc(hidden)]
#[proc_macro]
pub fn __cnn_model(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    match syn::parse::<Call>(input) {
        Ok(Call(invocation)) => expand(&invocation).into(),
        Err(error) => error.into_compile_error().into(),
    }
}

struct Call(Invocation);

impl Parse for Call {
    fn parse(input: ParseStream) -> Result<Call> {
        let root: Path = input.parse()?;
        input.parse::<Token![;]>()?;
        let doc = input
            .call(Attribute::parse_outer)?
            .iter()
            .map(doc)
            .collect::<Result<_>>()?;
        let vis: Visibility = input.parse()?;
        let name: Ident = input.parse()?;
        let spec = spec(input)?;
        let (mut weights, mut batch, mut arithmetic) = (None, 1, Arithmetic::Fast);
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            let key: Ident = input.parse()?;
            if key == "exact" {
                arithmetic = Arithmetic::Exact;
                continue;
            }
            if key == "batch" {
                input.parse::<Token![=]>()?;
                batch = images(input)?;
                continue;
            }
            if key != "weights" {
                let message = format!(
                    "unknown argument `{key}`; there are `weights = \"FILE\"`, `batch = N` and `exact`"
                );
                return Err(syn::Error::new(key.span(), message));
            }
            input.parse::<Token![=]>()?;
            let path: LitStr = input.parse()?;
            weights = Some((path.value(), path.span()));
        }
        let directory = std::env::var_os("CARGO_MANIFEST_DIR")
            .unwrap_or_default()
            .into();
        Ok(Call(Invocation {
            root: root.into_token_stream(),
            doc,
            vis: vis.into_token_stream(),
            name,
            spec,
            weights,
            arithmetic,
            batch,
            directory,
        }))
    }
}

/// The most images that a network is compiled for.
const MOST_IMAGES: usize = 4096;

fn images(input: ParseStream) -> Result<usize> {
    let number: LitInt = input.parse()?;
    match number.base10_parse() {
        Ok(images @ 1..=MOST_IMAGES) => Ok(images),
        _ => {
            let message = format!("expected a number of images from 1 to {MOST_IMAGES}");
            Err(syn::Error::new(number.span(), message))
        }
    }
}

fn spec(input: ParseStream) -> Result<Spec> {
    if input.peek(syn::token::Brace) {
        return match input.parse()? {
            TokenTree::Group(group) => Ok(Spec::Inline(group)),
            other => Err(syn::Error::new(other.span(), "expected a spec")),
        };
    }
    if !input.peek(Token![=]) {
        return Err(input.error("expected `= \"FILE.cnn\"`, or a spec between braces"));
    }
    input.parse::<Token![=]>()?;
    // A literal that comes through another macro may be inside an invisible group.
    let text: LitStr = match input.parse::<Lit>()? {
        Lit::Str(text) => text,
        other => {
            return Err(syn::Error::new(
                other.span(),
                "expected the path of a spec, as a string",
            ));
        }
    };
    let value = text.value();
    Ok(match value.contains('\n') {
        true => Spec::Text(value, text.span()),
        false => Spec::File(value, text.span()),
    })
}

fn doc(attribute: &Attribute) -> Result<String> {
    if let Meta::NameValue(pair) = &attribute.meta
        && pair.path.is_ident("doc")
        && let Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) = &pair.value
    {
        return Ok(text.value());
    }
    Err(syn::Error::new_spanned(
        attribute,
        "only documentation may stand here",
    ))
}
