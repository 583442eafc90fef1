//! TLS to servers. Certificates are read at each connection, so that new ones are taken.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_postgres::tls::{ChannelBinding, TlsConnect};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Endpoint;
use crate::scrape::job::TlsOptions;

/// Where the options stand, for errors.
pub(super) const SECTION: &str = "tls";

/// Makes one connection to a server secure.
pub(super) struct Secure {
    connector: TlsConnector,
    /// Whom its certificate has to be for.
    name: ServerName<'static>,
}

impl Secure {
    pub(super) async fn new(options: &TlsOptions, endpoint: &Endpoint) -> Result<Self, String> {
        let config = crate::tls::config(options, SECTION).await?;
        let name = options.server_name.as_ref().unwrap_or(&endpoint.host);
        let name = ServerName::try_from(name.clone())
            .map_err(|_| format!("{SECTION}.server_name: {name:?} is no host name"))?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    pub(super) async fn wrap<S: AsyncRead + AsyncWrite + Unpin>(self, stream: S) -> io::Result<TlsStream<S>> {
        self.connector.connect(self.name, stream).await
    }
}

/// A connection without delays.
pub(super) async fn tcp(endpoint: &Endpoint) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((endpoint.host.as_str(), endpoint.port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// PostgreSQL begins in the clear, and asks for TLS then.
impl TlsConnect<TcpStream> for Secure {
    type Stream = Encrypted;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted>> + Send>>;

    fn connect(self, stream: TcpStream) -> Self::Future {
        Box::pin(async move { self.wrap(stream).await.map(Encrypted) })
    }
}

/// What PostgreSQL's client talks over.
pub(super) struct Encrypted(TlsStream<TcpStream>);

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

impl tokio_postgres::tls::TlsStream for Encrypted {
    /// Passwords are proved without it, too: it is preferred, not asked for.
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}
