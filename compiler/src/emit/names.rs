//! Rust names for what a spec calls its tensors.

use proc_macro2::{Ident, Span};

/// Names already given in one scope.
#[derive(Default)]
pub(super) struct Names(Vec<String>);

impl Names {
    /// A function or argument: `layer1.0` becomes `layer1_0`; a number is added to what is taken.
    pub fn function(&mut self, name: &str) -> Ident {
        self.unique(words(name).to_lowercase())
    }

    /// A constant: `image` with `shape` becomes `IMAGE_SHAPE`.
    pub fn constant(&mut self, name: &str, suffix: &str) -> Ident {
        self.unique(format!("{}_{suffix}", words(name)).to_uppercase())
    }

    /// A type, of the model's own name where that can be.
    pub fn model(&mut self, name: &str) -> Ident {
        self.unique(words(name))
    }

    fn unique(&mut self, wanted: String) -> Ident {
        let mut name = wanted.clone();
        let mut number = 2;
        while self.0.contains(&name) {
            name = format!("{wanted}_{number}");
            number += 1;
        }
        self.0.push(name.clone());
        let span = Span::call_site();
        if matches!(name.as_str(), "_" | "self" | "Self" | "super" | "crate") {
            return Ident::new(&format!("{name}_"), span);
        }
        // A keyword is written raw.
        syn::parse_str::<Ident>(&name).unwrap_or_else(|_| Ident::new_raw(&name, span))
    }
}

/// Letters, digits and underscores, not beginning with a digit.
fn words(name: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name: String = name.chars().map(allowed).collect();
    match name.chars().next() {
        None => "_".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("_{name}"),
        Some(_) => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_identifiers_and_unique() {
        let mut names = Names::default();
        let made = [
            "raw", "layer1.0", "0", "layer1-0", "type", "self", "", "Größe",
        ];
        let made: Vec<String> = made
            .iter()
            .map(|name| names.function(name).to_string())
            .collect();
        let wanted = [
            "raw",
            "layer1_0",
            "_0",
            "layer1_0_2",
            "r#type",
            "self_",
            "__",
            "gr__e",
        ];
        assert_eq!(made, wanted);
        assert_eq!(
            names.constant("layer1.0", "shape").to_string(),
            "LAYER1_0_SHAPE"
        );
    }
}
