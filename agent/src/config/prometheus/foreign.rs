//! What is read of the sections that have no effect here: enough that a configuration
//! that Prometheus would refuse is refused here, too.

use super::fields::{Fields, Reader};
use super::http::{self, is_reserved};
use super::job::Global;
use super::relabel;
use crate::config::yaml::{Item, Node};

/// Whether a pattern of files has a `*` in its last part only.
pub(super) fn is_path_pattern(text: &str) -> bool {
    text.find('*').is_none_or(|star| !text[star..].contains('/'))
}

/// Keys that must be there, by kind of discovery.
const NEEDED: [(&str, &[&str]); 13] = [
    ("azure_sd_configs", &["subscription_id"]),
    ("dns_sd_configs", &["names"]),
    ("eureka_sd_configs", &["server"]),
    ("http_sd_configs", &["url"]),
    ("ionos_sd_configs", &["datacenter_id"]),
    ("kuma_sd_configs", &["server"]),
    ("marathon_sd_configs", &["servers"]),
    ("nerve_sd_configs", &["servers", "paths"]),
    ("outscale_sd_configs", &["region", "access_key"]),
    ("ovhcloud_sd_configs", &["endpoint", "application_key", "application_secret", "consumer_key"]),
    ("puppetdb_sd_configs", &["url", "query"]),
    ("triton_sd_configs", &["account", "dns_suffix", "endpoint"]),
    ("uyuni_sd_configs", &["server", "username", "password"]),
];

/// Keys that have only some values, by kind of discovery.
const ONE_OF: [(&str, &str, &[&str]); 8] = [
    ("azure_sd_configs", "authentication_method", &["OAuth", "ManagedIdentity", "SDK", "WorkloadIdentity"]),
    ("hetzner_sd_configs", "role", &["hcloud", "robot"]),
    ("oci_sd_configs", "auth", &["instance_principal", "user_principal", "api_key"]),
    ("openstack_sd_configs", "role", &["hypervisor", "instance", "loadbalancer"]),
    ("openstack_sd_configs", "availability", &["public", "internal", "admin"]),
    ("ovhcloud_sd_configs", "service", &["dedicated_server", "vps"]),
    ("scaleway_sd_configs", "role", &["instance", "baremetal"]),
    ("kubernetes_sd_configs", "role", &["node", "pod", "service", "endpoints", "endpointslice", "ingress"]),
];

/// Keys of which exactly one must be given.
const EITHER: [(&str, &str, &str); 2] = [
    ("scaleway_sd_configs", "secret_key", "secret_key_file"),
    ("outscale_sd_configs", "secret_key", "secret_key_file"),
];

/// One discovery of a kind that is not there yet.
pub(super) fn discovery(reader: &mut Reader<'_>, map: &mut Fields<'_>, kind: &str) {
    for key in NEEDED.iter().filter(|(of, _)| *of == kind).flat_map(|(_, keys)| keys.iter().copied()) {
        if is_missing(map.item(key)) {
            map.problem(reader, key, "is missing");
        }
    }
    for (_, key, values) in ONE_OF.iter().filter(|(of, ..)| *of == kind) {
        map.parsed(reader, key, |text| match values.contains(&text) {
            true => Ok(()),
            false => Err(format!("{text:?} is none of {}", values.join(", "))),
        });
    }
    for (_, one, other) in EITHER.iter().filter(|(of, ..)| *of == kind) {
        if is_missing(map.item(one)) == is_missing(map.item(other)) {
            map.problem(reader, one, &format!("give either {one} or {other}"));
        }
    }
    for key in ["url", "server", "endpoint"] {
        if matches!(
            kind,
            "http_sd_configs" | "puppetdb_sd_configs" | "eureka_sd_configs" | "stackit_sd_configs"
        ) {
            map.parsed(reader, key, web_address);
        }
    }
    match kind {
        "azure_sd_configs" => azure(reader, map),
        "kubernetes_sd_configs" => kubernetes(reader, map),
        "marathon_sd_configs" => marathon(reader, map),
        "ec2_sd_configs" => {
            for mut filter in map.maps(reader, "filters") {
                if is_missing(filter.item("values")) {
                    filter.problem(reader, "values", "is missing");
                }
            }
        }
        _ => {}
    }
}

fn is_missing(item: Option<&Item>) -> bool {
    item.is_none_or(|item| match &item.node {
        Node::Text(text) => text.is_empty(),
        Node::List(items) => items.is_empty(),
        _ => false,
    })
}

fn web_address(text: &str) -> Result<(), String> {
    let uri: Option<::http::Uri> = text.parse().ok();
    let has_scheme = text.starts_with("http://") || text.starts_with("https://");
    let is_good = has_scheme && uri.is_some_and(|uri| uri.host().is_some_and(|host| !host.is_empty()));
    if is_good { Ok(()) } else { Err(format!("{text:?} is no http or https URL")) }
}

fn azure(reader: &mut Reader<'_>, map: &mut Fields<'_>) {
    if map.text(reader, "authentication_method").is_none_or(|method| method == "OAuth") {
        for key in ["tenant_id", "client_id", "client_secret"] {
            if is_missing(map.item(key)) {
                map.problem(reader, key, "is missing");
            }
        }
    }
}

fn marathon(reader: &mut Reader<'_>, map: &mut Fields<'_>) {
    let token = [map.item("auth_token"), map.item("auth_token_file")];
    let other = ["basic_auth", "bearer_token", "bearer_token_file", "authorization"];
    let has_other = other.into_iter().any(|key| map.item(key).is_some());
    let tokens = token.iter().flatten().count();
    if tokens > 1 || (tokens == 1 && has_other) {
        map.problem(reader, "auth_token", "excludes auth_token_file and other ways to authenticate");
    }
}

fn kubernetes(reader: &mut Reader<'_>, map: &mut Fields<'_>) {
    let role = map.text(reader, "role").unwrap_or_default();
    if role.is_empty() {
        map.problem(reader, "role", "is missing");
    }
    let (server, file) = (map.item("api_server").is_some(), map.item("kubeconfig_file").is_some());
    let keys = ["basic_auth", "authorization", "bearer_token", "bearer_token_file", "oauth2", "tls_config"];
    let has_client = keys.into_iter().any(|key| map.item(key).is_some());
    if server && file {
        map.problem(reader, "kubeconfig_file", "excludes api_server");
    }
    if has_client && (file || !server) {
        map.problem(
            reader,
            "api_server",
            "is needed with settings of the HTTP client, without kubeconfig_file",
        );
    }
    if let Some(mut namespaces) = map.map(reader, "namespaces") {
        let own = namespaces.flag(reader, "own_namespace").unwrap_or(false);
        namespaces.known(&["names"]);
        if own && (server || file) {
            namespaces.problem(reader, "own_namespace", "excludes api_server and kubeconfig_file");
        }
        namespaces.finish(reader);
    }
    let allowed: &[&str] = match role.as_str() {
        "endpoints" => &["pod", "service", "endpoints"],
        "endpointslice" => &["pod", "service", "endpointslice"],
        "pod" => &["pod", "node"][..1],
        "node" => &["node"],
        "service" => &["service"],
        _ => &["ingress"],
    };
    let mut roles = Vec::new();
    for mut selector in map.maps(reader, "selectors") {
        let role = selector.text(reader, "role").unwrap_or_default();
        if !allowed.contains(&role.as_str()) || roles.contains(&role) {
            selector.problem(reader, "role", &format!("{role:?} cannot be selected here, or stands twice"));
        }
        let field = selector.text(reader, "field").unwrap_or_default();
        if !field.is_empty() && !field.split(',').all(|part| part.contains('=')) {
            selector.problem(reader, "field", &format!("{field:?} is no selector; write it as name=value"));
        }
        roles.push(role);
    }
}

/// Sections of Prometheus that are not the agent's; those that were given are named.
pub(super) fn sections(
    reader: &mut Reader<'_>,
    root: &mut Fields<'_>,
    global: &Global,
    not_yet: &mut Vec<String>,
) {
    let given =
        ["rule_files", "alerting", "remote_write", "remote_read", "storage", "tracing", "otlp", "runtime"];
    for key in given {
        if root.item(key).is_some() {
            not_yet.push(format!("the section {key}"));
        }
    }
    for pattern in root.texts(reader, "rule_files") {
        if !is_path_pattern(&pattern) {
            root.problem(reader, "rule_files", &format!("invalid rule file path {pattern:?}"));
        }
    }
    if let Some(mut alerting) = root.map(reader, "alerting") {
        relabel::rules(reader, &mut alerting, "alert_relabel_configs");
        for mut manager in alerting.maps(reader, "alertmanagers") {
            relabel::rules(reader, &mut manager, "relabel_configs");
            relabel::rules(reader, &mut manager, "alert_relabel_configs");
        }
        alerting.finish(reader);
    }
    for key in ["remote_write", "remote_read"] {
        remotes(reader, root, key);
    }
    if let Some(mut tracing) = root.map(reader, "tracing") {
        if tracing.filled(reader, "endpoint").is_none() {
            tracing.problem(reader, "endpoint", "is missing");
        }
        headers(reader, &mut tracing);
        tracing.parsed(reader, "compression", |text| one_of(text, &["", "gzip"]));
        tracing.parsed(reader, "client_type", |text| one_of(text, &["grpc", "http"]));
    }
    otlp(reader, root, global);
    storage(reader, root);
    root.known(&["runtime"]);
}

fn one_of(text: &str, values: &[&str]) -> Result<(), String> {
    if values.contains(&text) { Ok(()) } else { Err(format!("{text:?} is none of {}", values.join(", "))) }
}

fn headers(reader: &mut Reader<'_>, map: &mut Fields<'_>) {
    if let Some((header, _)) = map.labels(reader, "headers").iter().find(|(header, _)| is_reserved(header)) {
        map.problem(reader, "headers", &format!("{header:?} cannot be set"));
    }
}

fn remotes(reader: &mut Reader<'_>, root: &mut Fields<'_>, key: &'static str) {
    let mut names = Vec::new();
    for mut remote in root.maps(reader, key) {
        if remote.filled(reader, "url").is_none() {
            remote.problem(reader, "url", "is missing");
        }
        if let Some(name) = remote.filled(reader, "name") {
            if names.contains(&name) {
                remote.problem(reader, "name", &format!("{name:?} stands twice"));
            }
            names.push(name);
        }
        headers(reader, &mut remote);
        http::options(reader, &mut remote, &mut Vec::new());
        relabel::rules(reader, &mut remote, "write_relabel_configs");
        remote.parsed(reader, "protobuf_message", |text| {
            one_of(text, &["prometheus.WriteRequest", "io.prometheus.write.v2.Request"])
        });
        if let Some(mut queue) = remote.map(reader, "queue_config") {
            queue_config(reader, &mut queue);
        }
    }
}

fn queue_config(reader: &mut Reader<'_>, queue: &mut Fields<'_>) {
    for key in ["capacity", "max_shards", "min_shards", "max_samples_per_send"] {
        if queue.number(reader, key) == Some(0) {
            queue.problem(reader, key, "must be greater than 0");
        }
    }
    if queue.number(reader, "min_shards") > Some(queue.number(reader, "max_shards").unwrap_or(50)) {
        queue.problem(reader, "min_shards", "is more than max_shards");
    }
    let backoff = [queue.duration(reader, "min_backoff"), queue.duration(reader, "max_backoff")];
    if let [Some(min), Some(max)] = backoff
        && min > max
    {
        queue.problem(reader, "max_backoff", "is less than min_backoff");
    }
}

fn otlp(reader: &mut Reader<'_>, root: &mut Fields<'_>, global: &Global) {
    let Some(mut otlp) = root.map(reader, "otlp") else { return };
    let strategies = [
        "UnderscoreEscapingWithSuffixes",
        "UnderscoreEscapingWithoutSuffixes",
        "NoUTF8EscapingWithSuffixes",
        "NoTranslation",
    ];
    let strategy = otlp.text(reader, "translation_strategy").unwrap_or_default();
    if !strategy.is_empty() && !strategies.contains(&strategy.as_str()) {
        otlp.problem(
            reader,
            "translation_strategy",
            &format!("{strategy:?} is none of {}", strategies.join(", ")),
        );
    }
    if global.is_legacy && strategy.starts_with("No") {
        otlp.problem(reader, "translation_strategy", "needs the validation scheme utf8");
    }
    let all = otlp.flag(reader, "promote_all_resource_attributes").unwrap_or(false);
    for (key, is_allowed) in [("promote_resource_attributes", !all), ("ignore_resource_attributes", all)] {
        let mut names = otlp.texts(reader, key);
        if !names.is_empty() && !is_allowed {
            otlp.problem(reader, key, "does not go with promote_all_resource_attributes as it is");
        }
        names.iter_mut().for_each(|name| *name = name.trim().to_owned());
        names.sort();
        if names.iter().any(String::is_empty) || names.windows(2).any(|pair| pair[0] == pair[1]) {
            otlp.problem(reader, key, "has an empty name, or one twice");
        }
    }
}

fn storage(reader: &mut Reader<'_>, root: &mut Fields<'_>) {
    let Some(mut storage) = root.map(reader, "storage") else { return };
    let Some(mut tsdb) = storage.map(reader, "tsdb") else { return };
    if let Some(mut retention) = tsdb.map(reader, "retention") {
        retention.duration(reader, "time");
        retention.size(reader, "size");
        retention.parsed(reader, "percentage", |text| {
            let percentage: Option<f64> = text.parse().ok();
            match percentage.is_some_and(|percentage| (0.0..=100.0).contains(&percentage)) {
                true => Ok(()),
                false => Err(format!("{text:?} is no percentage from 0 to 100")),
            }
        });
    }
    if let Some(mut encoding) = tsdb.map(reader, "chunk_encoding") {
        encoding.parsed(reader, "floats", |text| one_of(text, &["", "xor", "xor2"]));
    }
}
