//! The tar layer: two parsers over the same bytes.
//!
//! [`mod@walk`] is strict and knows where each byte came from; [`second`] asks
//! cargo's own parser. What both agree on is what cargo would unpack.

mod header;
mod pax;
mod second;
mod walk;

pub(crate) use walk::{End, Entry, EntryKind, walk};
