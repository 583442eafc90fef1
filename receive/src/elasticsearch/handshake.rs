//! What shippers ask before and between their documents, and what they must hear to go on. There are no
//! indexes to set up: whatever they look for is there, and whatever they set up is taken.

use ::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use super::answer::{self, Media};
use crate::problem::Problem;

/// The version that is spoken: the last minor of 8, so that shippers of 7, 8 and 9 talk to it.
const VERSION: &str = "8.19.0";
const CLUSTER: &str = "narrows";
/// No client compares it with anything; it has to look like one.
const CLUSTER_ID: &str = "bmFycm93c25hcnJvd3Nucg";

/// A question that is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Handshake {
    /// Every client's first.
    Root,
    /// Vector, Grafana.
    ClusterHealth,
    /// rsyslog.
    CatHealth,
    /// Logstash and Beats do not send to an expired cluster.
    License,
    Xpack,
    /// Clients that look for more nodes; there is none but the one that they know.
    Nodes,
    /// A named thing that is looked for: of which kind, its name.
    Thing(Thing, String),
    /// All things of a kind.
    Things(Thing),
    /// Something that is set up, and taken.
    Acknowledge {
        index: Option<String>,
    },
    /// An index or alias that is looked for.
    Index(String),
}

/// What shippers look for and set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thing {
    Policy,
    Template,
    ComponentTemplate,
    LegacyTemplate,
    DataStream,
    Pipeline,
}

impl Handshake {
    /// What a path other than those of documents asks.
    pub(super) fn read(method: &Method, segments: &[&str]) -> Result<Self, Problem> {
        let (thing, rest) = match *segments {
            [] => return only_read(method, Self::Root),
            ["_cluster", "health", ..] => return only_read(method, Self::ClusterHealth),
            ["_cat", "health"] => return only_read(method, Self::CatHealth),
            ["_cat", "templates", name] => {
                return only_read(method, Self::Thing(Thing::LegacyTemplate, name.to_owned()));
            }
            ["_license"] => return only_read(method, Self::License),
            ["_xpack"] => return only_read(method, Self::Xpack),
            ["_nodes", "http"] | ["_nodes", _, "http"] => return only_read(method, Self::Nodes),
            ["_ilm", "policy", ref rest @ ..] => (Thing::Policy, rest.to_vec()),
            ["_index_template", ref rest @ ..] => (Thing::Template, rest.to_vec()),
            ["_component_template", ref rest @ ..] => (Thing::ComponentTemplate, rest.to_vec()),
            ["_template", ref rest @ ..] => (Thing::LegacyTemplate, rest.to_vec()),
            ["_data_stream", ref rest @ ..] => (Thing::DataStream, rest.to_vec()),
            ["_ingest", "pipeline", ref rest @ ..] => (Thing::Pipeline, rest.to_vec()),
            [index] if !index.starts_with('_') => return of_index(method, index),
            _ => return Err(not_served(method, segments)),
        };
        match (method, rest.as_slice()) {
            (&Method::GET | &Method::HEAD, []) => Ok(Self::Things(thing)),
            (&Method::GET | &Method::HEAD, [name]) => Ok(Self::Thing(thing, (*name).to_owned())),
            (&Method::PUT | &Method::POST, [_] | [_, "_lifecycle"]) => Ok(Self::Acknowledge { index: None }),
            (_, [] | [_]) => Err(Problem::Method(method.to_string())),
            _ => Err(not_served(method, segments)),
        }
    }

    /// The answer.
    pub(super) fn answer(&self, headers: &HeaderMap, media: Media) -> Response {
        let body = match self {
            Self::Root => root(),
            Self::ClusterHealth => cluster_health(),
            Self::CatHealth => return cat_health(headers, media),
            Self::License => license(),
            Self::Xpack => xpack(),
            Self::Nodes => {
                json!({"_nodes": {"total": 0, "successful": 0, "failed": 0}, "cluster_name": CLUSTER, "nodes": {}})
            }
            Self::Thing(thing, name) => thing.named(name),
            Self::Things(thing) => thing.all(),
            Self::Acknowledge { index: None } => json!({"acknowledged": true}),
            Self::Acknowledge { index: Some(index) } => {
                json!({"acknowledged": true, "shards_acknowledged": true, "index": index})
            }
            Self::Index(name) => json!({name: {"aliases": {}, "mappings": {}, "settings": {}}}),
        };
        answer::json(&body, media)
    }
}

impl Thing {
    /// What is there under a name: as little as clients want to see.
    fn named(self, name: &str) -> Value {
        let pattern = format!("{name}*");
        match self {
            Self::Policy => {
                json!({name: {"version": 1, "modified_date": "2026-01-01T00:00:00.000Z", "policy": {"phases": {}}}})
            }
            Self::Template => json!({"index_templates": [
                {"name": name, "index_template": {"index_patterns": [pattern], "composed_of": [], "data_stream": {}}},
            ]}),
            Self::ComponentTemplate => {
                json!({"component_templates": [{"name": name, "component_template": {"template": {}}}]})
            }
            Self::LegacyTemplate => {
                json!({name: {"order": 0, "index_patterns": [pattern], "settings": {}, "mappings": {}, "aliases": {}}})
            }
            Self::DataStream => json!({"data_streams": [{
                "name": name, "timestamp_field": {"name": "@timestamp"}, "indices": [], "generation": 1, "status": "GREEN",
                "template": name, "hidden": false, "system": false,
            }]}),
            Self::Pipeline => json!({name: {"processors": []}}),
        }
    }

    fn all(self) -> Value {
        match self {
            Self::Template => json!({"index_templates": []}),
            Self::ComponentTemplate => json!({"component_templates": []}),
            Self::DataStream => json!({"data_streams": []}),
            Self::Policy | Self::LegacyTemplate | Self::Pipeline => json!({}),
        }
    }
}

fn only_read(method: &Method, handshake: Handshake) -> Result<Handshake, Problem> {
    match *method {
        Method::GET | Method::HEAD => Ok(handshake),
        _ => Err(Problem::Method(method.to_string())),
    }
}

fn of_index(method: &Method, name: &str) -> Result<Handshake, Problem> {
    match *method {
        Method::GET | Method::HEAD => Ok(Handshake::Index(name.to_owned())),
        Method::PUT => Ok(Handshake::Acknowledge { index: Some(name.to_owned()) }),
        _ => Err(Problem::Method(method.to_string())),
    }
}

fn not_served(method: &Method, segments: &[&str]) -> Problem {
    let path: String = segments.join("/").chars().take(120).collect();
    Problem::NotServed(format!(
        "{method} /{path} is not taken here; documents are stored with _bulk, _doc and _create, and searched in the UI"
    ))
}

fn root() -> Value {
    json!({
        "name": CLUSTER, "cluster_name": CLUSTER, "cluster_uuid": CLUSTER_ID,
        "version": {
            "number": VERSION, "build_flavor": "default", "build_type": "docker", "build_hash": "narrows",
            "build_date": "2026-01-01T00:00:00.000000000Z", "build_snapshot": false, "lucene_version": "9.12.2",
            "minimum_wire_compatibility_version": "7.17.0", "minimum_index_compatibility_version": "7.0.0",
        },
        "tagline": "You Know, for Search",
    })
}

fn cluster_health() -> Value {
    json!({
        "cluster_name": CLUSTER, "status": "green", "timed_out": false, "number_of_nodes": 1, "number_of_data_nodes": 1,
        "active_primary_shards": 1, "active_shards": 1, "relocating_shards": 0, "initializing_shards": 0,
        "unassigned_shards": 0, "delayed_unassigned_shards": 0, "number_of_pending_tasks": 0,
        "number_of_in_flight_fetch": 0, "task_max_waiting_in_queue_millis": 0, "active_shards_percent_as_number": 100.0,
    })
}

/// Text, unless JSON is asked for.
fn cat_health(headers: &HeaderMap, media: Media) -> Response {
    let accept = headers.get(header::ACCEPT).map_or(&b""[..], HeaderValue::as_bytes);
    if accept.starts_with(b"application/") {
        let row = json!({"cluster": CLUSTER, "status": "green", "node.total": "1", "node.data": "1", "shards": "1", "pri": "1"});
        return answer::json(&json!([row]), media);
    }
    let text = format!("0 00:00:00 {CLUSTER} green 1 1 1 1 0 0 0 0 - 100.0%\n");
    answer::typed(StatusCode::OK, text, HeaderValue::from_static("text/plain; charset=UTF-8"))
}

fn license() -> Value {
    json!({"license": {
        "status": "active", "uid": "00000000-0000-0000-0000-000000000000", "type": "basic",
        "issue_date": "2026-01-01T00:00:00.000Z", "issue_date_in_millis": 1_767_225_600_000_i64, "max_nodes": 1000,
        "issued_to": CLUSTER, "issuer": CLUSTER, "start_date_in_millis": -1,
    }})
}

fn xpack() -> Value {
    json!({
        "build": {"hash": "narrows", "date": "2026-01-01T00:00:00.000000Z"},
        "license": {"uid": "00000000-0000-0000-0000-000000000000", "type": "basic", "mode": "basic", "status": "active"},
        "features": {
            "data_streams": {"available": true, "enabled": true}, "ilm": {"available": true, "enabled": true},
            "security": {"available": true, "enabled": true},
        },
        "tagline": "You know, for X",
    })
}

/// What a refresh answers.
pub(super) fn shards() -> Value {
    json!({"_shards": {"total": 1, "successful": 1, "failed": 0}})
}
