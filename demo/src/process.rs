//! This process: who it is, and what it uses.

use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

/// Of the resource.
pub(crate) fn attributes() -> Vec<KeyValue> {
    let mut attributes = vec![KeyValue::new("process.pid", i64::from(std::process::id()))];
    if let Ok(host) = std::fs::read_to_string("/proc/sys/kernel/hostname") {
        attributes.push(KeyValue::new("host.name", host.trim().to_owned()));
    }
    let program = std::env::current_exe().ok();
    if let Some(name) = program.as_deref().and_then(|path| path.file_name()) {
        attributes.push(KeyValue::new("process.executable.name", name.to_string_lossy().into_owned()));
    }
    attributes
}

/// CPU and memory, as /proc tells them.
pub(crate) fn observe(meter: &Meter) {
    let _registered = meter
        .f64_observable_counter("process.cpu.time")
        .with_unit("s")
        .with_callback(|observer| {
            let Some(stat) = Stat::read() else { return };
            observer.observe(stat.user_s, &[KeyValue::new("cpu.mode", "user")]);
            observer.observe(stat.system_s, &[KeyValue::new("cpu.mode", "system")]);
        })
        .build();
    let _registered = meter
        .i64_observable_up_down_counter("process.memory.usage")
        .with_unit("By")
        .with_callback(|observer| {
            if let Some(stat) = Stat::read() {
                observer.observe(stat.memory_bytes, &[]);
            }
        })
        .build();
}

struct Stat {
    user_s: f64,
    system_s: f64,
    memory_bytes: i64,
}

impl Stat {
    fn read() -> Option<Self> {
        Self::parse(&std::fs::read_to_string("/proc/self/stat").ok()?)
    }

    /// The name in brackets may have brackets and blanks.
    fn parse(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.rsplit_once(')')?.1.split_whitespace().collect();
        // Fields are counted from 1 in proc(5), and the state, the first here, is the third.
        let number = |field: usize| fields.get(field - 3)?.parse::<i64>().ok();
        let per_s = rustix::param::clock_ticks_per_second() as f64;
        let page_bytes = rustix::param::page_size() as i64;
        Some(Self {
            user_s: number(14)? as f64 / per_s,
            system_s: number(15)? as f64 / per_s,
            memory_bytes: number(24)?.saturating_mul(page_bytes),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_line_is_read() {
        let line = "7 (shop) (x)) S 1 7 7 0 -1 4194304 1 0 0 0 200 50 0 0 20 0 3 0 1 3133440 10 184467 1";
        let stat = Stat::parse(line).unwrap();
        let per_s = rustix::param::clock_ticks_per_second() as f64;
        assert_eq!((stat.user_s * per_s, stat.system_s * per_s), (200.0, 50.0));
        assert_eq!(stat.memory_bytes, 10 * rustix::param::page_size() as i64);
        assert!(Stat::read().unwrap().memory_bytes > 0);
        assert!(Stat::parse("7 (shop").is_none() && Stat::parse("7 (shop) S 1").is_none());
    }
}
