//! The real binary over tiny workspaces, with a scrubbed environment and
//! without the network.

#![expect(clippy::unwrap_used, reason = "a failing helper is a failing test")]

mod bad_input;
mod cache;
mod callgraph;
mod check;
mod config;
mod ecosystem;
mod expand_macros;
mod fixture;
mod formats;
mod gateway;
mod provenance;
mod registry;
mod report;
mod scan;
mod watch;
mod why;
