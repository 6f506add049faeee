//! The end of a detector, from maps to boxes, which becomes a head.
//!
//! Exporters spell it in many ways: sides from a softmax or a product, grids as constants or as ranges, one piece for each map or
//! one for all. So it is not compared with a form. What lies behind the maps is compiled by itself and fed with numbers, and it is a head's if that
//! makes the same of them (`Dfl::table`, `Yolo3::table`).

use super::behind::{BOX, Behind, anchors, cells, distances};
use super::net::{Hint, Id, Layer, Net, Op, Value};
use super::picture::Said;
use super::spec::Head;
use super::text::number;
use cnnc_runtime::answer::{Task, Yolo3};
use std::collections::HashSet;

/// Numbers of a table that are computed in any case; more, if the file is large.
const SMALL: usize = 1 << 21;

/// Most layers behind the maps, and most maps.
const LAYERS: usize = 512;
const MAPS: usize = 8;

/// How a network ends.
pub(super) enum End {
    /// With a tail that is a head.
    Head(Tail),
    /// With boxes, it seems, in a form that no head has.
    Boxes,
    /// With something else.
    Other,
}

impl End {
    /// What is said of boxes that are not decoded; `said` is whether the file says that it finds some.
    pub fn undecoded(&self, said: bool) -> Option<String> {
        let why = match self {
            End::Head(tail) if tail.whole => return None,
            End::Head(_) => {
                "of what it finds in a picture boxes are decoded, and nothing else: masks or points are among the numbers that `--raw DIR/` writes"
            }
            End::Other if !said => return None,
            End::Boxes | End::Other => {
                "it ends with boxes in a form that no head has, so that they are not decoded; `--raw DIR/` writes its numbers"
            }
        };
        Some(why.to_owned())
    }
}

/// A tail that is a head.
pub(super) struct Tail {
    /// The tensor that it makes.
    pub table: Id,
    /// Whether the tensor holds nothing but the head's boxes; else its layers stay beside the head.
    pub whole: bool,
    /// Whether it has a row for each box rather than a column.
    pub turned: bool,
    /// What enters the head.
    pub maps: Vec<Id>,
    /// The head, by its keyword.
    pub keyword: &'static str,
    /// Its keys, besides maps and labels, a line each.
    pub keys: Vec<String>,
    /// Classes.
    pub classes: usize,
}

impl Tail {
    /// The head, with names for its classes if there is one for each.
    pub fn head(&self, said: &Said) -> Head {
        let mut keys = Vec::new();
        if let Some(labels) = &said.labels
            && said.names.is_none_or(|names| names == self.classes.max(1))
        {
            keys.push(format!("labels {labels}"));
        }
        keys.extend(self.keys.iter().cloned());
        Head {
            keyword: self.keyword,
            maps: self.maps.clone(),
            keys,
        }
    }
}

/// How a network with an input of these extents ends; `file` is the size of its file.
pub(super) fn find(net: &mut Net, outputs: &[Id], input: &[usize], file: usize) -> End {
    let &[_, height, width] = input else {
        return End::Other;
    };
    let size = (width as f32, height as f32);
    let mut end = End::Other;
    for &table in outputs {
        let Some(cut) = cut(net, table, [height, width]) else {
            continue;
        };
        if cut.resembles_boxes(net) {
            end = End::Boxes;
        }
        let Some((maps, task, turned)) = cut.task(net, size, file) else {
            continue;
        };
        let whole = cut.others(&maps).is_empty();
        let tail = |maps, keyword, keys, classes| Tail {
            table,
            whole,
            turned,
            maps,
            keyword,
            keys,
            classes,
        };
        match &task {
            Task::Yolo3(yolo) => {
                let maps = match yolo.squared {
                    true => logistic(net, outputs, table, &maps),
                    false => maps,
                };
                return End::Head(tail(maps, "yolo3", anchored(yolo, size), yolo.classes));
            }
            Task::Dfl(dfl) => {
                let keys = vec![format!("bins {}", dfl.bins)];
                return End::Head(tail(maps, "dfl", keys, dfl.classes));
            }
            _ => {}
        }
    }
    end
}

/// A tensor, the maps that it is made of, in the order in which it has them, and the layers between.
struct Cut {
    table: Id,
    maps: Vec<Id>,
    layers: Vec<Id>,
}

impl Cut {
    /// Maps with as many channels as the first has.
    fn own(&self, net: &Net) -> Vec<Id> {
        let channels = |id: Id| net.dims(id)[0];
        let maps = self.maps.iter().copied();
        maps.filter(|&map| channels(map) == channels(self.maps[0]))
            .collect()
    }

    /// Maps besides those.
    fn others(&self, own: &[Id]) -> Vec<Id> {
        let maps = self.maps.iter().copied();
        maps.filter(|map| !own.contains(map)).collect()
    }

    /// Whether the tensor has something for each cell of the maps, or for three anchors of it, that may be a box.
    fn resembles_boxes(&self, net: &Net) -> bool {
        let &[rows, columns] = net.dims(self.table) else {
            return false;
        };
        let mut sizes: Vec<&[usize]> = self.maps.iter().map(|&map| net.dims(map)).collect();
        sizes.sort_by(|a, b| a[1..].cmp(&b[1..]));
        sizes.dedup_by(|a, b| a[1..] == b[1..]);
        let cells = cells(&sizes);
        let each = |boxes: usize, numbers: usize| {
            numbers > BOX && (boxes == cells || boxes == cells.saturating_mul(3))
        };
        each(columns, rows) || each(rows, columns)
    }

    /// The maps that enter a head, what it makes the tensor's boxes of, and whether there is a row for each box rather than a column.
    fn task(&self, net: &Net, size: (f32, f32), file: usize) -> Option<(Vec<Id>, Task, bool)> {
        let &[rows, columns] = net.dims(self.table) else {
            return None;
        };
        let most = SMALL + file / 8;
        if rows.checked_mul(columns)? > most {
            return None;
        }
        let held = self.maps.iter().chain(&self.layers);
        let held = held.map(|&id| net.dims(id).iter().product::<usize>());
        if held.fold(0, usize::saturating_add) > 4 * most {
            return None;
        }
        let own = self.own(net);
        let others = self.others(&own);
        let dims: Vec<&[usize]> = own.iter().map(|&map| net.dims(map)).collect();
        // What stands behind the classes is of other maps, one beside each.
        let more = others.first().map_or(0, |&map| net.dims(map)[0]);
        let alike = others.iter().all(|&map| net.dims(map)[0] == more);
        if !alike || !others.is_empty() && others.len() != own.len() {
            return None;
        }
        let forms = [(rows, columns, false), (columns, rows, true)];
        let forms = forms.map(|(rows, columns, turned)| {
            let boxes = [rows.checked_sub(more)?, columns];
            distances(&dims, boxes).map(|_| (boxes, turned))
        });
        let anchored = others.is_empty() && anchors(&dims, [rows, columns]).is_some();
        if forms == [None; 2] && !anchored {
            return None;
        }
        let maps = [&own[..], &others[..]];
        let behind = Behind::new(net, self.table, maps, &self.layers, size)?;
        let mut forms = forms.into_iter().flatten();
        let found =
            forms.find_map(|(boxes, turned)| Some((behind.distances(boxes, turned)?, turned)));
        let found = match anchored {
            true => found.or_else(|| Some((behind.anchors([rows, columns])?, false))),
            false => found,
        };
        let (task, turned) = found?;
        Some((own, task, turned))
    }
}

/// The keys of a head with anchors; ultralytics' thresholds.
fn anchored(yolo: &Yolo3, (width, height): (f32, f32)) -> Vec<String> {
    let mut anchors = "anchors pixels".to_owned();
    let mut masks = "masks".to_owned();
    let mut at = 0;
    for map in yolo.maps.iter() {
        for (w, h) in map.anchors.iter() {
            anchors += &format!(" ({}, {})", number(w * width), number(h * height));
        }
        let end = at + map.anchors.len();
        let own: Vec<String> = (at..end).map(|anchor| anchor.to_string()).collect();
        masks += &format!(" ({})", own.join(", "));
        at = end;
    }
    let mut keys = vec![anchors];
    if yolo.maps.len() > 1 {
        keys.push(masks);
    }
    if yolo.squared {
        keys.push("stretch 2  squared".to_owned());
    }
    keys.push("keep 0.25".to_owned());
    keys
}

/// Cuts a network behind its maps.
fn cut(net: &Net, table: Id, size: [usize; 2]) -> Option<Cut> {
    let (mut maps, mut layers) = (Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    let mut open = vec![table];
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        // What comes of an input without a map on the way is no tail.
        let layer = net.values[id].layer.as_ref()?;
        if is_map(layer, net.dims(id), size) {
            maps.push(id);
        } else {
            layers.push(id);
            if layer.op != Op::Constant {
                open.extend(layer.operands.iter().rev());
            }
        }
        if maps.len() > MAPS || layers.len() > LAYERS {
            return None;
        }
    }
    layers.sort_unstable();
    let found = !maps.is_empty();
    found.then_some(Cut {
        table,
        maps,
        layers,
    })
}

/// Whether a layer makes a map of cells, each of which stands for a square of the input's pixels.
fn is_map(layer: &Layer, dims: &[usize], [height, width]: [usize; 2]) -> bool {
    let made = matches!(layer.op, Op::Conv(_) | Op::Concat(0) | Op::Affine);
    let &[channels, rows, columns] = dims else {
        return false;
    };
    let stride = height.checked_div(rows).unwrap_or(0);
    let square = stride > 1 && rows * stride == height && columns * stride == width;
    made && square && channels > BOX
}

/// Logistic maps, each beside its own: in the place of a layer that is not needed any more, if there is one.
fn logistic(net: &mut Net, outputs: &[Id], table: Id, maps: &[Id]) -> Vec<Id> {
    let mut needed: Vec<Id> = maps.to_vec();
    needed.extend(outputs.iter().filter(|&&output| output != table));
    let (live, _) = net.live(&needed);
    let mut made = Vec::new();
    for &map in maps {
        let value = Value {
            dims: net.dims(map).to_vec(),
            layer: Some(Layer {
                op: Op::Word("sigmoid"),
                operands: vec![map],
                params: Vec::new(),
                hint: Hint::default(),
            }),
        };
        let reads = |id: &Id| {
            let layer = net.values[*id].layer.as_ref();
            !live[*id] && layer.is_some_and(|layer| layer.operands.contains(&map))
        };
        let free = (map + 1..live.len()).find(reads);
        made.push(match free {
            Some(id) => {
                net.values[id] = value;
                id
            }
            None => {
                net.values.push(value);
                net.values.len() - 1
            }
        });
    }
    made
}
