//! `narrows-collector tail` in a terminal: prints, comes back, ends.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::harness::{PASSWORD, Program, output, record, request};

fn tail(url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_narrows-collector"));
    for name in ["CONFIG", "DATA", "LISTEN", "LISTEN_GRPC", "RETENTION", "ADMIN_PASSWORD", "INGEST_TOKEN"] {
        command.env_remove(format!("NARROWS_{name}"));
    }
    command.env("NARROWS_ADMIN_PASSWORD", PASSWORD).args(["tail", "--url", url]).stdin(Stdio::null());
    command
}

/// Killed when dropped.
struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, lines }
    }

    fn line(&self) -> String {
        tokio::task::block_in_place(|| self.lines.recv_timeout(Duration::from_secs(20))).expect("a line")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until so many live tails are open.
async fn connected(program: &Program, count: usize) {
    let line = format!("narrows_collector_live_connections {count}");
    for _ in 0..400 {
        let metrics = program.get("/metrics").send().await.unwrap().text().await.unwrap();
        if metrics.lines().any(|found| found == line) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("not {count} live tails");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_printed_until_ctrl_c() {
    let program = Program::start();
    let mut text = Running::start(tail(&program.http).arg("service:checkout"));
    let mut json = Running::start(tail(&program.http).arg("--json"));
    connected(&program, 2).await;
    program.send(&request("cart", vec![record("of another")])).await;
    program.send(&request("checkout", vec![record("no \u{1b}[31mstock")])).await;
    let line = text.line();
    assert!(line.ends_with("checkout app-1 no \\u{1b}[31mstock") && line.starts_with("20"), "{line}");
    let records: Vec<Value> = (0..2).map(|_| serde_json::from_str(&json.line()).unwrap()).collect();
    assert_eq!((&records[0]["body"], &records[1]["service"]), (&"of another".into(), &"checkout".into()));
    for running in [&mut text, &mut json] {
        let killed = Command::new("kill").arg("-INT").arg(running.child.id().to_string()).status().unwrap();
        assert!(killed.success());
        assert!(tokio::task::block_in_place(|| running.child.wait()).unwrap().success());
    }
    connected(&program, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_trying_again_does_not_mend_ends_it() {
    let program = Program::start();
    type Change = fn(&mut Command) -> &mut Command;
    let cases: [(&str, Change, &str); 5] = [
        (&program.http, |tail| tail.arg("(a"), "bad_query"),
        (&program.http, |tail| tail.arg("* | stats count()"), "no stages"),
        (&program.http, |tail| tail.env("NARROWS_ADMIN_PASSWORD", "wrong"), "wrong user or password"),
        (&program.http, |tail| tail.args(["--tenant", "nobody"]), "no access"),
        ("http://127.0.0.1:9", |tail| tail, "cannot connect"),
    ];
    for (url, change, expected) in cases {
        let ended = tokio::task::block_in_place(|| output(change(&mut tail(url))));
        let told = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{told}");
        assert!(told.contains(expected), "{told}");
    }
    let mut without = tail(&program.http);
    without.env_remove("NARROWS_ADMIN_PASSWORD").arg("--data").arg(program.dir.path().join("data"));
    let running = Running::start(&mut without);
    connected(&program, 1).await;
    program.send(&request("checkout", vec![record("by the file")])).await;
    assert!(running.line().ends_with("by the file"));
}

/// Stands before a collector that moves to another port.
struct Proxy {
    address: String,
    target: Arc<Mutex<String>>,
    cut: watch::Sender<u32>,
}

impl Proxy {
    async fn start(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let target = Arc::new(Mutex::new(target.to_owned()));
        let (cut, cuts) = watch::channel(0);
        tokio::spawn({
            let target = Arc::clone(&target);
            async move {
                loop {
                    let (mut client, _) = listener.accept().await.unwrap();
                    let address = target.lock().unwrap().trim_start_matches("http://").to_owned();
                    let mut cuts = cuts.clone();
                    cuts.mark_unchanged();
                    tokio::spawn(async move {
                        let Ok(mut server) = TcpStream::connect(address).await else { return };
                        tokio::select! {
                            _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                            _ = cuts.changed() => {}
                        }
                    });
                }
            }
        });
        Self { address, target, cut }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_loses_no_record() {
    let program = Program::start();
    let proxy = Proxy::start(&program.http).await;
    let running = Running::start(&mut tail(&proxy.address));
    connected(&program, 1).await;
    program.send(&request("checkout", vec![record("one")])).await;
    assert!(running.line().ends_with("one"));
    proxy.cut.send_modify(|cuts| *cuts += 1);
    program.send(&request("checkout", vec![record("two")])).await;
    assert!(running.line().ends_with("two"));

    // Away, and somebody else sends meanwhile.
    let program = program.kill_and_restart(|_| {});
    program.send(&request("checkout", vec![record("three"), record("four")])).await;
    program.http.clone_into(&mut proxy.target.lock().unwrap());
    assert!(running.line().ends_with("three"));
    assert!(running.line().ends_with("four"));
    program.send(&request("checkout", vec![record("five")])).await;
    assert!(running.line().ends_with("five"));
}
