//! Many names by one person at once.

use std::collections::BTreeSet;

use super::{days, hours};
use crate::rule::detector;
use crate::subject::Findings;
use crate::surroundings::Around;
use crate::{Confidence, Severity};

detector! {
    /// Its publisher took many unrelated names within a day.
    ///
    /// ## What it does
    /// Counts the names that the publisher took in the day before this one (a database dump, `--dump`).
    /// Names that begin with the same word count once: a project that is published for the first time
    /// takes many. It is *medium* for an account whose first crate is less than a week old, and *low*
    /// for others.
    ///
    /// ## Why is this bad?
    /// Campaigns come in bursts: eighteen look-alikes by four accounts within days, eight crates of one
    /// person in an hour. So do squatters.
    ///
    /// ## Example
    /// `lasso-rs`, `monero-api`, `registry-win` and `win-crypto` by one new account in an afternoon.
    ///
    /// ## How to fix it
    /// Nothing is wrong with publishing much.
    NameBurst "name-burst" Name Medium Medium Preview
}

const MANY: usize = 4;
const WINDOW_HOURS: i64 = 24;
const NEW_ACCOUNT_DAYS: i64 = 7;

impl NameBurst {
    pub(crate) fn detect(around: &Around<'_>, findings: &mut Findings) {
        let (Some(names), Some(published)) = (around.names, around.published()) else {
            return;
        };
        // Later versions of a crate take no name.
        if around
            .born(around.name)
            .is_some_and(|born| days(born, published) > 0)
        {
            return;
        }
        let publisher = around.publisher().or(around.owners().first().copied());
        let Some(publisher) = publisher else { return };
        let taken = names.people().published(publisher);
        let first = taken.first().map(|(time, _)| *time);
        let words: BTreeSet<&str> = taken
            .iter()
            .filter(|(time, _)| {
                (0..=WINDOW_HOURS).contains(&hours(*time, published)) && *time <= published
            })
            .map(|(_, name)| name.split(['-', '_']).next().unwrap_or(name))
            .collect();
        if words.len() < MANY {
            return;
        }
        let is_new = first.is_some_and(|first| days(first, published) < NEW_ACCOUNT_DAYS);
        let severity = if is_new {
            Severity::Medium
        } else {
            Severity::Low
        };
        let age = if is_new {
            ", whose first crate is less than a week old,"
        } else {
            ""
        };
        let message = format!(
            "{publisher}{age} took names of {} different kinds within a day, such as {}",
            words.len(),
            words.iter().take(5).copied().collect::<Vec<_>>().join(", ")
        );
        findings.rated(
            &Self::RULE,
            severity,
            Confidence::Medium,
            palisade_archive::visible(&message),
            Vec::new(),
        );
    }
}
