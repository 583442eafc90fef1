//! Numbered things: a number is given again once its owner is gone, the lowest first.

use std::collections::BTreeSet;

#[derive(Clone, Debug)]
pub(crate) struct Slots<T> {
    items: Vec<Option<T>>,
    free: BTreeSet<u32>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { items: Vec::new(), free: BTreeSet::new() }
    }
}

impl<T> Slots<T> {
    pub(crate) fn len(&self) -> usize {
        self.items.len() - self.free.len()
    }

    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        self.items.get(number as usize)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.items.get_mut(number as usize)?.as_mut()
    }

    pub(crate) fn insert(&mut self, item: T) -> u32 {
        match self.free.pop_first() {
            Some(number) => {
                self.items[number as usize] = Some(item);
                number
            }
            None => {
                self.items.push(Some(item));
                self.items.len() as u32 - 1
            }
        }
    }

    /// Gives a thing the number that it had; the numbers must ascend.
    pub(crate) fn restore(&mut self, number: u32, item: T) -> Option<()> {
        let next = self.items.len() as u32;
        if number < next || number - next > 1 << 22 {
            return None;
        }
        self.free.extend(next..number);
        self.items.resize_with(number as usize, || None);
        self.items.push(Some(item));
        Some(())
    }

    pub(crate) fn remove(&mut self, number: u32) -> Option<T> {
        let item = self.items.get_mut(number as usize)?.take()?;
        self.free.insert(number);
        Some(item)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.items.iter_mut().flatten()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.items.iter().enumerate().filter_map(|(at, item)| Some((at as u32, item.as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_free_number_is_given_first_also_after_restoring() {
        let mut slots = Slots::default();
        for item in 0..6 {
            assert_eq!(slots.insert(item), item);
        }
        for number in [3, 1, 5] {
            assert_eq!(slots.remove(number), Some(number));
            assert_eq!(slots.remove(number), None);
        }
        let mut restored = Slots::default();
        for (number, item) in slots.iter() {
            assert_eq!(restored.restore(number, *item), Some(()));
        }
        assert_eq!(restored.restore(2, 2), None);
        for slots in [&mut slots, &mut restored] {
            assert_eq!(slots.len(), 3);
            assert_eq!([10, 11, 12, 13].map(|item| slots.insert(item)), [1, 3, 5, 6]);
        }
    }
}
