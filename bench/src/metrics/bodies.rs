//! The workload's requests as they go over the wire, made once and kept in a file.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use bytes::Bytes;

use crate::workload_m::{STEP_MS, WorkloadM};

const DAY_S: u64 = 86_400;
/// Counted up when the workload changes.
const VERSION: u32 = 1;

/// All requests of a run.
pub(super) struct Bodies {
    file: File,
    /// Where each body begins, and where the last one ends.
    starts: Vec<u64>,
    pub(super) per_scrape: usize,
    pub(super) samples: u64,
    end_ms: i64,
}

impl Bodies {
    /// Those that are kept below `cache`, made now if there are none. The samples begin at noon of the day before.
    pub(super) fn open(
        cache: &Path,
        seed: u64,
        series: usize,
        scrapes: usize,
        request: usize,
    ) -> anyhow::Result<Self> {
        std::fs::create_dir_all(cache)?;
        let day = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / DAY_S - 1;
        let start_ms = ((day * DAY_S + DAY_S / 2) * 1000) as i64;
        let name = format!("narrows-workload-m-{VERSION}-{seed}-{series}-{scrapes}-{request}-{day}");
        let (path, index) = (cache.join(&name), cache.join(format!("{name}.index")));
        let mut workload = WorkloadM::new(seed, series, start_ms);
        if !index.exists() {
            eprintln!("making the requests of {} series, {scrapes} scrapes", workload.series());
            make(&mut workload, scrapes, request, &path, &index)?;
        }
        let starts = std::fs::read(&index)?.chunks_exact(8).map(whole).collect();
        let samples = (workload.series() * scrapes) as u64;
        let per_scrape = workload.series().div_ceil(request);
        let end_ms = start_ms + scrapes as i64 * STEP_MS;
        Ok(Self { file: File::open(path)?, starts, per_scrape, samples, end_ms })
    }

    /// One request, compressed.
    pub(super) fn body(&self, number: usize) -> anyhow::Result<Bytes> {
        let (from, to) =
            self.starts.get(number).zip(self.starts.get(number + 1)).context("no such request")?;
        let mut body = vec![0; (to - from) as usize];
        self.file.read_exact_at(&mut body, *from)?;
        Ok(body.into())
    }

    /// The time of the last sample, in whole seconds.
    pub(super) fn end_s(&self) -> i64 {
        self.end_ms / 1000
    }
}

fn whole(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn make(
    workload: &mut WorkloadM,
    scrapes: usize,
    request: usize,
    path: &PathBuf,
    index: &PathBuf,
) -> anyhow::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    let (mut starts, mut at) = (Vec::new(), 0u64);
    let mut written = Ok(());
    for _ in 0..scrapes {
        workload.next_scrape(request, |raw, _| {
            let body = snap::raw::Encoder::new().compress_vec(raw);
            starts.extend(at.to_le_bytes());
            let put = body.map_err(anyhow::Error::from).and_then(|body| {
                at += body.len() as u64;
                Ok(out.write_all(&body)?)
            });
            if written.is_ok() {
                written = put;
            }
        });
    }
    written?;
    out.flush()?;
    starts.extend(at.to_le_bytes());
    // Last: it says that the requests are complete.
    std::fs::write(index, starts)?;
    Ok(())
}
