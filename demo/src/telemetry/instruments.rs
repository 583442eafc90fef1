//! The metrics of requests, statements, pools and messages, by the names of OpenTelemetry's semantic conventions.

use opentelemetry::metrics::{Counter, Histogram, Meter, UpDownCounter};

/// What the conventions advise for durations in s.
const SECONDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

pub(crate) struct Instruments {
    pub(crate) server_duration: Histogram<f64>,
    pub(crate) server_active: UpDownCounter<i64>,
    pub(crate) client_duration: Histogram<f64>,
    pub(crate) db_duration: Histogram<f64>,
    pub(crate) pool_wait: Histogram<f64>,
    pub(crate) pool_use: Histogram<f64>,
    pub(crate) pool_timeouts: Counter<u64>,
    pub(crate) messaging_duration: Histogram<f64>,
    pub(crate) messaging_sent: Counter<u64>,
    pub(crate) messaging_consumed: Counter<u64>,
    pub(crate) process_duration: Histogram<f64>,
}

impl Instruments {
    pub(super) fn new(meter: &Meter) -> Self {
        let seconds =
            |name| meter.f64_histogram(name).with_unit("s").with_boundaries(SECONDS.to_vec()).build();
        let messages = |name| meter.u64_counter(name).with_unit("{message}").build();
        Self {
            server_duration: seconds("http.server.request.duration"),
            server_active: meter
                .i64_up_down_counter("http.server.active_requests")
                .with_unit("{request}")
                .build(),
            client_duration: seconds("http.client.request.duration"),
            db_duration: seconds("db.client.operation.duration"),
            pool_wait: seconds("db.client.connection.wait_time"),
            pool_use: seconds("db.client.connection.use_time"),
            pool_timeouts: meter.u64_counter("db.client.connection.timeouts").with_unit("{timeout}").build(),
            messaging_duration: seconds("messaging.client.operation.duration"),
            messaging_sent: messages("messaging.client.sent.messages"),
            messaging_consumed: messages("messaging.client.consumed.messages"),
            process_duration: seconds("messaging.process.duration"),
        }
    }
}
