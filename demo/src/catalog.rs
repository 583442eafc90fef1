//! Products and prices.
//!
//! A request for a product holds its database connection to its end, as frameworks with a session per request do.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use futures::FutureExt;
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use tokio_postgres::{NoTls, Row};

use crate::args;
use crate::cache::Cache;
use crate::control::{self, Apply, Faults};
use crate::database::{Database, Held, Sql};
use crate::http::{self, Failure};
use crate::telemetry::Telemetry;

const CONNECTIONS: usize = 20;
const CACHED_S: u64 = 60;
const PAGE: i64 = 30;

const BY_SKU: Sql = Sql {
    text: "SELECT sku, name, price_cents FROM products WHERE sku = $1",
    operation: "SELECT",
    collection: "products",
};
const BY_CATEGORY: Sql = Sql {
    text: "SELECT sku, name, price_cents FROM products WHERE category = $1 ORDER BY id LIMIT $2",
    operation: "SELECT",
    collection: "products",
};
const SKUS_BY_CATEGORY: Sql = Sql {
    text: "SELECT sku FROM products WHERE category = $1 ORDER BY id LIMIT $2",
    operation: "SELECT",
    collection: "products",
};
const SIMILAR: Sql = Sql {
    text: "SELECT sku, name FROM similar_products($1)",
    operation: "SELECT",
    collection: "similar_products",
};

struct Catalog {
    database: Database,
    cache: Cache,
    faults: Arc<Faults>,
}

pub(crate) async fn run(options: args::Catalog) -> anyhow::Result<()> {
    let telemetry = Telemetry::start("catalog", &options.common.version, &options.common.otlp)?;
    let database = Database::new(&options.database, CONNECTIONS, &telemetry)?;
    let cache = Cache::connect(&options.redis, &telemetry).await?;
    let faults = Faults::new(&["cpu_hog", "pool_exhaustion", "missing_index", "n_plus_one"]);
    let apply = apply(database.clone(), options.database.clone());
    control::serve(options.common.control, faults.clone(), Some(apply), Some(telemetry.clone())).await?;
    let router = Router::new()
        .route("/products", get(list))
        .route("/products/{sku}", get(product))
        .route("/prices/{sku}", get(price))
        .with_state(Arc::new(Catalog { database, cache, faults }));
    http::serve(options.listen, router, telemetry).await
}

fn apply(database: Database, url: String) -> Apply {
    Arc::new(move |fault, intensity| {
        let (database, url) = (database.clone(), url.clone());
        async move {
            match fault {
                "pool_exhaustion" => {
                    database.resize(if intensity > 0.0 { intensity as usize } else { CONNECTIONS });
                }
                "missing_index" => index(&url, intensity == 0.0).await?,
                _ => {}
            }
            Ok(())
        }
        .boxed()
    })
}

/// By a connection of its own, as whoever changes a schema has.
async fn index(url: &str, is_wanted: bool) -> anyhow::Result<()> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let driver = tokio::spawn(connection);
    let statement = match is_wanted {
        true => "CREATE INDEX IF NOT EXISTS products_sku ON products (sku)",
        false => "DROP INDEX IF EXISTS products_sku",
    };
    let done = client.batch_execute(statement).await;
    driver.abort();
    Ok(done?)
}

impl Catalog {
    /// What every request costs.
    async fn work(&self) {
        let ms = self.faults.intensity("cpu_hog");
        if ms > 0.0 {
            // It cannot fail: it only counts.
            let _spun = tokio::task::spawn_blocking(move || spin(Duration::from_secs_f64(ms / 1000.0))).await;
        }
    }
}

/// Takes so much CPU, however long that takes.
fn spin(cost: Duration) {
    let until = cpu_time() + cost;
    while cpu_time() < until {
        (0..1000).for_each(|_| std::hint::spin_loop());
    }
}

/// Of this thread.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn as_json(row: &Row) -> anyhow::Result<Value> {
    let (sku, name): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
    let price_cents: i32 = row.try_get(2)?;
    Ok(json!({"sku": sku, "name": name, "price_cents": price_cents}))
}

async fn by_sku(held: &Held<'_>, sku: &str) -> anyhow::Result<Value> {
    let rows = held.query(&BY_SKU, &[&sku]).await?;
    rows.first().map_or_else(|| Err(anyhow::anyhow!("there is no product {sku}")), as_json)
}

async fn list(
    State(catalog): State<Arc<Catalog>>,
    query: axum::extract::RawQuery,
) -> Result<Json<Value>, Failure> {
    catalog.work().await;
    let category: i32 =
        query.0.as_deref().and_then(|query| query.strip_prefix("category=")?.parse().ok()).unwrap_or(0);
    let held = catalog.database.get().await?;
    let rows = catalog.faults.intensity("n_plus_one") as i64;
    if rows == 0 {
        let found = held.query(&BY_CATEGORY, &[&category, &PAGE]).await?;
        return Ok(Json(found.iter().map(as_json).collect::<anyhow::Result<Value>>()?));
    }
    let mut products = Vec::new();
    for row in held.query(&SKUS_BY_CATEGORY, &[&category, &rows]).await? {
        products.push(by_sku(&held, row.try_get(0)?).await?);
    }
    Ok(Json(Value::Array(products)))
}

async fn product(
    State(catalog): State<Arc<Catalog>>,
    Path(sku): Path<String>,
) -> Result<Json<Value>, Failure> {
    catalog.work().await;
    let held = catalog.database.get().await?;
    let key = format!("product:{sku}");
    let cached = catalog.cache.get(&key).await.and_then(|text| serde_json::from_str(&text).ok());
    let mut product: Value = match cached {
        Some(product) => product,
        None => {
            let product = by_sku(&held, &sku).await?;
            catalog.cache.set(&key, &product.to_string(), CACHED_S).await;
            product
        }
    };
    let similar = held.query(&SIMILAR, &[&sku]).await?;
    let similar: Result<Vec<&str>, _> = similar.iter().map(|row| row.try_get::<_, &str>(0)).collect();
    product["similar"] = json!(similar?);
    Ok(Json(product))
}

async fn price(State(catalog): State<Arc<Catalog>>, Path(sku): Path<String>) -> Result<Json<Value>, Failure> {
    catalog.work().await;
    let held = catalog.database.get().await?;
    Ok(Json(by_sku(&held, &sku).await?))
}
