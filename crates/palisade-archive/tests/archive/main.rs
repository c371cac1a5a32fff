//! Archives and directories through the crate's public door.

#![expect(clippy::unwrap_used, reason = "a failing helper is a failing test")]

mod directory;
mod honest;
mod hostile;
mod limits;
mod properties;
mod writer;
