//! RabbitMQ, by the HTTP API of its management plugin.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::http::Http;
use super::input::LeftOut;
use super::names::*;
use super::{IntegrationInput, Server};
use crate::report::{Metric, Report};
use crate::scrape::job::Secret;

const QUEUE: &str = "rabbitmq.queue.name";
const VHOST: &str = "rabbitmq.vhost.name";
const NODE: &str = "rabbitmq.node.name";
const MAX_NODES: usize = 32;

/// Looks at one server.
pub(super) struct Rabbitmq {
    http: Http,
    user: String,
    password: Option<Secret>,
    queues: usize,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Queue>,
    filtered_count: u64,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Queue {
    name: String,
    vhost: String,
    messages_ready: u64,
    messages_unacknowledged: u64,
    consumers: u64,
    message_stats: Stats,
    /// Seconds since 1970, if the message at the head has a timestamp.
    head_message_timestamp: Option<serde_json::Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Stats {
    publish: u64,
    deliver_get: u64,
    ack: u64,
    redeliver: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Node {
    name: String,
    // A node that has just started, or that does not answer, has none of these.
    mem_used: Option<u64>,
    mem_limit: Option<u64>,
    mem_alarm: Option<bool>,
    /// A text where the node cannot know it.
    disk_free: serde_json::Value,
    disk_free_alarm: Option<bool>,
    /// ms.
    uptime: Option<u64>,
}

/// A metric of a queue, and its value if it has one.
type OfQueue = (&'static Metric, fn(&Queue, u64) -> Option<u64>);

/// The same of a node.
type OfNode = (&'static Metric, fn(&Node) -> Option<u64>);

const OF_QUEUE: [OfQueue; 6] = [
    (&MQ_CONSUMERS, |queue, _| Some(queue.consumers)),
    (&MQ_PUBLISHED, |queue, _| Some(queue.message_stats.publish)),
    (&MQ_DELIVERED, |queue, _| Some(queue.message_stats.deliver_get)),
    (&MQ_ACKNOWLEDGED, |queue, _| Some(queue.message_stats.ack)),
    (&MQ_REDELIVERED, |queue, _| Some(queue.message_stats.redeliver)),
    (&MQ_OLDEST, Queue::oldest_age_s),
];

impl Queue {
    /// A queue whose messages have no timestamp has no age; an empty one is of age 0.
    fn oldest_age_s(&self, now_s: u64) -> Option<u64> {
        let head_s = self.head_message_timestamp.as_ref().and_then(serde_json::Value::as_u64);
        let is_empty = self.messages_ready == 0;
        head_s.map(|head_s| if is_empty { 0 } else { now_s.saturating_sub(head_s) }).or(is_empty.then_some(0))
    }
}

impl Rabbitmq {
    pub(super) fn new(input: &IntegrationInput) -> Self {
        let queues = if let Server::Rabbitmq { queues } = input.server { queues } else { 0 };
        Self {
            http: Http::new(&input.endpoint, input.tls.clone()),
            user: input.user.clone().unwrap_or_else(|| "guest".to_owned()),
            password: input.password.clone(),
            queues,
        }
    }

    pub(super) fn reset(&mut self) {
        self.http.reset();
    }

    pub(super) async fn look(&mut self, report: &mut Report<'_>) -> Result<LeftOut, String> {
        let password = match &self.password {
            Some(password) => password.read().await?,
            None => "guest".to_owned(),
        };
        let authorization = format!("Basic {}", STANDARD.encode(format!("{}:{password}", self.user)));
        let nodes: Vec<Node> = self
            .http
            .get(
                "/api/nodes?columns=name,mem_used,mem_limit,mem_alarm,disk_free,disk_free_alarm,uptime",
                &authorization,
            )
            .await?;
        // The deepest queues: whoever has more than are asked for wants to see these.
        let path = format!(
            "/api/queues?page=1&page_size={}&sort=messages&sort_reverse=true\
             &columns=name,vhost,messages,messages_ready,messages_unacknowledged,consumers,head_message_timestamp,\
             message_stats.publish,message_stats.deliver_get,message_stats.ack,message_stats.redeliver",
            self.queues.max(1)
        );
        let mut page: Page = self.http.get(&path, &authorization).await?;
        page.items.truncate(self.queues);
        let uptime_ms = nodes.iter().filter_map(|node| node.uptime).max().unwrap_or(0);
        report.since(report.time_ns.saturating_sub(uptime_ms.saturating_mul(1_000_000)));
        write_nodes(&nodes, report);
        write_queues(&page, report);
        let is_cut = page.filtered_count > page.items.len() as u64;
        Ok(if is_cut { vec!["queues"] } else { LeftOut::new() })
    }
}

fn write_nodes(nodes: &[Node], report: &mut Report<'_>) {
    let nodes = &nodes[..nodes.len().min(MAX_NODES)];
    let values: [OfNode; 3] = [
        (&MQ_MEM_USED, |node| node.mem_used),
        (&MQ_MEM_LIMIT, |node| node.mem_limit),
        (&MQ_DISK_FREE, |node| node.disk_free.as_u64()),
    ];
    for (metric, value) in values {
        report.metric(metric);
        for node in nodes {
            if let Some(value) = value(node) {
                report.int(value, &[(NODE, &node.name)]);
            }
        }
    }
    report.metric(&MQ_ALARM);
    for node in nodes {
        for (alarm, is_on) in [("disk", node.disk_free_alarm), ("memory", node.mem_alarm)] {
            if let Some(is_on) = is_on {
                report.int(u64::from(is_on), &[("alarm", alarm), (NODE, &node.name)]);
            }
        }
    }
}

fn write_queues(page: &Page, report: &mut Report<'_>) {
    let now_s = report.time_ns / 1_000_000_000;
    report.one(&MQ_QUEUES, page.filtered_count);
    report.metric(&MQ_CURRENT);
    for queue in &page.items {
        for (state, count) in
            [("ready", queue.messages_ready), ("unacknowledged", queue.messages_unacknowledged)]
        {
            report.int(count, &[(QUEUE, &queue.name), (VHOST, &queue.vhost), ("state", state)]);
        }
    }
    for (metric, value) in OF_QUEUE {
        report.metric(metric);
        for queue in &page.items {
            if let Some(value) = value(queue, now_s) {
                report.int(value, &[(QUEUE, &queue.name), (VHOST, &queue.vhost)]);
            }
        }
    }
}
