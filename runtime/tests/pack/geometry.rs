//! Every way in which layers ask for panels.

use super::recipe::Norm;
use super::{Case, EPS, Recipe, plan, source};
use cnnc_runtime::plan::Base;

/// `(weight shape, base, groups, outs, reduce)` of every geometry that layers ask for.
pub type Geometry = (
    Vec<usize>,
    i64,
    (usize, i64),
    (usize, i64),
    Vec<(usize, i64)>,
);

pub fn geometries() -> Vec<Geometry> {
    vec![
        // A convolution: weights OIHW, reduction over (kh, kw, channel).
        (
            vec![20, 3, 3, 5],
            0,
            (1, 0),
            (20, 45),
            vec![(3, 5), (5, 1), (3, 15)],
        ),
        // 1x1, with more channels than one tile.
        (
            vec![37, 150, 1, 1],
            0,
            (1, 0),
            (37, 150),
            vec![(1, 1), (1, 1), (150, 1)],
        ),
        // Two groups of six.
        (
            vec![12, 4, 3, 3],
            0,
            (2, 216),
            (6, 36),
            vec![(3, 3), (3, 1), (4, 9)],
        ),
        // Depthwise, its channels side by side.
        (vec![19, 1, 3, 3], 0, (1, 0), (19, 9), vec![(3, 3), (3, 1)]),
        // Transposed convolution: IOHW, taps turned around.
        (
            vec![6, 10, 2, 3],
            5,
            (1, 0),
            (10, 6),
            vec![(2, -3), (3, -1), (6, 60)],
        ),
        // Dense after flatten: the file counts (channel, row, column), the kernel (row, column, channel).
        (
            vec![9, 24],
            0,
            (1, 0),
            (9, 24),
            vec![(2, 3), (3, 1), (4, 6)],
        ),
        // Three dimensions.
        (
            vec![8, 2, 2, 3, 2],
            0,
            (1, 0),
            (8, 24),
            vec![(2, 6), (3, 2), (2, 1), (2, 12)],
        ),
    ]
}

/// Which vectors go with panels.
#[derive(Clone, Copy)]
pub enum Vectors {
    /// Its own.
    Own,
    /// A part of longer ones, as when layers were merged.
    Parts,
    /// Groups are positions, which have the same channels and biases of their own.
    Positions,
}

pub fn panels_and_bias(
    geometry: &Geometry,
    block: usize,
    norm: Option<Norm>,
    vectors: Vectors,
) -> Case {
    let (shape, base, groups, outs, reduce) = geometry;
    let (channel, at) = match vectors {
        Vectors::Own => ((0, outs.0), (0, outs.0, 1)),
        Vectors::Parts => ((3, outs.0 + 2), (3, outs.0 + 2, 1)),
        Vectors::Positions => ((0, 0), (0, 1, groups.0)),
    };
    let channels = (channel.0 + groups.0 * channel.1).max(outs.0);
    let biases = at.0 + (groups.0 - 1) * at.1 + (outs.0 - 1) * at.2 + 1;
    let vector = |name: &str| source(name, &[channels]);
    let sources = [
        source("c.weight", shape),
        source("c.bias", &[biases]),
        vector("c_bn.weight"),
        vector("c_bn.bias"),
        vector("c_bn.running_mean"),
        vector("c_bn.running_var"),
    ];
    let reductions: usize = reduce.iter().map(|(count, _)| count).product();
    let lanes = outs.0.div_ceil(block) * block;
    let panels = Recipe::Panels {
        dest: 16,
        data: Base::Source(0),
        base: *base,
        groups: *groups,
        outs: *outs,
        channel,
        reduce: reduce.clone(),
        block,
        norm,
    };
    let dest = 16 + groups.0 * lanes * reductions;
    let data = Some(Base::Source(1));
    let bias = Recipe::Bias {
        dest,
        data,
        at,
        groups: groups.0,
        outs: outs.0,
        channel,
        block,
        norm,
    };
    let length = dest + groups.0 * lanes + 8;
    plan(&sources, &[panels, bias], length)
}

pub const NORMS: [Option<Norm>; 3] = [
    None,
    Some(Norm {
        gamma: Some(2),
        beta: Some(3),
        mean: 4,
        var: 5,
        eps: EPS,
    }),
    Some(Norm {
        gamma: None,
        beta: None,
        mean: 4,
        var: 5,
        eps: EPS,
    }),
];
