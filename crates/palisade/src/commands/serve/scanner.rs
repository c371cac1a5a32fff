//! The gateway's scanner: `palisade-scan` in restricted worker processes. An
//! archive that breaks its worker costs nothing but its own answer.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use palisade_gateway::{Answer, ScanError, Scanner, Subject, Verdict};
use palisade_sandbox::{Limits, Pool, PoolOptions, Verdict as Outcome, WorkerCommand};
use palisade_scan::{Category, Confidence, Finding, NameCorpus, Report, Severity, risk};

use super::worker;
use crate::errors::Usage;
use crate::output;
use crate::report::text::printable;

/// The argument that makes this program a worker of the gateway's scanner.
pub(crate) const WORKER: &str = "--gateway-worker";

/// What one worker may use. The largest of a thousand popular crates takes a
/// tenth of the memory.
const MEMORY: u64 = 1 << 30;

/// The most findings that are kept with a version.
const FINDINGS: usize = 100;

/// Scans in workers, each in a pool of its own so that a caller waits for one
/// of them only.
pub(crate) struct WorkerScanner {
    free: Mutex<Vec<Pool>>,
    workers: usize,
    names: Option<NameCorpus>,
}

impl WorkerScanner {
    /// Starts the workers. `names` is a database dump of a registry.
    pub(crate) fn start(names: Option<&Utf8Path>, seconds: u32) -> Result<WorkerScanner> {
        let names = names
            .map(NameCorpus::open)
            .transpose()
            .map_err(|error| Usage {
                message: format!("cannot read the names of gateway.names: {error}"),
                hint: "name a directory with a registry's database dump, or leave it out"
                    .to_owned(),
            })?;
        for problem in names.iter().flat_map(|names| &names.problems) {
            output::warn(&printable(&format!("the database dump: {problem}")));
        }
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let patience = Duration::from_secs(u64::from(seconds.max(1)));
        let options = PoolOptions {
            workers: 1,
            limits: Limits {
                memory: MEMORY,
                cpu: patience,
                wall: patience,
                // Two archives, as large as any reader of archives takes them.
                input: (2 * 128 + 1) << 20,
                ..Limits::default()
            },
            ..PoolOptions::default()
        };
        let mut free = Vec::new();
        for _ in 0..workers {
            let command =
                WorkerCommand::this_executable(WORKER).context("cannot start a scanner")?;
            let pool = Pool::start(command, options.clone()).context("cannot start a scanner")?;
            free.push(pool);
        }
        // An operator has to know what this system does not enforce.
        for (protection, status) in free.iter().take(1).flat_map(|pool| {
            let report = pool.report();
            let entries: Vec<_> = report
                .entries()
                .map(|(protection, status)| (protection, status.clone()))
                .collect();
            entries
        }) {
            if !status.is_in_force() {
                output::warn(&printable(&format!(
                    "the scanner's workers are not kept from {protection}: {}",
                    status.detail()
                )));
            }
        }
        Ok(WorkerScanner {
            free: Mutex::new(free),
            workers,
            names,
        })
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Vec<Pool>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, subject: &Subject) -> Result<worker::Answer, ScanError> {
        let previous = subject.previous.as_deref().unwrap_or_default();
        let job = worker::Job {
            name: subject.name.clone(),
            version: subject.version.clone(),
            checksum: subject.checksum.to_string(),
            archive: subject.archive.len(),
            previous: previous.len(),
        };
        let mut pool = self
            .free()
            .pop()
            .ok_or_else(|| ScanError("every worker is busy".to_owned()))?;
        let bytes = job.encode(&subject.archive, previous);
        let outcome = pool.run_bytes([bytes]).next();
        self.free().push(pool);
        match outcome.map(|outcome| outcome.verdict) {
            Some(Outcome::Done(bytes)) => serde_json::from_slice(&bytes)
                .map_err(|error| ScanError(format!("the worker's answer is garbled: {error}"))),
            Some(Outcome::Failed(failure)) => Err(ScanError(failure.to_string())),
            None => Err(ScanError("the worker gave no answer".to_owned())),
        }
    }
}

impl Scanner for WorkerScanner {
    fn scan(&self, subject: &Subject) -> Result<Answer, ScanError> {
        let answer = self.ask(subject)?;
        let mut report = answer.report.map_err(ScanError)?;
        // The names of a registry are held once, and not in every worker.
        let imitation = self.names.as_ref().and_then(|names| {
            palisade_scan::imitation(
                names,
                &subject.name,
                answer.description.as_deref(),
                answer.repository.as_deref(),
            )
        });
        if let Some(finding) = imitation {
            report.findings.push(finding);
            report.risk = risk(&report.findings);
        }
        Ok(Answer {
            look: answer.look,
            verdict: verdict(&report)?,
        })
    }

    fn parallel(&self) -> usize {
        self.workers
    }
}

/// What the gateway keeps of a report.
fn verdict(report: &Report) -> Result<Verdict, ScanError> {
    let counts = |finding: &&Finding| {
        matches!(
            finding.category,
            Category::Malice | Category::Name | Category::Provenance | Category::Dependency
        )
    };
    let weight = |finding: &&Finding| (finding.severity, finding.confidence);
    let worst = report.findings.iter().filter(counts).max_by_key(weight);
    let secret = report.findings.iter().find(|finding| {
        finding.category == Category::Secret
            && finding.severity >= Severity::High
            && finding.confidence == Confidence::High
    });
    let imitates = report.findings.iter().find(|finding| {
        finding.category == Category::Name
            && finding.detector == palisade_scan::IMITATION
            && finding.severity >= Severity::Medium
    });
    let kept: Vec<&Finding> = report.findings.iter().take(FINDINGS).collect();
    Ok(Verdict {
        scanner: format!("palisade {}", env!("CARGO_PKG_VERSION")),
        risk: report.risk,
        summary: worst.map_or_else(|| "nothing that accuses it".to_owned(), sentence),
        secret: secret.map(sentence),
        imitates: imitates.map(|finding| finding.message.clone()),
        findings: serde_json::to_string(&kept).map_err(|error| ScanError(error.to_string()))?,
    })
}

/// A finding in one sentence, with its place.
fn sentence(finding: &Finding) -> String {
    match (finding.file(), finding.line()) {
        (Some(file), Some(line)) => format!("{} ({file}:{line})", finding.message),
        (Some(file), None) => format!("{} ({file})", finding.message),
        (None, _) => finding.message.clone(),
    }
}
