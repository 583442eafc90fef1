//! TLS on both ports, as clients of several kinds meet it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Uri;
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use reqwest::{Client, StatusCode, Version};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::Endpoint;
use tonic::{Code, Request, Status};

use crate::certs::{Authority, Pair};
use crate::harness::{PASSWORD, Program, TOKEN, command, json_of, output, record, request};

const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];
const FILES: &str = "tls:\n  cert_file: cert.pem\n  key_file: key.pem\n";

/// In a directory with these files beside its configuration; its client trusts `ca`.
fn start(pair: &Pair, ca: &Authority, more: &str) -> Program {
    let dir = tempfile::tempdir().unwrap();
    pair.write(dir.path());
    std::fs::write(dir.path().join("ca.pem"), &ca.pem).unwrap();
    let config = dir.path().join("collector.yaml");
    std::fs::write(&config, format!("{FILES}{more}")).unwrap();
    let mut program = Program::start_in(dir, |command| {
        command.arg("--config").arg(&config);
    });
    program.client = browser(tls_config(&[ca], None, &[]));
    program
}

fn tls_config(trusted: &[&Authority], own: Option<&Pair>, protocols: &[&str]) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    for authority in trusted {
        roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
    }
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let builder = builder.with_root_certificates(roots);
    let mut config = match own {
        None => builder.with_no_client_auth(),
        Some(pair) => {
            let chain = vec![CertificateDer::from_pem_slice(pair.cert.as_bytes()).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    config
}

fn browser(config: ClientConfig) -> Client {
    Client::builder().use_preconfigured_tls(config).timeout(Duration::from_secs(20)).build().unwrap()
}

fn address(url: &str) -> &str {
    url.split_once("://").unwrap().1
}

async fn connect(url: &str, config: ClientConfig) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address(url)).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// Sends a record by OTLP/gRPC.
async fn export(
    program: &Program,
    config: ClientConfig,
    body: &str,
    headers: &[(&'static str, &str)],
) -> Result<(), Status> {
    let url = program.grpc.clone();
    let connector = tower::service_fn(move |_: Uri| {
        let (url, config) = (url.clone(), config.clone());
        async move { connect(&url, config).await.map(TokioIo::new) }
    });
    let origin = program.grpc.parse().unwrap();
    let endpoint = Endpoint::from_shared(program.grpc.clone()).unwrap().origin(origin);
    let mut client = LogsServiceClient::new(endpoint.connect_with_connector_lazy(connector));
    let mut request = Request::new(request("checkout", vec![record(body)]));
    for (name, value) in headers {
        request.metadata_mut().insert(*name, value.parse().unwrap());
    }
    client.export(request).await.map(|_| ())
}

fn bearer() -> String {
    format!("Bearer {TOKEN}")
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

async fn metrics(program: &Program) -> String {
    let request = program.client.get(program.url("/metrics")).basic_auth("admin", Some(PASSWORD));
    request.send().await.unwrap().text().await.unwrap()
}

async fn conditions(program: &Program) -> String {
    let request = program.client.get(program.url("/-/ready")).basic_auth("admin", Some(PASSWORD));
    json_of(request.send().await.unwrap(), StatusCode::OK).await["reasons"].to_string()
}

#[tokio::test]
async fn both_ports_speak_tls() {
    let ca = Authority::new("one");
    let program = start(&ca.server(&NAMES), &ca, "");
    assert!(program.http.starts_with("https://127.0.0.1:"), "{}", program.http);
    for (protocols, version) in
        [(&["h2", "http/1.1"][..], Version::HTTP_2), (&["http/1.1"], Version::HTTP_11)]
    {
        let client = browser(tls_config(&[&ca], None, protocols));
        let healthy = client.get(program.url("/-/healthy")).send().await.unwrap();
        assert_eq!((healthy.status(), healthy.version()), (StatusCode::OK, version));
        assert_eq!(healthy.headers()["strict-transport-security"], "max-age=31536000");
    }
    let by_name = program.http.replace("127.0.0.1", "localhost");
    let healthy = program.client.get(format!("{by_name}/-/healthy")).send().await.unwrap();
    assert!(
        !healthy.headers().contains_key("strict-transport-security"),
        "other programs are localhost, too"
    );

    let session = program.try_log_in("admin", PASSWORD).await;
    let cookie = session.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Secure"), "{cookie}");
    program.send(&request("checkout", vec![record("by https")])).await;
    export(&program, tls_config(&[&ca], None, &["h2"]), "by grpc", &[]).await.unwrap();
    program.find("by", 2).await;

    let status = program.json("/api/v1/narrows/status").await;
    let port = by_name.rsplit(':').next().unwrap();
    assert_eq!(status["otlp"]["http"], format!("https://localhost:{port}"));
    let metrics = metrics(&program).await;
    assert!(
        metrics.contains("narrows_collector_tls_handshakes_total{outcome=\"ok\",port=\"grpc\"} 1"),
        "{metrics}"
    );
    let days =
        metrics.lines().find_map(|line| line.strip_prefix("narrows_collector_tls_certificate_days_left "));
    assert!(days.unwrap().parse::<f64>().unwrap() > 365.0, "{days:?}");
}

#[tokio::test]
async fn who_does_not_trust_us_says_so() {
    let (ca, other) = (Authority::new("one"), Authority::new("two"));
    let program = start(&ca.server(&NAMES), &ca, "");
    let distrusting = browser(tls_config(&[&other], None, &[]));
    let error = distrusting.get(program.url("/-/healthy")).send().await.unwrap_err();
    assert!(causes(&error).contains("UnknownIssuer"), "{}", causes(&error));
    let refused = export(&program, tls_config(&[&other], None, &["h2"]), "never", &[]).await.unwrap_err();
    assert!(causes(&refused).contains("UnknownIssuer"), "{}", causes(&refused));
    let plain = Client::new().get(program.http.replace("https", "http")).send().await.unwrap();
    assert_eq!(plain.status(), StatusCode::BAD_REQUEST);
    assert!(plain.text().await.unwrap().contains("write https://"));
    let metrics = metrics(&program).await;
    for outcome in [
        "outcome=\"refused\",port=\"grpc\"",
        "outcome=\"refused\",port=\"http\"",
        "outcome=\"not_tls\",port=\"http\"",
    ] {
        assert!(
            metrics.contains(&format!("narrows_collector_tls_handshakes_total{{{outcome}}} 1")),
            "{outcome}: {metrics}"
        );
    }
}

#[tokio::test]
async fn only_tls_1_3_where_it_is_asked_for() {
    let ca = Authority::new("one");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let old = || {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(ca.pem.as_bytes()).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(provider.clone());
        let builder = builder.with_protocol_versions(&[&rustls::version::TLS12]).unwrap();
        builder.with_root_certificates(roots).with_no_client_auth()
    };
    let program = start(&ca.server(&NAMES), &ca, "");
    assert!(connect(&program.http, old()).await.is_ok());
    let program = start(&ca.server(&NAMES), &ca, "  min_version: 1.3\n");
    let error = connect(&program.http, old()).await.unwrap_err();
    assert!(error.to_string().contains("ProtocolVersion"), "{error}");
    assert!(connect(&program.http, tls_config(&[&ca], None, &[])).await.is_ok());
}

#[tokio::test]
async fn an_expired_certificate_is_served_and_told() {
    let ca = Authority::new("one");
    let program = start(&ca.expired(&NAMES), &ca, "");
    let error = program.client.get(program.url("/-/healthy")).send().await.unwrap_err();
    assert!(causes(&error).to_lowercase().contains("expired"), "{}", causes(&error));

    let config = program.dir.path().join("collector.yaml");
    let checked = output(command(program.dir.path()).arg("--check-config").arg("--config").arg(&config));
    let told = String::from_utf8(checked.stderr).unwrap();
    assert_eq!(checked.status.code(), Some(0), "{told}");
    assert!(
        told.starts_with("warning: ") && told.contains("collector.yaml:2:14: ") && told.contains("expired"),
        "{told}"
    );
}

/// Asks over a connection that is open, and reads the whole answer.
async fn ask(stream: &mut TlsStream<TcpStream>) {
    stream.write_all(b"GET /-/healthy HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"healthy\n") {
        let mut more = [0; 1024];
        let length = stream.read(&mut more).await.unwrap();
        assert!(length > 0, "it was closed after {:?}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&more[..length]);
    }
}

/// What a new connection is shown.
async fn shown(url: &str, ca: &Authority) -> Vec<u8> {
    let stream = connect(url, tls_config(&[ca], None, &[])).await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

async fn until_shown(program: &Program, ca: &Authority, wanted: &Pair) {
    let wanted = CertificateDer::from_pem_slice(wanted.cert.as_bytes()).unwrap();
    let begun = Instant::now();
    for url in [&program.http, &program.grpc] {
        while shown(url, ca).await != wanted.as_ref() {
            assert!(begun.elapsed() < Duration::from_secs(20), "{url} still shows the old one");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test]
async fn new_certificates_are_taken_while_connections_are_open() {
    let ca = Authority::new("one");
    let (first, second, third) = (ca.server(&NAMES), ca.server(&NAMES), ca.server(&NAMES));
    let program = start(&first, &ca, "");
    let mut open = connect(&program.http, tls_config(&[&ca], None, &[])).await.unwrap();
    ask(&mut open).await;

    second.write(program.dir.path());
    program.signal("-HUP");
    until_shown(&program, &ca, &second).await;
    ask(&mut open).await;

    std::fs::write(program.dir.path().join("key.pem"), &third.key).unwrap();
    program.signal("-HUP");
    let begun = Instant::now();
    while !conditions(&program).await.contains("does not match") {
        assert!(begun.elapsed() < Duration::from_secs(10), "{}", conditions(&program).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    until_shown(&program, &ca, &second).await;
    let stranger = program.client.get(program.url("/-/ready")).send().await.unwrap().text().await.unwrap();
    assert!(stranger.contains("wrong with the certificates: 1") && !stranger.contains(".pem"), "{stranger}");

    // Without a word: the files are looked at.
    std::fs::write(program.dir.path().join("cert.pem"), &third.cert).unwrap();
    until_shown(&program, &ca, &third).await;
    ask(&mut open).await;
    assert_eq!(conditions(&program).await, "[]");
    let metrics = metrics(&program).await;
    assert!(metrics.contains("narrows_collector_tls_reloads_total{outcome=\"applied\"} 2"), "{metrics}");
    assert!(metrics.contains("narrows_collector_tls_reloads_total{outcome=\"refused\"} 1"), "{metrics}");
}

const TENANTS: &str = "require_token: true\ntenants: [{name: acme, ingest_token: token-of-acme}]\n";

async fn records_of(program: &Program, tenant: &str) -> u64 {
    let path = "/api/v1/narrows/logs/search?query=certified";
    let request = program.client.get(program.url(path)).basic_auth("admin", Some(PASSWORD));
    let answer = request.header("x-scope-orgid", tenant).send().await.unwrap();
    json_of(answer, StatusCode::OK).await["matched"].as_u64().unwrap()
}

#[tokio::test]
async fn a_client_certificate_may_stand_for_a_token() {
    let (ca, other) = (Authority::new("one"), Authority::new("two"));
    let more = format!("  client_ca_file: ca.pem\n{TENANTS}");
    let program = start(&ca.server(&NAMES), &ca, &more);
    let send = async |own: Option<&Pair>, headers: &[(&'static str, &str)]| {
        export(&program, tls_config(&[&ca], own, &["h2"]), "certified", headers)
            .await
            .map_err(|status| status.code())
    };
    let (acme, nobody) = (ca.client(&["narrows://tenant/acme"]), ca.client(&[]));
    let (unknown, two) = (
        ca.client(&["narrows://tenant/elsewhere"]),
        ca.client(&["narrows://tenant/acme", "narrows://tenant/default"]),
    );
    let (bearer, wrong) = (bearer(), "Bearer wrong");
    let authorization = ("authorization", bearer.as_str());
    assert_eq!(send(None, &[]).await, Err(Code::Unauthenticated));
    assert_eq!(send(None, &[authorization]).await, Ok(()), "it is asked for, not required");
    assert_eq!(send(Some(&acme), &[]).await, Ok(()));
    assert_eq!(send(Some(&acme), &[("x-scope-orgid", "acme")]).await, Ok(()));
    assert_eq!(send(Some(&acme), &[("x-scope-orgid", "default")]).await, Err(Code::PermissionDenied));
    assert_eq!(send(Some(&acme), &[authorization]).await, Ok(()), "a token decides");
    assert_eq!(send(Some(&acme), &[("authorization", wrong)]).await, Err(Code::Unauthenticated));
    assert_eq!(send(Some(&nobody), &[]).await, Err(Code::Unauthenticated), "it names nobody");
    assert_eq!(send(Some(&nobody), &[authorization]).await, Ok(()));
    assert_eq!(send(Some(&two), &[]).await, Err(Code::Unauthenticated), "which of them?");
    assert_eq!(send(Some(&unknown), &[]).await, Err(Code::PermissionDenied));
    let stranger = other.client(&["narrows://tenant/acme"]);
    assert!(send(Some(&stranger), &[authorization]).await.is_err(), "of another authority");
    assert_eq!((records_of(&program, "acme").await, records_of(&program, "default").await), (2, 3));
    let metrics = metrics(&program).await;
    assert!(
        metrics.contains("tls_handshakes_total{outcome=\"bad_certificate\",port=\"grpc\"} 1"),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_port_may_refuse_who_has_no_certificate() {
    let (ca, other) = (Authority::new("one"), Authority::new("two"));
    let more = format!("  client_ca_file: ca.pem\n  require_client_cert: grpc\n{TENANTS}");
    let program = start(&ca.server(&NAMES), &ca, &more);
    let bearer = bearer();
    let authorization = [("authorization", bearer.as_str())];
    // Whether the client reads the alert or finds the connection closed is a matter of chance.
    assert!(export(&program, tls_config(&[&ca], None, &["h2"]), "x", &authorization).await.is_err());
    let told = metrics(&program).await;
    assert!(told.contains("tls_handshakes_total{outcome=\"no_certificate\",port=\"grpc\"} 1"), "{told}");
    let expected =
        export(&program, tls_config(&[&ca], Some(&ca.client(&[])), &["h2"]), "x", &authorization).await;
    assert!(expected.is_ok(), "{expected:?}");
    let healthy = program.client.get(program.url("/-/healthy")).send().await.unwrap();
    assert_eq!(healthy.status(), StatusCode::OK, "the other port does not ask");

    let more = format!("  client_ca_file: ca.pem\n  require_client_cert: all\n{TENANTS}");
    let mut program = start(&ca.server(&NAMES), &ca, &more);
    for own in [None, Some(&other.client(&["narrows://tenant/acme"]))] {
        let client = browser(tls_config(&[&ca], own, &[]));
        assert!(client.get(program.url("/-/healthy")).send().await.is_err());
    }
    program.client = browser(tls_config(&[&ca], Some(&ca.client(&["narrows://tenant/acme"])), &[]));
    program.send(&request("checkout", vec![record("certified")])).await;
    assert_eq!((records_of(&program, "acme").await, records_of(&program, "default").await), (1, 0));
    for path in
        ["/api/v1/narrows/logs/search", "/api/v1/narrows/status", "/metrics", "/api/v1/query?query=up"]
    {
        let answer = program.client.get(program.url(path)).send().await.unwrap();
        assert_eq!(
            answer.status(),
            StatusCode::UNAUTHORIZED,
            "{path}: a certificate opens ingest and nothing else"
        );
    }
}

#[test]
fn tls_allows_to_listen_to_the_world() {
    let ca = Authority::new("one");
    let dir = tempfile::tempdir().unwrap();
    ca.server(&NAMES).write(dir.path());
    let check = |text: &str| {
        let config = Path::new(dir.path()).join("collector.yaml");
        std::fs::write(&config, text).unwrap();
        let mut check = std::process::Command::new(env!("CARGO_BIN_EXE_narrows-collector"));
        let checked = output(check.arg("--check-config").arg("--config").arg(config));
        (checked.status.code(), String::from_utf8(checked.stderr).unwrap())
    };
    let open = "listen: 0.0.0.0:7070\nlisten_grpc: 0.0.0.0:7071\n";
    let (code, told) = check(open);
    assert!(code == Some(2) && told.contains("set `tls`"), "{told}");
    assert_eq!(check(&format!("{open}{FILES}")), (Some(0), String::new()));
}

#[tokio::test]
async fn a_terminal_follows_by_tls() {
    let (ca, other) = (Authority::new("one"), Authority::new("two"));
    let program = start(&ca.server(&NAMES), &ca, "");
    std::fs::write(program.dir.path().join("other.pem"), &other.pem).unwrap();
    let tail = |authority: &str| {
        let mut tail = std::process::Command::new(env!("CARGO_BIN_EXE_narrows-collector"));
        tail.args(["tail", "--json", "--url", &program.http, "--ca-file"])
            .arg(program.dir.path().join(authority));
        tail.env("NARROWS_ADMIN_PASSWORD", PASSWORD);
        tail
    };
    let refused = output(&mut tail("other.pem"));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(1) && told.contains("UnknownIssuer"), "{told}");

    let mut follower = tail("ca.pem").stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(follower.stdout.take().unwrap()));
    let first = tokio::task::spawn_blocking(move || lines.next());
    // It may not follow yet when the first of them comes.
    for _ in 0..200 {
        program.send(&request("checkout", vec![record("followed")])).await;
        if first.is_finished() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    follower.kill().unwrap();
    follower.wait().unwrap();
    assert!(first.await.unwrap().unwrap().unwrap().contains("followed"));
}
