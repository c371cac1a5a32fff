//! What a path in a file stands for, through imports, renamed dependencies
//! and re-exports of other files.

use palisade_index::Manifest;
use rustc_hash::{FxHashMap, FxHashSet};

use super::paths;
use crate::source::{Kind, SourceFile};

/// How often a name may stand for another one.
const RENAMED: usize = 4;

/// Names that hold in the whole package.
pub(super) struct Names {
    /// Dependencies that have another name here.
    dependencies: FxHashMap<String, String>,
    /// The libraries that the manifest names; `None` without a manifest. A
    /// function `execute` of the package itself is no library of that name.
    declared: Option<FxHashSet<String>>,
    /// Names under which a file passes on something that matters.
    exports: FxHashMap<String, Vec<String>>,
}

impl Names {
    pub(super) fn find(files: &[SourceFile<'_>], manifest: Option<&Manifest>) -> Names {
        let declared = manifest.map(|manifest| {
            let dependencies = manifest.dependencies.iter();
            dependencies
                .map(|dependency| dependency.package.replace('-', "_"))
                .collect()
        });
        let mut names = Names {
            dependencies: renamed(manifest).collect(),
            declared,
            exports: FxHashMap::default(),
        };
        let mut exports = FxHashMap::default();
        for file in files {
            #[expect(
                clippy::iter_over_hash_type,
                reason = "a file has each name once, so the order does not matter"
            )]
            for (name, path) in &file.uses.names {
                let first = &path[0];
                if !paths::is_root(first) && !names.dependencies.contains_key(first) {
                    continue;
                }
                let path = names.renamed(path.clone());
                // A whole library can be passed on too.
                if names.is_library(&path[0]) && paths::facts(&path).next().is_some() {
                    exports.insert(name.clone(), path);
                }
            }
        }
        names.exports = exports;
        names
    }

    /// Whether a file uses a name that another one passes on.
    pub(super) fn passes_on(&self, file: &SourceFile<'_>) -> bool {
        let words = || {
            let names = file.tokens().iter();
            names.filter(|token| token.kind == Kind::Ident)
        };
        !self.exports.is_empty()
            && words().any(|token| self.exports.contains_key(token.text(&file.source)))
    }

    /// Whether a path is one of a library that is there.
    fn is_known(&self, path: &[String]) -> bool {
        path.len() > 1 && self.is_library(&path[0])
    }

    fn is_library(&self, name: &str) -> bool {
        let declared = || {
            self.declared
                .as_ref()
                .is_none_or(|declared| declared.contains(name))
        };
        paths::is_root(name) && (name == "std" || declared())
    }

    fn renamed(&self, mut path: Vec<String>) -> Vec<String> {
        if let Some(package) = path.first().and_then(|first| self.dependencies.get(first)) {
            path[0].clone_from(package);
        }
        path
    }

    /// Whether the names below a module may matter.
    fn leads(&self, glob: &[String]) -> bool {
        glob.first().is_some_and(|first| match first.as_str() {
            "crate" | "self" | "super" => !self.exports.is_empty(),
            first => paths::is_root(first) || self.dependencies.contains_key(first),
        })
    }

    /// Whether a path that begins with this name may matter in this file.
    pub(super) fn may_matter(&self, file: &SourceFile<'_>, first: &str) -> bool {
        matches!(first, "crate" | "self" | "super")
            || paths::is_root(first)
            || file.uses.globs.iter().any(|glob| self.leads(glob))
            || file.uses.names.contains_key(first)
            || self.dependencies.contains_key(first)
    }

    /// What a path stands for, if that may matter. Only its first segments
    /// are given.
    pub(super) fn resolve(&self, file: &SourceFile<'_>, segments: &[&str]) -> Option<Vec<String>> {
        let first = segments.first()?;
        let known = file.uses.names.get(*first);
        let inner = matches!(*first, "crate" | "self" | "super");
        if known.is_none()
            && !inner
            && !paths::is_root(first)
            && !self.dependencies.contains_key(*first)
        {
            return self.through_glob(file, segments);
        }
        // Most names stand for something of no interest.
        let leads = |first: &str| {
            matches!(first, "crate" | "self" | "super")
                || paths::is_root(first)
                || self.dependencies.contains_key(first)
                || file.uses.names.contains_key(first)
        };
        if known.is_some_and(|path| path[0] != *first && !leads(&path[0])) {
            return None;
        }
        let mut path: Vec<String> = segments.iter().map(|&segment| segment.to_owned()).collect();
        for _ in 0..RENAMED {
            match file.uses.names.get(&path[0]) {
                Some(longer) if longer[0] != path[0] || longer.len() > 1 => {
                    let own = longer[0] == path[0];
                    path.splice(..1, longer.iter().cloned());
                    if own {
                        break;
                    }
                }
                _ => break,
            }
        }
        path = self.renamed(path);
        if matches!(path[0].as_str(), "crate" | "self" | "super") {
            let at = path
                .iter()
                .position(|segment| self.exports.contains_key(segment))?;
            path.splice(..=at, self.exports[&path[at]].iter().cloned());
        }
        self.is_known(&path).then_some(path)
    }

    /// A name that a glob import may have brought in.
    fn through_glob(&self, file: &SourceFile<'_>, segments: &[&str]) -> Option<Vec<String>> {
        let mut globs = file.uses.globs.iter().filter(|glob| self.leads(glob));
        globs.by_ref().take(64).find_map(|glob| {
            let glob = self.renamed(glob.clone());
            let first = glob.first()?;
            if matches!(first.as_str(), "crate" | "self" | "super") {
                let export = self.exports.get(segments[0])?;
                let rest = segments[1..].iter().map(|&segment| segment.to_owned());
                return Some(export.iter().cloned().chain(rest).collect());
            }
            // A glob of a whole library would make every name one of its own.
            if glob.len() < 2 || !self.is_known(&glob) {
                return None;
            }
            let mut path = glob;
            path.extend(segments.iter().map(|&segment| segment.to_owned()));
            let before = paths::facts(&path[..path.len() - segments.len()]).count();
            (paths::facts(&path).count() > before).then_some(path)
        })
    }
}

/// The names that a package has for its dependencies where they are other
/// names, and whose they are.
pub(super) fn renamed(manifest: Option<&Manifest>) -> impl Iterator<Item = (String, String)> {
    let dependencies = manifest
        .into_iter()
        .flat_map(|manifest| &manifest.dependencies);
    dependencies
        .filter(|dependency| dependency.name != dependency.package)
        .map(|dependency| {
            let code = |name: &str| name.replace('-', "_");
            (code(&dependency.name), code(&dependency.package))
        })
}

/// The segments of the path that begins at a token, and the index behind it.
pub(super) fn path_at<'f>(file: &'f SourceFile<'_>, at: usize) -> (Vec<&'f str>, usize) {
    const SEGMENTS: usize = 8;
    let tokens = file.tokens();
    let mut segments = vec![file.word(at)];
    let mut next = at + 1;
    while segments.len() < SEGMENTS
        && tokens.get(next).is_some_and(|token| token.is(b':'))
        && tokens.get(next + 1).is_some_and(|token| token.is(b':'))
        && tokens
            .get(next + 2)
            .is_some_and(|token| token.kind == Kind::Ident)
    {
        segments.push(file.word(next + 2));
        next += 3;
    }
    (segments, next)
}
