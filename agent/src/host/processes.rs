//! Which programs use the host: processes, summed by the name of their executable.
//!
//! Sums are made here from what each process used since the look before: the sum of the processes' own counters would
//! fall when one of them ends. Only names that are among the first by CPU, memory or disk are reported, and for a
//! while after, so that their series have no holes.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use telemetry::otlp::PointValue;

use super::names::*;
use super::read::{Reader, value_of};
use crate::report::Report;

/// More processes are not looked at.
const MAX_PROCESSES: usize = 20_000;
/// So long a name is reported after it was among the first.
const STAY_NS: u64 = 300_000_000_000;
/// Of the names that stay so many times the limit are reported, those last among the first before others.
const MAX_STAYING: usize = 6;
/// A thread of the kernel (include/linux/sched.h, PF_KTHREAD): each has a name of its own.
const KERNEL_THREAD: u64 = 0x0020_0000;
const STATES: [&str; 5] = ["running", "sleeping", "blocked", "stopped", "defunct"];

/// What is known of processes between two looks.
pub(super) struct Processes {
    limit: usize,
    ticks_per_s: u64,
    page_bytes: u64,
    known: HashMap<u32, Process>,
    names: HashMap<Arc<str>, Usage>,
    /// Whether the look before has seen all: what is new to this one has begun since.
    is_whole: bool,
    looks: u64,
}

struct Process {
    started: u64,
    comm: Vec<u8>,
    name: Arc<str>,
    last: Counts,
    look: u64,
}

/// What a process has used since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    user: u64,
    system: u64,
    read: u64,
    written: u64,
}

/// The processes of one name.
#[derive(Default)]
struct Usage {
    start_ns: u64,
    total: Counts,
    /// Of this look.
    used: Counts,
    has_io: bool,
    memory_bytes: u64,
    threads: u64,
    processes: u64,
    first_until_ns: u64,
}

/// A process's line (proc_pid_stat(5)).
#[derive(Debug, PartialEq, Eq)]
struct Stat<'a> {
    comm: &'a [u8],
    state: u8,
    flags: u64,
    user: u64,
    system: u64,
    threads: u64,
    started: u64,
    pages: u64,
}

impl Processes {
    pub(super) fn new(limit: usize, ticks_per_s: u64, page_bytes: u64) -> Self {
        Self {
            limit,
            ticks_per_s: ticks_per_s.max(1),
            page_bytes,
            known: HashMap::new(),
            names: HashMap::new(),
            is_whole: false,
            looks: 0,
        }
    }

    pub(super) fn report(&mut self, reader: &mut Reader, report: &mut Report<'_>) {
        let Some(states) = self.look(reader, report.time_ns) else { return };
        report.metric(&PROCESS_COUNT);
        for (state, count) in STATES.iter().zip(states) {
            report.int(count, &[("process.state", state)]);
        }
        self.rank(report.time_ns);
        let mut shown: Vec<(&Arc<str>, &Usage)> =
            self.names.iter().filter(|(_, usage)| usage.first_until_ns > report.time_ns).collect();
        shown.sort_by(|a, b| b.1.first_until_ns.cmp(&a.1.first_until_ns).then_with(|| a.0.cmp(b.0)));
        shown.truncate(self.limit * MAX_STAYING);
        self.write(&shown, report);
    }

    fn write(&self, shown: &[(&Arc<str>, &Usage)], report: &mut Report<'_>) {
        const NAME: &str = "process.executable.name";
        let seconds = |ticks: u64| PointValue::Double(ticks as f64 / self.ticks_per_s as f64);
        let bytes = |bytes: u64| PointValue::Int(i64::try_from(bytes).unwrap_or(i64::MAX));
        report.metric(&PROCESS_CPU);
        for (name, usage) in shown {
            for (mode, ticks) in [("user", usage.total.user), ("system", usage.total.system)] {
                report.point(seconds(ticks), usage.start_ns, &[("cpu.mode", mode), (NAME, name)]);
            }
        }
        report.metric(&PROCESS_IO);
        for (name, usage) in shown.iter().filter(|(_, usage)| usage.has_io) {
            for (direction, count) in [("read", usage.total.read), ("write", usage.total.written)] {
                report.point(bytes(count), usage.start_ns, &[("disk.io.direction", direction), (NAME, name)]);
            }
        }
        report.metric(&PROCESS_MEMORY);
        shown.iter().for_each(|(name, usage)| report.int(usage.memory_bytes, &[(NAME, name)]));
        report.metric(&PROCESS_THREADS);
        shown.iter().for_each(|(name, usage)| report.int(usage.threads, &[(NAME, name)]));
        report.metric(&PROCESS_INSTANCES);
        shown.iter().for_each(|(name, usage)| report.int(usage.processes, &[(NAME, name)]));
    }

    /// Looks at all processes; how many there are by state.
    fn look(&mut self, reader: &mut Reader, time_ns: u64) -> Option<[u64; STATES.len()]> {
        let root = reader.path("proc");
        let entries = match std::fs::read_dir(&root) {
            Ok(entries) => entries,
            Err(error) => {
                reader.say("processes", &error);
                return None;
            }
        };
        self.looks += 1;
        for usage in self.names.values_mut() {
            *usage = Usage {
                start_ns: usage.start_ns,
                total: usage.total,
                first_until_ns: usage.first_until_ns,
                ..Usage::default()
            };
        }
        let (mut states, mut count) = ([0; STATES.len()], 0);
        let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        for pid in pids {
            if count == MAX_PROCESSES {
                reader.say_left_out("processes", MAX_PROCESSES);
                break;
            }
            count += 1;
            if let Some(state) = self.process(pid, &root.join(pid.to_string()), reader, time_ns) {
                states[state] += 1;
            }
        }
        let looks = self.looks;
        self.known.retain(|_, process| process.look == looks);
        self.names.retain(|_, usage| usage.processes > 0 || usage.first_until_ns > time_ns);
        self.is_whole = count < MAX_PROCESSES;
        Some(states)
    }

    /// Adds what one process used since the look before. It may end at any moment: then it is left out.
    fn process(&mut self, pid: u32, directory: &Path, reader: &mut Reader, time_ns: u64) -> Option<usize> {
        let raw = reader.bytes(&directory.join("stat"))?;
        let stat = stat(raw)?;
        let state = state(stat.state)?;
        let (memory_bytes, threads) = (stat.pages.saturating_mul(self.page_bytes), stat.threads);
        let mut counts = Counts { user: stat.user, system: stat.system, ..Counts::default() };
        let known = self.known.get(&pid).filter(|known| known.started == stat.started);
        let name = match known {
            Some(known) if known.comm == stat.comm => known.name.clone(),
            _ => name_of(&stat, directory),
        };
        let (comm, started, is_kernel) = (stat.comm.to_vec(), stat.started, stat.flags & KERNEL_THREAD != 0);
        let before = known.map(|known| known.last);
        let io = if is_kernel { None } else { io(reader, directory) };
        if let Some((read, written)) = io {
            (counts.read, counts.written) = (read, written);
        }
        let base = match before {
            Some(before) => before,
            None if self.is_whole => Counts::default(),
            None => counts,
        };
        let usage =
            self.names.entry(name.clone()).or_insert_with(|| Usage { start_ns: time_ns, ..Usage::default() });
        usage.add(counts.since(base));
        usage.has_io |= io.is_some();
        usage.memory_bytes += memory_bytes;
        usage.threads += threads;
        usage.processes += 1;
        self.known.insert(pid, Process { started, comm, name, last: counts, look: self.looks });
        Some(state)
    }

    /// Marks the first by CPU, by memory and by disk.
    fn rank(&mut self, time_ns: u64) {
        let keys: [fn(&Usage) -> u64; 3] = [
            |usage| usage.used.user + usage.used.system,
            |usage| usage.memory_bytes,
            |usage| usage.used.read + usage.used.written,
        ];
        for key in keys {
            let mut ranked: Vec<&mut Usage> =
                self.names.values_mut().filter(|usage| key(usage) > 0).collect();
            ranked.sort_by_key(|usage| std::cmp::Reverse(key(usage)));
            for usage in ranked.into_iter().take(self.limit) {
                usage.first_until_ns = time_ns.saturating_add(STAY_NS);
            }
        }
    }
}

impl Counts {
    fn since(self, before: Self) -> Self {
        Self {
            user: self.user.saturating_sub(before.user),
            system: self.system.saturating_sub(before.system),
            read: self.read.saturating_sub(before.read),
            written: self.written.saturating_sub(before.written),
        }
    }

    fn plus(self, more: Self) -> Self {
        Self {
            user: self.user.saturating_add(more.user),
            system: self.system.saturating_add(more.system),
            read: self.read.saturating_add(more.read),
            written: self.written.saturating_add(more.written),
        }
    }
}

impl Usage {
    fn add(&mut self, used: Counts) {
        self.total = self.total.plus(used);
        self.used = self.used.plus(used);
    }
}

fn stat(raw: &[u8]) -> Option<Stat<'_>> {
    // A name may contain anything, so its end is the last that could be.
    let (open, close) = (memchr::memchr(b'(', raw)?, memchr::memrchr(b')', raw)?);
    let comm = raw.get(open + 1..close)?;
    let words: Vec<&str> =
        std::str::from_utf8(&raw[close + 1..]).ok()?.split_ascii_whitespace().take(22).collect();
    let number = |at: usize| words.get(at)?.parse::<u64>().ok();
    Some(Stat {
        comm,
        state: *words.first()?.as_bytes().first()?,
        flags: number(6)?,
        user: number(11)?,
        system: number(12)?,
        threads: number(17)?,
        started: number(19)?,
        pages: number(21)?,
    })
}

/// The place in `STATES`.
fn state(letter: u8) -> Option<usize> {
    match letter {
        b'R' => Some(0),
        b'S' | b'I' => Some(1),
        b'D' => Some(2),
        b'T' | b't' => Some(3),
        b'Z' => Some(4),
        // Dead: gone at the next look.
        _ => None,
    }
}

/// The executable's file name; of processes of others, which do not tell, the 15 bytes that the kernel keeps.
fn name_of(stat: &Stat<'_>, directory: &Path) -> Arc<str> {
    if stat.flags & KERNEL_THREAD != 0 {
        return "kernel".into();
    }
    let executable = std::fs::read_link(directory.join("exe")).ok();
    let file = executable.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy());
    let name = file.unwrap_or_else(|| String::from_utf8_lossy(stat.comm));
    // Its file was replaced: an upgrade.
    let name = name.strip_suffix(" (deleted)").unwrap_or(&name);
    if name.is_empty() { "unknown".into() } else { name.into() }
}

/// Bytes read and written; only root and the owner may know.
fn io(reader: &mut Reader, directory: &Path) -> Option<(u64, u64)> {
    let text = reader.line(&directory.join("io"))?;
    Some((value_of(text, "read_bytes")?, value_of(text, "write_bytes")?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn write(root: &Path, pid: u32, comm: &str, started: u64, user: u64) {
        let folder = root.join("proc").join(pid.to_string());
        std::fs::create_dir_all(&folder).unwrap();
        let line = format!(
            "{pid} ({comm}) S 1 1 1 0 -1 4194304 103 0 0 0 {user} 5 0 0 20 0 3 0 {started} 3133440 10 184467 1 1\n"
        );
        std::fs::write(folder.join("stat"), line).unwrap();
        let io = format!("rchar: 9\nwchar: 9\nread_bytes: {}\nwrite_bytes: 4096\n", user * 10);
        std::fs::write(folder.join("io"), io).unwrap();
    }

    #[test]
    fn lines_are_read_whatever_the_name_is() {
        let line = b"869 (a) R (b) ) R 858 858 32051 0 -1 4194304 103 0 0 0 7 9 0 0 20 0 2 0 2498160 3133440 386 1844";
        let read = stat(line).unwrap();
        assert_eq!(read.comm, b"a) R (b) ");
        let Stat { state, flags, user, system, threads, started, pages, .. } = read;
        assert_eq!((state, flags, user, system, threads), (b'R', 4_194_304, 7, 9, 2));
        assert_eq!((started, pages), (2_498_160, 386));
        for line in
            ["", "1 (x", "1 (x) S 1 2 3", ") 1 (", "1 (x) S 1 1 1 0 -1 x 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"]
        {
            assert_eq!(stat(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn sums_by_name_only_rise() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let mut reader = Reader::new(root);
        let mut processes = Processes::new(2, 100, 4096);
        write(root, 10, "web", 1, 1000);
        write(root, 11, "web", 2, 500);
        write(root, 12, "idle", 3, 7);
        let mut look = |time_ns| {
            let states = processes.look(&mut reader, time_ns).unwrap();
            processes.rank(time_ns);
            let usage = &processes.names["web"];
            (states[1], usage.total.user, usage.total.read, usage.processes, usage.memory_bytes)
        };
        assert_eq!(look(1), (3, 0, 0, 2, 2 * 40_960), "what was before is not counted");
        write(root, 10, "web", 1, 1100);
        assert_eq!(look(2), (3, 100, 1000, 2, 2 * 40_960));
        // One ends, and another begins under its number and is counted whole.
        std::fs::remove_dir_all(root.join("proc/11")).unwrap();
        write(root, 10, "web", 99, 30);
        assert_eq!(look(3), (2, 130, 1300, 1, 40_960));
        std::fs::remove_dir_all(root.join("proc/10")).unwrap();
        assert_eq!(look(4), (1, 130, 1300, 0, 0), "it stays for a while");
        let known = processes.known.len();
        assert_eq!((known, processes.names.len()), (1, 2));
        processes.look(&mut reader, 4 + STAY_NS).unwrap();
        assert_eq!(processes.names.len(), 1);
    }

    #[test]
    fn only_the_first_are_shown() {
        let folder = tempfile::tempdir().unwrap();
        let mut reader = Reader::new(folder.path());
        let mut processes = Processes::new(2, 100, 4096);
        for pid in 1..40 {
            write(folder.path(), pid, &format!("p{pid}"), 1, 100);
        }
        processes.look(&mut reader, 1).unwrap();
        for pid in 1..40u32 {
            write(folder.path(), pid, &format!("p{pid}"), 1, 100 + u64::from(pid));
        }
        processes.look(&mut reader, 2).unwrap();
        processes.rank(2);
        let shown = processes.names.iter().filter(|(_, usage)| usage.first_until_ns > 2);
        let mut shown: Vec<&str> = shown.map(|(name, _)| &**name).collect();
        shown.sort_unstable();
        assert!(
            (2..=6).contains(&shown.len()) && shown.contains(&"p39") && shown.contains(&"p38"),
            "{shown:?}"
        );
    }
}
