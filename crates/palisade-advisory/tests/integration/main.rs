//! Advisories through the crate's public door.

#![expect(clippy::unwrap_used, reason = "a failing helper is a failing test")]

mod fixture;

mod database;
mod demo;
mod function_path;
mod matching;
mod published;
#[cfg(feature = "update")]
mod update;
