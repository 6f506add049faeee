//! Darknet's own networks, from their structure: the numbers that their published weights hold must come out.

use super::options;
use cnnc::Model;
use cnnc::darknet::import;
use std::fmt::Write as _;

/// A `.cfg` as it is written down, section by section.
struct Cfg(String);

impl Cfg {
    fn new(extent: usize) -> Cfg {
        Cfg(format!(
            "[net]\nbatch=64\nwidth={extent}\nheight={extent}\nchannels=3\nlearning_rate=0.001\nsteps=1,2\nscales=.1,.1\n"
        ))
    }

    fn section(&mut self, text: &str) -> &mut Cfg {
        writeln!(self.0, "\n{}", text.replace(' ', "\n")).unwrap();
        self
    }

    /// A convolution with batch norm.
    fn conv(&mut self, filters: usize, size: usize, stride: usize, activation: &str) -> &mut Cfg {
        self.section(&format!(
            "[convolutional] batch_normalize=1 filters={filters} size={size} stride={stride} pad=1 activation={activation}"
        ))
    }

    /// A convolution with a bias, which a head decodes.
    fn last(&mut self, filters: usize) -> &mut Cfg {
        self.section(&format!(
            "[convolutional] size=1 stride=1 pad=1 filters={filters} activation=linear"
        ))
    }

    fn maxpool(&mut self, size: usize, stride: usize) -> &mut Cfg {
        self.section(&format!("[maxpool] size={size} stride={stride}"))
    }

    fn route(&mut self, layers: &str) -> &mut Cfg {
        self.section(&format!("[route] layers={}", layers.replace(' ', "")))
    }

    fn residuals(&mut self, count: usize, inner: usize, outer: usize, act: &str) -> &mut Cfg {
        for _ in 0..count {
            self.conv(inner, 1, 1, act)
                .conv(outer, 3, 1, act)
                .section("[shortcut] from=-3 activation=linear");
        }
        self
    }

    fn yolo(&mut self, mask: &str, num: usize) -> &mut Cfg {
        let anchors: Vec<String> = (1..=2 * num).map(|side| (10 * side).to_string()).collect();
        self.section(&format!(
            "[yolo] mask={mask} anchors={} classes=80 num={num} jitter=.3 ignore_thresh=.7 truth_thresh=1 random=1",
            anchors.join(",")
        ))
    }

    fn region(&mut self, classes: usize) -> &mut Cfg {
        self.section(&format!(
            "[region] anchors=1,2,3,4,5,6,7,8,9,10 bias_match=1 classes={classes} coords=4 num=5 softmax=1 jitter=.3 rescore=1 thresh=.6"
        ))
    }

    #[track_caller]
    fn spec(&self) -> (String, Model) {
        let spec = import(self.0.as_bytes(), &options()).unwrap();
        match cnnc::compile_str("net.cnn", &spec) {
            Ok(model) => (spec, model),
            Err(error) => panic!("{spec}{error}"),
        }
    }
}

/// Numbers that a weights file of the network holds.
fn stored(model: &Model) -> usize {
    let sources = model.graph().sources();
    let counts = sources
        .iter()
        .map(|source| source.shape.iter().product::<usize>());
    counts.sum()
}

#[track_caller]
fn shapes(model: &Model, expected: &[&str]) {
    let outputs = model.graph().outputs.iter();
    let found: Vec<String> = outputs
        .map(|output| model.graph().values[output.value].shape.to_string())
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn yolov3() {
    let mut cfg = Cfg::new(416);
    cfg.conv(32, 3, 1, "leaky");
    for (width, count) in [(64, 1), (128, 2), (256, 8), (512, 8), (1024, 4)] {
        cfg.conv(width, 3, 2, "leaky")
            .residuals(count, width / 2, width, "leaky");
    }
    for (index, width) in [512, 256, 128].into_iter().enumerate() {
        if index > 0 {
            cfg.route("-4")
                .conv(width, 1, 1, "leaky")
                .section("[upsample] stride=2")
                .route(if index == 1 { "-1, 61" } else { "-1, 36" });
        }
        for _ in 0..3 {
            cfg.conv(width, 1, 1, "leaky")
                .conv(2 * width, 3, 1, "leaky");
        }
        cfg.last(255).yolo(["6,7,8", "3,4,5", "0,1,2"][index], 9);
    }
    let (spec, model) = cfg.spec();
    assert_eq!(stored(&model), 62_001_757);
    shapes(&model, &["255x13x13", "255x26x26", "255x52x52"]);
    assert_eq!(model.graph().macs() / 10_000_000, 3_293);
    // Darknet-53's stages.
    for count in [2, 8, 4] {
        assert!(spec.contains(&format!("repeat {count} {{ unit(")), "{spec}");
    }
    assert!(spec.contains("conv 3x3 (2*w) bn leaky"), "{spec}");
    assert!(spec.lines().count() < 60, "{spec}");
}

#[test]
fn yolov3_tiny() {
    let mut cfg = Cfg::new(416);
    for width in [16, 32, 64, 128, 256] {
        cfg.conv(width, 3, 1, "leaky").maxpool(2, 2);
    }
    cfg.conv(512, 3, 1, "leaky")
        .maxpool(2, 1)
        .conv(1024, 3, 1, "leaky")
        .conv(256, 1, 1, "leaky")
        .conv(512, 3, 1, "leaky")
        .last(255)
        .yolo("3,4,5", 6)
        .route("-4")
        .conv(128, 1, 1, "leaky")
        .section("[upsample] stride=2")
        .route("-1, 8")
        .conv(256, 3, 1, "leaky")
        .last(255)
        .yolo("0,1,2", 6);
    let (spec, model) = cfg.spec();
    assert_eq!(stored(&model), 8_858_734);
    shapes(&model, &["255x13x13", "255x26x26"]);
    assert!(spec.contains("maxpool 2x2 /1 pad (0, 1, 0, 1)"), "{spec}");
}

#[test]
fn yolov2() {
    let mut cfg = Cfg::new(608);
    cfg.conv(32, 3, 1, "leaky").maxpool(2, 2);
    cfg.conv(64, 3, 1, "leaky").maxpool(2, 2);
    for (width, count, pool) in [
        (128, 1, true),
        (256, 1, true),
        (512, 2, true),
        (1024, 2, false),
    ] {
        for _ in 0..count {
            cfg.conv(width, 3, 1, "leaky")
                .conv(width / 2, 1, 1, "leaky");
        }
        cfg.conv(width, 3, 1, "leaky");
        if pool {
            cfg.maxpool(2, 2);
        }
    }
    cfg.conv(1024, 3, 1, "leaky")
        .conv(1024, 3, 1, "leaky")
        .route("-9")
        .conv(64, 1, 1, "leaky")
        .section("[reorg] stride=2")
        .route("-1,-4")
        .conv(1024, 3, 1, "leaky")
        .last(425)
        .region(80);
    let (spec, model) = cfg.spec();
    assert_eq!(stored(&model), 50_983_561);
    shapes(&model, &["425x19x19"]);
    assert!(spec.contains("space_to_depth 2 darknet"), "{spec}");
    assert_eq!((model.graph().macs() + 5_000_000) / 10_000_000, 3_147);
}

#[test]
fn yolov2_tiny_voc() {
    let mut cfg = Cfg::new(416);
    for width in [16, 32, 64, 128, 256] {
        cfg.conv(width, 3, 1, "leaky").maxpool(2, 2);
    }
    cfg.conv(512, 3, 1, "leaky")
        .maxpool(2, 1)
        .conv(1024, 3, 1, "leaky")
        .conv(1024, 3, 1, "leaky")
        .last(125)
        .region(20);
    let (_, model) = cfg.spec();
    assert_eq!(stored(&model), 15_867_885);
    assert_eq!(model.graph().parameters(), 15_861_773);
    shapes(&model, &["125x13x13"]);
}

#[test]
fn yolov1_tiny() {
    let mut cfg = Cfg::new(448);
    for width in [16, 32, 64, 128, 256, 512] {
        cfg.conv(width, 3, 1, "leaky").maxpool(2, 2);
    }
    cfg.conv(1024, 3, 1, "leaky")
        .conv(256, 3, 1, "leaky")
        .section("[connected] output=1470 activation=linear")
        .section("[detection] classes=20 coords=4 rescore=1 side=7 num=2 softmax=0 sqrt=1 jitter=.2 object_scale=1 noobject_scale=.5 class_scale=1 coord_scale=5");
    let (_, model) = cfg.spec();
    shapes(&model, &["1470"]);
    let dense = 256 * 7 * 7 * 1470 + 1470;
    assert!(model.graph().parameters() > dense);
}

/// The stage of CSPDarknet-53.
fn csp(cfg: &mut Cfg, width: usize, count: usize) {
    let (half, inner) = match width {
        64 => (64, 32),
        _ => (width / 2, width / 2),
    };
    cfg.conv(width, 3, 2, "mish")
        .conv(half, 1, 1, "mish")
        .route("-2")
        .conv(half, 1, 1, "mish")
        .residuals(count, inner, half, "mish")
        .conv(half, 1, 1, "mish")
        .route(&format!("-1,-{}", 3 * count + 4))
        .conv(width, 1, 1, "mish");
}

#[test]
fn yolov4() {
    let mut cfg = Cfg::new(608);
    cfg.conv(32, 3, 1, "mish");
    for (width, count) in [(64, 1), (128, 2), (256, 8), (512, 8), (1024, 4)] {
        csp(&mut cfg, width, count);
    }
    let leaky = "leaky";
    let three = |cfg: &mut Cfg, width| {
        cfg.conv(width, 1, 1, leaky)
            .conv(2 * width, 3, 1, leaky)
            .conv(width, 1, 1, leaky);
    };
    three(&mut cfg, 512);
    cfg.maxpool(5, 1)
        .route("-2")
        .maxpool(9, 1)
        .route("-4")
        .maxpool(13, 1)
        .route("-1,-3,-5,-6");
    three(&mut cfg, 512);
    let five = |cfg: &mut Cfg, width| {
        three(cfg, width);
        cfg.conv(2 * width, 3, 1, leaky).conv(width, 1, 1, leaky);
    };
    for (width, from) in [(256, "85"), (128, "54")] {
        cfg.conv(width, 1, 1, leaky)
            .section("[upsample] stride=2")
            .route(from)
            .conv(width, 1, 1, leaky)
            .route("-1, -3");
        five(&mut cfg, width);
    }
    let head = |cfg: &mut Cfg, width, mask, stretch| {
        cfg.conv(width, 3, 1, leaky).last(255);
        cfg.yolo(mask, 9);
        cfg.0.push_str(&format!("scale_x_y={stretch}\niou_thresh=0.213\ncls_normalizer=1.0\niou_normalizer=0.07\niou_loss=ciou\nnms_kind=greedynms\nbeta_nms=0.6\nmax_delta=5\n"));
    };
    head(&mut cfg, 256, "0,1,2", "1.2");
    for (width, back, mask, stretch) in [
        (256, "-1, -16", "3,4,5", "1.1"),
        (512, "-1, -37", "6,7,8", "1.05"),
    ] {
        cfg.route("-4").conv(width, 3, 2, leaky).route(back);
        five(&mut cfg, width);
        head(&mut cfg, 2 * width, mask, stretch);
    }
    let (spec, model) = cfg.spec();
    assert_eq!(stored(&model), 64_429_405);
    shapes(&model, &["255x76x76", "255x38x38", "255x19x19"]);
    assert!(spec.contains("stretch (1.2, 1.1, 1.05)"), "{spec}");
    assert!(spec.contains("bn mish"), "{spec}");
}

#[test]
fn yolov4_tiny() {
    let mut cfg = Cfg::new(416);
    cfg.conv(32, 3, 2, "leaky").conv(64, 3, 2, "leaky");
    for width in [64, 128, 256] {
        cfg.conv(width, 3, 1, "leaky")
            .section("[route] layers=-1 groups=2 group_id=1")
            .conv(width / 2, 3, 1, "leaky")
            .conv(width / 2, 3, 1, "leaky")
            .route("-1,-2")
            .conv(width, 1, 1, "leaky")
            .route("-6,-1")
            .maxpool(2, 2);
    }
    cfg.conv(512, 3, 1, "leaky")
        .conv(256, 1, 1, "leaky")
        .conv(512, 3, 1, "leaky")
        .last(255)
        .yolo("3,4,5", 6)
        .route("-4")
        .conv(128, 1, 1, "leaky")
        .section("[upsample] stride=2")
        .route("-1, 23")
        .conv(256, 3, 1, "leaky")
        .last(255)
        .yolo("1,2,3", 6);
    let (spec, model) = cfg.spec();
    assert_eq!(stored(&model), 6_062_814);
    shapes(&model, &["255x13x13", "255x26x26"]);
    assert!(spec.contains("slice 32 64"), "{spec}");
    assert!(spec.contains("masks (3, 4, 5) (1, 2, 3)"), "{spec}");
}

/// Darknet's resnet50.cfg: activations behind the sums, and shortcuts of other shapes than the sum.
#[test]
fn resnet50() {
    let mut cfg = Cfg::new(256);
    cfg.conv(64, 7, 2, "leaky").maxpool(2, 2);
    for (width, count) in [(64, 3), (128, 4), (256, 6), (512, 3)] {
        for turn in 0..count {
            let stride = if turn == 0 && width > 64 { 2 } else { 1 };
            cfg.conv(width, 1, 1, "leaky")
                .conv(width, 3, stride, "leaky")
                .conv(4 * width, 1, 1, "linear")
                .section("[shortcut] from=-4 activation=leaky");
        }
    }
    cfg.section("[avgpool]")
        .section("[convolutional] filters=1000 size=1 stride=1 pad=1 activation=linear")
        .section("[softmax] groups=1")
        .section("[cost] type=sse");
    let (spec, model) = cfg.spec();
    shapes(&model, &["1000", "1000"]);
    assert!(spec.contains("head classify"), "{spec}");
    assert!(spec.contains("padchannels 0 192"), "{spec}");
    assert!(spec.contains("subsample /2 padchannels 0 256"), "{spec}");
    assert!(spec.contains("repeat 5 { unit(256) }"), "{spec}");
    // 25.6 million as published, without the four projections of shortcuts.
    let projections =
        64 * 256 + 256 * 512 + 512 * 1024 + 1024 * 2048 + 2 * (256 + 512 + 1024 + 2048);
    assert_eq!(
        model.graph().parameters() as usize,
        25_557_032 - projections
    );
}
