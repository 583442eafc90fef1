//! What a simulated system is made of: hosts, nodes, endpoints and what they call. Plain tables; ids are indices.

pub(crate) mod layers;
pub(crate) mod shop;

use bottleneck::NodeType;

/// A machine.
#[derive(Clone, Debug)]
pub(crate) struct HostSpec {
    pub(crate) name: String,
    pub(crate) cores: usize,
}

/// A service or a server.
#[derive(Clone, Debug)]
pub(crate) struct NodeSpec {
    pub(crate) name: String,
    pub(crate) node_type: NodeType,
    /// It sends no spans though it is a program of ours.
    pub(crate) is_blind: bool,
    /// The host of each instance; none of what lies outside.
    pub(crate) instances: Vec<usize>,
    pub(crate) executable: String,
    /// Requests that an instance works on at once.
    pub(crate) workers: usize,
    /// Connections of an instance to databases.
    pub(crate) pool: usize,
}

/// A kind of request that a node answers.
#[derive(Clone, Debug)]
pub(crate) struct EndpointSpec {
    pub(crate) node: usize,
    pub(crate) operation: usize,
    /// Mean of its own CPU time, ms.
    pub(crate) cpu_ms: f64,
    pub(crate) steps: Vec<Step>,
    /// It hears messages.
    pub(crate) is_consumer: bool,
}

/// What is done one after the other.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    One(Call),
    /// All at once.
    All(Vec<Call>),
}

/// A call as its caller makes it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) edge: usize,
    /// The caller's operation.
    pub(crate) operation: usize,
    pub(crate) what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Rpc {
        endpoint: usize,
    },
    Statement {
        statement: usize,
    },
    /// A lookup in a cache, and what is done where it finds nothing.
    Lookup {
        miss: Vec<Call>,
    },
    /// A call to something that is not ours.
    Outside {
        mean_ms: f64,
        timeout_ms: f64,
        retries: usize,
    },
    /// A message; the endpoint hears it.
    Publish {
        endpoint: usize,
    },
}

/// A statement of a database.
#[derive(Clone, Debug)]
pub(crate) struct StatementSpec {
    pub(crate) node: usize,
    pub(crate) text: String,
    pub(crate) table: String,
    pub(crate) cpu_ms: f64,
    /// Operations on the disk.
    pub(crate) disk: f64,
    pub(crate) rows: f64,
}

/// A kind of request or call, as spans are named.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OperationSpec {
    pub(crate) node: usize,
    pub(crate) name: String,
    pub(crate) peer: Option<usize>,
    pub(crate) is_entry: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct EdgeSpec {
    pub(crate) caller: usize,
    pub(crate) callee: usize,
    pub(crate) is_async: bool,
}

/// The whole system.
#[derive(Clone, Debug, Default)]
pub(crate) struct Topology {
    pub(crate) hosts: Vec<HostSpec>,
    pub(crate) nodes: Vec<NodeSpec>,
    pub(crate) endpoints: Vec<EndpointSpec>,
    pub(crate) statements: Vec<StatementSpec>,
    pub(crate) operations: Vec<OperationSpec>,
    pub(crate) edges: Vec<EdgeSpec>,
    /// Endpoints that are called from outside, with their share of the load.
    pub(crate) entries: Vec<(usize, f64)>,
}

impl Topology {
    pub(crate) fn host(&mut self, name: &str, cores: usize) -> usize {
        self.hosts.push(HostSpec { name: name.to_owned(), cores });
        self.hosts.len() - 1
    }

    pub(crate) fn node(&mut self, name: &str, node_type: NodeType, instances: &[usize]) -> usize {
        let executable = name.split('/').next().unwrap_or(name).to_owned();
        self.nodes.push(NodeSpec {
            name: name.to_owned(),
            node_type,
            is_blind: false,
            instances: instances.to_vec(),
            executable,
            workers: 200,
            pool: 20,
        });
        self.nodes.len() - 1
    }

    pub(crate) fn endpoint(&mut self, node: usize, name: &str, cpu_ms: f64, steps: Vec<Step>) -> usize {
        let operation = self.operation(node, name, None);
        self.endpoints.push(EndpointSpec { node, operation, cpu_ms, steps, is_consumer: false });
        self.endpoints.len() - 1
    }

    pub(crate) fn entry(&mut self, endpoint: usize, share: f64) {
        let operation = self.endpoints[endpoint].operation;
        self.operations[operation].is_entry = true;
        self.entries.push((endpoint, share));
    }

    pub(crate) fn statement(&mut self, node: usize, text: &str, table: &str, cost: (f64, f64, f64)) -> usize {
        let (cpu_ms, disk, rows) = cost;
        let (text, table) = (text.to_owned(), table.to_owned());
        self.statements.push(StatementSpec { node, text, table, cpu_ms, disk, rows });
        self.statements.len() - 1
    }

    pub(crate) fn operation(&mut self, node: usize, name: &str, peer: Option<usize>) -> usize {
        let new = OperationSpec { node, name: name.to_owned(), peer, is_entry: false };
        let same = |known: &OperationSpec| known.node == node && known.name == name && known.peer == peer;
        self.operations.iter().position(same).unwrap_or_else(|| {
            self.operations.push(new);
            self.operations.len() - 1
        })
    }

    pub(crate) fn edge(&mut self, caller: usize, callee: usize, is_async: bool) -> usize {
        let same = |known: &EdgeSpec| (known.caller, known.callee) == (caller, callee);
        self.edges.iter().position(same).unwrap_or_else(|| {
            self.edges.push(EdgeSpec { caller, callee, is_async });
            self.edges.len() - 1
        })
    }

    pub(crate) fn rpc(&mut self, caller: usize, endpoint: usize) -> Call {
        let EndpointSpec { node, operation, .. } = self.endpoints[endpoint];
        let name = self.operations[operation].name.clone();
        let operation = self.operation(caller, &name, Some(node));
        Call { edge: self.edge(caller, node, false), operation, what: What::Rpc { endpoint } }
    }

    pub(crate) fn query(&mut self, caller: usize, statement: usize) -> Call {
        let StatementSpec { node, text, table, .. } = &self.statements[statement];
        let (node, verb) = (*node, text.split(' ').next().unwrap_or_default());
        let name = if table.is_empty() { verb.to_owned() } else { format!("{verb} {table}") };
        // Two statements may have one summary: they are one operation, and the text tells them apart.
        let operation = self.operation(caller, &name, Some(node));
        Call { edge: self.edge(caller, node, false), operation, what: What::Statement { statement } }
    }

    pub(crate) fn lookup(&mut self, caller: usize, cache: usize, miss: Vec<Call>) -> Call {
        let operation = self.operation(caller, "GET", Some(cache));
        Call { edge: self.edge(caller, cache, false), operation, what: What::Lookup { miss } }
    }

    pub(crate) fn outside(&mut self, caller: usize, peer: usize, name: &str, mean_ms: f64) -> Call {
        let operation = self.operation(caller, name, Some(peer));
        let what = What::Outside { mean_ms, timeout_ms: 2000.0, retries: 0 };
        Call { edge: self.edge(caller, peer, false), operation, what }
    }

    pub(crate) fn publish(&mut self, caller: usize, broker: usize, endpoint: usize) -> Call {
        self.endpoints[endpoint].is_consumer = true;
        let consumer = self.endpoints[endpoint].node;
        let operation = self.operation(caller, "send orders", Some(broker));
        self.edge(broker, consumer, true);
        Call { edge: self.edge(caller, broker, true), operation, what: What::Publish { endpoint } }
    }

    /// By name, for scenarios; names that are not there are mistakes of the table.
    pub(crate) fn node_named(&self, name: &str) -> usize {
        self.nodes.iter().position(|node| node.name == name).unwrap_or_else(|| panic!("no node {name}"))
    }

    pub(crate) fn host_named(&self, name: &str) -> usize {
        self.hosts.iter().position(|host| host.name == name).unwrap_or_else(|| panic!("no host {name}"))
    }

    pub(crate) fn endpoint_named(&self, node: &str, name: &str) -> usize {
        let node = self.node_named(node);
        let is_it = |endpoint: &EndpointSpec| {
            endpoint.node == node && self.operations[endpoint.operation].name == name
        };
        self.endpoints.iter().position(is_it).unwrap_or_else(|| panic!("no endpoint {name}"))
    }

    pub(crate) fn edge_named(&self, caller: &str, callee: &str) -> usize {
        let ends = (self.node_named(caller), self.node_named(callee));
        let is_it = |edge: &EdgeSpec| (edge.caller, edge.callee) == ends;
        self.edges.iter().position(is_it).unwrap_or_else(|| panic!("no edge {caller} to {callee}"))
    }

    pub(crate) fn statement_named(&self, part: &str) -> usize {
        let is_it = |statement: &StatementSpec| statement.text.contains(part);
        self.statements.iter().position(is_it).unwrap_or_else(|| panic!("no statement {part}"))
    }
}
