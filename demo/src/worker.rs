//! Fulfils orders, one after the other.

use opentelemetry::KeyValue;
use opentelemetry::logs::Severity;
use serde_json::Value;

use crate::args;
use crate::broker::Broker;
use crate::control::{self, Faults, terminated};
use crate::database::{Database, Sql};
use crate::telemetry::Telemetry;

const CONNECTIONS: usize = 4;

const SHIP: Sql = Sql {
    text: "INSERT INTO shipments (order_id, sku) VALUES ($1, $2)",
    operation: "INSERT",
    collection: "shipments",
};
const DONE: Sql = Sql {
    text: "UPDATE orders SET done_at = now() WHERE id = $1",
    operation: "UPDATE",
    collection: "orders",
};

pub(crate) async fn run(options: args::Worker) -> anyhow::Result<()> {
    let telemetry = Telemetry::start("worker", &options.common.version, &options.common.otlp)?;
    let database = Database::new(&options.database, CONNECTIONS, &telemetry)?;
    let broker = Broker::connect(&options.rabbitmq, &telemetry).await?;
    let faults = Faults::new(&["queue_backlog", "no_consumer"]);
    control::serve(options.common.control, faults.clone(), None, Some(telemetry.clone())).await?;
    println!("taking orders");
    let fulfil = async |message: &[u8]| {
        let order: Value = serde_json::from_slice(message)?;
        let (Some(id), Some(sku)) = (order["id"].as_i64(), order["sku"].as_str()) else {
            anyhow::bail!("an order without id or sku")
        };
        faults.sleep_ms("queue_backlog").await;
        let held = database.get().await?;
        held.query(&SHIP, &[&id, &sku]).await?;
        held.query(&DONE, &[&id]).await?;
        telemetry.log(Severity::Info, format!("order {id} fulfilled"), &[KeyValue::new("order.id", id)]);
        Ok(())
    };
    let ended = tokio::select! {
        ended = broker.consume(fulfil, || faults.intensity("no_consumer") > 0.0) => ended,
        () = terminated() => Ok(()),
    };
    telemetry.shutdown().await?;
    ended
}
