//! `cnn_model!`: from what is written in the macro to Rust, or to errors at the right tokens.

use super::inline::Inline;
use super::{Model, emit, variants};
use crate::diagnostic::{Diagnostic, Diagnostics, Files};
use crate::id::Id;
use crate::pass::optimize;
use crate::resolve::{self, TORCHVISION, compile_file, compile_source};
use crate::span::FileId;
use crate::target::Arithmetic;
use cnnc_runtime::weights::Weights;
use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::quote;
use std::path::{Path, PathBuf};

/// `pub LeNet5 = "specs/lenet5.cnn", weights = "lenet5.safetensors"`.
pub struct Invocation {
    /// Path of the facade, as the user's crate sees it.
    pub root: TokenStream,
    /// Documentation written in front.
    pub doc: Vec<String>,
    /// Visibility.
    pub vis: TokenStream,
    /// Name of the type.
    pub name: Ident,
    /// The spec.
    pub spec: Spec,
    /// The weights to embed: a path, and where it is written.
    pub weights: Option<(String, Span)>,
    /// How sums may be computed.
    pub arithmetic: Arithmetic,
    /// Images that are run at once, at most.
    pub batch: usize,
    /// Directory of the user's Cargo.toml: what paths are relative to.
    pub directory: PathBuf,
}

/// Where the spec is.
pub enum Spec {
    /// In a file.
    File(String, Span),
    /// In a string, all of a file.
    Text(String, Span),
    /// Between braces: all of a file if it begins with `cnn`, else the body of a model.
    Inline(Group),
}

impl Spec {
    /// Where it is written: the first and the last token.
    fn span(&self) -> (Span, Span) {
        match self {
            Spec::File(_, span) | Spec::Text(_, span) => (*span, *span),
            Spec::Inline(group) => (group.span_open(), group.span_close()),
        }
    }
}

/// Writes the network, or `compile_error!`s.
pub fn expand(invocation: &Invocation) -> TokenStream {
    generate(invocation).unwrap_or_else(|errors| errors.into_iter().map(error).collect())
}

/// A message between two tokens.
type Message = (Span, Span, String);

fn error((first, last, message): Message) -> TokenStream {
    // Two tokens with these spans: the compiler underlines what is between them.
    let ends = [first, last].map(|span| TokenTree::Ident(Ident::new("_cnnc", span)));
    let ends: TokenStream = ends.into_iter().collect();
    syn::Error::new_spanned(ends, message).into_compile_error()
}

fn generate(invocation: &Invocation) -> Result<TokenStream, Vec<Message>> {
    let (found, mut sources) = front(invocation)?;
    sources.extend(found.files.iter().map(|path| absolute(invocation, path)));
    let (graph, _) = optimize(&found.graph);
    let variants = variants(&graph, invocation.arithmetic, invocation.batch);
    let weights = match &invocation.weights {
        None => None,
        Some((path, span)) => {
            let path = absolute(invocation, Path::new(path));
            let bound = Weights::open(&path).map_err(|error| error.to_string());
            let bound = bound.and_then(|weights| {
                // Packing reports what else there is, when the network is loaded.
                let bound = weights.bind(&variants[0].1.plan.sources).map(|_| ());
                bound.map_err(|error| match found.is_torchvisions(&weights) {
                    true => format!("{error}\n{TORCHVISION}"),
                    false => error.to_string(),
                })
            });
            bound.map_err(|error| vec![(*span, *span, error)])?;
            Some(path)
        }
    };
    let root = &invocation.root;
    let doc = invocation.doc.iter().chain([&found.graph.doc]);
    let doc: Vec<&str> = doc
        .map(|text| text.trim())
        .filter(|text| !text.is_empty())
        .collect();
    let model = Model {
        vis: invocation.vis.clone(),
        name: invocation.name.clone(),
        rt: quote!(#root::rt),
        doc: doc.join("\n\n"),
        parameters: found.graph.parameters(),
        macs: found.graph.macs(),
        pictures: super::pictures(&found.graph),
        head: found.graph.answer_head(),
        weights,
        sources,
    };
    emit(&model, &variants).map_err(|error| {
        let (first, last) = invocation.spec.span();
        vec![(first, last, error.to_string())]
    })
}

fn absolute(invocation: &Invocation, path: &Path) -> String {
    let path = invocation.directory.join(path);
    path.to_string_lossy().into_owned()
}

/// The checked network and the spec's own file.
fn front(invocation: &Invocation) -> Result<(resolve::Model, Vec<String>), Vec<Message>> {
    let mut files = Files::default();
    let here = invocation
        .directory
        .join(format!("{}.cnn", invocation.name));
    match &invocation.spec {
        Spec::File(path, span) => {
            let path = absolute(invocation, Path::new(path));
            let model = compile_file(&path).map_err(|problems| rendered(&problems, *span))?;
            Ok((model, vec![path]))
        }
        Spec::Text(text, span) => {
            let model = compile_source(&mut files, here, text);
            let model = model.map_err(|problems| rendered(&problems, *span))?;
            Ok((model, Vec::new()))
        }
        Spec::Inline(group) => {
            let Some(inline) = Inline::new(group) else {
                let why = "a spec between braces must be written out where the macro is called"
                    .to_owned();
                let (first, last) = invocation.spec.span();
                return Err(vec![(first, last, why)]);
            };
            let whole = inline.text.trim_start().starts_with("cnn ");
            let before = if whole {
                String::new()
            } else {
                format!("cnn 1 model {} {{", invocation.name)
            };
            let after = if whole { "" } else { "}" };
            let text = format!("{before}{}{after}", inline.text);
            let model = compile_source(&mut files, here, &text).map_err(|problems| {
                let items = problems.items().iter();
                items
                    .map(|item| at_token(item, &problems, &inline, &before))
                    .collect::<Vec<_>>()
            })?;
            Ok((model, Vec::new()))
        }
    }
}

/// All diagnostics as one text, as `cnnc check` shows them.
fn rendered(problems: &Diagnostics, span: Span) -> Vec<Message> {
    vec![(
        span,
        span,
        format!("\n{}", problems.render(false).trim_end()),
    )]
}

/// A diagnostic at the tokens that it is about. `before` is what the spec's text begins with that is not written in the macro.
fn at_token(item: &Diagnostic, problems: &Diagnostics, inline: &Inline, before: &str) -> Message {
    let mut text = format!("{}: {}", item.code.id(), item.message);
    if !item.label.is_empty() {
        text += &format!("\n  {}", item.label);
    }
    // The spec itself is the first text.
    let own = item.span.filter(|span| span.file == FileId::new(0));
    let span = own.map(|span| span.range());
    let (first, last) = match span {
        Some(bytes) => inline.tokens(
            bytes.start.saturating_sub(before.len())..bytes.end.saturating_sub(before.len()),
        ),
        None => inline.tokens(0..0),
    };
    for (span, label) in &item.secondary {
        let slice = problems.files().slice(*span);
        text += &format!("\n  `{}`: {label}", slice.trim());
    }
    for note in &item.notes {
        text += &format!("\nnote: {note}");
    }
    for help in &item.help {
        text += &format!("\nhelp: {help}");
    }
    for fix in &item.fixes {
        text += &format!("\nhelp: {}", fix.message);
        let applied = problems.applied(fix);
        for line in applied.strip_prefix(before).unwrap_or(&applied).lines() {
            text += &format!("\n  {}", line.trim_end());
        }
    }
    (first, last, text)
}
