//! Which buffers share memory, by the sweep and by pairs.

use super::build::*;
use super::random::Random;
use crate::loops::verify::reach;
use crate::loops::verify::sharing::sharing;
use crate::loops::*;

/// Tensors anywhere in a small arena, each written a few times, in some order.
fn program(random: &mut Random) -> Program {
    let mut b = build(24);
    let mut buffers: Vec<BufferId> = (0..2 + random.below(6))
        .map(|_| {
            let len = random.below(8);
            let place = random.below(24 - len + 1) as usize;
            b.buffer("tensor", Place::Arena(place), len as usize)
        })
        .collect();
    for index in [0, 0, 1] {
        buffers.push(b.buffer("output", Place::Output(index), 4));
    }
    for _ in 0..random.below(14) {
        let out = buffers[random.below(buffers.len() as i64) as usize];
        // All of a buffer that is not empty.
        let len = b.0.buffers[out].len as i64;
        let write = fill(to(out, 0, &[]), (1, 0), len);
        let write = match random.chance(30) {
            true => b.repeat(2, false, |_, _| vec![write]),
            false => write,
        };
        b.section("layer", vec![write]);
    }
    b.0
}

/// The buffer that the section of that number writes.
fn written(program: &Program, section: usize) -> BufferId {
    let mut stmt = &program.sections[section].body[0];
    loop {
        match stmt {
            Stmt::For(inner) => stmt = &inner.body[0],
            Stmt::Call(call) => return call.args[0].as_ref().expect("an output").buffer,
        }
    }
}

/// First and last section that writes something to the buffer; an output is looked at in the end, too.
fn life(program: &Program, id: BufferId) -> Option<(usize, usize)> {
    let sections = 0..program.sections.len();
    let mut uses =
        sections.filter(|&section| written(program, section) == id && program.buffers[id].len > 0);
    let first = uses.next()?;
    let last = uses.next_back().unwrap_or(first);
    match program.buffers[id].place {
        Place::Output(_) => Some((first, usize::MAX)),
        _ => Some((first, last)),
    }
}

fn by_pairs(program: &Program, a: BufferId, b: BufferId) -> Option<i64> {
    let range = |id: BufferId| match program.buffers[id].place {
        Place::Arena(at) => (0, at as i64..(at + program.buffers[id].len) as i64),
        Place::Output(index) => (1 + index, 0..program.buffers[id].len as i64),
        Place::Input(_)
        | Place::Weights
        | Place::Param(_)
        | Place::State(_)
        | Place::Between { .. } => {
            unreachable!("there are none")
        }
    };
    let ((space, ours), (other_space, others)) = (range(a), range(b));
    let (life, other_life) = (life(program, a)?, life(program, b)?);
    let together = life.0 <= other_life.1 && other_life.0 <= life.1;
    let meet = space == other_space && ours.clone().any(|address| others.contains(&address));
    (a != b && together && meet).then_some(ours.start - others.start)
}

#[test]
fn the_sweep_finds_all_pairs() {
    let mut pairs = 0;
    for seed in 0..2000 {
        let program = program(&mut Random::of(seed));
        let shape = reach::analyse(&program).expect("in bounds");
        let found = sharing(&program, &shape, &mut 1000).expect("small");
        for a in program.buffers.ids() {
            let mut found = found.with(a).to_vec();
            found.sort_unstable();
            let ids = program.buffers.ids();
            let wanted = ids.filter_map(|b| Some((b, by_pairs(&program, a, b)?)));
            assert_eq!(
                found,
                wanted.collect::<Vec<_>>(),
                "seed {seed}, {a}:\n{program}"
            );
            pairs += found.len();
        }
    }
    assert!(pairs > 1000, "{pairs} pairs are too few to mean anything");
}

/// As many buffers as are written one after the other in the same place, or side by side, cost no more than one look each.
#[test]
fn buffers_that_never_meet_cost_nothing() {
    for apart in [0, 4] {
        let n = 1000;
        let mut b = build(4 + apart * n);
        for index in 0..n {
            let buffer = b.buffer("tensor", Place::Arena(apart * index), 4);
            b.section("layer", vec![fill(to(buffer, 0, &[]), (1, 0), 4)]);
        }
        let shape = reach::analyse(&b.0).expect("in bounds");
        let mut effort = 10_000;
        assert!(sharing(&b.0, &shape, &mut effort).is_ok());
        assert!(effort >= 10_000 - n as u64, "{effort} left");
    }
    // All at once in the same place, on the other hand, are pairs.
    let mut b = build(4);
    let writes: Vec<Stmt> = (0..100)
        .map(|_| {
            let buffer = b.buffer("tensor", Place::Arena(0), 4);
            fill(to(buffer, 0, &[]), (1, 0), 4)
        })
        .collect();
    let all = b.repeat(2, false, |_, _| writes);
    b.section("layer", vec![all]);
    let shape = reach::analyse(&b.0).expect("in bounds");
    assert!(sharing(&b.0, &shape, &mut 4950).is_ok());
    assert!(sharing(&b.0, &shape, &mut 4949).is_err());
}

/// Neighbours that are all in use to the end are not compared with one another, nor are pairs that meet with the pairs before.
#[test]
fn crowds_are_forgotten() {
    let n = 1000;
    let effort = |program: &Program| {
        let shape = reach::analyse(program).expect("in bounds");
        let mut effort = 10_000;
        assert!(sharing(program, &shape, &mut effort).is_ok());
        10_000 - effort
    };
    let write = |buffer: BufferId| fill(to(buffer, 0, &[]), (1, 0), 4);
    let mut b = build(4 * n);
    let buffers: Vec<BufferId> = (0..n)
        .map(|index| b.buffer("tensor", Place::Arena(4 * index), 4))
        .collect();
    for _ in 0..2 {
        for &buffer in &buffers {
            b.section("layer", vec![write(buffer)]);
        }
    }
    assert_eq!(effort(&b.0), 0);
    let mut b = build(4);
    for _ in 0..n {
        let pair = [0, 1].map(|_| b.buffer("tensor", Place::Arena(0), 4));
        let both = b.repeat(2, false, |_, _| pair.map(write).to_vec());
        b.section("layer", vec![both]);
    }
    assert!(effort(&b.0) <= 3 * n as u64);
}
