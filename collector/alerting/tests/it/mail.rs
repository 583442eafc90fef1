//! A mail server that others wrote, aiosmtpd, with TLS and passwords, takes our mails, and refuses what it must.
//!
//! It is installed by `scripts/doctor.sh --fix`. Where it is not, the test says so and passes, unless
//! `NARROWS_CONFORMANCE=required`.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Stdio;

use narrows_alerting::config::{self, Integration};
use narrows_alerting::message::{Message, Texts};
use narrows_alerting::receivers::{Deliver, Guard, Receivers};
use narrows_alerting::{Alert, LabelSet};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

fn python() -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(
        || Path::new(&std::env::var_os("HOME").unwrap_or_default()).join(".cache"),
        PathBuf::from,
    );
    let python = cache.join("narrows/venv/bin/python");
    let has_it = std::process::Command::new(&python).args(["-c", "import aiosmtpd"]).output();
    if has_it.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    let required = std::env::var("NARROWS_CONFORMANCE").is_ok_and(|value| value == "required");
    assert!(
        !required,
        "NARROWS_CONFORMANCE=required, but aiosmtpd is not installed: scripts/doctor.sh --fix"
    );
    eprintln!("\n!!! NO REAL MAIL SERVER: scripts/doctor.sh --fix installs aiosmtpd !!!\n");
    None
}

/// The server, which says its port, then each mail that it took as a line of JSON.
struct Server {
    // Ended when it is dropped.
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    port: u16,
}

impl Server {
    async fn start(python: &Path, folder: &Path, mode: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/mail.py");
        let mut child = Command::new(python)
            .args(["-W", "ignore"])
            .arg(script)
            .args([folder.join("cert.pem"), folder.join("key.pem")])
            .arg(mode)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next_line().await.unwrap().unwrap().parse().unwrap();
        Self { _child: child, lines, port }
    }

    async fn mail(&mut self) -> serde_json::Value {
        serde_json::from_str(&self.lines.next_line().await.unwrap().unwrap()).unwrap()
    }
}

fn certificates(folder: &Path) {
    let mut params = rcgen::CertificateParams::new(vec![]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let ca = params.self_signed(&ca_key).unwrap();
    let issuer = rcgen::Issuer::new(params, ca_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let cert = rcgen::CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    std::fs::write(folder.join("ca.pem"), ca.pem()).unwrap();
    std::fs::write(folder.join("cert.pem"), cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
}

fn labels(pairs: &[(&str, &str)]) -> LabelSet {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn message() -> Message {
    let alert = Alert {
        labels: labels(&[("alertname", "ServiceSilent"), ("service", "cart")]),
        annotations: labels(&[("summary", "no spans for 45 s: größer als erlaubt\n.\nnot the end")]),
        starts_at_ms: 1_795_687_400_000,
        ends_at_ms: 1_795_687_400_000 + 3_600_000,
        generator_url: String::new(),
    };
    Message {
        tenant: "default".to_owned(),
        receiver: "on-call".to_owned(),
        group_key: "{}:{alertname=\"ServiceSilent\"}".to_owned(),
        group_labels: labels(&[("alertname", "ServiceSilent"), ("service", "cart")]),
        at_ms: 1_795_687_460_000,
        alerts: vec![alert],
        ..Message::default()
    }
}

fn integration(port: u16, more: &str, folder: &Path) -> Integration {
    let text = format!(
        "route: {{receiver: r}}\nreceivers:\n- name: r\n  email_configs:\n  - {{smarthost: 'localhost:{port}', \
         from: 'Narrows <narrows@example.org>', to: 'on-call@example.org, second@example.org', tls_config: {{ca_file: ca.pem}}, {more}}}\n"
    );
    config::parse(&text, folder).unwrap().receivers.remove(0).integrations.remove(0)
}

#[tokio::test]
async fn a_real_mail_server_takes_our_mails() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let receivers = Receivers::new(Texts::shipped("https://n.example"), Guard::new(Vec::new()));
    for mode in ["starttls", "implicit"] {
        let mut server = Server::start(&python, folder.path(), mode).await;
        let implicit = if mode == "implicit" { "force_implicit_tls: true, " } else { "" };
        let good = integration(
            server.port,
            &format!("{implicit}auth_username: u, auth_password: right"),
            folder.path(),
        );
        receivers.deliver(&good, &message()).await.unwrap();
        let mail = server.mail().await;
        assert_eq!(mail["to"], serde_json::json!(["on-call@example.org", "second@example.org"]));
        assert_eq!((mail["tls"].as_bool(), mail["user"].as_str()), (Some(true), Some("u")), "{mail}");
        assert_eq!(mail["subject"], "Firing: ServiceSilent, service cart");
        assert!(mail["defects"].as_array().unwrap().is_empty(), "{mail}");
        let plain = mail["plain"].as_str().unwrap();
        assert!(plain.contains("größer als erlaubt\n.\nnot the end"), "{plain}");
        assert!(plain.contains("https://n.example/alerts/"), "{plain}");
        assert!(mail["html"].as_str().unwrap().contains("größer als erlaubt"), "{mail}");
        let wrong = integration(
            server.port,
            &format!("{implicit}auth_username: u, auth_password: wrong-one"),
            folder.path(),
        );
        let failure = receivers.deliver(&wrong, &message()).await.unwrap_err();
        assert!(!failure.retry && failure.reason.contains("535"), "{failure}");
        assert!(!failure.reason.contains("wrong-one"), "{failure}");
        let nobody = integration(server.port, implicit.trim_end_matches(", "), folder.path());
        let failure = receivers.deliver(&nobody, &message()).await.unwrap_err();
        assert!(failure.reason.contains("530"), "{failure}");
    }
}

#[tokio::test]
async fn a_real_mail_server_without_tls_is_not_told_unless_asked_for() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let receivers = Receivers::new(Texts::shipped("https://n.example"), Guard::new(Vec::new()));
    let mut server = Server::start(&python, folder.path(), "plain").await;
    let failure =
        receivers.deliver(&integration(server.port, "", folder.path()), &message()).await.unwrap_err();
    assert!(failure.reason.contains("does not offer STARTTLS"), "{failure}");
    let asked = integration(server.port, "require_tls: false", folder.path());
    receivers.deliver(&asked, &message()).await.unwrap();
    assert_eq!(server.mail().await["tls"], false);
    let mut rest = String::new();
    drop(server._child.stdin.take());
    server.lines.into_inner().read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "", "one mail is told once");
}
