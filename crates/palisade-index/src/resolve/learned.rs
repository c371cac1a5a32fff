//! What the search has learned: which dependencies cannot be met while certain
//! versions are active. It only ever spares attempts that would fail.

use std::collections::{BTreeSet, HashMap};

use super::candidates::Id;
use super::requirements::Wanted;

/// A dependency without its parent: package, requirement, features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key(u32);

/// The most reasons that are kept for one dependency.
const REASONS: usize = 512;

#[derive(Default)]
pub(super) struct Learned {
    keys: HashMap<(String, String, Wanted), Key>,
    /// For each key, sets of versions that together exclude it.
    reasons: Vec<Vec<BTreeSet<Id>>>,
    /// For each version, the keys in whose reasons it occurs.
    related: HashMap<Id, BTreeSet<Key>>,
}

impl Learned {
    pub(super) fn key(&mut self, package: &str, requirement: String, wanted: &Wanted) -> Key {
        let new = Key(u32::try_from(self.reasons.len()).unwrap_or(u32::MAX));
        let parts = (package.to_owned(), requirement, wanted.clone());
        let key = *self.keys.entry(parts).or_insert(new);
        if key == new {
            self.reasons.push(Vec::new());
        }
        key
    }

    /// Notes that the dependency cannot be met while all of `reason` is
    /// active.
    pub(super) fn add(&mut self, key: Key, reason: &BTreeSet<Id>) {
        let reasons = &mut self.reasons[key.0 as usize];
        if reasons.len() >= REASONS || reasons.contains(reason) {
            return;
        }
        reasons.push(reason.clone());
        for &id in reason {
            self.related.entry(id).or_default().insert(key);
        }
    }

    /// A reason why the dependency cannot be met now.
    pub(super) fn reason(&self, key: Key, is_active: impl Fn(Id) -> bool) -> Option<&BTreeSet<Id>> {
        let mut reasons = self.reasons[key.0 as usize].iter();
        reasons.find(|reason| reason.iter().all(|&id| is_active(id)))
    }

    /// A reason of which `id` is a part.
    pub(super) fn reason_with(
        &self,
        key: Key,
        id: Id,
        is_active: impl Fn(Id) -> bool,
    ) -> Option<&BTreeSet<Id>> {
        let mut reasons = self.reasons[key.0 as usize].iter();
        reasons.find(|reason| reason.contains(&id) && reason.iter().all(|&id| is_active(id)))
    }

    /// The dependencies that `id` has excluded before.
    pub(super) fn related(&self, id: Id) -> Option<&BTreeSet<Key>> {
        self.related.get(&id)
    }
}
