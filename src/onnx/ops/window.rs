//! Windows that move over a map: what a node says of them.

use super::super::ctx::{Call, Ctx};
use super::super::error::{Why, invalid, unsupported};
use super::super::net::Op;

/// Kernel, stride, padding and dilation of a window.
pub struct Window {
    pub kernel: Vec<usize>,
    pub stride: Vec<usize>,
    pub pads: Vec<[usize; 2]>,
    pub dilation: Vec<usize>,
    pub auto: String,
}

impl Window {
    pub fn read(call: &Call<'_>, kernel: Option<&[usize]>, spatial: usize) -> Result<Window, Why> {
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
    pub fn settle(&mut self, extents: &[usize]) -> Result<(), Why> {
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
    pub fn extents(&self, extents: &[usize], ceil: bool) -> Result<Vec<usize>, Why> {
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
pub fn padded(ctx: &Ctx, id: usize) -> Option<(usize, Vec<[usize; 2]>)> {
    match ctx.net.op(id) {
        Some(Op::Pad(pads)) => Some((ctx.net.source(id)?, pads.clone())),
        _ => None,
    }
}
