//! CPUs, load and uptime.

use super::names::*;
use super::read::{Reader, numbers, value_of};
use crate::report::Report;

/// In the order of /proc/stat; behind them are `guest` and `guest_nice`, which user and nice contain.
const MODES: [&str; 8] = ["user", "nice", "system", "idle", "iowait", "interrupt", "softirq", "steal"];
const GUEST: usize = MODES.len();

/// The CPUs' counters, made to only rise.
pub(super) struct Cpus {
    ticks_per_s: u64,
    last: Vec<[u64; GUEST + 1]>,
}

/// When the host was started, ns since 1970.
pub(super) fn boot_ns(reader: &mut Reader) -> Option<u64> {
    value_of(reader.text("proc/stat")?, "btime")?.checked_mul(1_000_000_000)
}

impl Cpus {
    pub(super) fn new(ticks_per_s: u64) -> Self {
        Self { ticks_per_s: ticks_per_s.max(1), last: Vec::new() }
    }

    pub(super) fn report(&mut self, reader: &mut Reader, report: &mut Report<'_>) {
        let Some(stat) = reader.text("proc/stat") else { return };
        report.metric(&CPU_TIME);
        let mut count = 0;
        for line in stat.lines().skip_while(|line| !line.starts_with("cpu")) {
            let Some(rest) = line.strip_prefix("cpu") else { break };
            let Some((index, times)) = rest.split_once(' ') else { break };
            // The first line is the sum of all.
            let Ok(cpu) = index.parse::<u16>() else { continue };
            count += 1;
            let times = self.risen(usize::from(cpu), modes(times));
            for (mode, ticks) in MODES.iter().chain(&["guest"]).zip(times) {
                // Few hosts have guests.
                if *mode != "guest" || ticks > 0 {
                    report.double(
                        ticks as f64 / self.ticks_per_s as f64,
                        &[("cpu", index), ("cpu.mode", mode)],
                    );
                }
            }
        }
        report.one(&CPU_COUNT, count);
        let counts = [(&PROCESS_CREATED, "processes"), (&CONTEXT_SWITCHES, "ctxt"), (&INTERRUPTS, "intr")];
        for (metric, key) in counts {
            if let Some(value) = value_of(stat, key) {
                report.one(metric, value);
            }
        }
        report.metric(&THREADS);
        for (state, key) in [("running", "procs_running"), ("blocked", "procs_blocked")] {
            if let Some(value) = value_of(stat, key) {
                report.int(value, &[("state", state)]);
            }
        }
    }

    /// The kernel's idle and iowait may fall back a little: to a query that would be a counter that began again.
    fn risen(&mut self, cpu: usize, times: [u64; GUEST + 1]) -> [u64; GUEST + 1] {
        if self.last.len() <= cpu {
            self.last.resize(cpu + 1, [0; GUEST + 1]);
        }
        let slack = 3 * self.ticks_per_s;
        let last = &mut self.last[cpu];
        for (last, now) in last.iter_mut().zip(times) {
            // What falls back far has begun again: the CPU was taken away and came back.
            if now >= *last || *last - now > slack {
                *last = now;
            }
        }
        *last
    }
}

/// Ticks by mode, so that they add up to the time that has passed.
fn modes(line: &str) -> [u64; GUEST + 1] {
    let mut times = [0; GUEST + 2];
    times.iter_mut().zip(numbers(line)).for_each(|(time, ticks)| *time = ticks);
    let [user, nice, system, idle, iowait, interrupt, softirq, steal, guest, guest_nice] = times;
    let (user, nice) = (user.saturating_sub(guest), nice.saturating_sub(guest_nice));
    [user, nice, system, idle, iowait, interrupt, softirq, steal, guest + guest_nice]
}

/// Load averages, uptime and open files.
pub(super) fn report_load(reader: &mut Reader, report: &mut Report<'_>) {
    if let Some(text) = reader.text("proc/loadavg") {
        let words = text.split_ascii_whitespace();
        for (metric, word) in [&LOAD_1M, &LOAD_5M, &LOAD_15M].into_iter().zip(words) {
            if let Ok(load) = word.parse() {
                report.one_double(metric, load);
            }
        }
    }
    let uptime =
        reader.text("proc/uptime").and_then(|text| text.split_ascii_whitespace().next()?.parse().ok());
    if let Some(uptime) = uptime {
        report.one_double(&UPTIME, uptime);
    }
    if let Some(text) = reader.text("proc/sys/fs/file-nr") {
        let mut words = numbers(text);
        if let (Some(open), Some(limit)) = (words.next(), words.nth(1)) {
            report.one(&OPEN_FILES, open);
            report.one(&OPEN_FILES_LIMIT, limit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_only_rise_and_add_up() {
        let mut cpus = Cpus::new(100);
        assert_eq!(modes(" 50 20 3 400 5 6 7 8 10 4"), [40, 16, 3, 400, 5, 6, 7, 8, 14]);
        assert_eq!(modes(" 50 20 3 400"), [50, 20, 3, 400, 0, 0, 0, 0, 0], "an old kernel");
        let cases = [(900, 900), (899, 900), (1000, 1000), (701, 1000), (600, 600)];
        for (idle, expected) in cases {
            let times = cpus.risen(2, [0, 0, 0, idle, 0, 0, 0, 0, 0]);
            assert_eq!(times[3], expected, "{idle}");
        }
        assert_eq!(cpus.last.len(), 3);
    }
}
