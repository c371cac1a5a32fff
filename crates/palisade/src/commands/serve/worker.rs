//! The worker's side of the gateway's scanner: one archive at a time, in a
//! process that can do nothing but think.

use std::process::ExitCode;

use palisade_gateway::{Look, look};
use palisade_model::Checksum;
use palisade_scan::{Report, Scanner, ScannerOptions};
use serde::{Deserialize, Serialize};

/// What a worker is given, before the archives.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) name: String,
    pub(super) version: semver::Version,
    /// The archive's checksum, in hexadecimal digits.
    pub(super) checksum: String,
    /// The length of the archive.
    pub(super) archive: usize,
    /// The length of the archive of the version before, which lies behind it.
    pub(super) previous: usize,
}

/// What a worker answers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) look: Look,
    /// The scan's report, or why there is none.
    pub(super) report: Result<Report, String>,
    /// What the manifest says, for the comparison of names.
    pub(super) description: Option<String>,
    pub(super) repository: Option<String>,
}

impl Job {
    /// The job with its archives, as it travels.
    pub(super) fn encode(&self, archive: &[u8], previous: &[u8]) -> Vec<u8> {
        let head = serde_json::to_vec(self).unwrap_or_default();
        let length = u32::try_from(head.len()).unwrap_or(u32::MAX);
        let mut bytes = Vec::with_capacity(4 + head.len() + archive.len() + previous.len());
        bytes.extend(length.to_le_bytes());
        bytes.extend(head);
        bytes.extend(archive);
        bytes.extend(previous);
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<(Job, &[u8], &[u8])> {
        let (length, rest) = bytes.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (head, rest) = rest.split_at_checked(length)?;
        let job: Job = serde_json::from_slice(head).ok()?;
        let (archive, previous) = rest.split_at_checked(job.archive)?;
        (previous.len() == job.previous).then_some((job, archive, previous))
    }
}

/// Makes this process a worker; see [`palisade_sandbox::serve_bytes`].
pub(crate) fn serve() -> ExitCode {
    let scanner = Scanner::new(ScannerOptions::default());
    palisade_sandbox::serve_bytes(move |bytes| match answer(&scanner, bytes) {
        Ok(answer) => answer,
        // The parent takes it as a failure of this process, with the message.
        Err(message) => std::panic::panic_any(message),
    })
}

fn answer(scanner: &Scanner, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let (job, archive, previous) =
        Job::decode(bytes).ok_or_else(|| "the job cannot be read".to_owned())?;
    let checksum: Checksum = job
        .checksum
        .parse()
        .map_err(|error| format!("the checksum: {error}"))?;
    let look = look(&job.name, &job.version, checksum, archive);
    let target = format!("{}@{}", job.name, job.version);
    let previous = (!previous.is_empty()).then_some(previous);
    let scanned = scanner.scan_bytes(&target, archive, previous);
    let answer = match scanned {
        Ok(scanned) => Answer {
            look,
            report: Ok(scanned.report),
            description: scanned.description,
            repository: scanned.repository,
        },
        Err(error) => Answer {
            look,
            report: Err(error.to_string()),
            description: None,
            repository: None,
        },
    };
    serde_json::to_vec(&answer).map_err(|error| error.to_string())
}
