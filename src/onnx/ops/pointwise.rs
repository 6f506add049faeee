//! One element at a time, of one operand.

use super::super::ctx::{Call, Ctx, Item, Val, one};
use super::super::error::{Why, invalid, unsupported};
use super::super::net::{Id, Op};
use super::super::text;

/// Operators that are a layer without parameters.
const SAME: [(&str, &str); 11] = [
    ("Relu", "relu"),
    ("Sigmoid", "sigmoid"),
    ("Tanh", "tanh"),
    ("Softplus", "softplus"),
    ("Softsign", "softsign"),
    ("Abs", "abs"),
    ("Exp", "exp"),
    ("Sqrt", "sqrt"),
    ("HardSwish", "hardswish"),
    ("Mish", "mish"),
    ("Gelu", "gelu"),
];

/// Every operator of one operand that keeps extents.
pub fn unary(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let x = call.val(0)?;
    let id = x.id;
    let net = &mut ctx.net;
    let mut run = |ops: &[Op]| ops.iter().fold(id, |id, op| net.unary(op.clone(), id));
    let id = match call.op {
        "Gelu" if call.attrs.text("approximate", "none")? == "tanh" => {
            run(&[Op::Text("gelu", "approximate".into())])
        }
        "Swish" => {
            let alpha = call.attrs.float("alpha", 1.0)?;
            match alpha {
                1.0 => run(&[Op::Word("silu")]),
                _ => run(&[
                    Op::Scale(alpha, 0.0),
                    Op::Word("silu"),
                    Op::Scale(1.0 / alpha, 0.0),
                ]),
            }
        }
        "Neg" => run(&[Op::Scale(-1.0, 0.0)]),
        "Reciprocal" => run(&[Op::Text("pow", "(-1)".into())]),
        "LeakyRelu" => run(&[Op::Text(
            "leaky",
            text::number(call.attrs.float("alpha", 0.01)?),
        )]),
        "Elu" => run(&[elu(call.attrs.float("alpha", 1.0)?)]),
        "Celu" => {
            let alpha = call.attrs.float("alpha", 1.0)?;
            run(&[Op::Scale(1.0 / alpha, 0.0), elu(1.0), Op::Scale(alpha, 0.0)])
        }
        "Selu" => {
            let alpha = call.attrs.float("alpha", 1.673_263_2)?;
            let gamma = call.attrs.float("gamma", 1.050_701)?;
            match (alpha - 1.673_263_2).abs() < 1e-4 && (gamma - 1.050_701).abs() < 1e-4 {
                true => run(&[Op::Word("selu")]),
                false => run(&[elu(alpha), Op::Scale(gamma, 0.0)]),
            }
        }
        "HardSigmoid" => {
            let (alpha, beta) = (
                call.attrs.float("alpha", 0.2)?,
                call.attrs.float("beta", 0.5)?,
            );
            run(&[Op::Scale(alpha, beta), Op::Clip(0.0, 1.0)])
        }
        "Clip" => {
            let bound = |at: usize, name: &str, default: f32| -> Result<f32, Why> {
                match call.constant(at)? {
                    Some(tensor) => tensor
                        .scalar()
                        .ok_or_else(|| Why::Invalid(format!("`{name}` is no number"))),
                    None => call.attrs.float(name, default),
                }
            };
            let (low, high) = (bound(1, "min", f32::MIN)?, bound(2, "max", f32::MAX)?);
            // What is infinite confines nothing.
            let (low, high) = (low.max(f32::MIN), high.min(f32::MAX));
            if low.is_nan() || high.is_nan() || low > high {
                return unsupported(format!("bounds of {low} and {high}"));
            }
            match (low, high) {
                (f32::MIN, f32::MAX) => id,
                _ => run(&[Op::Clip(low, high)]),
            }
        }
        op => match SAME.iter().find(|(name, _)| *name == op) {
            Some((_, word)) => run(&[Op::Word(word)]),
            None => return invalid(format!("{op} is no operator of one operand")),
        },
    };
    one(id, x.dims)
}

fn elu(alpha: f32) -> Op {
    Op::Text(
        "elu",
        if alpha == 1.0 {
            String::new()
        } else {
            text::number(alpha)
        },
    )
}

/// Numbers as those of a type of whole numbers: towards 0, and as a truth value 1 for whatever is not 0.
fn whole(ctx: &mut Ctx, x: Id, to: i64) -> Result<Id, Why> {
    let net = &mut ctx.net;
    let sign = net.unary(Op::Word("sign"), x);
    match to {
        9 => Ok(net.unary(Op::Word("abs"), sign)),
        2..=7 | 12 | 13 => {
            let size = net.unary(Op::Word("abs"), x);
            let size = net.unary(Op::Word("floor"), size);
            Ok(net.product(sign, size))
        }
        _ => unsupported(format!("numbers of type {to}")),
    }
}

/// `Identity`, `Dropout`, `Cast`: nothing, in use; but a cast to whole numbers rounds.
pub fn passed(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let x = call.val(0)?;
    match call.op {
        "Dropout" => {
            let training = call
                .constant(2)?
                .and_then(|tensor| tensor.scalar())
                .is_some_and(|on| on != 0.0);
            if training
                || (call.opset < 7 && call.attrs.int("is_test", 0)? == 0 && call.outputs > 1)
            {
                return unsupported(
                    "it is in training mode: export the network behind `model.eval()`",
                );
            }
            let mut all = vec![Item::Val(x)];
            all.resize(call.outputs.max(1), Item::Unknown);
            return Ok(all);
        }
        "Cast" => {
            let to = call.attrs.int("to", 1)?;
            if ![1, 10, 11, 16].contains(&to) {
                // Places are made of numbers; that they are whole is seen where they are used.
                let id = whole(ctx, x.id, to)?;
                return Ok(vec![Item::Whole(Val { id, dims: x.dims })]);
            }
        }
        _ => {}
    }
    Ok(vec![Item::Val(x)])
}

/// Layers that are called as the operator is.
pub fn named(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let x = call.val(0)?;
    let op = match call.op {
        "Erf" => Op::Word("erf"),
        "Sin" => Op::Word("sin"),
        "Cos" => Op::Word("cos"),
        "Log" => Op::Word("log"),
        "Floor" => Op::Word("floor"),
        "Ceil" => Op::Word("ceil"),
        "Round" => Op::Word("round"),
        "Sign" => Op::Word("sign"),
        "ThresholdedRelu" => Op::Text(
            "thresholdedrelu",
            text::number(call.attrs.float("alpha", 1.0)?),
        ),
        "Shrink" => {
            let bias = call.attrs.float("bias", 0.0)?;
            Op::Text(
                "shrink",
                format!(
                    "{} bias {}",
                    text::number(call.attrs.float("lambd", 0.5)?),
                    text::number(bias)
                ),
            )
        }
        other => return unsupported(format!("the language has no layer for {other}")),
    };
    let id = ctx.net.unary(op, x.id);
    one(id, x.dims)
}

/// `BatchNormalization`, in use.
pub fn batch_norm(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let x = call.val(0)?;
    // Before operator set 14 the number of results said so.
    let older = match call.opset {
        ..7 => call.attrs.int("is_test", 0)? == 0,
        7..14 => true,
        _ => false,
    };
    if call.attrs.int("training_mode", 0)? == 1 || (older && call.outputs > 1) {
        return unsupported("it is in training mode: export the network behind `model.eval()`");
    }
    if call.opset < 9 && call.attrs.int("spatial", 1)? == 0 {
        return unsupported("`spatial` 0, with numbers for each element");
    }
    if x.dims.len() < 2 {
        return invalid(format!("batch norm of {:?}", x.dims));
    }
    let n = x.dims[1];
    let id = match ctx.net.dims(x.id) == [n] {
        true => x.id,
        false => ctx.map(&x)?,
    };
    let roles = ["weight", "bias", "running_mean", "running_var"];
    let mut params = Vec::new();
    for (at, role) in roles.into_iter().enumerate() {
        params.push((role, call.vector(at + 1, n)?));
    }
    let eps = epsilon(call)?;
    let dims = ctx.net.dims(id).to_vec();
    let id = ctx.net.push(Op::Text("bn", eps), &[id], params, dims);
    one(id, x.dims)
}

/// `eps`, as the language writes it.
pub fn epsilon(call: &Call<'_>) -> Result<String, Why> {
    let eps = call.attrs.float("epsilon", 1e-5)?;
    match eps.is_finite() && eps >= 0.0 {
        true => Ok(format!("eps {}", text::number(eps))),
        false => invalid(format!("`epsilon` is {eps}")),
    }
}

/// `PRelu`.
pub fn prelu(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let x = call.val(0)?;
    let slope = call.needed(1)?;
    let id = ctx.natural(&x);
    let dims = ctx.net.dims(id).to_vec();
    if slope.len() == 1 {
        let params = vec![("weight", slope.with_dims(vec![1]))];
        return one(
            ctx.net
                .push(Op::Text("prelu", "single".into()), &[id], params, dims),
            x.dims,
        );
    }
    // Aligned with the last axes, but one of as many numbers as channels was once aligned with these.
    let lead = ctx.lead(&x.dims);
    let channels = x.dims.get(lead).copied().unwrap_or(1);
    let missing = x.dims.len().checked_sub(slope.dims.len());
    let at_channels = match missing {
        Some(missing) => {
            (0..slope.dims.len()).all(|axis| slope.dims[axis] == 1 || axis + missing == lead)
        }
        None => return invalid(format!("slopes of {:?} for {:?}", slope.dims, x.dims)),
    };
    let old = slope.dims == [channels] && call.opset < 7;
    if slope.len() == channels && (at_channels || old) && ctx.lang(&x.dims)[0] == channels {
        let params = vec![("weight", slope.with_dims(vec![channels]))];
        return one(ctx.net.push(Op::Word("prelu"), &[id], params, dims), x.dims);
    }
    // max(x, 0) + slope · min(x, 0), with -relu(-x) for the latter.
    let positive = ctx.net.unary(Op::Word("relu"), id);
    let negated = ctx.net.unary(Op::Scale(-1.0, 0.0), id);
    let negative = ctx.net.unary(Op::Word("relu"), negated);
    let slopes: Vec<f32> = slope.to_floats().iter().map(|s| -s).collect();
    let slopes = super::super::tensor::Tensor::floats(slope.dims.clone(), slopes);
    let (scaled, all) =
        super::constant::with_constant(ctx, "Mul", negative, &x.dims, &slopes, false)?;
    let scaled = ctx.net.view(scaled, &dims);
    let id: Id = ctx
        .net
        .push(Op::Word("add"), &[positive, scaled], Vec::new(), dims);
    one(id, all)
}

/// `LRN`.
pub fn lrn(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let x = call.val(0)?;
    let size = call.attrs.int("size", 0)?;
    if !(1..=1 << 16).contains(&size) {
        return invalid(format!("`size` is {size}"));
    }
    let id = ctx.map(&x)?;
    let alpha = text::number(call.attrs.float("alpha", 1e-4)?);
    let beta = text::number(call.attrs.float("beta", 0.75)?);
    let k = text::number(call.attrs.float("bias", 1.0)?);
    let dims = ctx.net.dims(id).to_vec();
    let norm = Op::Text("lrn", format!("{size} alpha {alpha} beta {beta} k {k}"));
    let flip = || Op::Text("flip", "axis 0".to_owned());
    // The odd channel of an even window is behind here, and before in the language.
    let layers = match size % 2 {
        0 => vec![flip(), norm, flip()],
        _ => vec![norm],
    };
    let push = |id, op| ctx.net.push(op, &[id], Vec::new(), dims.clone());
    one(layers.into_iter().fold(id, push), x.dims)
}
