//! What the analysis says. Written as JSON it is what the API answers and what alerts carry.

use serde::{Deserialize, Serialize};

/// What got worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sli {
    /// Duration: the mean carries the shares, p95 is shown.
    Latency,
    /// Share of requests that fail.
    Errors,
}

/// The kinds of cause that have a rule, by their names in the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CauseKind {
    /// Its own work takes more CPU, or the CPUs are not enough for it.
    CpuSaturation,
    /// A quota stops it.
    CpuThrottling,
    /// Another process takes the CPUs of its host.
    NoisyNeighbour,
    /// The host waits for memory.
    MemoryPressure,
    /// It grows until it is killed.
    MemoryLeak,
    /// Its runtime stops for garbage.
    GcPressure,
    /// The disk is busy all the time.
    DiskSaturation,
    /// A file system has no room.
    DiskFull,
    /// Time is lost between caller and callee.
    NetworkLatency,
    /// Segments are lost and sent again.
    PacketLoss,
    /// Requests wait for a connection of a pool.
    PoolExhaustion,
    /// Requests wait for each other inside the program.
    LockContention,
    /// Transactions wait for each other.
    DbLock,
    /// One statement takes longer than before.
    SlowStatement,
    /// One request makes many equal calls in a row.
    NPlusOne,
    /// Calls are made again and again.
    RetryStorm,
    /// What the cache answered goes to the database.
    CacheMissStorm,
    /// Messages come faster than they are worked off.
    QueueBacklog,
    /// A new version is worse than the old one.
    BadDeploy,
    /// More requests than the narrowest resource can take.
    TrafficSurge,
    /// What it calls refuses or is gone.
    DependencyDown,
    /// What it calls takes longer, or runs into a timeout.
    DependencySlow,
    /// A few keys take most of the load.
    HotKey,
    /// Self time or failures of its own, and no rule that says why.
    Unexplained,
}

/// Where a verdict is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The symptom goes on.
    Open,
    /// The symptom is over.
    Closed,
    /// There is a symptom, and no candidate explains a quarter of it.
    NotLocalised,
    /// There is no symptom.
    Quiet,
}

/// How sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Something is known.
    Low,
    /// Much of it is explained, and one more family agrees.
    Medium,
    /// Most of it is explained, nothing comes near, and two families agree.
    High,
}

/// A stretch of time, s since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First second.
    pub from_s: i64,
    /// The second after the last.
    pub to_s: i64,
}

/// What users feel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Symptom {
    /// Whose requests.
    pub service: String,
    /// `None`: all of the service's requests.
    pub operation: Option<String>,
    /// What got worse.
    pub sli: Sli,
    /// Mean (latency: ms; errors: share) before and since the onset. These carry all shares below.
    pub baseline: f64,
    /// The same since the onset.
    pub now: f64,
    /// p95 before and since, ms, where it is known.
    pub baseline_p95_ms: Option<f64>,
    /// The same since the onset.
    pub now_p95_ms: Option<f64>,
    /// Requests since the onset.
    pub requests: f64,
    /// Whether the operation is a queue of the service, which is a broker: its requests are messages, and what they take is
    /// how long they wait.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_queue: bool,
}

/// When.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// When it began, s since 1970, and by how much that may be wrong.
    pub onset_s: i64,
    /// By how much the onset may be wrong, s.
    pub onset_interval_s: u32,
    /// When it was seen.
    pub detected_s: i64,
    /// What it is compared with.
    pub baseline: Span,
    /// What is explained.
    pub hot: Span,
}

/// Something that may be the bottleneck.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// `service`, `edge`, `database`, `messaging`, `external`, `host`, `process`.
    #[serde(rename = "type")]
    pub entity_type: String,
    /// The service, database, queue or external host; of an edge its caller.
    pub service: String,
    /// What it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Of an edge: its callee.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// The statement of a database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// Which instance, where it is not all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// On which host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Name of an executable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<String>,
}

/// A candidate with what it explains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Culprit {
    /// What it is.
    pub entity: Entity,
    /// Why.
    pub kind: CauseKind,
    /// More exactly: `missing_index`, `timeout`, ….
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subkind: Option<String>,
    /// `cpu`, `memory`, `disk`, `network`, `pool`, `lock`, `statement`, `queue`, `code`, `dependency`, `capacity`, ….
    pub resource: String,
    /// Share of the symptom that it explains, 0 to 1.
    pub coverage: f64,
    /// That in the symptom's unit: ms per request, or failures per request.
    pub contribution: f64,
    /// How far the next candidate is behind: 1 − its self part by this one's.
    pub margin: f64,
}

/// How sure, and what that means.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Confidence {
    /// The bin.
    pub level: Level,
    /// How often verdicts of this level were right where the truth was known (docs/accuracy.md), and of how many.
    pub precision: Option<f64>,
    /// Of how many.
    pub cases: u32,
}

/// One step of the way from the symptom to the culprit, with the row of "where the added time went".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hop {
    /// Who.
    pub service: String,
    /// Doing what.
    pub operation: Option<String>,
    /// Since when this hop was worse, s since 1970.
    pub onset_s: Option<i64>,
    /// Its mean before and since (latency: ms, errors: share).
    pub baseline: f64,
    /// The same since the onset.
    pub now: f64,
    /// Calls per request of the symptom's operation since the onset.
    pub calls: f64,
    /// What it adds to a request (ms, or failures), what of it comes from those it calls, and what it keeps. Keeps sum
    /// to the symptom, with `unexplained` of the verdict.
    pub adds: f64,
    /// What of it comes from those it calls.
    pub passes_on: f64,
    /// What it keeps.
    pub keeps: f64,
    /// What it keeps, divided: own work, waiting (pool, CPU, lock), network.
    pub keeps_self: f64,
    /// Of what it keeps: waiting for a pool, the CPU or a lock.
    pub keeps_queueing: f64,
    /// Of what it keeps: between the programs.
    pub keeps_network: f64,
    /// Whether it sends nothing and was bridged.
    pub is_blind: bool,
}

/// A finding with its number and how to see it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// `trace`, `critical_path`, `database`, `host`, `pool`, `queue`, `network`, `change`, `logs`, `cohort`.
    pub family: String,
    /// What was found: `self_excess`, `pressure_cpu`, `new_template`, ….
    #[serde(rename = "type")]
    pub evidence_type: String,
    /// One sentence with its number.
    pub text: String,
    /// Before.
    pub baseline: Option<f64>,
    /// Since the onset.
    pub now: Option<f64>,
    /// `ms`, `share`, `1/s`, `count`, ….
    pub unit: String,
    /// PromQL, or a search (`logs:…`, `traces:…`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Ids of traces that show it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exemplars: Vec<String>,
    /// When, of a change; s since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_s: Option<i64>,
}

/// What slow requests share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CohortRow {
    /// Whose spans have the attribute.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub service: String,
    /// Key of an attribute.
    pub attribute: String,
    /// Its value, or a comparison: `≥ 8`.
    pub value: String,
    /// Shares of slow and of normal requests that have it, 0 to 1.
    pub slow: f64,
    /// The same of normal requests.
    pub normal: f64,
    /// Youden's J, and the false discovery rate at which it is found.
    pub effect: f64,
    /// False discovery rate (Benjamini and Hochberg).
    pub q: f64,
}

/// A cause that was looked at and is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuledOut {
    /// The cause.
    pub what: String,
    /// The numbers that speak against it.
    pub why: String,
}

/// Who is hit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Impact {
    /// Entry operations that are worse.
    pub operations: Vec<String>,
    /// Requests that were slow or failed.
    pub requests_affected: f64,
    /// Their share, 0 to 1.
    pub share: f64,
}

/// What the analysis could and could not see.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DataQuality {
    /// Share of hops with spans of both sides.
    pub trace_coverage: f64,
    /// Traces that were looked at.
    pub traces: u32,
    /// Hops without spans.
    pub blind_hops: u32,
    /// Largest offset between clocks, ms.
    pub clock_skew_ms: f64,
    /// Steps of the baseline.
    pub baseline_steps: u32,
    /// What would have helped: "no database metrics from db-1".
    pub missing: Vec<String>,
}

/// What would happen without the culprit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fix {
    /// The symptom's mean then, in its unit.
    pub expected: f64,
    /// What it must be under to be none.
    pub threshold: f64,
    /// Whether it would be under it.
    pub is_enough: bool,
}

/// How much more the resource takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Headroom {
    /// What is narrow.
    pub resource: String,
    /// Requests per second now, and at which it is full.
    pub now: f64,
    /// At which it is full.
    pub limit: f64,
}

/// The whole answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Where it is in its life.
    pub state: State,
    /// The sentence on top; all texts are made of the fields.
    pub headline: String,
    /// Two or three sentences: since when, why, and what a fix would do.
    pub summary: String,
    /// What users feel.
    pub symptom: Symptom,
    /// When.
    pub window: Window,
    /// `None` if it was not localised, or nothing is wrong.
    pub culprit: Option<Culprit>,
    /// How sure; of a culprit only.
    pub confidence: Option<Confidence>,
    /// From the symptom to the culprit.
    pub path: Vec<Hop>,
    /// What no hop on the path keeps, in the symptom's unit.
    pub unexplained: f64,
    /// The strongest first.
    pub evidence: Vec<Evidence>,
    /// Others that explain a fifth or more; if it was not localised, the candidates.
    pub contributors: Vec<Culprit>,
    /// What was looked at and is none.
    pub ruled_out: Vec<RuledOut>,
    /// What slow requests share.
    pub cohort: Vec<CohortRow>,
    /// What would happen without the culprit.
    pub fix: Option<Fix>,
    /// Who is hit.
    pub impact: Impact,
    /// How much more the narrow resource takes.
    pub headroom: Option<Headroom>,
    /// What could be seen.
    pub data_quality: DataQuality,
    /// What to do, in words.
    pub next_steps: Vec<String>,
    /// Which method said so.
    pub method: String,
}
