//! Advisories through the crate's public door.

#![expect(clippy::unwrap_used, reason = "a failing helper is a failing test")]

mod fixture;

mod database;
mod function_path;
mod matching;
mod published;
