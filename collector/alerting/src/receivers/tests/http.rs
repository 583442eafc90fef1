//! Servers that take messages, and servers that do not.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// What one connection gets.
#[derive(Clone)]
enum Answer {
    /// These bytes, then the end.
    Says(String),
    /// Nothing, ever.
    Waits,
    /// The end, before anything is said.
    Hangs,
}

/// Answers connections in turn (the last answer for all that follow), and keeps the requests.
struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

fn says(status: &str, headers: &str, body: &str) -> Answer {
    Answer::Says(format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    ))
}

impl Server {
    async fn start(answers: Vec<Answer>) -> Self {
        Self::start_with(answers, None).await
    }

    async fn start_with(answers: Vec<Answer>, tls: Option<tokio_rustls::TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = requests.clone();
        tokio::spawn(async move {
            for at in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let (kept, answer) = (kept.clone(), answers[at.min(answers.len() - 1)].clone());
                match &tls {
                    None => tokio::spawn(serve(stream, answer, kept)),
                    Some(tls) => {
                        let Ok(stream) = tls.accept(stream).await else { continue };
                        tokio::spawn(serve(stream, answer, kept))
                    }
                };
            }
        });
        Self { address, requests }
    }

    fn url(&self) -> String {
        format!("http://{}/hook-secret", self.address)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    answer: Answer,
    kept: Arc<Mutex<Vec<String>>>,
) {
    let mut text = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let read = stream.read(&mut chunk).await.unwrap_or(0);
        text.extend_from_slice(&chunk[..read]);
        let string = String::from_utf8_lossy(&text);
        let length = string
            .lines()
            .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok());
        let head = string.find("\r\n\r\n").map(|at| at + 4);
        if read == 0 || head.is_some_and(|head| text.len() >= head + length.unwrap_or(0)) {
            break;
        }
    }
    kept.lock().unwrap().push(String::from_utf8_lossy(&text).into_owned());
    match answer {
        Answer::Says(bytes) => {
            stream.write_all(bytes.as_bytes()).await.ok();
            stream.shutdown().await.ok();
        }
        Answer::Waits => std::future::pending().await,
        Answer::Hangs => {}
    }
}

async fn tell(receivers: &Receivers, kind: &str, settings: &str) -> Result<(), Failure> {
    receivers.deliver(&integration(kind, settings), &message()).await
}

#[tokio::test]
async fn what_servers_say_decides_what_is_tried_again() {
    let partial = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf";
    let cases = [
        (says("200 OK", "", ""), None),
        (says("204 No Content", "", ""), None),
        (says("202 Accepted", "", "any"), None),
        // The status was said; what follows is not read by a webhook.
        (Answer::Says(partial.to_owned()), None),
        (
            says("500 Internal Server Error", "", "oops"),
            Some((true, None, "answered 500 Internal Server Error: oops")),
        ),
        (says("503 Service Unavailable", "Retry-After: 7\r\n", ""), Some((true, Some(7), "answered 503"))),
        (
            says("429 Too Many Requests", "Retry-After: 3\r\n", "slow\n  down"),
            Some((true, Some(3), "answered 429 Too Many Requests: slow down")),
        ),
        (says("408 Request Timeout", "", ""), Some((true, None, "answered 408"))),
        (
            says("400 Bad Request", "Retry-After: 3\r\n", "no"),
            Some((false, None, "answered 400 Bad Request: no")),
        ),
        (says("404 Not Found", "", ""), Some((false, None, "answered 404"))),
        (
            says("403 Forbidden", "", "x hook-secret http://h/hook-secret"),
            Some((false, None, "answered 403 Forbidden: x hook-secret")),
        ),
        (
            says("301 Moved Permanently", "Location: http://other/\r\n", ""),
            Some((false, None, "a message would be lost on that way")),
        ),
        (
            says("307 Temporary Redirect", "", ""),
            Some((false, None, "answered 307 Temporary Redirect to nowhere")),
        ),
        (
            says("307 Temporary Redirect", "Location: ftp://h/\r\n", ""),
            Some((false, None, "redirects to ftp:")),
        ),
        (
            says("307 Temporary Redirect", "Location: /again\r\n", ""),
            Some((false, None, "more than 10 redirects")),
        ),
        (Answer::Hangs, Some((true, None, ""))),
        (Answer::Says("HTTP/1.1 20".to_owned()), Some((true, None, ""))),
        (Answer::Says("SSH-2.0-x\r\n".to_owned()), Some((true, None, ""))),
    ];
    let receivers = open();
    for (answer, expected) in cases {
        let server = Server::start(vec![answer.clone()]).await;
        let told = tell(&receivers, "webhook", &format!("{{url: '{}'}}", server.url())).await;
        let shown = if let Answer::Says(text) = &answer { text.as_str() } else { "(nothing)" };
        match (told, expected) {
            (Ok(()), None) => {}
            (Err(failure), Some((retry, after, reason))) => {
                assert_eq!(
                    (failure.retry, failure.retry_after.map(|wait| wait.as_secs())),
                    (retry, after),
                    "{shown}"
                );
                assert!(failure.reason.contains(reason), "{shown}: {failure}");
                assert!(!failure.reason.contains("/hook-secret"), "{shown}: {failure}");
            }
            (told, _) => panic!("{shown}: {told:?}"),
        }
    }
}

#[tokio::test]
async fn nobody_is_waited_for_longer_than_was_said() {
    let server = Server::start(vec![Answer::Waits]).await;
    let failure =
        tell(&open(), "webhook", &format!("{{url: '{}', timeout: 100ms}}", server.url())).await.unwrap_err();
    assert_eq!(failure.reason, format!("{} did not answer within 100ms", server.address));
    assert!(failure.retry);
    // Nobody listens there any more.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let failure = tell(&open(), "webhook", &format!("{{url: 'http://{address}/x'}}")).await.unwrap_err();
    assert!(failure.retry && failure.reason.contains("refused"), "{failure}");
}

#[tokio::test]
async fn long_answers_are_cut() {
    let server = Server::start(vec![says("400 Bad Request", "", &"x".repeat(5_000_000))]).await;
    let failure = tell(&open(), "webhook", &format!("{{url: '{}'}}", server.url())).await.unwrap_err();
    assert!(failure.reason.len() < 500 && failure.reason.ends_with('…'), "{failure}");
}

#[tokio::test]
async fn who_we_are_is_told_to_one_server_only() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "hush-hush\n").unwrap();
    let other = Server::start(vec![says("200 OK", "", "")]).await;
    let redirect = format!("Location: {}/there\r\n", other.url());
    let first = Server::start(vec![says("308 Permanent Redirect", &redirect, "")]).await;
    let settings = format!(
        "{{url: '{}', http_config: {{bearer_token_file: '{}', http_headers: {{X-Own: {{values: [a, b]}}}}}}}}",
        first.url(),
        file.display()
    );
    tell(&open(), "webhook", &settings).await.unwrap();
    let (asked, followed) = (first.requests().remove(0), other.requests().remove(0));
    let asked = asked.to_lowercase();
    assert!(
        asked.starts_with("post /hook-secret http/1.1\r\n")
            && asked.contains("authorization: bearer hush-hush\r\n"),
        "{asked}"
    );
    assert!(
        asked.contains("x-own: a\r\nx-own: b\r\n") && asked.contains("content-type: application/json\r\n"),
        "{asked}"
    );
    assert!(asked.contains("user-agent: narrows/"), "{asked}");
    let lower = followed.to_lowercase();
    assert!(
        lower.starts_with("post /hook-secret/there ") && !lower.contains("hush") && !lower.contains("x-own"),
        "{followed}"
    );
    assert!(followed.contains("\"version\":\"4\""), "the message is sent again: {followed}");
    // The file changes; so does what is told.
    std::fs::write(&file, "another").unwrap();
    tell(&open(), "webhook", &settings).await.unwrap();
    assert!(first.requests()[1].contains("Bearer another"));
    let basic =
        format!("{{url: '{}', http_config: {{basic_auth: {{username: u, password: p}}}}}}", other.url());
    tell(&open(), "webhook", &basic).await.unwrap();
    assert!(other.requests().last().unwrap().contains("Basic dTpw"));
    let stays = format!("{{url: '{}', http_config: {{follow_redirects: false}}}}", first.url());
    assert!(tell(&open(), "webhook", &stays).await.unwrap_err().reason.contains("answered 308"));
    let missing = "{url_file: '/nowhere/at/all'}";
    let failure = tell(&open(), "webhook", missing).await.unwrap_err();
    assert!(!failure.retry && failure.reason.contains("/nowhere/at/all"), "{failure}");
}

#[tokio::test]
async fn closed_addresses_cannot_be_reached_by_any_way() {
    let redirect = |to: &str| says("307 Temporary Redirect", &format!("Location: {to}\r\n"), "");
    let names = &[
        ("inside", "169.254.169.254"),
        ("inside6", "fd00:ec2::254"),
        ("mapped", "::ffff:169.254.169.254"),
        ("here", "127.0.0.1"),
    ];
    let receivers = receivers(Guard::new(Vec::new()).with_lookup(lookup(names)));
    let direct = [
        "http://169.254.169.254/latest/meta-data",
        "http://[fe80::1]/",
        "http://[fd00:ec2::254]/",
        "http://[::ffff:169.254.169.254]/",
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://0.0.0.0:9090/",
        "http://[::]:9090/",
        "http://224.0.0.1/",
        "http://inside/",
        "http://inside6/",
        "http://mapped/",
        "https://inside/",
    ];
    for url in direct {
        let failure = tell(&receivers, "webhook", &format!("{{url: '{url}'}}")).await.unwrap_err();
        assert!(failure.reason.contains("is closed to messages") && !failure.retry, "{url}: {failure}");
        let server = Server::start(vec![redirect(url)]).await;
        let failure = tell(&receivers, "webhook", &format!("{{url: '{}'}}", server.url())).await.unwrap_err();
        assert!(failure.reason.contains("is closed to messages") && !failure.retry, "to {url}: {failure}");
        assert_eq!(server.requests().len(), 1);
        let failure = tell(
            &receivers,
            "webhook",
            &format!(
                "{{url: 'http://here:1/', http_config: {{proxy_url: '{}'}}}}",
                url.replace("https:", "http:")
            ),
        )
        .await
        .unwrap_err();
        assert!(failure.reason.contains("is closed to messages"), "through {url}: {failure}");
    }
    let mail = "{smarthost: 'inside:25', from: a@b.example, to: a@b.example}";
    let failure = tell(&receivers, "email", mail).await.unwrap_err();
    assert!(failure.reason.contains("is closed to messages") && !failure.retry, "{failure}");
    // A name of this host is as open as its address.
    let server = Server::start(vec![says("200 OK", "", "")]).await;
    tell(&receivers, "webhook", &format!("{{url: 'http://here:{}/'}}", server.address.port())).await.unwrap();
}

/// The answer to the second question is another one; what was checked is what is connected to.
#[tokio::test]
async fn names_that_change_their_mind_get_nowhere() {
    let server = Server::start(vec![says("200 OK", "", "")]).await;
    let asked = Arc::new(Mutex::new(0));
    let count = asked.clone();
    let lookup: Arc<Lookup> = Arc::new(move |_| -> Found {
        let mut count = count.lock().unwrap();
        *count += 1;
        let address = if *count == 1 { "127.0.0.1" } else { "169.254.169.254" };
        Box::pin(async move { Ok(vec![address.parse().unwrap()]) })
    });
    let receivers = receivers(Guard::new(Vec::new()).with_lookup(lookup));
    let settings = format!("{{url: 'http://rebound.example:{}/'}}", server.address.port());
    tell(&receivers, "webhook", &settings).await.unwrap();
    assert_eq!(
        (*asked.lock().unwrap(), server.requests().len()),
        (1, 1),
        "it is resolved once for a connection"
    );
    let failure = tell(&receivers, "webhook", &settings).await.unwrap_err();
    assert!(failure.reason.contains("is closed to messages"), "{failure}");
}

#[tokio::test]
async fn proxies_are_used_as_configured() {
    let proxy = Server::start(vec![says("200 OK", "", "")]).await;
    let through =
        format!("{{url: 'http://far.example/x', http_config: {{proxy_url: 'http://{}'}}}}", proxy.address);
    tell(&open(), "webhook", &through).await.unwrap();
    assert!(
        proxy.requests()[0].starts_with("POST http://far.example/x HTTP/1.1\r\n"),
        "{:?}",
        proxy.requests()
    );
    let server = Server::start(vec![says("200 OK", "", "")]).await;
    let beside = format!(
        "{{url: '{}', http_config: {{proxy_url: 'http://{}', no_proxy: '127.0.0.1'}}}}",
        server.url(),
        proxy.address
    );
    tell(&open(), "webhook", &beside).await.unwrap();
    assert_eq!((server.requests().len(), proxy.requests().len()), (1, 1));
    let failure =
        tell(&open(), "webhook", "{url: 'http://h/', http_config: {proxy_url: 'socks5://u:pass@h'}}")
            .await
            .unwrap_err();
    assert!(
        failure.reason.contains("proxy_url must begin with") && !failure.reason.contains("pass"),
        "{failure}"
    );
}

#[tokio::test]
async fn certificates_are_checked_unless_told_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let certificates = certificates("hooks.example");
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, &certificates.ca).unwrap();
    let server = Server::start_with(vec![says("200 OK", "", "")], Some(acceptor(&certificates))).await;
    let names = &[("hooks.example", "127.0.0.1"), ("other.example", "127.0.0.1")];
    let receivers = receivers(Guard::new(Vec::new()).with_lookup(lookup(names)));
    let port = server.address.port();
    let settings = |host: &str, tls: &str| {
        format!("{{url: 'https://{host}:{port}/', http_config: {{tls_config: {{{tls}}}}}}}")
    };
    let ca = format!("ca_file: '{}'", ca.display());
    let cases = [
        (settings("hooks.example", &ca), None),
        (settings("hooks.example", ""), Some("certificate")),
        (settings("other.example", &ca), Some("certificate")),
        (settings("other.example", &format!("{ca}, server_name: hooks.example")), None),
        (settings("hooks.example", &format!("{ca}, server_name: other.example")), Some("certificate")),
        (settings("other.example", "insecure_skip_verify: true"), None),
        (settings("hooks.example", "ca_file: /nowhere"), Some("cannot read /nowhere")),
        (settings("hooks.example", "ca: nonsense"), Some("there is no certificate in PEM")),
    ];
    for (settings, expected) in cases {
        match (tell(&receivers, "webhook", &settings).await, expected) {
            (Ok(()), None) => {}
            (Err(failure), Some(reason)) => assert!(failure.reason.contains(reason), "{settings}: {failure}"),
            (told, _) => panic!("{settings}: {told:?}"),
        }
    }
}

#[tokio::test]
async fn slack_says_no_in_its_own_way() {
    let json = "Content-Type: application/json; charset=utf-8\r\n";
    let cases = [
        (says("200 OK", "", "ok"), None),
        (says("200 OK", json, r#"{"ok":true,"ts":"1"}"#), None),
        (says("200 OK", "", "no_text"), Some((false, "answered: no_text"))),
        (
            says("200 OK", json, r#"{"ok":false,"error":"channel_not_found"}"#),
            Some((false, "did not take it: channel_not_found")),
        ),
        (says("200 OK", json, r#"{"ok":false,"error":"ratelimited"}"#), Some((true, "ratelimited"))),
        (says("200 OK", json, "{"), Some((true, "answered no JSON"))),
        (
            Answer::Says(format!("HTTP/1.1 200 OK\r\n{json}Content-Length: 100\r\n\r\n{{\"ok\":tr")),
            Some((true, "")),
        ),
        (says("404 Not Found", "", "no_team"), Some((false, "answered 404 Not Found: no_team"))),
        (says("429 Too Many Requests", "Retry-After: 30\r\n", ""), Some((true, "429"))),
    ];
    for (answer, expected) in cases {
        let server = Server::start(vec![answer]).await;
        let told = tell(&open(), "slack", &format!("{{api_url: '{}'}}", server.url())).await;
        match (told, expected) {
            (Ok(()), None) => {}
            (Err(failure), Some((retry, reason))) => {
                assert!(failure.retry == retry && failure.reason.contains(reason), "{failure:?}");
            }
            (told, expected) => panic!("{expected:?}: {told:?}"),
        }
    }
    let server = Server::start(vec![says("200 OK", json, r#"{"ok":true}"#)]).await;
    let settings = format!("{{app_token: xoxb-1, app_url: '{}', channel: '#a'}}", server.url());
    tell(&open(), "slack", &settings).await.unwrap();
    assert!(server.requests()[0].contains("Bearer xoxb-1"));
}

#[tokio::test]
async fn pagerduty_is_told_and_says_why_not() {
    let server = Server::start(vec![
        says("202 Accepted", "", r#"{"status":"success"}"#),
        says("400 Bad Request", "", r#"{"status":"invalid event","message":"key-12345 is wrong"}"#),
        says("429 Too Many Requests", "", ""),
    ])
    .await;
    let settings = format!("{{routing_key: key-12345, url: '{}'}}", server.url());
    let receivers = open();
    tell(&receivers, "pagerduty", &settings).await.unwrap();
    let failure = tell(&receivers, "pagerduty", &settings).await.unwrap_err();
    assert!(!failure.retry && failure.reason.contains("<secret> is wrong"), "{failure}");
    assert!(tell(&receivers, "pagerduty", &settings).await.unwrap_err().retry);
}

#[tokio::test]
async fn what_is_not_sent_says_so() {
    let failure = tell(&open(), "opsgenie", "{api_key: k}").await.unwrap_err();
    assert_eq!(failure, Failure::never("opsgenie is not sent yet"));
    let signed = "{url: 'http://h', http_config: {oauth2: {client_id: a, token_url: 'http://t', grant_type: 'urn:x'}}}";
    let failure = tell(&open(), "webhook", signed).await.unwrap_err();
    assert_eq!(failure.reason, "webhook with a signed oauth2 assertion is not sent yet");
}

/// A webhook that shows a token from a server of tokens.
fn with_tokens(server: &Server, tokens: &Server, more: &str) -> String {
    format!(
        "{{url: '{}', http_config: {{oauth2: {{client_id: 'shop:1', client_secret: 'hush/2', \
         token_url: 'http://{}/token'{more}}}}}}}",
        server.url(),
        tokens.address
    )
}

fn token(text: &str) -> Answer {
    says("200 OK", "Content-Type: application/json\r\n", text)
}

#[tokio::test]
async fn a_token_is_asked_for_and_shown_until_it_ends_or_is_refused() {
    let answers = ["200 OK", "200 OK", "401 Unauthorized", "200 OK", "401 Unauthorized"];
    let server = Server::start(answers.map(|status| says(status, "", "")).to_vec()).await;
    let tokens = Server::start(vec![
        token(r#"{"access_token": "one", "token_type": "bearer", "expires_in": 3600}"#),
        token(r#"{"access_token": "two", "expires_in": "5"}"#),
        token(r#"{"access_token": "three", "expires_in": 3600}"#),
    ])
    .await;
    let settings = with_tokens(&server, &tokens, ", scopes: [a, b], endpoint_params: {audience: 'x y'}");
    let receivers = open();
    // The first and the second message have the first token; it is refused for the third, which has another.
    for _ in 0..3 {
        tell(&receivers, "webhook", &settings).await.unwrap();
    }
    let shown: Vec<String> = server
        .requests()
        .iter()
        .map(|request| {
            let line = request.lines().find(|line| line.to_lowercase().starts_with("authorization: "));
            line.unwrap_or_default()[15..].to_owned()
        })
        .collect();
    assert_eq!(shown, ["Bearer one", "Bearer one", "Bearer one", "Bearer two"]);
    // The second has ended meanwhile. A token that is new and refused all the same is no reason to ask again.
    let failure = tell(&receivers, "webhook", &settings).await.unwrap_err();
    assert!(!failure.retry && failure.reason.contains("answered 401"), "{failure}");
    let asked = tokens.requests();
    assert_eq!(asked.len(), 3);
    assert!(asked[0].starts_with("POST /token HTTP/1.1"), "{}", asked[0]);
    // RFC 6749, 2.3.1: both are encoded before they are joined. "shop%3A1:hush%2F2".
    assert!(asked[0].contains("Basic c2hvcCUzQTE6aHVzaCUyRjI="), "{}", asked[0]);
    let body = "grant_type=client_credentials&scope=a+b&audience=x+y";
    assert!(asked[0].ends_with(&format!("\r\n\r\n{body}")), "{}", asked[0]);
}

#[tokio::test]
async fn a_server_of_tokens_may_want_credentials_in_the_body_or_refuse_them() {
    let server = Server::start(vec![says("200 OK", "", "")]).await;
    let wants_body = vec![says("401 Unauthorized", "", "use the body"), token(r#"{"access_token": "t"}"#)];
    let tokens = Server::start(wants_body).await;
    tell(&open(), "webhook", &with_tokens(&server, &tokens, "")).await.unwrap();
    let asked = tokens.requests();
    assert!(asked[1].ends_with("&client_id=shop%3A1&client_secret=hush%2F2"), "{}", asked[1]);
    assert!(!asked[1].to_lowercase().contains("authorization:"), "{}", asked[1]);

    let cases = [
        (says("401 Unauthorized", "", "who?"), false, "gave no token: "),
        (says("503 Service Unavailable", "Retry-After: 7\r\n", ""), true, "answered 503"),
        (token("no json hush"), false, "gave no token: its answer is not as it should be"),
        (Answer::Hangs, true, ""),
    ];
    for (answer, retry, reason) in cases {
        let (server, tokens) =
            (Server::start(vec![says("200 OK", "", "")]).await, Server::start(vec![answer]).await);
        let failure = tell(&open(), "webhook", &with_tokens(&server, &tokens, "")).await.unwrap_err();
        assert_eq!((failure.retry, failure.reason.contains(reason)), (retry, true), "{failure}");
        assert!(!failure.reason.contains("hush") && server.requests().is_empty(), "{failure}");
    }
}

#[tokio::test]
async fn a_large_group_is_told_as_well() {
    let server = Server::start(vec![says("200 OK", "", "")]).await;
    let many = Message { alerts: (0..500).map(|at| alert(&format!("h{at}"), 9999)).collect(), ..message() };
    let webhook = integration("webhook", &format!("{{url: '{}'}}", server.url()));
    open().deliver(&webhook, &many).await.unwrap();
    assert_eq!(server.requests()[0].matches("\"fingerprint\"").count(), 500);
}

#[tokio::test]
async fn how_it_went_is_kept() {
    let server = Server::start(vec![says("200 OK", "", ""), says("500 Oops", "", ""), Answer::Waits]).await;
    let receivers = open();
    let webhook = integration("webhook", &format!("{{url: '{}'}}", server.url()));
    assert_eq!(receivers.outcome("on.call", &webhook), None);
    receivers.deliver(&webhook, &message()).await.unwrap();
    let outcome = receivers.outcome("on.call", &webhook).unwrap();
    assert_eq!((outcome.sent, outcome.failed, outcome.error), (1, 0, None));
    assert!(outcome.at_ms > 1_700_000_000_000);
    receivers.deliver(&webhook, &message()).await.unwrap_err();
    let outcome = receivers.outcome("on.call", &webhook).unwrap();
    assert!((outcome.sent, outcome.failed) == (1, 1) && outcome.error.unwrap().contains("answered 500"));
    let cut = std::time::Duration::from_millis(100);
    tokio::time::timeout(cut, receivers.deliver(&webhook, &message())).await.unwrap_err();
    let outcome = receivers.outcome("on.call", &webhook).unwrap();
    assert!(outcome.failed == 2 && outcome.error.unwrap().starts_with("it was cut off"));
}
