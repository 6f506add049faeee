//! A division by a length, which is one layer.

use super::super::ctx::{Ctx, Val};
use super::super::net::{Id, Kind, Op};
use super::super::text;

/// x / max(‖x‖, eps), along the channels.
pub fn l2norm(ctx: &mut Ctx, a: &Val, b: &Val) -> Option<Id> {
    let whole = ctx.lang(&a.dims);
    let rest = &a.dims[ctx.lead(&a.dims)..];
    if *rest != whole[..] {
        return None;
    }
    // One length for each pixel, where the pixel is: axes of 1 come and go, but no other extents change.
    let mut each = whole.clone();
    each[0] = 1;
    let mut from = vec![1; a.dims.len() - b.dims.len()];
    from.extend(&b.dims);
    let from = &from[a.dims.len() - rest.len()..];
    if *from != each[..] && *from != whole[..] {
        return None;
    }
    let mut repeated = *from != each[..];
    let mut length = b.id;
    let mut least: Option<f32> = None;
    // With the extents that lengths are taken along.
    let same = |ctx: &Ctx, id: Id| {
        let root = |id: Id| match ctx.net.op(id) {
            Some(Op::Reshape) => ctx.net.source(id).unwrap_or(id),
            _ => id,
        };
        root(id) == root(a.id)
    };
    let whole = loop {
        match ctx.net.op(length)? {
            Op::Clip(low, high) if *high == f32::MAX => {
                least = Some(least.map_or(*low, |least| least.max(*low)));
            }
            Op::Reshape => {}
            Op::Text("tiled", _)
                if repeated
                    && *ctx.net.dims(length) == whole[..]
                    && *ctx.net.dims(ctx.net.source(length)?) == each[..] =>
            {
                repeated = false;
            }
            // √Σx², with or without something small added
            Op::Word("sqrt") => {
                let sum = ctx.net.source(length)?;
                let sum = match ctx.net.op(sum)? {
                    Op::Scale(1.0, shift) if (0.0..1e-6).contains(shift) => ctx.net.source(sum)?,
                    _ => sum,
                };
                let square = match ctx.net.op(sum)? {
                    Op::Reduce(Kind::SumSquare, axes) if axes[..] == [0] => ctx.net.source(sum)?,
                    Op::Reduce(Kind::Sum, axes) if axes[..] == [0] => {
                        let square = ctx.net.source(sum);
                        let layer = ctx.net.values[square?].layer.as_ref()?;
                        match &layer.op {
                            Op::Word("mul") if layer.operands[0] == layer.operands[1] => {
                                layer.operands[0]
                            }
                            Op::Text("pow", two) if two == "2" => layer.operands[0],
                            _ => return None,
                        }
                    }
                    _ => return None,
                };
                if !same(ctx, square) {
                    return None;
                }
                break square;
            }
            Op::Reduce(Kind::L2, axes) if axes[..] == [0] => {
                let whole = ctx.net.source(length)?;
                if !same(ctx, whole) {
                    return None;
                }
                break whole;
            }
            _ => return None,
        }
        length = ctx.net.source(length)?;
    };
    let eps = least.unwrap_or(1e-12);
    if repeated || ctx.lang(&a.dims) != ctx.net.dims(whole) || eps <= 0.0 {
        return None;
    }
    let args = if eps == 1e-12 {
        String::new()
    } else {
        format!("eps {}", text::number(eps))
    };
    let dims = ctx.net.dims(whole).to_vec();
    Some(
        ctx.net
            .push(Op::Text("l2norm", args), &[whole], Vec::new(), dims),
    )
}
