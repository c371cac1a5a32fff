//! Registries through the crate's public door.

#![expect(clippy::unwrap_used, reason = "a failing helper is a failing test")]

mod build;
#[cfg(feature = "http")]
mod download;
mod dump;
#[cfg(feature = "http")]
mod feed;
mod fixture;
#[cfg(feature = "git")]
mod git;
mod index_file;
mod local;
mod lockfile;
mod manifest;
mod properties;
mod resolve;
#[cfg(feature = "http")]
mod server;
#[cfg(feature = "http")]
mod sparse;
#[cfg(feature = "http")]
mod sweep;
