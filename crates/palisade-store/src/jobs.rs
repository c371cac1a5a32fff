//! Work to be done later, by whichever process is free, and tried again when
//! it fails.
//!
//! Whoever works on a job has leased it for a while and renews the lease; when
//! the process dies, the lease ends and another one takes the job. So a job can
//! be begun twice, and must not mind. What a job does is a change of the
//! service with its own record; that it waits is none.

use jiff::Timestamp;
use serde_json::json;
use sqlx::Row as _;

use crate::backend::Row;
use crate::{Store, StoreError, Tx};

/// A job that waits, is worked on, or was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its number.
    pub id: i64,
    /// What is to be done.
    pub kind: String,
    /// To what. There is one job of a kind for a subject.
    pub subject: String,
    /// Since when it is known.
    pub created: Timestamp,
    /// When it is to be tried, at the earliest.
    pub run_at: Timestamp,
    /// How often it was begun.
    pub attempts: u32,
    /// Until when somebody works on it.
    pub leased_until: Option<Timestamp>,
    /// Who works on it.
    pub leased_by: Option<String>,
    /// Whether it was given up, until a person asks for another try.
    pub dead: bool,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

impl Job {
    fn read(row: &Row) -> Result<Job, StoreError> {
        let leased: Option<i64> = row.get("leased_until");
        Ok(Job {
            id: row.get("id"),
            kind: row.get("kind"),
            subject: row.get("subject"),
            created: moment(row.get("created"))?,
            run_at: moment(row.get("run_at"))?,
            attempts: u32::try_from(row.get::<i64, _>("attempts")).unwrap_or(u32::MAX),
            leased_until: leased.map(moment).transpose()?,
            leased_by: row.get("leased_by"),
            dead: row.get::<i64, _>("dead") != 0,
            error: row.get("error"),
        })
    }
}

impl Store {
    /// Asks for work, unless the same is asked for already.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn enqueue(
        &self,
        kind: &str,
        subject: &str,
        run_at: Timestamp,
    ) -> Result<(), StoreError> {
        let known = sqlx::query("SELECT 1 FROM jobs WHERE kind = $1 AND subject = $2")
            .bind(kind)
            .bind(subject)
            .fetch_optional(self.readers())
            .await
            .map_err(StoreError::database("read jobs"))?;
        if known.is_some() {
            return Ok(());
        }
        let mut tx = self.backend.aside().await?;
        enqueue(&mut tx, kind, subject, run_at).await?;
        tx.commit().await.map_err(StoreError::database("add a job"))
    }

    /// Takes the job that has waited longest, until `until`; `None` when
    /// nothing is to be done now.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub async fn lease(
        &self,
        worker: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Job>, StoreError> {
        // Mostly there is none, and to know that needs no lock.
        let waiting = sqlx::query(
            "SELECT 1 FROM jobs WHERE dead = 0 AND run_at <= $1
             AND (leased_until IS NULL OR leased_until <= $1) LIMIT 1",
        )
        .bind(now.as_millisecond())
        .fetch_optional(self.readers())
        .await
        .map_err(StoreError::database("read jobs"))?;
        if waiting.is_none() {
            return Ok(None);
        }
        let row = self
            .backend
            .lease(worker, now.as_millisecond(), until.as_millisecond())
            .await
            .map_err(StoreError::database("lease a job"))?;
        row.as_ref().map(Job::read).transpose()
    }

    /// Keeps a leased job for longer; whether it was still this worker's.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn renew(&self, job: &Job, until: Timestamp) -> Result<bool, StoreError> {
        self.change_job(
            job,
            "UPDATE jobs SET leased_until = $4 WHERE id = $1 AND leased_by = $2 AND attempts = $3",
            |query| query.bind(until.as_millisecond()),
        )
        .await
    }

    /// The job is done; whether it was still this worker's.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn finish(&self, job: &Job) -> Result<bool, StoreError> {
        self.change_job(
            job,
            "DELETE FROM jobs WHERE id = $1 AND leased_by = $2 AND attempts = $3",
            |query| query,
        )
        .await
    }

    /// The attempt has failed. It is tried again at `again`, or given up.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn fail(
        &self,
        job: &Job,
        error: &str,
        again: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let run_at = again.unwrap_or(job.run_at).as_millisecond();
        self.change_job(
            job,
            "UPDATE jobs SET error = $4, dead = $5, run_at = $6, leased_until = NULL,
                 leased_by = NULL WHERE id = $1 AND leased_by = $2 AND attempts = $3",
            |query| {
                query
                    .bind(error.to_owned())
                    .bind(i64::from(again.is_none()))
                    .bind(run_at)
            },
        )
        .await
    }

    /// Changes a job if it is still leased as it was: who has lost the lease
    /// must not undo what another one does.
    async fn change_job<'q>(
        &self,
        job: &'q Job,
        sql: &'static str,
        bind: impl FnOnce(Query<'q>) -> Query<'q>,
    ) -> Result<bool, StoreError> {
        let failed = || StoreError::database("change a job");
        let mut tx = self.backend.aside().await?;
        let query = sqlx::query(sql)
            .bind(job.id)
            .bind(job.leased_by.as_deref())
            .bind(i64::from(job.attempts));
        let done = bind(query).execute(&mut *tx).await.map_err(failed())?;
        tx.commit().await.map_err(failed())?;
        Ok(done.rows_affected() != 0)
    }

    /// Every job, those that were given up first, then by when they run.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn jobs(&self) -> Result<Vec<Job>, StoreError> {
        let rows = sqlx::query("SELECT * FROM jobs ORDER BY dead DESC, run_at, id")
            .fetch_all(self.readers())
            .await
            .map_err(StoreError::database("read jobs"))?;
        rows.iter().map(Job::read).collect()
    }

    /// How many jobs of each kind wait or are worked on, and how many were
    /// given up.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn count_jobs(&self) -> Result<Vec<(String, bool, u64)>, StoreError> {
        let rows =
            sqlx::query("SELECT kind, dead, COUNT(*) FROM jobs GROUP BY kind, dead ORDER BY 1, 2")
                .fetch_all(self.readers())
                .await
                .map_err(StoreError::database("count jobs"))?;
        Ok(rows
            .iter()
            .map(|row| {
                let count = u64::try_from(row.get::<i64, _>(2)).unwrap_or_default();
                (row.get(0), row.get::<i64, _>(1) != 0, count)
            })
            .collect())
    }
}

type Query<'q> = sqlx::query::Query<'q, crate::backend::Database, sqlx::any::AnyArguments>;

impl Tx {
    /// Asks for work as a part of this change: it is done if the change lasts.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn enqueue(
        &mut self,
        kind: &str,
        subject: &str,
        run_at: Timestamp,
    ) -> Result<(), StoreError> {
        enqueue(&mut self.inner, kind, subject, run_at).await
    }

    /// Has a job tried again now, also one that was given up.
    ///
    /// # Errors
    /// There is no such job, or the database cannot be written.
    pub async fn retry_job(&mut self, id: i64, now: Timestamp) -> Result<(), StoreError> {
        let row = sqlx::query(
            "UPDATE jobs SET dead = 0, run_at = $2, attempts = 0 WHERE id = $1
             RETURNING kind, subject",
        )
        .bind(id)
        .bind(now.as_millisecond())
        .fetch_optional(&mut *self.inner)
        .await
        .map_err(StoreError::database("change a job"))?;
        let Some(row) = row else {
            return Err(StoreError::Missing {
                what: "job with the number",
                name: id.to_string(),
            });
        };
        let detail = json!({ "kind": row.get::<String, _>(0), "of": row.get::<String, _>(1) });
        self.audit("job-retried", &format!("job {id}"), detail)
            .await?;
        Ok(())
    }
}

async fn enqueue(
    connection: &mut sqlx::AnyConnection,
    kind: &str,
    subject: &str,
    run_at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO jobs (kind, subject, created, run_at) VALUES ($1, $2, $3, $3)
         ON CONFLICT DO NOTHING",
    )
    .bind(kind)
    .bind(subject)
    .bind(run_at.as_millisecond())
    .execute(connection)
    .await
    .map_err(StoreError::database("add a job"))?;
    Ok(())
}

fn moment(millisecond: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(millisecond).map_err(|_| StoreError::Damaged {
        what: "the time",
        value: millisecond.to_string(),
    })
}
