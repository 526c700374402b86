//! The tests and what they share. The random tests print their seed
//! on failure; `TILLBOX_SEED=<number>` repeats a run.

extern crate std;

mod elements;
mod items;
mod properties;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use core::fmt::Debug;
use std::hash::{BuildHasher, RandomState};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseResult, TestRng, TestRunner};

use super::*;

/// Runs `test` on 512 values of `strategy`, from the seed in `TILLBOX_SEED` or a fresh one.
fn for_all<S: Strategy>(strategy: S, test: impl Fn(S::Value) -> TestCaseResult)
where
    S::Value: Debug,
{
    let seed = match std::env::var("TILLBOX_SEED") {
        Ok(seed) => seed.parse().expect("TILLBOX_SEED is a number"),
        Err(_) => RandomState::new().hash_one("barcode"),
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&u64::to_le_bytes(seed));
    let config = Config { cases: 512, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    if let Err(error) = runner.run(&strategy, test) {
        panic!("TILLBOX_SEED={seed}: {error}");
    }
}

fn gtin(digits: &str) -> Gtin {
    digits.parse().expect(digits)
}

fn gtins() -> impl Strategy<Value = Gtin> {
    // Bodies of every length, so that every form is met.
    (1u32..=13, any::<u64>()).prop_map(|(digits, random)| {
        Gtin::with_check_digit(random % 10u64.pow(digits)).unwrap_or(gtin("40170725"))
    })
}

fn plain_rules() -> EmbeddedRules {
    EmbeddedRules::default()
}

fn store_rules() -> EmbeddedRules {
    let rule =
        |prefix, item, verifier, value, meaning| EmbeddedRule::new(prefix, item, verifier, value, meaning);
    EmbeddedRules::new(vec![
        rule(2, 5, false, 5, Meaning::Price { decimals: 2 }).unwrap(),
        rule(21, 4, true, 5, Meaning::Price { decimals: 2 }).unwrap(),
        rule(23, 5, true, 4, Meaning::Price { decimals: 2 }).unwrap(),
        rule(28, 5, false, 5, Meaning::Weight { decimals: 3 }).unwrap(),
        rule(29, 6, false, 4, Meaning::Count).unwrap(),
    ])
    .unwrap()
}
