//! Layers that move a window: convolutions and pools.

use super::node::{Cx, int, ints, word};
use crate::onnx::proto::AttributeProto;
use cnnc_compiler::layer::convtranspose::ConvTranspose;
use cnnc_compiler::layer::local::Local;
use cnnc_compiler::layer::window::{Placed, Window};

type Printed = Result<(), String>;

/// A window that fits, as attributes: what is padded at the end is what it reaches beyond the operand.
struct Frame {
    kernel: Vec<usize>,
    strides: Vec<usize>,
    before: Vec<usize>,
    /// As declared,
    after: Vec<usize>,
    /// what the last window needs of it, or beyond it,
    reached: Vec<usize>,
    /// and what a pool pads by: what a clipped window lacks.
    ends: Vec<usize>,
    dilations: Vec<usize>,
}

impl Frame {
    fn of(window: &Window, placed: &Placed, dhw: [usize; 3]) -> Frame {
        let axes = 3 - window.rank..3;
        let reached = axes.clone().map(|axis| {
            let end = (placed.out[axis] - 1) * window.stride[axis] + window.reach()[axis];
            end.saturating_sub(placed.before[axis] + dhw[axis])
        });
        let reached: Vec<usize> = reached.collect();
        let after = placed.after[axes.clone()].to_vec();
        Frame {
            ends: if window.ceil {
                reached.clone()
            } else {
                after.clone()
            },
            kernel: window.kernel[axes.clone()].to_vec(),
            strides: window.stride[axes.clone()].to_vec(),
            before: placed.before[axes.clone()].to_vec(),
            after,
            reached,
            dilations: window.dilation[axes.clone()].to_vec(),
        }
    }

    /// Whether its taps are side by side.
    fn is_dense(&self) -> bool {
        self.dilations.iter().all(|&dilation| dilation == 1)
    }

    /// The attributes, with that padding at the ends.
    fn attributes(&self, after: &[usize]) -> Vec<AttributeProto> {
        vec![
            ints("kernel_shape", &self.kernel),
            ints("strides", &self.strides),
            ints("pads", &[&self.before, after].concat()),
        ]
    }
}

fn frame(cx: &Cx<'_, '_>, window: &Window) -> Result<Frame, String> {
    let shape = cx.shape(0);
    let placed = window.place(&shape).map_err(|error| error.message)?;
    Ok(Frame::of(window, &placed, shape.dhw()))
}

fn window(cx: &Cx<'_, '_>) -> Result<Window, String> {
    let window = cx.layer().window().cloned();
    window.ok_or_else(|| "it has no window".to_owned())
}

/// Operand, weights and, if there is one, bias.
fn operands(cx: &mut Cx<'_, '_>) -> Result<Vec<String>, String> {
    let mut operands = vec![cx.x(0)];
    for index in 0..cx.params() {
        operands.push(cx.param(index, None)?);
    }
    Ok(operands)
}

pub(super) fn conv(cx: &mut Cx<'_, '_>) -> Printed {
    let frame = frame(cx, &window(cx)?)?;
    let mut attributes = frame.attributes(&frame.after);
    attributes.push(ints("dilations", &frame.dilations));
    attributes.push(int("group", cx.number("groups")));
    let operands = operands(cx)?;
    cx.end("Conv", &names(&operands), attributes);
    Ok(())
}

fn names(operands: &[String]) -> Vec<&str> {
    operands.iter().map(String::as_str).collect()
}

pub(super) fn convtranspose(cx: &mut Cx<'_, '_>) -> Printed {
    let layer = cx.layer().downcast::<ConvTranspose>();
    let layer = layer.ok_or("it is another layer")?;
    let window = &layer.window;
    let axes = 3 - window.rank..3;
    let cut: Vec<_> = axes.clone().map(|axis| layer.cut(axis)).collect();
    let pads: Vec<usize> = cut
        .iter()
        .map(|cut| cut.0)
        .chain(cut.iter().map(|cut| cut.1))
        .collect();
    let added: Vec<usize> = axes.clone().map(|axis| layer.added(axis)).collect();
    let mut attributes = vec![
        ints("kernel_shape", &window.kernel[axes.clone()]),
        ints("strides", &window.stride[axes.clone()]),
        ints("pads", &pads),
        ints("output_padding", &added),
        int("group", layer.groups),
    ];
    if window.dilation != [1; 3] {
        attributes.push(ints("dilations", &window.dilation[axes]));
    }
    let operands = operands(cx)?;
    cx.end("ConvTranspose", &names(&operands), attributes);
    Ok(())
}

/// Patches of the operand as rows, times the matrix of each place.
pub(super) fn local(cx: &mut Cx<'_, '_>) -> Printed {
    let layer = cx.layer().downcast::<Local>();
    let (window, biased) = layer
        .map(|layer| (layer.window.clone(), layer.bias))
        .ok_or("it is another layer")?;
    let frame = frame(cx, &window)?;
    let (channels, outs) = (cx.dims(0)[0], cx.result()[0]);
    let [rows, columns] = [cx.result()[1], cx.result()[2]];
    let padded = pad(cx, &[frame.before.clone(), frame.reached.clone()]);
    let [kh, kw] = [frame.kernel[0], frame.kernel[1]];
    let mut taps = Vec::new();
    for tap in 0..kh * kw {
        let from = [tap / kw, tap % kw];
        let end = |axis: usize, count: usize| from[axis] + (count - 1) * frame.strides[axis] + 1;
        let bounds = [
            cx.whole("starts", &[from[0] as i64, from[1] as i64]),
            cx.whole("ends", &[end(0, rows) as i64, end(1, columns) as i64]),
            cx.whole("axes", &[2, 3]),
            cx.whole("steps", &[frame.strides[0] as i64, frame.strides[1] as i64]),
        ];
        let [starts, ends, axes, steps] = bounds.each_ref().map(String::as_str);
        let part = cx.op("Slice", &[&padded, starts, ends, axes, steps], Vec::new());
        taps.push(cx.reshape(&part, &[channels, 1, rows, columns]));
    }
    // Channels, taps, rows, columns: rows and columns first, then what is summed.
    let taps = cx.op("Concat", &names(&taps), vec![int("axis", 2)]);
    let patches = cx.transpose(&taps, &[3, 4, 1, 2]);
    let terms = channels * kh * kw;
    let patches = cx.reshape(&patches, &[rows * columns, 1, terms]);
    let weight = cx.param(0, Some(&[rows * columns, outs, terms]))?;
    let weight = cx.op("Transpose", &[&weight], vec![ints("perm", &[0, 2, 1])]);
    let product = cx.op("MatMul", &[&patches, &weight], Vec::new());
    let product = cx.reshape(&product, &[rows, columns, outs]);
    match biased {
        true => {
            let product = cx.transpose(&product, &[3, 1, 2]);
            let bias = cx.param(1, None)?;
            cx.end("Add", &[&product, &bias], Vec::new());
        }
        false => cx.end(
            "Transpose",
            &[&product],
            vec![super::node::permutation(&[3, 1, 2])],
        ),
    }
    Ok(())
}

/// Zeros around the operand's pixels, unless there are none.
fn pad(cx: &mut Cx<'_, '_>, [before, after]: &[Vec<usize>; 2]) -> String {
    let x = cx.x(0);
    if before.iter().chain(after).all(|&count| count == 0) {
        return x;
    }
    let side = |counts: &[usize]| [&[0, 0], counts].concat();
    let pads = super::node::signed(&[side(before), side(after)].concat());
    let pads = cx.whole("pads", &pads);
    cx.op("Pad", &[&x, &pads], vec![word("mode", "constant")])
}

pub(super) fn maxpool(cx: &mut Cx<'_, '_>) -> Printed {
    let frame = frame(cx, &window(cx)?)?;
    let x = cx.x(0);
    let mut attributes = frame.attributes(&frame.ends);
    if !frame.is_dense() {
        attributes.push(ints("dilations", &frame.dilations));
    }
    cx.end("MaxPool", &[&x], attributes);
    Ok(())
}

pub(super) fn lppool(cx: &mut Cx<'_, '_>) -> Printed {
    let frame = dense_frame(cx)?;
    let x = cx.x(0);
    let mut attributes = frame.attributes(&frame.ends);
    attributes.push(int("p", cx.number("p")));
    cx.end("LpPool", &[&x], attributes);
    Ok(())
}

/// The window, if its taps are side by side.
fn dense_frame(cx: &Cx<'_, '_>) -> Result<Frame, String> {
    let frame = frame(cx, &window(cx)?)?;
    match frame.is_dense() {
        true => Ok(frame),
        false => {
            Err("means and norms of taps that are apart are of later opsets than 17".to_owned())
        }
    }
}

pub(super) fn avgpool(cx: &mut Cx<'_, '_>) -> Printed {
    let frame = dense_frame(cx)?;
    let counted = cx.flag("count_include_pad");
    let beyond = frame
        .reached
        .iter()
        .zip(&frame.after)
        .any(|(reached, after)| reached > after);
    if counted && beyond {
        // What counts are zeros of the operand, and what a last window reaches beyond them is no padding that counts.
        let padded = pad(cx, &[frame.before.clone(), frame.after.clone()]);
        let after: Vec<usize> = frame
            .reached
            .iter()
            .zip(&frame.after)
            .map(|(reached, after)| reached.saturating_sub(*after))
            .collect();
        let bare = Frame {
            before: vec![0; frame.kernel.len()],
            ..frame
        };
        let mut attributes = bare.attributes(&after);
        attributes.push(int("count_include_pad", 0));
        cx.end("AveragePool", &[&padded], attributes);
        return Ok(());
    }
    let mut attributes = frame.attributes(&frame.ends);
    attributes.push(int("count_include_pad", counted.into()));
    let x = cx.x(0);
    cx.end("AveragePool", &[&x], attributes);
    Ok(())
}

fn global(cx: &mut Cx<'_, '_>, op: &str) -> Printed {
    let x = cx.x(0);
    let pooled = match cx.dims(0).len() {
        // A vector has one pixel.
        1 => x,
        _ => cx.op(op, &[&x], Vec::new()),
    };
    cx.end("Flatten", &[&pooled], vec![int("axis", 1)]);
    Ok(())
}

pub(super) fn globalavgpool(cx: &mut Cx<'_, '_>) -> Printed {
    global(cx, "GlobalAveragePool")
}

pub(super) fn globalmaxpool(cx: &mut Cx<'_, '_>) -> Printed {
    global(cx, "GlobalMaxPool")
}

/// Of equal bins a pool; of others, matrices of shares along each axis.
pub(super) fn adaptiveavgpool(cx: &mut Cx<'_, '_>) -> Printed {
    let (from, to) = (cx.dims(0), cx.result());
    let axes = from[1..].iter().zip(&to[1..]);
    let x = cx.x(0);
    if to[1..].iter().all(|&extent| extent == 1) {
        cx.end("GlobalAveragePool", &[&x], Vec::new());
        return Ok(());
    }
    if axes.clone().all(|(n, m)| n % m == 0) {
        let bins: Vec<usize> = axes.map(|(n, m)| n / m).collect();
        cx.end(
            "AveragePool",
            &[&x],
            vec![ints("kernel_shape", &bins), ints("strides", &bins)],
        );
        return Ok(());
    }
    let (mut value, mut dims) = (x, from.clone());
    for axis in 1..from.len() {
        let (n, m) = (from[axis], to[axis]);
        let mut shares = vec![0.0; m * n];
        for bin in 0..m {
            let (first, end) = (bin * n / m, ((bin + 1) * n).div_ceil(m));
            shares[bin * n + first..bin * n + end].fill(1.0 / (end - first) as f32);
        }
        let shares = cx.floats("shares", &[m, n], &shares);
        let (before, behind) = (
            dims[..axis].iter().product::<usize>(),
            dims[axis + 1..].iter().product::<usize>(),
        );
        let flat = cx.reshape(&value, &[before, n, behind]);
        let pooled = cx.op("MatMul", &[&shares, &flat], Vec::new());
        dims[axis] = m;
        value = cx.reshape(&pooled, &dims);
    }
    cx.end("Identity", &[&value], Vec::new());
    Ok(())
}
