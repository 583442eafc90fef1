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
use crate::tls::certs::Authority;
use crate::tls::{RequireClientCert, TlsOptions};

/// Long enough to send something, short enough to wait for.
const HEAD: Duration = Duration::from_millis(400);
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
/// An empty SETTINGS frame.
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

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
    serve_with(port, connections, None).await
}

async fn serve_with(port: Port, connections: usize, certificates: Option<Arc<Certificates>>) -> Serving {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let door = Door::new(listener, connections, Patience { head: HEAD, ping: HEAD, pong: HEAD });
    let door = door.with_tls(certificates, port);
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

/// One that nobody can look at: these tests get no further.
fn certificates() -> Arc<Certificates> {
    let dir = tempfile::tempdir().unwrap();
    Authority::new("test").server(&["localhost"]).write(dir.path());
    let options = TlsOptions {
        cert_file: dir.path().join("cert.pem"),
        key_file: dir.path().join("key.pem"),
        client_ca_file: None,
        require_client_cert: RequireClientCert::Never,
        only_tls13: false,
    };
    Certificates::open(&options).unwrap()
}

/// How a ClientHello of TLS 1.2 begins.
const HELLO: &[u8] = &[22, 3, 1, 2, 0, 1];

#[tokio::test]
async fn a_handshake_that_hangs_is_cut_off() {
    for port in [Port::Http, Port::Grpc] {
        let certificates = certificates();
        let serving = serve_with(port, 8, Some(Arc::clone(&certificates))).await;
        for first in [&b""[..], HELLO] {
            let open = until_closed(connect(&serving, first).await).await;
            assert!(open + Duration::from_millis(50) >= HEAD, "{port:?} {first:?}: closed after {open:?}");
        }
        let told = format!("{:?}", certificates.gather());
        assert!(told.contains("timed_out"), "{told}");
    }
}

#[tokio::test]
async fn handshakes_hold_places_and_give_them_back() {
    for port in [Port::Http, Port::Grpc] {
        let serving = serve_with(port, 2, Some(certificates())).await;
        let begun = Instant::now();
        let _hanging = [connect(&serving, HELLO).await, connect(&serving, HELLO).await];
        let mut third = connect(&serving, REQUEST).await;
        let mut answer = Vec::new();
        third.read_to_end(&mut answer).await.unwrap();
        let waited = begun.elapsed();
        assert!(waited + Duration::from_millis(50) >= HEAD, "{port:?}: served after {waited:?}, beside two");
        assert!(answer.starts_with(b"HTTP/1.1 400"), "{port:?}: {:?}", String::from_utf8_lossy(&answer));
    }
}

#[tokio::test]
async fn who_does_not_speak_tls_is_told() {
    for port in [Port::Http, Port::Grpc] {
        let serving = serve_with(port, 8, Some(certificates())).await;
        let answer = async |first: &[u8]| {
            let (mut stream, mut answer) = (connect(&serving, first).await, Vec::new());
            let reading = stream.read_to_end(&mut answer);
            tokio::time::timeout(Duration::from_secs(10), reading).await.expect("it is closed").unwrap();
            answer
        };
        let http1 = String::from_utf8(answer(REQUEST).await).unwrap();
        assert!(http1.starts_with("HTTP/1.1 400 ") && http1.contains("write https://"), "{port:?}: {http1}");
        let http2 = answer(&[PREFACE, SETTINGS].concat()).await;
        assert!(http2.starts_with(SETTINGS) && http2.ends_with(b"https"), "{port:?}: {http2:?}");
        assert_eq!(answer(b"\x00\x01garbage").await, b"", "{port:?}");
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
