//! Version requirements read as intervals of the total order of versions.

use std::fmt;

use semver::{BuildMetadata, Comparator, Op, Prerelease, Version, VersionReq};
use thiserror::Error;

/// A range of versions as an advisory writes it (`>= 1.2.3, < 1.3.0`).
///
/// The syntax is Cargo's, the meaning is RustSec's: a range is an interval of
/// the order that [semver defines](https://semver.org/#spec-item-11), and
/// pre-releases are versions like any other. Cargo's own rule, by which
/// `>= 1.0` never matches `2.0.0-rc.1`, serves choosing dependencies; applied
/// to advisories it would call a fixed release candidate vulnerable and a
/// vulnerable one outside every affected range.
///
/// - Parts left out count as zero: `<= 0.7` ends at 0.7.0.
/// - `^` and `~` end before the pre-releases of their upper bound, so `^1.0`
///   contains neither 2.0.0 nor 2.0.0-rc.1.
/// - `< 1.0.0` contains 1.0.0-rc.1, and `>= 1.0.0` does not.
/// - Build metadata is ignored.
/// - `*` contains everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRange {
    text: String,
    requirement: VersionReq,
}

/// A version range that cannot be read.
#[derive(Debug, Error)]
#[error("`{text}` is not a version requirement")]
pub struct VersionRangeError {
    /// The text as it was given.
    pub text: String,
    /// What is wrong with it.
    #[source]
    pub source: semver::Error,
}

impl VersionRange {
    /// Reads a range.
    ///
    /// # Errors
    /// When the text is not a version requirement in Cargo's syntax.
    pub fn parse(text: &str) -> Result<VersionRange, VersionRangeError> {
        match VersionReq::parse(text) {
            Ok(requirement) => Ok(VersionRange {
                text: text.trim().to_owned(),
                requirement,
            }),
            Err(source) => Err(VersionRangeError {
                text: text.to_owned(),
                source,
            }),
        }
    }

    /// Whether the version lies in the range.
    pub fn contains(&self, version: &Version) -> bool {
        self.requirement
            .comparators
            .iter()
            .all(|comparator| contains(comparator, version))
    }

    /// Whether Cargo's stricter reading of the same text matches the version.
    pub(crate) fn cargo_matches(&self, version: &Version) -> bool {
        self.requirement.matches(version)
    }

    /// Whether the range contains versions above the given one, which itself
    /// lies outside.
    pub(crate) fn reaches_above(&self, version: &Version) -> bool {
        let comparators = &self.requirement.comparators;
        comparators.iter().filter_map(upper_bound).all(|upper| {
            let (Upper::Inclusive(end) | Upper::Exclusive(end)) = upper;
            end.cmp_precedence(version).is_gt()
        })
    }

    /// The requirement as Cargo would read it, for asking a resolver.
    pub fn requirement(&self) -> &VersionReq {
        &self.requirement
    }

    /// The text as the advisory has it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

enum Upper {
    Inclusive(Version),
    Exclusive(Version),
}

fn contains(comparator: &Comparator, version: &Version) -> bool {
    let start = floor(comparator);
    let above_start = match comparator.op {
        Op::Less | Op::LessEq => true,
        Op::Greater => version.cmp_precedence(&start).is_gt(),
        _ => version.cmp_precedence(&start).is_ge(),
    };
    above_start
        && match upper_bound(comparator) {
            None => true,
            Some(Upper::Inclusive(end)) => version.cmp_precedence(&end).is_le(),
            Some(Upper::Exclusive(end)) => version.cmp_precedence(&end).is_lt(),
        }
}

/// Where the interval of one comparator ends, `None` for no end.
fn upper_bound(comparator: &Comparator) -> Option<Upper> {
    let &Comparator {
        major,
        minor,
        patch,
        ..
    } = comparator;
    match comparator.op {
        Op::Greater | Op::GreaterEq => None,
        Op::Less => Some(Upper::Exclusive(floor(comparator))),
        Op::LessEq | Op::Exact => Some(Upper::Inclusive(floor(comparator))),
        Op::Caret => before(match (major, minor, patch) {
            (0, Some(0), Some(patch)) => (Some(0), Some(0), patch.checked_add(1)),
            (0, Some(minor), _) => (Some(0), minor.checked_add(1), Some(0)),
            (major, ..) => (major.checked_add(1), Some(0), Some(0)),
        }),
        // A wildcard behaves as a tilde does: `1.*` is `~1`, `1.2.*` is `~1.2`.
        // Operators of later versions of the syntax do not parse today.
        _ => before(match minor {
            None => (major.checked_add(1), Some(0), Some(0)),
            Some(minor) => (Some(major), minor.checked_add(1), Some(0)),
        }),
    }
}

/// The end before all pre-releases of a version; no end where the number
/// would not fit, since no version can lie beyond.
fn before(version: (Option<u64>, Option<u64>, Option<u64>)) -> Option<Upper> {
    let mut end = Version::new(version.0?, version.1?, version.2?);
    end.pre = Prerelease::new("0").expect("`0` is a valid pre-release and the lowest");
    Some(Upper::Exclusive(end))
}

fn floor(comparator: &Comparator) -> Version {
    Version {
        major: comparator.major,
        minor: comparator.minor.unwrap_or(0),
        patch: comparator.patch.unwrap_or(0),
        pre: comparator.pre.clone(),
        build: BuildMetadata::EMPTY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `inside` and `outside` list versions, separated by blanks.
    #[track_caller]
    fn check(range: &str, inside: &str, outside: &str) {
        let parsed = VersionRange::parse(range).unwrap();
        for version in inside.split_whitespace() {
            assert!(
                parsed.contains(&Version::parse(version).unwrap()),
                "{version} in {range}"
            );
        }
        for version in outside.split_whitespace() {
            assert!(
                !parsed.contains(&Version::parse(version).unwrap()),
                "{version} not in {range}"
            );
        }
    }

    /// Guards the documented meaning of each operator.
    #[test]
    fn operators() {
        check(
            ">= 1.2.3",
            "1.2.3 1.2.4 2.0.0 2.0.0-rc.1 1.2.3+build",
            "1.2.2 1.2.3-rc.1",
        );
        check(
            "> 1.2.3",
            "1.2.4 1.2.4-alpha",
            "1.2.3 1.2.3+build 1.2.3-rc.1",
        );
        check("< 1.0.0", "0.9.9 1.0.0-rc.1", "1.0.0 1.0.0+build");
        check("<= 0.7", "0.7.0 0.6.9", "0.7.1 0.7.1-rc.1");
        check("= 1.2", "1.2.0 1.2.0+x", "1.2.1 1.2.0-rc.1");
        check("^1.2.3", "1.2.3 1.9.0", "2.0.0 2.0.0-rc.1 1.2.2");
        check("^0.2.3", "0.2.3 0.2.9", "0.3.0 0.3.0-rc.1");
        check("^0.0.3", "0.0.3", "0.0.4 0.0.4-rc.1 0.0.2");
        check("^0.0", "0.0.0 0.0.9", "0.1.0");
        check("^0", "0.0.0 0.9.9", "1.0.0 1.0.0-0");
        check("1.2", "1.2.0 1.9.0", "2.0.0");
        check("~1.2.3", "1.2.3 1.2.9", "1.3.0 1.3.0-rc.1 1.2.2");
        check("~1", "1.0.0 1.9.9", "2.0.0 2.0.0-0");
        check("1.2.*", "1.2.0 1.2.9", "1.3.0 1.1.9");
        check("*", "0.0.0 1.0.0-rc.1 99.0.0", "");
        check(
            ">= 1.0.0-rc.1, < 1.1",
            "1.0.0-rc.1 1.0.0 1.1.0-rc.1",
            "1.0.0-beta.9 1.1.0",
        );
        check(">= 2.0.0, < 1.0.0", "", "0.1.0 1.5.0 3.0.0");
    }

    /// Guards against overflow in the arithmetic of upper bounds.
    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let largest = format!("{0}.{0}.{0}", u64::MAX);
        for operator in ["^", "~", "=", ">="] {
            check(&format!("{operator}{largest}"), &largest, "1.0.0");
        }
        check(
            &format!("^0.0.{}", u64::MAX),
            &format!("0.0.{}", u64::MAX),
            "0.0.1",
        );
        check(
            &format!("^0.{}", u64::MAX),
            &format!("0.{}.7", u64::MAX),
            "0.1.0",
        );
    }
}
