//! Downloads: records from the first to the last while they are sent, in bounded
//! memory. One count by time cuts the range into slices of a few pages each, so that
//! no part of it is searched again for every page.
//!
//! A download holds a place of its own, and a query's place only while it searches. It
//! reads one version of the data, and ends when the client has taken nothing for a minute.

mod csv;
mod slices;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use events::{Answer, Order, SearchError, Snapshot};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, header};
use search::{Field, Query, Stage};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use utoipa::IntoParams;

use super::record::{CellView, Record};
use super::{filter_only, request, within};
use crate::api::compress::{Streamed, accepts};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::params::{
    MAX_LIMIT, Page, Params, Range, RangeParams, given, read_count, read_fields, read_order,
};
use crate::api::{App, json, now_ns, time};
use crate::auth::Principal;
use slices::Slices;

/// How many downloads there are at once.
pub(in crate::api) const MAX_EXPORTS: usize = 4;
const MAX_RECORDS: usize = 1_000_000;
/// As many as a slice has, so that none is searched twice.
const PAGE: usize = 5_000;
/// For a client that takes nothing.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between tries for a query's place, once the download has begun.
const PAUSE: Duration = Duration::from_millis(250);

/// What to download.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportParams {
    /// `ndjson` (default): a record as JSON per line; or `csv`.
    format: Option<String>,
    /// `newest` (default) or `oldest` first.
    order: Option<String>,
    /// The most records, 1 to 1000000; 1000000 when not given.
    limit: Option<String>,
    /// For `csv`: names of fields with commas between, as further columns; 20 at most.
    fields: Option<String>,
    /// Whose data, for browsers, which cannot send `X-Scope-OrgID` with a download.
    tenant: Option<String>,
}

/// How records are written.
#[derive(Clone, Debug)]
enum Format {
    Ndjson,
    Csv(Vec<Field>),
}

impl Format {
    fn read(params: &ExportParams) -> Result<Self, ApiError> {
        let fields = given(params.fields.as_deref()).map(|names| read_fields("fields", names)).transpose()?;
        match given(params.format.as_deref()) {
            None | Some("ndjson") => Ok(Self::Ndjson),
            Some("csv") => Ok(Self::Csv(fields.unwrap_or_default())),
            Some(_) => Err(ApiError::parameter("format", "one of ndjson and csv is meant")),
        }
    }

    /// The media type and the end of the file's name.
    fn names(&self) -> (&'static str, &'static str) {
        match self {
            Self::Ndjson => ("application/x-ndjson", "ndjson"),
            Self::Csv(_) => ("text/csv; charset=utf-8", "csv"),
        }
    }

    fn head(&self) -> Result<Vec<u8>, ApiError> {
        match self {
            Self::Ndjson => Ok(Vec::new()),
            Self::Csv(fields) => csv::head(fields),
        }
    }

    fn records(&self, answer: &Answer) -> Result<Vec<u8>, ApiError> {
        match (self, &answer.table) {
            (Self::Csv(_), Some(table)) => csv::table(table),
            (Self::Csv(fields), None) => csv::records(&answer.records, fields),
            (Self::Ndjson, Some(table)) => {
                let mut out = Vec::new();
                for row in &table.rows {
                    let names = table.columns.iter().map(|column| column.name.as_str());
                    let cells = row.iter().map(CellView);
                    out.extend(json::render(&Object(names.zip(cells).collect()))?);
                    out.push(b'\n');
                }
                Ok(out)
            }
            (Self::Ndjson, None) => {
                let mut out = Vec::new();
                for hit in &answer.records {
                    out.extend(json::render(&Record::of(hit))?);
                    out.push(b'\n');
                }
                Ok(out)
            }
        }
    }
}

/// A row of a table with the names of its columns, in their order.
struct Object<'a>(Vec<(&'a str, CellView<'a>)>);

impl serde::Serialize for Object<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, cell)| (name, cell)))
    }
}

/// Downloads the records that match, or the table of `stats` and `top`.
#[utoipa::path(
    get, path = "/api/v1/narrows/logs/export", tag = "logs", params(RangeParams, ExportParams),
    responses(
        (status = 200, description = "The records", body = String, content_type = "application/x-ndjson"),
        (status = 400, description = "A parameter or the query is wrong", body = ErrorBody),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed", body = ErrorBody),
        (status = 422, description = "The query needs more memory than one may", body = ErrorBody),
        (status = 429, description = "Too many downloads or queries", body = ErrorBody),
        (status = 503, description = "The query took too long", body = ErrorBody),
    )
)]
pub(crate) async fn export(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Params(which): Params<RangeParams>,
    Params(params): Params<ExportParams>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let principal = principal.of_tenant(params.tenant.as_deref())?;
    let (query, range) = (which.query()?, which.range(now_ns())?);
    let (format, order) = (Format::read(&params)?, read_order(params.order.as_deref())?);
    let limit = read_count("limit", params.limit.as_deref(), MAX_RECORDS, MAX_RECORDS)?;
    let full = |_| ApiError::TooManyOpen { what: "downloads", most: MAX_EXPORTS };
    let place = Arc::clone(&app.exports).try_acquire_owned().map_err(full)?;
    let packed = accepts(&headers, "gzip");
    let packer = packed.then(|| GzEncoder::new(Vec::new(), Compression::fast()));
    let snapshots = app.store.snapshots(&principal.tenant);
    let left = limit.min(query.limit().unwrap_or(usize::MAX));
    let slices = Slices::of(range, order);
    let (page, warned) = (PAGE, false);
    let mut export = Export {
        app,
        snapshots,
        query,
        range,
        order,
        format,
        packer,
        left,
        page,
        slices,
        warned,
        _place: place,
    };
    // What is wrong with the query is told as an error.
    let first = export.begin().await?;
    Ok(export.answer(first, packed))
}

/// A download under way.
struct Export {
    app: Arc<App>,
    snapshots: Vec<Snapshot>,
    query: Query,
    range: Range,
    order: Order,
    format: Format,
    packer: Option<GzEncoder<Vec<u8>>>,
    /// Records that may still be sent.
    left: usize,
    /// Records that are read at a time.
    page: usize,
    slices: Slices,
    /// The answer's head says that something could not be read.
    warned: bool,
    _place: OwnedSemaphorePermit,
}

/// What goes from the search to the connection; a download without an end was cut off.
enum Piece {
    Bytes(Bytes),
    End,
}

impl Export {
    /// The head, and the first records or the whole table.
    async fn begin(&mut self) -> Result<Vec<u8>, ApiError> {
        let app = Arc::clone(&self.app);
        let admitted = app.queries.admit().await?;
        let head = self.format.head()?;
        if self.query.stages.iter().all(|stage| matches!(stage, Stage::Limit(_))) {
            let request = filter_only(&self.query, self.range, &admitted);
            let answer = self.step(&request).await?.unwrap_or_default();
            self.warned = answer.partial;
            return self.pack(head, answer).await;
        }
        let page = Page { limit: self.left.min(MAX_LIMIT), order: self.order, cursor: None };
        let request = request(self.query.clone(), self.range, page, &admitted);
        let mut answer = within(admitted.deadline, events::search(&self.snapshots, &request)).await?;
        if let Some(table) = &mut answer.table {
            table.rows.truncate(self.left);
        }
        (self.warned, self.left) = (answer.partial, 0);
        // A table has columns of its own.
        let head = if answer.table.is_some() { Vec::new() } else { head };
        self.pack(head, answer).await
    }

    fn answer(self, first: Vec<u8>, packed: bool) -> Response {
        let (media_type, end) = self.format.names();
        let when: String =
            time::format(now_ns()).chars().filter(char::is_ascii_alphanumeric).take(15).collect();
        let warned = self.warned;
        let (sender, pages) = mpsc::channel(1);
        tokio::spawn(self.run(first, sender));
        let mut response = Body::from_stream(body(pages)).into_response();
        response.extensions_mut().insert(Streamed);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        let name = format!("attachment; filename=\"logs-{when}Z.{end}\"");
        if let Ok(name) = HeaderValue::from_str(&name) {
            headers.insert(header::CONTENT_DISPOSITION, name);
        }
        if packed {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if warned {
            headers.insert("narrows-partial", HeaderValue::from_static("true"));
        }
        response
    }

    /// Sends everything, until the end, the client's going, or the program's end.
    async fn run(mut self, first: Vec<u8>, to: mpsc::Sender<Piece>) {
        let app = Arc::clone(&self.app);
        let ended = tokio::select! {
            ended = self.send_all(first, &to) => ended,
            () = app.stopped() => Err(ApiError::Stopping),
            () = to.closed() => Ok(()),
        };
        if let Err(error) = ended {
            tracing::warn!(%error, "a download was cut off");
        }
    }

    async fn send_all(&mut self, first: Vec<u8>, to: &mpsc::Sender<Piece>) -> Result<(), ApiError> {
        send(to, first).await?;
        while self.left > 0 {
            let Some(answer) = self.read_on().await? else { break };
            if answer.partial && !self.warned {
                // The next try says so from the start.
                return Err(SearchError::Internal(answer.warnings.join("; ")).into());
            }
            let bytes = self.pack(Vec::new(), answer).await?;
            send(to, bytes).await?;
        }
        if let Some(packer) = self.packer.take() {
            send(to, packer.finish().map_err(|_| ApiError::Internal)?).await?;
        }
        // The client may have gone with its last byte.
        let _ = to.send(Piece::End).await;
        Ok(())
    }

    /// One step, with a query's place for as long as it takes.
    async fn read_on(&mut self) -> Result<Option<Answer>, ApiError> {
        let app = Arc::clone(&self.app);
        let until = tokio::time::Instant::now() + PATIENCE;
        let admitted = loop {
            match app.queries.admit().await {
                Err(ApiError::Busy { .. }) if tokio::time::Instant::now() < until => {
                    tokio::time::sleep(PAUSE).await;
                }
                admitted => break admitted?,
            }
        };
        let request = filter_only(&self.query, self.range, &admitted);
        self.step(&request).await
    }

    /// Counts or reads what comes next; an answer without records says that there may be more.
    async fn step(&mut self, all: &events::Request) -> Result<Option<Answer>, ApiError> {
        let Some((range, cursor, buckets)) = self.slices.next() else { return Ok(None) };
        let (start_ns, end_ns) = (range.start_ns, range.end_ns);
        let limit = self.page.min(self.left);
        let request = events::Request { start_ns, end_ns, order: self.order, cursor, limit, ..all.clone() };
        let deadline = request.deadline.unwrap_or_else(std::time::Instant::now);
        if let Some(buckets) = buckets {
            let counted = within(deadline, events::histogram(&self.snapshots, &request, buckets)).await?;
            let count = |bucket| counted.counts.iter().map(|class| class[bucket]).sum();
            self.slices.counted(buckets, (0..buckets.count).map(count));
            return Ok(Some(Answer {
                partial: counted.partial,
                warnings: counted.warnings,
                ..Answer::default()
            }));
        }
        match within(deadline, events::search(&self.snapshots, &request)).await {
            Err(ApiError::Search(SearchError::TooLarge { .. })) if limit > 1 => {
                self.page = limit / 4 + 1;
                Ok(Some(Answer::default()))
            }
            Err(error) => Err(error),
            Ok(answer) => {
                self.left -= answer.records.len();
                self.slices.read(answer.next);
                Ok(Some(answer))
            }
        }
    }

    /// As bytes of the download, on a thread that may take its time.
    async fn pack(&mut self, mut head: Vec<u8>, answer: Answer) -> Result<Vec<u8>, ApiError> {
        let (format, packer) = (self.format.clone(), self.packer.take());
        let packed = tokio::task::spawn_blocking(move || {
            head.extend(format.records(&answer)?);
            let Some(mut packer) = packer else { return Ok((head, None)) };
            // Writing to a Vec cannot fail.
            packer.write_all(&head).map_err(|_| ApiError::Internal)?;
            Ok::<_, ApiError>((std::mem::take(packer.get_mut()), Some(packer)))
        });
        let (bytes, packer) = packed.await.map_err(|_| ApiError::Internal)??;
        self.packer = packer;
        Ok(bytes)
    }
}

/// Waits until the client has room for more.
async fn send(to: &mpsc::Sender<Piece>, bytes: Vec<u8>) -> Result<(), ApiError> {
    if bytes.is_empty() {
        return Ok(());
    }
    let sent = tokio::time::timeout(PATIENCE, to.send(Piece::Bytes(bytes.into()))).await;
    // One that has gone is noticed by who waits for it.
    let stalled = |_| ApiError::Body("the client took nothing for a minute".to_owned());
    sent.map(|_| ()).map_err(stalled)
}

fn body(pages: mpsc::Receiver<Piece>) -> impl futures::Stream<Item = std::io::Result<Bytes>> {
    futures::stream::unfold(Some(pages), |pages| async {
        let mut pages = pages?;
        match pages.recv().await {
            Some(Piece::Bytes(bytes)) => Some((Ok(bytes), Some(pages))),
            Some(Piece::End) => None,
            None => Some((Err(std::io::Error::other("the download was cut off")), None)),
        }
    })
}
