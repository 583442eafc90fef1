//! `rules` and `alerts`, as Prometheus has them, and what is wrong with rule files.

use std::collections::BTreeSet;
use std::sync::Arc;

use alerting::rules::{Action, Active, AlertState, Health, RuleText, RuleView};
use axum::extract::State;
use axum::response::Response;
use axum::{Extension, Json};
use promql::Matcher;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::error::PromErrorBody;
use super::form::Form;
use super::{PromError, success};
use crate::api::{App, time};
use crate::auth::Principal;
use crate::rules::{DEFAULT_INTERVAL, NamedGroup};

/// What Go writes for a time that never was.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// Rule groups, their rules and the alerts of these.
#[utoipa::path(
    get, path = "/api/v1/rules", tag = "prometheus", operation_id = "prometheus_rules",
    params(
        ("type" = Option<String>, Query, description = "alert or record"),
        ("rule_name[]" = Option<Vec<String>>, Query, description = "Only rules of these names"),
        ("rule_group[]" = Option<Vec<String>>, Query, description = "Only groups of these names"),
        ("file[]" = Option<Vec<String>>, Query, description = "Only groups of these files"),
        ("match[]" = Option<Vec<String>>, Query, description = "Only rules whose labels match a selector"),
        ("exclude_alerts" = Option<String>, Query, description = "true leaves out the alerts"),
        ("group_limit" = Option<String>, Query, description = "The most groups of a page"),
        ("group_next_token" = Option<String>, Query, description = "Where the page before ended"),
    ),
    responses(
        (status = 200, description = "The groups", body = Object),
        (status = 400, description = "A parameter is wrong", body = PromErrorBody),
    )
)]
pub(super) async fn rules(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    form: Form,
) -> Result<Response, PromError> {
    let wanted = Wanted::of(&form)?;
    let mut groups = Vec::new();
    let mut next = None;
    let mut skips = wanted.token.is_some();
    for group in app.rules.snapshot(&principal.tenant) {
        let token = token(&group);
        if skips {
            skips = wanted.token.as_ref() != Some(&token);
            if skips {
                continue;
            }
        }
        if !wanted.has_group(&group) {
            continue;
        }
        let rules: Vec<Value> = group
            .view
            .rules
            .iter()
            .filter(|rule| wanted.has_rule(rule))
            .map(|rule| wanted.rule(&group, rule))
            .collect();
        if rules.is_empty() && wanted.filters_rules() {
            continue;
        }
        if wanted.limit > 0 && groups.len() == wanted.limit {
            next = Some(token);
            break;
        }
        groups.push(group_json(&group, rules));
    }
    if skips {
        return Err(PromError::parameter(
            "group_next_token",
            "no group begins there: ask again from the first page",
        ));
    }
    let mut data = json!({ "groups": groups });
    if let (Some(next), Some(data)) = (next, data.as_object_mut()) {
        data.insert("groupNextToken".into(), next.into());
    }
    Ok(success(data))
}

/// Alerts that are pending or fire.
#[utoipa::path(
    get, path = "/api/v1/alerts", tag = "prometheus", operation_id = "prometheus_alerts",
    responses((status = 200, description = "The alerts", body = Object))
)]
pub(super) async fn alerts(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
) -> Response {
    let groups = app.rules.snapshot(&principal.tenant);
    let rules = groups.iter().flat_map(|group| &group.view.rules);
    let alerts: Vec<Value> = rules.flat_map(|rule| rule.active.iter()).filter_map(alert).collect();
    success(json!({ "alerts": alerts }))
}

/// Rule files, and what is wrong with them.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProblemsAnswer {
    files: Vec<FileProblems>,
}

/// One file.
#[derive(Serialize, ToSchema)]
pub(crate) struct FileProblems {
    /// Its path, or `shipped/` and its name.
    file: String,
    /// Empty for a good file. A bad one goes on with the rules that it had before.
    problems: Vec<RuleProblem>,
    /// When it was read last without a fault; null for one that never was, or is shipped.
    loaded_at: Option<String>,
}

/// What is wrong, and where.
#[derive(Serialize, ToSchema)]
pub(crate) struct RuleProblem {
    /// From 1; 0 without a place.
    line: u64,
    /// From 1; 0 without a place.
    column: u64,
    message: String,
}

/// Lists rule files and what is wrong with them.
#[utoipa::path(
    get, path = "/api/v1/narrows/rules/problems", tag = "rules", operation_id = "rule_problems",
    responses((status = 200, description = "The files", body = ProblemsAnswer))
)]
pub(crate) async fn problems(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
) -> Json<ProblemsAnswer> {
    let files = app.rules.files(&principal.tenant).into_iter().map(|file| FileProblems {
        file: file.file,
        problems: file
            .problems
            .into_iter()
            .map(|problem| RuleProblem {
                line: problem.line,
                column: problem.column,
                message: problem.message,
            })
            .collect(),
        loaded_at: file.loaded_at_ms.map(rfc3339),
    });
    Json(ProblemsAnswer { files: files.collect() })
}

/// What a request asks for.
struct Wanted {
    is_alerting: Option<bool>,
    names: BTreeSet<String>,
    groups: BTreeSet<String>,
    files: BTreeSet<String>,
    matchers: Vec<Vec<Matcher>>,
    without_alerts: bool,
    limit: usize,
    token: Option<String>,
}

impl Wanted {
    fn of(form: &Form) -> Result<Self, PromError> {
        let is_alerting = match form.get("type").unwrap_or_default() {
            "" => None,
            "alert" => Some(true),
            "record" => Some(false),
            _ => return Err(PromError::parameter("type", "it is alert or record")),
        };
        let without_alerts = match form.get("exclude_alerts").unwrap_or_default() {
            "" | "0" | "f" | "false" => false,
            "1" | "t" | "true" => true,
            _ => return Err(PromError::parameter("exclude_alerts", "it is true or false")),
        };
        let limit = match form.get("group_limit").unwrap_or_default() {
            "" => 0,
            text => text
                .parse::<usize>()
                .ok()
                .filter(|limit| *limit > 0)
                .ok_or_else(|| PromError::parameter("group_limit", "it is a number above 0"))?,
        };
        let token = form.get("group_next_token").filter(|token| !token.is_empty()).map(str::to_owned);
        if token.is_some() && limit == 0 {
            return Err(PromError::parameter("group_limit", "it is needed where group_next_token is given"));
        }
        let all = |name: &str| form.all(name).map(str::to_owned).collect();
        Ok(Self {
            is_alerting,
            names: all("rule_name[]"),
            groups: all("rule_group[]"),
            files: all("file[]"),
            matchers: form.matches()?,
            without_alerts,
            limit,
            token,
        })
    }

    fn has_group(&self, group: &NamedGroup) -> bool {
        (self.groups.is_empty() || self.groups.contains(&group.view.group.name))
            && (self.files.is_empty() || self.files.contains(&group.file))
    }

    fn filters_rules(&self) -> bool {
        self.is_alerting.is_some() || !self.names.is_empty() || !self.matchers.is_empty()
    }

    fn has_rule(&self, rule: &RuleView) -> bool {
        let label = |name: &str| rule.rule.labels.get(name).map_or("", |label| label.text.as_str());
        let passes = |selector: &Vec<Matcher>| {
            // A label that is a template can have any value.
            let is_template = |matcher: &&Matcher| {
                rule.rule.labels.get(matcher.name()).is_none_or(|label| label.template.is_none())
            };
            selector.iter().filter(is_template).all(|matcher| matcher.matches(label(matcher.name())))
        };
        self.is_alerting.is_none_or(|wanted| wanted == rule.rule.alerting().is_some())
            && (self.names.is_empty() || self.names.contains(&rule.rule.name))
            && (self.matchers.is_empty() || self.matchers.iter().any(passes))
    }

    fn rule(&self, group: &NamedGroup, view: &RuleView) -> Value {
        let rule = &view.rule;
        let mut json = Map::new();
        if let Action::Alert(alerting) = &rule.action {
            json.insert("state".into(), view.state().as_str().into());
            json.insert("duration".into(), json!(alerting.for_ms as f64 / 1000.0));
            json.insert("keepFiringFor".into(), json!(alerting.keep_firing_for_ms as f64 / 1000.0));
            json.insert("annotations".into(), texts(alerting.annotations.iter()));
            let alerts: Vec<Value> = match self.without_alerts {
                true => Vec::new(),
                false => view.active.iter().filter_map(alert).collect(),
            };
            json.insert("alerts".into(), alerts.into());
        }
        let kind = if rule.alerting().is_some() { "alerting" } else { "recording" };
        let (health, error) = match &view.health {
            Health::Unknown => ("unknown", None),
            Health::Ok => ("ok", None),
            Health::Failed(reason) => ("err", Some(reason)),
        };
        json.insert("name".into(), rule.name.as_str().into());
        json.insert("query".into(), rule.query.as_str().into());
        json.insert("labels".into(), texts(rule.labels.iter()));
        json.insert("health".into(), health.into());
        if let Some(error) = error {
            json.insert("lastError".into(), error.as_str().into());
        }
        json.insert("evaluationTime".into(), json!(view.took.as_secs_f64()));
        json.insert("lastEvaluation".into(), time_or_never(view.last_evaluation_ms));
        json.insert("type".into(), kind.into());
        json.insert("narrows".into(), json!({ "type": group.view.group.kind.as_str() }));
        Value::Object(json)
    }
}

fn group_json(group: &NamedGroup, rules: Vec<Value>) -> Value {
    let view = &group.view;
    let interval = view.group.interval_ms.map_or(DEFAULT_INTERVAL.as_secs_f64(), |ms| ms as f64 / 1000.0);
    json!({
        "name": view.group.name,
        "file": group.file,
        "rules": rules,
        "interval": interval,
        "limit": view.group.limit,
        "evaluationTime": view.took.as_secs_f64(),
        "lastEvaluation": time_or_never(view.last_evaluation_ms),
    })
}

/// An alert that is pending or fires.
fn alert(active: &Active) -> Option<Value> {
    if active.state == AlertState::Inactive {
        return None;
    }
    let mut json = json!({
        "labels": active.labels,
        "annotations": active.annotations,
        "state": active.state.as_str(),
        "activeAt": rfc3339(active.active_at_ms),
        "value": scientific(active.value),
    });
    if let (Some(since_ms), Some(json)) = (active.keep_firing_since_ms, json.as_object_mut()) {
        json.insert("keepFiringSince".into(), rfc3339(since_ms).into());
    }
    Some(json)
}

/// As Go writes a float in scientific notation: `1e+00`.
fn scientific(value: f64) -> String {
    if !value.is_finite() {
        return if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "+Inf"
        } else {
            "-Inf"
        }
        .to_owned();
    }
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

fn texts<'a>(texts: impl Iterator<Item = (&'a String, &'a RuleText)>) -> Value {
    Value::Object(texts.map(|(name, text)| (name.clone(), text.text.as_str().into())).collect())
}

fn time_or_never(ms: Option<i64>) -> Value {
    ms.map_or(NEVER.to_owned(), rfc3339).into()
}

fn rfc3339(ms: i64) -> String {
    time::format(ms.saturating_mul(1_000_000))
}

/// What a group is called by where pages end.
fn token(group: &NamedGroup) -> String {
    let names = [("file", group.file.as_str()), ("group", group.view.group.name.as_str())];
    let labels = names.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    format!("{:016x}", alerting::labels::fingerprint(&labels))
}
