//! TLS to targets of scraping and to servers: whom we trust, and who we are.

use std::sync::Arc;

use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::scrape::job::{Secret, TlsOptions};

/// For HTTP; `section` is where the options stand, for errors.
pub(crate) async fn connector(
    options: &TlsOptions,
    http: HttpConnector,
    section: &str,
) -> Result<HttpsConnector<HttpConnector>, String> {
    let builder =
        HttpsConnectorBuilder::new().with_tls_config(config(options, section).await?).https_or_http();
    let builder = match &options.server_name {
        None => builder,
        Some(name) => {
            let name = ServerName::try_from(name.clone())
                .map_err(|_| format!("{section}.server_name: {name:?} is no host name"))?;
            builder.with_server_name_resolver(FixedServerNameResolver::new(name))
        }
    };
    Ok(builder.enable_http1().wrap_connector(http))
}

/// With the certificates as they are now.
pub(crate) async fn config(options: &TlsOptions, section: &str) -> Result<ClientConfig, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let versions: &[_] = match options.only_tls13 {
        true => &[&rustls::version::TLS13],
        false => &[&rustls::version::TLS13, &rustls::version::TLS12],
    };
    let builder = ClientConfig::builder_with_provider(provider.clone()).with_protocol_versions(versions);
    let builder = builder.map_err(|error| format!("{section}: {error}"))?;
    let builder = match options.is_unchecked {
        true => builder.dangerous().with_custom_certificate_verifier(Arc::new(Unchecked(provider))),
        false => builder.with_root_certificates(roots(options.ca.as_ref(), section).await?),
    };
    let (Some(cert), Some(key)) = (&options.cert, &options.key) else {
        return Ok(builder.with_no_client_auth());
    };
    let (cert, key) = (certificates(cert).await?, key.read().await?);
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
        .map_err(|error| format!("{section}.key: no private key in PEM: {error}"))?;
    builder.with_client_auth_cert(cert, key).map_err(|error| format!("{section}.cert: {error}"))
}

/// Those that are named, else the host's.
async fn roots(ca: Option<&Secret>, section: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let Some(ca) = ca else {
        let found = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs).await;
        let found = found.map_err(|error| error.to_string())?;
        // A host without certificates can still scrape what needs none.
        roots.add_parsable_certificates(found.certs);
        return Ok(roots);
    };
    for certificate in certificates(ca).await? {
        roots.add(certificate).map_err(|error| format!("{section}.ca: {error}"))?;
    }
    Ok(roots)
}

async fn certificates(source: &Secret) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = source.read().await?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    let certificates = read.map_err(|error| format!("{source:?} is no certificate in PEM: {error}"))?;
    if certificates.is_empty() {
        Err(format!("{source:?} has no certificate in PEM"))
    } else {
        Ok(certificates)
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
