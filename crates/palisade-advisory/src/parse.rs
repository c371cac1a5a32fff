//! One advisory file: a fenced TOML block, a heading and a text.

use std::collections::BTreeMap;

use camino::Utf8Path;
use jiff::civil::Date;
use serde::Deserialize;
use thiserror::Error;

use crate::{
    Advisory, AffectedFunction, Collection, FunctionPath, VersionRange, VersionRangeError,
    Versions, kind::classify,
};

/// Why a file is not an advisory.
#[derive(Debug, Error)]
pub(crate) enum ParseError {
    #[error("it does not begin with a block fenced by ```toml and ```")]
    NoFrontMatter,
    #[error("its TOML block does not parse: {0}")]
    Toml(String),
    #[error("no heading follows its TOML block")]
    NoTitle,
    #[error("`{field}` is not a date of the form YYYY-MM-DD: `{text}`")]
    Date { field: &'static str, text: String },
    #[error("`{field}` holds a version requirement that cannot be read: {source}: {}", source.source)]
    Version {
        field: String,
        source: VersionRangeError,
    },
    #[error("its id `{id}` differs from the name of its file")]
    Id { id: String },
    #[error("it is about `{package}`, but lies in the directory of another package")]
    Package { package: String },
}

/// The TOML block. Keys that are not known are passed over: a field that a
/// later version of the format adds must not hide the advisory.
#[derive(Deserialize)]
struct FrontMatter {
    advisory: Metadata,
    #[serde(default)]
    affected: Affected,
    versions: RawVersions,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Metadata {
    id: String,
    package: String,
    date: String,
    withdrawn: Option<String>,
    url: Option<String>,
    #[serde(default)]
    references: Vec<String>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    related: Vec<String>,
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default)]
    keywords: Vec<String>,
    informational: Option<String>,
    cvss: Option<String>,
    #[serde(default)]
    yanked: bool,
    #[serde(default)]
    expect_deleted: bool,
    license: Option<String>,
}

#[derive(Default, Deserialize)]
struct Affected {
    #[serde(default)]
    os: Vec<String>,
    #[serde(default)]
    arch: Vec<String>,
    #[serde(default)]
    functions: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct RawVersions {
    patched: Vec<String>,
    #[serde(default)]
    unaffected: Vec<String>,
}

/// Reads the text of `file`, which lies in the directory of `package`.
pub(crate) fn parse(
    text: &str,
    file: &Utf8Path,
    collection: Collection,
    package: &str,
) -> Result<Advisory, ParseError> {
    let (toml, markdown) = split(text).ok_or(ParseError::NoFrontMatter)?;
    let FrontMatter {
        advisory: metadata,
        affected,
        versions,
    } = toml::from_str(toml).map_err(|error| ParseError::Toml(error.message().to_owned()))?;
    if file.file_stem() != Some(metadata.id.as_str()) {
        return Err(ParseError::Id { id: metadata.id });
    }
    if metadata.package != package {
        return Err(ParseError::Package {
            package: metadata.package,
        });
    }
    let (title, description) = split_title(markdown).ok_or(ParseError::NoTitle)?;
    let kind = classify(
        &metadata.categories,
        &title,
        metadata.informational.as_deref(),
    );
    let functions = affected
        .functions
        .into_iter()
        .map(function)
        .collect::<Result<_, _>>()?;
    Ok(Advisory {
        kind,
        title,
        description,
        collection,
        functions,
        date: date("date", &metadata.date)?,
        withdrawn: metadata
            .withdrawn
            .map(|text| date("withdrawn", &text))
            .transpose()?,
        versions: Versions {
            patched: ranges("patched", &versions.patched)?,
            unaffected: ranges("unaffected", &versions.unaffected)?,
        },
        id: metadata.id,
        package: metadata.package,
        url: metadata.url,
        references: metadata.references,
        aliases: metadata.aliases,
        related: metadata.related,
        categories: metadata.categories,
        keywords: metadata.keywords,
        informational: metadata.informational,
        cvss: metadata.cvss,
        yanked: metadata.yanked,
        expect_deleted: metadata.expect_deleted,
        license: metadata.license.unwrap_or_else(|| "CC0-1.0".to_owned()),
        os: affected.os,
        arch: affected.arch,
        file: file.to_owned(),
    })
}

/// Splits a file into its TOML block and the Markdown behind it.
fn split(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_start();
    let body = text.strip_prefix("```toml")?;
    let start = body.find('\n')? + 1;
    if !body[..start].trim().is_empty() {
        return None;
    }
    let body = &body[start..];
    let mut offset = 0;
    for line in body.split_inclusive('\n') {
        if line.trim_end() == "```" {
            return Some((&body[..offset], &body[offset + line.len()..]));
        }
        offset += line.len();
    }
    None
}

/// Splits Markdown into its first heading and what follows.
fn split_title(markdown: &str) -> Option<(String, String)> {
    let text = markdown.trim_start();
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    let title = line.strip_prefix("# ")?.trim();
    match title.is_empty() {
        true => None,
        false => Some((title.to_owned(), rest.trim().to_owned())),
    }
}

fn date(field: &'static str, text: &str) -> Result<Date, ParseError> {
    // The year is four digits: the parser also takes signs and more digits.
    match text.len() {
        10 => text.parse().ok(),
        _ => None,
    }
    .ok_or_else(|| ParseError::Date {
        field,
        text: text.to_owned(),
    })
}

fn ranges(field: &str, texts: &[String]) -> Result<Vec<VersionRange>, ParseError> {
    texts
        .iter()
        .map(|text| VersionRange::parse(text))
        .collect::<Result<_, _>>()
        .map_err(|source| ParseError::Version {
            field: field.to_owned(),
            source,
        })
}

fn function((text, versions): (String, Vec<String>)) -> Result<AffectedFunction, ParseError> {
    let versions = ranges(&format!("functions.\"{text}\""), &versions)?;
    Ok(AffectedFunction {
        path: FunctionPath::parse(&text),
        text,
        versions,
    })
}
