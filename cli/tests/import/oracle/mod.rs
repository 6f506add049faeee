//! A little darknet, written for these tests from what darknet's functions compute and sharing nothing with the importer: what it reads
//! of a `.cfg`, which extents each layer has, and what it makes of an input with the numbers of a `.weights` file.
//!
//! Whole numbers are divided as C divides, and a missing key is what darknet's `option_find_…` say.

mod activate;
mod forward;

pub use forward::run;

/// `[kind]` and its settings, in order.
#[derive(Debug)]
pub struct Section {
    pub kind: String,
    options: Vec<(String, String)>,
}

impl Section {
    fn text(&self, key: &str) -> Option<&str> {
        let found = self.options.iter().find(|(known, _)| known == key);
        found.map(|(_, value)| value.as_str())
    }

    pub fn int(&self, key: &str, default: i64) -> i64 {
        self.text(key).map_or(default, atoi)
    }

    fn float(&self, key: &str, default: f64) -> f64 {
        self.text(key).map_or(default, |text| {
            let end = text
                .find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+' | 'e'))
                .unwrap_or(text.len());
            text[..end].parse().unwrap_or(0.0)
        })
    }

    fn ints(&self, key: &str) -> Vec<i64> {
        let text = self.text(key).unwrap_or_default();
        text.split(',').map(atoi).collect()
    }

    /// The strides along rows and columns.
    fn strides(&self, default: i64) -> (i64, i64) {
        let common = self.int("stride", default);
        let axis = |key| Some(self.int(key, -1)).filter(|&stride| stride > 0);
        let [y, x] = ["stride_y", "stride_x"].map(|key| axis(key).unwrap_or(common));
        (y, x)
    }
}

fn atoi(text: &str) -> i64 {
    let end = text
        .char_indices()
        .find(|&(at, c)| !(c.is_ascii_digit() || at == 0 && matches!(c, '-' | '+')))
        .map_or(text.len(), |(at, _)| at);
    text[..end].parse().unwrap_or(0)
}

/// The sections of a file.
pub fn read(file: &[u8]) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in file.split(|&byte| byte == b'\n') {
        let line: Vec<u8> = line
            .iter()
            .copied()
            .filter(|byte| !b" \t\r".contains(byte))
            .collect();
        let line = String::from_utf8_lossy(&line);
        match line.chars().next() {
            None | Some('#' | ';') => {}
            Some('[') => sections.push(Section {
                kind: line.trim_matches(['[', ']']).to_owned(),
                options: Vec::new(),
            }),
            Some(_) => {
                if let (Some(section), Some((key, value))) =
                    (sections.last_mut(), line.split_once('='))
                {
                    section.options.push((key.to_owned(), value.to_owned()));
                }
            }
        }
    }
    sections
}

/// What a layer makes: channels, rows and columns, zeros where darknet knows none, and how many numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Out {
    pub c: i64,
    pub h: i64,
    pub w: i64,
    pub count: i64,
}

impl Out {
    fn map(c: i64, h: i64, w: i64) -> Out {
        let count = c * h * w;
        Out { c, h, w, count }
    }

    fn flat(count: i64) -> Out {
        let (c, h, w) = (0, 0, 0);
        Out { c, h, w, count }
    }
}

/// Indices of the layers that a section names; `at` is its own.
pub fn named(section: &Section, key: &str, at: usize) -> Vec<usize> {
    let indices = section.ints(key).into_iter();
    let indices = indices.map(|index| if index < 0 { at as i64 + index } else { index });
    indices.map(|index| index as usize).collect()
}

/// The padding of a convolution: on each side.
fn padding(section: &Section) -> i64 {
    match section.int("pad", 0) {
        0 => section.int("padding", 0),
        _ => section.int("size", 1) / 2,
    }
}

/// A layer with `antialiasing` strides in the blur behind it.
fn blur(section: &Section, out: Out, (y, x): (i64, i64)) -> Out {
    let (size, pad) = match section.int("antialiasing", 0) {
        0 => return out,
        2 => (2, 0),
        _ => (3, 1),
    };
    let place = |n: i64, stride: i64| (n + 2 * pad - size) / stride + 1;
    Out::map(out.c, place(out.h, y), place(out.w, x))
}

/// The input, and then what each layer makes.
pub fn shapes(sections: &[Section]) -> Vec<Out> {
    let net = &sections[0];
    let extent = |key| net.int(key, 0);
    let input = Out::map(extent("channels"), extent("height"), extent("width"));
    let mut outs = vec![Out {
        count: net.int("inputs", input.count),
        ..input
    }];
    for (at, section) in sections[1..].iter().enumerate() {
        let out = shape(section, at, &outs);
        outs.push(out);
    }
    outs
}

fn shape(section: &Section, at: usize, outs: &[Out]) -> Out {
    let before = outs[at];
    let Out { c, h, w, .. } = before;
    let size = section.int("size", 1);
    let filters = section.int("filters", 1);
    let window = |padding: i64, size: i64, (y, x): (i64, i64)| {
        ((h + padding - size) / y + 1, (w + padding - size) / x + 1)
    };
    let unblurred = |strides| match section.int("antialiasing", 0) {
        0 => strides,
        _ => (1, 1),
    };
    // What a layer further up makes; layer 0 stands behind the input.
    let made = |index: usize| outs[index + 1];
    match section.kind.as_str() {
        "convolutional" | "conv" => {
            let strides = section.strides(1);
            let (h, w) = window(2 * padding(section), size, unblurred(strides));
            blur(section, Out::map(filters, h, w), strides)
        }
        "deconvolutional" | "deconv" => {
            let (stride, pad) = (section.int("stride", 1), padding(section));
            let out = |n: i64| (n - 1) * stride + size - 2 * pad;
            Out::map(filters, out(h), out(w))
        }
        "local" => {
            let taken = if section.int("pad", 0) == 0 { size } else { 1 };
            let out = |n: i64| (n - taken) / section.int("stride", 1) + 1;
            Out::map(filters, out(h), out(w))
        }
        "connected" | "conn" => Out::map(section.int("output", 1), 1, 1),
        "maxpool" | "max" | "local_avgpool" | "local_avg" => {
            if section.int("maxpool_depth", 0) != 0 {
                return Out::map(section.int("out_channels", 1), h, w);
            }
            let common = section.int("stride", 1);
            let (size, strides) = (section.int("size", common), section.strides(common));
            let padding = section.int("padding", size - 1);
            let (h, w) = window(padding, size, unblurred(strides));
            blur(section, Out::map(c, h, w), strides)
        }
        "avgpool" | "avg" => Out::map(c, 1, 1),
        "route" => {
            let from: Vec<Out> = named(section, "layers", at).into_iter().map(made).collect();
            let groups = section.int("groups", 1);
            let count = from.iter().map(|out| out.count).sum::<i64>() / groups;
            let (h, w) = (from[0].h, from[0].w);
            match from.iter().all(|out| (out.h, out.w) == (h, w)) {
                true => Out {
                    c: from.iter().map(|out| out.c).sum::<i64>() / groups,
                    h,
                    w,
                    count,
                },
                false => Out::flat(count),
            }
        }
        "scale_channels" | "sam" => made(named(section, "from", at)[0]),
        "upsample" => match section.int("stride", 2) {
            stride @ ..0 => Out::map(c, h / -stride, w / -stride),
            stride => Out::map(c, h * stride, w * stride),
        },
        "reorg" if section.int("extra", 0) != 0 => {
            Out::flat(before.count + section.int("extra", 0))
        }
        "reorg" | "reorg3d" => {
            let stride = section.int("stride", 1);
            match section.int("reverse", 0) {
                0 => Out::map(c * stride * stride, h / stride, w / stride),
                _ => Out::map(c / (stride * stride), h * stride, w * stride),
            }
        }
        "crop" => {
            let [h, w] = ["crop_height", "crop_width"].map(|key| section.int(key, 1));
            Out::map(c, h, w)
        }
        "softmax" | "soft" => Out::flat(before.count),
        // These keep their operand's extents.
        "batchnorm" | "shortcut" | "activation" | "logistic" | "l2norm" | "lrn"
        | "normalization" | "dropout" | "empty" | "silence" | "cost" | "contrastive" | "yolo"
        | "region" | "detection" => before,
        other => panic!("no [{other}] here"),
    }
}
