//! Facets equal a naive count.

use std::collections::BTreeMap;

use events::{FacetOptions, FacetValue};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::Config;
use search::{Field, LogRow, Number, Row};
use telemetry::otlp::{LogRecord, Resource, Scope};
use telemetry::{TenantId, Value};

use crate::naive::scan;
use crate::queries::query;
use crate::scan::{build, runtime, steps};
use crate::world::{Kept, LAYOUTS, ask};

const FIELDS: [&str; 12] = [
    "severity",
    "service",
    "host",
    "k",
    "http.status_code",
    "env",
    "attributes.env",
    "resource.env",
    "m.a",
    "trace_id",
    "scope",
    "body",
];

/// The value as text, as a person would read it; numbers and truth are told from text by a mark.
fn value_of(kept: &Kept, field: &Field) -> Option<String> {
    let record = LogRecord::of_valid(&kept.record.raw);
    let row = LogRow {
        resource: Resource::of_valid(&kept.record.resource),
        scope: Scope::of_valid(&kept.record.scope),
        record: &record,
        time_ns: kept.key.time_ns,
    };
    let hex = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    match field {
        Field::Severity => {
            Some(telemetry::severity::class(row.severity()).to_owned()).filter(|class| class != "unset")
        }
        Field::TraceId => row.trace_id().map(|id| hex(&id)),
        _ => match row.field(field).unwrap_or_default() {
            Value::Empty => None,
            Value::Str(text) => Some(text.to_owned()),
            Value::Bool(truth) => Some(format!("is {truth}")),
            Value::Int(number) => Some(format!("# {number}")),
            Value::Double(number) if number.is_finite() => Some(match Number::of_double(number) {
                Number::Int(number) => format!("# {number}"),
                Number::Double(number) => format!("# {number}"),
            }),
            Value::Double(number) => Some(number.to_string()),
            other => Some(other.to_text().into_owned()),
        },
    }
}

fn shown(value: &FacetValue) -> String {
    match value {
        FacetValue::Text(text) => text.clone(),
        FacetValue::Bool(truth) => format!("is {truth}"),
        FacetValue::Int(number) => format!("# {number}"),
        FacetValue::Double(number) => format!("# {number}"),
    }
}

proptest! {
    #![proptest_config(Config { cases: 96, ..Config::default() })]

    #[test]
    fn facets_equal_a_naive_count(
        steps in steps(),
        query in query(),
        names in subsequence(FIELDS.to_vec(), 1..8),
        limit in select(vec![1usize, 2, 1000]),
        prefix in select(vec!["", "", "c", "PRO", "5"]),
    ) {
        let tenant = TenantId::default_tenant();
        runtime().block_on(async {
            let world = build(&steps, &LAYOUTS, &tenant).await;
            let mut request = ask(&query);
            let fields: Vec<Field> = names.iter().map(|name| Field::named(name).unwrap()).collect();
            let options = FacetOptions { fields: fields.clone(), limit, prefix: prefix.to_owned() };
            let found = events::facets(&[world.partition.snapshot(&tenant)], &request, &options).await.unwrap();
            request.query.stages.clear();
            let expected = scan(&world.kept, &tenant, &request);
            assert_eq!((found.matched, found.partial, found.facets.len()), (expected.matched, false, fields.len()));
            for (facet, field) in found.facets.iter().zip(&fields) {
                let what = format!("{query} {}", field.name());
                let values = expected.records.iter().map(|kept| value_of(kept, field));
                let (mut counts, mut missing) = (BTreeMap::new(), 0);
                for value in values {
                    match value {
                        None => missing += 1,
                        Some(value) => {
                            let plain = value.trim_start_matches("# ").trim_start_matches("is ").to_lowercase();
                            if plain.starts_with(&prefix.to_lowercase()) {
                                *counts.entry(value).or_insert(0u64) += 1;
                            }
                        }
                    }
                }
                assert!(facet.exact && facet.field == *field, "{what}");
                assert_eq!((facet.missing, facet.distinct), (missing, Some(counts.len() as u64)), "{what}");
                assert_eq!(facet.values.len(), limit.min(counts.len()), "{what}");
                assert!(facet.values.is_sorted_by(|a, b| a.1 >= b.1), "{what}");
                let named: u64 = facet.values.iter().map(|(_, count)| count).sum();
                assert_eq!(facet.other, counts.values().sum::<u64>() - named, "{what}");
                for (value, count) in &facet.values {
                    assert_eq!(counts.get(&shown(value)), Some(count), "{what}");
                }
                let mut all: Vec<u64> = counts.values().copied().collect();
                all.sort_unstable_by_key(|count| std::cmp::Reverse(*count));
                let given: Vec<u64> = facet.values.iter().map(|(_, count)| *count).collect();
                assert_eq!(given, all[..given.len()], "{what}: the most frequent ones");
            }
        });
    }
}
