//! Whether a head fits what enters it.

use super::Head;
use crate::diagnostic::codes;
use crate::diagnostic::codes::Code;
use crate::graph::{Shape, Span};

/// Why a head does not fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Misfit {
    /// The diagnostic's code.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// The key that says so; the head itself if `None`.
    pub span: Option<Span>,
    /// Which of the tensors is meant.
    pub tensor: Option<usize>,
    /// What would help.
    pub help: Option<String>,
}

impl Misfit {
    fn shape(tensor: usize, message: String) -> Misfit {
        Misfit {
            code: codes::SHAPE,
            message,
            span: None,
            tensor: Some(tensor),
            help: None,
        }
    }
    fn key(head: &Head, key: &str, message: String) -> Misfit {
        Misfit {
            code: codes::ARGUMENT,
            message,
            span: head.span_of(key),
            tensor: None,
            help: None,
        }
    }
    fn help(mut self, help: &str) -> Misfit {
        self.help = Some(help.to_owned());
        self
    }
}

impl Head {
    /// Holds the head against the shapes of the tensors that enter it (one, or one for each of its maps); returns
    /// the number of classes.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn fit(&self, shapes: &[Shape]) -> Result<usize, Misfit> {
        for key in ["keep", "iou"] {
            if self.number(key).is_some_and(|x| !(0.0..=1.0).contains(&x)) {
                let message = format!("`{key}` is between 0 and 1");
                return Err(Misfit::key(self, key, message));
            }
        }
        let shape = &shapes[0];
        match self.keyword {
            "classify" => self
                .vector(shape)
                .map_err(|why| why.help("put `globalavgpool` or `flatten` before it")),
            "yolo1" => self.cells(shape),
            "yolo2" => self.map(0, shape, self.anchors()?.len()),
            "yolo3" => self.maps(shapes),
            "regions" => self.regions(shapes),
            "boxes" => {
                let values = self.vector(shape)?;
                let before = 4 + usize::from(self.flag("presence"));
                values.checked_sub(before).ok_or_else(|| {
                    let message = format!("a box needs {before} values, this has {values}");
                    Misfit::shape(0, message)
                })
            }
            "landmarks" => {
                let values = self.vector(shape)?;
                let numbers = values.saturating_sub(usize::from(self.flag("presence")));
                if numbers == 0 || !numbers.is_multiple_of(2) {
                    let message = format!("points have two numbers each, and this has {numbers}");
                    return Err(Misfit::shape(0, message));
                }
                Ok(0)
            }
            "embed" | "pitch" => self.vector(shape),
            "verify" => {
                let values = self.vector(shape)?;
                if values != 1 && self.word("measure") == Some("score") {
                    let message = format!("a score is one number, this has {values}");
                    let problem = Misfit::shape(0, message);
                    return Err(problem.help("`measure distance` takes the length of a vector"));
                }
                Ok(0)
            }
            "image" => match (shape.dims().len(), shape.channels()) {
                (3, channels @ (1 | 3)) => Ok(channels),
                _ => {
                    let message = format!(
                        "a picture has one or three channels, rows and columns, not {shape}"
                    );
                    Err(Misfit::shape(0, message))
                }
            },
            _ => Ok(0),
        }
    }

    fn vector(&self, shape: &Shape) -> Result<usize, Misfit> {
        match shape.dims() {
            &[values] => Ok(values),
            _ => {
                let message = format!("`head {}` needs a vector, not {shape}", self.keyword);
                Err(Misfit::shape(0, message).help("put `flatten` before it"))
            }
        }
    }

    /// YOLOv1: `side² · (classes + 5 · boxes)` values.
    fn cells(&self, shape: &Shape) -> Result<usize, Misfit> {
        let values = self.vector(shape)?;
        let count = |key: &str| {
            let number = self.number(key).unwrap_or(0.0) as usize;
            if (1..=1000).contains(&number) {
                Ok(number)
            } else {
                let message = format!("`{key}` is between 1 and 1000");
                Err(Misfit::key(self, key, message))
            }
        };
        let (side, boxes) = (count("side")?, count("boxes")?);
        let (cells, five) = (side * side, 5 * boxes);
        match (values / cells).checked_sub(five) {
            Some(classes) if values.is_multiple_of(cells) => Ok(classes),
            _ => {
                let message = format!(
                    "{side}x{side} cells with {boxes} boxes each have {cells} · ({five} + classes) values, not {values}"
                );
                Err(Misfit::shape(0, message))
            }
        }
    }

    /// The anchors, all positive.
    fn anchors(&self) -> Result<Vec<Vec<f64>>, Misfit> {
        let anchors = self.rows("anchors");
        if anchors.is_empty() {
            let message = format!("`head {}` needs `anchors`", self.keyword);
            return Err(Misfit::key(self, "anchors", message)
                .help("`anchors cells (1.3, 1.7) (3.2, 4.0)`: width and height of each"));
        }
        let sound = |&x: &f64| x > 0.0 && x < 1e6;
        if !anchors.iter().flatten().all(sound) {
            let message = "the sides of an anchor are positive".to_owned();
            return Err(Misfit::key(self, "anchors", message));
        }
        Ok(anchors)
    }

    /// The map of that number: `anchors · (5 + classes)` channels; a detector of one thing may have no classes.
    fn map(&self, index: usize, shape: &Shape, anchors: usize) -> Result<usize, Misfit> {
        if shape.dims().len() != 3 {
            let message = format!(
                "`head {}` needs channels, rows and columns, not {shape}",
                self.keyword
            );
            return Err(Misfit::shape(index, message));
        }
        let channels = shape.channels();
        match (channels / anchors).checked_sub(5) {
            Some(classes) if channels.is_multiple_of(anchors) => Ok(classes),
            _ => {
                let message = format!(
                    "{anchors} anchors have {anchors} · (5 + classes) channels, not {channels}"
                );
                Err(Misfit::shape(index, message))
            }
        }
    }

    /// YOLOv3's maps, which have the same classes.
    fn maps(&self, shapes: &[Shape]) -> Result<usize, Misfit> {
        let anchors = self.anchors()?;
        let masks = self.masks(anchors.len());
        if self.get("masks").is_none() && shapes.len() > 1 {
            let message = format!("{} maps need `masks`", shapes.len());
            let help = "`masks (3, 4, 5) (0, 1, 2)`: which anchors each map has";
            return Err(Misfit::key(self, "masks", message).help(help));
        }
        if masks.len() != shapes.len() {
            let message = format!("there are {} masks for {} maps", masks.len(), shapes.len());
            return Err(Misfit::key(self, "masks", message));
        }
        let wrong = masks
            .iter()
            .flatten()
            .find(|&&index| index >= anchors.len());
        if let Some(index) = wrong {
            let message = format!("there are {} anchors and no {index}", anchors.len());
            return Err(Misfit::key(self, "masks", message));
        }
        if masks.iter().any(Vec::is_empty) {
            let message = "every map has an anchor".to_owned();
            return Err(Misfit::key(self, "masks", message));
        }
        let stretch = self.stretch();
        if !(stretch.len() == 1 || stretch.len() == shapes.len())
            || stretch.iter().any(|x| !(1.0..=10.0).contains(x))
        {
            let message = "`stretch` is a number between 1 and 10, or one for each map".to_owned();
            return Err(Misfit::key(self, "stretch", message));
        }
        let mut classes = None;
        for (index, (shape, mask)) in shapes.iter().zip(&masks).enumerate() {
            let here = self.map(index, shape, mask.len())?;
            let first = *classes.get_or_insert(here);
            if here != first {
                let message =
                    format!("this map has {here} classes, the first one {first}: {shape}");
                return Err(Misfit::shape(index, message));
            }
        }
        Ok(classes.unwrap_or(0))
    }

    /// R-CNN's scores, deltas and regions.
    fn regions(&self, shapes: &[Shape]) -> Result<usize, Misfit> {
        let [scores, deltas, regions] = shapes else {
            let message = "`maps` names scores, deltas and regions".to_owned();
            return Err(Misfit::key(self, "maps", message));
        };
        let count = match regions.dims() {
            &[count, 4 | 5] => count,
            _ => {
                let message = format!("regions are rows of four or five numbers, not {regions}");
                return Err(Misfit::shape(2, message));
            }
        };
        let row = |index: usize, shape: &Shape| {
            if shape.dims().iter().product::<usize>() == shape.channels() * count {
                Ok(shape.channels())
            } else {
                let message =
                    format!("there are {count} regions, and this is not a row of them: {shape}");
                Err(Misfit::shape(index, message))
            }
        };
        let (classes, numbers) = (row(0, scores)?, row(1, deltas)?);
        if classes < 2 || numbers != 4 * classes {
            let message = format!("{classes} classes have 4 · {classes} deltas, not {numbers}");
            return Err(Misfit::shape(1, message));
        }
        let std = self.std();
        if std.len() != 4 || !std.iter().all(|x| x.is_finite()) {
            let message = "`std` is four numbers".to_owned();
            return Err(Misfit::key(self, "std", message));
        }
        Ok(classes - 1)
    }

    /// What the four numbers of a region's box are multiplied by.
    pub(super) fn std(&self) -> Vec<f64> {
        match self.get("std") {
            None => vec![1.0; 4],
            Some(value) => {
                let items = value.value.as_items().iter();
                items.filter_map(|item| item.value.as_number()).collect()
            }
        }
    }

    /// The anchors of each map, by number.
    pub(super) fn masks(&self, anchors: usize) -> Vec<Vec<usize>> {
        if self.get("masks").is_none() {
            return vec![(0..anchors).collect()];
        }
        let index = |&x: &f64| if x >= 0.0 { x as usize } else { usize::MAX };
        let rows = self.rows("masks");
        rows.iter()
            .map(|row| row.iter().map(index).collect())
            .collect()
    }

    /// How far centres reach beyond their cells, for all maps or each.
    pub(super) fn stretch(&self) -> Vec<f64> {
        match self.get("stretch").map(|value| &value.value) {
            None => vec![1.0],
            Some(literal) => {
                let items = literal.as_items().iter();
                let listed = items.filter_map(|item| item.value.as_number()).collect();
                literal.as_number().map_or(listed, |number| vec![number])
            }
        }
    }
}
