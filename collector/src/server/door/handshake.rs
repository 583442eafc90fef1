//! TLS before anything else on a connection, under the same time limit as its first words; and a plain answer to who
//! does not speak it.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use telemetry::TenantId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::tls::tenant_of;

/// The first byte of a handshake (RFC 8446, 5.1).
const HANDSHAKE: u8 = 22;
/// For an answer without TLS to be taken.
const GOODBYE: Duration = Duration::from_secs(1);
const PLAIN_HTTP1: &str = "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n\
    content-length: 54\r\n\r\nthis port speaks TLS: write https:// in place of http\n";
/// An empty SETTINGS frame, and GOAWAY with INADEQUATE_SECURITY (RFC 9113, 7) and a word.
const PLAIN_HTTP2: &[u8] = b"\0\0\0\x04\0\0\0\0\0\
    \0\0\x23\x07\0\0\0\0\0\0\0\0\0\0\0\0\x0cthis port speaks TLS: https";

/// How it ended, as it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Ok,
    /// Without a word.
    Closed,
    TimedOut,
    NotTls,
    NoCertificate,
    BadCertificate,
    /// The other end does not like our certificate.
    Refused,
    Failed,
}

impl Outcome {
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Closed => "closed",
            Self::TimedOut => "timed_out",
            Self::NotTls => "not_tls",
            Self::NoCertificate => "no_certificate",
            Self::BadCertificate => "bad_certificate",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// Shakes hands before `until`.
pub(super) async fn shake(
    mut stream: TcpStream,
    config: &Arc<ServerConfig>,
    mut until: Pin<&mut Sleep>,
) -> (Outcome, Result<TlsStream<TcpStream>, String>) {
    let mut first = [0];
    let peeked = tokio::select! {
        peeked = stream.peek(&mut first) => peeked,
        () = until.as_mut() => return (Outcome::TimedOut, Err("not a word came".to_owned())),
    };
    match peeked {
        Err(error) => return (Outcome::Closed, Err(error.to_string())),
        Ok(0) => return (Outcome::Closed, Err("it was closed at once".to_owned())),
        Ok(_) if first[0] != HANDSHAKE => {
            // Whoever does not listen either is not waited for.
            let _ = tokio::time::timeout(GOODBYE, explain(&mut stream)).await;
            return (Outcome::NotTls, Err("it does not speak TLS".to_owned()));
        }
        Ok(_) => {}
    }
    let accepted = tokio::select! {
        accepted = TlsAcceptor::from(Arc::clone(config)).accept(stream) => accepted,
        () = until.as_mut() => return (Outcome::TimedOut, Err("the handshake took too long".to_owned())),
    };
    match accepted {
        Ok(stream) => (Outcome::Ok, Ok(stream)),
        Err(error) => (reason(&error), Err(error.to_string())),
    }
}

/// Whose data the client's certificate may send.
pub(super) fn tenant(stream: &TlsStream<TcpStream>, peer: SocketAddr) -> Option<TenantId> {
    let (_, session) = stream.get_ref();
    let certificate = session.peer_certificates()?.first()?;
    tenant_of(certificate).unwrap_or_else(|error| {
        tracing::warn!(%peer, "a client certificate counts as naming no tenant: {error}");
        None
    })
}

fn reason(error: &std::io::Error) -> Outcome {
    let Some(error) = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>()) else {
        return Outcome::Closed;
    };
    match error {
        rustls::Error::NoCertificatesPresented => Outcome::NoCertificate,
        rustls::Error::InvalidCertificate(_) => Outcome::BadCertificate,
        rustls::Error::AlertReceived(_) => Outcome::Refused,
        _ => Outcome::Failed,
    }
}

/// Tells a client of HTTP what to do; others are left alone.
async fn explain(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut said = [0; 1024];
    let length = stream.read(&mut said).await?;
    let said = &said[..length];
    let answer = if said.starts_with(b"PRI * HTTP/2") {
        PLAIN_HTTP2
    } else if said.first().is_some_and(u8::is_ascii_uppercase) {
        PLAIN_HTTP1.as_bytes()
    } else {
        return Ok(());
    };
    stream.write_all(answer).await?;
    stream.shutdown().await?;
    // What is unread at the end would make it a reset, and the answer be thrown away.
    while stream.read(&mut [0; 4096]).await? > 0 {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answers_are_as_long_as_they_say() {
        let (head, body) = PLAIN_HTTP1.split_once("\r\n\r\n").unwrap_or_default();
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{}", body.len());
        let goaway = &PLAIN_HTTP2[9..];
        assert_eq!(usize::from(goaway[2]), goaway.len() - 9);
    }
}
