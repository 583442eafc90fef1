//! Log lines: of each pattern as many as were counted, with numbers in the places of its parameters.

use telemetry::Value;
use telemetry::otlp::{RecordFields, RecordsWriter, write_record, write_resource, write_scope};

use crate::simulator::random::{Random, mix};
use crate::simulator::{Run, STEP_NS};

/// Of a pattern and step at most so many; the rest is the same again.
const MOST: f64 = 500.0;

pub(super) fn bodies(run: &Run, step: usize, start_ns: u64) -> Vec<Vec<u8>> {
    let mut writer = RecordsWriter::default();
    let mut random = Random::new(mix(run.world.seed, 0x106 + step as u64));
    for ((node, text), (severity, counts)) in run.world.recorder.logs.borrow().iter() {
        let count = counts[step].min(MOST) as u64;
        if count == 0 {
            continue;
        }
        let (mut head, mut scope) = (Vec::new(), Vec::new());
        write_resource(&mut head, &[("service.name", Value::Str(&run.world.topology.nodes[*node].name))]);
        write_scope(&mut scope, "simulator", "1", &[]);
        writer.resource(&head, "");
        writer.scope(&scope, "");
        for number in 0..count {
            let time_ns = start_ns + step as u64 * STEP_NS + number * STEP_NS / count;
            let body = text.replace("<*>", &random.below(100_000).to_string());
            let mut raw = Vec::new();
            let fields = RecordFields {
                time_ns,
                observed_time_ns: time_ns,
                severity_number: *severity,
                body: Value::Str(&body),
                ..RecordFields::default()
            };
            write_record(&mut raw, &fields);
            writer.record(&raw);
        }
    }
    if writer.record_count() == 0 { Vec::new() } else { vec![writer.finish()] }
}
