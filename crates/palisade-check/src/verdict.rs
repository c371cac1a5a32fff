//! From what a walk found to what a finding says.

use palisade_advisory::{Match, Subject as MatchSubject};
use palisade_engine::Outcome;
use palisade_model::{Context, Finding, Hop, Level, Remedy, Verdict};

use crate::foreign::Entered;
use crate::question::{CrateLevel, Question, Subject};

/// A finding with everything that does not depend on the target.
pub(crate) fn blank(matched: &Match) -> Finding {
    let advisory = &matched.advisory;
    Finding {
        id: advisory.id.clone(),
        aliases: advisory.aliases.clone(),
        title: advisory.title.clone(),
        url: rustsec_url(&advisory.id).or_else(|| advisory.url.clone()),
        kind: advisory.kind,
        package: matched.package.clone(),
        target: String::new(),
        level: Level::Required,
        verdict: Verdict::NotReached,
        context: Context::Run,
        reason: String::new(),
        functions: matched
            .functions()
            .map(|function| function.text.clone())
            .collect(),
        missing_functions: Vec::new(),
        paths: Vec::new(),
        blind_spots: Vec::new(),
        remedy: Remedy::None,
        ignored: None,
    }
}

/// The page of an advisory, which links to everything else.
fn rustsec_url(id: &str) -> Option<String> {
    id.starts_with("RUSTSEC-")
        .then(|| format!("https://rustsec.org/advisories/{id}.html"))
}

/// A package that the target does not contain.
pub(crate) fn required(matched: &Match, target: &str) -> Finding {
    Finding {
        target: target.to_owned(),
        reason:
            "the package is locked, but no part of the build for this target and these features"
                .to_owned(),
        ..blank(matched)
    }
}

/// A package of a build in which there is nothing to start from.
pub(crate) fn no_target(matched: &Match) -> Finding {
    Finding {
        verdict: Verdict::Unknown,
        level: Level::Imported,
        reason: "the selected packages have no target to start from".to_owned(),
        ..blank(matched)
    }
}

/// What can be said of an imported package without a walk; `None` when a walk
/// is needed.
pub(crate) fn without_walk(
    matched: &Match,
    target: &str,
    context: Context,
    platform: &str,
) -> Option<Finding> {
    let mut finding = Finding {
        target: target.to_owned(),
        level: Level::Imported,
        context,
        ..blank(matched)
    };
    if !matched.applies_to_platform {
        let only: Vec<&str> = matched
            .advisory
            .os
            .iter()
            .chain(&matched.advisory.arch)
            .map(String::as_str)
            .collect();
        finding.reason = format!(
            "it only concerns {}; this build is for {platform}",
            only.join(", ")
        );
        return Some(finding);
    }
    if matched.subject == MatchSubject::ToolchainProgram {
        finding.verdict = Verdict::Unknown;
        finding.context = Context::Build;
        finding.reason = format!(
            "`{}` is a program of the toolchain; how it is used cannot be seen in source",
            matched.package.name
        );
        return Some(finding);
    }
    None
}

/// The verdict of a walk. `outcome` is `None` when the walk was not asked or
/// gave no answer; `remap` turns the walk's indices of blind spots into the
/// report's.
pub(crate) fn decide(
    matched: &Match,
    question: &Question,
    target: &str,
    imported: Context,
    outcome: Option<&Outcome>,
    remap: &dyn Fn(usize) -> usize,
) -> Finding {
    let mut finding = Finding {
        target: target.to_owned(),
        level: Level::Imported,
        context: imported,
        missing_functions: question.missing.clone(),
        ..blank(matched)
    };
    match outcome {
        Some(Outcome::Reached {
            context,
            paths,
            blind_spots,
        }) => {
            finding.level = Level::Reached;
            finding.verdict = Verdict::Reached;
            finding.context = *context;
            finding.paths.clone_from(paths);
            finding.blind_spots = remapped(blind_spots, remap);
        }
        Some(Outcome::Possible {
            context,
            path,
            blind_spots,
        }) => {
            finding.verdict = Verdict::Unknown;
            finding.context = *context;
            finding.paths = if path.is_empty() {
                Vec::new()
            } else {
                vec![path.clone()]
            };
            finding.blind_spots = remapped(blind_spots, remap);
        }
        // A constant leaves no call into its crate where it is used.
        Some(Outcome::NotReached)
            if matches!(question.subject, Subject::Crate(CrateLevel::NotCallable(_))) =>
        {
            finding.verdict = Verdict::Unknown;
        }
        Some(Outcome::NotReached) => finding.verdict = Verdict::NotReached,
        None => finding.verdict = Verdict::Unknown,
    }
    if question.subject == Subject::Crate(CrateLevel::Malicious) {
        // Being part of the build is the harm: code of the crate may run in
        // ways that no call shows.
        finding.level = Level::Reached;
        finding.verdict = Verdict::Reached;
        finding.blind_spots.clear();
    }
    finding.reason = reason(matched, question, &finding, outcome);
    finding
}

fn remapped(blind_spots: &[usize], remap: &dyn Fn(usize) -> usize) -> Vec<usize> {
    let mut remapped: Vec<usize> = blind_spots.iter().map(|&index| remap(index)).collect();
    remapped.sort_unstable();
    remapped.dedup();
    remapped
}

/// Takes back a *not reached* that foreign code may contradict. `blind_spot`
/// gives the index of that code in the report.
pub(crate) fn doubt(finding: &mut Finding, entered: Entered, blind_spot: impl FnOnce() -> usize) {
    if finding.verdict != Verdict::NotReached {
        return;
    }
    finding.verdict = Verdict::Unknown;
    finding.context = entered.context;
    finding.blind_spots = vec![blind_spot()];
    let through = entered.path.last().map_or_else(
        || finding.package.name.clone(),
        |hop| hop.function.path.clone(),
    );
    finding.reason = format!(
        "{}, but foreign code that is reached through {through} may call it",
        finding.reason
    );
    finding.paths = vec![entered.path];
}

fn reason(
    matched: &Match,
    question: &Question,
    finding: &Finding,
    outcome: Option<&Outcome>,
) -> String {
    let package = &matched.package.name;
    let why_crate = match &question.subject {
        Subject::Crate(CrateLevel::Malicious) => {
            return match finding.context {
                Context::Run => "the crate is malicious and part of the program".to_owned(),
                Context::Build => "the crate is malicious and runs while the program is built".to_owned(),
            };
        }
        Subject::NotLoaded => {
            return format!("{package} is part of the build, but its source could not be loaded");
        }
        Subject::Functions(_) => None,
        Subject::Crate(CrateLevel::NoFunctions) => {
            Some("the advisory names no function, so any function of the crate counts".to_owned())
        }
        Subject::Crate(CrateLevel::AllMissing) => Some(
            "none of the functions that the advisory names exists in this version, so any function \
             of the crate counts"
                .to_owned(),
        ),
        Subject::Crate(CrateLevel::NotCallable(name)) => Some(format!(
            "uses of `{name}` cannot be followed as calls, so any function of the crate counts"
        )),
        Subject::Crate(CrateLevel::StandardLibrary) => Some(
            "what the advisory names is the standard library's own on this platform, so any \
             function of the crate counts"
                .to_owned(),
        ),
    };
    let goal = |path: &[Hop]| path.last().map(|hop| hop.function.path.clone());
    let fact = match outcome {
        Some(Outcome::Reached {
            paths, blind_spots, ..
        }) => {
            let fact = match paths.first().and_then(|path| goal(path)) {
                Some(name) if is_macro(&name) => {
                    format!("{name} is expanded in code that a call path leads to")
                }
                Some(function) => format!("a call path leads to {function}"),
                None => format!("{package} is reached"),
            };
            match blind_spots.is_empty() {
                true => fact,
                false => format!("{fact}; what could not be followed may lead there at run time"),
            }
        }
        Some(Outcome::Possible { path, .. }) => match goal(path) {
            Some(name) if is_macro(&name) => {
                format!("{name} may be expanded by what could not be followed, or where that leads")
            }
            Some(function) => {
                format!("only through what could not be followed may {function} be reached")
            }
            None => format!("only through what could not be followed may {package} be reached"),
        },
        Some(Outcome::NotReached) if finding.verdict == Verdict::Unknown => {
            format!("no call path leads into {package}, which need not mean that it is not used")
        }
        Some(Outcome::NotReached) if why_crate.is_some() => {
            format!("no call path leads into {package}, nor to an expansion of its macros")
        }
        Some(Outcome::NotReached) => {
            let names: Vec<&str> = finding
                .functions
                .iter()
                .filter(|name| !finding.missing_functions.contains(name))
                .map(String::as_str)
                .collect();
            format!("no call path leads to {}", some_of(&names))
        }
        None => "the analysis gave no answer".to_owned(),
    };
    match why_crate {
        Some(why) => format!("{fact}; {why}"),
        None => fact,
    }
}

/// Whether a path in a witness names a macro.
fn is_macro(path: &str) -> bool {
    path.ends_with('!')
}

/// The first few names, and how many more there are.
fn some_of(names: &[&str]) -> String {
    const MOST: usize = 3;
    let mut text = names
        .iter()
        .take(MOST)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > MOST {
        text.push_str(&format!(" and {} more", names.len() - MOST));
    }
    text
}
