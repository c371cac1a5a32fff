//! The gateway as cargo sees it. Only loopback addresses are contacted.

#![expect(clippy::unwrap_used, reason = "a failing helper is a failing test")]

mod administration;
mod cases;
mod client;
mod faults;
mod lockfile;
mod machine;
mod matrix;
mod publish;
mod pull;
mod replay;
mod rows;
mod rules;
mod upstream;
mod world;
