//! What to do about a finding.
//!
//! The lowest fixed version above the locked one that every dependent's
//! requirement allows is what one `cargo update --precise` can take. The
//! published versions come from cargo's own copy of the index when it has
//! one; otherwise the lower bounds of the advisory's ranges stand for them,
//! since advisories name versions that were published. When no version fits,
//! the requirement in the way is named.

mod published;
pub(crate) mod requirements;

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use palisade_advisory::{Match, Subject, VersionRange};
use palisade_model::{Package, Remedy};
use palisade_project::{Lockfile, Plan};
use semver::{Comparator, Op, Version, VersionReq};

/// Finds remedies for one workspace.
pub(crate) struct Remedies<'a> {
    lock: &'a Lockfile,
    root: &'a Utf8Path,
    dirs: BTreeMap<&'a Package, &'a Utf8Path>,
    cargo_home: Option<&'a Utf8Path>,
}

/// A dependent of the affected package, and what it requires.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Parent {
    name: String,
    requirement: VersionReq,
}

impl<'a> Remedies<'a> {
    /// Prepares to answer for the packages of a lockfile.
    pub(crate) fn new(
        plan: &'a Plan,
        lock: &'a Lockfile,
        cargo_home: Option<&'a Utf8Path>,
    ) -> Self {
        let dirs = plan
            .units
            .iter()
            .map(|unit| (&unit.package, unit.package_dir.as_path()));
        Remedies {
            lock,
            root: &plan.workspace_root,
            dirs: dirs.collect(),
            cargo_home,
        }
    }

    /// What to do about one match.
    pub(crate) fn of(&self, matched: &Match) -> Remedy {
        let package = &matched.package;
        let fixes = matched.advisory.versions.fixes_above(&package.version);
        // Versions that never had the problem are fixes too, but where there are
        // patched ones these are what to name.
        let patched = &matched.advisory.versions.patched;
        let is_patched = |range: &&&VersionRange| patched.contains(range);
        let any = fixes.iter().any(|range| is_patched(&range));
        let texts: Vec<String> = fixes
            .iter()
            .filter(|range| !any || is_patched(range))
            .map(ToString::to_string)
            .collect();
        if fixes.is_empty() {
            return Remedy::None;
        }
        if matched.subject != Subject::Package {
            return Remedy::Toolchain { fixed: texts };
        }
        let Some(parents) = self.parents(package) else {
            return Remedy::Fixed {
                package: package.name.clone(),
                fixed: texts,
            };
        };
        let published = self
            .cargo_home
            .map(|home| published::versions(home, package))
            .unwrap_or_default();
        let is_fixed = |version: &Version| matched.advisory.versions.is_fixed(version);
        let candidates = candidates(&package.version, &fixes, &parents, published, is_fixed);
        choose(package, candidates, &parents, texts)
    }

    /// The dependents of a package; `None` when one of them cannot be read.
    fn parents(&self, package: &Package) -> Option<Vec<Parent>> {
        let index = self
            .lock
            .packages
            .iter()
            .position(|locked| locked == package)?;
        let mut parents = Vec::new();
        for parent in self.lock.parents(index) {
            let parent = &self.lock.packages[parent];
            let dir = self.dir(parent)?;
            let found = requirements::of(&dir, self.root, parent, package)?;
            let found = found.into_iter();
            parents.extend(found.map(|requirement| Parent {
                name: parent.to_string(),
                requirement,
            }));
        }
        Some(parents)
    }

    /// The directory of a package: the plan's, or for what the plan does not
    /// build a neighbour of what it does.
    fn dir(&self, package: &Package) -> Option<Utf8PathBuf> {
        if let Some(dir) = self.dirs.get(package) {
            return Some((*dir).to_owned());
        }
        let registry = self
            .dirs
            .iter()
            .find(|(other, _)| other.source == package.source)?;
        let dir = registry
            .1
            .parent()?
            .join(format!("{}-{}", package.name, package.version));
        dir.is_dir().then_some(dir)
    }
}

/// Versions above the locked one that have the fix, in ascending order.
fn candidates(
    locked: &Version,
    fixes: &[&VersionRange],
    parents: &[Parent],
    published: Vec<Version>,
    is_fixed: impl Fn(&Version) -> bool,
) -> Vec<Version> {
    let suits = |version: &Version| {
        version > locked && is_fixed(version) && (version.pre.is_empty() || !locked.pre.is_empty())
    };
    let mut candidates: Vec<Version> = published
        .into_iter()
        .filter(|version| suits(version))
        .collect();
    if candidates.is_empty() {
        let ranges = fixes.iter().map(|range| range.requirement());
        let requirements = ranges.chain(parents.iter().map(|parent| &parent.requirement));
        let bounds = requirements
            .flat_map(|requirement| &requirement.comparators)
            .filter_map(lower_bound);
        candidates = bounds.filter(suits).collect();
    }
    candidates.sort();
    candidates.dedup();
    candidates
}

/// The lowest release that a comparator allows, when it bounds from below.
fn lower_bound(comparator: &Comparator) -> Option<Version> {
    let mut version = Version::new(
        comparator.major,
        comparator.minor.unwrap_or(0),
        comparator.patch.unwrap_or(0),
    );
    version.pre = comparator.pre.clone();
    match comparator.op {
        Op::Less | Op::LessEq => None,
        Op::Greater => {
            version.patch = version.patch.checked_add(1)?;
            Some(version)
        }
        _ => Some(version),
    }
}

fn choose(
    package: &Package,
    candidates: Vec<Version>,
    parents: &[Parent],
    fixed: Vec<String>,
) -> Remedy {
    let allows = |parent: &&Parent, version: &Version| parent.requirement.matches(version);
    let fits = |version: &&Version| parents.iter().all(|parent| allows(&parent, version));
    if let Some(to) = candidates.iter().find(fits) {
        return Remedy::Update {
            package: package.name.clone(),
            from: package.version.clone(),
            to: to.clone(),
        };
    }
    // A parent that allows none of them is in the way for sure; else one that
    // does not allow the lowest.
    let none = |parent: &&Parent| !candidates.iter().any(|version| allows(parent, version));
    let lowest = |parent: &&Parent| {
        candidates
            .first()
            .is_some_and(|version| !allows(parent, version))
    };
    match parents
        .iter()
        .find(none)
        .or_else(|| parents.iter().find(lowest))
    {
        Some(parent) if !candidates.is_empty() => Remedy::Blocked {
            package: package.name.clone(),
            fixed: some_of(&fixed),
            parent: parent.name.clone(),
            requirement: parent.requirement.to_string(),
        },
        _ => Remedy::Fixed {
            package: package.name.clone(),
            fixed,
        },
    }
}

/// The first few ranges; advisories list the patched ones first.
fn some_of(ranges: &[String]) -> String {
    const MOST: usize = 3;
    let mut text = ranges
        .iter()
        .take(MOST)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(" or ");
    if ranges.len() > MOST {
        text.push_str(" or others");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::package;

    /// `parents` and `published` are separated by blanks, ranges by `|`.
    fn remedy(locked: &str, fixed: &str, parents: &str, published: &str) -> Remedy {
        let package = package(&format!("demo {locked}"));
        let ranges: Vec<_> = fixed
            .split('|')
            .map(|text| VersionRange::parse(text).unwrap())
            .collect();
        let parents: Vec<_> = parents
            .split_whitespace()
            .map(|text| Parent {
                name: "parent 1.0.0".to_owned(),
                requirement: text.parse().unwrap(),
            })
            .collect();
        let published = published
            .split_whitespace()
            .map(|text| text.parse().unwrap())
            .collect();
        let is_fixed = |version: &Version| ranges.iter().any(|range| range.contains(version));
        let refs: Vec<_> = ranges.iter().collect();
        let candidates = candidates(&package.version, &refs, &parents, published, is_fixed);
        choose(
            &package,
            candidates,
            &parents,
            fixed.split('|').map(str::to_owned).collect(),
        )
    }

    #[track_caller]
    fn updates_to(remedy: Remedy, expected: &str) {
        match remedy {
            Remedy::Update { to, .. } => assert_eq!(to.to_string(), expected),
            other => panic!("{other:?}"),
        }
    }

    /// Guards the lowest version that suffices, known from the index or not.
    #[test]
    fn lowest_version_that_fits() {
        updates_to(remedy("1.0.0", ">=1.0.3", "^1", ""), "1.0.3");
        updates_to(
            remedy("1.0.0", ">=1.0.3", "^1", "1.0.1 1.0.4 1.0.5 2.0.0"),
            "1.0.4",
        );
        updates_to(remedy("1.1.0", "^1.0.5|>=1.2.3", "^1.1 ^1", ""), "1.2.3");
        updates_to(remedy("1.0.0", ">1.0.3", "^1", ""), "1.0.4");
        updates_to(
            remedy("1.0.0", ">=1.0.3", "^1", "1.0.3-rc.1 1.0.3"),
            "1.0.3",
        );
        updates_to(remedy("1.0.0", ">=1.0.3", "", ""), "1.0.3");
    }

    /// Guards that what a parent excludes is not proposed, and that the parent
    /// is named.
    #[test]
    fn a_requirement_in_the_way() {
        let blocked = remedy("0.1.43", ">=0.2.23", "^0.1", "0.1.44 0.2.23");
        let Remedy::Blocked {
            parent,
            requirement,
            fixed,
            ..
        } = blocked
        else {
            panic!("{blocked:?}")
        };
        assert_eq!(
            (parent.as_str(), requirement.as_str(), fixed.as_str()),
            ("parent 1.0.0", "^0.1", ">=0.2.23")
        );
        assert!(matches!(
            remedy("1.0.0", ">=1.0.3", "=1.0.0", ""),
            Remedy::Blocked { .. }
        ));
    }
}
