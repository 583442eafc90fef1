#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::Duration;

use super::*;

fn read(text: &str) -> Result<AmConfig, Vec<String>> {
    parse(text, Path::new("/etc/am")).map_err(|faults| faults.iter().map(shown).collect())
}

fn shown(fault: &Fault) -> String {
    let place = fault.place.map(|place| format!("{}:{} ", place.line, place.column));
    format!("{}{}", place.unwrap_or_default(), fault.message)
}

/// A file with one receiver of one integration.
fn with(kind: &str, settings: &str) -> String {
    format!("route: {{receiver: r}}\nreceivers:\n- name: r\n  {kind}_configs:\n  - {settings}\n")
}

fn settings(kind: &str, settings: &str) -> Settings {
    let mut config = read(&with(kind, settings)).unwrap();
    config.receivers.remove(0).integrations.remove(0).settings
}

const TREE: &str = "\
route:
  receiver: a
  group_by: [alertname, zone]
  group_wait: 10s
  labels: {team: x}
  routes:
  - match: {service: db}
    match_re: {zone: eu-.*}
    matchers: ['severity != info', '{a=\"b\",c=~\"d\"}']
    repeat_interval: 1h30m
    continue: true
    mute_time_intervals: [nights]
    routes:
    - receiver: b
      group_by: ['...']
      labels: {rank: '1'}
  - group_by: []
receivers: [{name: a}, {name: b}]
inhibit_rules:
- {name: n, source_matchers: [severity=critical], target_match: {severity: warning}, equal: [zone]}
mute_time_intervals:
- name: nights
  time_intervals:
  - times: [{start_time: 00:00, end_time: 06:00}]
    years: [2026]
templates: [t/*.tmpl, /abs/x.tmpl]
";

#[test]
fn routes_inherit_what_they_do_not_say() {
    let config = read(TREE).unwrap();
    let root = &config.route;
    let named = |labels: &[&str]| GroupBy::Labels(labels.iter().map(|label| (*label).to_owned()).collect());
    assert_eq!((root.group_by.clone(), root.group_wait.as_secs()), (named(&["alertname", "zone"]), 10));
    assert_eq!(
        (root.group_interval, root.repeat_interval),
        (Duration::from_secs(300), Duration::from_secs(14400))
    );
    let [first, second] = &root.routes[..] else { panic!("{root:?}") };
    assert_eq!(
        (first.receiver.as_str(), first.continue_, first.repeat_interval.as_secs()),
        ("a", true, 5400)
    );
    let matchers: Vec<String> = first.matchers.iter().map(ToString::to_string).collect();
    let expected = ["a=\"b\"", "c=~\"d\"", "service=\"db\"", "severity!=\"info\"", "zone=~\"^(?:eu-.*)$\""];
    assert_eq!(matchers, expected);
    assert_eq!(first.mute_time_intervals, ["nights"]);
    let deep = &first.routes[0];
    assert_eq!((deep.receiver.as_str(), &deep.group_by), ("b", &GroupBy::All));
    assert_eq!((deep.group_wait.as_secs(), deep.repeat_interval.as_secs()), (10, 5400));
    assert!(deep.mute_time_intervals.is_empty() && deep.matchers.is_empty());
    assert_eq!(deep.labels.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>(), ["rank=1", "team=x"]);
    assert_eq!(second.group_by, named(&[]));
    let rule = &config.inhibit_rules[0];
    assert_eq!(rule.source_matchers[0].to_string(), "severity=\"critical\"");
    assert_eq!((rule.target_matchers.len(), rule.equal.len(), rule.name.as_str()), (1, 1, "n"));
    assert_eq!(config.time_intervals["nights"].len(), 1);
    assert_eq!(config.templates, [Path::new("/etc/am/t/*.tmpl"), Path::new("/abs/x.tmpl")]);
    assert_eq!(config.receiver("b").unwrap().labels["name"], "b");
}

#[test]
fn files_that_are_wrong_are_told_where() {
    let root = "route: {receiver: a}\nreceivers: [{name: a}]\n";
    let cases = [
        ("", "route: is missing: every file has a root route with a receiver"),
        ("route: [", "1:8 not valid YAML"),
        ("route: {}\n", "1:8 route.receiver: the root route must name a receiver"),
        ("route: {receiver: b}\n", "1:19 route.receiver: there is no receiver \"b\" under receivers"),
        (&format!("{root}receivers: []\n"), "3:1 not valid YAML"),
        (&format!("{root}what: 1\n"), "3:1 unknown key \"what\""),
        (
            "route: {receiver: a}\nreceivers:\n- name: a\n- name: a\n",
            "4:9 receivers[1].name: there are two receivers \"a\"",
        ),
        ("route: {receiver: a}\nreceivers: [{name: a}, {}]\n", "2:24 receivers[1].name: is missing"),
        (
            "route: {receiver: a}\nreceivers: [{name: a, labels: {name: b}}]\n",
            "2:31 receivers[0].labels: the label \"name\" must be",
        ),
        ("route: {receiver: a, continue: yes}\nreceivers: [{name: a}]\n", "1:32 route.continue: the root"),
        (
            "route: {receiver: a, match: {b: c}}\nreceivers: [{name: a}]\n",
            "1:29 route.match: the root route takes",
        ),
        ("route: {receiver: a, matchers: [b=c]}\nreceivers: [{name: a}]\n", "1:32 route.matchers: the root"),
        ("route: {receiver: a, mute_time_intervals: [b]}\nreceivers: [{name: a}]\n", "1:43 route.mute_time"),
        (
            "route: {receiver: a, group_interval: 0s}\nreceivers: [{name: a}]\n",
            "1:38 route.group_interval: cannot be zero",
        ),
        (
            "route: {receiver: a, repeat_interval: 1x}\nreceivers: [{name: a}]\n",
            "1:39 route.repeat_interval: \"1x\" is no duration",
        ),
        (
            "route: {receiver: a, group_by: [a, ...]}\nreceivers: [{name: a}]\n",
            "1:32 route.group_by: \"...\" stands",
        ),
        (
            "route: {receiver: a, group_by: [a, a]}\nreceivers: [{name: a}]\n",
            "1:32 route.group_by: a label is given twice",
        ),
        (
            "route: {receiver: a, routes: [{active_time_intervals: [x]}]}\nreceivers: [{name: a}]\n",
            "1:55 route.routes[0].active_time_intervals: there is no \"x\"",
        ),
        (
            "route: {receiver: a, routes: [{match: {b-c: d}}]}\nreceivers: [{name: a}]\n",
            "1:40 route.routes[0].match.b-c: is no label name",
        ),
        (
            "route: {receiver: a, routes: [{match_re: {b: '('}}]}\nreceivers: [{name: a}]\n",
            "1:46 route.routes[0].match_re.b: ",
        ),
        (
            "route: {receiver: a, routes: [{matchers: ['b=~(']}]}\nreceivers: [{name: a}]\n",
            "1:43 route.routes[0].matchers: ",
        ),
        (
            &format!("{root}time_intervals: [{{time_intervals: []}}]\n"),
            "3:18 time_intervals[0].name: is missing",
        ),
        (
            &format!("{root}time_intervals: [{{name: x, time_intervals: [{{months: [13]}}]}}]\n"),
            "3:45 time_intervals: ",
        ),
        (
            &format!("{root}time_intervals: [{{name: x}}]\nmute_time_intervals: [{{name: x}}]\n"),
            "3:25 time_intervals[0].name: \"x\" is given twice",
        ),
        (
            &format!("{root}global: {{resolve_timeout: soon}}\n"),
            "3:27 global.resolve_timeout: \"soon\" is no duration",
        ),
        (
            &format!("{root}global: {{smtp_smarthost: host}}\n"),
            "3:26 global.smtp_smarthost: \"host\" is no host:port",
        ),
        (&format!("{root}tracing: {{}}\n"), "3:10 tracing.endpoint: is missing"),
    ];
    for (text, expected) in cases {
        let faults = read(text).unwrap_err();
        assert!(faults.iter().any(|fault| fault.starts_with(expected)), "{text}: {faults:#?}");
    }
}

#[test]
fn integrations_that_are_wrong_are_told_where() {
    let cases = [
        ("webhook", "{}", "5:5 receivers[0].webhook_configs[0]: one of url and url_file must be given"),
        ("webhook", "~", "5:5 receivers[0].webhook_configs[0]: one of url and url_file must be given"),
        (
            "webhook",
            "{url: 'http://a', url_file: b}",
            "5:33 receivers[0].webhook_configs[0].url_file: at most one",
        ),
        ("webhook", "{url: 'ftp://a'}", "5:11 receivers[0].webhook_configs[0].url: a URL begins with http"),
        (
            "webhook",
            "{url: 'http://a', max_alert: 1}",
            "5:23 unknown key \"receivers[0].webhook_configs[0].max_alert\"",
        ),
        (
            "webhook",
            "{url: 'http://a', timeout: 1d}",
            "5:32 receivers[0].webhook_configs[0].timeout: \"1d\" is no",
        ),
        (
            "webhook",
            "{url: 'http://a', http_config: {basic_auth: {username: u}, bearer_token: t}}",
            "5:36 receivers[0].webhook_configs[0].http_config: at most one of basic_auth",
        ),
        (
            "webhook",
            "{url: 'http://a', http_config: {tls_config: {cert: c}}}",
            "5:49 receivers[0].webhook_configs[0].http_config.tls_config: a certificate and its key",
        ),
        (
            "webhook",
            "{url: 'http://a', http_config: {http_headers: {Host: {values: [a]}}}}",
            "5:52 receivers[0].webhook_configs[0].http_config.http_headers: the header \"Host\"",
        ),
        ("email", "{to: a@b}", "5:5 receivers[0].email_configs[0]: no mail server"),
        ("email", "{smarthost: 'a:25', from: x}", "5:5 receivers[0].email_configs[0].to: is missing"),
        (
            "email",
            "{to: a@b, from: x, smarthost: 'a:25', headers: {subject: a, Subject: b}}",
            "5:52 receivers[0].email_configs[0].headers: the header Subject is given twice",
        ),
        (
            "email",
            "{to: a@b, from: x, smarthost: 'a:25', threading: {enabled: true}}",
            "5:54 receivers[0].email_configs[0].threading.thread_by_date: must be",
        ),
        ("slack", "{}", "5:5 receivers[0].slack_configs[0]: no address"),
        (
            "slack",
            "{api_url: 'http://a', fields: [{title: a}]}",
            "5:36 receivers[0].slack_configs[0].fields[0].value: is missing",
        ),
        (
            "slack",
            "{api_url: 'http://a', actions: [{type: a, text: b}]}",
            "5:37 receivers[0].slack_configs[0].actions[0]: one of url",
        ),
        ("pagerduty", "{}", "5:5 receivers[0].pagerduty_configs[0]: one of routing_key"),
        (
            "pagerduty",
            "{routing_key: a, routing_key_file: b}",
            "5:40 receivers[0].pagerduty_configs[0].routing_key_file",
        ),
        (
            "opsgenie",
            "{api_key: a, responders: [{type: team}]}",
            "5:31 receivers[0].opsgenie_configs[0].responders[0]: one of",
        ),
        ("pushover", "{token: a}", "5:5 receivers[0].pushover_configs[0]: one of user_key"),
        ("telegram", "{bot_token: a}", "5:5 receivers[0].telegram_configs[0]: one of chat_id"),
        ("discord", "{}", "5:5 receivers[0].discord_configs[0]: one of webhook_url"),
        ("msteamsv2", "{webhook_url: x}", "5:19 receivers[0].msteamsv2_configs[0].webhook_url: is no URL"),
        ("webex", "{room_id: a}", "5:5 receivers[0].webex_configs[0]: http_config.authorization"),
        (
            "jira",
            "{project: a, api_url: 'http://a'}",
            "5:5 receivers[0].jira_configs[0].issue_type: is missing",
        ),
        ("sns", "{}", "5:5 receivers[0].sns_configs[0]: one of target_arn"),
        (
            "incidentio",
            "{url: 'http://a', http_config: {}}",
            "5:5 receivers[0].incidentio_configs[0]: one of alert_source_token",
        ),
    ];
    for (kind, settings, expected) in cases {
        let faults = read(&with(kind, settings)).unwrap_err();
        assert!(faults.iter().any(|fault| fault.starts_with(expected)), "{kind} {settings}: {faults:#?}");
    }
}

#[test]
fn all_faults_are_told_in_the_order_of_the_file() {
    let text =
        "route: {receiver: x, group_wait: 1q}\nreceivers:\n- name: a\n  email_configs: [{}]\nwhat: 1\n";
    let places: Vec<_> =
        parse(text, Path::new("")).unwrap_err().iter().map(|f| f.place.unwrap().line).collect();
    assert_eq!(places, [1, 1, 4, 4, 4, 5], "{:?}", read(text));
}

#[test]
fn integrations_take_what_is_global() {
    let text = "\
global:
  smtp_smarthost: mail.example.org:587
  smtp_from: narrows@example.org
  smtp_auth_username: u
  smtp_auth_password_file: pw
  slack_app_token: xoxb-secret
  http_config: {bearer_token: hush, follow_redirects: false}
route: {receiver: r}
receivers:
- name: r
  slack_configs: [{channel: '#a', http_config: {}}]
  email_configs:
  - {to: a@b, require_tls: false, headers: {in-reply-TO: x}}
  - {to: c@d, smarthost: '[::1]:465', auth_password: p, send_resolved: true}
  webhook_configs: [{url: 'http://h/{{ .Receiver }}', max_alerts: 3, timeout: 2s, payload: {a: [1, true, x]}}]
  pagerduty_configs: [{routing_key: k, details: {num_firing: 7, more: x}, client: c}]
  opsgenie_configs: [{api_key: k}]
";
    let config = read(text).unwrap();
    let all = &config.receivers[0].integrations;
    let kinds: Vec<_> = all.iter().map(|one| (one.kind, one.index, one.send_resolved)).collect();
    let expected = [
        ("webhook", 0, true),
        ("email", 0, false),
        ("email", 1, true),
        ("pagerduty", 0, true),
        ("opsgenie", 0, true),
        ("slack", 0, false),
    ];
    assert_eq!(kinds, expected);
    let Settings::Webhook(webhook) = &all[0].settings else { panic!() };
    assert_eq!((webhook.max_alerts, webhook.timeout), (3, Some(Duration::from_secs(2))));
    assert_eq!(webhook.payload, Some(serde_json::json!({"a": [1, true, "x"]})));
    assert_eq!(webhook.http.auth, Auth::Token("Bearer".to_owned(), Secret::Text("hush".to_owned())));
    assert!(!webhook.http.follow_redirects);
    let Settings::Email(first) = &all[1].settings else { panic!() };
    assert_eq!((first.from.as_str(), first.hello.as_str()), ("narrows@example.org", "localhost"));
    assert_eq!(first.password, Some(Secret::File(PathBuf::from("/etc/am/pw"))));
    assert!(!first.require_tls && !first.implicit_tls && first.headers.contains_key("In-Reply-To"));
    let Settings::Email(second) = &all[2].settings else { panic!() };
    assert_eq!(second.smarthost, HostPort { host: "::1".to_owned(), port: 465 });
    assert_eq!(second.password, Some(Secret::Text("p".to_owned())));
    assert!(second.require_tls && second.implicit_tls);
    let Settings::PagerDuty(pagerduty) = &all[3].settings else { panic!() };
    assert_eq!((pagerduty.details["num_firing"].clone(), pagerduty.source.as_str()), (7.into(), "c"));
    assert_eq!((pagerduty.details.len(), pagerduty.severity.as_str()), (5, "error"));
    let Settings::Slack(slack) = &all[5].settings else { panic!() };
    assert_eq!(slack.http.auth, Auth::Token("Bearer".to_owned(), Secret::Text("xoxb-secret".to_owned())));
    assert_eq!(slack.url, Secret::Text("https://slack.com/api/chat.postMessage".to_owned()));
    assert_eq!(slack.title, "{{ template \"slack.default.title\" . }}");
    assert!(config.notes.iter().any(|note| note.message.contains("opsgenie is read, but not sent yet")));
    assert_eq!(all[4].unsupported().unwrap(), "opsgenie is not sent yet");
    let debug = format!("{config:?}");
    for secret in ["hush", "xoxb-secret", "Text(\"p\")"] {
        assert!(!debug.contains(secret), "{secret} is shown");
    }
    assert!(config.original.contains("slack_app_token: <secret>"), "{}", config.original);
}

#[test]
fn http_is_read_in_full() {
    let text = "{url: 'http://a', http_config: {authorization: {type: Token, credentials_file: c}, \
        tls_config: {ca_file: ca.pem, server_name: n, min_version: TLS13, insecure_skip_verify: yes}, \
        proxy_url: 'http://u:p@proxy:1', no_proxy: 'a,b', http_headers: {X-A: {values: [v], secrets: [s], files: [f]}}}}";
    let Settings::Webhook(webhook) = settings("webhook", text) else { panic!() };
    let http = webhook.http;
    assert_eq!(http.auth, Auth::Token("Token".to_owned(), Secret::File(PathBuf::from("/etc/am/c"))));
    assert!(http.tls.only_tls13 && http.tls.insecure_skip_verify && http.follow_redirects);
    assert_eq!(http.proxy, Proxy::Url("http://u:p@proxy:1".to_owned(), Some("a,b".to_owned())));
    assert_eq!(http.headers.len(), 3);
    assert!(!format!("{http:?}").contains("u:p"));
}

#[test]
fn oauth2_asks_with_credentials_and_says_what_it_cannot() {
    let text = "{url: 'http://a', http_config: {oauth2: {client_id: a, client_secret: hush, token_url: 'http://t/x', \
        scopes: [b, c], endpoint_params: {d: e}, tls_config: {server_name: n}}}}";
    let config = read(&with("webhook", text)).unwrap();
    let integration = &config.receivers[0].integrations[0];
    let Settings::Webhook(webhook) = &integration.settings else { panic!() };
    let Auth::OAuth2(asked) = &webhook.http.auth else { panic!("{:?}", webhook.http.auth) };
    assert_eq!((asked.client_id.as_str(), asked.token_url.as_str()), ("a", "http://t/x"));
    assert_eq!((asked.scopes.join(" "), asked.params["d"].as_str()), ("b c".to_owned(), "e"));
    assert_eq!((asked.tls.server_name.as_deref(), integration.unsupported()), (Some("n"), None));
    assert!(!config.original.contains("hush") && !format!("{asked:?}").contains("hush"));

    let signed = "{url: 'http://a', http_config: {oauth2: {client_id: a, token_url: 'http://t', client_certificate_key: k}}}";
    let config = read(&with("webhook", signed)).unwrap();
    let integration = &config.receivers[0].integrations[0];
    assert_eq!(integration.unsupported().unwrap(), "webhook with a signed oauth2 assertion is not sent yet");
    assert!(
        config.notes.iter().any(|note| note.message.contains("an assertion that is signed is not there yet"))
    );

    let wrong = "{url: 'http://a', http_config: {oauth2: {scopes: [b]}, basic_auth: {username: u}}}";
    let faults = read(&with("webhook", wrong)).unwrap_err().join("; ");
    for part in ["client_id: is missing", "token_url: is missing", "at most one of"] {
        assert!(faults.contains(part), "{part}: {faults}");
    }
}
