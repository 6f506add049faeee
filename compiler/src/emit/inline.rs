//! A spec written between the braces of the macro: its text, and the tokens that stand at a byte of it.

use proc_macro2::{Group, LineColumn, Span, TokenStream, TokenTree};
use std::ops::Range;

/// The text between braces, and where its tokens are.
pub(super) struct Inline {
    /// The text, without the braces.
    pub text: String,
    /// Bytes of each token in the text.
    tokens: Vec<(Range<usize>, Span)>,
    close: Span,
}

impl Inline {
    /// Reads the text of a group; `None` if it has none, since another macro made it.
    pub fn new(group: &Group) -> Option<Inline> {
        let text = group.span().source_text()?;
        let inner = text.strip_prefix('{')?.strip_suffix('}')?.to_owned();
        let lines = Lines::new(&text, group.span_open().start());
        let mut tokens = Vec::new();
        flatten(group.stream(), &mut |span| {
            // Counted from behind the brace.
            let (start, end) = (lines.byte(span.start())?, lines.byte(span.end())?);
            tokens.push((start.checked_sub(1)?..end.checked_sub(1)?, span));
            Some(())
        });
        Some(Inline {
            text: inner,
            tokens,
            close: group.span_close(),
        })
    }

    /// The first and the last token of a range of bytes; the closing brace if there is none.
    pub fn tokens(&self, bytes: Range<usize>) -> (Span, Span) {
        let end = bytes.end.max(bytes.start + 1);
        let inside = |range: &Range<usize>| range.start < end && bytes.start < range.end;
        let mut spans = self
            .tokens
            .iter()
            .filter(|(range, _)| inside(range))
            .map(|&(_, span)| span);
        let next = || {
            self.tokens
                .iter()
                .find(|(range, _)| bytes.start <= range.start)
        };
        let first = spans
            .next()
            .or_else(|| Some(next()?.1))
            .unwrap_or(self.close);
        (first, spans.next_back().unwrap_or(first))
    }
}

/// Every token, opening and closing delimiters too.
fn flatten(stream: TokenStream, see: &mut impl FnMut(Span) -> Option<()>) {
    for token in stream {
        match token {
            TokenTree::Group(group) => {
                see(group.span_open());
                flatten(group.stream(), see);
                see(group.span_close());
            }
            token => {
                see(token.span());
            }
        }
    }
}

/// Where lines begin in a text that begins at some line and column of a file.
struct Lines<'a> {
    text: &'a str,
    first: LineColumn,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str, first: LineColumn) -> Lines<'a> {
        let newlines = text.match_indices('\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(newlines).collect();
        Lines {
            text,
            first,
            starts,
        }
    }

    /// The byte of a position; columns count characters.
    fn byte(&self, at: LineColumn) -> Option<usize> {
        let line = at.line.checked_sub(self.first.line)?;
        let start = *self.starts.get(line)?;
        let column = if line == 0 {
            at.column.checked_sub(self.first.column)?
        } else {
            at.column
        };
        let rest = &self.text[start..];
        let inside = rest.char_indices().nth(column).map(|(byte, _)| byte);
        Some(start + inside.unwrap_or(rest.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_lead_to_tokens() {
        let source =
            "pub Net {\n  # wie groß?\n  c1: conv 5x5 6 rellu (\"ü\", 2)\n  out: dense 10 }";
        let stream: TokenStream = source.parse().unwrap();
        let group = stream.into_iter().find_map(|token| match token {
            TokenTree::Group(group) => Some(group),
            _ => None,
        });
        let inline = Inline::new(&group.unwrap()).unwrap();
        assert!(inline.text.starts_with("\n  # wie") && inline.text.ends_with("10 "));
        for word in ["c1", ":", "5x5", "rellu", "(", "\"ü\"", ")", "out"] {
            let start = inline.text.find(word).unwrap();
            let (first, last) = inline.tokens(start..start + word.len());
            assert_eq!(first.source_text().as_deref(), Some(word));
            assert_eq!(last.source_text().as_deref(), Some(word));
        }
        let start = inline.text.find("conv").unwrap();
        let (first, last) = inline.tokens(start..start + "conv 5x5 6".len());
        assert_eq!(first.source_text().as_deref(), Some("conv"));
        assert_eq!(last.source_text().as_deref(), Some("6"));
        // Between tokens: the next; behind all: the brace.
        let (first, _) = inline.tokens(start + 4..start + 4);
        assert_eq!(first.source_text().as_deref(), Some("5x5"));
        let end = inline.text.len();
        assert_eq!(
            inline.tokens(end..end).0.source_text().as_deref(),
            Some("}")
        );
    }
}
