//! For tests, here and in the collector: spans of a topology of services as they come in over time, what is to be
//! counted of them, and what samples say was counted. Not in a build without the feature `testing`.

mod count;
mod store;
mod topology;

pub use count::{Distribution, Expected};
pub use store::Store;
pub use topology::{Arrivals, Made, Setup};
