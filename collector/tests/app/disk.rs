//! A disk without room, which no test can make of a real one: the same routes on a
//! store that is told so.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use alerting::message::Texts;
use alerting::receivers::{Guard, Receivers};
use axum::body::{Body, to_bytes};
use http::{Request, StatusCode};
use meta::{Meta, SqliteMeta};
use narrows_collector::api::{self, Addresses, App, Parts, Peer};
use narrows_collector::auth::{Auth, IngestGate};
use narrows_collector::commit::{FileJournals, Space, Store, StoreOptions, local_blobs};
use narrows_collector::config::{Config, Secret};
use narrows_collector::metrics::Metrics;
use narrows_collector::notify::{Connect, Notifier};
use narrows_collector::verdicts::Verdicts;
use prost::Message;
use tower::ServiceExt;

use crate::harness::{record, request};

async fn router(dir: &std::path::Path, free: &Arc<AtomicU64>) -> (axum::Router, Arc<Store>) {
    let config = Config { data: dir.to_owned(), admin_password: Some(Secret::new("x")), ..Config::default() };
    let meta: Arc<dyn Meta> = Arc::new(SqliteMeta::open(&dir.join("meta.sqlite")).unwrap());
    let journals = FileJournals::new(Arc::new(journal::OsDisk), dir.join("journal"));
    let mut options =
        StoreOptions::new(Arc::new(journals), local_blobs(&dir.join("blobs")).unwrap(), Arc::clone(&meta));
    let free = Arc::clone(free);
    options.free_space =
        Some(Arc::new(move || Ok(Space { total_bytes: 10 << 30, free_bytes: free.load(Ordering::Relaxed) })));
    let store = Store::open(options).await.unwrap();
    let (auth, _) = Auth::open(&config, Arc::clone(&meta)).await.unwrap();
    let addresses = Addresses::default();
    let connect: Connect =
        Arc::new(|_, _| Ok(Arc::new(Receivers::new(Texts::shipped(""), Guard::new(Vec::new())))));
    let notifier = Notifier::open(&config, Arc::new(journal::OsDisk), connect).await.unwrap();
    let verdicts = Arc::new(Verdicts::new(&config, Arc::clone(&meta), ""));
    let (auth_of_app, store_of_app, metrics) =
        (Arc::clone(&auth), Arc::clone(&store), Arc::new(Metrics::new()));
    let parts = Parts { auth: auth_of_app, store: store_of_app, meta, metrics, notifier, verdicts };
    let app = App::new(parts, &config.limits, addresses);
    let receiver = receive::Server::new(Arc::clone(&store), IngestGate(auth), receive::Limits::default());
    (api::router(&app, receive::http_router(Arc::new(receiver))), store)
}

async fn call(
    router: &axum::Router,
    request: http::request::Builder,
    body: Vec<u8>,
) -> (StatusCode, http::HeaderMap, String) {
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
    let request =
        request.header("host", "localhost").extension(Peer(peer)).extension(axum::extract::ConnectInfo(peer));
    let response = router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let text = String::from_utf8_lossy(&to_bytes(body, usize::MAX).await.unwrap()).into_owned();
    (parts.status, parts.headers, text)
}

fn ingest() -> (http::request::Builder, Vec<u8>) {
    let body = request("checkout", vec![record("kept")]).encode_to_vec();
    (Request::post("/v1/logs").header("content-type", "application/x-protobuf"), body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_records_answers_queries_and_recovers() {
    let dir = tempfile::tempdir().unwrap();
    let free = Arc::new(AtomicU64::new(5 << 30));
    let (router, store) = router(dir.path(), &free).await;
    let (post, body) = ingest();
    assert_eq!(call(&router, post, body).await.0, StatusCode::OK);
    store.barrier(false).await.unwrap();

    free.store(1 << 20, Ordering::Relaxed);
    store.look_at_disk();
    let (post, body) = ingest();
    let (status, headers, _) = call(&router, post, body).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(headers.contains_key("retry-after"));
    let basic = "Basic YWRtaW46eA=="; // admin:x
    let ready = || Request::get("/-/ready");
    let (status, _, text) = call(&router, ready(), vec![]).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(text.contains("stop ingest: 1"), "{text}");
    let (status, _, text) = call(&router, ready().header("authorization", basic), vec![]).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(text.contains("disk is nearly full"), "{text}");
    let search = || Request::get("/api/v1/narrows/logs/search?query=kept").header("authorization", basic);
    let (status, _, text) = call(&router, search(), vec![]).await;
    assert!(status == StatusCode::OK && text.contains("\"matched\":1"), "{status} {text}");

    free.store(5 << 30, Ordering::Relaxed);
    store.look_at_disk();
    let (post, body) = ingest();
    assert_eq!(call(&router, post, body).await.0, StatusCode::OK);
    assert_eq!(call(&router, Request::get("/-/ready"), vec![]).await.0, StatusCode::OK);
    store.shutdown().await;
}
