//! The real program on free ports, driven from outside.

#![allow(clippy::unwrap_used)]

mod access;
mod connections;
mod dashboards;
mod disk;
mod explore;
mod export;
mod harness;
mod ingest;
mod jaeger;
mod live;
mod login;
mod metrics;
mod page;
mod promqltest;
mod receivers;
mod searching;
mod services;
mod shippers;
mod start;
mod tail;
mod traces;
mod views;
mod zipkin;
