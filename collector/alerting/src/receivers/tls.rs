//! TLS to receivers: whom we trust, and who we are.

use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::config::TlsConfig;

/// What a `tls_config` comes to once its files are read.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Material {
    ca: Option<String>,
    identity: Option<(String, String)>,
}

/// Reads the files; they may change between two messages.
pub(super) async fn material(config: &TlsConfig) -> Result<Material, String> {
    let ca = match &config.ca {
        Some(ca) => Some(ca.read().await?),
        None => None,
    };
    let identity = match (&config.cert, &config.key) {
        (Some(cert), Some(key)) => Some((cert.read().await?, key.read().await?)),
        _ => None,
    };
    Ok(Material { ca, identity })
}

/// The configuration of a client, on its name of the server if it has one.
pub(super) fn client(config: &TlsConfig, material: &Material) -> Result<ClientConfig, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let versions: &[_] = match config.only_tls13 {
        true => &[&rustls::version::TLS13],
        false => &[&rustls::version::TLS13, &rustls::version::TLS12],
    };
    let builder = ClientConfig::builder_with_provider(provider.clone()).with_protocol_versions(versions);
    let builder = builder.map_err(|error| format!("tls_config: {error}"))?.dangerous();
    let verifier: Arc<dyn ServerCertVerifier> = match config.insecure_skip_verify {
        true => Arc::new(Unchecked(provider)),
        false => verifier(config, material, provider)?,
    };
    let builder = builder.with_custom_certificate_verifier(verifier);
    let Some((cert, key)) = &material.identity else {
        return Ok(builder.with_no_client_auth());
    };
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
        .map_err(|error| format!("tls_config.key: no private key in PEM: {error}"))?;
    let certificates = certificates("cert", cert)?;
    builder.with_client_auth_cert(certificates, key).map_err(|error| format!("tls_config.cert: {error}"))
}

fn verifier(
    config: &TlsConfig,
    material: &Material,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let roots = match &material.ca {
        None => host_roots(),
        Some(ca) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates("ca", ca)? {
                roots.add(certificate).map_err(|error| format!("tls_config.ca: {error}"))?;
            }
            Arc::new(roots)
        }
    };
    if roots.is_empty() {
        return Err(
            "this host has no certificates to trust: install ca-certificates, or name a tls_config.ca_file"
                .to_owned(),
        );
    }
    let inner = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
    let inner = inner.map_err(|error| format!("tls_config.ca: {error}"))?;
    match &config.server_name {
        None => Ok(inner),
        Some(name) => {
            let name = server_name(name).map_err(|why| format!("tls_config.server_name: {why}"))?;
            Ok(Arc::new(Named { inner, name }))
        }
    }
}

/// A name or an address as certificates have it.
pub(super) fn server_name(host: &str) -> Result<ServerName<'static>, String> {
    ServerName::try_from(host.to_owned()).map_err(|_| format!("{host:?} is no host name"))
}

/// The host's, read once.
fn host_roots() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let load = || {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(roots)
    };
    ROOTS.get_or_init(load).clone()
}

fn certificates(key: &str, text: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    match read {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(format!("tls_config.{key}: there is no certificate in PEM")),
        Err(error) => Err(format!("tls_config.{key}: no certificate in PEM: {error}")),
    }
}

/// `server_name`: the certificate is for this name, whatever the address says.
#[derive(Debug)]
struct Named {
    inner: Arc<WebPkiServerVerifier>,
    name: ServerName<'static>,
}

impl ServerCertVerifier for Named {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.inner.verify_server_cert(end_entity, intermediates, &self.name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// `insecure_skip_verify`: any certificate will do; signatures are checked all the same.
#[derive(Debug)]
struct Unchecked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
