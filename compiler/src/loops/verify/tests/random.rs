//! Random small programs: layers over tensors of a few places, as lowering writes them and a little different.
//!
//! Nearly half of them are sound. The others break every rule, some of them in a single element of a single iteration.

use super::build::*;
use crate::id::Id;
use crate::loops::*;
use cnnc_runtime::kernel::bits;

/// Numbers of the type that strides and counts have.
pub struct Random(cnnc_testing::Random);

impl Random {
    /// The numbers of that seed.
    pub fn of(seed: u64) -> Random {
        Random(cnnc_testing::Random(seed << 20))
    }

    pub fn below(&mut self, bound: i64) -> i64 {
        self.0.below(bound.max(1) as usize) as i64
    }

    pub fn chance(&mut self, percent: i64) -> bool {
        self.below(100) < percent
    }
}

/// One dimension of a layer: how often, by how much each tensor moves, and whether a loop does it.
#[derive(Clone)]
struct Dim {
    count: i64,
    strides: [i64; 2],
    var: Option<VarId>,
    parallel: bool,
}

struct Generator {
    random: Random,
    build: Build,
    /// Extents of all tensors.
    extents: [i64; 3],
    /// Chance, in percent, that a number is another one than it should be.
    wild: i64,
}

/// The program of that seed.
pub fn program(seed: u64) -> Program {
    let mut random = Random::of(seed);
    let extents = [
        1 + random.below(4),
        1 + random.below(5),
        1 + random.below(3),
    ];
    let elements = extents.iter().product::<i64>() as usize;
    let tensors = 2 + random.below(3) as usize;
    let room = elements + random.below(3) as usize;
    let wild = [0, 1, 3][random.below(3) as usize];
    let mut generator = Generator {
        random,
        build: build(tensors * room + 2),
        extents,
        wild,
    };
    generator.layers(tensors, room, elements);
    generator.build.0
}

impl Generator {
    fn layers(&mut self, tensors: usize, room: usize, elements: usize) {
        let input = self.build.buffer("input", Place::Input(0), elements);
        let crowded = self.random.chance(20);
        // One of them may stay from run to run, as in a training step: it is there before anything has written it.
        let kept = self.random.below(3 * tensors as i64) as usize;
        let inner: Vec<BufferId> = (0..tensors)
            .map(|index| {
                if index == kept {
                    return self.build.buffer("state", Place::State(0), elements);
                }
                let place = match crowded {
                    true => self.random.below((tensors * room - elements) as i64 + 1) as usize,
                    false => index * room,
                };
                self.build.buffer("tensor", Place::Arena(place), elements)
            })
            .collect();
        let output = self.build.buffer("output", Place::Output(0), elements);
        let mut known = match inner.get(kept) {
            Some(&state) if self.random.chance(50) => state,
            _ => input,
        };
        for _ in 0..1 + self.random.below(3) {
            let mut other = || {
                // Once in a while what is read is written.
                let choice: Vec<BufferId> =
                    inner.iter().copied().filter(|&id| id != known).collect();
                match self.random.chance(4) {
                    true => known,
                    false => choice[self.random.below(choice.len() as i64) as usize],
                }
            };
            let (next, scratch) = (other(), other());
            known = self.layer(next, known, scratch);
        }
        let scratch = inner.iter().copied().find(|&id| id != known);
        self.layer(output, known, scratch.unwrap_or(known));
    }

    /// Emits a section that writes `to`, mostly all of it, and says what may be read next.
    fn layer(&mut self, to: BufferId, from: BufferId, scratch: BufferId) -> BufferId {
        let mut parts = vec![self.dims()];
        if self.random.chance(35) {
            parts = self.halves(parts.remove(0));
        }
        let mut body = Vec::new();
        for (start, dims) in parts {
            body.extend(self.nest(start, &dims, [to, from], scratch));
        }
        if self.random.chance(5) {
            let (a, b) = (
                self.random.below(body.len() as i64),
                self.random.below(body.len() as i64),
            );
            body.swap(a as usize, b as usize);
        }
        self.build.section("layer", body);
        to
    }

    /// The dimensions of a whole tensor, outermost first; some are loops.
    fn dims(&mut self) -> (i64, Vec<Dim>) {
        let [a, b, c] = self.extents;
        let mut dims: Vec<Dim> = Vec::new();
        let mut parallel = self.random.chance(50);
        for (count, stride) in [(a, b * c), (b, c), (c, 1)] {
            // A dimension may be cut in two, chunks and what is in them.
            let chunks = match count % 2 == 0 && self.random.chance(30) {
                true => vec![(2, stride * count / 2), (count / 2, stride)],
                false => vec![(count, stride)],
            };
            for (count, stride) in chunks {
                let var = self.random.chance(45).then(|| {
                    self.build.0.vars += 1;
                    VarId::new(self.build.0.vars - 1)
                });
                dims.push(Dim {
                    count,
                    strides: [stride; 2],
                    var,
                    parallel: var.is_some() && std::mem::take(&mut parallel),
                });
            }
        }
        // Loops may be nested in another order than places.
        if self.random.chance(30) {
            let (i, j) = (
                self.random.below(dims.len() as i64),
                self.random.below(dims.len() as i64),
            );
            dims.swap(i as usize, j as usize);
        }
        (0, dims)
    }

    /// The same in two parts, one behind the other along a dimension, or every second one.
    fn halves(&mut self, (start, dims): (i64, Vec<Dim>)) -> Vec<(i64, Vec<Dim>)> {
        let at = self.random.below(dims.len() as i64) as usize;
        let Dim {
            count,
            strides: [stride, _],
            ..
        } = dims[at];
        if count < 2 {
            return vec![(start, dims)];
        }
        let (mut first, mut second) = (dims.clone(), dims);
        let second_start = if self.random.chance(40) {
            for (dims, count) in [(&mut first, (count + 1) / 2), (&mut second, count / 2)] {
                dims[at].count = count;
                dims[at].strides = [2 * stride; 2];
            }
            stride
        } else {
            let cut = 1 + self.random.below(count - 1);
            (first[at].count, second[at].count) = (cut, count - cut);
            cut * stride
        };
        for dim in second.iter_mut().filter(|dim| dim.var.is_some()) {
            self.build.0.vars += 1;
            dim.var = Some(VarId::new(self.build.0.vars - 1));
        }
        vec![(start, first), (second_start, second)]
    }

    /// The loops of a part around its calls.
    fn nest(
        &mut self,
        start: i64,
        dims: &[Dim],
        [to, from]: [BufferId; 2],
        scratch: BufferId,
    ) -> Vec<Stmt> {
        let mut calls = match self.random.below(6) {
            // Through scratch memory, all of the tensor or what one iteration needs of it.
            0 => {
                let mut there = dims.to_vec();
                if self.random.chance(50) {
                    for dim in there
                        .iter_mut()
                        .filter(|dim| dim.var.is_some() && !dim.parallel)
                    {
                        dim.strides = [0, dim.strides[1]];
                    }
                }
                let mut back = there.clone();
                for (back, dim) in back.iter_mut().zip(dims) {
                    back.strides = [dim.strides[0], back.strides[0]];
                }
                vec![
                    self.copy(start, &there, [scratch, from]),
                    self.copy(start, &back, [to, scratch]),
                ]
            }
            // Then changed in place.
            1 => vec![
                self.copy(start, dims, [to, from]),
                self.map(start, dims, to),
            ],
            // Part of it with another value first.
            2 => vec![
                self.fill(start, dims, to),
                self.copy(start, dims, [to, from]),
            ],
            _ => vec![self.copy(start, dims, [to, from])],
        };
        if self.random.chance(2) {
            calls.reverse();
        }
        let mut body = calls;
        for dim in dims.iter().rev() {
            let Some(var) = dim.var else { continue };
            let trip = self.wildly(dim.count).max(0) as u32;
            let parallel = dim.parallel;
            body = vec![Stmt::For(For {
                var,
                trip,
                parallel,
                body,
            })];
        }
        // Parallel loops stand outermost.
        if let [Stmt::For(outer)] = &mut body[..] {
            serial(&mut outer.body);
        }
        body
    }

    /// The number, or one that is a little different.
    fn wildly(&mut self, number: i64) -> i64 {
        if !self.random.chance(self.wild) {
            return number;
        }
        match self.random.below(5) {
            0 => number + 1,
            1 => number - 1,
            2 => 2 * number,
            3 => -number,
            _ => 0,
        }
    }

    fn access(
        &mut self,
        buffer: BufferId,
        start: i64,
        dims: &[Dim],
        tensor: usize,
    ) -> Option<Access> {
        let base = self.wildly(start);
        let mut terms = Vec::new();
        for dim in dims {
            if let Some(var) = dim.var {
                terms.push((var, self.wildly(dim.strides[tensor])));
            }
        }
        to(buffer, base, &terms)
    }

    fn copy(&mut self, start: i64, dims: &[Dim], buffers: [BufferId; 2]) -> Stmt {
        let args = [0, 1].map(|tensor| self.access(buffers[tensor], start, dims, tensor));
        let mut inner = Vec::new();
        for dim in dims.iter().filter(|dim| dim.var.is_none()) {
            inner.push(
                [dim.count, dim.strides[0], dim.strides[1]].map(|number| self.wildly(number)),
            );
        }
        // More than the kernel has are left out, which is one more way to be wrong.
        inner.truncate(5);
        let [out, from] = args;
        copy(out, from, &inner)
    }

    fn map(&mut self, start: i64, dims: &[Dim], buffer: BufferId) -> Stmt {
        let args = [0, 0].map(|_| self.access(buffer, start, dims, 0));
        let mut inner: Vec<(i64, i64)> = dims
            .iter()
            .filter(|dim| dim.var.is_none())
            .map(|dim| (dim.count, dim.strides[0]))
            .collect();
        let run = match inner.last() {
            Some(&(count, 1)) => {
                inner.pop();
                count
            }
            _ => 1,
        };
        inner.resize(2, (1, 0));
        let mut consts = Vec::new();
        for (count, stride) in inner {
            consts.extend([count, stride, stride].map(|number| self.wildly(number)));
        }
        consts.extend([run, 1, 2, bits(0.0)]);
        call("f32_map", &args, &consts)
    }

    fn fill(&mut self, start: i64, dims: &[Dim], buffer: BufferId) -> Stmt {
        let out = self.access(buffer, start, dims, 0);
        let mut consts = Vec::new();
        for dim in dims.iter().filter(|dim| dim.var.is_none()).take(3) {
            consts.extend([dim.count, dim.strides[0]].map(|number| self.wildly(number)));
        }
        consts.resize(6, 1);
        consts.extend([1, bits(0.0)]);
        call("f32_fill", &[out], &consts)
    }
}

fn serial(body: &mut [Stmt]) {
    for stmt in body {
        if let Stmt::For(inner) = stmt {
            inner.parallel = false;
            serial(&mut inner.body);
        }
    }
}
