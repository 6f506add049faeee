//! The sections at a detector's end, and the heads that they become.

use super::cfg::Section;
use super::error::{CfgError, Mistake};
use super::network::{Reader, Shape, Value};

/// What turns the network's raw output into an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Head {
    None,
    Classify,
    Yolo1 {
        side: usize,
        boxes: usize,
    },
    Yolo2 {
        anchors: Vec<(f64, f64)>,
    },
    Yolo3 {
        maps: Vec<Value>,
        anchors: Vec<(f64, f64)>,
        masks: Vec<Vec<usize>>,
        stretch: Vec<f64>,
        squared: bool,
        classes: usize,
    },
}

/// Reads `[yolo]`, `[region]` or `[detection]`.
pub(super) fn read(reader: &mut Reader, section: &Section, keyword: &str) -> Result<(), CfgError> {
    match (keyword, &reader.head) {
        ("yolo", Head::None | Head::Yolo3 { .. }) => yolo(reader, section)?,
        (_, Head::None) => {
            let head = match keyword {
                "region" => region(reader, section)?,
                _ => detection(reader, section)?,
            };
            reader.head = head;
            reader.head_line = Some(section.name.clone());
        }
        _ => return Err(section.unsupported(None, "a second head of another kind")),
    }
    reader.decoded();
    Ok(())
}

/// Pairs of positive numbers.
fn anchors(section: &Section, count: usize) -> Result<Vec<(f64, f64)>, CfgError> {
    let numbers = section.numbers("anchors")?;
    if numbers.is_empty() {
        return Err(section.key_error("anchors", Mistake::Missing));
    }
    if numbers.len() != 2 * count || numbers.iter().any(|&side| side <= 0.0 || side > 1e6) {
        let why = format!("`anchors` are not {count} pairs of sides, as `num` says");
        return Err(section.key_error("anchors", Mistake::Shapes { why }));
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
    let count = section.int("num", 1, 1)?;
    let own = anchors(section, count)?;
    let mask = match section.text("mask") {
        None => (0..count).collect(),
        Some(_) => section
            .ints("mask")?
            .into_iter()
            .map(|index| match usize::try_from(index) {
                Ok(index) if index < count => Ok(index),
                _ => Err(section.key_error(
                    "mask",
                    Mistake::Range {
                        value: index.to_string(),
                        least: 0,
                        most: count as i64 - 1,
                    },
                )),
            })
            .collect::<Result<Vec<usize>, CfgError>>()?,
    };
    map(section, shape, mask.len(), classes)?;
    let stretch = section.number("scale_x_y", 1.0)?;
    if !(1.0..=10.0).contains(&stretch) {
        let value = stretch.to_string();
        let (least, most) = (1, 10);
        let mistake = Mistake::Range { value, least, most };
        return Err(section.key_error("scale_x_y", mistake));
    }
    let squared = section.int("new_coords", 0, 0)? == 1;
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
    let offset = match *anchors == own {
        true => 0,
        false => {
            let offset = anchors.len();
            anchors.extend(own);
            offset
        }
    };
    maps.push(value);
    masks.push(mask.iter().map(|index| index + offset).collect());
    all.push(stretch);
    Ok(())
}

fn region(reader: &Reader, section: &Section) -> Result<Head, CfgError> {
    let (_, shape) = reader.before(section)?;
    let classes = section.int("classes", 20, 1)?;
    let anchors = anchors(section, section.int("num", 1, 1)?)?;
    if section.int("coords", 4, 0)? != 4 {
        return Err(section.unsupported(Some("coords"), "other than four coordinates"));
    }
    if section.int("softmax", 0, 0)? != 1 {
        return Err(section.unsupported(Some("softmax"), "classes without softmax"));
    }
    map(section, shape, anchors.len(), classes)?;
    Ok(Head::Yolo2 { anchors })
}

fn detection(reader: &Reader, section: &Section) -> Result<Head, CfgError> {
    let (_, shape) = reader.before(section)?;
    let classes = section.int("classes", 1, 1)?;
    let (side, boxes) = (section.int("side", 7, 1)?, section.int("num", 1, 1)?);
    if section.int("coords", 4, 0)? != 4 {
        return Err(section.unsupported(Some("coords"), "other than four coordinates"));
    }
    if section.int("softmax", 0, 0)? != 0 {
        return Err(section.unsupported(Some("softmax"), "classes by softmax"));
    }
    if section.int("sqrt", 0, 0)? != 1 {
        return Err(section.unsupported(Some("sqrt"), "sizes without square roots"));
    }
    let cell = boxes.checked_mul(5).and_then(|n| n.checked_add(classes));
    let needed = side
        .checked_mul(side)
        .and_then(|cells| cells.checked_mul(cell?));
    match shape {
        Shape::Vector(n) if Some(n) == needed => Ok(Head::Yolo1 { side, boxes }),
        _ => Err(section.shapes(format!(
            "{side}x{side} cells with {boxes} boxes and {classes} classes need a vector of {side}² · ({classes} + 5·{boxes}) values, not {shape}"
        ))),
    }
}
