//! Where targets come from: addresses, files, and the kinds of discovery that are
//! read but not there yet.

use std::time::Duration;

use super::fields::{Fields, Reader};
use super::{foreign, http};
use crate::config::yaml::Node;
use crate::scrape::job::{FileDiscovery, Group};

/// What a job says about its targets.
#[derive(Default)]
pub(super) struct Found {
    pub(super) groups: Vec<Group>,
    pub(super) files: Vec<FileDiscovery>,
    /// Keys that have no effect.
    pub(super) not_yet: Vec<String>,
}

/// Every kind of discovery that Prometheus has, besides static and file.
const KINDS: [&str; 32] = [
    "aws_sd_configs",
    "azure_sd_configs",
    "consul_sd_configs",
    "digitalocean_sd_configs",
    "dns_sd_configs",
    "docker_sd_configs",
    "dockerswarm_sd_configs",
    "ec2_sd_configs",
    "eureka_sd_configs",
    "gce_sd_configs",
    "hetzner_sd_configs",
    "http_sd_configs",
    "ionos_sd_configs",
    "kubernetes_sd_configs",
    "kuma_sd_configs",
    "lightsail_sd_configs",
    "linode_sd_configs",
    "marathon_sd_configs",
    "msk_sd_configs",
    "nerve_sd_configs",
    "nomad_sd_configs",
    "oci_sd_configs",
    "openstack_sd_configs",
    "outscale_sd_configs",
    "ovhcloud_sd_configs",
    "puppetdb_sd_configs",
    "scaleway_sd_configs",
    "serverset_sd_configs",
    "stackit_sd_configs",
    "triton_sd_configs",
    "uyuni_sd_configs",
    "vultr_sd_configs",
];

/// Reads all of it.
pub(super) fn read(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> Found {
    let mut found =
        Found { groups: groups(reader, fields), files: files(reader, fields), ..Found::default() };
    for kind in KINDS {
        let maps = fields.maps(reader, kind);
        if !maps.is_empty() {
            found.not_yet.push(kind.to_owned());
        }
        for mut map in maps {
            // What it would need beyond itself is named by its kind already.
            http::options(reader, &mut map, &mut Vec::new());
            foreign::discovery(reader, &mut map, kind);
            map.open();
            map.finish(reader);
        }
    }
    found
}

fn groups(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> Vec<Group> {
    let name = fields.path("static_configs[]");
    let mut groups = Vec::new();
    for item in fields.list(reader, "static_configs") {
        if item.node == Node::Null {
            reader.problem(item, format!("{name}: empty or null section"));
            continue;
        }
        let mut map = reader.fields(&name, item);
        groups.push(group(reader, &mut map));
        map.finish(reader);
    }
    groups
}

/// Targets with their labels.
pub(super) fn group(reader: &mut Reader<'_>, map: &mut Fields<'_>) -> Group {
    let group = Group { targets: map.texts(reader, "targets"), labels: map.labels(reader, "labels") };
    if let Some(target) = group.targets.iter().find(|target| target.contains('/')) {
        map.problem(reader, "targets", &format!("{target:?} is no address: write it as host:port"));
    }
    group
}

fn files(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> Vec<FileDiscovery> {
    let mut files = Vec::new();
    for mut map in fields.maps(reader, "file_sd_configs") {
        let names = map.texts(reader, "files");
        if names.is_empty() {
            map.problem(reader, "files", "must name at least one file");
        }
        for name in &names {
            let has_ending =
                [".json", ".yml", ".yaml", ".JSON", ".YML", ".YAML"].iter().any(|end| name.ends_with(end));
            if !has_ending || !foreign::is_path_pattern(name) {
                let why =
                    format!("{name:?} must end with .json, .yml or .yaml, with a * in its last part only");
                map.problem(reader, "files", &why);
            }
        }
        let refresh = map.duration(reader, "refresh_interval").unwrap_or(Duration::from_secs(300));
        map.finish(reader);
        let patterns = names.iter().map(|name| reader.directory.join(name)).collect();
        files.push(FileDiscovery { patterns, refresh: refresh.max(Duration::from_secs(1)) });
    }
    files
}
