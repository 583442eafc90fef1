//! Traces, metrics and logs by OpenTelemetry's SDK, over OTLP/gRPC. A deploy is a pipeline with another version and
//! instance, under which the same code goes on.

mod instruments;

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use opentelemetry::context::{FutureExt, WithContext};
use opentelemetry::logs::{LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{LogExporter, MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{BatchLogProcessor, SdkLogger, SdkLoggerProvider};
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SdkTracer, SdkTracerProvider};
use parking_lot::{Mutex, RwLock};

pub(crate) use instruments::Instruments;

use crate::process;

const SCOPE: &str = "shop";
const METRICS_EVERY: Duration = Duration::from_secs(5);
const BATCHES_EVERY: Duration = Duration::from_secs(1);

/// Registers what is read when metrics are collected.
type Observer = Arc<dyn Fn(&Meter) + Send + Sync>;

/// A service's way to tell.
pub(crate) struct Telemetry {
    service: &'static str,
    endpoint: String,
    pipelines: AtomicU64,
    observers: Mutex<Vec<Observer>>,
    current: RwLock<Arc<Pipeline>>,
    propagator: TraceContextPropagator,
}

/// Of one version.
pub(crate) struct Pipeline {
    pub(crate) instruments: Instruments,
    tracer: SdkTracer,
    logger: SdkLogger,
    meter: Meter,
    traces: SdkTracerProvider,
    metrics: SdkMeterProvider,
    logs: SdkLoggerProvider,
}

impl Telemetry {
    pub(crate) fn start(service: &'static str, version: &str, endpoint: &str) -> anyhow::Result<Arc<Self>> {
        let first = Arc::new(Pipeline::new(service, version, endpoint, 1)?);
        let telemetry = Arc::new(Self {
            service,
            endpoint: endpoint.to_owned(),
            pipelines: AtomicU64::new(1),
            observers: Mutex::default(),
            current: RwLock::new(first),
            propagator: TraceContextPropagator::new(),
        });
        telemetry.observe(process::observe);
        Ok(telemetry)
    }

    pub(crate) fn now(&self) -> Arc<Pipeline> {
        self.current.read().clone()
    }

    /// What `observer` registers is there after a deploy, too.
    pub(crate) fn observe(&self, observer: impl Fn(&Meter) + Send + Sync + 'static) {
        observer(&self.now().meter);
        self.observers.lock().push(Arc::new(observer));
    }

    /// From here on it is another version.
    pub(crate) async fn deploy(&self, version: &str) -> anyhow::Result<()> {
        let number = self.pipelines.fetch_add(1, Ordering::Relaxed) + 1;
        let next = Arc::new(Pipeline::new(self.service, version, &self.endpoint, number)?);
        for observer in self.observers.lock().iter() {
            observer(&next.meter);
        }
        let before = std::mem::replace(&mut *self.current.write(), next);
        self.log(Severity::Info, "started", &[KeyValue::new("service.version", version.to_owned())]);
        // Requests that are under way still tell by the old one.
        tokio::time::sleep(Duration::from_secs(1)).await;
        before.shutdown().await
    }

    /// Begins a span; the context has it.
    pub(crate) fn span(
        &self,
        kind: SpanKind,
        name: impl Into<Cow<'static, str>>,
        parent: &Context,
        attributes: Vec<KeyValue>,
    ) -> Context {
        let pipeline = self.now();
        let builder = pipeline.tracer.span_builder(name).with_kind(kind).with_attributes(attributes);
        parent.with_span(builder.start_with_context(&pipeline.tracer, parent))
    }

    /// A log record of the current span.
    pub(crate) fn log(
        &self,
        severity: Severity,
        body: impl Into<Cow<'static, str>>,
        attributes: &[KeyValue],
    ) {
        let pipeline = self.now();
        let mut record = pipeline.logger.create_log_record();
        record.set_timestamp(SystemTime::now());
        record.set_severity_number(severity);
        record.set_severity_text(severity.name());
        record.set_body(body.into().into());
        for KeyValue { key, value, .. } in attributes {
            record.add_attribute(key.clone(), value.as_str().into_owned());
        }
        pipeline.logger.emit(record);
    }

    pub(crate) fn inject(&self, context: &Context, carrier: &mut dyn Injector) {
        self.propagator.inject_context(context, carrier);
    }

    pub(crate) fn extract(&self, carrier: &dyn Extractor) -> Context {
        self.propagator.extract_with_context(&Context::new(), carrier)
    }

    /// Sends what there is.
    pub(crate) async fn shutdown(&self) -> anyhow::Result<()> {
        self.now().shutdown().await
    }
}

/// Runs with `context` as the current one.
pub(crate) fn within<F>(context: &Context, future: F) -> WithContext<F> {
    FutureExt::with_context(future, context.clone())
}

/// Marks a span as failed.
pub(crate) fn fail(context: &Context, kind: &'static str, why: &impl std::fmt::Display) {
    context.span().set_attribute(KeyValue::new("error.type", kind));
    context.span().set_status(Status::error(why.to_string()));
}

impl Pipeline {
    fn new(service: &'static str, version: &str, endpoint: &str, number: u64) -> anyhow::Result<Self> {
        let mut attributes = vec![
            KeyValue::new("service.name", service),
            KeyValue::new("service.version", version.to_owned()),
            KeyValue::new("service.instance.id", format!("{service}-{number}")),
        ];
        attributes.extend(process::attributes());
        let resource = Resource::builder_empty().with_attributes(attributes).build();
        let traces = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
        let metrics = MetricExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
        let logs = LogExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
        let config = opentelemetry_sdk::trace::BatchConfigBuilder::default();
        let config = config.with_scheduled_delay(BATCHES_EVERY).with_max_queue_size(16_384).build();
        let spans = BatchSpanProcessor::builder(traces).with_batch_config(config).build();
        let config = opentelemetry_sdk::logs::BatchConfigBuilder::default();
        let config = config.with_scheduled_delay(BATCHES_EVERY).build();
        let records = BatchLogProcessor::builder(logs).with_batch_config(config).build();
        let reader = PeriodicReader::builder(metrics).with_interval(METRICS_EVERY).build();
        let traces =
            SdkTracerProvider::builder().with_resource(resource.clone()).with_span_processor(spans).build();
        let logs =
            SdkLoggerProvider::builder().with_resource(resource.clone()).with_log_processor(records).build();
        let metrics = SdkMeterProvider::builder().with_resource(resource).with_reader(reader).build();
        let meter = metrics.meter(SCOPE);
        Ok(Self {
            instruments: Instruments::new(&meter),
            tracer: traces.tracer(SCOPE),
            logger: logs.logger(SCOPE),
            meter,
            traces,
            metrics,
            logs,
        })
    }

    /// It blocks, and the exporters need the runtime meanwhile.
    async fn shutdown(self: Arc<Self>) -> anyhow::Result<()> {
        let ended = tokio::task::spawn_blocking(move || {
            let ended = [self.traces.shutdown(), self.logs.shutdown(), self.metrics.shutdown()];
            ended.into_iter().collect::<Result<(), _>>()
        });
        Ok(ended.await??)
    }
}
