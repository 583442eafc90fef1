//! Where time goes, and where the bottleneck is. Pure: it reads nothing and has never heard of a protocol or a store.

mod analyze;
mod baseline;
mod case;
mod changes;
mod cohort;
mod critical_path;
mod detect;
mod excess;
mod fuse;
mod graph;
mod headroom;
mod impact;
mod incidents;
mod kinds;
mod localise;
mod log_changes;
mod measure;
mod numbers;
mod observation;
mod onset;
mod own;
mod path;
mod precision;
mod queries;
mod question;
mod queues;
mod readings;
mod self_time;
mod signals;
mod significance;
mod skew;
mod suspect;
mod tails;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod texts;
mod tree;
mod verdict;
mod weights;
mod whose;
mod words;

pub use analyze::analyze;
pub use case::{Candidate, Case, Explanation, Target};
pub use critical_path::{
    Path, PathSpan, Section, Visit, critical_path, exclusive_times, path_times, path_with_tolerance,
    totals_by_key,
};
pub use detect::symptoms;
pub use localise::{Localised, Step, localise};
pub use observation::{
    Change, Edge, Grid, LogPattern, Node, NodeId, NodeType, Observation, Operation, Owner, Resource, Series,
    Signal, Trace, TraceSpan,
};
pub use question::{Question, Settings};
pub use self_time::self_times;
pub use skew::{Adjusted, adjust_skew};
pub use suspect::may_be_worse;
pub use tree::{main_root, roots};
pub use verdict::{
    CauseKind, CohortRow, Confidence, Culprit, DataQuality, Entity, Evidence, Fix, Headroom, Hop, Impact,
    Level, RuledOut, Sli, Span, State, Symptom, Verdict, Window,
};
