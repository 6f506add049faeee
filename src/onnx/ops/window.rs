//! Convolutions and pools: windows that move over a map.

use super::super::ctx::{Call, Ctx, Item, one};
use super::super::error::{Why, invalid, unsupported};
use super::super::net::{Conv, Op};
use super::super::tensor::Tensor;
use super::super::text;

/// Kernel, stride, padding and dilation of a window.
struct Window {
    kernel: Vec<usize>,
    stride: Vec<usize>,
    pads: Vec<[usize; 2]>,
    dilation: Vec<usize>,
    auto: String,
}

impl Window {
    fn read(call: &Call<'_>, kernel: Option<&[usize]>, spatial: usize) -> Result<Window, Why> {
        let kernel = match (call.attrs.extents("kernel_shape")?, kernel) {
            (Some(written), Some(weights)) if written != weights => {
                return invalid(format!(
                    "`kernel_shape` is {written:?}, and the weights have {weights:?}"
                ));
            }
            (Some(written), _) => written,
            (None, Some(weights)) => weights.to_vec(),
            (None, None) => return invalid("`kernel_shape` is missing"),
        };
        let list = |name: &str| -> Result<Vec<usize>, Why> {
            let list = call
                .attrs
                .extents(name)?
                .unwrap_or_else(|| vec![1; spatial]);
            match list.len() == spatial && list.iter().all(|&n| n > 0) {
                true => Ok(list),
                false => invalid(format!("`{name}` is {list:?} for {spatial} axes")),
            }
        };
        let (stride, dilation) = (list("strides")?, list("dilations")?);
        if kernel.len() != spatial || kernel.contains(&0) {
            return invalid(format!("a kernel of {kernel:?} for {spatial} axes"));
        }
        let pads = match call.attrs.ints("pads")? {
            None => vec![[0, 0]; spatial],
            Some(list) if list.len() == 2 * spatial => {
                let sound = |n: i64| usize::try_from(n).ok().filter(|&n| n <= 1 << 16);
                let pair = |axis: usize| Some([sound(list[axis])?, sound(list[axis + spatial])?]);
                match (0..spatial).map(pair).collect() {
                    Some(pads) => pads,
                    None => return unsupported(format!("`pads` is {list:?}")),
                }
            }
            Some(list) => return invalid(format!("`pads` is {list:?} for {spatial} axes")),
        };
        let auto = call.attrs.text("auto_pad", "NOTSET")?;
        let mut window = Window {
            kernel,
            stride,
            pads,
            dilation,
            auto,
        };
        if window.auto == "VALID" {
            window.pads.fill([0, 0]);
        }
        Ok(window)
    }

    /// Padding that `auto_pad` asks for on extents.
    fn settle(&mut self, extents: &[usize]) -> Result<(), Why> {
        let lower = match &*self.auto {
            "NOTSET" | "" | "VALID" => return Ok(()),
            "SAME_UPPER" => false,
            "SAME_LOWER" => true,
            other => return invalid(format!("`auto_pad` is {other}")),
        };
        for (axis, &n) in extents.iter().enumerate() {
            let out = n.div_ceil(self.stride[axis]);
            let reach = (self.kernel[axis] - 1) * self.dilation[axis] + 1;
            let total = ((out - 1) * self.stride[axis] + reach).saturating_sub(n);
            let small = total / 2;
            self.pads[axis] = if lower {
                [total - small, small]
            } else {
                [small, total - small]
            };
        }
        Ok(())
    }

    /// Extents of the result.
    fn extents(&self, extents: &[usize], ceil: bool) -> Result<Vec<usize>, Why> {
        let mut all = Vec::new();
        for (axis, &n) in extents.iter().enumerate() {
            let [before, behind] = self.pads[axis];
            let reach = (self.kernel[axis] - 1) * self.dilation[axis] + 1;
            let padded = n + before + behind;
            let Some(room) = padded.checked_sub(reach) else {
                return invalid(format!("a window of {reach} on {padded} pixels"));
            };
            let stride = self.stride[axis];
            let mut count = room / stride + 1;
            if ceil && !room.is_multiple_of(stride) && count * stride < n + before {
                count += 1;
            }
            all.push(count);
        }
        Ok(all)
    }
}

/// Zeros that a layer before puts around its map, if it does nothing else.
fn padded(ctx: &Ctx, id: usize) -> Option<(usize, Vec<[usize; 2]>)> {
    match ctx.net.op(id) {
        Some(Op::Pad(pads)) => Some((ctx.net.source(id)?, pads.clone())),
        _ => None,
    }
}

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
    // A map of one pixel that is a vector already.
    if pixel && groups == 1 && ctx.net.dims(x.id) == [channels] {
        ctx.batched(&dims)?;
        params[0].1 = weight.with_dims(vec![out, channels]);
        params.extend(bias.map(|bias| ("bias", bias)));
        return one(
            ctx.net.push(Op::Dense(out), &[x.id], params, vec![out]),
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
    if window.dilation.iter().any(|&n| n > 1) {
        return unsupported(format!("`dilations` of {:?}", window.dilation));
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

/// `MaxPool`, `AveragePool`, `LpPool`.
pub fn pool(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    if call.outputs > 1 {
        return unsupported("the places of the largest elements are asked for");
    }
    let x = call.val(0)?;
    let spatial = x.dims.len().saturating_sub(2);
    if spatial == 0 {
        return invalid(format!("a pool of {:?}", x.dims));
    }
    let mut window = Window::read(call, None, spatial)?;
    let ceil = call.attrs.int("ceil_mode", 0)? == 1;
    window.settle(&x.dims[2..])?;
    let extents = window.extents(&x.dims[2..], ceil)?;
    let mut id = ctx.map(&x)?;
    let mut dims = vec![x.dims[0], x.dims[1]];
    dims.extend(&extents);
    let mut include = call.attrs.int("count_include_pad", 0)? == 1;
    if call.op != "MaxPool"
        && !ceil
        && window.pads.iter().all(|&pads| pads == [0, 0])
        && let Some((source, pads)) = padded(ctx, id)
        && pads
            .iter()
            .zip(&window.kernel)
            .all(|(pads, &kernel)| pads[0] < kernel && pads[1] < kernel)
    {
        (id, window.pads, include) = (source, pads, true);
    }
    // A window in the padding alone sees nothing; the language's windows see something.
    let mut args = text::window(
        &window.kernel,
        &window.stride,
        &window.pads,
        &window.dilation,
        true,
    );
    if ceil {
        args += " ceil";
    }
    let result = dims[1..].to_vec();
    let id = match call.op {
        "MaxPool" => ctx
            .net
            .push(Op::Text("maxpool", args), &[id], Vec::new(), result),
        "AveragePool" => {
            if include && window.pads.iter().any(|&pads| pads != [0, 0]) {
                args += " count_include_pad";
            }
            ctx.net
                .push(Op::Text("avgpool", args), &[id], Vec::new(), result)
        }
        _ => {
            let p = match call.opset {
                1 => call.attrs.float("p", 2.0)?,
                _ => call.attrs.int("p", 2)? as f32,
            };
            if p.fract() != 0.0 || !(1.0..=16.0).contains(&p) {
                return unsupported(format!("`p` {p}"));
            }
            ctx.net.push(
                Op::Text("lppool", format!("{args} p {p}")),
                &[id],
                Vec::new(),
                result,
            )
        }
    };
    one(id, dims)
}

/// `|x|ᵖ`.
fn power(ctx: &mut Ctx, id: usize, p: f32) -> usize {
    match p {
        1.0 => ctx.net.unary(Op::Word("abs"), id),
        p if p % 2.0 == 0.0 => ctx.net.unary(Op::Text("pow", text::number(p)), id),
        p => {
            let abs = ctx.net.unary(Op::Word("abs"), id);
            ctx.net.unary(Op::Text("pow", text::number(p)), abs)
        }
    }
}

/// The `p`-th root.
fn root(ctx: &mut Ctx, id: usize, p: f32) -> usize {
    match p {
        1.0 => id,
        2.0 => ctx.net.unary(Op::Word("sqrt"), id),
        p => ctx.net.unary(Op::Text("pow", text::number(1.0 / p)), id),
    }
}

/// `GlobalAveragePool`, `GlobalMaxPool`, `GlobalLpPool`.
pub fn global_pool(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let x = call.val(0)?;
    if x.dims.len() < 3 {
        return invalid(format!("a pool of {:?}", x.dims));
    }
    let id = ctx.map(&x)?;
    let mut dims = x.dims[..2].to_vec();
    dims.resize(x.dims.len(), 1);
    let channels = vec![x.dims[1]];
    let id = match call.op {
        "GlobalAveragePool" => ctx
            .net
            .push(Op::Word("globalavgpool"), &[id], Vec::new(), channels),
        "GlobalMaxPool" => ctx
            .net
            .push(Op::Word("globalmaxpool"), &[id], Vec::new(), channels),
        _ => {
            let p = call.attrs.int("p", 2)? as f32;
            let count: usize = x.dims[2..].iter().product();
            let powers = power(ctx, id, p);
            let mean = ctx
                .net
                .push(Op::Word("globalavgpool"), &[powers], Vec::new(), channels);
            let sum = ctx.net.unary(Op::Scale(count as f32, 0.0), mean);
            root(ctx, sum, p)
        }
    };
    one(id, dims)
}

/// `MaxRoiPool`, `RoiAlign`.
pub fn regions(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let (x, rois) = (call.val(0)?, call.val(1)?);
    let align = call.op == "RoiAlign";
    let &[count, columns] = &rois.dims[..] else {
        return invalid(format!("regions of extents {:?}", rois.dims));
    };
    if ctx.batch.is_some() || x.dims.len() != 4 {
        return unsupported(format!("regions of maps of extents {:?}", x.dims));
    }
    if columns != if align { 4 } else { 5 } {
        return invalid(format!("regions of {columns} numbers"));
    }
    let map = ctx.map(&x)?;
    let regions = ctx.net.view(rois.id, &[count, columns]);
    let (size, scale, args) = if align {
        let size = [
            call.attrs.int("output_height", 1)?,
            call.attrs.int("output_width", 1)?,
        ];
        if call.attrs.text("mode", "avg")? != "avg" {
            return unsupported("`mode` max: samples are averaged");
        }
        let samples = call.attrs.int("sampling_ratio", 0)?;
        if samples < 1 {
            return unsupported(
                "`sampling_ratio` 0, a number of samples that depends on the region; export it with 2",
            );
        }
        let default = if call.opset < 16 {
            "output_half_pixel"
        } else {
            "half_pixel"
        };
        let aligned = call.attrs.text("coordinate_transformation_mode", default)? == "half_pixel";
        let aligned = if aligned { " aligned" } else { "" };
        (
            size,
            call.attrs.float("spatial_scale", 1.0)?,
            format!(" samples {samples}{aligned}"),
        )
    } else {
        let size = call.attrs.ints("pooled_shape")?.unwrap_or_default();
        let &[height, width] = size else {
            return invalid("`pooled_shape` is missing");
        };
        (
            [height, width],
            call.attrs.float("spatial_scale", 1.0)?,
            String::new(),
        )
    };
    if size.iter().any(|n| !(1..=4096).contains(n)) {
        return invalid(format!("regions become {size:?}"));
    }
    let [height, width] = size.map(|n| n as usize);
    let word = if align { "roialign" } else { "roipool" };
    let args = format!(
        "{height}x{width} spatial_scale {}{args}",
        text::number(scale)
    );
    let channels = x.dims[1];
    let id = ctx.net.push(
        Op::Text(word, args),
        &[map, regions],
        Vec::new(),
        vec![channels, count, height, width],
    );
    let id = ctx.net.permute(id, &[1, 0, 2, 3]);
    one(id, vec![count, channels, height, width])
}

/// Weights of a matrix product: (out, in), with the bias that it may have.
pub fn dense(ctx: &mut Ctx, x: usize, weight: Tensor, bias: Option<Tensor>) -> usize {
    let out = weight.dims[0];
    let mut params = vec![("weight", weight)];
    params.extend(bias.map(|bias| ("bias", bias)));
    ctx.net.push(Op::Dense(out), &[x], params, vec![out])
}
