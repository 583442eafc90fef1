//! What customers saw, by the second in which they came. A second is written when its last customer is served, or has
//! waited for longer than anybody does.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use parking_lot::Mutex;
use serde_json::{Map, Value, json};

/// What one customer saw.
pub(super) struct Seen {
    pub(super) what: &'static str,
    pub(super) ms: f64,
    pub(super) is_ok: bool,
}

#[derive(Default)]
struct Second {
    arrived: usize,
    seen: Vec<Seen>,
}

pub(super) struct Figures(Mutex<Inner>);

struct Inner {
    file: File,
    seconds: BTreeMap<u64, Second>,
    oldest_s: f64,
}

impl Figures {
    pub(super) fn create(path: &Path) -> std::io::Result<Self> {
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Self(Mutex::new(Inner { file, seconds: BTreeMap::new(), oldest_s: 0.0 })))
    }

    pub(super) fn arrived(&self, at_s: u64) {
        self.0.lock().seconds.entry(at_s).or_default().arrived += 1;
    }

    pub(super) fn seen(&self, at_s: u64, seen: Seen) {
        if let Some(second) = self.0.lock().seconds.get_mut(&at_s) {
            second.seen.push(seen);
        }
    }

    pub(super) fn oldest(&self, age_s: f64) {
        self.0.lock().oldest_s = age_s;
    }

    /// Writes seconds that are over, in their order.
    pub(super) fn write(&self, now_s: u64, patience_s: u64) -> std::io::Result<()> {
        let mut inner = self.0.lock();
        while let Some(entry) = inner.seconds.first_entry() {
            let at_s = *entry.key();
            let is_complete = entry.get().seen.len() >= entry.get().arrived;
            // Arrivals of a second may be noted a moment after it.
            let is_over = at_s + 1 < now_s && (is_complete || at_s + patience_s < now_s);
            if !is_over {
                break;
            }
            let mut line = line(at_s, &entry.remove());
            line["order_age_s"] = json!(round(inner.oldest_s));
            writeln!(inner.file, "{line}")?;
        }
        Ok(())
    }
}

fn line(at_s: u64, second: &Second) -> Value {
    let mut by_kind: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for seen in &second.seen {
        by_kind.entry("all").or_default().push(seen.ms);
        by_kind.entry(seen.what).or_default().push(seen.ms);
    }
    let mut line = Map::new();
    line.insert("at".to_owned(), json!(at_s));
    line.insert("sent".to_owned(), json!(second.arrived));
    let ok = second.seen.iter().filter(|seen| seen.is_ok).count();
    line.insert("failed".to_owned(), json!(second.arrived - ok));
    for (kind, mut times_ms) in by_kind {
        times_ms.sort_by(f64::total_cmp);
        let figures = json!({
            "n": times_ms.len(),
            "mean_ms": round(times_ms.iter().sum::<f64>() / times_ms.len() as f64),
            "p50_ms": round(quantile(&times_ms, 0.5)),
            "p95_ms": round(quantile(&times_ms, 0.95)),
        });
        line.insert(kind.to_owned(), figures);
    }
    Value::Object(line)
}

/// The nearest rank; `sorted` is not empty.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

fn round(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_written_when_all_are_served_or_have_waited_long() {
        let file = std::env::temp_dir().join(format!("figures-{}.jsonl", std::process::id()));
        let figures = Figures::create(&file).unwrap();
        let written = || std::fs::read_to_string(&file).unwrap().lines().count();
        for at_s in [100, 100, 101] {
            figures.arrived(at_s);
        }
        figures.seen(100, Seen { what: "list", ms: 10.04, is_ok: true });
        figures.write(102, 11).unwrap();
        assert_eq!(written(), 0);
        figures.seen(100, Seen { what: "view", ms: 30.0, is_ok: false });
        figures.oldest(2.5);
        figures.write(101, 11).unwrap();
        assert_eq!(written(), 0, "the second may not be over");
        figures.write(102, 11).unwrap();
        assert_eq!(written(), 1);
        figures.write(112, 11).unwrap();
        assert_eq!(written(), 1);
        figures.write(113, 11).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let [first, second] = &lines[..] else { panic!("{text}") };
        assert_eq!((&first["at"], &first["sent"], &first["failed"]), (&json!(100), &json!(2), &json!(1)));
        assert_eq!(first["all"], json!({"n": 2, "mean_ms": 20.0, "p50_ms": 10.0, "p95_ms": 30.0}));
        assert_eq!((&first["list"]["n"], &first["order_age_s"]), (&json!(1), &json!(2.5)));
        assert_eq!((&second["failed"], second.get("all")), (&json!(1), None));
    }
}
