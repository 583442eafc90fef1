//! From a rule to the person on call: rule groups and the state of their alerts, then routing, grouping,
//! inhibition, silences and receivers.
//!
//! Two halves that meet in [`Alert`]. The rules' half is Prometheus' (rule files, `for`, recording), the
//! notifications' half is Alertmanager's (route tree, silences, receivers). Neither knows a store, a journal or
//! HTTP routes: queries, durable state and the clock are handed in.

pub mod alert;
pub mod config;
pub mod dispatch;
pub mod duration;
pub mod glob;
pub mod inhibit;
pub mod labels;
pub mod matcher;
pub mod message;
pub mod receivers;
pub mod route;
pub mod rules;
pub mod silence;
pub mod state;
pub mod template;
pub mod timing;
pub mod yaml;

pub use alert::Alert;
pub use labels::LabelSet;
