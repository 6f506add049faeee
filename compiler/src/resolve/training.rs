//! `train { optimizer sgd { momentum 0.9 }  rate 0.1 { warmup 1 cosine }  batch 64 }`

mod augment;
mod data;
mod rate;

use super::args::Given;
use super::clauses::{self, CLAUSES, ClauseDecl, LATER_LOSSES, OPTIMIZERS};
use super::section::{Bounds, LossPlaces, Section, arguments, word};
use super::tuning::PHRASES;
use super::{Reported, Resolver, tuning};
use crate::ast::{Clause, Spanned, Term};
use crate::diagnostic::{Diagnostic, codes};
use crate::id::ValueId;
use crate::layer::{Args, Kind, Literal, ParamDecl};
use crate::loss;
use crate::recipe::{Loss, Method, Optimizer, Recipe};
use crate::span::Span;
use crate::words;
use std::slice;

/// As many as `--threads` takes.
const MOST_THREADS: usize = 1024;

impl<'a> Resolver<'a> {
    /// What the lines of a section say, over every mistake, and where its loss is written.
    pub(super) fn training(&mut self, lines: &'a [Clause]) -> (Recipe, LossPlaces) {
        let mut section = Section::default();
        for line in lines {
            let terms = line.terms.as_slice();
            let mut at = 0;
            while at < terms.len() {
                // `keep best loss`: a word that is a value is no clause.
                let kept = word(&terms[at]) == Some("keep");
                let begins = |&next: &usize| {
                    let value = kept && next == at + 2;
                    !value && word(&terms[next]).is_some_and(is_clause)
                };
                let end = (at + 1..terms.len()).find(begins).unwrap_or(terms.len());
                if self.spend(end - at).is_err() {
                    return (section.recipe, section.loss);
                }
                let settings = line.settings.as_deref().filter(|_| end == terms.len());
                self.clause(&mut section, &terms[at..end], settings);
                at = end;
            }
        }
        self.warmup_fits(&section);
        self.steps_fit(&section);
        (section.recipe, section.loss)
    }

    /// A word with what belongs to it.
    fn clause(&mut self, section: &mut Section, terms: &'a [Term], settings: Option<&'a [Term]>) {
        let head = &terms[0];
        if let Some(phrase) = word(head).and_then(tuning::find) {
            if self.is_first(section, phrase.keys[0].name, head.span) {
                self.phrase(section, phrase, terms, settings);
            }
            return;
        }
        let Some(decl) = word(head).and_then(clauses::find) else {
            self.no_clause(head);
            return;
        };
        let name = decl.value.name;
        if !self.is_first(section, name, head.span) {
            return;
        }
        match name {
            "augment" => return self.augment(section, terms, settings),
            "data" => return self.data(section, terms, settings),
            _ => {}
        }
        if let Some(more) = terms.get(2) {
            let text = self.quoted(more.span);
            let message = format!("`{name}` takes one value: `{text}` is too much");
            self.error(Diagnostic::new(codes::UNEXPECTED, more.span, message));
        }
        if let Some(loss) = terms.get(1).filter(|_| name == "loss")
            && let Some(word) = word(loss).filter(|word| LATER_LOSSES.contains(word))
        {
            let message = format!("this version has no loss `{word}` yet");
            let problem = Diagnostic::new(codes::NOT_YET, loss.span, message);
            let there = format!("there are {}", words::list(&loss::NAMES));
            let command =
                format!("`cnnc {word}` gives a picture the style of another, by any network");
            self.error(problem.help(there).help(command));
            return;
        }
        let value = slice::from_ref(&decl.value);
        let Ok(value) = self.read_keys("train", value, &terms[..terms.len().min(2)]) else {
            return;
        };
        let mut args = arguments(value.0);
        let written = args.word(name);
        let keys = match name {
            "optimizer" => written.and_then(Method::find).and_then(constants),
            "loss" => written.and_then(loss::find).map(|loss| loss.settings),
            _ => Some(decl.settings),
        };
        let owner = match written {
            Some(_) if keys.is_some() && decl.settings.is_empty() => self.quoted(terms[1].span),
            _ => name.to_owned(),
        };
        // Without its method, nothing is known of what belongs to an optimiser, and so with a loss.
        let known = keys.is_some();
        let keys = keys.unwrap_or(&[]);
        if let Some(settings) = settings.filter(|_| known) {
            args.given.extend(self.settings_of(&owner, keys, settings));
        }
        self.fill(section, decl, &args);
    }

    fn is_first(&mut self, section: &mut Section, name: &'static str, span: Span) -> bool {
        let first = section.clauses.iter().find(|(known, _)| *known == name);
        if let Some(&(_, first)) = first {
            let message = format!("`{name}` stands twice in `train`");
            let problem = Diagnostic::new(codes::GIVEN_TWICE, span, message);
            self.error(problem.also(first, "the first is here"));
            return false;
        }
        section.clauses.push((name, span));
        true
    }

    fn settings_of(
        &mut self,
        owner: &str,
        keys: &'static [ParamDecl],
        settings: &'a [Term],
    ) -> Given {
        if let (Some(first), Some(last), true) =
            (settings.first(), settings.last(), keys.is_empty())
        {
            let message = format!("`{owner}` has no settings");
            let span = first.span.to(last.span);
            self.error(Diagnostic::new(codes::UNKNOWN_SETTING, span, message));
            return Given::new();
        }
        let read = self.read_keys(owner, keys, settings);
        read.map_or(Given::new(), |(given, _)| arguments(given).given)
    }

    /// Takes over what a clause says.
    fn fill(&mut self, section: &mut Section, decl: &ClauseDecl, args: &Args) {
        let recipe = &mut section.recipe;
        match decl.value.name {
            "optimizer" => {
                let method = args.word("optimizer").and_then(Method::find);
                recipe.optimizer = method.map(|method| self.optimizer(method, args));
                recipe.tuning.spared = self.spared(args);
            }
            "rate" => self.rate(section, args),
            "clip" => recipe.clip = self.clip(args),
            "batch" => {
                recipe.batch = self.count(args, "batch");
                recipe.each = self.count(args, "each");
                recipe.alike = self.number(args, "alike", &Bounds::Share);
                let read = [
                    ("each", recipe.each.is_some()),
                    ("alike", recipe.alike.is_some()),
                ];
                for (name, _) in read.into_iter().filter(|(_, read)| *read) {
                    let span = args.get(name).map(|value| value.span);
                    section.loss.extend(span.map(|span| (name, span)));
                }
            }
            "epochs" => recipe.epochs = self.count(args, "epochs"),
            "threads" => recipe.threads = self.threads(args),
            "seed" => {
                let seed = self.number(args, "seed", &Bounds::NotNegative);
                recipe.seed = seed
                    .and(args.get("seed"))
                    .and_then(|seed| match seed.value {
                        Literal::Int(seed) => u64::try_from(seed).ok(),
                        _ => None,
                    });
            }
            _ => {
                let first = section.clauses.last().map(|(_, span)| ("loss", *span));
                section.loss.extend(first);
                let written = args.given.iter();
                section
                    .loss
                    .extend(written.map(|(name, value)| (*name, value.span)));
                let loss = self.loss(args);
                section.recipe.loss = loss;
            }
        }
    }

    fn loss(&mut self, args: &Args) -> Option<Loss> {
        let decl = args.word("loss").and_then(loss::find)?;
        let mut loss = Loss::new(decl.name);
        for setting in decl.settings {
            let Some(given) = args.get(setting.name) else {
                continue;
            };
            let numbers = match setting.kind {
                Kind::Series => {
                    let items = given.value.as_items().iter();
                    let number = |item: &Spanned<Literal>| {
                        let number = item.value.as_number()?;
                        self.bounded(setting.name, number, item.span, &Bounds::NotNegative)
                    };
                    items.map(number).collect::<Option<Vec<f64>>>()?
                }
                // The word's place among those that there are.
                Kind::Word(words) => {
                    let word = args.word(setting.name)?;
                    let place = words.iter().position(|known| *known == word)?;
                    vec![place as f64]
                }
                _ => {
                    let bounds = match setting.name {
                        "smooth" => Bounds::Share,
                        _ => Bounds::NotNegative,
                    };
                    vec![self.number(args, setting.name, &bounds)?]
                }
            };
            loss.settings.push((setting.name, numbers));
        }
        Some(loss)
    }

    /// Holds the loss of the section against the network's output.
    pub(super) fn loss_fits(&mut self, places: &LossPlaces, raw: ValueId) {
        let written = self.recipe.as_ref().and_then(|recipe| recipe.loss.as_ref());
        let Some((decl, written)) = written.and_then(|loss| Some((loss::find(loss.name)?, loss)))
        else {
            return;
        };
        let shape = self.shape(raw).clone();
        let Err(misfit) = (decl.build)(written, &self.graph).fit(&shape) else {
            return;
        };
        let setting = misfit.setting.unwrap_or("loss");
        let mut places = places.iter().rev();
        if let Some(&(_, span)) = places.find(|(name, _)| *name == setting) {
            let problem = Diagnostic::new(codes::ARGUMENT, span, misfit.message);
            self.error(problem.also(self.maker(raw), format!("this is {shape}")));
        }
    }

    /// Holds what `batch` says of identities and pairs against what the network learns.
    pub(super) fn batch_fits(&mut self, places: &LossPlaces, head: Option<&str>) {
        let pairs = match self.graph.inputs.as_slice() {
            [one, other] => {
                let alike = self.shape(one.value) == self.shape(other.value);
                alike && one.pre.is_some() && one.pre == other.pre
            }
            _ => false,
        };
        for &(name, span) in places {
            let (fits, learned) = match name {
                "each" => (head == Some("embed"), "identities: `head embed`"),
                "alike" => (
                    head == Some("verify") && pairs,
                    "pairs: `head verify` of two pictures of one shape",
                ),
                _ => continue,
            };
            if !fits {
                let message = format!("`{name}` is for networks that learn {learned}");
                let problem = Diagnostic::new(codes::ARGUMENT, span, message);
                self.error(problem.help("leave it out"));
            }
        }
    }

    fn optimizer(&mut self, method: Method, args: &Args) -> Optimizer {
        let usual = Optimizer::new(method);
        let momentum = self.number(args, "momentum", &Bounds::Share);
        let nesterov = matches!(args.flag("nesterov"), Ok(Some(true)));
        if let Some(flag) = args.get("nesterov").filter(|_| nesterov)
            && args.get("momentum").is_none_or(|_| momentum == Some(0.0))
        {
            let message = "`nesterov` looks ahead along the velocity, and there is none";
            let problem = Diagnostic::new(codes::ARGUMENT, flag.span, message);
            self.error(problem.help("give it a `momentum`, for example `momentum 0.9`"));
        }
        Optimizer {
            method,
            momentum: momentum.unwrap_or(usual.momentum),
            nesterov,
            alpha: self
                .number(args, "alpha", &Bounds::Share)
                .unwrap_or(usual.alpha),
            betas: self.betas(args).unwrap_or(usual.betas),
            eps: self
                .number(args, "eps", &Bounds::Positive)
                .unwrap_or(usual.eps),
            decay: self
                .number(args, "decay", &Bounds::NotNegative)
                .unwrap_or(usual.decay),
        }
    }

    fn betas(&mut self, args: &Args) -> Option<[f64; 2]> {
        let given = args.get("betas")?;
        let [first, second] = given.value.as_items() else {
            let message = "`betas` are two numbers, one for each moment";
            let problem = Diagnostic::new(codes::ARGUMENT, given.span, message);
            self.error(problem.help("for example `betas 0.9 0.999`"));
            return None;
        };
        let mut betas = [0.0; 2];
        for (beta, item) in betas.iter_mut().zip([first, second]) {
            *beta = item.value.as_number()?;
            self.bounded("betas", *beta, item.span, &Bounds::Share)?;
        }
        Some(betas)
    }

    pub(super) fn number(&mut self, args: &Args, name: &str, bounds: &Bounds) -> Option<f64> {
        let span = args.get(name)?.span;
        match args.number(name) {
            Ok(number) => self.bounded(name, number?, span, bounds),
            Err(error) => {
                self.bad_argument(error, span);
                None
            }
        }
    }

    fn bounded(&mut self, name: &str, number: f64, span: Span, bounds: &Bounds) -> Option<f64> {
        if bounds.hold(number) {
            return Some(number);
        }
        let text = self.quoted(span);
        let message = format!("`{name}` must be {}, not {text}", bounds.text());
        self.error(Diagnostic::new(codes::ARGUMENT, span, message));
        None
    }

    pub(super) fn count(&mut self, args: &Args, name: &str) -> Option<usize> {
        let span = args.get(name)?.span;
        let count = args.positive(name);
        count
            .map_err(|error| self.bad_argument(error, span))
            .ok()
            .flatten()
    }

    fn threads(&mut self, args: &Args) -> Option<usize> {
        let span = args.get("threads")?.span;
        let threads = self.count(args, "threads")?;
        if threads <= MOST_THREADS {
            return Some(threads);
        }
        let message = format!("`threads` must be 1 to {MOST_THREADS}, not {threads}");
        self.error(Diagnostic::new(codes::ARGUMENT, span, message));
        None
    }

    fn warmup_fits(&mut self, section: &Section) {
        let recipe = &section.recipe;
        let (Some(warmup), Some(epochs)) = (recipe.warmup, recipe.epochs) else {
            return;
        };
        if warmup < epochs as f64 {
            return;
        }
        let clause = section.clauses.iter().find(|(name, _)| *name == "epochs");
        if let (Some(span), Some(&(_, clause))) = (section.warmup, clause) {
            let message = "the rate would still rise when all epochs are over";
            let problem = Diagnostic::new(codes::ARGUMENT, span, message)
                .label("in epochs")
                .also(clause, format!("there are {epochs}"));
            self.error(problem);
        }
    }

    /// A word that begins no clause of this version.
    fn no_clause(&mut self, head: &Term) -> Reported {
        let text = self.quoted(head.span);
        let problem = match word(head) {
            Some(word) => {
                let phrases = PHRASES.iter().map(|phrase| phrase.keys[0].name);
                let clauses = CLAUSES.iter().map(|clause| clause.value.name);
                let message = format!("`train` has no clause `{text}`");
                let problem = Diagnostic::new(codes::UNKNOWN_SETTING, head.span, message);
                problem.suggest(word, head.span, "clauses", clauses.chain(phrases))
            }
            None => {
                let message = format!("`{text}` belongs to no clause of `train`");
                Diagnostic::new(codes::UNEXPECTED, head.span, message)
            }
        };
        self.error(problem)
    }
}

/// The constants of a method.
fn constants(method: Method) -> Option<&'static [ParamDecl]> {
    let row = OPTIMIZERS.iter().find(|(known, _)| *known == method)?;
    Some(row.1)
}

fn is_clause(word: &str) -> bool {
    clauses::find(word).is_some() || tuning::find(word).is_some()
}
