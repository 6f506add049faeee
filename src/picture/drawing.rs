//! A scene with its heading and legend as marks: rectangles, paths and text, which SVG and pixels are made of.

use super::arrange::{
    Arrow, COST, COST_STEP, LINE, LINE_STEP, Label, PAD, Placed, SHADOW, SHAPE, Scene, Step, TITLE,
    TITLE_STEP, header,
};
use super::diagram::{Item, Kind};
use super::family::{ARROW, FAINT, FRAME, Family, INK, PAPER};
use super::text::{joined, shown, width, wrapped};
use std::collections::BTreeSet;

const MARGIN: f64 = 20.0;
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

/// A place, to the right and down.
pub type Point = (f64, f64);

/// A colour as `#rrggbb`.
pub type Colour = &'static str;

/// Which point of a text is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// A piece of a path, from where the one before it ends.
#[derive(Clone, Copy, Debug)]
pub enum Piece {
    /// Straight.
    Line(Point),
    /// A quadratic curve, by its control point and its end.
    Quadratic(Point, Point),
    /// A cubic curve, by its control points and its end.
    Cubic(Point, Point, Point),
}

/// A text on one line.
#[derive(Clone, Debug)]
pub struct Words {
    /// On the base line.
    pub at: Point,
    /// What stands there.
    pub anchor: Anchor,
    /// The text.
    pub text: String,
    /// Size of the font.
    pub size: f64,
    /// Whether it is bold.
    pub bold: bool,
    /// Its colour.
    pub colour: Colour,
    /// Colour and width of what surrounds its letters, so that lines end before them.
    pub halo: Option<(Colour, f64)>,
}

/// What a picture is made of.
#[derive(Clone, Debug)]
pub enum Mark {
    /// A rectangle with round corners: left, top, width, height; how round; fill and outline.
    Rectangle {
        rect: [f64; 4],
        round: f64,
        fill: Colour,
        stroke: Colour,
        line: f64,
    },
    /// A line, or what it surrounds.
    Path {
        start: Point,
        pieces: Vec<Piece>,
        colour: Colour,
        filled: bool,
    },
    Text(Words),
    /// The rectangle behind it has that name, which viewers show where the pointer is.
    Named(String),
}

/// A picture of marks.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// What it is called.
    pub name: String,
    /// Its size.
    pub width: f64,
    /// Its size.
    pub height: f64,
    /// From the back to the front.
    pub marks: Vec<Mark>,
}

/// The picture.
pub fn draw(scene: &Scene<'_>, heading: &Heading) -> Drawing {
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
    let mut y = MARGIN + 14.0;
    out.text(MARGIN, y, &heading.name, 17.0, BOLD, INK);
    y += 6.0;
    for line in &doc {
        y += LINE_STEP;
        out.text(MARGIN, y, line, LINE, PLAIN, FAINT);
    }
    out.text(
        MARGIN,
        y + LINE_STEP + 2.0,
        &heading.totals,
        LINE,
        PLAIN,
        INK,
    );
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
        out.text(x + 19.0, y + 9.0, family.name(), COST + 1.0, PLAIN, FAINT);
    }
    Drawing {
        name: heading.name.clone(),
        width: all_width.ceil(),
        height: all_height.ceil(),
        marks: out.marks,
    }
}

/// How a text is written: where it is held, whether bold, and its halo.
#[derive(Clone, Copy)]
struct Face {
    anchor: Anchor,
    bold: bool,
    halo: Option<(Colour, f64)>,
}

const PLAIN: Face = Face {
    anchor: Anchor::Start,
    bold: false,
    halo: None,
};
const BOLD: Face = Face {
    bold: true,
    ..PLAIN
};

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

/// Marks while they are made, and where their origin is moved to.
#[derive(Default)]
struct Out {
    marks: Vec<Mark>,
    at: Point,
}

impl Out {
    fn point(&self, (x, y): Point) -> Point {
        (x + self.at.0, y + self.at.1)
    }

    fn rect(
        &mut self,
        [x, y, w, h]: [f64; 4],
        round: f64,
        fill: Colour,
        stroke: Colour,
        line: f64,
    ) {
        let (x, y) = self.point((x, y));
        self.marks.push(Mark::Rectangle {
            rect: [x, y, w, h],
            round,
            fill,
            stroke,
            line,
        });
    }

    fn text(&mut self, x: f64, y: f64, text: &str, size: f64, face: Face, colour: Colour) {
        let at = self.point((x, y));
        self.marks.push(Mark::Text(Words {
            at,
            anchor: face.anchor,
            text: text.to_owned(),
            size,
            bold: face.bold,
            colour,
            halo: face.halo,
        }));
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
            Kind::Frame(_) => (FRAME, 1.0),
            Kind::Block => (fill, 1.4),
            _ => (fill, 1.1),
        };
        let name = joined(&item.names, item.times);
        self.marks.push(Mark::Named(shown(&name, 200)));
        self.rect(placed.rect, round, fill, stroke, line);
    }

    fn words(&mut self, placed: &Placed<'_>) {
        let item: &Item = placed.item;
        let [x, y, w, h] = placed.rect;
        let frame = matches!(item.kind, Kind::Frame(_));
        let port = matches!(item.kind, Kind::Port);
        let (ink, faint) = if port { (PAPER, PAPER) } else { (INK, FAINT) };
        let (x, face) = match frame {
            // The arrow into the frame may run through its text.
            true => (
                x + PAD,
                Face {
                    halo: Some((FRAME, 4.0)),
                    ..PLAIN
                },
            ),
            false => (
                x + w / 2.0,
                Face {
                    anchor: Anchor::Middle,
                    ..PLAIN
                },
            ),
        };
        let mut y = match frame {
            true => y + 5.0,
            false => y + (h - header(item)) / 2.0,
        };
        if !item.title.is_empty() {
            let bold = Face { bold: true, ..face };
            self.text(x, y + 11.5, &item.title, TITLE, bold, ink);
            y += TITLE_STEP;
        }
        for line in &item.lines {
            self.text(x, y + 10.5, line, LINE, face, ink);
            y += LINE_STEP;
        }
        for line in &item.cost {
            self.text(x, y + 9.5, line, COST, face, faint);
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
        let face = Face {
            anchor: Anchor::Middle,
            ..BOLD
        };
        self.text(left + wide / 2.0, y + 3.5, &text, LINE, face, PAPER);
    }

    fn label(&mut self, label: &Label) {
        let face = Face {
            anchor: match label.left {
                true => Anchor::End,
                false => Anchor::Start,
            },
            bold: false,
            halo: Some((PAPER, 3.0)),
        };
        self.text(label.at.0, label.at.1, &label.text, SHAPE, face, FAINT);
    }

    fn arrow(&mut self, arrow: &Arrow) {
        let mut pieces = Vec::new();
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
                    pieces.push(Piece::Line(self.point((x, y))));
                }
                Step::Across(..) => {
                    let middle = (at.0 + x) / 2.0;
                    pieces.push(Piece::Cubic(
                        self.point((middle, at.1)),
                        self.point((middle, y)),
                        self.point((x, y)),
                    ));
                }
                Step::Curve(..) if (x - at.0).abs() < 0.5 => {
                    pieces.push(Piece::Line(self.point((x, y))));
                }
                Step::Curve(..) => {
                    let middle = (at.1 + y) / 2.0;
                    pieces.push(Piece::Cubic(
                        self.point((at.0, middle)),
                        self.point((x, middle)),
                        self.point((x, y)),
                    ));
                }
                Step::Corner(..) => {
                    let next = arrow.steps.get(index + 1).map_or((x, y), |step| step.end());
                    let (before, after) = (towards((x, y), at), towards((x, y), next));
                    pieces.push(Piece::Line(self.point(before)));
                    pieces.push(Piece::Quadratic(self.point((x, y)), self.point(after)));
                    (x, y) = after;
                }
            }
            at = (x, y);
        }
        self.marks.push(Mark::Path {
            start: self.point(arrow.start),
            pieces,
            colour: ARROW,
            filled: false,
        });
        if let (true, [.., before, last]) = (arrow.head, arrow.steps.as_slice()) {
            let (x, y) = last.end();
            let (dx, dy) = direction(arrow, before.end());
            let (x0, y0) = (x - 7.0 * dx, y - 7.0 * dy);
            let corner = |side: f64| self.point((x0 + side * dy, y0 - side * dx));
            self.marks.push(Mark::Path {
                start: self.point((x, y)),
                pieces: vec![Piece::Line(corner(3.6)), Piece::Line(corner(-3.6))],
                colour: ARROW,
                filled: true,
            });
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
