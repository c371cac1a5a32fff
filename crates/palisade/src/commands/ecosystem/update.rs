//! `palisade ecosystem update`.

use std::cell::Cell;
use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use palisade_graph::{Store, UpdateOptions, UpdateProgress, Updated, tables_dir, update_tables};
use palisade_index::{CargoCache, LocalRegistry, Registry};
use palisade_tables::Tables;
use serde::Serialize;

use crate::cli::WhyFormat;
use crate::commands::cargo_home;
use crate::ecosystem_args::UpdateArgs;
use crate::errors::Usage;
use crate::exit::Exit;
use crate::output;

#[derive(Serialize)]
struct Answer {
    schema: u32,
    added: usize,
    removed: usize,
    kept: usize,
    refused: Vec<Refused>,
    packages_without_index: usize,
    crates: u32,
    functions: u32,
    calls: u64,
    segments: usize,
    bytes: u64,
    seconds: f64,
}

#[derive(Serialize)]
struct Refused {
    file: String,
    reason: String,
}

pub(crate) fn run(args: &UpdateArgs) -> Result<Exit> {
    let started = Instant::now();
    let store = Store::new(&args.dir);
    if !args.dir.join("fragments").is_dir() {
        return Err(Usage {
            message: format!("there are no fragments in `{}`", args.dir),
            hint: "make some with `palisade ecosystem build`".to_owned(),
        }
        .into());
    }
    let index = match (&args.registry, args.only_fragments) {
        (Some(registry), _) => Some(Index::Local(LocalRegistry::open(registry)?)),
        (None, true) => None,
        (None, false) => fetched().map(Index::Cargo),
    };
    let options = UpdateOptions {
        compact: args.compact,
        ..UpdateOptions::default()
    };
    let progress = Progress::new();
    let index = index.as_ref().map(Index::as_registry);
    let updated = update_tables(&store, index, &options, &progress)?;
    let tables = Tables::open(&tables_dir(&store))?;
    let counts = tables.counts();
    let answer = Answer {
        schema: 1,
        added: updated.added,
        removed: updated.removed,
        kept: updated.kept,
        refused: refused(&updated),
        packages_without_index: updated.without_index,
        crates: counts.crates,
        functions: counts.nodes,
        calls: counts.calls,
        segments: tables.segments(),
        bytes: tables.size(),
        seconds: started.elapsed().as_secs_f64(),
    };
    output::to_stdout(|out| match args.format {
        WhyFormat::Json => {
            serde_json::to_writer_pretty(&mut *out, &answer)?;
            writeln!(out)
        }
        WhyFormat::Text => text(out, &answer),
    })
    .context("cannot write the summary")?;
    Ok(Exit::Clean)
}

/// Brings the tables up to date after fragments were made.
pub(super) fn refresh(dir: &Utf8Path) -> Result<()> {
    let store = Store::new(dir);
    let index = fetched();
    let index = index.as_ref().map(|cache| cache as &dyn Registry);
    let updated = update_tables(&store, index, &UpdateOptions::default(), &Progress::new())?;
    for refused in refused(&updated) {
        output::warn(&format!("`{}`: {}", refused.file, refused.reason));
    }
    Ok(())
}

enum Index {
    Local(LocalRegistry),
    Cargo(CargoCache),
}

impl Index {
    fn as_registry(&self) -> &dyn Registry {
        match self {
            Index::Local(registry) => registry,
            Index::Cargo(cache) => cache,
        }
    }
}

/// What cargo has fetched: of several registries, the one with most archives.
fn fetched() -> Option<CargoCache> {
    let home = cargo_home().unwrap_or_else(|| Utf8PathBuf::from(".cargo"));
    let caches = CargoCache::all(&home).ok()?;
    caches
        .into_iter()
        .max_by_key(|cache| cache.archives().map_or(0, |archives| archives.len()))
}

fn refused(updated: &Updated) -> Vec<Refused> {
    let refused = updated.refused.iter();
    refused
        .map(|(file, reason)| Refused {
            file: file.clone(),
            reason: reason.to_string(),
        })
        .collect()
}

fn text(out: &mut dyn Write, answer: &Answer) -> std::io::Result<()> {
    writeln!(
        out,
        "fragments:   {} added, {} taken out, {} were there already",
        answer.added, answer.removed, answer.kept
    )?;
    writeln!(
        out,
        "in all:      {} crates, {} functions, {} calls",
        answer.crates, answer.functions, answer.calls
    )?;
    writeln!(
        out,
        "tables:      {} MB in {} segments",
        answer.bytes >> 20,
        answer.segments
    )?;
    writeln!(out, "time:        {:.1} s", answer.seconds)?;
    if answer.packages_without_index > 0 {
        writeln!(
            out,
            "{} packages have no index lines here: their requirements are guessed",
            answer.packages_without_index
        )?;
    }
    for refused in &answer.refused {
        writeln!(out, "refused: {}: {}", refused.file, refused.reason)?;
    }
    Ok(())
}

/// Says now and then how far it is.
struct Progress {
    started: Instant,
    new: Cell<usize>,
    next: Cell<Duration>,
}

/// Between two lines of progress.
const INTERVAL: Duration = Duration::from_secs(10);

impl Progress {
    fn new() -> Progress {
        Progress {
            started: Instant::now(),
            new: Cell::new(0),
            next: Cell::new(INTERVAL),
        }
    }
}

impl UpdateProgress for Progress {
    fn start(&self, new: usize) {
        self.new.set(new);
    }

    fn read(&self, done: usize) {
        let elapsed = self.started.elapsed();
        if elapsed < self.next.get() {
            return;
        }
        self.next.set(elapsed + INTERVAL);
        let rate = done as f64 / elapsed.as_secs_f64().max(0.001);
        let left = self.new.get().saturating_sub(done) as f64 / rate.max(0.001);
        output::to_stderr(&format!(
            "{done} of {} fragments, {rate:.0} a second, about {left:.0} s left\n",
            self.new.get()
        ));
    }

    fn waiting(&self) {
        output::warn("waiting for another process that writes the tables");
    }
}
