//! The conversation with a mail server (RFC 5321), over a connection that the guard has let through.
//!
//! Nothing that the server says before TLS counts after it, and a password goes over TLS or to this host, unless
//! the server takes nothing but LOGIN and the configuration says that TLS is not required.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest, Md5};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::Failure;
use super::guard::Guard;
use super::tls;
use crate::config::Email;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For all of it.
const TIMEOUT: Duration = Duration::from_secs(60);
/// A reply has so much at most.
const MAX_REPLY_BYTES: usize = 64 << 10;

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A mail on its way: from whom, to whom, and its bytes.
pub(super) struct Mail {
    pub(super) from: String,
    pub(super) to: Vec<String>,
    pub(super) bytes: Vec<u8>,
}

struct Session {
    stream: BufReader<Box<dyn Stream>>,
    /// What the server can do: a word and its parameters, in upper case.
    extensions: Vec<(String, String)>,
    is_private: bool,
}

/// What a server says: a code and its lines.
struct Reply {
    code: u16,
    lines: Vec<String>,
}

/// Hands a mail to the configured server.
pub(super) async fn send(email: &Email, guard: &Guard, mail: &Mail) -> Result<(), Failure> {
    match tokio::time::timeout(TIMEOUT, talk(email, guard, mail)).await {
        Ok(sent) => sent.map_err(|failure| {
            let reason = format!("{}: {}", email.smarthost.host, failure.reason);
            Failure { reason, ..failure }
        }),
        Err(_) => Err(Failure::again(format!("{} did not finish within {TIMEOUT:?}", email.smarthost.host))),
    }
}

async fn talk(email: &Email, guard: &Guard, mail: &Mail) -> Result<(), Failure> {
    let stream = connect(email, guard).await?;
    let is_local = stream.peer_addr().is_ok_and(|address| address.ip().is_loopback());
    let mut session =
        Session { stream: BufReader::new(Box::new(stream)), extensions: Vec::new(), is_private: is_local };
    if email.implicit_tls {
        session = session.encrypt(email).await?;
    }
    session.expect("its greeting", 220).await?;
    session.hello(&email.hello).await?;
    if email.require_tls && !email.implicit_tls {
        if !session.can("STARTTLS") {
            return Err(Failure::never("it does not offer STARTTLS, which require_tls asks for"));
        }
        session.command("STARTTLS", "STARTTLS", 220).await?;
        session = session.encrypt(email).await?;
        session.hello(&email.hello).await?;
    }
    session.authenticate(email).await?;
    session.deliver(mail).await?;
    // The mail is taken: how the connection ends does not matter.
    drop(tokio::time::timeout(Duration::from_secs(1), session.command("QUIT", "QUIT", 221)).await);
    Ok(())
}

async fn connect(email: &Email, guard: &Guard) -> Result<TcpStream, Failure> {
    let host = &email.smarthost;
    let addresses = guard.resolve(&host.host, host.port).await.map_err(|why| Failure {
        retry: !why.contains("closed to messages"),
        retry_after: None,
        reason: why,
    })?;
    let connected = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(&addresses[..])).await;
    match connected {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(Failure::again(format!("cannot connect to port {}: {error}", host.port))),
        Err(_) => {
            Err(Failure::again(format!("port {} did not answer within {CONNECT_TIMEOUT:?}", host.port)))
        }
    }
}

impl Session {
    async fn encrypt(self, email: &Email) -> Result<Self, Failure> {
        if !self.stream.buffer().is_empty() {
            return Err(Failure::never(
                "it says more before TLS than it was asked, which is not to be trusted",
            ));
        }
        let material = tls::material(&email.tls).await.map_err(Failure::never)?;
        let config = tls::client(&email.tls, &material).map_err(Failure::never)?;
        let name = email.tls.server_name.as_ref().unwrap_or(&email.smarthost.host);
        let name = tls::server_name(name).map_err(Failure::never)?;
        let connected = TlsConnector::from(Arc::new(config)).connect(name, self.stream.into_inner()).await;
        let stream = connected.map_err(|error| Failure::again(format!("TLS: {error}")))?;
        Ok(Self { stream: BufReader::new(Box::new(stream)), extensions: Vec::new(), is_private: true })
    }

    async fn hello(&mut self, name: &str) -> Result<(), Failure> {
        let name: String = name.chars().filter(|c| c.is_ascii_graphic()).collect();
        let reply = self.ask(&format!("EHLO {name}")).await?;
        if matches!(reply.code, 500 | 502 | 504) {
            // An old one, which can do nothing more.
            return self.command(&format!("HELO {name}"), "HELO", 250).await.map(|_| ());
        }
        let reply = reply.expect("EHLO", 250)?;
        self.extensions = reply.lines.iter().skip(1).map(|line| extension(line)).collect();
        Ok(())
    }

    fn can(&self, word: &str) -> bool {
        self.parameters(word).is_some()
    }

    fn parameters(&self, word: &str) -> Option<&str> {
        self.extensions.iter().find(|(name, _)| name == word).map(|(_, rest)| rest.as_str())
    }

    /// Says who we are, by the first way that both sides know.
    async fn authenticate(&mut self, email: &Email) -> Result<(), Failure> {
        let Some(user) = &email.username else { return Ok(()) };
        let Some(ways) = self.parameters("AUTH").map(str::to_owned) else { return Ok(()) };
        let mut why = format!("it knows no way to authenticate that is known here: {ways}");
        for way in ways.split_whitespace() {
            let secret = match way {
                "CRAM-MD5" => &email.secret,
                "PLAIN" | "LOGIN" => &email.password,
                _ => continue,
            };
            let Some(secret) = secret else {
                why = format!(
                    "it offers {way}, for which there is no {}",
                    if way == "CRAM-MD5" { "auth_secret" } else { "auth_password" }
                );
                continue;
            };
            if way == "PLAIN" && !self.is_private {
                "the password would go over the network in the clear; set require_tls".clone_into(&mut why);
                continue;
            }
            let secret = secret.read().await.map_err(Failure::never)?;
            return self.authenticate_by(way, user, &secret, &email.identity).await;
        }
        Err(Failure::never(why))
    }

    async fn authenticate_by(
        &mut self,
        way: &str,
        user: &str,
        secret: &str,
        identity: &str,
    ) -> Result<(), Failure> {
        match way {
            "PLAIN" => {
                let words = BASE64.encode(format!("{identity}\0{user}\0{secret}"));
                self.command(&format!("AUTH PLAIN {words}"), "AUTH PLAIN", 235).await?;
            }
            "LOGIN" => {
                self.command("AUTH LOGIN", "AUTH LOGIN", 334).await?;
                self.command(&BASE64.encode(user), "the user", 334).await?;
                self.command(&BASE64.encode(secret), "the password", 235).await?;
            }
            _ => {
                let reply = self.command("AUTH CRAM-MD5", "AUTH CRAM-MD5", 334).await?;
                let text = reply.lines.first().map_or("", String::as_str).trim();
                let challenge =
                    BASE64.decode(text).map_err(|_| Failure::never("its CRAM-MD5 challenge is no base64"))?;
                let digest = hmac_md5(secret.as_bytes(), &challenge);
                let answer = BASE64.encode(format!("{user} {digest}"));
                self.command(&answer, "the answer to its challenge", 235).await?;
            }
        }
        Ok(())
    }

    async fn deliver(&mut self, mail: &Mail) -> Result<(), Failure> {
        let is_ascii = mail.from.is_ascii() && mail.to.iter().all(|to| to.is_ascii());
        if !is_ascii && !self.can("SMTPUTF8") {
            return Err(Failure::never("it takes only addresses in ASCII"));
        }
        let utf8 = if is_ascii { "" } else { " SMTPUTF8" };
        self.command(&format!("MAIL FROM:<{}>{utf8}", mail.from), "MAIL FROM", 250).await?;
        self.recipients(&mail.to).await?;
        self.command("DATA", "DATA", 354).await?;
        self.write(&stuffed(&mail.bytes)).await?;
        self.expect("the mail", 250).await?;
        Ok(())
    }

    /// One refused address does not keep the mail from the others; if all are, that is the failure.
    async fn recipients(&mut self, to: &[String]) -> Result<(), Failure> {
        let (mut taken, mut refused) = (0, None);
        for address in to {
            let reply = self.ask(&format!("RCPT TO:<{address}>")).await?;
            match reply.code {
                250..=252 => taken += 1,
                500.. => refused = Some(reply.failure(&format!("the address {address}"))),
                _ => return Err(reply.failure(&format!("the address {address}"))),
            }
        }
        match (taken, refused) {
            (0, Some(failure)) => Err(failure),
            (_, Some(failure)) => {
                tracing::error!(reason = %failure, "a mail goes to the other addresses only");
                Ok(())
            }
            (_, None) => Ok(()),
        }
    }

    async fn command(&mut self, line: &str, what: &str, code: u16) -> Result<Reply, Failure> {
        self.ask(line).await?.expect(what, code)
    }

    async fn ask(&mut self, line: &str) -> Result<Reply, Failure> {
        if line.contains(['\r', '\n']) {
            return Err(Failure::never("an address or a name has a line break"));
        }
        self.write(format!("{line}\r\n").as_bytes()).await?;
        self.reply().await
    }

    async fn expect(&mut self, what: &str, code: u16) -> Result<Reply, Failure> {
        self.reply().await?.expect(what, code)
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let stream = self.stream.get_mut();
        let written = async {
            stream.write_all(bytes).await?;
            stream.flush().await
        };
        written.await.map_err(|error| Failure::again(format!("the connection broke: {error}")))
    }

    /// Lines `250-…` and at last `250 …`.
    async fn reply(&mut self) -> Result<Reply, Failure> {
        let (mut lines, mut left) = (Vec::new(), MAX_REPLY_BYTES);
        loop {
            let mut line = Vec::new();
            let read = (&mut self.stream).take(left as u64).read_until(b'\n', &mut line).await;
            read.map_err(|error| Failure::again(format!("the connection broke: {error}")))?;
            left -= line.len();
            if line.last() != Some(&b'\n') {
                let why = if left == 0 { "says too much" } else { "closed the connection in the middle" };
                return Err(Failure::again(format!("it {why}")));
            }
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let code = line.get(..3).and_then(|code| code.parse::<u16>().ok());
            let code = code.filter(|code| (200..600).contains(code));
            let code = code.ok_or_else(|| Failure::never("it does not speak SMTP"))?;
            let is_last = line.as_bytes().get(3) != Some(&b'-');
            lines.push(line.get(4..).unwrap_or_default().to_owned());
            if is_last {
                return Ok(Reply { code, lines });
            }
        }
    }
}

impl Reply {
    fn expect(self, what: &str, code: u16) -> Result<Self, Failure> {
        let is_right = self.code == code || (code == 250 && matches!(self.code, 251 | 252));
        if is_right { Ok(self) } else { Err(self.failure(what)) }
    }

    /// 4xx may work later, 5xx will not.
    fn failure(&self, what: &str) -> Failure {
        let text: String = self.lines.join(" ").chars().filter(|c| !c.is_control()).take(300).collect();
        let reason = format!("it answered {} {text} to {what}", self.code);
        if self.code < 500 { Failure::again(reason) } else { Failure::never(reason) }
    }
}

/// `AUTH PLAIN LOGIN`, and `AUTH=PLAIN LOGIN` as old servers write it.
fn extension(line: &str) -> (String, String) {
    let line = line.to_ascii_uppercase();
    let (word, rest) = line.split_once([' ', '=']).unwrap_or((&line, ""));
    (word.to_owned(), rest.to_owned())
}

/// Lines end in CRLF, a dot that begins one is doubled, and a dot alone is the end.
fn stuffed(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 50 + 8);
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    for line in body.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.first() == Some(&b'.') {
            out.push(b'.');
        }
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}

/// RFC 2104, in hexadecimal.
fn hmac_md5(key: &[u8], text: &[u8]) -> String {
    const BLOCK: usize = 64;
    let mut block = [0u8; BLOCK];
    if key.len() > BLOCK {
        block[..16].copy_from_slice(&Md5::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let pad = |byte: u8| block.map(|own| own ^ byte);
    let inner = Md5::new().chain_update(pad(0x36)).chain_update(text).finalize();
    let outer = Md5::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_cannot_end_a_mail() {
        let cases: [(&[u8], &[u8]); 5] = [
            (b"a\r\n", b"a\r\n.\r\n"),
            (b"a", b"a\r\n.\r\n"),
            (b".\r\nQUIT\r\n", b"..\r\nQUIT\r\n.\r\n"),
            (b"a\n.\nb\n", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"..x\n\n", b"...x\r\n\r\n.\r\n"),
        ];
        for (body, expected) in cases {
            assert_eq!(stuffed(body), expected, "{:?}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn challenges_are_answered_as_rfc_2195_does() {
        let challenge = b"<1896.697170952@postoffice.reston.mci.net>";
        assert_eq!(hmac_md5(b"tanstaaftanstaaf", challenge), "b913a602c7eda7a495b4e6e7334d3890");
        // RFC 2202, case 6: a key longer than a block.
        let digest = hmac_md5(&[0xaa; 80], b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(digest, "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd");
    }
}
