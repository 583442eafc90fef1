//! What a filter says about every record that passes it: enough to leave out whole blocks and files.

use crate::{Expr, Field, FieldMatch, RequiredLiterals, RequiredWords, SeverityRange, Test};

/// Necessary conditions, from the conjuncts of a filter; a record that breaks one cannot match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts<'a> {
    /// The severity number lies in here.
    pub severity: SeverityRange,
    /// The record has this trace id.
    pub trace_id: Option<[u8; 16]>,
    /// The resource's `service.name` is exactly this string.
    pub service: Option<&'a str>,
    /// The resource's `host.name` is exactly this string.
    pub host: Option<&'a str>,
    /// The conditions contradict each other: nothing matches.
    pub nothing: bool,
}

/// What the body of every record that fulfils one condition has, for an index to look up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BodyFacts {
    /// Whole words, and the beginning of one.
    pub words: RequiredWords,
    /// Parts of its folded text.
    pub literals: RequiredLiterals,
}

impl Expr {
    /// What a condition on the body's text demands of it; `None` for every other expression.
    pub fn body_facts(&self) -> Option<BodyFacts> {
        match self {
            Self::Text(text) => Some(BodyFacts { words: text.words(), literals: text.required_literals() }),
            Self::Field(FieldMatch { field: Field::Body, test: Test::Regex(regex) }) => {
                Some(BodyFacts { words: regex.words(), literals: regex.required_literals() })
            }
            _ => None,
        }
    }

    /// Conditions that hold for every record that matches.
    pub fn facts(&self) -> Facts<'_> {
        let severity = SeverityRange { min: 0, max: SeverityRange::MAX };
        let mut facts = Facts { severity, trace_id: None, service: None, host: None, nothing: false };
        for conjunct in self.conjuncts() {
            facts.learn(conjunct);
        }
        facts
    }
}

impl<'a> Facts<'a> {
    fn learn(&mut self, conjunct: &'a Expr) {
        let asked = match conjunct {
            Expr::Field(asked) => asked,
            Expr::Or(children) => {
                // `severity:(error OR unset)`: what encloses all of them.
                let ranges: Option<Vec<SeverityRange>> = children.iter().map(severity).collect();
                let enclosing = ranges
                    .into_iter()
                    .flatten()
                    .reduce(|a, b| SeverityRange { min: a.min.min(b.min), max: a.max.max(b.max) });
                return enclosing.into_iter().for_each(|range| self.narrow(range));
            }
            other => {
                self.nothing |= *other == Expr::Not(Box::new(Expr::All));
                return;
            }
        };
        match (&asked.field, &asked.test) {
            (_, Test::Severity(range)) => self.narrow(*range),
            (Field::TraceId, Test::Id(id)) => {
                let Some(id) = id.trace_id() else { return };
                self.nothing |= self.trace_id.replace(id).is_some_and(|other| other != id);
            }
            (Field::Service, Test::Equals(name)) => {
                self.nothing |= self.service.replace(name.text()).is_some_and(|other| other != name.text());
            }
            (Field::Host, Test::Equals(name)) => {
                self.nothing |= self.host.replace(name.text()).is_some_and(|other| other != name.text());
            }
            _ => {}
        }
    }

    fn narrow(&mut self, range: SeverityRange) {
        self.severity.min = self.severity.min.max(range.min);
        self.severity.max = self.severity.max.min(range.max);
        self.nothing |= self.severity.min > self.severity.max;
    }
}

fn severity(expr: &Expr) -> Option<SeverityRange> {
    match expr {
        Expr::Field(FieldMatch { test: Test::Severity(range), .. }) => Some(*range),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::parse;

    /// Checks `facts` as `min-max service host trace nothing`.
    fn check(query: &str, expected: &str) {
        let query = parse(query).unwrap();
        let facts = query.filter.facts();
        let severity = format!("{}-{}", facts.severity.min, facts.severity.max);
        let trace = facts.trace_id.map_or("-".to_owned(), |id| crate::row::hex(&id)[..4].to_owned());
        let (service, host) = (facts.service.unwrap_or("-"), facts.host.unwrap_or("-"));
        assert_eq!(format!("{severity} {service} {host} {trace} {}", facts.nothing), expected, "{query}");
    }

    #[test]
    fn facts_are_taken_from_what_must_hold() {
        check("", "0-24 - - - false");
        check("severity>=warn severity<error timeout", "13-16 - - - false");
        check("severity:error OR service:a", "0-24 - - - false");
        check("severity:error service:a host:b", "17-20 a b - false");
        check("severity:(error OR warn) a", "13-20 - - - false");
        check("-service:a", "0-24 - - - false");
        check("service:a service:b", "0-24 b - - true");
        check("severity:error severity:warn", "17-16 - - - true");
        check("trace_id:4bf92f3577b34da6a3ce929d0e0e4736", "0-24 - - 4bf9 false");
        check("trace_id:4bf9*", "0-24 - - - false");
        check("-*", "0-24 - - - true");
        check("service:a*", "0-24 - - - false");
    }
}
