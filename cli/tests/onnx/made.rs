//! Files of one node, byte by byte: with extents that are open, and operators that there is no layer of.

use cnnc_testing::message::{number, part};

/// A tensor of f32 and its extents; 0 is one that is open.
fn value(name: &str, dims: &[u64]) -> Vec<u8> {
    let extent = |&n: &u64| match n {
        0 => part(1, part(2, "n")),
        n => part(1, number(1, n)),
    };
    let shape: Vec<u8> = dims.iter().flat_map(extent).collect();
    let tensor = [number(1, 1), part(2, shape)].concat();
    [part(1, name), part(2, part(1, tensor))].concat()
}

/// `y = OPERATOR(x)` of those extents.
pub fn node(operator: &str, dims: &[u64]) -> Vec<u8> {
    let node = [
        part(1, "x"),
        part(2, "y"),
        part(3, "/first"),
        part(4, operator),
    ];
    let graph = [
        part(1, node.concat()),
        part(2, "net"),
        part(11, value("x", dims)),
        part(12, value("y", dims)),
    ];
    let set = number(2, 17);
    [number(1, 8), part(7, graph.concat()), part(8, set)].concat()
}
