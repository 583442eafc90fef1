//! journalctl as a child process: its lines, and why it ended.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{ChildStderr, ChildStdout, Command};
use tokio::task::JoinHandle;

use crate::config::{JournaldInput, StartAt};

/// A longer entry is passed over: as JSON, binary fields take four bytes for one.
const MAX_ENTRY_BYTES: usize = 2 << 20;
/// The last of what it has to say.
const MAX_COMPLAINT_BYTES: usize = 4096;
/// How long it may take to say that: a process of its own may keep the pipe open.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A running journalctl; killed when dropped.
pub(super) struct Child {
    child: tokio::process::Child,
    output: BufReader<ChildStdout>,
    complaint: JoinHandle<Vec<u8>>,
    line: Vec<u8>,
    too_long: bool,
}

/// What it wrote.
pub(super) enum Next {
    Line(Vec<u8>),
    TooLong,
    Ended(String),
}

impl Child {
    pub(super) fn start(input: &JournaldInput, cursor: Option<&str>) -> std::io::Result<Self> {
        let mut command = Command::new(&input.command);
        // All fields whole, in a format of one line an entry.
        command.args(["--output=json", "--all", "--follow", "--no-pager", "--quiet"]);
        match (cursor, input.start_at) {
            (Some(cursor), _) => command.arg(format!("--after-cursor={cursor}")).arg("--lines=all"),
            (None, StartAt::Beginning) => command.arg("--lines=all"),
            (None, StartAt::End) => command.arg("--lines=0"),
        };
        if let Some(directory) = &input.directory {
            command.arg("--directory").arg(directory);
        }
        for unit in &input.units {
            command.arg(format!("--unit={unit}"));
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let output = child.stdout.take().ok_or_else(|| std::io::Error::other("it has no output"))?;
        let output = BufReader::with_capacity(64 << 10, output);
        let complaint = tokio::spawn(listen(child.stderr.take()));
        Ok(Self { child, output, complaint, line: Vec::new(), too_long: false })
    }

    /// The next line. May be dropped and called again: what was read is kept.
    pub(super) async fn next(&mut self) -> Next {
        loop {
            let available = match self.output.fill_buf().await {
                Ok([]) => return Next::Ended(self.why().await),
                Ok(available) => available,
                Err(error) => return Next::Ended(error.to_string()),
            };
            let end = memchr::memchr(b'\n', available);
            let part = &available[..end.unwrap_or(available.len())];
            if self.line.len() + part.len() > MAX_ENTRY_BYTES {
                self.too_long = true;
                self.line.clear();
            }
            if !self.too_long {
                self.line.extend_from_slice(part);
            }
            let used = part.len() + usize::from(end.is_some());
            self.output.consume(used);
            if end.is_some() {
                let line = std::mem::take(&mut self.line);
                return if std::mem::take(&mut self.too_long) { Next::TooLong } else { Next::Line(line) };
            }
        }
    }

    async fn why(&mut self) -> String {
        // What it says is for people; that it ended is known.
        let said = tokio::time::timeout(LAST_WORDS, &mut self.complaint).await;
        let complaint = said.ok().and_then(Result::ok).unwrap_or_default();
        let complaint = String::from_utf8_lossy(&complaint);
        let status =
            self.child.wait().await.map_or_else(|error| error.to_string(), |status| status.to_string());
        format!("{status}: {}", complaint.trim())
    }
}

/// Reads all that it complains of, so that it never waits for us, and returns the last of it.
async fn listen(stderr: Option<ChildStderr>) -> Vec<u8> {
    let (mut last, mut buffer) = (Vec::new(), vec![0; MAX_COMPLAINT_BYTES]);
    let Some(mut stderr) = stderr else { return last };
    while let Ok(len @ 1..) = stderr.read(&mut buffer).await {
        last.extend_from_slice(&buffer[..len]);
        let over = last.len().saturating_sub(MAX_COMPLAINT_BYTES);
        last.drain(..over);
    }
    last
}
