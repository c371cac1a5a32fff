//! The gateway as cargo sees it. Only loopback addresses are contacted.

#![expect(clippy::unwrap_used, reason = "a failing helper is a failing test")]

mod administration;
mod cases;
mod client;
mod disk;
mod faults;
mod found;
mod issuer;
mod lockfile;
mod logs;
mod machine;
mod mail;
mod matrix;
mod misbehaviour;
#[path = "../../../palisade-store/tests/support/postgres.rs"]
#[expect(
    dead_code,
    reason = "the tests of the store change rows behind its back"
)]
mod postgres;
mod publish;
mod pull;
mod replay;
mod rows;
mod rules;
mod shared;
mod sign_in;
mod tls;
mod trusted;
mod upload;
mod upstream;
mod world;
