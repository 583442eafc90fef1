//! One libFuzzer program for all targets; `FUZZ_TARGET` says which (`list` prints their names).
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

mod targets;

static TARGET: LazyLock<targets::Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    if name == "list" {
        targets::TARGETS.iter().for_each(|(name, _)| println!("{name}"));
        std::process::exit(0);
    }
    let found = targets::TARGETS.iter().find(|(other, _)| *other == name);
    found.unwrap_or_else(|| panic!("FUZZ_TARGET names no target: {name:?}")).1
});

fuzz_target!(init: { LazyLock::force(&TARGET); }, |data: &[u8]| (*TARGET)(data));
