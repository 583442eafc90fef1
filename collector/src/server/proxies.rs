//! Who is behind a proxy: as the last one tells that is trusted, and nobody else. What a client itself writes into the
//! header stands before what proxies add, and counts nothing.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use alerting::receivers::Cidr;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;

use crate::api::Peer;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// Takes the address of who asks from the trusted proxies' word, for the handlers; without one it stays.
pub(super) async fn see_through(
    State(trusted): State<Arc<[Cidr]>>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(Peer(peer)) = request.extensions().get::<Peer>().copied()
        && let Some(client) = client(&trusted, peer.ip(), request.headers())
    {
        request.extensions_mut().insert(Peer(SocketAddr::new(client, 0)));
    }
    next.run(request).await
}

/// The nearest address that is no trusted proxy's. One that cannot be read ends the trust: the proxy before it counts.
fn client(trusted: &[Cidr], peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
    let is_proxy = |address: IpAddr| trusted.iter().any(|cidr| cidr.contains(address.to_canonical()));
    if !is_proxy(peer) {
        return None;
    }
    let lines = headers.get_all(FORWARDED_FOR).iter().collect::<Vec<_>>();
    let hops = lines.iter().rev().flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    let mut found = None;
    for hop in hops {
        let Some(address) = address(hop.trim()) else { break };
        found = Some(address);
        if !is_proxy(address) {
            break;
        }
    }
    found
}

/// Some proxies tell the port, too.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_that_is_no_proxy_is_who_asks() {
        let trusted: Vec<Cidr> = ["127.0.0.1", "10.9.0.0/16"].map(|text| text.parse().unwrap()).into();
        let cases: [(&str, &[&str], Option<&str>); 12] = [
            ("127.0.0.1", &[], None),
            ("127.0.0.1", &["203.0.113.7"], Some("203.0.113.7")),
            ("::ffff:127.0.0.1", &["203.0.113.7"], Some("203.0.113.7")),
            // What the client made up stands further away.
            ("127.0.0.1", &["1.2.3.4, 203.0.113.7"], Some("203.0.113.7")),
            ("127.0.0.1", &["1.2.3.4", "203.0.113.7"], Some("203.0.113.7")),
            ("127.0.0.1", &["203.0.113.7, 10.9.1.1"], Some("203.0.113.7")),
            ("127.0.0.1", &["10.9.1.1"], Some("10.9.1.1")),
            ("127.0.0.1", &["1.2.3.4, nobody"], None),
            ("127.0.0.1", &["nobody, 10.9.1.1"], Some("10.9.1.1")),
            ("127.0.0.1", &["203.0.113.7:4711"], Some("203.0.113.7")),
            ("127.0.0.1", &["[2001:db8::1]:4711"], Some("2001:db8::1")),
            // Nobody's word counts but a proxy's.
            ("203.0.113.9", &["203.0.113.7"], None),
        ];
        for (peer, lines, expected) in cases {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(FORWARDED_FOR, line.parse().unwrap());
            }
            let found = client(&trusted, peer.parse().unwrap(), &headers);
            assert_eq!(found, expected.map(|text| text.parse().unwrap()), "{peer} {lines:?}");
        }
        assert_eq!(address("[2001:db8::1]"), "2001:db8::1".parse().ok());
    }
}
