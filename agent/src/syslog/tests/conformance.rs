//! go-syslog's cases, from the directory that `CONFORMANCE_DATA` names (docs/conformance.md).

use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

use super::*;

/// Cases where another outcome is right, and why.
const DIFFERENT: [(&str, &str); 1] =
    [(r#"[meta escape="\n"]"#, "a backslash before another character is a backslash (RFC 5424, 6.3.3)")];

fn data() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let named =
        std::env::var_os("CONFORMANCE_DATA").map_or_else(|| "../shared/testdata".into(), PathBuf::from);
    Some(root.join(named).join("09-log-formats/syslog-go-syslog")).filter(|dir| dir.is_dir())
}

#[test]
fn conformance_syslog() {
    let Some(data) = data() else {
        let required = std::env::var("NARROWS_CONFORMANCE").is_ok_and(|value| value == "required");
        assert!(
            !required,
            "NARROWS_CONFORMANCE=required, but CONFORMANCE_DATA names no directory with 09-log-formats"
        );
        eprintln!(
            "\n!!! SYSLOG CONFORMANCE NOT RUN: set CONFORMANCE_DATA to a directory with 09-log-formats !!!\n"
        );
        return;
    };
    let (mut total, mut passed, mut failures, mut different) = (0, 0, Vec::new(), Vec::new());
    for file in ["rfc5424_cases.json", "rfc3164_cases.json"] {
        let cases: Vec<Json> = serde_json::from_slice(&std::fs::read(data.join(file)).unwrap()).unwrap();
        for case in cases {
            total += 1;
            let input = case["input"].as_str().unwrap();
            let known = DIFFERENT.iter().find(|(part, _)| input.contains(part));
            match (judge(file, input, &case), known) {
                (Ok(()), None) => passed += 1,
                (Ok(()), Some(_)) => failures.push(format!("{input}: listed as different, but agrees")),
                (Err(_), Some((_, why))) => different.push(format!("  differs: {input}: {why}")),
                (Err(why), None) => failures.push(format!("  {input}: {why}")),
            }
        }
    }
    println!("syslog {passed}/{total}\n{}", [different, failures.clone()].concat().join("\n"));
    assert!(failures.is_empty(), "{failures:#?}");
}

fn judge(file: &str, input: &str, case: &Json) -> Result<(), String> {
    let zone = Zone::fixed(0);
    let clock = Clock { now_ns: NOW_NS, zone: &zone };
    let message = match file {
        "rfc5424_cases.json" => parse_ietf(input),
        _ => parse_bsd(input, &clock),
    };
    let (valid, found) = (case["valid"] == true, message.is_some());
    let Some(message) = message.filter(|_| valid) else {
        return if valid == found { Ok(()) } else { Err(format!("valid {valid}, found {found}")) };
    };
    let got = fields(&message);
    for (key, expected) in case["value"].as_object().unwrap() {
        let got = got.get(key).unwrap_or(&Json::Null);
        let is_time = key == "timestamp";
        let (expected, got) =
            if is_time { (plain(expected), plain(got)) } else { (expected.clone(), got.clone()) };
        if expected != got {
            return Err(format!("{key}: expected {expected}, got {got}"));
        }
    }
    let extra =
        got.keys().find(|key| case["value"].get(key.as_str()).is_none() && !DERIVED.contains(&key.as_str()));
    extra.map_or(Ok(()), |key| Err(format!("{key} is {}, expected none", got[key])))
}

/// They follow from the priority, and only one of the files has them.
const DERIVED: [&str; 3] = ["facility", "severity", "version"];

fn fields(message: &Message<'_>) -> Map<String, Json> {
    let mut fields = Map::new();
    fields.insert("priority".to_owned(), message.priority.into());
    fields.insert("facility".to_owned(), (message.priority / 8).into());
    fields.insert("severity".to_owned(), (message.priority % 8).into());
    fields.insert("version".to_owned(), message.version.into());
    let texts = [
        ("timestamp", message.timestamp),
        ("hostname", message.hostname),
        ("appname", message.appname),
        ("procid", message.procid),
        ("msgid", message.msgid),
        ("message", message.message),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            fields.insert(key.to_owned(), text.into());
        }
    }
    if !message.structured.is_empty() {
        let element = |parameters: &Vec<(&str, &str)>| -> Json {
            parameters.iter().map(|(key, value)| (key.to_string(), Json::from(*value))).collect()
        };
        let all = message.structured.iter().map(|(id, parameters)| (id.to_string(), element(parameters)));
        fields.insert("structured_data".to_owned(), all.collect());
    }
    fields
}

/// A day of one digit is padded in some of the cases and not in others.
fn plain(value: &Json) -> Json {
    match value {
        Json::String(text) => Json::from(text.split_whitespace().collect::<Vec<_>>().join(" ")),
        other => other.clone(),
    }
}
