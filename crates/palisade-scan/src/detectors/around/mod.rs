//! What only shows beside others: in the registry, among its people, in
//! advisories. These look at a package's profile, never at its files.

pub(crate) mod carrier;
pub(crate) mod known_malicious;
pub(crate) mod look_alike_publisher;
pub(crate) mod mass_yank;
pub(crate) mod name_burst;
pub(crate) mod new_owner;
pub(crate) mod trusted_commit;
pub(crate) mod trusted_publishing_dropped;
pub(crate) mod unmaintained_dependency;
pub(crate) mod vulnerable_dependency;
pub(crate) mod yanked_dependency;
pub(crate) mod young_dependency;

use jiff::Timestamp;

/// Whole days from one moment to another; negative when it lies before.
fn days(from: Timestamp, to: Timestamp) -> i64 {
    hours(from, to) / 24
}

fn hours(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_hours()
}
