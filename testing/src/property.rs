//! Properties of random values: the same cases in every run of the tests, fresh ones in the long run.
//!
//! A case that fails is shrunk, and its seed is kept in a file beside the test's source (`NAME.regressions`), with which every
//! later run begins.

use crate::say;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, FileFailurePersistence, RngSeed, TestCaseResult, TestRunner};
use std::time::{SystemTime, UNIX_EPOCH};

/// The seed of the test command, so that its verdict is the same everywhere.
const SEED: u64 = 20_261_126;

/// Cases of a property in the long run, unless the environment says `CASES=n`.
const LONG: u32 = 20_000;

/// How many cases, and which.
#[derive(Clone, Copy, Debug)]
pub enum Run {
    /// That many, always the same.
    Quick(u32),
    /// Many that no run has seen before, unless the environment says `SEED=n`; `CASES=n` says how many.
    Long,
}

/// Tries `test` on random values; `source` is `file!()`.
///
/// # Panics
/// When a case fails: with the smallest one that was found, and the seed.
#[track_caller]
pub fn property<S: Strategy>(
    source: &'static str,
    run: Run,
    values: S,
    test: impl Fn(S::Value) -> TestCaseResult,
) {
    let (cases, seed) = match run {
        Run::Quick(cases) => (cases, SEED),
        Run::Long => {
            let clock = SystemTime::now().duration_since(UNIX_EPOCH);
            let fresh = clock.map_or(SEED, |time| time.as_nanos() as u64);
            let (cases, seed) = (number("CASES", LONG), number("SEED", fresh));
            let thread = std::thread::current();
            let name = thread.name().unwrap_or("a property");
            say(&format!("{name}: CASES={cases} SEED={seed}"));
            (cases, seed)
        }
    };
    let config = Config {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        source_file: Some(source),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..Config::default()
    };
    if let Err(failure) = TestRunner::new(config).run(&values, test) {
        panic!("SEED={seed}: {failure}");
    }
}

/// A number that the environment gives, or another.
///
/// # Panics
/// When it gives something else.
pub fn number<T: std::str::FromStr>(name: &str, otherwise: T) -> T {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name}={text} is not a number")),
        Err(_) => otherwise,
    }
}

/// Declares properties, each as a module of two tests: `quick`, and `long`, which is ignored.
///
/// ```
/// cnnc_testing::properties! {
///     /// As in school.
///     fn addition_commutes(a in 0i64..100, b in 0i64..100) for 256 {
///         proptest::prop_assert_eq!(a + b, b + a);
///     }
/// }
/// ```
#[macro_export]
macro_rules! properties {
    ($($(#[$doc:meta])* fn $name:ident($($value:pat in $values:expr),+ $(,)?) for $cases:literal $body:block)*) => {$(
        $(#[$doc])*
        mod $name {
            use super::*;

            #[track_caller]
            fn random(run: $crate::Run) {
                $crate::property(file!(), run, ($($values,)+), |($($value,)+)| {
                    $body
                    Ok(())
                });
            }

            #[test]
            fn quick() {
                random($crate::Run::Quick($cases));
            }

            #[test]
            #[ignore = "the long run"]
            fn long() {
                random($crate::Run::Long);
            }
        }
    )*};
}
