//! Problems of crates that their owners were told of before the world is.

use jiff::Timestamp;
use serde_json::json;
use sqlx::Row as _;

use crate::audit::time;
use crate::backend::Row;
use crate::{Store, StoreError, Tx};

/// A problem, from its report to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosure {
    /// Its number.
    pub id: i64,
    /// The crate's canonical name.
    pub canonical: String,
    /// What it is, in one line.
    pub title: String,
    /// What it is.
    pub body: String,
    /// Who has opened it.
    pub author: String,
    /// When.
    pub opened: Timestamp,
    /// When the world is told, whatever the owners have done.
    pub deadline: Timestamp,
    /// When the owners were told.
    pub notified: Option<Timestamp>,
    /// When it was resolved.
    pub resolved: Option<Timestamp>,
    /// How.
    pub resolution: Option<String>,
}

impl Disclosure {
    fn read(row: &Row) -> Result<Disclosure, StoreError> {
        let optional = |field: &str| -> Result<Option<Timestamp>, StoreError> {
            row.get::<Option<i64>, _>(field).map(time).transpose()
        };
        Ok(Disclosure {
            id: row.get("id"),
            canonical: row.get("crate"),
            title: row.get("title"),
            body: row.get("body"),
            author: row.get("author"),
            opened: time(row.get("opened"))?,
            deadline: time(row.get("deadline"))?,
            notified: optional("notified")?,
            resolved: optional("resolved")?,
            resolution: row.get("resolution"),
        })
    }
}

impl Store {
    /// Every disclosure, open ones first and the nearest deadline first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn disclosures(&self) -> Result<Vec<Disclosure>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM disclosures
             ORDER BY CASE WHEN resolved IS NULL THEN 0 ELSE 1 END, deadline, id",
        )
        .fetch_all(self.readers())
        .await
        .map_err(StoreError::database("read disclosures"))?;
        rows.iter().map(Disclosure::read).collect()
    }
}

impl Tx {
    /// Opens a disclosure; its number.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn open_disclosure(
        &mut self,
        canonical: &str,
        title: &str,
        body: &str,
        deadline: Timestamp,
    ) -> Result<i64, StoreError> {
        let row = sqlx::query(
            "INSERT INTO disclosures (crate, title, body, author, opened, deadline)
             VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
        )
        .bind(canonical)
        .bind(title)
        .bind(body)
        .bind(&self.actor.name)
        .bind(self.now.as_second())
        .bind(deadline.as_second())
        .fetch_one(&mut *self.inner)
        .await
        .map_err(StoreError::database("open a disclosure"))?;
        let id: i64 = row.get(0);
        // What it says stays out of the log, which more people read.
        let detail = json!({
            "crate": canonical, "deadline": deadline.to_string(),
            "sha256": crate::evidence::hash(body),
        });
        self.audit("disclosure-opened", &subject(id), detail)
            .await?;
        Ok(id)
    }

    /// A disclosure, as this change sees it.
    ///
    /// # Errors
    /// There is none, or the database cannot be read.
    pub async fn find_disclosure(&mut self, id: i64) -> Result<Disclosure, StoreError> {
        let row = sqlx::query("SELECT * FROM disclosures WHERE id = $1")
            .bind(id)
            .fetch_optional(&mut *self.inner)
            .await
            .map_err(StoreError::database("read disclosures"))?;
        match row {
            Some(row) => Disclosure::read(&row),
            None => Err(StoreError::Missing {
                what: "disclosure",
                name: id.to_string(),
            }),
        }
    }

    /// Tells the owners; how many there are.
    ///
    /// # Errors
    /// It is resolved, or the database cannot be written.
    pub async fn notify_disclosure(&mut self, id: i64) -> Result<usize, StoreError> {
        let disclosure = self.open_one(id).await?;
        sqlx::query("UPDATE disclosures SET notified = COALESCE(notified, $2) WHERE id = $1")
            .bind(id)
            .bind(self.now.as_second())
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::database("change a disclosure"))?;
        self.audit("disclosure-notified", &subject(id), json!({}))
            .await?;
        let canonical = &disclosure.canonical;
        let title = format!("A problem of {canonical}: {}", disclosure.title);
        let text = format!(
            "{title}. It becomes public at {}.\n\n{}",
            disclosure.deadline, disclosure.body
        );
        self.notify_owners(canonical, "disclosure", &title, &text)
            .await?;
        let owners: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM owners WHERE crate = $1")
            .bind(canonical)
            .fetch_one(&mut *self.inner)
            .await
            .map_err(StoreError::database("read owners"))?;
        Ok(usize::try_from(owners).unwrap_or_default())
    }

    /// Moves the deadline.
    ///
    /// # Errors
    /// It is resolved, or the database cannot be written.
    pub async fn move_disclosure(
        &mut self,
        id: i64,
        deadline: Timestamp,
        reason: &str,
    ) -> Result<(), StoreError> {
        let before = self.open_one(id).await?.deadline;
        sqlx::query("UPDATE disclosures SET deadline = $2 WHERE id = $1")
            .bind(id)
            .bind(deadline.as_second())
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::database("change a disclosure"))?;
        let detail = json!({
            "from": before.to_string(), "deadline": deadline.to_string(), "reason": reason,
        });
        self.audit("disclosure-moved", &subject(id), detail).await?;
        Ok(())
    }

    /// Ends a disclosure.
    ///
    /// # Errors
    /// It is resolved, or the database cannot be written.
    pub async fn resolve_disclosure(
        &mut self,
        id: i64,
        resolution: &str,
    ) -> Result<(), StoreError> {
        self.open_one(id).await?;
        sqlx::query("UPDATE disclosures SET resolved = $2, resolution = $3 WHERE id = $1")
            .bind(id)
            .bind(self.now.as_second())
            .bind(resolution)
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::database("change a disclosure"))?;
        let detail = json!({ "resolution": resolution });
        self.audit("disclosure-resolved", &subject(id), detail)
            .await?;
        Ok(())
    }

    async fn open_one(&mut self, id: i64) -> Result<Disclosure, StoreError> {
        let disclosure = self.find_disclosure(id).await?;
        if disclosure.resolved.is_some() {
            return Err(StoreError::Decided {
                what: "disclosure",
                id,
            });
        }
        Ok(disclosure)
    }
}

fn subject(id: i64) -> String {
    format!("disclosure {id}")
}
