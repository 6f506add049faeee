//! `init "net.safetensors" except "classifier.*"   freeze "conv1"   schedule { unfreeze "conv1" at 5 }   keep best loss   stop after 10`

use super::clauses::SPARED;
use super::section::{Bounds, Section, arguments, word};
use super::{Reported, Resolver, Result};
use crate::ast::{Spanned, Term};
use crate::diagnostic::{Diagnostic, codes};
use crate::layer::{Args, Kind, Literal, ParamDecl};
use crate::span::Span;
use crate::tuning::{Init, Keep, Start, Tuning, Unfreeze, matching};

/// A clause that is words with values: the first is its name.
#[derive(Debug)]
pub struct PhraseDecl {
    /// As it is written.
    pub form: &'static str,
    /// What may be said.
    pub keys: &'static [ParamDecl],
    /// What it means.
    pub doc: &'static str,
}

impl PhraseDecl {
    fn name(&self) -> &'static str {
        self.keys[0].name
    }
}

const INIT: &[ParamDecl] = &[
    key(
        "init",
        Kind::Strings,
        "The weights that tensors begin with.",
    ),
    key("except", Kind::Tensors, "Tensors that begin at random."),
];
const START: &[ParamDecl] = &[key("start", Kind::Flag, "What tensors begin with.")];
const SET: &[ParamDecl] = &[
    key(
        "set",
        Kind::Tensors,
        "Tensors all of whose numbers begin as one.",
    ),
    key("to", Kind::Float, "The number."),
];
const FREEZE: &[ParamDecl] = &[key(
    "freeze",
    Kind::Tensors,
    "Tensors that stay as they are.",
)];
const UNFREEZE: &[ParamDecl] = &[
    key(
        "unfreeze",
        Kind::Tensors,
        "Frozen tensors that are trained after all.",
    ),
    key("at", Kind::Int, "Epochs that are done before."),
    key("rate", Kind::Float, "The rate from then on."),
];
const SCHEDULE: &[ParamDecl] = &[key("schedule", Kind::Flag, "What changes with time.")];
const KEEP: &[ParamDecl] = &[
    key("keep", Kind::Flag, "Which epoch is kept."),
    key("best", Kind::Word(&Keep::NAMES), "What it is best in."),
];
const STOP: &[ParamDecl] = &[
    key("stop", Kind::Flag, "When a run stops."),
    key("after", Kind::Int, "Epochs without a better one."),
];

/// Every clause of this kind.
pub static PHRASES: &[PhraseDecl] = &[
    PhraseDecl {
        form: "init \"FILE\" except \"classifier.*\"",
        keys: INIT,
        doc: "Tensors begin with those of the file, which lies beside the spec; what `except` names begins at random.",
    },
    PhraseDecl {
        form: "start { set \"out.weight\" to -1 }",
        keys: START,
        doc: "All numbers of these tensors begin as that one, in place of what they begin with otherwise.",
    },
    PhraseDecl {
        form: "freeze \"conv1\" \"layer1.*\"",
        keys: FREEZE,
        doc: "Tensors that stay as they are. A norm all of whose tensors are frozen uses its running statistics, and keeps them.",
    },
    PhraseDecl {
        form: "schedule { unfreeze \"layer1.*\" at 5 rate 0.01 }",
        keys: SCHEDULE,
        doc: "Behind so many epochs frozen tensors are trained after all, with an optimiser that begins anew. With a rate, its curve begins anew too, without warm-up, and that of the rate before ends there.",
    },
    PhraseDecl {
        form: "keep best accuracy",
        keys: KEEP,
        doc: "Which epoch `weights.safetensors` is of: with `accuracy` (as without the clause) the one with most test samples right, with `loss` the one with the least mean loss of the training samples.",
    },
    PhraseDecl {
        form: "stop after 10",
        keys: STOP,
        doc: "The run stops behind so many epochs that were no better than the best.",
    },
];

/// The clause of that name.
pub(super) fn find(word: &str) -> Option<&'static PhraseDecl> {
    PHRASES.iter().find(|phrase| phrase.name() == word)
}

/// A pattern as it is written, held against the network's tensors once they are there.
pub(super) struct Pattern {
    text: String,
    span: Span,
    /// Whether it must be of something that `freeze` names.
    thaws: bool,
}

impl<'a> Resolver<'a> {
    /// Reads a clause of this kind.
    pub(super) fn phrase(
        &mut self,
        section: &mut Section,
        decl: &'static PhraseDecl,
        terms: &'a [Term],
        settings: Option<&'a [Term]>,
    ) {
        let name = decl.name();
        let span = terms[0].span.to(terms[terms.len() - 1].span);
        if !["schedule", "start"].contains(&name)
            && let Some(first) = settings.and_then(<[Term]>::first)
        {
            let message = format!("`{name}` has no settings: the form is `{}`", decl.form);
            self.error(Diagnostic::new(codes::UNKNOWN_SETTING, first.span, message));
            return;
        }
        let Ok((given, failed)) = self.read_keys(name, decl.keys, terms) else {
            return;
        };
        if failed {
            return;
        }
        let args = arguments(given);
        let tuning = &mut section.recipe.tuning;
        match name {
            "init" => {
                let except = args.get("except").map(items).unwrap_or_default();
                if let Some(file) = args.get("init") {
                    tuning.init = self.init(file, &except);
                }
                self.watch(&except, false);
            }
            "freeze" => {
                let patterns = args.get("freeze").map(items).unwrap_or_default();
                tuning.freeze = texts(&patterns);
                self.watch(&patterns, false);
            }
            "schedule" => {
                self.each_of(decl, "unfreeze", span, settings, |this, terms| {
                    this.unfreeze(tuning, decl, terms)
                });
                tuning.unfreeze.sort_by_key(|unfreeze| unfreeze.at);
            }
            "start" => self.each_of(decl, "set", span, settings, |this, terms| {
                this.start(tuning, decl, terms)
            }),
            "keep" => match args.word("best") {
                Some(best) => tuning.keep = Keep::find(best).unwrap_or_default(),
                None => self.incomplete_phrase(decl, span),
            },
            _ => match args.get("after") {
                Some(_) => tuning.stop = self.count(&args, "after"),
                None => self.incomplete_phrase(decl, span),
            },
        }
    }

    fn incomplete_phrase(&mut self, decl: &PhraseDecl, span: Span) {
        let message = format!("`{}` is not all of it", self.quoted(span));
        let problem = Diagnostic::new(codes::NO_VALUE, span, message);
        self.error(problem.help(format!("the form is `{}`", decl.form)));
    }

    fn init(&mut self, file: &Spanned<Literal>, except: &[Spanned<String>]) -> Option<Init> {
        let Literal::Str(name) = &file.value else {
            let message = "`init` takes one file";
            let problem = Diagnostic::new(codes::ARGUMENT, file.span, message);
            self.error(problem.help(format!("the form is `{}`", PHRASES[0].form)));
            return None;
        };
        Some(Init {
            file: self.files.resolve(file.span.file, name),
            except: texts(except),
        })
    }

    /// Settings that begin with a word each, as often as it stands there.
    fn each_of(
        &mut self,
        decl: &'static PhraseDecl,
        begin: &str,
        span: Span,
        settings: Option<&'a [Term]>,
        mut read: impl FnMut(&mut Self, &'a [Term]) -> Result<()>,
    ) {
        let settings = settings.unwrap_or_default();
        let begins = |at: usize| word(&settings[at]) == Some(begin);
        let starts: Vec<usize> = (0..settings.len())
            .filter(|&at| at == 0 || begins(at))
            .collect();
        if starts.is_empty() {
            self.incomplete_phrase(decl, span);
        }
        for (index, &start) in starts.iter().enumerate() {
            let end = starts.get(index + 1).copied().unwrap_or(settings.len());
            if read(self, &settings[start..end]).is_err() {
                return;
            }
        }
    }

    /// `unfreeze … at … rate …`
    fn unfreeze(
        &mut self,
        tuning: &mut Tuning,
        decl: &'static PhraseDecl,
        terms: &'a [Term],
    ) -> Result<()> {
        let args = arguments(self.keys("schedule", UNFREEZE, terms)?);
        let patterns = args.get("unfreeze").map(items).unwrap_or_default();
        if args.get("at").is_none() || patterns.is_empty() {
            let span = terms[0].span.to(terms[terms.len() - 1].span);
            self.incomplete_phrase(decl, span);
            return Err(Reported);
        }
        self.watch(&patterns, true);
        let rate = self.number(&args, "rate", &Bounds::Positive);
        if let Some(at) = self.count(&args, "at") {
            tuning.unfreeze.push(Unfreeze {
                patterns: texts(&patterns),
                at,
                rate,
            });
        }
        Ok(())
    }

    /// `set … to …`
    fn start(
        &mut self,
        tuning: &mut Tuning,
        decl: &'static PhraseDecl,
        terms: &'a [Term],
    ) -> Result<()> {
        let args = arguments(self.keys("start", SET, terms)?);
        let patterns = args.get("set").map(items).unwrap_or_default();
        if args.get("to").is_none() || patterns.is_empty() {
            let span = terms[0].span.to(terms[terms.len() - 1].span);
            self.incomplete_phrase(decl, span);
            return Err(Reported);
        }
        self.watch(&patterns, false);
        if let Some(value) = self.number(&args, "to", &Bounds::Any) {
            tuning.start.push(Start {
                patterns: texts(&patterns),
                value,
            });
        }
        Ok(())
    }

    /// What `except` of an optimiser names beside biases and norms, which never decay.
    pub(super) fn spared(&mut self, args: &Args) -> Vec<String> {
        let mut named = args.get("except").map(items).unwrap_or_default();
        named.retain(|name| !SPARED.contains(&name.value.as_str()));
        self.watch(&named, false);
        texts(&named)
    }

    /// Patterns that must be of tensors.
    pub(super) fn watch(&mut self, patterns: &[Spanned<String>], thaws: bool) {
        let patterns = patterns.iter().map(|pattern| Pattern {
            text: pattern.value.clone(),
            span: pattern.span,
            thaws,
        });
        self.patterns.extend(patterns);
    }

    /// Holds patterns against the network that the spec came to.
    pub(super) fn tuning_fits(&mut self) {
        let patterns = std::mem::take(&mut self.patterns);
        let Some(recipe) = self.recipe.as_ref().filter(|_| !self.incomplete) else {
            return;
        };
        let tuning = recipe.tuning.clone();
        let epochs = recipe.epochs;
        let frozen = tuning.frozen(&self.graph, 0);
        for Pattern { text, span, thaws } in &patterns {
            if self.spend(self.graph.order.len()).is_err() {
                return;
            }
            let found = matching(&self.graph, text);
            if found.is_empty() {
                self.no_such_tensors(text, *span);
            } else if *thaws
                && !found
                    .iter()
                    .any(|id| frozen.contains(&self.graph.params[*id].name))
            {
                let message = format!("`{text}` is frozen by nothing");
                let problem = Diagnostic::new(codes::ARGUMENT, *span, message);
                self.error(problem.help("`freeze` names what stays as it is at first"));
            }
        }
        let all = !frozen.is_empty() && {
            let ids = self.graph.live().flat_map(|(_, node)| &node.params);
            let mut params = ids.map(|id| &self.graph.params[*id]);
            params.all(|param| !param.learned || frozen.contains(&param.name))
        };
        let mut of_freeze = patterns
            .iter()
            .filter(|pattern| tuning.freeze.contains(&pattern.text));
        if let Some(last) = of_freeze.next_back().filter(|_| all) {
            let message = "everything is frozen: nothing is left to train";
            let problem = Diagnostic::new(codes::ARGUMENT, last.span, message);
            let help = "leave out the layers that are to learn, for example the last one";
            self.error(problem.help(help));
        }
        let late = tuning
            .unfreeze
            .iter()
            .find(|of| epochs.is_some_and(|epochs| of.at >= epochs));
        if let (Some(late), Some(epochs)) = (late, epochs) {
            let first = late.patterns.first();
            let span = patterns
                .iter()
                .find(|pattern| pattern.thaws && Some(&pattern.text) == first);
            if let Some(pattern) = span {
                let message = format!(
                    "behind epoch {} of {epochs} nothing is trained any more",
                    late.at
                );
                self.error(Diagnostic::new(codes::ARGUMENT, pattern.span, message));
            }
        }
    }

    fn no_such_tensors(&mut self, text: &str, span: Span) {
        let params = self.graph.live().flat_map(|(_, node)| &node.params);
        let mut names: Vec<String> = params
            .map(|id| self.graph.params[*id].name.clone())
            .collect();
        let layers: Vec<String> = names
            .iter()
            .filter_map(|name| Some(name.rsplit_once('.')?.0.to_owned()))
            .collect();
        // A dotted name is meant as a tensor's, another as a layer's.
        names.extend(layers);
        names.sort_unstable();
        names.dedup();
        let message = format!("no tensor and no layer is called `{text}`");
        let problem = Diagnostic::new(codes::UNKNOWN_TENSOR, span, message);
        let quoted = self.files.slice(span).starts_with('"');
        let at = match quoted {
            true => Span {
                start: span.start + 1,
                end: span.end - 1,
                ..span
            },
            false => span,
        };
        let problem = self.suggest(problem, text, at, "tensors and layers", &names);
        self.error(problem.help("`*` stands for anything: `\"layer1.*\"`"));
    }
}

/// Values of a list of tensors, with where they are written.
fn items(list: &Spanned<Literal>) -> Vec<Spanned<String>> {
    let items = list.value.as_items().iter();
    let text = |item: &Spanned<Literal>| match &item.value {
        Literal::Str(text) => Some(Spanned {
            value: text.clone(),
            span: item.span,
        }),
        _ => None,
    };
    items.filter_map(text).collect()
}

fn texts(patterns: &[Spanned<String>]) -> Vec<String> {
    patterns
        .iter()
        .map(|pattern| pattern.value.clone())
        .collect()
}

const fn key(name: &'static str, kind: Kind, doc: &'static str) -> ParamDecl {
    ParamDecl {
        name,
        kind,
        positional: false,
        default: None,
        doc,
    }
}
