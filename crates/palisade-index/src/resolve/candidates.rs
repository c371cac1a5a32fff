//! Which versions fit a requirement, in the order in which cargo tries them.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use semver::Version;

use super::{ResolveError, ResolveOptions};
use crate::{Dependency, IndexFile, IndexVersion, Registry};

/// A version that has been looked at, by its place in [`Candidates`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Id(pub(super) u32);

/// The versions of the registry, as far as they were asked for.
pub(super) struct Candidates<'a> {
    registry: &'a dyn Registry,
    options: &'a ResolveOptions,
    files: HashMap<String, Option<Rc<Known>>>,
    fitting: HashMap<(String, String), Rc<Vec<Id>>>,
    versions: Vec<(Arc<IndexFile>, usize)>,
}

/// A crate's file and where its versions are in [`Candidates::versions`].
struct Known {
    file: Arc<IndexFile>,
    first: u32,
}

impl<'a> Candidates<'a> {
    pub(super) fn new(registry: &'a dyn Registry, options: &'a ResolveOptions) -> Candidates<'a> {
        Candidates {
            registry,
            options,
            files: HashMap::new(),
            fitting: HashMap::new(),
            versions: Vec::new(),
        }
    }

    pub(super) fn version(&self, id: Id) -> &IndexVersion {
        let (file, at) = &self.versions[id.0 as usize];
        &file.versions[*at]
    }

    pub(super) fn place(&self, id: Id) -> (Arc<IndexFile>, usize) {
        self.versions[id.0 as usize].clone()
    }

    /// Every version that fits, best first.
    pub(super) fn fitting(&mut self, dependency: &Dependency) -> Result<Rc<Vec<Id>>, ResolveError> {
        let key = (
            dependency.package.clone(),
            dependency.requirement.to_string(),
        );
        if let Some(known) = self.fitting.get(&key) {
            return Ok(known.clone());
        }
        let known = self.known(&dependency.package)?;
        let mut fitting = Vec::new();
        if let Some(known) = known {
            let locked = self.options.locked.get(&dependency.package);
            let is_locked =
                |version: &Version| locked.is_some_and(|locked| locked.contains(version));
            let mut list: Vec<(u32, &IndexVersion)> = (known.first..)
                .zip(&known.file.versions)
                .filter(|(_, version)| {
                    version.name == dependency.package
                        && dependency.requirement.matches(&version.version)
                        && (!version.yanked || is_locked(&version.version))
                        && self
                            .options
                            .as_of
                            .is_none_or(|time| version.was_published_by(time))
                })
                .collect();
            list.sort_by_key(|(_, version)| {
                (
                    !is_locked(&version.version),
                    !self.suits_compiler(version),
                    Reverse(version.version.clone()),
                )
            });
            fitting = list.into_iter().map(|(id, _)| Id(id)).collect();
        }
        let fitting = Rc::new(fitting);
        self.fitting.insert(key, fitting.clone());
        Ok(fitting)
    }

    /// Why nothing fits, in words.
    pub(super) fn explain(&self, dependency: &Dependency) -> String {
        let Some(Some(known)) = self.files.get(&dependency.package) else {
            return "the registry does not know it".to_owned();
        };
        let versions = &known.file.versions;
        let fitting = versions
            .iter()
            .filter(|version| dependency.requirement.matches(&version.version));
        let (yanked, others): (Vec<_>, Vec<_>) = fitting.partition(|version| version.yanked);
        if let Some(version) = others.first() {
            return format!("{} was published later", version.version);
        }
        if let Some(version) = yanked.last() {
            return format!("{} is yanked", version.version);
        }
        let newest = versions.iter().map(|version| &version.version).max();
        match newest {
            Some(newest) => format!("the newest version is {newest}"),
            None => "none of its versions can be read".to_owned(),
        }
    }

    fn known(&mut self, name: &str) -> Result<Option<Rc<Known>>, ResolveError> {
        if let Some(known) = self.files.get(name) {
            return Ok(known.clone());
        }
        let file = self
            .registry
            .index_file(name)
            .map_err(|source| ResolveError::Registry {
                package: name.to_owned(),
                source,
            })?;
        let known = file.map(|file| {
            let first = u32::try_from(self.versions.len()).unwrap_or(u32::MAX);
            let places = (0..file.versions.len()).map(|at| (file.clone(), at));
            self.versions.extend(places);
            Rc::new(Known { file, first })
        });
        self.files.insert(name.to_owned(), known.clone());
        Ok(known)
    }

    /// Whether the version promises to work with the compiler, or promises
    /// nothing.
    fn suits_compiler(&self, version: &IndexVersion) -> bool {
        let (Some(compiler), Some(needed)) = (&self.options.rust_version, &version.rust_version)
        else {
            return true;
        };
        // `1.70` stands for 1.70.0.
        let mut parts = needed
            .splitn(3, '.')
            .map(|part| part.parse::<u64>().unwrap_or(0));
        let mut part = || parts.next().unwrap_or(0);
        let needed = (part(), part(), part());
        (compiler.major, compiler.minor, compiler.patch) >= needed
    }
}
