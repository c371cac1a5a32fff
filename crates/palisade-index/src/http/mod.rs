//! Registries over HTTP: the sparse protocol.

mod cache;
mod client;
mod config;
mod download;
mod files;
mod sparse;

pub use cache::Cached;
pub use client::{Conditions, HttpOptions};
pub use files::StaticFiles;
pub use sparse::{Asked, SparseRegistry};

pub(crate) use cache::IndexCache;
pub(crate) use client::{Answer, Client};
