//! How a report looks: one file per format.
//!
//! Renderers only write what they are given; verdicts and exit codes are
//! decided before and do not depend on the format.

pub(crate) mod dot;
pub(crate) mod ecosystem;
pub(crate) mod json;
pub(crate) mod jsonl;
pub(crate) mod openvex;
pub(crate) mod sarif;
mod sarif_model;
pub(crate) mod scan;
pub(crate) mod text;
mod view;
pub(crate) mod why;

#[cfg(test)]
mod testing;

pub(crate) use view::{View, purl, remedy_command, remedy_text};
