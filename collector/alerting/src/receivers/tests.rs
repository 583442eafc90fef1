#![allow(clippy::unwrap_used)]

mod http;
mod mail;
mod payloads;

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::Alert;
use crate::config::{self, AmConfig};
use crate::labels::LabelSet;

fn labels(pairs: &[(&str, &str)]) -> LabelSet {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// 2026-11-26 10:03:20.25 UTC
const START_MS: i64 = 1_795_687_400_250;

fn alert(host: &str, ends_after_s: i64) -> Alert {
    Alert {
        labels: labels(&[("alertname", "HostSilent"), ("host", host)]),
        annotations: labels(&[("summary", "nothing & more")]),
        starts_at_ms: START_MS,
        ends_at_ms: START_MS + ends_after_s * 1000,
        generator_url: "https://n.example/rule".to_owned(),
    }
}

/// One alert fires, one has ended.
fn message() -> Message {
    Message {
        tenant: "default".to_owned(),
        receiver: "on.call".to_owned(),
        group_key: "{}:{alertname=\"HostSilent\"}".to_owned(),
        group_labels: labels(&[("alertname", "HostSilent")]),
        at_ms: START_MS + 600_000,
        alerts: vec![alert("db-1", 9999), alert("db-2", 60)],
        ..Message::default()
    }
}

fn config(kind: &str, settings: &str) -> AmConfig {
    let text = format!(
        "route: {{receiver: on.call}}\nreceivers:\n- name: on.call\n  {kind}_configs:\n  - {settings}\n"
    );
    config::parse(&text, Path::new("/")).unwrap_or_else(|faults| panic!("{text}: {faults:?}"))
}

fn integration(kind: &str, settings: &str) -> Integration {
    config(kind, settings).receivers.remove(0).integrations.remove(0)
}

fn receivers(guard: Guard) -> Receivers {
    Receivers::new(Texts::shipped("https://n.example"), guard)
}

/// Everything that is open by default.
fn open() -> Receivers {
    receivers(Guard::new(Vec::new()))
}

/// A resolver that knows these names.
fn lookup(names: &'static [(&'static str, &'static str)]) -> Arc<Lookup> {
    Arc::new(move |host: String| -> Found {
        let found =
            names.iter().filter(|(name, _)| *name == host).map(|(_, address)| address.parse().unwrap());
        let found: Vec<_> = found.collect();
        Box::pin(async move { Ok(found) })
    })
}

/// A certificate for `localhost` and what signs it, in PEM.
struct Certificates {
    ca: String,
    cert: String,
    key: String,
}

fn certificates(name: &str) -> Certificates {
    let mut params = rcgen::CertificateParams::new(vec![]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let ca = params.self_signed(&ca_key).unwrap();
    let issuer = rcgen::Issuer::new(params, ca_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let cert =
        rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    Certificates { ca: ca.pem(), cert: cert.pem(), key: key.serialize_pem() }
}

fn acceptor(certificates: &Certificates) -> tokio_rustls::TlsAcceptor {
    use rustls::pki_types::pem::PemObject;
    let cert = rustls::pki_types::CertificateDer::from_pem_slice(certificates.cert.as_bytes()).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::from_pem_slice(certificates.key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config =
        rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![cert], key).unwrap();
    tokio_rustls::TlsAcceptor::from(Arc::new(config))
}
