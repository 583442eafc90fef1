//! More connections than there are file descriptors.

use std::process::Command;
use std::time::Duration;

use reqwest::StatusCode;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::harness::{PASSWORD, Program, client, json_of, record, request};

/// The same command under a limit of open files, `-S` or `-H` and a number.
fn limit(command: &mut Command, limits: &str) {
    let mut limited = Command::new("sh");
    limited.arg("-c").arg(format!("{limits}; exec \"$0\" \"$@\""));
    limited.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    *command = limited;
}

fn open_files(program: &Program) -> usize {
    std::fs::read_dir(program.proc("fd")).unwrap().count()
}

/// Waits until no more are let in.
async fn settled(program: &Program) -> usize {
    let mut before = 0;
    for _ in 0..50 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let now = open_files(program);
        if now == before {
            return now;
        }
        before = now;
    }
    panic!("{before} open files, and more all the time");
}

/// Reads whole answers, so that the connection is kept.
async fn send_and_seal(program: &Program) {
    let sent = program.post_logs(&request("checkout", vec![record("kept")])).send().await.unwrap();
    assert_eq!((sent.status(), sent.bytes().await.is_ok()), (StatusCode::OK, true));
    let seal = program.client.post(program.url("/api/v1/narrows/admin/seal?merge=true"));
    json_of(seal.basic_auth("admin", Some(PASSWORD)).send().await.unwrap(), StatusCode::OK).await;
}

async fn hold_open(address: String) {
    let _stream = TcpStream::connect(address).await;
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_flood_of_connections_leaves_storage_its_files() {
    let program = Program::start_in(tempfile::tempdir().unwrap(), |command| limit(command, "ulimit -n 320"));
    send_and_seal(&program).await;
    let before = open_files(&program);
    let ports = [&program.http, &program.grpc].map(|url| url.strip_prefix("http://").unwrap());
    let mut flood = JoinSet::new();
    for number in 0..400 {
        // Some may still be knocking at the end: the system's backlog may be short.
        flood.spawn(hold_open(ports[number % 2].to_owned()));
    }
    let during = settled(&program).await;
    assert!(during > before + 20, "{during} of {before}: nobody was let in");
    assert!(during <= before + 320 - 256, "{during} of 320 are open");
    for _ in 0..3 {
        send_and_seal(&program).await;
    }
    let before_the_end = program.json("/api/v1/narrows/logs/search?query=kept").await;
    assert_eq!(before_the_end["matched"], 4);

    flood.shutdown().await;
    let stranger = client();
    let ready = stranger.get(program.url("/-/ready")).send().await.unwrap();
    assert_eq!(ready.status(), StatusCode::OK, "there is room again");
}

#[tokio::test]
async fn the_limit_of_open_files_is_raised_to_the_highest() {
    let program = Program::start_in(tempfile::tempdir().unwrap(), |command| {
        limit(command, "ulimit -Sn 300; ulimit -Hn 900");
    });
    let limits = std::fs::read_to_string(program.proc("limits")).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words[3..5], ["900", "900"], "{line}");
}
