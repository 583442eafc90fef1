//! Datagrams that the system has dropped because our socket was full. It counts them per socket, in `/proc/net/udp`
//! and `udp6`; nobody else can: the sender is told nothing.

use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;

use crate::metrics::Metrics;

/// Between two looks.
pub(super) const PERIOD: Duration = Duration::from_secs(5);

/// What is known of one socket's drops.
pub(super) struct Drops {
    socket: Arc<UdpSocket>,
    metrics: Arc<Metrics>,
    /// The system's number at the last look; it goes round at 2³².
    seen: u32,
    /// Said once: that datagrams are dropped, and that we cannot tell whether they are.
    said: [bool; 2],
}

impl Drops {
    pub(super) fn of(socket: Arc<UdpSocket>, metrics: Arc<Metrics>) -> Self {
        Self { socket, metrics, seen: 0, said: [false; 2] }
    }

    /// Counts what was dropped since the last look.
    pub(super) fn look(&mut self) {
        let known = dropped(&self.socket);
        let [drops_said, failure_said] = &mut self.said;
        let now = match known {
            Ok(now) => now,
            Err(error) => {
                if !std::mem::replace(failure_said, true) {
                    tracing::warn!(%error, "cannot tell whether the system drops syslog datagrams");
                }
                return;
            }
        };
        let more = now.wrapping_sub(self.seen);
        self.seen = now;
        self.metrics.syslog_dropped.inc_by(more.into());
        if more > 0 && !std::mem::replace(drops_said, true) {
            tracing::warn!(
                datagrams = more,
                "the system drops syslog datagrams: more come than are read, or the queue is full; TCP senders would wait"
            );
        }
    }
}

/// The number of a socket of this process.
fn dropped(socket: &UdpSocket) -> io::Result<u32> {
    let inode = fs::metadata(format!("/proc/self/fd/{}", socket.as_raw_fd()))?.ino();
    let table = if socket.local_addr()?.is_ipv4() { "udp" } else { "udp6" };
    let path = format!("/proc/self/net/{table}");
    let number = in_table(&fs::read_to_string(&path)?, inode);
    number.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("{path} does not have the socket")))
}

/// The last column of the socket's line; the tenth is the inode.
fn in_table(table: &str, inode: u64) -> Option<u32> {
    let line = table.lines().skip(1).find(|line| {
        let column = line.split_ascii_whitespace().nth(9);
        column.and_then(|column| column.parse().ok()) == Some(inode)
    })?;
    // Older systems print it with a sign.
    line.split_ascii_whitespace().nth(12)?.parse::<i64>().ok().map(|number| number as u32)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_found_by_its_inode() {
        let table = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
16326: 0100007F:E881 00000000:0000 07 00000000:00033C00 00:00000000 00000000     0        0 8245070 2 0000000063183610 2908
  231: 00000000:0202 00000000:0000 07 00000000:00000000 00:00000000 00000000   100        0 77 2 0000000000000000 -1
  232: 00000000:0203 00000000:0000 07 00000000:00000000 00:00000000 00000000   100        0 78 2 0000000000000000
";
        let cases = [(8_245_070, Some(2908)), (77, Some(u32::MAX)), (78, None), (2908, None), (0, None)];
        for (inode, expected) in cases {
            assert_eq!(in_table(table, inode), expected, "{inode}");
        }
        assert_eq!(in_table("", 77), None);
    }

    #[tokio::test]
    async fn what_a_full_socket_drops_is_counted_once() {
        for listen in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(socket) = UdpSocket::bind(listen).await else {
                assert_ne!(listen, "127.0.0.1:0");
                eprintln!("this host has no IPv6: {listen} is left out");
                continue;
            };
            let (socket, metrics) = (Arc::new(socket), Arc::new(Metrics::new()));
            let mut drops = Drops::of(socket.clone(), metrics.clone());
            drops.look();
            assert_eq!((metrics.syslog_dropped.get(), drops.said), (0, [false; 2]), "{listen}");
            let sender = std::net::UdpSocket::bind(listen).unwrap();
            let sent = 3000;
            for _ in 0..sent {
                sender.send_to(&[b'x'; 1000], socket.local_addr().unwrap()).unwrap();
            }
            drops.look();
            drops.look();
            let mut buffer = [0; 2000];
            let mut read = 0;
            socket.readable().await.unwrap();
            while socket.try_recv(&mut buffer).is_ok() {
                read += 1;
            }
            assert!(read < sent, "the socket held all of it");
            assert_eq!((metrics.syslog_dropped.get() + read, drops.said), (sent, [true, false]), "{listen}");
        }
    }
}
