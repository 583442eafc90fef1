//! Prometheus' own scripts of queries, against the evaluator and a store in memory.
//!
//! As Prometheus does, each instant query is also asked with `@` at other times, and as the middle step of a
//! range query.

use std::collections::BTreeMap;

use narrows_promql::ast::{At, Call, Expr, ExprKind};
use narrows_promql::testing::{Command, Eval, MemoryStore, When, parse_script};
use narrows_promql::{Answer, Evaluation, Limits, Value, instant, parse, range};

use crate::conformance::data;

/// Files about what is experimental, or about native histograms.
const BESIDE_THE_CORE: [&str; 8] = [
    "native_histograms",
    "extended_vectors",
    "duration_expression",
    "fill-modifier",
    "info",
    "limit",
    "start_timestamps",
    "type_and_unit",
];

/// Functions that depend on the time of the evaluation even if their arguments do not.
const OF_THE_TIME: [&str; 15] = [
    "days_in_month",
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "end",
    "hour",
    "minute",
    "month",
    "year",
    "predict_linear",
    "range",
    "start",
    "step",
    "time",
    "timestamp",
];

/// Passed and all.
#[derive(Clone, Copy, Default)]
struct Count(usize, usize);

impl Count {
    fn add(&mut self, passed: bool) {
        self.0 += usize::from(passed);
        self.1 += 1;
    }
}

#[test]
fn conformance_promqltest_memory() {
    let Some(directory) = data("01-prometheus/promqltest") else { return };
    let mut files: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "test"));
    files.sort();
    let (mut core, mut all) = (Count::default(), Count::default());
    let mut failures = BTreeMap::new();
    for path in &files {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let script =
            parse_script(&std::fs::read_to_string(path).unwrap()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let (mut floats, mut native) = (Count::default(), Count::default());
        for (eval, has_histograms, outcome) in run(&script) {
            let passed = outcome.is_ok();
            if has_histograms {
                native.add(passed);
            } else {
                floats.add(passed);
            }
            all.add(passed);
            if let Err(reason) = outcome {
                failures.insert((name.clone(), eval.line), format!("{}: {reason}", eval.query));
            }
        }
        if !BESIDE_THE_CORE.contains(&name.as_str()) {
            core = Count(core.0 + floats.0, core.1 + floats.1);
        }
        println!("promqltest-memory {name} {}/{} native {}/{}", floats.0, floats.1, native.0, native.1);
    }
    for ((name, line), failure) in &failures {
        println!("  {name}:{line} {}", failure.chars().take(400).collect::<String>());
    }
    println!("promqltest-memory core {}/{}\npromqltest-memory all {}/{}", core.0, core.1, all.0, all.1);
    assert!(files.len() >= 21 && core.1 > 500, "the scripts are not all there");
    assert_eq!(core.0, core.1, "a case of the core fails");
    assert!(all.0 >= 1993, "fewer cases pass than before");
}

fn run(script: &[Command]) -> Vec<(&Eval, bool, Result<(), String>)> {
    let (mut store, mut has_histograms) = (MemoryStore::default(), false);
    let mut outcomes = Vec::new();
    for command in script {
        match command {
            Command::Clear => (store, has_histograms) = (MemoryStore::default(), false),
            Command::Load(load) => {
                has_histograms |= load.has_histograms();
                store.load(load);
            }
            Command::Eval(eval) => {
                outcomes.push((&**eval, has_histograms || eval.has_histograms(), judge(&store, eval)));
            }
        }
    }
    outcomes
}

fn judge(store: &MemoryStore, eval: &Eval) -> Result<(), String> {
    let expr = match parse(&eval.query) {
        Ok(expr) => expr,
        Err(error) => return eval.judge(Err(&error.message)),
    };
    let ask = |expr: &Expr, when: When| {
        let evaluation = Evaluation {
            querier: store,
            limits: Limits { max_samples: 100_000, ..Limits::default() },
            lookback_ms: 300_000,
            default_step_ms: 60_000,
            text: &eval.query,
        };
        match when {
            When::Instant(at) => instant(&evaluation, expr, at),
            When::Range(start, end, step) => range(&evaluation, expr, start, end, step),
        }
        .map_err(|error| error.to_string())
    };
    let compare = |answer: &Result<Answer, String>| eval.judge(answer.as_ref().map_err(String::as_str));
    let answer = ask(&expr, eval.when);
    compare(&answer)?;
    let When::Instant(at) = eval.when else { return Ok(()) };
    if eval.fails.is_some() {
        return Ok(());
    }
    in_range_mode(eval, &expr, at, &ask).map_err(|reason| format!("in range mode: {reason}"))?;
    if uses(&expr, &OF_THE_TIME) {
        return Ok(());
    }
    let fixed = fixed_at(&expr, at);
    for other in if at == 0 { vec![-1000, 0, 1000] } else { vec![-10 * at, 0, at / 5, at, 10 * at] } {
        let because = |reason| format!("with @ {at} at {other}: {reason}");
        compare(&ask(&fixed, When::Instant(other))).map_err(because)?;
        in_range_mode(eval, &fixed, other, &ask).map_err(because)?;
    }
    Ok(())
}

/// As the middle step of three.
fn in_range_mode(
    eval: &Eval,
    expr: &Expr,
    at: i64,
    ask: &dyn Fn(&Expr, When) -> Result<Answer, String>,
) -> Result<(), String> {
    let is_left_out = eval.ordered || eval.text.is_some() || eval.range_vector.is_some();
    if is_left_out
        || uses(expr, &["start", "end", "range", "step"])
        || eval.query.contains("start()")
        || eval.query.contains("end()")
        || eval.query.contains("step()")
        || eval.query.contains("range()")
    {
        return Ok(());
    }
    let answer = ask(expr, When::Range(at - 60_000, at + 60_000, 60_000))?;
    let Value::Matrix(matrix) = answer.value else { return Err(format!("no matrix: {:?}", answer.value)) };
    let mut vector = Vec::new();
    for series in matrix {
        let floats =
            series.floats.into_iter().map(|(time, value)| (time, narrows_promql::Point::Float(value)));
        let histograms = series
            .histograms
            .into_iter()
            .map(|(time, value)| (time, narrows_promql::Point::Histogram(value)));
        let point = floats.chain(histograms).find(|(time, _)| *time == at);
        vector.extend(point.map(|(time, point)| (series.labels, time, point)));
    }
    if eval.scalar.is_some() {
        let [(_, _, narrows_promql::Point::Float(value))] = &vector[..] else {
            return Err("no scalar".into());
        };
        return eval.judge_value(&Value::Scalar(at, *value));
    }
    eval.judge_value(&Value::Vector(vector))
}

fn uses(expr: &Expr, functions: &[&str]) -> bool {
    let here = matches!(&expr.kind, ExprKind::Call(call) if functions.contains(&call.function.name()));
    here || expr.children().iter().any(|child| uses(child, functions))
}

/// The query with `@` at each selector and subquery that has none and stands in no subquery that has one.
fn fixed_at(expr: &Expr, at: i64) -> Expr {
    let mut expr = expr.clone();
    fix(&mut expr, At::Time(at));
    expr
}

fn fix(expr: &mut Expr, at: At) {
    match &mut expr.kind {
        ExprKind::Number(_) | ExprKind::String(_) => {}
        ExprKind::Vector(selector) => drop(selector.time.at.get_or_insert(at)),
        ExprKind::Matrix(matrix) => drop(matrix.selector.time.at.get_or_insert(at)),
        ExprKind::Subquery(subquery) => drop(subquery.time.at.get_or_insert(at)),
        ExprKind::Paren(inner) | ExprKind::Unary(_, inner) => fix(inner, at),
        ExprKind::Binary(binary) => {
            fix(&mut binary.lhs, at);
            fix(&mut binary.rhs, at);
        }
        ExprKind::Aggregate(aggregate) => {
            aggregate.param.iter_mut().for_each(|param| fix(param, at));
            fix(&mut aggregate.expr, at);
        }
        ExprKind::Call(Call { args, .. }) => args.iter_mut().for_each(|arg| fix(arg, at)),
    }
}
