//! Every kernel on every ISA of this machine against its twin, and every twin against its footprint.
//!
//! Memory outside the footprints is poisoned: a twin that reads there changes its results with the
//! poison, and a kernel that writes there changes the poison.

use cnnc_runtime::Isa;
use cnnc_runtime::kernel::{Footprint, KERNELS, Kernel, KernelFn, KernelId, MAX_ARGS, Step, bits};
use cnnc_testing::Random;

mod long;
mod sample;
use sample::{CASES, Draw, sample};

/// What every element holds that nobody may read, and that only the output's footprint may lose.
const CANARY: f32 = f32::from_bits(0x7fc0_cafe);

/// Elements of poison around each argument.
const GUARD: usize = 40;

/// Those that this machine has.
fn isas() -> impl Iterator<Item = Isa> {
    Isa::ALL
        .into_iter()
        .filter(|isa| cnnc_testing::has(isa.available(), isa))
}

/// The entry of the kernel of that name.
fn entry(name: &str, isa: Isa) -> KernelFn {
    let kernel = KernelId::find(name).expect("a kernel").row();
    (kernel.entry)(isa).expect("an entry")
}

#[test]
fn every_entry_is_its_twin() {
    for isa in isas() {
        for kernel in KERNELS {
            let Some(entry) = (kernel.entry)(isa) else {
                continue;
            };
            for case in 0..CASES {
                let consts = sample(kernel, isa, case);
                let layout = Layout::new(kernel, isa, &consts);
                check(kernel, isa, &consts, &layout, entry);
                for arg in 1..kernel.signature.args.len() {
                    if kernel.signature.in_place(arg)
                        && let Some(layout) = layout.in_place(arg)
                    {
                        check(kernel, isa, &consts, &layout, entry);
                    }
                }
            }
        }
    }
}

#[test]
fn every_isa_has_every_kernel_but_the_tiles_it_lacks_registers_for() {
    for isa in isas() {
        for kernel in KERNELS {
            let tile = kernel.name.strip_prefix("f32_conv_").is_none_or(|tile| {
                cnnc_runtime::kernel::conv_tiles(isa)
                    .iter()
                    .any(|(mr, nr)| tile == format!("{mr}x{nr}v"))
            });
            assert_eq!((kernel.entry)(isa).is_some(), tile, "{} {isa}", kernel.name);
        }
    }
}

/// Where each argument lies in one flat memory, and which elements of it are its footprint.
struct Layout {
    at: [usize; MAX_ARGS],
    touched: Vec<Vec<usize>>,
    len: usize,
}

impl Layout {
    fn new(kernel: &Kernel, isa: Isa, consts: &[i64]) -> Layout {
        let footprints = (kernel.footprint)(isa, consts);
        assert_eq!(
            footprints.len(),
            kernel.signature.args.len(),
            "{}",
            kernel.name
        );
        let mut layout = Layout {
            at: [usize::MAX; MAX_ARGS],
            touched: Vec::new(),
            len: GUARD,
        };
        for (arg, footprint) in footprints.iter().enumerate() {
            let offsets = footprint.as_ref().map(offsets).unwrap_or_default();
            if footprint.is_some() {
                layout.at[arg] = layout.len;
                let last = offsets.iter().max().expect("samples touch something");
                layout
                    .touched
                    .push(offsets.iter().map(|offset| layout.len + offset).collect());
                layout.len += last + 1 + GUARD;
            } else {
                layout.touched.push(Vec::new());
            }
        }
        layout
    }

    /// The same with the output on top of that argument, if their strides agree.
    fn in_place(&self, arg: usize) -> Option<Layout> {
        let shift = |arg: usize| {
            self.touched[arg]
                .iter()
                .map(move |index| index - self.at[arg])
        };
        shift(0).eq(shift(arg)).then(|| {
            let (mut at, mut touched) = (self.at, self.touched.clone());
            at[0] = at[arg];
            touched[0] = touched[arg].clone();
            Layout {
                at,
                touched,
                len: self.len,
            }
        })
    }
}

/// Every offset of a footprint, relative to its pointer.
fn offsets(footprint: &Footprint) -> Vec<usize> {
    let mut all = vec![footprint.offset];
    for &(count, stride) in &footprint.dims {
        all = all
            .iter()
            .flat_map(|base| (0..count).map(move |i| base + i * stride))
            .collect();
    }
    all.into_iter()
        .map(|offset| usize::try_from(offset).expect("samples start at zero"))
        .collect()
}

fn check(kernel: &Kernel, isa: Isa, consts: &[i64], layout: &Layout, entry: KernelFn) {
    let describe = || {
        format!(
            "{} on {isa}, {:?} = {consts:?}",
            kernel.name, kernel.signature.consts
        )
    };

    // The twin, in memory poisoned in two ways.
    let mut expected = poisoned(kernel, layout, CANARY);
    let before = expected.clone();
    (kernel.twin)(&mut expected, &layout.at, consts, isa);
    let mut again = poisoned(kernel, layout, 1e30);
    (kernel.twin)(&mut again, &layout.at, consts, isa);
    let mut written = vec![false; layout.len];
    for &index in &layout.touched[0] {
        written[index] = true;
        assert_eq!(
            expected[index].to_bits(),
            again[index].to_bits(),
            "twin reads outside: {}",
            describe()
        );
        assert_ne!(
            expected[index].to_bits(),
            CANARY.to_bits(),
            "twin left {index}: {}",
            describe()
        );
    }

    let mut found = before.clone();
    let pointer = |arg: usize| match layout.at[arg] {
        usize::MAX => std::ptr::null_mut(),
        at => found.as_mut_ptr().wrapping_add(at),
    };
    let [out, a, b, c, d, e] = [0, 1, 2, 3, 4, 5].map(pointer);
    // SAFETY: the layout has room for every footprint, and the ISA is available.
    unsafe { entry(out, a, b, c, d, e, consts.as_ptr()) };

    let tolerance = tolerance(kernel, consts);
    for index in 0..layout.len {
        let (was, twin, kernel) = (before[index], expected[index], found[index]);
        if written[index] {
            let close = match tolerance {
                None => kernel.to_bits() == twin.to_bits(),
                Some((relative, absolute)) => {
                    (kernel - twin).abs() <= relative * twin.abs() + absolute
                }
            };
            assert!(close, "{kernel} is not {twin} at {index}: {}", describe());
        } else {
            assert_eq!(
                twin.to_bits(),
                was.to_bits(),
                "twin writes outside, at {index}: {}",
                describe()
            );
            assert_eq!(
                kernel.to_bits(),
                was.to_bits(),
                "writes outside, at {index}: {}",
                describe()
            );
        }
    }
}

/// How far an entry may be from its twin, relative to the twin and absolutely; `None` where not at all.
fn tolerance(kernel: &Kernel, consts: &[i64]) -> Option<(f32, f32)> {
    // Targets of both signs: up to forty products, each at most 2 and as exact as a power is, may cancel.
    if kernel.name == "f32_cross_entropy" {
        return Some((2e-6, 40.0 * 2.0 * 1.2e-7));
    }
    if kernel.name == "f32_map" && steps(consts).iter().any(Step::crosses_zero) {
        return Some((2e-6, 5e-7));
    }
    let exact = match kernel.name {
        "f32_map" => !steps(consts).iter().any(Step::approximate),
        _ => kernel.exact,
    };
    (!exact).then_some((2e-6, 0.0))
}

fn steps(consts: &[i64]) -> Vec<Step> {
    consts[8..]
        .chunks_exact(2)
        .map(|pair| Step::decode(pair[0], pair[1]).expect("a step"))
        .collect()
}

/// Values between -1 and 1 where a footprint reads, poison everywhere else.
fn poisoned(kernel: &Kernel, layout: &Layout, poison: f32) -> Vec<f32> {
    let mut memory = vec![poison; layout.len];
    let mut random = Random(kernel.name.len() as u64);
    for touched in &layout.touched[1..] {
        for &index in touched {
            memory[index] = random.value();
            // A power of something negative would be NaN, which poison is too.
            if kernel.name == "f32_power" {
                memory[index] = memory[index].abs();
            }
        }
    }
    memory
}

/// Maxima over windows and of pairs are NaN if one of them is, wherever it stands.
#[test]
fn maxima_of_nan_are_nan() {
    let window = [1, 0, 0, 1, 0, 0, 1, 0, 1, 0, 3, 1, 1];
    let pair = [1, 0, 0, 0, 1, 0, 0, 0, 1, 4, bits(1.0), bits(f64::INFINITY)];
    for isa in isas() {
        for nan in 0..3 {
            let mut x = [1.0, -2.0, f32::INFINITY];
            x[nan] = f32::NAN;
            for (name, consts, operands) in [
                ("f32_pool_max", window.as_slice(), 1),
                ("f32_zip", &pair, 2),
            ] {
                if operands == 2 && nan == 2 {
                    continue;
                }
                let entry = entry(name, isa);
                let (mut out, null) = (9.0, std::ptr::null());
                // SAFETY: three elements from the first operand on, two from the second on, as `consts` says.
                unsafe {
                    entry(
                        &mut out,
                        x.as_ptr(),
                        x[1..].as_ptr(),
                        null,
                        null,
                        null,
                        consts.as_ptr(),
                    )
                };
                assert!(out.is_nan(), "{name} on {isa}, NaN at {nan}: {out}");
            }
        }
    }
}

#[test]
fn nan_and_infinity_pass_through_activations() {
    let consts = [1, 0, 0, 0, 1, 0, 0, 0, 4, 0, bits(0.0), bits(f64::INFINITY)];
    for isa in isas() {
        let entry = entry("f32_zip", isa);
        let (a, b) = ([f32::NAN, f32::INFINITY, -3.0, 2.0], [0.0; 4]);
        let mut out = [9.0; 4];
        let null = std::ptr::null();
        // SAFETY: four elements each, as `consts` says.
        unsafe {
            entry(
                out.as_mut_ptr(),
                a.as_ptr(),
                b.as_ptr(),
                null,
                null,
                null,
                consts.as_ptr(),
            )
        };
        assert!(
            out[0].is_nan() && out[1..] == [f32::INFINITY, 0.0, 2.0],
            "{isa}: {out:?}"
        );
    }
}

/// Derivatives of smooth activations `x · g(x)` at arguments of both signs and all magnitudes: within 1e-6, relative to the larger of the result and its term
/// `g(x)`, wherever the result is a normal number. At infinity they are their limits.
#[test]
fn slopes_are_relatively_accurate() {
    let magnitudes = (-1516..1540).map(|k| 10f64.powf(f64::from(k) / 40.0) as f32);
    let mut x: Vec<f32> = magnitudes.flat_map(|x| [x, -x]).collect();
    x.extend([f32::INFINITY, f32::NEG_INFINITY, f32::NAN]);
    let null = std::ptr::null();
    for (slope, of) in [
        (Step::SiluSlope, Step::Silu),
        (Step::MishSlope, Step::Mish),
        (Step::GeluSlope, Step::Gelu),
        (Step::GeluTanhSlope, Step::GeluTanh),
    ] {
        let run = x.len() as i64;
        let consts = [1, 0, 0, 1, 0, 0, run, 1, slope.code(), bits(0.0)];
        for isa in isas() {
            let mut out = vec![9.0; x.len()];
            // SAFETY: as many elements each, as `consts` says.
            unsafe {
                entry("f32_map", isa)(
                    out.as_mut_ptr(),
                    x.as_ptr(),
                    null,
                    null,
                    null,
                    null,
                    consts.as_ptr(),
                )
            };
            let [.., above, below, none] = out[..] else {
                panic!("as many as there are arguments")
            };
            assert!(
                above == 1.0 && below == 0.0 && none.is_nan(),
                "{isa}: {slope:?}"
            );
            for (&x, &found) in x.iter().zip(&out).take(x.len() - 3) {
                let right = slope.apply(x, x);
                let gate = (of.apply(x, x) / x).abs();
                let off = (found - right).abs();
                assert!(
                    !right.is_normal() || off <= 1e-6 * right.abs().max(gate),
                    "{isa}: {slope:?} of {x:e}: {found:e}, must be {right:e}"
                );
            }
        }
    }
}

/// Powers of all kinds of numbers to all kinds of exponents: infinities, NaN, zeros of both signs and exponents that are barely whole are what IEEE 754
/// says, everything else within 1e-6.
#[test]
fn powers_are_those_of_ieee_754() {
    let (most, least) = (f32::MAX, f32::MIN_POSITIVE);
    let whole = (1 << 22) as f32;
    let sizes = [
        0.0,
        least,
        1e-20,
        0.25,
        0.3,
        1.0 - f32::EPSILON / 2.0,
        1.0,
        1.0 + f32::EPSILON,
        1.5,
        2.0,
        3.0,
        7.5,
        32.0,
        33.0,
        whole - 0.5,
        whole,
        whole + 0.5,
        whole + 1.0,
        2.0 * whole - 1.0,
        2.0 * whole - 0.5,
        2.0 * whole + 1.0,
        4.0 * whole - 1.0,
        4.0 * whole,
        1e20,
        most,
        f32::INFINITY,
        f32::NAN,
    ];
    let all = || sizes.iter().flat_map(|&x| [x, -x]);
    let (x, p): (Vec<f32>, Vec<f32>) = all().flat_map(|x| all().map(move |p| (x, p))).unzip();
    let run = x.len() as i64;
    let consts = [1, 0, 0, 0, 1, 0, 0, 0, run];
    let null = std::ptr::null();
    for isa in isas() {
        let mut out = vec![9.0; x.len()];
        // SAFETY: as many elements each, as `consts` says.
        unsafe {
            entry("f32_power", isa)(
                out.as_mut_ptr(),
                x.as_ptr(),
                p.as_ptr(),
                null,
                null,
                null,
                consts.as_ptr(),
            )
        };
        for ((&x, &p), &found) in x.iter().zip(&p).zip(&out) {
            let right = f64::from(x).powf(f64::from(p)) as f32;
            let close = match right.is_normal() {
                true => (found - right).abs() <= 1e-6 * right.abs(),
                // What is smaller than the least number is that, or zero, of its sign.
                false if right.abs() < least => {
                    found.abs() <= least && found.is_sign_negative() == right.is_sign_negative()
                }
                false => found == right || (found.is_nan() && right.is_nan()),
            };
            assert!(close, "{isa}: {x:e} to {p:e}: {found:e}, must be {right:e}");
        }
    }
}

/// What enters a network has no denormals any more, in memory that is not flushed either; what is copied inside keeps its bits.
#[test]
fn denormals_become_zeros_of_their_sign_where_they_enter() {
    let denormal = f32::from_bits(1 << 20);
    let least = f32::MIN_POSITIVE;
    let nan = f32::from_bits(0x7fc0_1234);
    let x = [
        denormal,
        -denormal,
        0.0,
        -0.0,
        least,
        -least,
        nan,
        1.5,
        f32::INFINITY,
    ];
    let zeros = [0.0, -0.0, 0.0, -0.0, least, -least, nan, 1.5, f32::INFINITY];
    let bits = |values: [f32; 9]| values.map(f32::to_bits);
    // One by one, side by side, and three rows of three.
    let apart = [9, 1, 1, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0];
    let together = [1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 9, 1, 1];
    let rows = [1, 0, 0, 1, 0, 0, 3, 3, 3, 1, 0, 0, 3, 1, 1];
    for isa in isas() {
        for consts in [apart, together, rows] {
            for (name, expected) in [("f32_input", zeros), ("f32_copy", x)] {
                let (mut out, null) = ([9.0; 9], std::ptr::null());
                // SAFETY: nine elements each, as `consts` says.
                unsafe {
                    entry(name, isa)(
                        out.as_mut_ptr(),
                        x.as_ptr(),
                        null,
                        null,
                        null,
                        null,
                        consts.as_ptr(),
                    )
                };
                assert_eq!(bits(out), bits(expected), "{name} on {isa}, {consts:?}");
                let kernel = KernelId::find(name).expect("a kernel").row();
                let mut memory = [[9.0; 9], x].concat();
                let mut at = [usize::MAX; MAX_ARGS];
                at[..2].copy_from_slice(&[0, 9]);
                (kernel.twin)(&mut memory, &at, &consts, isa);
                let twin = *memory.first_chunk().expect("nine elements");
                assert_eq!(bits(twin), bits(expected), "the twin of {name}, {consts:?}");
            }
        }
    }
}

/// The same where rows become columns, in squares of vectors that overlap at the end.
#[test]
fn denormals_of_matrices_become_zeros_where_they_enter() {
    let values = [
        1 << 20,
        1 << 31 | 1,
        1 << 31,
        0x7fa0_1234, // a signalling NaN
        f32::MIN_POSITIVE.to_bits(),
        f32::NEG_INFINITY.to_bits(),
        2.5f32.to_bits(),
    ];
    for isa in isas() {
        // Vectors, narrow vectors, both with a rest, and two blocks.
        for (rows, columns) in [(16, 16), (8, 16), (19, 21), (9, 11), (67, 70)] {
            let x: Vec<u32> = (0..rows * columns).map(|at| values[at % 7]).collect();
            let floats: Vec<f32> = x.iter().copied().map(f32::from_bits).collect();
            let (tall, wide) = (rows as i64, columns as i64);
            let mut consts = [1, 0, 0].repeat(3);
            consts.extend([tall, 1, wide, wide, tall, 1]);
            for (name, flush) in [("f32_input", true), ("f32_copy", false)] {
                let (mut out, null) = (vec![9.0; x.len()], std::ptr::null());
                // SAFETY: as many elements each as `consts` says.
                unsafe {
                    entry(name, isa)(
                        out.as_mut_ptr(),
                        floats.as_ptr(),
                        null,
                        null,
                        null,
                        null,
                        consts.as_ptr(),
                    )
                };
                for r in 0..rows {
                    for c in 0..columns {
                        let bits = x[r * columns + c];
                        let expected = match bits {
                            0x0010_0000 if flush => 0,
                            0x8000_0001 if flush => 0x8000_0000,
                            _ => bits,
                        };
                        let found = out[r + c * rows].to_bits();
                        assert_eq!(found, expected, "{name} on {isa}, {rows}x{columns}");
                    }
                }
            }
        }
    }
}
