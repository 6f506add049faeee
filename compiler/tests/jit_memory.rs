//! Code memory goes when the last handle does; alone in its process, since it counts the process's mappings.
#![cfg(all(feature = "jit", target_os = "linux"))]

#[allow(dead_code)]
mod programs;

use cnnc_compiler::jit;
use cnnc_runtime::Isa;
use programs::{copy, input, network, output, run};

/// Executable memory that belongs to no file.
fn code_mappings() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux has it");
    let is_code = |line: &&str| {
        let mut words = line.split_whitespace();
        words.nth(1).is_some_and(|rights| rights.contains('x')) && words.nth(3).is_none()
    };
    maps.lines().filter(is_code).count()
}

#[test]
fn the_last_handle_frees_the_code() {
    let numbers = [1.0f32, 2.0, 3.0, 4.0];
    let lowered = network(
        Isa::Portable,
        4,
        0,
        4,
        vec![vec![copy(output(0, &[]), input(0, &[]), 4)]],
    );
    let before = code_mappings();
    let code = jit::compile(&lowered).expect("a supported machine");
    let handle = code.clone();
    let one = code_mappings();
    assert!(one > before, "code is in mappings that this test sees");
    drop(code);
    assert_eq!(
        run(&lowered, &handle, &[], &numbers, 1),
        [numbers],
        "a handle is left"
    );
    assert_eq!(code_mappings(), one);
    drop(handle);
    assert_eq!(code_mappings(), before);
    for _ in 0..100 {
        let code = jit::compile(&lowered).expect("a supported machine");
        assert_eq!(run(&lowered, &code, &[], &numbers, 1), [numbers]);
    }
    assert_eq!(code_mappings(), before);
}
