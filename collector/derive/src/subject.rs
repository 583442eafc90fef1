//! What is counted: an operation of a service, an edge between two nodes, or something that was left out. And the keys
//! under which it is counted.

use std::sync::Arc;

/// Something that has series of its own.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) tenant: u32,
    /// The step in which it was counted last.
    pub(crate) last_used: u32,
    /// The step at whose end its live series were written last; 0 if never.
    pub(crate) written: u32,
    pub(crate) what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    /// An operation by kind and status, as OTLP numbers them.
    Red { service: u32, operation: Arc<str>, kind: u8, status: u8 },
    /// A caller and a callee; `reporter` is the service under whose cap it falls.
    Edge { reporter: u32, kind: EdgeKind, client: Arc<str>, server: Arc<str> },
    /// What was left out, by service.
    Left { service: u32, why: Why },
}

/// What kind of node the other end of an edge is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum EdgeKind {
    Service = 0,
    Database = 1,
    Messaging = 2,
    External = 3,
}

/// Why a span was left out of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Why {
    /// It came more than 15 minutes after its end.
    Late = 0,
    /// It had a parent that never came, or was no caller.
    Expired = 1,
    /// A caller with this id is there already.
    Repeated = 2,
    /// There was no room to let it wait.
    Overflow = 3,
    /// Its tenant is one too many.
    Tenants = 4,
    /// It waited for its other half when the clock was set back.
    Clock = 5,
    /// Its step was not yet told when the clock was set back.
    Untold = 6,
}

impl EdgeKind {
    pub(crate) const ALL: [Self; 4] = [Self::Service, Self::Database, Self::Messaging, Self::External];

    /// As `narrows_edge_…` has it.
    pub(crate) fn name(self) -> &'static str {
        ["service", "database", "messaging", "external"][self as usize]
    }

    /// As `traces_service_graph_…` has it.
    pub(crate) fn connection_type(self) -> &'static str {
        ["", "database", "messaging_system", "virtual_node"][self as usize]
    }
}

impl Why {
    pub(crate) const ALL: [Self; 7] =
        [Self::Late, Self::Expired, Self::Repeated, Self::Overflow, Self::Tenants, Self::Clock, Self::Untold];

    /// Family and reason.
    pub(crate) fn series(self) -> (&'static str, &'static str) {
        match self {
            Self::Late => ("narrows_spans_late_total", ""),
            Self::Expired => ("narrows_spans_unpaired_total", "expired"),
            Self::Repeated => ("narrows_spans_unpaired_total", "repeated"),
            Self::Overflow => ("narrows_spans_unpaired_total", "overflow"),
            Self::Tenants => ("narrows_spans_underived_total", "tenants"),
            Self::Clock => ("narrows_spans_unpaired_total", "clock"),
            Self::Untold => ("narrows_spans_underived_total", "clock"),
        }
    }
}

/// What a cell of a subject holds. An operation and what was left out have only the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Durations of an operation; calls of an edge that did not fail.
    Calls = 0,
    /// Failed calls of an edge.
    Failed = 1,
    /// How long they took where the caller stands.
    Client = 2,
    /// How long they took where the callee stands.
    Server = 3,
    /// What lies between the two.
    Gap = 4,
    /// What was counted of the first three, and turned out to be another edge's.
    LessCalls = 5,
    LessFailed = 6,
    LessClient = 7,
}

/// The first of the parts that take away; each lies so much above what it takes away from.
pub(crate) const FIRST_LESS: u64 = Part::LessCalls as u64;

const PART_BITS: u32 = 3;
const SUBJECT_BITS: u32 = 31;

/// A subject's part in a step: 30 bits of step, 31 of subject, 3 of part, so that keys sort that way.
pub(crate) fn key(step: u32, subject: u32, part: Part) -> u64 {
    u64::from(step) << (SUBJECT_BITS + PART_BITS) | local_key(subject, part as u64)
}

/// A subject's part.
pub(crate) fn local_key(subject: u32, part: u64) -> u64 {
    u64::from(subject) << PART_BITS | part
}

/// The step and the subject's part of a key.
pub(crate) fn split_key(key: u64) -> (u32, u64) {
    let bits = SUBJECT_BITS + PART_BITS;
    ((key >> bits) as u32, key & ((1 << bits) - 1))
}

/// The subject and the part of a local key.
pub(crate) fn split_local(local: u64) -> (u32, u64) {
    ((local >> PART_BITS) as u32, local & ((1 << PART_BITS) - 1))
}
