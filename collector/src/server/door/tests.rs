//! Both ports with little patience and few places, and clients that misbehave.

use std::time::Instant;

use axum::Router;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::service::Routes;

use super::*;
use crate::server::{grpc, http};

/// Long enough to send something, short enough to wait for.
const HEAD: Duration = Duration::from_millis(400);
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
/// An empty SETTINGS frame.
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

#[derive(Clone, Copy, Debug)]
enum Port {
    Http,
    Grpc,
}

struct Serving {
    address: SocketAddr,
    task: JoinHandle<()>,
    /// Keeps it from stopping.
    _stop: watch::Sender<bool>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(port: Port, connections: usize) -> Serving {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let door = Door::new(listener, connections, Patience { head: HEAD, ping: HEAD, pong: HEAD });
    let (stop, stopped) = watch::channel(false);
    let task = match port {
        Port::Http => {
            let router = Router::new().route("/", get(|| async { "here" }));
            tokio::spawn(http::serve(door, router, stopped))
        }
        Port::Grpc => tokio::spawn(grpc::serve(door, Routes::default(), stopped)),
    };
    Serving { address, task, _stop: stop }
}

async fn connect(serving: &Serving, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(serving.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

/// How long the other end keeps the connection open.
async fn until_closed(mut stream: TcpStream) -> Duration {
    let begun = Instant::now();
    let mut rest = Vec::new();
    // Closed in order or reset: both are an end.
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await;
    assert!(read.is_ok(), "it is still open");
    begun.elapsed()
}

#[tokio::test]
async fn a_connection_that_does_not_begin_is_closed() {
    for port in [Port::Http, Port::Grpc] {
        let serving = serve(port, 8).await;
        for first in [&b""[..], b"P", &PREFACE[..20]] {
            let open = until_closed(connect(&serving, first).await).await;
            assert!(open + Duration::from_millis(50) >= HEAD, "{port:?} {first:?}: closed after {open:?}");
        }
    }
}

#[tokio::test]
async fn a_client_that_answers_no_pings_is_closed() {
    for port in [Port::Http, Port::Grpc] {
        let serving = serve(port, 8).await;
        let open = until_closed(connect(&serving, &[PREFACE, SETTINGS].concat()).await).await;
        assert!(open > HEAD, "{port:?}: closed after {open:?}, before it was asked");
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_answer() {
    let serving = serve(Port::Http, 8).await;
    let mut stream = connect(&serving, b"").await;
    for _ in 0..2 {
        stream.write_all(REQUEST).await.unwrap();
        let mut answer = [0; 512];
        let length = stream.read(&mut answer).await.unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 200"), "{:?}", String::from_utf8_lossy(&answer));
        tokio::time::sleep(HEAD / 4).await;
    }
    until_closed(stream).await;
}

#[tokio::test]
async fn the_surplus_waits_until_somebody_leaves() {
    for (port, hello) in [(Port::Http, REQUEST), (Port::Grpc, &[PREFACE, SETTINGS].concat()[..])] {
        let serving = serve(port, 2).await;
        let mut first = [connect(&serving, hello).await, connect(&serving, hello).await];
        for stream in &mut first {
            assert!(stream.read(&mut [0; 512]).await.unwrap() > 0);
        }
        let mut third = connect(&serving, hello).await;
        let early = tokio::time::timeout(HEAD / 4, third.read(&mut [0; 512])).await;
        assert!(early.is_err(), "{port:?}: the third was served beside two");
        drop(first);
        assert!(third.read(&mut [0; 512]).await.unwrap() > 0, "{port:?}: the third was never served");
    }
}

#[test]
fn an_opening_ends_where_its_protocol_is_clear() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _context = runtime.enter();
    let opening = || Opening { came: 0, until: Box::pin(tokio::time::sleep(HEAD)) };
    assert!(opening().ends_with(b"GET"));
    assert!(opening().ends_with(b"POST"));
    assert!(opening().ends_with(&[PREFACE, SETTINGS].concat()));
    let mut slow = opening();
    let ends: Vec<bool> = PREFACE.iter().map(|byte| slow.ends_with(&[*byte])).collect();
    assert_eq!(ends.iter().position(|end| *end), Some(PREFACE.len() - 1));
    assert!(!opening().ends_with(b""));
}
