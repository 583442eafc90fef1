//! Customers: they come as they please (Poisson arrivals at a fixed rate), whether the shop is slow or not, and what
//! each saw is timed from the moment that it came.

mod figures;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;

use crate::args;
use crate::control::{self, Faults, terminated};
use figures::{Figures, Seen};

/// Percent more traffic.
const SURGE: &str = "traffic";
const TIMEOUT: Duration = Duration::from_secs(10);
/// So many products are ever asked for, the first far more often than the last.
const PRODUCTS: f64 = 20_000.0;
const CATEGORIES: u32 = 500;

#[derive(Clone, Copy)]
enum Wish {
    List(u32),
    View(u32),
    Order(u32),
}

impl Wish {
    fn random(random: &mut StdRng) -> Self {
        let product = 1 + (random.random::<f64>().powi(4) * PRODUCTS) as u32;
        match random.random_range(0..100) {
            0..25 => Self::List(random.random_range(0..CATEGORIES)),
            25..70 => Self::View(product),
            _ => Self::Order(product),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::List(_) => "list",
            Self::View(_) => "view",
            Self::Order(_) => "order",
        }
    }
}

struct Customers {
    client: reqwest::Client,
    edge: String,
    figures: Figures,
}

pub(crate) async fn run(options: args::Load) -> anyhow::Result<()> {
    let faults = Faults::new(&[SURGE]);
    control::serve(options.control, faults.clone(), None, None).await?;
    let client = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build()?;
    let figures = Figures::create(&options.figures)
        .with_context(|| format!("cannot write {}", options.figures.display()))?;
    let customers =
        Arc::new(Customers { client, edge: options.edge.trim_end_matches('/').to_owned(), figures });
    println!("{} requests a second to {}", options.rate, options.edge);
    let watching = customers.clone().watch();
    tokio::select! {
        () = arrive(customers, options.rate, options.seed, &faults) => Ok(()),
        watched = watching => watched,
        () = terminated() => Ok(()),
    }
}

async fn arrive(customers: Arc<Customers>, rate: f64, seed: u64, faults: &Faults) {
    let mut random = StdRng::seed_from_u64(seed);
    let mut due = Instant::now();
    loop {
        let now_rate = rate * (1.0 + faults.intensity(SURGE) / 100.0);
        due += Duration::from_secs_f64(-(1.0 - random.random::<f64>()).ln() / now_rate);
        tokio::time::sleep_until(due.into()).await;
        let wish = Wish::random(&mut random);
        customers.figures.arrived(unix_s(due));
        tokio::spawn(customers.clone().serve(wish, due));
    }
}

/// When a moment was, in whole seconds.
fn unix_s(moment: Instant) -> u64 {
    let at = SystemTime::now().checked_sub(moment.elapsed()).unwrap_or(UNIX_EPOCH);
    at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl Customers {
    async fn serve(self: Arc<Self>, wish: Wish, due: Instant) {
        let at_s = unix_s(due);
        let edge = &self.edge;
        let request = match wish {
            Wish::List(category) => self.client.get(format!("{edge}/products?category={category}")),
            Wish::View(product) => self.client.get(format!("{edge}/products/sku-{product}")),
            Wish::Order(product) => self.client.post(format!("{edge}/orders/sku-{product}")),
        };
        let answer = async { request.send().await?.error_for_status()?.bytes().await };
        let is_ok = answer.await.is_ok();
        self.figures.seen(at_s, Seen { what: wish.name(), ms: due.elapsed().as_secs_f64() * 1000.0, is_ok });
    }

    /// Each second writes what was seen, and how old the oldest order is that nobody has fulfilled.
    async fn watch(self: Arc<Self>) -> anyhow::Result<()> {
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        loop {
            ticks.tick().await;
            self.figures
                .write(unix_s(Instant::now()), TIMEOUT.as_secs() + 1)
                .context("cannot write figures")?;
            let customers = self.clone();
            tokio::spawn(async move {
                if let Some(age_s) = customers.oldest_s().await {
                    customers.figures.oldest(age_s);
                }
            });
        }
    }

    async fn oldest_s(&self) -> Option<f64> {
        let answer = self.client.get(format!("{}/orders/status", self.edge)).send().await.ok()?;
        serde_json::from_slice::<Value>(&answer.bytes().await.ok()?).ok()?["oldest_s"].as_f64()
    }
}
