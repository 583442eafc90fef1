//! What is to be counted of spans, written as plainly as can be: from all of them at once, whatever their order was.

use std::collections::{BTreeMap, HashMap};

use telemetry::otlp::{SpanKind, StatusCode};

use super::Made;
use crate::names;

/// Durations by the index of their bucket (schema 5; `i32::MIN` for 0), and their sum in ns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distribution {
    /// How many in which bucket.
    pub buckets: BTreeMap<i32, u64>,
    /// In ns.
    pub sum_ns: u128,
}

impl Distribution {
    fn add(&mut self, duration_ns: u64) {
        self.sum_ns += u128::from(duration_ns);
        *self.buckets.entry(index(duration_ns)).or_default() += 1;
    }
}

fn index(duration_ns: u64) -> i32 {
    let value = duration_ns as f64 / 1e9;
    if value == 0.0 {
        return i32::MIN;
    }
    let mut index = (value.log2() * 32.0).floor() as i32 - 1;
    while 2f64.powf(f64::from(index) / 32.0) < value {
        index += 1;
    }
    index
}

/// Counts by labels without `partition` (sorted, as `name="value"` with commas between) and the time of their step
/// in ms.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// `narrows_red_calls`, `narrows_edge_calls`.
    pub counts: BTreeMap<(String, i64), u64>,
    /// The families of durations.
    pub distributions: BTreeMap<(String, i64), Distribution>,
}

type Id = ([u8; 16], [u8; 8]);

impl Expected {
    /// Of spans that came within 15 minutes and not before their end.
    pub fn of_spans(spans: &[Made]) -> Self {
        let mut expected = Self::default();
        for span in spans {
            expected.operation(span);
        }
        let mut callers: HashMap<Id, (&Made, bool)> = HashMap::new();
        let mut callees = Vec::new();
        for span in spans {
            match end_of(span) {
                Some((kind, name)) => expected.one_end(span, kind, &name),
                None if is_caller(span) => {
                    callers.insert((span.trace_id, span.span_id), (span, false));
                }
                None if is_callee(span) => callees.push(span),
                None => {}
            }
        }
        for callee in callees {
            let is_shared = callee.attributes.iter().any(|(key, _)| *key == "zipkin.shared");
            let caller_id = if is_shared { Some(callee.span_id) } else { callee.parent_id };
            if let Some((caller, is_paired)) =
                caller_id.and_then(|id| callers.get_mut(&(callee.trace_id, id)))
            {
                *is_paired = true;
                expected.both_ends(caller, callee);
            }
        }
        for (caller, _) in callers.into_values().filter(|(_, is_paired)| !is_paired) {
            let keys = ["peer.service", "server.address", "net.peer.name", "peer.hostname"];
            let address = keys.iter().find_map(|key| attribute(caller, key)).unwrap_or("unknown");
            expected.one_end(caller, "external", address);
        }
        expected
    }

    fn operation(&mut self, span: &Made) {
        let route =
            if matches!(&*span.name, "GET" | "POST" | "") { attribute(span, "http.route") } else { None };
        let operation = names::operation(&span.name, route.unwrap_or_default(), 200);
        let labels = format!(
            "kind=\"{}\",operation=\"{operation}\",service=\"{}\",status=\"{}\"",
            span.kind.name(),
            service(span),
            span.status.name()
        );
        self.count(&format!("__name__=\"narrows_red_calls\",{labels}"), span);
        self.duration(&format!("__name__=\"narrows_red_duration_seconds\",{labels}"), span, duration(span));
    }

    fn one_end(&mut self, span: &Made, kind: &str, peer: &str) {
        let is_callee = span.kind == SpanKind::Consumer;
        let (client, server) = if is_callee { (peer, service(span)) } else { (service(span), peer) };
        let status = if span.status == StatusCode::Error { "error" } else { "ok" };
        let ends = format!("client=\"{client}\",server=\"{server}\"");
        self.count(
            &format!("__name__=\"narrows_edge_calls\",{ends},status=\"{status}\",type=\"{kind}\""),
            span,
        );
        let side = if is_callee { "server" } else { "client" };
        let labels = format!("__name__=\"narrows_edge_{side}_seconds\",{ends},type=\"{kind}\"");
        self.duration(&labels, span, duration(span));
    }

    fn both_ends(&mut self, caller: &Made, callee: &Made) {
        let is_failed = [caller, callee].iter().any(|span| span.status == StatusCode::Error);
        let status = if is_failed { "error" } else { "ok" };
        let ends = format!("client=\"{}\",server=\"{}\"", service(caller), service(callee));
        let is_message = caller.kind == SpanKind::Producer || callee.kind == SpanKind::Consumer;
        let kind = if is_message { "messaging" } else { "service" };
        self.count(
            &format!("__name__=\"narrows_edge_calls\",{ends},status=\"{status}\",type=\"{kind}\""),
            caller,
        );
        let gap = duration(caller).saturating_sub(duration(callee));
        for (side, duration) in [("client", duration(caller)), ("server", duration(callee)), ("gap", gap)] {
            let labels = format!("__name__=\"narrows_edge_{side}_seconds\",{ends},type=\"{kind}\"");
            self.duration(&labels, caller, duration);
        }
    }

    fn count(&mut self, labels: &str, when: &Made) {
        *self.counts.entry((labels.to_owned(), time_ms(when))).or_default() += 1;
    }

    fn duration(&mut self, labels: &str, when: &Made, duration_ns: u64) {
        self.distributions.entry((labels.to_owned(), time_ms(when))).or_default().add(duration_ns);
    }
}

/// The end of the 10 s in which it ended.
fn time_ms(span: &Made) -> i64 {
    let ten_seconds = 10_000_000_000;
    (span.end_ns.div_ceil(ten_seconds) * 10_000) as i64
}

fn duration(span: &Made) -> u64 {
    span.end_ns - span.start_ns
}

fn service(span: &Made) -> &str {
    if span.service.is_empty() { "unknown_service" } else { &span.service }
}

fn is_caller(span: &Made) -> bool {
    matches!(span.kind, SpanKind::Client | SpanKind::Producer)
}

fn is_callee(span: &Made) -> bool {
    matches!(span.kind, SpanKind::Server | SpanKind::Consumer)
}

fn attribute<'a>(span: &'a Made, key: &str) -> Option<&'a str> {
    span.attributes.iter().find(|(its, _)| *its == key).map(|(_, value)| &**value)
}

/// The other end of a span that has no other half.
fn end_of(span: &Made) -> Option<(&'static str, String)> {
    let either = |keys: [&str; 2]| keys.iter().find_map(|key| attribute(span, key));
    let database = either(["db.system", "db.system.name"]).filter(|_| span.kind == SpanKind::Client);
    if let Some(system) = database {
        let name =
            either(["db.name", "db.namespace"]).map_or(system.to_owned(), |name| format!("{system}/{name}"));
        return Some(("database", name));
    }
    let system = attribute(span, "messaging.system").filter(|_| span.kind != SpanKind::Server)?;
    Some(("messaging", system.to_owned()))
}
