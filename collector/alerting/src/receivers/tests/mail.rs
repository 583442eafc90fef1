//! Mail servers that take mails, and those that do not.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::*;

/// Words to a line that begins so.
type Answers = &'static [(&'static str, &'static str)];

/// How a server behaves.
#[derive(Clone, Default)]
struct Manner {
    /// After `250-`, a line each.
    offers: &'static [&'static str],
    tls: Option<TlsAcceptor>,
    implicit: bool,
    /// What it says to a line that begins so, in place of its usual words; nothing is the end.
    answers: Answers,
}

/// Speaks SMTP as its manner is, and keeps what it hears.
struct Server {
    port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = heard.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, manner.clone(), kept.clone()));
            }
        });
        Self { port, heard }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

async fn serve(stream: TcpStream, manner: Manner, heard: Arc<Mutex<Vec<String>>>) {
    let tls = manner.tls.clone();
    if manner.implicit {
        let Ok(stream) = tls.unwrap().accept(stream).await else { return };
        talk(stream, &manner, &heard, true).await;
        return;
    }
    let Some(stream) = talk(stream, &manner, &heard, true).await else { return };
    let Ok(stream) = tls.unwrap().accept(stream).await else { return };
    talk(stream, &manner, &heard, false).await;
}

/// Returns the stream if TLS is to begin.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    manner: &Manner,
    heard: &Mutex<Vec<String>>,
    greets: bool,
) -> Option<S> {
    let mut stream = BufReader::new(stream);
    if greets {
        let greeting = manner
            .answers
            .iter()
            .find(|(line, _)| *line == "(greeting)")
            .map_or("220 hello", |(_, answer)| answer);
        stream.write_all(format!("{greeting}\r\n").as_bytes()).await.ok()?;
    }
    let mut in_body = false;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        heard.lock().unwrap().push(line.clone());
        if in_body && line != "." {
            continue;
        }
        let own = manner.answers.iter().find(|(start, _)| line.starts_with(start)).map(|(_, answer)| *answer);
        let answer = match own {
            Some("") => return None,
            Some(answer) => format!("{answer}\r\n"),
            None => usual(&line, manner),
        };
        in_body = answer.starts_with("354");
        stream.write_all(answer.as_bytes()).await.ok()?;
        stream.flush().await.ok()?;
        if line == "STARTTLS" && answer.starts_with("220") {
            return Some(stream.into_inner());
        }
    }
}

fn usual(line: &str, manner: &Manner) -> String {
    if line.starts_with("EHLO") {
        let mut lines: Vec<&str> = vec!["mail.example"];
        lines.extend(manner.offers);
        let last = lines.len() - 1;
        let written = lines
            .iter()
            .enumerate()
            .map(|(at, line)| format!("250{}{line}\r\n", if at == last { ' ' } else { '-' }));
        return written.collect();
    }
    let code = match line {
        "STARTTLS" => "220 go ahead",
        "DATA" => "354 end with a dot",
        "AUTH LOGIN" => "334 VXNlcm5hbWU6",
        "dXNlcg==" => "334 UGFzc3dvcmQ6",
        "AUTH CRAM-MD5" => "334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+",
        "cGFzcy13b3Jk" | "dXNlciA3NjE1YjM0MmEzNTZkNjc3M2M1YzE5ZTNmMmFiNmYzMw==" => "235 welcome",
        _ if line.starts_with("AUTH PLAIN") => "235 welcome",
        "QUIT" => "221 bye",
        _ => "250 fine",
    };
    format!("{code}\r\n")
}

async fn tell(port: u16, settings: &str) -> Result<(), Failure> {
    let names = &[("mail.example", "127.0.0.1")];
    let receivers = receivers(Guard::new(Vec::new()).with_lookup(lookup(names)));
    let settings = format!(
        "{{smarthost: 'mail.example:{port}', from: n@example.org, to: 'a@b.example, c@d.example'{settings}}}"
    );
    receivers.deliver(&integration("email", &settings), &message()).await
}

const CLEAR: &str = ", require_tls: false";
const AUTH: &str = ", auth_username: user, auth_password: pass-word";

#[tokio::test]
async fn a_mail_is_handed_over() {
    let server = Server::start(Manner { offers: &["8BITMIME", "SIZE 1000"], ..Manner::default() }).await;
    tell(server.port, &format!("{CLEAR}, hello: me.example")).await.unwrap();
    let heard = server.heard();
    assert_eq!(
        heard[..5],
        [
            "EHLO me.example",
            "MAIL FROM:<n@example.org>",
            "RCPT TO:<a@b.example>",
            "RCPT TO:<c@d.example>",
            "DATA"
        ]
    );
    assert!(heard.contains(&"Subject: Firing: HostSilent".to_owned()) && heard.contains(&".".to_owned()));
}

#[tokio::test]
async fn tls_comes_before_names_and_passwords() {
    let certificates = certificates("mail.example");
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, &certificates.ca).unwrap();
    let trusted = format!("{AUTH}, tls_config: {{ca_file: '{}'}}", ca.display());
    let manner = Manner {
        offers: &["STARTTLS", "AUTH PLAIN"],
        tls: Some(acceptor(&certificates)),
        ..Manner::default()
    };
    let server = Server::start(manner.clone()).await;
    tell(server.port, &trusted).await.unwrap();
    let heard = server.heard();
    // base64 of NUL user NUL pass-word
    assert_eq!(
        heard[..4],
        ["EHLO localhost", "STARTTLS", "EHLO localhost", "AUTH PLAIN AHVzZXIAcGFzcy13b3Jk"]
    );
    let failure = tell(server.port, AUTH).await.unwrap_err();
    assert!(failure.reason.contains("TLS: ") && failure.retry, "{failure}");
    assert_eq!(server.heard().last().unwrap(), "STARTTLS", "nothing is said to whom nobody vouches for");
    let implicit = Server::start(Manner { implicit: true, offers: &["AUTH LOGIN"], ..manner.clone() }).await;
    tell(implicit.port, &format!("{trusted}, force_implicit_tls: true")).await.unwrap();
    assert_eq!(implicit.heard()[..4], ["EHLO localhost", "AUTH LOGIN", "dXNlcg==", "cGFzcy13b3Jk"]);
    // It puts words in front of TLS.
    let answers = &[("STARTTLS", "220 go ahead\r\n250 and this")];
    let liar = Server::start(Manner { answers, ..manner }).await;
    let failure = tell(liar.port, &trusted).await.unwrap_err();
    assert!(failure.reason.contains("says more before TLS"), "{failure}");
    let old = Server::start(Manner::default()).await;
    let failure = tell(old.port, &trusted).await.unwrap_err();
    assert!(!failure.retry && failure.reason.contains("does not offer STARTTLS"), "{failure}");
    assert_eq!(old.heard(), ["EHLO localhost"]);
}

#[tokio::test]
async fn we_say_who_we_are_as_the_server_likes_it() {
    let cases = [
        (&["AUTH CRAM-MD5 PLAIN"][..], "auth_username: user, auth_secret: secret-word", Ok("AUTH CRAM-MD5")),
        (&["AUTH=LOGIN"], "auth_username: user, auth_password: pass-word", Ok("AUTH LOGIN")),
        (
            &["AUTH XOAUTH2 CRAM-MD5 PLAIN"],
            "auth_username: user, auth_password: pass-word, auth_identity: id",
            Ok("AUTH PLAIN aWQAdXNlcgBwYXNzLXdvcmQ="),
        ),
        (
            &["AUTH XOAUTH2"],
            "auth_username: user, auth_password: pass-word",
            Err("it knows no way to authenticate"),
        ),
        (&["AUTH PLAIN"], "auth_username: user", Err("offers PLAIN, for which there is no auth_password")),
        // Without a user nobody asks, and where nothing is offered nothing is said.
        (&["AUTH PLAIN"], "hello: x", Ok("MAIL FROM:<n@example.org>")),
        (&[], "auth_username: user, auth_password: pass-word", Ok("MAIL FROM:<n@example.org>")),
    ];
    for (offers, settings, expected) in cases {
        let server = Server::start(Manner { offers, ..Manner::default() }).await;
        let told = tell(server.port, &format!("{CLEAR}, {settings}")).await;
        match (told, expected) {
            (Ok(()), Ok(line)) => assert_eq!(server.heard()[1], line, "{offers:?}"),
            (Err(failure), Err(why)) => assert!(failure.reason.contains(why) && !failure.retry, "{failure}"),
            (told, _) => panic!("{offers:?} {settings}: {told:?}"),
        }
    }
}

#[tokio::test]
async fn what_servers_say_decides_what_is_tried_again() {
    let cases: [(Answers, bool, &str); 12] = [
        (&[("(greeting)", "421 busy")], true, "answered 421 busy to its greeting"),
        (&[("(greeting)", "554 go away")], false, "answered 554"),
        (&[("(greeting)", "SSH-2.0")], false, "does not speak SMTP"),
        (&[("EHLO", "")], true, "closed the connection in the middle"),
        (&[("EHLO", "250-half")], true, ""),
        (&[("MAIL", "451 later")], true, "answered 451 later to MAIL FROM"),
        (&[("MAIL", "550 not you")], false, "answered 550 not you"),
        (&[("RCPT", "450 full")], true, "to the address a@b.example"),
        (&[("RCPT", "550 nobody")], false, "answered 550 nobody to the address c@d.example"),
        (&[("DATA", "452 no room")], true, "to DATA"),
        (&[(".", "554 spam")], false, "answered 554 spam to the mail"),
        (&[(".", "")], true, "closed the connection in the middle"),
    ];
    for (answers, retry, reason) in cases {
        let server = Server::start(Manner { answers, ..Manner::default() }).await;
        let told =
            tokio::time::timeout(std::time::Duration::from_millis(500), tell(server.port, CLEAR)).await;
        // A half answer is waited for; the dispatcher's own limit ends that.
        let Ok(told) = told else {
            assert_eq!(answers[0].1, "250-half");
            continue;
        };
        let failure = told.unwrap_err();
        assert!(failure.retry == retry && failure.reason.contains(reason), "{answers:?}: {failure:?}");
        assert!(failure.reason.starts_with("mail.example: "), "{failure}");
    }
}

#[tokio::test]
async fn one_bad_address_does_not_keep_the_mail_from_the_others() {
    let answers = &[("RCPT TO:<a@b.example>", "550 nobody")];
    let server = Server::start(Manner { answers, ..Manner::default() }).await;
    tell(server.port, CLEAR).await.unwrap();
    assert!(server.heard().contains(&"DATA".to_owned()));
}

#[tokio::test]
async fn old_servers_are_greeted_the_old_way() {
    let answers = &[("EHLO", "502 what")];
    let server = Server::start(Manner { answers, ..Manner::default() }).await;
    tell(server.port, CLEAR).await.unwrap();
    assert_eq!(server.heard()[..2], ["EHLO localhost", "HELO localhost"]);
}
