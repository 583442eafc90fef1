//! RabbitMQ: the queue of orders. The sender's context travels in the message's headers.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use futures::StreamExt;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
    BasicRecoverOptions, ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::{SpanKind, TraceContextExt};
use opentelemetry::{Context, KeyValue};

use crate::telemetry::{Telemetry, fail, within};

const QUEUE: &str = "orders";
/// Messages that a consumer has at once.
const PREFETCH: u16 = 10;

struct Headers<'a>(&'a FieldTable);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match self.0.inner().get(key)? {
            AMQPValue::LongString(text) => std::str::from_utf8(text.as_bytes()).ok(),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        self.0.inner().keys().map(ShortString::as_str).collect()
    }
}

struct HeadersMut<'a>(&'a mut FieldTable);

impl Injector for HeadersMut<'_> {
    fn set(&mut self, key: &str, value: String) {
        self.0.insert(key.into(), AMQPValue::LongString(LongString::from(value)));
    }
}

/// A connection and a channel of it.
pub(crate) struct Broker {
    // The channel lives as long as it does.
    _connection: Connection,
    channel: Channel,
    telemetry: Arc<Telemetry>,
}

fn attributes(operation: &'static str) -> Vec<KeyValue> {
    vec![
        KeyValue::new("messaging.system", "rabbitmq"),
        KeyValue::new("messaging.destination.name", QUEUE),
        KeyValue::new("messaging.operation.name", operation),
    ]
}

impl Broker {
    pub(crate) async fn connect(url: &str, telemetry: &Arc<Telemetry>) -> anyhow::Result<Self> {
        let connected = Connection::connect(url, ConnectionProperties::default()).await;
        let connection = connected.with_context(|| format!("cannot connect to {url}"))?;
        let channel = connection.create_channel().await?;
        channel.queue_declare(QUEUE.into(), QueueDeclareOptions::default(), FieldTable::default()).await?;
        Ok(Self { _connection: connection, channel, telemetry: telemetry.clone() })
    }

    /// Sends confirm that they have arrived.
    pub(crate) async fn confirming(self) -> anyhow::Result<Self> {
        self.channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(self)
    }

    pub(crate) async fn send(&self, body: &[u8]) -> anyhow::Result<()> {
        let begun = Instant::now();
        let mut attributes = attributes("send");
        let mut all = attributes.clone();
        all.push(KeyValue::new("messaging.operation.type", "send"));
        let span = self.telemetry.span(SpanKind::Producer, "send orders", &Context::current(), all);
        let sent = self.publish(body, &span).await;
        if let Err(error) = &sent {
            fail(&span, "broker", error);
            attributes.push(KeyValue::new("error.type", "broker"));
        }
        span.span().end();
        let instruments = &self.telemetry.now().instruments;
        instruments.messaging_duration.record(begun.elapsed().as_secs_f64(), &attributes);
        instruments.messaging_sent.add(1, &attributes);
        sent
    }

    async fn publish(&self, body: &[u8], span: &Context) -> anyhow::Result<()> {
        let mut headers = FieldTable::default();
        self.telemetry.inject(span, &mut HeadersMut(&mut headers));
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let properties = BasicProperties::default().with_headers(headers).with_timestamp(now_s);
        let options = BasicPublishOptions::default();
        let confirm = self.channel.basic_publish("".into(), QUEUE.into(), options, body, properties).await?;
        confirm.await.context("the broker did not confirm")?;
        Ok(())
    }

    async fn consumer(&self) -> anyhow::Result<Consumer> {
        self.channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
        let options = BasicConsumeOptions::default();
        Ok(self.channel.basic_consume(QUEUE.into(), "worker".into(), options, FieldTable::default()).await?)
    }

    /// Takes messages one after the other, for ever; `work` is done under the sender's trace. As long as `is_away` it
    /// takes none, and gives back what it holds.
    pub(crate) async fn consume(
        &self,
        work: impl AsyncFn(&[u8]) -> anyhow::Result<()>,
        is_away: impl Fn() -> bool,
    ) -> anyhow::Result<()> {
        let mut consumer = self.consumer().await?;
        while let Some(delivery) = consumer.next().await {
            let delivery = delivery.context("the broker has gone")?;
            if is_away() {
                self.channel.basic_cancel(consumer.tag(), BasicCancelOptions::default()).await?;
                self.channel.basic_recover(BasicRecoverOptions { requeue: true }).await?;
                while is_away() {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                consumer = self.consumer().await?;
                continue;
            }
            let begun = Instant::now();
            let none = FieldTable::default();
            let headers = delivery.properties.headers().as_ref().unwrap_or(&none);
            let parent = self.telemetry.extract(&Headers(headers));
            let mut attributes = attributes("process");
            let mut all = attributes.clone();
            all.push(KeyValue::new("messaging.operation.type", "process"));
            let span = self.telemetry.span(SpanKind::Consumer, "process orders", &parent, all);
            let done = within(&span, work(&delivery.data)).await;
            if let Err(error) = &done {
                fail(&span, "worker", error);
                attributes.push(KeyValue::new("error.type", "worker"));
            }
            span.span().end();
            let instruments = &self.telemetry.now().instruments;
            instruments.process_duration.record(begun.elapsed().as_secs_f64(), &attributes);
            instruments.messaging_consumed.add(1, &attributes);
            // An order that fails is not tried again: it would only fail again.
            delivery.acker.ack(BasicAckOptions::default()).await.context("cannot acknowledge")?;
        }
        anyhow::bail!("the broker has ended the subscription")
    }
}
