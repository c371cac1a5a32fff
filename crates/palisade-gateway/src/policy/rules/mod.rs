//! The rules, one in each file. A rule looks at one version among its crate's
//! and says until when it wants to hold it, or that a person shall decide.

pub mod advisory;
pub mod archive;
pub(crate) mod break_glass;
pub mod first_dependency;
pub mod held_dependency;
pub mod licence;
pub mod mass_yank;
pub mod minimum_age;
pub mod new_crate;
pub mod removed;
pub(crate) mod review;
pub mod scan;
pub mod secrets;
pub mod typosquat;

use jiff::{SignedDuration, Timestamp};

/// `time` and so many hours; the end of time where that is beyond it.
fn hours_after(time: Timestamp, hours: u32) -> Timestamp {
    time.checked_add(SignedDuration::from_hours(i64::from(hours)))
        .unwrap_or(Timestamp::MAX)
}
