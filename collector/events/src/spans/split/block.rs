//! A block: its columns are read, decoded and cached each on its own, when they are asked for.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use telemetry::otlp::{SpanKind, StatusCode};

use super::attribute::{self, Attribute};
use super::columns::{self, EventNames, Names, Texts};
use super::format::{BlockMeta, Part as Section, SheetId, slot_section};
use super::ids::{self, Parents, SpanId, Traces};
use super::numbers::{self, Arguments, cut_off};
use super::reader::{SpanReader, Tables};
use super::sheet::{Column, Layout, Places};
use super::slot::{self, Kind};
use super::take::lifted;
use super::whole::WholeBlock;
use super::writer::argument;
use crate::cache::{Part, SpanPart};
use crate::split::ReadError;
use crate::split::coded::Coded;
use crate::split::column::Decoded;

/// A block of an open file; cheap to make. A row is its place in the block.
#[derive(Clone)]
pub(crate) struct Block {
    pub(super) reader: SpanReader,
    block: usize,
    /// All of its bytes, once they are read together.
    bytes: OnceLock<Bytes>,
}

impl Block {
    pub(super) fn new(reader: SpanReader, block: usize) -> Self {
        Self { reader, block, bytes: OnceLock::new() }
    }

    pub(crate) fn meta(&self) -> &BlockMeta {
        &self.reader.blocks()[self.block]
    }

    /// What its rows refer to.
    pub(crate) fn tables(&self) -> Result<Arc<Tables>, ReadError> {
        self.reader.tables()
    }

    pub(crate) fn rows(&self) -> usize {
        self.meta().rows as usize
    }

    /// Which rows are which trace's.
    pub(crate) fn traces(&self) -> Result<Arc<Traces>, ReadError> {
        let (count, rows) = (self.meta().traces as usize, self.rows());
        self.decoded(Section::Traces, |bytes| Traces::decode(bytes, count, rows), Traces::size_bytes)
    }

    pub(crate) fn seqs(&self) -> Result<Arc<Vec<u64>>, ReadError> {
        self.decoded(Section::Seqs, |bytes| ids::decode_seqs(bytes, self.rows()), |seqs| 8 * seqs.len())
    }

    /// Effective times.
    pub(crate) fn times(&self) -> Result<Arc<Vec<i64>>, ReadError> {
        let starts = self.starts()?;
        self.cached(SpanPart::Times, || {
            let mut times: Vec<i64> = starts.iter().map(|start| *start as i64).collect();
            if let Some((column, places)) = self.field(SheetId::Spans, Kind::Number, slot::TIME)? {
                for (row, time) in times.iter_mut().enumerate() {
                    let own = places.get(row).and_then(|place| column.number(place));
                    *time = own.unwrap_or(*time);
                }
            }
            let size_bytes = 8 * times.len();
            Ok((times, size_bytes))
        })
    }

    /// Starts as the spans have them; 0 for none.
    pub(crate) fn starts(&self) -> Result<Arc<Vec<u64>>, ReadError> {
        let traces = self.traces()?;
        self.decoded(Section::Starts, |bytes| ids::decode_starts(bytes, &traces), |starts| 8 * starts.len())
    }

    /// End less start, wrapping.
    fn wrapped_durations(&self) -> Result<Arc<Vec<i64>>, ReadError> {
        let decode = |bytes: &[u8]| numbers::decode_plain(bytes, self.rows());
        self.decoded(Section::Durations, decode, |durations| 8 * durations.len())
    }

    /// Ends as the spans have them; 0 for none.
    pub(crate) fn ends(&self) -> Result<Arc<Vec<u64>>, ReadError> {
        let (starts, durations) = (self.starts()?, self.wrapped_durations()?);
        let ends = starts.iter().zip(durations.iter());
        Ok(Arc::new(ends.map(|(start, duration)| start.wrapping_add(*duration as u64)).collect()))
    }

    /// As [`telemetry::otlp::Span::duration_ns`].
    pub(crate) fn durations(&self) -> Result<Arc<Vec<u64>>, ReadError> {
        let wrapped = self.wrapped_durations()?;
        self.cached(SpanPart::Durations, || {
            let mut durations: Vec<u64> = wrapped.iter().map(|duration| *duration as u64).collect();
            // Of a negative number, and of starts past 2262 (no effective times, as all others are), only the start says
            // whether it went round or back.
            let times = self.field(SheetId::Spans, Kind::Number, slot::TIME)?;
            if times.is_some() || wrapped.iter().any(|duration| *duration < 0) {
                for (duration, start) in durations.iter_mut().zip(self.starts()?.iter()) {
                    *duration = start.wrapping_add(*duration).saturating_sub(*start);
                }
            }
            let size_bytes = 8 * durations.len();
            Ok((durations, size_bytes))
        })
    }

    /// All zeros for none.
    pub(crate) fn span_ids(&self) -> Result<Arc<Vec<SpanId>>, ReadError> {
        let decode = |bytes: &[u8]| ids::decode_span_ids(bytes, self.rows());
        self.decoded(Section::SpanIds, decode, |ids| 8 * ids.len())
    }

    pub(crate) fn parents(&self) -> Result<Arc<Parents>, ReadError> {
        let (layout, tables, span_ids) =
            (self.layout(SheetId::Spans)?, self.reader.tables()?, self.span_ids()?);
        let sheet = tables.sheet(SheetId::Spans);
        let has_parent = |shape: &u32| sheet.shapes[*shape as usize].bits & lifted::HAS_PARENT != 0;
        let decode = |bytes: &[u8]| Parents::decode(bytes, layout.shapes.iter().map(has_parent), &span_ids);
        self.decoded(Section::Parents, decode, Parents::size_bytes)
    }

    /// Resource and scope: numbers of [`super::Tables::streams`].
    pub(crate) fn streams(&self) -> Result<Arc<Coded<u32>>, ReadError> {
        let limit = self.reader.tables()?.streams.len();
        self.codes(Section::Streams, limit, 0, |code| code)
    }

    pub(crate) fn names(&self) -> Result<Arc<Names>, ReadError> {
        let tables = self.reader.tables()?;
        let codes = self.name_codes()?;
        self.cached(SpanPart::Names, || {
            let others = self.section(Section::OtherNames as u32)?;
            let names = Names::decode(tables, codes, &others)?;
            let size_bytes = names.size_bytes();
            Ok((names, size_bytes))
        })
    }

    /// One more than the number of each row's name, or 0 for one that has none.
    fn name_codes(&self) -> Result<Arc<Coded<u32>>, ReadError> {
        let limit = self.reader.tables()?.names.len() + 1;
        self.codes(Section::Names, limit, argument::NAME, |code| code)
    }

    pub(crate) fn kinds(&self) -> Result<Arc<Coded<SpanKind>>, ReadError> {
        let of = |code| SpanKind::of_number(u64::from(code));
        self.codes(Section::Kinds, SpanKind::ALL.len(), argument::KIND, of)
    }

    pub(crate) fn statuses(&self) -> Result<Arc<Coded<StatusCode>>, ReadError> {
        let of = |code| StatusCode::of_number(u64::from(code));
        self.codes(Section::Statuses, StatusCode::ALL.len(), argument::STATUS, of)
    }

    pub(crate) fn status_messages(&self) -> Result<Arc<Texts>, ReadError> {
        self.cached(SpanPart::StatusMessages, || {
            let texts = columns::status_messages(self)?;
            let size_bytes = texts.size_bytes();
            Ok((texts, size_bytes))
        })
    }

    /// The value of each row under `path` as [`search::lookup`] finds it. Only the columns of that are read.
    pub(crate) fn attribute(&self, path: &str) -> Result<Arc<Attribute>, ReadError> {
        attribute::read(self, path).map(Arc::new)
    }

    /// The keys of its spans' attributes and how many rows have each, about.
    pub(crate) fn attribute_keys(&self) -> Result<Vec<(String, u32)>, ReadError> {
        let (layout, tables) = (self.layout(SheetId::Spans)?, self.reader.tables()?);
        Ok(attribute::keys(&layout, tables.sheet(SheetId::Spans)))
    }

    /// The names of each span's events.
    pub(crate) fn event_names(&self) -> Result<Arc<EventNames>, ReadError> {
        self.cached(SpanPart::EventNames, || {
            let names = columns::event_names(self)?;
            let size_bytes = names.size_bytes();
            Ok((names, size_bytes))
        })
    }

    /// All columns, to put spans together.
    pub(crate) fn whole(&self) -> Result<Arc<WholeBlock>, ReadError> {
        let block = Self { bytes: OnceLock::new(), ..self.clone() };
        if !self.knows_most() {
            let (offset, len) = self.meta().range();
            let _is_first = block.bytes.set(self.reader.file.read(offset, len)?);
        }
        WholeBlock::read(&block).map(Arc::new)
    }

    /// Whether nearly all slots of spans are in the cache: if not, one read is cheaper than many.
    fn knows_most(&self) -> bool {
        let (file, index) = (&self.reader.file, self.block as u32);
        let layout = file.known::<Layout>(Part::Span(SpanPart::Layout(SheetId::Spans as u8)), index);
        layout.is_some_and(|layout| {
            let number = |slot: &u32| slot_section(SheetId::Spans, *slot) as u16;
            let is_known = |slot: &u32| {
                file.known::<Column>(Part::Span(SpanPart::Column(number(slot))), index).is_some()
            };
            layout.slots.iter().filter(|slot| !is_known(slot)).count() < 3
        })
    }

    pub(super) fn cached<T: Send + Sync + 'static>(
        &self,
        part: SpanPart,
        load: impl FnOnce() -> Result<(T, usize), ReadError>,
    ) -> Result<Arc<T>, ReadError> {
        self.reader.file.cached(Part::Span(part), self.block as u32, load)
    }

    /// A section's bytes, checked.
    pub(super) fn section(&self, number: u32) -> Result<Bytes, ReadError> {
        let section = self.meta().section(number);
        let Some(bytes) = self.bytes.get().filter(|_| section.len > 0) else {
            return self.reader.file.section(&section, "a column");
        };
        let start = (section.offset - self.meta().range().0) as usize;
        let part = bytes.slice(start..start + section.len as usize);
        match crc32c::crc32c(&part) == section.crc {
            true => Ok(part),
            false => {
                let offset = section.offset;
                Err(ReadError::Damaged(format!("a column at byte {offset} has a bad checksum")))
            }
        }
    }

    fn decoded<T: Send + Sync + 'static>(
        &self,
        section: Section,
        decode: impl FnOnce(&[u8]) -> Decoded<T>,
        size_bytes: impl FnOnce(&T) -> usize,
    ) -> Result<Arc<T>, ReadError> {
        self.cached(SpanPart::Column(section as u16), || {
            let decoded = decode(&self.section(section as u32)?)?;
            let size_bytes = size_bytes(&decoded);
            Ok((decoded, size_bytes))
        })
    }

    /// A column of codes below `limit`, which may be a function of those whose number is below `arguments`.
    fn codes<T: Send + Sync + 'static>(
        &self,
        section: Section,
        limit: usize,
        arguments: u8,
        of: impl Fn(u32) -> T,
    ) -> Result<Arc<Coded<T>>, ReadError> {
        self.cached(SpanPart::Column(section as u16), || {
            let bytes = self.section(section as u32)?;
            let codes = self.with_arguments(
                arguments,
                |codes| codes,
                |arguments| numbers::codes(numbers::decode(&bytes, self.rows(), arguments)?, limit),
            )?;
            let coded = Coded::of_numbers(&codes).map(of);
            let size_bytes = coded.size_bytes();
            Ok((coded, size_bytes))
        })
    }

    /// Decodes what may be a function of columns whose number is below `limit`; `of_values` makes codes of values of
    /// codes of rows.
    fn with_arguments<T>(
        &self,
        limit: u8,
        of_values: impl Fn(Vec<u32>) -> Vec<u32>,
        decode: impl FnOnce(Arguments<'_>) -> Decoded<T>,
    ) -> Result<T, ReadError> {
        let mut failed = None;
        let mut arguments = |id: u8| {
            let codes = if id < limit { self.argument(id) } else { Err(cut_off().into()) };
            codes.map(&of_values).map_err(|error| {
                failed = Some(error);
                cut_off()
            })
        };
        let decoded = decode(&mut arguments);
        match (decoded, failed) {
            (Err(_), Some(error)) => Err(error),
            (decoded, _) => Ok(decoded?),
        }
    }

    fn argument(&self, id: u8) -> Result<Vec<u32>, ReadError> {
        Ok(match id {
            argument::STREAM => self.streams()?.expand(),
            argument::NAME => self.name_codes()?.expand(),
            argument::KIND => self.kinds()?.expand().into_iter().map(|kind| kind as u32).collect(),
            argument::STATUS => self.statuses()?.expand().into_iter().map(|status| status as u32).collect(),
            argument::SHAPE => self.layout(SheetId::Spans)?.shapes.clone(),
            _ => return Err(cut_off().into()),
        })
    }

    /// Where the values of a sheet's slots are.
    pub(super) fn layout(&self, sheet: SheetId) -> Result<Arc<Layout>, ReadError> {
        let tables = self.reader.tables()?;
        let (section, rows) = match sheet {
            SheetId::Spans => (Section::Shapes, self.rows()),
            SheetId::Events => {
                (Section::EventShapes, self.children(sheet)?.last().map_or(0, |end| *end as usize))
            }
            SheetId::Links => {
                (Section::LinkShapes, self.children(sheet)?.last().map_or(0, |end| *end as usize))
            }
        };
        self.cached(SpanPart::Layout(sheet as u8), || {
            let sheet = tables.sheet(sheet);
            let bytes = self.section(section as u32)?;
            let shapes = match rows {
                0 => Vec::new(),
                rows => {
                    let limit = if section == Section::Shapes { argument::SHAPE } else { 0 };
                    self.with_arguments(
                        limit,
                        |codes| codes,
                        |arguments| {
                            numbers::codes(numbers::decode(&bytes, rows, arguments)?, sheet.shapes.len())
                        },
                    )?
                }
            };
            let layout = Layout::new(shapes, sheet)?;
            let size_bytes = layout.size_bytes();
            Ok((layout, size_bytes))
        })
    }

    /// The first of each span's events or links, and behind the last; one more than there are rows.
    pub(super) fn children(&self, sheet: SheetId) -> Result<Arc<Vec<u32>>, ReadError> {
        let field = if sheet == SheetId::Events { slot::EVENTS } else { slot::LINKS };
        self.cached(SpanPart::Children(sheet as u8), || {
            let mut starts = Vec::with_capacity(self.rows() + 1);
            let found = self.field(SheetId::Spans, Kind::Number, field)?;
            let mut next = 0u32;
            for row in 0..self.rows() {
                starts.push(next);
                let Some((column, places)) = &found else { continue };
                let Some(place) = places.get(row) else { continue };
                let Some(count) = column.number(place) else { continue };
                let end = u32::try_from(count).ok().and_then(|count| next.checked_add(count));
                next = end.filter(|end| *end <= 1 << 22).ok_or_else(cut_off)?;
            }
            starts.push(next);
            let size_bytes = 4 * starts.len();
            Ok((starts, size_bytes))
        })
    }

    /// The values of a slot and where they are, if the block has any.
    pub(super) fn field(
        &self,
        sheet: SheetId,
        kind: Kind,
        field: u8,
    ) -> Result<Option<(Arc<Column>, Places)>, ReadError> {
        let (tables, layout) = (self.reader.tables()?, self.layout(sheet)?);
        let slots = &tables.sheet(sheet).slots;
        let number = slots.iter().position(|slot| slot.is(kind, field)).map(|number| number as u32);
        match number.filter(|number| layout.find(*number).is_some()) {
            Some(number) => Ok(Some((self.column(sheet, number)?, layout.places(number)))),
            None => Ok(None),
        }
    }

    /// The values of a slot, kept in the cache.
    pub(super) fn column(&self, sheet: SheetId, slot: u32) -> Result<Arc<Column>, ReadError> {
        self.cached(SpanPart::Column(slot_section(sheet, slot) as u16), || {
            let column = self.read_column(sheet, slot)?;
            let size_bytes = column.size_bytes();
            Ok((column, size_bytes))
        })
    }

    /// The values of a slot.
    pub(super) fn read_column(&self, sheet: SheetId, slot: u32) -> Result<Column, ReadError> {
        let (tables, layout) = (self.reader.tables()?, self.layout(sheet)?);
        let bytes = self.section(slot_section(sheet, slot))?;
        let count = layout.count(slot);
        let own = tables.sheet(sheet);
        let of_values = |codes: Vec<u32>| match layout.places(slot) {
            Places::All => codes,
            places => places.rows(layout.rows()).into_iter().map(|row| codes[row as usize]).collect(),
        };
        if sheet == SheetId::Spans {
            return self.with_arguments(argument::SHAPE + 1, of_values, |arguments| {
                own.column(slot, &bytes, count, arguments)
            });
        }
        let mut shapes = |id: u8| match id {
            argument::SHAPE => Ok(of_values(layout.shapes.clone())),
            _ => Err(cut_off()),
        };
        Ok(own.column(slot, &bytes, count, &mut shapes)?)
    }
}
