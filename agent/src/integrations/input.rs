//! The task of one server: connect, look, report; and say what is wrong once, not at each look.

use std::time::{Duration, Instant};

use telemetry::otlp::write_resource;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::names::{LOOK_DURATION, UP};
use super::postgresql::Postgresql;
use super::rabbitmq::Rabbitmq;
use super::redis::Redis;
use super::{Endpoint, IntegrationInput, Server};
use crate::config::{Scalar, merge};
use crate::feed::{Shared, stopped};
use crate::host;
use crate::queue::{Parcel, QueueError, now_ns};
use crate::report::Report;

/// How long a look waits for room in the queue.
const PATIENCE: Duration = Duration::from_millis(500);
/// The longest that a look may take; never more than its interval.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What looks at a server, with its connection.
pub(super) enum Looker {
    Postgresql(Box<Postgresql>),
    Redis(Box<Redis>),
    Rabbitmq(Box<Rabbitmq>),
}

/// What a look has left out because there was too much of it.
pub(super) type LeftOut = Vec<&'static str>;

impl Looker {
    pub(super) fn new(input: &IntegrationInput) -> Self {
        match &input.server {
            Server::Postgresql { .. } => Self::Postgresql(Box::new(Postgresql::new(input))),
            Server::Redis => Self::Redis(Box::new(Redis::new(input))),
            Server::Rabbitmq { .. } => Self::Rabbitmq(Box::new(Rabbitmq::new(input))),
        }
    }

    /// Looks once; on an error nothing of the report counts, and the next look begins with a new connection.
    pub(super) async fn look(&mut self, report: &mut Report<'_>) -> Result<LeftOut, String> {
        match self {
            Self::Postgresql(looker) => looker.look(report).await,
            Self::Redis(looker) => looker.look(report).await,
            Self::Rabbitmq(looker) => looker.look(report).await,
        }
    }

    /// Lets go of a connection in the middle of something.
    fn reset(&mut self) {
        match self {
            Self::Postgresql(looker) => looker.reset(),
            Self::Redis(looker) => looker.reset(),
            Self::Rabbitmq(looker) => looker.reset(),
        }
    }
}

/// Looks until it is told to stop, or the queue takes nothing more.
pub(crate) async fn run(
    input: IntegrationInput,
    shared: Shared,
    mut stop: watch::Receiver<bool>,
) -> Result<(), QueueError> {
    let resource = resource(&input, &shared.resource);
    let mut looker = Looker::new(&input);
    let mut said = Said::default();
    let mut ticks = tokio::time::interval(input.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let first_ms = now_ns() / 1_000_000;
    loop {
        tokio::select! {
            biased;
            () = stopped(&mut stop) => return Ok(()),
            _ = ticks.tick() => {}
        }
        let time_ms = host::input::on_grid(now_ns() / 1_000_000, first_ms, input.interval);
        let time_ns = time_ms.unsigned_abs().saturating_mul(1_000_000);
        let looking = one_look(&mut looker, &resource, time_ns, input.interval.min(TIMEOUT));
        let (parcels, outcome) = tokio::select! {
            biased;
            () = stopped(&mut stop) => return Ok(()),
            looked = looking => looked,
        };
        let result = if outcome.is_ok() { "ok" } else { "failed" };
        shared.metrics.integration_looks.with_label_values(&[result]).inc();
        said.note(&input, outcome.as_ref().err());
        for what in outcome.unwrap_or_default() {
            shared.metrics.integration_left_out.with_label_values(&[what]).inc();
        }
        let items = parcels.iter().map(|parcel| u64::from(parcel.items)).sum();
        let skipped = &shared.metrics.integration_skipped;
        match shared.queue.append_all(parcels, PATIENCE).await {
            Ok(()) => shared.metrics.enqueued.with_label_values(&["integration"]).inc_by(items),
            Err(QueueError::Full) => skipped.with_label_values(&["queue_full"]).inc(),
            Err(QueueError::TooLarge) => skipped.with_label_values(&["too_large"]).inc(),
            Err(error) => return Err(error),
        }
    }
}

/// What one look has found, with `up`; and why there is nothing else.
pub(super) async fn one_look(
    looker: &mut Looker,
    resource: &[u8],
    time_ns: u64,
    timeout: Duration,
) -> (Vec<Parcel>, Result<LeftOut, String>) {
    let begun = Instant::now();
    let mut report = Report::new(resource, time_ns, 0);
    let late = || format!("no answer within {} s", timeout.as_secs_f64());
    let looked = tokio::time::timeout(timeout, looker.look(&mut report)).await;
    let outcome = looked.unwrap_or_else(|_| Err(late()));
    if outcome.is_err() {
        looker.reset();
        report = Report::new(resource, time_ns, 0);
    }
    report.one(&UP, u64::from(outcome.is_ok()));
    report.one_double(&LOOK_DURATION, begun.elapsed().as_secs_f64());
    (report.finish(), outcome)
}

/// A problem that goes on is said once.
#[derive(Default)]
struct Said(Option<String>);

impl Said {
    fn note(&mut self, input: &IntegrationInput, problem: Option<&String>) {
        if self.0.as_ref() == problem {
            return;
        }
        let (system, endpoint) = (input.server.system(), &input.endpoint);
        match problem {
            Some(problem) => tracing::warn!("cannot look at {system} at {endpoint}: {problem}"),
            None => tracing::info!("{system} at {endpoint} answers again"),
        }
        self.0 = problem.cloned();
    }
}

/// The server's identity. What this host is, is said of a server only if it is on this host.
pub(super) fn resource(input: &IntegrationInput, shared: &[(String, Scalar)]) -> Vec<u8> {
    let ours = host::attributes();
    let foreign = |attribute: &&(String, Scalar)| !ours.contains(attribute);
    let kept: Vec<(String, Scalar)> = match input.endpoint.is_here() {
        true => shared.to_vec(),
        false => shared.iter().filter(foreign).cloned().collect(),
    };
    let Endpoint { host, port } = &input.endpoint;
    let own = [
        ("service.name".to_owned(), Scalar::Text(input.server.system().to_owned())),
        ("service.instance.id".to_owned(), Scalar::Text(input.endpoint.to_string())),
        ("server.address".to_owned(), Scalar::Text(host.clone())),
        ("server.port".to_owned(), Scalar::Int(i64::from(*port))),
    ];
    let all = merge(&[&kept, &own]);
    let pairs: Vec<_> = all.iter().map(|(key, value)| (key.as_str(), value.as_value())).collect();
    let mut raw = Vec::new();
    write_resource(&mut raw, &pairs);
    raw
}
