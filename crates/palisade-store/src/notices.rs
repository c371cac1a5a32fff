//! What users are told. It is kept whether a mail reaches them or not, and
//! written in the change that it is about, so it has no record of its own.

use jiff::Timestamp;
use sqlx::Row as _;

use crate::audit::time;
use crate::backend::Row;
use crate::users::User;
use crate::{Store, StoreError, Tx};

/// The kind of the jobs that send notices; their subject is the number of the
/// notice.
pub const MAIL: &str = "mail";

/// The most notices of a user that are shown.
const MOST: i64 = 200;

/// What a user is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its number.
    pub id: i64,
    /// A stable name for what it is about.
    pub kind: String,
    /// One line.
    pub subject: String,
    /// The text.
    pub body: String,
    /// Since when it is known.
    pub created: Timestamp,
    /// When it was sent.
    pub mailed: Option<Timestamp>,
}

impl Notice {
    fn read(row: &Row) -> Result<Notice, StoreError> {
        let mailed: Option<i64> = row.get("mailed");
        Ok(Notice {
            id: row.get("id"),
            kind: row.get("kind"),
            subject: row.get("subject"),
            body: row.get("body"),
            created: time(row.get("created"))?,
            mailed: mailed.map(time).transpose()?,
        })
    }
}

impl Store {
    /// What a user was told, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn notices(&self, user: i64) -> Result<Vec<Notice>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM notices WHERE user_id = $1 ORDER BY id DESC LIMIT $2")
                .bind(user)
                .bind(MOST)
                .fetch_all(self.readers())
                .await
                .map_err(StoreError::database("read notices"))?;
        rows.iter().map(Notice::read).collect()
    }

    /// A notice, and whose it is.
    ///
    /// # Errors
    /// There is no such notice, or the database cannot be read.
    pub async fn notice(&self, id: i64) -> Result<(Notice, User), StoreError> {
        let read = || StoreError::database("read notices");
        let row = sqlx::query("SELECT * FROM notices WHERE id = $1")
            .bind(id)
            .fetch_optional(self.readers())
            .await
            .map_err(read())?;
        let Some(row) = row else {
            return Err(StoreError::Missing {
                what: "notice with the number",
                name: id.to_string(),
            });
        };
        let user = sqlx::query("SELECT * FROM users WHERE id = $1")
            .bind(row.get::<i64, _>("user_id"))
            .fetch_one(self.readers())
            .await
            .map_err(read())?;
        Ok((Notice::read(&row)?, User::read(&user)?))
    }

    /// Notes that a notice was sent.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn notice_mailed(&self, id: i64, now: Timestamp) -> Result<(), StoreError> {
        let failed = || StoreError::database("change a notice");
        let mut tx = self.backend.aside().await?;
        sqlx::query("UPDATE notices SET mailed = $2 WHERE id = $1")
            .bind(id)
            .bind(now.as_second())
            .execute(&mut *tx)
            .await
            .map_err(failed())?;
        tx.commit().await.map_err(failed())
    }
}

impl Tx {
    /// Tells a user about this change. Where they have an address, a mail is
    /// asked for as well.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn notify(
        &mut self,
        user: &User,
        kind: &str,
        subject: &str,
        body: &str,
    ) -> Result<(), StoreError> {
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO notices (user_id, kind, subject, body, created)
             VALUES ($1, $2, $3, $4, $5) RETURNING id",
        )
        .bind(user.id)
        .bind(kind)
        .bind(subject)
        .bind(body)
        .bind(self.now.as_second())
        .fetch_one(&mut *self.inner)
        .await
        .map_err(StoreError::database("add a notice"))?;
        if user.email.is_some() {
            self.enqueue(MAIL, &id.to_string(), self.now).await?;
        }
        Ok(())
    }

    /// Tells every owner of a crate that is published here.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub async fn notify_owners(
        &mut self,
        canonical: &str,
        kind: &str,
        subject: &str,
        body: &str,
    ) -> Result<(), StoreError> {
        let rows = sqlx::query(
            "SELECT users.* FROM users JOIN owners ON owners.user_id = users.id
             WHERE owners.crate = $1 ORDER BY users.id",
        )
        .bind(canonical)
        .fetch_all(&mut *self.inner)
        .await
        .map_err(StoreError::database("read owners"))?;
        for row in &rows {
            let user = User::read(row)?;
            self.notify(&user, kind, subject, body).await?;
        }
        Ok(())
    }
}
