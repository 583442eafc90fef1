//! What is scarce: a number of places and those that wait for one, first come, first served. It knows how much of it was
//! used and how long was waited, as integrals over time that whoever samples takes.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::rc::Rc;
use std::task::Poll;

use super::clock::{Clock, TaskId};

/// Places.
pub(crate) struct Queue {
    clock: Clock,
    places: Cell<usize>,
    used: Cell<usize>,
    waiting: RefCell<VecDeque<Rc<Ticket>>>,
    sums: Cell<Sums>,
    since_ns: Cell<u64>,
}

struct Ticket {
    is_granted: Cell<bool>,
    task: Cell<TaskId>,
}

/// What happened since the last look.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sums {
    /// Places in use, times s.
    pub(crate) used_s: f64,
    /// Those that waited, times s.
    pub(crate) waited_s: f64,
    /// Time in which somebody waited, s.
    pub(crate) stalled_s: f64,
    /// Time in which any place was in use, s.
    pub(crate) busy_s: f64,
}

impl Queue {
    pub(crate) fn new(clock: &Clock, places: usize) -> Self {
        Self {
            clock: clock.clone(),
            places: Cell::new(places),
            used: Cell::new(0),
            waiting: RefCell::default(),
            sums: Cell::default(),
            since_ns: Cell::new(clock.now_ns()),
        }
    }

    pub(crate) fn places(&self) -> usize {
        self.places.get()
    }

    /// Whether somebody waits.
    pub(crate) fn is_wanted(&self) -> bool {
        !self.waiting.borrow().is_empty()
    }

    pub(crate) fn set_places(&self, places: usize) {
        self.account();
        self.places.set(places);
        self.grant();
    }

    /// Waits for a place; [`Queue::release`] gives it back.
    pub(crate) fn acquire(&self) -> impl Future<Output = ()> {
        let mut ticket: Option<Rc<Ticket>> = None;
        std::future::poll_fn(move |_| {
            if let Some(ticket) = &ticket {
                ticket.task.set(self.clock.current());
                return if ticket.is_granted.get() { Poll::Ready(()) } else { Poll::Pending };
            }
            self.account();
            if self.used.get() < self.places.get() && !self.is_wanted() {
                self.used.set(self.used.get() + 1);
                return Poll::Ready(());
            }
            let new = Rc::new(Ticket { is_granted: Cell::new(false), task: Cell::new(self.clock.current()) });
            self.waiting.borrow_mut().push_back(new.clone());
            ticket = Some(new);
            Poll::Pending
        })
    }

    pub(crate) fn release(&self) {
        self.account();
        self.used.set(self.used.get() - 1);
        self.grant();
    }

    fn grant(&self) {
        while self.used.get() < self.places.get() {
            let Some(ticket) = self.waiting.borrow_mut().pop_front() else { break };
            ticket.is_granted.set(true);
            self.used.set(self.used.get() + 1);
            self.clock.wake(ticket.task.get());
        }
    }

    fn account(&self) {
        let now_ns = self.clock.now_ns();
        let passed_s = (now_ns - self.since_ns.replace(now_ns)) as f64 / 1e9;
        let (used, waiting) = (self.used.get() as f64, self.waiting.borrow().len() as f64);
        let mut sums = self.sums.get();
        sums.used_s += used * passed_s;
        sums.waited_s += waiting * passed_s;
        sums.stalled_s += if waiting > 0.0 { passed_s } else { 0.0 };
        sums.busy_s += if used > 0.0 { passed_s } else { 0.0 };
        self.sums.set(sums);
    }

    /// Takes what happened since it was last taken.
    pub(crate) fn take(&self) -> Sums {
        self.account();
        self.sums.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_place_serves_one_after_the_other_and_says_how_long_was_waited() {
        let clock = Clock::default();
        let queue = Rc::new(Queue::new(&clock, 1));
        let ends = Rc::new(RefCell::new(Vec::new()));
        for _ in 0..3 {
            let (clock_of, queue, ends) = (clock.clone(), queue.clone(), ends.clone());
            clock.spawn(async move {
                queue.acquire().await;
                clock_of.sleep_ms(1000.0).await;
                queue.release();
                ends.borrow_mut().push(clock_of.now_ns() / 1_000_000_000);
            });
        }
        clock.run(u64::MAX);
        assert_eq!(*ends.borrow(), [1, 2, 3]);
        let sums = queue.take();
        assert_eq!((sums.used_s, sums.waited_s, sums.stalled_s, sums.busy_s), (3.0, 3.0, 2.0, 3.0));
    }

    /// M/M/1 at ρ = 0.7: the mean wait is ρ/(1−ρ) services.
    #[test]
    fn the_wait_is_that_of_queueing_theory() {
        let clock = Clock::default();
        let queue = Rc::new(Queue::new(&clock, 1));
        let waits = Rc::new(Cell::new((0.0, 0.0)));
        let (clock_of, queue_of, waits_of) = (clock.clone(), queue.clone(), waits.clone());
        clock.spawn(async move {
            let mut random = super::super::random::Random::new(1);
            for _ in 0..200_000 {
                clock_of.sleep_ms(random.exponential(10.0)).await;
                let (clock, queue, waits, took) =
                    (clock_of.clone(), queue_of.clone(), waits_of.clone(), random.exponential(7.0));
                clock_of.spawn(async move {
                    let begun = clock.now_ns();
                    queue.acquire().await;
                    let (sum, count) = waits.get();
                    waits.set((sum + (clock.now_ns() - begun) as f64 / 1e6, count + 1.0));
                    clock.sleep_ms(took).await;
                    queue.release();
                });
            }
        });
        clock.run(u64::MAX);
        let (sum, count) = waits.get();
        let expected = 7.0 * 0.7 / 0.3;
        assert!((sum / count / expected - 1.0).abs() < 0.05, "{} ms, not {expected}", sum / count);
    }
}
