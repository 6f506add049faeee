//! A scene as SVG, with nothing in it but rectangles, paths and text.

use super::arrange::{
    Arrow, COST, COST_STEP, LINE, LINE_STEP, Label, PAD, Placed, SHADOW, SHAPE, Scene, Step, TITLE,
    TITLE_STEP, header,
};
use super::diagram::{Item, Kind};
use super::family::Family;
use super::text::{joined, width, wrapped};
use std::collections::BTreeSet;
use std::fmt::Write;

const MARGIN: f64 = 20.0;
const INK: &str = "#1f2933";
const FAINT: &str = "#5f6f7f";
const ARROW: &str = "#7b8794";
const PAPER: &str = "#ffffff";
/// How far corners of arrows are rounded.
const ROUND: f64 = 9.0;

/// What stands above a picture.
#[derive(Clone, Debug)]
pub struct Heading {
    /// Name of the network.
    pub name: String,
    /// Its doc comment.
    pub doc: String,
    /// Its totals.
    pub totals: String,
}

/// The picture.
pub fn svg(scene: &Scene<'_>, heading: &Heading) -> String {
    let mut widest = width(&heading.name, 17.0, true).max(width(&heading.totals, LINE, false));
    // About as many characters as the picture is wide.
    let mut doc = wrapped(&heading.doc, ((scene.width / 6.0) as usize).clamp(60, 120));
    if doc.len() > 3 {
        doc.truncate(3);
        doc[2].push_str(" …");
    }
    for line in &doc {
        widest = widest.max(width(line, LINE, false));
    }
    let families: BTreeSet<Family> = scene
        .boxes
        .iter()
        .map(|placed| placed.item.family)
        .collect();
    let (legend, legend_height) = legend(&families, scene.width.max(widest));
    let inside = scene.width.max(widest).max(legend.width);
    let top = MARGIN + 22.0 + doc.len() as f64 * LINE_STEP + LINE_STEP + 16.0;
    let bottom = top + scene.height + 22.0;
    let (all_width, all_height) = (inside + 2.0 * MARGIN, bottom + legend_height + MARGIN - 8.0);
    let mut out = Out::default();
    let _ = write!(
        out.text,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" \
         font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\">\n<title>{2}</title>\n\
         <style>text{{pointer-events:none}}</style>\n\
         <rect width=\"{0}\" height=\"{1}\" fill=\"{PAPER}\"/>\n",
        all_width.ceil(),
        all_height.ceil(),
        escaped(&heading.name),
    );
    let mut y = MARGIN + 14.0;
    out.text(MARGIN, y, &heading.name, 17.0, "font-weight=\"bold\"", INK);
    y += 6.0;
    for line in &doc {
        y += LINE_STEP;
        out.text(MARGIN, y, line, LINE, "", FAINT);
    }
    out.text(MARGIN, y + LINE_STEP + 2.0, &heading.totals, LINE, "", INK);
    out.at = (MARGIN + (inside - scene.width) / 2.0, top);
    let (frames, boxes): (Vec<_>, Vec<_>) = scene
        .boxes
        .iter()
        .partition(|placed| matches!(placed.item.kind, Kind::Frame(_)));
    frames.iter().for_each(|placed| out.outline(placed));
    scene.arrows.iter().for_each(|arrow| out.arrow(arrow));
    boxes.iter().for_each(|placed| out.outline(placed));
    scene.boxes.iter().for_each(|placed| out.words(placed));
    scene.labels.iter().for_each(|label| out.label(label));
    out.at = (MARGIN, bottom);
    for (family, x, y) in legend.entries {
        let (fill, stroke) = family.colours();
        out.rect([x, y, 14.0, 10.0], 2.5, fill, stroke, 1.0);
        out.text(x + 19.0, y + 9.0, family.name(), COST + 1.0, "", FAINT);
    }
    out.text.push_str("</svg>\n");
    out.text
}

struct Legend {
    entries: Vec<(Family, f64, f64)>,
    width: f64,
}

/// Places of the legend's entries, in lines as wide as the picture.
fn legend(families: &BTreeSet<Family>, most: f64) -> (Legend, f64) {
    let mut entries = Vec::new();
    let (mut x, mut y, mut widest) = (0.0, 0.0, 0.0f64);
    for &family in families.iter().filter(|family| **family != Family::Port) {
        let step = 19.0 + width(family.name(), COST + 1.0, false) + 18.0;
        if x > 0.0 && x + step > most {
            (x, y) = (0.0, y + 17.0);
        }
        entries.push((family, x, y));
        x += step;
        widest = widest.max(x);
    }
    (
        Legend {
            entries,
            width: widest,
        },
        y + 17.0,
    )
}

/// SVG text while it is written, and where its origin is moved to.
#[derive(Default)]
struct Out {
    text: String,
    at: (f64, f64),
}

impl Out {
    fn point(&self, x: f64, y: f64) -> String {
        format!("{} {}", short(x + self.at.0), short(y + self.at.1))
    }

    fn rect(&mut self, [x, y, w, h]: [f64; 4], round: f64, fill: &str, stroke: &str, line: f64) {
        let _ = writeln!(
            self.text,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\" fill=\"{fill}\" stroke=\"{stroke}\" stroke-width=\"{line}\"/>",
            short(x + self.at.0),
            short(y + self.at.1),
            short(w),
            short(h),
            short(round),
        );
    }

    fn text(&mut self, x: f64, y: f64, text: &str, size: f64, more: &str, colour: &str) {
        let space = if more.is_empty() { "" } else { " " };
        let _ = writeln!(
            self.text,
            "<text x=\"{}\" y=\"{}\" font-size=\"{size}\" fill=\"{colour}\"{space}{more}>{}</text>",
            short(x + self.at.0),
            short(y + self.at.1),
            escaped(text),
        );
    }

    fn outline(&mut self, placed: &Placed<'_>) {
        let item = placed.item;
        let [x, y, w, h] = placed.rect;
        let (fill, stroke) = item.family.colours();
        let round = match item.kind {
            Kind::Port => h / 2.0,
            Kind::Frame(_) => 8.0,
            _ => 5.0,
        };
        if item.times > 1 {
            for shadow in [2.0 * SHADOW, SHADOW] {
                self.rect([x + shadow, y + shadow, w, h], round, fill, stroke, 0.8);
            }
        }
        let (fill, line) = match item.kind {
            Kind::Frame(_) => ("#f8fafc", 1.0),
            Kind::Block => (fill, 1.4),
            _ => (fill, 1.1),
        };
        // Viewers show it where the pointer is.
        let name = joined(&item.names, item.times);
        let _ = writeln!(
            self.text,
            "<g>\n<title>{}</title>",
            escaped(&super::text::shown(&name, 200))
        );
        self.rect(placed.rect, round, fill, stroke, line);
        self.text.push_str("</g>\n");
    }

    fn words(&mut self, placed: &Placed<'_>) {
        let item: &Item = placed.item;
        let [x, y, w, h] = placed.rect;
        let frame = matches!(item.kind, Kind::Frame(_));
        let port = matches!(item.kind, Kind::Port);
        let (ink, faint) = if port { (PAPER, PAPER) } else { (INK, FAINT) };
        let (x, anchor) = match frame {
            // The arrow into the frame may run through its text.
            true => (
                x + PAD,
                "paint-order=\"stroke\" stroke=\"#f8fafc\" stroke-width=\"4\" stroke-linejoin=\"round\"",
            ),
            false => (x + w / 2.0, "text-anchor=\"middle\""),
        };
        let mut y = match frame {
            true => y + 5.0,
            false => y + (h - header(item)) / 2.0,
        };
        if !item.title.is_empty() {
            let more = format!("font-weight=\"bold\" {anchor}");
            self.text(x, y + 11.5, &item.title, TITLE, &more, ink);
            y += TITLE_STEP;
        }
        for line in &item.lines {
            self.text(x, y + 10.5, line, LINE, anchor, ink);
            y += LINE_STEP;
        }
        for line in &item.cost {
            self.text(x, y + 9.5, line, COST, anchor, faint);
            y += COST_STEP;
        }
        if item.times > 1 {
            self.badge(placed);
        }
    }

    /// `×23`, over the corner of a box that stands for several.
    fn badge(&mut self, placed: &Placed<'_>) {
        let [x, y, w, _] = placed.rect;
        let text = format!("×{}", placed.item.times);
        let wide = width(&text, LINE, true) + 10.0;
        let (_, stroke) = Family::Block.colours();
        let left = x + w - wide + 12.0;
        self.rect([left, y - 9.0, wide, 17.0], 8.5, stroke, PAPER, 1.5);
        let more = "font-weight=\"bold\" text-anchor=\"middle\"";
        self.text(left + wide / 2.0, y + 3.5, &text, LINE, more, PAPER);
    }

    fn label(&mut self, label: &Label) {
        let end = if label.left {
            " text-anchor=\"end\""
        } else {
            ""
        };
        let more = format!(
            "paint-order=\"stroke\" stroke=\"{PAPER}\" stroke-width=\"3\" stroke-linejoin=\"round\"{end}"
        );
        self.text(label.at.0, label.at.1, &label.text, SHAPE, &more, FAINT);
    }

    fn arrow(&mut self, arrow: &Arrow) {
        let mut path = format!("M{}", self.point(arrow.start.0, arrow.start.1));
        let mut at = arrow.start;
        for (index, &step) in arrow.steps.iter().enumerate() {
            let (mut x, mut y) = step.end();
            match step {
                Step::Line(..) => {
                    // The tip of the head, not of the line, touches the box.
                    if arrow.head && index + 1 == arrow.steps.len() {
                        let (dx, dy) = direction(arrow, at);
                        (x, y) = (x - 5.0 * dx, y - 5.0 * dy);
                    }
                    let _ = write!(path, "L{}", self.point(x, y));
                }
                Step::Across(..) => {
                    let middle = (at.0 + x) / 2.0;
                    let _ = write!(
                        path,
                        "C{} {} {}",
                        self.point(middle, at.1),
                        self.point(middle, y),
                        self.point(x, y)
                    );
                }
                Step::Curve(..) if (x - at.0).abs() < 0.5 => {
                    let _ = write!(path, "L{}", self.point(x, y));
                }
                Step::Curve(..) => {
                    let middle = (at.1 + y) / 2.0;
                    let _ = write!(
                        path,
                        "C{} {} {}",
                        self.point(at.0, middle),
                        self.point(x, middle),
                        self.point(x, y)
                    );
                }
                Step::Corner(..) => {
                    let next = arrow.steps.get(index + 1).map_or((x, y), |step| step.end());
                    let (before, after) = (towards((x, y), at), towards((x, y), next));
                    let _ = write!(
                        path,
                        "L{}Q{} {}",
                        self.point(before.0, before.1),
                        self.point(x, y),
                        self.point(after.0, after.1)
                    );
                    (x, y) = after;
                }
            }
            at = (x, y);
        }
        let _ = writeln!(
            self.text,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{ARROW}\" stroke-width=\"1.3\"/>"
        );
        if let (true, [.., before, last]) = (arrow.head, arrow.steps.as_slice()) {
            let (x, y) = last.end();
            let (dx, dy) = direction(arrow, before.end());
            let (x0, y0) = (x - 7.0 * dx, y - 7.0 * dy);
            let _ = writeln!(
                self.text,
                "<path d=\"M{}L{}L{}Z\" fill=\"{ARROW}\"/>",
                self.point(x, y),
                self.point(x0 + 3.6 * dy, y0 - 3.6 * dx),
                self.point(x0 - 3.6 * dy, y0 + 3.6 * dx)
            );
        }
    }
}

/// Where the last step of an arrow points, as a unit vector; one without length goes on up or down.
fn direction(arrow: &Arrow, from: (f64, f64)) -> (f64, f64) {
    let to = arrow.steps.last().map_or(arrow.start, |step| step.end());
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    match dx.hypot(dy) {
        far if far > 1e-9 => (dx / far, dy / far),
        _ => (0.0, (to.1 - arrow.start.1).signum()),
    }
}

/// A little way from a corner towards a neighbour.
fn towards(corner: (f64, f64), to: (f64, f64)) -> (f64, f64) {
    let (dx, dy) = (to.0 - corner.0, to.1 - corner.1);
    let far = dx.hypot(dy);
    let part = if far > 0.0 {
        (ROUND / far).min(0.5)
    } else {
        0.0
    };
    (corner.0 + dx * part, corner.1 + dy * part)
}

/// A coordinate with one digit behind the point.
fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    match text.strip_suffix(".0") {
        Some("-0") => "0".to_owned(),
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

/// Text for XML: what has a meaning there is spelled out.
pub fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c => out.push(c),
        }
    }
    out
}
