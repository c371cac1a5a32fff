//! Following a registry: everything that is published is scanned, with what is
//! known by then, and told once.
//!
//! A [`Watcher`] is handed changes, as a discovery of `palisade-index` or
//! [`history()`] gives them, and answers with [`Event`]s. Each is in the journal
//! before anybody sees it; what was in the journal before the process was
//! killed is not scanned again.

mod event;
mod history;
mod journal;

use std::collections::BTreeSet;
use std::sync::Arc;

use camino::Utf8Path;
use jiff::Timestamp;
use palisade_index::discover::{Change, ChangeKind};
use palisade_index::{IndexError, IndexFile, IndexVersion, Registry};
use semver::Version;

use crate::surroundings::as_of;
use crate::{NameCorpus, Published, Report, Scanner, ScannerOptions, Severity};

pub use event::{Event, EventKind};
pub use history::{Moment, history};
pub use journal::{Journal, JournalError};

/// How to watch.
#[derive(Clone, Debug)]
pub struct WatchOptions {
    /// The lowest severity of a finding that raises the alarm. Findings of
    /// hygiene never do.
    pub alarm_at: Severity,
    /// From this risk on, a version is flagged: what depends on it is a
    /// carrier.
    pub flag_at: u8,
    /// A version is looked at again when others are withdrawn within so many
    /// hours of it.
    pub reassess_hours: i64,
}

impl Default for WatchOptions {
    fn default() -> WatchOptions {
        WatchOptions {
            alarm_at: Severity::High,
            flag_at: 60,
            reassess_hours: 48,
        }
    }
}

/// Why watching cannot go on. Nothing is lost: what was not confirmed comes
/// again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WatchError {
    /// The registry cannot be asked.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Scans what happens in a registry.
pub struct Watcher {
    scanner: Scanner,
    registry: Arc<dyn Registry>,
    journal: Journal,
    options: WatchOptions,
}

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watcher")
            .field("scanner", &self.scanner)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Watcher {
    /// A watcher that keeps its journal in `state`, and goes on where the
    /// journal ends.
    ///
    /// # Errors
    /// The journal cannot be read, or somebody else writes it.
    pub fn open(
        state: &Utf8Path,
        registry: Arc<dyn Registry>,
        mut scanner: ScannerOptions,
        options: WatchOptions,
    ) -> Result<Watcher, WatchError> {
        let journal = Journal::open(state)?;
        for event in journal.events()? {
            remember(&mut scanner, &event?, options.flag_at);
        }
        scanner.surroundings.registry = Some(Arc::clone(&registry));
        Ok(Watcher {
            scanner: Scanner::new(scanner),
            registry,
            journal,
            options,
        })
    }

    /// The names of all crates that the database dump has, in order.
    pub fn names(&self) -> Vec<String> {
        let names = self.scanner.options.names.as_ref();
        names.map(NameCorpus::names).unwrap_or_default()
    }

    /// The journal.
    pub fn journal(&mut self) -> &mut Journal {
        &mut self.journal
    }

    /// Handles a change that was found just now.
    ///
    /// # Errors
    /// The registry cannot be asked or the journal not be written. A package
    /// that cannot be scanned is an event.
    pub fn now(&mut self, change: &Change, now: Timestamp) -> Result<Vec<Event>, WatchError> {
        self.scanner.options.surroundings.at = Some(now);
        self.scanner.options.surroundings.past = false;
        self.handle(change, now)
    }

    /// Handles a change of the past, as if it had just happened: nothing that
    /// came later is looked at.
    ///
    /// # Errors
    /// As for [`Watcher::now`].
    pub fn then(&mut self, moment: &Moment) -> Result<Vec<Event>, WatchError> {
        if let Some(names) = &mut self.scanner.options.names {
            names.advance(moment.at);
        }
        self.scanner.options.surroundings.at = Some(moment.at);
        self.scanner.options.surroundings.past = true;
        self.handle(&moment.change, moment.at)
    }

    /// Forgets what a database dump says about the time after `start`, before
    /// history is played from there.
    pub fn rewind(&mut self, start: Timestamp) {
        if let Some(names) = &mut self.scanner.options.names {
            names.rewind(start);
        }
    }

    fn handle(&mut self, change: &Change, at: Timestamp) -> Result<Vec<Event>, WatchError> {
        let Some(index) = self.index(&change.name)? else {
            return self.tell(Event::of(change, None, at)).map(Vec::from_iter);
        };
        let own = |version: &Version| {
            let found = index
                .versions
                .iter()
                .find(|known| known.version == *version);
            found.cloned()
        };
        let mut events = Vec::new();
        match (change.kind, &change.version) {
            // A feed that announces the crate alone means its newest version.
            (ChangeKind::Published, version) => {
                let published = match version {
                    Some(version) => own(version),
                    None => newest(&index).cloned(),
                };
                match published {
                    Some(published) => events.extend(self.published(&published, &index, at)?),
                    // It is gone again.
                    None => events.extend(self.tell(Event::of(change, None, at))?),
                }
            }
            (ChangeKind::Yanked, Some(version)) => {
                let line = own(version);
                events.extend(self.tell(Event::of(change, line.as_ref(), at))?);
                let index = self.index(&change.name)?.unwrap_or(index);
                events.extend(self.reassess(&index, version, at)?);
            }
            (_, version) => {
                let line = version.as_ref().and_then(own);
                events.extend(self.tell(Event::of(change, line.as_ref(), at))?);
            }
        }
        Ok(events)
    }

    /// A crate's index file as it is, or was.
    fn index(&self, name: &str) -> Result<Option<Arc<IndexFile>>, WatchError> {
        let Some(file) = self.registry.index_file(name)? else {
            return Ok(None);
        };
        let ScannerOptions {
            names,
            surroundings,
            ..
        } = &self.scanner.options;
        Ok(Some(match surroundings.at.filter(|_| surroundings.past) {
            None => file,
            Some(at) => Arc::new(as_of(&file, at, &surroundings.events, names.as_ref())),
        }))
    }

    fn published(
        &mut self,
        version: &IndexVersion,
        index: &Arc<IndexFile>,
        at: Timestamp,
    ) -> Result<Option<Event>, WatchError> {
        let event = Event::published(version, at);
        if self.journal.has(&event.id) {
            return Ok(None);
        }
        let event = match self.scan(version, index)? {
            Ok(report) => event.with(report, self.options.alarm_at),
            Err(reason) => event.failed(reason),
        };
        self.tell(event)
    }

    fn scan(
        &self,
        version: &IndexVersion,
        index: &Arc<IndexFile>,
    ) -> Result<Result<Report, String>, WatchError> {
        let archive = match self.registry.archive(version) {
            Ok(Some(archive)) => archive,
            Ok(None) => return Ok(Err("the registry does not have its archive".to_owned())),
            // Another archive than the index promises will not get better by
            // asking again, and is worth being told.
            Err(error @ IndexError::Checksum { .. }) => return Ok(Err(error.to_string())),
            Err(error) => return Err(error.into()),
        };
        let before = index
            .versions
            .iter()
            .filter(|other| other.version < version.version)
            .max_by(|a, b| a.version.cmp(&b.version));
        // Without the version before, there is nothing to compare with.
        let previous = before.and_then(|before| {
            let archive = self.registry.archive(before).ok().flatten()?;
            Some((before.version.clone(), archive))
        });
        let published = Published {
            name: version.name.clone(),
            version: version.version.clone(),
            archive,
            previous,
            index: Some(Arc::clone(index)),
        };
        Ok(self
            .scanner
            .scan_published(published)
            .map_err(|error| error.to_string()))
    }

    /// Looks again at the newest version of a crate when another one was
    /// withdrawn around it.
    fn reassess(
        &mut self,
        index: &Arc<IndexFile>,
        withdrawn: &Version,
        at: Timestamp,
    ) -> Result<Option<Event>, WatchError> {
        let Some(newest) = newest(index).cloned() else {
            return Ok(None);
        };
        let recent = newest.published.is_some_and(|published| {
            at.duration_since(published).as_hours().abs() <= self.options.reassess_hours
        });
        if !recent || newest.version <= *withdrawn {
            return Ok(None);
        }
        let Ok(report) = self.scan(&newest, index)? else {
            return Ok(None);
        };
        let told: BTreeSet<&str> = self.journal.detectors(&newest.name, &newest.version);
        let new: Vec<String> = report
            .findings
            .iter()
            .map(|finding| finding.detector.clone())
            .filter(|detector| !told.contains(detector.as_str()))
            .collect();
        if new.is_empty() {
            return Ok(None);
        }
        let event = Event::reassessed(&newest, at, &new).with(report, self.options.alarm_at);
        self.tell(event)
    }

    /// Writes an event down, unless that was done before.
    fn tell(&mut self, event: Event) -> Result<Option<Event>, WatchError> {
        if self.journal.has(&event.id) {
            return Ok(None);
        }
        self.journal.append(&event)?;
        remember(&mut self.scanner.options, &event, self.options.flag_at);
        Ok(Some(event))
    }
}

/// The newest version that is not withdrawn, pre-releases last.
fn newest(index: &IndexFile) -> Option<&IndexVersion> {
    index
        .versions
        .iter()
        .filter(|known| !known.yanked)
        .max_by(|a, b| {
            let key = |known: &IndexVersion| (known.version.pre.is_empty(), known.version.clone());
            key(a).cmp(&key(b))
        })
}

/// What an event means for what comes after it.
fn remember(scanner: &mut ScannerOptions, event: &Event, flag_at: u8) {
    let Some(version) = &event.version else {
        return;
    };
    let surroundings = &mut scanner.surroundings;
    if event.kind == EventKind::Yanked {
        let key = (event.name.clone(), version.clone());
        surroundings.events.yanked.entry(key).or_insert(event.at);
    }
    if let Some(risk) = event.risk.filter(|&risk| risk >= flag_at) {
        surroundings
            .flagged
            .entry(event.name.clone())
            .or_default()
            .insert(version.clone(), risk);
    }
}
