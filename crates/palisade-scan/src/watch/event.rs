//! What a watcher tells.

use jiff::Timestamp;
use palisade_index::IndexVersion;
use palisade_index::discover::{Change, ChangeKind};
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::{Category, Finding, Report, Severity};

/// The version of the format.
const SCHEMA: u32 = 1;

/// What happened to a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// It was published, and scanned.
    Published,
    /// It was looked at again, since others were withdrawn around it.
    Reassessed,
    /// It was withdrawn.
    Yanked,
    /// It is no longer withdrawn.
    Unyanked,
    /// It is gone from the index.
    Removed,
    /// Its line in the index has changed, which no registry should do.
    Rewritten,
}

impl EventKind {
    /// The stable word that every format uses.
    pub fn as_str(self) -> &'static str {
        match self {
            EventKind::Published => "published",
            EventKind::Reassessed => "reassessed",
            EventKind::Yanked => "yanked",
            EventKind::Unyanked => "unyanked",
            EventKind::Removed => "removed",
            EventKind::Rewritten => "rewritten",
        }
    }
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The version of the format.
    pub schema: u32,
    /// What tells it from any other event; the same thing never has two.
    pub id: String,
    /// What happened.
    #[serde(rename = "event")]
    pub kind: EventKind,
    /// The crate.
    pub name: String,
    /// The version.
    pub version: Option<Version>,
    /// When it happened, or was noticed.
    pub at: Timestamp,
    /// Whether somebody should look at once.
    pub alarm: bool,
    /// The risk of malice, 0 to 100, where it was scanned.
    pub risk: Option<u8>,
    /// How well it is kept, 0 to 10, where it was scanned.
    pub hygiene: Option<f64>,
    /// Whether everything of it was looked at.
    pub complete: bool,
    /// Why it was not scanned.
    pub failed: Option<String>,
    /// Most severe first.
    pub findings: Vec<Finding>,
    /// The whole report, for whoever keeps them; not in the journal.
    #[serde(skip)]
    pub report: Option<Box<Report>>,
}

impl Event {
    fn new(
        id: String,
        kind: EventKind,
        name: &str,
        version: Option<Version>,
        at: Timestamp,
    ) -> Event {
        Event {
            schema: SCHEMA,
            id,
            kind,
            name: name.to_owned(),
            version,
            at,
            alarm: false,
            risk: None,
            hygiene: None,
            complete: true,
            failed: None,
            findings: Vec::new(),
            report: None,
        }
    }

    /// A publication. Its checksum tells it from an earlier one of the same
    /// number.
    pub(super) fn published(version: &IndexVersion, at: Timestamp) -> Event {
        let id = format!(
            "published {}@{} {}",
            version.name, version.version, version.checksum
        );
        let at = version.published.unwrap_or(at);
        Event::new(
            id,
            EventKind::Published,
            &version.name,
            Some(version.version.clone()),
            at,
        )
    }

    pub(super) fn reassessed(version: &IndexVersion, at: Timestamp, new: &[String]) -> Event {
        let id = format!(
            "reassessed {}@{} {} {}",
            version.name,
            version.version,
            version.checksum,
            new.join(",")
        );
        Event::new(
            id,
            EventKind::Reassessed,
            &version.name,
            Some(version.version.clone()),
            at,
        )
    }

    /// A change that is told and not scanned.
    pub(super) fn of(change: &Change, line: Option<&IndexVersion>, at: Timestamp) -> Event {
        let kind = match change.kind {
            ChangeKind::Published => EventKind::Published,
            ChangeKind::Yanked => EventKind::Yanked,
            ChangeKind::Unyanked => EventKind::Unyanked,
            ChangeKind::Removed => EventKind::Removed,
            ChangeKind::Rewritten => EventKind::Rewritten,
        };
        let version = change.version.as_ref();
        let shown = version.map(ToString::to_string).unwrap_or_default();
        // The same version can be withdrawn, brought back and withdrawn again:
        // what tells these apart is the day. A batch that comes twice because
        // of a kill comes twice within minutes.
        let day = at.as_second() / 86_400;
        let checksum = line
            .map(|line| line.checksum.to_string())
            .unwrap_or_default();
        let id = match kind {
            EventKind::Rewritten => format!("{} {}@{shown} {checksum}", kind.as_str(), change.name),
            _ => format!("{} {}@{shown} {day}", kind.as_str(), change.name),
        };
        let mut event = Event::new(id, kind, &change.name, change.version.clone(), at);
        if kind == EventKind::Published {
            event = event.failed("the registry's index does not have it".to_owned());
        }
        event
    }

    /// Without a scan. Its id is another one: when the same change comes again,
    /// it is tried again.
    pub(super) fn failed(mut self, reason: String) -> Event {
        self.id.insert_str(0, "failed: ");
        self.complete = false;
        self.failed = Some(reason);
        self
    }

    pub(super) fn with(mut self, report: Report, alarm_at: Severity) -> Event {
        self.risk = Some(report.risk);
        self.hygiene = Some(report.hygiene.score);
        self.complete = report.complete;
        self.alarm = report.findings.iter().any(|finding| {
            finding.severity >= alarm_at
                && finding.category != Category::Hygiene
                && finding.suppressed.is_none()
        });
        self.findings.clone_from(&report.findings);
        self.report = Some(Box::new(report));
        self
    }
}
