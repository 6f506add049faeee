//! Calls as Python writes them: `nn.Conv2d(3, 64, kernel_size=3)(x)`.

use std::fmt;

/// A value between the parentheses of a call.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'t> {
    /// `3`, `1e-3`, `-1`
    Number(&'t str),
    /// `True`, `None`, `x`
    Name(&'t str),
    /// `"same"`, without its quotes
    Text(&'t str),
    /// `(3, 3)` or `[3, 3]`
    List(Vec<Value<'t>>),
    /// `Conv2D(16, 3)(x)`
    Call(Call<'t>),
    /// Anything else: `16 * 5 * 5`
    Other(&'t str),
}

impl fmt::Display for Value<'_> {
    /// About as it was written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Number(text) | Value::Name(text) | Value::Other(text) => f.write_str(text),
            Value::Text(text) => write!(f, "\"{text}\""),
            Value::List(items) => {
                let items: Vec<String> = items.iter().map(Value::to_string).collect();
                write!(f, "({})", items.join(", "))
            }
            Value::Call(call) => write!(f, "{}(…)", call.path),
        }
    }
}

/// A call.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call<'t> {
    /// What is called: `nn.Conv2d`.
    pub(super) path: &'t str,
    /// Its arguments, some with their names.
    pub(super) args: Vec<(Option<&'t str>, Value<'t>)>,
    /// What its result is called on.
    pub(super) on: Vec<Value<'t>>,
}

impl<'t> Call<'t> {
    /// Reads a call that begins the text; also what follows it.
    pub(super) fn read(text: &'t str) -> Option<(Call<'t>, &'t str)> {
        let mut reader = Reader { rest: text };
        match reader.value(MAX_DEPTH)? {
            Value::Call(call) => Some((call, reader.rest)),
            _ => None,
        }
    }

    /// What is called, without the modules it is in: `Conv2d`.
    pub(super) fn name(&self) -> &'t str {
        self.path.rsplit('.').next().unwrap_or(self.path)
    }
}

/// Deepest nesting of values.
const MAX_DEPTH: usize = 16;

struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    /// Goes on behind blanks, line ends and comments.
    fn skip(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            match self.rest.strip_prefix('#') {
                Some(comment) => {
                    self.rest = comment.find('\n').map_or("", |end| &comment[end..]);
                }
                None => return,
            }
        }
    }

    /// Goes on behind that character, if it is next.
    fn eat(&mut self, c: char) -> bool {
        self.skip();
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Goes on behind the characters that are like that.
    fn take(&mut self, like: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !like(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn value(&mut self, depth: usize) -> Option<Value<'t>> {
        let depth = depth.checked_sub(1)?;
        self.skip();
        let first = self.rest.chars().next()?;
        match first {
            '0'..='9' | '-' | '.' => self.number(),
            '"' | '\'' => {
                let (text, rest) = self.rest[1..].split_once(first)?;
                self.rest = rest;
                (!text.contains('\n')).then_some(Value::Text(text))
            }
            '(' | '[' => {
                self.rest = &self.rest[1..];
                let close = if first == '(' { ')' } else { ']' };
                let mut items = Vec::new();
                while !self.eat(close) {
                    items.push(self.item(depth, close)?);
                }
                Some(Value::List(items))
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let path = self.take(|c| c.is_ascii_alphanumeric() || "_.".contains(c));
                if !self.rest.starts_with('(') {
                    return Some(Value::Name(path));
                }
                let args = self.args(depth)?;
                let on = match self.rest.starts_with('(') {
                    true => self.args(depth)?,
                    false => Vec::new(),
                };
                Some(Value::Call(Call {
                    path,
                    args,
                    on: on.into_iter().map(|(_, value)| value).collect(),
                }))
            }
            _ => None,
        }
    }

    /// A value, and the comma behind it if there is one.
    fn item(&mut self, depth: usize, close: char) -> Option<Value<'t>> {
        self.skip();
        let start = self.rest;
        let value = self.value(depth);
        self.skip();
        if value.is_some() && (self.eat(',') || self.rest.starts_with(close)) {
            return value;
        }
        // An expression, which ends with its comma or bracket.
        self.rest = start;
        let mut open = 0usize;
        let end = start.find(|c: char| {
            match c {
                '(' | '[' => open += 1,
                ')' | ']' if open > 0 => open -= 1,
                ',' | ')' | ']' => return open == 0,
                '\n' => return true,
                _ => {}
            }
            false
        })?;
        self.rest = &start[end..];
        let text = start[..end].trim();
        let whole = self.eat(',') || self.rest.starts_with(close);
        (whole && !text.is_empty()).then_some(Value::Other(text))
    }

    fn number(&mut self) -> Option<Value<'t>> {
        let start = self.rest;
        self.rest = start.strip_prefix('-').unwrap_or(start);
        self.take(|c| c.is_ascii_alphanumeric() || "._".contains(c));
        // The sign of an exponent.
        let taken = &start[..start.len() - self.rest.len()];
        if taken.ends_with(['e', 'E']) && self.rest.starts_with(['-', '+']) {
            self.rest = &self.rest[1..];
            self.take(|c| c.is_ascii_digit());
        }
        let taken = &start[..start.len() - self.rest.len()];
        taken.parse::<f64>().ok().map(|_| Value::Number(taken))
    }

    /// `(3, stride=2)`
    fn args(&mut self, depth: usize) -> Option<Vec<(Option<&'t str>, Value<'t>)>> {
        self.eat('(');
        let mut args = Vec::new();
        while !self.eat(')') {
            let before = self.rest;
            let name = self.take(|c| c.is_ascii_alphanumeric() || c == '_');
            self.skip();
            let named = self.rest.starts_with('=') && !self.rest.starts_with("==");
            let name = match named && !name.is_empty() {
                true => {
                    self.rest = &self.rest[1..];
                    Some(name)
                }
                false => {
                    self.rest = before;
                    None
                }
            };
            args.push((name, self.item(depth, ')')?));
        }
        Some(args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read_as_python_reads_them() {
        let (call, rest) =
            Call::read("nn.Conv2d(3, 64, kernel_size=(3, 1), # why\n eps=1e-3)(x) # x").unwrap();
        assert_eq!(
            (call.path, call.name(), rest),
            ("nn.Conv2d", "Conv2d", " # x")
        );
        let pair = Value::List(vec![Value::Number("3"), Value::Number("1")]);
        assert_eq!(
            call.args,
            [
                (None, Value::Number("3")),
                (None, Value::Number("64")),
                (Some("kernel_size"), pair),
                (Some("eps"), Value::Number("1e-3")),
            ]
        );
        assert_eq!(call.on, [Value::Name("x")]);
    }

    #[test]
    fn expressions_are_kept_as_they_are() {
        let (call, _) = Call::read("Linear(16 * (5 + 5), [w, 2 * w], out=1..2)").unwrap();
        let list = Value::List(vec![Value::Name("w"), Value::Other("2 * w")]);
        assert_eq!(
            call.args,
            [
                (None, Value::Other("16 * (5 + 5)")),
                (None, list),
                (Some("out"), Value::Other("1..2")),
            ]
        );
    }

    #[test]
    fn what_is_no_call_is_not_read() {
        for text in [
            "",
            "x",
            "f(",
            "f(\"a",
            "f(2 * w",
            "f(a=)",
            "3",
            &"f(".repeat(100),
        ] {
            assert_eq!(Call::read(text), None, "{text}");
        }
    }
}
