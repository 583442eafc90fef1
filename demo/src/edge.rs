//! The gateway: what customers talk to.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::Method;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;

use crate::args;
use crate::control::{self, Faults};
use crate::http::{self, Failure, Peer};
use crate::telemetry::Telemetry;

struct Edge {
    catalog: Peer,
    checkout: Peer,
}

pub(crate) async fn run(options: args::Edge) -> anyhow::Result<()> {
    let telemetry = Telemetry::start("edge", &options.common.version, &options.common.otlp)?;
    let edge = Edge {
        catalog: Peer::new(&options.catalog, &telemetry)?,
        checkout: Peer::new(&options.checkout, &telemetry)?,
    };
    control::serve(options.common.control, Faults::new(&[]), None, Some(telemetry.clone())).await?;
    let router = Router::new()
        .route("/products", get(list))
        .route("/products/{sku}", get(product))
        .route("/orders/{sku}", post(order))
        .route("/orders/status", get(status))
        .with_state(Arc::new(edge));
    http::serve(options.listen, router, telemetry).await
}

async fn list(State(edge): State<Arc<Edge>>, RawQuery(query): RawQuery) -> Result<Json<Value>, Failure> {
    let path = format!("/products?{}", query.unwrap_or_default());
    Ok(Json(edge.catalog.call(Method::GET, "/products", &path).await?))
}

async fn product(State(edge): State<Arc<Edge>>, Path(sku): Path<String>) -> Result<Json<Value>, Failure> {
    Ok(Json(edge.catalog.call(Method::GET, "/products/{sku}", &format!("/products/{sku}")).await?))
}

async fn order(State(edge): State<Arc<Edge>>, Path(sku): Path<String>) -> Result<Json<Value>, Failure> {
    Ok(Json(edge.checkout.call(Method::POST, "/orders/{sku}", &format!("/orders/{sku}")).await?))
}

async fn status(State(edge): State<Arc<Edge>>) -> Result<Json<Value>, Failure> {
    Ok(Json(edge.checkout.call(Method::GET, "/orders/status", "/orders/status").await?))
}
