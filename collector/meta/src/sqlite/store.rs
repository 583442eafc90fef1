//! The SQL: what the meta thread does on its connection.

use std::path::Path;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use crate::{Document, MetaError};

/// Version of the tables, in SQLite's `user_version`.
const VERSION: i64 = 1;

const TABLES: &str = "
    CREATE TABLE documents (key TEXT PRIMARY KEY, revision INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE counter (revision INTEGER NOT NULL);
    INSERT INTO counter VALUES (0);
    PRAGMA user_version = 1;";

#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
}

impl Store {
    pub(super) fn open(path: &Path) -> Result<Self, MetaError> {
        let failed = |error| MetaError::Store(format!("cannot open {}: {error}", path.display()));
        let connection = Connection::open(path).map_err(failed)?;
        let mode: String =
            connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(failed)?;
        if mode != "wal" {
            return Err(MetaError::Store(format!("cannot open {}: no WAL, but {mode}", path.display())));
        }
        connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;").map_err(failed)?;
        let mut store = Self { connection };
        store.make_tables(path)?;
        Ok(store)
    }

    fn make_tables(&mut self, path: &Path) -> Result<(), MetaError> {
        let version: i64 =
            self.connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(broken)?;
        match version {
            VERSION => Ok(()),
            0 => {
                let transaction = self.begin()?;
                transaction.execute_batch(TABLES).map_err(broken)?;
                transaction.commit().map_err(broken)
            }
            newer => Err(MetaError::Store(format!(
                "{} has tables of version {newer}, this build knows {VERSION}: run the newer build",
                path.display()
            ))),
        }
    }

    pub(super) fn get(&self, key: &str) -> Result<Option<Document>, MetaError> {
        let mut select = self
            .connection
            .prepare_cached("SELECT revision, body FROM documents WHERE key = ?1")
            .map_err(broken)?;
        select
            .query_row([key], |row| {
                let body: Vec<u8> = row.get(1)?;
                Ok(Document { revision: row.get::<_, i64>(0)? as u64, body: Bytes::from(body) })
            })
            .optional()
            .map_err(broken)
    }

    pub(super) fn put(&mut self, key: &str, body: &[u8], expect: u64) -> Result<u64, MetaError> {
        let transaction = self.begin()?;
        check_revision(&transaction, key, expect)?;
        let revision = next_revision(&transaction)?;
        transaction
            .execute(
                "INSERT OR REPLACE INTO documents (key, revision, body) VALUES (?1, ?2, ?3)",
                params![key, revision, body],
            )
            .map_err(broken)?;
        commit(transaction, key)?;
        Ok(revision as u64)
    }

    pub(super) fn delete(&mut self, key: &str, expect: u64) -> Result<(), MetaError> {
        let transaction = self.begin()?;
        check_revision(&transaction, key, expect)?;
        next_revision(&transaction)?;
        transaction.execute("DELETE FROM documents WHERE key = ?1", [key]).map_err(broken)?;
        commit(transaction, key)
    }

    pub(super) fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>, MetaError> {
        // Keys sort by bytes, so those with a prefix stand together.
        let mut select = self
            .connection
            .prepare_cached(
                "SELECT key, revision FROM documents WHERE substr(key, 1, length(?1)) = ?1 ORDER BY key",
            )
            .map_err(broken)?;
        let rows = select
            .query_map([prefix], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))
            .map_err(broken)?;
        rows.collect::<Result<_, _>>().map_err(broken)
    }

    fn begin(&mut self) -> Result<Transaction<'_>, MetaError> {
        self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(broken)
    }
}

fn check_revision(transaction: &Transaction<'_>, key: &str, expected: u64) -> Result<(), MetaError> {
    let current: Option<i64> = transaction
        .query_row("SELECT revision FROM documents WHERE key = ?1", [key], |row| row.get(0))
        .optional()
        .map_err(broken)?;
    let current = current.unwrap_or(0) as u64;
    if current == expected {
        return Ok(());
    }
    Err(MetaError::Conflict { key: key.to_owned(), expected, current })
}

fn next_revision(transaction: &Transaction<'_>) -> Result<i64, MetaError> {
    transaction
        .query_row("UPDATE counter SET revision = revision + 1 RETURNING revision", [], |row| row.get(0))
        .map_err(broken)
}

/// A commit that fails may have reached the WAL file: only a read can tell.
fn commit(transaction: Transaction<'_>, key: &str) -> Result<(), MetaError> {
    transaction.commit().map_err(|error| MetaError::Unknown { key: key.to_owned(), cause: error.to_string() })
}

fn broken(error: rusqlite::Error) -> MetaError {
    MetaError::Store(error.to_string())
}

#[cfg(test)]
impl Store {
    pub(super) fn pragma(&self, name: &str) -> Result<i64, MetaError> {
        self.connection.pragma_query_value(None, name, |row| row.get(0)).map_err(broken)
    }
}
