//! Whether a package comes from where it says.

pub(crate) mod manifest_disagreement;
pub(crate) mod source_mismatch;
pub(crate) mod source_unverified;
