//! Which services, operations and edges there are, with a number for each and a cap on all. What is over a cap gets
//! the number of `__other__`. What was not seen for an hour is forgotten, and its number given again.

mod state;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use telemetry::TenantId;

use crate::names::cut;
use crate::options::Options;
use crate::slots::Slots;
use crate::subject::{EdgeKind, Subject, What, Why};

/// Stands for all that is over a cap.
pub(crate) const OTHER: &str = "__other__";

/// The service of spans that name none.
const UNKNOWN_SERVICE: &str = "unknown_service";

/// No number.
const NONE: u32 = u32::MAX;

/// What was not seen for so many steps is forgotten: an hour.
const KEPT_STEPS: u32 = 360;

const KINDS: usize = 6;
const STATUSES: usize = 3;

#[derive(Clone, Debug)]
pub(crate) struct Registry {
    /// The first is the default tenant; its series say what other tenants had no room for.
    tenants: Vec<Tenant>,
    /// Numbers of tenants that were forgotten.
    free_tenants: BTreeSet<u32>,
    tenant_numbers: HashMap<TenantId, u32>,
    services: Slots<Service>,
    subjects: Slots<Subject>,
}

#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    pub(crate) id: TenantId,
    services: HashMap<Arc<str>, u32>,
    edges: HashMap<EdgeName, u32>,
}

type EdgeName = (EdgeKind, Arc<str>, Arc<str>);

#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) tenant: u32,
    pub(crate) name: Arc<str>,
    last_used: u32,
    /// Subjects by kind and status.
    operations: HashMap<Arc<str>, [u32; KINDS * STATUSES]>,
    /// How many edges it has of each kind, `__other__` left out.
    peers: [u32; EdgeKind::ALL.len()],
    /// How many edges it told of in all.
    edges: u32,
    /// Subjects of what was left out.
    left: [u32; Why::ALL.len()],
}

impl Default for Registry {
    fn default() -> Self {
        let mut registry = Self {
            tenants: Vec::new(),
            free_tenants: BTreeSet::new(),
            tenant_numbers: HashMap::new(),
            services: Slots::default(),
            subjects: Slots::default(),
        };
        registry.add_tenant(TenantId::default_tenant());
        registry
    }
}

impl Registry {
    pub(crate) fn subject(&self, number: u32) -> Option<&Subject> {
        self.subjects.get(number)
    }

    pub(crate) fn subject_mut(&mut self, number: u32) -> Option<&mut Subject> {
        self.subjects.get_mut(number)
    }

    pub(crate) fn service(&self, number: u32) -> Option<&Service> {
        self.services.get(number)
    }

    pub(crate) fn tenant(&self, number: u32) -> Option<&Tenant> {
        self.tenants.get(number as usize)
    }

    /// A tenant's number; `None` if there are too many.
    pub(crate) fn tenant_number(&mut self, id: &TenantId, options: &Options) -> Option<u32> {
        if let Some(number) = self.tenant_numbers.get(id) {
            return Some(*number);
        }
        let count = self.tenants.len() - self.free_tenants.len();
        (count < options.max_tenants.max(1)).then(|| self.add_tenant(id.clone()))
    }

    fn add_tenant(&mut self, id: TenantId) -> u32 {
        let Some(number) = self.free_tenants.pop_first() else { return self.push_tenant(id) };
        self.tenant_numbers.insert(id.clone(), number);
        self.tenants[number as usize] = Tenant::new(id);
        number
    }

    fn push_tenant(&mut self, id: TenantId) -> u32 {
        let number = self.tenants.len() as u32;
        self.tenant_numbers.insert(id.clone(), number);
        self.tenants.push(Tenant::new(id));
        number
    }

    /// Tenants of which nothing is known any more make room for others; the default tenant stays.
    fn forget_tenants(&mut self) {
        for (number, tenant) in (0..).zip(&self.tenants).skip(1) {
            if tenant.services.is_empty() && tenant.edges.is_empty() && self.free_tenants.insert(number) {
                self.tenant_numbers.remove(&tenant.id);
            }
        }
    }

    /// A service's number.
    pub(crate) fn service_number(&mut self, tenant: u32, name: &str, step: u32, options: &Options) -> u32 {
        let name = if name.is_empty() { UNKNOWN_SERVICE } else { name };
        let name = &name[..name.floor_char_boundary(options.max_name_bytes)];
        let known = &self.tenants[tenant as usize].services;
        let is_full = is_full(known, options.max_services) || self.services.len() >= options.max_subjects;
        let name = if is_full && !known.contains_key(name) { OTHER } else { name };
        if let Some(number) = known.get(name) {
            let number = *number;
            if let Some(service) = self.services.get_mut(number) {
                service.last_used = step;
            }
            return number;
        }
        let name: Arc<str> = Arc::from(name);
        let number = self.services.insert(Service::new(tenant, Arc::clone(&name), step));
        self.tenants[tenant as usize].services.insert(name, number);
        number
    }

    /// The number of an operation by kind and status.
    pub(crate) fn red(
        &mut self,
        service: u32,
        operation: &str,
        (kind, status): (u8, u8),
        step: u32,
        options: &Options,
    ) -> u32 {
        let Some(found) = self.services.get(service) else { return NONE };
        let tenant = found.tenant;
        let at = usize::from(kind) * STATUSES + usize::from(status);
        let is_full = is_full(&found.operations, options.max_operations);
        let is_over = is_full && !found.operations.contains_key(operation);
        let operation = if is_over { OTHER } else { operation };
        if let Some(number) =
            found.operations.get(operation).map(|numbers| numbers[at]).filter(|n| *n != NONE)
        {
            return number;
        }
        if self.subjects.len() >= options.max_subjects && &*found.name != OTHER {
            let other = self.other_service(tenant, step);
            return self.red(other, OTHER, (kind, status), step, options);
        }
        let operation: Arc<str> =
            Arc::from(if self.subjects.len() >= options.max_subjects { OTHER } else { operation });
        if let Some(number) = self.red_of(service, &operation, at) {
            return number;
        }
        let what = What::Red { service, operation: Arc::clone(&operation), kind, status };
        let number = self.subjects.insert(Subject { tenant, last_used: step, written: 0, what });
        if let Some(service) = self.services.get_mut(service) {
            service.operations.entry(operation).or_insert([NONE; KINDS * STATUSES])[at] = number;
        }
        number
    }

    fn red_of(&self, service: u32, operation: &str, at: usize) -> Option<u32> {
        let numbers = self.services.get(service)?.operations.get(operation)?;
        Some(numbers[at]).filter(|number| *number != NONE)
    }

    fn other_service(&mut self, tenant: u32, step: u32) -> u32 {
        let unlimited =
            Options { max_services: usize::MAX, max_name_bytes: OTHER.len(), ..Options::default() };
        self.service_number(tenant, OTHER, step, &unlimited)
    }

    /// The number of what is left out of a service's series.
    pub(crate) fn left(&mut self, service: u32, why: Why, step: u32) -> u32 {
        let Some(found) = self.services.get(service) else { return NONE };
        let (tenant, known) = (found.tenant, found.left[why as usize]);
        if known != NONE {
            return known;
        }
        let what = What::Left { service, why };
        let number = self.subjects.insert(Subject { tenant, last_used: step, written: 0, what });
        if let Some(service) = self.services.get_mut(service) {
            service.left[why as usize] = number;
        }
        number
    }

    /// The number under which the default tenant counts what other tenants had no room for.
    pub(crate) fn left_tenants(&mut self, step: u32) -> u32 {
        let service = self.other_service(0, step);
        self.left(service, Why::Tenants, step)
    }

    /// The number of an edge, under the cap of the service that told of it. `peer` is which end is not that service.
    pub(crate) fn edge(&mut self, edge: &NewEdge<'_>, step: u32, options: &Options) -> u32 {
        let Some(reporter) = self.services.get(edge.reporter) else { return NONE };
        let (tenant, own) = (reporter.tenant, Arc::clone(&reporter.name));
        let has_room = (reporter.peers[edge.kind as usize] as usize) < options.max_peers;
        let mut peer = edge.peer.to_owned();
        cut(&mut peer, options.max_name_bytes);
        let (named, other) = (edge.name(&own, &peer), edge.name(&own, OTHER));
        let edges = &self.tenants[tenant as usize].edges;
        if let Some(number) = edges.get(&named) {
            return *number;
        }
        let is_full = self.subjects.len() >= options.max_subjects;
        let name = match (is_full, has_room) {
            (true, _) => (edge.kind, Arc::from(OTHER), Arc::from(OTHER)),
            (false, false) => other,
            (false, true) => named,
        };
        if let Some(number) = edges.get(&name) {
            return *number;
        }
        let reporter = if is_full { self.other_service(tenant, step) } else { edge.reporter };
        let is_peer = u32::from(is_peer(&name.1, &name.2));
        if let Some(service) = self.services.get_mut(reporter) {
            service.edges += 1;
            service.peers[edge.kind as usize] += is_peer;
        }
        let (kind, client, server) = name.clone();
        let what = What::Edge { reporter, kind, client, server };
        let number = self.subjects.insert(Subject { tenant, last_used: step, written: 0, what });
        self.tenants[tenant as usize].edges.insert(name, number);
        number
    }

    /// Whether a number stands for what was over a cap, or for nothing.
    pub(crate) fn is_other(&self, number: u32) -> bool {
        self.subject(number).is_none_or(|subject| match &subject.what {
            What::Red { operation, .. } => &**operation == OTHER,
            What::Edge { client, server, .. } => !is_peer(client, server),
            What::Left { .. } => true,
        })
    }

    /// Says that a subject was counted.
    pub(crate) fn touch(&mut self, subject: u32, step: u32) {
        if let Some(subject) = self.subjects.get_mut(subject) {
            subject.last_used = subject.last_used.max(step);
        }
    }

    /// The clock is set back to a step: nothing was seen after it, nor written.
    pub(crate) fn set_back(&mut self, step: u32) {
        for subject in self.subjects.iter_mut() {
            subject.last_used = subject.last_used.min(step);
            subject.written = 0;
        }
        for service in self.services.iter_mut() {
            service.last_used = service.last_used.min(step);
        }
    }

    /// Forgets what was not seen for an hour; answers the numbers of the subjects, ascending.
    pub(crate) fn sweep(&mut self, step: u32) -> Vec<u32> {
        let is_old = |last_used: u32| last_used.saturating_add(KEPT_STEPS) < step;
        let gone: Vec<u32> = self
            .subjects
            .iter()
            .filter(|(_, subject)| is_old(subject.last_used))
            .map(|(number, _)| number)
            .collect();
        for number in &gone {
            self.forget(*number);
        }
        let idle: Vec<u32> = self
            .services
            .iter()
            .filter(|(_, service)| is_old(service.last_used) && service.is_empty())
            .map(|(number, _)| number)
            .collect();
        for number in idle {
            if let Some(service) = self.services.remove(number) {
                self.tenants[service.tenant as usize].services.remove(&service.name);
            }
        }
        self.forget_tenants();
        gone
    }

    fn forget(&mut self, number: u32) {
        let Some(Subject { tenant, what, .. }) = self.subjects.remove(number) else { return };
        match what {
            What::Red { service, operation, kind, status } => {
                let Some(service) = self.services.get_mut(service) else { return };
                if let Some(numbers) = service.operations.get_mut(&operation) {
                    numbers[usize::from(kind) * STATUSES + usize::from(status)] = NONE;
                    if numbers.iter().all(|number| *number == NONE) {
                        service.operations.remove(&operation);
                    }
                }
            }
            What::Edge { reporter, kind, client, server } => {
                let is_peer = u32::from(is_peer(&client, &server));
                self.tenants[tenant as usize].edges.remove(&(kind, client, server));
                if let Some(service) = self.services.get_mut(reporter) {
                    service.edges -= 1;
                    service.peers[kind as usize] -= is_peer;
                }
            }
            What::Left { service, why } => {
                if let Some(service) = self.services.get_mut(service) {
                    service.left[why as usize] = NONE;
                }
            }
        }
    }
}

/// Whether an edge counts under the cap on peers.
fn is_peer(client: &str, server: &str) -> bool {
    client != OTHER && server != OTHER
}

/// Whether there are so many names; `__other__` is none of them.
fn is_full<T>(named: &HashMap<Arc<str>, T>, max: usize) -> bool {
    named.len() - usize::from(named.contains_key(OTHER)) >= max
}

/// An edge to be found or made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewEdge<'a> {
    pub(crate) kind: EdgeKind,
    /// The service that told of it.
    pub(crate) reporter: u32,
    /// The other end.
    pub(crate) peer: &'a str,
    /// Whether the other end calls.
    pub(crate) is_peer_client: bool,
}

impl NewEdge<'_> {
    fn name(&self, own: &Arc<str>, peer: &str) -> EdgeName {
        let (own, peer) = (Arc::clone(own), Arc::from(peer));
        if self.is_peer_client { (self.kind, peer, own) } else { (self.kind, own, peer) }
    }
}

impl Tenant {
    fn new(id: TenantId) -> Self {
        Self { id, services: HashMap::new(), edges: HashMap::new() }
    }
}

impl Service {
    fn new(tenant: u32, name: Arc<str>, last_used: u32) -> Self {
        Self {
            tenant,
            name,
            last_used,
            operations: HashMap::new(),
            peers: [0; EdgeKind::ALL.len()],
            edges: 0,
            left: [NONE; Why::ALL.len()],
        }
    }

    fn is_empty(&self) -> bool {
        self.operations.is_empty() && self.edges == 0 && self.left.iter().all(|number| *number == NONE)
    }
}
