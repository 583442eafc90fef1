//! Every form of query over head, splits and both, while spans are sealed and merged.

use events::spans::{
    Request, Snapshot, TraceId, TraceOrder, facets, operations, over_time, points, search as search_spans,
    trace,
};
use events::{Buckets, FacetValue};
use proptest::prelude::*;
use search::Field;
use telemetry::otlp::TracesRequest;
use tokio::runtime::{Builder, Runtime};

use crate::records::canonical;

use super::fixture::{Draft, SECOND_NS, START_NS, draft, trace_id};
use super::naive;
use super::world::{Kept, World, everything};

pub(crate) fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

const FILTERS: [&str; 40] = [
    "*",
    "service:checkout",
    "service:*",
    "-service:*",
    "service:(checkout OR cart) -name:SELECT",
    "host:node-1",
    "name:\"GET /cart\"",
    "operation:GET*",
    "name=~\"^(GET|POST)\"",
    "kind:server",
    "kind:in(server, client)",
    "-kind:internal",
    "status:error",
    "-status:ok",
    "status!=unset",
    "duration>200ms",
    "duration<=1us",
    "duration:[1s TO *]",
    "duration:0ns",
    "duration:{0 TO 4000}",
    "-duration>100ms",
    "root:true",
    "root:false status:error",
    "parent_id:*",
    "-parent_id:*",
    "span_id:00000000000000*",
    "trace_id:03*",
    "event:exception",
    "event:*",
    "event:ret*",
    "scope:http",
    "status_message:*",
    "http.method:GET",
    "http.status_code>=500",
    "attributes.http.method:POST",
    "resource.zone:eu",
    "zone:eu OR zone:own",
    "refused",
    "get OR \"post /order\"",
    "service:checkout duration>100ms (status:ok OR http.status_code:500) -event:exception",
];

const STAGES: [&str; 16] = [
    "",
    "",
    "",
    "| limit 2",
    "| stats count()",
    "| stats count() as n by (service, kind)",
    "| top 4 name",
    "| stats count() as n, p99(duration), max(duration) by (service, name)",
    "| stats count(), distinct(trace_id), avg(http.status_code) by (kind, status, bin(1m))",
    "| stats count() by (root, event, host, scope, zone)",
    "| stats count(), count(parent_id) by status_message | sort status_message | limit 3",
    "| top 3 http.method",
    "| top 5 trace_id",
    "| sort by duration desc, name | fields span_id, name, duration | limit 7",
    "| sort timestamp | limit 5",
    "| fields timestamp, trace_id, span_id, parent_id, service, attributes.http.method, status_message",
];

#[derive(Clone, Debug)]
enum Step {
    Apply(usize, Vec<Draft>),
    Resend(usize, usize),
    Seal(usize, Vec<Draft>),
    Merge(usize, bool),
    Recover(usize),
    Ask(Asked),
}

#[derive(Clone, Debug)]
struct Asked {
    filter: usize,
    stage: usize,
    order: usize,
    limit: usize,
    /// Seconds behind the first start, or everything.
    range: Option<(u64, u64)>,
}

fn asked() -> impl Strategy<Value = Asked> {
    let range = proptest::option::of((0..120u64, 1..100u64));
    (0..FILTERS.len(), 0..STAGES.len(), 0..3usize, 0..6usize, range)
        .prop_map(|(filter, stage, order, limit, range)| Asked { filter, stage, order, limit, range })
}

fn step() -> impl Strategy<Value = Step> {
    let drafts = || proptest::collection::vec(draft(), 1..16);
    prop_oneof![
        4 => (0..2usize, drafts()).prop_map(|(side, drafts)| Step::Apply(side, drafts)),
        1 => (0..2usize, 0..40usize).prop_map(|(side, from)| Step::Resend(side, from)),
        3 => (0..2usize, proptest::collection::vec(draft(), 0..4))
            .prop_map(|(side, late)| Step::Seal(side, late)),
        2 => (0..2usize, any::<bool>()).prop_map(|(side, all)| Step::Merge(side, all)),
        1 => (0..2usize).prop_map(Step::Recover),
        8 => asked().prop_map(Step::Ask),
    ]
}

impl Asked {
    fn request(&self) -> Request {
        let mut request = everything(&format!("{} {}", FILTERS[self.filter], STAGES[self.stage]));
        request.order = [TraceOrder::Newest, TraceOrder::Oldest, TraceOrder::Slowest][self.order];
        request.limit = self.limit;
        if let Some((first, count)) = self.range {
            request.start_ns = (START_NS + first * SECOND_NS) as i64;
            request.end_ns = request.start_ns + (count * SECOND_NS) as i64;
        }
        request
    }
}

async fn check(world: &World, request: &Request) {
    check_search(world, request).await;
    check_counts(world, request).await;
}

async fn check_search(world: &World, request: &Request) {
    let (snapshots, kept) = (world.snapshots(), &world.kept);
    let answer = search_spans(&snapshots, request).await.unwrap();
    assert!(!answer.partial, "{:?}", answer.warnings);
    let matched = naive::matching(kept, request).len() as u64;
    match answer.is_whole {
        true => assert_eq!(answer.matched_spans, matched, "{}", request.query),
        false => assert!(answer.matched_spans <= matched),
    }
    match naive::table(kept, request) {
        Some(table) => assert_eq!(answer.table, Some(table), "{}", request.query),
        None => {
            assert_eq!(answer.traces, naive::traces(kept, request), "{} {:?}", request.query, request.order);
        }
    }
}

async fn check_counts(world: &World, request: &Request) {
    let (snapshots, kept) = (world.snapshots(), &world.kept);
    let found = points(&snapshots, request, 100).await.unwrap();
    let expected = naive::points(kept, request);
    assert_eq!((found.points, found.total), (expected.clone(), expected.len() as u64), "{}", request.query);
    let few = points(&snapshots, request, 2).await.unwrap();
    assert_eq!((few.points.len(), few.total as usize), (expected.len().min(2), expected.len()));
    assert!(few.points.iter().all(|point| expected.contains(point)));
    let (start_ns, width_ns) = (START_NS as i64 - 1, 3 * SECOND_NS as i64);
    let buckets = Buckets { start_ns, width_ns, count: 5 };
    let counted = over_time(&snapshots, request, buckets).await.unwrap();
    let expected = (0..5).map(|at| {
        let begin_ns = start_ns + at * width_ns;
        let spans = naive::matching(kept, request).into_iter();
        spans.filter(|span| (begin_ns..begin_ns + width_ns).contains(&span.time_ns)).count() as u64
    });
    assert_eq!(counted.counts, expected.collect::<Vec<_>>(), "{}", request.query);
    check_facets(&snapshots, kept, request).await;
    let all = Request { query: search::parse_spans("*").unwrap(), ..request.clone() };
    let told = operations(&snapshots, request.start_ns, request.end_ns).await.unwrap();
    assert_eq!(told, naive::operations(kept, &all));
}

async fn check_facets(snapshots: &[Snapshot], kept: &[Kept], request: &Request) {
    let names = ["service", "kind", "http.method", "root"];
    let fields: Vec<Field> = names.iter().filter_map(|name| Field::of_span(name)).collect();
    let found = facets(snapshots, request, &fields, 10).await.unwrap();
    assert_eq!(found.matched, naive::matching(kept, request).len() as u64);
    for (name, facet) in names.iter().zip(&found.facets) {
        let query = search::parse_spans(&format!("{} | top 10 {name}", request.query.filter)).unwrap();
        let table = naive::table(kept, &Request { query, ..request.clone() }).unwrap();
        let counted: u64 = facet.values.iter().map(|(_, count)| *count).sum();
        assert_eq!(counted + facet.missing, found.matched, "{name}");
        assert_eq!(facet.values.len() + usize::from(facet.missing > 0), table.rows.len(), "{name}");
        if let Some((FacetValue::Text(value), count)) = facet.values.first() {
            let cells =
                [search::Cell::Text(value.clone()), search::Cell::Number(search::Number::Int(*count as i64))];
            assert!(table.rows.contains(&cells.to_vec()), "{name}: {value} {count}");
        }
    }
}

/// A span as it is compared: what it belongs to, and its fields.
type Whole = (Vec<u8>, Vec<u8>, Vec<Vec<u8>>);

async fn check_trace(world: &World, id: TraceId) {
    let found = trace(&world.snapshots(), id).await.unwrap();
    let mut expected: Vec<&Kept> = world.kept.iter().filter(|kept| kept.trace_id() == id).collect();
    let Some(found) = found else {
        assert!(expected.is_empty());
        return;
    };
    assert_eq!((found.spans, found.partial), (expected.len(), false));
    let whole = |resource: &[u8], scope: &[u8], raw: &[u8]| -> Whole {
        (resource.to_vec(), scope.to_vec(), canonical(raw))
    };
    let request = TracesRequest::parse(&found.payload).unwrap();
    let spans: Vec<Whole> = request
        .spans()
        .map(|(resource, scope, span)| whole(resource.resource.raw, scope.scope.raw, span.raw))
        .collect();
    expected.sort_by_key(|kept| (kept.time_ns, kept.partition, kept.seq));
    // Each resource and scope in the order of its first span, and the spans of each in theirs.
    let mut resources: Vec<&[u8]> = Vec::new();
    for kept in &expected {
        if !resources.contains(&&*kept.made.resource) {
            resources.push(&kept.made.resource);
        }
    }
    let in_order = resources
        .iter()
        .flat_map(|resource| expected.iter().filter(move |kept| kept.made.resource == **resource));
    let in_order: Vec<Whole> =
        in_order.map(|kept| whole(&kept.made.resource, &kept.made.scope, &kept.made.raw)).collect();
    assert_eq!(spans, in_order);
}

async fn check_all(world: &World) {
    for number in 0..9 {
        check_trace(world, trace_id(number)).await;
    }
}

async fn run(steps: Vec<Step>) {
    let mut world = World::new();
    for step in steps {
        match step {
            Step::Apply(side, drafts) => world.apply(side, &drafts),
            Step::Resend(side, from) => world.resend(side, from),
            Step::Seal(side, late) => {
                let sealed = world.seal(side).await;
                // What comes meanwhile is neither lost nor seen twice.
                if !late.is_empty() {
                    world.apply(side, &late);
                }
                check(&world, &everything("*")).await;
                world.publish(side, sealed);
                check_all(&world).await;
            }
            Step::Merge(side, all) => {
                world.merge(side, all).await;
                check_all(&world).await;
            }
            Step::Recover(side) => world.recover(side),
            Step::Ask(asked) => check(&world, &asked.request()).await,
        }
    }
    check(&world, &everything("*")).await;
    while world.merge(0, true).await {}
    while world.merge(1, true).await {}
    check(&world, &everything("*")).await;
    check_all(&world).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn answers_are_those_of_a_naive_scan(steps in proptest::collection::vec(step(), 4..24)) {
        runtime().block_on(run(steps));
    }
}

/// Every filter with every stage once, over spans that are everywhere.
#[test]
fn every_form_of_query_is_answered() {
    runtime().block_on(async {
        let mut world = World::new();
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        for round in 0..6 {
            let drafts = proptest::collection::vec(draft(), 30)
                .new_tree(&mut runner)
                .map(|tree| proptest::strategy::ValueTree::current(&tree))
                .unwrap();
            world.apply(round % 2, &drafts);
            if round < 4 {
                let sealed = world.seal(round % 2).await;
                world.publish(round % 2, sealed);
            }
        }
        world.merge(0, true).await;
        for (filter, text) in FILTERS.iter().enumerate() {
            for stage in 2..STAGES.len() {
                let (order, limit) = ((filter + stage) % 3, 1 + stage % 5);
                let range = (stage % 2 == 0).then_some((20, 60));
                check_search(&world, &Asked { filter, stage, order, limit, range }.request()).await;
            }
            check_counts(&world, &everything(text)).await;
        }
        for filter in FILTERS {
            let matched = naive::matching(&world.kept, &everything(filter)).len();
            assert!(matched > 0, "{filter} finds nothing to compare");
        }
    });
}
