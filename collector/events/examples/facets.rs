//! How long facets take over 200,000 records, in the head and in a merged split:
//! `cargo run --release -p narrows-events --example facets`.

extern crate narrows_events as events;

use std::sync::Arc;
use std::time::Instant;

use events::{FacetOptions, Options, Order, Partition, Request};
use object_store::memory::InMemory;
use search::Field;
use telemetry::otlp::{RecordFields, RecordsWriter, write_record, write_resource};
use telemetry::{Batch, Signal, TenantId, Value};

const RECORDS: u64 = 200_000;
const BATCH: u64 = 5_000;
const T0: u64 = 1_700_000_000_000_000_000;

fn batch(tenant: &TenantId, first: u64) -> Batch {
    let mut writer = RecordsWriter::default();
    let mut resource = Vec::new();
    let service = ["checkout", "cart", "pay"][(first / BATCH % 3) as usize];
    let names = [("service.name", Value::Str(service)), ("host.name", Value::Str("app-1"))];
    write_resource(&mut resource, &names);
    writer.resource(&resource, "");
    writer.scope(&[], "");
    for index in first..first + BATCH {
        let (body, order, user) =
            (format!("request {index} took {} ms", index % 997), format!("order-{index}"), index % 5_000);
        let (route, user) = (format!("/route/{}", index % 7), format!("u{user}"));
        let status = if index.is_multiple_of(3) { 503 } else { 200 };
        let attributes = [
            ("http.status_code", Value::Int(status)),
            ("http.route", Value::Str(&route)),
            ("cached", Value::Bool(index.is_multiple_of(2))),
            ("order", Value::Str(&order)),
            ("user", Value::Str(&user)),
        ];
        let mut record = Vec::new();
        let fields = RecordFields {
            time_ns: T0 + index * 1_000_000,
            severity_number: if status == 503 { 17 } else { 9 },
            body: Value::Str(&body),
            attributes: &attributes,
            ..RecordFields::default()
        };
        write_record(&mut record, &fields);
        writer.record(&record);
    }
    Batch {
        tenant: tenant.clone(),
        signal: Signal::Logs,
        producer: None,
        received_at_ns: T0 as i64,
        payload: writer.finish().into(),
    }
}

async fn measure(partition: &Partition, tenant: &TenantId, place: &str) -> anyhow::Result<()> {
    let sets: [&[&str]; 3] = [
        &["severity", "service", "host"],
        &["http.status_code"],
        &["severity", "service", "host", "http.status_code", "http.route", "cached", "order", "user"],
    ];
    for (query, names) in [("*", sets[0]), ("*", sets[1]), ("*", sets[2]), ("severity:error", sets[2])] {
        let request = Request {
            query: search::parse(query).map_err(|error| anyhow::anyhow!(error.to_string()))?,
            start_ns: i64::MIN,
            end_ns: i64::MAX,
            order: Order::Newest,
            limit: 0,
            cursor: None,
            deadline: None,
            max_memory_bytes: 256 << 20,
        };
        let fields = names.iter().filter_map(|name| Field::named(name)).collect();
        let options = FacetOptions { fields, limit: 10, prefix: String::new() };
        let begun = Instant::now();
        let found = events::facets(&[partition.snapshot(tenant)], &request, &options).await?;
        println!(
            "{place}: {} fields of {} records, {query}: {:?}",
            names.len(),
            found.matched,
            begun.elapsed()
        );
    }
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let tenant = TenantId::default_tenant();
    let partition = Partition::new(Arc::new(InMemory::new()), 0, Options::default());
    partition.recover(Vec::new());
    for (offset, first) in (0..RECORDS).step_by(BATCH as usize).enumerate() {
        partition.apply(offset as u64 + 1, &batch(&tenant, first));
    }
    measure(&partition, &tenant, "head").await?;
    let upto = RECORDS / BATCH;
    let files = partition.seal(1, upto).await?;
    partition.publish(files, upto);
    if let Some(plan) = partition.plan_merge(true) {
        let merged = partition.merge(1, plan).await?;
        partition.publish(merged.added, upto);
    }
    measure(&partition, &tenant, "split").await?;
    measure(&partition, &tenant, "split, read before").await
}
