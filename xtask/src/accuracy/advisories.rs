//! Verdicts on real advisories, judged by the linker.
//!
//! An advisory that names functions is true for a program when the executable
//! holds one of them; one that names none, when it holds any function of the
//! crate. That is what `palisade check` must not contradict with *not
//! reached*.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use super::Function;
use super::linker::Symbols;
use super::targets::Target;
use crate::process;

/// How a verdict compares with what the linker kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Judgement {
    /// *Reached*, and kept.
    Confirmed,
    /// *Not reached*, and not kept.
    Cleared,
    /// *Reached*, but not kept.
    Overstated,
    /// *Unknown*, naming a cause.
    Open,
    /// *Unknown* without a cause.
    Unexplained,
    /// *Not reached*, but kept: what must not happen.
    Wrong,
}

/// One verdict on one advisory.
#[derive(Debug, Serialize)]
pub(super) struct Judged {
    id: String,
    package: String,
    version: String,
    verdict: String,
    reason: String,
    /// How it compares.
    pub(super) judgement: Judgement,
}

#[derive(Deserialize)]
struct Report {
    findings: Vec<Finding>,
}

#[derive(Deserialize)]
struct Finding {
    id: String,
    package: String,
    version: String,
    verdict: String,
    context: String,
    reason: String,
    #[serde(default)]
    functions: Vec<String>,
    #[serde(default)]
    blind_spots: Vec<usize>,
}

/// Checks a target against a database and judges every verdict about the
/// program itself; what runs at build time is not linked.
///
/// # Errors
///
/// When Palisade fails or prints no report.
pub(super) fn judge(
    palisade: &Utf8Path,
    target: &Target,
    database: &Utf8Path,
    expand_macros: bool,
    symbols: &Symbols,
) -> Result<Vec<Judged>> {
    let manifest = target.source()?.join("Cargo.toml");
    let mut command = process::command(palisade);
    command
        .args(["check", "--manifest-path", manifest.as_str()])
        .args(["--bin", target.bin, "--db", database.as_str()])
        .args(["--format", "json"]);
    if expand_macros {
        command.arg("--expand-macros");
    }
    let json = process::output_if(&mut command, |code| matches!(code, Some(0 | 1)))?;
    let report: Report =
        serde_json::from_str(&json).context("`palisade check --format json` printed no report")?;
    Ok(report
        .findings
        .into_iter()
        .filter(|finding| finding.context == "run")
        .map(|finding| {
            let judgement = judgement(&finding, &symbols.kept);
            Judged {
                id: finding.id,
                package: finding.package,
                version: finding.version,
                verdict: finding.verdict,
                reason: finding.reason,
                judgement,
            }
        })
        .collect())
}

/// Prints every verdict that the linker does not plainly agree with, and the
/// sums; returns what is wrong.
pub(super) fn print(results: &[(&Target, Vec<Judged>)]) -> Vec<String> {
    println!("\nVerdicts on real advisories, judged by the linker");
    let mut counts: BTreeMap<Judgement, usize> = BTreeMap::new();
    let mut missed = Vec::new();
    for (target, verdicts) in results {
        for judged in verdicts {
            *counts.entry(judged.judgement).or_default() += 1;
            let label = match judged.judgement {
                Judgement::Confirmed => "reached, kept",
                Judgement::Cleared => "not reached, not kept",
                Judgement::Overstated => "reached, NOT KEPT",
                Judgement::Open => "unknown",
                Judgement::Unexplained => "UNKNOWN WITHOUT CAUSE",
                Judgement::Wrong => "NOT REACHED, BUT KEPT",
            };
            println!(
                "  {:<18} {:<18} {:<28} {label}",
                target.name,
                judged.id,
                format!("{} {}", judged.package, judged.version)
            );
            if judged.judgement != Judgement::Confirmed && judged.judgement != Judgement::Cleared {
                println!("      {}", judged.reason);
            }
            if matches!(judged.judgement, Judgement::Wrong | Judgement::Unexplained) {
                missed.push(format!("{} {} {label}", target.name, judged.id));
            }
        }
    }
    let count = |judgement| counts.get(&judgement).copied().unwrap_or(0);
    let open = count(Judgement::Open) + count(Judgement::Unexplained);
    let total: usize = counts.values().sum();
    println!(
        "{} applications, {total} verdicts: {} reached ({} of them not kept), {} not reached \
         ({} wrongly), {open} unknown",
        results.iter().filter(|(_, list)| !list.is_empty()).count(),
        count(Judgement::Confirmed) + count(Judgement::Overstated),
        count(Judgement::Overstated),
        count(Judgement::Cleared) + count(Judgement::Wrong),
        count(Judgement::Wrong),
    );
    if open * 10 > total {
        missed.push(format!("{open} of {total} verdicts are unknown"));
    }
    missed
}

fn judgement(finding: &Finding, kept: &BTreeMap<Function, String>) -> Judgement {
    match (finding.verdict.as_str(), is_kept(finding, kept)) {
        ("reached", true) => Judgement::Confirmed,
        ("reached", false) => Judgement::Overstated,
        ("not-reached", true) => Judgement::Wrong,
        ("not-reached", false) => Judgement::Cleared,
        _ if finding.blind_spots.is_empty() => Judgement::Unexplained,
        _ => Judgement::Open,
    }
}

fn is_kept(finding: &Finding, kept: &BTreeMap<Function, String>) -> bool {
    if finding.functions.is_empty() {
        let krate = finding.package.replace('-', "_");
        return kept.keys().any(|function| function.krate == krate);
    }
    finding
        .functions
        .iter()
        .any(|path| kept.keys().any(|function| matches_path(function, path)))
}

/// Whether a function is what an advisory's path names: a function, a method,
/// or any method of a type or trait.
fn matches_path(function: &Function, path: &str) -> bool {
    let segments = segments(path);
    let [krate, .., last] = segments.as_slice() else {
        return false;
    };
    if function.krate != *krate {
        return false;
    }
    let holds = |name: &str| {
        function.self_type.as_deref() == Some(name) || function.trait_name.as_deref() == Some(name)
    };
    let is_type = |name: &str| name.starts_with(|first: char| first.is_ascii_uppercase());
    if is_type(last) {
        return holds(last);
    }
    let holder = segments[segments.len() - 2];
    function.name == *last
        && if is_type(holder) {
            holds(holder)
        } else {
            function.self_type.is_none()
        }
}

/// The segments of a path, generic arguments dropped.
fn segments(path: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    path.split("::")
        .filter_map(|segment| {
            let outside = depth == 0;
            let opened = segment.matches('<').count();
            depth = (depth + opened).saturating_sub(segment.matches('>').count());
            let name = segment.split('<').next().unwrap_or(segment);
            (outside && !name.is_empty()).then_some(name)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(self_type: Option<&str>, trait_name: Option<&str>, name: &str) -> Function {
        Function {
            krate: "a_b".into(),
            self_type: self_type.map(str::to_owned),
            trait_name: trait_name.map(str::to_owned),
            name: name.into(),
        }
    }

    /// Guards the reading of the paths that advisories write.
    #[test]
    fn paths_name_functions_methods_and_types() {
        let method = function(Some("Bar"), Some("Tr"), "f");
        let free = function(None, None, "f");
        assert!(matches_path(&method, "a_b::foo::Bar::f"));
        assert!(matches_path(&method, "a_b::Bar<x::T>::f"));
        assert!(matches_path(&method, "a_b::foo::Tr::f"));
        assert!(matches_path(&method, "a_b::foo::Bar"));
        assert!(matches_path(&free, "a_b::foo::f"));
        assert!(!matches_path(&free, "a_b::Bar::f"));
        assert!(!matches_path(&method, "a_b::f"));
        assert!(!matches_path(&method, "other::Bar::f"));
        assert!(!matches_path(&method, ""));
    }

    /// Guards the one judgement that must never come out, and its opposite.
    #[test]
    fn a_kept_function_is_never_cleared() {
        let kept: BTreeMap<Function, String> = [(function(None, None, "f"), String::new())].into();
        let finding = |verdict: &str, functions: &[&str], blind_spots: &[usize]| Finding {
            id: "RUSTSEC-2024-0001".into(),
            package: "a-b".into(),
            version: "1.0.0".into(),
            verdict: verdict.into(),
            context: "run".into(),
            reason: String::new(),
            functions: functions.iter().map(|&path| path.into()).collect(),
            blind_spots: blind_spots.to_vec(),
        };
        let check = |finding: Finding, expected| assert_eq!(judgement(&finding, &kept), expected);
        check(finding("not-reached", &["a_b::f"], &[]), Judgement::Wrong);
        check(finding("not-reached", &[], &[]), Judgement::Wrong);
        check(finding("not-reached", &["a_b::g"], &[]), Judgement::Cleared);
        check(finding("reached", &["a_b::f"], &[]), Judgement::Confirmed);
        check(finding("reached", &["a_b::g"], &[]), Judgement::Overstated);
        check(finding("unknown", &["a_b::g"], &[0]), Judgement::Open);
        check(finding("unknown", &["a_b::g"], &[]), Judgement::Unexplained);
    }
}
