//! The arguments.

use std::num::NonZeroUsize;

use camino::Utf8PathBuf;
use clap::builder::PossibleValuesParser;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};
use palisade_check::FailOn;
use palisade_scan::Severity;

use crate::ecosystem_args::{
    CallersArgs, CrateArgs, ExposedArgs, FunctionsArgs, PathArgs, UnsafeArgs, UpdateArgs,
    VerifyArgs,
};
pub(crate) use crate::gateway_args::{AdminArgs, ServeArgs};

/// The look of the help, as cargo's.
const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Is a vulnerable function really reached, and can this crate be trusted?
/// Reads Rust projects and crates as data, builds nothing and runs none of
/// their code.
#[derive(Debug, Parser)]
#[command(name = "palisade", version, styles = STYLES, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say for every advisory that matches the lockfile whether its code is reached
    #[command(after_long_help = EXIT_CODES)]
    Check(Box<CheckArgs>),
    /// Show how the program gets to a function
    Why(Box<WhyArgs>),
    /// Print every function that is reached, and every call between them
    Callgraph(Box<CallgraphArgs>),
    /// Look for malice, leaked secrets and imitated names in crates
    #[command(after_long_help = SCAN_EXIT_CODES)]
    Scan(Box<ScanArgs>),
    /// Rate crates: the risk of malice, and how well they are kept
    Score(ScoreArgs),
    /// Show what changed between two versions that matters to a reviewer
    #[command(after_long_help = SCAN_EXIT_CODES)]
    Diff(DiffArgs),
    /// Follow a registry and scan everything new
    #[command(after_long_help = WATCH_EXIT_CODES)]
    Watch(Box<WatchArgs>),
    /// Survey many crates: one page with charts, or JSON
    Report(ReportArgs),
    /// Say what `scan` looks for
    Rules(RulesArgs),
    /// Look after the local copy of the advisory database
    Db(DbArgs),
    /// Make and question the call graph of many crate versions
    Ecosystem(EcosystemArgs),
    /// Serve a registry in front of another, with policy and quarantine
    Serve(ServeArgs),
    /// Run a registry that `serve` serves: users, tokens, cases, audit log
    Admin(AdminArgs),
}

const SCAN_EXIT_CODES: &str = "\
Exit codes, the same in every format:
  0  nothing at or above --fail-on
  1  a finding at or above --fail-on
  2  usage or input error
  4  nothing was found, but something was not scanned";

/// What to scan.
#[derive(Debug, Args)]
#[command(next_help_heading = "Packages")]
pub(crate) struct PackageArgs {
    /// A `.crate` file, a package's directory, a directory of `.crate` files
    /// (with its index, if it has one), a Cargo.lock, or `name@version` of
    /// what cargo has fetched (`name` for the newest)
    #[arg(value_name = "TARGET")]
    pub(crate) targets: Vec<String>,
    /// Everything that cargo has fetched
    #[arg(long)]
    pub(crate) all_fetched: bool,
    /// Directory of a registry's database dump, for names that look alike,
    /// owners and publishers
    #[arg(long, alias = "names", value_name = "DIR")]
    pub(crate) dump: Option<Utf8PathBuf>,
    /// Packages to scan at a time, each in a process of its own [default: one
    /// per core]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
    #[command(flatten)]
    pub(crate) around: AroundArgs,
}

/// What is known around the packages.
#[derive(Debug, Args)]
#[command(next_help_heading = "Surroundings")]
pub(crate) struct AroundArgs {
    /// Directory of the advisory database, instead of the cached copy
    #[arg(long, value_name = "DIR")]
    pub(crate) db: Option<Utf8PathBuf>,
    /// Directory of fragments (`palisade ecosystem build`): say of vulnerable
    /// dependencies whether the vulnerable functions are reached
    #[arg(long, value_name = "DIR")]
    pub(crate) graph: Option<Utf8PathBuf>,
    /// A clone of the packages' repository to compare them with
    #[arg(long, value_name = "DIR", conflicts_with = "repositories")]
    pub(crate) repository: Option<Utf8PathBuf>,
    /// A directory of clones, each at HOST/OWNER/NAME, to compare the packages
    /// with
    #[arg(long, value_name = "DIR")]
    pub(crate) repositories: Option<Utf8PathBuf>,
    /// Fetch the clones that are missing there
    #[arg(long, requires = "repositories")]
    pub(crate) fetch_repositories: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ScanArgs {
    #[command(flatten)]
    pub(crate) packages: PackageArgs,
    /// How to print the report
    #[arg(long, value_enum, default_value_t = ScanFormat::Text, value_name = "FORMAT")]
    pub(crate) format: ScanFormat,
    /// The lowest severity that fails the run
    #[arg(long, default_value = "high", value_name = "SEVERITY", value_parser = parse_severity)]
    pub(crate) fail_on: Severity,
    /// The lowest severity that the text shows
    #[arg(long, default_value = "medium", value_name = "SEVERITY", value_parser = parse_severity)]
    pub(crate) show: Severity,
    /// Where `palisade.toml` lies, with suppressions [default: the current
    /// directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) config: Option<Utf8PathBuf>,
    /// Keep each report as a file in this directory; docs/scan.md describes it
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<Utf8PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ScoreArgs {
    #[command(flatten)]
    pub(crate) packages: PackageArgs,
    /// How to print the scores
    #[arg(long, value_enum, default_value_t = ScoreFormat::Text, value_name = "FORMAT")]
    pub(crate) format: ScoreFormat,
    /// Write a badge with the hygiene score; for one package
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) badge: Option<Utf8PathBuf>,
}

const WATCH_EXIT_CODES: &str = "\
Exit codes, with --once and --replay; otherwise it watches until it is ended:
  0  nothing raised the alarm
  1  something did
  2  usage or input error
  4  nothing did, but something could not be scanned";

/// What to follow, and how.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("discovery").required(true).args(["index_git", "feed", "sweep", "replay"])))]
pub(crate) struct WatchArgs {
    /// Where the journal and the checkpoint are kept
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Utf8PathBuf,
    /// Where index files and archives come from: a directory of archives with
    /// an index, or the address of a sparse index
    #[arg(long, value_name = "DIR|URL")]
    pub(crate) registry: String,
    /// Find what is new in a local clone of the index's git form; whoever
    /// keeps the clone fetches it
    #[arg(long, value_name = "REPOSITORY", help_heading = "Discovery")]
    pub(crate) index_git: Option<Utf8PathBuf>,
    /// The reference in that clone
    #[arg(
        long,
        default_value = "HEAD",
        value_name = "REF",
        help_heading = "Discovery"
    )]
    pub(crate) reference: String,
    /// Where to begin in that clone: `now`, `beginning`, or behind a commit
    #[arg(
        long,
        default_value = "now",
        value_name = "COMMIT",
        help_heading = "Discovery"
    )]
    pub(crate) from: String,
    /// Find what is new in a feed
    #[arg(long, value_name = "URL", help_heading = "Discovery")]
    pub(crate) feed: Option<String>,
    /// Find what is new by asking for one crate after the other
    #[arg(long, help_heading = "Discovery")]
    pub(crate) sweep: bool,
    /// The crates to sweep, one name a line [default: those of --dump]
    #[arg(
        long,
        value_name = "FILE",
        requires = "sweep",
        help_heading = "Discovery"
    )]
    pub(crate) crates: Option<Utf8PathBuf>,
    /// Play what happened in the order in which it happened, so that nothing
    /// sees what came later; for a registry in a directory
    #[arg(long, help_heading = "Discovery")]
    pub(crate) replay: bool,
    /// Play from this time on
    #[arg(
        long,
        value_name = "TIME",
        requires = "replay",
        help_heading = "Discovery"
    )]
    pub(crate) since: Option<jiff::Timestamp>,
    /// Play up to this time
    #[arg(
        long,
        value_name = "TIME",
        requires = "replay",
        help_heading = "Discovery"
    )]
    pub(crate) until: Option<jiff::Timestamp>,
    /// Stop when nothing more is new
    #[arg(long)]
    pub(crate) once: bool,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) interval: u64,
    /// At most so many requests a second to the registry
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) rate: u32,
    /// Directory of a registry's database dump: names, owners, publishers
    #[arg(long, value_name = "DIR")]
    pub(crate) dump: Option<Utf8PathBuf>,
    /// Directory of the advisory database, instead of the cached copy
    #[arg(long, value_name = "DIR")]
    pub(crate) db: Option<Utf8PathBuf>,
    /// Keep each report as a file in this directory; docs/scan.md describes it
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<Utf8PathBuf>,
    /// The lowest severity that raises the alarm
    #[arg(long, default_value = "high", value_name = "SEVERITY", value_parser = parse_severity)]
    pub(crate) alarm_at: Severity,
    /// How to print what happens: a line each
    #[arg(long, value_enum, default_value_t = WatchFormat::Text, value_name = "FORMAT")]
    pub(crate) format: WatchFormat,
}

/// The formats of what a watcher tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum WatchFormat {
    /// For people
    Text,
    /// One JSON object per line; docs/json.md describes them
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    #[command(subcommand)]
    pub(crate) command: ReportCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    /// Audit a corpus of crates: unsafe code, build-time code, capabilities,
    /// secrets, provenance, advisories, scores and their trends
    Ecosystem(Box<EcosystemReportArgs>),
}

/// What to survey.
#[derive(Debug, Args)]
pub(crate) struct EcosystemReportArgs {
    #[command(flatten)]
    pub(crate) packages: PackageArgs,
    /// Every version of a registry in a directory
    #[arg(long, value_name = "DIR")]
    pub(crate) registry: Option<Utf8PathBuf>,
    /// Only the newest version of each crate; trends need all
    #[arg(long)]
    pub(crate) newest: bool,
    /// Write the page here
    #[arg(long, value_name = "FILE.html")]
    pub(crate) html: Option<Utf8PathBuf>,
    /// Write the figures here, as JSON
    #[arg(long, value_name = "FILE.json")]
    pub(crate) json: Option<Utf8PathBuf>,
    /// What the page calls the corpus
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// Keep each report as a file in this directory; docs/scan.md describes it
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<Utf8PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The older version: a `.crate` file, a directory, or `name@version`
    #[arg(value_name = "OLD")]
    pub(crate) old: String,
    /// The newer one
    #[arg(value_name = "NEW")]
    pub(crate) new: String,
    /// How to print the changes
    #[arg(long, value_enum, default_value_t = ScoreFormat::Text, value_name = "FORMAT")]
    pub(crate) format: ScoreFormat,
    /// The lowest severity that fails the run
    #[arg(long, default_value = "high", value_name = "SEVERITY", value_parser = parse_severity)]
    pub(crate) fail_on: Severity,
    /// Directory of a registry's database dump
    #[arg(long, alias = "names", value_name = "DIR")]
    pub(crate) dump: Option<Utf8PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RulesArgs {
    #[command(subcommand)]
    pub(crate) command: RulesCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Every detector in a line, or all of their documentation
    List {
        /// How to print them
        #[arg(long, value_enum, default_value_t = RulesFormat::Text, value_name = "FORMAT")]
        format: RulesFormat,
    },
    /// What a detector does, why that is bad, and how to fix it
    Explain {
        /// The detector's id
        #[arg(value_name = "ID")]
        id: String,
    },
}

/// The formats of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScanFormat {
    /// For people
    Text,
    /// For programs; docs/json.md describes it
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

/// The formats of scores and changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScoreFormat {
    /// For people
    Text,
    /// For programs; docs/json.md describes it
    Json,
}

/// The formats of the list of detectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RulesFormat {
    /// One line each
    Text,
    /// Everything, as docs/detectors.md
    Markdown,
}

fn parse_severity(text: &str) -> Result<Severity, String> {
    Severity::parse(text).ok_or_else(|| {
        let known: Vec<&str> = Severity::ALL
            .iter()
            .map(|severity| severity.as_str())
            .collect();
        format!("a severity is one of {}", known.join(", "))
    })
}

const EXIT_CODES: &str = "\
Exit codes, the same in every format:
  0  nothing that counts is reached
  1  something that counts is reached
  2  usage or input error
  3  only unknown remains, and `--fail-on unknown` was given
Vulnerabilities and malicious crates count; informational kinds only when --fail-on names them.";

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Directory of the advisory database, instead of the cached copy
    #[arg(long, value_name = "DIR")]
    pub(crate) db: Option<Utf8PathBuf>,
    /// How to print the report
    #[arg(long, value_enum, default_value_t = ReportFormat::Text, value_name = "FORMAT")]
    pub(crate) format: ReportFormat,
    /// What fails the run beside reached vulnerabilities: unknown, unmaintained,
    /// unsound, notice
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = PossibleValuesParser::new(FailOn::NAMES))]
    pub(crate) fail_on: Vec<String>,
    /// What more to show: `paths=N` shows up to N call paths per finding
    #[arg(long, value_name = "WHAT", value_parser = parse_show)]
    pub(crate) show: Option<Show>,
    /// Show everything about one advisory, its text too
    #[arg(long, value_name = "ID")]
    pub(crate) explain: Option<String>,
    /// Fragments of the dependencies, in a directory or below an address: what
    /// they show to be out of reach needs no further analysis
    #[arg(long, value_name = "DIR|URL")]
    pub(crate) fragments: Option<String>,
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    #[command(flatten)]
    pub(crate) analysis: AnalysisArgs,
}

#[derive(Debug, Args)]
pub(crate) struct WhyArgs {
    /// The function as code would name it, the crate first (`time::now_utc`);
    /// a type or trait means its methods
    #[arg(value_name = "FUNCTION")]
    pub(crate) function: String,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = WhyFormat::Text, value_name = "FORMAT")]
    pub(crate) format: WhyFormat,
    /// What more to show: `paths=N` shows up to N call paths per target
    #[arg(long, value_name = "WHAT", value_parser = parse_show)]
    pub(crate) show: Option<Show>,
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    #[command(flatten)]
    pub(crate) analysis: AnalysisArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CallgraphArgs {
    /// A directory or a Cargo.toml [default: the current directory]
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<Utf8PathBuf>,
    /// How to print the graph
    #[arg(long, value_enum, default_value_t = GraphFormat::Jsonl, value_name = "FORMAT")]
    pub(crate) format: GraphFormat,
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    #[command(flatten)]
    pub(crate) analysis: AnalysisArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DbArgs {
    #[command(subcommand)]
    pub(crate) command: DbCommand,
}

#[derive(Debug, Args)]
pub(crate) struct EcosystemArgs {
    #[command(subcommand)]
    pub(crate) command: EcosystemCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EcosystemCommand {
    /// Make a fragment for each crate version that has none yet
    Build(BuildArgs),
    /// Count what was made, what was not, and why
    Stats(StatsArgs),
    /// List the functions of a crate, and what each can do by itself
    Functions(FunctionsArgs),
    /// Merge new fragments into the tables that the other commands ask
    Update(UpdateArgs),
    /// Check that fragments and tables are whole
    Verify(VerifyArgs),
    /// Show who calls a function
    Callers(CallersArgs),
    /// Show how one function may reach another
    Path(PathArgs),
    /// Show which crates reach a function, or those that an advisory names
    Exposed(ExposedArgs),
    /// Show what a crate can do to the world outside, and how it gets there
    Capabilities(CrateArgs),
    /// List the functions of a crate with `unsafe`
    Unsafe(UnsafeArgs),
}

/// What to make fragments of.
#[derive(Debug, Args)]
pub(crate) struct BuildArgs {
    /// Where the fragments are kept
    #[arg(value_name = "DIR")]
    pub(crate) dir: Utf8PathBuf,
    /// Everything that the workspace of this Cargo.lock is made of, with its
    /// own features; with another source its published packages, each with its
    /// default features
    #[arg(long, value_name = "LOCKFILE")]
    pub(crate) from_lock: Option<Utf8PathBuf>,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Only these crates: `name` or `name@version`
    #[arg(value_name = "CRATE", conflicts_with = "from_lock")]
    pub(crate) only: Vec<String>,
    /// At most so many versions, spread evenly
    #[arg(long, value_name = "N")]
    pub(crate) sample: Option<NonZeroUsize>,
    /// Make again what is there, and what failed before
    #[arg(long)]
    pub(crate) again: bool,
    /// Never use the network
    #[arg(long)]
    pub(crate) offline: bool,
    /// Worker processes [default: one per core]
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<NonZeroUsize>,
    /// How to print the summary
    #[arg(long, value_enum, default_value_t = WhyFormat::Text, value_name = "FORMAT")]
    pub(crate) format: WhyFormat,
}

/// Where published versions come from.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct SourceArgs {
    /// Every version that cargo has fetched, with its default features
    #[arg(long)]
    pub(crate) cargo_cache: bool,
    /// A registry over the sparse protocol; what is fetched is kept below DIR
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) registry: Option<String>,
    /// A directory of `.crate` files, with an index in its directory `index`
    #[arg(long, value_name = "DIR")]
    pub(crate) registry_dir: Option<Utf8PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct StatsArgs {
    /// Where the fragments are kept
    #[arg(value_name = "DIR")]
    pub(crate) dir: Utf8PathBuf,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = WhyFormat::Text, value_name = "FORMAT")]
    pub(crate) format: WhyFormat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Fetch the newest advisories
    Update {
        /// Where to fetch from: an address that git understands
        #[arg(long, value_name = "URL", default_value = palisade_advisory::DEFAULT_URL)]
        url: String,
    },
    /// Say where the copy is, how old it is and how much it holds
    Status {
        /// A directory to look at instead of the cached copy
        #[arg(long, value_name = "DIR")]
        db: Option<Utf8PathBuf>,
    },
}

/// What to read, in cargo's own terms.
#[derive(Debug, Args)]
#[command(next_help_heading = "Project")]
pub(crate) struct ProjectArgs {
    #[command(flatten)]
    pub(crate) manifest: clap_cargo::Manifest,
    #[command(flatten)]
    pub(crate) workspace: clap_cargo::Workspace,
    #[command(flatten)]
    pub(crate) features: clap_cargo::Features,
    /// Only this binary
    #[arg(long, value_name = "NAME")]
    pub(crate) bin: Vec<String>,
    /// Only the binaries
    #[arg(long)]
    pub(crate) bins: bool,
    /// Only the library
    #[arg(long)]
    pub(crate) lib: bool,
    /// Tests, benches and examples too
    #[arg(long)]
    pub(crate) tests: bool,
    /// The platform to analyse for
    #[arg(long, value_name = "TRIPLE")]
    pub(crate) target: Option<String>,
    /// Fail rather than change the lockfile
    #[arg(long)]
    pub(crate) locked: bool,
    /// Never use the network
    #[arg(long)]
    pub(crate) offline: bool,
}

/// How to analyse.
#[derive(Debug, Args)]
#[command(next_help_heading = "Analysis")]
pub(crate) struct AnalysisArgs {
    /// Expand procedural macros and run build scripts for real. This EXECUTES
    /// CODE of the project and of its dependencies, exactly as `cargo build`
    /// does; without it nothing of them runs
    #[arg(long)]
    pub(crate) expand_macros: bool,
    /// Neither use nor keep cached answers
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// Worker threads [default: one per core]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
}

/// The formats of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For people
    Text,
    /// For programs; docs/json.md describes it
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// OpenVEX 0.2.0, for those who receive the product
    Openvex,
}

/// The formats of an answer to `why`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum WhyFormat {
    /// For people
    Text,
    /// For programs; docs/json.md describes it
    Json,
}

/// The formats of a call graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// One JSON object per line; docs/json.md describes them
    Jsonl,
    /// For Graphviz
    Dot,
}

impl GraphFormat {
    /// The name of the format.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            GraphFormat::Jsonl => "jsonl",
            GraphFormat::Dot => "dot",
        }
    }
}

/// What more to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Show {
    /// Most call paths.
    pub(crate) paths: usize,
}

/// More paths than anyone reads would only make the walk slow.
const MOST_PATHS: usize = 100;

fn parse_show(text: &str) -> Result<Show, String> {
    let number = text.strip_prefix("paths=").ok_or("write `paths=N`")?;
    match number.parse() {
        Ok(paths) if (1..=MOST_PATHS).contains(&paths) => Ok(Show { paths }),
        _ => Err(format!("N is a number from 1 to {MOST_PATHS}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    /// Guards the definitions: clap checks them only when they are used.
    #[test]
    fn definitions_are_sound() {
        Cli::command().debug_assert();
    }

    /// Guards the bounds of `--show`.
    #[test]
    fn show() {
        assert_eq!(parse_show("paths=3"), Ok(Show { paths: 3 }));
        for bad in [
            "paths=0",
            "paths=101",
            "paths=",
            "paths=-1",
            "3",
            "traces=3",
        ] {
            assert!(parse_show(bad).is_err(), "{bad}");
        }
    }
}
