//! The limits of single log records and spans. One over a limit is left out with a reason;
//! a request in which none is stays the bytes that came in.

use telemetry::KeyValues;
use telemetry::otlp::{Item, LogRecord, RecordsWriter, Request, ResourceGroup, ScopeGroup, Span};

use crate::limits::Limits;

/// What stays of a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    /// The request without the records that were left out; `None` when all stay.
    pub(crate) rewritten: Option<Vec<u8>>,
    /// How many were left out.
    pub(crate) rejected: u64,
    /// Why the first of them was.
    pub(crate) first_reason: Option<String>,
}

/// A log record, or what else is stored one by one.
pub(crate) trait Record<'a>: Item<'a> {
    /// What it is called.
    const NAME: &'static str;
    /// Whether even a small one may be at fault.
    const HAS_IDS: bool;

    /// What is wrong with it, besides its size.
    fn fault(raw: &'a [u8], max_attributes: usize) -> Option<String>;
}

impl<'a> Record<'a> for LogRecord<'a> {
    const NAME: &'static str = "record";
    const HAS_IDS: bool = false;

    fn fault(raw: &'a [u8], max_attributes: usize) -> Option<String> {
        if raw.len() / SHORTEST_ATTRIBUTE <= max_attributes {
            return None;
        }
        too_many("has", LogRecord::of_valid(raw).attributes(), max_attributes)
    }
}

impl<'a> Record<'a> for Span<'a> {
    const NAME: &'static str = "span";
    const HAS_IDS: bool = true;

    fn fault(raw: &'a [u8], max_attributes: usize) -> Option<String> {
        let span = Span::of_valid(raw);
        if let Some(fault) = span.id_fault() {
            return Some(fault.to_string());
        }
        if raw.len() / SHORTEST_ATTRIBUTE <= max_attributes {
            return None;
        }
        let of_event = |event| too_many("has an event with", event, max_attributes);
        let of_link = |link| too_many("has a link with", link, max_attributes);
        too_many("has", span.attributes(), max_attributes)
            .or_else(|| span.events().find_map(|event| of_event(event.attributes())))
            .or_else(|| span.links().find_map(|link| of_link(link.attributes())))
    }
}

/// The bytes of one without key and value.
const SHORTEST_ATTRIBUTE: usize = 2;

fn too_many(whose: &str, attributes: KeyValues<'_>, max: usize) -> Option<String> {
    let count = attributes.iter().count();
    (count > max).then(|| format!("{whose} {count} attributes, the limit is {max}"))
}

/// Checks every record of `request`, which is `size_bytes` long.
pub(crate) fn enforce<'a, R: Record<'a>>(
    request: &Request<'a, R>,
    size_bytes: usize,
    limits: &Limits,
) -> Kept {
    // A small request cannot be over a limit: no walk over records.
    let small = size_bytes <= limits.max_record_bytes
        && size_bytes / SHORTEST_ATTRIBUTE <= limits.max_attributes_per_record;
    let spelled_out = spelled_out_bytes(request) > limits.max_spelled_out_bytes;
    if small && !R::HAS_IDS && !spelled_out {
        return Kept::default();
    }
    let is_over = |resource: ResourceGroup<'a, R>| {
        let mut scopes = resource.scopes();
        scopes.any(|scope| {
            let group = Group::new(&resource, &scope, limits);
            scope.raw_items().any(|record| group.fault::<R>(record, limits).is_some())
        })
    };
    let any_is_over = spelled_out || request.resources().any(is_over);
    if any_is_over { rewrite(request, limits) } else { Kept::default() }
}

/// What the resources take, written out once for each of their scopes.
fn spelled_out_bytes<'a, R: Record<'a>>(request: &Request<'a, R>) -> usize {
    let resources = request.resources();
    resources.map(|resource| resource.resource.raw.len().saturating_mul(resource.scopes().count())).sum()
}

fn rewrite<'a, R: Record<'a>>(request: &Request<'a, R>, limits: &Limits) -> Kept {
    let mut kept = Kept::default();
    let mut writer = RecordsWriter::default();
    let mut index = 0u64;
    let mut spelled_out = 0usize;
    for resource in request.resources() {
        writer.resource(resource.resource.raw, resource.schema_url);
        for scope in resource.scopes() {
            writer.scope(scope.scope.raw, scope.schema_url);
            spelled_out = spelled_out.saturating_add(resource.resource.raw.len());
            let group = match spelled_out > limits.max_spelled_out_bytes {
                true => Group::beyond(limits),
                false => Group::new(&resource, &scope, limits),
            };
            for record in scope.raw_items() {
                match group.fault::<R>(record, limits) {
                    None => writer.record(record),
                    Some(fault) => {
                        kept.rejected += 1;
                        kept.first_reason.get_or_insert_with(|| format!("{} {index} {fault}", R::NAME));
                    }
                }
                index += 1;
            }
        }
    }
    kept.rewritten = Some(writer.finish());
    kept
}

/// What the records of one scope share. The limits hold for a record together with it: that is what is stored.
struct Group {
    shared_bytes: usize,
    shared_fault: Option<String>,
}

impl Group {
    fn new<'a, R: Record<'a>>(
        resource: &ResourceGroup<'a, R>,
        scope: &ScopeGroup<'a, R>,
        limits: &Limits,
    ) -> Self {
        let max = limits.max_attributes_per_record;
        let over = |raw: &[u8], owner: &str, attributes: KeyValues<'_>| {
            let whose = format!("belongs to a {owner} with");
            (raw.len() / SHORTEST_ATTRIBUTE > max).then(|| too_many(&whose, attributes, max)).flatten()
        };
        let (resource, scope) = (resource.resource, scope.scope);
        Self {
            shared_bytes: resource.raw.len() + scope.raw.len(),
            shared_fault: over(resource.raw, "resource", resource.attributes())
                .or_else(|| over(scope.raw, "scope", scope.attributes())),
        }
    }

    fn beyond(limits: &Limits) -> Self {
        let max = limits.max_spelled_out_bytes;
        let fault = format!("belongs to a scope too many: resources, once per scope, may take {max} bytes");
        Self { shared_bytes: 0, shared_fault: Some(fault) }
    }

    fn fault<'a, R: Record<'a>>(&self, record: &'a [u8], limits: &Limits) -> Option<String> {
        if let Some(fault) = &self.shared_fault {
            return Some(fault.clone());
        }
        let bytes = record.len() + self.shared_bytes;
        if bytes > limits.max_record_bytes {
            let max = limits.max_record_bytes;
            return Some(format!("has {bytes} bytes with its resource and scope, the limit is {max}"));
        }
        R::fault(record, limits.max_attributes_per_record)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use telemetry::Value;
    use telemetry::otlp::{
        EventFields, LogsRequest, RecordFields, SpanFields, TracesRequest, write_record, write_resource,
        write_span,
    };

    use super::*;

    const LIMITS: fn() -> Limits =
        || Limits { max_attributes_per_record: 3, max_record_bytes: 200, ..Limits::default() };

    fn record(body: &str, attributes: usize) -> Vec<u8> {
        let mut raw = Vec::new();
        let attributes = vec![("k", Value::Int(1)); attributes];
        write_record(
            &mut raw,
            &RecordFields { body: Value::Str(body), attributes: &attributes, ..Default::default() },
        );
        raw
    }

    fn request(groups: &[(usize, &[Vec<u8>])]) -> Vec<u8> {
        let mut writer = RecordsWriter::default();
        for (resource_attributes, records) in groups {
            let mut resource = Vec::new();
            write_resource(&mut resource, &vec![("r", Value::Int(1)); *resource_attributes]);
            writer.resource(&resource, "");
            writer.scope(b"", "https://example.org/1");
            records.iter().for_each(|record| writer.record(record));
        }
        writer.finish()
    }

    fn bodies(raw: &[u8]) -> Vec<String> {
        LogsRequest::parse(raw)
            .unwrap()
            .records()
            .map(|(_, _, record)| record.body.to_text().into_owned())
            .collect()
    }

    fn check(raw: &[u8]) -> Kept {
        enforce(&LogsRequest::parse(raw).unwrap(), raw.len(), &LIMITS())
    }

    #[test]
    fn records_at_the_limits_stay_and_nothing_is_copied() {
        let raw = request(&[
            (3, &[record("a", 3), record(&"x".repeat(140), 0)]),
            (0, &[record(&"y".repeat(190), 0)]),
        ]);
        assert_eq!(check(&raw), Kept::default());
    }

    #[test]
    fn records_over_a_limit_leave_and_the_others_stay() {
        let raw = request(&[
            (1, &[record("a", 3), record("b", 4), record("c", 0)]),
            (0, &[record(&"x".repeat(250), 0)]),
        ]);
        let kept = check(&raw);
        assert_eq!(
            (kept.rejected, kept.first_reason.as_deref()),
            (2, Some("record 1 has 4 attributes, the limit is 3"))
        );
        let rewritten = kept.rewritten.unwrap();
        assert_eq!(bodies(&rewritten), ["a", "c"]);
        let (resource, scope, _) = LogsRequest::parse(&rewritten).unwrap().records().next().unwrap();
        assert_eq!(
            (resource.resource.attributes().iter().count(), scope.schema_url),
            (1, "https://example.org/1")
        );
    }

    #[test]
    fn a_resource_over_a_limit_takes_its_records_with_it() {
        let raw = request(&[
            (4, &[record("a", 0), record("b", 0)]),
            (40, &[record("c", 0)]),
            (1, &[record("d", 0)]),
        ]);
        let kept = check(&raw);
        let reason = "record 0 belongs to a resource with 4 attributes, the limit is 3";
        assert_eq!((kept.rejected, kept.first_reason.as_deref()), (3, Some(reason)));
        assert_eq!(bodies(&kept.rewritten.unwrap()), ["d"]);
    }

    #[test]
    fn a_resource_is_not_multiplied_by_scopes_without_end() {
        let mut writer = RecordsWriter::default();
        let mut resource = Vec::new();
        write_resource(&mut resource, &[("r", Value::Str(&"x".repeat(50)))]);
        writer.resource(&resource, "");
        for scope in 0..100 {
            writer.scope(&[], &format!("https://example.org/{scope}"));
            writer.record(&record("a", 0));
        }
        let limits = Limits { max_spelled_out_bytes: 10 * resource.len(), ..Limits::default() };
        let raw = writer.finish();
        let kept = enforce(&LogsRequest::parse(&raw).unwrap(), raw.len(), &limits);
        assert_eq!(kept.rejected, 90);
        assert!(kept.first_reason.unwrap().starts_with("record 10 belongs to a scope too many"));
        assert_eq!(bodies(&kept.rewritten.unwrap()).len(), 10);
    }

    #[test]
    fn a_large_record_counts_with_its_resource() {
        let raw = request(&[(3, &[record(&"x".repeat(180), 0)])]);
        let reason = check(&raw).first_reason.unwrap();
        assert!(reason.ends_with("bytes with its resource and scope, the limit is 200"), "{reason}");
    }

    #[test]
    fn spans_without_ids_or_with_too_many_attributes_leave() {
        let four = [("k", Value::Int(1)); 4];
        let event = [EventFields { attributes: &four, ..EventFields::default() }];
        let good = SpanFields { trace_id: &[7; 16], span_id: &[1; 8], name: "a", ..SpanFields::default() };
        let cases = [
            (good, None),
            (SpanFields { attributes: &four[..3], ..good }, None),
            (SpanFields { trace_id: &[], ..good }, Some("has no trace id")),
            (SpanFields { span_id: &[0; 8], ..good }, Some("has a span id of zeros, which is none")),
            (SpanFields { attributes: &four, ..good }, Some("has 4 attributes, the limit is 3")),
            (SpanFields { events: &event, ..good }, Some("has an event with 4 attributes, the limit is 3")),
        ];
        for (span, fault) in cases {
            let mut writer = RecordsWriter::default();
            writer.resource(&[], "");
            writer.scope(&[], "");
            for span in [&good, &span, &good] {
                let mut raw = Vec::new();
                write_span(&mut raw, span);
                writer.record(&raw);
            }
            let raw = writer.finish();
            let kept = enforce(&TracesRequest::parse(&raw).unwrap(), raw.len(), &LIMITS());
            let reason = fault.map(|fault| format!("span 1 {fault}"));
            assert_eq!((kept.rejected, kept.first_reason), (u64::from(fault.is_some()), reason));
            let stays = kept.rewritten.map(|raw| TracesRequest::parse(&raw).unwrap().span_count());
            assert_eq!(stays, fault.map(|_| 2));
        }
    }
}
