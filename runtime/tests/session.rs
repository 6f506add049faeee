//! Sessions over a driver written by hand: memory layout, input checks, and that a run allocates nothing.

use cnnc_runtime::Isa;
use cnnc_runtime::input::Input;
use cnnc_runtime::plan::{Plan, Port, Run};
use cnnc_runtime::session::{Network, RunError, Session, session_bytes};
use cnnc_runtime::threads::Pool;
use cnnc_testing::{Counting, blocks};
use ndarray::{Array2, Array3};
use std::sync::Arc;

#[global_allocator]
static MEMORY: Counting = Counting;

/// `sum[i] = a[i] + b[i]` through the arena, `dot = Σ weights[i] · a[i]`.
unsafe extern "C" fn driver(bases: *const *mut f32, _: *const Pool) {
    // SAFETY: the plan below says what the bases lead to.
    unsafe {
        let [arena, weights, a, b, sum, dot] = *bases.cast::<[*mut f32; 6]>();
        *dot = 0.0;
        for i in 0..6 {
            *arena.add(i) = *a.add(i);
            *sum.add(i) = *arena.add(i) + *b.add(i);
            *dot += *weights.add(i) * *a.add(i);
        }
    }
}

fn port(name: &'static str, shape: &[usize]) -> Port {
    Port {
        name: name.into(),
        shape: shape.to_vec().into(),
    }
}

fn network() -> Arc<Network> {
    let plan = Plan {
        name: "Sum".into(),
        isa: Isa::Portable,
        arena: 6,
        packed: 6,
        sources: vec![].into(),
        literals: vec![].into(),
        packing: vec![].into(),
        inputs: vec![port("a", &[1, 2, 3]), port("b", &[6])].into(),
        outputs: vec![port("sum", &[6]), port("dot", &[1])].into(),
        batch: 1,
        between: vec![].into(),
        state: vec![].into(),
        runs: vec![Run::Each].into(),
    };
    let weights = vec![1.0, 0.0, 0.0, 0.0, 0.0, 10.0];
    // SAFETY: `driver` touches what the plan says and writes all outputs.
    Arc::new(unsafe { Network::new(plan, weights, &[driver], None) })
}

/// Takes half of the smallest normal number, on this thread and on those of the pool.
unsafe extern "C" fn halving(bases: *const *mut f32, pool: *const Pool) {
    unsafe extern "C" fn body(out: *const u8, from: i64, to: i64) {
        for index in from..to {
            // Long enough that workers get their share.
            std::thread::sleep(std::time::Duration::from_millis(2));
            let half = std::hint::black_box(f32::MIN_POSITIVE) * std::hint::black_box(0.5);
            // SAFETY: sixteen outputs, each of another iteration.
            unsafe { *out.cast::<f32>().cast_mut().add(index as usize) = half };
        }
    }
    // SAFETY: the fifth base is the first output, of sixteen elements; the pool lives.
    unsafe {
        let out = *bases.add(4);
        cnnc_runtime::threads::parallel_for(pool, body, out.cast(), 16);
    }
}

const A: [f32; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
const SUM: [f32; 6] = [2.0, 3.0, 4.0, 5.0, 6.0, 7.0];

fn check(session: &mut Session<'_>, a: &dyn Input) {
    let outputs = session.run(&[a, &vec![1.0f32; 6]]).unwrap();
    assert_eq!(outputs.get("sum").unwrap(), SUM);
    assert_eq!(outputs.array::<1>(1), &[61.0]);
    assert_eq!(outputs.get("product"), None);
    assert_eq!(outputs.iter().count(), 2);
}

#[test]
fn every_kind_of_input() {
    let mut session = Session::new(network(), 1).unwrap();
    let array = Array3::from_shape_vec((1, 2, 3), A.to_vec()).unwrap();
    check(&mut session, &A);
    check(&mut session, &A.as_slice());
    check(&mut session, &A.to_vec());
    check(&mut session, &[[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    check(&mut session, &array);
    check(&mut session, &array.view());
    // A batch of one, and a view that is not contiguous.
    let batch = array.clone().into_shape_with_order((1, 1, 2, 3)).unwrap();
    check(&mut session, &batch);
    let wide = Array2::from_shape_fn((4, 3), |(y, x)| (y / 2 * 3 + x + 1) as f32);
    let rows = wide.slice(ndarray::s![..;2, ..]);
    assert!(rows.as_slice().is_none());
    let view = rows.insert_axis(ndarray::Axis(0));
    check(&mut session, &view);
}

#[test]
fn memory_of_the_caller_at_any_alignment() {
    let network = network();
    let needed = session_bytes(network.plan());
    let mut memory = vec![0xffu8; needed + 64];
    for skip in [0, 1, 7, 63] {
        let arena = &mut memory[skip..skip + needed];
        let mut session = Session::new_in(network.clone(), arena, 1).unwrap();
        check(&mut session, &A);
    }
    let short = Session::new_in(network, &mut memory[..needed - 1], 1);
    let error = short.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "the arena has {} bytes, but the network needs {needed}",
            needed - 1
        )
    );
}

#[test]
fn wrong_inputs_are_errors() {
    let mut session = Session::new(network(), 2).unwrap();
    let b = [0.0f32; 6];
    let none = session.run(&[]).unwrap_err();
    assert_eq!(
        none,
        RunError::Inputs {
            expected: 2,
            found: 0
        }
    );
    let short = session.run(&[&&b[..5], &b]).unwrap_err().to_string();
    assert_eq!(short, "input `a` is 1x2x3, 6 elements, but 5 were given");
    let turned = Array3::<f32>::zeros((1, 3, 2));
    let turned = session.run(&[&turned, &b]).unwrap_err().to_string();
    assert_eq!(turned, "input `a` is 1x2x3, but 1x3x2 was given");
    let long = session.run(&[&b, &[0.0f32; 7]]).unwrap_err().to_string();
    assert_eq!(long, "input `b` is 6, but 7 was given");
}

#[test]
fn a_run_allocates_nothing() {
    let mut session = Session::new(network(), 1).unwrap();
    let scattered = Array3::from_shape_fn((3, 2, 1), |(x, y, _)| (y * 3 + x) as f32);
    let scattered = scattered.reversed_axes();
    let b = [0.0f32; 6];
    let ((), taken) = blocks(|| {
        session.run(&[&A, &b]).unwrap();
        session.run(&[&scattered, &b]).unwrap();
    });
    assert_eq!(taken, 0);
    // They are counted.
    assert_eq!(blocks(|| drop(Box::new(scattered))).1, 1);
}

#[test]
fn denormals_are_zero_while_a_network_runs() {
    let known = cfg!(any(target_arch = "x86_64", target_arch = "aarch64"));
    let plan = Plan {
        outputs: vec![port("halves", &[16])].into(),
        ..network().plan().clone()
    };
    // SAFETY: `halving` writes the sixteen elements of the output.
    let network = Arc::new(unsafe { Network::new(plan, vec![0.0; 6], &[halving], None) });
    for threads in [1, 3] {
        let mut session = Session::new(network.clone(), threads).unwrap();
        let outputs = session.run(&[&A.to_vec(), &A.to_vec()]).unwrap();
        let halves = outputs.at(0).unwrap().1;
        assert!(
            halves.iter().all(|&half| (half == 0.0) == known),
            "{halves:?}"
        );
        assert!(!cnnc_runtime::denormals::flushed());
    }
}

/// Adds one to the first element of the input, and counts runs in the arena.
unsafe extern "C" fn one_more(bases: *const *mut f32, _: *const Pool) {
    // SAFETY: the plan has an arena of one element, an input and an output of two.
    unsafe {
        let [arena, _, input, output] = *bases.cast::<[*mut f32; 4]>();
        *arena += 1.0;
        *output = *input + 1.0;
        *output.add(1) = *input.add(1);
    }
}

fn batched(run: Run) -> Arc<Network> {
    let plan = Plan {
        arena: 1,
        inputs: vec![port("x", &[2])].into(),
        outputs: vec![port("y", &[2])].into(),
        batch: 3,
        runs: vec![run].into(),
        ..network().plan().clone()
    };
    // SAFETY: `one_more` touches what the plan says and writes the output.
    Arc::new(unsafe { Network::new(plan, vec![0.0; 6], &[one_more], None) })
}

#[test]
fn batches_are_run_image_by_image() {
    for run in [Run::Each, Run::Apart] {
        for threads in [1, 2, 5] {
            let mut session = Session::new(batched(run), threads).unwrap();
            for images in [3, 1, 2] {
                let x: Vec<f32> = (0..2 * images).map(|i| i as f32).collect();
                let outputs = session.run(&[&x]).unwrap();
                assert_eq!(outputs.images(), images);
                for image in 0..images {
                    let expected = [2.0 * image as f32 + 1.0, 2.0 * image as f32 + 1.0];
                    assert_eq!(outputs.image(image).array::<2>(0), &expected);
                    assert_eq!(outputs.arrays::<2>(0)[image], expected);
                }
            }
        }
    }
}

#[test]
fn batches_of_the_wrong_size_are_errors() {
    let mut session = Session::new(batched(Run::Each), 1).unwrap();
    let mut said =
        |input: &dyn cnnc_runtime::input::Input| session.run(&[input]).unwrap_err().to_string();
    let many = "input `x` has 4 images, but the network takes 3 images at once";
    assert_eq!(said(&[0.0f32; 8]), many);
    assert_eq!(said(&[0.0f32; 5]), "input `x` is 2, but 5 was given");
    assert_eq!(said(&[0.0f32; 0]), "input `x` is 2, but 0 was given");
    let wide = Array2::<f32>::zeros((2, 3));
    assert_eq!(said(&wide), "input `x` is 2, but 2x3 was given");
}
