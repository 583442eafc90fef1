//! The real program on free ports, driven from outside.

#![allow(clippy::unwrap_used)]

mod access;
mod accounts;
mod alertmanager;
mod backlog;
mod bottlenecks;
mod certs;
mod connections;
mod dashboards;
mod disk;
mod explore;
mod export;
mod hardening;
mod harness;
mod ingest;
mod jaeger;
mod late;
mod leaks;
mod live;
mod login;
mod metrics;
mod page;
mod promqltest;
mod receivers;
mod roles;
mod rules;
mod searching;
mod services;
mod shippers;
mod start;
mod tail;
mod tls;
mod traces;
mod views;
mod zipkin;
