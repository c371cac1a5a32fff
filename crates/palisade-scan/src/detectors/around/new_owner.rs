//! A version by a new owner.

use palisade_index::Owner;

use super::days;
use crate::rule::detector;
use crate::subject::Findings;
use crate::surroundings::Around;
use crate::{Confidence, Severity};

detector! {
    /// A version of an old crate was published by somebody who has owned it for days only.
    ///
    /// ## What it does
    /// Looks at since when each owner is one (a database dump, `--dump`).
    ///
    /// ## Why is this bad?
    /// It is what a transfer looks like, an honest one and a bought or stolen one.
    ///
    /// ## Example
    /// The crate is four years old; its newest version is by an owner of yesterday.
    ///
    /// ## How to fix it
    /// Say in the changelog who maintains the crate now.
    NewOwner "new-owner" Malice Medium Medium Preview
}

const NEW_DAYS: i64 = 14;
const OLD_DAYS: i64 = 90;

impl NewOwner {
    pub(crate) fn detect(around: &Around<'_>, findings: &mut Findings) {
        let (Some(known), Some(published)) = (around.dumped(), around.published()) else {
            return;
        };
        let Some(publisher) = around.publisher() else {
            return;
        };
        let owner = Owner::User(publisher.to_owned());
        let (Some(&since), Some(born)) = (known.owners_since.get(&owner), known.created) else {
            return;
        };
        let owned = days(since, published);
        if !(0..NEW_DAYS).contains(&owned) || days(born, published) < OLD_DAYS || since <= born {
            return;
        }
        let message = format!(
            "{publisher} published it, who became an owner {owned} days before; the crate is {} days old",
            days(born, published)
        );
        findings.rated(
            &Self::RULE,
            Severity::Medium,
            Confidence::Medium,
            palisade_archive::visible(&message),
            Vec::new(),
        );
    }
}
