//! `cnnc run --slide`: a network's answers to every window of a larger picture, from one pass.

use super::Args;
use crate::answer::{self, Context};
use crate::raw::Raw;
use crate::{Failure, finite, print};
use cnnc::rt::answer::{Head, Task};
use cnnc::rt::image::Picture;
use cnnc::{Answer, Model, Outputs, Slid, Weights};
use serde_json::{Value, json};
use std::path::Path;

/// Most columns of windows that are shown as a grid.
const GRID: usize = 16;

/// Slides the network over every picture and prints the answers.
pub fn run(args: &Args, model: &Model, weights: &Weights) -> Result<(), Failure> {
    if args.files.is_empty() {
        return Err(Failure::NoPicture);
    }
    if args.raw.is_some() && args.files.len() > 1 {
        return Err(Failure::OneRaw);
    }
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
        let map = Map::new(&head, &slid, &outputs);
        if args.json {
            let mut entry = to_json(&slid, &outputs, map.as_ref(), file);
            entry["not_finite"] = finite::to_json(&broken);
            results.push(entry);
        } else {
            finite::warn(&broken, (args.files.len() > 1).then_some(&name));
            if args.files.len() > 1 {
                print::line(format_args!("\x1b[1m{name}\x1b[0m"))?;
            }
            print::line(format_args!(
                "{} windows of {} pixels, {} pixels apart",
                print::shape(&slid.positions),
                print::shape(&slid.window),
                print::shape(&slid.stride),
            ))?;
            match map {
                Some(map) => print::line(map.to_text())?,
                None => {
                    let of = Context {
                        head: &head,
                        taps: &[],
                        outputs: &outputs,
                    };
                    print::line(answer::to_text(&Answer::Numbers, &of))?;
                }
            }
        }
        if let Some(path) = &args.raw {
            let mut raw = Raw::default();
            raw.add(&outputs)?;
            raw.write(path)?;
        }
    }
    if args.json {
        let (model, weights) = (&model.graph().name, args.network.origin());
        print::json(&json!({ "model": model, "weights": weights, "results": results }))?;
    } else if let Some(remark) = args.network.remark(model) {
        print::line(remark)?;
    }
    Ok(())
}

fn to_json(slid: &Slid, outputs: &Outputs<'_>, map: Option<&Map<'_>>, file: &Path) -> Value {
    let shapes = outputs
        .iter()
        .map(|output| json!({ "name": output.name, "shape": output.shape }));
    let mut value = json!({
        "input": file.display().to_string(),
        "window": slid.window,
        "stride": slid.stride,
        "positions": slid.positions,
        "outputs": shapes.collect::<Vec<_>>(),
    });
    if let Some(map) = map {
        let windows = map.windows.iter().map(|window| {
            json!({
                "x": window.x, "y": window.y, "class": window.class,
                "label": map.label(window.class), "probability": window.probability,
            })
        });
        value["windows"] = Value::Array(windows.collect());
    }
    value
}

/// The most probable class of every window.
struct Map<'a> {
    head: &'a Head,
    slid: &'a Slid,
    /// Row by row.
    windows: Vec<Window>,
}

/// What a window shows.
struct Window {
    /// Its left edge.
    x: usize,
    /// Its top edge.
    y: usize,
    class: usize,
    probability: f32,
}

impl<'a> Map<'a> {
    /// The map of a classifier's answers.
    fn new(head: &'a Head, slid: &'a Slid, outputs: &Outputs<'_>) -> Option<Map<'a>> {
        let Task::Classify(_) = head.task else {
            return None;
        };
        let output = outputs.get("probabilities")?;
        let (&[rows, columns], &[down, along]) = (&slid.positions[..], &slid.stride[..]) else {
            return None;
        };
        let count = rows * columns;
        if output.shape[1..] != [rows, columns] {
            return None;
        }
        let window = |at: usize| {
            let probability = |class: &usize| output.data[class * count + at];
            let classes = 0..output.shape[0];
            // Of equal ones the first, as in a table.
            let class = classes
                .rev()
                .max_by(|a, b| probability(a).total_cmp(&probability(b)))
                .unwrap_or(0);
            Window {
                x: at % columns * along,
                y: at / columns * down,
                class,
                probability: probability(&class),
            }
        };
        let windows = (0..count).map(window).collect();
        Some(Map {
            head,
            slid,
            windows,
        })
    }

    fn label(&self, class: usize) -> String {
        self.head.label(class).into_owned()
    }

    fn to_text(&self) -> String {
        if self.slid.positions[1] <= GRID {
            self.grid()
        } else {
            self.peaks()
        }
    }

    /// Every window in its place: class and probability.
    fn grid(&self) -> String {
        let columns = self.slid.positions[1];
        let headings: Vec<String> = std::iter::once("y \\ x".to_owned())
            .chain(
                self.windows[..columns]
                    .iter()
                    .map(|window| format!(">{}", window.x)),
            )
            .collect();
        let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
        let mut table = print::table(&headings);
        for row in self.windows.chunks_exact(columns) {
            let cells = row
                .iter()
                .map(|window| format!("{} {:.2}", self.label(window.class), window.probability));
            table.add_row(std::iter::once(row[0].y.to_string()).chain(cells));
        }
        table.trim_fmt()
    }

    /// The windows that are surer of their class than any other within half a window.
    fn peaks(&self) -> String {
        let (height, width) = (self.slid.window[0], self.slid.window[1]);
        let near = |a: &Window, b: &Window| {
            2 * a.x.abs_diff(b.x) < width && 2 * a.y.abs_diff(b.y) < height
        };
        // Two peaks are never in one field of half a window's size, and those that are near are in fields that touch.
        let field = |window: &Window| {
            let (row, column) = (window.y / height.div_ceil(2), window.x / width.div_ceil(2));
            (row + 1, column + 1)
        };
        let last = self.windows.last().map_or((0, 0), field);
        let columns = last.1 + 2;
        let mut fields: Vec<Option<&Window>> = vec![None; (last.0 + 2) * columns];
        let mut order: Vec<&Window> = self.windows.iter().collect();
        order.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        for window in order {
            let (row, column) = field(window);
            let around =
                (row - 1..=row + 1).flat_map(|row| &fields[row * columns + column - 1..][..3]);
            if !around.flatten().any(|peak| near(peak, window)) {
                fields[row * columns + column] = Some(window);
            }
        }
        let mut peaks: Vec<&Window> = fields.into_iter().flatten().collect();
        peaks.sort_by_key(|peak| (peak.y, peak.x));
        let mut table = print::table(&[">x", ">y", ">probability", "class"]);
        for peak in peaks {
            table.add_row([
                peak.x.to_string(),
                peak.y.to_string(),
                format!("{:.3}", peak.probability),
                self.label(peak.class),
            ]);
        }
        table.trim_fmt()
    }
}
