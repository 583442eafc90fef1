//! Appends lines to a file at a steady rate and renames it now and then.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What was written.
pub(crate) struct Written {
    /// All lines.
    pub(crate) lines: u64,
    /// Lines `line <number> …`, numbered from 0.
    pub(crate) numbered: u64,
    /// Lines that are all alike.
    pub(crate) identical: u64,
    /// The first number of each file after the first.
    pub(crate) later_files: Vec<i64>,
}

/// The text of the lines that are all alike.
pub(crate) const IDENTICAL: &str = "the same words as ever";

const LINES_PER_FILE: u64 = 40_000;

/// Writes until told to stop: after each 95 numbered lines come 5 identical ones.
pub(crate) async fn write_lines(dir: PathBuf, rate: u64, stop: Arc<AtomicBool>) -> anyhow::Result<Written> {
    let path = dir.join("app.log");
    let open = || std::fs::OpenOptions::new().create(true).append(true).open(&path);
    let mut file = open()?;
    let mut written = Written { lines: 0, numbered: 0, identical: 0, later_files: Vec::new() };
    let started = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let due = (started.elapsed().as_secs_f64() * rate as f64) as u64;
        let mut chunk = String::new();
        while written.lines < due {
            if written.lines % 100 < 95 {
                chunk.push_str(&format!("line {} of the run\n", written.numbered));
                written.numbered += 1;
            } else {
                chunk.push_str(&format!("{IDENTICAL}\n"));
                written.identical += 1;
            }
            written.lines += 1;
        }
        file.write_all(chunk.as_bytes())?;
        let files = written.later_files.len() as u64;
        if written.lines / LINES_PER_FILE > files {
            written.later_files.push(written.numbered as i64);
            std::fs::rename(&path, dir.join(format!("app-{files}.log")))?;
            file = open()?;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(written)
}
