//! Where the collector is, and who asks.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;

use super::Told;
use super::stream::{self, Stream, Tls};
use crate::auth::TENANT_HEADER;
use crate::config::Secret;

/// Where the collector is, and who asks.
#[derive(Clone, Debug, Default, Args)]
pub struct TargetArgs {
    /// Where the collector is
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7070")]
    pub url: String,
    /// The authorities of the certificate of a collector at https:// (PEM) [default: those of this machine]
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Who logs in, with the password of the variable NARROWS_ADMIN_PASSWORD or the data directory
    #[arg(long, value_name = "NAME", default_value = "admin")]
    pub user: String,
    /// A file with a Bearer token, in place of a login
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// The data directory of a collector on this machine, whose file admin-password is read [default: narrows-data]
    #[arg(long, value_name = "DIR", env = "NARROWS_DATA")]
    pub data: Option<PathBuf>,
    /// Whose data
    #[arg(long, value_name = "NAME")]
    pub tenant: Option<String>,
}

/// What a request needs.
pub(crate) struct Target {
    /// Without a scheme and a slash at its end.
    address: String,
    /// For `https://`.
    tls: Option<Tls>,
    authorization: HeaderValue,
    tenant: Option<HeaderValue>,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.address)
    }
}

impl Target {
    pub(crate) fn new(args: &TargetArgs, password: Option<&Secret>) -> anyhow::Result<Self> {
        let (scheme, address) = args.url.split_once("://").unwrap_or_default();
        let address = address.trim_end_matches('/');
        let tls = match scheme {
            "http" => None,
            "https" => Some(Tls::new(address, args.ca_file.as_deref())?),
            _ => bail!("--url {:?}: write http://HOST:PORT or https://HOST:PORT", args.url),
        };
        let tenant = args.tenant.as_deref().map(HeaderValue::from_str).transpose();
        Ok(Self {
            address: address.to_owned(),
            tls,
            authorization: authorization(args, password)?,
            tenant: tenant.context("--tenant: no name of a tenant")?,
        })
    }

    /// A connection, with TLS where the URL says so.
    pub(crate) async fn open(&self) -> std::io::Result<Box<dyn Stream>> {
        stream::open(&self.address, self.tls.as_ref()).await
    }

    /// A plain request: `path` as it stands in the API, JSON for a `POST`.
    pub(crate) fn ask(&self, path: &str, body: Option<String>) -> anyhow::Result<http::Request<String>> {
        let method = if body.is_some() { http::Method::POST } else { http::Method::GET };
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.address)
            .header(header::AUTHORIZATION, self.authorization.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CONNECTION, "close");
        let request = match &self.tenant {
            Some(tenant) => request.header(TENANT_HEADER, tenant.clone()),
            None => request,
        };
        request.body(body.unwrap_or_default()).with_context(|| format!("bad address {self}"))
    }

    /// The handshake, for what matches and comes behind `position`.
    pub(super) fn request(&self, query: &str, position: Option<&str>) -> anyhow::Result<Request> {
        let (query, position) = (escape(query), escape(position.unwrap_or_default()));
        let url = format!("ws://{}/api/v1/narrows/live?query={query}&after={position}", self.address);
        let mut request = url.into_client_request().with_context(|| format!("bad address {self}"))?;
        request.headers_mut().insert(header::AUTHORIZATION, self.authorization.clone());
        if let Some(tenant) = &self.tenant {
            request.headers_mut().insert(TENANT_HEADER, tenant.clone());
        }
        Ok(request)
    }
}

fn authorization(args: &TargetArgs, password: Option<&Secret>) -> anyhow::Result<HeaderValue> {
    let text = match (&args.token_file, password) {
        (Some(path), _) => format!("Bearer {}", read(path)?),
        (None, Some(password)) => basic(&args.user, password.reveal()),
        (None, None) => {
            let path = args.data.as_deref().unwrap_or(Path::new("narrows-data")).join("admin-password");
            let hint = "set NARROWS_ADMIN_PASSWORD, or name the collector's data directory with --data";
            basic(&args.user, &read(&path).context(hint)?)
        }
    };
    let mut value = HeaderValue::from_str(&text).context("the token has characters that no token has")?;
    value.set_sensitive(true);
    Ok(value)
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

fn read(path: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text.trim().to_owned())
}

/// For a query string.
pub(crate) fn escape(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

/// Whether the same request may be answered later.
pub(super) fn may_pass(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

/// What an answer that is no WebSocket says.
pub(crate) fn reason(status: StatusCode, body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Body {
        error: Told,
    }
    match serde_json::from_slice::<Body>(body) {
        Ok(body) => body.error.text(),
        Err(_) => format!("the answer is {status}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn args(url: &str) -> TargetArgs {
        TargetArgs { url: url.to_owned(), user: "admin".to_owned(), ..TargetArgs::default() }
    }

    #[test]
    fn a_request_says_who_asks_for_what() {
        let args = TargetArgs { tenant: Some("acme".to_owned()), ..args("http://localhost:7070/") };
        let target = Target::new(&args, Some(&Secret::new("a:b"))).unwrap();
        let request = target.request("severity>=error a&b", Some("0-2a.1-3")).unwrap();
        let expected =
            "ws://localhost:7070/api/v1/narrows/live?query=severity%3E%3Derror%20a%26b&after=0-2a.1-3";
        assert_eq!(request.uri().to_string(), expected);
        assert_eq!(request.headers()["authorization"], "Basic YWRtaW46YTpi");
        assert_eq!(request.headers()["x-scope-orgid"], "acme");
    }

    #[test]
    fn secrets_come_from_files_or_say_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("admin-password"), "a:b\n").unwrap();
        std::fs::write(dir.path().join("token"), "t\n").unwrap();
        let with = |data: &str, token: Option<&str>| {
            let token_file = token.map(|name| dir.path().join(name));
            let args = TargetArgs { data: Some(dir.path().join(data)), token_file, ..args("http://x") };
            Target::new(&args, None).map(|target| target.authorization).map_err(|error| format!("{error:#}"))
        };
        assert_eq!(with("", None).unwrap(), "Basic YWRtaW46YTpi");
        assert_eq!(with("", Some("token")).unwrap(), "Bearer t");
        assert!(with("nothing", None).unwrap_err().contains("NARROWS_ADMIN_PASSWORD"));
        assert!(with("", Some("nothing")).unwrap_err().contains("nothing"));
        let error = Target::new(&args("ftp://x"), None).err().unwrap().to_string();
        assert!(error.contains("http://HOST:PORT"), "{error}");
    }
}
