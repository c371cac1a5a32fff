//! The report of `palisade check`.

use anyhow::{Context, Result};
use camino::Utf8Path;
use serde::Deserialize;

use super::targets::Target;
use crate::process;

/// What `palisade check --format json` prints, as far as it is needed here.
#[derive(Deserialize)]
pub(super) struct Report {
    pub(super) findings: Vec<Finding>,
    pub(super) blind_spots: Vec<BlindSpot>,
}

/// One advisory and its verdict.
#[derive(Deserialize)]
pub(super) struct Finding {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) package: String,
    pub(super) version: String,
    pub(super) verdict: String,
    pub(super) level: String,
    pub(super) context: String,
    pub(super) reason: String,
    #[serde(default)]
    pub(super) functions: Vec<String>,
    #[serde(default)]
    pub(super) blind_spots: Vec<usize>,
    #[serde(default)]
    pub(super) paths: Vec<Vec<Hop>>,
}

/// One function of a call path.
#[derive(Deserialize)]
pub(super) struct Hop {
    pub(super) function: String,
}

impl Finding {
    /// Whether the evidence is that a macro is expanded.
    pub(super) fn is_expansion(&self) -> bool {
        let last = self.paths.first().and_then(|path| path.last());
        last.is_some_and(|hop| hop.function.ends_with('!'))
    }
}

/// What could not be followed.
#[derive(Deserialize)]
pub(super) struct BlindSpot {
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) cause: String,
    pub(super) detail: String,
}

/// Checks a target against a database.
///
/// # Errors
///
/// When Palisade fails or prints no report.
pub(super) fn run(
    palisade: &Utf8Path,
    target: &Target,
    database: &Utf8Path,
    expand_macros: bool,
) -> Result<Report> {
    let manifest = target.source()?.join("Cargo.toml");
    let mut command = process::command(palisade);
    command
        .args(["check", "--manifest-path", manifest.as_str()])
        .args(["--bin", target.bin, "--db", database.as_str()])
        .args(["--format", "json"]);
    if expand_macros {
        command.arg("--expand-macros");
    }
    let json = process::output_if(&mut command, |code| matches!(code, Some(0 | 1)))?;
    serde_json::from_str(&json).context("`palisade check --format json` printed no report")
}
