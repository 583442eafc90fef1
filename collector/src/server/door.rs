//! Where connections come in, the same for both ports: so many at once, and each
//! must soon say something, its TLS handshake included.

mod handshake;

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::ConnectInfo;
use futures::{Stream, StreamExt, stream};
use http::Extensions;
use receive::CertifiedTenant;
use telemetry::TenantId;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;
use tonic::transport::server::Connected;

use crate::api::Peer;
use crate::tls::{Certificates, Port};

/// After a failed accept, as for want of file descriptors: the next one fails as well.
const PAUSE: Duration = Duration::from_millis(100);
/// How HTTP/2 begins.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long to wait for the other end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// From connecting, over the TLS handshake, to HTTP/2's preface or another protocol's first byte; and in HTTP/1 from there, or
    /// from the end of the answer before, to the last byte of a request's head.
    pub(super) head: Duration,
    /// From one HTTP/2 ping to the next.
    pub(super) ping: Duration,
    /// For the answer to a ping.
    pub(super) pong: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { head: seconds(30), ping: seconds(30), pong: seconds(20) }
    }
}

/// A listening port.
pub(super) struct Door {
    listener: TcpListener,
    connections: usize,
    places: Arc<Semaphore>,
    pub(super) patience: Patience,
    tls: Option<(Arc<Certificates>, Port)>,
}

impl Door {
    /// Lets in `connections` at once.
    pub(super) fn new(listener: TcpListener, connections: usize, patience: Patience) -> Self {
        Self { listener, connections, places: Arc::new(Semaphore::new(connections)), patience, tls: None }
    }

    /// Lets in who speaks TLS.
    pub(super) fn with_tls(self, certificates: Option<Arc<Certificates>>, port: Port) -> Self {
        Self { tls: certificates.map(|certificates| (certificates, port)), ..self }
    }

    /// The next to come. The surplus waits in the system's backlog, which is bounded too.
    pub(super) async fn next(&self) -> Arrival {
        loop {
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
                // Nobody closes the semaphore.
                return std::future::pending().await;
            };
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    // Answers are written whole: waiting for more to send only delays them. An error would come again.
                    let _ = stream.set_nodelay(true);
                    let until = Box::pin(tokio::time::sleep(self.patience.head));
                    return Arrival { stream, peer, until, place, tls: self.tls.clone() };
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// All connections as they become ready; none of them is an error.
    pub(super) fn into_stream(self) -> impl Stream<Item = io::Result<Connection>> {
        let connections = self.connections;
        stream::unfold(self, |door| async { Some((door.next().await, door)) })
            .map(Arrival::ready)
            // Each holds a place, so there are no more anyway.
            .buffer_unordered(connections)
            .filter_map(|connection| std::future::ready(connection.map(Ok)))
    }
}

/// Somebody at the door, who holds a place.
pub(super) struct Arrival {
    stream: TcpStream,
    pub(super) peer: SocketAddr,
    until: Pin<Box<Sleep>>,
    place: OwnedSemaphorePermit,
    tls: Option<(Arc<Certificates>, Port)>,
}

impl Arrival {
    /// Shakes hands, where there is TLS; `None` if that came to nothing.
    pub(super) async fn ready(self) -> Option<Connection> {
        let Self { stream, peer, mut until, place, tls } = self;
        let (stream, tenant): (Box<dyn Io>, _) = match tls {
            None => (Box::new(stream), None),
            Some((certificates, port)) => {
                let (outcome, shaken) =
                    handshake::shake(stream, &certificates.config(port), until.as_mut()).await;
                certificates.count(port, outcome.label());
                match shaken {
                    Ok(stream) => {
                        let tenant = handshake::tenant(&stream, peer);
                        (Box::new(stream), tenant)
                    }
                    Err(error) => {
                        tracing::debug!(%peer, ?port, error, "a TLS handshake came to nothing");
                        return None;
                    }
                }
            }
        };
        let opening = Some(Opening { came: 0, until });
        Some(Connection { stream, origin: Origin { peer, tenant }, opening, _place: place })
    }
}

/// What bytes go through, with TLS or without.
trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A connection that holds its place and has a time limit for its first words.
pub(super) struct Connection {
    stream: Box<dyn Io>,
    pub(super) origin: Origin,
    opening: Option<Opening>,
    _place: OwnedSemaphorePermit,
}

/// Who is at the other end.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) peer: SocketAddr,
    /// As its certificate names it.
    tenant: Option<TenantId>,
}

impl Origin {
    /// Puts it into a request's extensions, as handlers and receivers look for it.
    pub(super) fn mark(&self, extensions: &mut Extensions) {
        extensions.insert(Peer(self.peer));
        extensions.insert(ConnectInfo(self.peer));
        if let Some(tenant) = &self.tenant {
            extensions.insert(CertifiedTenant(tenant.clone()));
        }
    }
}

/// Not known yet to be HTTP/1 or HTTP/2, and so under no time limit of theirs.
struct Opening {
    /// Bytes of the preface that came.
    came: usize,
    until: Pin<Box<Sleep>>,
}

impl Opening {
    /// Whether `bytes` decide what it is: the preface to its end, or anything else.
    fn ends_with(&mut self, bytes: &[u8]) -> bool {
        let rest = &PREFACE[self.came..];
        self.came += bytes.len().min(rest.len());
        bytes.len() >= rest.len() || !rest.starts_with(bytes)
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(context, buffer);
        let Some(opening) = &mut this.opening else { return polled };
        if opening.ends_with(&buffer.filled()[before..]) {
            this.opening = None;
        } else if polled.is_pending() && opening.until.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        polled
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

impl Connected for Connection {
    type ConnectInfo = Origin;

    fn connect_info(&self) -> Origin {
        self.origin.clone()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
