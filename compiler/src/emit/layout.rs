//! Generated Rust as lines: enough to be read, and `rustfmt` does the rest.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// Tokens as text: a line for each statement, indented by its depth.
pub fn lines(tokens: TokenStream) -> String {
    let mut text = String::new();
    write(tokens, 0, true, &mut text);
    text
}

/// Writes tokens at a depth; where they are `statements`, a semicolon ends a line.
fn write(tokens: TokenStream, depth: usize, statements: bool, text: &mut String) {
    let mut joint = true;
    let mut attribute = false;
    for token in tokens {
        if !joint && !text.ends_with(char::is_whitespace) {
            text.push(' ');
        }
        joint = false;
        let ends = std::mem::take(&mut attribute);
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                let broken = group.delimiter() == Delimiter::Brace && !group.stream().is_empty();
                *text += open;
                if broken {
                    line(text, depth + 1);
                }
                write(group.stream(), depth + usize::from(broken), broken, text);
                if broken {
                    line(text, depth);
                }
                *text += close;
                if broken || (ends && group.delimiter() == Delimiter::Bracket) {
                    line(text, depth);
                }
            }
            TokenTree::Punct(sign) => {
                text.push(sign.as_char());
                joint = sign.spacing() == Spacing::Joint || sign.as_char() == '#';
                attribute = statements && sign.as_char() == '#';
                if statements && sign.as_char() == ';' {
                    line(text, depth);
                }
            }
            other => *text += &other.to_string(),
        }
    }
}

/// Begins a line, if one is not begun already.
fn line(text: &mut String, depth: usize) {
    text.truncate(text.trim_end().len());
    text.push('\n');
    *text += &"    ".repeat(depth);
}

#[cfg(test)]
mod tests {
    use super::lines;
    use quote::quote;

    #[test]
    fn statements_have_lines() {
        let tokens = quote! {
            #[derive(Debug)]
            impl A { fn f<'a>(x: &'a [u8; 2]) -> u8 { let s = "a; {b}"; x[0] } }
            struct B;
        };
        let text = lines(tokens.clone());
        let indents: Vec<usize> = text
            .lines()
            .map(|line| line.len() - line.trim_start().len())
            .collect();
        assert_eq!(indents, [0, 0, 4, 8, 8, 4, 0, 0], "{text}");
        let again: proc_macro2::TokenStream = text.parse().expect("tokens");
        assert_eq!(again.to_string(), tokens.to_string());
    }
}
