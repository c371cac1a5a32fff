//! Adding to the tables, one process at a time.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;

use camino::{Utf8Path, Utf8PathBuf};

use crate::builder::{BuildLimits, Builder};
use crate::facts::OwnedUnit;
use crate::tables::{FORMAT, MANIFEST, Manifest, SegmentEntry, Tables};
use crate::write::{Files, Written, digest};
use crate::{TablesError, View};

/// A file whose content is in the tables.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// Its path, relative to whatever directory the sources lie in.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// When it was last written, in nanoseconds since 1970.
    pub modified: u64,
}

/// The crates of one source.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The file.
    pub source: Source,
    /// Its crates.
    pub units: Vec<OwnedUnit>,
}

/// The one process that writes.
#[derive(Debug)]
pub struct Writer {
    dir: Utf8PathBuf,
    tables: Tables,
    sources: Vec<Option<Source>>,
    limits: BuildLimits,
    _lock: File,
}

impl Writer {
    /// Opens the tables in `dir`, which need not exist yet, for writing.
    /// `waiting` is called once if another process has them.
    ///
    /// # Errors
    /// The directory cannot be used, or what is in it cannot be read.
    pub fn open(
        dir: &Utf8Path,
        limits: BuildLimits,
        waiting: impl FnOnce(),
    ) -> Result<Writer, TablesError> {
        let failed = |operation, path: &Utf8Path| {
            let path = path.to_owned();
            move |source| TablesError::Io {
                operation,
                path,
                source,
            }
        };
        std::fs::create_dir_all(dir).map_err(failed("make the directory", dir))?;
        let path = dir.join("lock");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed("open", &path))?;
        if lock.try_lock().is_err() {
            waiting();
            lock.lock().map_err(failed("lock", &path))?;
        }
        let tables = Tables::open(dir)?;
        let sources = match &tables.manifest.sources {
            None => Vec::new(),
            Some(file) => read_sources(&dir.join(&file.name))?,
        };
        let writer = Writer {
            dir: dir.to_owned(),
            tables,
            sources,
            limits,
            _lock: lock,
        };
        writer.sweep()?;
        Ok(writer)
    }

    /// The tables as they are now.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// What is in the tables.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().flatten()
    }

    /// Takes the content of these sources out of every answer.
    ///
    /// # Errors
    /// The manifest cannot be written.
    pub fn remove(&mut self, paths: &BTreeSet<String>) -> Result<(), TablesError> {
        let mut gone = BTreeSet::new();
        for (id, source) in self.sources.iter_mut().enumerate() {
            if source.as_ref().is_some_and(|it| paths.contains(&it.path)) {
                *source = None;
                gone.insert(id as u32);
            }
        }
        if gone.is_empty() {
            return Ok(());
        }
        let mut manifest = self.tables.manifest.clone();
        let crates = 0..self.tables.crate_count();
        let mut removed: BTreeSet<u32> = manifest.removed.iter().copied().collect();
        removed.extend(crates.filter(|&krate| gone.contains(&self.tables.source(krate))));
        manifest.removed = removed.into_iter().collect();
        self.commit(manifest)
    }

    /// Adds crates; what is added is written down whenever a segment is full,
    /// so that a process that is killed has to do little again.
    ///
    /// # Errors
    /// A file cannot be written. What was committed before stays.
    pub fn append(&mut self, batches: &mut dyn Iterator<Item = Batch>) -> Result<(), TablesError> {
        loop {
            let mut builder = Builder::new(&self.tables);
            let mut taken = Vec::new();
            for batch in &mut *batches {
                let id = (self.sources.len() + taken.len()) as u32;
                taken.push(Some(batch.source));
                for unit in &batch.units {
                    builder.add(&unit.unit(), id);
                }
                if builder.is_full(&self.limits) {
                    break;
                }
            }
            if taken.is_empty() {
                break;
            }
            let mut manifest = self.tables.manifest.clone();
            if !builder.is_empty() {
                manifest.segments.push(self.write_segment(
                    builder,
                    "s",
                    manifest.segments.len(),
                )?);
            }
            self.sources.append(&mut taken);
            self.commit(manifest)?;
        }
        self.merge()
    }

    fn write_segment(
        &self,
        builder: Builder<'_>,
        kind: &str,
        place: usize,
    ) -> Result<SegmentEntry, TablesError> {
        let generation = self.tables.manifest.generation + 1;
        let name = format!("{kind}{generation:08}-{place:03}");
        let mut files = Files::new(&self.dir.join(&name))?;
        let counts = builder.write(&mut files)?;
        sync_dir(&self.dir.join(&name))?;
        Ok(SegmentEntry {
            name,
            counts,
            files: files.written,
        })
    }

    /// Makes a manifest the one that counts. Files that it no longer lists are
    /// removed afterwards.
    fn commit(&mut self, mut manifest: Manifest) -> Result<(), TablesError> {
        manifest.format = FORMAT;
        manifest.generation = self.tables.manifest.generation + 1;
        let mut files = Files::new(&self.dir)?;
        let mut text = String::new();
        for source in &self.sources {
            match source {
                None => text.push('\n'),
                Some(source) => {
                    let Source {
                        path,
                        bytes,
                        modified,
                    } = source;
                    text.push_str(&format!("{bytes}\t{modified}\t{path}\n"));
                }
            }
        }
        files.whole(&format!("sources-{}", manifest.generation), text.as_bytes())?;
        manifest.sources = files.written.pop();
        self.replace(&manifest)?;
        self.tables = Tables::open(&self.dir)?;
        self.sweep()
    }

    fn replace(&self, manifest: &Manifest) -> Result<(), TablesError> {
        let path = self.dir.join(MANIFEST);
        let failed = |source| TablesError::Io {
            operation: "write",
            path: path.clone(),
            source,
        };
        let bytes = serde_json::to_vec(manifest).map_err(|error| failed(error.into()))?;
        let next = self.dir.join("manifest.next");
        let mut file = File::create(&next).map_err(failed)?;
        file.write_all(&bytes).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        sync_dir(&self.dir)?;
        std::fs::rename(&next, &path).map_err(failed)?;
        sync_dir(&self.dir)
    }

    /// Says for each crate when it was published and whether it is yanked.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn set_dates(
        &mut self,
        mut of: impl FnMut(&str, &str) -> Option<(i64, bool)>,
    ) -> Result<(), TablesError> {
        let mut bytes = Vec::new();
        for krate in 0..self.tables.crate_count() {
            let (package, _, _) = self.tables.lib_names(self.tables.crate_lib(krate));
            let known = of(package, self.tables.version(krate));
            let value = known.map_or(0, |(published, yanked)| {
                (published.max(0) as u64) << 1 | u64::from(yanked)
            });
            bytes.extend(value.to_le_bytes());
        }
        let mut manifest = self.tables.manifest.clone();
        let mut files = Files::new(&self.dir)?;
        files.whole(&format!("dates-{}", manifest.generation + 1), &bytes)?;
        manifest.dates = files.written.pop();
        self.commit(manifest)
    }

    /// Merges the last segments while they are of about the same size, so that
    /// there are never many.
    fn merge(&mut self) -> Result<(), TablesError> {
        let segments = &self.tables.manifest.segments;
        let calls = |at: usize| segments[at].counts.calls;
        let Some(last) = segments.len().checked_sub(1) else {
            return Ok(());
        };
        let mut start = last;
        let mut all = calls(last);
        while start > 0 && calls(start - 1) <= 2 * all {
            start -= 1;
            all += calls(start);
        }
        match start < last && all <= self.limits.calls as u64 {
            true => self.rewrite(start),
            false => Ok(()),
        }
    }

    /// Merges all segments and leaves out what counts no longer.
    ///
    /// # Errors
    /// A file cannot be read or written.
    pub fn compact(&mut self) -> Result<(), TablesError> {
        match self.tables.segments() > 1 || !self.tables.manifest.removed.is_empty() {
            true => self.rewrite(0),
            false => Ok(()),
        }
    }

    /// Writes the segments from `start` on again as few. Nothing before them
    /// refers to them, so their numbers may change.
    fn rewrite(&mut self, start: usize) -> Result<(), TablesError> {
        let mut manifest = self.tables.manifest.clone();
        let first = self.tables.segments[start].bases.crates;
        let dates = self.tables.dates.is_some().then(|| {
            let mut known = std::collections::BTreeMap::new();
            for krate in 0..self.tables.crate_count() {
                let (package, _, _) = self.tables.lib_names(self.tables.crate_lib(krate));
                let key = (package.to_owned(), self.tables.version(krate).to_owned());
                let value = (
                    self.tables.published(krate).unwrap_or(0),
                    self.tables.is_yanked(krate),
                );
                known.insert(key, value);
            }
            known
        });
        manifest.segments.truncate(start);
        manifest.removed.retain(|&krate| krate < first);
        // Tables of what stays, as the new segments will see them.
        let mut below = Tables::open(&self.dir)?;
        below.manifest = manifest.clone();
        below.segments.truncate(start);
        let mut krate = first;
        let end = self.tables.crate_count();
        while krate < end {
            let mut builder = Builder::new(&below);
            while krate < end && !builder.is_full(&self.limits) {
                if !self.tables.is_removed(krate) {
                    builder.add(&self.tables.unit(krate).unit(), self.tables.source(krate));
                }
                krate += 1;
            }
            if builder.is_empty() {
                continue;
            }
            let place = manifest.segments.len();
            let entry = self.write_segment(builder, "m", place)?;
            let bases = below.bases();
            let dir = self.dir.join(&entry.name);
            below
                .segments
                .push(crate::segment::Segment::open(&dir, bases, entry.counts)?);
            manifest.segments.push(entry);
        }
        manifest.dates = None;
        self.commit(manifest)?;
        match dates {
            None => Ok(()),
            Some(dates) => self.set_dates(|package, version| {
                dates
                    .get(&(package.to_owned(), version.to_owned()))
                    .copied()
            }),
        }
    }

    /// Removes what no manifest lists: the rests of a writer that was killed,
    /// and what was merged.
    fn sweep(&self) -> Result<(), TablesError> {
        let manifest = &self.tables.manifest;
        let mut kept: BTreeSet<&str> = manifest
            .segments
            .iter()
            .map(|it| it.name.as_str())
            .collect();
        let files = manifest.sources.iter().chain(&manifest.dates);
        kept.extend(files.map(|it| it.name.as_str()));
        let failed = |source| TablesError::Io {
            operation: "list",
            path: self.dir.clone(),
            source,
        };
        for entry in self.dir.read_dir_utf8().map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let own = |prefix: &str| {
                name.strip_prefix(prefix)
                    .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
            };
            if kept.contains(name) {
                continue;
            }
            // Somebody may read it still, or it may be gone already: neither
            // is an error, and the next writer tries again.
            if own("s") || own("m") {
                let _ = std::fs::remove_dir_all(entry.path());
            } else if own("sources-") || own("dates-") || name == "manifest.next" {
                let _ = std::fs::remove_file(entry.path());
            }
        }
        Ok(())
    }
}

fn sync_dir(dir: &Utf8Path) -> Result<(), TablesError> {
    // Only where directories can be opened; elsewhere the system sees to it.
    let Ok(file) = File::open(dir) else {
        return Ok(());
    };
    match file.sync_all() {
        Err(source) if source.kind() == std::io::ErrorKind::StorageFull => Err(TablesError::Io {
            operation: "write",
            path: dir.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

fn read_sources(path: &Utf8Path) -> Result<Vec<Option<Source>>, TablesError> {
    let text = std::fs::read_to_string(path).map_err(|source| TablesError::Io {
        operation: "read",
        path: path.to_owned(),
        source,
    })?;
    let mut sources = Vec::new();
    for line in text.lines() {
        let mut fields = line.splitn(3, '\t');
        let source = (|| {
            Some(Source {
                bytes: fields.next()?.parse().ok()?,
                modified: fields.next()?.parse().ok()?,
                path: fields.next()?.to_owned(),
            })
        })();
        sources.push(source);
    }
    Ok(sources)
}

impl Tables {
    /// Reads every file and compares it with what was written.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn verify(&self) -> Result<Vec<TablesError>, TablesError> {
        let mut wrong = Vec::new();
        let segments = self.manifest.segments.iter();
        let files =
            segments.flat_map(|it| it.files.iter().map(move |file| (it.name.as_str(), file)));
        let others = self.manifest.sources.iter().chain(&self.manifest.dates);
        let all: Vec<(&str, &Written)> = files.chain(others.map(|file| ("", file))).collect();
        for (below, file) in all {
            let path = self.dir.join(below).join(&file.name);
            match digest(&path) {
                Err(source) => wrong.push(TablesError::Io {
                    operation: "read",
                    path,
                    source,
                }),
                Ok((bytes, sha256)) if bytes != file.bytes || sha256 != file.sha256 => {
                    wrong.push(TablesError::Damaged {
                        path,
                        what: "its content is not what was written".to_owned(),
                    });
                }
                Ok(_) => {}
            }
        }
        Ok(wrong)
    }
}

impl View<'_> {
    /// The nodes of a symbol in the versions of its library that count and
    /// that `version` takes.
    pub fn nodes(&self, symbol: u32, version: &dyn Fn(&str) -> bool) -> Vec<u32> {
        let lib = self.tables.symbol_lib(symbol);
        let crates = self.crates_of(lib).into_iter();
        crates
            .filter(|&krate| version(self.tables.version(krate)))
            .filter_map(|krate| self.tables.find_node(krate, symbol))
            .collect()
    }
}
