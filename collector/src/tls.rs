//! TLS of both ports: the files that the configuration names, as what a handshake needs, renewed when the files
//! change. Open connections go on as they began. Files that do not fit together change nothing but what `/-/ready`
//! and the metrics say.

mod identity;
mod load;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::{Mutex, RwLock};
use prometheus::proto::MetricFamily;
use prometheus::{Gauge, IntCounterVec, Registry};
use rustls::ServerConfig;
use tokio::sync::watch;

use crate::metrics::{counter, options};

pub(crate) use identity::tenant_of;
pub use load::{TlsError, TlsFile};

use load::{Digest, Files, Loaded};

/// Between two looks at the files. What stood still from one to the next is taken.
const LOOK: Duration = Duration::from_secs(2);
const DAY_S: f64 = 86_400.0;
/// `/-/ready` tells from here on that the certificate ends.
const SOON_DAYS: f64 = 7.0;

/// TLS as the configuration asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsOptions {
    /// The certificate and what leads from it to a root, in PEM.
    pub cert_file: PathBuf,
    /// Its private key, in PEM.
    pub key_file: PathBuf,
    /// The authorities of client certificates, in PEM.
    pub client_ca_file: Option<PathBuf>,
    /// Which port refuses clients without a certificate.
    pub require_client_cert: RequireClientCert,
    /// TLS 1.2 is refused.
    pub only_tls13: bool,
}

/// Which port refuses clients without a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequireClientCert {
    /// None. The gRPC port asks for one, if there are authorities for them.
    #[default]
    Never,
    /// The gRPC port.
    Grpc,
    /// Both.
    All,
}

/// One of the two ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// The UI and every API.
    Http,
    /// OTLP.
    Grpc,
}

impl Port {
    fn label(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Grpc => "grpc",
        }
    }
}

/// The certificates in use.
pub struct Certificates {
    options: TlsOptions,
    current: RwLock<Loaded>,
    looks: Mutex<Looks>,
    registry: Registry,
    handshakes: IntCounterVec,
    reloads: IntCounterVec,
    days_left: Gauge,
}

/// What the last looks at the files have shown.
struct Looks {
    /// What was read at the last look.
    last: Option<Digest>,
    /// What was taken, or refused: it is not tried again.
    judged: Option<Digest>,
    /// Why the newest files are not in use.
    problem: Option<String>,
}

/// What a person should know before the start; nothing that hinders it.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The names that the certificate is for.
    pub names: Vec<String>,
    /// A certificate that has ended, or ends soon, or has not begun.
    pub warning: Option<String>,
}

/// Whether the files can be read and fit together.
pub fn check(options: &TlsOptions) -> Result<Checked, TlsError> {
    let loaded = load::build(&Files::read(options)?, options)?;
    Ok(Checked { warning: loaded.warning(now_s()), names: loaded.names })
}

impl Certificates {
    /// Reads the files.
    pub fn open(options: &TlsOptions) -> Result<Arc<Self>, TlsError> {
        let files = Files::read(options)?;
        let loaded = load::build(&files, options)?;
        if let Some(warning) = loaded.warning(now_s()) {
            tracing::warn!("{warning}");
        }
        let digest = Some(files.digest());
        let certificates = Self {
            options: options.clone(),
            current: RwLock::new(loaded),
            looks: Mutex::new(Looks { last: digest, judged: digest, problem: None }),
            registry: Registry::new(),
            handshakes: counter(
                "tls_handshakes_total",
                "TLS handshakes by port, and how they ended.",
                &["port", "outcome"],
            ),
            reloads: counter(
                "tls_reloads_total",
                "Changed certificate files, by what became of them: applied or refused.",
                &["outcome"],
            ),
            days_left: Gauge::with_opts(self::options(
                "tls_certificate_days_left",
                "Days until the certificate in use ends.",
            ))
            .expect("the name is a constant of valid form"),
        };
        certificates.register();
        Ok(Arc::new(certificates))
    }

    fn register(&self) {
        let own: [Box<dyn prometheus::core::Collector>; 3] = [
            Box::new(self.handshakes.clone()),
            Box::new(self.reloads.clone()),
            Box::new(self.days_left.clone()),
        ];
        for collector in own {
            self.registry.register(collector).expect("the names above are distinct");
        }
        for outcome in ["applied", "refused"] {
            self.reloads.with_label_values(&[outcome]);
        }
    }

    /// What a handshake on `port` needs now.
    pub(crate) fn config(&self, port: Port) -> Arc<ServerConfig> {
        let current = self.current.read();
        Arc::clone(match port {
            Port::Http => &current.http,
            Port::Grpc => &current.grpc,
        })
    }

    /// A name that the certificate is for, and that is no address.
    pub(crate) fn host_name(&self) -> Option<String> {
        let current = self.current.read();
        current.names.iter().find(|name| name.parse::<std::net::IpAddr>().is_err()).cloned()
    }

    /// One handshake and how it ended.
    pub(crate) fn count(&self, port: Port, outcome: &str) {
        self.handshakes.with_label_values(&[port.label(), outcome]).inc();
    }

    /// Looks at the files until `stop` says so.
    pub(crate) async fn watch(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                // A sender that is gone says so, too.
                _ = stop.wait_for(|stop| *stop) => return,
            }
            let this = Arc::clone(&self);
            let looked = tokio::task::spawn_blocking(move || this.look(false)).await;
            if let Err(error) = looked {
                tracing::error!(%error, "looking at the certificate files has crashed");
            }
        }
    }

    /// Reads the files now, whatever they were before.
    pub(crate) fn reload(&self) {
        self.look(true);
    }

    /// Takes files that have changed and stood still since the look before: those that are being written do not fit
    /// together yet. With `now` it does not wait for that.
    fn look(&self, now: bool) {
        let mut looks = self.looks.lock();
        let read = Files::read(&self.options);
        let digest = read.as_ref().map_or_else(TlsError::digest, Files::digest);
        let stood_still = looks.last.replace(digest) == Some(digest);
        if !(now || stood_still && looks.judged != Some(digest)) {
            return;
        }
        looks.judged = Some(digest);
        match read.and_then(|files| load::build(&files, &self.options)) {
            Ok(loaded) => {
                self.reloads.with_label_values(&["applied"]).inc();
                let warning = loaded.warning(now_s());
                tracing::info!(
                    days_left = loaded.days_left(now_s()),
                    "certificates are in use as the files are now"
                );
                *self.current.write() = loaded;
                looks.problem = None;
                if let Some(warning) = warning {
                    tracing::warn!("{warning}");
                }
            }
            Err(error) => {
                self.reloads.with_label_values(&["refused"]).inc();
                tracing::error!("the new certificate files are not used, those before stay: {error}");
                looks.problem = Some(format!("new certificate files are not used: {error}"));
            }
        }
    }

    /// What is wrong, for `/-/ready`: nothing of it hinders the collector.
    pub(crate) fn conditions(&self) -> Vec<String> {
        let problem = self.looks.lock().problem.clone();
        problem.into_iter().chain(self.current.read().warning(now_s())).collect()
    }

    /// Its metrics.
    pub(crate) fn gather(&self) -> Vec<MetricFamily> {
        self.days_left.set(self.current.read().days_left(now_s()));
        self.registry.gather()
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Loaded {
    fn days_left(&self, now_s: i64) -> f64 {
        (self.ends_s - now_s) as f64 / DAY_S
    }

    /// What is wrong with the certificate's time.
    fn warning(&self, now_s: i64) -> Option<String> {
        if self.begins_s > now_s {
            let from = minute(self.begins_s);
            return Some(format!("the certificate is not valid before {from}: is the clock right?"));
        }
        let (days, at) = (self.days_left(now_s), minute(self.ends_s));
        if days <= 0.0 {
            return Some(format!("the certificate has expired on {at}: clients refuse it"));
        }
        (days <= SOON_DAYS).then(|| format!("the certificate expires on {at}, in {days:.1} days"))
    }
}

/// `2026-11-25 10:17 UTC`. Certificates may end after what fits into nanoseconds.
fn minute(time_s: i64) -> String {
    let time = time::OffsetDateTime::from_unix_timestamp(time_s).unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    format!("{} {:02}:{:02} UTC", time.date(), time.hour(), time.minute())
}

fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "../tests/app/certs.rs"]
pub(crate) mod certs;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
