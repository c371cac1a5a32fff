//! Where a version shall stand.

use jiff::Timestamp;
use palisade_index::IndexVersion;
use palisade_store::{Decision, Inspection, State};

use super::{Mode, Orders, Policy, rules};
use crate::advisories::Advisory;

/// What is known about a crate when one of its versions is judged.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The crate's name.
    pub name: &'a str,
    /// Whether it is published here.
    pub hosted: bool,
    /// Its versions, in the order of publication.
    pub versions: &'a [Known],
    /// The advisories about it.
    pub advisories: &'a [Advisory],
    /// What people have ordered.
    pub orders: &'a Orders,
    /// The time.
    pub now: Timestamp,
}

/// What is known about one version.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its index line.
    pub index: IndexVersion,
    /// When it was published, as far as that is believed.
    pub published: Timestamp,
    /// Whether it was old when it was first seen.
    pub settled: bool,
    /// When a yank was noticed.
    pub yank_seen: Option<Timestamp>,
    /// Since when the upstream no longer lists it.
    pub missing_since: Option<Timestamp>,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// Who published it here.
    pub publisher: Option<i64>,
    /// What looking into its archive brought, when somebody has looked.
    pub inspection: Option<Inspection>,
    /// Why the scanner, when it was asked, gave no answer.
    pub unanswered: Option<String>,
    /// A dependency of which every fitting version is kept back.
    pub held_dependency: Option<String>,
}

/// What a rule wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Objection {
    /// Until when to hold; `None` for a person to decide.
    pub(crate) until: Option<Timestamp>,
    /// Why.
    pub(crate) reason: String,
}

/// Every rule: its stable name, its mode, and its question.
type Rule = (
    &'static str,
    fn(&Policy) -> Mode,
    fn(&Policy, &Facts<'_>, usize) -> Option<Objection>,
);

const RULES: [Rule; 14] = [
    (
        "break-glass",
        |_| Mode::Enforce,
        rules::break_glass::objection,
    ),
    ("review", |_| Mode::Enforce, rules::review::objection),
    (
        "advisory",
        |policy| policy.advisory.mode,
        rules::advisory::objection,
    ),
    ("scan", |policy| policy.scan.mode(), rules::scan::objection),
    (
        "archive",
        |policy| policy.archive.mode,
        rules::archive::objection,
    ),
    (
        "secrets",
        |policy| policy.secrets.mode,
        rules::secrets::objection,
    ),
    (
        "typosquat",
        |policy| policy.typosquat.mode,
        rules::typosquat::objection,
    ),
    (
        "licence",
        |policy| policy.licence.mode,
        rules::licence::objection,
    ),
    (
        "removed",
        |policy| policy.removed.mode,
        rules::removed::objection,
    ),
    (
        "mass-yank",
        |policy| policy.mass_yank.mode,
        rules::mass_yank::objection,
    ),
    (
        "first-dependency",
        |policy| policy.first_dependency.mode,
        rules::first_dependency::objection,
    ),
    (
        "held-dependency",
        |policy| policy.held_dependency.mode,
        rules::held_dependency::objection,
    ),
    (
        "new-crate",
        |policy| policy.new_crate.mode,
        rules::new_crate::objection,
    ),
    (
        "minimum-age",
        |policy| policy.minimum_age.mode,
        rules::minimum_age::objection,
    ),
];

/// The names of the rules, each with what it does under a policy.
pub fn modes(policy: &Policy) -> impl Iterator<Item = (&'static str, Mode)> {
    RULES.iter().map(|(name, mode, _)| (*name, mode(policy)))
}

/// Where the version at `at` shall stand: quarantined when a rule wants a
/// person, else held until the last rule is content, else allowed.
pub fn judge(policy: &Policy, facts: &Facts<'_>, at: usize) -> Decision {
    let mut decision = Decision::allow();
    if policy.exempts(facts.name, &facts.versions[at].index.version) {
        return decision;
    }
    for (name, mode, question) in RULES {
        let mode = mode(policy);
        if mode == Mode::Off {
            continue;
        }
        let Some(objection) = question(policy, facts, at) else {
            continue;
        };
        if mode == Mode::Audit {
            decision
                .observed
                .push(format!("{name}: {}", objection.reason));
            continue;
        }
        decision.rules.push(name.to_owned());
        let stronger = match (decision.state, objection.until) {
            (State::Quarantined, _) => false,
            (State::Held, Some(until)) => decision.until.is_some_and(|known| until > known),
            _ => true,
        };
        if stronger {
            decision.state = match objection.until {
                Some(_) => State::Held,
                None => State::Quarantined,
            };
            decision.rule = Some(name.to_owned());
            decision.reason = Some(objection.reason);
            decision.until = objection.until;
        }
    }
    decision
}
