//! The variables of blocks and loops and the constants of files, by name.

use super::value::{Mark, Value};
use crate::ast::Name;
use crate::span::Span;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// A name and its value.
#[derive(Clone)]
struct Variable<'a> {
    name: Rc<str>,
    value: Value<'a>,
    /// Where it got it.
    place: Span,
    /// Whether nothing may hide it in its block: it is that of a `let`.
    fixed: bool,
}

/// Variables, the innermost last. Those of a block's caller are there, but not seen.
#[derive(Default)]
pub(super) struct Variables<'a> {
    list: Vec<Variable<'a>>,
    /// Where in the list each name stands, first to last.
    places: HashMap<Rc<str>, Vec<usize>>,
    /// The first that is seen.
    seen: usize,
    /// Constants that stand outside of blocks and models: seen everywhere, unless something hides them.
    everywhere: BTreeMap<String, (Value<'a>, Span)>,
}

impl<'a> Variables<'a> {
    /// The variable of that name that is seen, the innermost if there are several.
    pub(super) fn find(&self, name: &str) -> Option<&Value<'a>> {
        let within = self.innermost(name).map(|variable| &variable.value);
        within.or_else(|| self.everywhere.get(name).map(|(value, _)| value))
    }

    fn innermost(&self, name: &str) -> Option<&Variable<'a>> {
        let &last = self.places.get(name)?.last()?;
        (last >= self.seen).then(|| &self.list[last])
    }

    /// Where the variable of that name got its value, constants of files aside.
    pub(super) fn place(&self, name: &str) -> Option<Span> {
        Some(self.innermost(name)?.place)
    }

    /// Where a `let` among statements gave it its value, if one did.
    pub(super) fn place_of_fixed(&self, name: &str) -> Option<Span> {
        let variable = self.innermost(name)?;
        variable.fixed.then_some(variable.place)
    }

    /// Where the constant of a file got its value.
    pub(super) fn place_everywhere(&self, name: &str) -> Option<Span> {
        self.everywhere.get(name).map(|&(_, place)| place)
    }

    /// Adds a variable.
    pub(super) fn push(&mut self, name: &Name, value: Value<'a>) {
        self.add(&name.value, value, name.span, false);
    }

    /// Adds a variable that nothing may hide.
    pub(super) fn push_fixed(&mut self, name: &Name, value: Value<'a>) {
        self.add(&name.value, value, name.span, true);
    }

    /// Adds the constant of a file.
    pub(super) fn push_everywhere(&mut self, name: &Name, value: Value<'a>) {
        let known = (value, name.span);
        self.everywhere.insert(name.value.clone(), known);
    }

    fn add(&mut self, name: &str, value: Value<'a>, place: Span, fixed: bool) {
        let at = self.list.len();
        let name = match self.places.get_key_value(name) {
            Some((known, _)) => known.clone(),
            None => Rc::from(name),
        };
        self.list.push(Variable {
            name: name.clone(),
            value,
            place,
            fixed,
        });
        self.places.entry(name).or_default().push(at);
    }

    /// What is seen at this point.
    pub(super) fn mark(&self) -> Mark {
        Mark {
            seen: self.seen,
            end: self.list.len(),
        }
    }

    /// Sees nothing of what there is, until it goes back to the mark.
    pub(super) fn enter(&mut self) {
        self.seen = self.list.len();
    }

    /// Adds again what was seen at the mark, which must not have been left.
    pub(super) fn repeat(&mut self, mark: Mark) {
        for at in mark.seen..mark.end {
            let variable = self.list[at].clone();
            self.add(
                &variable.name,
                variable.value,
                variable.place,
                variable.fixed,
            );
        }
    }

    /// Forgets what came after the mark.
    pub(super) fn back(&mut self, mark: Mark) {
        for variable in self.list.drain(mark.end..).rev() {
            if let Some(places) = self.places.get_mut(&variable.name) {
                places.pop();
            }
        }
        self.seen = mark.seen;
    }

    /// Names of those that are seen, the innermost last, and of the constants of files.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let within = self.list[self.seen..].iter();
        let within = within.map(|variable| &*variable.name);
        within.chain(self.everywhere.keys().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_is_seen_and_a_callers_is_not() {
        let mut variables = Variables::default();
        let name = |text: &str| Name {
            value: text.to_owned(),
            span: Span::none(),
        };
        variables.push_everywhere(&name("v"), Value::Int(3));
        variables.push(&name("w"), Value::Int(1));
        let outer = variables.mark();
        variables.push_fixed(&name("w"), Value::Int(2));
        assert_eq!(variables.find("w"), Some(&Value::Int(2)));
        variables.enter();
        assert_eq!((variables.find("w"), variables.mark().len()), (None, 0));
        variables.repeat(outer);
        assert_eq!(variables.find("w"), Some(&Value::Int(1)));
        assert_eq!(variables.names().collect::<Vec<_>>(), ["w", "v"]);
        variables.back(outer);
        assert_eq!(
            (variables.find("w"), variables.mark().len()),
            (Some(&Value::Int(1)), 1)
        );
        assert_eq!(variables.place_of_fixed("w"), None);
        assert_eq!(variables.find("u"), None);
        assert_eq!(variables.find("v"), Some(&Value::Int(3)));
        variables.push(&name("v"), Value::Int(4));
        assert_eq!(variables.find("v"), Some(&Value::Int(4)));
    }
}
