//! Every spec of the zoo, and some that are made to be hard, drawn in every view.

use super::arrange::{COST, LINE, PAD, Placed, SHAPE, Scene, Step, TITLE, arrange};
use super::diagram::{Diagram, Kind};
use super::text::width;
use super::*;
use std::path::PathBuf;

fn specs() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("specs");
    let files = std::fs::read_dir(folder).unwrap();
    let mut specs: Vec<PathBuf> = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "cnn"))
        .filter(|path| std::fs::read_to_string(path).unwrap().contains("model "))
        .collect();
    specs.sort();
    specs
}

fn model(text: &str) -> crate::Model {
    crate::compile_str("test", text).unwrap_or_else(|error| panic!("{error}"))
}

fn views(most: usize) -> Vec<View> {
    let depths = (0..=most).map(View::Depth);
    [View::Auto, View::Everything]
        .into_iter()
        .chain(depths)
        .collect()
}

type Rect = [f64; 4];

fn overlap(a: Rect, b: Rect) -> bool {
    a[0] < b[0] + b[2] && b[0] < a[0] + a[2] && a[1] < b[1] + b[3] && b[1] < a[1] + a[3]
}

fn within(inner: Rect, outer: Rect) -> bool {
    inner[0] >= outer[0] - 0.01
        && inner[1] >= outer[1] - 0.01
        && inner[0] + inner[2] <= outer[0] + outer[2] + 0.01
        && inner[1] + inner[3] <= outer[1] + outer[3] + 0.01
}

/// Places along an arrow, each a few points from the last.
fn points(arrow: &super::arrange::Arrow) -> Vec<(f64, f64)> {
    let mut points = vec![arrow.start];
    for step in &arrow.steps {
        let (x0, y0) = points[points.len() - 1];
        let (x1, y1) = step.end();
        let count = ((x1 - x0).hypot(y1 - y0) / 3.0).ceil().max(1.0);
        for at in 1..=count as usize {
            let t = at as f64 / count;
            // The cubics of the SVG.
            let (ease, along) = (
                3.0 * t * t - 2.0 * t * t * t,
                1.5 * t - 1.5 * t * t + t * t * t,
            );
            let (right, down) = match step {
                Step::Curve(..) => (ease, along),
                Step::Across(..) => (along, ease),
                _ => (t, t),
            };
            points.push((x0 + (x1 - x0) * right, y0 + (y1 - y0) * down));
        }
    }
    points
}

/// How far a point is from the outline of a box.
fn outside([x, y, w, h]: Rect, point: (f64, f64)) -> f64 {
    let (dx, dy) = (
        point.0 - point.0.clamp(x, x + w),
        point.1 - point.1.clamp(y, y + h),
    );
    let inside = (point.0 - x)
        .min(x + w - point.0)
        .min(point.1 - y)
        .min(y + h - point.1);
    dx.hypot(dy).max(inside)
}

/// What holds in every picture; `what` says which one it is.
fn check(scene: &Scene<'_>, diagram: &Diagram, what: &str) {
    let all = [0.0, 0.0, scene.width, scene.height];
    for (index, a) in scene.boxes.iter().enumerate() {
        assert!(within(a.rect, all), "{what}: {:?} is outside", a.item.title);
        for b in &scene.boxes[..index] {
            if a.path.starts_with(&b.path) {
                assert!(
                    within(a.rect, b.rect),
                    "{what}: {:?} sticks out",
                    a.item.title
                );
            } else {
                assert!(
                    !overlap(a.rect, b.rect),
                    "{what}: {:?} over {:?}",
                    a.item.title,
                    b.item.title
                );
            }
        }
        text_fits(a, what);
    }
    arrows_meet_boxes(scene, diagram, what);
    for label in &scene.labels {
        let wide = width(&label.text, SHAPE, false);
        let left = if label.left {
            label.at.0 - wide
        } else {
            label.at.0
        };
        let rect = [left, label.at.1 - 8.0, wide, 8.0];
        for placed in boxes(scene) {
            assert!(
                !overlap(rect, placed.rect),
                "{what}: {} over {:?}",
                label.text,
                placed.item.title
            );
        }
    }
}

fn boxes<'s, 'd>(scene: &'s Scene<'d>) -> impl Iterator<Item = &'s Placed<'d>> {
    scene
        .boxes
        .iter()
        .filter(|placed| !matches!(placed.item.kind, Kind::Frame(_)))
}

fn text_fits(placed: &Placed<'_>, what: &str) {
    let item = placed.item;
    let rows = [
        (vec![item.title.clone()], TITLE, true),
        (item.lines.clone(), LINE, false),
        (item.cost.clone(), COST, false),
    ];
    for (lines, size, bold) in rows {
        for line in lines {
            let room = placed.rect[2] - 2.0 * PAD;
            assert!(width(&line, size, bold) <= room + 0.01, "{what}: {line:?}");
        }
    }
    assert!(
        super::arrange::header(item) <= placed.rect[3],
        "{what}: {:?}",
        item.title
    );
}

fn arrows_meet_boxes(scene: &Scene<'_>, diagram: &Diagram, what: &str) {
    let mut edges = 0;
    fn count(diagram: &Diagram, edges: &mut usize) {
        *edges += diagram.edges.len();
        for item in &diagram.items {
            if let Kind::Frame(inner) = &item.kind {
                count(inner, edges);
            }
        }
    }
    count(diagram, &mut edges);
    assert_eq!(scene.arrows.len(), edges, "{what}: every edge is an arrow");
    let find = |path: &[usize]| scene.boxes.iter().find(|placed| placed.path == path);
    for arrow in &scene.arrows {
        let points = points(arrow);
        let (start, end) = (points[0], points[points.len() - 1]);
        // Gates have no box.
        for (path, point, most) in [(&arrow.from, start, 0.01), (&arrow.to, end, 0.01)] {
            if let Some(placed) = find(path) {
                let off = outside(placed.rect, point);
                assert!(
                    off <= most + placed.shadow(),
                    "{what}: an arrow ends {off} from {:?}",
                    placed.item.title
                );
            }
        }
        for placed in boxes(scene) {
            if placed.path == arrow.from || placed.path == arrow.to {
                continue;
            }
            let [x, y, w, h] = placed.rect;
            let crosses = points
                .iter()
                .any(|p| p.0 > x && p.0 < x + w && p.1 > y && p.1 < y + h);
            assert!(
                !crosses,
                "{what}: an arrow runs through {:?}",
                placed.item.title
            );
        }
    }
}

fn check_views(model: &crate::Model, name: &str) {
    let graph = model.graph();
    let tree = Tree::new(graph, model.outline());
    for view in views(tree.depth()) {
        let what = format!("{name} {view:?}");
        let picture = match model.picture(view) {
            Ok(picture) => picture,
            Err(error) => panic!("{what}: {error}"),
        };
        let scene = arrange(&picture.diagram).unwrap();
        check(&scene, &picture.diagram, &what);
        if view == View::Everything {
            every_layer_is_there(model, &picture, &what);
        }
        let svg = picture.to_svg();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        let links = picture.diagram.links();
        assert_eq!(
            picture.to_mermaid().matches(" -->|").count(),
            links.len(),
            "{what}"
        );
        assert_eq!(
            picture.to_dot().matches(" -> ").count(),
            links.len(),
            "{what}"
        );
    }
}

/// With everything shown, each live layer is in exactly one box.
fn every_layer_is_there(model: &crate::Model, picture: &Picture, what: &str) {
    let context = Context::of_network(model.graph());
    let tree = Tree::new(model.graph(), model.outline());
    let (mut boxes, mut layers, mut open) = (0, Vec::new(), vec![&tree]);
    while let Some(part) = open.pop() {
        for unit in context.units(part) {
            match unit.part {
                Some(inner) => open.push(inner),
                None => {
                    boxes += 1;
                    layers.extend(unit.nodes);
                }
            }
        }
    }
    layers.sort_unstable();
    let mut live: Vec<usize> = context.live.iter().copied().collect();
    live.sort_unstable();
    assert_eq!(layers, live, "{what}");
    let mut shown = 0;
    picture.diagram.walk(&[], &mut |_, item| {
        assert_eq!(item.times, 1, "{what}");
        shown += usize::from(matches!(item.kind, Kind::Layer));
    });
    assert_eq!(shown, boxes, "{what}");
}

#[test]
fn every_spec_is_drawn_in_every_view() {
    let specs = specs();
    assert!(specs.len() >= 8);
    for spec in specs {
        let name = spec.file_name().unwrap().to_string_lossy().into_owned();
        let model = crate::compile_file(&spec).unwrap_or_else(|error| panic!("{error}"));
        check_views(&model, &name);
        let picture = model.picture(View::Auto).unwrap();
        let scene = arrange(&picture.diagram).unwrap();
        assert!(
            scene.height < 1800.0 && scene.width < 1700.0,
            "{name}: {} x {}",
            scene.width,
            scene.height
        );
    }
}

#[test]
fn shapes_are_clear_of_arrows_and_names_are_said_once() {
    for spec in specs() {
        let name = spec.file_name().unwrap().to_string_lossy().into_owned();
        let model = crate::compile_file(&spec).unwrap();
        let picture = model.picture(View::Auto).unwrap();
        let scene = arrange(&picture.diagram).unwrap();
        for label in &scene.labels {
            let wide = width(&label.text, SHAPE, false);
            let left = if label.left {
                label.at.0 - wide
            } else {
                label.at.0
            };
            let (x, y) = (left..left + wide, label.at.1 - 7.0..label.at.1);
            for arrow in &scene.arrows {
                let crossed = points(arrow)
                    .iter()
                    .any(|p| x.contains(&p.0) && y.contains(&p.1));
                assert!(!crossed, "{name}: an arrow runs through {}", label.text);
            }
        }
        picture.diagram.walk(&[], &mut |_, item| {
            let called = item
                .lines
                .first()
                .map(|line| line.split('(').next().unwrap_or_default());
            let twice = !item.title.is_empty() && called == Some(&item.title);
            assert!(!twice, "{name}: {:?} {:?}", item.title, item.lines);
            if let Kind::Frame(inner) = &item.kind {
                for within in &inner.items {
                    assert!(
                        within.title.is_empty() || within.title != item.title,
                        "{name}: {}",
                        item.title
                    );
                }
            }
        });
    }
}

#[test]
fn stages_of_different_width_or_stride_stand_apart() {
    let text = "cnn 1; model M { defaults { pad half }; input x: 3x64x64
        for (w, s) in [(8, 1), (8, 2), (16, 1), (32, 1), (32, 1)] { conv 3x3 /s w relu conv 3x3 w relu } }";
    let picture = model(text).picture(View::Auto).unwrap();
    let mut times = Vec::new();
    picture.diagram.walk(&[], &mut |_, item| {
        if matches!(item.kind, Kind::Block | Kind::Layer | Kind::Frame(_)) {
            times.push(item.times);
        }
    });
    // No more than the convolutions and turns that are exactly alike.
    assert!(times.iter().all(|&times| times <= 3), "{times:?}");
    let all: usize = times.iter().sum();
    assert!(all >= 5, "{times:?}");
    for view in views(3) {
        let svg = model(text).picture(view).unwrap().to_svg();
        assert!(!svg.contains("×5") && !svg.contains("×4"), "{view:?}");
    }
}

#[test]
fn what_a_head_sums_is_left_out() {
    let text =
        "cnn 1; model S { input x: 3x32x32; a: conv 3x3 8 relu; b: conv 3x3 8 relu; c: conv 3x3 8
        head style { style a b  content b } }";
    let model = model(text);
    check_views(&model, "style");
    let mut titles = Vec::new();
    let picture = model.picture(View::Everything).unwrap();
    picture
        .diagram
        .walk(&[], &mut |_, item| titles.push(item.title.clone()));
    assert_eq!(titles, ["x", "a", "b", "gram.a", "gram.b", "b"]);
}

#[test]
fn every_colour_has_one_for_the_dark() {
    let svg = model(SKIPS).picture(View::Auto).unwrap().to_svg();
    let (_, style) = svg.split_once("prefers-color-scheme:dark").unwrap();
    let rules = style.split("</style>").next().unwrap();
    let known = |colour: &str| {
        super::family::DARK
            .iter()
            .any(|(light, _)| *light == colour)
    };
    let mut colours = 0;
    for element in raster::elements(&svg) {
        for name in ["fill", "stroke"] {
            if let Some(colour) = element
                .attributes
                .get(name)
                .filter(|colour| *colour != "none")
            {
                colours += 1;
                let rule = format!("[{name}=\"{colour}\"]");
                assert!(known(colour) && rules.contains(&rule), "{colour}");
            }
        }
    }
    assert!(colours > 50);
    // What a window shows around it.
    assert!(rules.contains("svg:root{background:#11161d}"), "{rules}");
}

const TWINS: &str = "cnn 1; model M { input a, b: 1x32x32
  shared twin { c: conv 3x3 8 relu ; maxpool 2x2 /2 ; flatten ; fc: dense 16 sigmoid }
  head verify { abs(twin(a) - twin(b)) ; out: dense 1 sigmoid } }";

const SKIPS: &str = "cnn 1
block double(w) { a: conv 3x3 w relu ; b: conv 3x3 w relu }
model U {
  defaults { pad half }
  input image: 1x64x64
  e1: double(8)
  p1: maxpool 2x2 /2
  e2: double(16)
  p2: maxpool 2x2 /2
  e3: double(32)
  u2: upsample 2 conv 1x1 16
  d2: concat(u2, e2) double(16)
  u1: upsample 2 conv 1x1 8
  d1: concat(u1, e1) double(8)
  tap e1, p2
}";

const STAGES: &str = "cnn 1
block bottleneck(w, s) {
  residual { conv1: conv 1x1 w bn relu ; conv2: conv 3x3 /s w bn relu ; conv3: conv 1x1 (4*w) bn }
    shortcut auto { down: conv 1x1 /s (4*w) bn }
  relu
}
model R {
  defaults { pad half  bias off }
  input image: 3x64x64
  conv1: conv 7x7 /2 16 bn relu
  for i, (w, n, s) in [(16,3,1), (32,8,2), (64,36,2), (128,3,2)] {
    repeat n as j { bottleneck(w, if j == 0 { s } else { 1 }) }
  }
  globalavgpool
  fc: dense 10 bias
  head classify
}";

#[test]
fn twins_skips_and_deep_stacks() {
    for (name, text) in [("twins", TWINS), ("skips", SKIPS), ("stages", STAGES)] {
        check_views(&model(text), name);
    }
}

#[test]
fn blocks_that_repeat_are_one_box() {
    let picture = model(STAGES).picture(View::Depth(1)).unwrap();
    let mut times = Vec::new();
    picture.diagram.walk(&[], &mut |_, item| {
        if item.times > 1 {
            times.push((item.title.clone(), item.times));
        }
    });
    let expected = [
        ("0.1, 2", 2),
        ("1.1 … 7", 7),
        ("2.1 … 35", 35),
        ("3.1, 2", 2),
    ];
    assert_eq!(
        times,
        expected.map(|(title, times)| (title.to_owned(), times))
    );
    assert!(picture.boxes() < 20);
}

#[test]
fn twins_share_their_weights() {
    let picture = model(TWINS).picture(View::Depth(0)).unwrap();
    let mut costs = Vec::new();
    picture.diagram.walk(&[], &mut |_, item| {
        if matches!(item.kind, Kind::Block) {
            costs.push((item.title.clone(), item.cost.concat()));
        }
    });
    assert_eq!(costs.len(), 2);
    assert!(
        costs[0].1.contains("parameters") && costs[1].1.contains("shared weights"),
        "{costs:?}"
    );
}

#[test]
fn a_tensor_read_elsewhere_ends_a_repetition() {
    let routed = "cnn 1; model M { input x: 8x8x8
        for i in [0, 1, 2, 3] { c{i}: conv 3x3 8 pad half relu }
        add(c1, c3) }";
    let picture = model(routed).picture(View::Auto).unwrap();
    let mut times = Vec::new();
    picture
        .diagram
        .walk(&[], &mut |_, item| times.push(item.times));
    // Input, c0 and c1, c2 and c3, the sum, raw.
    assert_eq!(times, [1, 2, 2, 1, 1]);
}

/// Labels can hold any text: it is shown as text.
const HOSTILE: [&str; 7] = [
    "<script>alert(1)</script>",
    "a&b'c]]>",
    "--> %% end",
    "x|y];z{}",
    "\u{202e}\u{200b}\u{7}desrever",
    "#quot;#60;",
    "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字",
];

#[test]
fn hostile_labels_are_text() {
    for label in HOSTILE {
        let long = label.repeat(4);
        let text = format!(
            "cnn 1; model M {{ input x: 3x8x8
              for s in [\"{label}\", \"{long}\"] {{ {{s}}: conv 3x3 4 pad half relu }} }}"
        );
        let model = model(&text);
        check_views(&model, label);
        let picture = model.picture(View::Auto).unwrap();
        let svg = picture.to_svg();
        assert!(!svg.contains("<script") && !svg.contains('\u{202e}') && !svg.contains('\u{7}'));
        // What a strict reader finds in it is what was meant.
        let texts = raster::elements(&svg)
            .into_iter()
            .filter(|element| element.name == "text");
        let texts: Vec<String> = texts.map(|element| element.text).collect();
        let shown = super::text::shown(label, 32);
        assert!(texts.contains(&shown), "{shown:?} is not among {texts:?}");
        for line in picture
            .to_mermaid()
            .lines()
            .filter(|line| line.contains(":::"))
        {
            let inner = line.split('"').nth(1).unwrap();
            let plain = inner
                .replace("<br/>", "")
                .replace("<b>", "")
                .replace("</b>", "");
            let plain = plain.replace("<small>", "").replace("</small>", "");
            assert!(
                !plain.contains(['<', '>', '|', '{', '}', '[', ']', '`', '%']),
                "{line}"
            );
            assert_eq!(line.matches('"').count(), 2, "{line}");
        }
    }
}

#[test]
fn dot_quotes_what_means_something() {
    let dot = super::dot::dot("a\"b\\", &Diagram::default());
    assert!(dot.starts_with("digraph \"a\\\"b\\\\\" {\n"), "{dot}");
}

#[test]
fn too_many_boxes_are_refused() {
    let text = "cnn 1; model M { input x: 1x4x4; for i in [1, 2] { repeat 3000 { conv 1x1 1 ; sigmoid ; conv 1x1 2 } } }";
    let model = model(text);
    let error = model.picture(View::Everything).unwrap_err();
    assert!(error.boxes > 6000, "{error}");
    // Folded, it is small.
    assert!(model.picture(View::Auto).unwrap().boxes() < 20);
}

mod pixels;
mod raster;
