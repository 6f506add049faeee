//! `rate 0.1 { warmup 1  steps at 10 20 by 0.1 }`, and `clip 1`

use super::{Bounds, Resolver, Section};
use crate::diagnostic::{Diagnostic, codes};
use crate::layer::Args;
use crate::recipe::{Clip, Schedule};

/// The settings of curves, and whose they are.
const OF_CURVES: [(&str, &str); 4] = [
    ("at", "steps"),
    ("every", "steps"),
    ("by", "steps"),
    ("power", "polynomial"),
];

impl Resolver<'_> {
    pub(super) fn rate(&mut self, section: &mut Section, args: &Args) {
        let recipe = &mut section.recipe;
        recipe.rate = self.number(args, "rate", &Bounds::Positive);
        recipe.warmup = self.number(args, "warmup", &Bounds::NotNegative);
        section.warmup = args.get("warmup").map(|value| value.span);
        recipe.schedule = self.schedule(args);
        if let Some(Schedule::At { .. }) = recipe.schedule {
            section.falls = args.get("at").map(|value| value.span);
        }
    }

    fn schedule(&mut self, args: &Args) -> Option<Schedule> {
        let curve = args.word("curve");
        for (name, owner) in OF_CURVES {
            if let Some(value) = args.get(name).filter(|_| curve != Some(owner)) {
                let message = format!("`{name}` is a setting of the curve `{owner}`");
                let problem = Diagnostic::new(codes::ARGUMENT, value.span, message);
                self.error(problem.help(format!(
                    "for example `{}`",
                    match owner {
                        "steps" => "rate 0.1 { steps at 10 20 by 0.1 }",
                        _ => "rate 0.1 { polynomial power 2 }",
                    }
                )));
                return None;
            }
        }
        Some(match curve? {
            "constant" => Schedule::Constant,
            "cosine" => Schedule::Cosine,
            "polynomial" => Schedule::Polynomial {
                power: match args.get("power") {
                    Some(_) => self.number(args, "power", &Bounds::Positive)?,
                    None => Schedule::POWER,
                },
            },
            _ => self.falling(args)?,
        })
    }

    fn falling(&mut self, args: &Args) -> Option<Schedule> {
        let by = match args.get("by") {
            Some(_) => self.number(args, "by", &Bounds::Positive)?,
            None => Schedule::BY,
        };
        let (at, every) = (args.get("at"), args.get("every"));
        let problem = match (at, every) {
            (Some(at), None) => {
                let mut epochs: Vec<f64> = Vec::new();
                for item in at.value.as_items() {
                    let epoch = item.value.as_number()?;
                    self.bounded("at", epoch, item.span, &Bounds::Positive)?;
                    if let Some(last) = epochs.last().filter(|last| **last >= epoch) {
                        let message =
                            format!("the epochs of `at` rise: {epoch} stands behind {last}");
                        self.error(Diagnostic::new(codes::ARGUMENT, item.span, message));
                        return None;
                    }
                    epochs.push(epoch);
                }
                return Some(Schedule::At { epochs, by });
            }
            (None, Some(_)) => {
                let epochs = self.number(args, "every", &Bounds::Positive)?;
                return Some(Schedule::Every { epochs, by });
            }
            (Some(at), Some(every)) => {
                let message = "`steps` fall `at` epochs or `every` so many, not both";
                Diagnostic::new(codes::ARGUMENT, every.span, message).also(at.span, "`at` is here")
            }
            (None, None) => {
                let span = args.get("curve")?.span;
                let message = "`steps` does not say when the rate falls";
                Diagnostic::new(codes::NO_VALUE, span, message)
                    .help("write `steps at 10 20`, in epochs, or `steps every 10`")
            }
        };
        self.error(problem);
        None
    }

    /// Holds the epochs of steps against all that there are.
    pub(super) fn steps_fit(&mut self, section: &Section) {
        let recipe = &section.recipe;
        let (Some(Schedule::At { epochs: at, .. }), Some(epochs), Some(span)) =
            (&recipe.schedule, recipe.epochs, section.falls)
        else {
            return;
        };
        let late = at.iter().find(|at| **at >= epochs as f64);
        let clause = section.clauses.iter().find(|(name, _)| *name == "epochs");
        if let (Some(late), Some(&(_, clause))) = (late, clause) {
            let message = format!("the rate would fall behind epoch {late}, when all are over");
            let problem = Diagnostic::new(codes::ARGUMENT, span, message);
            self.error(problem.also(clause, format!("there are {epochs}")));
        }
    }

    pub(super) fn clip(&mut self, args: &Args) -> Option<Clip> {
        let most = self.number(args, "clip", &Bounds::Positive)?;
        Clip::of(args.word("of").unwrap_or("norm"), most)
    }
}
