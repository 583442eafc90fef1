//! Unit tests of rules, as promtool runs them (prometheus.io, "Unit testing for rules"): series on a grid, the rules
//! evaluated over them, and what is expected of alerts and expressions.

mod judge;
mod schema;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use promql::testing::{Item, MemoryStore, parse_series};
use promql::{Evaluation, Limits, Matcher, Point, Value};
use telemetry::LabelSet;

use super::{
    Context, Group, GroupState, Health, Queries, RuleSample, newest_samples, parse_file, parse_file_leniently,
};
use crate::yaml::Fault;
use schema::{File, Test};

/// How far back an instant selector looks.
const LOOKBACK_MS: i64 = 300_000;
/// The most evaluations of one test.
const MAX_EVALUATIONS: i64 = 200_000;

/// What one test came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its name, or which one it is.
    pub name: String,
    /// How much it checks.
    pub checks: usize,
    /// What did not hold.
    pub failures: Vec<String>,
}

/// Names and texts of the files of a pattern.
pub type Reading<'a> = dyn Fn(&str) -> Result<Vec<(String, String)>, String> + 'a;

/// How files are read.
pub struct Files<'a> {
    /// The texts of the files that a pattern of `rule_files` names, with their names.
    pub read: &'a Reading<'a>,
    /// Unknown fields of rule files are passed over.
    pub ignore_unknown_fields: bool,
}

/// Runs the tests of a file. Fails with what makes it no file of tests.
pub fn run(text: &str, files: &Files<'_>) -> Result<Vec<Outcome>, Vec<String>> {
    let file = schema::read(text).map_err(|fault| vec![describe("", &fault)])?;
    let groups = groups(&file, files)?;
    let tests = file.tests.iter().enumerate();
    Ok(tests
        .map(|(at, test)| {
            let name = test.name.clone().unwrap_or_else(|| format!("test {}", at + 1));
            let mut failures = Vec::new();
            if let Err(reason) = Run::new(&file, test).and_then(|run| run.all(&groups, &mut failures)) {
                failures.push(reason);
            }
            Outcome { name, checks: test.checks(), failures }
        })
        .collect())
}

fn describe(file: &str, fault: &Fault) -> String {
    match fault.place {
        Some(place) => format!("{file}:{}:{}: {}", place.line, place.column, fault.message),
        None => format!("{file}: {}", fault.message),
    }
}

/// The groups of all rule files, in the order in which they are evaluated.
fn groups(file: &File, files: &Files<'_>) -> Result<Vec<Arc<Group>>, Vec<String>> {
    let mut groups = Vec::new();
    for pattern in &file.rule_files {
        for (name, text) in (files.read)(pattern).map_err(|reason| vec![reason])? {
            let parsed =
                if files.ignore_unknown_fields { parse_file_leniently(&text) } else { parse_file(&text) };
            let parsed = parsed
                .map_err(|faults| faults.iter().map(|fault| describe(&name, fault)).collect::<Vec<_>>())?;
            groups.extend(parsed.groups);
        }
    }
    let order: BTreeMap<&str, usize> =
        file.group_eval_order.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    groups.sort_by_key(|group| order.get(group.name.as_str()).copied().unwrap_or(usize::MAX));
    Ok(groups)
}

/// The series of a test, and what the rules add to them.
struct Store {
    series: RefCell<MemoryStore>,
    /// The step of subqueries that have none.
    step_ms: i64,
}

impl Queries for Store {
    fn instant(&self, expr: &promql::Expr, text: &str, time_ms: i64) -> Result<Value, String> {
        let series = self.series.borrow();
        let evaluation = Evaluation {
            querier: &*series,
            limits: Limits::default(),
            lookback_ms: LOOKBACK_MS,
            default_step_ms: self.step_ms,
            text,
        };
        let answer = promql::instant(&evaluation, expr, time_ms).map_err(|error| error.to_string())?;
        Ok(answer.value)
    }

    fn table(&self, _: &search::Query, _: i64, _: i64) -> Result<search::Table, String> {
        Err("unit tests have series only: rules over logs cannot be tested".into())
    }

    fn newest(
        &self,
        matchers: &[Matcher],
        start_ms: i64,
        end_ms: i64,
    ) -> Result<Vec<(LabelSet, i64, f64)>, String> {
        newest_samples(&*self.series.borrow(), matchers, start_ms, end_ms)
    }
}

impl Store {
    fn append(&self, samples: Vec<RuleSample>) {
        let mut series = self.series.borrow_mut();
        for sample in samples {
            match sample.point {
                Point::Float(value) => series.add(&sample.labels, sample.time_ms, value),
                Point::Histogram(histogram) => {
                    series.add_histogram(&sample.labels, sample.time_ms, histogram);
                }
            }
        }
    }
}

/// One test.
struct Run<'a> {
    test: &'a Test,
    store: Store,
    start_ms: i64,
    step_ms: i64,
    fuzzy: bool,
}

impl<'a> Run<'a> {
    fn new(file: &File, test: &'a Test) -> Result<Self, String> {
        let step_ms = file.evaluation_interval.as_ref().map_or(60_000, |interval| interval.0);
        let start_ms = test.start_ms()?;
        let grid_ms = test.interval.as_ref().map_or(step_ms, |interval| interval.0);
        if step_ms <= 0 || grid_ms <= 0 {
            return Err("interval and evaluation_interval must be above 0".into());
        }
        let mut series = MemoryStore::default();
        for input in &test.input_series {
            let line = format!("{} {}", input.series, input.values);
            let (labels, items) =
                parse_series(&line).map_err(|reason| format!("series {line:?}: {reason}"))?;
            for (at, item) in items.into_iter().enumerate() {
                let time_ms = start_ms + at as i64 * grid_ms;
                match item {
                    Item::Gap => {}
                    Item::Float(value) => series.add(&labels, time_ms, value),
                    Item::Histogram(histogram, _) => series.add_histogram(&labels, time_ms, histogram),
                }
            }
        }
        let store = Store { series: RefCell::new(series), step_ms };
        Ok(Self { test, store, start_ms, step_ms, fuzzy: file.fuzzy_compare })
    }

    fn all(self, groups: &[Arc<Group>], failures: &mut Vec<String>) -> Result<(), String> {
        let last_ms = self.test.last_ms();
        if last_ms / self.step_ms > MAX_EVALUATIONS {
            return Err(format!("the test needs more than {MAX_EVALUATIONS} evaluations"));
        }
        let mut states: Vec<GroupState> =
            groups.iter().map(|group| GroupState::new(Arc::clone(group), true)).collect();
        let mut after_ms = 0;
        while after_ms <= last_ms {
            self.evaluate(&mut states, after_ms)?;
            for expected in &self.test.alert_rule_test {
                if (after_ms..after_ms + self.step_ms).contains(&expected.eval_time.0) {
                    failures.extend(judge::alerts(expected, &states));
                }
            }
            after_ms += self.step_ms;
        }
        for expected in &self.test.promql_expr_test {
            let at_ms = self.start_ms + expected.eval_time.0;
            failures.extend(judge::expression(expected, self.fuzzy, |expr| {
                let parsed = promql::parse(expr).map_err(|error| error.to_string())?;
                self.store.instant(&parsed, expr, at_ms)
            }));
        }
        Ok(())
    }

    fn evaluate(&self, states: &mut [GroupState], after_ms: i64) -> Result<(), String> {
        let context = Context {
            queries: &self.store,
            time_ms: self.start_ms + after_ms,
            query_offset_ms: 0,
            external_labels: &self.test.external_labels,
            external_url: &self.test.external_url,
        };
        for state in states {
            state.evaluate_all(&context, &mut |samples| self.store.append(samples));
            for rule in &state.rules {
                if let Health::Failed(reason) = &rule.health {
                    let at = crate::duration::format_ms(after_ms);
                    return Err(format!("rule {} at {at}: {reason}", rule.rule.name));
                }
            }
        }
        Ok(())
    }
}
