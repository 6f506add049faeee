//! A head as a Rust expression, and the functions that give it and its answers.

use cnnc_runtime::answer::Head;
use cnnc_runtime::answer::constant::{Constant, Value};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

/// `head()` of the network's type, and `answer()` of its outputs'; nothing for a network whose answer is its numbers.
pub(super) fn functions(head: &Head, name: &Ident, rt: &TokenStream) -> (TokenStream, TokenStream) {
    if head.task == Head::default().task {
        return (TokenStream::new(), TokenStream::new());
    }
    let value = constant(&head.constant(), rt);
    let doc = format!(
        "The answer of the spec's head: labels, boxes or points, in pixels of the picture that `place` is of; \
         [`{name}::head`] has its thresholds."
    );
    let of_network = quote! {
        /// What turns outputs into an answer, with the spec's labels and thresholds.
        pub fn head() -> #rt::answer::Head {
            #[allow(unused_imports)]
            use ::std::borrow::Cow;
            static HEAD: #rt::answer::Head = #value;
            HEAD.clone()
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

/// A constant, as an expression that may stand in a `static`.
fn constant(value: &Value, rt: &TokenStream) -> TokenStream {
    let ident = |name: &str| Ident::new(name, Span::call_site());
    let each = |values: &[Value]| {
        let values = values.iter().map(|value| constant(value, rt));
        quote!(#(#values),*)
    };
    match value {
        Value::Flag(flag) => quote!(#flag),
        Value::Count(count) => {
            let count = Literal::usize_unsuffixed(*count);
            quote!(#count)
        }
        Value::Real(x) => {
            let bits = Literal::u32_unsuffixed(x.to_bits());
            quote!(f32::from_bits(#bits))
        }
        Value::Text(text) => quote!(Cow::Borrowed(#text)),
        Value::Tuple(values) => {
            let values = each(values);
            quote!((#values))
        }
        Value::Array(values) => {
            let values = each(values);
            quote!([#values])
        }
        Value::List(values) => {
            let values = each(values);
            quote!(Cow::Borrowed(&[#values]))
        }
        Value::Maybe(None) => quote!(::core::option::Option::None),
        Value::Maybe(Some(value)) => {
            let value = constant(value, rt);
            quote!(::core::option::Option::Some(#value))
        }
        Value::Struct(name, fields) => {
            let name = ident(name);
            let fields = fields.iter().map(|(field, value)| {
                let (field, value) = (ident(field), constant(value, rt));
                quote!(#field: #value)
            });
            quote!(#rt::answer::#name { #(#fields),* })
        }
        Value::Variant(kind, name, of) => {
            let (kind, name) = (ident(kind), ident(name));
            let of = of.as_ref().map(|value| {
                let value = constant(value, rt);
                quote!((#value))
            });
            quote!(#rt::answer::#kind::#name #of)
        }
    }
}
