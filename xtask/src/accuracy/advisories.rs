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
use super::report::{self, BlindSpot, Finding};
use super::targets::Target;

/// Named things that leave no symbol: uses of a macro become the user's code.
const MACROS: &[&str] = &["cxx::let_cxx_string", "memoffset::offset_of"];
/// Packages that pass on what other packages define, and these packages'
/// libraries.
const FACADES: &[(&str, &str)] = &[("pnet", "pnet_transport")];
/// Causes shown for each unknown verdict.
const SHOWN_CAUSES: usize = 4;

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
    /// Of another platform, or about a macro: the linker cannot tell.
    Apart,
}

impl Judgement {
    fn label(self) -> &'static str {
        match self {
            Judgement::Confirmed => "reached, kept",
            Judgement::Cleared => "not reached, not kept",
            Judgement::Overstated => "reached, NOT KEPT",
            Judgement::Open => "unknown",
            Judgement::Unexplained => "UNKNOWN WITHOUT CAUSE",
            Judgement::Wrong => "NOT REACHED, BUT KEPT",
            Judgement::Apart => "set apart",
        }
    }
}

/// What an advisory is about: the harder the question, the more a right
/// answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum About {
    /// Named functions of a crate that is part of the program.
    Functions,
    /// A crate that is part of the program, as a whole.
    Crate,
    /// A crate that is only locked.
    Locked,
}

impl About {
    const ALL: [About; 3] = [About::Functions, About::Crate, About::Locked];

    fn label(self) -> &'static str {
        match self {
            About::Functions => "named functions",
            About::Crate => "whole crate",
            About::Locked => "only locked",
        }
    }
}

/// One verdict on one advisory.
#[derive(Debug, Serialize)]
pub(super) struct Judged {
    id: String,
    kind: String,
    package: String,
    version: String,
    verdict: String,
    reason: String,
    /// What keeps it unknown.
    causes: Vec<String>,
    about: About,
    /// How it compares.
    pub(super) judgement: Judgement,
}

/// What the executable says about an advisory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    Kept,
    NotKept,
    Silent,
}

/// Checks a target against a database and judges every verdict about the
/// program itself; what runs at build time is not linked.
///
/// # Errors
///
/// When Palisade fails or prints no report, or an advisory is unreadable.
pub(super) fn judge(
    palisade: &Utf8Path,
    target: &Target,
    database: &Utf8Path,
    expand_macros: bool,
    symbols: &Symbols,
) -> Result<Vec<Judged>> {
    let report = report::run(palisade, target, database, expand_macros)?;
    let mut verdicts = Vec::new();
    for finding in report.findings {
        if finding.context != "run" {
            continue;
        }
        let truth = match concerns_this_platform(database, &finding)? {
            true => truth(&finding, symbols),
            false => Truth::Silent,
        };
        let causes = finding
            .blind_spots
            .iter()
            .filter_map(|&index| report.blind_spots.get(index))
            .map(|spot| {
                let BlindSpot {
                    file,
                    line,
                    cause,
                    detail,
                } = spot;
                format!("{cause}: {detail} at {file}:{line}")
            })
            .collect();
        verdicts.push(Judged {
            about: match finding.level.as_str() {
                "required" => About::Locked,
                _ if finding.functions.is_empty() => About::Crate,
                _ => About::Functions,
            },
            judgement: judgement(&finding, truth),
            id: finding.id,
            kind: finding.kind,
            package: finding.package,
            version: finding.version,
            verdict: finding.verdict,
            reason: finding.reason,
            causes,
        });
    }
    Ok(verdicts)
}

/// Prints every verdict with what the linker says, and the sums; returns what
/// is wrong.
pub(super) fn print(results: &[(&Target, Vec<Judged>)]) -> Vec<String> {
    println!("\nVerdicts on real advisories, judged by the linker");
    let mut counts: BTreeMap<(About, Judgement), usize> = BTreeMap::new();
    let mut missed = Vec::new();
    for (target, verdicts) in results {
        for judged in verdicts {
            *counts.entry((judged.about, judged.judgement)).or_default() += 1;
            let label = judged.judgement.label();
            println!(
                "  {:<12} {:<18} {:<13} {:<28} {:<16} {label}",
                target.name,
                judged.id,
                judged.kind,
                format!("{} {}", judged.package, judged.version),
                judged.about.label(),
            );
            if judged.judgement != Judgement::Confirmed && judged.judgement != Judgement::Cleared {
                println!("      {}", judged.reason);
            }
            for cause in judged.causes.iter().take(SHOWN_CAUSES) {
                println!("        {cause}");
            }
            if judged.causes.len() > SHOWN_CAUSES {
                println!("        and {} more", judged.causes.len() - SHOWN_CAUSES);
            }
            if matches!(judged.judgement, Judgement::Wrong | Judgement::Unexplained) {
                missed.push(format!("{} {} {label}", target.name, judged.id));
            }
        }
    }

    let count = |about: &[About], judgements: &[Judgement]| -> usize {
        counts
            .iter()
            .filter(|((a, j), _)| about.contains(a) && judgements.contains(j))
            .map(|(_, count)| count)
            .sum()
    };
    let rows = About::ALL
        .map(|about| (about.label(), vec![about]))
        .into_iter()
        .chain([("all", About::ALL.to_vec())]);
    println!(
        "\n{:<16} {:>8} {:>10} {:>12} {:>8} {:>8} {:>10}",
        "about", "reached", "not kept", "not reached", "kept", "unknown", "set apart"
    );
    for (label, about) in rows {
        use Judgement::{Apart, Cleared, Confirmed, Open, Overstated, Unexplained, Wrong};
        println!(
            "{label:<16} {:>8} {:>10} {:>12} {:>8} {:>8} {:>10}",
            count(&about, &[Confirmed, Overstated]),
            count(&about, &[Overstated]),
            count(&about, &[Cleared, Wrong]),
            count(&about, &[Wrong]),
            count(&about, &[Open, Unexplained]),
            count(&about, &[Apart]),
        );
    }
    let open = count(&About::ALL, &[Judgement::Open, Judgement::Unexplained]);
    let total = results
        .iter()
        .flat_map(|(_, verdicts)| verdicts)
        .filter(|judged| judged.judgement != Judgement::Apart)
        .count();
    println!(
        "{} applications, {total} verdicts that the linker can judge",
        results.iter().filter(|(_, list)| !list.is_empty()).count(),
    );
    if open * 10 > total {
        missed.push(format!("{open} of {total} verdicts are unknown"));
    }
    missed
}

fn judgement(finding: &Finding, truth: Truth) -> Judgement {
    match (finding.verdict.as_str(), truth) {
        (_, Truth::Silent) => Judgement::Apart,
        ("reached", Truth::Kept) => Judgement::Confirmed,
        ("reached", Truth::NotKept) => Judgement::Overstated,
        ("not-reached", Truth::Kept) => Judgement::Wrong,
        ("not-reached", Truth::NotKept) => Judgement::Cleared,
        _ if finding.blind_spots.is_empty() => Judgement::Unexplained,
        _ => Judgement::Open,
    }
}

fn truth(finding: &Finding, symbols: &Symbols) -> Truth {
    let is_macro = |path: &String| MACROS.contains(&path.as_str());
    if !finding.functions.is_empty() && finding.functions.iter().all(is_macro) {
        return Truth::Silent;
    }
    // What a macro writes has symbols of the crate that it is used in.
    if finding.is_expansion() {
        return Truth::Silent;
    }
    // Only what was linked can have been kept.
    let kept = symbols.kept_of(&finding.package, &finding.version);
    let Some(kept) = kept else {
        return Truth::NotKept;
    };
    let is_true = if finding.functions.is_empty() {
        !kept.is_empty()
    } else {
        finding.functions.iter().any(|path| {
            kept.iter().any(|function| matches_path(function, path))
                || is_kept_elsewhere(finding, path, symbols)
        })
    };
    match is_true {
        true => Truth::Kept,
        false => Truth::NotKept,
    }
}

/// Whether a path of a package that only passes on what others define is kept
/// there: foreign functions, and the parts of a facade.
fn is_kept_elsewhere(finding: &Finding, path: &str, symbols: &Symbols) -> bool {
    let segments = segments(path);
    let Some(last) = segments.last() else {
        return false;
    };
    if finding.package.ends_with("-sys") {
        return symbols.plain.contains(*last);
    }
    FACADES
        .iter()
        .filter(|(facade, _)| *facade == finding.package)
        .any(|(_, part)| {
            let mut moved = segments.clone();
            moved[0] = part;
            let moved = moved.join("::");
            symbols
                .kept
                .keys()
                .any(|function| matches_path(function, &moved))
        })
}

/// Whether an advisory concerns the platform that the target was built for.
fn concerns_this_platform(database: &Utf8Path, finding: &Finding) -> Result<bool> {
    #[derive(Deserialize)]
    struct Advisory {
        #[serde(default)]
        affected: Affected,
    }
    #[derive(Default, Deserialize)]
    struct Affected {
        #[serde(default)]
        os: Vec<String>,
        #[serde(default)]
        arch: Vec<String>,
    }

    let file = database
        .join("crates")
        .join(&finding.package)
        .join(format!("{}.md", finding.id));
    if !file.is_file() {
        return Ok(true);
    }
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
    let front = text
        .split_once("```toml")
        .and_then(|(_, rest)| rest.split_once("```"))
        .map(|(front, _)| front)
        .with_context(|| format!("{file} has no TOML block"))?;
    let Advisory { affected } =
        toml::from_str(front).with_context(|| format!("cannot read {file}"))?;
    let holds =
        |list: &[String], this: &str| list.is_empty() || list.iter().any(|name| name == this);
    Ok(holds(&affected.os, std::env::consts::OS) && holds(&affected.arch, std::env::consts::ARCH))
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
    use std::collections::BTreeSet;

    use super::super::linker::LinkedPackage;
    use super::super::mangling::CrateId;
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

    fn finding(verdict: &str, functions: &[&str], blind_spots: &[usize]) -> Finding {
        Finding {
            id: "RUSTSEC-2024-0001".into(),
            kind: "vulnerability".into(),
            package: "a-b".into(),
            version: "1.0.0".into(),
            verdict: verdict.into(),
            level: "imported".into(),
            context: "run".into(),
            reason: String::new(),
            functions: functions.iter().map(|&path| path.into()).collect(),
            blind_spots: blind_spots.to_vec(),
            paths: Vec::new(),
        }
    }

    /// Guards the one judgement that must never come out, and its opposite.
    #[test]
    fn a_kept_function_is_never_cleared() {
        let check = |finding: Finding, truth, expected| {
            assert_eq!(judgement(&finding, truth), expected);
        };
        use Truth::{Kept, NotKept, Silent};
        check(finding("not-reached", &[], &[]), Kept, Judgement::Wrong);
        check(
            finding("not-reached", &[], &[]),
            NotKept,
            Judgement::Cleared,
        );
        check(finding("not-reached", &[], &[]), Silent, Judgement::Apart);
        check(finding("reached", &[], &[]), Kept, Judgement::Confirmed);
        check(finding("reached", &[], &[]), NotKept, Judgement::Overstated);
        check(finding("unknown", &[], &[0]), Kept, Judgement::Open);
        check(finding("unknown", &[], &[]), Kept, Judgement::Unexplained);
    }

    /// Guards that one version's functions do not speak for another's, and
    /// that macros and foreign functions are told apart.
    #[test]
    fn the_executable_answers_for_one_version() {
        let krate = |disambiguator| CrateId {
            name: "a_b".into(),
            disambiguator,
        };
        let package = |version: &str, krate| {
            LinkedPackage::new("a-b".into(), version.into(), "a_b".into(), krate)
        };
        let symbols = Symbols {
            kept: [(function(None, None, "f"), String::new())].into(),
            plain: ["foreign".to_owned()].into(),
            defined: BTreeSet::new(),
            constructors: 0,
            kept_by_crate: [(krate(2), [function(None, None, "f")].into())].into(),
            packages: vec![
                package("1.0.0", Some(krate(1))),
                package("2.0.0", Some(krate(2))),
                package("3.0.0", None),
            ],
        };
        let check = |version: &str, functions: &[&str], expected| {
            let mut finding = finding("reached", functions, &[]);
            finding.version = version.into();
            assert_eq!(
                truth(&finding, &symbols),
                expected,
                "{version} {functions:?}"
            );
        };
        check("2.0.0", &["a_b::f"], Truth::Kept);
        check("2.0.0", &["a_b::g"], Truth::NotKept);
        check("2.0.0", &[], Truth::Kept);
        check("1.0.0", &["a_b::f"], Truth::NotKept);
        check("1.0.0", &[], Truth::NotKept);
        check("3.0.0", &[], Truth::NotKept);
        check("4.0.0", &[], Truth::NotKept);
        check("2.0.0", &["memoffset::offset_of"], Truth::Silent);
    }
}
