//! As much of Redis' protocol (RESP2) as asking for numbers takes: commands of texts, answers that are a line, a number or
//! a text.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};

use super::Endpoint;
use super::secure::{Secure, tcp};

/// `INFO` of a server with a thousand databases is a tenth of it.
const MAX_TEXT_BYTES: usize = 1 << 20;
/// A line that is an answer, or a length.
const MAX_LINE_BYTES: u64 = 4 << 10;

/// In the clear or not.
trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for T {}

/// A connection. After an error it is of no more use.
pub(super) struct Resp(BufReader<Box<dyn Stream>>);

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// A line or a text.
    Text(String),
    Number(i64),
    /// What the server does not want to do.
    Refused(String),
    Nothing,
}

impl Resp {
    pub(super) async fn connect(endpoint: &Endpoint, secure: Option<Secure>) -> io::Result<Self> {
        let stream = tcp(endpoint).await?;
        let stream: Box<dyn Stream> = match secure {
            Some(secure) => Box::new(secure.wrap(stream).await?),
            None => Box::new(stream),
        };
        Ok(Self(BufReader::new(stream)))
    }

    /// Sends a command and waits for its answer.
    pub(super) async fn ask(&mut self, command: &[&str]) -> io::Result<Reply> {
        let mut request = format!("*{}\r\n", command.len());
        for word in command {
            request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        self.0.get_mut().write_all(request.as_bytes()).await?;
        // What is encrypted may wait for more.
        self.0.get_mut().flush().await?;
        let line = self.line().await?;
        let (kind, rest) = line.split_at_checked(1).ok_or_else(|| strange("an empty line"))?;
        let number = || rest.parse::<i64>().map_err(|_| strange(rest));
        match kind {
            "+" => Ok(Reply::Text(rest.to_owned())),
            "-" => Ok(Reply::Refused(rest.to_owned())),
            ":" => number().map(Reply::Number),
            "$" => match number()? {
                -1 => Ok(Reply::Nothing),
                length => self.text(usize::try_from(length).map_err(|_| strange(rest))?).await,
            },
            _ => Err(strange(&line)),
        }
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        (&mut self.0).take(MAX_LINE_BYTES).read_until(b'\n', &mut line).await?;
        if line.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server has closed the connection"));
        }
        let text = line.strip_suffix(b"\r\n").ok_or_else(|| strange("a line without an end"))?;
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    async fn text(&mut self, length: usize) -> io::Result<Reply> {
        if length > MAX_TEXT_BYTES {
            return Err(strange(&format!("a text of {length} bytes; the most is {MAX_TEXT_BYTES}")));
        }
        let mut text = vec![0; length + 2];
        self.0.read_exact(&mut text).await?;
        text.truncate(length);
        Ok(Reply::Text(String::from_utf8_lossy(&text).into_owned()))
    }
}

fn strange(what: &str) -> io::Error {
    let what = &what[..what.floor_char_boundary(100)];
    io::Error::new(io::ErrorKind::InvalidData, format!("this does not speak Redis' protocol: {what:?}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// What a server's bytes are read as.
    async fn reply(bytes: &[u8]) -> io::Result<Reply> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = Endpoint { host: "127.0.0.1".to_owned(), port: listener.local_addr().unwrap().port() };
        let bytes = bytes.to_vec();
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 14];
            stream.read_exact(&mut request).await.unwrap();
            assert_eq!(&request, b"*1\r\n$4\r\nPING\r\n");
            stream.write_all(&bytes).await.unwrap();
        });
        let mut resp = Resp::connect(&endpoint, None).await.unwrap();
        let reply = resp.ask(&["PING"]).await;
        serving.await.unwrap();
        reply
    }

    #[tokio::test]
    async fn answers_are_read_and_others_refused() {
        let good: [(&[u8], Reply); 6] = [
            (b"+PONG\r\n", Reply::Text("PONG".to_owned())),
            (b"-NOAUTH needed\r\n", Reply::Refused("NOAUTH needed".to_owned())),
            (b":42\r\n", Reply::Number(42)),
            (b"$5\r\na\r\nbc\r\n", Reply::Text("a\r\nbc".to_owned())),
            (b"$0\r\n\r\n", Reply::Text(String::new())),
            (b"$-1\r\n", Reply::Nothing),
        ];
        for (bytes, expected) in good {
            assert_eq!(reply(bytes).await.unwrap(), expected);
        }
        let bad: [&[u8]; 8] = [
            b"",
            b"\r\n",
            b":x\r\n",
            b"$-2\r\n",
            b"$9999999\r\n",
            b"$9\r\nshort",
            b"HTTP/1.1 400\r\n",
            &[b'+'; 5000],
        ];
        for bytes in bad {
            assert!(reply(bytes).await.is_err(), "{:?}", String::from_utf8_lossy(bytes));
        }
    }
}
