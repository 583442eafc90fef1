//! What is redacted and what is not, which records rules are for, and what they do.
#![allow(clippy::unwrap_used)]

use std::borrow::Cow;

use telemetry::otlp::Any;

use super::*;
use crate::config::{Args, Config, Pattern};

fn all() -> Processors {
    let known = ["cards", "tokens", "passwords", "emails"].map(|name| KnownSecret::parse(name).unwrap());
    let own = OwnSecret {
        name: "customer".to_owned(),
        pattern: Pattern::parse(r"cust-(\d)\d+").unwrap(),
        replacement: "cust-$1…".to_owned(),
    };
    Processors::new(&ProcessorsConfig { rules: Vec::new(), known: known.to_vec(), own: vec![own] })
}

#[test]
fn secrets_are_taken_out_and_the_rest_stays() {
    let cases = [
        ("paid with 4111 1111 1111 1111 today", "paid with [card] today", "cards"),
        ("card=5500-0000-0000-0004;", "card=[card];", "cards"),
        ("amex 378282246310005", "amex [card]", "cards"),
        ("Authorization: Bearer abc.def-123456", "Authorization: Bearer [token]", "tokens"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-DEF_1 end", "jwt [token] end", "tokens"),
        ("key AKIAIOSFODNN7EXAMPLE", "key [token]", "tokens"),
        ("GET /?api_key=0123456789abcdef&x=1", "GET /?api_key=[token]&x=1", "tokens"),
        ("dsn postgres://shop:s3cret@db:5432/x", "dsn postgres://shop:[password]@db:5432/x", "passwords"),
        (r#"{"password": "hunter2", "a": 1}"#, r#"{"password": "[password]", "a": 1}"#, "passwords"),
        ("mail to jo.doe+x@mail.example.org.", "mail to [email].", "emails"),
        ("order of cust-4711 sent", "order of cust-4… sent", "customer"),
    ];
    let processors = all();
    for (text, expected, rule) in cases {
        let mut draft = Draft::of_body(text);
        let outcome = processors.apply(&mut draft, &Context::default());
        assert_eq!(draft.body.as_str(), Some(expected));
        assert_eq!(outcome.redacted, [(rule.to_owned(), 1)], "{text}");
    }
}

fn redacted(text: &str) -> String {
    let mut draft = Draft::of_body(text);
    all().apply(&mut draft, &Context::default());
    draft.body.as_str().unwrap().to_owned()
}

#[test]
fn cards_are_found_between_other_digits() {
    let cases = [
        ("10:17:39 4111111111111111", "10:17:39 [card]"),
        ("2026-11-25 4111111111111111", "2026-11-25 [card]"),
        ("card 4111 1111 1111 1111 200", "card [card] 200"),
        ("4111 1111 1111 1111 12/26", "[card] 12/26"),
        ("id=5 4111111111111111", "id=5 [card]"),
        ("7 4111 1111 1111 1111 3782 822463 10005 9", "7 [card] [card] 9"),
        ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 7", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 7"),
    ];
    for (text, expected) in cases {
        assert_eq!(redacted(text), expected);
    }
}

#[test]
fn passwords_and_tokens_are_found_however_they_are_written() {
    let cases = [
        ("DB_PASSWORD=hunter2", "DB_PASSWORD=[password]"),
        ("db_password: x", "db_password: [password]"),
        ("[password=hunter2] a", "[password=[password]] a"),
        ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "AWS_SECRET_ACCESS_KEY=[token]"),
        ("STRIPE_API_KEY=abcd1234", "STRIPE_API_KEY=[token]"),
        ("GET /?token=abcd&x=1", "GET /?token=[token]&x=1"),
        ("refresh_token=abcd id_token=efgh", "refresh_token=[token] id_token=[token]"),
        (r#"{"token":"abcd","n":1}"#, r#"{"token":"[token]","n":1}"#),
        (r#"{"password": "my pass, \"word&", "a": 1}"#, r#"{"password": "[password]", "a": 1}"#),
        ("password='a b' c", "password='[password]' c"),
        (r#"{\"password\":\"hunter2\",\"a\":1}"#, r#"{\"password\":\"[password]\",\"a\":1}"#),
        ("postgres://u:p@ss@host/db", "postgres://u:[password]@host/db"),
        ("got Bearer abcdefg1", "got Bearer [token]"),
        ("Bearer abcdefghijklmnopqrstuvwxyz", "Bearer [token]"),
        (r#"{\"Authorization\":\"Bearer abcdefgh\"}"#, r#"{\"Authorization\":\"Bearer [token]\"}"#),
    ];
    for (text, expected) in cases {
        assert_eq!(redacted(text), expected);
    }
}

#[test]
fn every_kind_of_value_under_a_secret_key_is_taken_out() {
    let secrets = [
        ("db.dbPassword", Any::Map(vec![(Cow::Borrowed("a"), Any::Int(1))])),
        ("awsSecretAccessKey", Any::Bytes(vec![1].into())),
        ("stripe_api_key", Any::Double(1.5)),
    ];
    for (key, value) in secrets {
        let mut draft = Draft::of_body("m");
        draft.add(key, value);
        all().apply(&mut draft, &Context::default());
        assert!(draft.get(key).unwrap().as_str().is_some_and(|text| text.starts_with('[')), "{key}");
    }
    let mut draft = Draft::of_body("m");
    draft.add("has_password", Any::Bool(true));
    draft.add("raw", Any::Bytes(b"to a@b.example \xff".as_slice().into()));
    all().apply(&mut draft, &Context::default());
    assert_eq!(draft.get("has_password"), Some(&Any::Bool(true)));
    assert_eq!(draft.get("raw"), Some(&Any::Bytes("to [email] \u{fffd}".as_bytes().into())));
}

#[test]
fn what_only_looks_like_a_secret_stays() {
    let processors = all();
    for text in [
        "paid with 4111 1111 1111 1112 today",
        "time 1795601859912345678 trace 4bf92f3577b34da6a3ce929d0e0e4736",
        "order 1234567890123456",
        "the bearer of news",
        "Bearer authentication failed",
        "no bearer credentials.",
        "unexpected token: identifier",
        "max_tokens=4096",
        "see http://example.org:8080/x and user@host",
        "secret: no",
        "version 2.0.1@stable",
    ] {
        let mut draft = Draft::of_body(text);
        let outcome = processors.apply(&mut draft, &Context::default());
        assert_eq!((draft.body.as_str(), outcome.redacted.len()), (Some(text), 0));
    }
}

#[test]
fn attributes_are_searched_as_deep_as_they_go() {
    let mut draft = Draft::of_body("m");
    draft.add(
        "user",
        Any::Map(vec![
            (Cow::Borrowed("mail"), Any::Str("a@b.example".into())),
            (Cow::Borrowed("Pass-Word"), Any::Str("x".into())),
            (Cow::Borrowed("list"), Any::Array(vec![Any::Int(4_111_111_111_111_111), Any::Int(7)])),
        ]),
    );
    draft.add("http.request.header.authorization", Any::Array(vec![Any::Str("opaque".into())]));
    draft.add("monkey", Any::Str("banana".into()));
    let outcome = all().apply(&mut draft, &Context::default());
    let text = |text: &'static str| Any::Str(text.into());
    assert_eq!(
        draft.get("user").unwrap(),
        &Any::Map(vec![
            (Cow::Borrowed("mail"), text("[email]")),
            (Cow::Borrowed("Pass-Word"), text("[password]")),
            (Cow::Borrowed("list"), Any::Array(vec![text("[card]"), Any::Int(7)])),
        ])
    );
    assert_eq!(draft.get("http.request.header.authorization").unwrap(), &text("[token]"));
    assert_eq!((draft.get("monkey").unwrap(), outcome.redacted.len()), (&text("banana"), 4));
}

/// Rules from a configuration, as people write them.
fn rules(yaml: &str) -> Processors {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("processors:\n  rules:\n{yaml}")).unwrap();
    let args = Args { config: Some(file.path().to_owned()), ..Args::default() };
    Processors::new(&Config::load(&args).unwrap().processors)
}

fn record(severity: u8) -> Draft<'static> {
    let mut draft = Draft { severity_number: severity, ..Draft::of_body("GET /healthz") };
    draft.add("url.path", Any::Str("/healthz".into()));
    draft.add("status", Any::Int(200));
    draft.add("user", Any::Map(vec![(Cow::Borrowed("id"), Any::Int(7))]));
    draft
}

#[test]
fn conditions_must_all_hold() {
    let context = Context {
        source: "web".to_owned(),
        service: "nginx".to_owned(),
        file: "/var/log/nginx/a.log".to_owned(),
    };
    let cases = [
        ("{ service: nginx }", true),
        ("{ service: [apache, nginx], source: web }", true),
        ("{ service: apache }", false),
        ("{ file: /var/log/nginx/*.log }", true),
        ("{ file: /var/log/*.log }", false),
        ("{ severity: '>=info' }", true),
        ("{ severity: '>info' }", false),
        ("{ severity: info }", true),
        ("{ severity: '<=debug' }", false),
        ("{ severity: unset }", false),
        ("{ body: '^GET' }", true),
        ("{ attributes: { url.path: '^/healthz$', status: '^2' } }", true),
        ("{ attributes: { url.path: '^/healthz$', status: '^5' } }", false),
        ("{ attributes: { user.id: '7' } }", true),
        ("{ attributes: { nothing: '' } }", false),
        ("{ not: { service: nginx } }", false),
        ("{ service: nginx, not: { severity: error } }", true),
    ];
    for (when, holds) in cases {
        let processors = rules(&format!("    - {{ name: r, when: {when}, action: drop }}\n"));
        let outcome = processors.apply(&mut record(9), &context);
        assert_eq!(outcome.dropped_by.as_deref(), holds.then_some("r"), "{when}");
    }
}

#[test]
fn rules_run_in_their_order() {
    let processors = rules(
        "    - { name: only-errors, when: { severity: '>=error' }, action: keep }\n    \
         - { name: shorter, action: rename, attributes: { status: http.response.status_code } }\n    \
         - { name: team, when: { attributes: { http.response.status_code: '200' } }, action: set, attributes: { team: shop, status: 1 } }\n",
    );
    assert_eq!(
        processors.apply(&mut record(9), &Context::default()).dropped_by.as_deref(),
        Some("only-errors")
    );
    let mut draft = record(17);
    assert_eq!(processors.apply(&mut draft, &Context::default()), Outcome::default());
    let keys: Vec<&str> = draft.attributes.iter().map(|(key, _)| &**key).collect();
    assert_eq!(keys, ["url.path", "http.response.status_code", "user", "team", "status"]);
}

#[test]
fn samples_are_the_same_everywhere_and_of_the_right_size() {
    let processors = rules("    - { name: s, action: sample, rate: 0.25 }\n");
    let kept = |trace: Option<u64>, body: &str| {
        let mut draft = Draft::of_body(body);
        draft.trace_id = trace.map(|id| u128::from(id).to_be_bytes());
        let stays = processors.apply(&mut draft, &Context::default()).dropped_by.is_none();
        assert!(!stays || draft.get("sampling.rate") == Some(&Any::Double(0.25)));
        stays
    };
    let share = (0..4000u64).filter(|id| kept(Some(*id), "x")).count();
    assert!((900..1100).contains(&share), "{share}");
    for id in 0..200 {
        assert_eq!(kept(Some(id), "a"), kept(Some(id), "b"), "all of a trace, or nothing");
    }
    let lines = (0..4000).filter(|number| kept(None, &format!("line {number}"))).count();
    assert!((900..1100).contains(&lines), "{lines}");
}
