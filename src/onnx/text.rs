//! Numbers and lists as the language writes them.

/// A number; negative ones in parentheses, where they may stand behind others.
pub(super) fn number(x: f32) -> String {
    let size = x.abs();
    let text = match size {
        0.0 => "0".to_owned(),
        _ if (1e-4..1e7).contains(&size) => format!("{size}"),
        _ => format!("{size:e}"),
    };
    match x < 0.0 {
        true => format!("(-{text})"),
        false => text,
    }
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
