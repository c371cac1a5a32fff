//! What a check finds, and how sure it is.

use crate::{Hop, Location, Package};

/// Whether the vulnerable code is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// No path leads there, and nothing unresolved on the way could.
    NotReached,
    /// Something unresolved could lead there; the finding names it.
    Unknown,
    /// A call path leads there; the finding carries it.
    Reached,
}

impl Verdict {
    /// The stable name that every output format uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Reached => "reached",
            Verdict::NotReached => "not-reached",
            Verdict::Unknown => "unknown",
        }
    }
}

/// How close an affected package comes to the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// In the lockfile, but no part of the build for this target and features.
    Required,
    /// Part of the build.
    Imported,
    /// Its vulnerable code is reached.
    Reached,
}

impl Level {
    /// The stable name that every output format uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Required => "required",
            Level::Imported => "imported",
            Level::Reached => "reached",
        }
    }
}

/// When the code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Context {
    /// In the program itself.
    Run,
    /// While the program is built: build scripts, procedural macros and their
    /// dependencies.
    Build,
}

impl Context {
    /// The stable name that every output format uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Context::Run => "run",
            Context::Build => "build",
        }
    }
}

/// What an advisory is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A vulnerability.
    Vulnerability,
    /// The crate was published to do harm; it counts as reached when imported.
    Malicious,
    /// Informational: an API that can break memory safety.
    Unsound,
    /// Informational: nobody maintains the crate.
    Unmaintained,
    /// Informational: anything else.
    Notice,
}

impl Kind {
    /// The stable name that every output format uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Vulnerability => "vulnerability",
            Kind::Malicious => "malicious",
            Kind::Unsound => "unsound",
            Kind::Unmaintained => "unmaintained",
            Kind::Notice => "notice",
        }
    }

    /// Whether a finding of this kind only fails a run when asked to.
    pub fn is_informational(self) -> bool {
        matches!(self, Kind::Unsound | Kind::Unmaintained | Kind::Notice)
    }
}

/// What to do about a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// One `cargo update` suffices.
    Update {
        /// The package to update.
        package: String,
        /// The version it has now, needed where several are locked.
        from: semver::Version,
        /// The lowest fixed version that every requirement allows.
        to: semver::Version,
    },
    /// A fixed version exists, but a parent's requirement excludes it.
    Blocked {
        /// The affected package.
        package: String,
        /// The fixed version requirement, as the advisory gives it.
        fixed: String,
        /// The package whose requirement is in the way, with its version.
        parent: String,
        /// That requirement.
        requirement: String,
    },
    /// Fixed versions exist; whether they can be taken could not be decided
    /// offline.
    Fixed {
        /// The affected package.
        package: String,
        /// The fixed version requirements, as the advisory gives them.
        fixed: Vec<String>,
    },
    /// A newer toolchain has the fix.
    Toolchain {
        /// The fixed version requirements, as the advisory gives them.
        fixed: Vec<String>,
    },
    /// No fixed version exists.
    None,
}

/// Why something could not be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BlindSpotCause {
    /// A procedural macro that no in-process expander knows.
    UnexpandedMacro,
    /// A known macro whose expander refused this input.
    ExpansionFailed,
    /// Source that a build script writes (`OUT_DIR`).
    GeneratedSource,
    /// A configuration flag that a build script may set.
    BuildScriptCfg,
    /// A call whose callee could not be resolved.
    UnresolvedCall,
    /// A limit on size, depth or time was hit.
    LimitHit,
    /// The analysis library panicked on one instance.
    AnalysisPanic,
    /// A source file that is missing, unreadable or does not parse.
    BrokenSource,
    /// Code that is not Rust: assembly, C, a foreign callback.
    ForeignCode,
}

impl BlindSpotCause {
    /// The stable name that every output format uses.
    pub fn as_str(self) -> &'static str {
        match self {
            BlindSpotCause::UnexpandedMacro => "unexpanded-macro",
            BlindSpotCause::ExpansionFailed => "expansion-failed",
            BlindSpotCause::GeneratedSource => "generated-source",
            BlindSpotCause::BuildScriptCfg => "build-script-cfg",
            BlindSpotCause::UnresolvedCall => "unresolved-call",
            BlindSpotCause::LimitHit => "limit-hit",
            BlindSpotCause::AnalysisPanic => "analysis-panic",
            BlindSpotCause::BrokenSource => "broken-source",
            BlindSpotCause::ForeignCode => "foreign-code",
        }
    }
}

/// Something that could not be followed, and what it may lead to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlindSpot {
    /// Where it is.
    pub location: Location,
    /// Why it could not be followed.
    pub cause: BlindSpotCause,
    /// What exactly, in a few words: the macro's path, the limit's name.
    pub detail: String,
    /// Library names of the crates whose functions it may reach.
    pub may_reach: Vec<String>,
}

/// One advisory that applies to one package for one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The advisory's id, `RUSTSEC-2024-0001`.
    pub id: String,
    /// Other names of the same problem (`CVE-…`, `GHSA-…`).
    pub aliases: Vec<String>,
    /// The advisory's title.
    pub title: String,
    /// Where to read more.
    pub url: Option<String>,
    /// What the advisory is about.
    pub kind: Kind,
    /// The affected package.
    pub package: Package,
    /// The target that was analysed: `bin:name`, `lib:name`, `test:name`, …;
    /// empty where the verdict holds for the whole lockfile.
    pub target: String,
    /// How close the package comes to the program.
    pub level: Level,
    /// Whether the vulnerable code is reached.
    pub verdict: Verdict,
    /// When the code runs that reaches it (or that contains the package).
    pub context: Context,
    /// Why the verdict is what it is, in one sentence without a full stop.
    pub reason: String,
    /// The functions that the advisory names, as it names them.
    pub functions: Vec<String>,
    /// Named functions that do not exist in the affected version.
    pub missing_functions: Vec<String>,
    /// Witness paths from an entry point, shortest first.
    pub paths: Vec<Vec<Hop>>,
    /// The blind spots that keep the verdict at *unknown*: indices into
    /// [`Report::blind_spots`].
    pub blind_spots: Vec<usize>,
    /// What to do about it.
    pub remedy: Remedy,
    /// The reason given in the configuration for ignoring it, when it is.
    pub ignored: Option<String>,
}

/// Everything that one check has to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// One per advisory, package and target, most urgent first.
    pub findings: Vec<Finding>,
    /// What could not be followed.
    pub blind_spots: Vec<BlindSpot>,
    /// Warnings that concern the run as a whole: stale data, unused ignores.
    pub warnings: Vec<String>,
    /// The figures of the summary line.
    pub summary: Summary,
}

/// The figures of the summary line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Packages in the lockfile.
    pub packages: usize,
    /// Advisories in the database.
    pub advisories: usize,
    /// Targets that were analysed.
    pub targets: Vec<String>,
    /// Functions that the walk reached; 0 when no analysis was needed.
    pub functions_reached: usize,
    /// Findings reached, at run time or build time, not ignored.
    pub reached: usize,
    /// Findings not reached.
    pub not_reached: usize,
    /// Findings that stay unknown.
    pub unknown: usize,
    /// Findings that the configuration ignores.
    pub ignored: usize,
    /// Informational findings, counted apart.
    pub informational: usize,
    /// Age of the advisory database in days, when known.
    pub database_age_days: Option<i64>,
}
