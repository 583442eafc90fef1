//! pg_stat_statements: numbers of all statements at each look, texts only of those that are reported.
//!
//! Reported are the first by time in all and by time since the last look, and each for 5 minutes after, so that its
//! series has no holes.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use tokio_postgres::Client;

use super::input::LeftOut;
use super::names::*;
use super::postgresql::{count, get, rows};
use crate::report::Report;

/// A statement that was among the first is reported for so long after.
const KEPT: Duration = Duration::from_secs(300);
/// What the server keeps by default is half of that.
const MAX_READ: i64 = 10_000;
/// Characters of a text that are a label.
const MAX_CHARS: usize = 200;
/// How often it is looked whether the extension is there.
const PATIENCE: Duration = Duration::from_secs(60);

const WHERE: &str =
    "SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'pg_stat_statements'";
/// What follows these words has constants as parameters; everything else may hold a password.
const NORMALISED: [&str; 8] = ["SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "VALUES", "TABLE"];

/// Database and identifier.
type Key = (String, i64);

/// What is known of statements.
pub(super) struct Statements {
    most: usize,
    /// The schema of the extension, once it is known.
    schema: Option<String>,
    absent_since: Option<Instant>,
    total_ms: HashMap<Key, f64>,
    first: HashMap<Key, Instant>,
    texts: HashMap<Key, String>,
}

struct Statement {
    key: Key,
    calls: u64,
    total_ms: f64,
    rows: u64,
    hit: u64,
    read: u64,
}

impl Statements {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            schema: None,
            absent_since: None,
            total_ms: HashMap::new(),
            first: HashMap::new(),
            texts: HashMap::new(),
        }
    }

    pub(super) async fn report(
        &mut self,
        client: &Client,
        report: &mut Report<'_>,
        left_out: &mut LeftOut,
    ) -> Result<(), String> {
        let Some(schema) = self.find(client).await? else { return Ok(()) };
        let all = match read(client, &schema).await {
            Ok(all) => all,
            Err(problem) => {
                // It may have been dropped, or is not among the server's shared libraries.
                tracing::debug!("{problem}");
                self.schema = None;
                self.absent_since = Some(Instant::now());
                return Ok(());
            }
        };
        let chosen = self.choose(all, Instant::now());
        if chosen.len() < self.total_ms.len() {
            left_out.push("statements");
        }
        self.read_texts(client, &schema, &chosen).await?;
        self.write(&chosen, report);
        Ok(())
    }

    async fn find(&mut self, client: &Client) -> Result<Option<String>, String> {
        if self.schema.is_none() && self.absent_since.is_none_or(|since| since.elapsed() > PATIENCE) {
            let found = rows(client, "pg_extension", WHERE, &[]).await?;
            self.schema = found.first().map(|row| get(row, 0)).transpose()?;
            self.absent_since = self.schema.is_none().then(Instant::now);
        }
        Ok(self.schema.clone())
    }

    /// Those that are reported now.
    fn choose(&mut self, all: Vec<Statement>, now: Instant) -> Vec<Statement> {
        let since_last = |statement: &Statement| {
            let before = self.total_ms.get(&statement.key).copied().unwrap_or(0.0);
            // A statistics reset makes less of it.
            if before <= statement.total_ms { statement.total_ms - before } else { statement.total_ms }
        };
        let mut by_total: Vec<(f64, &Key)> = all.iter().map(|s| (s.total_ms, &s.key)).collect();
        let mut by_recent: Vec<(f64, &Key)> = all.iter().map(|s| (since_last(s), &s.key)).collect();
        by_recent.retain(|(time_ms, _)| *time_ms > 0.0);
        for list in [&mut by_total, &mut by_recent] {
            list.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
            list.truncate(self.most);
        }
        for (_, key) in by_total.into_iter().chain(by_recent) {
            self.first.insert(key.clone(), now);
        }
        self.total_ms = all.iter().map(|s| (s.key.clone(), s.total_ms)).collect();
        let known = &self.total_ms;
        self.first.retain(|key, since| known.contains_key(key) && now.duration_since(*since) < KEPT);
        let mut chosen: Vec<Statement> =
            all.into_iter().filter(|s| self.first.contains_key(&s.key)).collect();
        chosen.sort_by_key(|s| std::cmp::Reverse(self.first.get(&s.key).copied()));
        chosen.truncate(4 * self.most);
        chosen
    }

    /// Of those whose text is not known yet.
    async fn read_texts(
        &mut self,
        client: &Client,
        schema: &str,
        chosen: &[Statement],
    ) -> Result<(), String> {
        self.texts.retain(|key, _| self.first.contains_key(key));
        let missing: Vec<i64> =
            chosen.iter().filter(|s| !self.texts.contains_key(&s.key)).map(|s| s.key.1).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "SELECT DISTINCT s.queryid, d.datname::text, left(s.query, 2000) FROM {schema}.pg_stat_statements(true) s
             JOIN pg_database d ON d.oid = s.dbid WHERE s.queryid = ANY($1)"
        );
        for row in rows(client, "pg_stat_statements", &sql, &[&missing]).await? {
            let text: Option<String> = get(&row, 2)?;
            self.texts.insert((get(&row, 1)?, get(&row, 0)?), short(&text.unwrap_or_default()));
        }
        Ok(())
    }

    fn write(&self, chosen: &[Statement], report: &mut Report<'_>) {
        let labelled: BTreeMap<&Key, (&Statement, String)> =
            chosen.iter().map(|s| (&s.key, (s, s.key.1.to_string()))).collect();
        let labels = |key: &'_ Key| self.texts.get(key).map_or("", String::as_str);
        let mut each = |metric, value: &dyn Fn(&Statement) -> f64| {
            report.metric(metric);
            for (key, (statement, id)) in &labelled {
                let labels =
                    [("db.query.text", labels(key)), ("postgresql.database.name", &key.0), ("query_id", id)];
                report.double(value(statement), &labels);
            }
        };
        each(&PG_STATEMENT_CALLS, &|s| s.calls as f64);
        each(&PG_STATEMENT_TIME, &|s| s.total_ms / 1000.0);
        each(&PG_STATEMENT_ROWS, &|s| s.rows as f64);
        report.metric(&PG_STATEMENT_BLOCKS);
        for (key, (statement, id)) in &labelled {
            for (source, blocks) in [("hit", statement.hit), ("read", statement.read)] {
                let labels = [
                    ("db.query.text", labels(key)),
                    ("postgresql.database.name", &key.0),
                    ("query_id", id),
                    ("source", source),
                ];
                report.int(blocks, &labels);
            }
        }
    }
}

async fn read(client: &Client, schema: &str) -> Result<Vec<Statement>, String> {
    let sql = format!(
        "SELECT s.queryid, d.datname::text, sum(s.calls)::bigint, sum(s.total_exec_time)::float8, sum(s.rows)::bigint,
             sum(s.shared_blks_hit)::bigint, sum(s.shared_blks_read)::bigint
         FROM {schema}.pg_stat_statements(false) s JOIN pg_database d ON d.oid = s.dbid
         WHERE s.queryid IS NOT NULL GROUP BY 1, 2 ORDER BY 4 DESC LIMIT $1"
    );
    let answer = rows(client, "pg_stat_statements", &sql, &[&MAX_READ]).await?;
    let statement = |row| {
        Ok(Statement {
            key: (get(row, 1)?, get(row, 0)?),
            calls: count(row, 2)?,
            total_ms: get(row, 3)?,
            rows: count(row, 4)?,
            hit: count(row, 5)?,
            read: count(row, 6)?,
        })
    };
    answer.iter().map(statement).collect()
}

/// On one line and not too long. Of what the server does not normalise only the first two words: `CREATE ROLE`.
fn short(text: &str) -> String {
    let mut words = text.split_whitespace();
    let first = words.clone().next().unwrap_or_default().trim_start_matches('(').to_ascii_uppercase();
    if !NORMALISED.contains(&first.as_str()) {
        let two: Vec<&str> =
            words.by_ref().take(2).filter(|word| word.chars().all(|c| c.is_ascii_alphabetic())).collect();
        return two.join(" ");
    }
    let line = words.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_CHARS) {
        None => line,
        Some((end, _)) => format!("{}…", &line[..end]),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn statement(id: i64, total_ms: f64) -> Statement {
        Statement { key: ("shop".to_owned(), id), calls: 1, total_ms, rows: 1, hit: 0, read: 0 }
    }

    fn ids(chosen: &[Statement]) -> Vec<i64> {
        let mut ids: Vec<i64> = chosen.iter().map(|s| s.key.1).collect();
        ids.sort_unstable();
        ids
    }

    #[test]
    fn texts_are_short_and_keep_no_secret() {
        let cases = [
            ("SELECT  a\n FROM b WHERE c = $1", "SELECT a FROM b WHERE c = $1".to_owned()),
            ("create role shop password 'hunter2'", "create role".to_owned()),
            ("ALTER USER shop PASSWORD 'hunter2'", "ALTER USER".to_owned()),
            ("SET x='hunter2'", "SET".to_owned()),
            ("BEGIN", "BEGIN".to_owned()),
            ("(SELECT 1)", "(SELECT 1)".to_owned()),
            (&format!("SELECT {}", "é".repeat(300)), format!("SELECT {}…", "é".repeat(193))),
        ];
        for (text, expected) in cases {
            assert_eq!(short(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_slow_now_is_reported_beside_what_was_slow_for_long() {
        let mut statements = Statements::new(2);
        let begun = Instant::now();
        let first = (1..=6).map(|id| statement(id, 1000.0 * id as f64)).collect();
        assert_eq!(ids(&statements.choose(first, begun)), [5, 6]);
        let later = begun + Duration::from_secs(10);
        // 1 has become slow, though it is the last in all.
        let second =
            (1..=6).map(|id| statement(id, if id == 1 { 1900.0 } else { 1000.0 * id as f64 })).collect();
        assert_eq!(ids(&statements.choose(second, later)), [1, 5, 6]);
        let still = |id| statement(id, if id == 1 { 1900.0 } else { 1000.0 * id as f64 });
        assert_eq!(
            ids(&statements.choose((1..=6).map(still).collect(), later + Duration::from_secs(100))),
            [1, 5, 6]
        );
        assert_eq!(ids(&statements.choose((1..=6).map(still).collect(), later + KEPT)), [5, 6]);
    }
}
