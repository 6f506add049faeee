//! What packing refuses: values that are not finite, and mistakes of the compiler.

use super::*;

/// Breaks values of the sources of one convolution with batch norm, and packs it.
fn broken(changes: &[(usize, usize, f32)]) -> WeightsError {
    let case = panels_and_bias(&geometries()[0], 8, NORMS[1], Vectors::Own);
    let mut values = file(&case.plan.sources, Dtype::F32).1;
    for &(source, index, value) in changes {
        values[source][index] = value;
    }
    let plan = &case.plan;
    let tensors = plan
        .sources
        .iter()
        .zip(&values)
        .map(|(s, v)| (&*s.name, &*s.shape, &v[..]));
    let weights = Weights::from_tensors(tensors).unwrap();
    pack(plan, &weights.bind(&plan.sources).unwrap(), 1).unwrap_err()
}

#[test]
fn values_that_are_not_finite_are_found() {
    for (changes, message) in [
        (
            &[(0, 899, f32::NAN)][..],
            "tensor `c.weight` holds NaN at index 899",
        ),
        (
            &[(1, 19, f32::NEG_INFINITY)],
            "tensor `c.bias` holds -inf at index 19",
        ),
        (
            &[(5, 2, f32::INFINITY)],
            "tensor `c_bn.running_var` holds inf at index 2",
        ),
        (
            &[(5, 7, -0.5)],
            "tensor `c_bn.running_var` holds -0.5 at index 7, which is no variance",
        ),
        (
            &[(0, 1, 3e38), (2, 0, 3e38)],
            "tensor `c.weight`: values leave the range of f32 when batch norm is folded in",
        ),
    ] {
        let error = broken(changes).to_string();
        assert_eq!(error, format!("the weights in memory: {message}"));
    }
    let all = broken(&[(0, 3, f32::INFINITY), (3, 0, f32::NAN), (5, 1, -1.0)]).to_string();
    assert_eq!(
        all,
        "the weights in memory: 3 tensors do not fit the network:\
         \n  tensor `c.weight` holds inf at index 3\
         \n  tensor `c_bn.bias` holds NaN at index 0\
         \n  tensor `c_bn.running_var` holds -1 at index 1, which is no variance"
    );
}

#[test]
#[should_panic(expected = "another plan")]
fn another_plans_weights_are_a_bug() {
    let case = panels_and_bias(&geometries()[0], 8, None, Vectors::Own);
    let others = [source("x", &[1])];
    let weights = Weights::synthetic();
    let _ = pack(&case.plan, &weights.bind(&others).unwrap(), 1);
}

fn vector(dest: usize, count: usize) -> Recipe {
    Recipe::Vector {
        dest,
        data: Base::Source(0),
        count,
        stride: 1,
        padded: count,
    }
}

fn mistaken(recipes: &[Recipe]) {
    let case = plan(&[source("x", &[8])], recipes, 12);
    packed(&case, &Weights::synthetic());
}

#[test]
#[should_panic(expected = "f32_pack_bias reaches outside")]
fn a_call_that_reads_outside_its_tensor_is_a_bug() {
    mistaken(&[vector(0, 9)]);
}

#[test]
#[should_panic(expected = "f32_pack_bias reaches outside")]
fn a_call_that_writes_outside_is_a_bug() {
    mistaken(&[vector(5, 8)]);
}

#[test]
#[should_panic(expected = "writes what is not its own")]
fn calls_that_write_the_same_are_a_bug() {
    mistaken(&[vector(0, 5), vector(4, 5)]);
}
