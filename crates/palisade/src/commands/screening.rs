//! Screening a check with fragments: `palisade check --fragments`.
//!
//! The fragments of published packages come from a directory or over HTTP;
//! those of the workspace's own packages are made anew each time, in a worker,
//! as their source may have changed since.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use camino::{Utf8Path, Utf8PathBuf};
use palisade_check::{Screen, Screener};
use palisade_graph::{
    ENGINE, Failed, Fragment, FunctionName, Gaps, Key, Made, MakeOptions, Origin, Progress,
    Question, Reach, ReadLimits, Store, Universe, Work, make,
};
use palisade_index::{HttpOptions, StaticFiles};
use palisade_model::Package;
use palisade_project::{Plan, Target, Unit, UnitKind};
use palisade_sandbox::WorkerCommand;

/// Where fragments come from.
pub(crate) struct Screening<'a> {
    /// A directory or an address.
    pub(crate) from: &'a str,
    /// Whether the network must not be used.
    pub(crate) offline: bool,
}

/// How many packages without a fragment are named.
const NAMED: usize = 3;

impl Screener for Screening<'_> {
    fn screen(&self, plan: &Plan) -> Result<Box<dyn Screen>, String> {
        self.known(plan)
            .map_err(|reason| format!("the fragments were not used: {reason}"))
    }
}

impl Screening<'_> {
    fn known(&self, plan: &Plan) -> Result<Box<dyn Screen>, String> {
        let source = Source::open(self.from, self.offline)?;
        let mut work = Work::of_program(plan.clone());
        let (own, published): (Vec<_>, Vec<_>) = std::mem::take(&mut work.pieces)
            .into_iter()
            .partition(|piece| piece.origin == Origin::Local);
        let (mut fragments, mut absent) = (Vec::new(), Vec::new());
        for piece in &published {
            match source.read(&piece.key)? {
                Some(fragment) if fragment.engine == ENGINE => fragments.push(fragment),
                // What another engine made may say less.
                _ => absent.push(format!("{} {}", piece.key.package, piece.key.version)),
            }
        }
        if !absent.is_empty() {
            let more = absent.len().saturating_sub(NAMED);
            absent.truncate(NAMED);
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            return Err(format!(
                "there are none of {}{more} with these features in `{}`; make them with \
                 `palisade ecosystem build DIR --from-lock Cargo.lock`",
                absent.join(", "),
                self.from
            ));
        }
        let chain = |error: &dyn std::error::Error| match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        let scratch = tempfile::tempdir().map_err(|error| chain(&error))?;
        let scratch =
            Utf8PathBuf::try_from(scratch.path().to_owned()).map_err(|error| chain(&error))?;
        let store = Store::new(&scratch);
        work.pieces = own;
        work.program = None;
        let worker =
            WorkerCommand::this_executable(crate::WORKER).map_err(|error| chain(&error))?;
        make(&work, &store, &MakeOptions::new(1, worker), &Silent)
            .map_err(|error| chain(&error))?;
        for piece in &work.pieces {
            let own = store.read(&piece.key).map_err(|error| chain(&error))?;
            let name = &piece.key.package;
            fragments.push(own.ok_or_else(|| format!("`{name}` cannot be read as one"))?);
        }
        let universe = Universe::new(&fragments);
        let gaps = universe.gaps(&fragments);
        Ok(Box::new(Known {
            universe,
            gaps,
            units: plan.units.clone(),
            reaches: RefCell::default(),
        }))
    }
}

/// Fragments in a directory or below an address.
enum Source {
    Directory(Store),
    Http(Box<StaticFiles>),
}

impl Source {
    fn open(from: &str, offline: bool) -> Result<Source, String> {
        if !from.contains("://") {
            return Ok(Source::Directory(Store::new(Utf8Path::new(from))));
        }
        if offline {
            return Err("they lie on the network, which --offline forbids".to_owned());
        }
        let files = StaticFiles::open(from, HttpOptions::default());
        files
            .map(|files| Source::Http(Box::new(files)))
            .map_err(|error| error.to_string())
    }

    fn read(&self, key: &Key) -> Result<Option<Fragment>, String> {
        let files = match self {
            Source::Directory(store) => {
                return store.read(key).map_err(|error| {
                    let source = std::error::Error::source(&error);
                    source.map_or_else(|| error.to_string(), |it| format!("{error}: {it}"))
                });
            }
            Source::Http(files) => files,
        };
        let limits = ReadLimits::default();
        let path = Store::fragment_path(key).map_err(|error| error.to_string())?;
        let bytes = files
            .get(path.as_str(), limits.payload)
            .map_err(|error| error.to_string())?;
        bytes
            .map(|bytes| {
                Fragment::decode(&bytes, &limits).map_err(|error| format!("`{path}`: {error}"))
            })
            .transpose()
    }
}

struct Silent;

impl Progress for Silent {
    fn start(&self, _wanted: usize, _kept: usize) {}
    fn made(&self, _made: &Made) {}
    fn failed(&self, _failed: &Failed) {}
}

/// The stitched graph of one plan.
struct Known {
    universe: Universe,
    gaps: Gaps,
    units: Vec<Unit>,
    /// What each target reaches, once it was asked.
    reaches: RefCell<BTreeMap<usize, Option<Rc<Reach>>>>,
}

impl Known {
    /// The program or library that a target starts from; other targets are not
    /// in the fragments.
    fn reach(&self, target: &Target) -> Option<Rc<Reach>> {
        if let Some(known) = self.reaches.borrow().get(&target.unit.0) {
            return known.clone();
        }
        let reach = self.walk(target).map(Rc::new);
        self.reaches
            .borrow_mut()
            .insert(target.unit.0, reach.clone());
        reach
    }

    fn walk(&self, target: &Target) -> Option<Reach> {
        let unit = self.units.get(target.unit.0)?;
        if !matches!(unit.kind, UnitKind::Bin | UnitKind::Lib) {
            return None;
        }
        let package = &unit.package;
        let version = package.version.to_string();
        self.universe
            .reach(&self.gaps, &package.name, &version, &unit.name)
    }
}

impl Screen for Known {
    fn spares_function(&self, target: &Target, package: &Package, path: &[&str]) -> bool {
        let library = self.units.iter().find(|unit| {
            unit.package == *package && matches!(unit.kind, UnitKind::Lib | UnitKind::ProcMacro)
        });
        let (Some(library), Some(reach)) = (library, self.reach(target)) else {
            return false;
        };
        let name = FunctionName {
            krate: library.name.clone(),
            path: path.iter().map(|segment| (*segment).to_owned()).collect(),
        };
        let this = |version: &semver::Version| *version == package.version;
        let question = Question {
            names: vec![name],
            versions: &this,
        };
        reach.spares(&self.universe, &question).unwrap_or(false)
    }
}
