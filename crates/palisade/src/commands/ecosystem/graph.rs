//! What a question is put to.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use camino::Utf8PathBuf;
use jiff::Timestamp;
use palisade_graph::{FunctionName, Store, tables_dir};
use palisade_index::Lockfile;
use palisade_model::PackageSource;
use palisade_tables::{Role, Tables, Versions, View};

use crate::ecosystem_args::GraphArgs;
use crate::errors::Usage;
use crate::output;

/// The tables, and which versions count.
pub(super) struct Opened {
    pub(super) tables: Tables,
    versions: Versions,
    /// The names and versions of the workspace's own packages, when the
    /// question is about a workspace.
    pub(super) own: Option<BTreeSet<(String, String)>>,
}

impl Opened {
    pub(super) fn view(&self) -> View<'_> {
        View::new(&self.tables, self.versions.clone())
    }
}

/// Opens the tables of a graph.
pub(super) fn open(args: &GraphArgs) -> Result<Opened> {
    let store = Store::new(&args.graph);
    let tables = Tables::open(&tables_dir(&store))?;
    if tables.is_empty() {
        let hint = match args.graph.join("fragments").is_dir() {
            true => format!("make them with `palisade ecosystem update {}`", args.graph),
            false => "make fragments with `palisade ecosystem build` first".to_owned(),
        };
        return Err(Usage {
            message: format!("there are no tables in `{}`", args.graph),
            hint,
        }
        .into());
    }
    let (versions, own) = match &args.lockfile {
        Some(lockfile) => {
            let (locked, own) = locked(&store, lockfile, &tables)?;
            (Versions::Locked(locked), Some(own))
        }
        None if args.all_versions => (Versions::All, None),
        None => {
            let date = args.date.as_deref().map(date).transpose()?;
            (Versions::Newest { date }, None)
        }
    };
    Ok(Opened {
        tables,
        versions,
        own,
    })
}

/// The end of a day, or a time, in seconds since 1970.
fn date(text: &str) -> Result<i64> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time.as_second());
    }
    let day = text.parse::<jiff::civil::Date>().ok();
    let end = day.and_then(|day| {
        let end = day.at(23, 59, 59, 0).to_zoned(jiff::tz::TimeZone::UTC);
        end.ok().map(|end| end.timestamp().as_second())
    });
    end.ok_or_else(|| {
        Usage {
            message: format!("`{text}` is not a date"),
            hint: "write it as in 2023-06-30".to_owned(),
        }
        .into()
    })
}

type Locked = BTreeMap<(String, String), BTreeSet<String>>;

/// What a lockfile holds: with the features of its workspace where fragments
/// were made for that, else with whatever features there are.
fn locked(
    store: &Store,
    lockfile: &camino::Utf8Path,
    tables: &Tables,
) -> Result<(Locked, BTreeSet<(String, String)>)> {
    let lockfile = camino::absolute_utf8(lockfile).context("cannot tell the directory")?;
    let directory = lockfile
        .parent()
        .map_or_else(Utf8PathBuf::new, |it| it.to_owned());
    let directory = directory.canonicalize_utf8().unwrap_or(directory);
    let packages = Lockfile::open(&lockfile)?;
    let own: BTreeSet<(String, String)> = packages
        .packages
        .iter()
        .filter(|package| package.source == PackageSource::Path)
        .map(|package| (package.name.clone(), package.version.to_string()))
        .collect();
    let mut locked = Locked::new();
    match store.program(&directory)? {
        Some(program) => {
            for key in program.packages {
                let features = key.features.join(",");
                let known = locked.entry((key.package, key.version)).or_default();
                known.insert(features);
            }
        }
        None => {
            for package in &packages.packages {
                let key = (package.name.clone(), package.version.to_string());
                locked.insert(key, BTreeSet::new());
            }
        }
    }
    let there: BTreeSet<(String, String)> = (0..tables.crate_count())
        .filter(|&krate| !tables.is_removed(krate))
        .map(|krate| {
            let (package, _, _) = tables.lib_names(tables.crate_lib(krate));
            (package.to_owned(), tables.version(krate).to_owned())
        })
        .collect();
    let absent: Vec<String> = locked
        .keys()
        .filter(|key| !there.contains(*key))
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    if !absent.is_empty() {
        let shown = match absent.len() {
            0..=8 => absent.join(", "),
            more => format!("{} and {} more", absent[..8].join(", "), more - 8),
        };
        output::warn(&format!(
            "there are no fragments of {shown}; what they call is not seen"
        ));
    }
    Ok((locked, own))
}

/// A function as a person names it.
pub(super) fn name(text: &str) -> Result<FunctionName> {
    Ok(text.parse::<FunctionName>().map_err(|error| Usage {
        message: error.to_string(),
        hint: "write it as code would name it, as in `time::OffsetDateTime::now_local`".to_owned(),
    })?)
}

/// What to say when nothing has that name.
pub(super) fn unknown(what: &str) -> Usage {
    Usage {
        message: format!("no fragment has a function `{what}`"),
        hint: "name it by its crate's library name, or by its full path in the source; \
               `--all-versions` asks old versions too"
            .to_owned(),
    }
}

/// The crates of a package that count: its libraries and programs in one
/// version, the newest unless one is named.
pub(super) fn package(view: &View<'_>, text: &str) -> Result<(String, String, Vec<u32>)> {
    let (name, version) = match text.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (text, None),
    };
    let tables = view.tables;
    let mut crates: Vec<u32> = Vec::new();
    for lib in 0..tables.lib_count() {
        let (package, _, role) = tables.lib_names(lib);
        if package == name && role != Role::Script {
            match version {
                // Whoever names a version means it, whatever else counts.
                Some(version) => {
                    let all = tables.crates_of(lib);
                    crates.extend(all.filter(|krate| tables.version(*krate) == version));
                }
                None => crates.extend(view.crates_of(lib)),
            }
        }
    }
    let newest = crates
        .iter()
        .filter_map(|&krate| semver::Version::parse(tables.version(krate)).ok())
        .max();
    let Some(newest) = newest else {
        return Err(Usage {
            message: format!("there is no fragment of `{text}` among the versions that count"),
            hint: "make one with `palisade ecosystem build`, or name a version".to_owned(),
        }
        .into());
    };
    let newest = newest.to_string();
    crates.retain(|&krate| tables.version(krate) == newest);
    Ok((name.to_owned(), newest, crates))
}

/// One core is enough for most questions; a sweep takes what there is.
pub(super) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}
