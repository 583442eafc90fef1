//! The control port of a role: `GET /fault`, `POST /fault {"name", "intensity"}`, and of services `POST /deploy {"version"}`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::future::BoxFuture;
use parking_lot::RwLock;
use serde::Deserialize;

use crate::telemetry::Telemetry;

/// What is wrong at the moment: names and intensities; 0 is nothing.
#[derive(Default)]
pub(crate) struct Faults(RwLock<BTreeMap<&'static str, f64>>);

impl Faults {
    pub(crate) fn new(names: &[&'static str]) -> Arc<Self> {
        Arc::new(Self(RwLock::new(names.iter().map(|name| (*name, 0.0)).collect())))
    }

    pub(crate) fn intensity(&self, name: &str) -> f64 {
        self.0.read().get(name).copied().unwrap_or(0.0)
    }

    /// Sleeps so many milliseconds as a fault is intense.
    pub(crate) async fn sleep_ms(&self, name: &str) {
        let ms = self.intensity(name);
        if ms > 0.0 {
            tokio::time::sleep(std::time::Duration::from_secs_f64(ms / 1000.0)).await;
        }
    }
}

/// Does what a fault needs besides being known.
pub(crate) type Apply =
    Arc<dyn Fn(&'static str, f64) -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync>;

#[derive(Clone)]
struct Control {
    faults: Arc<Faults>,
    apply: Option<Apply>,
    telemetry: Option<Arc<Telemetry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    name: String,
    intensity: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deploy {
    version: String,
}

type Answer<T> = Result<T, (StatusCode, String)>;

/// Serves until the process ends.
pub(crate) async fn serve(
    address: SocketAddr,
    faults: Arc<Faults>,
    apply: Option<Apply>,
    telemetry: Option<Arc<Telemetry>>,
) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind(address).await;
    let listener = listener.with_context(|| format!("cannot listen on {address} for control"))?;
    let mut router = Router::new().route("/fault", get(show).post(switch));
    if telemetry.is_some() {
        router = router.route("/deploy", post(deploy));
    }
    let router = router.with_state(Control { faults, apply, telemetry });
    tokio::spawn(axum::serve(listener, router).into_future());
    Ok(())
}

async fn show(State(control): State<Control>) -> Json<BTreeMap<&'static str, f64>> {
    Json(control.faults.0.read().clone())
}

async fn switch(
    State(control): State<Control>,
    Json(order): Json<Order>,
) -> Answer<Json<BTreeMap<&'static str, f64>>> {
    let known: Vec<&'static str> = control.faults.0.read().keys().copied().collect();
    let Some(name) = known.iter().copied().find(|name| *name == order.name) else {
        let text = format!("{:?} is no fault of this role; known: {}", order.name, known.join(", "));
        return Err((StatusCode::NOT_FOUND, text));
    };
    if !(0.0..=100_000.0).contains(&order.intensity) {
        return Err((StatusCode::BAD_REQUEST, "the intensity is a number from 0 to 100000".to_owned()));
    }
    control.faults.0.write().insert(name, order.intensity);
    if let Some(apply) = &control.apply {
        let applied = apply(name, order.intensity).await;
        applied.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")))?;
    }
    println!("fault {name} {}", order.intensity);
    Ok(show(State(control)).await)
}

async fn deploy(State(control): State<Control>, Json(order): Json<Deploy>) -> Answer<()> {
    let Some(telemetry) = &control.telemetry else { return Ok(()) };
    let deployed = telemetry.deploy(&order.version).await;
    deployed.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")))
}

/// Completes when the process shall end.
pub(crate) async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(error) => eprintln!("cannot wait for SIGTERM: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_faults_of_the_role_are_switched() {
        let control = Control { faults: Faults::new(&["lock"]), apply: None, telemetry: None };
        let order = |name: &str, intensity| Json(Order { name: name.to_owned(), intensity });
        let code =
            async |order| switch(State(control.clone()), order).await.err().map(|(code, _)| code.as_u16());
        assert_eq!(code(order("lock", 20.0)).await, None);
        assert_eq!(control.faults.intensity("lock").to_bits(), 20f64.to_bits());
        assert_eq!(code(order("cpu_hog", 1.0)).await, Some(404));
        assert_eq!(code(order("lock", -1.0)).await, Some(400));
        assert_eq!(code(order("lock", f64::NAN)).await, Some(400));
        assert_eq!(code(order("lock", 0.0)).await, None);
        assert_eq!(control.faults.intensity("lock").to_bits(), 0f64.to_bits());
    }
}
