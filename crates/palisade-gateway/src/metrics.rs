//! Numbers for Prometheus.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use palisade_store::State;

/// What is counted since the start.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    requests: [AtomicU64; 6],
    refused: AtomicU64,
    asked: AtomicU64,
    failed: AtomicU64,
    stale: AtomicU64,
    bytes: AtomicU64,
    jobs: AtomicU64,
}

impl Metrics {
    pub(crate) fn answered(&self, status: u16) {
        let class = usize::from(status / 100).min(5);
        self.requests[class].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn job_failed(&self) {
        self.jobs.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn asked(&self, answered: bool) {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if !answered {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn stale(&self) {
        self.stale.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn served(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// The text that Prometheus reads.
    pub(crate) fn text(&self, states: &[(State, u64)], jobs: &[(String, bool, u64)]) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = writeln!(text, "# TYPE palisade_requests_total counter");
        for (class, count) in self.requests.iter().enumerate().skip(1) {
            let count = count.load(Ordering::Relaxed);
            let _ = writeln!(
                text,
                "palisade_requests_total{{status=\"{class}xx\"}} {count}"
            );
        }
        for (name, count) in [
            ("palisade_downloads_refused_total", &self.refused),
            ("palisade_upstream_requests_total", &self.asked),
            ("palisade_upstream_failures_total", &self.failed),
            ("palisade_stale_answers_total", &self.stale),
            ("palisade_archive_bytes_total", &self.bytes),
            ("palisade_job_failures_total", &self.jobs),
        ] {
            let count = count.load(Ordering::Relaxed);
            let _ = writeln!(text, "# TYPE {name} counter\n{name} {count}");
        }
        let _ = writeln!(text, "# TYPE palisade_versions gauge");
        for (state, count) in states {
            let _ = writeln!(text, "palisade_versions{{state=\"{state}\"}} {count}");
        }
        let _ = writeln!(text, "# TYPE palisade_jobs gauge");
        for (kind, dead, count) in jobs {
            // The kinds are ours, and one of a newer release is plain as well.
            let state = if *dead { "given-up" } else { "waiting" };
            let _ = writeln!(
                text,
                "palisade_jobs{{kind=\"{}\",state=\"{state}\"}} {count}",
                kind.escape_default()
            );
        }
        text
    }
}
