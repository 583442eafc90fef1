//! What `stats` and `top` give.

use narrows_search::{
    AggregateError, Aggregation, AggregationLimits, Cell, ColumnKind, Number, RecordSort, RecordTable, Table,
    group_cell, parse, severity_cell,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use crate::record::Record;

const MINUTE: i64 = 60_000_000_000;

fn of(query: &str) -> Aggregation {
    Aggregation::of(&parse(query).unwrap(), AggregationLimits::default()).unwrap()
}

fn records() -> Vec<Record> {
    [
        r#"{"time": 0, "severity": 17, "resource": {"service.name": "shop"}, "attributes": {"status": 500}}"#,
        r#"{"time": 59999999999, "severity": 18, "resource": {"service.name": "shop"}, "attributes": {"status": 500.0}}"#,
        r#"{"time": 60000000000, "severity": 9, "resource": {"service.name": "cart"}, "attributes": {"status": 200}}"#,
        r#"{"time": 60000000001, "severity": 9, "resource": {"service.name": "cart"}, "attributes": {"status": "200"}}"#,
        r#"{"time": 60000000002, "severity": 13, "resource": {"service.name": "auth"}, "attributes": {"status": true}}"#,
        r#"{"time": -1, "attributes": {"status": [1, 2]}, "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"}"#,
    ]
    .map(Record::parse)
    .into()
}

/// One line per row: names and kinds, then the cells.
fn show(table: &Table) -> String {
    let cell = |cell: &Cell| match cell {
        Cell::Null => "null".to_owned(),
        Cell::Text(text) => format!("'{text}'"),
        Cell::Number(number) => number.to_string(),
        Cell::Time(time) => format!("{}m", *time as f64 / MINUTE as f64),
    };
    let head = table.columns.iter().map(|column| format!("{}:{:?}", column.name, column.kind).to_lowercase());
    let rows = table.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(" "));
    std::iter::once(head.collect::<Vec<_>>().join(" ")).chain(rows).collect::<Vec<_>>().join("\n")
}

#[test]
fn tables_have_one_order() {
    let cases = [
        ("| stats count()", "count():number\n6"),
        ("| stats count() as n", "n:number\n6"),
        ("| stats count() by service", "service:string count():number\n'cart' 2\n'shop' 2\n'auth' 1\nnull 1"),
        ("| stats count() by service | limit 1", "service:string count():number\n'cart' 2"),
        ("| top 2 service", "service:string count:number\n'cart' 2\n'shop' 2"),
        ("| top service", "service:string count:number\n'cart' 2\n'shop' 2\n'auth' 1\nnull 1"),
        ("| top 3 service | limit 1", "service:string count:number\n'cart' 2"),
        (
            "| stats count() by severity",
            "severity:string count():number\n'error' 2\n'info' 2\n'warn' 1\nnull 1",
        ),
        (
            "| stats count() by status",
            "status:string count():number\n500 2\n200 1\n'200' 1\n'[1,2]' 1\n'true' 1",
        ),
        ("| stats count() by bin(1m)", "time:time count():number\n-1m 1\n0m 2\n1m 3"),
        (
            "| stats count() by (service, bin(1m))",
            "service:string time:time count():number\nnull -1m 1\n'shop' 0m 2\n'cart' 1m 2\n'auth' 1m 1",
        ),
        (
            "| stats count() as a, count() as b by trace_id",
            "trace_id:string a:number b:number\nnull 5 5\n'4bf92f3577b34da6a3ce929d0e0e4736' 1 1",
        ),
        ("| stats count() by (absent)", "absent:string count():number\nnull 6"),
        (
            "| stats count(status), sum(status), avg(status)",
            "count(status):number sum(status):number avg(status):number\n6 1400 350",
        ),
        (
            "| stats min(status), max(status), p50(status)",
            "min(status):number max(status):number p50(status):number\n200 500 200",
        ),
        ("| stats max(service), min(absent)", "max(service):string min(absent):number\n'shop' null"),
        (
            "| stats distinct(status), distinct(severity), distinct(trace_id), count(trace_id)",
            "distinct(status):number distinct(severity):number distinct(trace_id):number count(trace_id):number\n5 3 1 1",
        ),
        ("| stats max(severity), sum(severity)", "max(severity):number sum(severity):number\n18 66"),
        (
            "| stats avg(status) by service",
            "service:string avg(status):number\n'shop' 500\n'cart' 200\n'auth' null\nnull null",
        ),
        (
            "| stats avg(status) by service | sort avg(status)",
            "service:string avg(status):number\n'cart' 200\n'shop' 500\n'auth' null\nnull null",
        ),
        (
            "| stats count() by service | sort by count(), service desc",
            "service:string count():number\n'auth' 1\nnull 1\n'shop' 2\n'cart' 2",
        ),
        ("| stats count() as n by service | sort by service desc | limit 2 | fields n", "n:number\n2\n2"),
        (
            "| stats count() by service | limit 2 | sort by service desc",
            "service:string count():number\n'shop' 2\n'cart' 2",
        ),
        (
            "| top 2 service | sort by service desc | fields count, service",
            "count:number service:string\n2 'shop'\n2 'cart'",
        ),
    ];
    for (query, expected) in cases {
        let mut table = of(query);
        for record in records() {
            record.with(|row| table.add(row)).unwrap();
        }
        assert_eq!(show(&table.finish()), expected, "{query}");
    }
}

#[test]
fn records_are_rows_of_their_fields() {
    let table = |query: &str| {
        let mut table = RecordTable::of(&parse(query).unwrap()).unwrap();
        records().iter().for_each(|record| record.with(|row| table.add(row)));
        table.finish()
    };
    let expected = "severity:string status:string service:string trace_id:string absent:string
'error' 500 'shop' null null
'error' 500 'shop' null null
'info' 200 'cart' null null
'info' '200' 'cart' null null
'warn' 'true' 'auth' null null
null '[1,2]' null '4bf92f3577b34da6a3ce929d0e0e4736' null";
    assert_eq!(show(&table("| fields severity, status, service, trace_id, absent")), expected);
    let times = table("| fields @timestamp");
    assert_eq!((times.columns[0].name.as_str(), times.columns[0].kind), ("timestamp", ColumnKind::Time));
    assert_eq!(times.rows[1], [Cell::Time(59_999_999_999)]);
    assert!(RecordTable::of(&parse("| top a | fields a").unwrap()).is_none());
    assert!(RecordTable::of(&parse("| limit 5").unwrap()).is_none());
}

#[test]
fn records_are_sorted_by_their_fields() {
    let order = |query: &str| {
        let sort = RecordSort::of(&parse(query).unwrap()).unwrap();
        let mut places: Vec<usize> = (0..6).collect();
        let records = records();
        places.sort_by_key(|place| records[*place].with(|row| sort.value(row)));
        (places, sort.by_time())
    };
    let cases = [
        ("| sort by timestamp", [5, 0, 1, 2, 3, 4], Some(false)),
        ("| sort by timestamp desc", [4, 3, 2, 1, 0, 5], Some(true)),
        ("| sort by service, timestamp desc", [4, 3, 2, 1, 0, 5], None),
        ("| sort by service desc", [0, 1, 2, 3, 4, 5], None),
        ("| sort by status desc, service", [4, 5, 3, 0, 1, 2], None),
        ("| sort by absent", [0, 1, 2, 3, 4, 5], None),
    ];
    for (query, expected, by_time) in cases {
        assert_eq!(order(query), (expected.to_vec(), by_time), "{query}");
    }
    assert!(RecordSort::of(&parse("| top a | sort a").unwrap()).is_none());
}

#[test]
fn nothing_at_all_is_a_count_of_zero_or_no_row() {
    assert_eq!(show(&of("| stats count()").finish()), "count():number\n0");
    assert_eq!(show(&of("| stats count() by service").finish()), "service:string count():number");
    assert_eq!(show(&of("| top service").finish()), "service:string count:number");
    assert!(Aggregation::of(&parse("a | limit 5").unwrap(), AggregationLimits::default()).is_none());
}

#[test]
fn known_counts_equal_counted_records() {
    let query = "| stats count() by (severity, status, bin(1m))";
    let (mut counted, mut known) = (of(query), of(query));
    for record in records() {
        record.with(|row| counted.add(row)).unwrap();
        let key: Vec<Cell> =
            record.with(|row| known.by().iter().map(|group| group_cell(group, row)).collect());
        known.add_count(&key, 1).unwrap();
        known.add_count(&key, 0).unwrap();
    }
    assert!(known.counts_only());
    assert_eq!(known.size_bytes(), counted.size_bytes());
    assert_eq!(known.finish(), counted.finish());
    assert_eq!(severity_cell(18), Cell::Text("error".to_owned()));
    assert_eq!(of(query).add_count(&[Cell::Null], 1), Err(AggregateError::Mismatch));
}

#[test]
fn groups_and_their_memory_are_capped() {
    let query = parse("| stats count() by a").unwrap();
    let text = |n: usize| [Cell::Text(format!("value {n}"))];
    let mut few = Aggregation::of(&query, AggregationLimits { groups: 3, size_bytes: 1 << 20 }).unwrap();
    (0..3).for_each(|n| few.add_count(&text(n), 1).unwrap());
    few.add_count(&text(2), 5).unwrap();
    let error = few.add_count(&text(3), 1).unwrap_err();
    assert_eq!(error, AggregateError::TooManyGroups { limit: 3 });
    assert!(error.to_string().contains("more than 3 groups"), "{error}");
    assert_eq!(few.group_count(), 3);

    let mut small = Aggregation::of(&query, AggregationLimits { groups: 1_000, size_bytes: 4_096 }).unwrap();
    let error = (0..1_000).find_map(|n| small.add_count(&text(n), 1).err()).unwrap();
    assert_eq!(error, AggregateError::TooLarge { limit_bytes: 4_096 });
    assert!(small.size_bytes() <= 4_096);
}

#[test]
fn only_results_of_the_same_stage_merge() {
    let mut by_service = of("| stats count() by service");
    assert_eq!(by_service.merge(of("| stats count() by host")), Err(AggregateError::Mismatch));
    assert_eq!(by_service.merge(of("| stats count() as n by service")), Err(AggregateError::Mismatch));
    by_service.merge(of("a | stats count() by (service)")).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn partial_results_merge_in_any_order(
        rows in vec((0..4usize, 0..4i64, 0..3i64), 0..60),
        parts in vec(0..4usize, 60),
        order in Just(vec![0usize, 1, 2, 3]).prop_shuffle(),
        query in prop::sample::select(&["| stats count() by (a, b, bin(1m))", "| top 3 a | limit 2", "| stats count()"][..]),
    ) {
        let mut whole = of(query);
        let mut partial = [of(query), of(query), of(query), of(query)];
        for ((a, b, time), part) in rows.iter().zip(&parts) {
            let a = [json!(null), json!("x"), json!(1), json!(1.0)][*a].clone();
            let record = Record::new(&json!({"time": time * MINUTE + b, "attributes": {"a": a, "b": b}}));
            record.with(|row| whole.add(row)).unwrap();
            record.with(|row| partial[*part].add(row)).unwrap();
        }
        let mut merged = of(query);
        for part in order {
            merged.merge(partial[part].clone()).unwrap();
        }
        prop_assert_eq!(merged.finish(), whole.finish());
    }
}

#[test]
fn numbers_of_any_size_keep_their_value_in_keys() {
    let mut table = of("| stats count() by a");
    for number in [
        Number::Int(i64::MIN),
        Number::Int(i64::MAX),
        Number::Double(0.1),
        Number::Double(5.0),
        Number::Int(5),
        Number::of_double(f64::NAN),
    ] {
        table.add_count(&[Cell::Number(number)], 1).unwrap();
    }
    let expected =
        "a:number count():number\n5 2\n-9223372036854775808 1\n0.1 1\n9223372036854775807 1\nNaN 1";
    assert_eq!(show(&table.finish()), expected.replace("nan", "NaN"));
}
