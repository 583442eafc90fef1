//! `narrows-collector tail`: the live tail of a running collector in a terminal. It comes
//! back by itself where it was when the connection is lost, so no record is missed.

mod print;
pub(crate) mod stream;
pub(crate) mod target;

use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use futures::{SinkExt, StreamExt};
use serde::Deserialize;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_tungstenite::tungstenite::handshake::client::{Request, Response};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::config::Secret;
use print::Printer;
use stream::Stream;
use target::{Target, TargetArgs};

/// The first wait before coming back; it doubles up to the longest.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// The server says something every five seconds.
const SILENCE: Duration = Duration::from_secs(20);
const CONNECTING: Duration = Duration::from_secs(10);
const GOODBYE: Duration = Duration::from_secs(1);

/// Show records as they come, until Ctrl-C
#[derive(Clone, Debug, Default, Args)]
pub struct TailArgs {
    /// The query, a filter as in the UI; every record without it
    #[arg(value_name = "QUERY")]
    pub query: Option<String>,
    /// Where the collector is, and who asks
    #[command(flatten)]
    pub target: TargetArgs,
    /// Print each record as a line of JSON
    #[arg(long)]
    pub json: bool,
}

/// What the server says; `docs/api.md` has the frames.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Frame {
    Hello {
        position: String,
    },
    Records {
        records: Vec<serde_json::Value>,
        dropped: u64,
        #[serde(default)]
        unread: u64,
        position: String,
    },
    Pulse {
        position: String,
    },
    Error {
        error: Told,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Told {
    code: String,
    message: String,
    hint: Option<String>,
}

/// Why a connection is over.
enum End {
    /// Somebody pressed Ctrl-C, or closed the pipe that we print to.
    Wanted,
    /// To be tried again.
    Lost(String),
}

type Socket = WebSocketStream<Box<dyn Stream>>;

/// Prints what comes; fails for what trying again does not mend.
pub async fn run(args: &TailArgs, password: Option<&Secret>) -> anyhow::Result<()> {
    let target = Target::new(&args.target, password)?;
    let query = args.query.clone().unwrap_or_default();
    let mut stop = Stop::new()?;
    let mut tail = Tail { target, query, printer: Printer::new(args.json), position: None };
    let mut wait = FIRST_WAIT;
    loop {
        let had = tail.position.clone();
        match tail.follow(&mut stop).await? {
            End::Wanted => return Ok(()),
            End::Lost(reason) if tail.position.is_none() => bail!("{reason}"),
            End::Lost(reason) => {
                wait = if tail.position == had { (wait * 2).min(LONGEST_WAIT) } else { FIRST_WAIT };
                eprintln!("narrows-collector: {reason}; trying again");
            }
        }
        let jitter = 0.5 + rand::random::<f64>() / 2.0;
        tokio::select! {
            () = tokio::time::sleep(wait.mul_f64(jitter)) => {}
            () = stop.asked() => return Ok(()),
        }
    }
}

struct Stop(Signal, Signal);

impl Stop {
    fn new() -> anyhow::Result<Self> {
        let interrupt = signal(SignalKind::interrupt()).context("cannot handle SIGINT")?;
        Ok(Self(interrupt, signal(SignalKind::terminate()).context("cannot handle SIGTERM")?))
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
        }
    }
}

struct Tail {
    target: Target,
    query: String,
    printer: Printer,
    /// Of the last frame; what came behind it is asked for when we come back.
    position: Option<String>,
}

impl Tail {
    async fn connect(&self, request: Request) -> Result<(Socket, Response), Error> {
        client_async(request, self.target.open().await?).await
    }

    async fn follow(&mut self, stop: &mut Stop) -> anyhow::Result<End> {
        let request = self.target.request(&self.query, self.position.as_deref())?;
        let connected = tokio::select! {
            connected = tokio::time::timeout(CONNECTING, self.connect(request)) => connected,
            () = stop.asked() => return Ok(End::Wanted),
        };
        let mut socket = match connected {
            Ok(Ok((socket, _))) => socket,
            Ok(Err(Error::Http(response))) => {
                let (status, body) = (response.status(), response.body().as_deref().unwrap_or_default());
                let reason = target::reason(status, body);
                return if target::may_pass(status) { Ok(End::Lost(reason)) } else { bail!(reason) };
            }
            Ok(Err(error)) => return Ok(End::Lost(format!("cannot connect to {}: {error}", self.target))),
            Err(_) => return Ok(End::Lost(format!("{} does not answer", self.target))),
        };
        loop {
            let message = tokio::select! {
                message = tokio::time::timeout(SILENCE, socket.next()) => message,
                () = stop.asked() => {
                    say_goodbye(&mut socket).await;
                    return Ok(End::Wanted);
                }
            };
            let text = match message {
                Ok(Some(Ok(Message::Text(text)))) => text,
                Ok(Some(Ok(Message::Close(frame)))) => {
                    let reason = frame.map(|frame| frame.reason.to_string()).unwrap_or_default();
                    say_goodbye(&mut socket).await;
                    return Ok(End::Lost(format!("the connection was closed: {reason}")));
                }
                Ok(Some(Ok(_))) => continue,
                Ok(Some(Err(error))) => return Ok(End::Lost(format!("the connection is lost: {error}"))),
                Ok(None) => return Ok(End::Lost("the connection is lost".to_owned())),
                Err(_) => return Ok(End::Lost("the collector has fallen silent".to_owned())),
            };
            if self.hear(&text)?.is_break() {
                say_goodbye(&mut socket).await;
                return Ok(End::Wanted);
            }
        }
    }

    /// Prints a frame; breaks when nobody reads what is printed.
    fn hear(&mut self, text: &str) -> anyhow::Result<std::ops::ControlFlow<()>> {
        let frame =
            serde_json::from_str(text).context("the collector says something that is not understood")?;
        let printed = match frame {
            Frame::Records { records, dropped, unread, position } => {
                self.position = Some(position);
                self.printer.records(&records, dropped + unread)
            }
            Frame::Hello { position } | Frame::Pulse { position } => {
                self.position = Some(position);
                Ok(())
            }
            Frame::Error { error } => bail!(error.text()),
            Frame::Other => Ok(()),
        };
        match printed {
            Ok(()) => Ok(std::ops::ControlFlow::Continue(())),
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
                Ok(std::ops::ControlFlow::Break(()))
            }
            Err(error) => Err(error).context("cannot print"),
        }
    }
}

impl Told {
    fn text(&self) -> String {
        let hint = self.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{}: {}{hint}", self.code, self.message)
    }
}

/// The server must not take it for a lost connection.
async fn say_goodbye(socket: &mut Socket) {
    let goodbye = async {
        // It may have gone first.
        let _ = socket.close(None).await;
        while let Some(Ok(_)) = socket.next().await {}
        let _ = socket.flush().await;
    };
    let _ = tokio::time::timeout(GOODBYE, goodbye).await;
}
