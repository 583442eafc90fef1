//! The labels of a segment: per series in order, and per label its values with their series.

use telemetry::Labels;

use super::Out;
use crate::head::HeadIndex;
use crate::index::{write_dictionary, write_postings};
use crate::partition::SeriesError;
use crate::segment::format::{Footer, LABEL_SERIES, NameSections, Section};
use crate::wire::{put_bytes, put_varint};

#[derive(Default)]
pub(super) struct IndexWriter {
    index: HeadIndex,
    /// Labels of the open block, each without the bytes that it begins with as the one before it does.
    raw: Vec<u8>,
    previous: Vec<u8>,
    open: usize,
    blocks: Vec<Section>,
}

impl IndexWriter {
    pub(super) fn push(&mut self, series: u32, labels: Labels<'_>, out: &mut Out) -> Result<(), SeriesError> {
        self.index.add(series, labels);
        let bytes = labels.as_bytes();
        let shared = self.previous.iter().zip(bytes).take_while(|(a, b)| a == b).count();
        put_varint(&mut self.raw, shared as u64);
        put_bytes(&mut self.raw, &bytes[shared..]);
        self.previous.clear();
        self.previous.extend_from_slice(bytes);
        self.open += 1;
        if self.open == LABEL_SERIES { self.write_block(out) } else { Ok(()) }
    }

    fn write_block(&mut self, out: &mut Out) -> Result<(), SeriesError> {
        if self.open > 0 {
            self.blocks.push(out.put_packed(&self.raw)?);
        }
        self.raw.clear();
        self.previous.clear();
        self.open = 0;
        Ok(())
    }

    pub(super) fn finish(&mut self, out: &mut Out, footer: &mut Footer) -> Result<(), SeriesError> {
        self.write_block(out)?;
        footer.label_blocks = std::mem::take(&mut self.blocks);
        let mut bytes = Vec::new();
        for name in self.index.names() {
            let mut values: Vec<(&str, &[u32])> = self.index.values(name).collect();
            values.sort_unstable();
            bytes.clear();
            write_dictionary(values.iter().map(|(value, _)| *value), &mut bytes);
            let dictionary = out.put(&bytes)?;
            bytes.clear();
            write_postings(values.iter().map(|(_, series)| *series), &mut bytes);
            footer.labels.push(NameSections { values: dictionary, postings: out.put(&bytes)? });
        }
        bytes.clear();
        write_dictionary(self.index.names(), &mut bytes);
        footer.names = out.put(&bytes)?;
        Ok(())
    }
}
