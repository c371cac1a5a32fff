//! Two numbers that are never mixed: how likely a package means harm, and how
//! well it is kept.

mod around;
mod hygiene;
mod risk;

pub(crate) use around::{around, source_revision};
pub(crate) use hygiene::hygiene;
pub use hygiene::{Check, Hygiene};
pub use risk::risk;
