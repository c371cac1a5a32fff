//! How scans, scores and changes look.

pub(crate) mod diff;
pub(crate) mod json;
pub(crate) mod rules;
pub(crate) mod sarif;
pub(crate) mod score;
pub(crate) mod store;
pub(crate) mod text;
pub(crate) mod watch;

use palisade_scan::{Report, Severity};

/// What a scan leaves to show.
pub(crate) struct ScanView<'a> {
    pub(crate) reports: &'a [Report],
    /// Packages that could not be scanned, and why.
    pub(crate) failed: &'a [(String, String)],
    /// Packages that cargo has not fetched.
    pub(crate) missing: &'a [String],
    pub(crate) warnings: &'a [String],
    /// The lowest severity that the text shows.
    pub(crate) show: Severity,
}
