//! What is stored in partitions of its own: log records, samples, spans.

use std::fmt;

use telemetry::Signal;

/// One of the signals that have journals and files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Log records, in `events`.
    Logs,
    /// Metric samples, in `series`.
    Samples,
    /// Spans, in `events::spans`; what they say about services goes on into the samples. Behind those, since it is
    /// opened after them.
    Spans,
}

impl Kind {
    /// All that there are.
    pub const ALL: [Self; 3] = [Self::Logs, Self::Samples, Self::Spans];

    /// As names of journals, documents and blobs have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Samples => "samples",
            Self::Spans => "spans",
        }
    }

    /// The signal of its batches.
    pub fn signal(self) -> Signal {
        match self {
            Self::Logs => Signal::Logs,
            Self::Samples => Signal::Samples,
            Self::Spans => Signal::Spans,
        }
    }

    /// The kind that stores a signal, if one does.
    pub fn of(signal: Signal) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.signal() == signal)
    }
}

/// A partition's name: `logs-0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionId {
    /// What it stores.
    pub kind: Kind,
    /// Which of those that store it.
    pub number: u16,
}

impl PartitionId {
    /// Partition `number` of the logs.
    pub fn logs(number: u16) -> Self {
        Self { kind: Kind::Logs, number }
    }

    /// Partition `number` of the samples.
    pub fn samples(number: u16) -> Self {
        Self { kind: Kind::Samples, number }
    }

    /// Partition `number` of the spans.
    pub fn spans(number: u16) -> Self {
        Self { kind: Kind::Spans, number }
    }

    /// Of a name as `Display` writes it.
    pub fn parse(name: &str) -> Option<Self> {
        let (kind, number) = name.split_once('-')?;
        let kind = Kind::ALL.into_iter().find(|one| one.name() == kind)?;
        Some(Self { kind, number: number.parse().ok()? })
    }
}

impl fmt::Display for PartitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.kind.name(), self.number)
    }
}
