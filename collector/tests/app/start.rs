//! Starting, stopping, and what survives.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use narrows_collector::commit::DirectoryLock;
use reqwest::StatusCode;

use crate::harness::{Program, command, output, record, request};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn the_first_start_tells_the_secrets_once() {
    let forget = |command: &mut Command| {
        command.env_remove("NARROWS_ADMIN_PASSWORD").env_remove("NARROWS_INGEST_TOKEN");
    };
    let program = Program::start_in(tempfile::tempdir().unwrap(), forget);
    let data = program.dir.path().join("data");
    assert_eq!(std::fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
    let mut secrets = Vec::new();
    for (name, line) in [("admin-password", &program.told[0]), ("ingest-token", &program.told[1])] {
        let path = data.join(name);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        let secret = std::fs::read_to_string(&path).unwrap().trim_end().to_owned();
        assert!(line.contains(&secret) && line.contains(&*path.to_string_lossy()), "{line}");
        secrets.push(secret);
    }
    assert_eq!(program.told.len(), 2);
    assert_eq!(program.try_log_in("admin", &secrets[0]).await.status(), StatusCode::NO_CONTENT);
    let sent =
        program.post_logs(&request("a", vec![record("x")])).bearer_auth(&secrets[1]).send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::OK);

    let again = program.kill_and_restart(forget);
    assert!(again.told.is_empty(), "{:?}", again.told);
    assert_eq!(again.try_log_in("admin", &secrets[0]).await.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_kill_loses_nothing_that_was_acknowledged() {
    let program = Program::start();
    for batch in 0..20 {
        let records = (0..50).map(|index| record(&format!("kept {batch} {index}"))).collect();
        program.send(&request("checkout", records)).await;
    }
    let program = program.kill_and_restart(|_| {});
    let (_, took) = program.find("kept", 1000).await;
    assert!(took.as_secs() < 2, "replayed when it listens, {took:?}");
    let program = program.kill_and_restart(|_| {});
    program.find("kept", 1000).await;
}

#[tokio::test]
async fn a_request_to_stop_is_followed_in_order() {
    let mut program = Program::start();
    program.send(&request("checkout", vec![record("before the end")])).await;
    let status = program.stop();
    assert_eq!(status.code(), Some(0));
    let program = program.kill_and_restart(|_| {});
    program.find("end", 1).await;
}

#[tokio::test]
async fn a_second_process_is_refused() {
    let program = Program::start();
    let second = output(&mut command(program.dir.path()));
    assert_eq!(second.status.code(), Some(1));
    let stderr = text(&second.stderr);
    assert!(stderr.contains("in use by another process"), "{stderr}");
    assert!(second.stdout.is_empty(), "{}", text(&second.stdout));
}

#[test]
fn nothing_in_a_locked_directory_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    // Whoever opens it fails on it.
    std::fs::write(data.join("meta.sqlite"), "no database".repeat(1000)).unwrap();
    let _lock = DirectoryLock::acquire(&data).unwrap();
    let refused = output(&mut command(dir.path()));
    let stderr = text(&refused.stderr);
    assert!(stderr.contains("in use by another process"), "{stderr}");
}

#[test]
fn a_taken_port_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut program = Command::new(env!("CARGO_BIN_EXE_narrows-collector"));
    program.arg("--data").arg(dir.path()).args(["--listen", &address, "--listen-grpc", "127.0.0.1:0"]);
    let failed = output(&mut program);
    let stderr = text(&failed.stderr);
    assert_eq!(failed.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains(&format!("cannot listen on {address}")), "{stderr}");
}

#[test]
fn a_configuration_is_checked_without_a_start() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("collector.yaml");
    let mut check = command(dir.path());
    check.arg("--check-config").arg("--config").arg(&path);

    std::fs::write(&path, "retention: 3d\n").unwrap();
    let good = output(&mut check);
    assert_eq!((good.status.code(), text(&good.stdout).as_str()), (Some(0), "the configuration is good\n"));

    std::fs::write(&path, "retention: soon\npartitions: 0\n").unwrap();
    let bad = output(&mut check);
    let stderr = text(&bad.stderr);
    assert_eq!(bad.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("collector.yaml:1:12: ") && stderr.contains("collector.yaml:2:13: "), "{stderr}");
    assert!(!dir.path().join("data").exists(), "nothing was opened");
}

#[test]
fn listening_to_the_world_must_be_asked_for_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let mut open = Command::new(env!("CARGO_BIN_EXE_narrows-collector"));
    let refused = output(open.arg("--data").arg(dir.path().join("data")).args(["--listen", "0.0.0.0:0"]));
    let stderr = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("insecure_listen"), "{stderr}");
}
