//! Replays the fuzzer's corpus: every input that once broke something, or shows how inputs look.

#![allow(clippy::unwrap_used)]

use std::path::Path;

#[path = "../../fuzz/src/targets.rs"]
mod targets;

#[test]
fn the_corpus_replays_without_a_finding() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let mut directories: Vec<_> =
        std::fs::read_dir(&corpus).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    directories.sort();
    let names: Vec<_> = targets::TARGETS.iter().map(|(name, _)| std::ffi::OsString::from(name)).collect();
    assert_eq!(directories, names, "a directory for each target, in the table's order");
    for (name, target) in targets::TARGETS {
        let mut inputs: Vec<_> =
            std::fs::read_dir(corpus.join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        inputs.sort();
        assert!((1..=50).contains(&inputs.len()), "{name}: {} files", inputs.len());
        for input in inputs {
            println!("{}", input.display());
            target(&std::fs::read(&input).unwrap());
        }
    }
}
