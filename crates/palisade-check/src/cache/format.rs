//! How an answer is written to a file.
//!
//! These types mirror the vocabulary on purpose instead of deriving there:
//! the vocabulary may change its shape without changing what is on disk, and
//! what is on disk is read with suspicion.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use palisade_engine::Dispatch;
use palisade_model::{self as model, BlindSpotCause, Context, Kind, Level, PackageSource, Verdict};
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::Project;

/// Raised whenever the types below change.
pub(super) const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
pub(super) struct Checked {
    findings: Vec<Finding>,
    blind_spots: Vec<BlindSpot>,
    warnings: Vec<String>,
    targets: Vec<String>,
    functions_reached: usize,
    project: StoredProject,
}

#[derive(Serialize, Deserialize)]
struct StoredProject {
    root: Utf8PathBuf,
    lockfile: Utf8PathBuf,
    lines: Vec<(String, Version, u32)>,
    ambiguous: BTreeSet<String>,
    targets: Vec<(String, Package)>,
    members: Vec<Package>,
}

#[derive(Serialize, Deserialize)]
struct Finding {
    id: String,
    aliases: Vec<String>,
    title: String,
    url: Option<String>,
    kind: String,
    package: Package,
    target: String,
    level: String,
    verdict: String,
    context: String,
    reason: String,
    functions: Vec<String>,
    missing_functions: Vec<String>,
    paths: Vec<Vec<Hop>>,
    blind_spots: Vec<usize>,
    remedy: Remedy,
}

#[derive(Serialize, Deserialize)]
struct Package {
    name: String,
    version: Version,
    source: Source,
}

#[derive(Serialize, Deserialize)]
enum Source {
    CratesIo,
    OtherRegistry(String),
    Git(String),
    Path,
    Sysroot,
}

#[derive(Serialize, Deserialize)]
struct Location {
    file: String,
    line: u32,
}

#[derive(Serialize, Deserialize)]
struct Hop {
    crate_name: String,
    version: Option<String>,
    self_type: Option<String>,
    trait_name: Option<String>,
    name: String,
    path: String,
    location: Option<Location>,
    call_site: Option<Location>,
    dispatch: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct BlindSpot {
    location: Location,
    cause: String,
    detail: String,
    may_reach: Vec<String>,
}

#[derive(Serialize, Deserialize)]
enum Remedy {
    Update {
        package: String,
        from: Version,
        to: Version,
    },
    Blocked {
        package: String,
        fixed: String,
        parent: String,
        requirement: String,
    },
    Fixed {
        package: String,
        fixed: Vec<String>,
    },
    Toolchain {
        fixed: Vec<String>,
    },
    None,
}

/// An answer as it is written.
pub(super) fn to_stored(checked: &crate::Checked) -> Checked {
    let report = &checked.report;
    Checked {
        findings: report.findings.iter().map(finding_to).collect(),
        blind_spots: report.blind_spots.iter().map(blind_spot_to).collect(),
        warnings: report.warnings.clone(),
        targets: report.summary.targets.clone(),
        functions_reached: report.summary.functions_reached,
        project: project_to(&checked.project),
    }
}

/// An answer as it was written; `None` when a name or an index in it means
/// nothing.
pub(super) fn from_stored(stored: Checked) -> Option<crate::Checked> {
    let blind_spots: Vec<_> = stored
        .blind_spots
        .into_iter()
        .map(blind_spot_from)
        .collect::<Option<_>>()?;
    let findings: Vec<_> = stored
        .findings
        .into_iter()
        .map(finding_from)
        .collect::<Option<_>>()?;
    if findings
        .iter()
        .flat_map(|finding| &finding.blind_spots)
        .any(|&index| index >= blind_spots.len())
    {
        return None;
    }
    Some(crate::Checked {
        report: model::Report {
            findings,
            blind_spots,
            warnings: stored.warnings,
            summary: model::Summary {
                targets: stored.targets,
                functions_reached: stored.functions_reached,
                ..model::Summary::default()
            },
        },
        project: project_from(stored.project),
    })
}

fn project_to(project: &Project) -> StoredProject {
    let lines = project.lines.iter();
    StoredProject {
        root: project.root.clone(),
        lockfile: project.lockfile.clone(),
        lines: lines
            .map(|((name, version), line)| (name.clone(), version.clone(), *line))
            .collect(),
        ambiguous: project.ambiguous.clone(),
        targets: project
            .targets
            .iter()
            .map(|(label, owner)| (label.clone(), package_to(owner)))
            .collect(),
        members: project.members.iter().map(package_to).collect(),
    }
}

fn project_from(stored: StoredProject) -> Project {
    let lines = stored.lines.into_iter();
    Project {
        root: stored.root,
        lockfile: stored.lockfile,
        lines: lines
            .map(|(name, version, line)| ((name, version), line))
            .collect::<BTreeMap<_, _>>(),
        ambiguous: stored.ambiguous,
        targets: stored
            .targets
            .into_iter()
            .map(|(label, owner)| (label, package_from(owner)))
            .collect(),
        members: stored.members.into_iter().map(package_from).collect(),
    }
}

fn finding_to(finding: &model::Finding) -> Finding {
    Finding {
        id: finding.id.clone(),
        aliases: finding.aliases.clone(),
        title: finding.title.clone(),
        url: finding.url.clone(),
        kind: finding.kind.as_str().to_owned(),
        package: package_to(&finding.package),
        target: finding.target.clone(),
        level: finding.level.as_str().to_owned(),
        verdict: finding.verdict.as_str().to_owned(),
        context: finding.context.as_str().to_owned(),
        reason: finding.reason.clone(),
        functions: finding.functions.clone(),
        missing_functions: finding.missing_functions.clone(),
        paths: finding
            .paths
            .iter()
            .map(|path| path.iter().map(hop_to).collect())
            .collect(),
        blind_spots: finding.blind_spots.clone(),
        remedy: remedy_to(&finding.remedy),
    }
}

fn finding_from(stored: Finding) -> Option<model::Finding> {
    let paths = stored.paths.into_iter();
    Some(model::Finding {
        id: stored.id,
        aliases: stored.aliases,
        title: stored.title,
        url: stored.url,
        kind: named(
            &[
                Kind::Vulnerability,
                Kind::Malicious,
                Kind::Unsound,
                Kind::Unmaintained,
                Kind::Notice,
            ],
            Kind::as_str,
            &stored.kind,
        )?,
        package: package_from(stored.package),
        target: stored.target,
        level: named(
            &[Level::Required, Level::Imported, Level::Reached],
            Level::as_str,
            &stored.level,
        )?,
        verdict: named(
            &[Verdict::NotReached, Verdict::Unknown, Verdict::Reached],
            Verdict::as_str,
            &stored.verdict,
        )?,
        context: named(
            &[Context::Run, Context::Build],
            Context::as_str,
            &stored.context,
        )?,
        reason: stored.reason,
        functions: stored.functions,
        missing_functions: stored.missing_functions,
        paths: paths
            .map(|path| path.into_iter().map(hop_from).collect::<Option<_>>())
            .collect::<Option<_>>()?,
        blind_spots: stored.blind_spots,
        remedy: remedy_from(stored.remedy),
        ignored: None,
    })
}

fn package_to(package: &model::Package) -> Package {
    Package {
        name: package.name.clone(),
        version: package.version.clone(),
        source: match &package.source {
            PackageSource::CratesIo => Source::CratesIo,
            PackageSource::OtherRegistry(url) => Source::OtherRegistry(url.clone()),
            PackageSource::Git(url) => Source::Git(url.clone()),
            PackageSource::Path => Source::Path,
            PackageSource::Sysroot => Source::Sysroot,
        },
    }
}

fn package_from(stored: Package) -> model::Package {
    model::Package {
        name: stored.name,
        version: stored.version,
        source: match stored.source {
            Source::CratesIo => PackageSource::CratesIo,
            Source::OtherRegistry(url) => PackageSource::OtherRegistry(url),
            Source::Git(url) => PackageSource::Git(url),
            Source::Path => PackageSource::Path,
            Source::Sysroot => PackageSource::Sysroot,
        },
    }
}

fn location_to(location: &model::Location) -> Location {
    Location {
        file: location.file.clone(),
        line: location.line,
    }
}

fn location_from(stored: Location) -> model::Location {
    model::Location {
        file: stored.file,
        line: stored.line,
    }
}

fn hop_to(hop: &model::Hop) -> Hop {
    let function = &hop.function;
    Hop {
        crate_name: function.crate_name.clone(),
        version: function.version.clone(),
        self_type: function.self_type.clone(),
        trait_name: function.trait_name.clone(),
        name: function.name.clone(),
        path: function.path.clone(),
        location: function.location.as_ref().map(location_to),
        call_site: hop.call_site.as_ref().map(location_to),
        dispatch: hop.dispatch.map(str::to_owned),
    }
}

fn hop_from(stored: Hop) -> Option<model::Hop> {
    let dispatches = [
        Dispatch::Static,
        Dispatch::Dyn,
        Dispatch::Mention,
        Dispatch::Drop,
        Dispatch::Initialiser,
        Dispatch::BlindSpot,
    ];
    let dispatch = match stored.dispatch {
        Some(name) => Some(named(&dispatches, Dispatch::as_str, &name)?.as_str()),
        None => None,
    };
    Some(model::Hop {
        function: model::Function {
            crate_name: stored.crate_name,
            version: stored.version,
            self_type: stored.self_type,
            trait_name: stored.trait_name,
            name: stored.name,
            path: stored.path,
            location: stored.location.map(location_from),
        },
        call_site: stored.call_site.map(location_from),
        dispatch,
    })
}

fn blind_spot_to(spot: &model::BlindSpot) -> BlindSpot {
    BlindSpot {
        location: location_to(&spot.location),
        cause: spot.cause.as_str().to_owned(),
        detail: spot.detail.clone(),
        may_reach: spot.may_reach.clone(),
    }
}

fn blind_spot_from(stored: BlindSpot) -> Option<model::BlindSpot> {
    let causes = [
        BlindSpotCause::UnexpandedMacro,
        BlindSpotCause::ExpansionFailed,
        BlindSpotCause::GeneratedSource,
        BlindSpotCause::BuildScriptCfg,
        BlindSpotCause::UnresolvedCall,
        BlindSpotCause::LimitHit,
        BlindSpotCause::AnalysisPanic,
        BlindSpotCause::BrokenSource,
        BlindSpotCause::ForeignCode,
    ];
    Some(model::BlindSpot {
        location: location_from(stored.location),
        cause: named(&causes, BlindSpotCause::as_str, &stored.cause)?,
        detail: stored.detail,
        may_reach: stored.may_reach,
    })
}

fn remedy_to(remedy: &model::Remedy) -> Remedy {
    match remedy.clone() {
        model::Remedy::Update { package, from, to } => Remedy::Update { package, from, to },
        model::Remedy::Blocked {
            package,
            fixed,
            parent,
            requirement,
        } => Remedy::Blocked {
            package,
            fixed,
            parent,
            requirement,
        },
        model::Remedy::Fixed { package, fixed } => Remedy::Fixed { package, fixed },
        model::Remedy::Toolchain { fixed } => Remedy::Toolchain { fixed },
        model::Remedy::None => Remedy::None,
    }
}

fn remedy_from(stored: Remedy) -> model::Remedy {
    match stored {
        Remedy::Update { package, from, to } => model::Remedy::Update { package, from, to },
        Remedy::Blocked {
            package,
            fixed,
            parent,
            requirement,
        } => model::Remedy::Blocked {
            package,
            fixed,
            parent,
            requirement,
        },
        Remedy::Fixed { package, fixed } => model::Remedy::Fixed { package, fixed },
        Remedy::Toolchain { fixed } => model::Remedy::Toolchain { fixed },
        Remedy::None => model::Remedy::None,
    }
}

/// The value of that name.
fn named<T: Copy>(values: &[T], name: fn(T) -> &'static str, wanted: &str) -> Option<T> {
    values.iter().copied().find(|&value| name(value) == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{finding, package};

    /// An answer that uses every kind of value.
    fn answer() -> crate::Checked {
        let location = |file: &str| model::Location {
            file: file.to_owned(),
            line: 3,
        };
        let causes = [BlindSpotCause::UnexpandedMacro, BlindSpotCause::ForeignCode];
        let mut first = finding("RUSTSEC-2099-0001", "demo 1.0.0", "bin:app");
        first.paths = vec![vec![model::Hop {
            function: model::Function {
                crate_name: "demo".to_owned(),
                version: None,
                self_type: Some("T".to_owned()),
                trait_name: Some("Tr".to_owned()),
                name: "f".to_owned(),
                path: "demo::T::f".to_owned(),
                location: Some(location("a.rs")),
            },
            call_site: None,
            dispatch: Some("dyn"),
        }]];
        first.blind_spots = vec![0, 1];
        first.remedy = model::Remedy::Update {
            package: "demo".to_owned(),
            from: Version::new(1, 0, 0),
            to: Version::new(1, 0, 1),
        };
        let mut second = finding("RUSTSEC-2099-0002", "demo 1.0.0", "bin:app");
        (second.kind, second.level, second.verdict) =
            (Kind::Notice, Level::Reached, Verdict::Reached);
        (second.context, second.url) = (Context::Build, Some("https://example.org".to_owned()));
        let spots = causes.map(|cause| model::BlindSpot {
            location: location("b.rs"),
            cause,
            detail: "m!".to_owned(),
            may_reach: vec!["demo".to_owned()],
        });
        let summary = model::Summary {
            targets: vec!["bin:app".to_owned()],
            functions_reached: 7,
            ..model::Summary::default()
        };
        crate::Checked {
            report: model::Report {
                findings: vec![first, second],
                blind_spots: spots.to_vec(),
                warnings: vec!["a warning".to_owned()],
                summary,
            },
            project: Project {
                lines: BTreeMap::from([(("demo".to_owned(), Version::new(1, 0, 0)), 9)]),
                targets: vec![("bin:app".to_owned(), package("app 0.1.0"))],
                ..Project::default()
            },
        }
    }

    /// Guards that nothing is lost on the way to the file and back.
    #[test]
    fn round_trip() {
        let text = serde_json::to_string(&to_stored(&answer())).unwrap();
        assert_eq!(
            from_stored(serde_json::from_str(&text).unwrap()),
            Some(answer())
        );
    }

    /// Guards that names and indices that mean nothing are not taken for
    /// answers.
    #[test]
    fn damaged_answers_are_refused() {
        let text = serde_json::to_string(&to_stored(&answer())).unwrap();
        for (good, bad) in [
            ("\"not-reached\"", "\"safe\""),
            ("\"notice\"", "\"nothing\""),
            ("\"dyn\"", "\"magic\""),
            ("\"unexpanded-macro\"", "\"\""),
            ("\"blind_spots\":[0,1]", "\"blind_spots\":[0,2]"),
        ] {
            let damaged = text.replacen(good, bad, 1);
            assert_ne!(damaged, text, "{good}");
            assert_eq!(
                from_stored(serde_json::from_str(&damaged).unwrap()),
                None,
                "{bad}"
            );
        }
    }
}
