//! Looking into archives, with the rules of registries and the scanner.

use std::collections::HashSet;
use std::sync::PoisonError;
use std::time::Duration;

use palisade_model::Checksum;
use palisade_store::{Actor, Inspection, Version};

use super::Catalogue;
use crate::GatewayError;
use crate::look::{Look, look};
use crate::policy::Mode;
use crate::scanner::{Answer, Subject};

/// How many versions before are asked for their archives.
const LOOK_BACK: usize = 16;

/// The most bytes of an archive that another one is compared with.
const MOST_PREVIOUS: u64 = 16 << 20;

/// What looking into an archive brought now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Looked {
    pub(crate) inspection: Option<Inspection>,
    /// Why the scanner gave no answer.
    pub(crate) unanswered: Option<String>,
}

impl Looked {
    pub(crate) fn unanswered(reason: &str) -> Looked {
        Looked {
            inspection: None,
            unanswered: Some(reason.to_owned()),
        }
    }
}

impl Catalogue {
    /// Looks into an archive, unless somebody has. What is seen is kept with
    /// the checksum; a token of ours in it is revoked.
    pub(crate) async fn inspect(
        &self,
        name: &str,
        version: &Version,
        bytes: &[u8],
        patience: Duration,
    ) -> Result<Looked, GatewayError> {
        let checksum = version.checksum;
        // Many who ask at once cause one look.
        let gate = self.gates().entry(checksum).or_default().clone();
        let _held = gate.lock().await;
        let looked = self.inspect_once(name, version, bytes, patience).await;
        self.gates().remove(&checksum);
        looked
    }

    async fn inspect_once(
        &self,
        name: &str,
        version: &Version,
        bytes: &[u8],
        patience: Duration,
    ) -> Result<Looked, GatewayError> {
        let mode = self.config.policy.scan.mode();
        let kept = self.store.inspection(version.checksum).await?;
        if let Some(kept) = kept.filter(|kept| kept.verdict.is_some() || mode == Mode::Off) {
            return Ok(Looked {
                inspection: Some(kept),
                unanswered: None,
            });
        }
        let Ok(parsed) = version.version.parse() else {
            return Ok(Looked::unanswered("the version cannot be read"));
        };
        let subject = Subject {
            name: name.to_owned(),
            version: parsed,
            checksum: version.checksum,
            archive: bytes.to_vec(),
            previous: self.previous(name, version).await,
        };
        let (look, verdict, unanswered) = if mode == Mode::Off {
            (self.look(subject).await, None, None)
        } else {
            match self.scan(subject.clone(), patience).await {
                Ok(answer) => (answer.look, Some(answer.verdict), None),
                // An archive that breaks the scanner is not read here when
                // nobody gets it anyway.
                Err(error) if mode == Mode::Enforce => return Ok(Looked::unanswered(&error)),
                Err(error) => (self.look(subject).await, None, Some(error)),
            }
        };
        let exposed = self.revoke_exposed(&look, name, version).await?;
        let mut inspection = Inspection {
            defect: look.defect,
            licence: look.licence,
            verdict,
        };
        if let (Some(verdict), true) = (&mut inspection.verdict, exposed) {
            verdict.secret = Some("it ships a token of this registry".to_owned());
        }
        let mut tx = self.store.begin(&Actor::policy(), self.clock.now()).await?;
        tx.set_inspection(version.checksum, &inspection).await?;
        tx.commit().await?;
        Ok(Looked {
            inspection: Some(inspection),
            unanswered,
        })
    }

    /// The archive of the version before, when it is at hand; nothing is
    /// fetched for a comparison.
    async fn previous(&self, name: &str, version: &Version) -> Option<Vec<u8>> {
        let own: semver::Version = version.version.parse().ok()?;
        let canonical = palisade_index::canonical_name(name);
        let versions = self.store.versions(&canonical).await.ok()?;
        let mut earlier: Vec<(semver::Version, Checksum)> = versions
            .iter()
            .filter_map(|other| Some((other.version.parse().ok()?, other.checksum)))
            .filter(|(other, _)| *other < own)
            .collect();
        earlier.sort();
        let upstream = self.upstream.as_ref();
        let find = |(other, checksum): &(semver::Version, Checksum)| {
            let path = match upstream {
                Some(upstream) => upstream.kept_archive(name, other),
                None => self.archives.path(*checksum),
            };
            let hosted = self.archives.path(*checksum);
            [path, hosted].into_iter().find(|path| path.is_file())
        };
        let path = earlier.iter().rev().take(LOOK_BACK).find_map(find)?;
        let read = tokio::task::spawn_blocking(move || {
            use std::io::Read as _;
            let mut bytes = Vec::new();
            let file = std::fs::File::open(path).ok()?;
            file.take(MOST_PREVIOUS + 1).read_to_end(&mut bytes).ok()?;
            (bytes.len() as u64 <= MOST_PREVIOUS).then_some(bytes)
        });
        read.await.ok()?
    }

    /// Looks into an archive here, for want of a scanner.
    async fn look(&self, subject: Subject) -> Look {
        let work = tokio::task::spawn_blocking(move || {
            look(
                &subject.name,
                &subject.version,
                subject.checksum,
                &subject.archive,
            )
        });
        work.await.unwrap_or_else(|_| Look {
            defect: Some("it cannot be read without a failure".to_owned()),
            ..Look::default()
        })
    }

    /// How long the scanner may take when nobody waits for a prompt answer.
    pub(super) fn scanner_patience(&self) -> Duration {
        Duration::from_secs(u64::from(self.config.policy.scan.seconds))
    }

    /// Asks the scanner, on a thread of its own and not for ever.
    async fn scan(&self, subject: Subject, patience: Duration) -> Result<Answer, String> {
        let Some(scanner) = self.scanner.clone() else {
            return Err("there is none".to_owned());
        };
        // Waiting for others is no fault of this archive. The permit stays with
        // the work, also when nobody waits for it any more.
        let permit = self.scans.clone().acquire_owned().await;
        let work = tokio::task::spawn_blocking(move || {
            let answer = scanner.scan(&subject);
            drop(permit);
            answer
        });
        match tokio::time::timeout(patience, work).await {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(error))) => Err(error.to_string()),
            Ok(Err(_)) => Err("it crashed".to_owned()),
            Err(_) => Err(format!("it took longer than {} s", patience.as_secs())),
        }
    }

    /// Revokes every token of ours that an archive shows to the world, and
    /// tells its owner; whether there was one.
    async fn revoke_exposed(
        &self,
        look: &Look,
        name: &str,
        version: &Version,
    ) -> Result<bool, GatewayError> {
        let mut found = false;
        for exposed in &look.tokens {
            let Some((token, user)) = self.store.token(&exposed.hash).await? else {
                continue;
            };
            found = true;
            let path = palisade_archive::visible(&exposed.path);
            let place = format!("{name} {}, {path}", version.version);
            let mut tx = self.store.begin(&Actor::policy(), self.clock.now()).await?;
            if tx.revoke_found_token(&token, &user, &place).await? {
                tx.commit().await?;
                tracing::warn!(
                    token = token.id,
                    user = user.login,
                    place,
                    "revoked a token that was found"
                );
            }
        }
        Ok(found)
    }

    pub(super) fn inspections(&self) -> std::sync::MutexGuard<'_, HashSet<Checksum>> {
        self.inspected
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn gates(&self) -> std::sync::MutexGuard<'_, std::collections::HashMap<Checksum, super::Gate>> {
        self.inspecting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
