//! The end of what a worker writes to its standard error.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Reads everything, so that a worker never blocks on a full pipe, and keeps
/// the last bytes.
#[derive(Debug, Clone)]
pub(crate) struct Tail {
    shared: Arc<(Mutex<State>, Condvar)>,
    limit: usize,
}

#[derive(Debug, Default)]
struct State {
    bytes: VecDeque<u8>,
    ended: bool,
}

impl Tail {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            shared: Arc::default(),
            limit,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let state = self.shared.0.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads until the stream ends; runs on a thread of its own.
    pub(crate) fn follow(&self, mut from: impl Read) {
        let mut buffer = [0; 4096];
        loop {
            match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    let mut state = self.state();
                    state.bytes.extend(&buffer[..count]);
                    let surplus = state.bytes.len().saturating_sub(self.limit);
                    state.bytes.drain(..surplus);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        self.state().ended = true;
        self.shared.1.notify_all();
    }

    /// Forgets what belongs to an earlier job.
    pub(crate) fn clear(&self) {
        self.state().bytes.clear();
    }

    /// What is there. After the worker's end, waits for the rest, but not for
    /// ever, because a descendant may still hold the pipe.
    pub(crate) fn text(&self, patience: Duration) -> String {
        let state = self.state();
        let waited = self
            .shared
            .1
            .wait_timeout_while(state, patience, |state| !state.ended);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(state.bytes.make_contiguous());
        text.chars()
            .map(|c| match c {
                '\n' | '\t' => c,
                c if c.is_control() => char::REPLACEMENT_CHARACTER,
                c => c,
            })
            .collect()
    }
}
