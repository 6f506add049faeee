//! What the losses of YOLO's versions have in common: maps with anchors, the boxes that are there, and which place of a map answers for each.
//!
//! A map has `x y w h objectness` and the classes for each of its anchors. A place is a map, an anchor of it and a cell.

use super::{Batch, LossDecl, Misfit, Place, Targets};
use crate::args::{Kind, ParamDecl};
use crate::graph::Graph;
use crate::recipe;

/// Numbers of a box that is there: class, centre and size, in fractions of the input. A class of −1 is no box, so that samples may have as many numbers as the fullest of them.
pub const BOX: usize = 5;

pub(super) const fn setting(
    name: &'static str,
    default: &'static str,
    doc: &'static str,
) -> ParamDecl {
    ParamDecl {
        name,
        kind: Kind::Float,
        positional: false,
        default: Some(default),
        doc,
    }
}

pub(super) const COORD: ParamDecl = setting("coord", "1", "What centre and size count.");
pub(super) const NOOBJECT: ParamDecl = setting(
    "noobject",
    "1",
    "What the objectness counts where nothing is.",
);
pub(super) const CLASS: ParamDecl = setting("class", "1", "What the classes count.");
pub(super) const IGNORE: &str = "From which intersection over union with any box on the objectness of a place that answers for none does not count.";

/// A map.
#[derive(Clone, Debug)]
pub(super) struct Map {
    rows: usize,
    columns: usize,
    /// The numbers of its anchors.
    mask: Vec<usize>,
    /// Their sizes, as fractions of the input.
    anchors: Vec<(f64, f64)>,
}

impl Map {
    pub fn cells(&self) -> usize {
        self.rows * self.columns
    }

    /// How many anchors it has.
    pub fn anchors(&self) -> usize {
        self.anchors.len()
    }
}

/// What a loss of boxes is made of.
#[derive(Clone, Debug)]
pub(super) struct Boxes {
    pub maps: Vec<Map>,
    pub classes: usize,
    pub coord: f64,
    pub object: f64,
    pub noobject: f64,
    pub class: f64,
    ignore: f64,
    /// Why there are no such maps.
    misfit: Option<String>,
}

/// A box that is there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Truth {
    /// Its number among the rows of its image.
    pub row: usize,
    pub class: usize,
    /// Centre and size, as fractions of the input.
    pub at: [f64; 4],
}

/// A place that answers for a box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Answers {
    pub map: usize,
    pub anchor: usize,
    pub cell: usize,
    pub class: usize,
    /// What x, y, w and h should be.
    pub targets: [f64; 4],
    /// Width times height, as a share of the input.
    pub area: f64,
    /// Intersection over union of the box that the network makes there with the one that is there.
    pub iou: f64,
}

/// A number of a loss: what is written, or the default of its row.
pub(super) fn number(decl: &LossDecl, loss: &recipe::Loss, name: &str) -> f64 {
    let known = decl.settings.iter().find(|setting| setting.name == name);
    let default = known.and_then(|setting| setting.default?.parse().ok());
    loss.number(name).or(default).expect("it has a default")
}

/// The boxes of each image of a batch, of a network with so many classes.
pub(super) fn truths(batch: &Batch<'_>, classes: usize) -> Result<Vec<Vec<Truth>>, String> {
    let told = match batch.targets {
        Targets::Numbers(numbers) if numbers.len().is_multiple_of(batch.images * BOX) => numbers,
        _ => {
            return Err("boxes are five numbers each: the class, the centre and the size in fractions of the input".to_owned());
        }
    };
    let truth = |(number, row): (usize, &[f32])| {
        let [class, at @ ..] = [0, 1, 2, 3, 4].map(|at| f64::from(row[at]));
        let within = |x: f64| (0.0..=1.0).contains(&x);
        if class.fract() != 0.0 || class < 0.0 || class >= classes.max(1) as f64 {
            return Err(format!(
                "the class {class} is none of the network's {}",
                classes.max(1)
            ));
        }
        if !within(at[0]) || !within(at[1]) {
            return Err(format!(
                "the centre {} {} of a box is outside of the picture",
                at[0], at[1]
            ));
        }
        if !(at[2] > 0.0 && at[3] > 0.0 && at[2].is_finite() && at[3].is_finite()) {
            return Err(format!("a box of {} by {} has no size", at[2], at[3]));
        }
        Ok(Truth {
            row: number,
            class: class as usize,
            at,
        })
    };
    let each = told.len() / batch.images;
    let of_image = |image: usize| {
        let rows = told[image * each..][..each].chunks(BOX).enumerate();
        rows.filter(|(_, row)| row[0] != -1.0).map(truth).collect()
    };
    (0..batch.images).map(of_image).collect()
}

/// The cell, of so many along an axis, in which a centre lies: one on the last edge is in the last.
pub(super) fn cell(at: f64, cells: usize) -> usize {
    ((at * cells as f64) as usize).min(cells - 1)
}

/// Intersection over union of boxes that are centre and size.
pub(super) fn iou(one: [f64; 4], other: [f64; 4]) -> f64 {
    let along = |axis: usize| {
        let ends = |of: [f64; 4]| (of[axis] - of[axis + 2] / 2.0, of[axis] + of[axis + 2] / 2.0);
        let ((from, to), (start, end)) = (ends(one), ends(other));
        (to.min(end) - from.max(start)).max(0.0)
    };
    let both = along(0) * along(1);
    match one[2] * one[3] + other[2] * other[3] - both {
        all if all > 0.0 => both / all,
        _ => 0.0,
    }
}

fn sigmoid(x: f64) -> f64 {
    (1.0 + (-x).exp()).recip()
}

impl Boxes {
    /// Those of a network with such a head.
    pub fn new(decl: &LossDecl, loss: &recipe::Loss, network: &Graph) -> Boxes {
        let usual = |name: &str| number(decl, loss, name);
        let mut boxes = Boxes {
            maps: Vec::new(),
            classes: 0,
            coord: usual("coord"),
            object: usual("object"),
            noobject: usual("noobject"),
            class: usual("class"),
            ignore: usual("ignore"),
            misfit: None,
        };
        boxes.misfit = boxes.find_maps(decl.name, network).err();
        boxes
    }

    fn find_maps(&mut self, keyword: &str, network: &Graph) -> Result<(), String> {
        let head = network.head.as_ref();
        let Some(head) = head.filter(|head| head.decl.keyword == keyword) else {
            return Err(format!("`{keyword}` is for networks with `head {keyword}`"));
        };
        let several = head.decl.key("masks").is_some();
        if several
            && (head.flag("squared")
                || head
                    .numbers("stretch")
                    .is_some_and(|of| of.iter().any(|x| *x != 1.0)))
        {
            return Err(format!(
                "`{keyword}` knows neither `stretch` nor `squared`: its centres are logistic within a cell, its sizes powers of e"
            ));
        }
        let extents = |value| match *network.values[value].shape.dims() {
            [.., rows, columns] => (rows, columns),
            _ => (1, 1),
        };
        let input = extents(network.inputs[0].value);
        let sizes = head.rows("anchors");
        let masks = if several {
            head.rows("masks")
        } else {
            Vec::new()
        };
        let masks: Vec<Vec<usize>> = match masks.is_empty() {
            true => vec![(0..sizes.len()).collect()],
            false => masks
                .iter()
                .map(|mask| mask.iter().map(|&x| x as usize).collect())
                .collect(),
        };
        for (output, mask) in network.outputs.iter().zip(masks) {
            let (rows, columns) = extents(output.value);
            let unit = match head.word("unit") {
                Some("cells") => (rows, columns),
                _ => input,
            };
            let size = |&anchor: &usize| {
                (
                    sizes[anchor][0] / unit.1 as f64,
                    sizes[anchor][1] / unit.0 as f64,
                )
            };
            self.classes = network.values[output.value].shape.channels() / mask.len() - 5;
            self.maps.push(Map {
                rows,
                columns,
                anchors: mask.iter().map(size).collect(),
                mask,
            });
        }
        Ok(())
    }

    pub fn fit(&self) -> Result<(), Misfit> {
        match &self.misfit {
            None => Ok(()),
            Some(message) => Err(Misfit {
                setting: None,
                message: message.clone(),
            }),
        }
    }

    /// Values of an image in a map.
    fn elements(&self, map: &Map) -> usize {
        map.anchors.len() * (5 + self.classes) * map.cells()
    }

    /// Where a channel of a place lies among the values of a map of all images.
    pub fn place(
        &self,
        image: usize,
        map: usize,
        anchor: usize,
        channel: usize,
        cell: usize,
    ) -> usize {
        let of = &self.maps[map];
        image * self.elements(of) + (anchor * (5 + self.classes) + channel) * of.cells() + cell
    }

    /// Says of each image which places answer for a box, and then at which places nothing is: a map, an anchor, a cell.
    pub fn assign(
        &self,
        batch: &Batch<'_>,
        mut answers: impl FnMut(usize, Answers),
        mut nothing: impl FnMut(usize, [usize; 3]),
    ) -> Result<(), String> {
        let truths = truths(batch, self.classes)?;
        let Some(made) = batch.made else {
            return Ok(());
        };
        for (image, truths) in truths.iter().enumerate() {
            let found = |map: usize, anchor: usize, cell: usize| -> [f64; 4] {
                let of = &self.maps[map];
                let t = [0, 1, 2, 3]
                    .map(|channel| made[map][self.place(image, map, anchor, channel, cell)]);
                let (row, column) = (cell / of.columns, cell % of.columns);
                let (width, height) = of.anchors[anchor];
                [
                    (column as f64 + sigmoid(t[0])) / of.columns as f64,
                    (row as f64 + sigmoid(t[1])) / of.rows as f64,
                    width * t[2].exp(),
                    height * t[3].exp(),
                ]
            };
            let mut responsible: Vec<Answers> = Vec::new();
            for truth in truths {
                let of = self.responsible(truth);
                let iou = iou(found(of.map, of.anchor, of.cell), truth.at);
                let place = |of: &Answers| [of.map, of.anchor, of.cell];
                responsible.retain(|other| place(other) != place(&of));
                responsible.push(Answers { iou, ..of });
            }
            for (map, of) in self.maps.iter().enumerate() {
                for (anchor, cell) in (0..of.anchors.len())
                    .flat_map(|anchor| (0..of.cells()).map(move |cell| (anchor, cell)))
                {
                    let here = |of: &Answers| [of.map, of.anchor, of.cell] == [map, anchor, cell];
                    let bbox = found(map, anchor, cell);
                    let near = || {
                        truths
                            .iter()
                            .any(|truth| iou(bbox, truth.at) >= self.ignore)
                    };
                    if !responsible.iter().any(here) && !near() {
                        nothing(image, [map, anchor, cell]);
                    }
                }
            }
            responsible.into_iter().for_each(|of| answers(image, of));
        }
        Ok(())
    }

    /// The place that answers for a box: the anchor of all maps whose shape fits best, of equal ones the first, in the cell of the centre.
    fn responsible(&self, truth: &Truth) -> Answers {
        let [x, y, w, h] = truth.at;
        let shape = |size: (f64, f64)| iou([0.0, 0.0, w, h], [0.0, 0.0, size.0, size.1]);
        let mut best = (f64::NEG_INFINITY, usize::MAX, 0, 0);
        for (map, of) in self.maps.iter().enumerate() {
            for (anchor, (&size, &number)) in of.anchors.iter().zip(&of.mask).enumerate() {
                let fits = shape(size);
                if fits > best.0 || (fits == best.0 && number < best.1) {
                    best = (fits, number, map, anchor);
                }
            }
        }
        let (_, _, map, anchor) = best;
        let of = &self.maps[map];
        let (column, row) = (cell(x, of.columns), cell(y, of.rows));
        let (width, height) = of.anchors[anchor];
        Answers {
            map,
            anchor,
            cell: row * of.columns + column,
            class: truth.class,
            targets: [
                x * of.columns as f64 - column as f64,
                y * of.rows as f64 - row as f64,
                (w / width).ln(),
                (h / height).ln(),
            ],
            area: w * h,
            iou: 0.0,
        }
    }

    /// Which place answers for each box; of two boxes of one place the later one has it.
    pub fn places(&self, batch: &Batch<'_>) -> Result<Vec<Place>, String> {
        let mut places: Vec<Place> = Vec::new();
        for (image, truths) in truths(batch, self.classes)?.iter().enumerate() {
            let first = places.len();
            for truth in truths {
                let at = self.responsible(truth);
                let of = &self.maps[at.map];
                let (w, h) = of.anchors[at.anchor];
                let same = |other: &Place| {
                    [other.map, other.answers, other.cell] == [at.map, of.mask[at.anchor], at.cell]
                };
                for other in places[first..].iter_mut().filter(|other| same(other)) {
                    other.lost = true;
                }
                let (row, column) = (at.cell / of.columns, at.cell % of.columns);
                let middle = |at: usize, of: usize| (at as f64 + 0.5) / of as f64;
                places.push(Place {
                    image,
                    row: truth.row,
                    class: truth.class,
                    bbox: truth.at,
                    map: at.map,
                    grid: [of.rows, of.columns],
                    cell: at.cell,
                    answers: of.mask[at.anchor],
                    by: Some([middle(column, of.columns), middle(row, of.rows), w, h]),
                    overlap: Some(iou([0.0, 0.0, w, h], [0.0, 0.0, truth.at[2], truth.at[3]])),
                    lost: false,
                });
            }
        }
        Ok(places)
    }
}
