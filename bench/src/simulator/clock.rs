//! Virtual time and the tasks that live in it: futures that a queue of events wakes. One thread, no wall clock, the same
//! order in every run.
//!
//! A task may be polled more often than it was woken for; whatever waits looks at its own condition.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// Index of a task.
pub(crate) type TaskId = usize;

/// A handle to the time; clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Clock(Rc<Inner>);

#[derive(Default)]
struct Inner {
    now_ns: Cell<u64>,
    made: Cell<u64>,
    current: Cell<TaskId>,
    events: RefCell<BinaryHeap<Reverse<(u64, u64, TaskId)>>>,
    ready: RefCell<VecDeque<TaskId>>,
    tasks: RefCell<Vec<Option<Task>>>,
    free: RefCell<Vec<TaskId>>,
}

impl Clock {
    /// ns since the run began.
    pub(crate) fn now_ns(&self) -> u64 {
        self.0.now_ns.get()
    }

    /// The task that runs.
    pub(crate) fn current(&self) -> TaskId {
        self.0.current.get()
    }

    /// Has a task polled soon, at the same time.
    pub(crate) fn wake(&self, task: TaskId) {
        self.0.ready.borrow_mut().push_back(task);
    }

    /// Begins a task.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + 'static) {
        let mut tasks = self.0.tasks.borrow_mut();
        let id = self.0.free.borrow_mut().pop().unwrap_or(tasks.len());
        if id == tasks.len() {
            tasks.push(None);
        }
        tasks[id] = Some(Box::pin(future));
        self.0.ready.borrow_mut().push_back(id);
    }

    /// Runs until nothing happens before `end_ns`. What is still under way then is dropped.
    pub(crate) fn run(&self, end_ns: u64) {
        loop {
            while let Some(id) = self.next_ready() {
                self.poll(id);
            }
            let Some(Reverse((at_ns, _, id))) = self.0.events.borrow_mut().pop() else { break };
            if at_ns > end_ns {
                break;
            }
            self.0.now_ns.set(at_ns);
            self.poll(id);
        }
        // Tasks hold the world and the world holds the clock: the circle is cut here.
        let tasks = std::mem::take(&mut *self.0.tasks.borrow_mut());
        drop(tasks);
        self.0.events.borrow_mut().clear();
    }

    fn next_ready(&self) -> Option<TaskId> {
        self.0.ready.borrow_mut().pop_front()
    }

    fn poll(&self, id: TaskId) {
        // Taken out, as it may spawn others.
        let Some(mut task) = self.0.tasks.borrow_mut().get_mut(id).and_then(Option::take) else { return };
        self.0.current.set(id);
        let mut context = Context::from_waker(Waker::noop());
        match task.as_mut().poll(&mut context) {
            Poll::Ready(()) => self.0.free.borrow_mut().push(id),
            Poll::Pending => self.0.tasks.borrow_mut()[id] = Some(task),
        }
    }

    /// Has the current task polled at a time.
    fn arm(&self, at_ns: u64) {
        let number = self.0.made.get();
        self.0.made.set(number + 1);
        self.0.events.borrow_mut().push(Reverse((at_ns, number, self.current())));
    }

    pub(crate) fn sleep_until(&self, at_ns: u64) -> impl Future<Output = ()> + use<> {
        let clock = self.clone();
        let mut is_armed = false;
        std::future::poll_fn(move |_| {
            if clock.now_ns() >= at_ns {
                return Poll::Ready(());
            }
            if !std::mem::replace(&mut is_armed, true) {
                clock.arm(at_ns);
            }
            Poll::Pending
        })
    }

    pub(crate) fn sleep_ms(&self, ms: f64) -> impl Future<Output = ()> + use<> {
        self.sleep_until(self.now_ns() + (ms.max(0.0) * 1e6) as u64)
    }
}

/// A value that one task leaves for another.
pub(crate) struct Latch<T> {
    clock: Clock,
    value: RefCell<Option<T>>,
    waiter: Cell<Option<TaskId>>,
}

impl<T> Latch<T> {
    pub(crate) fn new(clock: &Clock) -> Rc<Self> {
        Rc::new(Self { clock: clock.clone(), value: RefCell::new(None), waiter: Cell::new(None) })
    }

    pub(crate) fn set(&self, value: T) {
        *self.value.borrow_mut() = Some(value);
        if let Some(task) = self.waiter.take() {
            self.clock.wake(task);
        }
    }

    /// The value, or `None` if it is not there at `until_ns`.
    pub(crate) async fn wait(&self, until_ns: Option<u64>) -> Option<T> {
        let mut is_armed = until_ns.is_none();
        std::future::poll_fn(|_| {
            if let Some(value) = self.value.borrow_mut().take() {
                return Poll::Ready(Some(value));
            }
            if until_ns.is_some_and(|at| self.clock.now_ns() >= at) {
                self.waiter.set(None);
                return Poll::Ready(None);
            }
            if let Some(at_ns) = until_ns.filter(|_| !std::mem::replace(&mut is_armed, true)) {
                self.clock.arm(at_ns);
            }
            self.waiter.set(Some(self.clock.current()));
            Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_run_in_the_order_of_their_times_and_a_latch_gives_up_in_time() {
        let clock = Clock::default();
        let seen = Rc::new(RefCell::new(Vec::new()));
        for ms in [30.0, 10.0, 20.0] {
            let (clock_of, seen) = (clock.clone(), seen.clone());
            clock.spawn(async move {
                clock_of.sleep_ms(ms).await;
                seen.borrow_mut().push(clock_of.now_ns() / 1_000_000);
            });
        }
        let latch = Latch::new(&clock);
        let (set, of, all) = (latch.clone(), clock.clone(), seen.clone());
        clock.spawn(async move {
            of.sleep_ms(25.0).await;
            set.set(7u64);
        });
        clock.spawn(async move {
            assert_eq!(latch.wait(Some(5_000_000)).await, None);
            let value = latch.wait(None).await;
            all.borrow_mut().extend(value);
        });
        clock.run(u64::MAX);
        assert_eq!(*seen.borrow(), [10, 20, 7, 30]);
    }
}
