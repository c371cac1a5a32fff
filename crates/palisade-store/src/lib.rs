//! The state of the registry gateway, in one database.
//!
//! This crate is *not* the policy: it keeps what was decided and refuses what
//! can never follow from the state a version is in. Every change is one
//! transaction with one record in a hash-chained audit log, because [`Tx`] is
//! the only way to write and each of its methods appends one.
//!
//! The main types are [`Store`], [`Tx`], [`Version`], [`State`] and
//! [`Record`].

mod accounts;
mod appeals;
mod audit;
mod backend;
mod backup;
mod crates;
mod deletions;
mod disclosures;
mod error;
mod evidence;
mod holds;
mod inspections;
mod jobs;
mod limits;
mod location;
mod names;
mod notices;
mod publishers;
mod requests;
mod state;
mod tokens;
mod users;
mod versions;
mod waivers;

use jiff::Timestamp;
use sqlx::Row as _;

use crate::backend::{Backend, Database, Readers};

pub use accounts::{Credentials, Session};
pub use appeals::{Appeal, Outcome};
pub use audit::{Actor, Record, Verification};
pub use crates::{Conditions, Crate, Origin};
pub use disclosures::Disclosure;
pub use error::StoreError;
pub use evidence::Evidence;
pub use holds::{Hold, HoldKind};
pub use inspections::{Inspection, Verdict};
pub use jobs::Job;
pub use limits::{Limit, LimitKind};
pub use location::Location;
pub use names::{NameKind, SetAside};
pub use notices::{MAIL, Notice};
pub use publishers::Publisher;
pub use requests::Request;
pub use state::{BY_PERSON, BY_REPAIR, Cause, State};
pub use tokens::{NewToken, Token};
pub use users::{Role, User};
pub use versions::{Decision, NewVersion, Refresh, Version};
pub use waivers::{NewWaiver, Waiver};

/// The database. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    backend: Backend,
}

/// A change that is being made. Dropped without [`commit`](Tx::commit), it
/// never happened.
#[derive(Debug)]
pub struct Tx {
    inner: sqlx::Transaction<'static, Database>,
    actor: Actor,
    now: Timestamp,
}

impl Store {
    /// Opens the database, and makes or updates it.
    ///
    /// # Errors
    /// It cannot be opened, or a newer release has written it.
    pub async fn open(location: impl Into<Location>) -> Result<Store, StoreError> {
        let backend = Backend::open(&location.into()).await?;
        Ok(Store { backend })
    }

    /// Begins a change by `actor` at the time `now`. Changes queue.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn begin(&self, actor: &Actor, now: Timestamp) -> Result<Tx, StoreError> {
        Ok(Tx {
            inner: self.backend.write().await?,
            actor: actor.clone(),
            now,
        })
    }

    /// Waits for what is being written and closes the database.
    pub async fn close(&self) {
        self.backend.close().await;
    }

    /// What was kept under `key`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn setting(&self, key: &str) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT value FROM settings WHERE key = $1")
            .bind(key)
            .fetch_optional(self.readers())
            .await
            .map_err(StoreError::database("read a setting"))?;
        Ok(row.map(|row| row.get(0)))
    }

    fn readers(&self) -> &Readers {
        self.backend.readers()
    }
}

impl Tx {
    /// Makes the change last.
    ///
    /// # Errors
    /// The database cannot be written; then nothing has changed.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.inner
            .commit()
            .await
            .map_err(StoreError::database("commit a change"))
    }

    /// Keeps `value` under `key`.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn set(&mut self, key: &str, value: &str) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO settings (key, value) VALUES ($1, $2)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        )
        .bind(key)
        .bind(value)
        .execute(&mut *self.inner)
        .await
        .map_err(StoreError::database("write a setting"))?;
        let detail = serde_json::json!({ "value": value });
        self.audit("set", &format!("setting {key}"), detail).await?;
        Ok(())
    }
}
