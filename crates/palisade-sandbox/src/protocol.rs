//! What parent and worker say to each other, apart from jobs and answers.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::limits::Limits;

/// The largest frame before the first job.
pub(crate) const GREETING: u32 = 1 << 20;
/// What an answer's frame has beside the answer itself, in bytes.
pub(crate) const ANSWER_EXTRA: u32 = 8;
/// The largest message of a panic or an error that a worker sends, in bytes.
pub(crate) const MESSAGE: usize = 16 << 10;

/// The first frame to a worker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Hello {
    pub(crate) limits: Limits,
    /// The directories, or single files, that the worker may read.
    pub(crate) readable: Vec<PathBuf>,
}

/// An answer's payload: the processor time in microseconds, all ones where it
/// is not known, and the answer.
pub(crate) fn answer(cpu: Option<Duration>, body: &[u8]) -> Vec<u8> {
    let micros = cpu.map_or(u64::MAX, |cpu| {
        u64::try_from(cpu.as_micros()).unwrap_or(u64::MAX)
    });
    let mut payload = Vec::with_capacity(body.len() + ANSWER_EXTRA as usize);
    payload.extend(micros.to_le_bytes());
    payload.extend(body);
    payload
}

/// Takes an answer's payload apart.
pub(crate) fn split_answer(mut payload: Vec<u8>) -> Option<(Option<Duration>, Vec<u8>)> {
    let micros = u64::from_le_bytes(*payload.first_chunk()?);
    payload.drain(..ANSWER_EXTRA as usize);
    let cpu = (micros != u64::MAX).then(|| Duration::from_micros(micros));
    Some((cpu, payload))
}
