//! `receive`'s rules about `Host` and `Origin`, with the names that the
//! configuration adds.

use std::net::SocketAddr;

use http::{HeaderMap, header};
use receive::{Denied, RequestHead, check_browser_rules};

use crate::config::Config;

/// Which names this server goes by, and whose pages may write.
pub struct BrowserRules {
    hosts: Vec<String>,
    origins: Vec<String>,
}

impl BrowserRules {
    pub(super) fn new(config: &Config) -> Self {
        let addresses =
            [config.listen, config.listen_grpc].into_iter().filter(|address| !address.ip().is_unspecified());
        // What it listens on by name of an address is no name that an attacker could point elsewhere.
        let own = addresses.map(|address| match address {
            SocketAddr::V4(v4) => v4.ip().to_string(),
            SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
        });
        Self {
            hosts: own.chain(config.allowed_hosts.iter().cloned()).collect(),
            origins: config.allowed_origins.clone(),
        }
    }

    /// The host names beside loopback's, for `receive`.
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// For a request that reads: the `Host` must be ours. Pages elsewhere cannot see the answer anyway.
    pub fn check_host(&self, headers: &HeaderMap) -> Result<(), Denied> {
        let mut only_host = HeaderMap::new();
        for host in headers.get_all(header::HOST) {
            only_host.append(header::HOST, host.clone());
        }
        check_browser_rules(&RequestHead::new(&only_host, None), &self.hosts)
    }

    /// For a request that writes: no foreign page, no form.
    pub fn check_write(&self, headers: &HeaderMap) -> Result<(), Denied> {
        if let Some(site) = headers.get("sec-fetch-site")
            && !matches!(site.as_bytes(), b"same-origin" | b"none")
            && !self.is_allowed_origin(headers)
        {
            return Err(Denied::Forbidden {
                reason: "requests from other sites' pages are not allowed here".to_owned(),
            });
        }
        if self.is_allowed_origin(headers) {
            let mut without_origin = headers.clone();
            without_origin.remove(header::ORIGIN);
            return check_browser_rules(&RequestHead::new(&without_origin, None), &self.hosts);
        }
        check_browser_rules(&RequestHead::new(headers, None), &self.hosts)
    }

    /// For a write that stands on a cookie: every browser names the page, and what does not name one is none of ours.
    pub fn check_page_is_named(&self, headers: &HeaderMap) -> Result<(), Denied> {
        if headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site") {
            return Ok(());
        }
        let reason =
            "with a session cookie a change must name its page: send Origin, or use HTTP Basic or a token";
        Err(Denied::Forbidden { reason: reason.to_owned() })
    }

    /// For what takes JSON: a form is what a foreign page can send without being asked first.
    pub fn check_no_form(&self, headers: &HeaderMap) -> Result<(), Denied> {
        let content_type =
            headers.get(header::CONTENT_TYPE).map(|value| value.as_bytes().to_ascii_lowercase());
        let content_type = content_type.unwrap_or_default();
        let forms: [&[u8]; 2] = [b"application/x-www-form-urlencoded", b"multipart/"];
        if forms.iter().any(|form| content_type.trim_ascii_start().starts_with(form)) {
            return Err(Denied::Forbidden {
                reason: "bodies of forms are not taken here: send application/json".to_owned(),
            });
        }
        Ok(())
    }

    fn is_allowed_origin(&self, headers: &HeaderMap) -> bool {
        let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
        origin.is_some_and(|origin| self.origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rules() -> BrowserRules {
        BrowserRules::new(&Config {
            listen: "10.1.2.3:7070".parse().unwrap(),
            allowed_hosts: vec!["obs.example.org".into()],
            allowed_origins: vec!["https://proxy.example.org".into()],
            ..Config::default()
        })
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn reads_need_an_own_name() {
        let foreign_page = ("origin", "https://evil.example");
        for host in ["localhost:7070", "127.0.0.1", "10.1.2.3:7070", "obs.example.org"] {
            assert!(rules().check_host(&headers(&[("host", host), foreign_page])).is_ok(), "{host}");
        }
        for host in ["evil.example", "10.1.2.4", "localhost.evil.example"] {
            assert!(rules().check_host(&headers(&[("host", host)])).is_err(), "{host}");
        }
    }

    #[test]
    fn writes_need_an_own_page() {
        let host = ("host", "localhost:7070");
        let passes =
            |more: &[(&'static str, &str)]| rules().check_write(&headers(&[&[host], more].concat())).is_ok();
        assert!(passes(&[]));
        assert!(passes(&[("origin", "http://localhost:7070"), ("sec-fetch-site", "same-origin")]));
        assert!(passes(&[("origin", "https://proxy.example.org"), ("sec-fetch-site", "cross-site")]));
        assert!(!passes(&[("origin", "https://evil.example")]));
        assert!(!passes(&[("origin", "null")]));
        assert!(!passes(&[("sec-fetch-site", "cross-site")]));
        assert!(!passes(&[("sec-fetch-site", "same-site")]));
        assert!(!passes(&[("content-type", "text/plain")]));
    }

    #[test]
    fn a_write_on_a_cookie_names_its_page_and_is_no_form() {
        let named = |more: &[(&'static str, &str)]| rules().check_page_is_named(&headers(more)).is_ok();
        assert!(named(&[("origin", "http://localhost")]) && named(&[("sec-fetch-site", "same-origin")]));
        assert!(!named(&[]) && !named(&[("referer", "http://localhost/")]));
        for (content_type, fits) in [
            ("application/json", true),
            ("application/x-www-form-urlencoded", false),
            (" Application/X-WWW-Form-Urlencoded; charset=utf-8", false),
            ("multipart/form-data; boundary=x", false),
        ] {
            let checked = rules().check_no_form(&headers(&[("content-type", content_type)]));
            assert_eq!(checked.is_ok(), fits, "{content_type}");
        }
        assert!(rules().check_no_form(&headers(&[])).is_ok());
    }
}
