//! `palisade check`.

use std::time::Duration;

use anyhow::{Context, Result};
use camino::Utf8PathBuf;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use palisade_advisory::{
    DEFAULT_URL, Database, Snapshot, UpdateOptions, default_cache_dir, update,
};
use palisade_check::{CheckOptions, Checked, FailOn, Gate, Screener, Workspace, check};

use super::screening::Screening;
use super::{analysis_options, cache, cargo_home, load_options, now};
use crate::cli::{CheckArgs, ReportFormat};
use crate::errors::Usage;
use crate::exit::Exit;
use crate::output;
use crate::progress::Reporter;
use crate::report::{View, json, openvex, sarif, text};

/// A copy of the database that is younger than this is not fetched again.
const FRESH: Duration = Duration::from_secs(24 * 60 * 60);

/// Paths shown by `--explain`, unless `--show` says otherwise.
const EXPLAIN_PATHS: usize = 5;

pub(crate) fn run(args: &CheckArgs) -> Result<Exit> {
    if args.explain.is_some() && args.format != ReportFormat::Text {
        return Err(Usage {
            message: "--explain only explains in text".to_owned(),
            hint: "leave out --format; the other formats hold everything already".to_owned(),
        }
        .into());
    }
    let now = now()?;
    let workspace = Workspace::open(load_options(&args.project, None)?)?;
    let (database, database_age_days) = database(args, &workspace, now)?;
    let default_paths = if args.explain.is_some() {
        EXPLAIN_PATHS
    } else {
        1
    };
    let paths = args.show.map_or(default_paths, |show| show.paths);
    let progress = Reporter::new();
    let screening = args.fragments.as_deref().map(|from| Screening {
        from,
        offline: args.project.offline,
    });
    // An answer from the cache is there at once, but says nothing of fragments.
    let kept = cache(&args.analysis).filter(|_| screening.is_none());
    let mut checked = check(
        &workspace,
        &CheckOptions {
            database: database.clone(),
            database_age_days,
            today: now.to_zoned(TimeZone::UTC).date(),
            analysis: analysis_options(&args.analysis),
            paths,
            cargo_home: cargo_home(),
            cache: kept,
            progress: &progress,
            screener: screening.as_ref().map(|it| it as &dyn Screener),
        },
    )?;
    progress.finish();

    let mut fail_on = FailOn::default();
    for name in &args.fail_on {
        // clap admits only known names.
        let _ = fail_on.add(name);
    }
    let gate = Gate::of(&checked.report, fail_on.or(workspace.config.fail_on));
    for warning in &checked.report.warnings {
        output::warn(&text::printable(warning));
    }
    match &args.explain {
        Some(id) => explain(&mut checked, id, &database, paths, now)?,
        None => render(&checked, args.format, paths, now)?,
    }
    Ok(gate.into())
}

fn render(checked: &Checked, format: ReportFormat, paths: usize, now: Timestamp) -> Result<()> {
    let view = View {
        report: &checked.report,
        project: &checked.project,
        paths,
        timestamp: now.as_second(),
    };
    output::to_stdout(|out| match format {
        ReportFormat::Text => text::render(&view, out),
        ReportFormat::Json => json::render(&view, out),
        ReportFormat::Sarif => sarif::render(&view, out),
        ReportFormat::Openvex => openvex::render(&view, out),
    })
    .context("cannot write the report")
}

/// Shows one advisory: its findings and its own text.
fn explain(
    checked: &mut Checked,
    id: &str,
    database: &camino::Utf8Path,
    paths: usize,
    now: Timestamp,
) -> Result<()> {
    let (database, _) =
        Database::open(database, &Default::default()).map_err(palisade_check::CheckError::from)?;
    let (advisory, _) = database.find(id);
    let Some(advisory) = advisory else {
        return Err(Usage {
            message: format!("the advisory database has no `{id}`"),
            hint: "write the id as `palisade check` prints it, or an alias (`CVE-…`)".to_owned(),
        }
        .into());
    };
    checked
        .report
        .findings
        .retain(|finding| finding.id == advisory.id);
    let view = View {
        report: &checked.report,
        project: &checked.project,
        paths,
        timestamp: now.as_second(),
    };
    output::to_stdout(|out| text::explain(&view, &advisory, out)).context("cannot write the report")
}

/// The database to use, and its age in days where that is known.
fn database(
    args: &CheckArgs,
    workspace: &Workspace,
    now: Timestamp,
) -> Result<(Utf8PathBuf, Option<i64>)> {
    if let Some(dir) = args.db.as_ref().or(workspace.config.database.as_ref()) {
        return Ok((dir.clone(), None));
    }
    let cache_dir = default_cache_dir().ok_or_else(|| Usage {
        message: "there is no place to keep the advisory database".to_owned(),
        hint: "set HOME or XDG_CACHE_HOME, or give a directory with --db".to_owned(),
    })?;
    let at_hand = Snapshot::current(&cache_dir, DEFAULT_URL);
    let is_fresh = |snapshot: &Snapshot| {
        let age = now.duration_since(snapshot.fetched_at);
        u64::try_from(age.as_secs()).is_ok_and(|seconds| seconds < FRESH.as_secs())
    };
    let snapshot = match &at_hand {
        Ok(Some(snapshot)) if is_fresh(snapshot) => snapshot.clone(),
        _ => {
            let options = UpdateOptions {
                offline: args.project.offline,
                ..UpdateOptions::default()
            };
            match (update(&cache_dir, DEFAULT_URL, now, &options), at_hand) {
                (Ok(snapshot), _) => snapshot,
                (Err(error), Ok(Some(snapshot))) => {
                    let days = snapshot.age_days(now);
                    output::warn(&format!("{error}; using the copy of {days} days ago"));
                    snapshot
                }
                (Err(error), _) => return Err(error.into()),
            }
        }
    };
    let age = snapshot.age_days(now);
    Ok((snapshot.dir, Some(age)))
}
