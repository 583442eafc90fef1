//! `tls` of the file: the paths, and whether what they name fits together.

use std::path::PathBuf;

use alerting::yaml::At;

use super::file::TlsEntry;
use super::validate::{Check, is_host_name};
use super::{Config, Problem};
use crate::tls::{self, RequireClientCert, TlsFile, TlsOptions};

impl Check<'_> {
    pub(super) fn tls(&mut self, config: &mut Config, entry: Option<&TlsEntry>) {
        let Some(entry) = entry else { return };
        let known = self.problems.len();
        let options = TlsOptions {
            cert_file: self.path_of(entry.cert_file.as_ref(), entry, "cert_file"),
            key_file: self.path_of(entry.key_file.as_ref(), entry, "key_file"),
            client_ca_file: entry.client_ca_file.as_ref().map(|at| self.resolve(&at.value)),
            require_client_cert: self.require(entry),
            only_tls13: self.only_tls13(entry.min_version.as_ref()),
        };
        if self.problems.len() > known {
            return;
        }
        match tls::check(&options) {
            Ok(checked) => {
                // Its owner's certificate is for them: nobody else can point such a name here and have it checked.
                config.allowed_hosts.extend(checked.names.into_iter().filter(|name| is_host_name(name)));
                let place = entry.cert_file.as_ref().and_then(|at| at.place);
                let warning = |text: String| Problem::new(self.source, place, text).to_string();
                config.warnings.extend(checked.warning.map(warning));
                config.tls = Some(options);
            }
            Err(error) => {
                let at = match error.file {
                    TlsFile::Certificate => entry.cert_file.as_ref(),
                    TlsFile::Key => entry.key_file.as_ref(),
                    TlsFile::ClientCa => entry.client_ca_file.as_ref(),
                };
                let place = at.and_then(|at| at.place);
                self.problems.push(Problem::new(self.source, place, error.to_string()));
            }
        }
    }

    /// Both files are needed; one that is missing is blamed on the one that is there.
    fn path_of(&mut self, at: Option<&At<String>>, entry: &TlsEntry, name: &str) -> PathBuf {
        if let Some(at) = at {
            return self.resolve(&at.value);
        }
        let other = [&entry.cert_file, &entry.key_file, &entry.client_ca_file].into_iter().flatten().next();
        let place = other.and_then(|at| at.place);
        self.problems.push(Problem::new(self.source, place, format!("tls needs a {name}")));
        PathBuf::new()
    }

    fn require(&mut self, entry: &TlsEntry) -> RequireClientCert {
        let Some(at) = &entry.require_client_cert else { return RequireClientCert::Never };
        let required = match at.value.as_str() {
            "never" => return RequireClientCert::Never,
            "grpc" => RequireClientCert::Grpc,
            "all" => RequireClientCert::All,
            other => {
                self.blame(at, format!("require_client_cert is {other:?}: it must be never, grpc or all"));
                return RequireClientCert::Never;
            }
        };
        if entry.client_ca_file.is_none() {
            self.blame(at, "require_client_cert needs a client_ca_file, whose certificates are accepted");
        }
        required
    }

    fn only_tls13(&mut self, at: Option<&At<String>>) -> bool {
        match at.map(|at| at.value.as_str()) {
            None | Some("1.2") => false,
            Some("1.3") => true,
            Some(other) => {
                let message = format!("min_version is {other:?}: it must be \"1.2\" or \"1.3\"");
                at.into_iter().for_each(|at| self.blame(at, message.as_str()));
                false
            }
        }
    }
}
