//! The sections at a detector's end, and the heads that they become.

use super::cfg::Section;
use super::error::{CfgError, Mistake};
use super::head::Head;
use super::node::Shape;
use super::reader::Reader;

impl Reader {
    /// Reads `[yolo]`, `[region]` or `[detection]`.
    pub fn detector(&mut self, section: &Section, keyword: &str) -> Result<(), CfgError> {
        match (keyword, &self.head) {
            ("yolo", Head::None | Head::Yolo3 { .. }) => yolo(self, section)?,
            ("region", Head::None) => {
                self.head = region(self, section)?;
                self.closed = Some(section.name.clone());
            }
            ("detection", Head::None) => {
                self.head = detection(self, section)?;
                self.closed = Some(section.name.clone());
            }
            _ => return Err(section.unsupported(None, "a second head of another kind")),
        }
        self.head_at.get_or_insert(section.line);
        self.decoded();
        Ok(())
    }
}

/// Most anchors of a network.
const MOST_ANCHORS: usize = 1 << 12;

/// `num`: how many anchors there are.
fn num(section: &Section) -> Result<usize, CfgError> {
    let count = section.int("num", 1, 1)?;
    if count > MOST_ANCHORS {
        let mistake = Mistake::Range {
            value: count.to_string(),
            least: 1,
            most: MOST_ANCHORS as i64,
        };
        return Err(section.key_error("num", mistake));
    }
    Ok(count)
}

/// Pairs of positive numbers: of those that are written as many as `num` says, and what darknet has where too few are.
fn anchors(section: &Section, count: usize) -> Result<Vec<(f64, f64)>, CfgError> {
    /// Side of an anchor that is not written.
    const UNSAID: f64 = 0.5;
    let mut numbers = section.numbers("anchors", 2 * count)?;
    numbers.resize(2 * count, UNSAID);
    if numbers.iter().any(|&side| side <= 0.0 || side > 1e6) {
        let why = "`anchors` are not pairs of sides";
        return Err(section.key_error("anchors", Mistake::Shapes { why: why.into() }));
    }
    let pairs = numbers.chunks_exact(2).map(|pair| (pair[0], pair[1]));
    Ok(pairs.collect())
}

/// Checks the channels of a map.
fn map(section: &Section, shape: Shape, anchors: usize, classes: usize) -> Result<(), CfgError> {
    let needed = classes.checked_add(5).and_then(|n| n.checked_mul(anchors));
    match shape {
        Shape::Map { c, .. } if Some(c) == needed => Ok(()),
        _ => Err(section.shapes(format!(
            "{anchors} anchors and {classes} classes need {anchors} · (5 + {classes}) channels, not {shape}"
        ))),
    }
}

fn yolo(reader: &mut Reader, section: &Section) -> Result<(), CfgError> {
    let (value, shape) = reader.before(section)?;
    let classes = section.int("classes", 20, 1)?;
    let count = num(section)?;
    let mask = match section.text("mask") {
        None => (0..count).map(|index| index as i64).collect(),
        Some(_) => section.ints_to_comment("mask")?,
    };
    // Beyond `num`, darknet reads whatever stands behind its anchors: what was written there, in its earlier versions.
    let written = section.numbers("anchors", 2 * MOST_ANCHORS)?.len() / 2;
    let most = count.max(written);
    let mask = mask.into_iter().map(|index| match usize::try_from(index) {
        Ok(index) if index < most => Ok(index),
        _ => {
            let (value, most) = (index.to_string(), most as i64 - 1);
            let least = 0;
            Err(section.key_error("mask", Mistake::Range { value, least, most }))
        }
    });
    let mask = mask.collect::<Result<Vec<usize>, CfgError>>()?;
    let last = mask.iter().max().map_or(0, |last| last + 1);
    let own = anchors(section, count.max(last))?;
    map(section, shape, mask.len(), classes)?;
    let stretch = section.number("scale_x_y", 1.0)?;
    if !(1.0..=10.0).contains(&stretch) {
        let value = stretch.to_string();
        let (least, most) = (1, 10);
        let mistake = Mistake::Range { value, least, most };
        return Err(section.key_error("scale_x_y", mistake));
    }
    let squared = section.flag("new_coords")?;
    if let Head::None = reader.head {
        reader.head = Head::Yolo3 {
            maps: Vec::new(),
            anchors: own.clone(),
            masks: Vec::new(),
            stretch: Vec::new(),
            squared,
            classes,
        };
    }
    let Head::Yolo3 {
        maps,
        anchors,
        masks,
        stretch: all,
        squared: first,
        classes: known,
    } = &mut reader.head
    else {
        unreachable!("the head was just made");
    };
    if *first != squared {
        return Err(section.unsupported(Some("new_coords"), "`new_coords` of some maps only"));
    }
    if *known != classes {
        return Err(section.unsupported(Some("classes"), "maps of different classes"));
    }
    if maps.contains(&value) {
        return Err(section.unsupported(None, "one map with two heads"));
    }
    // Maps with anchors of their own have them behind those of the others.
    let offset = if anchors.starts_with(&own) {
        0
    } else if own.starts_with(anchors) {
        *anchors = own;
        0
    } else {
        let offset = anchors.len();
        anchors.extend(own);
        offset
    };
    maps.push(value);
    masks.push(mask.iter().map(|index| index + offset).collect());
    all.push(stretch);
    Ok(())
}

fn region(reader: &Reader, section: &Section) -> Result<Head, CfgError> {
    let (_, shape) = reader.before(section)?;
    let classes = section.int("classes", 20, 1)?;
    let anchors = anchors(section, num(section)?)?;
    section.refuse(&["background"])?;
    if let Some(tree) = section.text("tree") {
        return Err(section.unsupported(Some("tree"), format!("a tree of classes, `{tree}`")));
    }
    if section.int("coords", 4, 0)? != 4 {
        return Err(section.unsupported(Some("coords"), "other than four coordinates"));
    }
    if !section.flag("softmax")? {
        return Err(section.unsupported(Some("softmax"), "classes without softmax"));
    }
    map(section, shape, anchors.len(), classes)?;
    Ok(Head::Yolo2 { anchors })
}

fn detection(reader: &mut Reader, section: &Section) -> Result<Head, CfgError> {
    let (_, shape) = reader.before(section)?;
    let classes = section.int("classes", 1, 1)?;
    let (side, boxes) = (section.int("side", 7, 1)?, section.int("num", 1, 1)?);
    if section.int("coords", 1, 0)? != 4 {
        return Err(section.unsupported(Some("coords"), "other than four coordinates"));
    }
    if section.flag("softmax")? {
        return Err(section.unsupported(Some("softmax"), "classes by softmax"));
    }
    if !section.flag("sqrt")? {
        return Err(section.unsupported(Some("sqrt"), "sizes without square roots"));
    }
    let cell = boxes.checked_mul(5).and_then(|n| n.checked_add(classes));
    let needed = side
        .checked_mul(side)
        .and_then(|cells| cells.checked_mul(cell?));
    if needed != Some(shape.elements()) {
        return Err(section.shapes(format!(
            "{side}x{side} cells with {boxes} boxes and {classes} classes need a vector of {side}² · ({classes} + 5·{boxes}) values, not {shape}"
        )));
    }
    if let Shape::Map { .. } = shape {
        reader.flatten_last();
    }
    Ok(Head::Yolo1 { side, boxes })
}
