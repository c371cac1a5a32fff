//! `palisade db`.

use anyhow::{Context, Result};
use camino::Utf8Path;
use jiff::Timestamp;
use palisade_advisory::{
    DEFAULT_URL, Database, Snapshot, UpdateOptions, default_cache_dir, update,
};

use crate::cli::{DbArgs, DbCommand};
use crate::errors::Usage;
use crate::exit::Exit;
use crate::output;

pub(crate) fn run(args: &DbArgs) -> Result<Exit> {
    match &args.command {
        DbCommand::Update { url } => {
            let snapshot = update(
                &cache_dir()?,
                url,
                Timestamp::now(),
                &UpdateOptions::default(),
            )?;
            show(&snapshot.dir, Some(&snapshot))?;
        }
        DbCommand::Status { db: Some(dir) } => show(dir, None)?,
        DbCommand::Status { db: None } => {
            let snapshot = Snapshot::current(&cache_dir()?, DEFAULT_URL)?.ok_or_else(|| Usage {
                message: "there is no copy of the advisory database yet".to_owned(),
                hint: "run `palisade db update`".to_owned(),
            })?;
            show(&snapshot.dir, Some(&snapshot))?;
        }
    }
    Ok(Exit::Clean)
}

fn show(dir: &Utf8Path, snapshot: Option<&Snapshot>) -> Result<()> {
    let (database, diagnostics) =
        Database::open(dir, &Default::default()).map_err(palisade_check::CheckError::from)?;
    let (advisories, unreadable) = database.all();
    for diagnostic in diagnostics.iter().chain(&unreadable) {
        output::warn(&format!("{}: {}", diagnostic.file, diagnostic.message));
    }
    output::to_stdout(|out| {
        writeln!(out, "directory:  {dir}")?;
        writeln!(out, "advisories: {}", advisories.len())?;
        if let Some(snapshot) = snapshot {
            writeln!(out, "commit:     {} of {}", snapshot.commit, snapshot.date)?;
            writeln!(
                out,
                "age:        {} days",
                snapshot.age_days(Timestamp::now())
            )?;
        }
        Ok(())
    })
    .context("cannot write the status")
}

fn cache_dir() -> Result<camino::Utf8PathBuf> {
    Ok(default_cache_dir().ok_or_else(|| Usage {
        message: "there is no place to keep the advisory database".to_owned(),
        hint: "set HOME or XDG_CACHE_HOME".to_owned(),
    })?)
}
