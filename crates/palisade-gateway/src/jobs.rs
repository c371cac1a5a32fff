//! What the gateway does in the background: jobs of the store, and how often
//! each kind is tried.
//!
//! Several processes may share the work; a job that was begun twice does no
//! harm. Times are those of the system, because leases and pauses are about
//! real time even where a test moves the policy's clock.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use palisade_store::{Job, MAIL, StoreError};
use tokio::sync::watch;

use crate::GatewayError;
use crate::catalogue::{Catalogue, chain};
use crate::clock::{Clock as _, SystemClock};
use crate::mail::Mailer;

/// Looks again at a crate in which a hold or a delay ends; the subject is its
/// canonical name.
pub(crate) const LOOK_AGAIN: &str = "look-again";
/// Scans an archive about which there is no answer yet; the subject is name and
/// version.
pub(crate) const SCAN: &str = "scan";
/// Tells users of tokens that end soon.
pub(crate) const ENDING_TOKENS: &str = "ending-tokens";

/// How many jobs a process works on at once.
pub(crate) const WORKERS: usize = 2;

/// How long a job belongs to its worker without a renewal.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// How often a lease is renewed.
const RENEW: Duration = Duration::from_secs(15);

/// How often workers look for work.
const POLL: Duration = Duration::from_millis(200);

/// How often users of tokens are looked after.
const TOKENS_EVERY: Duration = Duration::from_secs(3600);

/// How a kind of job is tried again.
struct Tries {
    /// How often; then it is given up until a person asks.
    most: u32,
    /// The first pause. Each one after it is twice as long.
    first: SignedDuration,
    /// The longest pause.
    longest: SignedDuration,
}

fn tries(kind: &str) -> Tries {
    let (most, first, longest) = match kind {
        // What is never looked at again would be held for ever.
        LOOK_AGAIN | ENDING_TOKENS => (u32::MAX, 1, 300),
        SCAN => (8, 10, 1800),
        // About a day.
        MAIL => (12, 30, 4 * 3600),
        // Of a newer release, perhaps, whose process takes it.
        _ => (20, 30, 3600),
    };
    Tries {
        most,
        first: SignedDuration::from_secs(first),
        longest: SignedDuration::from_secs(longest),
    }
}

impl Tries {
    /// When to try again after so many attempts; `None` to give up.
    fn again(&self, attempts: u32, now: Timestamp) -> Option<Timestamp> {
        if attempts >= self.most {
            return None;
        }
        let factor = 2_i32.saturating_pow(attempts.saturating_sub(1).min(20));
        let pause = self.first.saturating_mul(factor).min(self.longest);
        now.checked_add(pause).ok()
    }
}

/// Why a job was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobError {
    #[error("the gateway has failed")]
    Gateway(#[from] GatewayError),
    #[error("the state cannot be read or changed")]
    Store(#[from] StoreError),
    #[error("the mail was not taken: {0}")]
    Mail(String),
    #[error("the scanner has given no answer: {0}")]
    Scan(String),
    #[error("this release knows no job of the kind `{0}`")]
    Unknown(String),
    #[error("it is no subject of this kind: `{0}`")]
    Subject(String),
}

/// Works on jobs until the service ends.
pub(crate) async fn work(
    catalogue: Arc<Catalogue>,
    mailer: Option<Arc<Mailer>>,
    name: String,
    mut stopped: watch::Receiver<bool>,
) {
    while !*stopped.borrow() {
        let now = SystemClock.now();
        let until = now.checked_add(LEASE).unwrap_or(Timestamp::MAX);
        let pause = match catalogue.store.lease(&name, now, until).await {
            Ok(Some(job)) => {
                run(&catalogue, mailer.clone(), &job).await;
                continue;
            }
            Ok(None) => POLL,
            Err(error) => {
                tracing::error!(error = %chain(&error), "cannot look for jobs");
                POLL * 5
            }
        };
        tokio::select! {
            _ = stopped.wait_for(|&stop| stop) => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn run(catalogue: &Arc<Catalogue>, mailer: Option<Arc<Mailer>>, job: &Job) {
    let store = &catalogue.store;
    // A job that panics is one that has failed.
    let mut task = {
        let (catalogue, job) = (catalogue.clone(), job.clone());
        tokio::spawn(async move { perform(&catalogue, mailer.as_deref(), &job).await })
    };
    let mut renew = tokio::time::interval(RENEW);
    renew.tick().await;
    let done = loop {
        tokio::select! {
            done = &mut task => break done,
            _ = renew.tick() => {
                let until = SystemClock.now().checked_add(LEASE).unwrap_or(Timestamp::MAX);
                // When the store cannot be asked, the lease may still hold.
                if matches!(store.renew(job, until).await, Ok(false)) {
                    task.abort();
                    tracing::warn!(job = job.id, kind = job.kind, "another worker has taken over");
                    return;
                }
            }
        }
    };
    let failure = match done {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(chain(&error)),
        Err(error) => Some(format!("it crashed: {error}")),
    };
    let noted = match &failure {
        None => store.finish(job).await,
        Some(failure) => {
            let again = tries(&job.kind).again(job.attempts, SystemClock.now());
            catalogue.metrics.job_failed();
            tracing::warn!(
                job = job.id,
                kind = job.kind,
                subject = %palisade_archive::visible(&job.subject),
                attempts = job.attempts,
                given_up = again.is_none(),
                error = failure,
                "a job has failed"
            );
            store.fail(job, failure, again).await
        }
    };
    if let Err(error) = noted {
        // The lease ends, and it is done again.
        tracing::error!(error = %chain(&error), job = job.id, "cannot note what became of a job");
    }
}

async fn perform(
    catalogue: &Catalogue,
    mailer: Option<&Mailer>,
    job: &Job,
) -> Result<(), JobError> {
    match job.kind.as_str() {
        LOOK_AGAIN => Ok(catalogue
            .look_again(&job.subject, catalogue.clock.now())
            .await?),
        SCAN => {
            let (name, version) = job
                .subject
                .split_once(' ')
                .ok_or_else(|| JobError::Subject(job.subject.clone()))?;
            match catalogue.scan_again(name, version).await? {
                Ok(()) => Ok(()),
                Err(reason) => Err(JobError::Scan(reason)),
            }
        }
        MAIL => send(catalogue, mailer, job).await,
        ENDING_TOKENS => Ok(warn_of_ends(catalogue).await?),
        kind => Err(JobError::Unknown(kind.to_owned())),
    }
}

async fn send(catalogue: &Catalogue, mailer: Option<&Mailer>, job: &Job) -> Result<(), JobError> {
    let subject = || JobError::Subject(job.subject.clone());
    let id: i64 = job.subject.parse().map_err(|_| subject())?;
    let (notice, user) = catalogue.store.notice(id).await?;
    // Where no mails are sent, users read their notices.
    let (Some(mailer), Some(email)) = (mailer, &user.email) else {
        return Ok(());
    };
    if notice.mailed.is_some() {
        return Ok(());
    }
    mailer
        .send(email, &notice.subject, &notice.body)
        .await
        .map_err(JobError::Mail)?;
    Ok(catalogue
        .store
        .notice_mailed(id, catalogue.clock.now())
        .await?)
}

/// Tells users of tokens that end within some days.
async fn warn_of_ends(catalogue: &Catalogue) -> Result<(), StoreError> {
    let now = catalogue.clock.now();
    let days = catalogue.config.tokens.warn_days;
    let span = SignedDuration::from_hours(24 * i64::from(days));
    let before = now.checked_add(span).unwrap_or(Timestamp::MAX);
    loop {
        // One that lives as short as that ends when its user expects it.
        let ending = catalogue
            .store
            .tokens_that_end(now, before, span.as_secs())
            .await?;
        if ending.is_empty() {
            return Ok(());
        }
        let actor = palisade_store::Actor::policy();
        for (token, user) in &ending {
            let mut tx = catalogue.store.begin(&actor, now).await?;
            tx.warn_of_end(token, user).await?;
            tx.commit().await?;
        }
    }
}

/// Asks for the work that time brings.
pub(crate) async fn schedule(
    catalogue: Arc<Catalogue>,
    pause: Duration,
    mut stopped: watch::Receiver<bool>,
) {
    let mut ending = tokio::time::interval(TOKENS_EVERY.min(pause * 100));
    let mut sweep = tokio::time::interval(pause);
    sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let tokens = tokio::select! {
            _ = stopped.wait_for(|&stop| stop) => return,
            _ = sweep.tick() => false,
            _ = ending.tick() => true,
        };
        let asked = if tokens {
            let now = SystemClock.now();
            catalogue.store.enqueue(ENDING_TOKENS, "all", now).await
        } else {
            due(&catalogue).await
        };
        if let Err(error) = asked {
            tracing::error!(error = %chain(&error), "cannot ask for work");
        }
    }
}

/// Asks for another look at every crate in which something ends.
async fn due(catalogue: &Catalogue) -> Result<(), StoreError> {
    for canonical in catalogue.store.due(catalogue.clock.now()).await? {
        catalogue
            .store
            .enqueue(LOOK_AGAIN, &canonical, SystemClock.now())
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the pauses: they grow, end at a longest, and what a hold depends
    /// on is never given up.
    #[test]
    fn pauses_grow() {
        let now = Timestamp::UNIX_EPOCH;
        let pause = |kind: &str, attempts| {
            let again = tries(kind).again(attempts, now)?;
            Some(again.duration_since(now).as_secs())
        };
        assert_eq!(
            [1, 2, 3].map(|n| pause(SCAN, n)),
            [Some(10), Some(20), Some(40)]
        );
        assert_eq!(pause(SCAN, 8), None);
        assert_eq!(pause(MAIL, 11), Some(4 * 3600));
        assert_eq!(pause(LOOK_AGAIN, 1_000_000), Some(300));
    }
}
