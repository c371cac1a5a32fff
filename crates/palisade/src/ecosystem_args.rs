//! The arguments of those commands of `palisade ecosystem` that ask the graph.

use std::num::NonZeroUsize;

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

use crate::cli::WhyFormat;

/// Where the graph is.
#[derive(Debug, Args)]
pub(crate) struct UpdateArgs {
    /// Where the fragments are kept
    #[arg(value_name = "DIR")]
    pub(crate) dir: Utf8PathBuf,
    /// Where versions, requirements and yanks are read from: a directory of
    /// archives with an index [default: what cargo has fetched]
    #[arg(long, value_name = "DIR")]
    pub(crate) registry: Option<Utf8PathBuf>,
    /// Read the fragments alone; requirements are guessed from the versions
    /// that they were made with
    #[arg(long, conflicts_with = "registry")]
    pub(crate) only_fragments: bool,
    /// Merge all tables afterwards, and leave out what counts no longer
    #[arg(long)]
    pub(crate) compact: bool,
    /// How to print the summary
    #[arg(long, value_enum, default_value_t = WhyFormat::Text, value_name = "FORMAT")]
    pub(crate) format: WhyFormat,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Where the fragments are kept
    #[arg(value_name = "DIR")]
    pub(crate) dir: Utf8PathBuf,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = WhyFormat::Text, value_name = "FORMAT")]
    pub(crate) format: WhyFormat,
}

/// Which versions a question is about.
#[derive(Debug, Args)]
#[command(next_help_heading = "Graph")]
pub(crate) struct GraphArgs {
    /// Where the fragments are kept
    #[arg(long, value_name = "DIR")]
    pub(crate) graph: Utf8PathBuf,
    /// The versions of this Cargo.lock, with its workspace's features where
    /// fragments were made for it [default: the newest compatible version of
    /// every crate that is not yanked]
    #[arg(long, visible_alias = "lock", value_name = "LOCKFILE")]
    pub(crate) lockfile: Option<Utf8PathBuf>,
    /// Only what was published by then: a date (2023-06-30) or a time
    #[arg(long, value_name = "DATE", conflicts_with = "lockfile")]
    pub(crate) date: Option<String>,
    /// Every version that there is
    #[arg(long, conflicts_with_all = ["lockfile", "date"])]
    pub(crate) all_versions: bool,
}

#[derive(Debug, Args)]
pub(crate) struct FunctionsArgs {
    /// The package: `name`, or `name@version`
    #[arg(value_name = "CRATE[@VERSION]")]
    pub(crate) package: String,
    /// Where the fragments are kept
    #[arg(long, value_name = "DIR")]
    pub(crate) graph: Utf8PathBuf,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = WhyFormat::Text, value_name = "FORMAT")]
    pub(crate) format: WhyFormat,
}

#[derive(Debug, Args)]
pub(crate) struct CallersArgs {
    /// The function, the crate first (`time::OffsetDateTime::now_local`)
    #[arg(value_name = "FUNCTION")]
    pub(crate) function: String,
    /// Callers of callers too
    #[arg(long)]
    pub(crate) transitive: bool,
    /// Only the function's versions that this requirement accepts (`<0.15`)
    #[arg(long, value_name = "REQ")]
    pub(crate) versions: Option<String>,
    /// At most so many callers, the nearest first; the total is always said
    #[arg(long, value_name = "N", default_value_t = NonZeroUsize::MIN.saturating_add(999))]
    pub(crate) limit: NonZeroUsize,
    #[command(flatten)]
    pub(crate) graph: GraphArgs,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = WhyFormat::Text, value_name = "FORMAT")]
    pub(crate) format: WhyFormat,
}

#[derive(Debug, Args)]
pub(crate) struct PathArgs {
    /// The caller: a function, the crate first, or a package
    #[arg(value_name = "FROM")]
    pub(crate) from: String,
    /// The function that it may reach
    #[arg(value_name = "TO")]
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) graph: GraphArgs,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = WhyFormat::Text, value_name = "FORMAT")]
    pub(crate) format: WhyFormat,
}

/// A package of the graph.
#[derive(Debug, Args)]
pub(crate) struct CrateArgs {
    /// The package: `name`, or `name@version`
    #[arg(value_name = "CRATE[@VERSION]")]
    pub(crate) package: String,
    #[command(flatten)]
    pub(crate) graph: GraphArgs,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = WhyFormat::Text, value_name = "FORMAT")]
    pub(crate) format: WhyFormat,
}

#[derive(Debug, Args)]
pub(crate) struct UnsafeArgs {
    #[command(flatten)]
    pub(crate) package: CrateArgs,
    /// What it reaches in its dependencies too
    #[arg(long)]
    pub(crate) transitive: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExposedArgs {
    /// Functions, the crate first, or ids of advisories
    #[arg(value_name = "FUNCTION|ADVISORY", required = true)]
    pub(crate) what: Vec<String>,
    /// Directory of the advisory database, instead of the cached copy
    #[arg(long, value_name = "DIR")]
    pub(crate) db: Option<Utf8PathBuf>,
    /// Directory of a registry's database dump, for downloads and owners
    #[arg(long, value_name = "DIR")]
    pub(crate) dump: Option<Utf8PathBuf>,
    /// Look at the first N again with the precise analysis of `palisade why`,
    /// where cargo has their sources
    #[arg(long, value_name = "N")]
    pub(crate) confirm: Option<NonZeroUsize>,
    #[command(flatten)]
    pub(crate) graph: GraphArgs,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = ExposedFormat::Text, value_name = "FORMAT")]
    pub(crate) format: ExposedFormat,
}

/// The formats of a list of crates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExposedFormat {
    /// For people
    Text,
    /// For programs; docs/ecosystem.md describes it
    Json,
    /// For spreadsheets, a crate version a line
    Csv,
}
