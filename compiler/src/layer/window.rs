//! The window of convolutions and pools: kernel, stride, dilation, padding, and the one formula of its output's extent.

use super::{ArgError, Args, Attribute, Attributes, Halo, Kind, Literal, ParamDecl, ShapeError};
use crate::limits;
use crate::shape::Shape;
use std::ops::Range;

/// How an operand is padded; named, never guessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Padding {
    /// None.
    Valid,
    /// `dilation · (kernel − 1) / 2` on both sides, rounded down: an odd kernel at stride 1 keeps the extent.
    Half,
    /// TensorFlow's: the output has `ceil(input / stride)` elements, an odd rest goes to the end.
    Same,
    /// `(before, after)` of depth, height, width.
    Explicit([(usize, usize); 3]),
}

/// A window that slides over depth, height and width (1 where the rank is lower).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Number of spatial dimensions.
    pub rank: usize,
    /// Extents.
    pub kernel: [usize; 3],
    /// Steps.
    pub stride: [usize; 3],
    /// Distance between taps.
    pub dilation: [usize; 3],
    /// Padding.
    pub padding: Padding,
    /// Whether a last window that is only partly inside counts.
    pub ceil: bool,
}

/// The formula of an output's extent with its numbers, where it comes to none.
fn extent(n: usize, [before, after]: [usize; 2], reach: usize, stride: usize) -> String {
    let padding = match before == after {
        true => format!("2 · {before}"),
        false => format!("{before} + {after}"),
    };
    let room = (n + before + after) as i64 - reach as i64;
    let out = (room.div_euclid(stride as i64) + 1).to_string();
    let out = out.replace('-', "−");
    format!(": ⌊({n} + {padding} − {reach}) / {stride}⌋ + 1 = {out}")
}

/// A window applied to an extent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Output extents.
    pub out: [usize; 3],
    /// Padding before the first element. What is read behind the last follows from `out`.
    pub before: [usize; 3],
    /// Declared padding behind the last element (a window of `ceil` may reach further).
    pub after: [usize; 3],
}

/// Declaration of `/2`.
pub const STRIDE: ParamDecl = ParamDecl {
    name: "stride",
    kind: Kind::Stride,
    positional: true,
    default: Some("/1"),
    doc: "Step of the window, `/2` or `/2x1`.",
};

/// Declaration of `pad`.
pub const PAD: ParamDecl = ParamDecl {
    name: "pad",
    kind: Kind::Padding,
    positional: false,
    default: Some("valid"),
    doc: "Padding: `valid` (none), `half` (dilation·(kernel−1)/2 on both sides, rounded down), `same` (TensorFlow's, \
          the odd element at the end), `1`, `0x1x1` (each axis), or `(top, bottom, left, right)`.",
};

/// Declaration of `dilation`.
pub const DILATION: ParamDecl = ParamDecl {
    name: "dilation",
    kind: Kind::Dims,
    positional: false,
    default: Some("1"),
    doc: "Distance between the taps of the window.",
};

/// Says how a kernel of equal extents is written for another rank.
pub fn of_rank(error: ShapeError, kernel: &[usize], rank: usize) -> ShapeError {
    let equal = kernel.iter().all(|extent| *extent == kernel[0]);
    match equal && (1..=3).contains(&rank) {
        true => error.help(format!("write `{}`", show(&vec![kernel[0]; rank]))),
        false => error,
    }
}

impl Window {
    /// Reads `kernel` (required), `stride` (the kernel itself if `stride_is_kernel`, else 1), `dilation` and `pad`.
    ///
    /// # Errors
    /// Ranks that disagree, extents out of range.
    pub fn from_args(args: &Args, stride_is_kernel: bool) -> Result<Window, ArgError> {
        let extents = args.dims("kernel")?.ok_or_else(|| args.missing("kernel"))?;
        let rank = extents.len();
        if rank > 3 {
            return Err(args.error("kernel", "a kernel has one, two or three dimensions"));
        }
        let axes = |name: &str, default: [usize; 3]| -> Result<[usize; 3], ArgError> {
            match args.dims(name)? {
                None => Ok(default),
                Some(dims) if dims.len() == 1 => Ok(spread(&vec![dims[0]; rank], 1)),
                Some(dims) if dims.len() == rank => Ok(spread(&dims, 1)),
                Some(dims) => Err(args.error(
                    name,
                    format!(
                        "`{name}` has {} dimensions, the kernel has {rank}",
                        dims.len()
                    ),
                )),
            }
        };
        let kernel = spread(&extents, 1);
        let stride = axes("stride", if stride_is_kernel { kernel } else { [1; 3] })?;
        let dilation = axes("dilation", [1; 3])?;
        let padding = Padding::from_args(args, rank)?;
        let ceil = args.word("rounding").is_some_and(|word| word == "ceil");
        Ok(Window {
            rank,
            kernel,
            stride,
            dilation,
            padding,
            ceil,
        })
    }

    /// Where the window stands on a tensor of that shape.
    ///
    /// # Errors
    /// Another rank than the kernel's; a window larger than the padded operand.
    pub fn place(&self, shape: &Shape) -> Result<Placed, ShapeError> {
        let rank = shape.spatial().len();
        if rank != self.rank {
            let message = format!(
                "a {}-dimensional kernel {} cannot slide over {shape}, which has {rank} spatial dimension{}",
                self.rank,
                self.show(&self.kernel),
                if rank == 1 { "" } else { "s" },
            );
            return Err(of_rank(
                ShapeError::new(message),
                &self.kernel[3 - self.rank..],
                rank,
            ));
        }
        let input = shape.dhw();
        let mut placed = Placed {
            out: [1; 3],
            before: [0; 3],
            after: [0; 3],
        };
        for (axis, &n) in input.iter().enumerate().skip(3 - rank) {
            let stride = self.stride[axis];
            let reach = self.dilation[axis] * (self.kernel[axis] - 1) + 1;
            let (before, after) = self.padding.of(axis, n, stride, reach);
            let Some(room) = (n + before + after).checked_sub(reach) else {
                let mut message = format!(
                    "a window of {} does not fit into {shape} padded to {}",
                    self.show(&self.reach()),
                    n + before + after,
                );
                // What is rounded up may come to an extent, of a window that has no whole place.
                if !self.ceil {
                    message += &extent(n, [before, after], reach, stride);
                }
                return Err(ShapeError::new(message).help("use a smaller kernel, or `pad half`"));
            };
            let mut out = if self.ceil {
                room.div_ceil(stride)
            } else {
                room / stride
            } + 1;
            // A clipped window must still start inside the operand or the padding before it.
            if self.ceil && (out - 1) * stride >= n + before {
                out -= 1;
            }
            placed.out[axis] = out;
            placed.before[axis] = before;
            placed.after[axis] = after;
        }
        Ok(placed)
    }

    /// The taps that meet an element of an operand of that shape, at some output. All others, of a kernel that reaches far beyond
    /// the operand, are always on padding.
    pub fn taps(&self, placed: &Placed, shape: &Shape) -> [Range<usize>; 3] {
        std::array::from_fn(|axis| {
            let (n, before) = (shape.dhw()[axis], placed.before[axis]);
            let (dilation, last) = (self.dilation[axis], self.kernel[axis] - 1);
            // At the last output a tap is furthest on, at the first furthest back.
            let moves = (placed.out[axis] - 1) * self.stride[axis];
            let first = before.saturating_sub(moves).div_ceil(dilation).min(last);
            let end = ((before + n - 1) / dilation).min(last) + 1;
            first..end.max(first + 1)
        })
    }

    /// What these taps read beyond each edge of the operand.
    pub fn halo(&self, placed: &Placed, shape: &Shape, taps: &[Range<usize>; 3]) -> Halo {
        std::array::from_fn(|axis| {
            let n = shape.dhw()[axis];
            let moves = (placed.out[axis] - 1) * self.stride[axis];
            let first = taps[axis].start * self.dilation[axis];
            let end = (taps[axis].end - 1) * self.dilation[axis] + moves + 1;
            (
                placed.before[axis].saturating_sub(first),
                end.saturating_sub(placed.before[axis] + n),
            )
        })
    }

    /// The same window without padding, if on an operand of that shape it is neither padded nor clipped: what can move on over
    /// a larger operand.
    ///
    /// # Errors
    /// What is padded or clipped, as the end of a sentence.
    pub fn unpadded(&self, shape: &Shape) -> Result<Window, String> {
        let placed = self.place(shape).map_err(|error| error.message)?;
        for axis in 0..3 {
            let n = shape.dhw()[axis];
            let end = (placed.out[axis] - 1) * self.stride[axis] + self.reach()[axis];
            if placed.before[axis] > 0 || end > n {
                return Err(match self.padding {
                    Padding::Valid => format!("cuts off its last window at the border of {shape}"),
                    _ => format!("pads {shape}, but a window's border is not the picture's"),
                });
            }
        }
        Ok(Window {
            padding: Padding::Valid,
            ceil: false,
            ..self.clone()
        })
    }

    /// A window that covers all of an operand.
    pub fn whole(shape: &Shape) -> Window {
        Window {
            rank: shape.spatial().len(),
            kernel: shape.dhw(),
            stride: [1; 3],
            dilation: [1; 3],
            padding: Padding::Valid,
            ceil: false,
        }
    }

    /// A window of one pixel.
    pub fn pixel(shape: &Shape) -> Window {
        Window {
            kernel: [1; 3],
            ..Window::whole(shape)
        }
    }

    /// Extents including the gaps of dilation.
    pub fn reach(&self) -> [usize; 3] {
        std::array::from_fn(|axis| self.dilation[axis] * (self.kernel[axis] - 1) + 1)
    }

    /// Three extents as written: `3x3`.
    pub fn show(&self, extents: &[usize; 3]) -> String {
        show(&extents[3 - self.rank..])
    }
}

/// Extents as written: `3x3`.
pub fn show(extents: &[usize]) -> String {
    extents
        .iter()
        .map(usize::to_string)
        .collect::<Vec<_>>()
        .join("x")
}

fn spread(dims: &[usize], fill: usize) -> [usize; 3] {
    let mut all = [fill; 3];
    all[3 - dims.len()..].copy_from_slice(dims);
    all
}

impl Padding {
    /// Reads `pad` for a kernel of that rank.
    ///
    /// # Errors
    /// A number of entries that is neither one, nor one per axis (`0x1x1`), nor two per axis.
    pub fn from_args(args: &Args, rank: usize) -> Result<Padding, ArgError> {
        let Some(given) = args.get("pad") else {
            return Ok(Padding::Valid);
        };
        let extent = |n: i64| {
            usize::try_from(n)
                .ok()
                .filter(|&n| n <= limits::PADDING)
                .ok_or_else(|| {
                    args.error(
                        "pad",
                        format!("padding must be between 0 and {}, not {n}", limits::PADDING),
                    )
                })
        };
        let pairs: Vec<(usize, usize)> = match &given.value {
            Literal::Word(word) => {
                return match word.as_str() {
                    "valid" => Ok(Padding::Valid),
                    "half" => Ok(Padding::Half),
                    "same" => Ok(Padding::Same),
                    _ => Err(args
                        .error("pad", format!("unknown padding `{word}`"))
                        .help("known: valid, half, same")),
                };
            }
            &Literal::Int(n) => vec![(extent(n)?, extent(n)?); rank],
            Literal::Dims(dims) => dims
                .iter()
                .map(|&n| Ok((extent(n)?, extent(n)?)))
                .collect::<Result<_, ArgError>>()?,
            Literal::List(items) => {
                let numbers = items
                    .iter()
                    .map(|item| match item.value {
                        Literal::Int(n) => extent(n),
                        _ => Err(ArgError::new(Some(item.span), "padding takes integers")),
                    })
                    .collect::<Result<Vec<_>, _>>()?;
                if numbers.len() != 2 * rank {
                    return Err(args.error(
                        "pad",
                        format!("padding of a {rank}-dimensional window takes {} numbers, not {}", 2 * rank, numbers.len()),
                    ).help("write one number, one per axis (`1x1`), or before and after each axis: `(top, bottom, left, right)`"));
                }
                numbers.chunks(2).map(|pair| (pair[0], pair[1])).collect()
            }
            _ => {
                return Err(args
                    .error("pad", "`pad` takes a word or numbers")
                    .help("for example `pad half` or `pad 1`"));
            }
        };
        if pairs.len() != rank {
            return Err(args.error(
                "pad",
                format!("padding has {} axes, the kernel has {rank}", pairs.len()),
            ));
        }
        let mut all = [(0, 0); 3];
        all[3 - rank..].copy_from_slice(&pairs);
        Ok(Padding::Explicit(all))
    }

    fn of(&self, axis: usize, n: usize, stride: usize, reach: usize) -> (usize, usize) {
        match self {
            Padding::Valid => (0, 0),
            Padding::Half => ((reach - 1) / 2, (reach - 1) / 2),
            Padding::Same => {
                let total = ((n.div_ceil(stride) - 1) * stride + reach).saturating_sub(n);
                (total / 2, total - total / 2)
            }
            Padding::Explicit(pairs) => pairs[axis],
        }
    }
}

impl Window {
    /// `kernel`, `stride`, `pad` and `dilation` as written.
    pub fn attributes(&self) -> Attributes {
        let from = 3 - self.rank;
        let pad = match &self.padding {
            Padding::Explicit(pairs) => Attribute::sides(&pairs[from..]),
            Padding::Valid => "valid".into(),
            Padding::Half => "half".into(),
            Padding::Same => "same".into(),
        };
        vec![
            ("kernel", Attribute::extents(&self.kernel[from..])),
            ("stride", Attribute::stride(&self.stride[from..])),
            ("pad", pad),
            ("dilation", Attribute::extents(&self.dilation[from..])),
        ]
    }
}
