//! What the user of a generated network sees: its type, its session's, its outputs'.

use super::names::Names;
use super::{Model, head, pictures};
use cnnc_runtime::plan::Port;
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

/// The three types, with everything but [`super::plans`]' `with_weights`.
pub(super) fn api(
    model: &Model,
    inputs: &[Port],
    outputs: &[Port],
    arena: usize,
    batch: usize,
) -> TokenStream {
    let Model { vis, name, rt, .. } = model;
    let (session, result) = (
        format_ident!("{name}Session", span = name.span()),
        format_ident!("{name}Outputs", span = name.span()),
    );
    let doc = model.doc.trim_end();
    let about = about(model, inputs, outputs);
    let mut names = Names::default();
    let constants = constants(model, &mut names, inputs, outputs, [arena, batch]);
    let embedded = embedded(model);
    let prepare = pictures::functions(&mut Names::default(), inputs, &model.pictures, rt);
    let (head, answer) = head::functions(&model.head, name, rt);
    let mut names = Names::default();
    if !answer.is_empty() {
        // No output can have it.
        names.function("answer");
    }
    let methods = match batch {
        1 => outputs_methods(&mut names, outputs),
        _ => {
            names.function("images");
            names.function("image");
            batch_methods(&mut names, outputs)
        }
    };
    let mut names = Names::default();
    let args: Vec<Ident> = inputs
        .iter()
        .map(|port| names.function(&port.name))
        .collect();
    let run_doc = match batch {
        1 => "Runs the network once; nothing is allocated.".to_owned(),
        _ => format!(
            "Runs the network once, on up to {batch} images that lie behind one another in each input; nothing is allocated."
        ),
    };
    let (session_doc, result_doc) = (
        format!("Runs [`{name}`]: the memory of one run."),
        format!("The outputs of one run of [`{name}`], in the spec's order."),
    );
    quote! {
        #[doc = #doc]
        #[doc = #about]
        #[derive(Clone, Debug)]
        #vis struct #name {
            network: ::std::sync::Arc<#rt::session::Network>,
        }

        impl #name {
            #constants

            /// Loads the weights from a file of any format and packs them for this machine. Tensors that the network does not read
            /// are no error here; `with_weights(&Weights::open(path)?.strict())` refuses them.
            ///
            /// # Errors
            /// When the file cannot be used: all that is wrong with it is listed.
            pub fn load(
                path: impl ::core::convert::AsRef<::std::path::Path>,
            ) -> ::core::result::Result<Self, #rt::generated::LoadError> {
                Self::with_weights(&#rt::weights::Weights::open(path)?)
            }

            /// Packs the weights of a file that is in memory.
            ///
            /// # Errors
            /// As `load`.
            pub fn from_bytes(
                bytes: impl ::core::convert::Into<::std::borrow::Cow<'static, [u8]>>,
            ) -> ::core::result::Result<Self, #rt::generated::LoadError> {
                Self::with_weights(&#rt::weights::Weights::from_bytes(bytes)?)
            }

            /// Makes weights up, always the same: for tests and for measuring.
            ///
            /// # Errors
            /// When `CNNC_ISA` asks for what this machine does not have.
            pub fn synthetic() -> ::core::result::Result<Self, #rt::generated::LoadError> {
                Self::with_weights(&#rt::weights::Weights::synthetic())
            }

            #embedded

            #prepare

            #head

            /// The instruction set that was chosen for this machine.
            pub fn isa(&self) -> #rt::Isa {
                self.network.plan().isa
            }

            /// A session with memory of its own.
            ///
            /// # Panics
            /// When there is no memory for it.
            pub fn session(&self) -> #session<'static> {
                self.session_with(1)
            }

            /// A session that shares its work among that many threads.
            ///
            /// # Panics
            /// When there is no memory for it.
            pub fn session_with(&self, threads: usize) -> #session<'static> {
                match #rt::session::Session::new(::std::sync::Arc::clone(&self.network), threads) {
                    ::core::result::Result::Ok(session) => #session { session },
                    ::core::result::Result::Err(error) => ::core::panic!("{error}"),
                }
            }

            /// A session that works in the caller's memory, of at least `ARENA_BYTES` at any alignment.
            ///
            /// # Errors
            /// When there is less.
            pub fn session_in<'a>(
                &self,
                arena: &'a mut [u8],
            ) -> ::core::result::Result<#session<'a>, #rt::session::RunError> {
                let network = ::std::sync::Arc::clone(&self.network);
                let session = #rt::session::Session::new_in(network, arena, 1)?;
                ::core::result::Result::Ok(#session { session })
            }
        }

        #[doc = #session_doc]
        #[derive(Debug)]
        #vis struct #session<'a> {
            session: #rt::session::Session<'a>,
        }

        impl #session<'_> {
            #[doc = #run_doc]
            ///
            /// # Errors
            /// When an input does not have the shape that it should.
            pub fn run(
                &mut self,
                #(#args: &(impl #rt::input::Input + ?::core::marker::Sized)),*
            ) -> ::core::result::Result<#result<'_>, #rt::session::RunError> {
                let outputs = self.session.run(&[#(&#args),*])?;
                ::core::result::Result::Ok(#result { outputs })
            }
        }

        #[doc = #result_doc]
        #[derive(Clone, Copy, Debug)]
        #vis struct #result<'s> {
            outputs: #rt::session::Outputs<'s>,
        }

        impl<'s> #result<'s> {
            #methods

            #answer
        }
    }
}

/// A table of inputs, outputs and sizes for the documentation.
fn about(model: &Model, inputs: &[Port], outputs: &[Port]) -> String {
    let mut text = String::from("\n| | name | shape |\n|---|---|---|\n");
    for (what, ports) in [("input", inputs), ("output", outputs)] {
        for port in ports {
            text += &format!("| {what} | `{}` | {} |\n", port.name, extents(port));
        }
    }
    let (parameters, macs) = (model.parameters, model.macs);
    text + &format!("\n{parameters} parameters, {macs} multiply-adds. Generated by `cnn_model!`.")
}

fn extents(port: &Port) -> String {
    let extents: Vec<String> = port.shape.iter().map(usize::to_string).collect();
    extents.join("x")
}

fn constants(
    model: &Model,
    names: &mut Names,
    inputs: &[Port],
    outputs: &[Port],
    [arena, batch]: [usize; 2],
) -> TokenStream {
    let parameters = Literal::u64_unsuffixed(model.parameters);
    let macs = Literal::u64_unsuffixed(model.macs);
    let [arena, batch] = [arena, batch].map(Literal::usize_unsuffixed);
    let mut ports = TokenStream::new();
    for (ports_of, what) in [(inputs, "input"), (outputs, "output")] {
        for port in ports_of {
            // The only input is simply the input.
            let name = match ports_of.len() {
                1 if what == "input" => what,
                _ => &port.name,
            };
            let (shape, len) = (names.constant(name, "shape"), names.constant(name, "len"));
            let rank = Literal::usize_unsuffixed(port.shape.len());
            let dims = port
                .shape
                .iter()
                .map(|&extent| Literal::usize_unsuffixed(extent));
            let elements = Literal::usize_unsuffixed(port.elements());
            let (shape_doc, len_doc) = (
                format!("Shape of {what} `{}`, channels first.", port.name),
                format!("Elements of {what} `{}`.", port.name),
            );
            ports.extend(quote! {
                #[doc = #shape_doc]
                pub const #shape: [usize; #rank] = [#(#dims),*];
                #[doc = #len_doc]
                pub const #len: usize = #elements;
            });
        }
    }
    quote! {
        /// Learned parameters.
        pub const PARAMETERS: u64 = #parameters;
        /// Multiply-adds of one run.
        pub const MACS: u64 = #macs;
        /// Bytes that a session works in, on whatever machine.
        pub const ARENA_BYTES: usize = #arena;
        /// Images that are run at once, at most.
        pub const BATCH: usize = #batch;
        #ports
    }
}

/// `embedded()`, if weights are given: they are aligned, and packed from where the binary has them.
fn embedded(model: &Model) -> Option<TokenStream> {
    let path = model.weights.as_ref()?;
    let rt = &model.rt;
    Some(quote! {
        /// Packs the weights that are part of this program.
        ///
        /// # Errors
        /// When they are not this network's, or `CNNC_ISA` asks for what this machine does not have.
        pub fn embedded() -> ::core::result::Result<Self, #rt::generated::LoadError> {
            #[repr(C, align(64))]
            struct Aligned<T: ?::core::marker::Sized>(T);
            static WEIGHTS: &Aligned<[u8]> = &Aligned(*::core::include_bytes!(#path));
            Self::from_bytes(&WEIGHTS.0)
        }
    })
}

/// Those of a network for batches: of every image, and the way to one of them.
fn batch_methods(names: &mut Names, outputs: &[Port]) -> TokenStream {
    let methods = outputs.iter().enumerate().map(|(index, port)| {
        let name = names.function(&port.name);
        let elements = Literal::usize_unsuffixed(port.elements());
        let index = Literal::usize_unsuffixed(index);
        let doc = format!("Output `{}` of each image, {}.", port.name, extents(port));
        quote! {
            #[doc = #doc]
            pub fn #name(&self) -> &'s [[f32; #elements]] {
                self.outputs.arrays(#index)
            }
        }
    });
    let methods: TokenStream = methods.collect();
    quote! {
        /// Images that the run was of.
        pub fn images(&self) -> usize {
            self.outputs.images()
        }
        /// The outputs of one image.
        ///
        /// # Panics
        /// When there are not so many.
        #[must_use]
        pub fn image(&self, index: usize) -> Self {
            Self { outputs: self.outputs.image(index) }
        }
        #methods
    }
}

fn outputs_methods(names: &mut Names, outputs: &[Port]) -> TokenStream {
    let methods = outputs.iter().enumerate().map(|(index, port)| {
        let name = names.function(&port.name);
        let elements = Literal::usize_unsuffixed(port.elements());
        let index = Literal::usize_unsuffixed(index);
        let doc = format!("Output `{}`, {}.", port.name, extents(port));
        quote! {
            #[doc = #doc]
            pub fn #name(&self) -> &'s [f32; #elements] {
                self.outputs.array(#index)
            }
        }
    });
    methods.collect()
}
