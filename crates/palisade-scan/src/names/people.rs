//! Who owns what, from a database dump.

use std::collections::BTreeMap;

use jiff::Timestamp;
use palisade_index::{DumpedCrate, Owner};
use rustc_hash::FxHashMap;

/// A person with fewer downloads over all crates is nobody whose name opens
/// doors.
const WELL_KNOWN: u64 = 1_000_000;
/// Shorter logins are near to each other by accident.
const SHORT: usize = 5;

/// The people of a registry.
#[derive(Debug, Default)]
pub(crate) struct People {
    /// What each login's owner calls himself.
    names: BTreeMap<String, String>,
    /// The downloads of all crates that a login owns, where they are many.
    well_known: FxHashMap<String, u64>,
    /// The logins of well-known people, by the name in lower case.
    by_name: FxHashMap<String, Vec<String>>,
    /// The logins of well-known people with one character left out, each with
    /// the whole.
    shortened: FxHashMap<String, Vec<String>>,
    /// When a login's crates were first published, and what they are called.
    published: FxHashMap<String, Vec<(Timestamp, String)>>,
}

impl People {
    pub(super) fn new<'d>(
        names: BTreeMap<String, String>,
        crates: impl Iterator<Item = (&'d str, &'d DumpedCrate)>,
    ) -> People {
        let mut people = People {
            names,
            ..People::default()
        };
        let mut downloads: BTreeMap<&str, u64> = BTreeMap::new();
        for (name, known) in crates {
            for owner in &known.owners {
                let Owner::User(login) = owner else { continue };
                let sum = downloads.entry(login).or_default();
                *sum = sum.saturating_add(known.downloads);
            }
            // Who published the first version is who took the name.
            let first = known.versions.first();
            let publisher = first
                .and_then(|version| version.published_by.as_deref())
                .or_else(|| match known.owners.first() {
                    Some(Owner::User(login)) => Some(login),
                    _ => None,
                });
            if let (Some(login), Some(created)) = (publisher, known.created) {
                let list = people.published.entry(login.to_owned()).or_default();
                list.push((created, name.to_owned()));
            }
        }
        for (login, downloads) in downloads {
            if downloads < WELL_KNOWN {
                continue;
            }
            people.well_known.insert(login.to_owned(), downloads);
            if let Some(name) = people.names.get(login) {
                let known = people
                    .by_name
                    .entry(name.trim().to_lowercase())
                    .or_default();
                known.push(login.to_owned());
            }
            let lower = login.to_ascii_lowercase();
            if lower.len() >= SHORT {
                for short in without_one(&lower) {
                    let known = people.shortened.entry(short).or_default();
                    known.push(login.to_owned());
                }
            }
        }
        #[expect(
            clippy::iter_over_hash_type,
            reason = "each list is sorted by itself; their order does not matter"
        )]
        for list in people.published.values_mut() {
            list.sort();
        }
        people
    }

    /// What all crates of a login were downloaded, where that is often.
    pub(crate) fn downloads(&self, login: &str) -> Option<u64> {
        self.well_known.get(login).copied()
    }

    /// The well-known people of this name.
    pub(crate) fn well_known_as(&self, name: &str) -> &[String] {
        let found = self.by_name.get(&name.trim().to_lowercase());
        found.map(Vec::as_slice).unwrap_or_default()
    }

    /// A well-known login that this one looks like: one character more, less
    /// or different, or two of them swapped.
    pub(crate) fn looks_like(&self, login: &str) -> Option<&str> {
        let lower = login.to_ascii_lowercase();
        if lower.len() < SHORT || self.well_known.contains_key(login) {
            return None;
        }
        let near = |other: &&String| {
            let other = other.to_ascii_lowercase();
            other != lower && is_near(&lower, &other)
        };
        let shortened = without_one(&lower).chain([lower.clone()]);
        let mut found: Vec<&String> = shortened
            .filter_map(|short| self.shortened.get(&short))
            .flatten()
            .filter(near)
            .collect();
        // A login with one character less is itself among the shortened ones.
        found.extend(
            without_one(&lower)
                .filter_map(|short| self.well_known.get_key_value(&short))
                .map(|(known, _)| known),
        );
        found.sort_by_key(|login| std::cmp::Reverse(self.downloads(login)));
        found.first().map(|login| login.as_str())
    }

    /// The crates whose names this login took, oldest first.
    pub(crate) fn published(&self, login: &str) -> &[(Timestamp, String)] {
        self.published
            .get(login)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }
}

fn without_one(text: &str) -> impl Iterator<Item = String> {
    text.char_indices().map(|(at, letter)| {
        let mut short = text[..at].to_owned();
        short.push_str(&text[at + letter.len_utf8()..]);
        short
    })
}

/// Whether one edit makes one of the other.
fn is_near(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let same = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[same..], &other[same..]);
    let tail = |a: &[char], b: &[char]| a == b;
    match (one, other) {
        ([], [_]) | ([_], []) => true,
        ([_, one @ ..], [_, other @ ..]) if tail(one, other) => true,
        ([a, b, one @ ..], [c, d, other @ ..]) if (a, b) == (d, c) && tail(one, other) => true,
        ([_, rest @ ..], other) if tail(rest, other) => true,
        (one, [_, rest @ ..]) if tail(one, rest) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards what counts as a login that looks like another one.
    #[test]
    fn logins() {
        let known = |login: &str, downloads| DumpedCrate {
            downloads,
            owners: vec![Owner::User(login.to_owned())],
            ..DumpedCrate::default()
        };
        let (famous, small) = (known("dtolnay", 900_000_000), known("somebody", 10));
        let people = People::new(
            BTreeMap::new(),
            [("syn", &famous), ("tiny", &small)].into_iter(),
        );
        for login in [
            "dtolnayy", "dtolnai", "dtonlay", "dtolny", "DTolnay1", "xdtolnay",
        ] {
            assert_eq!(people.looks_like(login), Some("dtolnay"), "{login}");
        }
        for login in ["dtolnay", "tolna", "somebodi", "dtolnay-org", "xx"] {
            assert_eq!(people.looks_like(login), None, "{login}");
        }
    }
}
