//! `narrows-agent test-pipeline`: what lines become, without a queue or a
//! collector. The same joining, parsing, rules and redaction as in the running agent.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::{Map, Value as Json, json};
use telemetry::detect::Clock;
use telemetry::otlp::{LogRecord, LogsRequest, RecordsWriter};

use crate::batch::{Labels, draft_of};
use crate::config::{Config, FileInput, StdinInput, SyslogInput, merge};
use crate::draft::{Draft, Room};
use crate::host;
use crate::lines::{Joiner, Line, LineOptions, MAX_LINE_BYTES, Marks, clean};
use crate::process::Processors;
use crate::queue::now_ns;
use crate::{stdin, syslog};

const ROOM: Room = Room { body_bytes: MAX_LINE_BYTES, record_bytes: 320 << 10 };
/// A sample is a sample.
const MAX_SAMPLE_BYTES: u64 = 64 << 20;

/// Whose lines they are.
enum Source<'c> {
    Lines(Labels),
    Syslog(&'c SyslogInput, Labels),
}

/// Reads lines and writes what each would become, a JSON object a line, and a summary behind them.
pub fn test_pipeline(
    config: &Config,
    source: Option<&str>,
    mut input: impl Read,
    mut output: impl Write,
) -> anyhow::Result<()> {
    let source = find(config, source)?;
    let mut sample = Vec::new();
    input.by_ref().take(MAX_SAMPLE_BYTES + 1).read_to_end(&mut sample).context("cannot read the sample")?;
    if sample.len() as u64 > MAX_SAMPLE_BYTES {
        bail!("the sample is longer than {} MiB", MAX_SAMPLE_BYTES >> 20);
    }
    let mut run = Run {
        processors: Processors::new(&config.processors),
        now_ns: now_ns(),
        summary: Summary::default(),
    };
    match &source {
        Source::Lines(labels) => run.lines(&sample, labels, &mut output)?,
        Source::Syslog(input, labels) => run.syslog(&sample, input, labels, &mut output)?,
    }
    serde_json::to_writer(&mut output, &run.summary.to_json())?;
    output.write_all(b"\n")?;
    output.flush()?;
    Ok(())
}

/// By the input's name, else by its kind; without a name the first of files.
fn find<'c>(config: &'c Config, wanted: Option<&str>) -> anyhow::Result<Source<'c>> {
    let resource = merge(&[&host::attributes(), &config.resource]);
    let of_file = |input: &FileInput| {
        // The sample stands for a file that the first pattern matches.
        let path = input.include.first().map_or_else(|| "sample.log".to_owned(), |glob| glob.to_string());
        Source::Lines(Labels::of_file(Path::new(&path), input, &resource))
    };
    let of_stdin = |input: &StdinInput| Source::Lines(stdin::labels(input, &resource));
    let of_syslog = |input: &'c SyslogInput| {
        let name = input.name.as_deref().unwrap_or("syslog");
        let all = merge(&[&resource, &input.resource]);
        let zone = host::zone(input.time_zone);
        Source::Syslog(input, Labels::new(&all, &input.attributes, LineOptions::default(), zone, name))
    };
    let file = config.files.iter().find(|input| wanted.is_none() || input.name.as_deref() == wanted);
    if let Some(input) = file {
        return Ok(of_file(input));
    }
    if let Some(input) =
        config.syslog.iter().find(|input| wanted.is_some() && input.name.as_deref() == wanted)
    {
        return Ok(of_syslog(input));
    }
    match (wanted, config.files.first(), config.syslog.first()) {
        (Some("file"), Some(input), _) => Ok(of_file(input)),
        (Some("syslog"), _, Some(input)) => Ok(of_syslog(input)),
        (Some("stdin") | None, ..) => Ok(of_stdin(config.stdin.as_ref().unwrap_or(&StdinInput::default()))),
        (Some(wanted), ..) => {
            let names = config.files.iter().filter_map(|input| input.name.as_deref());
            let names = names.chain(config.syslog.iter().filter_map(|input| input.name.as_deref()));
            let names: Vec<&str> = names.chain(["file", "stdin", "syslog"]).collect();
            bail!("no input is called {wanted:?}; there are: {}", names.join(", "))
        }
    }
}

struct Run {
    processors: Processors,
    now_ns: i64,
    summary: Summary,
}

/// What became of everything.
#[derive(Default)]
struct Summary {
    lines: u64,
    records: u64,
    empty: u64,
    malformed: u64,
    dropped: BTreeMap<String, u64>,
    redacted: BTreeMap<String, u64>,
}

impl Run {
    fn lines(&mut self, sample: &[u8], labels: &Labels, output: &mut impl Write) -> anyhow::Result<()> {
        let clock = Clock { now_ns: self.now_ns, zone: &labels.zone };
        let mut joiner = Joiner::new(&labels.lines, clock, [0; 3]);
        let mut at = 0;
        while at < sample.len() {
            let len = memchr::memchr(b'\n', &sample[at..]).unwrap_or(sample.len() - at);
            let end = (at + len + 1).min(sample.len());
            joiner.line(Line {
                raw: &sample[at..at + len],
                start: at as u64,
                end: end as u64,
                marks: Marks::default(),
            });
            at = end;
            self.take(&mut joiner, labels, output)?;
        }
        joiner.flush();
        self.take(&mut joiner, labels, output)
    }

    fn take(
        &mut self,
        joiner: &mut Joiner<'_, '_>,
        labels: &Labels,
        output: &mut impl Write,
    ) -> anyhow::Result<()> {
        while let Some(mut joined) = joiner.pop() {
            self.summary.lines += u64::from(joined.lines);
            self.summary.empty += u64::from(joined.empty);
            if joined.text.is_empty() {
                self.summary.empty += 1;
                continue;
            }
            let now_ns = self.now_ns;
            self.record(draft_of(&mut joined, labels, now_ns), labels, output)?;
        }
        Ok(())
    }

    fn syslog(
        &mut self,
        sample: &[u8],
        input: &SyslogInput,
        labels: &Labels,
        output: &mut impl Write,
    ) -> anyhow::Result<()> {
        for line in sample.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            self.summary.lines += 1;
            let kept = &line[..line.len().min(input.max_message_bytes)];
            let (text, _) = clean(kept, Marks::default());
            let clock = Clock { now_ns: self.now_ns, zone: &labels.zone };
            let (mut draft, origin, is_message) = syslog::draft_of(&text, None, &clock);
            self.summary.malformed += u64::from(!is_message);
            for (key, value) in [("host.name", origin.host), ("service.name", origin.app)] {
                if let Some(value) = value {
                    draft.add_text(key, value);
                }
            }
            self.record(draft, labels, output)?;
        }
        Ok(())
    }

    fn record(
        &mut self,
        mut draft: Draft<'_>,
        labels: &Labels,
        output: &mut impl Write,
    ) -> anyhow::Result<()> {
        let outcome = self.processors.apply(&mut draft, &labels.context);
        for (rule, count) in outcome.redacted {
            *self.summary.redacted.entry(rule).or_default() += count;
        }
        if let Some(rule) = outcome.dropped_by {
            *self.summary.dropped.entry(rule).or_default() += 1;
            return Ok(());
        }
        self.summary.records += 1;
        // Through the bytes that would be sent: what is shown is what arrives.
        let mut raw = Vec::new();
        draft.encode(&mut raw, self.now_ns, ROOM);
        let mut writer = RecordsWriter::default();
        writer.resource(&[], "");
        writer.scope(&[], "");
        writer.record(&raw);
        let payload = writer.finish();
        let request = LogsRequest::parse(&payload)?;
        for (_, _, record) in request.records() {
            serde_json::to_writer(&mut *output, &record_json(&record))?;
            output.write_all(b"\n")?;
        }
        Ok(())
    }
}

fn record_json(record: &LogRecord<'_>) -> Json {
    let mut json = Map::new();
    if record.time_ns > 0 {
        json.insert("time_unix_nano".to_owned(), record.time_ns.to_string().into());
    }
    if record.severity_number > 0 {
        json.insert("severity_number".to_owned(), record.severity_number.into());
        json.insert("severity".to_owned(), telemetry::severity::class(record.severity_number).into());
    }
    json.insert("body".to_owned(), record.body.to_json());
    json.insert("attributes".to_owned(), record.attributes().to_json());
    let hex = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    if let Some(id) = record.trace_id() {
        json.insert("trace_id".to_owned(), hex(&id).into());
    }
    if let Some(id) = record.span_id() {
        json.insert("span_id".to_owned(), hex(&id).into());
    }
    Json::Object(json)
}

impl Summary {
    fn to_json(&self) -> Json {
        json!({"summary": {
            "lines": self.lines,
            "records": self.records,
            "empty_lines": self.empty,
            "malformed": self.malformed,
            "dropped": self.dropped,
            "redacted": self.redacted,
        }})
    }
}
