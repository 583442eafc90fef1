//! Which server a node is, where several of a system are measured: by the databases that each of them has.

use std::collections::{BTreeMap, BTreeSet};

use super::resources::{Asking, range};

/// What tells which servers there are, and, of systems whose nodes are databases, which of these a server has: system,
/// label of the database, query.
const QUERIES: [(&str, &str, &str); 4] = [
    (
        "postgresql",
        "postgresql_database_name",
        r#"max by (instance, postgresql_database_name) (postgresql_backends{job!=""})"#,
    ),
    ("postgresql", "", r#"max by (instance) (narrows_postgresql_sessions_blocked{job!=""})"#),
    ("redis", "", r#"max by (instance) (redis_memory_used_bytes{job!=""})"#),
    ("rabbitmq", "", r#"max by (instance) (rabbitmq_node_mem_used_bytes{job!=""})"#),
];

/// What a measurement of a server is to a node.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Role {
    /// The node is that server.
    Own,
    /// The node stands for several servers: spans do not tell them apart.
    OneOf(String),
    /// It is another's, or nobody knows whose.
    Other,
}

/// Servers, by what measurements call them.
#[derive(Debug, Default)]
pub(super) struct Servers {
    instances: BTreeMap<&'static str, BTreeSet<String>>,
    /// The server of a database: of several that have one of the name that with the most connections to it.
    of_database: BTreeMap<(&'static str, String), (f64, String)>,
}

impl Servers {
    /// Blocks.
    pub(super) fn read(asking: &Asking<'_>, notes: &mut Vec<String>) -> Self {
        let mut servers = Self::default();
        for (system, label, query) in QUERIES {
            let series = range(asking, query).unwrap_or_else(|error| {
                notes.push(format!("servers of {system} could not be told apart: {error}"));
                Vec::new()
            });
            for one in series {
                let value = |label| one.labels.get(label).unwrap_or_default().to_owned();
                let instance = value("instance");
                servers.instances.entry(system).or_default().insert(instance.clone());
                if !label.is_empty() {
                    let used: f64 = one.floats.iter().map(|(_, value)| value.max(0.0)).sum();
                    let known =
                        servers.of_database.entry((system, value(label))).or_insert((-1.0, String::new()));
                    if used > known.0 {
                        *known = (used, instance);
                    }
                }
            }
        }
        servers
    }

    /// What `instance` of a system is to the node of a database of it, or to the system's own.
    pub(super) fn role(&self, system: &str, database: Option<&str>, instance: &str) -> Role {
        let mut databases = self.of_database.iter().filter(|((of, _), _)| *of == system).peekable();
        let is_only = self.instances.get(system).is_none_or(|instances| instances.len() <= 1);
        let has_databases = databases.peek().is_some();
        let own = database.and_then(|name| databases.find(|((_, of), _)| of == name));
        match own {
            Some((_, (_, server))) if server == instance => Role::Own,
            Some(_) => Role::Other,
            // It is measured nowhere: another's numbers are not its.
            None if has_databases && database.is_some() => Role::Other,
            None if is_only => Role::Own,
            None if has_databases => Role::Other,
            None => Role::OneOf(instance.to_owned()),
        }
    }

    /// Why measurements of a node's servers are missing, if they are.
    pub(super) fn note(&self, system: &str, database: Option<&str>, node: &str) -> Option<String> {
        let count = self.instances.get(system).map_or(0, BTreeSet::len);
        let mut all = self.instances.get(system).into_iter().flatten();
        let is_known = all.any(|instance| self.role(system, database, instance) != Role::Other);
        (count > 0 && !is_known).then(|| format!("of {count} servers of {system} none is known to be {node}"))
    }
}
