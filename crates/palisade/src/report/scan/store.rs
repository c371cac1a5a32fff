//! Reports as files in a directory, for a console and for trends.
//!
//! A report is `NAME-PREFIX/NAME/VERSION.json`, one target of the JSON that
//! `scan` prints beside the checks of `score` and when it was made. It is
//! replaced in one step, so that a reader never sees half of one.

use std::io::Write;

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use palisade_index::{index_prefix, is_crate_name};
use palisade_scan::{Check, Report};
use serde::Serialize;

use super::json::{JsonTarget, target};

/// The version of the format.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Stored<'a> {
    schema: u32,
    #[serde(flatten)]
    target: JsonTarget<'a>,
    checks: &'a [Check],
}

/// Where the report about a version is kept; `None` for a package whose name
/// must not become part of a path.
pub(crate) fn place(directory: &Utf8Path, report: &Report) -> Option<Utf8PathBuf> {
    is_crate_name(&report.name).then(|| {
        let name = report.name.to_ascii_lowercase();
        directory
            .join(index_prefix(&name))
            .join(&name)
            .join(format!("{}.json", report.version))
    })
}

/// Keeps reports in a directory.
pub(crate) fn keep(directory: &Utf8Path, reports: &[Report]) -> Result<()> {
    for report in reports {
        let Some(path) = place(directory, report) else {
            continue;
        };
        let failed = || format!("cannot write `{path}`");
        let parent = path.parent().unwrap_or(directory);
        std::fs::create_dir_all(parent).with_context(failed)?;
        let mut file = tempfile::NamedTempFile::new_in(parent).with_context(failed)?;
        let stored = Stored {
            schema: SCHEMA,
            target: target(report),
            checks: &report.hygiene.checks,
        };
        serde_json::to_writer_pretty(&mut file, &stored).with_context(failed)?;
        file.write_all(b"\n").with_context(failed)?;
        file.persist(&path).with_context(failed)?;
    }
    Ok(())
}
