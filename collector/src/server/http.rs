//! The HTTP port: connections with a time limit for their requests' heads, and a
//! graceful end.

use axum::Router;
use axum::body::Body;
use http::{HeaderValue, header};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt;

use super::door::{Arrival, Door, Patience};

/// Serves until `stop` says so and the last connection has ended.
pub(super) async fn serve(door: Door, router: Router, mut stop: watch::Receiver<bool>) {
    let mut open = JoinSet::new();
    let end = stop.clone();
    loop {
        let accepted = tokio::select! {
            accepted = door.next() => accepted,
            () = said(&mut stop) => break,
        };
        open.spawn(connection(accepted, router.clone(), door.patience, end.clone()));
        while open.try_join_next().is_some() {}
    }
    drop(door);
    while open.join_next().await.is_some() {}
}

async fn connection(arrival: Arrival, router: Router, patience: Patience, mut stop: watch::Receiver<bool>) {
    let peer = arrival.peer;
    let ready = tokio::select! {
        ready = arrival.ready() => ready,
        () = said(&mut stop) => return,
    };
    let Some(stream) = ready else { return };
    let origin = stream.origin.clone();
    let service = router.map_request(move |request: http::Request<hyper::body::Incoming>| {
        let mut request = request.map(Body::new);
        origin.mark(request.extensions_mut());
        name_host(&mut request);
        request
    });
    let service = TowerToHyperService::new(service);
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(patience.head);
    let mut http2 = builder.http2();
    http2.timer(TokioTimer::new()).max_concurrent_streams(64);
    http2.keep_alive_interval(patience.ping).keep_alive_timeout(patience.pong);
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = said(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%peer, %error, "a connection ended early");
    }
}

/// HTTP/2 names the host in the request's target; the rules about it look at the header.
fn name_host(request: &mut http::Request<Body>) {
    let authority = request.uri().authority().map(|authority| HeaderValue::from_str(authority.as_str()));
    if let Some(Ok(host)) = authority
        && !request.headers().contains_key(header::HOST)
    {
        request.headers_mut().insert(header::HOST, host);
    }
}

/// Returns when it is time to stop; a sender that is gone says so, too.
async fn said(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
