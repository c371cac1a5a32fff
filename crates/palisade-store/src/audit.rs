//! The audit log: one record for each change, each carrying the hash of the
//! one before.
//!
//! Whoever changes, removes or inserts a record has to recompute every later
//! hash. That the end was cut off, or that everything was recomputed, shows
//! only against a head that was noted elsewhere: [`verify`](Store::verify)
//! takes one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::Row as _;

use crate::backend::Row;
use crate::deletions::DELETED;
use crate::{Store, StoreError, Tx};

/// The hash before the first record.
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// How many records are read at a time.
const PAGE: i64 = 1000;

/// Who asks for a change, and in which request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// `user:NAME`, `operator:NAME` or `policy`.
    pub name: String,
    /// The request's id; empty where there is none.
    pub request: String,
}

impl Actor {
    /// The service itself.
    pub fn policy() -> Actor {
        Actor {
            name: "policy".to_owned(),
            request: String::new(),
        }
    }

    /// Whoever may run commands on the service's machine.
    pub fn operator(name: &str) -> Actor {
        Actor {
            name: format!("operator:{name}"),
            request: String::new(),
        }
    }

    /// A user, in a request.
    pub fn user(login: &str, request: &str) -> Actor {
        Actor {
            name: format!("user:{login}"),
            request: request.to_owned(),
        }
    }

    /// The person, whether they work with a token or at the service's machine;
    /// `None` for the service itself.
    pub fn person(&self) -> Option<String> {
        person(&self.name)
    }

    /// Refuses when `other` is the same person, by whatever way they came.
    pub(crate) fn require_another(
        &self,
        other: &str,
        what: &'static str,
    ) -> Result<(), StoreError> {
        match (self.person(), person(other)) {
            (Some(own), Some(other)) if own == other => {
                Err(StoreError::SamePerson { what, person: own })
            }
            _ => Ok(()),
        }
    }
}

/// The person behind an actor's name.
fn person(actor: &str) -> Option<String> {
    let (_, name) = actor.split_once(':')?;
    Some(name.to_ascii_lowercase())
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// Its number; the first is 1.
    pub seq: i64,
    /// When, in seconds since 1970.
    pub at: i64,
    /// Who.
    pub actor: String,
    /// In which request.
    pub request: String,
    /// What was done.
    pub action: String,
    /// To what: `crate NAME`, `version NAME VERSION`, `user LOGIN`, …
    pub subject: String,
    /// More about it, a JSON object.
    pub detail: String,
    /// The hash of the record before.
    pub previous: String,
    /// The hash of this one.
    pub hash: String,
}

impl Record {
    fn read(row: &Row) -> Result<Record, sqlx::Error> {
        Ok(Record {
            seq: row.try_get("seq")?,
            at: row.try_get("at")?,
            actor: row.try_get("actor")?,
            request: row.try_get("request")?,
            action: row.try_get("action")?,
            subject: row.try_get("subject")?,
            detail: row.try_get("detail")?,
            previous: row.try_get("previous")?,
            hash: row.try_get("hash")?,
        })
    }

    /// The hash over every other field. Lengths stand before the texts, so
    /// that nothing can move from one field to the next.
    fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(self.seq.to_le_bytes());
        hasher.update(self.at.to_le_bytes());
        for text in [
            &self.actor,
            &self.request,
            &self.action,
            &self.subject,
            &self.detail,
            &self.previous,
        ] {
            hasher.update((text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        let hash: [u8; 32] = hasher.finalize().into();
        palisade_model::Checksum(hash).to_string()
    }
}

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// How many records there are.
    pub records: i64,
    /// The hash of the last one: note it elsewhere, and give it next time.
    pub head: String,
    /// What is wrong, each in one sentence.
    pub problems: Vec<String>,
}

impl Tx {
    /// Appends a record; its number.
    pub(crate) async fn audit(
        &mut self,
        action: &str,
        subject: &str,
        detail: serde_json::Value,
    ) -> Result<i64, StoreError> {
        let last = sqlx::query("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
            .fetch_optional(&mut *self.inner)
            .await
            .map_err(StoreError::database("read the audit log"))?;
        let (seq, previous) = match &last {
            Some(row) => (row.get::<i64, _>("seq"), row.get::<String, _>("hash")),
            None => (0, GENESIS.to_owned()),
        };
        let mut record = Record {
            seq: seq + 1,
            at: self.now.as_second(),
            actor: self.actor.name.clone(),
            request: self.actor.request.clone(),
            action: action.to_owned(),
            subject: subject.to_owned(),
            detail: detail.to_string(),
            previous,
            hash: String::new(),
        };
        record.hash = record.digest();
        sqlx::query(
            "INSERT INTO audit (seq, at, actor, request, action, subject, detail, previous, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(record.seq)
        .bind(record.at)
        .bind(&record.actor)
        .bind(&record.request)
        .bind(&record.action)
        .bind(&record.subject)
        .bind(&record.detail)
        .bind(&record.previous)
        .bind(&record.hash)
        .execute(&mut *self.inner)
        .await
        .map_err(StoreError::database("write the audit log"))?;
        Ok(record.seq)
    }
}

impl Store {
    /// The number of the last record; 0 when there is none. Every change moves
    /// it, so it also says whether anything that was read before still holds.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn head(&self) -> Result<i64, StoreError> {
        sqlx::query_scalar("SELECT COALESCE(MAX(seq), 0) FROM audit")
            .fetch_one(self.readers())
            .await
            .map_err(StoreError::database("read the audit log"))
    }

    /// Records after the number `after`, oldest first, a page of them.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn records(&self, after: i64) -> Result<Vec<Record>, StoreError> {
        let rows = sqlx::query("SELECT * FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2")
            .bind(after)
            .bind(PAGE)
            .fetch_all(self.readers())
            .await
            .map_err(StoreError::database("read the audit log"))?;
        rows.iter()
            .map(|row| Record::read(row).map_err(StoreError::database("read the audit log")))
            .collect()
    }

    /// Recomputes the chain, and compares every version's state with the
    /// record that put it there. `known` is the head of an earlier
    /// verification, which must still be in the chain.
    ///
    /// # Errors
    /// The database cannot be read; what is wrong with the log is in the
    /// answer.
    pub async fn verify(&self, known: Option<&str>) -> Result<Verification, StoreError> {
        let mut found = Verification {
            head: GENESIS.to_owned(),
            ..Verification::default()
        };
        let mut met = known.is_none_or(|known| known == GENESIS);
        let mut seq = 0;
        // What the log says about each version; the last record counts.
        let mut states: BTreeMap<String, (i64, String)> = BTreeMap::new();
        let mut evidence: BTreeMap<i64, String> = BTreeMap::new();
        loop {
            let page = self.records(seq).await?;
            let Some(last) = page.last().map(|record| record.seq) else {
                break;
            };
            for record in &page {
                found.check(record, &mut seq);
                met |= known == Some(record.hash.as_str());
                note_states(record, &mut states);
                note_evidence(record, &mut evidence);
            }
            seq = last;
        }
        if !met {
            found.problems.push(format!(
                "the head `{}` is not in the log: its end was cut off, or it was rewritten",
                known.unwrap_or_default()
            ));
        }
        for (canonical, version) in self.deleted().await? {
            let subject = version_subject(&canonical, &version);
            if states
                .get(&subject)
                .is_some_and(|(_, state)| state == DELETED)
            {
                states.remove(&subject);
            }
        }
        for (subject, state, record) in self.version_states().await? {
            match states.remove(&subject) {
                Some((seq, logged)) if seq == record && logged == state => {}
                Some((seq, logged)) => found.problems.push(format!(
                    "{subject} is {state} by record {record}, but record {seq} made it {logged}"
                )),
                None => found
                    .problems
                    .push(format!("{subject} is {state}, and no record says why")),
            }
        }
        for (subject, (seq, state)) in states {
            found.problems.push(format!(
                "{subject} is gone, and by record {seq} it is {state}"
            ));
        }
        for (record, hash) in self.evidence_hashes().await? {
            if evidence.remove(&record).as_ref() != Some(&hash) {
                found.problems.push(format!(
                    "the evidence of record {record} is not what was added"
                ));
            }
        }
        for record in evidence.keys() {
            found
                .problems
                .push(format!("the evidence of record {record} is gone"));
        }
        Ok(found)
    }

    /// Subject, state and its record, of every version.
    async fn version_states(&self) -> Result<Vec<(String, String, i64)>, StoreError> {
        let rows = sqlx::query("SELECT crate, version, state, state_record FROM versions")
            .fetch_all(self.readers())
            .await
            .map_err(StoreError::database("read versions"))?;
        Ok(rows
            .iter()
            .map(|row| {
                let (name, version) = (row.get::<String, _>(0), row.get::<String, _>(1));
                (version_subject(&name, &version), row.get(2), row.get(3))
            })
            .collect())
    }
}

/// How records name a version; `canonical` is the crate's canonical name.
pub(crate) fn version_subject(canonical: &str, version: &str) -> String {
    format!("version {canonical} {version}")
}

/// A record about many versions lists them in `versions`; one about a single
/// version has its state in `state`.
fn note_states(record: &Record, states: &mut BTreeMap<String, (i64, String)>) {
    let Ok(detail) = serde_json::from_str::<serde_json::Value>(&record.detail) else {
        return;
    };
    // Only versions have states; a new kind of record must not be mistaken.
    if !record.subject.starts_with("version ") && !record.subject.starts_with("crate ") {
        return;
    }
    let Some(state) = detail["state"].as_str() else {
        return;
    };
    if let Some(versions) = detail["versions"].as_array() {
        let canonical = record.subject.strip_prefix("crate ").unwrap_or_default();
        for version in versions.iter().filter_map(|version| version.as_str()) {
            let subject = version_subject(canonical, version);
            states.insert(subject, (record.seq, state.to_owned()));
        }
    } else {
        states.insert(record.subject.clone(), (record.seq, state.to_owned()));
    }
}

/// A record about evidence has the hash of its text.
fn note_evidence(record: &Record, evidence: &mut BTreeMap<i64, String>) {
    if record.action != "evidence-added" {
        return;
    }
    let detail: serde_json::Value = serde_json::from_str(&record.detail).unwrap_or_default();
    if let Some(hash) = detail["sha256"].as_str() {
        evidence.insert(record.seq, hash.to_owned());
    }
}

impl Verification {
    fn check(&mut self, record: &Record, seq: &mut i64) {
        if record.seq != *seq + 1 {
            self.problems.push(format!(
                "records {} to {} are missing",
                *seq + 1,
                record.seq - 1
            ));
        }
        if record.previous != self.head {
            self.problems.push(format!(
                "record {} does not follow the one before it",
                record.seq
            ));
        }
        if record.digest() != record.hash {
            self.problems
                .push(format!("record {} was changed", record.seq));
        }
        *seq = record.seq;
        self.records += 1;
        self.head.clone_from(&record.hash);
    }
}

/// The time of a row, in seconds since 1970.
pub(crate) fn time(second: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_second(second).map_err(|_| StoreError::Damaged {
        what: "the time",
        value: second.to_string(),
    })
}
