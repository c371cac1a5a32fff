//! Versions, and where they stand.

use jiff::Timestamp;
use palisade_model::Checksum;
use serde_json::json;
use sqlx::Row as _;

use crate::audit::{time, version_subject};
use crate::backend::Row;
use crate::crates::Conditions;
use crate::state::{BY_PERSON, BY_REPAIR};
use crate::{Cause, State, Store, StoreError, Tx};

/// A version that is known. What its archive has to be is fixed from then on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The version, build metadata included.
    pub version: String,
    /// Its index line as first seen, byte for byte.
    pub line: String,
    /// The archive's checksum as first seen.
    pub checksum: Checksum,
    /// When it was published, as far as that is believed.
    pub published: Timestamp,
    /// When it was first seen here.
    pub first_seen: Timestamp,
    /// Whether it was old when it was first seen, so that rules about new
    /// versions do not apply.
    pub settled: bool,
    /// Whether its origin says that it is yanked.
    pub yanked: bool,
    /// When a yank was noticed that was not there at first sight.
    pub yank_seen: Option<Timestamp>,
    /// Until when that yank is not passed on.
    pub yank_delayed: Option<Timestamp>,
    /// The SHA-256 of the line that the upstream has put in its place.
    pub rewritten: Option<String>,
    /// Since when the upstream no longer lists it.
    pub missing_since: Option<Timestamp>,
    /// Where it stands.
    pub state: State,
    /// The rule that keeps it back.
    pub rule: Option<String>,
    /// Every rule that objects to it, that one included.
    pub rules: Vec<String>,
    /// Why, for the person who wanted it.
    pub reason: Option<String>,
    /// When the hold ends.
    pub until: Option<Timestamp>,
    /// Whether it was ever to be had by everybody.
    pub was_public: bool,
    /// Who published it here.
    pub publisher: Option<i64>,
    /// The audit record that put it where it stands.
    pub state_record: i64,
}

/// Where a version shall stand, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Where it shall stand.
    pub state: State,
    /// The rule that decided.
    pub rule: Option<String>,
    /// Every rule that objects, that one included.
    pub rules: Vec<String>,
    /// Why, for the person who wants the version.
    pub reason: Option<String>,
    /// When a hold ends.
    pub until: Option<Timestamp>,
    /// What rules would have done that only observe.
    pub observed: Vec<String>,
}

/// A version that was not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVersion {
    /// The version, build metadata included.
    pub version: String,
    /// What no second version of the crate may have.
    pub identity: String,
    /// Its index line.
    pub line: String,
    /// The archive's checksum.
    pub checksum: Checksum,
    /// When it was published, as far as that is believed.
    pub published: Timestamp,
    /// Whether it is old already.
    pub settled: bool,
    /// Whether its origin says that it is yanked.
    pub yanked: bool,
    /// Where it shall stand.
    pub decision: Decision,
    /// Who published it here.
    pub publisher: Option<i64>,
}

/// What an upstream says of a known version now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refresh {
    /// Which version.
    pub version: String,
    /// Whether it is yanked.
    pub yanked: bool,
    /// When a yank was noticed.
    pub yank_seen: Option<Timestamp>,
    /// Until when it is not passed on.
    pub yank_delayed: Option<Timestamp>,
    /// The SHA-256 of the line that is there in its place.
    pub rewritten: Option<String>,
    /// Since when it is no longer listed.
    pub missing_since: Option<Timestamp>,
}

impl Decision {
    /// No rule objects.
    pub fn allow() -> Decision {
        Decision {
            state: State::Allowed,
            rule: None,
            rules: Vec::new(),
            reason: None,
            until: None,
            observed: Vec::new(),
        }
    }

    fn detail(&self, checksum: Checksum) -> serde_json::Value {
        let mut detail = json!({
            "state": self.state.as_str(),
            "checksum": checksum.to_string(),
        });
        if let Some(rule) = &self.rule {
            detail["rule"] = json!(rule);
        }
        if self.rules.len() > 1 {
            detail["rules"] = json!(self.rules);
        }
        if let Some(reason) = &self.reason {
            detail["reason"] = json!(reason);
        }
        if let Some(until) = self.until {
            detail["until"] = json!(until.to_string());
        }
        if !self.observed.is_empty() {
            detail["observed"] = json!(self.observed);
        }
        detail
    }
}

impl Version {
    fn read(row: &Row) -> Result<Version, StoreError> {
        let damaged = |what, value| StoreError::Damaged { what, value };
        let optional = |field: &str| -> Result<Option<Timestamp>, StoreError> {
            row.get::<Option<i64>, _>(field).map(time).transpose()
        };
        let rules: String = row.get("rules");
        let state: String = row.get("state");
        Ok(Version {
            version: row.get("version"),
            line: row.get("line"),
            checksum: checksum(row.get("checksum"))?,
            published: time(row.get("published"))?,
            first_seen: time(row.get("first_seen"))?,
            settled: row.get::<i64, _>("settled") != 0,
            yanked: row.get::<i64, _>("yanked") != 0,
            yank_seen: optional("yank_seen")?,
            yank_delayed: optional("yank_delayed")?,
            rewritten: row.get("rewritten"),
            missing_since: optional("missing_since")?,
            state: State::parse(&state).ok_or_else(|| damaged("the state", state))?,
            rule: row.get("rule"),
            rules: rules
                .split(',')
                .filter(|rule| !rule.is_empty())
                .map(str::to_owned)
                .collect(),
            reason: row.get("reason"),
            until: optional("until")?,
            was_public: row.get::<i64, _>("was_public") != 0,
            publisher: row.get("publisher"),
            state_record: row.get("state_record"),
        })
    }

    /// Whether it is shown as yanked to those who may have it.
    pub fn is_shown_yanked(&self) -> bool {
        self.yanked && self.yank_delayed.is_none()
    }

    /// What the upstream last said of it.
    pub fn refresh(&self) -> Refresh {
        Refresh {
            version: self.version.clone(),
            yanked: self.yanked,
            yank_seen: self.yank_seen,
            yank_delayed: self.yank_delayed,
            rewritten: self.rewritten.clone(),
            missing_since: self.missing_since,
        }
    }
}

/// A checksum as the database has it.
pub(crate) fn checksum(text: String) -> Result<Checksum, StoreError> {
    text.parse().map_err(|_| StoreError::Damaged {
        what: "the checksum",
        value: text,
    })
}

impl Store {
    /// Every version of a crate, in the order of publication.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn versions(&self, canonical: &str) -> Result<Vec<Version>, StoreError> {
        let rows = sqlx::query("SELECT * FROM versions WHERE crate = $1 ORDER BY position")
            .bind(canonical)
            .fetch_all(self.readers())
            .await
            .map_err(StoreError::database("read versions"))?;
        rows.iter().map(Version::read).collect()
    }

    /// Canonical names and versions that stand in `state`, oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn in_state(&self, state: State) -> Result<Vec<(String, Version)>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM versions WHERE state = $1 ORDER BY first_seen, crate")
                .bind(state.as_str())
                .fetch_all(self.readers())
                .await
                .map_err(StoreError::database("read versions"))?;
        rows.iter()
            .map(|row| Ok((row.get("crate"), Version::read(row)?)))
            .collect()
    }

    /// The canonical names of crates for which something is due at `now`: a
    /// hold or the delay of a yank ends.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn due(&self, now: Timestamp) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar(
            "SELECT DISTINCT crate FROM versions
             WHERE (state = 'held' AND until <= $1) OR yank_delayed <= $1 ORDER BY crate",
        )
        .bind(now.as_second())
        .fetch_all(self.readers())
        .await
        .map_err(StoreError::database("read versions"))
    }

    /// The canonical names of crates with a version that a rule keeps back, or
    /// that was not settled when first seen: what a changed policy has to look
    /// at again.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn unsettled(&self) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar(
            "SELECT DISTINCT crate FROM versions
             WHERE settled = 0 OR state IN ('held', 'quarantined') ORDER BY crate",
        )
        .fetch_all(self.readers())
        .await
        .map_err(StoreError::database("read versions"))
    }

    /// How many versions stand where.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn count_states(&self) -> Result<Vec<(State, u64)>, StoreError> {
        let rows = sqlx::query("SELECT state, COUNT(*) FROM versions GROUP BY state")
            .fetch_all(self.readers())
            .await
            .map_err(StoreError::database("count versions"))?;
        Ok(rows
            .iter()
            .filter_map(|row| {
                let state = State::parse(row.get::<&str, _>(0))?;
                Some((state, u64::try_from(row.get::<i64, _>(1)).ok()?))
            })
            .collect())
    }
}

impl Tx {
    /// Every version of a crate, as this change sees them.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn versions(&mut self, canonical: &str) -> Result<Vec<Version>, StoreError> {
        let rows = sqlx::query("SELECT * FROM versions WHERE crate = $1 ORDER BY position")
            .bind(canonical)
            .fetch_all(&mut *self.inner)
            .await
            .map_err(StoreError::database("read versions"))?;
        rows.iter().map(Version::read).collect()
    }

    /// Adds versions behind those that are known. Those that are allowed share
    /// one record; each other has its own.
    ///
    /// # Errors
    /// One exists, or the database cannot be written.
    pub async fn add_versions(
        &mut self,
        canonical: &str,
        versions: &[NewVersion],
    ) -> Result<(), StoreError> {
        let mut position: i64 =
            sqlx::query_scalar("SELECT COALESCE(MAX(position), 0) FROM versions WHERE crate = $1")
                .bind(canonical)
                .fetch_one(&mut *self.inner)
                .await
                .map_err(StoreError::database("read versions"))?;
        let plain = |new: &&NewVersion| {
            new.decision.state == State::Allowed && new.decision.observed.is_empty()
        };
        let allowed: Vec<&str> = versions
            .iter()
            .filter(plain)
            .map(|new| new.version.as_str())
            .collect();
        let mut shared = 0;
        if !allowed.is_empty() {
            let detail = json!({ "state": State::Allowed.as_str(), "versions": allowed });
            shared = self
                .audit("versions-added", &format!("crate {canonical}"), detail)
                .await?;
        }
        for new in versions {
            let record = if plain(&new) {
                shared
            } else {
                let subject = version_subject(canonical, &new.version);
                let detail = new.decision.detail(new.checksum);
                self.audit("version-added", &subject, detail).await?
            };
            position += 1;
            self.add_version(canonical, new, position, record).await?;
            if !new.decision.state.is_public() {
                self.tell_owners(canonical, &new.version, &new.decision)
                    .await?;
            }
        }
        Ok(())
    }

    async fn add_version(
        &mut self,
        canonical: &str,
        new: &NewVersion,
        position: i64,
        record: i64,
    ) -> Result<(), StoreError> {
        let decision = &new.decision;
        // Whoever has the deleted one in a lockfile would get another crate.
        if self.was_deleted(canonical, &new.identity).await? {
            return Err(StoreError::Exists {
                what: "version that was deleted",
                name: format!("{canonical} {}", new.version),
            });
        }
        let done = sqlx::query(
            "INSERT INTO versions (crate, version, identity, position, line, checksum, published,
                 first_seen, settled, yanked, state, rule, reason, until, was_public, publisher,
                 state_record, rules)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                 $18)
             ON CONFLICT DO NOTHING",
        )
        .bind(canonical)
        .bind(&new.version)
        .bind(&new.identity)
        .bind(position)
        .bind(&new.line)
        .bind(new.checksum.to_string())
        .bind(new.published.as_second())
        .bind(self.now.as_second())
        .bind(i64::from(new.settled))
        .bind(i64::from(new.yanked))
        .bind(decision.state.as_str())
        .bind(&decision.rule)
        .bind(&decision.reason)
        .bind(decision.until.map(Timestamp::as_second))
        .bind(i64::from(decision.state.is_public()))
        .bind(new.publisher)
        .bind(record)
        .bind(decision.rules.join(","))
        .execute(&mut *self.inner)
        .await
        .map_err(StoreError::database("add a version"))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Exists {
                what: "version",
                name: format!("{canonical} {}", new.version),
            });
        }
        Ok(())
    }

    /// Moves a version to another state. `seen` is the version as the decision
    /// was made about: when it stands elsewhere by now, nothing happens.
    ///
    /// # Errors
    /// The state cannot follow for this cause, somebody else was faster, or
    /// the database cannot be written.
    pub async fn decide(
        &mut self,
        canonical: &str,
        seen: &Version,
        decision: &Decision,
        cause: Cause,
    ) -> Result<(), StoreError> {
        // A person's quarantine is the same state as a rule's, but no rule ends
        // it.
        let by_person = matches!(seen.rule.as_deref(), Some(BY_PERSON | BY_REPAIR));
        let undone = by_person && cause == Cause::Policy;
        if undone || !seen.state.may_become(decision.state, cause) {
            return Err(StoreError::Transition {
                from: seen.state,
                to: decision.state,
                cause,
            });
        }
        let subject = version_subject(canonical, &seen.version);
        let mut detail = decision.detail(seen.checksum);
        detail["from"] = json!(seen.state.as_str());
        let record = self.audit("state-changed", &subject, detail).await?;
        let done = sqlx::query(
            "UPDATE versions SET state = $3, rule = $4, reason = $5, until = $6,
                 was_public = CASE WHEN $7 = 1 THEN 1 ELSE was_public END, state_record = $8,
                 rules = $11
             WHERE crate = $1 AND version = $2 AND state_record = $9 AND checksum = $10",
        )
        .bind(canonical)
        .bind(&seen.version)
        .bind(decision.state.as_str())
        .bind(&decision.rule)
        .bind(&decision.reason)
        .bind(decision.until.map(Timestamp::as_second))
        .bind(i64::from(decision.state.is_public()))
        .bind(record)
        .bind(seen.state_record)
        .bind(seen.checksum.to_string())
        .bind(decision.rules.join(","))
        .execute(&mut *self.inner)
        .await
        .map_err(StoreError::database("change a version"))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Raced { subject });
        }
        if seen.state != decision.state {
            self.tell_owners(canonical, &seen.version, decision).await?;
        }
        Ok(())
    }

    /// Tells the owners of a crate that is published here where a version of it
    /// stands now.
    async fn tell_owners(
        &mut self,
        canonical: &str,
        version: &str,
        decision: &Decision,
    ) -> Result<(), StoreError> {
        let subject = format!("{canonical} {version} is {}", decision.state);
        let mut body = subject.clone();
        if let Some(until) = decision.until {
            body.push_str(&format!(" until {until}"));
        }
        if let Some(reason) = &decision.reason {
            body.push_str(&format!(": {reason}"));
        }
        if let Some(rule) = &decision.rule {
            body.push_str(&format!(" (rule `{rule}`)"));
        }
        let kind = format!("version-{}", decision.state);
        self.notify_owners(canonical, &kind, &subject, &body).await
    }

    /// Yanks or unyanks a version that is published here; whether that changed
    /// anything.
    ///
    /// # Errors
    /// There is no such version, or the database cannot be written.
    pub async fn set_yanked(
        &mut self,
        canonical: &str,
        version: &str,
        yanked: bool,
    ) -> Result<bool, StoreError> {
        let before: Option<i64> =
            sqlx::query_scalar("SELECT yanked FROM versions WHERE crate = $1 AND version = $2")
                .bind(canonical)
                .bind(version)
                .fetch_optional(&mut *self.inner)
                .await
                .map_err(StoreError::database("read a version"))?;
        let Some(before) = before else {
            return Err(StoreError::Missing {
                what: "version",
                name: format!("{canonical} {version}"),
            });
        };
        if (before != 0) == yanked {
            return Ok(false);
        }
        sqlx::query("UPDATE versions SET yanked = $3 WHERE crate = $1 AND version = $2")
            .bind(canonical)
            .bind(version)
            .bind(i64::from(yanked))
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::database("change a version"))?;
        let action = if yanked { "yanked" } else { "unyanked" };
        self.audit(action, &version_subject(canonical, version), json!({}))
            .await?;
        Ok(true)
    }

    /// Keeps what an upstream says of known versions now.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn refresh(
        &mut self,
        canonical: &str,
        changes: &[Refresh],
    ) -> Result<(), StoreError> {
        let seconds = |time: Option<Timestamp>| time.map(Timestamp::as_second);
        let shown = |time: Option<Timestamp>| time.map(|time| time.to_string());
        for change in changes {
            sqlx::query(
                "UPDATE versions SET yanked = $3, yank_seen = $4, yank_delayed = $5,
                     rewritten = $6, missing_since = $7 WHERE crate = $1 AND version = $2",
            )
            .bind(canonical)
            .bind(&change.version)
            .bind(i64::from(change.yanked))
            .bind(seconds(change.yank_seen))
            .bind(seconds(change.yank_delayed))
            .bind(&change.rewritten)
            .bind(seconds(change.missing_since))
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::database("change a version"))?;
            let detail = json!({
                "yanked": change.yanked, "yank-delayed-until": shown(change.yank_delayed),
                "rewritten-as": change.rewritten, "missing-since": shown(change.missing_since),
            });
            let subject = version_subject(canonical, &change.version);
            self.audit("upstream-changed", &subject, detail).await?;
        }
        Ok(())
    }

    /// Keeps what the upstream said with a crate's index file. That is part of
    /// the copy, not of the service's state, and has no record.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn set_conditions(
        &mut self,
        canonical: &str,
        conditions: &Conditions,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE crates SET etag = $2, last_modified = $3 WHERE canonical = $1")
            .bind(canonical)
            .bind(&conditions.etag)
            .bind(&conditions.last_modified)
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::database("change a crate"))?;
        Ok(())
    }
}
