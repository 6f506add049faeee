//! The variables of blocks and loops, by name.

use super::value::Value;
use std::collections::HashMap;
use std::rc::Rc;

/// Variables, the innermost last. Those of a block's caller are there, but not seen.
#[derive(Default)]
pub(super) struct Variables {
    list: Vec<(Rc<str>, Value)>,
    /// Where in the list each name stands, first to last.
    places: HashMap<Rc<str>, Vec<usize>>,
    /// The first that is seen.
    seen: usize,
}

/// How many there are, and which of them are seen.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    seen: usize,
    end: usize,
}

impl Mark {
    /// How many are seen.
    pub(super) fn len(self) -> usize {
        self.end - self.seen
    }
}

impl Variables {
    /// The variable of that name that is seen, the innermost if there are several.
    pub(super) fn find(&self, name: &str) -> Option<&Value> {
        let &last = self.places.get(name)?.last()?;
        (last >= self.seen).then(|| &self.list[last].1)
    }

    /// Adds a variable.
    pub(super) fn push(&mut self, name: &str, value: Value) {
        let at = self.list.len();
        let name = match self.places.get_key_value(name) {
            Some((known, _)) => known.clone(),
            None => Rc::from(name),
        };
        self.list.push((name.clone(), value));
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
            let (name, value) = self.list[at].clone();
            self.push(&name, value);
        }
    }

    /// Forgets what came after the mark.
    pub(super) fn back(&mut self, mark: Mark) {
        for (name, _) in self.list.drain(mark.end..).rev() {
            if let Some(places) = self.places.get_mut(&name) {
                places.pop();
            }
        }
        self.seen = mark.seen;
    }

    /// Names of those that are seen, the innermost last.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.list[self.seen..].iter().map(|(name, _)| &**name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_is_seen_and_a_callers_is_not() {
        let mut variables = Variables::default();
        variables.push("w", Value::Int(1));
        let outer = variables.mark();
        variables.push("w", Value::Int(2));
        assert_eq!(variables.find("w"), Some(&Value::Int(2)));
        variables.enter();
        assert_eq!((variables.find("w"), variables.mark().len()), (None, 0));
        variables.repeat(outer);
        assert_eq!(variables.find("w"), Some(&Value::Int(1)));
        assert_eq!(variables.names().collect::<Vec<_>>(), ["w"]);
        variables.back(outer);
        assert_eq!(
            (variables.find("w"), variables.mark().len()),
            (Some(&Value::Int(1)), 1)
        );
        assert_eq!(variables.find("v"), None);
    }
}
