//! Numbers and lists as the language writes them.

/// A number; negative ones in parentheses, where they may stand behind others.
pub(super) fn number(x: f32) -> String {
    match x < 0.0 {
        true => format!("(-{})", size(x)),
        false => size(x),
    }
}

/// How large a number is.
fn size(x: f32) -> String {
    match x.abs() {
        0.0 => "0".to_owned(),
        size if (1e-4..1e7).contains(&size) => format!("{size}"),
        size => format!("{size:e}"),
    }
}

/// Nested lists of numbers: `[[1, 0], [0, -1]]`.
pub(super) fn nested(dims: &[usize], values: &[f32]) -> String {
    let items: Vec<String> = match dims {
        [_, inner @ ..] if !inner.is_empty() => values
            .chunks(inner.iter().product::<usize>().max(1))
            .map(|part| nested(inner, part))
            .collect(),
        // 0 has a sign, too.
        _ => values
            .iter()
            .map(|&x| match (x == 0.0, x.is_sign_negative()) {
                (true, true) => "-0.0".to_owned(),
                (_, true) => format!("-{}", size(x)),
                (_, false) => size(x),
            })
            .collect(),
    };
    format!("[{}]", items.join(", "))
}

/// `3x3`.
pub(super) fn extents(list: &[usize]) -> String {
    list.iter()
        .map(usize::to_string)
        .collect::<Vec<_>>()
        .join("x")
}

/// Padding of each axis: one number, `0x1`, or `(top, bottom, left, right)`.
pub(super) fn pads(list: &[[usize; 2]]) -> String {
    if list.iter().all(|pads| *pads == [list[0][0]; 2]) {
        return list[0][0].to_string();
    }
    if list.iter().all(|pads| pads[0] == pads[1]) {
        return extents(&list.iter().map(|pads| pads[0]).collect::<Vec<_>>());
    }
    let all: Vec<String> = list.iter().flatten().map(usize::to_string).collect();
    format!("({})", all.join(", "))
}

/// Kernel, stride, padding and dilation of a window, as far as they are not what is taken without a word; a pool's stride is its kernel then.
pub(super) fn window(
    kernel: &[usize],
    stride: &[usize],
    pads: &[[usize; 2]],
    dilation: &[usize],
    pool: bool,
) -> String {
    let mut text = extents(kernel);
    let plain = match pool {
        true => stride == kernel,
        false => stride.iter().all(|&n| n == 1),
    };
    if !plain {
        let same = stride.iter().all(|&n| n == stride[0]);
        text += &format!(
            " /{}",
            if same {
                stride[0].to_string()
            } else {
                extents(stride)
            }
        );
    }
    if pads.iter().any(|&pads| pads != [0, 0]) {
        let half = (0..kernel.len()).all(|axis| {
            let half = (kernel[axis] - 1) * dilation[axis] / 2;
            pads[axis] == [half; 2] && kernel[axis] % 2 == 1
        });
        text += &format!(
            " pad {}",
            if half {
                "half".to_owned()
            } else {
                self::pads(pads)
            }
        );
    }
    if dilation.iter().any(|&n| n != 1) {
        let same = dilation.iter().all(|&n| n == dilation[0]);
        text += &format!(
            " dilation {}",
            if same {
                dilation[0].to_string()
            } else {
                extents(dilation)
            }
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_language_writes_it() {
        assert_eq!(
            [number(0.5), number(-1.0), number(1e-12), number(f32::MAX)],
            ["0.5", "(-1)", "1e-12", "3.4028235e38"]
        );
        assert_eq!(
            nested(&[1, 2, 2], &[1.0, -0.0, 0.0, -2.5e-7]),
            "[[[1, -0.0], [0, -2.5e-7]]]"
        );
        assert_eq!(nested(&[3], &[1.0, -2.0, 0.5]), "[1, -2, 0.5]");
        assert_eq!(pads(&[[1, 1], [1, 1]]), "1");
        assert_eq!(pads(&[[0, 0], [2, 2]]), "0x2");
        assert_eq!(pads(&[[0, 1], [2, 2]]), "(0, 1, 2, 2)");
        assert_eq!(
            window(&[3, 3], &[2, 2], &[[1, 1], [1, 1]], &[1, 1], false),
            "3x3 /2 pad half"
        );
        assert_eq!(
            window(&[2, 2], &[2, 2], &[[0, 0], [0, 0]], &[1, 1], true),
            "2x2"
        );
    }
}
