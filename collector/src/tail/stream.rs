//! The connection to the collector, with TLS or without.

use std::io;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// What bytes go through.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Whom to trust, and under which name.
pub(super) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    /// For the collector at `address`; without a file of authorities those of this machine count.
    pub(super) fn new(address: &str, ca_file: Option<&Path>) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        match ca_file {
            None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
            Some(path) => {
                let read = || format!("--ca-file {}", path.display());
                for certificate in CertificateDer::pem_file_iter(path).with_context(read)? {
                    roots.add(certificate.with_context(read)?).with_context(read)?;
                }
                anyhow::ensure!(
                    !roots.is_empty(),
                    "--ca-file {}: there is no certificate in PEM",
                    path.display()
                );
            }
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().context("cannot speak TLS")?;
        // No ALPN: a WebSocket begins in HTTP/1.1.
        let config = builder.with_root_certificates(roots).with_no_client_auth();
        let host = split(address, 443).0.trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host).with_context(|| format!("bad address {address}"))?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }
}

/// Connects to `host:port`.
pub(super) async fn open(address: &str, tls: Option<&Tls>) -> io::Result<Box<dyn Stream>> {
    let (host, port) = split(address, if tls.is_some() { 443 } else { 80 });
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    stream.set_nodelay(true)?;
    match tls {
        None => Ok(Box::new(stream)),
        Some(tls) => Ok(Box::new(tls.connector.connect(tls.name.clone(), stream).await?)),
    }
}

/// A host, in brackets if it is an IPv6 address, and a port.
fn split(address: &str, default_port: u16) -> (&str, u16) {
    let parts = address.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
    parts.unwrap_or((address, default_port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_lack_its_port() {
        assert_eq!(split("a.example:7070", 80), ("a.example", 7070));
        assert_eq!(split("a.example", 443), ("a.example", 443));
        assert_eq!(split("[::1]:7070", 80), ("[::1]", 7070));
        assert_eq!(split("[::1]", 80), ("[::1]", 80));
    }
}
