//! One table per format. What is not well-formed stays a plain line.

use super::super::container::{Stream, cri, docker};
use super::*;

fn check(format: Format, line: &str, body: &str, severity: u8, attributes: &[&str]) {
    with_clock(|clock| {
        let draft = parse(line, format, clock);
        assert_eq!(draft.body.as_str(), Some(body), "{line}");
        assert_eq!(draft.severity_number, severity, "{line}");
        assert_eq!(shown(&draft), attributes, "{line}");
    });
}

#[test]
fn json_lines() {
    check(
        Format::Auto,
        r#"{"time":"2026-11-25T10:17:39.5Z","level":"warn","msg":"slow","took":1.5,"n":3,"ok":true,"none":null}"#,
        "slow",
        13,
        &["took=1.5", "n=3", "ok=true", "none=null"],
    );
    let nested = r#"{"message":"a \"b\"","user":{"id":7,"tags":["x","y"]},"level":"ERROR"}"#;
    check(Format::Json, nested, "a \"b\"", 17, &[r#"user={"id":7,"tags":["x","y"]}"#]);
    let pino = r#"{"level":50,"time":1795601859912,"pid":1,"msg":"boom"}"#;
    check(Format::Auto, pino, "boom", 17, &["pid=1"]);
    // The better key wins, the other stays an attribute; one that cannot be used stays one, too.
    let both = r#"{"body":"b","message":"m","time":"never","level":{"a":1}}"#;
    check(Format::Auto, both, "m", 0, &["body=\"b\"", "time=\"never\"", r#"level={"a":1}"#]);
    let bodyless = r#"{"a":1}"#;
    check(Format::Auto, bodyless, bodyless, 0, &["a=1"]);
    let large = r#"{"id":18446744073709551615,"msg":"m"}"#;
    check(Format::Auto, large, "m", 0, &["id=\"18446744073709551615\""]);
}

#[test]
fn json_of_loggers_with_their_own_ways() {
    let monolog = r#"{"message":"m","context":{},"level":550,"level_name":"ALERT","channel":"app","datetime":"2026-11-25T10:17:39.5+00:00"}"#;
    check(Format::Auto, monolog, "m", 18, &["context={}", "level=550", "channel=\"app\""]);
    check(Format::Auto, r#"{"message":"m","level":300}"#, "m", 13, &[]);
    let mongodb = r#"{"t":{"$date":"2026-11-25T10:17:39.000+00:00"},"s":"W","c":"NETWORK","id":7,"msg":"m"}"#;
    check(Format::Auto, mongodb, "m", 13, &["c=\"NETWORK\"", "id=7"]);
    check(Format::Auto, r#"{"s":"E","msg":"m"}"#, "m", 0, &["s=\"E\""]);
    let log4j = r#"{"instant":{"epochSecond":1795601859,"nanoOfSecond":5},"level":"INFO","message":"m"}"#;
    check(Format::Auto, log4j, "m", 9, &[]);
    let ecs = r#"{"message":"m","log":{"level":"error","logger":"a"},"trace":{"id":"0af7651916cd43dd8448eb211c80319c"}}"#;
    check(Format::Auto, ecs, "m", 17, &[r#"log={"logger":"a"}"#]);
    with_clock(|clock| {
        assert_eq!(parse(monolog, Format::Auto, clock).time_ns, 1_795_601_859_500_000_000);
        assert_eq!(parse(mongodb, Format::Auto, clock).time_ns, 1_795_601_859_000_000_000);
        assert_eq!(parse(log4j, Format::Auto, clock).time_ns, 1_795_601_859_000_000_005);
        assert_eq!(parse(ecs, Format::Auto, clock).trace_id.unwrap()[0], 0x0a);
    });
}

#[test]
fn json_says_when_and_in_which_trace() {
    with_clock(|clock| {
        let line = r#"{"ts":1795601859.25,"traceId":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331","trace_flags":"01","msg":"m"}"#;
        let draft = parse(line, Format::Auto, clock);
        assert_eq!(draft.time_ns, 1_795_601_859_250_000_000);
        assert_eq!(draft.trace_id.unwrap()[..4], [0x0a, 0xf7, 0x65, 0x19]);
        assert_eq!((draft.span_id.unwrap()[0], draft.flags), (0xb7, 1));
        assert!(draft.attributes.is_empty());
        let odd = r#"{"trace_id":"00000000000000000000000000000000","span_id":"xyz","msg":"m"}"#;
        let draft = parse(odd, Format::Auto, clock);
        assert_eq!((draft.trace_id, draft.span_id, draft.attributes.len()), (None, None, 2));
        // A time that is far ahead is not believed.
        assert_eq!(parse(r#"{"time":"2027-11-25T10:17:39Z"}"#, Format::Auto, clock).time_ns, 0);
    });
}

#[test]
fn what_is_no_json_stays_a_line() {
    let deep = format!("{}1{}", "{\"a\":".repeat(40), "}".repeat(40));
    let wide = format!("{{{}}}", (0..600).map(|i| format!("\"k{i}\":1")).collect::<Vec<_>>().join(","));
    for line in ["{not json}", r#"{"a":1"#, r#"{"a":1} x"#, "[1,2]", "{", &deep, &wide] {
        check(Format::Auto, line, line, 0, &[]);
        check(Format::Json, line, line, 0, &[]);
    }
    // Its level is read nevertheless, as it was before.
    check(Format::Auto, r#"{"level":"error","a":1"#, r#"{"level":"error","a":1"#, 17, &[]);
    check(Format::Plain, r#"{"level":"error","a":1}"#, r#"{"level":"error","a":1}"#, 17, &[]);
}

#[test]
fn logfmt_lines() {
    let line = r#"time=2026-11-25T10:17:39Z level=info msg="it \"works\"" status=200 took=1.25 id=007 ok=true err="""#;
    let attributes = ["status=200", "took=1.25", "id=\"007\"", "ok=true", "err=\"\""];
    check(Format::Auto, line, "it \"works\"", 9, &attributes);
    check(Format::Logfmt, "verbose msg=hi", "hi", 0, &["verbose=true"]);
    for line in ["a=1", "x=1 and more", "a=\"open", "a=b==c d", "key = value", "1=2 3=4", "=x y=z"] {
        check(Format::Auto, line, line, 0, &[]);
    }
}

#[test]
fn access_lines() {
    let line = r#"203.0.113.9 - alice [25/Nov/2026:10:17:39 +0000] "GET /a/b?q=1&r HTTP/1.1" 404 153 "https://x.example/" "curl/8.5 \x22q\x22""#;
    let attributes = [
        "client.address=\"203.0.113.9\"",
        "user.name=\"alice\"",
        "http.request.method=\"GET\"",
        "url.path=\"/a/b\"",
        "url.query=\"q=1&r\"",
        "network.protocol.version=\"1.1\"",
        "http.response.status_code=404",
        "http.response.body.size=153",
        r#"http.request.header.referer=["https://x.example/"]"#,
        r#"user_agent.original="curl/8.5 \"q\"""#,
    ];
    check(Format::Auto, line, line, 13, &attributes);
    check(Format::Access, line, line, 13, &attributes);
    let common = r#"::1 - - [25/Nov/2026:10:17:39 +0000] "BREW /pot HTTP/2.0" 500 -"#;
    let attributes = [
        "client.address=\"::1\"",
        "http.request.method=\"_OTHER\"",
        "http.request.method_original=\"BREW\"",
        "url.path=\"/pot\"",
        "network.protocol.version=\"2.0\"",
        "http.response.status_code=500",
    ];
    check(Format::Auto, common, common, 17, &attributes);
    // What a scanner sends is no request; the rest of the line is as good as ever.
    let odd = r#"127.0.0.1 - - [25/Nov/2026:09:48:40 +0200] "\x16\x03\x01" 400 0 "-" "-""#;
    let attributes =
        ["client.address=\"127.0.0.1\"", "http.response.status_code=400", "http.response.body.size=0"];
    check(Format::Auto, odd, odd, 13, &attributes);
    let host = r#"shop.example:443 10.0.0.2, 10.0.0.1 - - [25/Nov/2026:09:48:40 +0200] "GET / HTTP/1.1" 200 1 "-" "x" "1.2.3.4""#;
    let attributes = [
        "server.address=\"shop.example\"",
        "server.port=443",
        "client.address=\"10.0.0.2\"",
        "http.request.method=\"GET\"",
        "url.path=\"/\"",
        "network.protocol.version=\"1.1\"",
        "http.response.status_code=200",
        "http.response.body.size=1",
        "user_agent.original=\"x\"",
        r#"http.request.header.x-forwarded-for=["1.2.3.4"]"#,
    ];
    check(Format::Auto, host, host, 9, &attributes);
    for line in [
        r#"1.2.3.4 - - [25/Nov/2026:10:17:39 +0000] "GET / HTTP/1.1" abc 1"#,
        r#"1.2.3.4 - - [25/Nov/2026:10:17:39 +0000] "GET / HTTP"#,
        r#"1.2.3.4 - - [99/Nov/2026:10:17:39 +0000] "GET / HTTP/1.1" 200 1"#,
    ] {
        with_clock(|clock| assert!(parse(line, Format::Auto, clock).attributes.is_empty(), "{line}"));
    }
}

#[test]
fn cri_lines() {
    with_clock(|clock| {
        let found = cri("2026-11-25T10:17:39.912345678+01:00 stderr P:x part ", clock).unwrap();
        assert_eq!((found.text.as_ref(), found.stream, found.is_part), ("part ", Stream::Stderr, true));
        assert_eq!(found.time_ns, 1_795_598_259_912_345_678);
        assert_eq!(cri("2026-11-25T10:17:39Z stdout F", clock).unwrap().text, "");
        for line in [
            "2026-11-25T10:17:39Z stdin F x",
            "2026-11-25T10:17:39Z stdout X x",
            "2026-11-25 stdout F x",
            "2026-13-25T10:17:39Z stdout F x",
            "",
        ] {
            assert_eq!(cri(line, clock), None, "{line}");
        }
    });
}

#[test]
fn docker_lines() {
    with_clock(|clock| {
        let line = r#"{"log":"a \u00e4\ud83d\ude00\t\"b\"\r\n","stream":"stdout","attrs":{"tag":"web"},"time":"2026-11-25T10:17:39.5Z"}"#;
        let found = docker(line, clock, false).unwrap();
        assert_eq!((found.text.as_ref(), found.is_part), ("a ä😀\t\"b\"", false));
        assert_eq!(found.attributes, [("tag".into(), Any::Str("web".into()))]);
        let part = docker(r#"{"log":"half","stream":"stderr","time":"2026-11-25T10:17:39Z"}"#, clock, false)
            .unwrap();
        assert_eq!((part.text.as_ref(), part.is_part, part.stream), ("half", true, Stream::Stderr));
        for line in [
            r#"{"log":"x\n","stream":"stdout"}"#,
            r#"{"log":"x\n","time":"2026-11-25T10:17:39Z"}"#,
            r#"{"log":"x\n","stream":"stdout","time":"2026-11-25T10:17:39Z","level":"info"}"#,
            r#"{"log":"x\n","stream":"stdout","time":"2026-11-25T10:17:39Z"} x"#,
            r#"{"log":"x\q","stream":"stdout","time":"2026-11-25T10:17:39Z"}"#,
            r#"{"log":"x"#,
            "{}",
        ] {
            assert_eq!(docker(line, clock, false), None, "{line}");
        }
        assert_eq!(docker(r#"{"log":"x\n"}"#, clock, true).unwrap().text, "x");
    });
}

proptest::proptest! {
    #[test]
    fn any_line_becomes_a_record(line in "\\PC*|[{}\":,\\[\\] a-z0-9=.\\\\/-]{0,80}", cut in 0usize..300) {
        let samples = [
            r#"{"time":"2026-11-25T10:17:39.5Z","level":"warn","msg":"slow","a":{"b":[1,"\u00e4"]}}"#,
            r#"1.2.3.4 - - [25/Nov/2026:10:17:39 +0000] "GET /a\x22?q HTTP/1.1" 404 153 "-" "curl""#,
            r#"time=2026-11-25T10:17:39Z level=info msg="it \"works\"""#,
            r#"{"log":"a \u00e4\ud83d\ude00\n","stream":"stdout","time":"2026-11-25T10:17:39.5Z"}"#,
        ];
        with_clock(|clock| {
            for sample in samples.iter().map(|sample| &sample[..cut.min(sample.len())]).chain([line.as_str()]) {
                for format in [Format::Auto, Format::Plain, Format::Json, Format::Logfmt, Format::Access] {
                    let draft = parse(sample, format, clock);
                    // Nothing is lost: the body is the line, or the line was taken apart.
                    assert!(draft.body.as_str() == Some(sample) || matches!(format, Format::Auto | Format::Json | Format::Logfmt));
                }
                for unwrapped in [cri(sample, clock), docker(sample, clock, false)].into_iter().flatten() {
                    assert!(unwrapped.text.len() <= sample.len());
                }
            }
        });
    }
}
