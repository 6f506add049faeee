//! Normalisations and dense layers.

use super::node::{Cx, float, int, ints};
use super::sums::chain;

type Printed = Result<(), String>;

pub(super) fn dense(cx: &mut Cx<'_, '_>) -> Printed {
    let x = cx.x(0);
    let weight = cx.param(0, None)?;
    let mut operands = vec![x, weight];
    if cx.params() > 1 {
        operands.push(cx.param(1, None)?);
    }
    let operands: Vec<&str> = operands.iter().map(String::as_str).collect();
    cx.end("Gemm", &operands, vec![int("transB", 1)]);
    Ok(())
}

/// Factors and shifts: the layer's own, or ones and zeros.
fn affine(cx: &mut Cx<'_, '_>, count: usize, own: bool) -> Result<[String; 2], String> {
    match own {
        true => Ok([cx.param(0, None)?, cx.param(1, None)?]),
        false => Ok([
            cx.floats("ones", &[count], &vec![1.0; count]),
            cx.floats("zeros", &[count], &vec![0.0; count]),
        ]),
    }
}

pub(super) fn bn(cx: &mut Cx<'_, '_>) -> Printed {
    let own = cx.flag("affine");
    let channels = cx.dims(0)[0];
    let [weight, bias] = affine(cx, channels, own)?;
    let statistics = cx.params() - 2;
    let mean = cx.param(statistics, None)?;
    let variance = cx.param(statistics + 1, None)?;
    let x = cx.x(0);
    let eps = cx.float("eps");
    cx.end(
        "BatchNormalization",
        &[&x, &weight, &bias, &mean, &variance],
        vec![float("epsilon", eps)],
    );
    Ok(())
}

pub(super) fn instancenorm(cx: &mut Cx<'_, '_>) -> Printed {
    let own = cx.flag("affine");
    let channels = cx.dims(0)[0];
    let [weight, bias] = affine(cx, channels, own)?;
    let x = cx.x(0);
    let eps = float("epsilon", cx.float("eps"));
    cx.end("InstanceNormalization", &[&x, &weight, &bias], vec![eps]);
    Ok(())
}

/// Groups as instances, then the layer's own factors, as PyTorch writes it.
pub(super) fn groupnorm(cx: &mut Cx<'_, '_>) -> Printed {
    let (groups, dims) = (cx.number("groups"), cx.dims(0));
    let elements: usize = dims.iter().product();
    let x = cx.x(0);
    let grouped = cx.reshape(&x, &[groups, elements / groups]);
    let [ones, zeros] = affine(cx, groups, false)?;
    let eps = float("epsilon", cx.float("eps"));
    let normal = cx.op(
        "InstanceNormalization",
        &[&grouped, &ones, &zeros],
        vec![eps],
    );
    if !cx.flag("affine") {
        cx.end_reshape(&normal);
        return Ok(());
    }
    let normal = cx.reshape(&normal, &dims);
    let broadcast: Vec<usize> = std::iter::once(dims[0])
        .chain(dims[1..].iter().map(|_| 1))
        .collect();
    let weight = cx.param(0, Some(&broadcast))?;
    let bias = cx.param(1, Some(&broadcast))?;
    let scaled = cx.op("Mul", &[&normal, &weight], Vec::new());
    cx.end("Add", &[&scaled, &bias], Vec::new());
    Ok(())
}

/// Over the last axis, which is where channels are brought.
pub(super) fn layernorm(cx: &mut Cx<'_, '_>) -> Printed {
    let (dims, own) = (cx.dims(0), cx.flag("affine"));
    let [weight, bias] = affine(cx, dims[0], own)?;
    let eps = float("epsilon", cx.float("eps"));
    let attributes = vec![int("axis", dims.len()), eps];
    let x = cx.x(0);
    let rank = dims.len();
    if rank == 1 {
        cx.end("LayerNormalization", &[&x, &weight, &bias], attributes);
        return Ok(());
    }
    let last: Vec<usize> = (2..=rank).chain([1]).collect();
    let turned = cx.transpose(&x, &last);
    let normal = cx.op("LayerNormalization", &[&turned, &weight, &bias], attributes);
    let first: Vec<usize> = std::iter::once(rank).chain(1..rank).collect();
    cx.end(
        "Transpose",
        &[&normal],
        vec![super::node::permutation(&first)],
    );
    Ok(())
}

pub(super) fn lrn(cx: &mut Cx<'_, '_>) -> Printed {
    let size = cx.number("size");
    let [alpha, beta, k] = ["alpha", "beta", "k"].map(|name| cx.float(name));
    let x = cx.x(0);
    if size % 2 == 1 {
        let attributes = vec![
            int("size", size),
            float("alpha", alpha),
            float("beta", beta),
            float("bias", k),
        ];
        cx.end("LRN", &[&x], attributes);
        return Ok(());
    }
    // ONNX's window has its odd channel behind, this one before.
    let dims = cx.dims(0);
    let square = cx.op("Mul", &[&x, &x], Vec::new());
    let flat = cx.reshape(&square, &[1, dims[0], dims[1..].iter().product()]);
    let pool = vec![
        ints("kernel_shape", &[size, 1]),
        ints("strides", &[1, 1]),
        ints("pads", &[size / 2, 0, size - 1 - size / 2, 0]),
        int("count_include_pad", 1),
    ];
    let mean = cx.op("AveragePool", &[&flat], pool);
    let mean = cx.reshape(&mean, &dims);
    let alpha = cx.scalar("alpha", alpha);
    let k = cx.scalar("k", k);
    let beta = cx.scalar("beta", beta);
    let divisor = chain(cx, &mean, &[("Mul", &alpha), ("Add", &k), ("Pow", &beta)]);
    cx.end("Div", &[&x, &divisor], Vec::new());
    Ok(())
}

pub(super) fn l2norm(cx: &mut Cx<'_, '_>) -> Printed {
    let x = cx.x(0);
    let length = cx.op(
        "ReduceL2",
        &[&x],
        vec![ints("axes", &[1]), int("keepdims", 1)],
    );
    let eps = cx.float("eps");
    let eps = cx.scalar("eps", eps);
    let length = cx.op("Max", &[&length, &eps], Vec::new());
    cx.end("Div", &[&x, &length], Vec::new());
    Ok(())
}
