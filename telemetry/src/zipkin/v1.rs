//! Version 1, where one span may hold what both sides of a call have told: `cs` and `cr` are the client's begin and
//! end, `sr` and `ss` the server's, `ms` and `mr` a message's, `ws` and `wr` its bytes on the wire. Each endpoint's
//! part becomes a span of v2, by the rules that Zipkin itself converts by.

use std::borrow::Cow;

use serde::de::{IgnoredAny, MapAccess};

use super::json::{Fill, List, Number, Object, Truth, text};
use super::span::{Annotation, Endpoint, Id, Kind, Span as Side};
use super::write::Writer;
use crate::json_text::Scalar;

/// A span of version 1.
#[derive(Debug, Default)]
pub(super) struct Span<'a> {
    trace_id: Id<'a>,
    parent_id: Id<'a>,
    id: Id<'a>,
    name: Cow<'a, str>,
    timestamp: u64,
    duration: u64,
    annotations: Vec<Told<'a>>,
    binary_annotations: Vec<Tag<'a>>,
    is_debug: bool,
}

/// An annotation, and who told it.
#[derive(Clone, Debug, Default)]
struct Told<'a> {
    annotation: Annotation<'a>,
    endpoint: Endpoint<'a>,
}

/// A tag, or the address of somebody: `ca`, `sa`, `ma`.
#[derive(Debug, Default)]
struct Tag<'a> {
    key: Cow<'a, str>,
    value: Cow<'a, str>,
    endpoint: Endpoint<'a>,
}

/// The annotations that say where a call or message is.
#[derive(Clone, Copy, Debug)]
enum Core {
    Cs,
    Cr,
    Sr,
    Ss,
    Ms,
    Mr,
    Ws,
    Wr,
}

use Core::{Cr, Cs, Mr, Ms, Sr, Ss, Wr, Ws};

const CORE: [(&str, Core, Option<Kind>); 8] = [
    ("cs", Cs, Some(Kind::Client)),
    ("cr", Cr, Some(Kind::Client)),
    ("sr", Sr, Some(Kind::Server)),
    ("ss", Ss, Some(Kind::Server)),
    ("ms", Ms, Some(Kind::Producer)),
    ("mr", Mr, Some(Kind::Consumer)),
    ("ws", Ws, None),
    ("wr", Wr, None),
];

/// A call has two sides; what has many more is made to be slow.
const MAX_SIDES: usize = 16;

/// The spans of version 2 that a span is, at least one; or what is wrong with it. They borrow its texts: a text with
/// an escape is one of its own, and a copy for each side would be memory that nobody asked for.
pub(super) fn sides<'a>(source: &'a Span<'a>) -> Result<Vec<Side<'a>>, String> {
    let mut split = Split { all: vec![side(source, &Endpoint::default())], core: Default::default(), source };
    split.annotations();
    split.begins_out_of_ends();
    split.call();
    split.message();
    split.tags();
    if split.all.len() > MAX_SIDES {
        return Err(format!("is told by more than {MAX_SIDES} services"));
    }
    Ok(split.all)
}

fn side<'a>(source: &'a Span<'a>, local: &Endpoint<'a>) -> Side<'a> {
    Side {
        trace_id: source.trace_id.borrowed(),
        parent_id: source.parent_id.borrowed(),
        id: source.id.borrowed(),
        name: Cow::Borrowed(&source.name),
        is_debug: source.is_debug,
        local: local.clone(),
        ..Side::default()
    }
}

/// A span while it is split.
struct Split<'a> {
    source: &'a Span<'a>,
    /// The first is there from the start and takes the first endpoint that comes.
    all: Vec<Side<'a>>,
    core: [Option<Told<'a>>; 8],
}

impl<'a> Split<'a> {
    fn core(&self, which: Core) -> Option<Told<'a>> {
        self.core[which as usize].clone()
    }

    /// The side of an endpoint: services are told apart, not addresses.
    fn side(&mut self, endpoint: &Endpoint<'a>) -> &mut Side<'a> {
        let at = self.place(endpoint);
        &mut self.all[at]
    }

    fn place(&mut self, endpoint: &Endpoint<'a>) -> usize {
        if endpoint.is_empty() {
            return 0;
        }
        if self.all[0].local.is_empty() {
            self.all[0].local = endpoint.clone();
            return 0;
        }
        match self.all.iter().position(|side| side.local.service == endpoint.service) {
            Some(at) => at,
            // One too many is enough to be refused.
            None if self.all.len() > MAX_SIDES => 0,
            None => self.fork(endpoint),
        }
    }

    fn fork(&mut self, endpoint: &Endpoint<'a>) -> usize {
        self.all.push(side(self.source, endpoint));
        self.all.len() - 1
    }

    fn annotations(&mut self) {
        for told in self.source.annotations.iter().map(Told::borrowed) {
            let core = CORE.iter().find(|(value, ..)| told.annotation.value == *value);
            // Without an endpoint nobody knows whose side it is.
            match core.filter(|_| !told.endpoint.is_empty()) {
                Some((_, which, kind)) => {
                    let side = self.side(&told.endpoint);
                    side.kind = kind.unwrap_or(side.kind);
                    self.core[*which as usize] = Some(told);
                }
                None => self.side(&told.endpoint).annotations.push(told.annotation),
            }
        }
    }

    /// Who turns events into spans may lose a begin; the span's own times say when it was.
    fn begins_out_of_ends(&mut self) {
        let Span { timestamp, duration, .. } = *self.source;
        for (begin, end) in [(Cs, Cr), (Sr, Ss)] {
            let Some(end) = self.core(end).filter(|_| self.core[begin as usize].is_none()) else { continue };
            let is_whole = timestamp != 0 && duration != 0;
            if is_whole && timestamp.checked_add(duration) == Some(end.annotation.timestamp) {
                let annotation = Annotation { timestamp, ..Annotation::default() };
                self.core[begin as usize] = Some(Told { annotation, ..end });
            }
        }
    }

    fn call(&mut self) {
        match (self.core(Cs), self.core(Cr), self.core(Sr), self.core(Ss)) {
            (Some(cs), cr, Some(sr), ss) => self.both(&cs, cr.as_ref(), &sr, ss.as_ref()),
            (Some(cs), Some(cr), None, _) => self.times(&cs, Some(&cr)),
            (None, _, Some(sr), Some(ss)) => self.times(&sr, Some(&ss)),
            _ => self.incomplete(),
        }
        // There was no flag for it: a server that did not begin the span did not say when it began.
        if let (None, Some(sr)) = (self.core(Cs), self.core(Sr))
            && (self.source.timestamp == 0 || self.core(Ss).is_some() && self.source.duration == 0)
        {
            self.side(&sr.endpoint).is_shared = true;
        }
    }

    /// The client owns the span's times, the server has what it has told.
    fn both(&mut self, cs: &Told<'a>, cr: Option<&Told<'a>>, sr: &Told<'a>, ss: Option<&Told<'a>>) {
        self.times(cs, cr);
        let client = self.place(&cs.endpoint);
        let server = if cs.endpoint.service == sr.endpoint.service {
            self.all[client].kind = Kind::Client;
            self.fork(&sr.endpoint)
        } else {
            self.place(&sr.endpoint)
        };
        if cr.is_none() && self.source.duration == 0 {
            self.all[client].duration = 0;
        }
        let server = &mut self.all[server];
        server.kind = Kind::Server;
        server.is_shared = true;
        server.timestamp = sr.annotation.timestamp;
        if let Some(ss) = ss {
            server.duration = between(sr, ss);
        }
    }

    fn times(&mut self, begin: &Told<'a>, end: Option<&Told<'a>>) {
        let Span { timestamp, duration, .. } = *self.source;
        let side = self.side(&begin.endpoint);
        if timestamp != 0 && duration != 0 {
            (side.timestamp, side.duration) = (timestamp, duration);
        } else {
            side.timestamp = begin.annotation.timestamp;
            side.duration = end.map_or(side.duration, |end| between(begin, end));
        }
    }

    /// One end of a call is not known: what is known of it is an annotation like others.
    fn incomplete(&mut self) {
        for (kind, begin, end) in [(Kind::Client, Cs, Cr), (Kind::Server, Sr, Ss)] {
            let (begin, end) = (self.core(begin), self.core(end));
            for side in self.all.iter_mut().filter(|side| side.kind == kind) {
                if let Some(begin) = &begin {
                    side.timestamp = begin.annotation.timestamp;
                }
                side.annotations.extend(end.iter().map(|end| end.annotation.clone()));
            }
        }
        if self.source.timestamp != 0 {
            self.all[0].timestamp = self.source.timestamp;
            self.all[0].duration = self.source.duration;
        }
    }

    fn message(&mut self) {
        let (ws, wr) = (self.core(Ws), self.core(Wr));
        match (self.core(Ms), self.core(Mr)) {
            (Some(ms), Some(mr)) => {
                let producer = self.place(&ms.endpoint);
                let consumer = if ms.endpoint.service == mr.endpoint.service {
                    self.fork(&mr.endpoint)
                } else {
                    self.place(&mr.endpoint)
                };
                let first = wr.as_ref().unwrap_or(&mr);
                let consumer = &mut self.all[consumer];
                (consumer.kind, consumer.is_shared) = (Kind::Consumer, true);
                (consumer.timestamp, consumer.duration) = (first.annotation.timestamp, between(first, &mr));
                let producer = &mut self.all[producer];
                producer.kind = Kind::Producer;
                producer.timestamp = ms.annotation.timestamp;
                producer.duration = ws.map_or(0, |ws| between(&ms, &ws));
            }
            (Some(ms), None) => self.times(&ms, ws.as_ref()),
            (None, Some(mr)) => match wr {
                Some(wr) => self.times(&wr, Some(&mr)),
                None => self.times(&mr, None),
            },
            (None, None) => {
                for told in [ws, wr].into_iter().flatten() {
                    self.side(&told.endpoint).annotations.push(told.annotation);
                }
            }
        }
    }

    fn tags(&mut self) {
        let (mut client, mut server, mut broker) = (None, None, None);
        for Tag { key, value, endpoint } in &self.source.binary_annotations {
            let endpoint = endpoint.borrowed();
            match &**key {
                "ca" => client = Some(endpoint),
                "sa" => server = Some(endpoint),
                "ma" => broker = Some(endpoint),
                // A mark of a local span, not a component's name.
                "lc" if value.is_empty() => {}
                _ => self.side(&endpoint).tags.push((Cow::Borrowed(key), Cow::Borrowed(value))),
            }
        }
        let has_call = [Cs, Cr, Sr, Ss].iter().any(|core| self.core(*core).is_some());
        if !has_call && (client.is_some() || server.is_some()) {
            self.addresses_alone(client, server);
            return;
        }
        if let (Some(mut client), Some(of_server)) = (client, self.core(Sr).or(self.core(Ss)))
            && client != of_server.endpoint
        {
            // Finagle names its own service for the client's port; nobody calls themselves by that.
            if client.service == of_server.endpoint.service {
                client.service = Cow::Borrowed("");
            }
            self.side(&of_server.endpoint).remote = client;
        }
        if let (Some(server), Some(of_client)) = (server, self.core(Cs).or(self.core(Cr))) {
            self.side(&of_client.endpoint).remote = server;
        }
        for told in [self.core(Ms), self.core(Mr)].into_iter().flatten() {
            if let Some(broker) = &broker {
                self.side(&told.endpoint).remote = broker.clone();
            }
        }
    }

    /// Addresses of a call about which nothing else is told.
    fn addresses_alone(&mut self, client: Option<Endpoint<'a>>, server: Option<Endpoint<'a>>) {
        match (client, server) {
            (Some(client), Some(server)) => self.side(&client).remote = server,
            (None, Some(server)) => self.all[0].remote = server,
            (Some(client), None) => {
                self.all[0].kind = Kind::Server;
                self.all[0].remote = client;
            }
            (None, None) => {}
        }
    }
}

impl Told<'_> {
    fn borrowed(&self) -> Told<'_> {
        Told { annotation: self.annotation.borrowed(), endpoint: self.endpoint.borrowed() }
    }
}

fn between(begin: &Told<'_>, end: &Told<'_>) -> u64 {
    end.annotation.timestamp.saturating_sub(begin.annotation.timestamp)
}

impl<'de> Fill<'de> for Span<'de> {
    const WHAT: &'static str = "a span as an object";

    fn member<A: MapAccess<'de>>(
        &mut self,
        name: Cow<'de, str>,
        map: &mut A,
        writer: &mut Writer<'_>,
    ) -> Result<(), A::Error> {
        match &*name {
            "traceId" => self.trace_id = Id::Text(text(map)?),
            "parentId" => self.parent_id = Id::Text(text(map)?),
            "id" => self.id = Id::Text(text(map)?),
            "name" => self.name = text(map)?,
            "timestamp" => self.timestamp = map.next_value_seed(Number)?,
            "duration" => self.duration = map.next_value_seed(Number)?,
            "annotations" => map.next_value_seed(List { items: &mut self.annotations, writer })?,
            "binaryAnnotations" => {
                map.next_value_seed(List { items: &mut self.binary_annotations, writer })?;
            }
            "debug" => self.is_debug = map.next_value_seed(Truth)?,
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

impl<'de> Fill<'de> for Told<'de> {
    const WHAT: &'static str = "an annotation as an object";

    fn member<A: MapAccess<'de>>(
        &mut self,
        name: Cow<'de, str>,
        map: &mut A,
        writer: &mut Writer<'_>,
    ) -> Result<(), A::Error> {
        match &*name {
            "endpoint" => map.next_value_seed(Object { item: &mut self.endpoint, writer }),
            _ => self.annotation.member(name, map, writer),
        }
    }
}

impl<'de> Fill<'de> for Tag<'de> {
    const WHAT: &'static str = "a binary annotation as an object";

    fn member<A: MapAccess<'de>>(
        &mut self,
        name: Cow<'de, str>,
        map: &mut A,
        writer: &mut Writer<'_>,
    ) -> Result<(), A::Error> {
        match &*name {
            "key" => self.key = text(map)?,
            // A truth value or number of another type than text stays as it is written.
            "value" => self.value = map.next_value_seed(Scalar)?,
            "endpoint" => map.next_value_seed(Object { item: &mut self.endpoint, writer })?,
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Texts that are their own, as those with an escape are.
    fn own(text: &str) -> Cow<'static, str> {
        Cow::Owned(text.to_owned())
    }

    #[test]
    fn sides_copy_no_text() {
        let endpoint = |at: usize| Endpoint {
            service: own(&format!("s{at}")),
            ipv4: own("10.0.0.1"),
            ipv6: own("::1"),
            port: 1,
        };
        let told = |at: usize, value: &str| Told {
            annotation: Annotation { timestamp: 1, value: own(value) },
            endpoint: endpoint(at),
        };
        let mut source = Span {
            trace_id: Id::Text(own("1")),
            parent_id: Id::Text(own("2")),
            id: Id::Text(own("3")),
            name: own("name"),
            ..Span::default()
        };
        source.annotations = ["cs", "cr", "sr", "ss", "ms", "mr", "ws", "wr", "x", "y"]
            .iter()
            .enumerate()
            .map(|(at, value)| told(at, value))
            .collect();
        source.binary_annotations = ["ca", "sa", "ma", "k"]
            .iter()
            .map(|key| Tag { key: own(key), value: own("v"), endpoint: endpoint(1) })
            .collect();
        let sides = sides(&source).unwrap();
        assert_eq!(sides.len(), 10);
        let is_borrowed = |text: &Cow<'_, str>| text.is_empty() || matches!(text, Cow::Borrowed(_));
        for side in &sides {
            for id in [&side.trace_id, &side.parent_id, &side.id] {
                assert!(matches!(id, Id::Text(Cow::Borrowed(_))), "{id:?}");
            }
            let ends = [&side.local, &side.remote];
            let texts = ends.into_iter().flat_map(|end| [&end.service, &end.ipv4, &end.ipv6]);
            let texts = texts.chain([&side.name]).chain(side.annotations.iter().map(|one| &one.value));
            let texts = texts.chain(side.tags.iter().flat_map(|(key, value)| [key, value]));
            texts.for_each(|text| assert!(is_borrowed(text), "{text}"));
        }
    }
}
