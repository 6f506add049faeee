//! What runs come to by the number of samples that they learn from.

use super::panel::{Axis, Curve, Panel};
use super::{
    COLOURS, HEIGHT, LEFT, LEGEND, Ran, WIDTH, common_measure, is_share, named, panels, shown,
    spoken,
};
use crate::train::error::TrainError;
use crate::train::sheet::{Anchor, Sheet};

/// Runs that differ in how many samples they learn from, each a point of the curve that its name has without its last number: `scratch-050` and `scratch-400`
/// are on the curve `scratch`. The loss of the training samples and what judges on the test samples are those of the last epoch.
///
/// # Errors
/// Runs that are judged by different measures, one without an epoch, or one whose state does not say how many samples there were.
pub fn by_pictures(runs: &[Ran]) -> Result<Sheet, TrainError> {
    let measure = common_measure(runs)?;
    let mut curves: Vec<(&str, Vec<Point>)> = Vec::new();
    for run in runs {
        let point = Point::of(run)?;
        let name = curve_of(&run.name);
        match curves.iter_mut().find(|(known, _)| *known == name) {
            Some((_, points)) => points.push(point),
            None => curves.push((name, vec![point])),
        }
    }
    for (_, points) in &mut curves {
        points.sort_by_key(|point| point.samples);
    }
    let counts: Vec<usize> = runs.iter().filter_map(|run| run.samples).collect();
    let ends: Vec<_> = runs
        .iter()
        .map(|run| &run.epochs[run.epochs.len() - 1..])
        .collect();
    let (loss, judged) = panels(&ends, is_share(measure));
    let axis = Axis::pictures(&counts);
    let (loss, judged) = (
        Panel {
            axis: axis.clone(),
            ..loss
        },
        Panel { axis, ..judged },
    );
    let drawn = |of: fn(&Point) -> f64| -> Vec<Curve<'_>> {
        let curves = curves.iter().enumerate();
        let curves = curves.map(|(index, (name, points))| Curve {
            name,
            colour: COLOURS[index % COLOURS.len()],
            points: points
                .iter()
                .map(|point| (point.samples as f64, of(point)))
                .collect(),
        });
        curves.collect()
    };
    let mut sheet = Sheet::new(WIDTH, HEIGHT + LEGEND * curves.len() as f64 + 18.0);
    let of_loss = drawn(|point| point.loss);
    loss.draw(&mut sheet, "training loss", &of_loss, |value| {
        format!("{value:.2}")
    });
    let of_test = drawn(|point| point.test);
    let title = format!("test {}", spoken(measure));
    judged.draw(&mut sheet, &title, &of_test, shown(measure));
    for (index, curve) in of_test.iter().enumerate() {
        let y = HEIGHT + 14.0 + LEGEND * index as f64;
        named(&mut sheet, (LEFT, y), curve);
        let ends = [curve.points.first(), curve.points.last()];
        let ends = ends.into_iter().flatten().map(|(pictures, test)| {
            let test = match is_share(measure) {
                true => format!("{:.1} %", 100.0 * test),
                false => format!("{test:.4}"),
            };
            format!("{test} with {pictures}")
        });
        let mut ends: Vec<String> = ends.collect();
        ends.dedup();
        let text = ends.join(", ");
        sheet.text((judged.left, y), Anchor::Start, text, super::GREY);
    }
    Ok(sheet)
}

/// What a run came to.
struct Point {
    samples: usize,
    loss: f64,
    test: f64,
}

impl Point {
    fn of(run: &Ran) -> Result<Point, TrainError> {
        let refuse = |why: &str| TrainError::Recipe(format!("`{}` {why}", run.name));
        let last = run.epochs.last();
        let last = last.ok_or_else(|| refuse("has no epoch yet"))?;
        let samples = run.samples.filter(|&samples| samples > 0);
        let samples = samples.ok_or_else(|| {
            refuse("does not say how many pictures it learned from: an older cnnc wrote it")
        })?;
        Ok(Point {
            samples,
            loss: last.loss,
            test: last.test,
        })
    }
}

/// The name without the number at its end, and without what is between them.
fn curve_of(name: &str) -> &str {
    let curve = name.trim_end_matches(|sign: char| sign.is_ascii_digit());
    match curve.trim_end_matches(['-', '_', '.']) {
        "" => name,
        _ if curve.len() == name.len() => name,
        curve => curve,
    }
}

#[cfg(test)]
mod tests {
    use super::curve_of;

    #[test]
    fn a_curve_is_called_by_what_is_before_the_number() {
        assert_eq!(curve_of("scratch-050"), "scratch");
        assert_eq!(curve_of("resnet20_400"), "resnet20");
        assert_eq!(curve_of("transfer"), "transfer");
        assert_eq!(curve_of("400"), "400");
        assert_eq!(curve_of("a-b-"), "a-b-");
    }
}
