//! Trees as JSON, the way Prometheus' `/api/v1/parse_query` answers.

use serde_json::{Value, json};

use crate::Matcher;
use crate::ast::{
    Aggregate, At, Binary, Call, Cardinality, Duration, DurationExpr, DurationOp, Expr, ExprKind,
    ExtendedRange, Subquery, TimeModifiers, VectorMatching, VectorSelector,
};
use crate::print::{Float, match_op};

/// The tree; members that have no meaning for a node are not there, those without a value are null or empty.
pub fn to_json(expr: &Expr) -> Value {
    match &expr.kind {
        ExprKind::Number(number) => json!({"type": "numberLiteral", "val": Float(number.value).to_string()}),
        ExprKind::String(text) => json!({"type": "stringLiteral", "val": text}),
        ExprKind::Vector(selector) => vector(selector, json!({"type": "vectorSelector"})),
        ExprKind::Matrix(matrix) => {
            let node = json!({
                "type": "matrixSelector",
                "range": fixed(Some(&matrix.range)),
                "rangeExpr": computed(Some(&matrix.range)),
            });
            vector(&matrix.selector, node)
        }
        ExprKind::Subquery(subquery) => subquery_json(subquery),
        ExprKind::Paren(inner) => json!({"type": "parenExpr", "expr": to_json(inner)}),
        ExprKind::Unary(sign, inner) => {
            json!({"type": "unaryExpr", "op": sign.as_str(), "expr": to_json(inner)})
        }
        ExprKind::Binary(binary) => binary_json(binary),
        ExprKind::Aggregate(aggregate) => aggregate_json(aggregate),
        ExprKind::Call(call) => call_json(call),
    }
}

/// Adds to a node what it says about series and time.
fn vector(selector: &VectorSelector, mut node: Value) -> Value {
    node["name"] = json!(selector.name.as_deref().unwrap_or_default());
    node["matchers"] = selector.matchers.iter().map(matcher).collect();
    node["anchored"] = json!(selector.extended == Some(ExtendedRange::Anchored));
    node["smoothed"] = json!(selector.extended == Some(ExtendedRange::Smoothed));
    time(&selector.time, node)
}

fn matcher(matcher: &Matcher) -> Value {
    json!({"name": matcher.name(), "value": matcher.value(), "type": match_op(matcher.op())})
}

fn time(time: &TimeModifiers, mut node: Value) -> Value {
    node["offset"] = json!(fixed(time.offset.as_ref()));
    node["offsetExpr"] = computed(time.offset.as_ref());
    node["timestamp"] = match time.at {
        Some(At::Time(ms)) => json!(ms),
        _ => Value::Null,
    };
    node["startOrEnd"] = match time.at {
        Some(At::Start) => json!("start"),
        Some(At::End) => json!("end"),
        _ => Value::Null,
    };
    node
}

/// Milliseconds; 0 if there is no duration, or a computed one.
fn fixed(duration: Option<&Duration>) -> i64 {
    duration.and_then(Duration::fixed).unwrap_or(0)
}

fn computed(duration: Option<&Duration>) -> Value {
    match duration {
        Some(Duration::Computed(expr)) => duration_json(expr),
        _ => Value::Null,
    }
}

fn duration_json(expr: &DurationExpr) -> Value {
    let node = |op: &str, lhs: Value, rhs: Value| json!({"type": "durationExpr", "op": op, "lhs": lhs, "rhs": rhs, "wrapped": false});
    match expr {
        DurationExpr::Number(number) => json!({
            "type": "numberLiteral",
            "val": Float(number.value).to_string(),
            "duration": number.is_duration,
        }),
        DurationExpr::Step => node("step", Value::Null, Value::Null),
        DurationExpr::Range => node("range", Value::Null, Value::Null),
        DurationExpr::Negate(inner) => node(DurationOp::Sub.as_str(), Value::Null, duration_json(inner)),
        DurationExpr::Binary(op, lhs, rhs) => node(op.as_str(), duration_json(lhs), duration_json(rhs)),
        DurationExpr::Paren(inner) => {
            // Only operations are marked as wrapped; a number gets a sign to be one.
            let mut wrapped = duration_json(inner);
            if matches!(**inner, DurationExpr::Number(_)) {
                wrapped = node(DurationOp::Add.as_str(), Value::Null, wrapped);
            }
            wrapped["wrapped"] = json!(true);
            wrapped
        }
    }
}

fn subquery_json(subquery: &Subquery) -> Value {
    let node = json!({
        "type": "subquery",
        "expr": to_json(&subquery.expr),
        "range": fixed(Some(&subquery.range)),
        "rangeExpr": computed(Some(&subquery.range)),
        "step": fixed(subquery.step.as_ref()),
        "stepExpr": computed(subquery.step.as_ref()),
    });
    time(&subquery.time, node)
}

fn binary_json(binary: &Binary) -> Value {
    json!({
        "type": "binaryExpr",
        "op": binary.op.as_str(),
        "lhs": to_json(&binary.lhs),
        "rhs": to_json(&binary.rhs),
        "matching": binary.matching.as_ref().map(matching),
        "bool": binary.return_bool,
    })
}

fn matching(matching: &VectorMatching) -> Value {
    let cardinality = match matching.cardinality {
        Cardinality::OneToOne => "one-to-one",
        Cardinality::ManyToOne => "many-to-one",
        Cardinality::OneToMany => "one-to-many",
        Cardinality::ManyToMany => "many-to-many",
    };
    json!({
        "card": cardinality,
        "labels": matching.labels,
        "on": matching.on,
        "include": matching.include,
        "fillValues": {"lhs": matching.fill_left, "rhs": matching.fill_right},
    })
}

fn aggregate_json(aggregate: &Aggregate) -> Value {
    json!({
        "type": "aggregation",
        "op": aggregate.op.as_str(),
        "expr": to_json(&aggregate.expr),
        "param": aggregate.param.as_ref().map(to_json),
        "grouping": aggregate.labels,
        "without": aggregate.without,
    })
}

fn call_json(call: &Call) -> Value {
    let signature = call.function.signature();
    // Prometheus' way to say how many arguments there may be: -1 without a bound, else how many are optional.
    let variadic = signature.max_args.map_or(-1, |max| (max - signature.min_args) as i64);
    let types: Vec<&str> = signature.args.iter().map(|value_type| value_type.name()).collect();
    json!({
        "type": "call",
        "func": {
            "name": signature.name,
            "argTypes": types,
            "variadic": variadic,
            "returnType": signature.result.name(),
        },
        "args": call.args.iter().map(to_json).collect::<Vec<_>>(),
    })
}
