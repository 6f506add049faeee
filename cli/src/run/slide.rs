//! `cnnc run --slide`: a network's answers to every window of a larger picture, from one pass.

use super::Args;
use super::grid::Map;
use crate::answer::{self, Context, boxes as shown};
use crate::raw::Raw;
use crate::windows::stated;
use crate::{Failure, finite, outputs, print};
use cnnc::rt::answer::{Canvas, Head, Task};
use cnnc::rt::image::Picture;
use cnnc::sliding::{Sliding, WindowMap, boxes, heat};
use cnnc::{Answer, Model, Outputs, Slid, Weights};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// Most windows that `--cost` cuts out at a scale.
const MEASURED: usize = 256;

/// Slides the network over every picture and prints the answers.
pub fn run(args: &Args, model: &Model, weights: &Weights) -> Result<(), Failure> {
    if args.files.is_empty() {
        return Err(Failure::NoPicture);
    }
    if args.raw.is_some() && args.files.len() > 1 {
        return Err(Failure::OneRaw);
    }
    for (flag, path) in [("--draw", &args.draw), ("--heat", &args.heat)] {
        if path.is_some() && args.files.len() > 1 {
            return Err(Failure::OneOut(flag));
        }
    }
    let head = model.head();
    let flags = args.draw.is_some() || args.heat.is_some() || args.cost;
    let finds = args.windows.is_written() || flags;
    let classifies = matches!(head.task, Task::Classify(_));
    let results = match (classifies && args.raw.is_none(), finds) {
        (true, _) => classified(args, model, weights, &head)?,
        (false, false) => raw(args, model, weights)?,
        // Says what is lacking.
        (false, true) if !classifies => {
            drop(args.windows.sliding(model, weights, &Default::default())?);
            Vec::new()
        }
        (false, true) => {
            let (flag, why) = (
                "--draw",
                "`--slide --raw` writes the map and finds no boxes",
            );
            return Err(Failure::NotShown { flag, why });
        }
    };
    if args.json {
        let (model, weights) = (&model.graph().name, args.network.origin());
        print::json(&json!({ "model": model, "weights": weights, "results": results }))?;
    } else if let Some(remark) = args.network.remark(model) {
        print::line(remark)?;
    }
    Ok(())
}

/// The classes of windows, or the boxes that they come to.
fn classified(
    args: &Args,
    model: &Model,
    weights: &Weights,
    head: &Head,
) -> Result<Vec<Value>, Failure> {
    let set = args.thresholds.of_windows();
    let finding = args.windows.finding(head, set)?;
    let options = args.network.options(args.backend, &[]);
    // What is said of weights is said once.
    let network = model.jit(weights, &options)?;
    print::notes(network.notes());
    print::unused(network.unused(), weights.origin());
    let mut sliding = args.windows.sliding(model, weights, &options)?;
    let finds = args.windows.has_scales()
        || args.draw.is_some()
        || args.heat.is_some()
        || finding.background.is_some()
        || set != (None, None);
    let mut results = Vec::new();
    for file in &args.files {
        let name = file.display().to_string();
        let picture = Picture::open(file)?;
        let maps = sliding.maps(&picture, args.windows.scales(), &name)?;
        let cost = match args.cost {
            true => Some(Cost::of(&mut sliding, &picture, &maps, &name)?),
            false => None,
        };
        let found = finds.then(|| boxes(&maps, &finding));
        if let (Some(path), Some(found)) = (&args.draw, &found) {
            outputs::picture(&drawn(&picture, found, head)?, path)?;
        }
        if let Some(path) = &args.heat {
            let (flag, why) = ("--heat", "the picture would be too large");
            let hot = heat(&picture, &maps, finding.background);
            let hot = hot.ok_or(Failure::NotShown { flag, why })?;
            outputs::picture(&hot, path)?;
        }
        let broken = maps.iter().find(|map| !map.not_finite.is_empty());
        let broken = broken.map_or(&[][..], |map| &map.not_finite);
        if args.json {
            let mut entry = match &found {
                Some(found) => json!({
                    "input": name,
                    "scales": maps.iter().map(scale_to_json).collect::<Vec<_>>(),
                    "keep": finding.keep, "iou": finding.iou,
                    "boxes": shown::to_json(found, head),
                }),
                None => map_to_json(model, &maps[0], head, file),
            };
            entry["not_finite"] = finite::to_json(broken);
            entry["cost"] = json!(cost.map(|cost| cost.to_json()));
            results.push(entry);
            continue;
        }
        finite::warn(broken, (args.files.len() > 1).then_some(&name));
        if args.files.len() > 1 {
            print::line(format_args!("\x1b[1m{name}\x1b[0m"))?;
        }
        match &found {
            Some(found) => print::line(format_args!(
                "{}\n{}\n{}",
                scales(&maps),
                stated(&finding, head),
                shown::text(found, head)
            ))?,
            None => print::line(format_args!(
                "{}{}\n{}",
                windows(&maps[0].positions, &maps[0].window, &maps[0].stride),
                bands(&maps[0]),
                Map::new(head, &maps[0]).to_text()
            ))?,
        }
        if let Some(cost) = cost {
            print::line(cost.to_text())?;
        }
    }
    Ok(results)
}

fn windows(positions: &[usize], window: &[usize], stride: &[usize]) -> String {
    format!(
        "{} windows of {} pixels, {} pixels apart",
        print::shape(positions),
        print::shape(window),
        print::shape(stride),
    )
}

fn bands(map: &WindowMap) -> String {
    match map.passes {
        0 | 1 => String::new(),
        passes => format!(", in {passes} bands"),
    }
}

/// A row for each scale: what slid over what, and what it took.
fn scales(maps: &[WindowMap]) -> String {
    let mut table = print::table(&[
        ">scale",
        ">picture",
        ">windows",
        ">passes",
        ">multiply-adds",
        ">window by window",
        ">ms",
    ]);
    for map in maps {
        let [height, width] = map.scaled;
        table.add_row([
            map.scale.to_string(),
            format!("{width}x{height}"),
            map.windows().to_string(),
            match map.passes {
                0 => "cut out".to_owned(),
                passes => passes.to_string(),
            },
            format!("{:.1} M", map.macs as f64 / 1e6),
            format!("{:.1} M", map.macs_alone as f64 / 1e6),
            print::ms(milliseconds(map.time)),
        ]);
    }
    table.trim_fmt()
}

/// The photo with boxes.
fn drawn(
    picture: &Picture,
    found: &[cnnc::rt::answer::Detection],
    head: &Head,
) -> Result<Picture, Failure> {
    let (width, height) = (picture.width(), picture.height());
    let (flag, why) = ("--draw", "the picture is too large");
    let canvas = Canvas::new(width, height, picture.rgb().to_vec());
    let mut canvas = canvas.ok_or(Failure::NotShown { flag, why })?;
    canvas.detections(found, &head.labels);
    let drawn = Picture::from_rgb(width, height, canvas.into_rgb());
    drawn.ok_or(Failure::NotShown { flag, why })
}

fn scale_to_json(map: &WindowMap) -> Value {
    json!({
        "scale": map.scale, "height": map.scaled[0], "width": map.scaled[1],
        "window": map.window, "stride": map.stride, "positions": map.positions, "passes": map.passes,
        "macs": map.macs, "macs_window_by_window": map.macs_alone, "ms": milliseconds(map.time),
    })
}

fn map_to_json(model: &Model, map: &WindowMap, head: &Head, file: &Path) -> Value {
    let graph = model.graph();
    let shapes = graph.outputs.iter().filter_map(|output| {
        let shape = &graph.values[output.value].shape;
        let [rows, columns] = map.positions;
        (shape.elements() == shape.channels())
            .then(|| json!({ "name": output.name, "shape": [shape.channels(), rows, columns] }))
    });
    json!({
        "input": file.display().to_string(),
        "window": map.window,
        "stride": map.stride,
        "positions": map.positions,
        "outputs": shapes.collect::<Vec<_>>(),
        "windows": Map::new(head, map).to_json(),
    })
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// What passes take, against windows that are cut out and answered one by one.
struct Cost {
    passes: Duration,
    /// Of the windows that were measured, for all.
    alone: Duration,
    windows: usize,
    measured: usize,
}

impl Cost {
    fn of(
        sliding: &mut Sliding<'_>,
        picture: &Picture,
        maps: &[WindowMap],
        name: &str,
    ) -> Result<Cost, Failure> {
        let mut cost = Cost {
            passes: Duration::ZERO,
            alone: Duration::ZERO,
            windows: 0,
            measured: 0,
        };
        for map in maps {
            let (count, time) = sliding.time_alone(picture, map.scale, MEASURED, name)?;
            // Once more: what was cold at first is not what a pass costs.
            cost.passes += map.time.min(sliding.map(picture, map.scale, name)?.time);
            cost.alone += time.mul_f64(map.windows() as f64 / count as f64);
            cost.windows += map.windows();
            cost.measured += count;
        }
        Ok(cost)
    }

    fn ratio(&self) -> f64 {
        self.alone.as_secs_f64() / self.passes.as_secs_f64().max(1e-9)
    }

    fn to_text(&self) -> String {
        let of = match self.measured == self.windows {
            true => "all measured".to_owned(),
            false => format!("{} of them measured", self.measured),
        };
        format!(
            "passes take {} ms; cut out and answered one by one, {} windows take {} ms ({of}): {:.1} times as long",
            print::ms(milliseconds(self.passes)),
            self.windows,
            print::ms(milliseconds(self.alone)),
            self.ratio()
        )
    }

    fn to_json(&self) -> Value {
        json!({
            "passes_ms": milliseconds(self.passes), "window_by_window_ms": milliseconds(self.alone),
            "windows": self.windows, "measured": self.measured, "ratio": self.ratio(),
        })
    }
}

/// The outputs of a network whose windows have no classes, or that are written as they are.
fn raw(args: &Args, model: &Model, weights: &Weights) -> Result<Vec<Value>, Failure> {
    let head = args.thresholds.apply(model)?;
    let mut results = Vec::new();
    for file in &args.files {
        let name = file.display().to_string();
        let picture = Picture::open(file)?;
        let slid = model.slide(&[picture.height(), picture.width()])?;
        let network = args
            .network
            .network(&slid.model, weights, args.backend, &[])?;
        let port = &network.inputs()[0];
        let pre = slid.model.graph().inputs[0].pre.as_ref();
        let pre = pre.ok_or_else(|| Failure::NotAPicture {
            file: name.clone(),
            input: port.name.to_string(),
            shape: print::shape(&port.shape),
        })?;
        let tensor = pre.apply(&picture, &name)?;
        let mut session = network.session()?;
        let outputs = session.run(&[&tensor])?;
        let broken = network.not_finite(&[&tensor], &outputs)?;
        if args.json {
            let mut entry = to_json(&slid, &outputs, file);
            entry["not_finite"] = finite::to_json(&broken);
            results.push(entry);
        } else {
            finite::warn(&broken, (args.files.len() > 1).then_some(&name));
            if args.files.len() > 1 {
                print::line(format_args!("\x1b[1m{name}\x1b[0m"))?;
            }
            let of = Context {
                head: &head,
                taps: &[],
                outputs: &outputs,
            };
            print::line(format_args!(
                "{}\n{}",
                windows(&slid.positions, &slid.window, &slid.stride),
                answer::to_text(&Answer::Numbers, &of)
            ))?;
        }
        if let Some(path) = &args.raw {
            let mut raw = Raw::default();
            raw.add(&outputs)?;
            raw.write(path)?;
            print::wrote(path);
        }
    }
    Ok(results)
}

fn to_json(slid: &Slid, outputs: &Outputs<'_>, file: &Path) -> Value {
    let shapes = outputs
        .iter()
        .map(|output| json!({ "name": output.name, "shape": output.shape }));
    json!({
        "input": file.display().to_string(),
        "window": slid.window,
        "stride": slid.stride,
        "positions": slid.positions,
        "outputs": shapes.collect::<Vec<_>>(),
    })
}
