//! The network: interfaces, what TCP and UDP have lost, connections by state.

use super::names::*;
use super::read::{Reader, numbers};
use crate::report::Report;

const MAX_INTERFACES: usize = 64;
/// One end of a container's cable: they come and go, and what they carry is counted elsewhere.
const CABLES: [&str; 3] = ["veth", "cali", "lxc"];
/// The states of include/net/tcp_states.h, from 1, by their conventional names.
const STATES: [&str; 12] = [
    "established",
    "syn_sent",
    "syn_received",
    "fin_wait_1",
    "fin_wait_2",
    "time_wait",
    "closed",
    "close_wait",
    "last_ack",
    "listen",
    "closing",
    "syn_received",
];

/// A line of /proc/net/dev: 8 counters received, 8 sent.
struct Interface<'a> {
    name: &'a str,
    counts: [u64; 16],
}

pub(super) fn report_interfaces(reader: &mut Reader, report: &mut Report<'_>) {
    let Some(text) = reader.text("proc/net/dev") else { return };
    let mut interfaces: Vec<Interface<'_>> = text.lines().filter_map(interface).collect();
    let count = interfaces.len();
    interfaces.truncate(MAX_INTERFACES);
    let metrics = [(&NETWORK_IO, 0), (&NETWORK_PACKETS, 1), (&NETWORK_ERRORS, 2), (&NETWORK_DROPPED, 3)];
    for (metric, at) in metrics {
        report.metric(metric);
        for interface in &interfaces {
            for (direction, from) in [("receive", 0), ("transmit", 8)] {
                let labels =
                    [("network.interface.name", interface.name), ("network.io.direction", direction)];
                report.int(interface.counts[from + at], &labels);
            }
        }
    }
    if count > MAX_INTERFACES {
        reader.say_left_out("network interfaces", MAX_INTERFACES);
    }
}

/// One that has ever carried something.
fn interface(line: &str) -> Option<Interface<'_>> {
    let (name, rest) = line.rsplit_once(':')?;
    let name = name.trim();
    let mut counts = [0; 16];
    let read = counts.iter_mut().zip(numbers(rest)).map(|(count, number)| *count = number).count();
    let is_cable = CABLES.iter().any(|cable| name.starts_with(cable));
    let is_used = counts.iter().any(|count| *count > 0);
    (read == 16 && is_used && !is_cable).then_some(Interface { name, counts })
}

pub(super) fn report_protocols(reader: &mut Reader, report: &mut Report<'_>) {
    if let Some(text) = reader.text("proc/net/snmp") {
        let tcp = |name| named(text, "Tcp:", name);
        if let Some(segments) = tcp("RetransSegs") {
            report.one(&TCP_RETRANSMITS, segments);
        }
        report.metric(&TCP_SEGMENTS);
        for (direction, name) in [("receive", "InSegs"), ("transmit", "OutSegs")] {
            if let Some(segments) = tcp(name) {
                report.int(segments, &[("network.io.direction", direction)]);
            }
        }
        if let Some(segments) = tcp("OutRsts") {
            report.one(&TCP_RESETS, segments);
        }
        report.metric(&UDP_ERRORS);
        let kinds = [
            ("receive_buffer", "RcvbufErrors"),
            ("send_buffer", "SndbufErrors"),
            ("checksum", "InCsumErrors"),
            ("no_port", "NoPorts"),
        ];
        for (kind, name) in kinds {
            if let Some(datagrams) = named(text, "Udp:", name) {
                report.int(datagrams, &[("kind", kind)]);
            }
        }
    }
    let overflows =
        reader.text("proc/net/netstat").and_then(|text| named(text, "TcpExt:", "ListenOverflows"));
    if let Some(overflows) = overflows {
        report.one(&TCP_LISTEN_OVERFLOWS, overflows);
    }
}

/// A number below its name: a line of names, and one of numbers.
fn named(text: &str, protocol: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(protocol));
    let (names, numbers) = (lines.next()?, lines.next()?);
    let at = names.split_ascii_whitespace().position(|word| word == name)?;
    numbers.split_ascii_whitespace().nth(at)?.parse().ok()
}

/// One point per state, over both kinds of addresses: a state that nobody is in is 0.
pub(super) fn report_connections(reader: &mut Reader, report: &mut Report<'_>) {
    let mut counts = [0u64; STATES.len()];
    let Some(text) = reader.text("proc/net/tcp") else { return };
    count_states(text, &mut counts);
    if let Some(text) = reader.text("proc/net/tcp6") {
        count_states(text, &mut counts);
    }
    // What waits for its last word in the queue of a listener is as good as received.
    counts[2] += counts[11];
    report.metric(&CONNECTIONS);
    for (state, count) in STATES.iter().zip(counts).take(11) {
        report.int(count, &[("network.connection.state", state), ("network.transport", "tcp")]);
    }
}

fn count_states(text: &str, counts: &mut [u64; STATES.len()]) {
    for line in text.lines().skip(1) {
        let state =
            line.split_ascii_whitespace().nth(3).and_then(|word| usize::from_str_radix(word, 16).ok());
        if let Some(count) = state.and_then(|state| counts.get_mut(state.checked_sub(1)?)) {
            *count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_that_carry_something() {
        let used = interface("  eth0: 100 2 3 4 0 0 0 0 500 6 7 8 0 0 0 0").expect("an interface");
        assert_eq!((used.name, used.counts[0], used.counts[3], used.counts[8]), ("eth0", 100, 4, 500));
        let alias = interface("eth0:1:100 2 3 4 0 0 0 0 500 6 7 8 0 0 0 0").expect("an alias");
        assert_eq!(alias.name, "eth0:1");
        let none = [
            "Inter-|   Receive                      |  Transmit",
            " face |bytes    packets errs drop fifo frame compressed multicast|bytes",
            "ifb0: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
            "veth12ab: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0",
            "eth0: 1 2 3",
            "",
        ];
        assert!(none.iter().all(|line| interface(line).is_none()));
    }

    #[test]
    fn numbers_stand_below_their_names() {
        let text = "Ip: Forwarding\nIp: 2\nTcp: MaxConn RetransSegs\nTcp: -1 3832\nUdp: NoPorts\n";
        let cases = [
            ("Tcp:", "RetransSegs", Some(3832)),
            ("Tcp:", "MaxConn", None),
            ("Tcp:", "X", None),
            ("Udp:", "NoPorts", None),
        ];
        for (protocol, name, expected) in cases {
            assert_eq!(named(text, protocol, name), expected, "{protocol} {name}");
        }
    }

    #[test]
    fn connections_are_counted_by_state() {
        let text = "  sl  local_address rem_address   st tx_queue rx_queue\n\
            \x20  0: 0100007F:9F9B 00000000:0000 0A 00000000:00000000 00:00000000\n\
            \x20  1: 0100007F:9F9B 0100007F:07E8 01 00000000:00000000 00:00000000\n\
            \x20  2: 0100007F:9F9B 0100007F:07E9 06 00000000:00000000 00:00000000\n\
            \x20  3: 0100007F:9F9B 0100007F:07E9 FF 00000000:00000000 00:00000000\n\
            \x20  4: 0100007F\n";
        let mut counts = [0; 12];
        count_states(text, &mut counts);
        let met: Vec<_> = STATES.iter().zip(counts).filter(|(_, count)| *count > 0).collect();
        assert_eq!(met, [(&"established", 1), (&"time_wait", 1), (&"listen", 1)]);
    }
}
