//! What templates of messages work on: Alertmanager's `Data`, as values.

use std::sync::Arc;

use super::{Message, Status};
use crate::Alert;
use crate::labels::LabelSet;
use crate::template::Value;

/// Go's zero time, which stands for an end that is not known.
pub(super) const NO_TIME_MS: i64 = -62_135_596_800_000;
pub(super) const ALERT: &str = "template.Alert";
pub(super) const DATA: &str = "*template.Data";
pub(super) const PAIR: &str = "template.Pair";

/// `.Receiver`, `.Status`, `.Alerts` and so on.
pub(super) fn data(message: &Message, external_url: &str) -> Value {
    let alerts = message.alerts.iter().map(|alert| alert_value(message, alert));
    Value::structure(
        DATA,
        vec![
            ("Receiver", quoted(&message.receiver).into()),
            ("Status", message.status().as_str().into()),
            ("Alerts", Value::list(alerts)),
            ("NotificationReason", message.notification_reason.as_str().into()),
            ("GroupLabels", labels(&message.group_labels)),
            ("CommonLabels", labels(&message.common_labels())),
            ("CommonAnnotations", labels(&message.common_annotations())),
            ("RouteLabels", labels(&message.route_labels)),
            ("ExternalURL", external_url.into()),
        ],
    )
}

fn alert_value(message: &Message, alert: &Alert) -> Value {
    let status = message.status_of(alert);
    // An end that is to come is not told: it is put off as long as the alert fires.
    let ends_at_ms = if status == Status::Resolved { alert.ends_at_ms } else { NO_TIME_MS };
    Value::structure(
        ALERT,
        vec![
            ("Status", status.as_str().into()),
            ("Labels", labels(&alert.labels)),
            ("Annotations", labels(&alert.annotations)),
            ("StartsAt", Value::Time(alert.starts_at_ms)),
            ("EndsAt", Value::Time(ends_at_ms)),
            ("GeneratorURL", alert.generator_url.as_str().into()),
            ("Fingerprint", format!("{:016x}", alert.fingerprint()).into()),
        ],
    )
}

fn labels(labels: &LabelSet) -> Value {
    let pairs = labels.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
    Value::Map(Arc::new(pairs.collect()))
}

/// As a regular expression that matches it, which is how Alertmanager has always given names of receivers.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
