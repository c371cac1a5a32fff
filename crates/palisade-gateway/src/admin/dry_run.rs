//! What a policy would do to everything that is known, without doing it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use palisade_index::IndexVersion;
use palisade_store::{Cause, Decision, Origin, State, Store};

use crate::GatewayError;
use crate::advisories::Advisories;
use crate::catalogue::facts::{Dossier, Sources};
use crate::config::Config;
use crate::policy::{Orders, judge};

/// At which time the policy is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Now: what it would change.
    Now,
    /// When each version was first seen: what it would have kept back.
    FirstSight,
}

/// What a policy would do to one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The crate.
    pub name: String,
    /// The version.
    pub version: String,
    /// Where it stands.
    pub from: State,
    /// Where the policy would put it, and why.
    pub decision: Decision,
}

/// What a policy would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DryRun {
    /// How many versions it was asked about.
    pub versions: usize,
    /// How many of them nobody has looked into, so that rules about archives
    /// have nothing to say.
    pub not_inspected: usize,
    /// What would change.
    pub changes: Vec<Change>,
    /// How often each rule objects, or would if it did not only observe.
    pub objections: BTreeMap<String, usize>,
}

/// Asks the policy of `config` about everything that is known. Nothing is
/// written, fetched or scanned.
///
/// # Errors
/// The database, or that of the advisories, cannot be read.
pub async fn dry_run(
    store: &Store,
    config: &Config,
    scanner: bool,
    now: Timestamp,
    moment: Moment,
) -> Result<DryRun, GatewayError> {
    let mut policy = config.policy.clone();
    policy.settle(scanner);
    let advisories = Advisories::open(config.advisories.as_deref())?;
    let orders = Orders::load(store, now).await?;
    let sources = Sources {
        store,
        policy: &policy,
        orders: &orders,
    };
    let mut found = DryRun::default();
    for krate in store.search_crates("", u32::MAX).await? {
        let mut known = Vec::new();
        let mut versions = Vec::new();
        for version in store.versions(&krate.canonical).await? {
            let Ok(index) = IndexVersion::parse(&version.line) else {
                continue;
            };
            known.push(sources.known(&version, index).await?);
            versions.push(version);
        }
        let mut dossier = Dossier {
            name: &krate.name,
            hosted: krate.origin == Origin::Hosted,
            known,
            advisories: advisories.about(&krate.name),
        };
        for (at, version) in versions.iter().enumerate() {
            found.versions += 1;
            found.not_inspected += usize::from(dossier.known[at].inspection.is_none());
            let time = match moment {
                Moment::Now => now,
                Moment::FirstSight => version.first_seen,
            };
            // Whether it is new was decided at first sight; a rule about new
            // versions is asked about what was new then.
            if moment == Moment::FirstSight {
                dossier.known[at].yank_seen = None;
                dossier.known[at].missing_since = None;
            }
            let decision = judge(&policy, &dossier.facts(&orders, time), at);
            for rule in decision.rules.iter().map(String::as_str).chain(
                decision
                    .observed
                    .iter()
                    .filter_map(|text| text.split(':').next()),
            ) {
                *found.objections.entry(rule.to_owned()).or_default() += 1;
            }
            let differs = match moment {
                // What a person has decided stays, whatever the policy says.
                Moment::Now => {
                    version.state != decision.state
                        && version.state.may_become(decision.state, Cause::Policy)
                }
                Moment::FirstSight => decision.state != State::Allowed,
            };
            if differs || !decision.observed.is_empty() {
                found.changes.push(Change {
                    name: krate.name.clone(),
                    version: version.version.clone(),
                    from: version.state,
                    decision,
                });
            }
        }
    }
    Ok(found)
}
