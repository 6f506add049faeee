//! The heads of a spec that a detector's last sections become.

use super::node::Value;
use super::number::show;

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

impl Head {
    /// The maps that it names; none if the result of the last layer enters it.
    pub fn maps(&self) -> &[Value] {
        match self {
            Head::Yolo3 { maps, .. } => maps,
            Head::None | Head::Classify | Head::Yolo1 { .. } | Head::Yolo2 { .. } => &[],
        }
    }

    /// Whether it finds boxes.
    pub fn detects(&self) -> bool {
        match self {
            Head::None | Head::Classify => false,
            Head::Yolo1 { .. } | Head::Yolo2 { .. } | Head::Yolo3 { .. } => true,
        }
    }

    /// Its keyword in a spec and the lines of its keys, where `name` is how a spec calls a tensor; `None` if there is no head.
    pub fn written<'a>(
        &self,
        name: impl Fn(Value) -> &'a str,
    ) -> Option<(&'static str, Vec<String>)> {
        match self {
            Head::None => None,
            Head::Classify => Some(("classify", Vec::new())),
            Head::Yolo1 { side, boxes } => {
                let keys = vec![
                    format!("side {side}  boxes {boxes}"),
                    "keep 0.2  nms class iou 0.4".to_owned(),
                ];
                Some(("yolo1", keys))
            }
            Head::Yolo2 { anchors } => {
                let keys = vec![
                    format!("anchors cells {}", pairs(anchors)),
                    "keep 0.5  nms class iou 0.45".to_owned(),
                ];
                Some(("yolo2", keys))
            }
            Head::Yolo3 {
                maps,
                anchors,
                masks,
                stretch,
                squared,
                classes: _,
            } => {
                let names: Vec<&str> = maps.iter().map(|&value| name(value)).collect();
                let masks: Vec<String> = masks.iter().map(|mask| list(mask)).collect();
                let mut keys = vec![
                    format!("anchors pixels {}", pairs(anchors)),
                    format!("maps {}", names.join(" ")),
                    format!("masks {}", masks.join(" ")),
                ];
                if stretch.iter().any(|&factor| factor != 1.0) {
                    let factors: Vec<String> = stretch.iter().map(|&factor| show(factor)).collect();
                    keys.push(match factors.iter().all(|factor| *factor == factors[0]) {
                        true => format!("stretch {}", factors[0]),
                        false => format!("stretch ({})", factors.join(", ")),
                    });
                }
                if *squared {
                    keys.push("squared on".to_owned());
                }
                keys.push("keep 0.5  nms class iou 0.45".to_owned());
                Some(("yolo3", keys))
            }
        }
    }
}

fn list(indices: &[usize]) -> String {
    let indices: Vec<String> = indices.iter().map(usize::to_string).collect();
    match &indices[..] {
        // In brackets it would be a number.
        [index] => format!("[{index}]"),
        several => format!("({})", several.join(", ")),
    }
}

fn pairs(pairs: &[(f64, f64)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|&(w, h)| format!("({}, {})", show(w), show(h)))
        .collect();
    pairs.join(" ")
}
