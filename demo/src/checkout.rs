//! Orders: the price from the catalog, the order into PostgreSQL, the news into RabbitMQ.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::Method;
use axum::routing::{get, post};
use axum::{Json, Router};
use opentelemetry::logs::Severity;
use opentelemetry::{Context, KeyValue};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::args;
use crate::broker::Broker;
use crate::control::{self, Faults};
use crate::database::{Database, Held, Sql};
use crate::http::{self, Failure, Peer};
use crate::telemetry::{Telemetry, within};

const CONNECTIONS: usize = 10;

const INSERT: Sql = Sql {
    text: "INSERT INTO orders (sku, price_cents) VALUES ($1, $2) RETURNING id",
    operation: "INSERT",
    collection: "orders",
};
const SOLD: Sql =
    Sql { text: "UPDATE stock SET sold = sold + 1 WHERE sku = $1", operation: "UPDATE", collection: "stock" };
const OPEN: Sql = Sql {
    text: "SELECT count(*), coalesce(extract(epoch FROM now() - min(placed_at)), 0)::float8 FROM orders WHERE done_at IS NULL",
    operation: "SELECT",
    collection: "orders",
};

struct Checkout {
    database: Database,
    catalog: Peer,
    broker: Broker,
    faults: Arc<Faults>,
    /// What a careless author would guard too much with.
    everything: Mutex<()>,
    telemetry: Arc<Telemetry>,
}

pub(crate) async fn run(options: args::Checkout) -> anyhow::Result<()> {
    let telemetry = Telemetry::start("checkout", &options.common.version, &options.common.otlp)?;
    let faults = Faults::new(&["lock"]);
    let checkout = Checkout {
        database: Database::new(&options.database, CONNECTIONS, &telemetry)?,
        catalog: Peer::new(&options.catalog, &telemetry)?,
        broker: Broker::connect(&options.rabbitmq, &telemetry).await?.confirming().await?,
        faults: faults.clone(),
        everything: Mutex::new(()),
        telemetry: telemetry.clone(),
    };
    control::serve(options.common.control, faults, None, Some(telemetry.clone())).await?;
    let router = Router::new()
        .route("/orders/{sku}", post(order))
        .route("/orders/status", get(status))
        .with_state(Arc::new(checkout));
    http::serve(options.listen, router, telemetry).await
}

async fn order(
    State(checkout): State<Arc<Checkout>>,
    Path(sku): Path<String>,
) -> Result<Json<Value>, Failure> {
    // A customer who leaves does not leave half an order.
    let placing = within(&Context::current(), async move { checkout.place(&sku).await });
    let placing = tokio::spawn(placing);
    Ok(Json(placing.await??))
}

impl Checkout {
    async fn place(&self, sku: &str) -> anyhow::Result<Value> {
        if self.faults.intensity("lock") > 0.0 {
            let _everything = self.everything.lock().await;
            self.faults.sleep_ms("lock").await;
        }
        let product = self.catalog.call(Method::GET, "/prices/{sku}", &format!("/prices/{sku}")).await?;
        let price_cents = product["price_cents"].as_i64().and_then(|cents| i32::try_from(cents).ok());
        let price_cents =
            price_cents.ok_or_else(|| anyhow::anyhow!("the catalog gave no price for {sku}"))?;
        let held = self.database.get().await?;
        let id = match write(&held, sku, price_cents).await {
            Ok(id) => id,
            Err(error) => {
                held.rollback().await?;
                return Err(error);
            }
        };
        drop(held);
        self.broker.send(json!({"id": id, "sku": sku}).to_string().as_bytes()).await?;
        self.telemetry.log(
            Severity::Info,
            format!("order {id} placed"),
            &[KeyValue::new("order.id", id), KeyValue::new("sku", sku.to_owned())],
        );
        Ok(json!({"id": id}))
    }
}

async fn write(held: &Held<'_>, sku: &str, price_cents: i32) -> anyhow::Result<i64> {
    held.begin().await?;
    let rows = held.query(&INSERT, &[&sku, &price_cents]).await?;
    let id = rows.first().ok_or_else(|| anyhow::anyhow!("the order has no number"))?.try_get(0)?;
    held.query(&SOLD, &[&sku]).await?;
    held.commit().await?;
    Ok(id)
}

async fn status(State(checkout): State<Arc<Checkout>>) -> Result<Json<Value>, Failure> {
    let held = checkout.database.get().await?;
    let rows = held.query(&OPEN, &[]).await?;
    let row = rows.first().ok_or_else(|| anyhow::anyhow!("no answer"))?;
    let (open, oldest_s): (i64, f64) = (row.try_get(0)?, row.try_get(1)?);
    Ok(Json(json!({"open": open, "oldest_s": oldest_s})))
}
