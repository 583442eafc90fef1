//! Where time goes. Pure: it reads nothing and has never heard of a protocol or a store.

mod critical_path;
mod self_time;
mod skew;
mod tree;

pub use critical_path::{
    Path, PathSpan, Section, Visit, critical_path, exclusive_times, path_times, path_with_tolerance,
    totals_by_key,
};
pub use self_time::self_times;
pub use skew::{Adjusted, adjust_skew};
pub use tree::{main_root, roots};
