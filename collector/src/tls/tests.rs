//! Files as people leave them: good, half written, of one another's keys.

use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tempfile::TempDir;

use super::certs::{Authority, Pair};
use super::*;

fn options(dir: &Path) -> TlsOptions {
    TlsOptions {
        cert_file: dir.join("cert.pem"),
        key_file: dir.join("key.pem"),
        client_ca_file: None,
        require_client_cert: RequireClientCert::Never,
        only_tls13: false,
    }
}

struct Folder {
    dir: TempDir,
    authority: Authority,
}

impl Folder {
    fn new() -> Self {
        let (dir, authority) = (tempfile::tempdir().unwrap(), Authority::new("one"));
        authority.server(&["obs.example.org", "*.example.org", "10.1.2.3", "::1"]).write(dir.path());
        Self { dir, authority }
    }

    fn options(&self) -> TlsOptions {
        options(self.dir.path())
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.dir.path().join(name), text).unwrap();
    }

    fn renew(&self) -> Pair {
        let pair = self.authority.server(&["new.example.org"]);
        pair.write(self.dir.path());
        pair
    }
}

#[test]
fn a_certificate_says_its_names() {
    let folder = Folder::new();
    let checked = check(&folder.options()).unwrap();
    assert_eq!(checked.names, ["obs.example.org", "10.1.2.3", "[::1]"]);
    assert_eq!(checked.warning, None);
    let certificates = Certificates::open(&folder.options()).unwrap();
    assert_eq!(certificates.host_name().as_deref(), Some("obs.example.org"));
}

#[test]
fn each_fault_names_its_file() {
    type Change = fn(&Folder, &mut TlsOptions);
    let cases: [(&str, Change, TlsFile, &str); 9] = [
        (
            "no certificate",
            |folder, _| std::fs::remove_file(folder.dir.path().join("cert.pem")).unwrap(),
            TlsFile::Certificate,
            "cannot read it",
        ),
        (
            "an empty one",
            |folder, _| folder.write("cert.pem", ""),
            TlsFile::Certificate,
            "no certificate in PEM",
        ),
        (
            "a cut one",
            |folder, _| {
                let text = folder.authority.server(&["a.example"]).cert;
                folder.write("cert.pem", &text[..text.len() / 2]);
            },
            TlsFile::Certificate,
            "no certificate in PEM",
        ),
        (
            "nonsense in PEM",
            |folder, _| {
                folder.write("cert.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
            },
            TlsFile::Certificate,
            "damaged",
        ),
        (
            "a huge one",
            |folder, _| folder.write("cert.pem", &"x".repeat(2 << 20)),
            TlsFile::Certificate,
            "larger than 1 MiB",
        ),
        ("no key", |folder, _| folder.write("key.pem", "key"), TlsFile::Key, "no private key in PEM"),
        (
            "another's key",
            |folder, _| folder.write("key.pem", &folder.authority.server(&["a.example"]).key),
            TlsFile::Key,
            "does not match the certificate",
        ),
        (
            "a certificate as the key",
            |folder, _| folder.write("key.pem", &folder.authority.pem),
            TlsFile::Key,
            "no private key in PEM",
        ),
        (
            "no authority",
            |folder, options| {
                folder.write("ca.pem", "ca");
                options.client_ca_file = Some(folder.dir.path().join("ca.pem"));
            },
            TlsFile::ClientCa,
            "no certificate in PEM",
        ),
    ];
    for (name, change, file, message) in cases {
        let folder = Folder::new();
        let mut options = folder.options();
        change(&folder, &mut options);
        let error = check(&options).unwrap_err();
        assert!(error.file == file && error.to_string().contains(message), "{name}: {error:?}");
    }
}

#[test]
fn time_is_told() {
    let folder = Folder::new();
    folder.authority.expired(&["a.example"]).write(folder.dir.path());
    let loaded = load::build(&Files::read(&folder.options()).unwrap(), &folder.options()).unwrap();
    let day = 86_400;
    for (at, words) in [
        (loaded.ends_s + 1, Some("has expired on 2021-01-01")),
        (loaded.ends_s - day, Some("expires on 2021-01-01 00:00 UTC, in 1.0 days")),
        (loaded.ends_s - 30 * day, None),
        (loaded.begins_s - 1, Some("not valid before 2020-01-01")),
    ] {
        let warning = loaded.warning(at);
        assert_eq!(warning.is_some(), words.is_some(), "{warning:?}");
        assert!(warning.unwrap_or_default().contains(words.unwrap_or_default()), "{words:?}");
    }
    assert!(check(&folder.options()).unwrap().warning.unwrap().contains("has expired"));
}

fn applied(certificates: &Certificates) -> (u64, u64) {
    let count = |outcome| certificates.reloads.with_label_values(&[outcome]).get();
    (count("applied"), count("refused"))
}

#[test]
fn files_are_taken_when_they_stand_still() {
    let folder = Folder::new();
    let certificates = Certificates::open(&folder.options()).unwrap();
    let before = certificates.config(Port::Http);
    certificates.look(false);
    assert_eq!(applied(&certificates), (0, 0), "nothing has changed");

    let new = folder.authority.server(&["new.example.org"]);
    folder.write("cert.pem", &new.cert);
    certificates.look(false);
    folder.write("key.pem", &new.key);
    certificates.look(false);
    assert_eq!(applied(&certificates), (0, 0), "it is being written");
    certificates.look(false);
    assert_eq!(applied(&certificates), (1, 0));
    assert_eq!(certificates.host_name().as_deref(), Some("new.example.org"));
    assert!(!Arc::ptr_eq(&before, &certificates.config(Port::Http)));
}

#[test]
fn bad_files_change_nothing_and_are_told_once() {
    let folder = Folder::new();
    let certificates = Certificates::open(&folder.options()).unwrap();
    folder.write("key.pem", "");
    for _ in 0..5 {
        certificates.look(false);
    }
    assert_eq!(applied(&certificates), (0, 1));
    assert_eq!(certificates.host_name().as_deref(), Some("obs.example.org"), "the old one stays");
    let conditions = certificates.conditions();
    assert!(conditions.len() == 1 && conditions[0].contains("key.pem"), "{conditions:?}");
    std::fs::remove_file(folder.dir.path().join("cert.pem")).unwrap();
    certificates.look(false);
    certificates.look(false);
    assert_eq!(applied(&certificates), (0, 2), "one that is gone is another fault");

    folder.renew();
    certificates.reload();
    assert_eq!((applied(&certificates), certificates.conditions().len()), ((1, 2), 0));
}

#[test]
fn a_client_certificate_names_a_tenant_or_none() {
    let authority = Authority::new("clients");
    let of = |uris: &[&str]| {
        let pem = authority.client(uris).cert;
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        tenant_of(&certificate).map(|tenant| tenant.map(|tenant| tenant.to_string()))
    };
    assert_eq!(of(&[]), Ok(None));
    assert_eq!(of(&["spiffe://acme/agent"]), Ok(None));
    assert_eq!(of(&["narrows://tenant/acme"]), Ok(Some("acme".to_owned())));
    assert_eq!(of(&["spiffe://acme/agent", "narrows://tenant/acme"]), Ok(Some("acme".to_owned())));
    for uris in
        [&["narrows://tenant/"][..], &["narrows://tenant/a/b"], &["narrows://tenant/a", "narrows://tenant/b"]]
    {
        assert!(of(uris).is_err(), "{uris:?}: {:?}", of(uris));
    }
    assert!(tenant_of(b"").is_err());
}

proptest::proptest! {
    #[test]
    fn any_certificate_is_survived(mut bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
        let _ = tenant_of(&bytes);
        // As one begins.
        bytes.splice(0..0, [0x30, 0x82, 1, 0x90, 0x30, 0x82, 1, 0x50]);
        let _ = tenant_of(&bytes);
    }
}
