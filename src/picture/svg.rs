//! A drawing as SVG, with nothing in it but rectangles, paths and text; legible where it is light, and where it is dark.

use super::drawing::{Anchor, Drawing, Mark, Piece, Point, Words};
use super::family::{DARK, PAPER};
use std::fmt::Write;

/// The picture.
pub fn svg(drawing: &Drawing) -> String {
    let mut out = String::new();
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" \
         font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\">\n<title>{2}</title>\n\
         <style>text{{pointer-events:none}}{3}</style>\n\
         <rect width=\"{0}\" height=\"{1}\" fill=\"{PAPER}\"/>\n",
        drawing.width,
        drawing.height,
        escaped(&drawing.name),
        dark(&drawing.marks),
    );
    let mut named = false;
    for mark in &drawing.marks {
        match mark {
            Mark::Rectangle {
                rect: [x, y, w, h],
                round,
                fill,
                stroke,
                line,
            } => {
                let [x, y, w, h, round] = [x, y, w, h, round].map(|value| short(*value));
                let _ = writeln!(
                    out,
                    "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"{round}\" fill=\"{fill}\" stroke=\"{stroke}\" stroke-width=\"{line}\"/>"
                );
                if std::mem::take(&mut named) {
                    out.push_str("</g>\n");
                }
            }
            Mark::Path {
                start,
                pieces,
                colour,
                filled,
            } => path(&mut out, *start, pieces, colour, *filled),
            Mark::Text(words) => text(&mut out, words),
            Mark::Named(name) => {
                let _ = writeln!(out, "<g>\n<title>{}</title>", escaped(name));
                named = true;
            }
        }
    }
    out.push_str("</svg>\n");
    out
}

/// What those see who prefer it dark: each colour in use has another one in its place.
fn dark(marks: &[Mark]) -> String {
    let mut used: Vec<&str> = vec![PAPER];
    for mark in marks {
        match mark {
            Mark::Rectangle { fill, stroke, .. } => used.extend([fill, stroke]),
            Mark::Path { colour, .. } => used.push(colour),
            Mark::Text(words) => {
                used.push(words.colour);
                used.extend(words.halo.map(|(colour, _)| colour));
            }
            Mark::Named(_) => {}
        }
    }
    let mut rules = String::new();
    for (light, dark) in DARK.iter().filter(|(light, _)| used.contains(light)) {
        let _ = write!(
            rules,
            "[fill=\"{light}\"]{{fill:{dark}}}[stroke=\"{light}\"]{{stroke:{dark}}}"
        );
        // A picture by itself may be smaller than the window that shows it.
        if *light == PAPER {
            let _ = write!(rules, "svg:root{{background:{dark}}}");
        }
    }
    format!("@media(prefers-color-scheme:dark){{{rules}}}")
}

fn path(out: &mut String, start: Point, pieces: &[Piece], colour: &str, filled: bool) {
    let mut path = format!("M{}", point(start));
    for piece in pieces {
        let _ = match *piece {
            Piece::Line(end) => write!(path, "L{}", point(end)),
            Piece::Quadratic(a, end) => write!(path, "Q{} {}", point(a), point(end)),
            Piece::Cubic(a, b, end) => {
                write!(path, "C{} {} {}", point(a), point(b), point(end))
            }
        };
    }
    let _ = match filled {
        true => writeln!(out, "<path d=\"{path}Z\" fill=\"{colour}\"/>"),
        false => writeln!(
            out,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{LINE}\"/>"
        ),
    };
}

/// Width of arrows.
pub const LINE: f64 = 1.3;

fn text(out: &mut String, words: &Words) {
    let mut more = String::new();
    if words.bold {
        more += " font-weight=\"bold\"";
    }
    if let Some((colour, width)) = words.halo {
        let _ = write!(
            more,
            " paint-order=\"stroke\" stroke=\"{colour}\" stroke-width=\"{width}\" stroke-linejoin=\"round\""
        );
    }
    more += match words.anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    };
    let (x, y) = words.at;
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{}\"{more}>{}</text>",
        short(x),
        short(y),
        words.size,
        words.colour,
        escaped(&words.text),
    );
}

fn point((x, y): Point) -> String {
    format!("{} {}", short(x), short(y))
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
