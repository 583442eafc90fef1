//! The gRPC port.

use tokio::sync::watch;
use tonic::service::Routes;
use tonic::transport::Server;
use tower::util::MapRequestLayer;

use super::door::{Door, Origin};

/// Serves until `stop` says so and the last call has ended.
pub(super) async fn serve(door: Door, routes: Routes, mut stop: watch::Receiver<bool>) {
    let patience = door.patience;
    let stopped = async move {
        // An error means that the sender is gone: stop as well.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    let mark = |mut request: http::Request<tonic::body::Body>| {
        if let Some(origin) = request.extensions().get::<Origin>().cloned() {
            origin.mark(request.extensions_mut());
        }
        request
    };
    let served = Server::builder()
        .http2_keepalive_interval(Some(patience.ping))
        .http2_keepalive_timeout(Some(patience.pong))
        .max_concurrent_streams(Some(64))
        .layer(MapRequestLayer::new(mark))
        .add_routes(routes)
        .serve_with_incoming_shutdown(door.into_stream(), stopped)
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "the gRPC port has stopped");
    }
}
