//! Pictures with boxes: what VOC's XML and YOLO's rows of text have in common.

use super::ahead::{unbroken, views};
use super::annotated::{Annotated, Purpose, Written};
use super::files::{name, within};
use super::reader::Reader;
use super::told::Told;
use super::{Data, DataError, rows, voc};
use cnnc_compiler::loss::BOX;
use cnnc_compiler::recipe::DataKind;
use cnnc_runtime::answer::BBox;
use std::path::Path;

/// A folder of pictures with boxes.
pub(super) struct Boxed {
    pub kind: DataKind,
    pub pictures: Vec<Annotated>,
}

/// Overlap from which on two boxes of one class are the same one, written twice.
const DOUBLE: f32 = 0.9;

impl Boxed {
    /// What lies in a folder, if it is of that kind, or of one of both.
    pub fn find(folder: &Path, kind: Option<DataKind>) -> Result<Option<Boxed>, DataError> {
        let wanted = |of: DataKind| kind.is_none_or(|kind| kind == of);
        for (of, read) in [
            (DataKind::Voc, voc::pictures as fn(&Path) -> _),
            (DataKind::Yolo, rows::pictures),
        ] {
            if wanted(of)
                && let Some(pictures) = read(folder)?
            {
                return Ok(Some(Boxed { kind: of, pictures }));
            }
        }
        Ok(None)
    }
}

/// Boxes that are used, in fractions of the picture, and what is said of those that are not.
pub(super) fn sound(
    of: &Annotated,
    size: (f32, f32),
) -> Result<(Vec<Written>, Vec<String>), DataError> {
    let mut kept: Vec<Written> = Vec::new();
    let mut said = Vec::new();
    let show = |bbox: &BBox| {
        let BBox {
            left,
            top,
            right,
            bottom,
        } = bbox;
        format!("{left} {top} {right} {bottom}")
    };
    for written in &of.boxes {
        let BBox {
            left,
            top,
            right,
            bottom,
        } = written.bbox;
        let broken = |why: &str| {
            let why = format!(
                "the box {} of `{}` {why}",
                show(&written.bbox),
                written.class
            );
            DataError::Broken(of.file.clone(), why)
        };
        if !written.bbox.is_finite() {
            return Err(broken("has an edge that is no number"));
        }
        if left > right || top > bottom {
            return Err(broken(
                "is inverted: its right edge is left of the left one, or its lower edge above the upper one",
            ));
        }
        // Half a pixel is rounding.
        let within = |edge: f32, extent: f32| (-0.5..=extent + 0.5).contains(&edge);
        let fractions = size == (1.0, 1.0);
        let slack = if fractions { 0.01 } else { 0.5 };
        let inside = [
            (left, size.0),
            (right, size.0),
            (top, size.1),
            (bottom, size.1),
        ];
        let inside = inside.iter().all(|&(edge, extent)| {
            within(edge, extent) && (-slack..=extent + slack).contains(&edge)
        });
        if !inside {
            let of = if fractions {
                "1 by 1".to_owned()
            } else {
                format!("{} by {} pixels", size.0, size.1)
            };
            return Err(broken(&format!("is outside of the picture of {of}")));
        }
        let scaled = BBox {
            left: left / size.0,
            top: top / size.1,
            right: right / size.0,
            bottom: bottom / size.1,
        };
        let scaled = scaled.clip(&BBox::new(0.0, 0.0, 1.0, 1.0));
        let twice = kept.iter().any(|other: &Written| {
            other.class == written.class && other.bbox.iou(&scaled) > DOUBLE
        });
        let why = match scaled.area() > 0.0 {
            true if twice => "is there twice",
            true => {
                kept.push(Written {
                    class: written.class.clone(),
                    bbox: scaled,
                });
                continue;
            }
            false => "has no size",
        };
        said.push(format!(
            "{}: the box {} of `{}` {why}",
            of.file.display(),
            show(&written.bbox),
            written.class
        ));
    }
    Ok((kept, said))
}

/// Holds the width and height of a picture against those that a file says, if it does.
pub(super) fn same_size(
    written: Option<(usize, usize)>,
    size: (usize, usize),
    file: &Path,
    picture: &Path,
) -> Result<(), DataError> {
    let Some((width, height)) = written.filter(|written| *written != size) else {
        return Ok(());
    };
    let why = format!(
        "{width}x{height} pixels are not those of {}, which has {}x{}",
        name(picture),
        size.0,
        size.1
    );
    Err(DataError::Broken(file.to_owned(), why))
}

/// The class that is called so, or has that number.
pub(in crate::train) fn class_called(labels: &[impl AsRef<str>], class: &str) -> Option<usize> {
    let named = labels.iter().position(|label| label.as_ref() == class);
    let number = || {
        let number = class.parse::<usize>().ok();
        number.filter(|number| labels.is_empty() || *number < labels.len())
    };
    named.or_else(number)
}

/// Widths and heights of all boxes to learn from, as shares of their pictures, and how many pictures there are.
///
/// # Errors
/// A folder without pictures with boxes, or boxes that are broken.
pub fn sizes_of(folder: &Path) -> Result<(Vec<[f64; 2]>, usize), DataError> {
    let Some(Boxed { pictures, .. }) = Boxed::find(folder, None)? else {
        return Err(DataError::NotThat(folder.to_owned(), "voc` or `yolo"));
    };
    let (mut sizes, mut count) = (Vec::new(), 0);
    for of in pictures.iter().filter(|of| of.purpose == Purpose::Learn) {
        let size = match of.size {
            Some((width, height)) => (width as f32, height as f32),
            None => (1.0, 1.0),
        };
        let (boxes, _) = sound(of, size)?;
        let of_box = |of: &Written| [of.bbox.width(), of.bbox.height()].map(f64::from);
        sizes.extend(boxes.iter().map(of_box));
        count += 1;
    }
    Ok((sizes, count))
}

/// Holds the boxes of a picture, so many, against a head that says of one where it is.
fn single(of: &Annotated, count: usize, told: &Told) -> Result<(), DataError> {
    let why = match count {
        0 if !told.has_presence() => {
            let name = name(&of.picture);
            format!("{name} shows no box, and the head has no `presence` that says so")
        }
        0 | 1 => return Ok(()),
        _ => format!(
            "{} has {count} boxes, and `head boxes` finds one; heads such as `yolo2` find several",
            name(&of.picture)
        ),
    };
    Err(DataError::Broken(of.file.clone(), why))
}

impl Reader<'_> {
    /// The samples of a folder, if it has pictures with boxes of that kind, or of one of both.
    pub(super) fn boxes(
        &self,
        folder: &Path,
        kind: Option<DataKind>,
    ) -> Result<Option<Data>, DataError> {
        let of = Boxed::find(folder, kind)?;
        of.map(|of| self.boxed(folder, of)).transpose()
    }

    fn boxed(&self, folder: &Path, of: Boxed) -> Result<Data, DataError> {
        let one = match &self.told {
            Some(told @ Told::Box { .. }) => Some(told),
            _ => None,
        };
        if !self.detects && one.is_none() {
            let why = format!(
                "its pictures have boxes, and `{}` has no head that finds some, as `head yolo2` does, or one, as `head boxes` does",
                self.network
            );
            return Err(DataError::Classes(folder.to_owned(), why));
        }
        if let Some(count) = self.regions {
            return self.regioned(folder, of, count);
        }
        let pre = self.sight()?;
        let Boxed { kind, pictures } = of;
        let mut filling = self.filling(folder);
        let used = pictures.iter().filter(|of| of.purpose != Purpose::Nothing);
        let used: Vec<&Annotated> = used.collect();
        filling.reserve_files(used.len(), None, self.most)?;
        let (mut all, mut judges, mut said) = (Vec::new(), Vec::new(), Vec::new());
        let mut broken = Vec::new();
        let mut paths = used.iter().map(|of| of.picture.as_path());
        views(&mut paths, pre, &mut |at, viewed| {
            let of = used[at];
            let Some(viewed) = unbroken(folder, viewed, used.len(), &mut broken)? else {
                return Ok(());
            };
            let (size, place) = (viewed.size(), viewed.place);
            same_size(of.size, size, &of.file, &of.picture)?;
            let unit = match kind {
                DataKind::Voc => (size.0 as f32, size.1 as f32),
                _ => (1.0, 1.0),
            };
            let (boxes, left_out) = sound(of, unit)?;
            said.extend(left_out);
            let mut rows: Vec<[f32; BOX]> = Vec::new();
            for Written { class, bbox } in boxes {
                let class = self.class_of_box(&class, &of.file)?;
                let point = |x: f32, y: f32| place.fraction(x * size.0 as f32, y * size.1 as f32);
                let ((left, top), (right, bottom)) =
                    (point(bbox.left, bbox.top), point(bbox.right, bbox.bottom));
                let seen = BBox::new(left, top, right, bottom).clip(&BBox::new(0.0, 0.0, 1.0, 1.0));
                // What the input does not show is nothing to find.
                if seen.area() > 0.0 {
                    let (x, y) = seen.centre();
                    rows.push([class as f32, x, y, seen.width(), seen.height()]);
                }
            }
            if let Some(told) = one {
                single(of, rows.len(), told)?;
            }
            filling.picture_of(of.picture.clone(), viewed.seen, 0)?;
            filling.name(within(folder, &of.picture));
            all.push(rows);
            judges.push(of.purpose == Purpose::Judge);
            Ok(())
        })?;
        said.extend(broken);
        let boxes = all.iter().map(Vec::len).sum::<usize>();
        let mut train = filling.boxed(&all);
        train.told = one.cloned();
        let kind = format!("pictures with {boxes} boxes");
        Ok(Data::divided(kind, train, &judges, said))
    }

    /// The class that is called so, or has that number.
    pub(super) fn class_of_box(&self, class: &str, file: &Path) -> Result<usize, DataError> {
        if let Some(Told::Box { classes: 0, .. }) = self.told {
            return Ok(0);
        }
        class_called(&self.labels, class).ok_or_else(|| {
            let why = match self.labels.is_empty() {
                true => format!("`{class}` is the name of a class, and the head has no `labels`"),
                false => format!(
                    "the class `{class}` is none of the head's labels `{}`",
                    self.labels.join("`, `")
                ),
            };
            DataError::Classes(file.to_owned(), why)
        })
    }
}
