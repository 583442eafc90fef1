//! Where outgoing requests may go. Link-local, metadata, unspecified and multicast addresses are closed unless the
//! configuration opens them; one's own networks are open, for that is where hooks are.
//!
//! The check is made on the address that is connected to, not on a name: a name that resolves elsewhere the second
//! time gets nowhere.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;

/// A network, `10.0.0.0/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    address: IpAddr,
    bits: u8,
}

impl FromStr for Cidr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no network; write it as 169.254.10.0/24 or fe80::/10");
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), |bits| bits.parse().map_err(|_| wrong()))?;
        if bits > most { Err(wrong()) } else { Ok(Self { address, bits }) }
    }
}

impl Cidr {
    /// Whether an address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let shift = 32 - u32::from(self.bits);
                u32::from(own).checked_shr(shift) == u32::from(other).checked_shr(shift)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let shift = 128 - u32::from(self.bits);
                u128::from(own).checked_shr(shift) == u128::from(other).checked_shr(shift)
            }
            _ => false,
        }
    }
}

/// What a name resolves to.
pub type Found = Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>>;

/// Finds the addresses of a name.
pub type Lookup = dyn Fn(String) -> Found + Send + Sync;

/// Where outgoing requests may go.
#[derive(Clone)]
pub struct Guard {
    allow: Arc<[Cidr]>,
    lookup: Arc<Lookup>,
}

/// Metadata services that are at no link-local address: Alibaba, Oracle, Azure; AWS, Google and Scaleway by IPv6.
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192), Ipv4Addr::new(168, 63, 129, 16)];
const METADATA_V6: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42),
];

impl Guard {
    /// With networks that are open in any case, and the host's resolver.
    pub fn new(allow: Vec<Cidr>) -> Self {
        let lookup = |host: String| -> Found {
            Box::pin(async move {
                let found = tokio::net::lookup_host((host, 0)).await?;
                Ok(found.map(|address| address.ip()).collect())
            })
        };
        Self { allow: allow.into(), lookup: Arc::new(lookup) }
    }

    /// The same with another resolver.
    #[must_use]
    pub fn with_lookup(self, lookup: Arc<Lookup>) -> Self {
        Self { lookup, ..self }
    }

    /// Whether an address may be connected to, or why not.
    pub fn check(&self, address: IpAddr) -> Result<(), String> {
        let plain = embedded(address);
        let is_open = |cidr: &Cidr| cidr.contains(address) || cidr.contains(plain);
        match closed(plain) {
            Some(_) if self.allow.iter().any(is_open) => Ok(()),
            Some(what) => Err(format!(
                "{address} is {what}, which is closed to messages; notify_allow in the configuration opens it"
            )),
            None => Ok(()),
        }
    }

    /// The addresses of a host that may be connected to; there is at least one.
    pub(super) async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let found = match bare.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => {
                let found = (self.lookup)(bare.to_owned()).await;
                found.map_err(|error| format!("cannot resolve {bare}: {error}"))?
            }
        };
        let mut refused = format!("{bare} has no address");
        let mut open = Vec::new();
        for address in found {
            match self.check(address) {
                Ok(()) => open.push(SocketAddr::new(address, port)),
                Err(why) => refused = why,
            }
        }
        if open.is_empty() { Err(refused) } else { Ok(open) }
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("allow", &self.allow).finish_non_exhaustive()
    }
}

/// The IPv4 address that an IPv6 one stands for: mapped, compatible, NAT64 and 6to4.
fn embedded(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let low = |at: usize| {
        let octets = v6.octets();
        IpAddr::V4(Ipv4Addr::new(octets[at], octets[at + 1], octets[at + 2], octets[at + 3]))
    };
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => low(12),
        // ::1 and :: are themselves.
        [0, 0, 0, 0, 0, 0, high, low_word] if high != 0 || low_word > 1 => low(12),
        [0x64, 0xff9b, 1, ..] => low(12),
        [0x2002, ..] => low(2),
        _ => address,
    }
}

fn closed(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => match v4.octets() {
            _ if METADATA_V4.contains(&v4) => Some("a metadata service"),
            [169, 254, ..] => Some("a link-local address"),
            [0, ..] => Some("no address of a host"),
            [224..=255, ..] => Some("a multicast or reserved address"),
            _ => None,
        },
        IpAddr::V6(v6) => match v6.segments()[0] {
            _ if METADATA_V6.contains(&v6) => Some("a metadata service"),
            _ if v6.is_unspecified() => Some("no address of a host"),
            0xfe80..=0xfebf => Some("a link-local address"),
            0xff00.. => Some("a multicast address"),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn only_what_is_a_hosts_is_open() {
        let guard = Guard::new(Vec::new());
        let closed = [
            "169.254.169.254",
            "169.254.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "255.255.255.255",
            "100.100.100.200",
            "168.63.129.16",
            "::",
            "fe80::1",
            "febf::1",
            "ff02::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "::ffff:0.0.0.0",
        ];
        for address in closed {
            assert!(guard.check(address.parse().unwrap()).is_err(), "{address}");
        }
        let open =
            ["127.0.0.1", "10.1.2.3", "192.168.1.1", "172.16.0.1", "8.8.8.8", "100.64.0.1", "::1", "fd00::1"];
        for address in open.into_iter().chain(["2001:db8::1", "::ffff:127.0.0.1", "fec0::1", "2002:a00:1::"])
        {
            assert_eq!(guard.check(address.parse().unwrap()), Ok(()), "{address}");
        }
    }

    #[test]
    fn networks_are_opened_by_name() {
        let allow = |texts: &[&str]| Guard::new(texts.iter().map(|text| text.parse().unwrap()).collect());
        let cases = [
            (&["169.254.10.0/24"][..], "169.254.10.7", true),
            (&["169.254.10.0/24"], "169.254.11.7", false),
            (&["169.254.10.0/24"], "::ffff:169.254.10.7", true),
            (&["fe80::/10"], "fe80::1", true),
            (&["fd00:ec2::254"], "fd00:ec2::254", true),
            (&["0.0.0.0/0"], "169.254.169.254", true),
            (&["0.0.0.0/0"], "fe80::1", false),
            (&["::/0"], "fe80::1", true),
        ];
        for (texts, address, is_open) in cases {
            assert_eq!(allow(texts).check(address.parse().unwrap()).is_ok(), is_open, "{texts:?} {address}");
        }
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "a/8", "10.0.0.0/x"] {
            assert!(text.parse::<Cidr>().is_err(), "{text:?}");
        }
    }

    #[tokio::test]
    async fn names_are_as_good_as_their_addresses() {
        let guard = Guard::new(Vec::new()).with_lookup(Arc::new(|host: String| -> Found {
            let addresses: &[&str] = match host.as_str() {
                "inside" => &["169.254.169.254"],
                "mixed" => &["fe80::1", "127.0.0.1"],
                _ => &[],
            };
            let found = addresses.iter().map(|address| address.parse().unwrap()).collect();
            Box::pin(async move { Ok(found) })
        }));
        let why = guard.resolve("inside", 80).await.unwrap_err();
        assert!(why.starts_with("169.254.169.254 is a link-local address"), "{why}");
        assert_eq!(guard.resolve("mixed", 80).await.unwrap(), ["127.0.0.1:80".parse().unwrap()]);
        assert_eq!(guard.resolve("nothing", 80).await.unwrap_err(), "nothing has no address");
        assert!(guard.resolve("[fe80::1]", 80).await.is_err());
        assert_eq!(guard.resolve("[::1]", 25).await.unwrap(), ["[::1]:25".parse().unwrap()]);
    }
}
