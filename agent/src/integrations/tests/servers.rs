//! Servers of the distribution, each in a directory of its own, on ports of their own choice. They do not run as root.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Where a program is, or `None` with a loud word.
fn program(name: &str, package: &str, places: Vec<PathBuf>) -> Option<PathBuf> {
    let found = places.into_iter().map(|place| place.join(name)).find(|path| path.is_file());
    if found.is_none() {
        let required = std::env::var("NARROWS_CONFORMANCE").is_ok_and(|value| value == "required");
        assert!(!required, "NARROWS_CONFORMANCE=required, but {name} is not installed (package {package})");
        eprintln!("\n!!! NOT RUN: {name} is not installed (package {package}) !!!\n");
    }
    found
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A command that runs as `user` if we are root.
fn as_user(user: &str, program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={user}"), &format!("--regid={user}"), "--clear-groups"]).arg(program);
    command
}

/// A directory that `user` may write to.
fn folder(user: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    if is_root() {
        assert!(Command::new("chown").arg(user).arg(folder.path()).status().unwrap().success());
    }
    folder
}

/// `ca.pem`, and for 127.0.0.1 `cert.pem` and `key.pem`, which only `user` reads.
fn certificates(user: &str, folder: &Path) -> [PathBuf; 3] {
    let mut params = rcgen::CertificateParams::new(vec![]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let ca = params.self_signed(&ca_key).unwrap();
    let issuer = rcgen::Issuer::new(params, ca_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let own = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let cert = own.signed_by(&key, &issuer).unwrap();
    let files = [("ca.pem", ca.pem()), ("cert.pem", cert.pem()), ("key.pem", key.serialize_pem())];
    files.map(|(name, text)| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        if name == "key.pem" {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        if is_root() {
            assert!(Command::new("chown").arg(user).arg(&path).status().unwrap().success());
        }
        path
    })
}

/// SIGTERM, and SIGKILL if it does not end.
fn stop(child: &mut Child) {
    let _told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let _killed = child.kill();
    let _reaped = child.wait();
}

fn wait_for_port(port: u16) {
    // RabbitMQ takes 15 s where nothing else runs.
    let deadline = Instant::now() + Duration::from_secs(150);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline, "nothing listens on {port}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

pub(super) struct PostgresServer {
    pub(super) port: u16,
    bin: PathBuf,
    child: Child,
    folder: TempDir,
}

/// psql that keeps its session.
pub(super) struct Session(Child);

impl Drop for Session {
    fn drop(&mut self) {
        let _killed = self.0.kill();
        let _reaped = self.0.wait();
    }
}

impl Session {
    pub(super) fn say(&mut self, sql: &str) {
        writeln!(self.0.stdin.as_mut().unwrap(), "{sql}").unwrap();
    }
}

impl PostgresServer {
    pub(super) fn start() -> Option<Self> {
        let mut places: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
            .map(|entries| entries.map(|entry| entry.unwrap().path().join("bin")).collect())
            .unwrap_or_default();
        places.sort();
        places.reverse();
        let bin = program("initdb", "postgresql", places)?.parent().unwrap().to_owned();
        let folder = folder("postgres");
        let data = folder.path().join("data");
        let mut init = as_user("postgres", &bin.join("initdb"));
        init.arg("-D").arg(&data).args([
            "-A",
            "trust",
            "-U",
            "postgres",
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C",
        ]);
        let made = init.stdout(Stdio::null()).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let access = "host all watcher 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n\
                      host replication all 127.0.0.1/32 trust\n";
        std::fs::write(data.join("pg_hba.conf"), access).unwrap();
        let port = free_port();
        let mut command = as_user("postgres", &bin.join("postgres"));
        command.arg("-D").arg(&data).args(["-p", &port.to_string()]);
        for option in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
            "autovacuum=off",
            "shared_preload_libraries=pg_stat_statements",
            "ssl=on",
        ] {
            command.args(["-c", option]);
        }
        let [_, cert, key] = certificates("postgres", folder.path());
        command.args(["-c", &format!("ssl_cert_file={}", cert.display())]);
        command.args(["-c", &format!("ssl_key_file={}", key.display())]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self { port, bin, child, folder };
        let ready = || server.psql("postgres").args(["-c", "SELECT 1"]).output().unwrap().status.success();
        let deadline = Instant::now() + Duration::from_secs(60);
        while !ready() {
            assert!(Instant::now() < deadline, "PostgreSQL does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(server)
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn psql(&self, database: &str) -> Command {
        let mut command = Command::new(self.bin.join("psql"));
        command.args([
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            "127.0.0.1",
            "-U",
            "postgres",
            "-d",
            database,
        ]);
        command.args(["-p", &self.port.to_string()]);
        command
    }

    /// Runs statements, each by itself, in a session of their own.
    pub(super) fn sql(&self, statements: &str, database: &str) {
        let mut command = self.psql(database);
        for statement in statements.split(';') {
            command.args(["-c", statement]);
        }
        let done = command.output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// What a query gives.
    pub(super) fn ask(&self, query: &str) -> String {
        let done = self.psql("postgres").args(["-A", "-t", "-c", query]).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    pub(super) fn session(&self, database: &str) -> Session {
        let mut command = self.psql(database);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Session(command.spawn().unwrap())
    }

    /// What receives the WAL, as a standby does.
    pub(super) fn standby(&self) -> Session {
        let target = self.folder.path().join("wal");
        std::fs::create_dir(&target).unwrap();
        let mut command = Command::new(self.bin.join("pg_receivewal"));
        command.args(["-h", "127.0.0.1", "-U", "postgres", "-p", &self.port.to_string(), "-D"]).arg(target);
        Session(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        // SIGTERM waits for clients.
        let _told = Command::new("kill").args(["-QUIT", &self.child.id().to_string()]).status();
        stop(&mut self.child);
    }
}

pub(super) struct RedisServer {
    pub(super) port: u16,
    pub(super) tls_port: u16,
    bin: PathBuf,
    password: String,
    child: Child,
    folder: TempDir,
}

impl RedisServer {
    pub(super) fn start(password: &str) -> Option<Self> {
        let bin = program("redis-server", "redis-server", vec!["/usr/bin".into(), "/usr/local/bin".into()])?;
        let (port, tls_port, folder) = (free_port(), free_port(), folder("redis"));
        certificates("redis", folder.path());
        let child = Self::spawn(&bin, (port, tls_port), password, folder.path());
        Some(Self { port, tls_port, bin, password: password.to_owned(), child, folder })
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn spawn(bin: &Path, (port, tls_port): (u16, u16), password: &str, folder: &Path) -> Child {
        let mut command = as_user("redis", bin);
        command.args(["--tls-port", &tls_port.to_string(), "--tls-auth-clients", "no"]);
        for (option, file) in
            [("--tls-ca-cert-file", "ca.pem"), ("--tls-cert-file", "cert.pem"), ("--tls-key-file", "key.pem")]
        {
            command.arg(option).arg(folder.join(file));
        }
        command.args([
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--port",
            &port.to_string(),
            "--requirepass",
            password,
        ]);
        let child = command.arg("--dir").arg(folder).stdout(Stdio::null()).spawn().unwrap();
        wait_for_port(port);
        wait_for_port(tls_port);
        child
    }

    pub(super) fn stop(&mut self) {
        stop(&mut self.child);
    }

    pub(super) fn start_again(&mut self) {
        let ports = (self.port, self.tls_port);
        self.child = Self::spawn(&self.bin, ports, &self.password, self.folder.path());
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// With its own port mapper, which would else stay behind.
pub(super) struct RabbitServer {
    /// Of its management API.
    pub(super) port: u16,
    pub(super) tls_port: u16,
    mapper: Child,
    child: Child,
    folder: TempDir,
}

impl RabbitServer {
    pub(super) fn start() -> Option<Self> {
        let bin = program("rabbitmq-server", "rabbitmq-server", vec!["/usr/lib/rabbitmq/bin".into()])?;
        let epmd = program("epmd", "erlang-base", vec!["/usr/bin".into()])?;
        let folder = folder("rabbitmq");
        let root = folder.path();
        let [mapper_port, node_port, dist_port, port, tls_port] = [(); 5].map(|()| free_port());
        let [ca, cert, key] = certificates("rabbitmq", root);
        std::fs::write(root.join("plugins"), "[rabbitmq_management].\n").unwrap();
        let config = format!(
            "management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {port}\n\
             management.ssl.ip = 127.0.0.1\nmanagement.ssl.port = {tls_port}\n\
             management.ssl.cacertfile = {}\nmanagement.ssl.certfile = {}\nmanagement.ssl.keyfile = {}\n",
            ca.display(),
            cert.display(),
            key.display()
        );
        std::fs::write(root.join("rabbitmq.conf"), config).unwrap();
        let environment = |command: &mut Command| {
            command
                .env("HOME", root)
                .env("ERL_EPMD_ADDRESS", "127.0.0.1")
                .env("ERL_EPMD_PORT", mapper_port.to_string());
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        };
        let mut command = as_user("rabbitmq", &epmd);
        environment(&mut command);
        let mapper = command.spawn().unwrap();
        wait_for_port(mapper_port);
        let mut command = as_user("rabbitmq", &bin);
        environment(&mut command);
        command
            .env("RABBITMQ_NODENAME", format!("test-{port}@localhost"))
            .env("RABBITMQ_MNESIA_BASE", root.join("data"))
            .env("RABBITMQ_LOG_BASE", root.join("log"))
            .env("RABBITMQ_PID_FILE", root.join("pid"))
            .env("RABBITMQ_CONF_ENV_FILE", root.join("none"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", root.join("plugins"))
            .env("RABBITMQ_CONFIG_FILE", root.join("rabbitmq.conf"))
            .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODE_PORT", node_port.to_string())
            .env("RABBITMQ_DIST_PORT", dist_port.to_string())
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}");
        let child = command.spawn().unwrap();
        let server = Self { port, tls_port, mapper, child, folder };
        wait_for_port(port);
        wait_for_port(tls_port);
        Some(server)
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A request to the management API, which has to succeed.
    pub(super) async fn request(&self, method: &str, path: &str, body: &str) {
        // For clients of this process; an error means that it is there.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let request = reqwest::Client::new().request(method, url).basic_auth("guest", Some("guest"));
        let answer =
            request.header("content-type", "application/json").body(body.to_owned()).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }
}

impl Drop for RabbitServer {
    fn drop(&mut self) {
        stop(&mut self.child);
        stop(&mut self.mapper);
    }
}
