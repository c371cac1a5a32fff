//! How `palisade ecosystem exposed` prints what it found.

use std::io::Write;

use anyhow::{Context, Result};
use palisade_graph::{Exposure, When};
use serde::Serialize;

use super::capabilities::{Hop, hop, when, write_way};
use super::confirm::Confirmed;
use super::popularity::Popularity;
use crate::ecosystem_args::ExposedFormat;
use crate::output;

/// The answer to one question.
pub(super) struct Answer {
    pub(super) asked: String,
    /// Versions and paths.
    pub(super) functions: Vec<(String, String)>,
    /// Those that reach it first.
    pub(super) rows: Vec<Row>,
}

/// A crate version.
pub(super) struct Row {
    pub(super) exposure: Exposure,
    pub(super) popularity: Popularity,
    pub(super) confirmed: Option<Confirmed>,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    answers: Vec<One<'a>>,
}

#[derive(Serialize)]
struct One<'a> {
    asked: &'a str,
    functions: Vec<String>,
    exposed: Vec<Line<'a>>,
    listing_only: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    package: &'a str,
    version: &'a str,
    #[serde(rename = "crate")]
    krate: &'a str,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<&'static str>,
    dependents: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    downloads: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recent_downloads: Option<u64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    owners: &'a [String],
    blind_spots: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirm_error: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    path: Vec<Hop<'a>>,
}

pub(super) fn print(answers: &[Answer], format: ExposedFormat) -> Result<()> {
    let written = match format {
        ExposedFormat::Csv => {
            let bytes = csv(answers).context("cannot write the answer")?;
            output::bytes_to_stdout(&bytes)
        }
        ExposedFormat::Json => output::to_stdout(|out| {
            let document = Document {
                schema: 1,
                answers: answers.iter().map(one).collect(),
            };
            serde_json::to_writer_pretty(&mut *out, &document)?;
            writeln!(out)
        }),
        ExposedFormat::Text => output::to_stdout(|out| {
            for (place, answer) in answers.iter().enumerate() {
                if place > 0 {
                    writeln!(out)?;
                }
                text(out, answer)?;
            }
            Ok(())
        }),
    };
    written.context("cannot write the answer")
}

fn one(answer: &Answer) -> One<'_> {
    let reached = |it: &&Row| it.exposure.when.is_some();
    One {
        asked: &answer.asked,
        functions: answer.functions.iter().map(shown).collect(),
        exposed: answer.rows.iter().filter(reached).map(line).collect(),
        listing_only: answer
            .rows
            .iter()
            .filter(|it| !reached(it))
            .map(line)
            .collect(),
    }
}

fn shown((version, path): &(String, String)) -> String {
    format!("{path} {version}").trim_end().to_owned()
}

fn line(row: &Row) -> Line<'_> {
    let exposure = &row.exposure;
    Line {
        package: &exposure.package,
        version: &exposure.version,
        krate: &exposure.krate,
        kind: exposure.kind.as_str(),
        when: exposure.when.map(when),
        dependents: exposure.dependents,
        downloads: row.popularity.downloads,
        recent_downloads: row.popularity.recent,
        owners: &row.popularity.owners,
        blind_spots: exposure.blind_spots,
        confirmed: row.confirmed.as_ref().map(Confirmed::as_str),
        confirm_error: match &row.confirmed {
            Some(Confirmed::Failed(error)) => Some(error),
            _ => None,
        },
        path: exposure.path.iter().map(hop).collect(),
    }
}

/// A crate version a line, for writing to owners.
fn csv(answers: &[Answer]) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "asked",
        "package",
        "version",
        "crate",
        "kind",
        "exposed",
        "confirmed",
        "dependents",
        "downloads",
        "recent_downloads",
        "owners",
        "repository",
        "path",
    ])?;
    for answer in answers {
        for row in &answer.rows {
            let exposure = &row.exposure;
            let number = |it: Option<u64>| it.map_or_else(String::new, |it| it.to_string());
            let path: Vec<String> = exposure
                .path
                .iter()
                .map(|step| format!("{}::{}", step.krate, step.path))
                .collect();
            let fields = [
                answer.asked.clone(),
                exposure.package.clone(),
                exposure.version.clone(),
                exposure.krate.clone(),
                exposure.kind.as_str().to_owned(),
                exposure.when.map_or("lists it", when).to_owned(),
                row.confirmed
                    .as_ref()
                    .map_or("", Confirmed::as_str)
                    .to_owned(),
                exposure.dependents.to_string(),
                number(row.popularity.downloads),
                number(row.popularity.recent),
                row.popularity.owners.join(" "),
                row.popularity.repository.clone().unwrap_or_default(),
                path.join(" > "),
            ];
            // A spreadsheet takes what begins like this for a formula.
            let fields = fields.map(|field| match field.starts_with(['=', '+', '-', '@']) {
                true => format!("'{field}"),
                false => field,
            });
            writer.write_record(&fields)?;
        }
    }
    writer.into_inner().context("cannot write the lines")
}

fn text(out: &mut dyn Write, answer: &Answer) -> std::io::Result<()> {
    writeln!(out, "{}", answer.asked)?;
    for function in &answer.functions {
        writeln!(out, "  is {}", shown(function))?;
    }
    let (exposed, listing): (Vec<&Row>, Vec<&Row>) = answer
        .rows
        .iter()
        .partition(|row| row.exposure.when.is_some());
    writeln!(
        out,
        "{} of {} crates that it is linked or built with may reach it",
        exposed.len(),
        answer.rows.len()
    )?;
    for row in exposed {
        let exposure = &row.exposure;
        writeln!(out)?;
        write!(
            out,
            "{} {} ({} {}), {} dependents",
            exposure.package,
            exposure.version,
            exposure.kind.as_str(),
            exposure.krate,
            exposure.dependents,
        )?;
        if let Some(downloads) = row.popularity.downloads {
            write!(out, ", {downloads} downloads")?;
        }
        if exposure.when == Some(When::Build) {
            write!(out, ", when it is built")?;
        }
        match &row.confirmed {
            None => writeln!(out)?,
            Some(Confirmed::Failed(why)) => writeln!(out, "; could not be confirmed: {why}")?,
            Some(confirmed) => writeln!(out, "; the precise analysis: {}", confirmed.as_str())?,
        }
        write_way(out, &exposure.path, "  ")?;
    }
    if !listing.is_empty() {
        writeln!(out, "\nonly linked with it:")?;
    }
    for row in listing {
        let exposure = &row.exposure;
        writeln!(
            out,
            "  {} {} ({} {}), {} places not followed",
            exposure.package,
            exposure.version,
            exposure.kind.as_str(),
            exposure.krate,
            exposure.blind_spots
        )?;
    }
    Ok(())
}
