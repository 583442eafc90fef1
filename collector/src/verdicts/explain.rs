//! Alerts carry the verdict that explains them: as annotations, for receivers, texts of templates and pages. They are
//! added when an alert is told or shown, so that it is the newest revision, whoever raised the alert.

use alerting::{Alert, LabelSet};
use bottleneck::Verdict;
use telemetry::TenantId;

use super::{Kept, Verdicts};

/// Pieces of evidence that an alert tells.
const TOP: usize = 3;
/// Labels by which alerts name a service, and a host.
const OF_SERVICE: [&str; 4] = ["service", "service_name", "server", "job"];
const OF_HOST: [&str; 3] = ["host", "host_name", "instance"];

/// Who explains alerts.
pub trait Explain: Send + Sync {
    /// Annotations to be added to an alert; none if nothing explains it.
    fn explain(&self, tenant: &str, alert: &Alert) -> LabelSet;
}

impl Explain for Verdicts {
    fn explain(&self, tenant: &str, alert: &Alert) -> LabelSet {
        let Ok(tenant) = TenantId::new(tenant) else { return LabelSet::new() };
        let mut all = self.known.lock();
        let Some(known) = all.get_mut(&tenant) else { return LabelSet::new() };
        let ranked = known.open.values().filter_map(|kept| Some((rank(&kept.verdict, alert)?, kept)));
        // Of equal ones the newest.
        let Some((_, kept)) = ranked.min_by_key(|(rank, kept)| (*rank, std::cmp::Reverse(kept.opened_s)))
        else {
            return LabelSet::new();
        };
        let kept = std::sync::Arc::clone(kept);
        known.alerts.entry(kept.id.clone()).or_default().insert(alert.fingerprint());
        annotations(&kept, &self.url(&kept.id))
    }
}

/// How near an alert is to a verdict: about its symptom, its culprit, or something between.
fn rank(verdict: &Verdict, alert: &Alert) -> Option<u8> {
    let named = |labels: &[&str]| {
        let found: Vec<&str> =
            labels.iter().filter_map(|label| alert.labels.get(*label)).map(String::as_str).collect();
        found
    };
    let (services, hosts) = (named(&OF_SERVICE), named(&OF_HOST));
    if services.contains(&verdict.symptom.service.as_str()) {
        return Some(0);
    }
    if let Some(culprit) = &verdict.culprit {
        let entity = &culprit.entity;
        let is_host = |host: &String| hosts.contains(&host.as_str());
        if services.contains(&entity.service.as_str()) || entity.host.as_ref().is_some_and(is_host) {
            return Some(1);
        }
    }
    verdict.path.iter().any(|hop| services.contains(&hop.service.as_str())).then_some(2)
}

fn annotations(kept: &Kept, url: &str) -> LabelSet {
    let mut all = LabelSet::new();
    all.insert("verdict_id".to_owned(), kept.id.clone());
    all.insert("verdict".to_owned(), kept.verdict.headline.clone());
    all.insert("verdict_url".to_owned(), url.to_owned());
    if let Some(confidence) = &kept.verdict.confidence {
        all.insert("verdict_confidence".to_owned(), format!("{:?}", confidence.level).to_lowercase());
    }
    for (at, evidence) in kept.verdict.evidence.iter().take(TOP).enumerate() {
        all.insert(format!("verdict_evidence_{}", at + 1), evidence.text.clone());
    }
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use bottleneck::Evidence;

    use super::super::kept::tests::{tracked, verdict};
    use super::*;

    fn alert(label: &str, value: &str) -> Alert {
        Alert { labels: [(label.to_owned(), value.to_owned())].into(), ..Alert::default() }
    }

    #[test]
    fn alerts_about_the_symptom_or_the_culprit_are_explained() {
        let mut verdict = verdict("stock");
        verdict.culprit.as_mut().unwrap().entity.host = Some("db-1".to_owned());
        let cases = [
            (("service", "edge"), Some(0)),
            (("service_name", "edge"), Some(0)),
            (("service", "stock"), Some(1)),
            (("host", "db-1"), Some(1)),
            (("service", "db-1"), None),
            (("alertname", "edge"), None),
        ];
        for ((label, value), expected) in cases {
            assert_eq!(rank(&verdict, &alert(label, value)), expected, "{label}={value}");
        }
    }

    #[test]
    fn annotations_have_headline_evidence_and_link() {
        let evidence = |n: u8| Evidence {
            family: "trace".to_owned(),
            evidence_type: "self_excess".to_owned(),
            text: format!("evidence {n}"),
            baseline: None,
            now: None,
            unit: "ms".to_owned(),
            query: None,
            exemplars: Vec::new(),
            at_s: None,
        };
        let mut verdict = verdict("stock");
        verdict.evidence = (1..=5).map(evidence).collect();
        let kept = Kept::new("v7".to_owned(), verdict, tracked(), 5);
        let all = annotations(&kept, "https://n.example/bottlenecks/v7");
        let expected = [
            ("verdict", "stock is slow"),
            ("verdict_confidence", "high"),
            ("verdict_evidence_1", "evidence 1"),
            ("verdict_evidence_2", "evidence 2"),
            ("verdict_evidence_3", "evidence 3"),
            ("verdict_id", "v7"),
            ("verdict_url", "https://n.example/bottlenecks/v7"),
        ];
        let all: Vec<(&str, &str)> =
            all.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(all, expected);
    }
}
