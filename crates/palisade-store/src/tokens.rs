//! Tokens: only their hashes are kept.

use jiff::Timestamp;
use serde_json::json;
use sqlx::Row as _;

use crate::audit::time;
use crate::backend::Row;
use crate::users::User;
use crate::{Store, StoreError, Tx};

/// A token that is about to be given out.
#[derive(Clone, Debug)]
pub struct NewToken<'a> {
    /// Whose it is.
    pub user: &'a User,
    /// What they call it.
    pub name: &'a str,
    /// The SHA-256 of its text, in hexadecimal digits.
    pub hash: &'a str,
    /// What it is for, the names of scopes.
    pub scopes: &'a [String],
    /// Which crates it is for, as patterns.
    pub patterns: &'a [String],
    /// When it ends.
    pub expires: Timestamp,
}

/// A token that was given out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its number.
    pub id: i64,
    /// Whose it is.
    pub user_id: i64,
    /// What they call it.
    pub name: String,
    /// What it is for, the names of scopes.
    pub scopes: Vec<String>,
    /// Which crates it is for, as patterns.
    pub patterns: Vec<String>,
    /// When it was given out.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was last used, within a minute.
    pub last_used: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

impl Token {
    fn read(row: &Row) -> Result<Token, StoreError> {
        let list = |text: String| -> Vec<String> {
            text.split(',')
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let last_used: Option<i64> = row.get("last_used");
        let revoked: Option<i64> = row.get("revoked");
        Ok(Token {
            id: row.get("id"),
            user_id: row.get("user_id"),
            name: row.get("name"),
            scopes: list(row.get("scopes")),
            patterns: list(row.get("patterns")),
            created: time(row.get("created"))?,
            expires: time(row.get("expires"))?,
            last_used: last_used.map(time).transpose()?,
            revoked: revoked.map(time).transpose()?,
        })
    }
}

impl Store {
    /// The token with this hash, revoked or not, and its user.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn token(&self, hash: &str) -> Result<Option<(Token, User)>, StoreError> {
        let read = StoreError::database("read a token");
        let Some(row) = sqlx::query("SELECT * FROM tokens WHERE hash = $1")
            .bind(hash)
            .fetch_optional(self.readers())
            .await
            .map_err(read)?
        else {
            return Ok(None);
        };
        let token = Token::read(&row)?;
        let user = sqlx::query("SELECT * FROM users WHERE id = $1")
            .bind(token.user_id)
            .fetch_one(self.readers())
            .await
            .map_err(StoreError::database("read a user"))?;
        Ok(Some((token, User::read(&user)?)))
    }

    /// A user's tokens, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn tokens(&self, user: i64) -> Result<Vec<Token>, StoreError> {
        let rows = sqlx::query("SELECT * FROM tokens WHERE user_id = $1 ORDER BY id DESC")
            .bind(user)
            .fetch_all(self.readers())
            .await
            .map_err(StoreError::database("read tokens"))?;
        rows.iter().map(Token::read).collect()
    }

    /// Notes that a token was used at `now`. That is no change of the
    /// service's state and has no record; it is written once a minute.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn token_used(&self, token: &Token, now: Timestamp) -> Result<(), StoreError> {
        let second = now.as_second();
        if token
            .last_used
            .is_some_and(|last| second - last.as_second() < 60)
        {
            return Ok(());
        }
        let mut tx = self.backend.write().await?;
        sqlx::query("UPDATE tokens SET last_used = $2 WHERE id = $1")
            .bind(token.id)
            .bind(second)
            .execute(&mut *tx)
            .await
            .map_err(StoreError::database("write a token"))?;
        tx.commit()
            .await
            .map_err(StoreError::database("write a token"))
    }
}

impl Tx {
    /// Keeps a new token; its number.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_token(&mut self, token: &NewToken<'_>) -> Result<i64, StoreError> {
        let row = sqlx::query(
            "INSERT INTO tokens (user_id, name, hash, scopes, patterns, created, expires)
             VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
        )
        .bind(token.user.id)
        .bind(token.name)
        .bind(token.hash)
        .bind(token.scopes.join(","))
        .bind(token.patterns.join(","))
        .bind(self.now.as_second())
        .bind(token.expires.as_second())
        .fetch_one(&mut *self.inner)
        .await
        .map_err(StoreError::database("add a token"))?;
        let id: i64 = row.get(0);
        let detail = json!({
            "id": id, "name": token.name, "scopes": token.scopes,
            "crates": token.patterns, "expires": token.expires.to_string(),
        });
        self.audit("token-added", &format!("user {}", token.user.login), detail)
            .await?;
        Ok(id)
    }

    /// Revokes a user's token for good; the number of the record.
    ///
    /// # Errors
    /// The user has no such token that is not revoked, or the database cannot
    /// be written.
    pub async fn revoke_token(
        &mut self,
        user: &User,
        id: i64,
        reason: &str,
    ) -> Result<i64, StoreError> {
        let done = sqlx::query(
            "UPDATE tokens SET revoked = $3 WHERE id = $1 AND user_id = $2 AND revoked IS NULL",
        )
        .bind(id)
        .bind(user.id)
        .bind(self.now.as_second())
        .execute(&mut *self.inner)
        .await
        .map_err(StoreError::database("revoke a token"))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Missing {
                what: "token in force with the number",
                name: id.to_string(),
            });
        }
        let detail = json!({ "id": id, "reason": reason });
        self.audit("token-revoked", &format!("user {}", user.login), detail)
            .await
    }
}
