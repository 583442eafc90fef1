//! The rows of the set's files, as they are.

use std::path::Path;

use anyhow::Context;

/// Spans and log lines of some minutes.
#[derive(Default)]
pub(super) struct Events {
    pub(super) spans: Vec<Span>,
    pub(super) lines: Vec<Line>,
}

pub(super) struct Span {
    pub(super) trace: String,
    pub(super) id: String,
    /// `root`, or the caller's id.
    pub(super) parent: String,
    pub(super) service: String,
    pub(super) pod: String,
    pub(super) operation: String,
    pub(super) start_ns: u64,
    pub(super) end_ns: u64,
}

pub(super) struct Line {
    pub(super) time_ns: u64,
    pub(super) service: String,
    pub(super) pod: String,
    /// Ids of the request that it belongs to, or nothing.
    pub(super) trace: String,
    pub(super) span: String,
    /// OpenTelemetry's number.
    pub(super) severity: u8,
    /// Class and line of the program, as the logger writes them: `c.s.ContactsServiceImpl#37`.
    pub(super) place: String,
    pub(super) message: String,
}

/// A minute of a pod.
pub(super) struct Metric {
    pub(super) service: String,
    pub(super) pod: String,
    /// End of the minute, s since 1970.
    pub(super) time_s: i64,
    /// CPUs in use, and their limit.
    pub(super) cpu: (f64, f64),
    /// Bytes in use, and their limit.
    pub(super) memory: (f64, f64),
    /// Bytes that came and went in a second.
    pub(super) network: (f64, f64),
}

/// A pod's service: `ts-route-service-b6c59fb57-zv8dt` is of `ts-route-service`.
pub(super) fn service(pod: &str) -> &str {
    let cut = |name: &str| name.rfind('-').unwrap_or(name.len());
    let set = &pod[..cut(pod)];
    &set[..cut(set)]
}

pub(super) fn spans(path: &Path) -> anyhow::Result<Vec<Span>> {
    let read = |row: &Row<'_>| {
        Ok(Span {
            trace: row.text("TraceID")?.to_owned(),
            id: row.text("SpanID")?.to_owned(),
            parent: row.text("ParentID")?.to_owned(),
            service: service(row.text("PodName")?).to_owned(),
            pod: row.text("PodName")?.to_owned(),
            operation: row.text("OperationName")?.to_owned(),
            start_ns: row.number("StartTimeUnixNano")?,
            end_ns: row.number("EndTimeUnixNano")?,
        })
    };
    table(path, read)
}

pub(super) fn lines(path: &Path) -> anyhow::Result<Vec<Line>> {
    // A few lines of the set are from before 1970: when they were written is not known.
    let read = |row: &Row<'_>| {
        let Ok(time_ns) = u64::try_from(row.number::<i64>("TimeUnixNano")?) else { return Ok(None) };
        let pod = row.text("PodName")?;
        let (trace, span) = (row.text("TraceID")?.to_owned(), row.text("SpanID")?.to_owned());
        Ok(Some(Line { time_ns, trace, span, ..line(pod, row.text("Log")?) }))
    };
    Ok(table(path, read)?.into_iter().flatten().collect())
}

pub(super) fn metrics(path: &Path) -> anyhow::Result<Vec<Metric>> {
    let read = |row: &Row<'_>| {
        let used = |what: &str, share: &str, unit: f64| -> anyhow::Result<(f64, f64)> {
            let used = row.number::<f64>(what)? * unit;
            Ok((used, used / (row.number::<f64>(share)? / 100.0)))
        };
        Ok(Metric {
            service: service(row.text("PodName")?).to_owned(),
            pod: row.text("PodName")?.to_owned(),
            time_s: row.number("TimeStamp")?,
            cpu: used("CpuUsage(m)", "CpuUsageRate(%)", 1e-3)?,
            memory: used("MemoryUsage(Mi)", "MemoryUsageRate(%)", 1_048_576.0)?,
            network: (row.number("NetworkReceiveBytes")?, row.number("NetworkTransmitBytes")?),
        })
    };
    table(path, read)
}

/// `16:43:25.323 ERROR f.s.FoodServiceImpl#302 TraceID: … SpanID: … [message]` in a JSON object, or anything.
fn line(pod: &str, record: &str) -> Line {
    let value: serde_json::Value = serde_json::from_str(record).unwrap_or_default();
    let text = value["log"].as_str().unwrap_or(record).trim();
    let mut words = text.splitn(4, char::is_whitespace).filter(|word| !word.is_empty());
    let level = words.nth(1).unwrap_or_default();
    let severity = match level {
        "ERROR" => 17,
        "WARN" => 13,
        "INFO" => 9,
        "DEBUG" => 5,
        _ => 0,
    };
    let rest = text.split_once(level).map_or(text, |(_, rest)| rest).trim_start();
    let (place, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let message = match rest.split_once("SpanID: ") {
        Some((_, rest)) => rest.split_once(char::is_whitespace).map_or("", |(_, message)| message),
        None => rest,
    };
    let is_known = severity > 0;
    let (place, message) = if is_known { (place, message) } else { ("", text) };
    Line {
        time_ns: 0,
        service: service(pod).to_owned(),
        pod: pod.to_owned(),
        trace: String::new(),
        span: String::new(),
        severity,
        place: place.to_owned(),
        message: message.to_owned(),
    }
}

/// One row with the names of its columns.
struct Row<'a> {
    names: &'a csv::StringRecord,
    values: &'a csv::StringRecord,
}

impl Row<'_> {
    fn text(&self, name: &str) -> anyhow::Result<&str> {
        let column = self.names.iter().position(|column| column == name);
        column.and_then(|column| self.values.get(column)).with_context(|| format!("no column {name}"))
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> anyhow::Result<T>
    where
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        let text = self.text(name)?;
        text.trim().parse().with_context(|| format!("{name} is no number: {text}"))
    }
}

fn table<T>(path: &Path, read: impl Fn(&Row<'_>) -> anyhow::Result<T>) -> anyhow::Result<Vec<T>> {
    let reader = csv::ReaderBuilder::new().flexible(true).from_path(path);
    let mut reader = reader.with_context(|| format!("cannot open {}", path.display()))?;
    let names = reader.headers()?.clone();
    let mut rows = Vec::new();
    for (place, values) in reader.records().enumerate() {
        let at = || format!("{}, row {}", path.display(), place + 2);
        let values = values.with_context(at)?;
        // A few rows of the set are torn: two lines of a log in one, with more columns than there are.
        if values.len() == names.len() {
            rows.push(read(&Row { names: &names, values: &values }).with_context(at)?);
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart() {
        let record = r#"{"log":"16:43:25.323 ERROR  f.s.FoodServiceImpl#302 TraceID: 83f SpanID: e19 [getAllFood][Failed]\n"}"#;
        let found = line("food-1-a", record);
        assert_eq!((found.severity, found.place.as_str()), (17, "f.s.FoodServiceImpl#302"));
        assert_eq!((found.service.as_str(), found.pod.as_str()), ("food", "food-1-a"));
        assert_eq!(found.message, "[getAllFood][Failed]");
        let raw = line("food-1-a", "at java.lang.Thread.run(Thread.java:748)");
        assert_eq!((raw.severity, raw.message.as_str()), (0, "at java.lang.Thread.run(Thread.java:748)"));
    }

    #[test]
    fn a_pod_names_its_service() {
        assert_eq!(service("ts-route-service-b6c59fb57-zv8dt"), "ts-route-service");
        assert_eq!(service("odd"), "odd");
    }
}
