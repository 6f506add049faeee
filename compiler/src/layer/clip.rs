//! `clip` and `relu6`: values confined to an interval.

use super::pointwise::Pointwise;
use super::{ArgError, Args, Attributes, Decl, Kind, Layer, ParamDecl, Step};

/// Row of the table of layers: `clip`.
pub static CLIP: Decl = Decl {
    keyword: "clip",
    doc: "Confines values to an interval: `min(max(x, low), high)`.",
    params: &[
        ParamDecl {
            name: "low",
            kind: Kind::Float,
            positional: true,
            default: None,
            doc: "Smallest value.",
        },
        ParamDecl {
            name: "high",
            kind: Kind::Float,
            positional: true,
            default: None,
            doc: "Largest value, not below `low`.",
        },
    ],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x4x3; clip 0 1",
        "input x: 17x3; clip -0.5 0.25",
        "input x: 9; clip low -1 high 1",
    ],
};

/// Row of the table of layers: `relu6`.
pub static RELU6: Decl = Decl {
    keyword: "relu6",
    doc: "Rectifier with a ceiling: `min(max(x, 0), 6)`. MobileNet's.",
    params: &[],
    operands: (1, 1),
    build: |_| Ok(Box::new(Clip::RELU6)),
    samples: &["input x: 5x4x3; scale 20; relu6", "input x: 17; relu6"],
};

/// Confines values to an interval.
#[derive(Clone, Debug)]
pub struct Clip {
    keyword: &'static str,
    /// Smallest value.
    pub low: f64,
    /// Largest value.
    pub high: f64,
}

impl Clip {
    const RELU6: Clip = Clip {
        keyword: "relu6",
        low: 0.0,
        high: 6.0,
    };

    /// `clip low high`
    pub fn between(low: f64, high: f64) -> Clip {
        Clip {
            keyword: CLIP.keyword,
            low,
            high,
        }
    }
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let low = args.number("low")?.ok_or_else(|| args.missing("low"))?;
    let high = args.number("high")?.ok_or_else(|| args.missing("high"))?;
    if high < low {
        let message = format!("the interval from {low} to {high} is empty");
        return Err(args
            .error("high", message)
            .help(format!("write `clip {high} {low}`")));
    }
    // A bound of −0 is 0: as a bound they are equal, and the result has one sign.
    Ok(Box::new(Clip {
        keyword: CLIP.keyword,
        low: low + 0.0,
        high: high + 0.0,
    }))
}

impl Pointwise for Clip {
    fn attributes(&self) -> (&'static str, Attributes) {
        let bounds = match self.keyword == CLIP.keyword {
            true => vec![("low", self.low.into()), ("high", self.high.into())],
            false => Vec::new(),
        };
        (self.keyword, bounds)
    }
    fn formula(&self, x: f64) -> f64 {
        x.clamp(self.low, self.high)
    }
    fn derivative(&self, x: f64) -> f64 {
        // The ends of an interval belong to it, those of `relu6` do not.
        let inside = match self.keyword == CLIP.keyword {
            true => self.low <= x && x <= self.high,
            false => self.low < x && x < self.high,
        };
        if inside { 1.0 } else { 0.0 }
    }
    fn slope(&self) -> Vec<Step> {
        if self.keyword == CLIP.keyword {
            // What it changes is outside: the distance of an element from its image is not zero.
            let moved = [self.steps().as_slice(), &[Step::Mul(-1.0), Step::AddX]].concat();
            let unmoved = [Step::Abs, Step::Mul(-1.0)];
            let unmoved = [&unmoved[..], &[Step::Above(-f64::from(f32::MIN_POSITIVE))]].concat();
            return [moved, unmoved].concat();
        }
        // 0 instead of what is at the upper end or above.
        let below = [Step::Mul(-1.0), Step::Above(-self.high), Step::MulX];
        [below.as_slice(), &[Step::Above(self.low)]].concat()
    }
    fn steps(&self) -> Vec<Step> {
        vec![Step::Max(self.low), Step::Min(self.high)]
    }
}
