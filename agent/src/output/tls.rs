//! TLS to the collector: whom we trust, who we are, and words for what goes wrong. The files are read again for each
//! connection, so that renewed ones are in use from the next on; files that cannot be used change nothing.

use std::fs;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{AlertDescription, CertificateError, ClientConfig, InconsistentKeys, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::config::OutputTls;

/// What cannot be used, by its key of the configuration.
#[derive(Debug, thiserror::Error)]
#[error("output.tls.{key}: {message}")]
pub(crate) struct TlsFault {
    pub(crate) key: &'static str,
    pub(crate) message: String,
}

/// Makes connections to one collector.
#[derive(Debug)]
pub(super) struct Tls {
    options: OutputTls,
    /// `host:port`.
    address: String,
    name: ServerName<'static>,
    /// The newest that could be used.
    config: Mutex<Arc<ClientConfig>>,
    /// What went wrong last, until something goes well.
    told: Mutex<Option<String>>,
}

/// Notes why a connection breaks: what lies above only says that it has.
pub(super) struct Watched {
    stream: TlsStream<TcpStream>,
    tls: Arc<Tls>,
}

impl Tls {
    /// To the collector at `https://host:port`.
    pub(super) fn new(options: &OutputTls, url: &str) -> Result<Self, TlsFault> {
        let uri: Uri = url.parse().map_err(|_| fault("server_name", format!("{url:?} is no URL")))?;
        // An IPv6 address has brackets there and nowhere else.
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let name = server_name(options.server_name.as_deref().unwrap_or(host))?;
        let config = Mutex::new(Arc::new(client_config(options)?));
        let address = uri.authority().map(ToString::to_string).unwrap_or_default();
        Ok(Self { options: options.clone(), address, name, config, told: Mutex::default() })
    }

    /// What went wrong last.
    pub(super) fn told(&self) -> Option<String> {
        self.told.lock().clone()
    }

    pub(super) async fn connect(self: Arc<Self>) -> io::Result<TokioIo<Watched>> {
        let this = Arc::clone(&self);
        let config = tokio::task::spawn_blocking(move || this.current()).await.map_err(io::Error::other)?;
        let connected = async {
            let stream = TcpStream::connect(&self.address).await?;
            stream.set_nodelay(true)?;
            TlsConnector::from(config).connect(self.name.clone(), stream).await
        };
        match connected.await {
            Ok(stream) => Ok(TokioIo::new(Watched { stream, tls: self })),
            Err(error) => Err(io::Error::other(self.note(&error))),
        }
    }

    /// What the files make now, else what they made before.
    fn current(&self) -> Arc<ClientConfig> {
        let mut known = self.config.lock();
        match client_config(&self.options) {
            Ok(config) => *known = Arc::new(config),
            Err(error) => tracing::warn!("going on with the certificates from before: {error}"),
        }
        Arc::clone(&known)
    }

    fn note(&self, error: &io::Error) -> String {
        let text = explain(error, &self.name);
        *self.told.lock() = Some(text.clone());
        text
    }
}

/// Whether the files can be read and fit together.
pub(crate) fn check(options: &OutputTls) -> Result<(), TlsFault> {
    if let Some(name) = &options.server_name {
        server_name(name)?;
    }
    client_config(options).map(|_| ())
}

fn server_name(name: &str) -> Result<ServerName<'static>, TlsFault> {
    let read = ServerName::try_from(name.to_owned());
    read.map_err(|_| fault("server_name", format!("{name:?} is neither a host name nor an address")))
}

fn client_config(options: &OutputTls) -> Result<ClientConfig, TlsFault> {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder =
        builder.with_safe_default_protocol_versions().map_err(|error| fault("ca_file", error.to_string()))?;
    let builder = builder.with_root_certificates(roots(options.ca_file.as_deref())?);
    let mut config = match &options.own {
        None => builder.with_no_client_auth(),
        Some((cert, key)) => {
            let chain = certificates("cert_file", cert)?;
            let text = read("key_file", key)?;
            let private = PrivateKeyDer::from_pem_slice(&text).map_err(|error| {
                fault("key_file", format!("{} has no private key in PEM: {error}", key.display()))
            })?;
            builder.with_client_auth_cert(chain, private).map_err(|error| match error {
                rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => fault(
                    "key_file",
                    format!(
                        "the key in {} does not match the certificate in {}",
                        key.display(),
                        cert.display()
                    ),
                ),
                error => fault("cert_file", format!("{}: {error}", cert.display())),
            })?
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

/// Those of the file, else the host's.
fn roots(ca: Option<&Path>) -> Result<RootCertStore, TlsFault> {
    let mut roots = RootCertStore::empty();
    let Some(path) = ca else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(roots);
    };
    for certificate in certificates("ca_file", path)? {
        roots.add(certificate).map_err(|error| fault("ca_file", format!("{}: {error}", path.display())))?;
    }
    Ok(roots)
}

fn certificates(key: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let text = read(key, path)?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let certificates = read.unwrap_or_default();
    if certificates.is_empty() {
        return Err(fault(key, format!("{} has no certificate in PEM", path.display())));
    }
    Ok(certificates)
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, TlsFault> {
    fs::read(path).map_err(|error| fault(key, format!("cannot read {}: {error}", path.display())))
}

fn fault(key: &'static str, message: String) -> TlsFault {
    TlsFault { key, message }
}

/// What a person can do about it.
fn explain(error: &io::Error, name: &ServerName<'_>) -> String {
    let Some(error) = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>()) else {
        return error.to_string();
    };
    match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "the collector's certificate is of an authority that is not trusted here; output.tls.ca_file can name it"
                .to_owned()
        }
        rustls::Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "the collector's certificate has expired".to_owned()
        }
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => format!(
            "the collector's certificate is not for {}; output.tls.server_name can say for which name it is",
            name.to_str()
        ),
        rustls::Error::InvalidMessage(_) => {
            "the other end does not speak TLS; if it is the collector's gRPC port, write http://".to_owned()
        }
        rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "the collector wants a client certificate: output.tls.cert_file and key_file".to_owned()
        }
        rustls::Error::AlertReceived(
            alert @ (AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::DecryptError),
        ) => format!("the collector refuses our client certificate ({alert:?})"),
        other => format!("TLS: {other}"),
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        match &polled {
            Poll::Ready(Err(error)) => drop(self.tls.note(error)),
            Poll::Ready(Ok(())) if buffer.filled().len() > before => *self.tls.told.lock() = None,
            _ => {}
        }
        polled
    }
}

impl AsyncWrite for Watched {
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
