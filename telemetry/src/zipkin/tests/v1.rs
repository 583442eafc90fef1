//! Version 1: which spans one becomes.

use super::*;

/// A line per span: service, kind, start and duration in µs, and what else is told of it.
fn lines(span: &str) -> Vec<String> {
    let report = decode(decode_v1_json, format!("[{span}]").as_bytes()).unwrap();
    assert_eq!((report.rejected, &report.first_reason), (0, &None), "{span}");
    let mut lines = Vec::new();
    for (service, spans) in services(&report) {
        for span in spans {
            let time = |key: &str| span[key].as_str().map_or(0, |time| time.parse::<u64>().unwrap() / 1000);
            let (start, end) = (time("startTimeUnixNano"), time("endTimeUnixNano"));
            let mut line =
                format!("{service} {} {start}+{}", span["kind"].as_u64().unwrap_or(0), end - start);
            for event in span["events"].as_array().into_iter().flatten() {
                line += &format!(" !{}", event["name"].as_str().unwrap());
            }
            for (key, value) in span["attributes"].as_object().into_iter().flatten() {
                line += &format!(" {key}={}", value.as_str().map_or(value.to_string(), str::to_owned));
            }
            lines.push(line);
        }
    }
    lines
}

/// An annotation of a service.
fn told(value: &str, timestamp: u64, service: &str) -> String {
    format!(
        r#"{{"timestamp":{timestamp},"value":"{value}","endpoint":{{"serviceName":"{service}","ipv4":"10.0.0.1"}}}}"#
    )
}

/// The address of a service.
fn address(key: &str, service: &str) -> String {
    format!(r#"{{"key":"{key}","value":true,"endpoint":{{"serviceName":"{service}","port":80}}}}"#)
}

#[test]
fn each_side_of_a_span_becomes_a_span() {
    let at = " network.local.address=10.0.0.1";
    let shared = " zipkin.shared=true";
    let (cs, cr) = (told("cs", 10, "web"), told("cr", 60, "web"));
    let (sr, ss) = (told("sr", 20, "api"), told("ss", 50, "api"));
    let times = r#""timestamp":10,"duration":50"#;
    let cases: Vec<(&str, String, Vec<String>, Vec<String>)> = vec![
        (
            "a client",
            String::new(),
            vec![cs.clone(), told("wait", 11, "web"), cr.clone()],
            vec![format!("web 3 10+50 !wait{at}")],
        ),
        (
            "its own times count",
            r#""timestamp":9,"duration":52"#.into(),
            vec![cs.clone(), cr.clone()],
            vec![format!("web 3 9+52{at}")],
        ),
        (
            "a server that has joined",
            String::new(),
            vec![sr.clone(), ss.clone()],
            vec![format!("api 2 20+30{at}{shared}")],
        ),
        (
            "a server that has begun",
            r#""timestamp":20,"duration":30"#.into(),
            vec![sr.clone(), ss.clone()],
            vec![format!("api 2 20+30{at}")],
        ),
        (
            "both",
            times.into(),
            vec![cs.clone(), sr.clone(), ss.clone(), cr.clone()],
            vec![format!("web 3 10+50{at}"), format!("api 2 20+30{at}{shared}")],
        ),
        (
            "both of one service",
            times.into(),
            vec![cs.clone(), told("sr", 20, "web"), told("ss", 50, "web"), cr.clone()],
            vec![format!("web 3 10+50{at}"), format!("web 2 20+30{at}{shared}")],
        ),
        (
            "one way",
            String::new(),
            vec![cs.clone(), sr.clone()],
            vec![format!("web 3 10+0{at}"), format!("api 2 20+0{at}{shared}")],
        ),
        ("a begin that is lost", times.into(), vec![cr.clone()], vec![format!("web 3 10+50{at}")]),
        ("an end that is lost", String::new(), vec![cs.clone()], vec![format!("web 3 10+0{at}")]),
        (
            "a lost begin without times",
            String::new(),
            vec![cr.clone()],
            vec![format!("web 3 60+0 !cr{at} zipkin.no_timestamp=true")],
        ),
        (
            "a message",
            String::new(),
            vec![told("ms", 5, "web"), told("ws", 7, "web")],
            vec![format!("web 4 5+2{at}")],
        ),
        (
            "a message that came",
            String::new(),
            vec![told("wr", 5, "api"), told("mr", 9, "api")],
            vec![format!("api 5 5+4{at}")],
        ),
        (
            "a message and its end in one",
            String::new(),
            vec![told("ms", 5, "web"), told("mr", 9, "web")],
            vec![format!("web 4 5+0{at}"), format!("web 5 9+0{at}{shared}")],
        ),
        (
            "wire without a message",
            String::new(),
            vec![told("ws", 5, "web")],
            vec![format!("web 0 5+0 !ws{at} zipkin.no_timestamp=true")],
        ),
    ];
    for (what, members, annotations, expected) in cases {
        let comma = if members.is_empty() { "" } else { "," };
        let annotations = annotations.join(",");
        let span = format!(r#"{{"traceId":"1","id":"1","annotations":[{annotations}]{comma}{members}}}"#);
        assert_eq!(lines(&span), expected, "{what}");
    }
}

#[test]
fn tags_and_addresses_go_to_their_side() {
    let (cs, sr) = (told("cs", 10, "web"), told("sr", 20, "api"));
    let tag = r#"{"key":"http.path","value":"/","endpoint":{"serviceName":"api"}}"#;
    let at = "network.local.address=10.0.0.1";
    let cases: Vec<(&str, String, String, Vec<String>)> = vec![
        ("a tag of the server", [&*cs, &sr].join(","), tag.into(), vec![
            format!("web 3 10+0 {at}"),
            format!("api 2 20+0 http.path=/ {at} zipkin.shared=true"),
        ]),
        ("whom the client calls", cs.clone(), address("sa", "api"), vec![
            format!("web 3 10+0 peer.service=api {at} network.peer.port=80"),
        ]),
        ("who calls the server", sr.clone(), address("ca", "web"), vec![
            format!("api 2 20+0 peer.service=web {at} network.peer.port=80 zipkin.shared=true"),
        ]),
        ("nobody is called by themselves", sr.clone(), address("ca", "api"), vec![
            format!("api 2 20+0 {at} network.peer.port=80 zipkin.shared=true"),
        ]),
        ("a broker", told("ms", 5, "web"), address("ma", "kafka"), vec![
            format!("web 4 5+0 peer.service=kafka {at} network.peer.port=80"),
        ]),
        ("a local span", String::new(), r#"{"key":"lc","value":"","endpoint":{"serviceName":"web"}},{"key":"lc","value":"db","endpoint":{"serviceName":"web"}}"#.into(), vec!["web 0 0+0 lc=db".to_owned()]),
        ("only a server's address", String::new(), address("sa", "api"), vec![" 0 0+0 peer.service=api network.peer.port=80".to_owned()]),
        ("only a client's address", String::new(), address("ca", "web"), vec![" 2 0+0 peer.service=web network.peer.port=80".to_owned()]),
        ("both addresses", String::new(), [address("ca", "web"), address("sa", "api")].join(","), vec![
            "web 0 0+0 peer.service=api network.local.port=80 network.peer.port=80".to_owned(),
        ]),
    ];
    for (what, annotations, tags, expected) in cases {
        let span = format!(
            r#"{{"traceId":"1","id":"1","annotations":[{annotations}],"binaryAnnotations":[{tags}]}}"#
        );
        let sorted = |line: &String| {
            let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            words.sort();
            words
        };
        let (seen, expected): (Vec<_>, Vec<_>) =
            (lines(&span).iter().map(sorted).collect(), expected.iter().map(sorted).collect());
        assert_eq!(seen, expected, "{what}");
    }
}

#[test]
fn what_a_span_says_besides_stays() {
    let span = r#"{"traceId":"00000000000000ab","parentId":"2","id":"1","name":"get","debug":true,"timestamp":5,
        "duration":7,"binaryAnnotations":[{"key":"error","value":"late","type":"STRING"},{"key":"n","value":12.5}]}"#;
    let report = decode(decode_v1_json, span.as_bytes()).unwrap();
    let expected = json!({
        "traceId": "000000000000000000000000000000ab", "parentSpanId": "0000000000000002",
        "spanId": "0000000000000001", "name": "get",
        "startTimeUnixNano": "5000", "endTimeUnixNano": "12000",
        "attributes": {"error": "late", "n": "12.5", "zipkin.debug": true},
        "status": {"code": 2, "message": "late"},
    });
    assert_eq!(services(&report), [(String::new(), vec![expected])]);
}

#[test]
fn a_span_of_very_many_services_is_left_out_in_no_time() {
    let of = |services: usize| {
        let annotations: Vec<String> = (0..services).map(|at| told("x", 5, &format!("s{at}"))).collect();
        format!(r#"[{{"traceId":"1","id":"1","annotations":[{}]}}]"#, annotations.join(","))
    };
    let report = decode(decode_v1_json, of(16).as_bytes()).unwrap();
    assert_eq!((report.rejected, services(&report).len()), (0, 16));
    let report = decode(decode_v1_json, of(200_000).as_bytes()).unwrap();
    let reason = "span 0 is told by more than 16 services";
    assert_eq!((report.rejected, report.first_reason.as_deref()), (1, Some(reason)));
}
