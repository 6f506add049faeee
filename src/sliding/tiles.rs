//! Parts of a picture that are answered in one pass each.

use crate::Network;
use cnnc_runtime::image::PreProcess;

/// A network for a part of a picture, or for all of it.
pub(super) struct Tile {
    /// Windows of the picture, down and along.
    pub of: [usize; 2],
    /// Windows of a part.
    pub windows: [usize; 2],
    /// What makes a part the input.
    pub pre: PreProcess,
    /// Multiply-adds of a pass.
    pub macs: u64,
    /// Memory that a pass takes.
    pub bytes: usize,
    pub network: Network,
}

/// Where parts of `each` windows begin that cover `all`: the last one ends where the picture does, and may answer windows once more.
pub(super) fn parts(all: usize, each: usize) -> Vec<usize> {
    let starts = (0..all.div_ceil(each)).map(|part| part * each);
    starts.map(|start| start.min(all - each)).collect()
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn parts_cover_all_and_end_inside() {
        assert_eq!(parts(10, 10), [0]);
        assert_eq!(parts(10, 4), [0, 4, 6]);
        assert_eq!(parts(8, 4), [0, 4]);
        assert_eq!(parts(3, 1), [0, 1, 2]);
    }
}
