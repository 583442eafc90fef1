//! A program under measurement: started on free ports, read through /proc, stopped by its id.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Context;

/// Ticks per second of /proc/<pid>/stat (USER_HZ, 100 on every Linux that we run on).
const TICKS_PER_S: f64 = 100.0;

/// A running program; killed when dropped.
pub(crate) struct Process {
    child: Child,
}

/// What /proc says of a process.
#[derive(Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) cpu_s: f64,
    pub(crate) resident_mib: f64,
    pub(crate) peak_mib: f64,
}

impl Process {
    /// Starts `program`; standard output and error go to the file `log`, appended.
    pub(crate) fn start(program: &Path, args: &[String], log: &Path) -> anyhow::Result<Self> {
        Self::start_with(program, args, &[], log)
    }

    /// The same with further environment variables.
    pub(crate) fn start_with(
        program: &Path,
        args: &[String],
        env: &[(&str, &str)],
        log: &Path,
    ) -> anyhow::Result<Self> {
        let out = fs::OpenOptions::new().create(true).append(true).open(log)?;
        let child = Command::new(program)
            .args(args)
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self { child })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        let pid = self.child.id();
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The command's name is in parentheses and may hold spaces.
        let fields: Vec<&str> =
            stat.rsplit_once(')').context("odd /proc stat")?.1.split_whitespace().collect();
        let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let mib = |key: &str| -> f64 {
            let line = status.lines().find(|line| line.starts_with(key)).unwrap_or("");
            line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(f64::NAN)
                / 1024.0
        };
        Ok(Usage { cpu_s: ticks / TICKS_PER_S, resident_mib: mib("VmRSS:"), peak_mib: mib("VmHWM:") })
    }

    /// Starts the peak of resident memory anew, so that a phase can be told from the one before.
    pub(crate) fn reset_peak(&self) {
        // Refused in some sandboxes; then the peak is the whole run's.
        if let Err(error) = fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5") {
            eprintln!("cannot reset the memory peak: {error}");
        }
    }

    /// SIGKILL, then waits for the end.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            let _already_gone = self.child.kill();
            let _reaped = self.child.wait();
        }
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Bytes of all files below `dir`.
pub(crate) fn dir_bytes(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => dir_bytes(&entry.path()),
            _ => entry.metadata().map_or(0, |meta| meta.len()),
        })
        .sum()
}
