//! What the little darknet computes, in f64.

use super::activate::activate;
use super::{Out, Section, named, padding, read, shapes};

/// What came of a run.
pub struct Run {
    /// What the last layer made.
    pub output: Vec<f64>,
    /// How many numbers of the file were read.
    pub read: usize,
}

/// The numbers of a `.weights` file, read one layer after the other.
struct Numbers<'n> {
    numbers: &'n dyn Fn(usize) -> f32,
    at: usize,
}

impl Numbers<'_> {
    fn take(&mut self, count: usize) -> Vec<f64> {
        let range = self.at..self.at + count;
        self.at = range.end;
        range.map(|at| f64::from((self.numbers)(at))).collect()
    }
}

/// Scale, mean and variance.
type Norm = [Vec<f64>; 3];

/// Runs a network; `numbers` are those of the file by their index.
pub fn run(cfg: &[u8], input: &[f64], numbers: &dyn Fn(usize) -> f32) -> Run {
    let sections = read(cfg);
    let outs = shapes(&sections);
    let mut file = Numbers { numbers, at: 0 };
    let mut made: Vec<Vec<f64>> = vec![input.to_vec()];
    for (at, section) in sections[1..].iter().enumerate() {
        let output = layer(section, at, &outs, &made, &mut file);
        assert_eq!(
            output.len(),
            outs[at + 1].count as usize,
            "[{}]",
            section.kind
        );
        made.push(output);
    }
    let output = made.pop().expect("there is an input");
    let read = file.at;
    Run { output, read }
}

/// A map, read with zeros around it.
struct Map<'m> {
    out: Out,
    values: &'m [f64],
}

impl Map<'_> {
    fn get(&self, c: i64, y: i64, x: i64) -> Option<f64> {
        let Out { h, w, .. } = self.out;
        let inside = (0..h).contains(&y) && (0..w).contains(&x);
        inside.then(|| self.values[((c * h + y) * w + x) as usize])
    }
}

/// A map, element by element.
fn tabulate(out: Out, value: impl Fn(i64, i64, i64) -> f64) -> Vec<f64> {
    let value = &value;
    let rows = (0..out.c).flat_map(|c| (0..out.h).map(move |y| (c, y)));
    rows.flat_map(|(c, y)| (0..out.w).map(move |x| value(c, y, x)))
        .collect()
}

fn layer(
    section: &Section,
    at: usize,
    outs: &[Out],
    made: &[Vec<f64>],
    file: &mut Numbers,
) -> Vec<f64> {
    let (before, out) = (outs[at], outs[at + 1]);
    let input = Map {
        out: before,
        values: &made[at],
    };
    let Out { c, h, w, .. } = before;
    match section.kind.as_str() {
        "convolutional" => convolution(section, &input, out, file),
        "deconvolutional" => {
            let size = section.int("size", 1);
            let (stride, pad) = (section.int("stride", 1), padding(section));
            let (bias, norm) = norm(section, out.c, file);
            let weights = file.take((c * out.c * size * size) as usize);
            let mut sums = vec![0.0; out.count as usize];
            for ((i, o), (y, x)) in
                pairs(c, out.c).flat_map(|io| pairs(h, w).map(move |yx| (io, yx)))
            {
                for (k, l) in pairs(size, size) {
                    let (row, column) = (y * stride + k - pad, x * stride + l - pad);
                    if (0..out.h).contains(&row) && (0..out.w).contains(&column) {
                        let weight = weights[(((i * out.c + o) * size + k) * size + l) as usize];
                        let value = input.get(i, y, x).expect("inside");
                        sums[((o * out.h + row) * out.w + column) as usize] += weight * value;
                    }
                }
            }
            finish(section, sums, out, &bias, norm)
        }
        "local" => {
            let (size, stride, pad) = (
                section.int("size", 1),
                section.int("stride", 1),
                section.int("pad", 0),
            );
            let bias = file.take(out.count as usize);
            let depth = c * size * size;
            let weights = file.take((out.h * out.w * out.c * depth) as usize);
            let sums = tabulate(out, |o, y, x| {
                let first = ((y * out.w + x) * out.c + o) * depth;
                let mut sum = bias[((o * out.h + y) * out.w + x) as usize];
                for (i, (k, l)) in (0..c).flat_map(|i| pairs(size, size).map(move |kl| (i, kl))) {
                    let value = input.get(i, y * stride + k - pad, x * stride + l - pad);
                    let tap = (i * size + k) * size + l;
                    sum += weights[(first + tap) as usize] * value.unwrap_or(0.0);
                }
                sum
            });
            activated(section, "logistic", sums)
        }
        "connected" => {
            let bias = file.take(out.c as usize);
            let weights = file.take((before.count * out.c) as usize);
            let norm = (section.int("batch_normalize", 0) != 0)
                .then(|| [(); 3].map(|()| file.take(out.c as usize)));
            let rows = weights.chunks(before.count as usize);
            let sums = rows.map(|row| row.iter().zip(input.values).map(|(w, x)| w * x).sum());
            finish(section, sums.collect(), out, &bias, norm)
        }
        "batchnorm" => {
            let bias = file.take(c as usize);
            let norm = [(); 3].map(|()| file.take(c as usize));
            normalised(input.values.to_vec(), out, &bias, Some(norm))
        }
        "maxpool" if section.int("maxpool_depth", 0) != 0 => tabulate(out, |o, y, x| {
            let channels = (o..c).step_by(out.c as usize);
            let values = channels.map(|i| input.get(i, y, x).expect("inside"));
            values.fold(f64::NEG_INFINITY, f64::max)
        }),
        "maxpool" | "local_avgpool" => {
            let common = section.int("stride", 1);
            let size = section.int("size", common);
            let before = section.int("padding", size - 1) / 2;
            let blurred = section.int("antialiasing", 0) != 0;
            let strides = section.strides(common);
            let (step_y, step_x) = if blurred { (1, 1) } else { strides };
            let whole = section.int("padding", size - 1) - size;
            let sharp = match blurred {
                true => Out::map(c, h + whole + 1, w + whole + 1),
                false => out,
            };
            let pooled = tabulate(sharp, |i, y, x| {
                let taps = pairs(size, size);
                let at = |(k, l)| input.get(i, y * step_y + k - before, x * step_x + l - before);
                let seen: Vec<f64> = taps.filter_map(at).collect();
                match section.kind.as_str() {
                    "maxpool" => seen.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                    _ => seen.iter().sum::<f64>() / seen.len() as f64,
                }
            });
            blurring(section, pooled, sharp, out, strides)
        }
        "avgpool" => tabulate(out, |i, _, _| {
            let plane = pairs(h, w).map(|(y, x)| input.get(i, y, x).expect("inside"));
            plane.sum::<f64>() / (h * w) as f64
        }),
        "route" => {
            let (groups, group) = (section.int("groups", 1), section.int("group_id", 0));
            let parts = named(section, "layers", at).into_iter().map(|index| {
                let values = &made[index + 1];
                let part = values.len() / groups as usize;
                values[group as usize * part..][..part].to_vec()
            });
            parts.flatten().collect()
        }
        "shortcut" => shortcut(section, at, outs, made, file),
        "scale_channels" => {
            let from = &made[named(section, "from", at)[0] + 1];
            let plane = (out.h * out.w) as usize;
            let gate = |index: usize| match section.int("scale_wh", 0) {
                0 => input.values[index / plane],
                _ => input.values[index % plane],
            };
            let scaled = from.iter().enumerate().map(|(index, x)| gate(index) * x);
            activated(section, "linear", scaled.collect())
        }
        "sam" => {
            let from = &made[named(section, "from", at)[0] + 1];
            let products = input.values.iter().zip(from).map(|(a, b)| a * b);
            activated(section, "linear", products.collect())
        }
        "upsample" => {
            let scale = section.float("scale", 1.0);
            match section.int("stride", 2) {
                stride @ ..0 => tabulate(out, |i, y, x| {
                    let block = pairs(-stride, -stride);
                    let at = |(k, l)| input.get(i, y * -stride + k, x * -stride + l);
                    scale * block.filter_map(at).sum::<f64>()
                }),
                stride => tabulate(out, |i, y, x| {
                    scale * input.get(i, y / stride, x / stride).expect("inside")
                }),
            }
        }
        "reorg" | "reorg3d" => reorg(section, &input, out),
        "crop" => {
            let (top, left) = ((h - out.h) / 2, (w - out.w) / 2);
            let (scale, shift) = match section.int("noadjust", 0) {
                0 => (2.0, -1.0),
                _ => (1.0, 0.0),
            };
            tabulate(out, |i, y, x| {
                scale * input.get(i, top + y, left + x).expect("inside") + shift
            })
        }
        "softmax" => {
            let (groups, temperature) =
                (section.int("groups", 1), section.float("temperature", 1.0));
            let softmax = |group: &[f64]| -> Vec<f64> {
                let powers = group.iter().map(|x| (x / temperature).exp());
                let powers: Vec<f64> = powers.collect();
                let sum: f64 = powers.iter().sum();
                powers.iter().map(|power| power / sum).collect()
            };
            let groups = input.values.chunks(input.values.len() / groups as usize);
            groups.flat_map(softmax).collect()
        }
        "activation" => activated(section, "linear", input.values.to_vec()),
        "logistic" => input
            .values
            .iter()
            .map(|x| 1.0 / (1.0 + (-x).exp()))
            .collect(),
        "l2norm" => tabulate(out, |i, y, x| {
            let squares = (0..c).map(|i| input.get(i, y, x).expect("inside").powi(2));
            input.get(i, y, x).expect("inside") / squares.sum::<f64>().sqrt()
        }),
        "dropout" | "cost" | "empty" => input.values.to_vec(),
        other => panic!("no [{other}] here"),
    }
}

fn pairs(rows: i64, columns: i64) -> impl Iterator<Item = (i64, i64)> {
    (0..rows).flat_map(move |y| (0..columns).map(move |x| (y, x)))
}

fn convolution(section: &Section, input: &Map, out: Out, file: &mut Numbers) -> Vec<f64> {
    let Out { c, h, w, .. } = input.out;
    let size = section.int("size", 1);
    let dilation = if size == 1 {
        1
    } else {
        section.int("dilation", 1)
    };
    let (groups, pad) = (section.int("groups", 1).max(1), padding(section));
    let strides = section.strides(1);
    let blurred = section.int("antialiasing", 0) != 0;
    let (step_y, step_x) = if blurred { (1, 1) } else { strides };
    let sharp = match blurred {
        true => Out::map(out.c, h + 2 * pad - size + 1, w + 2 * pad - size + 1),
        false => out,
    };
    let (bias, norm) = norm(section, out.c, file);
    let (ins, of) = (c / groups, out.c / groups);
    let weights = file.take((out.c * ins * size * size) as usize);
    let sums = tabulate(sharp, |o, y, x| {
        let mut sum = 0.0;
        for (i, (k, l)) in (0..ins).flat_map(|i| pairs(size, size).map(move |kl| (i, kl))) {
            let row = y * step_y + (k - pad) * dilation;
            let column = x * step_x + (l - pad) * dilation;
            let weight = weights[(((o * ins + i) * size + k) * size + l) as usize];
            sum += weight * input.get(o / of * ins + i, row, column).unwrap_or(0.0);
        }
        sum
    });
    let sums = finish(section, sums, sharp, &bias, norm);
    blurring(section, sums, sharp, out, strides)
}

/// The blur of `antialiasing`, if there is one.
fn blurring(
    section: &Section,
    values: Vec<f64>,
    sharp: Out,
    out: Out,
    (step_y, step_x): (i64, i64),
) -> Vec<f64> {
    let (taps, pad): (&[f64], i64) = match section.int("antialiasing", 0) {
        0 => return values,
        2 => (&[0.5, 0.5], 0),
        _ => (&[0.25, 0.5, 0.25], 1),
    };
    let size = taps.len() as i64;
    let map = Map {
        out: sharp,
        values: &values,
    };
    tabulate(out, |i, y, x| {
        let tap = |(k, l): (i64, i64)| {
            let value = map.get(i, y * step_y + k - pad, x * step_x + l - pad);
            taps[k as usize] * taps[l as usize] * value.unwrap_or(0.0)
        };
        pairs(size, size).map(tap).sum()
    })
}

/// Biases, and scale, mean and variance where there is a batch norm, as they stand before a convolution's weights.
fn norm(section: &Section, channels: i64, file: &mut Numbers) -> (Vec<f64>, Option<Norm>) {
    let bias = file.take(channels as usize);
    let any = section.int("batch_normalize", 0) != 0 || section.int("cbn", 0) != 0;
    let norm = any.then(|| [(); 3].map(|()| file.take(channels as usize)));
    (bias, norm)
}

fn normalised(mut values: Vec<f64>, out: Out, bias: &[f64], norm: Option<Norm>) -> Vec<f64> {
    let plane = (out.h * out.w) as usize;
    for (index, value) in values.iter_mut().enumerate() {
        let channel = index / plane;
        if let Some([scale, mean, variance]) = &norm {
            let deviation = (variance[channel] + 1e-5).sqrt();
            *value = (*value - mean[channel]) / deviation * scale[channel];
        }
        *value += bias[channel];
    }
    values
}

fn finish(
    section: &Section,
    values: Vec<f64>,
    out: Out,
    bias: &[f64],
    norm: Option<Norm>,
) -> Vec<f64> {
    activated(section, "logistic", normalised(values, out, bias, norm))
}

fn activated(section: &Section, default: &str, mut values: Vec<f64>) -> Vec<f64> {
    let name = section.text("activation").unwrap_or(default);
    values.iter_mut().for_each(|x| *x = activate(name, *x));
    values
}

fn shortcut(
    section: &Section,
    at: usize,
    outs: &[Out],
    made: &[Vec<f64>],
    file: &mut Numbers,
) -> Vec<f64> {
    let out = outs[at + 1];
    let mut sums = made[at].clone();
    let from = named(section, "from", at);
    let (alpha, beta) = (section.float("alpha", 1.0), section.float("beta", 1.0));
    let plane = (out.h * out.w) as usize;
    // Of each operand, the first included: one factor, or one for each channel.
    let own = match section.text("weights_type") {
        None | Some("none") => 0,
        Some("per_channel") => out.c as usize,
        Some(_) => 1,
    };
    let operands = from.len() + 1;
    let factors = file.take(operands * own);
    let factor = |operand: usize, channel: usize| -> f64 {
        if own == 0 {
            return 1.0;
        }
        let factor = |operand: usize| factors[operand * own + channel % own];
        let of = |part: &dyn Fn(f64) -> f64| {
            let all = (0..operands).map(|operand| part(factor(operand)));
            part(factor(operand)) / (0.0001 + all.sum::<f64>())
        };
        let most = (0..operands).map(factor).fold(f64::NEG_INFINITY, f64::max);
        match section.text("weights_normalization") {
            Some("relu" | "avg_relu") => of(&|w| w.max(0.0)),
            Some("softmax") => of(&|w| (w - most).exp()),
            _ => factor(operand),
        }
    };
    for (index, sum) in sums.iter_mut().enumerate() {
        *sum *= factor(0, index / plane);
    }
    for (operand, index) in from.into_iter().enumerate() {
        let (other, values) = (outs[index + 1], &made[index + 1]);
        let step = (other.w / out.w).max(1);
        let spread = (out.w / other.w).max(1);
        for channel in 0..other.c.min(out.c) {
            let factor = factor(operand + 1, channel as usize);
            for (y, x) in pairs(other.h.min(out.h), other.w.min(out.w)) {
                let to = (channel * out.h + y * spread) * out.w + x * spread;
                let from = (channel * other.h + y * step) * other.w + x * step;
                let sum = &mut sums[to as usize];
                *sum = alpha * *sum + beta * factor * values[from as usize];
            }
        }
    }
    activated(section, "linear", sums)
}

/// Numbers in another order: as darknet's `reorg_cpu` goes through them for a tensor of `c` channels, `h` rows and `w` columns.
fn permuted(values: &[f64], (c, h, w): (i64, i64, i64), stride: i64, forward: bool) -> Vec<f64> {
    let mut result = vec![0.0; values.len()];
    let few = c / (stride * stride);
    for (channel, (y, x)) in (0..c).flat_map(|k| pairs(h, w).map(move |yx| (k, yx))) {
        let packed = (channel * h + y) * w + x;
        let offset = channel / few;
        let (column, row) = (x * stride + offset % stride, y * stride + offset / stride);
        let spread = column + w * stride * (row + h * stride * (channel % few));
        match forward {
            true => result[spread as usize] = values[packed as usize],
            false => result[packed as usize] = values[spread as usize],
        }
    }
    result
}

fn reorg(section: &Section, input: &Map, out: Out) -> Vec<f64> {
    let Out { c, h, w, .. } = input.out;
    let (stride, reverse) = (section.int("stride", 1), section.int("reverse", 0) != 0);
    if section.int("flatten", 0) != 0 {
        let pixels = h * w;
        let at = |index: i64| match reverse {
            false => index % c * pixels + index / c,
            true => index % pixels * c + index / pixels,
        };
        let all = 0..c * pixels;
        return all.map(|index| input.values[at(index) as usize]).collect();
    }
    if section.int("extra", 0) != 0 {
        let mut values = input.values.to_vec();
        values.resize(out.count as usize, 0.0);
        return values;
    }
    let extents = match section.kind.as_str() {
        "reorg" => (c, h, w),
        _ => (out.c, out.h, out.w),
    };
    permuted(input.values, extents, stride, reverse)
}
