//! The arena over time: a rectangle for each tensor, as long as it lives, where it lies.

use super::escaped;
use crate::print;
use cnnc::bench::Memory;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 400.0;
/// Left, right, top, bottom.
const FRAME: [f64; 4] = [64.0, 940.0, 14.0, 300.0];
/// Most names of sections below the picture.
const NAMES: usize = 40;

/// The picture of what the memory plan says.
pub fn section(memory: &Memory) -> String {
    let [left, right, top, bottom] = FRAME;
    let sections = memory.sections.len().max(1);
    let width = (right - left) / sections as f64;
    let x = |section: usize| left + section as f64 * width;
    let y = |bytes: usize| bottom - bytes as f64 / memory.bytes.max(1) as f64 * (bottom - top);
    let alive = |time: usize| -> usize {
        let alive = memory.blocks.iter();
        let alive = alive.filter(|block| (block.first..=block.last).contains(&time));
        alive.map(|block| block.bytes).sum()
    };
    let most = (0..sections).map(alive).max().unwrap_or(0);
    let all: usize = memory.blocks.iter().map(|block| block.bytes).sum();
    let mut text = format!(
        "<h2>Memory over time</h2>\n<p>The arena of one image is {}. At most {} of it are alive at a time; without sharing, tensors would take {}. Blue are tensors, orange is memory that a layer works in.</p>\n\
         <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"Memory over time\">\n",
        print::bytes(memory.bytes),
        print::bytes(most),
        print::bytes(all),
    );
    for quarter in 0..=4 {
        let bytes = memory.bytes * quarter / 4;
        text += &format!(
            "<path class=\"g\" d=\"M{left} {0:.1}H{right}\"/><text class=\"t\" x=\"{1}\" y=\"{2:.1}\" text-anchor=\"end\">{3}</text>\n",
            y(bytes),
            left - 6.0,
            y(bytes) + 4.0,
            print::bytes(bytes)
        );
    }
    for block in &memory.blocks {
        let (x0, x1) = (x(block.first), x(block.last + 1));
        let (y0, y1) = (y(block.offset + block.bytes), y(block.offset));
        // What a layer makes is read by another.
        let scratch = block.first == block.last;
        let class = if scratch { "s" } else { "b" };
        let (name, size) = (escaped(&block.name), print::bytes(block.bytes));
        text += &format!(
            "<rect class=\"{class}\" x=\"{x0:.1}\" y=\"{y0:.1}\" width=\"{:.1}\" height=\"{:.1}\"><title>{name}: {size}, at {}</title></rect>\n",
            x1 - x0,
            y1 - y0,
            print::bytes(block.offset)
        );
        let fits = 6.8 * block.name.chars().count() as f64 + 8.0 < x1 - x0 && y1 - y0 > 15.0;
        if fits {
            let middle = (y0 + y1) / 2.0 + 4.0;
            text += &format!(
                "<text x=\"{:.1}\" y=\"{middle:.1}\">{name}</text>\n",
                x0 + 5.0
            );
        }
    }
    for (index, label) in memory
        .sections
        .iter()
        .enumerate()
        .step_by(sections.div_ceil(NAMES))
    {
        let (at, down) = (x(index) + width / 2.0 + 3.0, bottom + 10.0);
        let short: String = label.chars().take(22).collect();
        text += &format!(
            "<text class=\"t\" transform=\"translate({at:.1} {down}) rotate(-55)\" text-anchor=\"end\">{}</text>\n",
            escaped(&short)
        );
    }
    text + "</svg>\n"
}
