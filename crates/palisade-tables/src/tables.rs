//! All segments together.

use camino::{Utf8Path, Utf8PathBuf};
use palisade_model::facts::CrateKind;
use serde::{Deserialize, Serialize};

use crate::TablesError;
use crate::raw::Bytes;
use crate::segment::{Bases, Call, Counts, Link, Role, Segment};
use crate::write::Written;

/// The version of the tables' format.
pub const FORMAT: u32 = 1;
pub(crate) const MANIFEST: &str = "manifest.json";

/// What the tables are made of. Whatever it does not list is not there.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) format: u32,
    /// Counts the manifests.
    pub(crate) generation: u64,
    pub(crate) segments: Vec<SegmentEntry>,
    /// Crates that count no longer, since their source was read again; sorted.
    pub(crate) removed: Vec<u32>,
    /// The file that says which fragments are in the tables.
    pub(crate) sources: Option<Written>,
    /// The file that says which versions are yanked, and since when there are
    /// which.
    pub(crate) dates: Option<Written>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SegmentEntry {
    pub(crate) name: String,
    pub(crate) counts: Counts,
    pub(crate) files: Vec<Written>,
}

/// The tables of an ecosystem, as they were when they were opened.
#[derive(Debug)]
pub struct Tables {
    pub(crate) dir: Utf8PathBuf,
    pub(crate) manifest: Manifest,
    pub(crate) segments: Vec<Segment>,
    /// For each crate: seconds since 1970 when it was published, with the
    /// lowest bit for yanked; 0 where nothing is known.
    pub(crate) dates: Option<Bytes>,
}

impl Tables {
    /// Opens the tables in a directory; without any, they are empty.
    ///
    /// # Errors
    /// A file is missing or is not what the manifest says, or the tables are
    /// of another format.
    pub fn open(dir: &Utf8Path) -> Result<Tables, TablesError> {
        let path = dir.join(MANIFEST);
        let manifest = match std::fs::read(&path) {
            Ok(bytes) => {
                let manifest: Manifest =
                    serde_json::from_slice(&bytes).map_err(|source| TablesError::Manifest {
                        path: path.clone(),
                        source,
                    })?;
                if manifest.format != FORMAT {
                    return Err(TablesError::Format {
                        path,
                        format: manifest.format,
                    });
                }
                manifest
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Manifest {
                format: FORMAT,
                ..Manifest::default()
            },
            Err(source) => {
                return Err(TablesError::Io {
                    operation: "read",
                    path,
                    source,
                });
            }
        };
        let mut segments = Vec::new();
        let mut bases = Bases::default();
        for entry in &manifest.segments {
            let own = dir.join(&entry.name);
            check_sizes(&own, &entry.files)?;
            segments.push(Segment::open(&own, bases, entry.counts)?);
            bases.libs += entry.counts.libs;
            bases.targets += entry.counts.symbols + entry.counts.sites;
            bases.crates += entry.counts.crates;
            bases.nodes += entry.counts.nodes;
        }
        let dates = match &manifest.dates {
            None => None,
            Some(file) => {
                check_sizes(dir, std::slice::from_ref(file))?;
                Some(Bytes::open(&dir.join(&file.name))?)
            }
        };
        Ok(Tables {
            dir: dir.to_owned(),
            manifest,
            segments,
            dates,
        })
    }

    /// Whether nothing is in them.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// How much is in them, all segments together.
    pub fn counts(&self) -> Counts {
        let mut all = Counts::default();
        for segment in &self.segments {
            all.libs += segment.counts.libs;
            all.symbols += segment.counts.symbols;
            all.sites += segment.counts.sites;
            all.crates += segment.counts.crates;
            all.nodes += segment.counts.nodes;
            all.calls += segment.counts.calls;
        }
        all
    }

    /// How many segments there are.
    pub fn segments(&self) -> usize {
        self.segments.len()
    }

    /// The bytes of the adjacency, forwards and backwards.
    pub fn adjacency(&self) -> (u64, u64) {
        let each = self.segments.iter().map(Segment::adjacency);
        each.fold((0, 0), |all, own| (all.0 + own.0, all.1 + own.1))
    }

    /// The bytes of all files.
    pub fn size(&self) -> u64 {
        let files = self.manifest.segments.iter().flat_map(|it| &it.files);
        let others = self.manifest.sources.iter().chain(&self.manifest.dates);
        files.chain(others).map(|file| file.bytes).sum()
    }

    /// Where the next segment's numbers begin.
    pub(crate) fn bases(&self) -> Bases {
        match self.segments.last() {
            None => Bases::default(),
            Some(segment) => Bases {
                libs: segment.bases.libs + segment.counts.libs,
                targets: segment.bases.targets + segment.counts.symbols + segment.counts.sites,
                crates: segment.bases.crates + segment.counts.crates,
                nodes: segment.bases.nodes + segment.counts.nodes,
            },
        }
    }

    fn holding(&self, start: impl Fn(&Bases) -> u32, number: u32) -> Option<&Segment> {
        let after = self
            .segments
            .partition_point(|segment| start(&segment.bases) <= number);
        self.segments.get(after.checked_sub(1)?)
    }

    // Libraries.

    /// The library of a package, by both names.
    pub fn lib(&self, package: &str, name: &str, role: Role) -> Option<u32> {
        self.segments.iter().find_map(|segment| {
            let mut at = segment.first_lib(name, package);
            while at < segment.counts.libs as usize {
                let own = segment.lib(at);
                if (own.1, own.0) != (name, package) {
                    return None;
                }
                if own.2 == role {
                    return Some(segment.bases.libs + at as u32);
                }
                at += 1;
            }
            None
        })
    }

    /// Everything with this crate name, of whatever package and role.
    pub fn libs_named(&self, name: &str) -> Vec<u32> {
        let mut found = Vec::new();
        for segment in &self.segments {
            let start = segment.first_lib(name, "");
            let libs = start..segment.counts.libs as usize;
            let named = libs.take_while(|&at| segment.lib(at).1 == name);
            found.extend(named.map(|at| segment.bases.libs + at as u32));
        }
        found
    }

    /// Package, crate name and role of a library.
    pub fn lib_names(&self, lib: u32) -> (&str, &str, Role) {
        match self.holding(|bases| bases.libs, lib) {
            None => ("", "", Role::Linked),
            Some(segment) => segment.lib((lib - segment.bases.libs) as usize),
        }
    }

    /// The names that build scripts go by.
    pub fn script_names(&self) -> Vec<String> {
        // Every build script is called the same, but for what made the facts.
        let mut found = Vec::new();
        for name in [
            "build_script_build",
            "build-script-build",
            "build_script",
            "build",
        ] {
            let libs = self.libs_named(name);
            if libs
                .iter()
                .any(|&lib| self.lib_names(lib).2 == Role::Script)
            {
                found.push(name.to_owned());
            }
        }
        found
    }

    /// The number of libraries.
    pub fn lib_count(&self) -> u32 {
        self.bases().libs
    }

    /// The crates of a library: its versions, and each with every set of
    /// features that it was read with. Those that count no longer are left
    /// out.
    pub fn crates_of(&self, lib: u32) -> impl Iterator<Item = u32> + '_ {
        self.segments
            .iter()
            .flat_map(move |segment| {
                let own = segment.crates_of(lib);
                own.map(|at| segment.bases.crates + at)
            })
            .filter(|krate| !self.is_removed(*krate))
    }

    /// Whether a crate counts no longer.
    pub fn is_removed(&self, krate: u32) -> bool {
        self.manifest.removed.binary_search(&krate).is_ok()
    }

    // Symbols and sites.

    /// The number of a path in a library.
    pub fn symbol(&self, lib: u32, path: &str) -> Option<u32> {
        let mut segments = self.segments.iter();
        segments.find_map(|segment| segment.find_symbol(lib, path))
    }

    /// The library and the path of a symbol.
    pub fn symbol_name(&self, symbol: u32) -> (u32, String) {
        match self.holding(|bases| bases.targets, symbol) {
            None => (0, String::new()),
            Some(segment) => {
                let own = symbol - segment.bases.targets;
                (segment.lib_of(own), segment.name(own))
            }
        }
    }

    /// The library of a symbol.
    pub fn symbol_lib(&self, symbol: u32) -> u32 {
        self.holding(|bases| bases.targets, symbol)
            .map_or(0, |segment| segment.lib_of(symbol - segment.bases.targets))
    }

    /// Visits all symbols of a library.
    pub fn each_symbol(&self, lib: u32, mut visit: impl FnMut(u32, &str)) {
        for segment in &self.segments {
            segment.each_name(lib, &mut visit);
        }
    }

    pub(crate) fn site(&self, method: u32, head: u32) -> Option<u32> {
        let mut segments = self.segments.iter();
        segments.find_map(|segment| segment.find_site(method, head))
    }

    /// Method and head of a target, if it is a site.
    pub(crate) fn site_of(&self, target: u32) -> Option<(u32, u32)> {
        self.holding(|bases| bases.targets, target)?.site(target)
    }

    // Crates.

    pub(crate) fn in_crate_of(&self, krate: u32) -> Option<(&Segment, usize)> {
        self.in_crate(krate)
    }

    fn in_crate(&self, krate: u32) -> Option<(&Segment, usize)> {
        let segment = self.holding(|bases| bases.crates, krate)?;
        Some((segment, (krate - segment.bases.crates) as usize))
    }

    /// The number of crates, those that count no longer included.
    pub fn crate_count(&self) -> u32 {
        self.bases().crates
    }

    /// The number of nodes.
    pub fn node_count(&self) -> u32 {
        self.bases().nodes
    }

    fn record(&self, krate: u32, field: usize) -> u32 {
        self.in_crate(krate)
            .map_or(0, |(segment, at)| segment.record(at, field))
    }

    /// The library that a crate is a version of.
    pub fn crate_lib(&self, krate: u32) -> u32 {
        self.record(krate, 0)
    }

    /// A crate's version.
    pub fn version(&self, krate: u32) -> &str {
        self.in_crate(krate)
            .map_or("", |(segment, at)| segment.version(at))
    }

    /// The features that a crate was read with, joined by commas.
    pub fn features(&self, krate: u32) -> &str {
        self.in_crate(krate)
            .map_or("", |(segment, at)| segment.features(at))
    }

    /// What kind of crate it is.
    pub fn kind(&self, krate: u32) -> CrateKind {
        let kind = self.record(krate, 3) as usize;
        CrateKind::ALL.get(kind).copied().unwrap_or_default()
    }

    /// How many of its places could not be followed, calls without a callee's
    /// name included.
    pub fn blind_spots(&self, krate: u32) -> (u32, u32) {
        (self.record(krate, 5), self.record(krate, 14))
    }

    /// Lines of its source.
    pub fn lines(&self, krate: u32) -> u32 {
        self.record(krate, 4)
    }

    /// Which of the sources it comes from.
    pub(crate) fn source(&self, krate: u32) -> u32 {
        self.record(krate, 6)
    }

    /// Its source files.
    pub fn files(&self, krate: u32) -> Vec<String> {
        self.in_crate(krate)
            .map_or_else(Vec::new, |(segment, at)| segment.files(at))
    }

    /// What it is linked with, or built with.
    pub fn links(&self, krate: u32) -> Vec<Link> {
        let Some((segment, at)) = self.in_crate(krate) else {
            return Vec::new();
        };
        let count = segment.link_count(at);
        (0..count).map(|link| segment.link(at, link)).collect()
    }

    /// Its link with a library.
    pub fn link(&self, krate: u32, lib: u32) -> Option<Link> {
        let (segment, at) = self.in_crate(krate)?;
        Some(segment.link(at, segment.find_link(at, lib)?))
    }

    /// The libraries that it is linked with.
    pub(crate) fn linked_libs(&self, krate: u32) -> Vec<u32> {
        let Some((segment, at)) = self.in_crate(krate) else {
            return Vec::new();
        };
        let count = segment.link_count(at);
        (0..count).map(|link| segment.link_lib(at, link)).collect()
    }

    /// The crates that are linked with a library, in whatever version.
    pub(crate) fn linking(&self, lib: u32) -> impl Iterator<Item = u32> + '_ {
        let each = self.segments.iter().flat_map(move |segment| {
            let own = segment.rlinks.seconds(lib);
            own.map(|at| segment.bases.crates + at)
        });
        each.filter(|krate| !self.is_removed(*krate))
    }

    /// When it was published, in seconds since 1970, where that is known.
    pub fn published(&self, krate: u32) -> Option<i64> {
        let value = self.dates.as_ref()?.u64(krate as usize) >> 1;
        (value != 0).then_some(value as i64)
    }

    /// Whether it was withdrawn.
    pub fn is_yanked(&self, krate: u32) -> bool {
        self.dates
            .as_ref()
            .is_some_and(|dates| dates.u64(krate as usize) & 1 == 1)
    }

    // Nodes.

    pub(crate) fn in_node(&self, node: u32) -> Option<(&Segment, u32)> {
        let segment = self.holding(|bases| bases.nodes, node)?;
        Some((segment, node - segment.bases.nodes))
    }

    /// The functions of a crate, by their numbers.
    pub fn nodes_of(&self, krate: u32) -> std::ops::Range<u32> {
        self.in_crate(krate).map_or(0..0, |(segment, at)| {
            let own = segment.nodes_of(at);
            segment.bases.nodes + own.start..segment.bases.nodes + own.end
        })
    }

    /// The crate of a node.
    pub fn node_crate(&self, node: u32) -> u32 {
        self.in_node(node).map_or(0, |(segment, own)| {
            segment.bases.crates + segment.crate_of(own)
        })
    }

    /// The symbol of a node.
    pub fn node_symbol(&self, node: u32) -> u32 {
        self.in_node(node)
            .map_or(0, |(segment, own)| segment.symbol_of(own))
    }

    /// The flags of a node: see [`flag`](crate::flag).
    pub fn node_flags(&self, node: u32) -> u32 {
        self.in_node(node)
            .map_or(0, |(segment, own)| segment.flags(own))
    }

    /// The line where it is defined and the place of the file among the
    /// crate's.
    pub fn node_place(&self, node: u32) -> (u32, u32) {
        self.in_node(node)
            .map_or((0, 0), |(segment, own)| segment.place(own))
    }

    pub(crate) fn calls(&self, node: u32) -> Vec<Call> {
        self.in_node(node)
            .map_or_else(Vec::new, |(segment, own)| segment.calls(own))
    }

    /// The node of a symbol in a crate.
    pub fn find_node(&self, krate: u32, symbol: u32) -> Option<u32> {
        let nodes = self.nodes_of(krate);
        let (start, end) = (nodes.start as usize, nodes.end as usize);
        let at = crate::raw::partition(start, end, |at| self.node_symbol(at as u32) < symbol);
        (at < end && self.node_symbol(at as u32) == symbol).then_some(at as u32)
    }

    /// Visits who leads to a target, segment by segment, in order.
    pub(crate) fn each_caller(&self, target: u32, mut visit: impl FnMut(u32)) {
        for segment in &self.segments {
            for caller in segment.callers.of(target) {
                visit(segment.bases.nodes + caller);
            }
        }
    }

    /// Visits the functions with values of a type.
    pub(crate) fn each_user(&self, adt: u32, mut visit: impl FnMut(u32)) {
        for segment in &self.segments {
            for user in segment.users.of(adt) {
                visit(segment.bases.nodes + user);
            }
        }
    }
}

fn check_sizes(dir: &Utf8Path, files: &[Written]) -> Result<(), TablesError> {
    for file in files {
        let path = dir.join(&file.name);
        let found = std::fs::metadata(&path).map_err(|source| TablesError::Io {
            operation: "open",
            path: path.clone(),
            source,
        })?;
        if found.len() != file.bytes {
            return Err(TablesError::Damaged {
                path,
                what: format!("it has {} bytes instead of {}", found.len(), file.bytes),
            });
        }
    }
    Ok(())
}
