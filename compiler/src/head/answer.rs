//! A head of a network as the runtime's, which answers.

use super::Head;
use crate::graph::Graph;
use cnnc_runtime::answer::{self, Bins, Labels, Map, Metric, Overlap, Range, Select, Task};
use cnnc_runtime::image::Show;

impl Graph {
    /// What turns the network's outputs into an answer, with every default filled in; [`Task::Numbers`] without
    /// a head.
    pub fn answer_head(&self) -> answer::Head {
        let Some(head) = &self.head else {
            return answer::Head::default();
        };
        let labels = head.labels.iter().map(|label| label.clone().into());
        answer::Head {
            labels: labels.collect(),
            task: self.task(head),
        }
    }

    fn task(&self, head: &Head) -> Task {
        let number = |key: &str| head.number(key).unwrap_or(0.0);
        let shapes: Vec<_> = self
            .outputs
            .iter()
            .map(|output| self.values[output.value].shape.clone())
            .take(head.tensors.len().max(1))
            .collect();
        // The resolver has checked that it fits.
        let classes = head.fit(&shapes).unwrap_or(0);
        let select = Select {
            keep: number("keep") as f32,
            iou: number("iou") as f32,
            overlap: match head.word("nms") {
                Some("class") => Some(Overlap::Class),
                Some("score") => Some(Overlap::Score),
                _ => None,
            },
            labels: match head.word("per_box") {
                Some("all") => Labels::All,
                _ => Labels::Best,
            },
        };
        // Width and height of a map, and of the input.
        let extents = |dims: &[usize]| match *dims {
            [.., rows, columns] => (columns as f64, rows as f64),
            _ => (1.0, 1.0),
        };
        let input = self.inputs.first();
        let input = input.map_or((1.0, 1.0), |input| {
            extents(self.values[input.value].shape.dims())
        });
        // Anchors as fractions of the input.
        let anchors = |map: &[usize]| {
            let unit = match head.word("unit") {
                Some("cells") => extents(map),
                _ => input,
            };
            let rows = head.rows("anchors");
            let fraction = |row: &Vec<f64>| (row[0] / unit.0, row[1] / unit.1);
            rows.iter().map(fraction).collect::<Vec<_>>()
        };
        match head.keyword {
            "classify" => Task::Classify {
                top: number("top") as usize,
            },
            "yolo1" => Task::Yolo1 {
                side: number("side") as usize,
                boxes: number("boxes") as usize,
                classes,
                select,
            },
            "yolo2" => {
                let cells = extents(shapes[0].dims());
                let anchors = anchors(shapes[0].dims()).into_iter();
                let in_cells = |(w, h)| ((w * cells.0) as f32, (h * cells.1) as f32);
                Task::Yolo2 {
                    anchors: anchors.map(in_cells).collect(),
                    classes,
                    select,
                }
            }
            "yolo3" => {
                let (masks, stretch) = (head.masks(head.rows("anchors").len()), head.stretch());
                let maps = shapes.iter().zip(&masks).enumerate();
                let map = maps.map(|(index, (shape, mask))| {
                    let anchors = anchors(shape.dims());
                    let own = mask.iter().map(|&anchor| anchors[anchor]);
                    Map {
                        anchors: own.map(|(w, h)| (w as f32, h as f32)).collect(),
                        stretch: *stretch.get(index).unwrap_or(&stretch[0]) as f32,
                    }
                });
                Task::Yolo3 {
                    maps: map.collect(),
                    classes,
                    squared: head.flag("squared"),
                    select,
                }
            }
            "regions" => {
                let std = head.std();
                Task::Regions {
                    classes,
                    std: std::array::from_fn(|axis| std.get(axis).map_or(1.0, |&x| x as f32)),
                    input: (input.0 as f32, input.1 as f32),
                    select,
                }
            }
            "boxes" => Task::Locate {
                presence: head.flag("presence"),
                corners: head.word("format") == Some("corners"),
                classes,
                keep: select.keep,
            },
            "landmarks" => Task::Landmarks {
                presence: head.flag("presence"),
                range: match head.word("range") {
                    Some("symmetric") => Range::Symmetric,
                    Some("pixels") => Range::Pixels,
                    _ => Range::Fraction,
                },
                axes: head.word("order") == Some("axes"),
                input: (input.0 as f32, input.1 as f32),
                keep: select.keep,
            },
            "verify" => Task::Verify {
                distance: head.word("measure") == Some("distance"),
                threshold: number("threshold") as f32,
            },
            "embed" => Task::Embed {
                metric: match head.word("metric") {
                    Some("cosine") => Metric::Cosine,
                    _ => Metric::Euclidean,
                },
                threshold: number("threshold") as f32,
            },
            "pitch" => Task::Pitch {
                bins: Bins {
                    first: number("first") as f32,
                    step: number("step") as f32,
                    around: number("around") as usize,
                },
            },
            "image" => Task::Image {
                show: match head.word("range") {
                    Some("magnitude") => Show::Magnitude,
                    Some("minmax") => Show::MinMax,
                    _ => Show::Clamp,
                },
            },
            _ => Task::Numbers,
        }
    }
}
