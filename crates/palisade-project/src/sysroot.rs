//! The standard library as source: where it is, and its crates as units.

mod discover;
mod packages;
mod resolve;

pub(crate) use discover::{Source, discover};
pub(crate) use resolve::{Std, units};
