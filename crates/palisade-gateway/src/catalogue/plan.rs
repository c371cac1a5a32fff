//! What follows from an upstream's index file, as a function of what is known:
//! no clock, no database, no network.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use palisade_index::IndexVersion;
use palisade_store::{Decision, NewVersion, Refresh, State, Version};

use crate::advisories::Advisory;
use crate::config::AgeClock;
use crate::line::with_yanked;
use crate::policy::{Facts, Known, Orders, Policy, judge};

/// A version that is so old when it is first seen is left to the world's
/// judgement: rules about new versions do not apply.
const SETTLED_DAYS: i64 = 30;

/// An upstream's file as it was understood.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) versions: Vec<IndexVersion>,
    /// Lines that are not passed on, with the reason.
    pub(crate) left_out: Vec<String>,
}

/// What to write.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) new: Vec<NewVersion>,
    pub(crate) refreshes: Vec<Refresh>,
    pub(crate) decisions: Vec<(Version, Decision)>,
}

/// How to take what an upstream says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) clock: AgeClock,
    /// Whether the operator vouches that what is there is old.
    pub(crate) baseline: bool,
    pub(crate) now: Timestamp,
    pub(crate) orders: &'a Orders,
    /// The advisories about the crate.
    pub(crate) advisories: &'a [Advisory],
}

impl Listing {
    /// Reads an index file. What cannot be understood cannot be judged, and is
    /// not passed on.
    pub(crate) fn read(name: &str, text: &str) -> Listing {
        let mut listing = Listing::default();
        let mut seen = BTreeSet::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            match IndexVersion::parse(line) {
                // Another crate's line would answer for that crate.
                Ok(version) if !version.name.eq_ignore_ascii_case(name) => listing
                    .left_out
                    .push(format!("a line about `{}`", version.name.escape_debug())),
                Ok(version) if with_yanked(line, true).is_none() => {
                    listing.left_out.push(version.version.to_string());
                }
                Ok(version) => {
                    if seen.insert(version.version.clone()) {
                        listing.versions.push(version);
                    } else {
                        listing
                            .left_out
                            .push(format!("a second line for {}", version.version));
                    }
                }
                Err(reason) => listing.left_out.push(reason),
            }
        }
        listing
    }
}

/// The versions that rules about new versions apply to, and that are not
/// known yet.
pub(crate) fn unsettled<'l>(
    listing: &'l Listing,
    known: &[Version],
    terms: Terms<'_>,
) -> Vec<&'l IndexVersion> {
    let names: BTreeSet<&str> = known.iter().map(|known| known.version.as_str()).collect();
    listing
        .versions
        .iter()
        .filter(|version| !names.contains(version.version.to_string().as_str()))
        .filter(|version| !settled(published(version, terms), terms))
        .collect()
}

/// When a version was published, as far as that is believed.
fn published(version: &IndexVersion, terms: Terms<'_>) -> Timestamp {
    match (version.published, terms.clock) {
        (Some(time), AgeClock::Upstream) => time,
        _ if terms.baseline => version.published.unwrap_or(Timestamp::UNIX_EPOCH),
        // An upstream that gives no time could give any.
        _ => terms.now,
    }
}

fn settled(published: Timestamp, terms: Terms<'_>) -> bool {
    terms.now.duration_since(published) > SignedDuration::from_hours(24 * SETTLED_DAYS)
}

/// What to write when the upstream lists `listing` and `versions` are known.
/// `held` names the dependency of a version of which every fitting version is
/// kept back.
pub(crate) fn plan(
    name: &str,
    listing: &Listing,
    versions: &[Version],
    held: &BTreeMap<String, String>,
    terms: Terms<'_>,
) -> Plan {
    let listed: BTreeMap<String, &IndexVersion> = listing
        .versions
        .iter()
        .map(|version| (version.version.to_string(), version))
        .collect();
    let mut after: Vec<Refresh> = versions
        .iter()
        .map(|version| refreshed(version, listed.get(&version.version).copied(), terms.now))
        .collect();
    delay_yanks(&mut after, terms);

    let mut facts: Vec<Known> = Vec::new();
    let mut judged: Vec<Option<&Version>> = Vec::new();
    for (version, refresh) in versions.iter().zip(&after) {
        // A line that was understood once is understood again.
        let Ok(index) = IndexVersion::parse(&version.line) else {
            continue;
        };
        facts.push(Known {
            index,
            published: version.published,
            settled: version.settled,
            yank_seen: refresh.yank_seen,
            missing_since: refresh.missing_since,
            first_seen: version.first_seen,
            publisher: version.publisher,
            inspection: None,
            unanswered: None,
            held_dependency: held.get(&version.version).cloned(),
        });
        judged.push(Some(version));
    }
    let known: BTreeSet<&str> = versions
        .iter()
        .map(|version| version.version.as_str())
        .collect();
    for version in &listing.versions {
        let text = version.version.to_string();
        if known.contains(text.as_str()) {
            continue;
        }
        let time = published(version, terms);
        facts.push(Known {
            index: version.clone(),
            published: time,
            settled: settled(time, terms),
            yank_seen: None,
            missing_since: None,
            first_seen: terms.now,
            publisher: None,
            inspection: None,
            unanswered: None,
            held_dependency: held.get(&text).cloned(),
        });
        judged.push(None);
    }

    let mut plan = Plan::default();
    let crate_facts = Facts {
        name,
        hosted: false,
        versions: &facts,
        advisories: terms.advisories,
        orders: terms.orders,
        now: terms.now,
    };
    for (at, version) in judged.into_iter().enumerate() {
        match version {
            None => plan.new.push(new_version(
                &facts[at],
                judge(terms.policy, &crate_facts, at),
            )),
            // Only what makes it worse: what is better needs every check.
            Some(version) if matches!(version.state, State::Allowed | State::Held) => {
                let decision = judge(terms.policy, &crate_facts, at);
                if decision.state == State::Quarantined {
                    plan.decisions.push((version.clone(), decision));
                }
            }
            Some(_) => {}
        }
    }
    plan.refreshes = after
        .into_iter()
        .zip(versions)
        .filter(|(after, version)| *after != version.refresh())
        .map(|(after, _)| after)
        .collect();
    plan
}

fn new_version(known: &Known, decision: Decision) -> NewVersion {
    let version = known.index.version.to_string();
    NewVersion {
        identity: version.clone(),
        version,
        line: known.index.raw.clone(),
        checksum: known.index.checksum,
        published: known.published,
        settled: known.settled,
        yanked: known.index.yanked,
        decision,
        publisher: None,
    }
}

/// What the upstream says of a known version now.
fn refreshed(version: &Version, listed: Option<&IndexVersion>, now: Timestamp) -> Refresh {
    let mut after = version.refresh();
    let Some(listed) = listed else {
        after.missing_since = after.missing_since.or(Some(now));
        return after;
    };
    after.missing_since = None;
    match (version.yanked, listed.yanked) {
        (false, true) => after.yank_seen = Some(now),
        (true, false) => {
            after.yank_seen = None;
            after.yank_delayed = None;
        }
        _ => {}
    }
    after.yanked = listed.yanked;
    let same =
        with_yanked(&listed.raw, version.yanked) == with_yanked(&version.line, version.yanked);
    after.rewritten = (!same)
        .then(|| {
            with_yanked(&listed.raw, false)
                .map(|line| palisade_archive::checksum(line.as_bytes()).to_string())
        })
        .flatten();
    after
}

/// Yanks that come in numbers are passed on later.
fn delay_yanks(after: &mut [Refresh], terms: Terms<'_>) {
    let yanks: Vec<Timestamp> = after.iter().filter_map(|after| after.yank_seen).collect();
    for version in after {
        if let (Some(seen), true) = (version.yank_seen, version.yanked) {
            // What is known to be bad is yanked for good reason.
            let bad = version.version.parse().is_ok_and(|version| {
                let mut advisories = terms.advisories.iter();
                advisories.any(|advisory| advisory.is_about(&version))
            });
            version.yank_delayed = terms
                .policy
                .mass_yank
                .delay(seen, &yanks, terms.now)
                .filter(|_| !bad);
        }
    }
}
