//! The worker's side.

use std::process::ExitCode;

use super::DataPaths;
use super::wire::{self, Answer, Task};
use crate::{Limits, NameCorpus, ScanError, Scanner, ScannerOptions};

/// Makes this process a worker of [`Workers`](super::Workers); see
/// [`palisade_sandbox::serve_bytes`] for when to call it.
pub fn serve_worker() -> ExitCode {
    // What is asked from job to job is the same but for the package.
    let mut scanner: Option<(DataPaths, Limits, Scanner)> = None;
    palisade_sandbox::serve_bytes(move |bytes| {
        let answer = answer(bytes, &mut scanner);
        serde_json::to_vec(&answer).unwrap_or_default()
    })
}

fn answer(bytes: &[u8], kept: &mut Option<(DataPaths, Limits, Scanner)>) -> Answer {
    let Some(job) = wire::decode(bytes) else {
        return Answer::Failed("the job is garbled".to_owned());
    };
    let same = kept
        .as_ref()
        .is_some_and(|(data, limits, _)| *data == job.data && *limits == job.limits);
    if !same {
        let names = job.data.names.as_deref().map(NameCorpus::open).transpose();
        let names = match names {
            Ok(names) => names,
            Err(error) => return Answer::Unreadable(chain(&error)),
        };
        let options = ScannerOptions {
            limits: job.limits.clone(),
            names,
            ..ScannerOptions::default()
        };
        *kept = Some((job.data, job.limits, Scanner::new(options)));
    }
    let Some((.., scanner)) = kept else {
        return Answer::Failed("there is no scanner".to_owned());
    };
    let result = match job.task {
        Task::Open => Ok(Answer::Opened(scanner.data_problems().to_vec())),
        Task::Scan => scanner
            .examine(&job.request)
            .map(|report| Answer::Report(Box::new(report))),
        Task::Compare => scanner
            .compare(&job.request)
            .map(|both| Answer::Diff(Box::new(both))),
    };
    result.unwrap_or_else(|error| match error {
        ScanError::Panicked { reason, .. } => Answer::Failed(format!("panicked: {reason}")),
        error => Answer::Unreadable(chain(&error)),
    })
}

/// An error with what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
