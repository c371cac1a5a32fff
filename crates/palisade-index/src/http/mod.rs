//! Registries over HTTP: the sparse protocol.

mod cache;
mod client;
mod config;
mod download;
mod sparse;

pub use client::HttpOptions;
pub use sparse::SparseRegistry;

pub(crate) use cache::{Cached, IndexCache};
pub(crate) use client::{Answer, Client, Conditions};
pub(crate) use sparse::Asked;
