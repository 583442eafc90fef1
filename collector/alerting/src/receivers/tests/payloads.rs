//! What is sent, without sending it.

use serde_json::{Value as Json, json};

use super::super::{email, pagerduty, slack, webhook};
use super::*;
use crate::config::Settings;

fn request(kind: &str, settings: &str, secret: &str, message: &Message) -> Result<Json, String> {
    let texts = Texts::shipped("https://n.example");
    let rendering = texts.of(message);
    let request = match integration(kind, settings).settings {
        Settings::Webhook(of) => webhook::request(&of, secret, &rendering),
        Settings::Slack(of) => slack::request(&of, secret, &rendering),
        Settings::PagerDuty(of) => pagerduty::request(&of, secret, &rendering),
        other => panic!("{other:?}"),
    };
    let request = request.map_err(|failure| failure.reason)?;
    let body: Json = serde_json::from_str(&request.body).unwrap();
    Ok(json!({"url": request.url.as_str(), "body": body}))
}

#[test]
fn webhooks_are_as_alertmanager_sends_them() {
    let sent = request("webhook", "{url: 'http://h/x'}", "http://h/{{ .Status }}", &message()).unwrap();
    let alert = |host: &str, status: &str, ends: &str| {
        let fingerprint = format!("{:016x}", super::alert(host, 0).fingerprint());
        json!({
            "status": status,
            "labels": {"alertname": "HostSilent", "host": host},
            "annotations": {"summary": "nothing & more"},
            "startsAt": "2026-11-26T10:03:20.25Z",
            "endsAt": ends,
            "generatorURL": "https://n.example/rule",
            "fingerprint": fingerprint,
        })
    };
    let expected = json!({
        "url": "http://h/firing",
        "body": {
            "receiver": "on\\.call",
            "status": "firing",
            "alerts": [
                alert("db-1", "firing", "0001-01-01T00:00:00Z"),
                alert("db-2", "resolved", "2026-11-26T10:04:20.25Z"),
            ],
            "notification_reason": "",
            "groupLabels": {"alertname": "HostSilent"},
            "commonLabels": {"alertname": "HostSilent"},
            "commonAnnotations": {"summary": "nothing & more"},
            "routeLabels": {},
            "externalURL": "https://n.example",
            "version": "4",
            "groupKey": "{}:{alertname=\"HostSilent\"}",
            "truncatedAlerts": 0,
        },
    });
    assert_eq!(sent, expected);
    let cut = request("webhook", "{url: 'http://h', max_alerts: 1}", "http://h", &message()).unwrap();
    let body = &cut["body"];
    assert_eq!((body["alerts"].as_array().unwrap().len(), &body["truncatedAlerts"]), (1, &json!(1)));
    assert_eq!(body["commonLabels"]["host"], "db-1", "what is common is common to what is sent");
}

#[test]
fn payloads_of_ones_own_are_templates() {
    let settings = "{url: 'http://h', payload: {'{{ .Status }}': [1, true, 'n {{ len .Alerts }}', '{{ len .Alerts }}'], \
                    json: '{{ .GroupLabels | toJson }}', colon: '{{ \"a:\" }} b', empty: '{{ \"\" }}'}}";
    let sent = request("webhook", settings, "http://h", &message()).unwrap();
    let expected = json!({
        "firing": [1, true, "n 2", 2],
        "json": {"alertname": "HostSilent"},
        "colon": {"a": "b"},
        "empty": null,
    });
    assert_eq!(sent["body"], expected);
    let failed =
        request("webhook", "{url: 'http://h', payload: {a: '{{ .Nothing }}'}}", "http://h", &message());
    assert!(failed.unwrap_err().starts_with("the template of payload fails: 1:"));
    for url in ["", "{{ .ExternalURL | len }}", "ftp://h", "http://"] {
        let failed = request("webhook", "{url: 'http://h'}", url, &message());
        assert!(failed.unwrap_err().starts_with("the URL to send to is none"), "{url}");
    }
}

#[test]
fn slack_gets_an_attachment() {
    let settings = "{api_url: 'http://s', channel: '#{{ .GroupLabels.alertname }}', fields: [{title: t, value: '{{ .Status }}'}, {title: u, value: v, short: true}], \
                    actions: [{type: button, text: Open, url: '{{ .ExternalURL }}'}, {type: button, text: a, name: n, confirm: {text: sure}}], \
                    link_names: true, message_text: hello, image_url: 'http://i'}";
    let sent = request("slack", settings, "http://s/hook\n", &message()).unwrap();
    assert_eq!(sent["url"], "http://s/hook");
    let body = &sent["body"];
    assert_eq!((&body["channel"], &body["username"]), (&json!("#HostSilent"), &json!("Narrows")));
    assert_eq!((&body["link_names"], &body["text"]), (&json!(true), &json!("hello")));
    let attachment = &body["attachments"][0];
    assert_eq!(attachment["title"], "Firing: HostSilent");
    assert_eq!((&attachment["color"], &attachment["footer"]), (&json!("danger"), &json!("")));
    assert_eq!(
        attachment["fields"],
        json!([{"title": "t", "value": "firing", "short": false}, {"title": "u", "value": "v", "short": true}])
    );
    assert_eq!(
        attachment["actions"][0],
        json!({"type": "button", "text": "Open", "url": "https://n.example"})
    );
    assert_eq!(attachment["actions"][1]["confirm"], json!({"text": "sure"}));
    assert_eq!((&attachment["image_url"], attachment.get("thumb_url")), (&json!("http://i"), None));
    assert_eq!(attachment["mrkdwn_in"], json!(["fallback", "pretext", "text"]));
    let text = attachment["text"].as_str().unwrap();
    let link = format!("*<https://n.example/alerts/{:016x}|HostSilent>*", alert("db-1", 0).fingerprint());
    assert!(text.contains(&link) && text.contains("nothing &amp; more"), "{text}");
    let long = format!("{{api_url: 'http://s', title: '{}'}}", "é".repeat(2000));
    let title =
        request("slack", &long, "http://s", &message()).unwrap()["body"]["attachments"][0]["title"].clone();
    assert_eq!(title.as_str().unwrap().chars().count(), 1024);
    assert!(title.as_str().unwrap().ends_with('…'));
}

#[test]
fn pagerduty_gets_one_incident_per_group() {
    let settings = "{routing_key: k, links: [{href: 'http://l', text: '{{ .Status }}'}, {href: ''}], images: [{src: 'http://i'}], \
                    details: {own: '{{ len .Alerts }}', deep: {a: ['{{ .Status }}']}}, class: c, severity: '{{ .Status }}'}";
    let sent = request("pagerduty", settings, "key-{{ .Status }}", &message()).unwrap();
    assert_eq!(sent["url"], "https://events.pagerduty.com/v2/enqueue");
    let event = &sent["body"];
    assert_eq!((&event["routing_key"], &event["event_action"]), (&json!("key-firing"), &json!("trigger")));
    // printf '%s' '{}:{alertname="HostSilent"}' | sha256sum
    assert_eq!(event["dedup_key"].as_str().unwrap().len(), 64);
    assert_eq!(
        (&event["payload"]["summary"], &event["payload"]["source"]),
        (&json!("Firing: HostSilent"), &json!("Narrows"))
    );
    assert_eq!((&event["payload"]["class"], event["payload"].get("group")), (&json!("c"), None));
    let details = &event["payload"]["custom_details"];
    assert_eq!(
        (&details["own"], &details["deep"], &details["num_firing"]),
        (&json!(2), &json!({"a": ["firing"]}), &json!(1))
    );
    assert_eq!(details["resolved"][0]["labels"]["host"], "db-2");
    assert_eq!(event["links"], json!([{"href": "http://l", "text": "firing"}]));
    assert_eq!(event["images"][0]["src"], "http://i");
    assert!(event["client_url"].as_str().unwrap().starts_with("https://n.example/alerts?filter="));
    let over = Message { alerts: vec![alert("db-2", 60)], ..message() };
    let resolved = request("pagerduty", settings, "k", &over).unwrap();
    assert_eq!(
        (&resolved["body"]["event_action"], &resolved["body"]["dedup_key"]),
        (&json!("resolve"), &event["dedup_key"])
    );
    let many = Message { alerts: (0..4000).map(|at| alert(&format!("h{at}"), 9999)).collect(), ..message() };
    let cut = request("pagerduty", "{routing_key: k}", "k", &many).unwrap();
    assert!(
        cut["body"]["payload"]["custom_details"]["error"]
            .as_str()
            .unwrap()
            .starts_with("the details are left out")
    );
    assert!(request("pagerduty", settings, " ", &message()).unwrap_err().contains("is empty"));
}

#[test]
fn pagerdutys_older_api_has_other_names() {
    let sent = request("pagerduty", "{service_key: k}", "k", &message()).unwrap();
    assert_eq!(sent["url"], "https://events.pagerduty.com/generic/2010-04-15/create_event.json");
    let event = &sent["body"];
    assert_eq!((&event["service_key"], &event["event_type"]), (&json!("k"), &json!("trigger")));
    assert_eq!(
        (&event["description"], &event["details"]["num_resolved"]),
        (&json!("Firing: HostSilent"), &json!(1))
    );
    assert_eq!((&event["client"], event.get("routing_key")), (&json!("Narrows"), None));
    let over = Message { alerts: vec![alert("db-2", 60)], ..message() };
    let resolved = request("pagerduty", "{service_key: k}", "k", &over).unwrap();
    assert_eq!((&resolved["body"]["event_type"], resolved["body"].get("client")), (&json!("resolve"), None));
}

fn mail(settings: &str, message: &Message) -> Result<(Vec<String>, String), String> {
    let Settings::Email(of) = integration("email", settings).settings else { panic!() };
    let texts = Texts::shipped("https://n.example");
    let mail = email::mail(&of, &texts.of(message)).map_err(|failure| failure.reason)?;
    Ok((mail.to, String::from_utf8(mail.bytes).unwrap()))
}

fn header<'a>(mail: &'a str, name: &str) -> Option<&'a str> {
    let head = mail.split("\r\n\r\n").next().unwrap();
    head.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[test]
fn mails_have_two_bodies_and_their_thread() {
    let settings = "{smarthost: 'a:25', from: 'Narrows <n@example.org>', to: 'a@b.example, \"C, D\" <c@d.example>', threading: {enabled: true, thread_by_date: daily}}";
    let (to, mail) = mail(settings, &message()).unwrap();
    assert_eq!(to, ["a@b.example", "c@d.example"]);
    assert_eq!(header(&mail, "From"), Some("Narrows <n@example.org>"));
    assert_eq!(header(&mail, "To"), Some("a@b.example, =?utf-8?b?QywgRA==?= <c@d.example>"));
    assert_eq!(header(&mail, "Subject"), Some("Firing: HostSilent"));
    assert_eq!(header(&mail, "Auto-Submitted"), Some("auto-generated"));
    let id = header(&mail, "Message-ID").unwrap();
    assert!(id.ends_with("@example.org>"), "{id}");
    let root = header(&mail, "References").unwrap();
    assert!(root.starts_with("<alert-") && root.ends_with("-2026-11-26@narrows>"), "{root}");
    assert_eq!(header(&mail, "In-Reply-To"), Some(root));
    assert!(header(&mail, "Content-Type").unwrap().starts_with("multipart/alternative"));
    let (plain, html) =
        (mail.find("Content-Type: text/plain").unwrap(), mail.find("Content-Type: text/html").unwrap());
    assert!(plain < html, "the better one is the last");
    let later = Message { at_ms: START_MS + 700_000, alerts: vec![alert("db-2", 60)], ..message() };
    let (_, other) = super::payloads::mail(settings, &later).unwrap();
    assert_eq!(header(&other, "References"), Some(root));
    assert_ne!(header(&other, "Message-ID"), Some(id));
}

#[test]
fn headers_of_mails_are_templates_and_cannot_bring_others() {
    let settings = "{smarthost: 'a:25', from: n@example.org, to: a@b.example, text: '', \
                    headers: {subject: '{{ .Status }}{{ \"\\r\\nBcc: x@y\" }} é', X-Own: 'a{{ \"\\n\" }}b', To: 'Team <t@b.example>', Reply-To: r@b.example, Bcc: z@b.example}}";
    let (to, mail) = mail(settings, &message()).unwrap();
    assert_eq!(
        (to.as_slice(), header(&mail, "To")),
        (&["a@b.example".to_owned()][..], Some("Team <t@b.example>"))
    );
    assert_eq!((header(&mail, "X-Own"), header(&mail, "Reply-To")), (Some("a b"), Some("r@b.example")));
    assert_eq!(header(&mail, "Bcc"), None, "{mail}");
    assert!(header(&mail, "Subject").unwrap().starts_with("firing Bcc: x@y =?utf-8?"), "{mail}");
    assert!(header(&mail, "Content-Type").unwrap().starts_with("text/html"), "{mail}");
    for (settings, expected) in [
        ("{smarthost: 'a:25', from: n@example.org, to: nobody}", "to: \"nobody\" is no list of addresses"),
        (
            "{smarthost: 'a:25', from: 'a@b.example, c@d.example', to: a@b.example}",
            "from must be one address, and is 2",
        ),
        (
            "{smarthost: 'a:25', from: a@b.example, to: a@b.example, html: '{{ nope }}'}",
            "the template of html fails: ",
        ),
    ] {
        let failed = super::payloads::mail(settings, &message()).unwrap_err();
        assert!(failed.starts_with(expected), "{failed}");
    }
}
