//! What every window shows, as text: in its place, or the surest ones.

use crate::print;
use cnnc::rt::answer::Head;
use cnnc::sliding::WindowMap;
use serde_json::{Value, json};

/// Most columns of windows that are shown as a grid.
const GRID: usize = 16;

/// The most probable class of every window.
pub struct Map<'a> {
    head: &'a Head,
    map: &'a WindowMap,
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
    pub fn new(head: &'a Head, map: &'a WindowMap) -> Map<'a> {
        let window = |at: usize| {
            let ((x, y), (class, probability)) = (map.corner(at), map.best(at));
            Window {
                x,
                y,
                class,
                probability,
            }
        };
        let windows = (0..map.windows()).map(window).collect();
        Map { head, map, windows }
    }

    /// For tools: a list.
    pub fn to_json(&self) -> Value {
        let windows = self.windows.iter().map(|window| {
            json!({
                "x": window.x, "y": window.y, "class": window.class,
                "label": self.label(window.class), "probability": window.probability,
            })
        });
        Value::Array(windows.collect())
    }

    fn label(&self, class: usize) -> String {
        self.head.label(class).into_owned()
    }

    /// For people.
    pub fn to_text(&self) -> String {
        if self.map.positions[1] <= GRID {
            self.grid()
        } else {
            self.peaks()
        }
    }

    /// Every window in its place: class and probability.
    fn grid(&self) -> String {
        let columns = self.map.positions[1];
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
        let (height, width) = (self.map.window[0], self.map.window[1]);
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
