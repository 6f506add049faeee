use super::order::crossings;
use super::place::distance;
use super::*;
use proptest::prelude::*;

/// Boxes do not touch, ranks stand below one another, bends keep clear of boxes.
fn check(plan: &Plan) -> Layout {
    let layout = layout(plan).expect("small");
    let rect = |node: usize| {
        let ((x, y), (w, h)) = (layout.nodes[node], plan.sizes[node]);
        (x - w / 2.0, y, x + w / 2.0, y + h)
    };
    for a in 0..plan.sizes.len() {
        let (left, top, right, bottom) = rect(a);
        assert!(left >= -1e-6 && right <= layout.width + 1e-6 && bottom <= layout.height + 1e-6);
        for b in 0..a {
            let other = rect(b);
            let apart = other.0 >= right || other.2 <= left || other.1 >= bottom || other.3 <= top;
            assert!(apart, "{a} and {b} overlap");
        }
    }
    for (&(from, to), bends) in plan.edges.iter().zip(&layout.bends) {
        assert!(layout.ranks[from] < layout.ranks[to]);
        assert_eq!(bends.len(), layout.ranks[to] - layout.ranks[from] - 1);
        for (bend, rank) in bends.iter().zip(layout.ranks[from] + 1..) {
            for node in 0..plan.sizes.len() {
                let (left, _, right, _) = rect(node);
                assert!(layout.ranks[node] != rank || *bend <= left || *bend >= right);
            }
        }
    }
    layout
}

fn plan(count: usize, edges: &[(usize, usize)]) -> Plan {
    Plan {
        sizes: vec![(100.0, 40.0); count],
        edges: edges.to_vec(),
        last: Vec::new(),
    }
}

#[test]
fn a_chain_is_straight() {
    let layout = check(&plan(4, &[(0, 1), (1, 2), (2, 3)]));
    assert!(layout.nodes.iter().all(|node| node.0 == layout.nodes[0].0));
    assert_eq!(layout.width, 100.0);
}

#[test]
fn the_main_path_is_straight_and_the_shortcut_goes_around() {
    let layout = check(&plan(5, &[(0, 1), (0, 4), (1, 2), (2, 3), (3, 4)]));
    assert!(layout.nodes.iter().all(|node| node.0 == layout.nodes[0].0));
    let bends = &layout.bends[1];
    assert!(bends.iter().all(|&x| x == bends[0]), "{bends:?}");
    assert!(bends[0] > layout.nodes[0].0 + 50.0);
}

#[test]
fn branches_stand_side_by_side_below_the_middle() {
    let edges: Vec<_> = (1..5).flat_map(|arm| [(0, arm), (arm, 5)]).collect();
    let layout = check(&plan(6, &edges));
    let arms = &layout.nodes[1..5];
    assert!(arms.windows(2).all(|pair| pair[0].0 + 100.0 < pair[1].0));
    let middle = (arms[0].0 + arms[3].0) / 2.0;
    assert_eq!([layout.nodes[0].0, layout.nodes[5].0], [middle; 2]);
}

#[test]
fn avoidable_crossings_are_avoided() {
    // Written crosswise: 0 feeds 3, 1 feeds 2.
    let plan = plan(5, &[(0, 3), (1, 2), (2, 4), (3, 4)]);
    let (mut layered, _) = layered(&plan, &ranks(&plan));
    order::order(&mut layered);
    assert_eq!(crossings(&layered), 0);
}

#[test]
fn what_is_too_large_is_refused() {
    let count = 1000;
    // Everybody reads everything: half a million arrows.
    let edges: Vec<_> = (0..count)
        .flat_map(|b| (0..b).map(move |a| (a, b)))
        .collect();
    assert!(layout(&plan(count, &edges)).is_none());
    assert!(layout(&Plan::default()).is_some());
}

cnnc_testing::properties! {
    fn random_graphs_are_drawn_without_overlaps(
        sizes in prop::collection::vec((0.0f64..200.0, 0.0f64..90.0), 1..24),
        picks in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..50),
    ) for 256 {
        let count = sizes.len();
        let mut edges: Vec<(usize, usize)> = picks
            .iter()
            .map(|(a, b)| (a.index(count), b.index(count)))
            .filter(|(a, b)| a < b)
            .collect();
        edges.sort_unstable();
        edges.dedup();
        let plan = Plan { sizes, edges, last: Vec::new() };
        check(&plan);
        let (mut layered, _) = layered(&plan, &ranks(&plan));
        order::order(&mut layered);
        let xs = place::place(&layered);
        for rank in &layered.ranks {
            for pair in rank.windows(2) {
                let apart = xs[pair[1]] - xs[pair[0]];
                prop_assert!(apart >= distance(&layered, pair[0], pair[1]) - 1e-6);
            }
        }
    }
}
