//! One live tail from its hello to its goodbye.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use events::{Tail, TailLimits};
use futures::future::select_all;
use search::Expr;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use super::App;
use super::frames::{Asked, Batch, Frame, place_of, read};
use crate::api::error::ApiError;
use crate::api::{now_ns, params, time};
use crate::auth::{AuthError, Principal};

/// Sent in a second; the rest is counted.
const RECORDS_A_SECOND: usize = 500;
/// Sent at once to who comes back, or goes on after a pause.
const CATCH_UP: usize = 10_000;
/// Bytes of the records of one reading, and of one that goes back.
const BYTES: usize = 8 << 20;
const CATCH_UP_BYTES: usize = 32 << 20;
/// Rows of a partition that one reading looks at.
const ROWS: usize = 200_000;
/// One reading takes no longer than a query may, nor than this: who hears nothing for 20 s thinks that we are gone.
const LONGEST_READING: Duration = Duration::from_secs(10);
/// Between two readings.
const PACE: Duration = Duration::from_millis(100);
/// How often the session is looked at; every fifth time a pulse is sent.
const TICK: Duration = Duration::from_secs(1);
const TICKS_A_PULSE: u64 = 5;
/// For a client that takes nothing.
const PATIENCE: Duration = Duration::from_secs(60);
/// For the last frames.
const GOODBYE: Duration = Duration::from_secs(1);

/// Ends the session: with an error that the client is told, or with a close frame.
enum End {
    Told(ApiError),
    Stopping,
    Gone,
}

impl From<ApiError> for End {
    fn from(error: ApiError) -> Self {
        Self::Told(error)
    }
}

type Flow = Result<(), End>;

/// A live tail.
pub(super) struct Session {
    app: Arc<App>,
    tails: Vec<Tail>,
    /// Whose it is: a session may end, a token be taken back, a user lose the role.
    principal: Principal,
    filter: Arc<Expr>,
    is_paused: bool,
    /// Something was applied that has not been read.
    is_behind: bool,
    /// The next reading may give more, for it goes back.
    is_back: bool,
    next_reading: Instant,
    window: Window,
    ticks: u64,
}

/// Counts what was sent in the present second.
struct Window {
    began: Instant,
    sent: usize,
}

impl Window {
    fn left(&mut self) -> usize {
        if self.began.elapsed() >= Duration::from_secs(1) {
            *self = Self { began: Instant::now(), sent: 0 };
        }
        RECORDS_A_SECOND.saturating_sub(self.sent)
    }
}

/// What there is to do next.
enum Event {
    Message(Option<Result<Message, axum::Error>>),
    Tick,
    Applied,
    Due,
    Stop,
}

impl Session {
    pub(super) fn new(app: Arc<App>, tails: Vec<Tail>, is_back: bool, principal: Principal) -> Self {
        let now = Instant::now();
        Self {
            app,
            tails,
            principal,
            filter: Arc::new(Expr::All),
            is_paused: false,
            is_behind: is_back,
            is_back,
            next_reading: now,
            window: Window { began: now, sent: 0 },
            ticks: 0,
        }
    }

    /// Until one of both ends.
    pub(super) async fn run(mut self, mut socket: WebSocket, query: &str) {
        let end = match self.begin(&mut socket, query).await {
            Ok(()) => self.follow(&mut socket).await,
            Err(end) => end,
        };
        // A client that has gone hears nothing.
        let _ = timeout(GOODBYE, goodbye(&mut socket, end)).await;
    }

    async fn begin(&mut self, socket: &mut WebSocket, query: &str) -> Flow {
        let query = search::parse(query).map_err(ApiError::from)?;
        if !query.stages.is_empty() {
            let message = "a live tail takes a filter, and no stages: leave out what follows the first |";
            return Err(ApiError::parameter("query", message).into());
        }
        if query.filter.asks_for_patterns() {
            let message = "patterns are found among everything that is stored: a live tail cannot follow one";
            return Err(ApiError::parameter("query", message).into());
        }
        let hello = Frame::Hello { query: query.to_string(), position: place_of(&self.tails).to_string() };
        self.filter = Arc::new(query.filter);
        self.send(socket, hello.render()?).await
    }

    async fn follow(&mut self, socket: &mut WebSocket) -> End {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tick.reset();
        loop {
            let event = self.next(socket, &mut tick).await;
            let flow = match event {
                Event::Message(message) => self.hear(socket, message).await,
                Event::Tick => self.tick(socket).await,
                Event::Due => self.read(socket).await,
                Event::Stop => Err(End::Stopping),
                Event::Applied => {
                    self.is_behind = true;
                    Ok(())
                }
            };
            if let Err(end) = flow {
                return end;
            }
        }
    }

    async fn next(&mut self, socket: &mut WebSocket, tick: &mut tokio::time::Interval) -> Event {
        let is_due = self.is_behind && !self.is_paused;
        let more = select_all(self.tails.iter_mut().map(|tail| Box::pin(tail.more())));
        tokio::select! {
            biased;
            () = self.app.stopped() => Event::Stop,
            message = socket.recv() => Event::Message(message),
            _ = tick.tick() => Event::Tick,
            () = sleep_until(self.next_reading), if is_due => Event::Due,
            _ = more, if !self.is_behind => Event::Applied,
        }
    }

    async fn hear(&mut self, socket: &mut WebSocket, message: Option<Result<Message, axum::Error>>) -> Flow {
        let Some(Ok(message)) = message else { return Err(End::Gone) };
        let text = match message {
            Message::Text(text) => text,
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Close(_) => return Err(End::Gone),
            Message::Binary(_) => return Err(misunderstood("a binary message").into()),
        };
        match serde_json::from_str(&text).map_err(|error| misunderstood(&error.to_string()))? {
            Asked::Query { query } => {
                let query = params::query_text(Some(&query))?;
                self.begin(socket, query).await
            }
            Asked::Pause => {
                self.is_paused = true;
                Ok(())
            }
            Asked::Resume => {
                self.is_back |= self.is_paused;
                self.is_paused = false;
                Ok(())
            }
        }
    }

    async fn tick(&mut self, socket: &mut WebSocket) -> Flow {
        if !self.app.auth.still_holds(&self.principal) {
            let message = "the session, token or password is good no more: log in again";
            return Err(ApiError::Auth(AuthError::Bad(message)).into());
        }
        self.ticks += 1;
        if !self.ticks.is_multiple_of(TICKS_A_PULSE) {
            return Ok(());
        }
        let pulse = Frame::Pulse { at: time::format(now_ns()), position: place_of(&self.tails).to_string() };
        self.send(socket, pulse.render()?).await
    }

    async fn read(&mut self, socket: &mut WebSocket) -> Flow {
        let batch = self.read_batch().await?;
        self.app.metrics.live(batch.records as u64, batch.dropped, batch.unread);
        for frame in batch.frames {
            self.send(socket, frame).await?;
        }
        self.next_reading = Instant::now() + PACE;
        Ok(())
    }

    /// Reads on a thread that may wait for the disk.
    async fn read_batch(&mut self) -> Result<Batch, End> {
        let (is_back, left) = (self.is_back, self.window.left());
        let (records, bytes) = if is_back { (CATCH_UP, CATCH_UP_BYTES) } else { (left, BYTES) };
        (self.is_behind, self.is_back) = (false, false);
        let app = Arc::clone(&self.app);
        let _turn = app.live.readers.acquire().await.map_err(|_| End::Stopping)?;
        // What a seal has made a file of is read from the disk, which may take long: nothing is sent meanwhile.
        let deadline = Some(app.queries.deadline().min(std::time::Instant::now() + LONGEST_READING));
        let limits = TailLimits { records, bytes, rows: ROWS, deadline };
        let (mut tails, filter) = (std::mem::take(&mut self.tails), Arc::clone(&self.filter));
        let reading = tokio::task::spawn_blocking(move || {
            let batch = read(&mut tails, &filter, limits);
            (tails, batch)
        });
        let (tails, batch) = reading.await.map_err(|_| ApiError::Internal)?;
        self.tails = tails;
        let batch = batch?;
        // What was missed takes nothing from what comes now.
        self.window.sent += if is_back { 0 } else { batch.records };
        Ok(batch)
    }

    async fn send(&self, socket: &mut WebSocket, frame: String) -> Flow {
        tokio::select! {
            sent = timeout(PATIENCE, socket.send(Message::text(frame))) => match sent {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) | Err(_) => Err(End::Gone),
            },
            () = self.app.stopped() => Err(End::Stopping),
        }
    }
}

fn misunderstood(what: &str) -> ApiError {
    let what: String = what.chars().take(200).collect();
    ApiError::Body(format!(
        "the message is none of {{\"type\":\"query\",\"query\":\"…\"}}, {{\"type\":\"pause\"}} and {{\"type\":\"resume\"}}: {what}"
    ))
}

async fn goodbye(socket: &mut WebSocket, end: End) {
    let (code, reason) = match end {
        End::Told(error) => {
            if let Ok(frame) = Frame::Error(&error.body()).render() {
                let _ = socket.send(Message::text(frame)).await;
            }
            (close_code::POLICY, "see the error before")
        }
        End::Stopping => (close_code::AWAY, "the collector is stopping"),
        End::Gone => (close_code::NORMAL, ""),
    };
    let close = CloseFrame { code, reason: reason.into() };
    if socket.send(Message::Close(Some(close))).await.is_ok() {
        // The other end answers with its own close frame; then nothing is lost on the way.
        while let Some(Ok(_)) = socket.recv().await {}
    }
}
