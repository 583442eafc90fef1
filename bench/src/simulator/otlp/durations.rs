//! Histograms of what runtimes and pools measure as durations. A sample is their sum alone, so all are in one bucket.

use std::collections::BTreeMap;

use bottleneck::{Owner, Signal};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Histogram, HistogramDataPoint, Metric, ResourceMetrics, ScopeMetrics, metric,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

use crate::send::text;
use crate::simulator::{Run, STEP_NS, STEP_S};

/// Seconds since the start.
pub(super) type Sums = BTreeMap<(Owner, &'static str), f64>;

/// How many are measured in a second; how long each took is what is left.
const PER_S: f64 = 5.0;

/// A body per service.
pub(super) fn bodies(run: &Run, step: usize, start_ns: u64, sums: &mut Sums) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for ((owner, signal), values) in &run.sampler.samples {
        let (node, name, attribute) = match (owner, signal) {
            (Owner::Node(node), Signal::GcTime) => (*node, "jvm.gc.duration", ("jvm.gc.name", "G1")),
            (Owner::Part { node, name }, Signal::PoolWait) => {
                let pool = ("db.client.connection.pool.name", name.as_str());
                (*node, "db.client.connection.wait_time", pool)
            }
            _ => continue,
        };
        if values[step].is_nan() {
            continue;
        }
        let sum = sums.entry((owner.clone(), name)).or_default();
        *sum += values[step] * f64::from(STEP_S);
        let elapsed_ns = (step as u64 + 1) * STEP_NS;
        let count = (elapsed_ns as f64 / 1e9 * PER_S) as u64;
        let point = HistogramDataPoint {
            start_time_unix_nano: start_ns,
            time_unix_nano: start_ns + elapsed_ns,
            attributes: vec![text(attribute.0, attribute.1)],
            count,
            sum: Some(*sum),
            bucket_counts: vec![count],
            ..HistogramDataPoint::default()
        };
        all.push(body(&run.world.topology.nodes[node].name, name, point));
    }
    all
}

fn body(service: &str, name: &str, point: HistogramDataPoint) -> Vec<u8> {
    let histogram = Histogram {
        data_points: vec![point],
        aggregation_temporality: AggregationTemporality::Cumulative as i32,
    };
    let data = Some(metric::Data::Histogram(histogram));
    let metric = Metric { name: name.to_owned(), unit: "s".to_owned(), data, ..Metric::default() };
    let scope_metrics = vec![ScopeMetrics { metrics: vec![metric], ..ScopeMetrics::default() }];
    let resource = Resource { attributes: vec![text("service.name", service)], ..Resource::default() };
    let of_service =
        ResourceMetrics { resource: Some(resource), scope_metrics, ..ResourceMetrics::default() };
    ExportMetricsServiceRequest { resource_metrics: vec![of_service] }.encode_to_vec()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::simulator::scenarios::shop;
    use crate::simulator::{Plan, run};

    #[test]
    fn a_sum_is_that_of_the_samples() {
        let plan = shop(1).into_iter().find(|scenario| scenario.number == 6).unwrap().plan;
        let run = run(&Plan { steps: 4, onset_s: 20.0, ..plan });
        let mut sums = Sums::default();
        let last = (0..4).map(|step| bodies(&run, step, 0, &mut sums)).last().unwrap();
        let sum = |body: &Vec<u8>| {
            let request = ExportMetricsServiceRequest::decode(body.as_slice()).unwrap();
            let metric = &request.resource_metrics[0].scope_metrics[0].metrics[0];
            let Some(metric::Data::Histogram(histogram)) = &metric.data else { panic!("{metric:?}") };
            (metric.name.clone(), histogram.data_points[0].sum.unwrap())
        };
        let told: Vec<(String, f64)> = last.iter().map(sum).collect();
        for (signal, name) in
            [(Signal::GcTime, "jvm.gc.duration"), (Signal::PoolWait, "db.client.connection.wait_time")]
        {
            let sampled = run.sampler.samples.iter().filter(|((_, of), _)| *of == signal);
            let sampled: f64 = sampled.flat_map(|(_, values)| values).sum::<f64>() * f64::from(STEP_S);
            let sent: f64 = told.iter().filter(|(of, _)| of == name).map(|(_, sum)| sum).sum();
            assert!(sampled > 0.0 && (sent - sampled).abs() < 1e-9, "{name}: {sent} of {sampled}");
        }
    }
}
