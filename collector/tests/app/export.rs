//! Downloads: whole, in order, while they are made, and gone with the client.

use std::collections::BTreeSet;
use std::io::Read;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::logs::v1::LogRecord;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::harness::{PASSWORD, Program, attribute, error_code, escape, now_ns, record, request, seal, text};

const EXPORT: &str = "/api/v1/narrows/logs/export";

/// 1 ms apart, the last one now, in batches that are sealed, merged and not.
async fn filled(count: u64, body: &str) -> Program {
    let program = Program::start();
    let begun = now_ns();
    let at = |index: u64| LogRecord {
        time_unix_nano: begun - (count - index) * 1_000_000,
        severity_number: (index % 24 + 1) as i32,
        attributes: vec![attribute("n", text(&index.to_string()))],
        ..record(&format!("{body} {index}"))
    };
    let batch = count.div_ceil(4);
    for turn in 0..4 {
        program
            .send(&request("checkout", (turn * batch..((turn + 1) * batch).min(count)).map(at).collect()))
            .await;
        if turn == 1 {
            seal(&program).await;
        }
    }
    program.find("*", count).await;
    program
}

fn export(program: &Program, parameters: &str) -> RequestBuilder {
    program.get(&format!("{EXPORT}?{parameters}")).basic_auth("admin", Some(PASSWORD))
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_download_has_every_record_once_in_order() {
    let program = filled(12_000, "line").await;
    for order in ["newest", "oldest"] {
        let response = export(&program, &format!("order={order}")).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "application/x-ndjson");
        let name = response.headers()["content-disposition"].to_str().unwrap().to_owned();
        assert!(name.starts_with("attachment; filename=\"logs-20") && name.ends_with("Z.ndjson\""), "{name}");
        assert!(!response.headers().contains_key("narrows-partial"));
        let records = lines(&response.text().await.unwrap());
        let ids: BTreeSet<_> = records.iter().map(|record| record["id"].to_string()).collect();
        assert_eq!((records.len(), ids.len()), (12_000, 12_000));
        let first = if order == "newest" { "line 11999" } else { "line 0" };
        assert_eq!(records[0]["body"], first);
        let times: Vec<_> = records.iter().map(|record| record["timestamp"].as_str().unwrap()).collect();
        assert!(if order == "oldest" { times.is_sorted() } else { times.iter().rev().is_sorted() });
    }
    let found = program.json(&format!("/api/v1/narrows/logs/search?query={}", escape("\"line 7\""))).await;
    let one = export(&program, &format!("query={}", escape("\"line 7\""))).send().await.unwrap();
    assert_eq!(lines(&one.text().await.unwrap())[0], found["records"][0], "as a search gives it");

    let some =
        export(&program, &format!("limit=1234&query={}", escape("severity>=error"))).send().await.unwrap();
    let some = lines(&some.text().await.unwrap());
    assert!(some.len() == 1234 && some.iter().all(|record| record["severity_number"].as_u64() >= Some(17)));
    let few = export(&program, &format!("query={}", escape("* | limit 7"))).send().await.unwrap();
    assert_eq!(lines(&few.text().await.unwrap()).len(), 7);
    let none = export(&program, "query=nothing").send().await.unwrap();
    assert_eq!((none.status(), none.text().await.unwrap().as_str()), (StatusCode::OK, ""));

    let packed = export(&program, "").header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let (packed, mut plain) = (packed.bytes().await.unwrap(), String::new());
    flate2::read::GzDecoder::new(&*packed).read_to_string(&mut plain).unwrap();
    assert_eq!(lines(&plain).len(), 12_000);
    assert!(packed.len() * 4 < plain.len());
}

#[tokio::test]
async fn a_table_of_lines_can_be_opened_by_others() {
    let program = Program::start();
    let odd = LogRecord {
        severity_number: 17,
        attributes: vec![attribute("http.route", text("/a,\"b\""))],
        ..record("=1+1\nsecond")
    };
    program.send(&request("checkout", vec![odd, record("plain")])).await;
    program.find("*", 2).await;
    let response =
        export(&program, "format=csv&order=oldest&fields=http.route,severity").send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/csv; charset=utf-8");
    let bytes = response.bytes().await.unwrap();
    let mut reader = csv::Reader::from_reader(&*bytes);
    let head = ["timestamp", "severity", "service", "host", "body", "http.route", "severity"];
    assert_eq!(reader.headers().unwrap(), &head[..]);
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(
        rows[0].iter().skip(1).collect::<Vec<_>>(),
        ["ERROR", "checkout", "app-1", "'=1+1\nsecond", "/a,\"b\"", "ERROR"]
    );
    assert_eq!(&rows[1][4], "plain");

    let query = escape("* | stats count() as n by (severity)");
    let table =
        export(&program, &format!("format=csv&query={query}")).send().await.unwrap().text().await.unwrap();
    assert_eq!(table, "severity,n\nerror,1\n,1\n");
    let table = export(&program, &format!("query={query}")).send().await.unwrap().text().await.unwrap();
    assert_eq!(lines(&table), [json!({"severity": "error", "n": 1}), json!({"severity": null, "n": 1})]);
}

#[tokio::test]
async fn a_download_that_nobody_takes_costs_no_query_and_ends_with_its_client() {
    // More than the system's buffers hold.
    let program = filled(8_000, &"x".repeat(4_000)).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        let mut body = export(&program, "").send().await.unwrap();
        assert!(body.chunk().await.unwrap().is_some());
        held.push(body);
    }
    let fifth = export(&program, "").send().await.unwrap();
    assert_eq!(error_code(fifth, StatusCode::TOO_MANY_REQUESTS).await, "busy");
    let begun = Instant::now();
    program.json("/api/v1/narrows/logs/search?query=*").await;
    assert!(begun.elapsed() < Duration::from_secs(5), "queries go on: {:?}", begun.elapsed());
    drop(held);
    let begun = Instant::now();
    loop {
        let again = export(&program, "limit=1").send().await.unwrap();
        if again.status() == StatusCode::OK {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "the places do not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

// The client reads while this waits for the program.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_stop_cuts_downloads_off() {
    let mut program = filled(8_000, &"x".repeat(4_000)).await;
    let mut body = export(&program, "").send().await.unwrap();
    assert!(body.chunk().await.unwrap().is_some());
    let rest = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        while body.chunk().await?.is_some() {}
        Ok::<_, reqwest::Error>(())
    });
    let begun = Instant::now();
    assert!(program.stop().success());
    assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
    assert!(rest.await.unwrap().is_err(), "what is not whole does not look so");
}
