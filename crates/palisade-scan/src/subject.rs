//! What detectors look at.

use palisade_archive::{SourceTree, visible};
use palisade_index::{IndexFile, Manifest};
use semver::Version;

use crate::facts::{Evidence, Facts, Scope};
use crate::names::NameCorpus;
use crate::{Confidence, Finding, Place, Rule, Severity};

/// A package, read once for all detectors.
pub(crate) struct Package<'t> {
    pub(crate) name: String,
    pub(crate) version: Version,
    pub(crate) tree: &'t SourceTree,
    pub(crate) manifest: Option<Manifest>,
    pub(crate) facts: Facts<'t>,
    /// The size of the archive in bytes, where there is one.
    pub(crate) packed_bytes: Option<u64>,
    /// Files that were too large to analyse.
    pub(crate) skipped: Vec<String>,
}

impl Package<'_> {
    /// What the manifest says about where the package comes from, for telling
    /// a copy from a sibling.
    pub(crate) fn owner_hint(&self) -> OwnerHint<'_> {
        let package = self
            .manifest
            .as_ref()
            .and_then(|manifest| manifest.table().get("package"));
        let field = |key: &str| package.and_then(|package| package.get(key)?.as_str());
        OwnerHint {
            description: field("description"),
            repository: field("repository"),
        }
    }
}

/// What a manifest says about where its package comes from.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OwnerHint<'p> {
    pub(crate) description: Option<&'p str>,
    pub(crate) repository: Option<&'p str>,
}

/// A package and what is known around it.
pub(crate) struct Subject<'s> {
    pub(crate) package: &'s Package<'s>,
    /// The version before it.
    pub(crate) previous: Option<&'s Package<'s>>,
    /// What the registry's index says about the crate.
    pub(crate) index: Option<&'s IndexFile>,
    /// The names of a registry.
    pub(crate) names: Option<&'s NameCorpus>,
}

/// The longest line that is shown, in characters.
const LINE: usize = 140;

impl Subject<'_> {
    pub(crate) fn facts(&self) -> &Facts<'_> {
        &self.package.facts
    }

    /// Whether the package's name or description has one of these words: what
    /// somebody says openly is not done behind anybody's back.
    pub(crate) fn says(&self, words: &[&str]) -> bool {
        let manifest = self.package.manifest.as_ref();
        let package = manifest.and_then(|manifest| manifest.table().get("package"));
        let description = package.and_then(|package| package.get("description")?.as_str());
        let text = format!("{} {}", self.package.name, description.unwrap_or_default());
        let text = text.to_lowercase();
        let mut said = text.split(|c: char| !c.is_alphanumeric());
        said.any(|word| words.contains(&word))
    }

    /// Where evidence is.
    pub(crate) fn place(&self, evidence: &Evidence) -> Place {
        let facts = self.facts();
        let file = &facts.files[evidence.file];
        let token = file.tokens().get(evidence.token);
        let (start, end) = token.map_or((0, 0), |token| (token.start as usize, token.end as usize));
        let mut label = evidence.fact.phrase().to_owned();
        if !evidence.detail.is_empty() {
            label.push_str(": ");
            label.push_str(&evidence.detail);
        }
        if let Some(disguise) = evidence.disguise {
            label.push_str(", hidden by ");
            label.push_str(disguise.as_str());
        }
        place(file.path, &file.source, start, end, label)
    }
}

/// A place in a text file.
pub(crate) fn place(file: &str, text: &str, start: usize, end: usize, label: String) -> Place {
    let start = start.min(text.len());
    let before = &text.as_bytes()[..start];
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let line_start = before
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |at| at + 1);
    let rest = &text.as_bytes()[start..];
    let line_end = start
        + rest
            .iter()
            .position(|&byte| byte == b'\n')
            .unwrap_or(rest.len());
    let end = end.clamp(start, line_end);
    // A long line is shown around what matters.
    let lead = String::from_utf8_lossy(&text.as_bytes()[line_start..start]);
    let lead = visible(lead.trim_start());
    let lead: String = match lead.chars().count().checked_sub(LINE / 2) {
        Some(more) if more > 0 => std::iter::once('…')
            .chain(lead.chars().skip(more))
            .collect(),
        _ => lead,
    };
    let own = visible(&String::from_utf8_lossy(&text.as_bytes()[start..end]));
    let tail = visible(String::from_utf8_lossy(&text.as_bytes()[end..line_end]).trim_end());
    let from = lead.chars().count();
    let mut shown: String = lead
        .chars()
        .chain(own.chars())
        .chain(tail.chars())
        .collect();
    let mut to = from + own.chars().count();
    if let Some((cut, _)) = shown.char_indices().nth(LINE) {
        shown.truncate(cut);
        shown.push('…');
        to = to.min(LINE);
    }
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Place {
        file: visible(file),
        line: number(line),
        label,
        text: shown,
        columns: (number(from), number(to.max(from))),
    }
}

/// A file as a whole.
pub(crate) fn whole_file(file: &str, label: impl Into<String>) -> Place {
    Place {
        file: visible(file),
        line: 0,
        label: label.into(),
        text: String::new(),
        columns: (0, 0),
    }
}

/// Findings as they are collected.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    list: Vec<Finding>,
}

/// The most places of a finding.
const PLACES: usize = 6;

impl Findings {
    /// Adds one as severe and as sure as its rule.
    pub(crate) fn add(
        &mut self,
        rule: &Rule,
        message: impl Into<String>,
        places: Vec<Place>,
    ) -> &mut Finding {
        self.rated(rule, rule.severity, rule.confidence, message, places)
    }

    pub(crate) fn rated(
        &mut self,
        rule: &Rule,
        severity: Severity,
        confidence: Confidence,
        message: impl Into<String>,
        mut places: Vec<Place>,
    ) -> &mut Finding {
        let mut seen = std::collections::BTreeSet::new();
        places.retain(|place| seen.insert((place.file.clone(), place.line, place.label.clone())));
        places.truncate(PLACES);
        let at = self.list.len();
        self.list.push(Finding {
            detector: rule.id.to_owned(),
            category: rule.category,
            severity,
            confidence,
            message: message.into(),
            places,
            reached: None,
            suppressed: None,
        });
        &mut self.list[at]
    }

    /// These and `others`, most severe first.
    pub(crate) fn and(mut self, others: Vec<Finding>) -> Vec<Finding> {
        self.list.extend(others);
        self.finish(usize::MAX)
    }

    /// Most severe first, and of one detector no more than `most`: a flood of
    /// harmless ones must not hide the others.
    pub(crate) fn finish(mut self, most: usize) -> Vec<Finding> {
        self.list.sort_by(|a, b| {
            let key = |finding: &Finding| {
                let rating = (finding.severity, finding.confidence);
                (
                    std::cmp::Reverse(rating),
                    finding.category,
                    finding.detector.clone(),
                )
            };
            key(a).cmp(&key(b)).then_with(|| a.places.cmp(&b.places))
        });
        self.list.dedup();
        let mut seen = std::collections::BTreeMap::<String, usize>::new();
        self.list.retain(|finding| {
            let seen = seen.entry(finding.detector.clone()).or_default();
            *seen += 1;
            *seen <= most
        });
        self.list
    }
}

impl Scope<'_> {
    /// The places of these facts, the first of each.
    pub(crate) fn places(&self, subject: &Subject<'_>, facts: &[crate::facts::Fact]) -> Vec<Place> {
        let mut places = Vec::new();
        for &fact in facts {
            if let Some(evidence) = self.first(&[fact]) {
                places.push(subject.place(evidence));
            }
        }
        places
    }
}
