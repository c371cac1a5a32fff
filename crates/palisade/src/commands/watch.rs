//! `palisade watch`.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use camino::Utf8Path;
use jiff::Timestamp;
use palisade_index::discover::{Batch, FeedDiscovery, GitDiscovery, Start, Sweep};
use palisade_index::{HttpOptions, LocalRegistry, Registry, SparseRegistry};
use palisade_scan::watch::{Event, WatchOptions, Watcher, history};
use palisade_scan::{Advisories, NameCorpus, ScannerOptions, Surroundings};

use super::around::database;
use super::now;
use crate::cli::{WatchArgs, WatchFormat};
use crate::errors::Usage;
use crate::exit::Exit;
use crate::output;
use crate::report::scan::{store, watch};
use crate::report::text::printable;

/// The most crates of one batch.
const BATCH: usize = 200;

pub(crate) fn run(args: &WatchArgs) -> Result<Exit> {
    let http = HttpOptions {
        interval: Duration::from_secs(1) / args.rate.max(1),
        ..HttpOptions::default()
    };
    let (mut local, mut sparse) = (None, None);
    let registry: Arc<dyn Registry> = if args.registry.contains("://") {
        let cache = args.state.join("registry");
        let opened = Arc::new(SparseRegistry::open(&args.registry, &cache, http.clone())?);
        // What is new is new to this registry as well: index files that were
        // fetched once would hide it.
        sparse = Some(Arc::clone(&opened));
        Arc::new(Fresh(opened))
    } else {
        let opened = Arc::new(LocalRegistry::open(Utf8Path::new(&args.registry))?);
        local = Some(Arc::clone(&opened));
        opened
    };
    let names = args.dump.as_deref().map(NameCorpus::open).transpose()?;
    for problem in names.iter().flat_map(|names| &names.problems) {
        output::warn(&printable(&format!("the database dump: {problem}")));
    }
    let advisories = database(args.db.as_deref())?
        .map(|dir| Advisories::open(&dir).map_err(palisade_check::CheckError::from))
        .transpose()?;
    let scanner = ScannerOptions {
        names,
        surroundings: Surroundings {
            advisories,
            ..Surroundings::default()
        },
        ..ScannerOptions::default()
    };
    let options = WatchOptions {
        alarm_at: args.alarm_at,
        ..WatchOptions::default()
    };
    // History needs the dump as it is, before the watcher forgets its future.
    let moments = match (args.replay, &local) {
        (false, _) => None,
        (true, Some(local)) => Some(history(
            local.as_ref(),
            &local.names()?,
            scanner.names.as_ref(),
        )?),
        (true, None) => {
            return Err(Usage {
                message: "only a registry in a directory can be replayed".to_owned(),
                hint: "give --registry a directory with archives and an index".to_owned(),
            }
            .into());
        }
    };
    let mut teller = Teller {
        watcher: Watcher::open(&args.state, registry, scanner, options)?,
        args,
        alarm: false,
        incomplete: false,
    };
    teller.catch_up()?;
    if let Some((moments, timeless)) = moments {
        if !timeless.is_empty() {
            output::warn(&printable(&format!(
                "{} versions have no time of publication and are left out, such as {}",
                timeless.len(),
                timeless[0]
            )));
        }
        let within = |at: Timestamp| {
            args.since.is_none_or(|since| at >= since) && args.until.is_none_or(|until| at <= until)
        };
        let mut moments = moments
            .into_iter()
            .filter(|moment| within(moment.at))
            .peekable();
        if let Some(first) = moments.peek() {
            teller.watcher.rewind(first.at);
        }
        for moment in moments {
            let events = teller.watcher.then(&moment)?;
            teller.tell(events)?;
        }
        return Ok(teller.exit());
    }
    let checkpoint = args.state.join("discovery.json");
    let crates = match (&args.crates, args.sweep) {
        (Some(file), _) => names_of(file)?,
        (None, true) => teller.watcher.names(),
        (None, false) => Vec::new(),
    };
    if args.sweep && crates.is_empty() {
        return Err(Usage {
            message: "there are no crates to sweep".to_owned(),
            hint: "name them in a file with --crates, or give a --dump".to_owned(),
        }
        .into());
    }
    let git = args.index_git.as_ref().map(|repository| {
        let start = match args.from.as_str() {
            "now" => Start::Now,
            "beginning" => Start::Beginning,
            commit => Start::Commit(commit.to_owned()),
        };
        GitDiscovery::new(repository, &args.reference, &checkpoint, start)
    });
    let feed = args
        .feed
        .as_ref()
        .map(|address| FeedDiscovery::new(address, &checkpoint, http))
        .transpose()?;
    let sweep = match (&sparse, args.sweep) {
        (Some(sparse), true) => Some(Sweep::new(sparse.as_ref(), &checkpoint)),
        (None, true) => {
            return Err(Usage {
                message: "a directory is not swept".to_owned(),
                hint: "give --registry the address of a sparse index, or use --replay".to_owned(),
            }
            .into());
        }
        (_, false) => None,
    };
    loop {
        let batch = match (&git, &feed, &sweep) {
            (Some(git), ..) => git.next(BATCH),
            (_, Some(feed), _) => feed.next(),
            (.., Some(sweep)) => sweep.next(&crates, BATCH),
            _ => return Ok(Exit::Error),
        };
        let more = match batch
            .map_err(anyhow::Error::from)
            .and_then(|batch| teller.take(batch))
        {
            Ok(more) => more,
            Err(error) if args.once => return Err(error),
            // Nothing was confirmed, so that the same comes again.
            Err(error) if !crate::errors::is_broken_pipe(&error) => {
                output::warn(&printable(&format!("{error:#}; trying again")));
                false
            }
            Err(error) => return Err(error),
        };
        if more {
            continue;
        }
        if args.once {
            return Ok(teller.exit());
        }
        std::thread::sleep(Duration::from_secs(args.interval.max(1)));
    }
}

fn names_of(file: &Utf8Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read `{file}`"))?;
    let names = text.lines().map(str::trim);
    let mut names: Vec<String> = names
        .filter(|name| palisade_index::is_crate_name(name))
        .map(str::to_owned)
        .collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// A registry that is asked anew each time.
struct Fresh(Arc<SparseRegistry>);

impl Registry for Fresh {
    fn index_file(
        &self,
        name: &str,
    ) -> Result<Option<Arc<palisade_index::IndexFile>>, palisade_index::IndexError> {
        use palisade_index::Asked;
        match self.0.ask(name, &Default::default())? {
            Asked::New(new) => {
                let file = palisade_index::IndexFile::parse(name, &new.text);
                Ok(Some(Arc::new(file)))
            }
            // Nothing was asked under a condition.
            Asked::Same | Asked::Missing => Ok(None),
        }
    }

    fn archive(
        &self,
        version: &palisade_index::IndexVersion,
    ) -> Result<Option<Vec<u8>>, palisade_index::IndexError> {
        self.0.archive(version)
    }
}

/// Tells what happens.
struct Teller<'a> {
    watcher: Watcher,
    args: &'a WatchArgs,
    alarm: bool,
    incomplete: bool,
}

impl Teller<'_> {
    /// Shows what was written down before a kill and never shown.
    fn catch_up(&mut self) -> Result<()> {
        let unshown: Vec<Event> = self
            .watcher
            .journal()
            .unshown()?
            .collect::<Result<_, _>>()?;
        self.tell(unshown)
    }

    /// Handles a batch, tells it and confirms it. Returns whether there is
    /// more at once.
    fn take(&mut self, batch: Batch) -> Result<bool> {
        if batch.gap {
            output::warn(
                "changes may be missing since the last look; a sweep (`--sweep`) finds them",
            );
        }
        for change in &batch.changes {
            let events = self.watcher.now(change, now()?)?;
            self.tell(events)?;
        }
        let more = batch.more;
        batch.confirm()?;
        Ok(more)
    }

    fn tell(&mut self, events: Vec<Event>) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        for event in &events {
            self.alarm |= event.alarm;
            self.incomplete |= !event.complete;
            if let (Some(directory), Some(report)) = (&self.args.store, &event.report) {
                store::keep(directory, std::slice::from_ref(report))?;
            }
        }
        output::to_stdout(|out| match self.args.format {
            WatchFormat::Text => watch::text(&events, out),
            WatchFormat::Json => watch::json(&events, out),
        })
        .context("cannot write the events")?;
        self.watcher.journal().mark_shown()?;
        Ok(())
    }

    fn exit(&self) -> Exit {
        match (self.alarm, self.incomplete) {
            (true, _) => Exit::Found,
            (false, true) => Exit::Incomplete,
            (false, false) => Exit::Clean,
        }
    }
}
