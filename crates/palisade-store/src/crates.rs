//! Crates and their owners.

use sqlx::Row as _;

use crate::audit::time;
use crate::backend::Row;
use crate::users::User;
use crate::{Store, StoreError, Tx};

/// Where a crate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is published here. Its name is never looked up upstream.
    Hosted,
    /// It is pulled through.
    Upstream,
}

/// What the upstream said, to ask whether a file still holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Its tag.
    pub etag: Option<String>,
    /// When it changed.
    pub last_modified: Option<String>,
}

/// A crate that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crate {
    /// The form in which names are compared.
    pub canonical: String,
    /// The name as published.
    pub name: String,
    /// Where it comes from.
    pub origin: Origin,
    /// When it was first asked for or published.
    pub first_seen: jiff::Timestamp,
    /// What the upstream said with its index file.
    pub conditions: Conditions,
}

impl Origin {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Origin::Hosted => "hosted",
            Origin::Upstream => "upstream",
        }
    }
}

impl Crate {
    fn read(row: &Row) -> Result<Crate, StoreError> {
        let origin: String = row.get("origin");
        Ok(Crate {
            canonical: row.get("canonical"),
            name: row.get("name"),
            origin: match origin.as_str() {
                "hosted" => Origin::Hosted,
                "upstream" => Origin::Upstream,
                _ => {
                    return Err(StoreError::Damaged {
                        what: "the origin",
                        value: origin,
                    });
                }
            },
            first_seen: time(row.get("first_seen"))?,
            conditions: Conditions {
                etag: row.get("etag"),
                last_modified: row.get("last_modified"),
            },
        })
    }
}

impl Store {
    /// The crate of this canonical name.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_crate(&self, canonical: &str) -> Result<Option<Crate>, StoreError> {
        let row = sqlx::query("SELECT * FROM crates WHERE canonical = $1")
            .bind(canonical)
            .fetch_optional(self.readers())
            .await
            .map_err(StoreError::database("read a crate"))?;
        row.as_ref().map(Crate::read).transpose()
    }

    /// Crates whose canonical name contains `text`, those published here
    /// first, at most `most`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn search_crates(&self, text: &str, most: u32) -> Result<Vec<Crate>, StoreError> {
        let mut pattern = String::from("%");
        for c in text.chars() {
            if matches!(c, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(c);
        }
        pattern.push('%');
        let rows = sqlx::query(
            "SELECT * FROM crates WHERE canonical LIKE $1 ESCAPE '\\'
             ORDER BY origin, LENGTH(canonical), canonical LIMIT $2",
        )
        .bind(pattern)
        .bind(i64::from(most))
        .fetch_all(self.readers())
        .await
        .map_err(StoreError::database("search crates"))?;
        rows.iter().map(Crate::read).collect()
    }

    /// Who owns a crate that is published here, by login.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn owners(&self, canonical: &str) -> Result<Vec<User>, StoreError> {
        let rows = sqlx::query(
            "SELECT users.* FROM users JOIN owners ON owners.user_id = users.id
             WHERE owners.crate = $1 ORDER BY users.login",
        )
        .bind(canonical)
        .fetch_all(self.readers())
        .await
        .map_err(StoreError::database("read owners"))?;
        rows.iter().map(User::read).collect()
    }

    /// The canonical names of the crates that a user owns.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn owned(&self, user: i64) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar("SELECT crate FROM owners WHERE user_id = $1 ORDER BY crate")
            .bind(user)
            .fetch_all(self.readers())
            .await
            .map_err(StoreError::database("read owners"))
    }
}

impl Tx {
    /// The crate of this canonical name, as this change sees it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_crate(&mut self, canonical: &str) -> Result<Option<Crate>, StoreError> {
        let row = sqlx::query("SELECT * FROM crates WHERE canonical = $1")
            .bind(canonical)
            .fetch_optional(&mut *self.inner)
            .await
            .map_err(StoreError::database("read a crate"))?;
        row.as_ref().map(Crate::read).transpose()
    }

    /// Whether a user owns a crate, as this change sees it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn owns(&mut self, user: i64, canonical: &str) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT 1 FROM owners WHERE user_id = $1 AND crate = $2")
            .bind(user)
            .bind(canonical)
            .fetch_optional(&mut *self.inner)
            .await
            .map_err(StoreError::database("read owners"))?;
        Ok(row.is_some())
    }

    /// Adds a crate that nobody knew.
    ///
    /// # Errors
    /// It exists, or the database cannot be written.
    pub async fn add_crate(
        &mut self,
        canonical: &str,
        name: &str,
        origin: Origin,
    ) -> Result<(), StoreError> {
        let done = sqlx::query(
            "INSERT INTO crates (canonical, name, origin, first_seen) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING",
        )
        .bind(canonical)
        .bind(name)
        .bind(origin.as_str())
        .bind(self.now.as_second())
        .execute(&mut *self.inner)
        .await
        .map_err(StoreError::database("add a crate"))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Exists {
                what: "crate",
                name: name.to_owned(),
            });
        }
        let detail = serde_json::json!({ "name": name, "origin": origin.as_str() });
        self.audit("crate-added", &format!("crate {canonical}"), detail)
            .await?;
        Ok(())
    }

    /// Makes a user an owner.
    ///
    /// # Errors
    /// They own it already, or the database cannot be written.
    pub async fn add_owner(&mut self, canonical: &str, user: &User) -> Result<(), StoreError> {
        let done = sqlx::query(
            "INSERT INTO owners (crate, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        )
        .bind(canonical)
        .bind(user.id)
        .execute(&mut *self.inner)
        .await
        .map_err(StoreError::database("add an owner"))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Exists {
                what: "owner",
                name: user.login.clone(),
            });
        }
        let detail = serde_json::json!({ "owner": user.login });
        self.audit("owner-added", &format!("crate {canonical}"), detail)
            .await?;
        Ok(())
    }

    /// Ends a user's ownership. A crate keeps one owner at least.
    ///
    /// # Errors
    /// They do not own it, are its last owner, or the database cannot be
    /// written.
    pub async fn remove_owner(&mut self, canonical: &str, user: &User) -> Result<(), StoreError> {
        let done = sqlx::query(
            "DELETE FROM owners WHERE crate = $1 AND user_id = $2
             AND (SELECT COUNT(*) FROM owners WHERE crate = $1) > 1",
        )
        .bind(canonical)
        .bind(user.id)
        .execute(&mut *self.inner)
        .await
        .map_err(StoreError::database("remove an owner"))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Missing {
                what: "owner beside the last one",
                name: user.login.clone(),
            });
        }
        let detail = serde_json::json!({ "owner": user.login });
        self.audit("owner-removed", &format!("crate {canonical}"), detail)
            .await?;
        Ok(())
    }
}
