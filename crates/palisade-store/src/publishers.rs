//! Trusted publishers: workflows that may publish crates without a token that
//! lies somewhere.

use jiff::Timestamp;
use serde_json::json;
use sqlx::Row as _;

use crate::backend::Row;
use crate::users::User;
use crate::{Store, StoreError, Tx};

/// A workflow that may publish a crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publisher {
    /// Its number; 0 when it is to be added.
    pub id: i64,
    /// The crate's canonical name.
    pub krate: String,
    /// The owner who set it up, in whose name it publishes.
    pub user_id: i64,
    /// Who vouches for the workflow.
    pub issuer: String,
    /// The repository, `owner/name`, as it was when it was set up.
    pub repository: String,
    /// The repository's number, which a new one of the same name does not get.
    pub repository_id: String,
    /// The number of the repository's owner.
    pub owner_id: String,
    /// The workflow's file, without its directory.
    pub workflow: String,
    /// The environment that the job has to run in.
    pub environment: Option<String>,
}

impl Publisher {
    fn read(row: &Row) -> Publisher {
        Publisher {
            id: row.get("id"),
            krate: row.get("crate"),
            user_id: row.get("user_id"),
            issuer: row.get("issuer"),
            repository: row.get("repository"),
            repository_id: row.get("repository_id"),
            owner_id: row.get("owner_id"),
            workflow: row.get("workflow"),
            environment: row.get("environment"),
        }
    }
}

impl Store {
    /// The publishers of a crate.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn publishers(&self, canonical: &str) -> Result<Vec<Publisher>, StoreError> {
        let rows = sqlx::query("SELECT * FROM publishers WHERE crate = $1 ORDER BY id")
            .bind(canonical)
            .fetch_all(self.readers())
            .await
            .map_err(StoreError::database("read publishers"))?;
        Ok(rows.iter().map(Publisher::read).collect())
    }
}

impl Tx {
    /// The publishers that a repository is, whose user still owns the crate.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn publishers_of(
        &mut self,
        issuer: &str,
        repository_id: &str,
    ) -> Result<Vec<(Publisher, User)>, StoreError> {
        let read = || StoreError::database("read publishers");
        let rows = sqlx::query(
            "SELECT publishers.* FROM publishers JOIN owners
                 ON owners.crate = publishers.crate AND owners.user_id = publishers.user_id
             WHERE publishers.issuer = $1 AND publishers.repository_id = $2
             ORDER BY publishers.id",
        )
        .bind(issuer)
        .bind(repository_id)
        .fetch_all(&mut *self.inner)
        .await
        .map_err(read())?;
        let mut found = Vec::new();
        for row in &rows {
            let publisher = Publisher::read(row);
            let user = sqlx::query("SELECT * FROM users WHERE id = $1")
                .bind(publisher.user_id)
                .fetch_one(&mut *self.inner)
                .await
                .map_err(read())?;
            found.push((publisher, User::read(&user)?));
        }
        Ok(found)
    }

    /// Lets a workflow publish a crate; its number. Every owner is told.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_publisher(&mut self, publisher: &Publisher) -> Result<i64, StoreError> {
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO publishers (crate, user_id, issuer, repository, repository_id, owner_id,
                 workflow, environment, created)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id",
        )
        .bind(&publisher.krate)
        .bind(publisher.user_id)
        .bind(&publisher.issuer)
        .bind(&publisher.repository)
        .bind(&publisher.repository_id)
        .bind(&publisher.owner_id)
        .bind(&publisher.workflow)
        .bind(&publisher.environment)
        .bind(self.now.as_second())
        .fetch_one(&mut *self.inner)
        .await
        .map_err(StoreError::database("add a publisher"))?;
        let detail = json!({
            "id": id, "issuer": publisher.issuer, "repository": publisher.repository,
            "repository-id": publisher.repository_id, "workflow": publisher.workflow,
            "environment": publisher.environment,
        });
        self.audit(
            "publisher-added",
            &format!("crate {}", publisher.krate),
            detail,
        )
        .await?;
        let subject = format!("A workflow may now publish {}", publisher.krate);
        let body = format!(
            "The workflow {} of {} may publish new versions of {}.\n\nIf you did not expect that, \
             remove it and look at who owns the crate.",
            publisher.workflow, publisher.repository, publisher.krate
        );
        self.notify_owners(&publisher.krate, "publisher-added", &subject, &body)
            .await?;
        Ok(id)
    }

    /// A workflow may no longer publish a crate. Every owner is told.
    ///
    /// # Errors
    /// The crate has no such publisher, or the database cannot be written.
    pub async fn remove_publisher(&mut self, canonical: &str, id: i64) -> Result<(), StoreError> {
        let done = sqlx::query("DELETE FROM publishers WHERE id = $1 AND crate = $2")
            .bind(id)
            .bind(canonical)
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::database("remove a publisher"))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Missing {
                what: "publisher with the number",
                name: id.to_string(),
            });
        }
        self.audit(
            "publisher-removed",
            &format!("crate {canonical}"),
            json!({ "id": id }),
        )
        .await?;
        let subject = format!("A workflow may no longer publish {canonical}");
        self.notify_owners(canonical, "publisher-removed", &subject, &subject)
            .await
    }

    /// Notes that an issuer's token was exchanged; whether that is the first
    /// time. It is remembered until `until`, when nobody takes it any more.
    /// The token that is given out for it has the record.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn use_id(
        &mut self,
        issuer: &str,
        id: &str,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let failed = || StoreError::database("note a token of an issuer");
        sqlx::query("DELETE FROM used_ids WHERE until <= $1")
            .bind(self.now.as_second())
            .execute(&mut *self.inner)
            .await
            .map_err(failed())?;
        let done = sqlx::query(
            "INSERT INTO used_ids (issuer, id, until) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(issuer)
        .bind(id)
        .bind(until.as_second())
        .execute(&mut *self.inner)
        .await
        .map_err(failed())?;
        Ok(done.rows_affected() != 0)
    }
}
