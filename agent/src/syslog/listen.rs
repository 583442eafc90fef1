//! The sockets. Messages wait for the queue: a full one stops reading, so that
//! TCP senders wait; UDP has no way to say so, and the system drops what it cannot hold.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use telemetry::detect::{Clock, Zone};
use telemetry::otlp::Any;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::drops::{Drops, PERIOD};
use super::frame::{Frame, Framer};
use super::record::{Origin, draft};
use crate::batch::Labels;
use crate::config::{Scalar, SyslogInput, SyslogProtocol, merge};
use crate::feed::{Feed, Shared, stopped};
use crate::host;
use crate::lines::{LineOptions, Marks, clean};
use crate::queue::{QueueError, now_ns};

/// Messages that wait between connections and the queue.
const WAITING: usize = 1024;
/// Hosts and programs whose labels are kept.
const MAX_ORIGINS: usize = 1000;
/// The largest datagram.
const DATAGRAM_BYTES: usize = 64 << 10;

/// A bound port.
pub(crate) struct Listener {
    input: SyslogInput,
    socket: Socket,
}

enum Socket {
    Udp(UdpSocket),
    Tcp(TcpListener),
}

/// A message and who sent it.
type Received = (Frame, IpAddr);

impl Listener {
    /// Binds the port, or says which is taken.
    pub(crate) async fn bind(input: &SyslogInput) -> anyhow::Result<Self> {
        let failed = || format!("cannot listen on {} for syslog; is another program there?", input.listen);
        let socket = match input.protocol {
            SyslogProtocol::Udp => Socket::Udp(UdpSocket::bind(input.listen).await.with_context(failed)?),
            SyslogProtocol::Tcp => Socket::Tcp(TcpListener::bind(input.listen).await.with_context(failed)?),
        };
        Ok(Self { input: input.clone(), socket })
    }

    /// Where it listens, as a URL.
    pub(crate) fn url(&self) -> std::io::Result<String> {
        Ok(match &self.socket {
            Socket::Udp(socket) => format!("udp://{}", socket.local_addr()?),
            Socket::Tcp(listener) => format!("tcp://{}", listener.local_addr()?),
        })
    }

    /// Serves until `stop` turns true.
    pub(crate) async fn run(self, shared: Shared, stop: watch::Receiver<bool>) -> Result<(), QueueError> {
        let (send, receive) = mpsc::channel(WAITING);
        // Ends with us, whatever ends us: the port is free then.
        let mut reading = JoinSet::new();
        let mut drops = None;
        match self.socket {
            Socket::Udp(socket) => {
                let socket = Arc::new(socket);
                drops = Some(Drops::of(socket.clone(), shared.metrics.clone()));
                reading.spawn(datagrams(socket, self.input.clone(), send, stop))
            }
            Socket::Tcp(listener) => {
                reading.spawn(connections(listener, self.input.clone(), shared.clone(), send, stop))
            }
        };
        let ended = {
            let mut gathering = pin!(Gatherer::new(&shared, self.input).run(receive));
            // Beside the gathering: it is while the queue is full that datagrams are dropped.
            let mut looks = looks();
            loop {
                tokio::select! {
                    ended = &mut gathering => break ended,
                    _ = looks.tick(), if drops.is_some() => drops.iter_mut().for_each(Drops::look),
                }
            }
        };
        drops.iter_mut().for_each(Drops::look);
        reading.shutdown().await;
        ended
    }
}

fn looks() -> Interval {
    let mut looks = interval(PERIOD);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks
}

async fn datagrams(
    socket: Arc<UdpSocket>,
    input: SyslogInput,
    send: mpsc::Sender<Received>,
    mut stop: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; DATAGRAM_BYTES];
    loop {
        let received = tokio::select! {
            received = socket.recv_from(&mut buffer) => received,
            () = stopped(&mut stop) => return,
        };
        let Ok((len, peer)) =
            received.inspect_err(|error| tracing::warn!(%error, "cannot read from a syslog port"))
        else {
            // An ICMP answer to something else; the socket goes on.
            continue;
        };
        let kept = len.min(input.max_message_bytes);
        let bytes = buffer[..kept].strip_suffix(b"\n").unwrap_or(&buffer[..kept]).to_vec();
        if send.send((Frame { bytes, cut: kept < len }, peer.ip())).await.is_err() {
            return;
        }
    }
}

async fn connections(
    listener: TcpListener,
    input: SyslogInput,
    shared: Shared,
    send: mpsc::Sender<Received>,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(input.max_connections));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a syslog connection");
                shared.metrics.syslog_problems.with_label_values(&["failed"]).inc();
                // Out of descriptors, most likely: some time lets others be closed.
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            tracing::warn!(%peer, limit = input.max_connections, "closed a syslog connection over the limit");
            shared.metrics.syslog_problems.with_label_values(&["too_many_connections"]).inc();
            continue;
        };
        tokio::spawn(connection(
            stream,
            peer,
            input.clone(),
            shared.clone(),
            send.clone(),
            stop.clone(),
            place,
        ));
    }
}

async fn connection(
    mut stream: TcpStream,
    peer: SocketAddr,
    input: SyslogInput,
    shared: Shared,
    send: mpsc::Sender<Received>,
    mut stop: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
) {
    shared.metrics.syslog_connections.inc();
    let (mut framer, mut frames) = (Framer::new(input.max_message_bytes), Vec::new());
    let mut buffer = vec![0; 16 << 10];
    loop {
        let read = tokio::select! {
            read = tokio::time::timeout(input.idle_timeout, stream.read(&mut buffer)) => read,
            () = stopped(&mut stop) => break,
        };
        let problem = match read {
            Ok(Ok(0)) => break,
            Ok(Ok(len)) => {
                framer.push(&buffer[..len], &mut frames);
                None
            }
            Ok(Err(_)) => Some("failed"),
            Err(_) => Some("idle"),
        };
        for frame in frames.drain(..) {
            if send.send((frame, peer.ip())).await.is_err() {
                // Nobody takes messages any more: what the sender still has is its own.
                shared.metrics.syslog_connections.dec();
                return;
            }
        }
        if let Some(problem) = problem {
            tracing::debug!(%peer, problem, "closed a syslog connection");
            shared.metrics.syslog_problems.with_label_values(&[problem]).inc();
            break;
        }
    }
    if let Some(frame) = framer.finish() {
        // Nobody listens any more when all of it stops.
        let _stopping = send.send((frame, peer.ip())).await;
    }
    shared.metrics.syslog_connections.dec();
}

/// Makes records of messages and hands them to the queue.
struct Gatherer {
    input: SyslogInput,
    shared: Shared,
    feed: Feed,
    zone: Zone,
    /// By host and program.
    labels: HashMap<Origin, Arc<Labels>>,
}

impl Gatherer {
    fn new(shared: &Shared, input: SyslogInput) -> Self {
        let zone = host::zone(input.time_zone);
        Self {
            shared: shared.clone(),
            feed: Feed::new(shared, "syslog"),
            zone,
            labels: HashMap::new(),
            input,
        }
    }

    /// Until everybody who sends has gone.
    async fn run(mut self, mut messages: mpsc::Receiver<Received>) -> Result<(), QueueError> {
        loop {
            let received = tokio::select! {
                received = messages.recv() => received,
                () = self.feed.due() => {
                    self.feed.flush().await?;
                    continue;
                }
            };
            let Some((frame, peer)) = received else { return self.feed.flush().await };
            self.message(&frame, peer);
            if self.feed.batch.is_full() {
                self.feed.flush().await?;
            }
        }
    }

    fn message(&mut self, frame: &Frame, peer: IpAddr) {
        let metrics = self.shared.metrics.clone();
        let protocol = if self.input.protocol == SyslogProtocol::Udp { "udp" } else { "tcp" };
        metrics.syslog_messages.with_label_values(&[protocol]).inc();
        let now_ns = now_ns();
        let (text, marks) = clean(&frame.bytes, Marks { cut: frame.cut, ..Marks::default() });
        let (mut draft, origin, is_message) = draft(&text, Some(peer), &Clock { now_ns, zone: &self.zone });
        for (is_so, problem) in [(!is_message, "malformed"), (marks.cut, "too_large")] {
            if is_so {
                metrics.syslog_problems.with_label_values(&[problem]).inc();
            }
        }
        for (is_so, key) in [(marks.cut, "log.truncated"), (marks.mended, "log.invalid_utf8")] {
            if is_so {
                draft.add(key, Any::Bool(true));
            }
        }
        let labels = labels(&mut self.labels, &self.input, &self.shared, origin, &self.zone);
        self.feed.batch.draft(&labels, draft, Instant::now(), now_ns);
    }
}

fn labels(
    known: &mut HashMap<Origin, Arc<Labels>>,
    input: &SyslogInput,
    shared: &Shared,
    origin: Origin,
    zone: &Zone,
) -> Arc<Labels> {
    if let Some(labels) = known.get(&origin) {
        return labels.clone();
    }
    // Names come from the network: they must not fill the memory.
    if known.len() >= MAX_ORIGINS {
        known.clear();
    }
    let text = |text: &str| Scalar::Text(text.to_owned());
    let service = [("service.name".to_owned(), text(origin.app.as_deref().unwrap_or("syslog")))];
    let resource = match &origin.host {
        // It speaks for another host: what we know of ours says nothing about it.
        Some(host) => merge(&[&[("host.name".to_owned(), text(host))], &service, &input.resource]),
        None => merge(&[&shared.resource, &service, &input.resource]),
    };
    let name = input.name.as_deref().unwrap_or("syslog");
    let labels =
        Arc::new(Labels::new(&resource, &input.attributes, LineOptions::default(), zone.clone(), name));
    known.insert(origin, labels.clone());
    labels
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::feed::tests::shared;
    use tokio::io::AsyncWriteExt;

    #[tokio::test]
    async fn a_connection_whose_messages_nobody_takes_is_closed() {
        let input = SyslogInput {
            name: None,
            listen: "127.0.0.1:0".parse().unwrap(),
            protocol: SyslogProtocol::Tcp,
            max_message_bytes: 480,
            max_connections: 1,
            idle_timeout: std::time::Duration::from_secs(60),
            time_zone: crate::config::TimeZone::Fixed(0),
            resource: Vec::new(),
            attributes: Vec::new(),
        };
        let listener = TcpListener::bind(input.listen).await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        let (send, receive) = mpsc::channel(1);
        drop(receive);
        let (_stop, stopping) = watch::channel(false);
        let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        client.write_all(b"<13>app: x\n").await.unwrap();
        let (shared, _) = shared(1 << 20).await;
        let serving = connection(stream, peer, input, shared.clone(), send, stopping, place);
        tokio::time::timeout(std::time::Duration::from_secs(5), serving).await.expect("it is closed");
        assert_eq!(shared.metrics.syslog_connections.get(), 0);
    }
}
