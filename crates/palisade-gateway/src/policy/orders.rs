//! What people have ordered while the gateway runs: waivers, holds of many
//! versions at once, and names that are set aside.

use std::collections::BTreeMap;

use jiff::Timestamp;
use palisade_index::canonical_name;
use palisade_store::{Hold, HoldKind, NameKind, SetAside, Store, StoreError, Waiver};
use semver::{Version, VersionReq};

use crate::pattern::Pattern;

/// Everything that is in force at one moment.
#[derive(Debug, Default)]
pub struct Orders {
    waivers: Vec<Exemption>,
    holds: Vec<Standing>,
    names: Vec<(Pattern, SetAside)>,
    /// When the first of them ends.
    pub(crate) next: Option<Timestamp>,
}

/// A waiver that is in force.
#[derive(Debug)]
struct Exemption {
    id: i64,
    pattern: Pattern,
    versions: Option<VersionReq>,
    rules: Vec<String>,
    login: Option<String>,
}

/// A hold that is in force.
#[derive(Debug)]
struct Standing {
    hold: Hold,
    /// Whose versions it keeps back; `None` when it goes by names.
    publisher: Option<i64>,
    pattern: Option<Pattern>,
}

impl Orders {
    /// Reads what is in force at `now`.
    ///
    /// # Errors
    /// The database cannot be read, or holds what this release does not write.
    pub async fn load(store: &Store, now: Timestamp) -> Result<Orders, StoreError> {
        let mut orders = Orders::default();
        for waiver in store.waivers().await? {
            if waiver.is_in_force(now) {
                orders.ends(waiver.terms.expires);
                orders.waivers.push(exemption(waiver)?);
            }
        }
        let mut logins: BTreeMap<String, i64> = BTreeMap::new();
        for hold in store.holds().await? {
            if !hold.is_in_force(now) {
                continue;
            }
            orders.ends(hold.expires);
            let (publisher, pattern) = match hold.kind {
                HoldKind::Crate => (None, Some(parse(&hold.pattern)?)),
                HoldKind::Publisher => {
                    if logins.is_empty() {
                        let users = store.users().await?.into_iter();
                        logins.extend(users.map(|user| (user.login, user.id)));
                    }
                    (logins.get(&hold.pattern).copied(), None)
                }
            };
            orders.holds.push(Standing {
                hold,
                publisher,
                pattern,
            });
        }
        for name in store.names().await? {
            if name.is_in_force(now) {
                if let Some(expires) = name.expires {
                    orders.ends(expires);
                }
                orders.names.push((parse(&name.pattern)?, name));
            }
        }
        Ok(orders)
    }

    fn ends(&mut self, time: Timestamp) {
        self.next = Some(self.next.map_or(time, |next| next.min(time)));
    }

    /// The number of a waiver that covers every one of these rules for a
    /// version, for everybody or for the user `login`. No rule at all is
    /// covered by nothing: then it is unknown what would be let through.
    pub(crate) fn waives(
        &self,
        name: &str,
        version: &Version,
        rules: &[String],
        login: Option<&str>,
    ) -> Option<i64> {
        if rules.is_empty() {
            return None;
        }
        self.waivers
            .iter()
            .find(|waiver| {
                waiver.applies(name, login)
                    && waiver.covers(version)
                    && rules
                        .iter()
                        .all(|rule| waiver.rules.iter().any(|waived| waived == rule))
            })
            .map(|waiver| waiver.id)
    }

    /// Whether a waiver is for this user alone and about this crate, so that
    /// they may see more of it than everybody does.
    pub(crate) fn favours(&self, name: &str, login: &str) -> bool {
        self.waivers
            .iter()
            .any(|waiver| waiver.login.is_some() && waiver.applies(name, Some(login)))
    }

    /// Why nothing of this name may be had, and until when.
    pub(crate) fn blocked(&self, name: &str) -> Option<&SetAside> {
        self.set_aside(name, NameKind::Blocked)
    }

    /// For whom a name is kept.
    pub(crate) fn reserved(&self, name: &str) -> Option<&SetAside> {
        self.set_aside(name, NameKind::Reserved)
    }

    fn set_aside(&self, name: &str, kind: NameKind) -> Option<&SetAside> {
        if self.names.is_empty() {
            return None;
        }
        let canonical = canonical_name(name);
        let found = self
            .names
            .iter()
            .find(|(pattern, name)| name.kind == kind && pattern.matches(&canonical));
        found.map(|(_, name)| name)
    }

    /// The hold that keeps back a version that was first seen at `seen`.
    pub(crate) fn hold(
        &self,
        name: &str,
        publisher: Option<i64>,
        seen: Timestamp,
    ) -> Option<&Hold> {
        let found = self.holds.iter().find(|standing| {
            seen >= standing.hold.at
                && match &standing.pattern {
                    Some(pattern) => pattern.matches(name),
                    None => standing.publisher.is_some() && standing.publisher == publisher,
                }
        });
        found.map(|standing| &standing.hold)
    }
}

impl Exemption {
    fn applies(&self, name: &str, login: Option<&str>) -> bool {
        let for_them = match &self.login {
            None => true,
            Some(own) => login.is_some_and(|login| login == own),
        };
        for_them && self.pattern.matches(name)
    }

    fn covers(&self, version: &Version) -> bool {
        self.versions
            .as_ref()
            .is_none_or(|versions| versions.matches(version))
    }
}

fn exemption(waiver: Waiver) -> Result<Exemption, StoreError> {
    let versions = waiver.terms.versions.map(|text| {
        VersionReq::parse(&text).map_err(|_| StoreError::Damaged {
            what: "the versions of a waiver",
            value: text,
        })
    });
    Ok(Exemption {
        id: waiver.id,
        pattern: parse(&waiver.terms.pattern)?,
        versions: versions.transpose()?,
        rules: waiver.terms.rules,
        login: waiver.terms.login,
    })
}

fn parse(pattern: &str) -> Result<Pattern, StoreError> {
    Pattern::parse(pattern).map_err(|_| StoreError::Damaged {
        what: "the pattern",
        value: pattern.to_owned(),
    })
}
