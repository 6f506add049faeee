//! Values that `defaults` give to the parameters that layers leave open.

use crate::ast::Spanned;
use crate::layer::Literal;
use std::collections::HashMap;

/// `name value` or `layer.name value`.
pub(super) struct Setting {
    pub(super) layer: Option<&'static str>,
    pub(super) name: &'static str,
    pub(super) value: Spanned<Literal>,
}

/// What holds at a point of the spec, the innermost last.
#[derive(Default)]
pub(super) struct Defaults {
    list: Vec<Setting>,
    /// Where in the list there is something for a parameter of a layer, or of all layers.
    places: HashMap<(Option<&'static str>, &'static str), Vec<usize>>,
}

impl Defaults {
    /// Adds one, which wins over those before it.
    pub(super) fn push(&mut self, setting: Setting) {
        let places = self.places.entry((setting.layer, setting.name));
        places.or_default().push(self.list.len());
        self.list.push(setting);
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Forgets all but the first so many.
    pub(super) fn truncate(&mut self, len: usize) {
        for setting in self.list.drain(len..) {
            if let Some(places) = self.places.get_mut(&(setting.layer, setting.name)) {
                places.pop();
            }
        }
    }

    /// What was given for the parameter of that layer or else of all layers, the last first.
    pub(super) fn of(
        &self,
        layer: &'static str,
        name: &'static str,
    ) -> impl Iterator<Item = &Spanned<Literal>> {
        [Some(layer), None]
            .into_iter()
            .filter_map(move |layer| self.places.get(&(layer, name)))
            .flat_map(|places| places.iter().rev())
            .map(|&at| &self.list[at].value)
    }
}
