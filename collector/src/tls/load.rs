//! From files to what a handshake needs; each failure names the file that is to blame.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{InconsistentKeys, RootCertStore, ServerConfig};
use sha2::{Digest as _, Sha256};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{Port, RequireClientCert, TlsOptions};

/// No such file is larger.
const MAX_BYTES: u64 = 1 << 20;

/// Tells one state of the files from another.
pub(super) type Digest = [u8; 32];

/// Which of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsFile {
    /// `cert_file`.
    Certificate,
    /// `key_file`.
    Key,
    /// `client_ca_file`.
    ClientCa,
}

/// Why files cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", path.display())]
pub struct TlsError {
    /// The file that is to blame.
    pub file: TlsFile,
    /// Its path.
    pub path: PathBuf,
    /// What is wrong with it.
    pub message: String,
}

impl TlsError {
    pub(super) fn digest(&self) -> Digest {
        Sha256::digest(self.to_string().as_bytes()).into()
    }
}

/// The files as they are read at one time.
pub(super) struct Files {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

/// What is made of them.
pub(super) struct Loaded {
    pub(super) http: Arc<ServerConfig>,
    pub(super) grpc: Arc<ServerConfig>,
    pub(super) begins_s: i64,
    pub(super) ends_s: i64,
    /// Hosts and addresses that the certificate is for; those with a `*` are left out.
    pub(super) names: Vec<String>,
}

impl Files {
    pub(super) fn read(options: &TlsOptions) -> Result<Self, TlsError> {
        let client_ca = options.client_ca_file.as_deref();
        Ok(Self {
            certificate: read(TlsFile::Certificate, &options.cert_file)?,
            key: read(TlsFile::Key, &options.key_file)?,
            client_ca: client_ca.map(|path| read(TlsFile::ClientCa, path)).transpose()?,
        })
    }

    pub(super) fn digest(&self) -> Digest {
        let mut hash = Sha256::new();
        for part in [Some(&self.certificate), Some(&self.key), self.client_ca.as_ref()].into_iter().flatten()
        {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

/// Puts the files together.
pub(super) fn build(files: &Files, options: &TlsOptions) -> Result<Loaded, TlsError> {
    let of_certificate = |message: String| fault(TlsFile::Certificate, &options.cert_file, message);
    let of_key = |message: String| fault(TlsFile::Key, &options.key_file, message);
    let provider = Arc::new(aws_lc_rs::default_provider());
    let chain = certificates(&files.certificate).map_err(of_certificate)?;
    let (begins_s, ends_s, names) = describe(&chain[0]).map_err(of_certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&files.key).map_err(|error| {
        of_key(match error {
            pem::Error::NoItemsFound => "there is no private key in PEM".to_owned(),
            error => format!("no private key in PEM: {error}"),
        })
    })?;
    let certified = CertifiedKey::from_der(chain, key, &provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            of_key(format!("the key does not match the certificate in {}", options.cert_file.display()))
        }
        error => of_key(format!("the key cannot be used: {error}")),
    })?;
    let resolver = Arc::new(SingleCertAndKey::from(certified));
    let roots = authorities(files, options)?;
    let of_port = |port| {
        let verifier = verifier(port, roots.as_ref(), options, &provider)?;
        Ok(Arc::new(
            config(port, verifier, options.only_tls13, &provider, &resolver).map_err(&of_certificate)?,
        ))
    };
    Ok(Loaded { http: of_port(Port::Http)?, grpc: of_port(Port::Grpc)?, begins_s, ends_s, names })
}

fn config(
    port: Port,
    verifier: Option<Arc<dyn ClientCertVerifier>>,
    only_tls13: bool,
    provider: &Arc<CryptoProvider>,
    resolver: &Arc<SingleCertAndKey>,
) -> Result<ServerConfig, String> {
    let versions: &[_] = match only_tls13 {
        true => &[&rustls::version::TLS13],
        false => &[&rustls::version::TLS13, &rustls::version::TLS12],
    };
    let builder = ServerConfig::builder_with_provider(Arc::clone(provider)).with_protocol_versions(versions);
    let builder = builder.map_err(|error| error.to_string())?;
    let asks = verifier.is_some();
    let builder = match verifier {
        None => builder.with_no_client_auth(),
        Some(verifier) => builder.with_client_cert_verifier(verifier),
    };
    let mut config = builder.with_cert_resolver(Arc::clone(resolver) as _);
    config.alpn_protocols = match port {
        Port::Http => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        Port::Grpc => vec![b"h2".to_vec()],
    };
    if asks {
        // A session that is taken up again would bring a certificate that was good when it began.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(config)
}

/// Who checks client certificates on `port`. A browser that is asked for one asks its user, so the HTTP port asks only
/// when it needs one.
fn verifier(
    port: Port,
    roots: Option<&Arc<RootCertStore>>,
    options: &TlsOptions,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
    let is_required = match port {
        Port::Http => options.require_client_cert == RequireClientCert::All,
        Port::Grpc => options.require_client_cert != RequireClientCert::Never,
    };
    let Some(roots) = roots.filter(|_| is_required || port == Port::Grpc) else { return Ok(None) };
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), Arc::clone(provider));
    let builder = if is_required { builder } else { builder.allow_unauthenticated() };
    let path = options.client_ca_file.as_deref().unwrap_or(Path::new(""));
    builder.build().map(Some).map_err(|error| fault(TlsFile::ClientCa, path, error.to_string()))
}

fn authorities(files: &Files, options: &TlsOptions) -> Result<Option<Arc<RootCertStore>>, TlsError> {
    let (Some(text), Some(path)) = (&files.client_ca, &options.client_ca_file) else { return Ok(None) };
    let of_file = |message| fault(TlsFile::ClientCa, path, message);
    let mut roots = RootCertStore::empty();
    for certificate in certificates(text).map_err(of_file)? {
        roots.add(certificate).map_err(|error| of_file(format!("not an authority: {error}")))?;
    }
    Ok(Some(Arc::new(roots)))
}

/// At least one.
fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let certificates = read.map_err(|error| format!("no certificate in PEM: {error}"))?;
    if certificates.is_empty() { Err("there is no certificate in PEM".to_owned()) } else { Ok(certificates) }
}

/// Begin, end and names.
fn describe(certificate: &CertificateDer<'_>) -> Result<(i64, i64, Vec<String>), String> {
    let parsed = X509Certificate::from_der(certificate);
    let (_, certificate) = parsed.map_err(|error| format!("the certificate is damaged: {error}"))?;
    let alternatives = certificate.subject_alternative_name().ok().flatten();
    let names = alternatives.iter().flat_map(|extension| &extension.value.general_names).filter_map(name);
    let validity = certificate.validity();
    Ok((validity.not_before.timestamp(), validity.not_after.timestamp(), names.collect()))
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) if !name.contains('*') => Some(name.to_ascii_lowercase()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|bytes| std::net::Ipv4Addr::from(bytes).to_string()),
            // As a `Host` has it.
            16 => <[u8; 16]>::try_from(*bytes)
                .ok()
                .map(|bytes| format!("[{}]", std::net::Ipv6Addr::from(bytes))),
            _ => None,
        },
        _ => None,
    }
}

fn read(file: TlsFile, path: &Path) -> Result<Vec<u8>, TlsError> {
    let failed = |error: std::io::Error| fault(file, path, format!("cannot read it: {error}"));
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(path).map_err(failed)?;
    opened.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(fault(file, path, "it is larger than 1 MiB".to_owned()));
    }
    Ok(bytes)
}

fn fault(file: TlsFile, path: &Path, message: String) -> TlsError {
    TlsError { file, path: path.to_owned(), message }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Files(…)")
    }
}
