//! Systems on which a worker cannot restrict itself.

use std::time::Duration;

use crate::limits::Limits;
use crate::protocol::Hello;
use crate::report::{Report, Status};

/// Measures nothing.
pub(crate) struct Meter;

impl Meter {
    pub(crate) fn begin(&self, _limits: &Limits) -> Option<Duration> {
        None
    }

    pub(crate) fn since(&self, _before: Option<Duration>) -> Option<Duration> {
        None
    }
}

pub(crate) fn restrict(_hello: &Hello) -> Result<(Meter, Report), String> {
    let report = Report::new(|_| Status::NotInForce("not available on this system".to_owned()));
    Ok((Meter, report))
}
