//! How a convolution is computed: by which algorithm, with which tiles, in which order.
//!
//! A schedule is data. [`candidates`] lists those that a convolution has, [`cost`] estimates one, [`choose`] takes the cheapest, and
//! [`Lower::convolve`](super::Lower::convolve) prints it as loops. The algorithm and the order of sums depend on shapes, instruction set and
//! arithmetic only, and in training steps on the number of images: whatever else a schedule says changes who computes an output and when, never its bits.

use super::Arithmetic;
use super::blocks::{Blocks, PRODUCTS};
use super::job::ConvJob;
use super::tiling::{Band, LONG, Row, bands, long_panel, panel, widths};
use crate::layer::conv::is_depthwise;
use crate::target::Machine;
use cnnc_runtime::kernel::winograd::Form;

/// Panels whose weights are expanded at once, each with memory of its own: there is enough for so many threads.
pub const EXPANDED_AT_ONCE: usize = 4;

/// A way to compute a convolution.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// Each channel by itself, rows in so many parts.
    Depthwise {
        /// Parts of the rows.
        cut: usize,
    },
    /// One multiply-add for each weight and output.
    Direct(Direct),
    /// Winograd's algorithm.
    Winograd(Winograd),
}

/// A direct convolution.
#[derive(Clone, Debug, PartialEq)]
pub struct Direct {
    /// Output channels in panels.
    pub bands: Vec<Band>,
    /// Whether sums are so long that they are made of blocks.
    pub long: bool,
    /// What is outermost.
    pub order: Order,
}

/// The outermost loop of a direct convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Panels: each is read once, and the operand for each of them.
    Panels,
    /// So many blocks of pixels: the operand is read once, and all panels for each block.
    Blocks(usize),
}

/// Winograd's convolution.
#[derive(Clone, Debug, PartialEq)]
pub struct Winograd {
    /// For which filters.
    pub form: Form,
    /// Output channels in panels.
    pub bands: Vec<Band>,
    /// Blocks of tiles.
    pub blocks: Blocks,
    /// Panels whose products are in memory at the same time, at most.
    pub together: usize,
    /// Whether the parts of every block are shared among threads, instead of the blocks.
    pub shared: bool,
    /// Input channels whose weights are transformed at a time while the network runs; `None` where they are packed as they are needed.
    pub expand: Option<usize>,
}

/// An estimate. Cycles decide, between equal ones traffic, then whether threads can share it.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Cost {
    /// Cycles of one core.
    pub cycles: f64,
    /// Floats that are read from beyond the level-2 cache.
    pub traffic: usize,
    /// Whether threads cannot share it although there is enough for them.
    pub serial: bool,
}

/// The schedules that a convolution has, the plainest first.
pub fn candidates(job: &ConvJob, machine: &Machine, arithmetic: Arithmetic) -> Vec<Schedule> {
    let [_, rows, _] = job.output.dhw;
    if is_depthwise(job.groups, job.input.channels, job.output.channels) && job.depth() <= LONG {
        let weights = job.depth() * job.output.channels;
        let cut = machine.blocks((rows, 1), 1, weights, job.sums());
        return vec![Schedule::Depthwise { cut }];
    }
    let mut candidates = direct(job, machine);
    let form = job.form().filter(|_| arithmetic == Arithmetic::Fast);
    if let Some(form) = form {
        candidates.push(Schedule::Winograd(winograd(job, form, machine, None)));
        candidates.extend(expanding(job, form, machine).map(Schedule::Winograd));
    }
    candidates
}

fn direct(job: &ConvJob, machine: &Machine) -> Vec<Schedule> {
    let (grid, cout) = (job.grid(), job.output.channels / job.groups);
    let nr = |order| match grid.long {
        true => long_panel(grid.pixels.count),
        false => panel(machine, grid.row(), cout, order == Order::Panels),
    };
    let wanted = job.operand().div_ceil(machine.near / 2);
    let weights = job.depth() * cout;
    let cut = machine.blocks(grid.cuttable(), wanted, weights, job.sums());
    let mut orders = Vec::new();
    // A block of rows is of one image: it would read the weights for each.
    if !job.is_merged() || grid.is_flat() {
        orders.push(Order::Blocks(cut));
    }
    if job.groups == 1 {
        orders.push(Order::Panels);
    }
    let schedule = |order| {
        Schedule::Direct(Direct {
            bands: bands(machine.isa, cout, nr(order)),
            long: grid.long,
            order,
        })
    };
    orders.into_iter().map(schedule).collect()
}

/// The schedules that are worth a measurement: the candidates, and behind them the same with panels of every other width.
pub fn trials(job: &ConvJob, machine: &Machine, candidates: &[Schedule]) -> Vec<Schedule> {
    let cout = job.output.channels / job.groups;
    let mut trials = candidates.to_vec();
    for nr in widths(machine.isa).filter(|nr| (nr - 1) * machine.lanes() < cout) {
        for candidate in candidates {
            let other = match candidate {
                Schedule::Direct(direct) if !direct.long => Schedule::Direct(Direct {
                    bands: bands(machine.isa, cout, nr),
                    ..direct.clone()
                }),
                Schedule::Winograd(Winograd {
                    form, expand: None, ..
                }) => Schedule::Winograd(winograd(job, *form, machine, Some(nr))),
                _ => continue,
            };
            if !trials.contains(&other) {
                trials.push(other);
            }
        }
    }
    trials
}

/// Winograd's convolution, in panels of so many vectors or of those that it takes the fewest cycles with.
fn winograd(job: &ConvJob, form: Form, machine: &Machine, nr: Option<usize>) -> Winograd {
    let cout = job.output.channels;
    let blocks = Blocks::new(job, form, machine);
    let shared = blocks.count < machine.few_blocks;
    // Products are an odd number of lines apart.
    let row = Row {
        pixels: blocks.tiles,
        apart: 0,
    };
    let nr = nr.unwrap_or_else(|| panel(machine, row, cout, shared));
    let (bands, block) = (bands(machine.isa, cout, nr), nr * machine.lanes());
    Winograd {
        form,
        together: (machine.near / (PRODUCTS * blocks.tiles * block)).max(1),
        bands,
        shared,
        blocks,
        expand: None,
    }
}

/// Winograd's convolution in blocks of whole pictures, whose plain weights are a quarter of the transformed ones to read. Those of 5×5 taps are 25 of 36,
/// which is not worth it.
fn expanding(job: &ConvJob, form: Form, machine: &Machine) -> Option<Winograd> {
    let [few, many] = machine.expand_tiles;
    let (cin, cout) = (job.input.channels, job.output.channels);
    let one = Blocks::whole(job, form, 1).tiles;
    let each = match job.is_merged() {
        true => (machine.merged_tiles / one).clamp(1, job.output.images),
        false => 1,
    };
    let blocks = Blocks::whole(job, form, each);
    let many = if each > 1 { machine.merged_tiles } else { many };
    let (nr, depth) = (2, EXPANDED);
    let fits = form == Form::Three
        && (few..=many).contains(&blocks.tiles)
        && PRODUCTS * cin * cout > 2 * machine.far
        && cin.is_multiple_of(depth)
        && cout.is_multiple_of(nr * machine.lanes());
    fits.then(|| Winograd {
        form,
        bands: bands(machine.isa, cout, nr),
        blocks,
        together: 1,
        shared: true,
        expand: Some(depth),
    })
}

/// Input channels whose weights are transformed at a time: with 36 products of a panel of two vectors they take half of the level-2 cache.
const EXPANDED: usize = 64;

/// What a schedule is estimated to cost.
pub fn cost(job: &ConvJob, schedule: &Schedule, machine: &Machine) -> Cost {
    let [_, height, width] = job.output.dhw;
    let (cin, cout) = (job.input.channels, job.output.channels);
    let lanes = machine.lanes() as f64;
    let enough = job.sums() >= machine.serial_sums;
    match schedule {
        Schedule::Depthwise { cut } => Cost {
            cycles: job.sums() as f64 / lanes,
            traffic: job.operand(),
            serial: *cut == 1 && enough,
        },
        Schedule::Direct(direct) => {
            let pixels = job.pixels() as f64;
            let vectors = (cout as f64 / lanes).ceil();
            let weights = job.depth() * cout / job.groups;
            let sums = job.depth() as f64 / machine.issue + machine.direct_entering;
            Cost {
                cycles: (pixels * vectors * sums).max(machine.reading(weights)),
                traffic: traffic(job, direct, machine),
                serial: match direct.order {
                    Order::Blocks(cut) => cut == 1 && enough,
                    Order::Panels => direct.bands.iter().all(|band| band.panels == 1),
                },
            }
        }
        Schedule::Winograd(Winograd {
            form,
            blocks,
            expand,
            ..
        }) => {
            let [rows, columns] = [height, width].map(|extent| extent.div_ceil(form.outputs()));
            let tiles = job.output.images * rows * columns;
            let tiles = tiles as f64;
            let (ins, outs) = ((cin as f64 / lanes).ceil(), (cout as f64 / lanes).ceil());
            let weights = PRODUCTS * cin * cout;
            let sums = cin as f64 / machine.issue + machine.product_entering;
            let products = PRODUCTS as f64 * tiles * outs * sums;
            let count = blocks.count as f64;
            let (reading, expanding) = match expand {
                Some(_) => (0.0, cin as f64 * outs * machine.expanding * count),
                None => (machine.reading(weights) * count, 0.0),
            };
            // Images are merged in training steps.
            let packing = match job.is_merged() {
                true => packing(job, schedule, machine),
                false => 0.0,
            };
            let [input, output] = machine.transforms_of(*form);
            let transforms = tiles * (input * ins + output * outs);
            Cost {
                cycles: (products.max(reading) + transforms + expanding + packing) / machine.trust,
                traffic: weights * blocks.count,
                serial: false,
            }
        }
    }
}

/// Cycles of packing weights once, beyond what packing plain ones takes: a part of each training step.
pub fn packing(job: &ConvJob, schedule: &Schedule, machine: &Machine) -> f64 {
    let vectors = job.output.channels.div_ceil(machine.lanes());
    match schedule {
        Schedule::Winograd(Winograd {
            form, expand: None, ..
        }) => (job.input.channels * vectors) as f64 * machine.packing_of(*form),
        _ => 0.0,
    }
}

/// What is re-read decides the order: the operand for every panel, or the panels for every block of pixels.
fn traffic(job: &ConvJob, direct: &Direct, machine: &Machine) -> usize {
    let weights = job.depth() * job.output.channels / job.groups;
    let operand = job.operand();
    match direct.order {
        Order::Blocks(_) if weights <= machine.near => operand,
        Order::Blocks(cut) => weights * cut,
        Order::Panels if operand <= machine.near => weights,
        Order::Panels => operand * direct.bands.iter().map(|band| band.panels).sum::<usize>(),
    }
}

/// The cheapest of the candidates, the first of equal ones.
pub fn choose<'a>(job: &ConvJob, machine: &Machine, candidates: &'a [Schedule]) -> &'a Schedule {
    let cost = |schedule: &Schedule| cost(job, schedule, machine);
    candidates
        .iter()
        .min_by(|a, b| cost(a).partial_cmp(&cost(b)).expect("costs are numbers"))
        .expect("there is always a plain one")
}
