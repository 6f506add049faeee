//! Machine code does what the loops say.
#![cfg(feature = "jit")]

mod programs;

use cnnc_compiler::jit::{self, JitError};
use cnnc_compiler::loops::Stmt;
use cnnc_compiler::loops::interpret::interpret;
use cnnc_compiler::lower::Lowered;
use cnnc_runtime::Isa;
use programs::{arena, copy, input, network, output, parallel, repeat, run};

/// Machine code on one and on several threads gives the interpreter's bits.
fn agrees(sections: Vec<Vec<Stmt>>, elements: usize) {
    for isa in Isa::ALL
        .into_iter()
        .filter(|isa| cnnc_testing::has(isa.available(), isa))
    {
        let lowered = network(isa, elements, elements, elements, sections.clone());
        let numbers: Vec<f32> = (1..=elements).map(|n| n as f32).collect();
        let expected = interpret(&lowered.program, &[], &[&numbers]).unwrap();
        let code = jit::compile(&lowered).expect("the ISA is available");
        for threads in [1, 3] {
            assert_eq!(
                run(&lowered, &code, &[], &numbers, threads),
                expected,
                "{isa}, {threads} threads"
            );
        }
    }
}

#[test]
fn loops_in_loops() {
    // The transpose of 3x4 tiles of five elements, in two steps.
    let there = copy(
        arena(0, &[(0, 20), (1, 5)]),
        input(0, &[(0, 5), (1, 15)]),
        5,
    );
    let back = copy(
        output(0, &[(2, 20), (3, 5)]),
        arena(0, &[(2, 20), (3, 5)]),
        5,
    );
    agrees(
        vec![
            vec![repeat(0, 3, vec![repeat(1, 4, vec![there])])],
            vec![repeat(2, 3, vec![repeat(3, 4, vec![back])])],
        ],
        60,
    );
}

#[test]
fn coefficients_of_every_kind() {
    // Backwards, with a variable that stands twice and one that an argument does not mention.
    let reversed = copy(
        arena(0, &[(0, 10), (1, 2)]),
        input(58, &[(0, -4), (1, -2), (0, -6)]),
        2,
    );
    let broadcast = copy(output(0, &[(2, 6), (3, 2)]), arena(54, &[(2, -6)]), 2);
    agrees(
        vec![
            vec![repeat(0, 6, vec![repeat(1, 5, vec![reversed])])],
            vec![repeat(2, 10, vec![repeat(3, 3, vec![broadcast])])],
        ],
        60,
    );
}

#[test]
fn parallel_loops() {
    let there = copy(arena(55, &[(0, -5)]), input(0, &[(0, 5)]), 5);
    let inner = repeat(
        2,
        5,
        vec![copy(
            output(0, &[(1, 15), (2, 3)]),
            arena(0, &[(1, 15), (2, 3)]),
            3,
        )],
    );
    agrees(
        vec![
            vec![parallel(0, 12, vec![there])],
            vec![parallel(1, 4, vec![inner])],
        ],
        60,
    );
}

#[test]
fn calls_beside_parallel_loops() {
    let first = copy(arena(0, &[]), input(0, &[]), 6);
    let rest = parallel(
        0,
        9,
        vec![copy(arena(6, &[(0, 6)]), input(6, &[(0, 6)]), 6)],
    );
    let last = copy(output(0, &[]), arena(0, &[]), 60);
    agrees(vec![vec![first, rest, last]], 60);
}

/// Sections that differ in their memory alone share a function; those that differ in one thing more do not.
#[test]
fn sections_of_one_form() {
    let piece = |var: usize, at: i64, step: i64, len: i64| {
        copy(arena(at, &[(var, step)]), input(at, &[(var, step)]), len)
    };
    let line = |at: i64| copy(arena(at, &[]), input(at, &[]), 6);
    let first = vec![repeat(0, 3, vec![piece(0, 0, 4, 4)])];
    let alike = vec![repeat(1, 3, vec![piece(1, 12, 4, 4)])];
    let reversed = copy(arena(36, &[(3, 4)]), input(44, &[(3, -4)]), 4);
    let whole = copy(output(0, &[]), arena(0, &[]), 60);
    agrees(
        vec![
            first.clone(),
            alike.clone(),
            vec![repeat(2, 6, vec![piece(2, 24, 2, 2)])],
            vec![repeat(3, 3, vec![reversed])],
            vec![line(48), line(54)],
            vec![whole],
        ],
        60,
    );
    let back = copy(output(0, &[]), arena(0, &[]), 24);
    let bytes = |second: Vec<Stmt>| {
        let sections = vec![first.clone(), second, vec![back.clone()]];
        let lowered = network(Isa::Portable, 24, 24, 24, sections);
        let code = jit::compile(&lowered).expect("the portable ISA is available");
        code.bytes()
    };
    let parallel = vec![parallel(1, 3, vec![piece(1, 12, 4, 4)])];
    let longer = vec![repeat(1, 2, vec![piece(1, 12, 6, 6)])];
    assert!(bytes(alike.clone()) < bytes(longer));
    assert!(bytes(alike) < bytes(parallel));
}

#[test]
fn sections_one_by_one_are_the_driver() {
    let lowered = two_copies();
    let code = jit::compile(&lowered).expect("the portable ISA is available");
    let labels: Vec<_> = code
        .sections()
        .iter()
        .map(|section| section.label.as_str())
        .collect();
    assert_eq!(labels, ["part0", "part1"]);
    let (mut memory, numbers) = (
        [[0.0f32; 8]; 2],
        [1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0],
    );
    let [arena, output] = &mut memory;
    let weights = std::ptr::NonNull::<f32>::dangling().as_ptr();
    let bases = [
        arena.as_mut_ptr(),
        weights,
        numbers.as_ptr().cast_mut(),
        output.as_mut_ptr(),
    ];
    for section in code.sections() {
        // SAFETY: memory of the plan's sizes, no weights, and no pool.
        unsafe { section.run(bases.as_ptr(), std::ptr::null()) };
    }
    assert_eq!(memory, [numbers, numbers]);
}

fn two_copies() -> Lowered {
    let first = parallel(
        0,
        4,
        vec![copy(arena(0, &[(0, 2)]), input(0, &[(0, 2)]), 2)],
    );
    let second = copy(output(0, &[]), arena(0, &[]), 8);
    network(Isa::Portable, 8, 8, 8, vec![vec![first], vec![second]])
}

#[test]
#[should_panic(expected = "part1")]
fn what_is_not_proven_is_not_compiled() {
    let first = copy(arena(0, &[]), input(0, &[]), 8);
    let beyond = copy(output(0, &[]), arena(1, &[]), 8);
    let _ = jit::compile(&network(
        Isa::Portable,
        8,
        8,
        8,
        vec![vec![first], vec![beyond]],
    ));
}

/// What is too much for the proof is no bug, but not run either.
#[test]
fn what_cannot_be_proven_is_an_error() {
    let first = copy(arena(0, &[]), input(0, &[]), 8);
    let far = copy(output(0, &[]), arena(0, &[(0, 1 << 50)]), 8);
    let far = repeat(0, 8, vec![far]);
    let lowered = network(Isa::Portable, 8, 8, 8, vec![vec![first], vec![far]]);
    let error = jit::compile(&lowered).expect_err("out of range");
    assert!(matches!(error, JitError::Unproven(_)));
    assert_eq!(
        error.to_string(),
        "`part1` of hand is too much for the compiler, which must prove that its code is safe: a size or a stride is out of range"
    );
    let model = cnnc_compiler::emit::Model {
        vis: Default::default(),
        name: proc_macro2::Ident::new("Hand", proc_macro2::Span::call_site()),
        rt: Default::default(),
        doc: String::new(),
        parameters: 0,
        macs: 0,
        pictures: vec![None],
        head: Default::default(),
        weights: None,
        sources: Vec::new(),
    };
    let emitted = cnnc_compiler::emit::emit(&model, &[(vec![Isa::Portable], lowered)]);
    assert_eq!(
        emitted.map(|_| ()).expect_err("out of range").to_string(),
        error.to_string()
    );
}

#[test]
fn an_isa_that_is_not_here_is_an_error() {
    for isa in Isa::ALL {
        let whole = copy(output(0, &[]), input(0, &[]), 8);
        let lowered = network(isa, 8, 0, 8, vec![vec![whole]]);
        match jit::compile(&lowered) {
            Ok(_) => assert!(isa.available(), "{isa}"),
            Err(JitError::Unavailable(which)) => assert!(which == isa && !isa.available(), "{isa}"),
            Err(error) => panic!("{isa}: {error}"),
        }
    }
}

#[test]
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn clif_is_readable() {
    let body = vec![copy(output(0, &[(0, 2)]), input(0, &[(0, 2)]), 2)];
    let lowered = network(Isa::Portable, 8, 0, 8, vec![vec![parallel(0, 4, body)]]);
    let text = jit::clif(&lowered).expect("a supported machine");
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/jit.clif");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(golden, &text).expect("the golden can be written");
    }
    let expected = std::fs::read_to_string(golden).expect("the golden is there");
    assert_eq!(text, expected, "UPDATE=1 rewrites {golden}");
}
