//! How people sign in: passwords, second factors, identities elsewhere, and
//! the sessions that follow.

use jiff::Timestamp;
use serde_json::json;
use sqlx::Row as _;

use crate::audit::time;
use crate::users::User;
use crate::{Store, StoreError, Tx};

/// What it takes to sign in with a password. It is kept apart from [`User`],
/// so that nothing shows it by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The hash of the password, in the PHC string format.
    pub password: Option<String>,
    /// The key of the second factor, in base 32.
    pub second_factor: Option<String>,
    /// The last time step whose code was used.
    pub second_step: Option<i64>,
    /// How many sign-ins failed since the last one that did not.
    pub failures: u32,
    /// When the last one failed.
    pub last_failure: Option<Timestamp>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// Somebody who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The SHA-256 of what the browser shows.
    pub hash: String,
    /// What every form shows back.
    pub proof: String,
    /// Since when.
    pub created: Timestamp,
    /// When it was last used, within a minute.
    pub used: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
}

impl Store {
    /// What it takes to sign in as a user.
    ///
    /// # Errors
    /// There is no such user, or the database cannot be read.
    pub async fn credentials(&self, user: i64) -> Result<Credentials, StoreError> {
        let row = sqlx::query(
            "SELECT password, second_factor, second_step, failures, last_failure
             FROM users WHERE id = $1",
        )
        .bind(user)
        .fetch_one(self.readers())
        .await
        .map_err(StoreError::database("read a user"))?;
        let failure: Option<i64> = row.get(4);
        Ok(Credentials {
            password: row.get(0),
            second_factor: row.get(1),
            second_step: row.get(2),
            failures: u32::try_from(row.get::<i64, _>(3)).unwrap_or(u32::MAX),
            last_failure: failure.map(time).transpose()?,
        })
    }

    /// Counts a sign-in that failed. Strangers cause it, so it has no record.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn sign_in_failed(&self, user: i64, now: Timestamp) -> Result<(), StoreError> {
        let failed = || StoreError::database("change a user");
        let mut tx = self.backend.aside().await?;
        sqlx::query("UPDATE users SET failures = failures + 1, last_failure = $2 WHERE id = $1")
            .bind(user)
            .bind(now.as_second())
            .execute(&mut *tx)
            .await
            .map_err(failed())?;
        tx.commit().await.map_err(failed())
    }

    /// The account of somebody whom an issuer knows.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn identity(&self, issuer: &str, subject: &str) -> Result<Option<User>, StoreError> {
        let row = sqlx::query(
            "SELECT users.* FROM users JOIN identities ON identities.user_id = users.id
             WHERE identities.issuer = $1 AND identities.subject = $2",
        )
        .bind(issuer)
        .bind(subject)
        .fetch_optional(self.readers())
        .await
        .map_err(StoreError::database("read a user"))?;
        row.as_ref().map(User::read).transpose()
    }

    /// The session with this hash, if it has not ended, and whose it is.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn session(
        &self,
        hash: &str,
        now: Timestamp,
    ) -> Result<Option<(Session, User)>, StoreError> {
        let row = sqlx::query(
            "SELECT users.*, sessions.hash, sessions.proof, sessions.created AS since,
                 sessions.used, sessions.expires
             FROM sessions JOIN users ON users.id = sessions.user_id
             WHERE sessions.hash = $1 AND sessions.expires > $2",
        )
        .bind(hash)
        .bind(now.as_second())
        .fetch_optional(self.readers())
        .await
        .map_err(StoreError::database("read a session"))?;
        let Some(row) = row else {
            return Ok(None);
        };
        let session = Session {
            hash: row.get("hash"),
            proof: row.get("proof"),
            created: time(row.get("since"))?,
            used: time(row.get("used"))?,
            expires: time(row.get("expires"))?,
        };
        Ok(Some((session, User::read(&row)?)))
    }

    /// Notes that a session was used, once a minute, and that it ends later
    /// for that.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn session_used(
        &self,
        session: &Session,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(), StoreError> {
        if now.as_second() - session.used.as_second() < 60 {
            return Ok(());
        }
        let failed = || StoreError::database("change a session");
        let mut tx = self.backend.aside().await?;
        sqlx::query("UPDATE sessions SET used = $2, expires = $3 WHERE hash = $1")
            .bind(&session.hash)
            .bind(now.as_second())
            .bind(expires.as_second())
            .execute(&mut *tx)
            .await
            .map_err(failed())?;
        tx.commit().await.map_err(failed())
    }
}

impl Tx {
    /// Sets where mails to a user go.
    ///
    /// # Errors
    /// There is no such user, or the database cannot be written.
    pub async fn set_email(&mut self, login: &str, email: Option<&str>) -> Result<(), StoreError> {
        self.set_user("email", login, email).await?;
        self.audit("email-set", &format!("user {login}"), json!({}))
            .await?;
        Ok(())
    }

    /// Sets or removes a password; `hash` is in the PHC string format. Every
    /// session of the user ends.
    ///
    /// # Errors
    /// There is no such user, or the database cannot be written.
    pub async fn set_password(
        &mut self,
        user: &User,
        hash: Option<&str>,
    ) -> Result<(), StoreError> {
        self.set_user("password", &user.login, hash).await?;
        self.drop_sessions(user).await?;
        let detail = json!({ "set": hash.is_some() });
        self.audit("password-set", &format!("user {}", user.login), detail)
            .await?;
        Ok(())
    }

    /// Sets or removes the key of the second factor. Every session of the user
    /// ends.
    ///
    /// # Errors
    /// There is no such user, or the database cannot be written.
    pub async fn set_second_factor(
        &mut self,
        user: &User,
        key: Option<&str>,
    ) -> Result<(), StoreError> {
        self.set_user("second_factor", &user.login, key).await?;
        self.drop_sessions(user).await?;
        let detail = json!({ "set": key.is_some() });
        self.audit("second-factor-set", &format!("user {}", user.login), detail)
            .await?;
        Ok(())
    }

    /// Says who a user is at an issuer of identities.
    ///
    /// # Errors
    /// Somebody is that already, or the database cannot be written.
    pub async fn link_identity(
        &mut self,
        user: &User,
        issuer: &str,
        subject: &str,
    ) -> Result<(), StoreError> {
        let done = sqlx::query(
            "INSERT INTO identities (issuer, subject, user_id) VALUES ($1, $2, $3)
             ON CONFLICT DO NOTHING",
        )
        .bind(issuer)
        .bind(subject)
        .bind(user.id)
        .execute(&mut *self.inner)
        .await
        .map_err(StoreError::database("add an identity"))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Exists {
                what: "identity",
                name: subject.to_owned(),
            });
        }
        let detail = json!({ "issuer": issuer, "subject": subject });
        self.audit("identity-linked", &format!("user {}", user.login), detail)
            .await?;
        Ok(())
    }

    /// Begins a session. `step` is the time step of the code that was shown: a
    /// code is good once.
    ///
    /// # Errors
    /// The code was used already, or the database cannot be written.
    pub async fn sign_in(
        &mut self,
        user: &User,
        session: &Session,
        step: Option<i64>,
    ) -> Result<(), StoreError> {
        let failed = || StoreError::database("begin a session");
        let done = sqlx::query(
            "UPDATE users SET failures = 0, second_step = COALESCE($2, second_step)
             WHERE id = $1 AND ($2 IS NULL OR second_step IS NULL OR second_step < $2)",
        )
        .bind(user.id)
        .bind(step)
        .execute(&mut *self.inner)
        .await
        .map_err(failed())?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Exists {
                what: "use of",
                name: "this code".to_owned(),
            });
        }
        sqlx::query("DELETE FROM sessions WHERE expires <= $1")
            .bind(self.now.as_second())
            .execute(&mut *self.inner)
            .await
            .map_err(failed())?;
        sqlx::query(
            "INSERT INTO sessions (hash, user_id, proof, created, used, expires)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&session.hash)
        .bind(user.id)
        .bind(&session.proof)
        .bind(session.created.as_second())
        .bind(session.used.as_second())
        .bind(session.expires.as_second())
        .execute(&mut *self.inner)
        .await
        .map_err(failed())?;
        self.audit("signed-in", &format!("user {}", user.login), json!({}))
            .await?;
        Ok(())
    }

    /// Ends a session.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn sign_out(&mut self, user: &User, hash: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sessions WHERE hash = $1")
            .bind(hash)
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::database("end a session"))?;
        self.audit("signed-out", &format!("user {}", user.login), json!({}))
            .await?;
        Ok(())
    }

    /// Ends every session of a user.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn end_sessions(&mut self, user: &User) -> Result<(), StoreError> {
        self.drop_sessions(user).await?;
        self.audit("sessions-ended", &format!("user {}", user.login), json!({}))
            .await?;
        Ok(())
    }

    async fn drop_sessions(&mut self, user: &User) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sessions WHERE user_id = $1")
            .bind(user.id)
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::database("end sessions"))?;
        Ok(())
    }

    /// `column` is one of ours, never a stranger's text.
    async fn set_user(
        &mut self,
        column: &'static str,
        login: &str,
        value: Option<&str>,
    ) -> Result<(), StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("UPDATE users SET {column} = $2 WHERE login = $1"));
        let done = sqlx::query(sql)
            .bind(login)
            .bind(value)
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::database("change a user"))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Missing {
                what: "user",
                name: login.to_owned(),
            });
        }
        Ok(())
    }
}
