//! Parameters, values, settings and heads.

/// What an argument is called whose value is an activation, which is a layer of its own here.
static ACTIVATIONS: &[&str] = &["activation", "act", "activation_fn", "nonlinearity"];

/// Ways to interpolate that there are not here; some are one slip of the finger away from words that there are.
static MODES: &[&str] = &["trilinear", "bicubic", "cubic", "lanczos", "area"];

/// Words that parameters of layers take here.
pub(super) static CHOICES: &[&str] = &[
    "same", "valid", "half", "nearest", "bilinear", "edge", "reflect", "on", "off",
];

/// Whether it is a word that a parameter takes, as it is called here or elsewhere.
pub(crate) fn is_choice(word: &str) -> bool {
    let ours = |word: &str| CHOICES.contains(&word);
    ours(word) || is_mode(word) || super::ours(word).any(ours)
}

/// Whether an argument of that name is an activation.
pub(crate) fn is_activation(word: &str) -> bool {
    ACTIVATIONS.contains(&word)
}

/// Whether it is a way to interpolate of its own, and no slip of the finger.
pub(crate) fn is_mode(word: &str) -> bool {
    MODES.contains(&word)
}

/// Parameters whose names elsewhere are no names of others here.
static PARAMETERS: &[&str] = &[
    "out", "kernel", "stride", "pad", "dilation", "groups", "bias", "eps",
];

/// The parameter that an argument of that name is, whatever layer it is of.
pub(crate) fn parameter(word: &str) -> Option<&'static str> {
    let ours = super::ours(word).next()?;
    // `size` and `border` are parameters of other layers.
    let elsewhere = WORDS.iter().any(|(_, ours)| *ours == word);
    (PARAMETERS.contains(&ours) && !elsewhere).then_some(ours)
}

/// Names of parameters and values: theirs, with blanks between them, and what is written here.
#[rustfmt::skip]
pub(super) static WORDS: &[(&str, &str)] = &[
    ("filters out_channels channels_out units out_features num_output output features", "out"),
    ("kernel_size pool_size ksize window filter_size size", "kernel"),
    ("strides step", "stride"),
    ("padding pads border", "pad"),
    ("padding_mode", "border"),
    ("dilations dilation_rate", "dilation"),
    ("group num_groups cardinality", "groups"),
    ("use_bias bias_term with_bias", "bias"),
    ("epsilon variance_epsilon", "eps"),
    ("slope", "alpha"),
    ("negative_slope alpha leak", "slope"),
    ("p prob probability drop drop_rate", "rate"),
    ("scale_factor scales upscale_factor downscale_factor", "factor"),
    ("output_padding", "output_pad"),
    ("output_size target_shape", "size"),
    ("downscale_factor upscale_factor block_size blocksize", "size"),
    ("target_shape unflattened_size", "shape"),
    ("interpolation", "mode"),
    ("replicate replication", "edge"),
    ("reflection mirror", "reflect"),
    ("min_val min_value min", "low"),
    ("max_val max_value max", "high"),
    ("approximate", "form"),
    ("offset", "shift"),
    ("ceil_mode", "rounding"),
    ("init num_parameters", "single"),
    ("linear", "bilinear"),
    ("same_upper", "same"),
    ("none false no", "off"),
    ("true yes", "on"),
    ("maximum", "max"),
    ("minimum", "min"),
    ("parameters weights", "params"),
    ("flops mult_adds multiply_adds madds gflops", "macs"),
    ("names classes class_names", "labels"),
    ("thresh conf confidence score_threshold conf_threshold", "keep"),
    ("nms_thresh nms_threshold iou_threshold iou_thresh", "iou"),
    ("mask", "masks"),
    ("topk top_k", "top"),
    ("scale_x_y", "stretch"),
    ("new_coords", "squared"),
    ("variance variances", "std"),
    ("normalise normalization", "normalize"),
    ("grayscale grey", "gray"),
];

/// Heads: what other programs call them, the head here (or nothing), and what there is to say.
#[rustfmt::skip]
pub(super) static HEADS: &[(&str, &str, &str)] = &[
    ("yolo yolov3 yolov4 yolo4 yolov3_tiny yolov4_tiny", "yolo3", ""),
    ("yolov2 yolo9000 region", "yolo2", ""),
    ("yolov1 detection", "yolo1", ""),
    ("yolo5 yolo6 yolo7 yolo8 yolo9 yolo10 yolo11 yolo12 yolov5 yolov6 yolov7 yolov8 yolov9 yolov10 yolov11 yolov12 yolox detect",
     "", "heads of that name; `head dfl` has the boxes of YOLOv8 and its successors, `head yolo3 { stretch 2  squared }` on logistic maps those of YOLOv5 and 7"),
    ("ssd ssdlite retinanet fcos centernet efficientdet detr prior_box detection_output", "", "SSD and other detectors without darknet's boxes"),
    ("rcnn fast_rcnn fastrcnn faster_rcnn fasterrcnn mask_rcnn maskrcnn", "regions", ""),
    ("segmentation semantic_segmentation semantic deeplab fcn", "segment", ""),
    ("classification classifier class softmax categories imagenet", "classify", ""),
    ("embedding face arcface facenet features", "embed", ""),
    ("siamese compare contrastive verification", "verify", ""),
    ("landmark points", "landmarks", ""),
    ("keypoint pose heatmap heatmaps", "keypoints", ""),
    ("localization localisation box", "boxes", ""),
    ("picture mask autoencoder", "image", ""),
    ("regression", "", "numbers"),
];
