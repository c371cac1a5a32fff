//! The worker's side: loads a job's crates and takes their facts.

use std::process::ExitCode;

use palisade_engine::{Engine, Expansion, LoadOptions};

use super::wire::Job;
use crate::fragment::Capable;
use crate::{ENGINE, Fragment, capabilities};

/// Makes this process a worker; see [`palisade_sandbox::serve_bytes`].
pub fn serve_worker() -> ExitCode {
    palisade_sandbox::serve_bytes(|bytes| {
        // A job that cannot be done at all is this process's failure, which the
        // parent puts on record with the message.
        match answer(bytes) {
            Ok(answer) => answer,
            Err(message) => std::panic::panic_any(message),
        }
    })
}

/// The most memory that the process has had, and the fragments of a job, each
/// behind its length.
fn answer(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let job: Job = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let plan = job.plan()?;
    let options = LoadOptions {
        threads: 1,
        expansion: Expansion::InProcess,
        limits: Default::default(),
    };
    let engine = Engine::load(&plan, &options).map_err(|error| error.to_string())?;
    let facts = engine
        .extract(&job.wanted())
        .map_err(|error| error.to_string())?;
    let mut facts = facts.into_iter();
    let mut answer = peak_memory().to_le_bytes().to_vec();
    for piece in &job.pieces {
        let mut fragment = Fragment {
            package: piece.key.package.clone(),
            version: piece.key.version.clone(),
            origin: piece.origin(),
            features: piece.key.features.clone(),
            engine: ENGINE.to_owned(),
            missing: piece.missing.clone(),
            crates: facts.by_ref().take(piece.len()).flatten().collect(),
            capabilities: Vec::new(),
        };
        for (krate, facts) in fragment.crates.iter().enumerate() {
            for (place, function) in facts.functions.iter().enumerate() {
                let capabilities = capabilities(facts, function).bits();
                if capabilities != 0 {
                    fragment.capabilities.push(Capable {
                        krate: u32::try_from(krate).unwrap_or(u32::MAX),
                        function: u32::try_from(place).unwrap_or(u32::MAX),
                        capabilities,
                    });
                }
            }
        }
        let bytes = fragment.encode();
        answer.extend((bytes.len() as u64).to_le_bytes());
        answer.extend(bytes);
    }
    Ok(answer)
}

/// The most memory that this process has had in use, in bytes; 0 where the
/// system does not say.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix("kB"));
    let kilobytes = kilobytes.and_then(|number| number.trim().parse::<u64>().ok());
    kilobytes.unwrap_or_default().saturating_mul(1024)
}

/// The memory and the fragments of an answer; `None` when it is garbled.
pub(super) fn split(answer: &[u8], pieces: usize) -> Option<(u64, Vec<&[u8]>)> {
    let (memory, mut answer) = answer.split_first_chunk()?;
    let mut found = Vec::new();
    for _ in 0..pieces {
        let (size, rest) = answer.split_first_chunk()?;
        let size = usize::try_from(u64::from_le_bytes(*size)).ok()?;
        let (bytes, rest) = rest.split_at_checked(size)?;
        found.push(bytes);
        answer = rest;
    }
    answer
        .is_empty()
        .then_some((u64::from_le_bytes(*memory), found))
}
