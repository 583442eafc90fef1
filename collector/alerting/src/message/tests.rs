#![allow(clippy::unwrap_used)]

use super::*;
use crate::config;

fn labels(pairs: &[(&str, &str)]) -> LabelSet {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// 2026-11-26 10:03:20 UTC
const START_MS: i64 = 1_795_687_400_000;

fn alert(host: &str, ends_after_s: i64) -> Alert {
    Alert {
        labels: labels(&[("alertname", "HostSilent"), ("host", host), ("severity", "critical")]),
        annotations: labels(&[
            ("summary", &format!("{host} says <nothing> & more")),
            ("runbook_url", "https://run/book"),
        ]),
        starts_at_ms: START_MS,
        ends_at_ms: START_MS + ends_after_s * 1000,
        generator_url: "https://n.example/alerts/rules?rule=host/HostSilent".to_owned(),
    }
}

/// A group of which two alerts fire, and one has ended after 4 minutes.
fn message() -> Message {
    Message {
        tenant: "default".to_owned(),
        receiver: "on-call.eu".to_owned(),
        group_key: "{}:{alertname=\"HostSilent\"}".to_owned(),
        group_labels: labels(&[("alertname", "HostSilent")]),
        route_labels: labels(&[("team", "x")]),
        notification_reason: "firing".to_owned(),
        at_ms: START_MS + 843_000,
        alerts: vec![alert("db-1", 9999), alert("db-2", 9999), alert("db-3", 240)],
    }
}

fn render(text: &str, message: &Message) -> Result<String, String> {
    let texts = Texts::shipped("https://n.example/");
    texts.of(message).text(text).map_err(|error| error.to_string())
}

#[test]
fn texts_have_what_alertmanager_gives_them() {
    let cases = [
        ("{{ .Receiver }} {{ .Status }}", r"on-call\.eu firing"),
        ("{{ .Alerts | len }} {{ .Alerts.Firing | len }} {{ len .Alerts.Resolved }}", "3 2 1"),
        ("{{ range .Alerts.Resolved }}{{ .Labels.host }} {{ .Status }}{{ end }}", "db-3 resolved"),
        ("{{ .GroupLabels.SortedPairs.Values | join \" \" }}", "HostSilent"),
        ("{{ .CommonLabels.Names | join \",\" }}", "alertname,severity"),
        ("{{ (.CommonLabels.Remove .GroupLabels.Names).Values.Join \"/\" }}", "critical"),
        (
            "{{ with .CommonLabels.Remove (stringSlice \"severity\") }}{{ .Names.Join \"\" }}{{ end }}",
            "alertname",
        ),
        (
            "{{ range .CommonLabels.SortedPairs }}{{ .Name }}={{ .Value }};{{ end }}",
            "alertname=HostSilent;severity=critical;",
        ),
        ("{{ .CommonAnnotations.runbook_url }}|{{ .CommonAnnotations.summary }}", "https://run/book|"),
        (
            "{{ .ExternalURL }} {{ .NotificationReason }} {{ routeLabels \"team\" }}{{ .RouteLabels.team }}",
            "https://n.example firing xx",
        ),
        ("{{ (index .Alerts 0).StartsAt.Format \"2006-01-02 15:04:05 MST\" }}", "2026-11-26 10:03:20 UTC"),
        ("{{ (index .Alerts 0).EndsAt.IsZero }} {{ (index .Alerts 2).EndsAt.IsZero }}", "true false"),
        (
            "{{ (index .Alerts 0).Fingerprint | len }} {{ (index .Alerts 0).GeneratorURL }}",
            "16 https://n.example/alerts/rules?rule=host/HostSilent",
        ),
        ("{{ since (index .Alerts 0).StartsAt | humanizeDuration }}", "14m 3s"),
        ("{{ (index .Alerts 0).StartsAt | tz \"Europe/Berlin\" | date \"15:04 MST\" }}", "11:03 CET"),
        (
            "{{ \"aBc\" | toUpper }}{{ \"aBc\" | toLower }}{{ \"ab cd\" | title }}{{ \" x \" | trimSpace }}",
            "ABCabcAb Cdx",
        ),
        ("{{ match \"^a.\" \"ab\" }} {{ reReplaceAll \"a(.)\" \"$1$1\" \"ab\" }}", "true bb"),
        ("{{ \"a+b%2Fc\" | urlUnescape }} {{ \"<\" | safeHtml }}{{ safeUrl \"u\" }}", "a b/c <u"),
        ("{{ .GroupLabels | toJson }}", r#"{"alertname":"HostSilent"}"#),
        ("{{ list 1 true \"<a>\" | toJson }}", r#"[1,true,"\u003ca\u003e"]"#),
        ("{{ (dict \"a\" 1 \"b\" (list 2)) | toJson }}{{ append (list 1) 2 | len }}", r#"{"a":1,"b":[2]}2"#),
        ("{{ \"a?\" | base64encode }} {{ \"YT8=\" | base64decode }}", "YT8= a?"),
        (
            "{{ (toDate \"2006-01-02\" \"2026-11-26\").Unix }} {{ (toDate \"2006\" \"x\").IsZero }}",
            "1795651200 true",
        ),
        (
            "{{ (mustToDate \"2006-01-02T15:04:05Z07:00\" \"2026-11-26T11:03:20+01:00\").UnixMilli }}",
            "1795687400000",
        ),
        ("{{ (mustToDate \"Jan _2 15:04:05 2006\" \"Nov 26 10:03:20 2026\").UnixMilli }}", "1795687400000"),
        (
            "{{ silenceLink .GroupLabels }}",
            "https://n.example/alerts/silences/new?filter=%7Balertname%3D%22HostSilent%22%7D",
        ),
        ("{{ .CommonLabels.nothing }}{{ .Alerts.Firing.Names }}", "[]"),
    ];
    for (text, expected) in cases {
        assert_eq!(render(text, &message()).as_deref(), Ok(expected), "{text}");
    }
    for bad in [
        "{{ nothing }}",
        "{{ .Nothing }}",
        "{{ \"x\" | since }}",
        "{{ tz \"Mars\" (index .Alerts 0).StartsAt }}",
        "{{ mustToDate \"2006\" \"x\" }}",
    ] {
        assert!(render(bad, &message()).is_err(), "{bad}");
    }
    let json = render("{{ .Alerts.Resolved | toJson }}", &message()).unwrap();
    let expected = r#"[{"status":"resolved","labels":{"alertname":"HostSilent","host":"db-3","severity":"critical"},"annotations":{"runbook_url":"https://run/book","summary":"db-3 says \u003cnothing\u003e \u0026 more"},"startsAt":"2026-11-26T10:03:20Z","endsAt":"2026-11-26T10:07:20Z","generatorURL":"https://n.example/alerts/rules?rule=host/HostSilent","fingerprint":""#;
    assert!(json.starts_with(expected), "{json}");
}

/// The message with these alerts only.
fn with(alerts: &[Alert]) -> Message {
    Message { alerts: alerts.to_vec(), ..message() }
}

#[test]
fn subjects_say_what_and_where() {
    let subject = "{{ template \"__subject\" . }}";
    let cases = [
        (message(), "Firing (2): HostSilent"),
        (with(&[alert("db-1", 9999)]), "Firing: HostSilent, host db-1"),
        (with(&[alert("db-1", 60)]), "Resolved: HostSilent, host db-1"),
        (with(&[alert("db-1", 60), alert("db-2", 60)]), "Resolved (2): HostSilent"),
    ];
    for (message, expected) in cases {
        assert_eq!(render(subject, &message).as_deref(), Ok(expected));
    }
    let group = labels(&[("alertname", "HostSilent"), ("host", "db-1"), ("service", "")]);
    let grouped = Message { group_labels: group, ..message() };
    assert_eq!(render(subject, &grouped).as_deref(), Ok("Firing (2): HostSilent, host db-1"));
}

#[test]
fn the_text_of_a_mail_says_what_to_look_at() {
    let text = render("{{ template \"email.default.text\" . }}", &with(&[alert("db-1", 9999)])).unwrap();
    let fingerprint = alert("db-1", 9999).fingerprint();
    let expected = format!(
        "Firing: HostSilent, host db-1

HostSilent
  db-1 says <nothing> & more
  since 2026-11-26 10:03:20 UTC (14m 3s)
  host db-1, severity critical
  Runbook: https://run/book
  Open:    https://n.example/alerts/{fingerprint:016x}
  Silence: https://n.example/alerts/silences/new?filter=%7Balertname%3D%22HostSilent%22%2Chost%3D%22db-1%22%2Cseverity%3D%22critical%22%7D
  Rule:    https://n.example/alerts/rules?rule=host/HostSilent


All alerts of this group: https://n.example/alerts?filter=%7Balertname%3D%22HostSilent%22%7D
Told to on-call.eu by Narrows, https://n.example
"
    );
    assert_eq!(text, expected);
}

#[test]
fn html_is_escaped_and_has_links() {
    let texts = Texts::shipped("https://n.example");
    let message = with(&[alert("<b>db</b>", 9999), alert("db-2", 240)]);
    let html = texts.of(&message).html("{{ template \"email.default.html\" . }}").unwrap();
    assert!(!html.contains("<b>db") && html.contains("&lt;b&gt;db"), "{html}");
    assert!(html.contains("10:03:20 to 10:07:20 UTC (4m 0s)"), "{html}");
    for alert in &message.alerts {
        assert!(html.contains(&format!("href=\"https://n.example/alerts/{:016x}\"", alert.fingerprint())));
    }
    assert_eq!(html.matches(">Silence</a>").count(), 1, "what is over is not silenced");
    assert!(html.contains("prefers-color-scheme: dark") && html.contains("width=device-width"));
    assert!(!html.contains("ZgotmplZ"), "{html}");
}

#[test]
fn the_verdict_of_an_alert_is_in_every_text() {
    let explained = |mut alert: Alert| {
        for (name, value) in [
            ("verdict", "edge is slow: catalog <waits>"),
            ("verdict_evidence_1", "waits 70 ms"),
            ("verdict_evidence_2", "20 of 20 connections"),
            ("verdict_url", "https://n.example/bottlenecks/v1"),
        ] {
            alert.annotations.insert(name.to_owned(), value.to_owned());
        }
        alert
    };
    let message = with(&[explained(alert("db-1", 9999))]);
    let text = render("{{ template \"email.default.text\" . }}", &message).unwrap();
    let expected = "  Why:     edge is slow: catalog <waits>
           - waits 70 ms
           - 20 of 20 connections
  Verdict: https://n.example/bottlenecks/v1
  Runbook: https://run/book
";
    assert!(text.contains(expected), "{text}");
    let html = Texts::shipped("https://n.example")
        .of(&message)
        .html("{{ template \"email.default.html\" . }}")
        .unwrap();
    assert!(html.contains("catalog &lt;waits&gt;") && html.contains("waits 70 ms<br>20 of 20"), "{html}");
    assert!(
        html.contains("href=\"https://n.example/bottlenecks/v1\"") && !html.contains("ZgotmplZ"),
        "{html}"
    );
    let slack = render("{{ template \"slack.default.text\" . }}", &message).unwrap();
    assert!(
        slack.contains("*Why:* edge is slow: catalog &lt;waits&gt;\n• waits 70 ms\n• 20 of 20"),
        "{slack}"
    );
    assert!(slack.contains("<https://n.example/bottlenecks/v1|Verdict>"), "{slack}");
    let details = render("{{ template \"pagerduty.default.instances\" .Alerts.Firing }}", &message).unwrap();
    assert!(details.contains("Why:     edge is slow") && details.contains("bottlenecks/v1"), "{details}");
    let markdown = render("{{ template \"msteams.default.text\" . }}", &message).unwrap();
    assert!(markdown.contains("Why: edge is slow") && markdown.contains("[Verdict](https://"), "{markdown}");
    let own =
        render("{{ .CommonAnnotations.verdict }}|{{ (index .Alerts 0).Annotations.verdict_url }}", &message);
    assert_eq!(own.as_deref(), Ok("edge is slow: catalog <waits>|https://n.example/bottlenecks/v1"));
}

/// Every name that Alertmanager's own files define can be called, and gives something or nothing.
#[test]
fn names_of_alertmanagers_templates_are_there() {
    let of_lists = ["__text_alert_list", "__text_alert_list_markdown", "pagerduty.default.instances"];
    let of_data = [
        "__alertmanager __alertmanagerURL __subject __description",
        "slack.default.title slack.default.username slack.default.fallback slack.default.callbackid",
        "slack.default.pretext slack.default.titlelink slack.default.iconemoji slack.default.iconurl",
        "slack.default.text slack.default.footer slack.default.color",
        "pagerduty.default.description pagerduty.default.client pagerduty.default.clientURL",
        "opsgenie.default.message opsgenie.default.description opsgenie.default.source",
        "wechat.default.message wechat.default.to_user wechat.default.to_party wechat.default.to_tag",
        "wechat.default.agent_id victorops.default.state_message victorops.default.entity_display_name",
        "victorops.default.monitoring_tool pushover.default.title pushover.default.message",
        "pushover.default.url sns.default.subject sns.default.message telegram.default.message",
        "discord.default.content discord.default.title discord.default.message webex.default.message",
        "msteams.default.summary msteams.default.title msteams.default.text msteamsv2.default.title",
        "msteamsv2.default.text jira.default.summary jira.default.description jira.default.priority",
        "rocketchat.default.title rocketchat.default.alias rocketchat.default.titlelink",
        "rocketchat.default.emoji rocketchat.default.iconurl rocketchat.default.text",
        "mattermost.default.color mattermost.default.username mattermost.default.title",
        "mattermost.default.titlelink mattermost.default.fallback mattermost.default.text",
        "email.default.subject email.default.html email.default.text",
    ];
    for name in of_data.iter().flat_map(|line| line.split(' ')) {
        let text = render(&format!("{{{{ template \"{name}\" . }}}}"), &message());
        assert!(text.is_ok(), "{name}: {text:?}");
    }
    for name in of_lists {
        let text = render(&format!("{{{{ template \"{name}\" .Alerts.Firing }}}}"), &message()).unwrap();
        assert!(text.contains("db-2"), "{name}: {text}");
    }
    assert_eq!(render("{{ template \"jira.default.priority\" . }}", &message()).as_deref(), Ok("High"));
}

#[test]
fn files_of_users_come_over_ours() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.tmpl");
    std::fs::write(&path, "{{ define \"slack.default.title\" }}own: {{ template \"__subject\" . }}{{ end }}")
        .unwrap();
    let text = "route: {receiver: a}\nreceivers: [{name: a}]\ntemplates: ['*.tmpl', 'none/*']\n";
    let config = config::parse(text, folder.path()).unwrap();
    let texts = Texts::load(&config, "https://n.example").unwrap();
    let message = with(&[alert("db-1", 9999)]);
    let title = texts.of(&message).text("{{ template \"slack.default.title\" . }}").unwrap();
    assert_eq!(title, "own: Firing: HostSilent, host db-1");
    std::fs::write(&path, "a\n{{ define \"x\" }}{{ nothing }}{{ end }}").unwrap();
    let bad = Texts::load(&config, "https://n.example").unwrap_err();
    assert_eq!((bad[0].line, bad[0].path.ends_with("own.tmpl")), (2, true), "{bad:?}");
    assert!(bad[0].message.contains("nothing"), "{bad:?}");
}

#[test]
fn long_lists_are_cut() {
    let alerts: Vec<Alert> = (0..500).map(|at| alert(&format!("h{at}"), 9999)).collect();
    let message = with(&alerts);
    let texts = Texts::shipped("https://n.example");
    let html = texts.of(&message).html("{{ template \"email.default.html\" . }}").unwrap();
    assert!(html.len() < 60_000 && html.contains("500 alerts in all"), "{}", html.len());
    let text = render("{{ template \"slack.default.text\" . }}", &message).unwrap();
    assert!(text.contains("500 alerts in all") && text.len() < 10_000, "{}", text.len());
}

#[test]
fn broken_templates_are_found_before_they_are_needed() {
    let text = "route: {receiver: a}\nreceivers:\n- name: a\n  email_configs:\n  - {to: a@b, from: a@b, smarthost: 'a:25', html: '{{ if }}'}\n  \
                pagerduty_configs: [{routing_key: k, details: {a: ['{{ nope }}']}}]\n  \
                slack_configs: [{api_url: 'http://s', title: '{{'}]\n  webhook_configs: [{url: 'http://h/{{ .Status }}'}]\n";
    let config = config::parse(text, std::path::Path::new("/")).unwrap();
    let faults = Texts::shipped("https://n.example").check(&config);
    let told: Vec<_> =
        faults.iter().map(|fault| (fault.place.unwrap().line, fault.message.as_str())).collect();
    let expected = [
        (5, "a: email 0: html is no template: "),
        (6, "a: pagerduty 0: details is no template: "),
        (7, "a: slack 0: title is no template: "),
    ];
    assert_eq!(told.len(), 3, "{told:?}");
    for ((line, message), (expected_line, start)) in told.iter().zip(expected) {
        assert!(*line == expected_line && message.starts_with(start), "{told:?}");
    }
}
