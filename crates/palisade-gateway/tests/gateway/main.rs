//! The gateway as cargo sees it. Only loopback addresses are contacted.

#![expect(clippy::unwrap_used, reason = "a failing helper is a failing test")]

mod client;
mod faults;
mod lockfile;
mod matrix;
mod publish;
mod pull;
mod replay;
mod upstream;
mod world;
