//! Files under tests/app/config: every one in good/ loads, every one in bad/ has
//! one fault, which its first line names: `# expect: line:column: part of the message`.

use super::*;
use std::path::Path;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/app/config");

fn load(path: &Path) -> Result<Config, Problems> {
    Config::load(&Flags { config: Some(path.to_owned()), ..Flags::default() })
}

fn fixtures(kind: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(Path::new(FOLDER).join(kind)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut yaml: Vec<_> = paths.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    yaml.sort();
    assert!(!yaml.is_empty());
    yaml
}

#[test]
fn good_files_load() {
    for path in fixtures("good") {
        load(&path).unwrap_or_else(|problems| panic!("{problems}"));
    }
}

#[test]
fn each_bad_file_is_refused_where_its_fault_is() {
    for path in fixtures("bad") {
        let text = std::fs::read_to_string(&path).unwrap();
        let expected = text.lines().next().unwrap().strip_prefix("# expect: ").unwrap();
        let problems = load(&path).expect_err(&format!("{} loads", path.display()));
        assert_eq!(problems.0.len(), 1, "{problems}");
        let (place, message) = expected.split_once(": ").unwrap();
        let begins = format!("{}:{place}: ", path.display());
        let shown = problems.to_string();
        assert!(shown.starts_with(&begins) && shown.contains(message), "{shown}\nexpected {expected}");
    }
}

#[test]
fn the_documented_example_loads_and_says_the_defaults() {
    let guide =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/collector.md")).unwrap();
    let (_, rest) = guide.split_once("```yaml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("collector.yaml");
    std::fs::write(&path, example).unwrap();
    let config = load(&path).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
}

#[test]
fn all_problems_come_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("collector.yaml");
    std::fs::write(&path, "listen: nowhere\nretention: soon\npartitions: 0\nlimits:\n  body: 5MB\n").unwrap();
    let flags = Flags { config: Some(path), listen_grpc: Some("0.0.0.0:1".into()), ..Flags::default() };
    let shown = Config::load(&flags).unwrap_err().to_string();
    let places: Vec<_> = shown.lines().map(|line| line.rsplit_once(": ").unwrap().0.to_owned()).collect();
    assert_eq!(places.len(), 5, "{shown}");
    for part in
        ["yaml:1:9: ", "yaml:2:12: ", "yaml:3:13: ", "yaml:5:9: ", "--listen-grpc: 0.0.0.0:1 is reachable"]
    {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
}

#[test]
fn flags_and_variables_win_over_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("collector.yaml");
    std::fs::write(
        &path,
        "listen: nowhere\nretention: 2d\ntenants: [{name: default, ingest_token: of-the-file}]\n",
    )
    .unwrap();
    let flags = Flags {
        config: Some(path),
        listen: Some("127.0.0.1:0".into()),
        retention: Some("0".into()),
        data: Some("elsewhere".into()),
        ingest_token: Some(Secret::new("of-the-environment")),
        admin_password: Some(Secret::new("secret")),
        ..Flags::default()
    };
    let config = Config::load(&flags).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!((config.listen.port(), config.retention), (0, None));
    assert_eq!(config.data, Path::new("elsewhere"));
    assert_eq!(config.tenants[0].ingest_token.as_ref().unwrap().reveal(), "of-the-environment");
    assert!(!format!("{config:?}").contains("secret\""), "{config:?}");
}

#[test]
fn a_tenants_own_rate_wins_over_that_of_all() {
    let config =
        load(&Path::new(FOLDER).join("good/everything.yaml")).unwrap_or_else(|problems| panic!("{problems}"));
    let rates = config.rates();
    let of = |name| rates.of(&TenantId::new(name).unwrap());
    let rate =
        |bytes, records| RateLimit { bytes_per_second: Some(bytes), records_per_second: Some(records) };
    assert_eq!(of("default"), rate(10 << 20, 50_000));
    assert_eq!(of("acme"), rate(1 << 20, 50_000));
}

#[test]
fn a_token_of_the_environment_must_fit_into_a_header() {
    let flags = Flags { ingest_token: Some(Secret::new("two words")), ..Flags::default() };
    let shown = Config::load(&flags).unwrap_err().to_string();
    assert_eq!(shown, "NARROWS_INGEST_TOKEN: a token must be 1 to 512 visible ASCII characters");
}

#[test]
fn a_missing_file_is_named() {
    let shown = load(Path::new("/no/such/collector.yaml")).unwrap_err().to_string();
    assert!(shown.starts_with("/no/such/collector.yaml: cannot read the file: "), "{shown}");
}

/// A folder with a certificate, its key and an authority.
fn with_certificate() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let authority = crate::tls::certs::Authority::new("one");
    authority.server(&["obs.example.org", "10.1.2.3"]).write(dir.path());
    std::fs::write(dir.path().join("ca.pem"), &authority.pem).unwrap();
    std::fs::write(dir.path().join("other.pem"), authority.server(&["a.example"]).key).unwrap();
    dir
}

fn load_text(dir: &Path, text: &str) -> Result<Config, Problems> {
    let path = dir.join("collector.yaml");
    std::fs::write(&path, text).unwrap();
    load(&path)
}

#[test]
fn tls_is_read_with_what_its_files_say() {
    use crate::tls::RequireClientCert;
    let dir = with_certificate();
    let text = "listen: 0.0.0.0:1\ntls: {cert_file: cert.pem, key_file: key.pem, client_ca_file: ca.pem, \
                require_client_cert: grpc, min_version: 1.3}\n";
    let config = load_text(dir.path(), text).unwrap_or_else(|problems| panic!("{problems}"));
    let tls = config.tls.unwrap();
    assert_eq!(tls.cert_file, dir.path().join("cert.pem"), "from the file's folder on");
    assert_eq!((tls.require_client_cert, tls.only_tls13), (RequireClientCert::Grpc, true));
    assert_eq!(config.allowed_hosts, ["obs.example.org", "10.1.2.3"]);
    let config =
        load_text(dir.path(), "tls: {cert_file: cert.pem, key_file: key.pem, min_version: \"1.2\"}").unwrap();
    assert!(!config.tls.unwrap().only_tls13);
}

#[test]
fn what_is_wrong_with_tls_is_told_at_its_place() {
    let dir = with_certificate();
    let cases = [
        ("{key_file: key.pem}", "tls:2:14: tls needs a cert_file"),
        ("{cert_file: cert.pem}", "tls:2:15: tls needs a key_file"),
        ("{cert_file: none.pem, key_file: key.pem}", "tls:2:15: none.pem: cannot read it"),
        ("{cert_file: cert.pem, key_file: other.pem}", "tls:2:35: other.pem: the key does not match"),
        (
            "{cert_file: cert.pem, key_file: key.pem, client_ca_file: key.pem}",
            "tls:2:60: key.pem: there is no certificate",
        ),
        (
            "{cert_file: cert.pem, key_file: key.pem, require_client_cert: all}",
            "tls:2:65: require_client_cert needs a client_ca_file",
        ),
        (
            "{cert_file: cert.pem, key_file: key.pem, require_client_cert: maybe}",
            "tls:2:65: require_client_cert is \"maybe\"",
        ),
        ("{cert_file: cert.pem, key_file: key.pem, min_version: 1.1}", "tls:2:57: min_version is \"1.1\""),
        ("{cert_file: cert.pem, key_file: key.pem, ciphers: x}", "unknown field"),
    ];
    for (tls, expected) in cases {
        // An address beyond loopback is no second problem.
        let problems = load_text(dir.path(), &format!("listen: 0.0.0.0:1\ntls: \n  {tls}\n")).unwrap_err();
        assert_eq!(problems.0.len(), 1, "{problems}");
        let shown = problems.to_string().replace(&format!("{}/", dir.path().display()), "");
        let shown = shown.replace("collector.yaml:3:", "tls:2:");
        assert!(shown.contains(expected), "{shown}\nexpected {expected}");
    }
}
