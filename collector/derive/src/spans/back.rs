//! What becomes of it all when the clock was wrong: it is set back, and what is open is told.

use std::collections::BTreeMap;

use crate::Spans;
use crate::cell::Cell;
use crate::slab::Slab;
use crate::subject::{Part, What, Why, split_key, split_local};
use crate::time::steps_over;
use crate::window::Window;

impl Spans {
    /// Sets the clock back. Counters go on with what was counted; steps begin anew behind the one that runs, since
    /// those up to it were told, and nobody knows any more what was in them.
    #[cold]
    pub(super) fn set_back(&mut self, received_at_ns: u64) {
        let (packed, _) = self.log.take();
        let untold = self.untold(&packed);
        let open = self.edges.give_up(&self.registry);
        self.live.apply(&packed, self.flushed, |_| {});
        self.clock_ns = received_at_ns;
        self.flushed = steps_over(received_at_ns);
        self.touch(&packed, self.flushed);
        self.registry.set_back(self.flushed);
        self.window = Window::from(self.flushed + 2);
        self.edges.pairing.pass(self.flushed, self.window.floor());
        let (mut books, _) = self.books();
        untold.into_iter().for_each(|(service, count)| books.leave(service, Why::Untold, count));
        open.into_iter().for_each(|(service, count)| books.leave(service, Why::Clock, count));
    }

    /// How many spans were counted since the last flush, by service.
    fn untold(&self, packed: &Slab) -> BTreeMap<u32, u64> {
        let mut untold = BTreeMap::new();
        for (key, cell) in packed.iter() {
            let (subject, part) = split_local(split_key(key).1);
            let what = self.registry.subject(subject).map(|subject| &subject.what);
            if let (Some(What::Red { service, .. }), true) = (what, part == Part::Calls as u64) {
                let count = Cell::decode(cell).map_or(0, |cell| cell.count());
                *untold.entry(*service).or_default() += count;
            }
        }
        untold
    }
}
