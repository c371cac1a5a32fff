//! `cargo xtask advisory-paths`: do the functions that advisories name exist
//! for Palisade?
//!
//! For every advisory that names functions, a scratch library depends on an
//! affected version of the package, and `palisade check` is asked about it as
//! any user would ask. cargo resolves and downloads; nothing is compiled and
//! nothing of a package runs.

mod advised;
mod ask;
mod history;
mod scratch;
mod table;

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use self::advised::Advised;
use self::ask::{Answer, Asker};
use self::history::Histories;
use self::scratch::Features;
use crate::{demo, process, setup};

/// Affected versions that are tried until one can be asked about.
const MOST_VERSIONS: usize = 3;
/// The version of a path of the standard library.
const OF_THE_TOOLCHAIN: &str = "of this toolchain";

/// What to ask, and where the answers go.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The advisory database
    #[arg(long, value_name = "DIR")]
    advisories: Utf8PathBuf,
    /// Ask about the first N packages only, in the order of their names
    #[arg(long, value_name = "N")]
    crates: Option<usize>,
    /// Ask about this package only (may be repeated)
    #[arg(long, value_name = "NAME")]
    package: Vec<String>,
    /// Write every path and what became of it as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<Utf8PathBuf>,
    /// Use this binary instead of building one
    #[arg(long, value_name = "FILE")]
    palisade: Option<Utf8PathBuf>,
    /// Where scratch projects and Palisade's cache are kept, so that a second
    /// run is fast [default: advisory-paths in cargo's target directory]
    #[arg(long, value_name = "DIR")]
    scratch: Option<Utf8PathBuf>,
    /// Worker threads of Palisade
    #[arg(long, value_name = "N", default_value_t = 2)]
    threads: usize,
}

/// What became of one path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
enum Outcome {
    /// It names something in the newest affected version.
    Resolved {
        /// The version that was asked about.
        version: String,
        /// Whether all features of the package had to be enabled.
        all_features: bool,
    },
    /// It names nothing there, but something in the newest affected version
    /// of the day that the advisory is dated.
    ResolvedThen {
        /// The version of that day.
        version: String,
        /// Whether all features of the package had to be enabled.
        all_features: bool,
        /// The version in which it names nothing.
        missing_in: String,
    },
    /// It names nothing in any version that was tried.
    Missing {
        /// The versions that were tried.
        versions: Vec<String>,
        /// Why not all features could be tried, if they could not.
        without_features: Option<String>,
    },
    /// No affected version could be asked about.
    NotAsked {
        /// Why.
        reason: String,
    },
}

/// One path and what became of it.
#[derive(Debug, Serialize)]
struct Row {
    id: String,
    package: String,
    path: String,
    #[serde(flatten)]
    outcome: Outcome,
}

/// Asks about every path and prints the counts and what does not resolve.
///
/// # Errors
///
/// When the database cannot be read, Palisade cannot be built, or a file
/// cannot be written. A package that cannot be asked about is no error.
pub(crate) fn run(args: &Args) -> Result<()> {
    let database = absolute(&args.advisories)?;
    setup::std_source()?;
    let palisade = match &args.palisade {
        Some(binary) => absolute(binary)?,
        None => {
            process::run(process::cargo().args(["build", "--release", "--package", "palisade"]))?;
            demo::palisade_binary()
        }
    };
    let dir = match &args.scratch {
        Some(dir) => {
            std::fs::create_dir_all(dir).with_context(|| format!("cannot create {dir}"))?;
            absolute(dir)?
        }
        None => process::target_dir().join("advisory-paths"),
    };

    let mut advised = advised::read(&database)?;
    if !args.package.is_empty() {
        advised.retain(|path| args.package.contains(&path.package));
    }
    if let Some(most) = args.crates {
        let mut names: Vec<String> = advised.iter().map(|path| path.package.clone()).collect();
        names.dedup();
        advised.retain(|path| names.iter().take(most).any(|name| *name == path.package));
    }
    let histories = history::read(&dir, &advised)?;
    let mut asker = Asker::new(palisade, database, dir, args.threads);
    // Each round asks what the answers so far leave open, many packages at a
    // time.
    let outcomes = loop {
        let outcomes: Vec<Option<Outcome>> = advised
            .iter()
            .map(|path| outcome(&mut asker, path, &histories))
            .collect();
        if !asker.ask_what_is_wanted() {
            break outcomes;
        }
    };
    let rows: Vec<Row> = advised
        .iter()
        .zip(outcomes)
        .filter_map(|(path, outcome)| {
            Some(Row {
                id: path.id.clone(),
                package: path.package.clone(),
                path: path.text.clone(),
                outcome: outcome?,
            })
        })
        .collect();
    table::print(&rows);
    if let Some(file) = &args.json {
        let text = serde_json::to_string_pretty(&rows).context("cannot serialise the rows")?;
        std::fs::write(file, text + "\n").with_context(|| format!("cannot write {file}"))?;
    }
    Ok(())
}

fn absolute(path: &Utf8Path) -> Result<Utf8PathBuf> {
    path.canonicalize_utf8()
        .with_context(|| format!("cannot find {path}"))
}

/// What became of a path, as far as the answers that are there tell: first of
/// the newest affected versions, then of all features, then of the version of
/// the advisory's day. `None` when a further answer is wanted, of which the
/// asker has taken note.
fn outcome(asker: &mut Asker, path: &Advised, histories: &Histories) -> Option<Outcome> {
    let Some(platform) = &path.platform else {
        return Some(Outcome::NotAsked {
            reason: "it concerns no platform that is known here".into(),
        });
    };
    if path.is_toolchain {
        return Some(match asker.ask_standard_library(&path.text) {
            Answer::Exists => Outcome::Resolved {
                version: OF_THE_TOOLCHAIN.into(),
                all_features: false,
            },
            Answer::Missing => Outcome::Missing {
                versions: vec![OF_THE_TOOLCHAIN.into()],
                without_features: None,
            },
            Answer::NotAsked(reason) => Outcome::NotAsked { reason },
        });
    }
    let versions = history::affected(histories.get(&path.package), path);
    let mut ask = |version, features| asker.ask(path, version, features, platform);

    let mut reasons = Vec::new();
    let mut newest = None;
    for &version in versions.iter().take(MOST_VERSIONS) {
        match ask(version, Features::Default)? {
            Answer::Exists => {
                return Some(Outcome::Resolved {
                    version: version.version.to_string(),
                    all_features: false,
                });
            }
            Answer::Missing => {
                newest = Some(version);
                break;
            }
            Answer::NotAsked(reason) => reasons.push(format!("{}: {reason}", version.version)),
        }
    }
    let Some(newest) = newest else {
        return Some(Outcome::NotAsked {
            reason: match reasons.is_empty() {
                true => "no affected version is published".into(),
                false => reasons.join("; "),
            },
        });
    };
    let mut without_features = None;
    match ask(newest, Features::All)? {
        Answer::Exists => {
            return Some(Outcome::Resolved {
                version: newest.version.to_string(),
                all_features: true,
            });
        }
        Answer::Missing => {}
        Answer::NotAsked(reason) => without_features = Some(reason),
    }
    let mut tried = vec![newest.version.to_string()];
    let then = versions.iter().find(|version| path.was_known(version));
    if let Some(then) = then.filter(|then| then.version != newest.version) {
        tried.push(then.version.to_string());
        for features in [Features::Default, Features::All] {
            if ask(then, features)? == Answer::Exists {
                return Some(Outcome::ResolvedThen {
                    version: then.version.to_string(),
                    all_features: features == Features::All,
                    missing_in: newest.version.to_string(),
                });
            }
        }
    }
    Some(Outcome::Missing {
        versions: tried,
        without_features,
    })
}
