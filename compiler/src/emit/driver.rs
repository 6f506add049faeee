//! The loops as Rust: one function per distinct section, and a table of steps that call them.
//!
//! Two sections are the same function if they differ only in where their tensors are: what varies is in the table. A
//! function gets the kernels as `k` and the addresses of its tensors as `p`:
//!
//! ```text
//! unsafe fn section_3(k: &[KernelFn; 9], p: &[*mut f32; 6], pool: *const Pool) {
//!     for i0 in 0..4isize {
//!         k[2](p[0].wrapping_offset(16 * i0), p[1], p[2].wrapping_offset(9216 * i0), …);
//! ```

use crate::loops::{Access, Affine, Call, For, Program, Stmt};
use cnnc_runtime::kernel::KernelId;
use cnnc_runtime::plan::Plan;
use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};
use std::collections::HashMap;

/// A program as tables and functions.
#[derive(PartialEq)]
pub(super) struct Driver {
    /// Names of the kernels, by index in `k`.
    pub kernels: Vec<&'static str>,
    /// The distinct bodies of sections.
    pub functions: Vec<Function>,
    /// For each section: its function, and `(base, offset)` of each address.
    pub steps: Vec<(usize, Vec<(usize, i64)>)>,
    /// Most addresses that a section has.
    pub places: usize,
}

/// The body of a section.
pub(super) struct Function {
    pub body: TokenStream,
    /// The body as text: what makes two the same.
    text: String,
    /// Whether it has a parallel loop.
    pub parallel: bool,
}

impl PartialEq for Function {
    fn eq(&self, other: &Function) -> bool {
        self.text == other.text
    }
}

/// Translates the program of a plan.
pub(super) fn driver(program: &Program, plan: &Plan) -> Driver {
    let (inputs, outputs) = (plan.inputs.len(), plan.outputs.len());
    let mut driver = Driver {
        kernels: Vec::new(),
        functions: Vec::new(),
        steps: Vec::new(),
        places: 1,
    };
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut kernels: HashMap<KernelId, usize> = HashMap::new();
    for section in &program.sections {
        let mut writer = Writer {
            program,
            inputs,
            outputs,
            kernels: &mut kernels,
            places: Vec::new(),
            vars: HashMap::new(),
            parallel: false,
        };
        let body = writer.body(&section.body);
        let (places, parallel) = (writer.places, writer.parallel);
        let text = body.to_string();
        driver.places = driver.places.max(places.len());
        let functions = &mut driver.functions;
        let function = *known.entry(text.clone()).or_insert_with(|| {
            functions.push(Function {
                body,
                text,
                parallel,
            });
            functions.len() - 1
        });
        driver.steps.push((function, places));
    }
    let mut rows: Vec<(KernelId, usize)> = kernels.into_iter().collect();
    rows.sort_by_key(|&(_, index)| index);
    driver.kernels = rows.iter().map(|(id, _)| id.row().name).collect();
    driver
}

struct Writer<'a> {
    program: &'a Program,
    inputs: usize,
    outputs: usize,
    kernels: &'a mut HashMap<KernelId, usize>,
    /// `(base, offset)` of each address.
    places: Vec<(usize, i64)>,
    /// Variables are numbered from 0 in each section.
    vars: HashMap<crate::loops::VarId, usize>,
    parallel: bool,
}

impl Writer<'_> {
    fn body(&mut self, body: &[Stmt]) -> TokenStream {
        body.iter()
            .map(|stmt| match stmt {
                Stmt::For(inner) => self.repeat(inner),
                Stmt::Call(call) => self.call(call),
            })
            .collect()
    }

    fn repeat(&mut self, inner: &For) -> TokenStream {
        let number = self.vars.len();
        self.vars.insert(inner.var, number);
        let var = format_ident!("i{number}");
        let body = self.body(&inner.body);
        if !inner.parallel {
            let trip = Literal::isize_suffixed(inner.trip as isize);
            return quote!(for #var in 0..#trip { #body });
        }
        self.parallel = true;
        let trip = Literal::i64_unsuffixed(i64::from(inner.trip));
        quote! {{
            unsafe extern "C" fn iterations(context: *const u8, from: i64, to: i64) {
                unsafe {
                    let (k, p) = *context.cast::<Context<'_, K, P>>();
                    for #var in from as isize..to as isize { #body }
                }
            }
            let context: Context<'_, K, P> = (k, p);
            parallel_for(pool, iterations, (&raw const context).cast(), #trip);
        }}
    }

    fn call(&mut self, call: &Call) -> TokenStream {
        let next = self.kernels.len();
        let kernel = *self.kernels.entry(call.kernel).or_insert(next);
        let kernel = Literal::usize_unsuffixed(kernel);
        let mut args: Vec<TokenStream> = call
            .args
            .iter()
            .map(|access| match access {
                Some(access) => self.pointer(access),
                None => quote!(NONE),
            })
            .collect();
        args.resize(cnnc_runtime::kernel::MAX_ARGS, quote!(NONE));
        let consts = call
            .consts
            .iter()
            .map(|&constant| Literal::i64_unsuffixed(constant));
        let count = Literal::usize_unsuffixed(call.consts.len());
        quote! {{
            static C: [i64; #count] = [#(#consts),*];
            k[#kernel](#(#args,)* C.as_ptr());
        }}
    }

    fn pointer(&mut self, access: &Access) -> TokenStream {
        let Affine { base, terms } = &access.offset;
        let place = self.program.buffers[access.buffer].place;
        let (index, start) = place.base(self.inputs, self.outputs);
        let place = (index, start as i64 + base);
        let known = self.places.iter().position(|&known| known == place);
        let index = known.unwrap_or_else(|| {
            self.places.push(place);
            self.places.len() - 1
        });
        let index = Literal::usize_unsuffixed(index);
        if terms.is_empty() {
            return quote!(p[#index]);
        }
        let terms = terms.iter().map(|(var, coefficient)| {
            let var = format_ident!("i{}", self.vars[var]);
            if *coefficient == 1 {
                return quote!(#var);
            }
            let coefficient = Literal::i64_unsuffixed(*coefficient);
            quote!(#coefficient * #var)
        });
        quote!(p[#index].wrapping_offset(#(#terms)+*))
    }
}
