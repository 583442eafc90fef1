//! Traces of three spans by OpenTelemetry's own exporter: `emit_spans http://127.0.0.1:4317 [SECONDS]`. Prints the id
//! of each; one, or one every so many seconds until it is told to stop.

use std::time::Duration;

use anyhow::Context;
use opentelemetry::trace::{SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context as Active, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "usage: emit_spans http://127.0.0.1:4317 [SECONDS]";

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let endpoint = args.next().context(USAGE)?;
    let seconds: Option<f64> = args.next().map(|text| text.parse().context(USAGE)).transpose()?;
    let every = seconds.map(Duration::try_from_secs_f64).transpose().context(USAGE)?;
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
    let provider = SdkTracerProvider::builder()
        .with_resource(Resource::builder_empty().with_service_name("rust-shop").build())
        .with_batch_exporter(exporter)
        .build();
    let tracer = provider.tracer("shop");
    let mut terminate = signal(SignalKind::terminate())?;
    loop {
        emit(&tracer);
        let Some(every) = every else { break };
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            _ = terminate.recv() => break,
            _ = tokio::signal::ctrl_c() => break,
        }
    }
    // It blocks, and the exporter needs this runtime meanwhile.
    tokio::task::spawn_blocking(move || provider.shutdown()).await??;
    Ok(())
}

fn emit(tracer: &SdkTracer) {
    let root = tracer
        .span_builder("GET /basket/{id}")
        .with_kind(SpanKind::Server)
        .start_with_context(tracer, &Active::new());
    let root = Active::new().with_span(root);
    let load = root.with_span(tracer.span_builder("load").start_with_context(tracer, &root));
    let query = tracer.span_builder("SELECT baskets").with_kind(SpanKind::Client).with_attributes([
        KeyValue::new("db.system.name", "mariadb"),
        KeyValue::new("db.namespace", "baskets"),
    ]);
    let query = load.with_span(query.start_with_context(tracer, &load));
    query.span().set_status(Status::error("lock wait timeout"));
    for context in [&query, &load, &root] {
        context.span().end();
    }
    println!("{}", root.span().span_context().trace_id());
}
