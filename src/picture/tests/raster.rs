//! A reader and painter of just the SVG that `picture::svg` writes, and strict about it: it shares nothing with the writer, and
//! whatever it does not know is an error. Text is read but not painted, since fonts differ from machine to machine.

use cnnc_testing::Raster;
use std::collections::{BTreeSet, HashMap};

/// An element: its name, attributes and text.
pub struct Element {
    pub name: String,
    pub attributes: HashMap<String, String>,
    pub text: String,
}

impl Element {
    fn number(&self, name: &str) -> Option<f64> {
        let text = self.attributes.get(name)?;
        Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text}")))
    }

    fn colour(&self, name: &str) -> Option<[f64; 3]> {
        let text = self.attributes.get(name).filter(|text| *text != "none")?;
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
        let value = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let value = value.unwrap_or_else(|| panic!("{text} is no colour"));
        Some([16, 8, 0].map(|shift| f64::from((value >> shift) & 255)))
    }
}

/// The text that XML's escapes stand for.
fn unescaped(text: &str) -> String {
    assert!(!text.contains(['<', '>', '"', '\'']), "{text}");
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        let (name, after) = after.split_once(';').expect("an escape ends");
        out += before;
        out.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            other => panic!("unknown escape {other}"),
        });
        rest = after;
    }
    out + rest
}

/// The root, and every element in it.
pub fn elements(svg: &str) -> Vec<Element> {
    let mut elements = Vec::new();
    let mut rest = svg;
    let mut open = 0;
    while let Some(tag) = rest.find('<') {
        assert!(rest[..tag].trim().is_empty(), "stray {:?}", &rest[..tag]);
        rest = &rest[tag + 1..];
        if let Some(after) = rest.strip_prefix("/svg>").or(rest.strip_prefix("/g>")) {
            open -= 1;
            rest = after;
            continue;
        }
        let (tag, after) = rest.split_once('>').expect("a tag ends");
        rest = after;
        let (tag, closed) = match tag.strip_suffix('/') {
            Some(tag) => (tag, true),
            None => (tag, false),
        };
        let (name, mut list) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut attributes = HashMap::new();
        while let Some((key, after)) = list.trim_start().split_once("=\"") {
            let (value, after) = after.split_once('"').expect("a value ends");
            let known = |c: u8| c.is_ascii_alphabetic() || c == b'-';
            assert!(key.bytes().all(known), "{key}");
            let before = attributes.insert(key.to_owned(), value.to_owned());
            assert!(before.is_none(), "{key} twice");
            list = after;
        }
        assert!(list.trim().is_empty(), "{list}");
        let mut text = String::new();
        if name == "svg" || name == "g" {
            open += 1;
        } else if !closed {
            let end = format!("</{name}>");
            let (inside, after) = rest.split_once(&end).expect("an element ends");
            // Rules have quotes, and nothing else of the markup.
            text = match name {
                "style" => inside.to_owned(),
                _ => unescaped(inside),
            };
            rest = after;
        }
        let name = name.to_owned();
        elements.push(Element {
            name,
            attributes,
            text,
        });
    }
    assert!(open == 0 && rest.trim().is_empty());
    elements
}

type Point = (f64, f64);

/// A rectangle with round corners.
fn rounded([x, y, w, h]: [f64; 4], r: f64) -> Vec<Point> {
    let corners = [
        (x + w - r, y + r, 270.0),
        (x + w - r, y + h - r, 0.0),
        (x + r, y + h - r, 90.0),
        (x + r, y + r, 180.0),
    ];
    let mut points = Vec::new();
    for (cx, cy, start) in corners {
        for step in 0..=8 {
            let angle = f64::to_radians(start + 90.0 * f64::from(step) / 8.0);
            points.push((cx + r * angle.cos(), cy + r * angle.sin()));
        }
    }
    points.push(points[0]);
    points
}

/// The points of a path, curves cut into pieces.
fn path(data: &str) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::new();
    let mut rest = data;
    while let Some(command) = rest.chars().next() {
        rest = &rest[1..];
        let end = rest.find(|c: char| c.is_ascii_alphabetic());
        let (numbers, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        let numbers = numbers.split_whitespace().map(|n| n.parse().unwrap());
        let numbers: Vec<f64> = numbers.collect();
        let given: Vec<Point> = numbers.chunks_exact(2).map(|p| (p[0], p[1])).collect();
        match (command, given.as_slice()) {
            ('M' | 'L', [point]) => points.push(*point),
            ('C', [_, _, _]) | ('Q', [_, _]) => {
                let start = *points.last().expect("a curve begins somewhere");
                let controls = [&[start], given.as_slice()].concat();
                let times = (1..=16).map(|step| f64::from(step) / 16.0);
                points.extend(times.map(|t| bezier(&controls, t)));
            }
            ('Z', []) => points.push(points[0]),
            other => panic!("unknown command {other:?}"),
        }
    }
    points
}

/// De Casteljau.
fn bezier(controls: &[Point], t: f64) -> Point {
    let mix = |a: f64, b: f64| a + (b - a) * t;
    let mut now = controls.to_vec();
    while now.len() > 1 {
        let pairs = now.windows(2);
        now = pairs
            .map(|p| (mix(p[0].0, p[1].0), mix(p[0].1, p[1].1)))
            .collect();
    }
    now[0]
}

/// Colours each of the pixels by how much of it is covered: four by four samples, of which the corners may decide.
fn paint(
    image: &mut Raster,
    colour: [f64; 3],
    pixels: impl IntoIterator<Item = (usize, usize)>,
    covers: impl Fn(f64, f64) -> bool,
) {
    for (x, y) in pixels {
        let covered = |at: &i32| {
            let (dx, dy) = (f64::from(at % 4), f64::from(at / 4));
            let (dx, dy) = ((dx + 0.5) / 4.0, (dy + 0.5) / 4.0);
            covers(x as f64 + dx, y as f64 + dy)
        };
        let share = match [0, 3, 12, 15].iter().filter(|at| covered(at)).count() {
            0 => 0.0,
            4 => 1.0,
            _ => (0..16).filter(covered).count() as f64 / 16.0,
        };
        for (channel, colour) in image[(x, y)].iter_mut().zip(colour) {
            let mixed = f64::from(*channel) * (1.0 - share) + colour * share;
            *channel = mixed.round() as u8;
        }
    }
}

/// The pixels of an image that are no further from the box around some points than that.
fn around(image: &Raster, points: &[Point], far: f64) -> BTreeSet<(usize, usize)> {
    let range = |values: &mut dyn Iterator<Item = f64>, most: usize| {
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        (low - far).max(0.0) as usize..((high + far).ceil() as usize).min(most)
    };
    let rows = range(&mut points.iter().map(|point| point.1), image.height());
    let columns = range(&mut points.iter().map(|point| point.0), image.width());
    rows.flat_map(|y| columns.clone().map(move |x| (x, y)))
        .collect()
}

fn inside(points: &[Point], x: f64, y: f64) -> bool {
    let edges = points.iter().zip(points.iter().cycle().skip(1));
    let crossed = edges
        .filter(|(a, b)| (a.1 > y) != (b.1 > y) && x < a.0 + (y - a.1) / (b.1 - a.1) * (b.0 - a.0));
    crossed.count() % 2 == 1
}

fn near(points: &[Point], x: f64, y: f64, far: f64) -> bool {
    points.windows(2).any(|pair| {
        let ((ax, ay), (bx, by)) = (pair[0], pair[1]);
        let (dx, dy) = (bx - ax, by - ay);
        let square = dx * dx + dy * dy;
        let along = (x - ax) * dx + (y - ay) * dy;
        let t = match square > 0.0 {
            true => (along / square).clamp(0.0, 1.0),
            false => 0.0,
        };
        (x - ax - t * dx).hypot(y - ay - t * dy) <= far
    })
}

/// The picture.
pub fn pixels(svg: &str) -> Raster {
    let elements = elements(svg);
    let size = ["width", "height"].map(|name| elements[0].number(name).unwrap() as usize);
    let mut image = Raster::of(size[0], size[1], |_, _| [255; 3]);
    for element in &elements[1..] {
        let points = match element.name.as_str() {
            "rect" => {
                let names = ["x", "y", "width", "height"];
                let rect = names.map(|name| element.number(name).unwrap_or(0.0));
                rounded(rect, element.number("rx").unwrap_or(0.0))
            }
            "path" => path(&element.attributes["d"]),
            "text" | "title" | "g" | "style" => continue,
            other => panic!("unknown element {other}"),
        };
        let half = element.number("stroke-width").unwrap_or(1.0) / 2.0;
        if let Some(fill) = element.colour("fill") {
            let pixels = around(&image, &points, 0.0);
            paint(&mut image, fill, pixels, |x, y| inside(&points, x, y));
        }
        if let Some(stroke) = element.colour("stroke") {
            let pieces = points.windows(2);
            let pixels: BTreeSet<_> = pieces
                .flat_map(|piece| around(&image, piece, half))
                .collect();
            paint(&mut image, stroke, pixels, |x, y| near(&points, x, y, half));
        }
    }
    image
}
