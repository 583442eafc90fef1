//! The wiring: store, auth, receivers, API and both ports; and the order in which
//! they go down again: receivers, requests in flight, storage.

mod descriptors;
mod door;
mod grpc;
mod http;
mod proxies;
mod secure;

use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use alerting::receivers::Cidr;
use meta::{Meta, MetaError, SqliteMeta};
use telemetry::otlp::Mapping;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::api::{self, Addresses, App, Parts};
use crate::auth::{Auth, AuthError, FirstStart, IngestGate};
use crate::commit::{
    CommitError, DirectoryLock, FileJournals, Store, StoreOptions, free_space_of, local_blobs,
};
use crate::config::Config;
use crate::metrics::Metrics;
use crate::notify::{self, Notifier, NotifyError};
use crate::own;
use crate::rules::{self, RuleSettings};
use crate::tls::{Certificates, Port, TlsError};
use crate::verdicts::{self, Explain, KeptError, Verdicts};

use door::{Door, Patience};

/// How long requests in flight may take at the end.
const DRAIN: Duration = Duration::from_secs(10);
/// How long live tails may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(3);
/// How long the store may take to close; what is acknowledged is durable either way.
const CLOSE: Duration = Duration::from_secs(20);

/// Why the collector does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory.
    #[error("cannot create the data directory {path}")]
    Directory {
        /// Its path.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The document store.
    #[error("cannot open the document store {path}")]
    Meta {
        /// Its path.
        path: PathBuf,
        /// The cause.
        source: MetaError,
    },
    /// What is stored.
    #[error("cannot open the store")]
    Store(#[from] CommitError),
    /// Logins and tokens.
    #[error("cannot read or make logins and tokens")]
    Auth(#[from] AuthError),
    /// Alerts, silences and what was told.
    #[error("cannot open the state of notifications")]
    Notify(#[from] NotifyError),
    /// Verdicts.
    #[error("cannot read the verdicts that are kept")]
    Verdicts(#[from] KeptError),
    /// Certificates.
    #[error("cannot use the certificates of `tls`")]
    Tls(#[from] TlsError),
    /// A port.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The cause.
        source: std::io::Error,
    },
}

/// A collector that takes requests.
pub struct Collector {
    /// Where HTTP is served.
    pub http: SocketAddr,
    /// Where gRPC is served.
    pub grpc: SocketAddr,
    /// Both by TLS.
    pub has_tls: bool,
    /// What the first start has to tell; nothing at any other.
    pub first_start: FirstStart,
    app: Arc<App>,
    stop: watch::Sender<bool>,
    servers: Vec<JoinHandle<()>>,
    /// Falls last.
    _lock: DirectoryLock,
}

impl Collector {
    /// Opens everything, replays the journal, and serves.
    pub async fn start(config: &Config) -> Result<Self, StartError> {
        let limit = descriptors::raise_limit();
        let connections = descriptors::connections(limit, config.limits.connections, config.partitions);
        let lock = lock(&config.data)?;
        let (store, meta) = open_store(config).await?;
        let (auth, first_start) = Auth::open(config, Arc::clone(&meta)).await?;
        let certificates = config.tls.as_ref().map(Certificates::open).transpose()?;
        let (http_listener, http) = bind(config.listen).await?;
        let (grpc_listener, grpc) = bind(config.listen_grpc).await?;

        let of = |address| url(address, certificates.as_deref());
        let addresses = Addresses { http: of(http), grpc: of(grpc), certificates: certificates.clone() };
        let metrics = Arc::new(Metrics::new());
        let notifier =
            Notifier::open(config, Arc::new(journal::OsDisk), notify::connect(config, &addresses.http))
                .await?;
        let telling = Arc::clone(&notifier);
        let sink = Arc::clone(&notifier);
        let verdicts = Arc::new(Verdicts::new(config, Arc::clone(&meta), &addresses.http));
        verdicts.load().await?;
        notifier.explained_by(Arc::clone(&verdicts) as Arc<dyn Explain>);
        let (auth_of_app, store_of_app) = (Arc::clone(&auth), Arc::clone(&store));
        let parts = Parts { auth: auth_of_app, store: store_of_app, meta, metrics, notifier, verdicts };
        let rules = RuleSettings::of(config, &addresses.http);
        let app = App::new(parts, &config.limits, addresses);
        app.rules.tell(sink);
        let receiver = Arc::new({
            let mapping =
                Mapping { promoted: config.promoted_resource_attributes.clone(), ..Mapping::default() };
            receive::Server::new(store, IngestGate(auth), receive_limits(config)).with_mapping(mapping)
        });
        app.metrics.count_ingest({
            let receiver = Arc::clone(&receiver);
            move || receiver.counts()
        });

        let (stop, stopped) = watch::channel(false);
        let mut router = api::router(&app, receive::http_router(Arc::clone(&receiver)));
        if certificates.is_some() {
            router = router.layer(axum::middleware::from_fn(secure::headers));
        } else if config.external_url.as_ref().is_some_and(|url| url.starts_with("https://")) {
            router = router.layer(axum::middleware::from_fn(secure::cookies));
        }
        if !config.trusted_proxies.is_empty() {
            let trusted: Arc<[Cidr]> = config.trusted_proxies.as_slice().into();
            router = router.layer(axum::middleware::from_fn_with_state(trusted, proxies::see_through));
        }
        let door = |listener, port| {
            Door::new(listener, connections, Patience::default()).with_tls(certificates.clone(), port)
        };
        let (http_door, grpc_door) = (door(http_listener, Port::Http), door(grpc_listener, Port::Grpc));
        let mut servers = vec![
            tokio::spawn(http::serve(http_door, router, stopped.clone())),
            tokio::spawn(grpc::serve(grpc_door, receive::grpc_routes(receiver), stopped.clone())),
            tokio::spawn(Arc::clone(&app.auth).note_tokens(stopped.clone())),
            tokio::spawn(own::tell(Arc::clone(&app), config.own_metrics, stopped.clone())),
            tokio::spawn(telling.run(stopped.clone())),
            tokio::spawn(rules::run(Arc::clone(&app), rules, stopped.clone())),
        ];
        if config.verdicts.is_watching {
            servers.push(tokio::spawn(verdicts::run(Arc::clone(&app), stopped.clone())));
        }
        let has_tls = certificates.is_some();
        servers.extend(certificates.map(|certificates| tokio::spawn(certificates.watch(stopped))));
        Ok(Self { http, grpc, has_tls, first_start, app, stop, servers, _lock: lock })
    }

    /// Reads again what may have changed in files, now: certificates.
    pub async fn reload(&self) {
        let Some(certificates) = self.app.addresses.certificates.clone() else { return };
        // What crashes there has logged where.
        let _ = tokio::task::spawn_blocking(move || certificates.reload()).await;
    }

    /// Stops: no new connections and `/-/ready` says no, live tails and requests in flight end, the store closes.
    pub async fn shutdown(self) {
        self.app.stop();
        // Fails only when both servers have ended by themselves.
        let _ = self.stop.send(true);
        if tokio::time::timeout(GOODBYE, self.app.live.drained()).await.is_err() {
            tracing::warn!("live tails took too long and were cut off");
        }
        for server in self.servers {
            let abort = server.abort_handle();
            if tokio::time::timeout(DRAIN, server).await.is_err() {
                tracing::warn!("requests in flight took too long and were cut off");
                abort.abort();
            }
        }
        if tokio::time::timeout(CLOSE, Arc::clone(&self.app.store).shutdown()).await.is_err() {
            tracing::warn!("the store took too long to close: the next start replays more");
        }
    }
}

/// Makes the data directory and locks it, before anything in it is looked at: opening the document store of
/// a running collector would already write to it.
fn lock(data: &Path) -> Result<DirectoryLock, StartError> {
    let failed = |source| StartError::Directory { path: data.to_owned(), source };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(failed)?;
    Ok(DirectoryLock::acquire(data)?)
}

/// In a directory that is locked.
async fn open_store(config: &Config) -> Result<(Arc<Store>, Arc<dyn Meta>), StartError> {
    let meta = open_meta(&config.data.join("meta.sqlite"))?;
    let journals = FileJournals::new(Arc::new(journal::OsDisk), config.data.join("journal"));
    let blobs = local_blobs(&config.data.join("blobs"))?;
    let mut options =
        StoreOptions::new(Arc::new(journals.accept_damage(config.accept_damage)), blobs, Arc::clone(&meta));
    options.blob_directory = Some(config.data.join("blobs"));
    options.partitions = config.partitions;
    options.items.retention_ns =
        config.retention.map(|age| i64::try_from(age.as_nanos()).unwrap_or(i64::MAX));
    options.rates = config.rates();
    options.series_limits = config.limits.series;
    options.disk_share = Some(config.disk_share);
    options.free_space = Some(free_space_of(&config.data));
    Ok((Store::open(options).await?, meta))
}

fn open_meta(path: &Path) -> Result<Arc<dyn Meta>, StartError> {
    let failed = |source| StartError::Meta { path: path.to_owned(), source };
    Ok(Arc::new(SqliteMeta::open(path).map_err(failed)?))
}

fn receive_limits(config: &Config) -> receive::Limits {
    receive::Limits {
        max_compressed_bytes: config.limits.body_bytes,
        max_decompressed_bytes: config.limits.decompressed_bytes,
        max_concurrent_bytes: config.limits.inflight_bytes,
        ..receive::Limits::default()
    }
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// As a client on this machine would write it; under TLS by a name that the certificate is for.
fn url(address: SocketAddr, certificates: Option<&Certificates>) -> String {
    let mut address = address;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    match certificates {
        None => format!("http://{address}"),
        Some(certificates) => match certificates.host_name() {
            Some(name) => format!("https://{name}:{}", address.port()),
            None => format!("https://{address}"),
        },
    }
}
