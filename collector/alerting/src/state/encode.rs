//! Changes and whole states as bytes: a version, then JSON. Never a field in another meaning; what is new gets a
//! default, and the version changes where that cannot be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Change, LogEntry, LogKey, Posted, State, Stored};
use crate::alert::Alert;
use crate::labels::LabelSet;
use crate::matcher::{Matcher, Op};
use crate::silence::Silence;

/// The first byte of everything here.
pub const VERSION: u8 = 1;

/// Bytes that are not ours.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Nothing at all.
    #[error("it is empty")]
    Empty,
    /// Written by a newer program.
    #[error("it has version {0}, this program knows {VERSION}")]
    Version(u8),
    /// Not what the version says.
    #[error("it is no JSON of the right form")]
    Json(#[from] serde_json::Error),
    /// A value that cannot be.
    #[error("{0}")]
    Value(String),
}

#[derive(Serialize, Deserialize)]
struct WireRecord {
    tenant: String,
    #[serde(flatten)]
    change: WireChange,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WireChange {
    Alerts { at: i64, alerts: Vec<WireAlert> },
    Silence(WireSilence),
    Notified(WireEntry),
}

#[derive(Serialize, Deserialize)]
struct WireState {
    offset: u64,
    tenants: BTreeMap<String, WireTenant>,
}

#[derive(Serialize, Deserialize)]
struct WireTenant {
    alerts: Vec<WireAlert>,
    silences: Vec<WireSilence>,
    notified: Vec<WireEntry>,
}

#[derive(Serialize, Deserialize)]
struct WireAlert {
    labels: LabelSet,
    #[serde(default, skip_serializing_if = "LabelSet::is_empty")]
    annotations: LabelSet,
    starts: i64,
    ends: i64,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    url: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    timeout: bool,
    /// Only in a state; in a change it is the change's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    updated: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct WireSilence {
    id: String,
    matchers: Vec<WireMatcher>,
    starts: i64,
    ends: i64,
    updated: i64,
    by: String,
    comment: String,
    #[serde(default, skip_serializing_if = "LabelSet::is_empty")]
    annotations: LabelSet,
}

/// Name, operator, value.
#[derive(Serialize, Deserialize)]
struct WireMatcher(String, String, String);

#[derive(Serialize, Deserialize)]
struct WireEntry {
    group: String,
    receiver: String,
    kind: String,
    index: usize,
    /// 16 hexadecimal digits each.
    firing: String,
    resolved: String,
    at: i64,
    expires: i64,
}

/// A change of a tenant's state.
pub fn encode_change(tenant: &str, change: &Change) -> Vec<u8> {
    let change = match change {
        Change::Alerts { received_at_ms, alerts } => WireChange::Alerts {
            at: *received_at_ms,
            alerts: alerts.iter().map(|posted| wire_alert(&posted.alert, posted.is_timeout, None)).collect(),
        },
        Change::Silence(silence) => WireChange::Silence(wire_silence(silence)),
        Change::Notified(entry) => WireChange::Notified(wire_entry(entry)),
    };
    encode(&WireRecord { tenant: tenant.to_owned(), change })
}

/// Whose change it is, and the change.
pub fn decode_change(bytes: &[u8]) -> Result<(String, Change), DecodeError> {
    let record: WireRecord = serde_json::from_slice(body(bytes)?)?;
    let change = match record.change {
        WireChange::Alerts { at, alerts } => {
            let posted = |wire: WireAlert| Posted { is_timeout: wire.timeout, alert: alert(wire) };
            Change::Alerts { received_at_ms: at, alerts: alerts.into_iter().map(posted).collect() }
        }
        WireChange::Silence(wire) => Change::Silence(silence(wire)?),
        WireChange::Notified(wire) => Change::Notified(entry(wire)?),
    };
    Ok((record.tenant, change))
}

/// The states of all tenants with every change applied whose offset is below `offset`.
pub fn encode_state<'a>(offset: u64, tenants: impl Iterator<Item = (&'a str, &'a State)>) -> Vec<u8> {
    let wire = |state: &State| WireTenant {
        alerts: state
            .alerts
            .values()
            .map(|stored| wire_alert(&stored.alert, stored.is_timeout, Some(stored.updated_at_ms)))
            .collect(),
        silences: state.silences.all().map(wire_silence).collect(),
        notified: state.log.all().map(wire_entry).collect(),
    };
    let tenants = tenants.map(|(tenant, state)| (tenant.to_owned(), wire(state))).collect();
    encode(&WireState { offset, tenants })
}

/// The offset of the first change that is not in the states, and the states by tenant.
pub fn decode_state(bytes: &[u8]) -> Result<(u64, BTreeMap<String, State>), DecodeError> {
    let wire: WireState = serde_json::from_slice(body(bytes)?)?;
    let mut tenants = BTreeMap::new();
    for (name, tenant) in wire.tenants {
        let mut state = State::default();
        for wire in tenant.alerts {
            let (is_timeout, updated_at_ms) = (wire.timeout, wire.updated.unwrap_or_default());
            let alert = alert(wire);
            let fingerprint = alert.fingerprint();
            let stored = Stored { alert, fingerprint, updated_at_ms, is_timeout };
            state.alerts.put(Arc::new(stored));
        }
        for wire in tenant.silences {
            state.silences.put(silence(wire)?);
        }
        for wire in tenant.notified {
            state.log.put(entry(wire)?);
        }
        tenants.insert(name, state);
    }
    Ok((wire.offset, tenants))
}

fn encode(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    // Maps with text keys and numbers: there is nothing that JSON could not say.
    serde_json::to_writer(&mut bytes, value).expect("everything here can be JSON");
    bytes
}

fn body(bytes: &[u8]) -> Result<&[u8], DecodeError> {
    match bytes.split_first() {
        Some((&VERSION, body)) => Ok(body),
        Some((&other, _)) => Err(DecodeError::Version(other)),
        None => Err(DecodeError::Empty),
    }
}

fn wire_alert(alert: &Alert, timeout: bool, updated: Option<i64>) -> WireAlert {
    WireAlert {
        labels: alert.labels.clone(),
        annotations: alert.annotations.clone(),
        starts: alert.starts_at_ms,
        ends: alert.ends_at_ms,
        url: alert.generator_url.clone(),
        timeout,
        updated,
    }
}

fn alert(wire: WireAlert) -> Alert {
    Alert {
        labels: wire.labels,
        annotations: wire.annotations,
        starts_at_ms: wire.starts,
        ends_at_ms: wire.ends,
        generator_url: wire.url,
    }
}

fn wire_silence(silence: &Silence) -> WireSilence {
    let matcher = |matcher: &Matcher| {
        WireMatcher(matcher.name.clone(), matcher.op.as_str().to_owned(), matcher.value.clone())
    };
    WireSilence {
        id: silence.id.clone(),
        matchers: silence.matchers.iter().map(matcher).collect(),
        starts: silence.starts_at_ms,
        ends: silence.ends_at_ms,
        updated: silence.updated_at_ms,
        by: silence.created_by.clone(),
        comment: silence.comment.clone(),
        annotations: silence.annotations.clone(),
    }
}

fn silence(wire: WireSilence) -> Result<Silence, DecodeError> {
    let value = |why: String| DecodeError::Value(format!("silence {}: {why}", wire.id));
    let mut matchers = Vec::with_capacity(wire.matchers.len());
    for WireMatcher(name, op, text) in wire.matchers {
        let op = match op.as_str() {
            "=" => Op::Equal,
            "!=" => Op::NotEqual,
            "=~" => Op::Regex,
            "!~" => Op::NotRegex,
            _ => return Err(value(format!("`{op}` is no operator"))),
        };
        matchers.push(Matcher::new(op, name, text).map_err(|error| value(error.to_string()))?);
    }
    Ok(Silence {
        id: wire.id,
        matchers,
        starts_at_ms: wire.starts,
        ends_at_ms: wire.ends,
        updated_at_ms: wire.updated,
        created_by: wire.by,
        comment: wire.comment,
        annotations: wire.annotations,
    })
}

fn wire_entry(entry: &LogEntry) -> WireEntry {
    WireEntry {
        group: entry.key.group_key.clone(),
        receiver: entry.key.receiver.clone(),
        kind: entry.key.kind.clone(),
        index: entry.key.index,
        firing: hex(&entry.firing),
        resolved: hex(&entry.resolved),
        at: entry.at_ms,
        expires: entry.expires_at_ms,
    }
}

fn entry(wire: WireEntry) -> Result<LogEntry, DecodeError> {
    let (firing, resolved) = (unhex(&wire.firing)?, unhex(&wire.resolved)?);
    let key = LogKey { group_key: wire.group, receiver: wire.receiver, kind: wire.kind, index: wire.index };
    Ok(LogEntry { key, firing, resolved, at_ms: wire.at, expires_at_ms: wire.expires })
}

fn hex(fingerprints: &BTreeSet<u64>) -> String {
    fingerprints.iter().map(|fingerprint| format!("{fingerprint:016x}")).collect()
}

fn unhex(text: &str) -> Result<BTreeSet<u64>, DecodeError> {
    let wrong = || DecodeError::Value("fingerprints are not of 16 hexadecimal digits".to_owned());
    let one = |digits: &[u8]| {
        let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.len() == 16);
        digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()).ok_or_else(wrong)
    };
    text.as_bytes().chunks(16).map(one).collect()
}
