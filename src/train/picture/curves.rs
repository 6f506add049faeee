//! The curves of a transfer: what content and style cost over its steps, on a scale of powers of ten.

use super::super::sheet::{Anchor, Sheet};
use super::options::StyleOptions;
use super::style::Costs;
use cnnc_runtime::answer::Colour;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 340.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 124.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 44.0;
/// Powers of ten below the largest cost that are shown.
const DECADES: f64 = 5.0;

const BLACK: Colour = [0; 3];
const GREY: Colour = [0x55; 3];
const PALE: Colour = [0xdd; 3];
const TOTAL: Colour = [0x33; 3];
const CONTENT: Colour = [0x1f, 0x6f, 0xb2];
const STYLE: Colour = [0xc8, 0x55, 0x1b];
const VARIATION: Colour = [0x2e, 0x8b, 0x57];

/// The drawing of what each part counted in the sum, step by step. Parts that count nothing are left out.
pub fn curves(name: &str, costs: &[Costs], options: &StyleOptions) -> Sheet {
    let StyleOptions {
        alpha,
        beta,
        variation,
        ..
    } = *options;
    let of = |part: fn(&Costs) -> f64, counts: f64| -> Vec<f64> {
        costs.iter().map(|costs| counts * part(costs)).collect()
    };
    let mut parts = vec![("J", TOTAL, of(|costs| costs.total, 1.0))];
    if alpha > 0.0 {
        parts.push(("alpha x content", CONTENT, of(|costs| costs.content, alpha)));
    }
    if beta > 0.0 {
        parts.push(("beta x style", STYLE, of(|costs| costs.style, beta)));
    }
    if variation > 0.0 {
        parts.push((
            "variation",
            VARIATION,
            of(|costs| costs.variation, variation),
        ));
    }
    let all = || {
        parts
            .iter()
            .flat_map(|(_, _, values)| values)
            .copied()
            .filter(|x| *x > 0.0)
    };
    let most = all().fold(f64::MIN_POSITIVE, f64::max).log10();
    let least = all()
        .fold(f64::INFINITY, f64::min)
        .log10()
        .max(most - DECADES);
    let (high, low) = (most.ceil(), least.floor().min(most.ceil() - 1.0));
    let (right, floor) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    let y = |power: f64| floor - (floor - TOP) * ((power - low) / (high - low)).clamp(0.0, 1.0);
    let x = |step: usize| LEFT + (right - LEFT) * step as f64 / (costs.len().max(2) - 1) as f64;
    let mut sheet = Sheet::new(WIDTH, HEIGHT);
    sheet.text((LEFT, 20.0), Anchor::Start, name, BLACK);
    let mut power = low;
    while power <= high {
        sheet.line(vec![(LEFT, y(power)), (right, y(power))], 1.0, PALE);
        sheet.text(
            (LEFT - 8.0, y(power) + 4.0),
            Anchor::End,
            written(power),
            GREY,
        );
        power += 1.0;
    }
    let last = costs.len().saturating_sub(1);
    let mut marks: Vec<usize> = (0..=8).map(|mark| mark * last / 8).collect();
    marks.dedup();
    for step in marks {
        sheet.text(
            (x(step), floor + 16.0),
            Anchor::Middle,
            step.to_string(),
            GREY,
        );
    }
    sheet.text((right, floor + 34.0), Anchor::End, "step", GREY);
    let mut names = Vec::new();
    for (name, colour, values) in &parts {
        // What costs nothing, as the content where the picture begins, has no place on this scale.
        let points = values.iter().enumerate().filter(|(_, value)| **value > 0.0);
        let points: Vec<(f64, f64)> = points
            .map(|(step, value)| (x(step), y(value.log10())))
            .collect();
        if let Some(&(_, end)) = points.last() {
            names.push((end, *name, *colour));
            sheet.line(points, if *name == "J" { 3.0 } else { 2.0 }, *colour);
        }
    }
    // No name covers another.
    names.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut free = TOP;
    for (end, name, colour) in names {
        let at = (end + 4.0).max(free);
        sheet.text((right + 8.0, at), Anchor::Start, name, colour);
        free = at + 16.0;
    }
    sheet
}

/// A power of ten in few letters.
fn written(power: f64) -> String {
    match power {
        power if (-3.0..=5.0).contains(&power) => format!("{}", 10_f64.powf(power)),
        power => format!("1e{power}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_count_are_drawn() {
        let costs = |content: f64, style: f64| Costs {
            content,
            style,
            variation: 0.0,
            total: content + 1000.0 * style,
        };
        let all = [costs(0.0, 1.0), costs(20.0, 0.1), costs(30.0, 0.02)];
        let svg = curves("a & b", &all, &StyleOptions::default()).to_svg();
        for text in [
            "a &amp; b",
            "alpha x content",
            "beta x style",
            ">J<",
            ">1000<",
            ">step<",
        ] {
            assert!(svg.contains(text), "{text}: {svg}");
        }
        assert!(
            !svg.contains("variation") && !svg.contains("NaN") && !svg.contains("inf"),
            "{svg}"
        );
        let without = StyleOptions {
            beta: 0.0,
            ..StyleOptions::default()
        };
        assert!(!curves("c", &all, &without).to_svg().contains("beta"));
        // Nothing that costs anything is no reason to fail.
        let none = curves("d", &[Costs::default()], &StyleOptions::default()).to_svg();
        assert!(!none.contains("NaN"), "{none}");
    }
}
