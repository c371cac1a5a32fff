//! Progress on standard error, for what takes longer than a second.
//!
//! On a terminal one line that changes; elsewhere, as in the logs of
//! continuous integration, one plain line per stage.

use std::io::{IsTerminal, stderr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use palisade_check::{Progress, Stage};

use crate::output;

/// What takes less than this says nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// Between two plain lines about one stage.
const INTERVAL: Duration = Duration::from_secs(15);

/// Progress for whoever waits.
pub(crate) struct Reporter {
    started: Instant,
    terminal: bool,
    bar: Mutex<Option<ProgressBar>>,
    stage: Mutex<String>,
    /// Milliseconds since the start at which to say something again.
    next: AtomicUsize,
}

impl Reporter {
    /// Starts the clock.
    pub(crate) fn new() -> Reporter {
        Reporter {
            started: Instant::now(),
            terminal: stderr().is_terminal(),
            bar: Mutex::new(None),
            stage: Mutex::new(String::new()),
            next: AtomicUsize::new(millis(PATIENCE)),
        }
    }

    /// Removes the changing line.
    pub(crate) fn finish(&self) {
        if let Some(bar) = lock(&self.bar).take() {
            bar.finish_and_clear();
        }
    }

    /// Says how many of all are done.
    pub(crate) fn count(&self, what: &str, done: usize, all: usize) {
        if self.due() {
            self.say(format!("{what}, {done} of {all}"));
        }
    }

    fn say(&self, text: String) {
        if !self.terminal {
            output::to_stderr(&format!("{text}\n"));
            return;
        }
        let mut bar = lock(&self.bar);
        let bar = bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("{spinner} {msg}");
            let bar = ProgressBar::new_spinner()
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        bar.set_message(text);
    }

    fn due(&self) -> bool {
        let now = millis(self.started.elapsed());
        let next = self.next.load(Ordering::Relaxed);
        let interval = if self.terminal {
            Duration::from_millis(200)
        } else {
            INTERVAL
        };
        now >= next
            && self
                .next
                .compare_exchange(
                    next,
                    now + millis(interval),
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                )
                .is_ok()
    }
}

impl Progress for Reporter {
    fn stage(&self, stage: Stage<'_>) {
        let text = match stage {
            Stage::Planning => "asking cargo what belongs to the build".to_owned(),
            Stage::Building(crates) => {
                format!("building the project to expand its macros, and loading {crates} crates")
            }
            Stage::Loading(crates) => format!("loading {crates} crates"),
            Stage::Walking(target) => format!("walking {target}"),
        };
        lock(&self.stage).clone_from(&text);
        // A build takes longer than a second, and nothing more is heard of it.
        if self.due() || matches!(stage, Stage::Building(_)) {
            self.say(text);
        }
    }

    fn walked(&self, instances: usize) {
        if self.due() {
            let stage = lock(&self.stage).clone();
            self.say(format!("{stage}, {instances} functions so far"));
        }
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.finish();
    }
}

fn millis(duration: Duration) -> usize {
    usize::try_from(duration.as_millis()).unwrap_or(usize::MAX)
}

/// What a thread that panicked left behind is only a line of text.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
