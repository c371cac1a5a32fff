//! The real binary over tiny workspaces, with a scrubbed environment and
//! without the network.

mod bad_input;
mod cache;
mod callgraph;
mod check;
mod config;
mod fixture;
mod formats;
mod why;
