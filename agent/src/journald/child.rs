//! journalctl as a child process: its lines, and why it ended.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{ChildStdout, Command};

use crate::config::{JournaldInput, StartAt};

/// A longer entry is passed over: as JSON, binary fields take four bytes for one.
const MAX_ENTRY_BYTES: usize = 2 << 20;
/// Of what it has to say.
const MAX_COMPLAINT_BYTES: u64 = 4096;

/// A running journalctl; killed when dropped.
pub(super) struct Child {
    child: tokio::process::Child,
    output: BufReader<ChildStdout>,
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
        Ok(Self { child, output, line: Vec::new(), too_long: false })
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
        let mut complaint = String::new();
        if let Some(stderr) = self.child.stderr.take() {
            // What it says is for people; that it ended is known.
            let _unreadable = stderr.take(MAX_COMPLAINT_BYTES).read_to_string(&mut complaint).await;
        }
        let status =
            self.child.wait().await.map_or_else(|error| error.to_string(), |status| status.to_string());
        format!("{status}: {}", complaint.trim())
    }
}
