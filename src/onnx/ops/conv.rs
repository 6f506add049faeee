//! Convolutions.

use super::super::ctx::{Call, Ctx, Item, one};
use super::super::error::{Why, invalid, unsupported};
use super::super::net::{Conv, Op};
use super::window::{Window, padded};

/// `Conv`.
pub fn conv(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let x = call.val(0)?;
    let weight = call.needed(1)?.clone();
    let spatial = x.dims.len().saturating_sub(2);
    if spatial == 0 || weight.dims.len() != spatial + 2 {
        return invalid(format!(
            "a convolution of {:?} with {:?}",
            x.dims, weight.dims
        ));
    }
    let mut window = Window::read(call, Some(&weight.dims[2..]), spatial)?;
    let groups = usize::try_from(call.attrs.int("group", 1)?).unwrap_or(0);
    let (out, channels) = (weight.dims[0], x.dims[1]);
    if groups == 0 || out % groups != 0 || Some(channels) != weight.dims[1].checked_mul(groups) {
        return invalid(format!(
            "a convolution of {channels} channels in {groups} groups with weights of {:?}",
            weight.dims
        ));
    }
    let bias = call
        .constant(2)?
        .is_some()
        .then(|| call.vector(2, out))
        .transpose()?;
    window.settle(&x.dims[2..])?;
    let extents = window.extents(&x.dims[2..], false)?;
    let mut dims = vec![x.dims[0], out];
    dims.extend(&extents);
    let pixel =
        window.kernel.iter().all(|&n| n == 1) && window.pads.iter().all(|&pads| pads == [0, 0]);
    let mut params = vec![("weight", weight.clone())];
    // A map of one pixel that is a vector already, or was one.
    let vector = match (ctx.net.op(x.id), ctx.net.source(x.id)) {
        (Some(Op::Reshape), Some(source)) => source,
        _ => x.id,
    };
    if pixel && groups == 1 && ctx.net.dims(vector) == [channels] {
        ctx.batched(&dims)?;
        params[0].1 = weight.with_dims(vec![out, channels]);
        params.extend(bias.map(|bias| ("bias", bias)));
        return one(
            ctx.net.push(Op::Dense(out), &[vector], params, vec![out]),
            dims,
        );
    }
    let mut id = ctx.map(&x)?;
    let mut inner = window.pads.clone();
    if let Some((source, pads)) = padded(ctx, id) {
        id = source;
        for (inner, pads) in inner.iter_mut().zip(pads) {
            *inner = [inner[0] + pads[0], inner[1] + pads[1]];
        }
    }
    params.extend(bias.map(|bias| ("bias", bias)));
    let op = Op::Conv(Conv {
        transposed: false,
        kernel: window.kernel,
        out,
        stride: window.stride,
        pads: inner,
        dilation: window.dilation,
        groups,
        output_pad: 0,
    });
    one(ctx.net.push(op, &[id], params, dims[1..].to_vec()), dims)
}

/// `ConvTranspose`.
pub fn convtranspose(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let x = call.val(0)?;
    let weight = call.needed(1)?.clone();
    let spatial = x.dims.len().saturating_sub(2);
    if spatial == 0 || weight.dims.len() != spatial + 2 || weight.dims[0] != x.dims[1] {
        return invalid(format!(
            "a transposed convolution of {:?} with {:?}",
            x.dims, weight.dims
        ));
    }
    let mut window = Window::read(call, Some(&weight.dims[2..]), spatial)?;
    for (&kernel, dilation) in window.kernel.iter().zip(&mut window.dilation) {
        // One element has nothing to keep apart.
        if kernel == 1 {
            *dilation = 1;
        }
    }
    let groups = usize::try_from(call.attrs.int("group", 1)?).unwrap_or(0);
    let Some(out) = weight.dims[1].checked_mul(groups).filter(|&out| out > 0) else {
        return invalid(format!("{groups} groups"));
    };
    if x.dims[1] % groups != 0 {
        return invalid(format!("{groups} groups of {} channels", x.dims[1]));
    }
    let bias = call
        .constant(2)?
        .is_some()
        .then(|| call.vector(2, out))
        .transpose()?;
    let mut extra = call
        .attrs
        .extents("output_padding")?
        .unwrap_or_else(|| vec![0; spatial]);
    if extra.len() != spatial {
        return invalid(format!("`output_padding` is {extra:?}"));
    }
    let shape = call.attrs.extents("output_shape")?;
    let mut extents = Vec::new();
    for (axis, extra) in extra.iter_mut().enumerate() {
        let n = x.dims[axis + 2];
        let (stride, reach) = (
            window.stride[axis],
            (window.kernel[axis] - 1) * window.dilation[axis] + 1,
        );
        let full = (n.max(1) - 1) * stride + reach;
        let wanted = match (&shape, &*window.auto) {
            (Some(shape), _) => Some(*shape.iter().rev().nth(spatial - 1 - axis).unwrap_or(&0)),
            (None, "SAME_UPPER" | "SAME_LOWER") => Some(n * stride),
            _ => None,
        };
        if let Some(wanted) = wanted {
            let whole = full + *extra;
            let total = whole.saturating_sub(wanted);
            if wanted > whole {
                // More than the windows reach: only in the padding of the result.
                *extra += wanted - whole;
            }
            let small = total / 2;
            window.pads[axis] = if window.auto == "SAME_UPPER" {
                [small, total - small]
            } else {
                [total - small, small]
            };
        }
        let [before, behind] = window.pads[axis];
        match (full + *extra).checked_sub(before + behind) {
            Some(n) if n > 0 => extents.push(n),
            _ => return invalid("nothing is left of the result"),
        }
        // What is added behind is what is not cut off.
        let kept = (*extra).min(behind);
        window.pads[axis][1] -= kept;
        *extra -= kept;
    }
    let output_pad = extra.iter().copied().max().unwrap_or(0);
    if extra.iter().any(|&n| n != output_pad)
        || window
            .stride
            .iter()
            .any(|&stride| output_pad > 0 && output_pad >= stride)
    {
        return unsupported(format!("`output_padding` of {extra:?}"));
    }
    let id = ctx.map(&x)?;
    let mut dims = vec![x.dims[0], out];
    dims.extend(extents);
    let mut params = vec![("weight", weight)];
    params.extend(bias.map(|bias| ("bias", bias)));
    let op = Op::Conv(Conv {
        transposed: true,
        kernel: window.kernel,
        out,
        stride: window.stride,
        pads: window.pads,
        dilation: window.dilation,
        groups,
        output_pad,
    });
    one(ctx.net.push(op, &[id], params, dims[1..].to_vec()), dims)
}
