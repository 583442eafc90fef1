//! TLS to the collector: what arrives, what is said when nothing does, and how it goes on when files change.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use receive::{Limits, Server};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

use crate::agent::{Agent, command, configure, eventually};
use crate::certs::{Authority, Pair};
use crate::collector::Collector;

const WAIT: Duration = Duration::from_secs(10);

/// Serves by TLS on a port of its own; returns the URL. Clients need a certificate of `clients`, if given.
async fn serve(collector: &Collector, pair: &Pair, clients: Option<&Authority>) -> String {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.unwrap())
        }
    };
    let chain = vec![CertificateDer::from_pem_slice(pair.cert.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
    let mut config = builder.with_single_cert(chain, key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let routes =
        receive::grpc_routes(Arc::new(Server::new(collector.clone(), collector.clone(), Limits::default())));
    let router = routes.into_axum_router();
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, service) = (acceptor.clone(), TowerToHyperService::new(router.clone()));
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                // Whoever leaves early leaves.
                let _ =
                    Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    url
}

/// A folder with one line to send and a configuration with `tls`.
fn folder(url: &str, tls: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    reconfigure(folder.path(), url, tls);
    fs::write(folder.path().join("shop.log"), "one\n").unwrap();
    folder
}

fn reconfigure(folder: &Path, url: &str, tls: &str) {
    configure(folder, url, &format!("{}/*.log", folder.display()));
    let path = folder.join("agent.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let tls = tls.replace("DIR", &folder.display().to_string());
    fs::write(path, text.replace("timeout: 2s", &format!("tls: {{{tls}}}, timeout: 2s"))).unwrap();
}

async fn last_error(agent: &Agent) -> String {
    let status = reqwest::get(format!("{}/status", agent.status_url)).await.unwrap();
    let status: serde_json::Value = status.json().await.unwrap();
    status["output"]["last_error"].to_string()
}

async fn says(agent: &Agent, words: &str) {
    let begun = Instant::now();
    loop {
        let error = last_error(agent).await;
        if error.contains(words) {
            return;
        }
        assert!(begun.elapsed() < WAIT, "{error}\nexpected {words}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

const CLIENT: &str = "ca_file: 'DIR/ca.pem', cert_file: 'DIR/cert.pem', key_file: 'DIR/key.pem'";

#[tokio::test]
async fn lines_arrive_by_tls() {
    let (ca, clients) = (Authority::new("collector"), Authority::new("agents"));
    let collector = Collector::default();
    let url = serve(&collector, &ca.server(&["127.0.0.1"]), Some(&clients)).await;
    let folder = folder(&url, CLIENT);
    fs::write(folder.path().join("ca.pem"), &ca.pem).unwrap();
    clients.client(&["narrows://tenant/acme"]).write(folder.path());
    let agent = Agent::start(folder.path());
    eventually("the line arrives", WAIT, || collector.record_count() == 1).await;
    assert_eq!(last_error(&agent).await, "null");
    assert!(agent.stop().success());
}

#[tokio::test]
async fn what_goes_wrong_is_said_with_what_to_do() {
    let (ca, clients, other) =
        (Authority::new("collector"), Authority::new("agents"), Authority::new("other"));
    let here = ["127.0.0.1"];
    let collector = Collector::default();
    let good = serve(&collector, &ca.server(&here), None).await;
    let strict = serve(&collector, &ca.server(&here), Some(&clients)).await;
    let trusting = "ca_file: 'DIR/ca.pem'";
    let cases = [
        ("another authority", good.clone(), "ca_file: 'DIR/other.pem'", "output.tls.ca_file can name it"),
        ("expired", serve(&collector, &ca.expired(&here), None).await, trusting, "certificate has expired"),
        (
            "another name",
            serve(&collector, &ca.server(&["a.example"]), None).await,
            trusting,
            "is not for 127.0.0.1",
        ),
        ("plain", collector.serve().await.replace("http:", "https:"), trusting, "does not speak TLS"),
        ("no certificate", strict.clone(), trusting, "wants a client certificate"),
        ("one of another authority", strict, CLIENT, "refuses our client certificate"),
    ];
    for (name, url, tls, words) in cases {
        let folder = folder(&url, tls);
        fs::write(folder.path().join("ca.pem"), &ca.pem).unwrap();
        fs::write(folder.path().join("other.pem"), &other.pem).unwrap();
        other.client(&[]).write(folder.path());
        let agent = Agent::start(folder.path());
        says(&agent, words).await;
        assert_eq!(collector.record_count(), 0, "{name}");
        // Nothing is lost: it goes on when somebody has done what it says.
        if name == "another authority" {
            fs::write(folder.path().join("other.pem"), "not yet written").unwrap();
            tokio::time::sleep(Duration::from_millis(500)).await;
            says(&agent, words).await;
            fs::write(folder.path().join("other.pem"), &ca.pem).unwrap();
            eventually("the line arrives", WAIT, || collector.record_count() == 1).await;
            collector.forget();
        }
        assert!(agent.stop().success(), "{name}");
    }
}

#[tokio::test]
async fn a_certificate_may_be_for_another_name() {
    let (ca, collector) = (Authority::new("collector"), Collector::default());
    let url = serve(&collector, &ca.server(&["narrows.example"]), None).await;
    let folder = folder(&url, "ca_file: 'DIR/ca.pem', server_name: narrows.example");
    fs::write(folder.path().join("ca.pem"), &ca.pem).unwrap();
    let agent = Agent::start(folder.path());
    eventually("the line arrives", WAIT, || collector.record_count() == 1).await;
    assert!(agent.stop().success());
}

#[test]
fn flags_and_files_are_checked_before_the_start() {
    let ca = Authority::new("collector");
    let folder = folder("https://127.0.0.1:7071", "ca_file: 'DIR/ca.pem'");
    fs::write(folder.path().join("ca.pem"), &ca.pem).unwrap();
    ca.client(&[]).write(folder.path());
    fs::write(folder.path().join("other.pem"), ca.client(&[]).key).unwrap();
    let check = |key: &str| {
        let mut check = command(folder.path());
        let [cert, key] = ["cert.pem", key].map(|name| folder.path().join(name));
        let output =
            check.arg("--check-config").arg("--cert-file").arg(cert).arg("--key-file").arg(key).output();
        let output = output.unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(check("key.pem"), (true, String::new()));
    let (good, told) = check("other.pem");
    assert!(!good && told.contains("output.tls.key_file: ") && told.contains("does not match"), "{told}");
}
