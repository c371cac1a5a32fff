//! The checks that need more than the package: owners, advisories, releases
//! over time, trusted publishing, the repository.

use jiff::Timestamp;
use palisade_model::Kind;

use super::hygiene::{Check, HIGH, LOW, MEDIUM, check};
use crate::detectors::by_machine;
use crate::provenance::{Provenance, ProvenanceClass};
use crate::surroundings::Around;

pub(crate) fn around(around: &Around<'_>) -> Vec<Check> {
    vec![
        owners(around),
        advisories(around),
        trusted_publishing(around),
        releases(around),
    ]
}

fn owners(around: &Around<'_>) -> Check {
    let improve = "add a second owner, or a team, who can publish when the first one cannot";
    let Some(known) = around.dumped().filter(|known| !known.owners.is_empty()) else {
        return check(
            "owners",
            LOW,
            None,
            "owners are not known; a database dump (`--dump`) says",
            improve,
        );
    };
    let (score, reason) = match known.owners.len() {
        1 => (5, "it has one owner".to_owned()),
        count => (10, format!("it has {count} owners")),
    };
    check("owners", LOW, Some(score), reason, improve)
}

fn advisories(around: &Around<'_>) -> Check {
    let improve = "publish a version with the fix, and yank the others";
    let Some(advisories) = &around.surroundings.advisories else {
        return check(
            "advisories",
            HIGH,
            None,
            "advisories are not known; an advisory database (`--db`) says",
            improve,
        );
    };
    let about = advisories.about(around.name);
    let open: Vec<_> = about
        .iter()
        .filter(|advisory| advisory.versions.is_affected(around.version))
        .collect();
    let worst = open
        .iter()
        .map(|advisory| match advisory.kind {
            Kind::Malicious | Kind::Vulnerability => 0,
            Kind::Unsound => 3,
            Kind::Unmaintained => 2,
            Kind::Notice => 7,
        })
        .min();
    let reason = match open.first() {
        None => "no advisory concerns this version".to_owned(),
        Some(_) => {
            let ids: Vec<&str> = open.iter().map(|advisory| advisory.id.as_str()).collect();
            format!("open advisories: {}", ids.join(", "))
        }
    };
    check(
        "advisories",
        HIGH,
        Some(worst.unwrap_or(10)),
        reason,
        improve,
    )
}

fn trusted_publishing(around: &Around<'_>) -> Check {
    let improve =
        "let a workflow publish, and let the registry accept nothing else (trusted publishing)";
    let unknown = |reason: &str| check("trusted-publishing", MEDIUM, None, reason, improve);
    let Some(known) = around.dumped() else {
        return unknown("who publishes is not known; a database dump (`--dump`) says");
    };
    let version = known
        .versions
        .iter()
        .find(|known| known.version == *around.version);
    let Some(version) = version else {
        return unknown("the database dump does not have this version");
    };
    let (score, reason) = match (known.trusted_only, by_machine(version)) {
        (Some(true), _) => (10, "the registry accepts it from a trusted workflow alone"),
        (_, true) => (8, "a trusted workflow published it"),
        (_, false) if version.published_by.is_some() => (3, "a person's token published it"),
        _ => return unknown("the database dump does not say who published it"),
    };
    check("trusted-publishing", MEDIUM, Some(score), reason, improve)
}

/// Months since the newest release; what is finished is released seldom, so
/// that even an old one has some points.
fn releases(around: &Around<'_>) -> Check {
    let improve = "publish maintenance releases, or say in the readme that it is finished";
    let Some(index) = &around.index else {
        return check("releases", LOW, None, "the index is not known", improve);
    };
    let times: Vec<Timestamp> = index
        .versions
        .iter()
        .filter(|version| !version.yanked)
        .filter_map(|version| version.published)
        .collect();
    let (Some(newest), Some(at)) = (times.iter().max(), around.surroundings.at) else {
        return check(
            "releases",
            LOW,
            None,
            "the index says no times of publication",
            improve,
        );
    };
    let months = at.duration_since(*newest).as_hours() / (24 * 30);
    let last_year = times
        .iter()
        .filter(|time| at.duration_since(**time).as_hours() < 24 * 365)
        .count();
    let score = match months {
        ..=6 => 10,
        7..=12 => 9,
        13..=24 => 7,
        25..=48 => 5,
        _ => 3,
    };
    let score = if times.len() == 1 {
        score.min(6)
    } else {
        score
    };
    let reason = match months {
        ..=1 => format!("{last_year} releases within a year, the newest in the last month"),
        months => format!("{last_year} releases within a year, the newest {months} months ago"),
    };
    check("releases", LOW, Some(score), reason, improve)
}

/// What came of comparing the package with its repository.
pub(crate) fn source_revision(provenance: &Provenance) -> Check {
    let improve = "publish from a clean checkout of a revision that is pushed";
    let score = match provenance.class {
        ProvenanceClass::Match | ProvenanceClass::MatchNormalised => 10,
        ProvenanceClass::Dirty => 4,
        ProvenanceClass::CommitUnreachable | ProvenanceClass::CommitNotFound => 3,
        ProvenanceClass::NoInformation => 2,
        ProvenanceClass::RepositoryGone => 1,
        ProvenanceClass::Different => 0,
    };
    check(
        "source-revision",
        HIGH,
        Some(score),
        provenance.class.sentence(),
        improve,
    )
}
