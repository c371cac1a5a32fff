//! The library through its public door.

#![expect(clippy::unwrap_used, reason = "a failing helper is a failing test")]

mod format;
mod store;
