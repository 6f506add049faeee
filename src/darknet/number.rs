//! Numbers as C reads them: what a text begins with counts, and what follows is not looked at.

/// A whole number at the start of a text (C's `atoi`, which has 32 bits; beyond them it is undefined, and here a large number).
pub(super) fn whole(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let count = digits.bytes().take_while(u8::is_ascii_digit).count();
    if count == 0 {
        return None;
    }
    let magnitude = digits[..count].parse().unwrap_or(i64::MAX);
    Some(if text.starts_with('-') {
        -magnitude
    } else {
        magnitude
    })
}

/// A finite number at the start of a text (C's `atof`, decimals only).
pub(super) fn real(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let sign = usize::from(text.starts_with(['+', '-']));
    let mut end = digits(sign);
    if bytes.get(end) == Some(&b'.') {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent > end + 1 + sign {
            end = exponent;
        }
    }
    let number: f64 = text[..end].parse().ok()?;
    number.is_finite().then_some(number)
}

/// A number as the language writes it.
pub(super) fn show(value: f64) -> String {
    // Rust never writes exponents, which the language would take too.
    let text = value.to_string();
    match text.len() > 24 {
        true => format!("{value:e}"),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::{real, whole};

    #[test]
    fn numbers_are_read_as_far_as_they_go() {
        for (text, expected) in [
            ("32", Some(32)),
            ("-4,7", Some(-4)),
            ("+5#4", Some(5)),
            ("416.9", Some(416)),
            ("1e9", Some(1)),
            ("99999999999999999999", Some(i64::MAX)),
            ("", None),
            ("-", None),
            ("x3", None),
        ] {
            assert_eq!(whole(text), expected, "{text}");
        }
        for (text, expected) in [
            (".5", Some(0.5)),
            ("1.", Some(1.0)),
            ("-2.5e-1x", Some(-0.25)),
            ("3e", Some(3.0)),
            ("3e+", Some(3.0)),
            ("0.2;", Some(0.2)),
            ("1e999", None),
            ("nan", None),
            (".", None),
            ("", None),
        ] {
            assert_eq!(real(text), expected, "{text}");
        }
    }
}
