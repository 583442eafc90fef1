//! The least or the greatest: of the numbers if there are any, else of the texts, by code point.

use crate::{Cell, Number};

/// What `min` or `max` has seen.
#[derive(Clone, Debug)]
pub(super) struct Extreme {
    greatest: bool,
    number: Option<Number>,
    text: Option<String>,
}

impl Extreme {
    pub(super) fn new(greatest: bool) -> Self {
        Self { greatest, number: None, text: None }
    }

    /// Adds a number; texts do not matter any more.
    pub(super) fn add_number(&mut self, number: Number) -> usize {
        let better = |known: Number| number.total_cmp(known).is_gt() == self.greatest;
        if self.number.is_none_or(better) {
            self.number = Some(number);
        }
        0
    }

    /// Adds a text; by how many bytes it has grown.
    pub(super) fn add_text(&mut self, text: &str) -> usize {
        if self.number.is_some() {
            return 0;
        }
        let greatest = self.greatest;
        match &mut self.text {
            None => {
                self.text = Some(text.to_owned());
                text.len()
            }
            Some(known) if (text > known.as_str()) == greatest => {
                let before = known.capacity();
                known.clear();
                known.push_str(text);
                known.capacity() - before
            }
            Some(_) => 0,
        }
    }

    pub(super) fn merge(&mut self, other: &Self) -> usize {
        other.number.map_or(0, |number| self.add_number(number))
            + other.text.as_ref().map_or(0, |text| self.add_text(text))
    }

    pub(super) fn cell(&self) -> Cell {
        match (self.number, &self.text) {
            (Some(number), _) => Cell::Number(number),
            (None, Some(text)) => Cell::Text(text.clone()),
            (None, None) => Cell::Null,
        }
    }
}
