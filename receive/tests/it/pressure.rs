//! Servers under pressure: too much at once, too slow, gone away.

use std::sync::Arc;
use std::time::Duration;

use narrows_receive::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::samples;
use crate::support::{Call, Endpoint, Running, start};

fn head(content_length: usize) -> String {
    format!(
        "POST /v1/logs HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer default\r\n\
         content-type: application/x-protobuf\r\ncontent-length: {content_length}\r\n\r\n"
    )
}

async fn connect(running: &Running) -> TcpStream {
    TcpStream::connect(running.http).await.unwrap()
}

/// Waits until the server has so many request bytes in memory.
async fn until_in_flight(running: &Running, bytes: usize) {
    for _ in 0..500 {
        if running.server.counts().in_flight_bytes == bytes {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{} bytes in flight, expected {bytes}", running.server.counts().in_flight_bytes);
}

#[tokio::test]
async fn what_does_not_fit_beside_the_others_is_told_to_come_back() {
    let running = start(Limits { max_concurrent_bytes: 100_000, ..Limits::default() }).await;
    let mut holder = connect(&running).await;
    holder.write_all(head(90_000).as_bytes()).await.unwrap();
    holder.write_all(&vec![0; 80_000]).await.unwrap();
    until_in_flight(&running, 80_000).await;
    for endpoint in Endpoint::ALL {
        let large = Call::new(endpoint, samples::logs(endpoint, &[&"x".repeat(30_000)]));
        let answer = large.send(&running).await;
        let expected_status = if endpoint == Endpoint::Grpc { 200 } else { 503 };
        assert_eq!((answer.http_status, answer.code, answer.retry_after_s), (expected_status, 14, Some(1)));
        let small = Call::new(endpoint, samples::logs(endpoint, &["x"]));
        assert_eq!(small.send(&running).await.code, 0, "what fits goes on");
    }
    assert_eq!(running.server.counts().refused_requests.get("busy"), Some(&3));
    drop(holder);
    until_in_flight(&running, 0).await;
    let large =
        Call::new(Endpoint::HttpProtobuf, samples::logs(Endpoint::HttpProtobuf, &[&"x".repeat(30_000)]));
    assert_eq!(large.send(&running).await.code, 0, "a client that goes away gives its share back");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up() {
    let running = start(Limits { body_timeout: Duration::from_millis(200), ..Limits::default() }).await;
    let mut slow = connect(&running).await;
    slow.write_all(head(1000).as_bytes()).await.unwrap();
    slow.write_all(&[0; 10]).await.unwrap();
    let mut answer = vec![0; 4096];
    let len = tokio::time::timeout(Duration::from_secs(10), slow.read(&mut answer)).await.unwrap().unwrap();
    let answer = String::from_utf8_lossy(&answer[..len]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 1"), "{answer}");
    until_in_flight(&running, 0).await;
}

#[tokio::test]
async fn a_client_that_declares_too_much_gets_the_answer_and_not_a_reset() {
    let running = start(Limits { max_decompressed_bytes: 1 << 20, ..Limits::default() }).await;
    for _ in 0..5 {
        let call = Call::new(Endpoint::HttpProtobuf, vec![0; 20 << 20]);
        assert_eq!(call.send(&running).await.http_status, 413);
        let mut profiles = Call::new(Endpoint::HttpProtobuf, vec![0; 20 << 20]);
        profiles.path = "/v1development/profiles".to_owned();
        assert_eq!(profiles.send(&running).await.http_status, 404);
    }
}

/// The one thread for blocking work is held: what needs it cannot be answered, all else is.
#[test]
fn large_bodies_are_decoded_off_the_async_threads() {
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).enable_all().build();
    runtime.unwrap().block_on(async {
        let running = Arc::new(start(Limits::default()).await);
        for endpoint in Endpoint::ALL {
            let plain = samples::logs(endpoint, &[&"x".repeat(100_000)]);
            let small_on_the_wire = Call::new(endpoint, samples::gzip(&plain)).encoded("gzip");
            for large in [Call::new(endpoint, plain), small_on_the_wire] {
                let (release, held) = std::sync::mpsc::channel::<()>();
                let holder = tokio::task::spawn_blocking(move || held.recv());
                let server = Arc::clone(&running);
                let large = tokio::spawn(async move { large.send(&server).await.code });
                for _ in 0..20 {
                    let small = Call::new(endpoint, samples::logs(endpoint, &["x"]));
                    assert_eq!(small.send(&running).await.code, 0, "{endpoint:?}");
                }
                assert!(!large.is_finished(), "{endpoint:?}");
                drop(release);
                assert_eq!(large.await.unwrap(), 0, "{endpoint:?}");
                assert!(holder.await.unwrap().is_err());
            }
        }
    });
}

#[tokio::test]
async fn a_sink_that_panics_takes_down_one_connection_only() {
    let running = start(Limits::default()).await;
    let body = samples::logs(Endpoint::HttpProtobuf, &["x"]);
    let mut broken = connect(&running).await;
    let head = head(body.len()).replace("Bearer default", "Bearer panicking");
    broken.write_all(head.as_bytes()).await.unwrap();
    broken.write_all(&body).await.unwrap();
    let mut rest = Vec::new();
    let _closed = broken.read_to_end(&mut rest).await;
    let good = Call::new(Endpoint::HttpProtobuf, body);
    assert_eq!(good.send(&running).await.code, 0);
    until_in_flight(&running, 0).await;
}
