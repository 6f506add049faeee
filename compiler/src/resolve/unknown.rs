//! Words that are nothing here: what was meant, or what another framework calls so.

use super::habit::{habit, unknown};
use super::{Reported, Resolver};
use crate::ast::{Name, Term, TermKind};
use crate::diagnostic::{Diagnostic, codes};
use crate::foreign;
use crate::frameworks::{self, Foreign, Framework, Ours};
use crate::head;
use crate::layer::{self, Decl, Kind, LAYERS};
use crate::span::Span;
use crate::words;

/// Where a name of another framework stands.
pub(super) enum Spot<'t> {
    /// A word, with the terms behind it; whether it is alone in its chain.
    Word(&'t [Term], bool),
    /// A call in a chain; whether the chain begins with it.
    Call { begins: bool },
    /// A call among the operands of another.
    Operand,
}

/// Most bytes of a call that are read.
const CALL: usize = 4096;

impl Resolver<'_> {
    /// A word in a chain that is no layer, block or tensor.
    pub(super) fn unknown_word(
        &mut self,
        word: &str,
        span: Span,
        terms: &[Term],
        at: usize,
    ) -> Reported {
        if self.program.is_lost(word) {
            return Reported;
        }
        let called = matches!(terms[at].kind, TermKind::Call(..));
        let before = layer_before(&terms[..at]);
        if let Some(problem) = habit(word, span, terms, at, before) {
            return self.error(problem);
        }
        if let Some(later) = self.value_further_down(word, span) {
            let problem = unknown(word, span).also(later, "it has its value from here on");
            return self.error(problem);
        }
        let params = before.filter(|_| !called).map_or(Vec::new(), takes);
        let meant = frameworks::ours(word).find(|ours| params.contains(ours));
        let mut problem = match (meant, self.foreign_row(word, terms, at)) {
            (None, Some(row)) => {
                let place = match called {
                    true => Spot::Call { begins: at == 0 },
                    false => Spot::Word(&terms[at + 1..], terms.len() == 1),
                };
                let problem = self.foreign_layer(row, word, span, place);
                return self.error(problem);
            }
            (Some(ours), _) => unknown(word, span).fix(did_you_mean(ours), span, ours),
            (None, None) => self.nearest_word(word, span, called, params),
        };
        if let Some(decl) = before.filter(|decl| !decl.params.is_empty()) {
            let params: Vec<&str> = decl.params.iter().map(|param| param.name).collect();
            let (keyword, params) = (decl.keyword, words::list(&params));
            problem = problem.note(format!("parameters of `{keyword}`: {params}"));
        }
        self.error(problem)
    }

    /// The nearest of all that could stand there, or what there is.
    fn nearest_word(
        &mut self,
        word: &str,
        span: Span,
        called: bool,
        params: Vec<&str>,
    ) -> Diagnostic {
        let mut near: Vec<String> = params.into_iter().map(str::to_owned).collect();
        near.extend(self.variables.names().map(str::to_owned));
        near.extend(self.program.block_names().map(str::to_owned));
        near.extend(self.shared.iter().map(|net| net.name.value.clone()));
        near.extend(LAYERS.iter().map(|decl| decl.keyword.to_owned()));
        if !called {
            near.extend(self.tensors.keys().cloned());
        }
        let known: Vec<&str> = near.iter().map(String::as_str).collect();
        self.charge(words::effort(word, known.iter().copied()));
        let problem = unknown(word, span);
        if let Some(name) = words::nearest(word, &known) {
            return problem.fix(did_you_mean(name), span, name);
        }
        let mut layers: Vec<&str> = LAYERS.iter().map(|decl| decl.keyword).collect();
        layers.sort_unstable();
        let problem = problem.note(format!("layers: {}", words::list(&layers)));
        let mut blocks: Vec<&str> = self.program.block_names().collect();
        blocks.sort_unstable();
        match blocks.is_empty() {
            true => problem,
            false => problem.note(format!("blocks: {}", words::list(&blocks))),
        }
    }

    /// What another framework calls so, in a chain.
    fn foreign_row(&self, word: &str, terms: &[Term], at: usize) -> Option<&'static Foreign> {
        let row = frameworks::layer(word, None)?;
        let valued = matches!(
            terms.get(at + 1).map(|term| &term.kind),
            Some(TermKind::Value(_))
        );
        let alone = matches!(terms[at].kind, TermKind::Word(_));
        let mut rows = frameworks::layers(word).iter().copied();
        let nothing = |row: &&Foreign| matches!(row.ours, Ours::Nothing(_));
        if nothing(&row) && valued && alone {
            return rows.find(|row| row.keyword().is_some()).or(Some(row));
        }
        // `linear`: a dense layer says how many outputs it has, an activation says nothing.
        if needs(row.keyword().and_then(layer::find)) && !valued && alone {
            return rows.rfind(nothing).or(Some(row));
        }
        Some(row)
    }

    /// A layer by the name that it has in another framework.
    pub(super) fn foreign_layer(
        &self,
        row: &'static Foreign,
        word: &str,
        name: Span,
        place: Spot<'_>,
    ) -> Diagnostic {
        let problem = |message: String| {
            let problem = Diagnostic::new(codes::UNKNOWN_WORD, name, message);
            match row.framework {
                Framework::Common => problem,
                framework => problem.label(format!("a name of {framework}")),
            }
        };
        let called = !matches!(place, Spot::Word(..));
        let call = match called {
            true => self.foreign_call(name),
            false => None,
        };
        match row.ours {
            Ours::Layer(text) => {
                let keyword = row.keyword().unwrap_or(text);
                let decl = layer::find(keyword);
                if let Some((Err(Some(why)), _)) = &call {
                    return problem(why.clone()).note(format!("without it, this is `{keyword}`"));
                }
                let problem = problem(format!("`{word}` is called `{keyword}` here"));
                let example =
                    example(row, keyword).map(|(theirs, ours)| format!("`{theirs}` is `{ours}`"));
                let problem = example.into_iter().fold(problem, Diagnostic::note);
                let replaced = match place {
                    Spot::Word(..) => true,
                    Spot::Operand => decl.is_some_and(|decl| decl.operands.1 > 1),
                    Spot::Call { .. } => false,
                };
                match (call, place) {
                    (Some((Ok(chain), span)), Spot::Call { begins }) => {
                        match self.going_on(&chain, decl, begins) {
                            Some(text) => problem.fix("the same layer here", span, text),
                            None => problem,
                        }
                    }
                    (_, Spot::Word(behind, _)) if text.contains("groups channels") => {
                        self.depthwise(problem, text, name, behind)
                    }
                    (_, Spot::Word([], _)) if needs(decl) => {
                        // Alone it is what its own defaults make of it, if it has them.
                        match foreign::translate_on(&format!("{word}()"), row.framework) {
                            Some(text) => problem.fix("the same layer here", name, text),
                            None => problem.fix(did_you_mean(keyword), name, with_words(text)),
                        }
                    }
                    _ if replaced => problem.fix(did_you_mean(keyword), name, with_words(text)),
                    _ => problem,
                }
            }
            Ours::Write(text) => {
                let text =
                    match separable(word, call.as_ref().map(|(_, span)| self.files.slice(*span))) {
                        Some(layers) => layers,
                        None => text.to_owned(),
                    };
                problem(format!("`{word}` is no layer here")).help(format!("write {text}"))
            }
            Ours::Nothing(why) => {
                let problem = problem(format!("`{word}` is no layer here"));
                // What a value behind it says would be left.
                let valued = matches!(
                    place,
                    Spot::Word(
                        [
                            Term {
                                kind: TermKind::Value(_) | TermKind::Stride(_),
                                ..
                            },
                            ..
                        ],
                        _
                    )
                );
                let whole = match place {
                    Spot::Word(_, alone) => (!alone && !valued).then_some(name),
                    _ => call.map(|(_, span)| span),
                };
                match whole {
                    Some(span) => problem.fix(format!("leave it out: {why}"), span, ""),
                    None => problem.help(format!("leave it out: {why}")),
                }
            }
            Ours::Missing(what) => problem(format!("there is no layer for `{word}`"))
                .note(format!("not supported yet: {what}")),
        }
    }

    /// The call of that name as a chain, and the place of all of it.
    fn foreign_call(&self, name: Span) -> Option<(Result<foreign::Chain, foreign::Untold>, Span)> {
        let text = &self.files.text(name.file)[name.start as usize..];
        let text = &text[..text.floor_char_boundary(CALL)];
        let (chain, length) = foreign::translate_start(text)?;
        let start = name.start as usize;
        Some((chain, Span::new(name.file, start..start + length)))
    }

    /// The chain that goes on from what the call is on; `None` if it cannot go on from there.
    fn going_on(
        &self,
        chain: &foreign::Chain,
        decl: Option<&Decl>,
        begins: bool,
    ) -> Option<String> {
        if decl.is_some_and(|decl| decl.operands.1 > 1) {
            return Some(chain.text.clone());
        }
        match chain.on.as_slice() {
            [] => Some(chain.text.clone()),
            [on] => match self.find_tensor(on) {
                Some(tensor) if Some(tensor) == self.current => Some(chain.text.clone()),
                Some(_) if begins => Some(format!("{on} {}", chain.text)),
                // What frameworks call what goes through all layers.
                None if on == "x" => Some(chain.text.clone()),
                _ => None,
            },
            _ => None,
        }
    }

    /// `dwconv 3x3 8`: the kernel stands behind the name, and channels behind it, which are as many as before.
    fn depthwise(
        &self,
        problem: Diagnostic,
        text: &str,
        name: Span,
        behind: &[Term],
    ) -> Diagnostic {
        let keyword = text.split(' ').next().unwrap_or(text);
        let value = |at: usize| match behind.get(at) {
            Some(term) if matches!(term.kind, TermKind::Value(_)) => Some(term.span),
            _ => None,
        };
        match value(0) {
            Some(kernel) => {
                let written = self.files.slice(kernel);
                let fix = format!("{keyword} {written} channels groups channels");
                let whole = name.to(value(1).unwrap_or(kernel));
                problem.fix(format!("did you mean `{fix}`?"), whole, fix.clone())
            }
            None => problem.help(format!("write `{keyword} 3x3 channels groups channels`")),
        }
    }

    /// A head that there is not.
    pub(super) fn unknown_head(&mut self, name: &Name) -> Reported {
        let word = name.value.as_str();
        let problem = Diagnostic::new(codes::HEAD, name.span, format!("there is no head `{word}`"));
        let known: Vec<&str> = head::HEADS.iter().map(|head| head.keyword).collect();
        let heads = format!("heads: {}", words::list(&known));
        let problem = match frameworks::head(word) {
            None => problem.suggest(word, name.span, "heads", known),
            Some((_, "", what)) => problem
                .note(heads)
                .note(format!("not supported yet: {what}"))
                .help("without a head, `cnnc run --raw FILE` writes what the network computes"),
            Some((_, ours, _)) => {
                let problem = problem.note(heads);
                problem.fix(did_you_mean(ours), name.span, *ours)
            }
        };
        self.error(problem)
    }
}

/// The two layers of a separable convolution, with the numbers of the call.
fn separable(word: &str, call: Option<&str>) -> Option<String> {
    let call = call.filter(|_| word.to_lowercase().contains("separable"))?;
    let plain = call.replacen("Separable", "", 1);
    let chain = foreign::translate(&plain)?;
    let mut words = chain.splitn(4, ' ');
    let (keyword, kernel, out) = (words.next()?, words.next()?, words.next()?);
    let rest = words
        .next()
        .map_or(String::new(), |rest| format!(" {rest}"));
    // Strides and padding are those of the first, a bias and an activation those of the second.
    let ones = vec!["1"; kernel.split('x').count()].join("x");
    match rest.is_empty() {
        true => Some(format!(
            "two layers: `{keyword} {kernel} channels groups channels bias off`, then `{keyword} {ones} {out}`"
        )),
        false => Some(format!(
            "two layers: `{keyword} {kernel} channels groups channels bias off`, then `{keyword} {ones} {out}`; of `{}`, stride and padding belong to the first, the rest to the second",
            rest.trim()
        )),
    }
}

fn did_you_mean(name: &str) -> String {
    format!("did you mean `{name}`?")
}

/// The layer that the terms behind it belong to: `conv` of `relu conv 3x3 8 pad 1`, where `pad` is a parameter.
pub(super) fn layer_before(terms: &[Term]) -> Option<&'static Decl> {
    terms.iter().fold(None, |before: Option<&Decl>, term| {
        let (TermKind::Word(word) | TermKind::Call(Name { value: word, .. }, _)) = &term.kind
        else {
            return before;
        };
        let is_param = |decl: &Decl| decl.params.iter().any(|param| param.name == word);
        match before.is_some_and(is_param) {
            true => before,
            false => layer::find(word).or(before),
        }
    })
}

/// Names of parameters, and words that are values of one.
fn takes(decl: &Decl) -> Vec<&'static str> {
    let params: &'static [layer::ParamDecl] = decl.params;
    let words = params.iter().flat_map(|param| match param.kind {
        Kind::Word(words) => words,
        _ => &[],
    });
    params
        .iter()
        .map(|param| param.name)
        .chain(words.copied())
        .collect()
}

/// Whether a layer has parameters that must be written.
fn needs(decl: Option<&Decl>) -> bool {
    decl.is_some_and(|decl| decl.params.iter().any(|param| param.default.is_none()))
}

/// A call of a framework and the chain that it is, of a layer that has parameters.
fn example(row: &'static Foreign, keyword: &str) -> Option<(&'static str, String)> {
    layer::find(keyword).filter(|decl| !decl.params.is_empty())?;
    let alike = frameworks::FOREIGN
        .iter()
        .filter(|other| other.ours == row.ours);
    let rows = std::iter::once(row).chain(alike);
    rows.flat_map(Foreign::examples).next()
}

/// The keyword with those parameters of the row that are words, which may stand before all others: `flatten spatial`.
fn with_words(text: &str) -> String {
    let mut parts = text.split(' ');
    let mut written = parts.next().unwrap_or(text).to_owned();
    let decl = layer::find(&written);
    while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
        let param = decl.and_then(|decl| decl.params.iter().find(|param| param.name == name));
        if param.is_some_and(|param| matches!(param.kind, Kind::Word(_))) {
            written += &format!(" {value}");
        }
    }
    written
}
