//! `augment { mirror ; crop 32 pad 4 ; rotate 10 ; colour 0.2 0.2 0.2 }`

use super::{Bounds, Resolver, Section, clauses};
use crate::ast::Term;
use crate::diagnostic::{Diagnostic, codes};
use crate::layer::Args;
use crate::recipe::Augment;

/// What changes time series as well as pictures.
const OF_SERIES: [&str; 2] = ["scale", "shift"];

impl<'a> Resolver<'a> {
    /// The clause, whose settings are all that it has.
    pub(super) fn augment(
        &mut self,
        section: &mut Section,
        terms: &'a [Term],
        settings: Option<&'a [Term]>,
    ) {
        if let Some(more) = terms.get(1) {
            let text = self.quoted(more.span);
            let message = format!("`augment` has settings only: `{text}` belongs in braces");
            let problem = Diagnostic::new(codes::UNEXPECTED, more.span, message);
            self.error(problem.help("write `augment { mirror ; rotate 10 }`"));
            return;
        }
        let Some(settings) = settings else {
            let message = "`augment` does not say what changes";
            let problem = Diagnostic::new(codes::NO_VALUE, terms[0].span, message);
            self.error(problem.help("write `augment { mirror ; rotate 10 }`"));
            return;
        };
        let decl = clauses::find("augment").expect("a clause of the table");
        let args = Args {
            given: self.settings_of("augment", decl.settings, settings),
            ..Args::default()
        };
        let number = |this: &mut Self, name, bounds: &Bounds| {
            this.number(&args, name, bounds).unwrap_or(0.0)
        };
        let augment = Augment {
            mirror: matches!(args.flag("mirror"), Ok(Some(true))),
            crop: self.count(&args, "crop"),
            pad: self.whole(&args, "pad"),
            rotate: number(self, "rotate", &Bounds::Turn),
            shear: number(self, "shear", &Bounds::Lean),
            scale: number(self, "scale", &Bounds::Share),
            shift: number(self, "shift", &Bounds::NotNegative),
            colour: self.colour(&args).unwrap_or_default(),
            tint: number(self, "tint", &Bounds::NotNegative),
        };
        if let (Some(pad), None) = (args.get("pad"), args.get("crop")) {
            let message = "`pad` widens what `crop` cuts out of, and there is no `crop`";
            let problem = Diagnostic::new(codes::ARGUMENT, pad.span, message);
            self.error(problem.help("give it one, for example `crop 32 pad 4`"));
        }
        self.suits_the_input(&augment, &args);
        section.recipe.augment = Some(augment);
    }

    fn whole(&mut self, args: &Args, name: &str) -> usize {
        let number = self.number(args, name, &Bounds::NotNegative);
        number.unwrap_or(0.0) as usize
    }

    fn colour(&mut self, args: &Args) -> Option<[f64; 3]> {
        let given = args.get("colour")?;
        let [brightness, contrast, saturation] = given.value.as_items() else {
            let message = "`colour` are three numbers, for brightness, contrast and saturation";
            let problem = Diagnostic::new(codes::ARGUMENT, given.span, message);
            self.error(problem.help("for example `colour 0.2 0.2 0.2`; 0 changes nothing"));
            return None;
        };
        let mut colour = [0.0; 3];
        for (share, item) in colour.iter_mut().zip([brightness, contrast, saturation]) {
            *share = item.value.as_number()?;
            self.bounded("colour", *share, item.span, &Bounds::Share)?;
        }
        Some(colour)
    }

    /// What can be said where the input stands before the section; the rest is for those who train.
    fn suits_the_input(&mut self, augment: &Augment, args: &Args) {
        let Some(input) = self.graph.inputs.first() else {
            return;
        };
        let shape = self.graph.values[input.value].shape.clone();
        let Some(pre) = &input.pre else {
            // A picture whose settings are wrong, which has been said.
            if matches!(shape.dims(), [1 | 3, _, _]) {
                return;
            }
            let series = shape.dims().len() == 2;
            let suits = |name: &str| series && OF_SERIES.contains(&name);
            let refused = args.given.iter().find(|(name, _)| !suits(name));
            if let Some((name, value)) = refused {
                let message = format!("`{name}` changes pictures, and the input is {shape}");
                let problem = Diagnostic::new(codes::ARGUMENT, value.span, message);
                self.error(match series {
                    true => problem.help("a series can be changed by `scale` and `shift`"),
                    false => problem.help("samples of this shape are learned as they are"),
                });
            }
            return;
        };
        let side = pre.width.min(pre.height) + 2 * augment.pad;
        if let Some((crop, given)) = augment.crop.zip(args.get("crop"))
            && crop > side
        {
            let message = format!(
                "a square of {crop} pixels does not fit into the input, {}x{} with {} around it",
                pre.width, pre.height, augment.pad
            );
            let problem = Diagnostic::new(codes::ARGUMENT, given.span, message);
            self.error(problem.help(format!("at most `crop {side}`, or a larger `pad`")));
        }
    }
}
