//! The live tail: records as they come, over a WebSocket. One task per connection reads
//! from the store at most ten times a second, only when something was applied, and sends
//! 500 records a second at most; what is beyond is counted. A client that reads slowly
//! holds up its own task and nothing else.

mod frames;
mod place;
mod session;

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::response::Response;
use http::HeaderMap;
use parking_lot::Mutex;
use serde::Deserialize;
use telemetry::TenantId;
use tokio::sync::{Semaphore, watch};
use utoipa::IntoParams;

use super::App;
use super::error::{ApiError, ErrorBody};
use super::params::{Params, given, query_text};
use crate::auth::Principal;

pub(crate) use place::Place;
use session::Session;

/// How many live tails a tenant may have.
const MAX_OF_TENANT: usize = 64;
/// A query, as JSON spells it at worst.
const MAX_MESSAGE_BYTES: usize = 256 << 10;
/// How many of them read at once: the rest of the processors is for ingest and queries.
const READERS: usize = 2;

/// The live tails that are open.
pub struct Live {
    open: Mutex<std::collections::HashMap<TenantId, usize>>,
    count: watch::Sender<usize>,
    readers: Semaphore,
}

impl Default for Live {
    fn default() -> Self {
        Self { open: Mutex::default(), count: watch::Sender::new(0), readers: Semaphore::new(READERS) }
    }
}

impl Live {
    /// Returns when all have ended.
    pub async fn drained(&self) {
        // The sender lives as long as `self`.
        let _ = self.count.subscribe().wait_for(|count| *count == 0).await;
    }
}

/// A place among the live tails, given back when it falls.
struct Seat {
    app: Arc<App>,
    tenant: TenantId,
}

impl Seat {
    fn take(app: &Arc<App>, tenant: &TenantId) -> Result<Self, ApiError> {
        if app.is_stopping() {
            return Err(ApiError::Stopping);
        }
        let mut open = app.live.open.lock();
        let own = open.entry(tenant.clone()).or_default();
        if *own >= MAX_OF_TENANT {
            return Err(ApiError::TooManyOpen { what: "live tails", most: MAX_OF_TENANT });
        }
        *own += 1;
        drop(open);
        app.live.count.send_modify(|count| *count += 1);
        app.metrics.live_connections(*app.live.count.borrow());
        Ok(Self { app: Arc::clone(app), tenant: tenant.clone() })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let live = &self.app.live;
        if let Some(own) = live.open.lock().get_mut(&self.tenant) {
            *own -= 1;
        }
        live.count.send_modify(|count| *count -= 1);
        self.app.metrics.live_connections(*live.count.borrow());
    }
}

/// What to follow.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LiveParams {
    /// The query: a filter without stages; none or `*` is every record.
    query: Option<String>,
    /// `position` of the last frame that was received: what came since then is sent first, so that nothing
    /// is missed or comes twice. Without it, records that come from now on.
    after: Option<String>,
    /// Whose data, for browsers, which cannot send `X-Scope-OrgID` here.
    tenant: Option<String>,
}

/// Follows records as they come, over a WebSocket.
///
/// The server sends text frames, JSON objects by `type`: `hello` (`query` in its normal form, `position`),
/// `records` (`records` in the order they came, `dropped`, `unread`, `position`), `pulse` (`at`, `position`)
/// every 5 s, and `error` (`error`), after which it closes. The client may send `{"type":"query","query":"…"}`,
/// `{"type":"pause"}` and `{"type":"resume"}`.
#[utoipa::path(
    get, path = "/api/v1/narrows/live", tag = "logs", params(LiveParams),
    responses(
        (status = 101, description = "The WebSocket is open"),
        (status = 400, description = "A parameter is wrong", body = ErrorBody),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed, or a foreign page", body = ErrorBody),
        (status = 426, description = "Not a WebSocket's handshake", body = ErrorBody),
        (status = 429, description = "Too many live tails are open", body = ErrorBody),
        (status = 503, description = "The collector is stopping", body = ErrorBody),
    )
)]
pub(crate) async fn live(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Params(params): Params<LiveParams>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    // A page elsewhere could open it with the browser's cookies, and read what comes.
    app.auth.browser().check_write(&headers)?;
    let principal = principal.of_tenant(params.tenant.as_deref())?;
    let query = query_text(params.query.as_deref())?.to_owned();
    let place = given(params.after.as_deref()).map(str::parse::<Place>).transpose();
    let place = place.map_err(|message| ApiError::parameter("after", message))?;
    let upgrade = upgrade.map_err(|_| ApiError::NoWebSocket)?;
    let seat = Seat::take(&app, &principal.tenant)?;
    let tails = app.store.tails(&principal.tenant, &place.clone().unwrap_or_default().0);
    let session = Session::new(app, tails, place.is_some(), principal);
    let upgrade = upgrade.max_message_size(MAX_MESSAGE_BYTES).max_frame_size(MAX_MESSAGE_BYTES);
    Ok(upgrade.on_upgrade(move |socket| async move {
        session.run(socket, &query).await;
        drop(seat);
    }))
}
