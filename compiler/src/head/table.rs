//! The table of heads: keywords and documented keys.

use super::{Computes, HeadDecl};
use crate::layer::{Kind, ParamDecl};

/// Every head of the language.
pub static HEADS: &[&HeadDecl] = &[
    &CLASSIFY, &YOLO1, &YOLO2, &YOLO3, &REGIONS, &BOXES, &LANDMARKS, &EMBED, &VERIFY, &STYLE,
    &PITCH, &IMAGE,
];

/// A key.
const fn key(
    name: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    doc: &'static str,
) -> ParamDecl {
    ParamDecl {
        name,
        kind,
        positional: false,
        default,
        doc,
    }
}

/// The labels of classes.
const LABELS: ParamDecl = key(
    "labels",
    Kind::Strings,
    Some("none"),
    "Names of the classes: a list, or a text file with one on each line, relative to the spec.",
);

const NMS: ParamDecl = key(
    "nms",
    Kind::Word(&["class", "score", "off"]),
    Some("class"),
    "Which boxes suppress which: those of the same class, the best whatever its class is, or none.",
);

const PER_BOX: ParamDecl = key(
    "per_box",
    Kind::Word(&["best", "all"]),
    Some("best"),
    "Whether a box is of its likeliest class only, or of every class that is likely enough, as darknet prints it.",
);

const fn keep(default: &'static str) -> ParamDecl {
    key(
        "keep",
        Kind::Float,
        Some(default),
        "Least score of a box: objectness × probability of the class.",
    )
}

const fn iou(default: &'static str) -> ParamDecl {
    key(
        "iou",
        Kind::Float,
        Some(default),
        "From which overlap on (intersection over union) the better of two boxes suppresses the other.",
    )
}

const ANCHORS: ParamDecl = key(
    "anchors",
    Kind::Pairs,
    None,
    "Width and height of each anchor.",
);

const fn unit(default: &'static str) -> ParamDecl {
    key(
        "unit",
        Kind::Word(&["cells", "pixels"]),
        Some(default),
        "Unit of the anchors; the word may stand alone: `anchors cells (1.3, 1.7)`.",
    )
}

static CLASSIFY: HeadDecl = HeadDecl {
    keyword: "classify",
    doc: "One of several classes. `raw` is the logits, a vector; `probabilities` is their softmax.",
    keys: &[
        LABELS,
        key(
            "top",
            Kind::Int,
            Some("5"),
            "How many of the most probable classes are shown.",
        ),
    ],
    classes: "outputs",
    detects: false,
    computes: Computes::Probabilities,
};

static YOLO1: HeadDecl = HeadDecl {
    keyword: "yolo1",
    doc: "Boxes, as YOLO's first version has them. `raw` is a vector: the class probabilities of every cell, then the confidences of its \
          boxes, then the boxes (centre within the cell, square roots of width and height).",
    keys: &[
        LABELS,
        key("side", Kind::Int, Some("7"), "Cells along each side."),
        key("boxes", Kind::Int, Some("2"), "Boxes of each cell."),
        keep("0.2"),
        NMS,
        iou("0.4"),
        PER_BOX,
    ],
    classes: "classes",
    detects: true,
    computes: Computes::Nothing,
};

static YOLO2: HeadDecl = HeadDecl {
    keyword: "yolo2",
    doc: "Boxes, as YOLOv2 has them. `raw` is a map with `x y w h objectness` and the classes for each anchor: centres and objectness are logistic, \
          sizes are powers of e times the anchor, classes share a softmax.",
    keys: &[
        LABELS,
        ANCHORS,
        unit("cells"),
        keep("0.5"),
        NMS,
        iou("0.45"),
        PER_BOX,
    ],
    classes: "classes",
    detects: true,
    computes: Computes::Nothing,
};

static YOLO3: HeadDecl = HeadDecl {
    keyword: "yolo3",
    doc: "Boxes, as YOLOv3 and v4 have them, from one map or several. A map has `x y w h objectness` and the classes for each of its anchors: all but \
          the sizes are logistic, and classes are independent of each other. `raw` is the first map, the others are outputs by their names.",
    keys: &[
        LABELS,
        key(
            "maps",
            Kind::Tensors,
            Some("the last chain"),
            "The tensors that enter the head, by their labels: `maps large medium small`.",
        ),
        ANCHORS,
        unit("pixels"),
        key(
            "masks",
            Kind::Lists,
            Some("all"),
            "Which anchors each map has, counted from 0: `masks (6, 7, 8) (3, 4, 5) (0, 1, 2)`. Needed where there are several maps.",
        ),
        keep("0.5"),
        NMS,
        iou("0.45"),
        PER_BOX,
        key(
            "stretch",
            Kind::Numbers,
            Some("1"),
            "How far centres reach beyond their cells (darknet's `scale_x_y`): one number, or one for each map.",
        ),
        key(
            "squared",
            Kind::Flag,
            Some("off"),
            "The maps are logistic already, and a size is `(2·t)²` of its anchor (darknet's `new_coords`).",
        ),
    ],
    classes: "classes",
    detects: true,
    computes: Computes::Maps,
};

static REGIONS: HeadDecl = HeadDecl {
    keyword: "regions",
    doc: "Proposed regions, classified and moved, as R-CNN and its descendants have them (Girshick et al. 2014; Girshick 2015). `maps` names three tensors: logits of `1 + classes`           channels, the first for the background, with a row for each region; four channels for each of these (`x y` moved by so many sizes of the region,           `w h` by powers of e); the regions themselves, rows of `left top right bottom` in pixels of the network's input.",
    keys: &[
        LABELS,
        key(
            "maps",
            Kind::Tensors,
            None,
            "Scores, deltas and regions, by their labels: `maps scores deltas regions`.",
        ),
        key(
            "std",
            Kind::Numbers,
            Some("(1, 1, 1, 1)"),
            "Factors of the four numbers of a box; Fast R-CNN's are `(0.1, 0.1, 0.2, 0.2)`.",
        ),
        keep("0.5"),
        NMS,
        iou("0.3"),
        PER_BOX,
    ],
    classes: "classes",
    detects: true,
    computes: Computes::Maps,
};

static BOXES: HeadDecl = HeadDecl {
    keyword: "boxes",
    doc: "Classification with localisation: one box and what is in it. `raw` is a vector: if `presence` is on, a logit of whether there is anything; four numbers of the \
          box, in fractions of the input; a logit for each class (softmax). Without classes the box alone is the answer.",
    keys: &[
        LABELS,
        key(
            "presence",
            Kind::Flag,
            Some("off"),
            "Whether the first value says that there is anything.",
        ),
        key(
            "format",
            Kind::Word(&["centre", "corners"]),
            Some("centre"),
            "The four numbers: `x y width height` of the centre form, or `left top right bottom`.",
        ),
        key(
            "keep",
            Kind::Float,
            Some("0.5"),
            "Least probability that there is anything, where `presence` is on.",
        ),
    ],
    classes: "classes",
    detects: false,
    computes: Computes::Nothing,
};

static LANDMARKS: HeadDecl = HeadDecl {
    keyword: "landmarks",
    doc: "Points of a picture, such as the corners of eyes. `raw` is a vector with two numbers for each point, after a logit of whether there is anything if `presence` \
          is on.",
    keys: &[
        key(
            "presence",
            Kind::Flag,
            Some("off"),
            "Whether the first value says that there is anything.",
        ),
        key(
            "range",
            Kind::Word(&["fraction", "symmetric", "pixels"]),
            Some("fraction"),
            "Unit of the numbers: fractions of the input, -1 to 1 across the input, or its pixels.",
        ),
        key(
            "order",
            Kind::Word(&["pairs", "axes"]),
            Some("pairs"),
            "`pairs`: x and y of each point; `axes`: every x, then every y.",
        ),
        key(
            "keep",
            Kind::Float,
            Some("0.5"),
            "Least probability that there is anything, where `presence` is on.",
        ),
    ],
    classes: "classes",
    detects: false,
    computes: Computes::Nothing,
};

static EMBED: HeadDecl = HeadDecl {
    keyword: "embed",
    doc: "A vector that stands for the input, to be compared with others. `raw` is the vector.",
    keys: &[
        key(
            "metric",
            Kind::Word(&["cosine", "euclidean"]),
            Some("euclidean"),
            "How two vectors are compared: by the length of their difference, or by 1 minus the cosine of the angle between them.",
        ),
        key(
            "threshold",
            Kind::Float,
            Some("1"),
            "Up to which distance two inputs count as the same; beyond it from everybody, a face is unknown.",
        ),
    ],
    classes: "classes",
    detects: false,
    computes: Computes::Nothing,
};

static VERIFY: HeadDecl = HeadDecl {
    keyword: "verify",
    doc: "Whether several inputs are of one kind. `raw` is a single number, the larger the more alike; or, with `measure distance`, the difference of two vectors, the \
          shorter the more alike.",
    keys: &[
        key(
            "measure",
            Kind::Word(&["score", "distance"]),
            Some("score"),
            "Whether `raw` is a score, or its length is a distance.",
        ),
        key(
            "threshold",
            Kind::Float,
            Some("0.5"),
            "From which score on, or up to which distance, the inputs count as alike.",
        ),
    ],
    classes: "classes",
    detects: false,
    computes: Computes::Nothing,
};

static STYLE: HeadDecl = HeadDecl {
    keyword: "style",
    doc: "The tensors that neural style transfer compares (Gatys et al. 2015). For each map that `style` names, its Gram matrix is the output `gram.NAME`, each map that `content` names \
          is an output; `raw` is the sums of the Gram matrices, then the mean squares of the content.",
    keys: &[
        key(
            "style",
            Kind::Tensors,
            None,
            "The maps whose Gram matrices over positions, divided by the number of positions, are the style.",
        ),
        key(
            "content",
            Kind::Tensors,
            Some("none"),
            "The maps that are the content.",
        ),
    ],
    classes: "classes",
    detects: false,
    computes: Computes::Style,
};

static PITCH: HeadDecl = HeadDecl {
    keyword: "pitch",
    doc: "The pitch of a sound (Kim et al. 2018, CREPE). `raw` is a vector of the activations of bins; the answer is the mean of the bins around the best one, weighted by \
          their activations. A bin of `c` cents is `10 · 2^(c / 1200)` Hz.",
    keys: &[
        key(
            "first",
            Kind::Float,
            Some("1997.3794084376191"),
            "Cents of the first bin.",
        ),
        key(
            "step",
            Kind::Float,
            Some("20"),
            "Cents from one bin to the next.",
        ),
        key(
            "around",
            Kind::Int,
            Some("4"),
            "How many bins on either side of the best one are averaged with it.",
        ),
    ],
    classes: "outputs",
    detects: false,
    computes: Computes::Nothing,
};

static IMAGE: HeadDecl = HeadDecl {
    keyword: "image",
    doc: "A picture: `raw` has one channel (grey) or three (red, green, blue).",
    keys: &[key(
        "range",
        Kind::Word(&["clamp", "magnitude", "minmax"]),
        Some("clamp"),
        "How values become brightness: `clamp` takes 0 for black and 1 for white and cuts the rest off, `magnitude` takes 0 for \
         black and the largest magnitude for white, `minmax` the smallest and the largest value.",
    )],
    classes: "classes",
    detects: false,
    computes: Computes::Nothing,
};
