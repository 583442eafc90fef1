//! Somebody else's program: it does nothing until it is told to, and then takes all the CPU that it can get.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::FutureExt;

use crate::args;
use crate::control::{self, Apply, Faults, terminated};

const FAULT: &str = "noisy_neighbour";
const MAX_THREADS: usize = 256;

pub(crate) async fn run(options: args::Neighbour) -> anyhow::Result<()> {
    let wanted = Arc::new(AtomicUsize::new(0));
    let threads = wanted.clone();
    let apply: Apply = Arc::new(move |_, intensity| {
        let count = (intensity as usize).min(MAX_THREADS);
        let before = threads.swap(count, Ordering::Relaxed);
        for number in before..count {
            let threads = threads.clone();
            std::thread::spawn(move || {
                while threads.load(Ordering::Relaxed) > number {
                    (0..10_000).for_each(|_| std::hint::spin_loop());
                }
            });
        }
        async { Ok(()) }.boxed()
    });
    control::serve(options.control, Faults::new(&[FAULT]), Some(apply), None).await?;
    println!("quiet");
    terminated().await;
    Ok(())
}
