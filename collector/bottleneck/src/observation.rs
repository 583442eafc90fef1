//! What the analysis reads: plain numbers on one grid of time. Who fills it (the collector's stores, a simulator, a
//! published data set) is not known here.

/// Steps of equal length; every series of an observation has one value per step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// When the first step begins, s since 1970.
    pub start_s: i64,
    /// Length of a step, s.
    pub step_s: u32,
    /// How many steps.
    pub steps: usize,
}

impl Grid {
    /// When a step begins, s since 1970.
    pub fn time_s(&self, step: usize) -> i64 {
        self.start_s + i64::try_from(step).unwrap_or(i64::MAX) * i64::from(self.step_s)
    }

    /// The step in which a moment lies, cut to the grid.
    pub fn step_at(&self, time_s: i64) -> usize {
        let step = (time_s - self.start_s).max(0) / i64::from(self.step_s.max(1));
        usize::try_from(step).unwrap_or(usize::MAX).min(self.steps.saturating_sub(1))
    }
}

/// One value per step; NaN where nothing is known. Of counts a step without any is 0, not NaN, if it was looked at.
pub type Series = Vec<f64>;

/// Index of a node in [`Observation::nodes`].
pub type NodeId = usize;

/// What takes part in requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NodeType {
    /// A program that sends spans of its own.
    Service,
    /// A database or cache that is known from its callers.
    Database,
    /// A broker.
    Messaging,
    /// What lies outside, known from its callers.
    External,
}

/// A service or a peer without spans of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// As `service.name` or the derived peer has it; unique.
    pub name: String,
    /// What it is.
    pub node_type: NodeType,
    /// Hosts on which it runs, as resources are owned by them.
    pub hosts: Vec<String>,
    /// Requests that it answered, per step. Empty if only its edges are known.
    pub requests: Series,
    /// Those that failed.
    pub errors: Series,
    /// How long all of them took together, s.
    pub seconds: Series,
    /// A high quantile of their durations, s (p95); may be empty.
    pub high_seconds: Series,
}

/// Calls from one node to another, per step.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// Who calls.
    pub caller: NodeId,
    /// Who is called.
    pub callee: NodeId,
    /// Whether the caller does not wait: messages.
    pub is_async: bool,
    /// Calls.
    pub calls: Series,
    /// Those that failed.
    pub errors: Series,
    /// How long they took for the caller, together, s.
    pub client_seconds: Series,
    /// How long they took for the callee, together, s; empty where it sends no spans.
    pub server_seconds: Series,
}

/// One kind of request that a node answers, or of call that it makes (`peer` is set then).
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// Whose.
    pub node: NodeId,
    /// As spans are named: `GET /products/{id}`, `SELECT products`.
    pub name: String,
    /// Of a call: who is called.
    pub peer: Option<NodeId>,
    /// Whether requests come from outside through it (server spans without a parent).
    pub is_entry: bool,
    /// Requests or calls, per step.
    pub calls: Series,
    /// Those that failed.
    pub errors: Series,
    /// How long they took together, s.
    pub seconds: Series,
    /// p95 of their durations, s; may be empty.
    pub high_seconds: Series,
}

/// Whose resource a measurement is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// A host, by name.
    Host(String),
    /// All processes of an executable on a host.
    Process {
        /// Its host.
        host: String,
        /// The name.
        executable: String,
    },
    /// A control group on a host. Whose it is only its name tells, if that.
    Group {
        /// Its host.
        host: String,
        /// Its path below the root: `system.slice/catalog.service`.
        name: String,
    },
    /// A service, or a server that is a node.
    Node(NodeId),
    /// Something of a node with a name of its own: a pool, a statement, a table, a queue.
    Part {
        /// The node.
        node: NodeId,
        /// The name.
        name: String,
    },
}

/// What is measured, in the unit that stands behind it. Rates are per second, shares 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Signal {
    /// Share of the time in which some task waited for the CPU.
    PressureCpu,
    /// The same for memory, all tasks.
    PressureMemoryFull,
    /// The same for memory, some.
    PressureMemory,
    /// The same for disks, some.
    PressureIo,
    /// CPU in use, CPUs.
    CpuUsed,
    /// CPU that there is, CPUs.
    CpuLimit,
    /// Threads that run or could, by CPU.
    RunQueue,
    /// Share of a quota's periods that were throttled.
    CpuThrottled,
    /// Memory in use, bytes.
    MemoryUsed,
    /// Memory that may be used, bytes.
    MemoryLimit,
    /// Major page faults, 1/s.
    MajorFaults,
    /// Times that something was killed for memory, 1/s.
    OomKills,
    /// Share of time in which the garbage collector stopped everything.
    GcTime,
    /// Share of time in which a disk was busy.
    DiskBusy,
    /// Mean duration of a disk's operations, s.
    DiskAwait,
    /// Share of a file system that is used.
    DiskFull,
    /// Bytes over a network interface, share of what it can.
    NetworkUsed,
    /// Bytes over the network, 1/s.
    NetworkBytes,
    /// Share of TCP segments that were sent again.
    TcpRetransmits,
    /// Context switches, 1/s.
    ContextSwitches,
    /// Connections of a pool that are in use.
    PoolUsed,
    /// Connections that a pool may have.
    PoolMax,
    /// Requests that wait for a connection.
    PoolPending,
    /// Time that was spent waiting for connections, s/s.
    PoolWait,
    /// Requests that are being worked on.
    ActiveRequests,
    /// Sessions of a database that wait for a lock.
    LockWaiting,
    /// Calls of a statement, 1/s (`Owner::Part`: its text).
    StatementCalls,
    /// Time in a statement, s/s.
    StatementSeconds,
    /// Rows that a statement gave or changed, 1/s.
    StatementRows,
    /// Sequential scans of a table, 1/s.
    SequentialScans,
    /// Rows that sequential scans read, 1/s.
    SequentialRows,
    /// Lookups that a cache answered, 1/s.
    CacheHits,
    /// Lookups that it did not, 1/s.
    CacheMisses,
    /// Messages that wait in a queue, with those that were handed out and are not confirmed.
    QueueReady,
    /// Messages that were handed out and not yet confirmed.
    QueueUnacked,
    /// Messages that come in, 1/s.
    QueuePublished,
    /// Messages that are done, 1/s.
    QueueConsumed,
    /// Consumers of a queue.
    QueueConsumers,
    /// Starts of a process, 1/s.
    Restarts,
}

/// One measurement over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// Whose.
    pub owner: Owner,
    /// What.
    pub signal: Signal,
    /// The values.
    pub values: Series,
    /// How to see it again: PromQL.
    pub query: String,
}

/// Lines of one pattern of a service.
#[derive(Clone, Debug, PartialEq)]
pub struct LogPattern {
    /// Whose.
    pub node: NodeId,
    /// The text with its parameters taken out.
    pub text: String,
    /// OpenTelemetry's severity number, 0 to 24.
    pub severity: u8,
    /// Lines per step.
    pub counts: Series,
    /// Id of the pattern, for links.
    pub id: String,
}

/// Something that somebody did.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// When, s since 1970.
    pub time_s: i64,
    /// What it was done to: a node, or a host.
    pub owner: Owner,
    /// `deploy`, `config`, `flag`, `schema`, ….
    pub kind: String,
    /// What, in words: `catalog 2.30.4 → 2.31.0`.
    pub text: String,
    /// Whether it was told (the API), or seen (a `service.version` that was not there before).
    pub is_told: bool,
}

/// A span of a trace that was kept.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceSpan {
    /// Index of the caller in the trace.
    pub parent: Option<usize>,
    /// Whose; of a call to a peer without spans the caller's own.
    pub node: NodeId,
    /// Of a client or producer span: whom it calls, where that is known.
    pub peer: Option<NodeId>,
    /// Its name, made the same for all calls.
    pub operation: String,
    /// Begin, ns since 1970.
    pub start_ns: u64,
    /// End, ns since 1970.
    pub end_ns: u64,
    /// Whether it failed.
    pub is_error: bool,
    /// Whether nobody waits for it.
    pub is_async: bool,
    /// What may explain it: attributes and those of its resource (version, instance, host, statement).
    pub attributes: Vec<(String, String)>,
}

/// A whole trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// 32 hexadecimal digits.
    pub id: String,
    /// The root first.
    pub spans: Vec<TraceSpan>,
}

/// All that is known of a stretch of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The steps.
    pub grid: Grid,
    /// Services and peers.
    pub nodes: Vec<Node>,
    /// Calls between them.
    pub edges: Vec<Edge>,
    /// Kinds of requests and calls.
    pub operations: Vec<Operation>,
    /// Hosts, processes, pools, queues, databases.
    pub resources: Vec<Resource>,
    /// What was logged.
    pub logs: Vec<LogPattern>,
    /// What was changed.
    pub changes: Vec<Change>,
    /// Some traces from before and after the onset; none is fine.
    pub traces: Vec<Trace>,
    /// Largest clock offset between hosts that was seen, ms.
    pub clock_skew_ms: f64,
}
