//! Arithmetic, element by element.

use super::node::{Cx, float, int, ints};

type Printed = Result<(), String>;

/// One operator behind another, each with a constant as its second operand; the last result's name.
pub(super) fn chain(cx: &mut Cx<'_, '_>, x: &str, ops: &[(&str, &str)]) -> String {
    let mut value = x.to_owned();
    for (op, constant) in ops {
        value = cx.op(op, &[&value, constant], Vec::new());
    }
    value
}

/// An operator that has the layer's meaning, and no attributes.
pub(super) fn plain(cx: &mut Cx<'_, '_>, op: &'static str) -> Printed {
    let x = cx.x(0);
    cx.end(op, &[&x], Vec::new());
    Ok(())
}

/// An operator with numbers: names of the layer's parameters, and those of the operator.
pub(super) fn with_floats(
    cx: &mut Cx<'_, '_>,
    op: &'static str,
    names: &[(&str, &str)],
) -> Printed {
    let attributes = names
        .iter()
        .map(|(own, name)| float(name, cx.float(own)))
        .collect();
    let x = cx.x(0);
    cx.end(op, &[&x], attributes);
    Ok(())
}

/// `low` and `high`.
pub(super) fn between(cx: &mut Cx<'_, '_>, low: f32, high: f32) -> Printed {
    let x = cx.x(0);
    let (low, high) = (cx.scalar("min", low), cx.scalar("max", high));
    cx.end("Clip", &[&x, &low, &high], Vec::new());
    Ok(())
}

pub(super) fn clip(cx: &mut Cx<'_, '_>) -> Printed {
    let (low, high) = (cx.float("low"), cx.float("high"));
    between(cx, low, high)
}

pub(super) fn prelu(cx: &mut Cx<'_, '_>) -> Printed {
    let dims = cx.dims(0);
    let single = cx.flag("single");
    let mut extents = vec![1; dims.len()];
    extents[0] = if single { 1 } else { dims[0] };
    let slope = cx.param(0, Some(&extents))?;
    let x = cx.x(0);
    cx.end("PRelu", &[&x, &slope], Vec::new());
    Ok(())
}

pub(super) fn silu(cx: &mut Cx<'_, '_>) -> Printed {
    let x = cx.x(0);
    let gate = cx.op("Sigmoid", &[&x], Vec::new());
    cx.end("Mul", &[&x, &gate], Vec::new());
    Ok(())
}

pub(super) fn mish(cx: &mut Cx<'_, '_>) -> Printed {
    let x = cx.x(0);
    let soft = cx.op("Softplus", &[&x], Vec::new());
    let gate = cx.op("Tanh", &[&soft], Vec::new());
    cx.end("Mul", &[&x, &gate], Vec::new());
    Ok(())
}

pub(super) fn hardsigmoid(cx: &mut Cx<'_, '_>) -> Printed {
    let (alpha, beta) = match cx.has("alpha") {
        true => (cx.float("alpha"), cx.float("beta")),
        false => (1.0 / 6.0, 0.5),
    };
    let x = cx.x(0);
    cx.end(
        "HardSigmoid",
        &[&x],
        vec![float("alpha", alpha), float("beta", beta)],
    );
    Ok(())
}

pub(super) fn selu(cx: &mut Cx<'_, '_>) -> Printed {
    let x = cx.x(0);
    let attributes = vec![
        float("alpha", 1.673_263_242_354_377_2_f64 as f32),
        float("gamma", 1.050_700_987_355_480_5_f64 as f32),
    ];
    cx.end("Selu", &[&x], attributes);
    Ok(())
}

/// `x · Φ(x)`, by the error function or by `tanh`.
pub(super) fn gelu(cx: &mut Cx<'_, '_>) -> Printed {
    let x = cx.x(0);
    let (one, half) = (cx.scalar("one", 1.0), cx.scalar("half", 0.5));
    let inner = match cx.word("form") {
        "approximate" => {
            let cube = cx.scalar("cube", 3.0);
            let cube = cx.op("Pow", &[&x, &cube], Vec::new());
            let share = cx.scalar("share", 0.044_715);
            let share = cx.op("Mul", &[&cube, &share], Vec::new());
            let sum = cx.op("Add", &[&x, &share], Vec::new());
            let root = cx.scalar("root", (2.0 / std::f64::consts::PI).sqrt() as f32);
            let inner = cx.op("Mul", &[&sum, &root], Vec::new());
            cx.op("Tanh", &[&inner], Vec::new())
        }
        _ => {
            let root = cx.scalar("root", std::f32::consts::SQRT_2);
            let inner = cx.op("Div", &[&x, &root], Vec::new());
            cx.op("Erf", &[&inner], Vec::new())
        }
    };
    let above = cx.op("Add", &[&inner, &one], Vec::new());
    let product = cx.op("Mul", &[&x, &above], Vec::new());
    cx.end("Mul", &[&product, &half], Vec::new());
    Ok(())
}

pub(super) fn pow(cx: &mut Cx<'_, '_>) -> Printed {
    let x = cx.x(0);
    let exponent = cx.float("exponent");
    let exponent = cx.scalar("exponent", exponent);
    cx.end("Pow", &[&x, &exponent], Vec::new());
    Ok(())
}

pub(super) fn scale(cx: &mut Cx<'_, '_>) -> Printed {
    let (factor, shift) = (cx.float("factor"), cx.float("shift"));
    let x = cx.x(0);
    let scaled = match factor {
        1.0 if shift != 0.0 => x,
        _ => {
            let factor = cx.scalar("factor", factor);
            if shift == 0.0 {
                cx.end("Mul", &[&x, &factor], Vec::new());
                return Ok(());
            }
            cx.op("Mul", &[&x, &factor], Vec::new())
        }
    };
    let shift = cx.scalar("shift", shift);
    cx.end("Add", &[&scaled, &shift], Vec::new());
    Ok(())
}

/// The operands as they combine: those with a number for each channel have axes of extent 1.
fn combined(cx: &mut Cx<'_, '_>) -> Vec<String> {
    let rank = cx.result().len();
    (0..cx.inputs.len())
        .map(|index| cx.aligned(index, rank))
        .collect()
}

/// An operator of any number of operands.
pub(super) fn many(cx: &mut Cx<'_, '_>, op: &'static str) -> Printed {
    let operands = combined(cx);
    let operands: Vec<&str> = operands.iter().map(String::as_str).collect();
    cx.end(op, &operands, Vec::new());
    Ok(())
}

/// An operator of two operands, as often as there are more.
pub(super) fn pairs(cx: &mut Cx<'_, '_>, op: &'static str) -> Printed {
    let operands = combined(cx);
    let [first, between @ .., last] = &operands[..] else {
        return Err("it has one operand".to_owned());
    };
    let mut value = first.clone();
    for operand in between {
        value = cx.op(op, &[&value, operand], Vec::new());
    }
    cx.end(op, &[&value, last], Vec::new());
    Ok(())
}

pub(super) fn absdiff(cx: &mut Cx<'_, '_>) -> Printed {
    let operands = combined(cx);
    let difference = cx.op("Sub", &[&operands[0], &operands[1]], Vec::new());
    cx.end("Abs", &[&difference], Vec::new());
    Ok(())
}

/// A comparison, and its truth values as numbers.
pub(super) fn compared(cx: &mut Cx<'_, '_>, op: &'static str) -> Printed {
    let operands = combined(cx);
    let truth = cx.op(op, &[&operands[0], &operands[1]], Vec::new());
    cx.end("Cast", &[&truth], vec![int("to", 1)]);
    Ok(())
}

pub(super) fn choice(cx: &mut Cx<'_, '_>) -> Printed {
    let operands = combined(cx);
    let zero = cx.scalar("zero", 0.0);
    let truth = cx.op("Greater", &[&operands[0], &zero], Vec::new());
    cx.end("Where", &[&truth, &operands[1], &operands[2]], Vec::new());
    Ok(())
}

/// A plain sum, or one of operands times their factors.
pub(super) fn add(cx: &mut Cx<'_, '_>) -> Printed {
    if !cx.has("shares") {
        return match cx.inputs.len() {
            2 => pairs(cx, "Add"),
            _ => many(cx, "Sum"),
        };
    }
    let operands = combined(cx);
    let rank = cx.result().len();
    let weight = cx.param(0, None)?;
    let first = || ints("axes", &[0]);
    let factors = match cx.word("fusion") {
        "unbounded" => weight,
        fusion => {
            let positive = match fusion {
                "fast" => cx.op("Relu", &[&weight], Vec::new()),
                _ => {
                    let most = cx.op("ReduceMax", &[&weight], vec![first(), int("keepdims", 1)]);
                    let below = cx.op("Sub", &[&weight, &most], Vec::new());
                    cx.op("Exp", &[&below], Vec::new())
                }
            };
            let axes = cx.whole("axes", &[0]);
            let sum = cx.op("ReduceSum", &[&positive, &axes], vec![int("keepdims", 1)]);
            let eps = cx.float("eps");
            let eps = cx.scalar("eps", eps);
            let sum = cx.op("Add", &[&sum, &eps], Vec::new());
            cx.op("Div", &[&positive, &sum], Vec::new())
        }
    };
    let channels = match cx.word("shares") {
        "per_channel" => cx.result()[0],
        _ => 1,
    };
    let mut extents = vec![1; rank];
    extents[0] = channels as i64;
    let extents = cx.whole("extents", &extents);
    let mut terms = Vec::new();
    for (index, operand) in operands.iter().enumerate() {
        let at = cx.whole("operand", &[index as i64]);
        let factor = cx.op("Gather", &[&factors, &at], vec![int("axis", 0)]);
        let factor = cx.op("Reshape", &[&factor, &extents], Vec::new());
        terms.push(cx.op("Mul", &[operand, &factor], Vec::new()));
    }
    let terms: Vec<&str> = terms.iter().map(String::as_str).collect();
    cx.end("Sum", &terms, Vec::new());
    Ok(())
}

pub(super) fn matmul(cx: &mut Cx<'_, '_>) -> Printed {
    let (a, b) = (cx.x(0), cx.x(1));
    cx.end("MatMul", &[&a, &b], Vec::new());
    Ok(())
}

/// Of every two channels, over all positions.
pub(super) fn gram(cx: &mut Cx<'_, '_>) -> Printed {
    let dims = cx.dims(0);
    let positions: usize = dims[1..].iter().product();
    let x = cx.x(0);
    let rows = cx.reshape(&x, &[dims[0], positions]);
    let columns = cx.transpose(&rows, &[2, 1]);
    let product = cx.op("MatMul", &[&rows, &columns], Vec::new());
    let divisor = match cx.word("divide") {
        "mean" => positions,
        "all" => positions * dims[0],
        _ => {
            cx.end_reshape(&product);
            return Ok(());
        }
    };
    let divisor = cx.scalar("positions", divisor as f32);
    let mean = cx.op("Div", &[&product, &divisor], Vec::new());
    cx.end_reshape(&mean);
    Ok(())
}

pub(super) fn constant(cx: &mut Cx<'_, '_>) -> Printed {
    let dims = cx.result();
    let batched: Vec<usize> = std::iter::once(1).chain(dims.iter().copied()).collect();
    let weight = cx.param(0, Some(&batched))?;
    // One for each image of the batch.
    let x = cx.x(0);
    let shape = cx.op("Shape", &[&x], vec![int("start", 0), int("end", 1)]);
    let own = super::node::signed(&dims);
    let own = cx.whole("extents", &own);
    let shape = cx.op("Concat", &[&shape, &own], vec![int("axis", 0)]);
    cx.end("Expand", &[&weight, &shape], Vec::new());
    Ok(())
}

pub(super) fn shrink(cx: &mut Cx<'_, '_>) -> Printed {
    with_floats(cx, "Shrink", &[("lambd", "lambd"), ("bias", "bias")])
}
