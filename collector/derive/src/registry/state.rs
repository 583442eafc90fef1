//! The registry's bytes in a state: tenants, services and subjects by number; the maps are made anew.

use super::{KINDS, NONE, Registry, STATUSES, Service, Subject, Tenant, What, is_peer};
use crate::bytes::{Reader, put_bytes, put_uint};
use crate::subject::{EdgeKind, Why};
use std::sync::Arc;
use telemetry::TenantId;

impl Registry {
    /// Appends its bytes.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        put_uint(out, self.tenants.len() as u64);
        for (number, tenant) in (0..).zip(&self.tenants) {
            let is_free = self.free_tenants.contains(&number);
            put_bytes(out, if is_free { &[] } else { tenant.id.as_str().as_bytes() });
        }
        put_uint(out, self.services.len() as u64);
        for (number, service) in self.services.iter() {
            [number, service.tenant, service.last_used].iter().for_each(|n| put_uint(out, u64::from(*n)));
            put_bytes(out, service.name.as_bytes());
        }
        put_uint(out, self.subjects.len() as u64);
        for (number, subject) in self.subjects.iter() {
            let Subject { tenant, last_used, written, what } = subject;
            [number, *tenant, *last_used, *written].iter().for_each(|n| put_uint(out, u64::from(*n)));
            encode_what(out, what);
        }
    }

    /// Reads what `encode` wrote.
    pub(crate) fn decode(reader: &mut Reader<'_>) -> Option<Self> {
        let mut registry = Self::default();
        for at in 0..reader.count()? {
            let text = reader.text()?;
            if at > 0 && text.is_empty() {
                registry.free_tenants.insert(registry.tenants.len() as u32);
                registry.tenants.push(Tenant::new(TenantId::default_tenant()));
                continue;
            }
            let id = TenantId::new(text).ok()?;
            if at == 0 && id == registry.tenants[0].id {
                continue;
            }
            if registry.tenant_numbers.contains_key(&id) {
                return None;
            }
            registry.push_tenant(id);
        }
        for _ in 0..reader.count()? {
            let (number, tenant, last_used) = (reader.uint32()?, reader.uint32()?, reader.uint32()?);
            let name: Arc<str> = Arc::from(reader.text()?);
            let services = &mut registry.tenants.get_mut(tenant as usize)?.services;
            if services.insert(Arc::clone(&name), number).is_some() {
                return None;
            }
            registry.services.restore(number, Service::new(tenant, name, last_used))?;
        }
        for _ in 0..reader.count()? {
            let number = reader.uint32()?;
            let (tenant, last_used, written) = (reader.uint32()?, reader.uint32()?, reader.uint32()?);
            let what = decode_what(reader)?;
            registry.link(number, tenant, &what)?;
            registry.subjects.restore(number, Subject { tenant, last_used, written, what })?;
        }
        Some(registry)
    }

    /// Makes a restored subject known under its names.
    fn link(&mut self, number: u32, tenant: u32, what: &What) -> Option<()> {
        let edges = &mut self.tenants.get_mut(tenant as usize)?.edges;
        let previous = match what {
            What::Red { service, operation, kind, status } => {
                let operations = &mut self.services.get_mut(*service)?.operations;
                let numbers = operations.entry(Arc::clone(operation)).or_insert([NONE; KINDS * STATUSES]);
                let at = usize::from(*kind) * STATUSES + usize::from(*status);
                std::mem::replace(numbers.get_mut(at)?, number)
            }
            What::Edge { reporter, kind, client, server } => {
                let service = self.services.get_mut(*reporter)?;
                service.edges += 1;
                service.peers[*kind as usize] += u32::from(is_peer(client, server));
                edges.insert((*kind, Arc::clone(client), Arc::clone(server)), number).unwrap_or(NONE)
            }
            What::Left { service, why } => {
                std::mem::replace(&mut self.services.get_mut(*service)?.left[*why as usize], number)
            }
        };
        (previous == NONE).then_some(())
    }
}

fn encode_what(out: &mut Vec<u8>, what: &What) {
    match what {
        What::Red { service, operation, kind, status } => {
            out.extend([0, *kind, *status]);
            put_uint(out, u64::from(*service));
            put_bytes(out, operation.as_bytes());
        }
        What::Edge { reporter, kind, client, server } => {
            out.extend([1, *kind as u8]);
            put_uint(out, u64::from(*reporter));
            put_bytes(out, client.as_bytes());
            put_bytes(out, server.as_bytes());
        }
        What::Left { service, why } => {
            out.extend([2, *why as u8]);
            put_uint(out, u64::from(*service));
        }
    }
}

fn decode_what(reader: &mut Reader<'_>) -> Option<What> {
    Some(match reader.byte()? {
        0 => {
            let kind = reader.byte().filter(|kind| usize::from(*kind) < KINDS)?;
            let status = reader.byte().filter(|status| usize::from(*status) < STATUSES)?;
            What::Red { kind, status, service: reader.uint32()?, operation: Arc::from(reader.text()?) }
        }
        1 => What::Edge {
            kind: *EdgeKind::ALL.get(usize::from(reader.byte()?))?,
            reporter: reader.uint32()?,
            client: Arc::from(reader.text()?),
            server: Arc::from(reader.text()?),
        },
        2 => What::Left { why: *Why::ALL.get(usize::from(reader.byte()?))?, service: reader.uint32()? },
        _ => return None,
    })
}
