//! A TCP proxy that passes everything on after a while: half of `edge_latency` in each direction.
//!
//! It delays, it does not throttle: what comes in one after the other goes out so, each as late as the other.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::args;
use crate::control::{self, Faults, terminated};

const FAULT: &str = "edge_latency";
/// Pieces that are under way in one direction; the sender waits when they are.
const PIECES: usize = 256;
const PIECE_BYTES: usize = 16 << 10;

pub(crate) async fn run(options: args::Proxy) -> anyhow::Result<()> {
    let faults = Faults::new(&[FAULT]);
    control::serve(options.control, faults.clone(), None, None).await?;
    let listener = TcpListener::bind(options.listen).await;
    let listener = listener.with_context(|| format!("cannot listen on {}", options.listen))?;
    println!("passing {} on to {}", options.listen, options.to);
    tokio::select! {
        accepted = accept(listener, options.to, faults) => accepted,
        () = terminated() => Ok(()),
    }
}

async fn accept(listener: TcpListener, to: SocketAddr, faults: Arc<Faults>) -> anyhow::Result<()> {
    loop {
        let (client, _) = listener.accept().await?;
        let faults = faults.clone();
        tokio::spawn(async move {
            if let Err(error) = pass(client, to, &faults).await {
                eprintln!("a connection has ended: {error}");
            }
        });
    }
}

async fn pass(client: TcpStream, to: SocketAddr, faults: &Faults) -> std::io::Result<()> {
    let server = TcpStream::connect(to).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = server.into_split();
    let delay = || Duration::from_secs_f64(faults.intensity(FAULT) / 2000.0);
    tokio::try_join!(late(client_read, server_write, delay), late(server_read, client_write, delay))?;
    Ok(())
}

/// One direction.
async fn late(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    delay: impl Fn() -> Duration,
) -> std::io::Result<()> {
    let (send, mut receive) = mpsc::channel::<(Instant, Vec<u8>)>(PIECES);
    let reading = async {
        loop {
            let mut piece = vec![0; PIECE_BYTES];
            let length = from.read(&mut piece).await?;
            piece.truncate(length);
            let is_over = length == 0 || send.send((Instant::now() + delay(), piece)).await.is_err();
            if is_over {
                break;
            }
        }
        drop(send);
        Ok(())
    };
    let writing = async {
        while let Some((due, piece)) = receive.recv().await {
            tokio::time::sleep_until(due.into()).await;
            to.write_all(&piece).await?;
        }
        to.shutdown().await
    };
    tokio::try_join!(reading, writing)?;
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_passes_is_late_but_whole_and_in_order() {
        let echo = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = echo.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (stream, _) = echo.accept().await.unwrap();
                let (mut read, mut write) = stream.into_split();
                tokio::spawn(async move { tokio::io::copy(&mut read, &mut write).await });
            }
        });
        let delay_ms = |ms: u64| move || Duration::from_millis(ms);
        for ms in [0, 30] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (accepted, _) = listener.accept().await.unwrap();
            let (server, (client_read, client_write)) =
                (TcpStream::connect(to).await.unwrap(), accepted.into_split());
            let (server_read, server_write) = server.into_split();
            tokio::spawn(async move { late(client_read, server_write, delay_ms(ms)).await });
            tokio::spawn(async move { late(server_read, client_write, delay_ms(ms)).await });
            let begun = Instant::now();
            let sent: Vec<u8> = (0..100_000u32).map(|n| n as u8).collect();
            client.write_all(&sent).await.unwrap();
            let mut received = vec![0; sent.len()];
            client.read_exact(&mut received).await.unwrap();
            assert!(received == sent);
            let took = begun.elapsed();
            assert!(
                took >= Duration::from_millis(2 * ms) && took < Duration::from_millis(2 * ms + 500),
                "{took:?}"
            );
            client.shutdown().await.unwrap();
            assert_eq!(client.read(&mut received).await.unwrap(), 0);
        }
    }
}
