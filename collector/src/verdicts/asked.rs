//! What is asked, by names and times: it means the same in every observation that covers it.

use bottleneck::{Grid, Observation, Question, Sli, Span};
use serde::{Deserialize, Serialize};

/// A symptom to explain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Whose requests are worse.
    pub service: String,
    /// `None`: all of the service's requests.
    pub operation: Option<String>,
    /// Worse in what.
    pub sli: Sli,
    /// When, as far as is known.
    pub hot: Span,
    /// What to compare with; `None`: what was before.
    pub baseline: Option<Span>,
}

impl Asked {
    /// Of a question about an observation.
    pub(crate) fn of(observation: &Observation, question: &Question) -> Option<Self> {
        let grid = &observation.grid;
        let span = |steps: &std::ops::Range<usize>| Span {
            from_s: grid.time_s(steps.start),
            to_s: grid.time_s(steps.end),
        };
        let operation = question.operation.map(|at| observation.operations.get(at));
        let operation = match operation {
            None => None,
            Some(known) => Some(known?.name.clone()),
        };
        Some(Self {
            service: observation.nodes.get(question.node)?.name.clone(),
            operation,
            sli: question.sli,
            hot: span(&question.hot),
            baseline: question.baseline.as_ref().map(span),
        })
    }

    /// As a question about an observation; `None` if whom it is about is not there.
    pub(crate) fn question(&self, observation: &Observation) -> Option<Question> {
        let node = observation.nodes.iter().position(|node| node.name == self.service)?;
        let hot = steps(&observation.grid, self.hot);
        let operation = match &self.operation {
            None => observation.longest_queue(node, hot.clone()),
            Some(name) => Some(observation.operations.iter().position(|operation| {
                operation.node == node && operation.peer.is_none() && operation.name == *name
            })?),
        };
        let baseline = self.baseline.map(|span| steps(&observation.grid, span));
        let baseline = baseline.filter(|steps| !steps.is_empty());
        (!hot.is_empty()).then_some(Question { node, operation, sli: self.sli, hot, baseline })
    }

    /// Which requests; `true`: their failures.
    pub(crate) fn key(&self) -> Key {
        (self.service.clone(), self.operation.clone(), self.sli == Sli::Errors)
    }

    /// Whether it is about the same requests.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (&self.service, &self.operation, self.sli) == (&other.service, &other.operation, other.sli)
    }
}

/// Service, operation, and whether it is about failures.
pub(crate) type Key = (String, Option<String>, bool);

/// The steps of a stretch of time, as far as they are there.
pub(crate) fn steps(grid: &Grid, span: Span) -> std::ops::Range<usize> {
    let step_s = i64::from(grid.step_s.max(1));
    let at = |time_s: i64| {
        usize::try_from((time_s - grid.start_s).max(0) / step_s).unwrap_or(usize::MAX).min(grid.steps)
    };
    at(span.from_s)..at(span.to_s)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use bottleneck::{Node, NodeType, Operation};

    use super::*;

    /// A service `edge` with one operation, of these calls and seconds per step.
    pub(in crate::verdicts) fn observation(start_s: i64, calls: &[f64], seconds: &[f64]) -> Observation {
        let node = Node {
            name: "edge".to_owned(),
            node_type: NodeType::Service,
            hosts: Vec::new(),
            requests: calls.to_vec(),
            errors: vec![0.0; calls.len()],
            seconds: seconds.to_vec(),
            high_seconds: Vec::new(),
        };
        let operation = Operation {
            node: 0,
            name: "GET /".to_owned(),
            peer: None,
            is_entry: true,
            calls: calls.to_vec(),
            errors: vec![0.0; calls.len()],
            seconds: seconds.to_vec(),
            high_seconds: Vec::new(),
        };
        Observation {
            grid: Grid { start_s, step_s: 10, steps: calls.len() },
            nodes: vec![node],
            edges: Vec::new(),
            operations: vec![operation],
            resources: Vec::new(),
            logs: Vec::new(),
            changes: Vec::new(),
            traces: Vec::new(),
            clock_skew_ms: 0.0,
        }
    }

    #[test]
    fn a_question_means_the_same_in_another_observation() {
        let first = observation(1_000, &[1.0; 20], &[1.0; 20]);
        let question =
            Question { node: 0, operation: Some(0), sli: Sli::Latency, hot: 15..20, baseline: Some(0..10) };
        let asked = Asked::of(&first, &question).unwrap();
        assert_eq!(asked.hot, Span { from_s: 1_150, to_s: 1_200 });
        assert_eq!(asked.question(&first), Some(question.clone()));
        let later = observation(1_050, &[1.0; 20], &[1.0; 20]);
        let moved = asked.question(&later).unwrap();
        assert_eq!((moved.hot, moved.baseline), (10..15, Some(0..5)));
        let other = Asked { operation: Some("POST /".to_owned()), ..asked.clone() };
        assert_eq!(other.question(&first), None);
        let past = Asked { hot: Span { from_s: 0, to_s: 900 }, ..asked };
        assert_eq!(past.question(&first), None, "nothing of it is covered");
    }
}
