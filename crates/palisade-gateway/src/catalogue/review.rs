//! Looking into archives, and looking again when time is up.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use palisade_archive::{ArchiveError, CrateArchive, CrateName, ReadOptions};
use palisade_index::{DependencyKind, IndexVersion};
use palisade_model::Checksum;
use palisade_store::{Actor, Cause, Decision, Origin, State, Verdict, Version};

use super::{Catalogue, Freshness, Slot, Unserved, View};
use crate::GatewayError;
use crate::policy::{Access, Facts, Known, Mode, Viewer, judge};
use crate::scanner::Subject;

/// How long whoever publishes waits for the scanner. cargo gives up on a
/// request that says nothing for half a minute; a job goes on after that.
const PUBLISHER_WAITS: Duration = Duration::from_secs(15);

/// What looking into an archive brought.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inspection {
    pub(crate) defect: Option<String>,
    pub(crate) verdict: Option<Result<Verdict, String>>,
}

impl Catalogue {
    /// The archive of a version for somebody: the policy is asked, the bytes
    /// are compared with the checksum that was first seen, and an archive that
    /// nobody has looked into is looked into first.
    pub(crate) async fn archive(
        &self,
        name: &str,
        version: &str,
        viewer: Viewer,
    ) -> Result<Vec<u8>, Unserved> {
        let (view, version) = self.find(name, version).await?;
        if let Access::Refused(refusal) = view.access(&self.config.policy, &version, viewer) {
            return Err(Unserved::Refused(refusal));
        }
        let bytes = self.bytes(&view, &version).await?;
        let seen = version.state == State::Released || self.was_inspected(version.checksum);
        if seen {
            return Ok(bytes);
        }
        let patience = self.scanner_patience();
        let inspection = self
            .inspect(&view.krate.name, &version, &bytes, patience)
            .await?;
        let settled = matches!(inspection.verdict, None | Some(Ok(_)));
        self.judge_again(&view.krate.canonical, Some((&version.version, inspection)))
            .await?;
        if settled {
            self.inspections().insert(version.checksum);
        }
        let (view, version) = self.find(name, &version.version).await?;
        match view.access(&self.config.policy, &version, viewer) {
            Access::Open => Ok(bytes),
            Access::Refused(refusal) => Err(Unserved::Refused(refusal)),
        }
    }

    async fn find(&self, name: &str, version: &str) -> Result<(Arc<View>, Version), Unserved> {
        let mut view = self.get(name, Freshness::Any).await?;
        // A version that appeared since the last look.
        if view
            .as_ref()
            .is_some_and(|view| view.version(version).is_none())
        {
            view = self.get(name, Freshness::Usual).await?;
        }
        let view = view.ok_or(Unserved::Missing)?;
        // Downloads are spelled exactly as published, so that no other
        // spelling finds a way around a cache or a list.
        if view.krate.name != name {
            return Err(Unserved::Missing);
        }
        let version = view.version(version).cloned().ok_or(Unserved::Missing)?;
        Ok((view, version))
    }

    /// The archive's bytes, compared with the checksum that was first seen.
    async fn bytes(&self, view: &View, version: &Version) -> Result<Vec<u8>, Unserved> {
        let found = if view.krate.origin == Origin::Hosted {
            self.archives.get(version.checksum)?
        } else {
            let upstream = self.upstream.as_ref().ok_or(Unserved::Missing)?;
            let index =
                IndexVersion::parse(&version.line).map_err(|reason| GatewayError::Index {
                    name: view.krate.name.clone(),
                    reason,
                })?;
            upstream.archive(index).await?
        };
        found.ok_or(Unserved::Missing)
    }

    /// Looks into an archive, with the rules of registries and the scanner.
    pub(crate) async fn inspect(
        &self,
        name: &str,
        version: &Version,
        bytes: &[u8],
        patience: Duration,
    ) -> Result<Inspection, GatewayError> {
        self.revoke_found(name, &version.version, bytes).await;
        let mut inspection = Inspection {
            defect: self.defect(name, version, bytes),
            verdict: None,
        };
        if self.config.policy.scan.mode != Mode::Off {
            let verdict = match self.store.verdict(version.checksum).await? {
                Some(verdict) => Ok(verdict),
                None => self.scan(name, version, bytes, patience).await?,
            };
            inspection.verdict = Some(verdict);
        }
        Ok(inspection)
    }

    fn defect(&self, name: &str, version: &Version, bytes: &[u8]) -> Option<String> {
        if self.config.policy.archive.mode == Mode::Off {
            return None;
        }
        let options = ReadOptions {
            checksum: Some(version.checksum),
            ..ReadOptions::strict()
        };
        let expected = CrateName {
            name: name.to_owned(),
            version: version.version.parse().ok()?,
        };
        match CrateArchive::from_bytes("the archive", bytes, &options.expecting(expected)) {
            Ok(_) => None,
            Err(ArchiveError::Refused { findings, .. }) => findings
                .first()
                .map(|finding| format!("{} ({})", finding.kind.message(), finding.kind.code())),
            Err(error) => Some(super::chain(&error)),
        }
    }

    /// Asks the scanner, on a thread of its own and not for ever. Its answer
    /// is kept with the checksum.
    async fn scan(
        &self,
        name: &str,
        version: &Version,
        bytes: &[u8],
        patience: Duration,
    ) -> Result<Result<Verdict, String>, GatewayError> {
        let Some(scanner) = self.scanner.clone() else {
            return Ok(Err("there is none".to_owned()));
        };
        let Ok(parsed) = version.version.parse() else {
            return Ok(Err("the version cannot be read".to_owned()));
        };
        let subject = Subject {
            name: name.to_owned(),
            version: parsed,
            checksum: version.checksum,
            archive: bytes.to_vec(),
        };
        let work = tokio::task::spawn_blocking(move || scanner.scan(&subject));
        let answer = match tokio::time::timeout(patience, work).await {
            Ok(Ok(Ok(verdict))) => Ok(verdict),
            Ok(Ok(Err(error))) => Err(error.to_string()),
            Ok(Err(_)) => Err("it crashed".to_owned()),
            Err(_) => Err(format!("it took longer than {} s", patience.as_secs())),
        };
        if let Ok(verdict) = &answer {
            let mut tx = self.store.begin(&Actor::policy(), self.clock.now()).await?;
            tx.set_verdict(version.checksum, verdict).await?;
            tx.commit().await?;
        }
        Ok(answer)
    }

    /// How long the scanner may take when nobody waits for a prompt answer.
    fn scanner_patience(&self) -> Duration {
        Duration::from_secs(u64::from(self.config.policy.scan.seconds))
    }

    /// Has the scanner look at a version about which it has given no answer;
    /// why it has given none now, if so.
    pub(crate) async fn scan_again(
        &self,
        name: &str,
        version: &str,
    ) -> Result<Result<(), String>, GatewayError> {
        let found = self.find(name, version).await;
        let (view, version) = match found {
            Ok(found) => found,
            // It is gone, and nobody will have it.
            Err(Unserved::Missing | Unserved::Refused(_)) => return Ok(Ok(())),
            Err(Unserved::Failed(error)) => return Err(error),
        };
        let bytes = match self.bytes(&view, &version).await {
            Ok(bytes) => bytes,
            Err(_) => return Ok(Err("the archive cannot be fetched".to_owned())),
        };
        let patience = self.scanner_patience();
        let inspection = self.inspect(name, &version, &bytes, patience).await?;
        let answer = match &inspection.verdict {
            Some(Err(reason)) => Err(reason.clone()),
            _ => Ok(()),
        };
        self.judge_again(&view.krate.canonical, Some((&version.version, inspection)))
            .await?;
        Ok(answer)
    }

    /// Looks again at a crate in which something is due: holds that end are
    /// released when every check passes, yanks that were delayed are passed on.
    pub(crate) async fn look_again(
        &self,
        canonical: &str,
        now: Timestamp,
    ) -> Result<(), GatewayError> {
        let Some(view) = self.load(canonical).await? else {
            return Ok(());
        };
        let due: Vec<&Version> = view
            .versions
            .iter()
            .filter(|version| version.state == State::Held)
            .filter(|version| version.until.is_some_and(|until| until <= now))
            .collect();
        for version in due {
            // What it depends on has to be known before it can be judged.
            if let Ok(index) = IndexVersion::parse(&version.line) {
                for dependency in &index.dependencies {
                    if dependency.kind != DependencyKind::Development
                        && dependency.registry.is_none()
                    {
                        let _ = self.get(&dependency.package, Freshness::Usual).await;
                    }
                }
            }
            let inspection = match self.bytes(&view, version).await {
                Ok(bytes) => {
                    let patience = self.scanner_patience();
                    self.inspect(&view.krate.name, version, &bytes, patience)
                        .await?
                }
                Err(_) if self.config.policy.scan.mode == Mode::Off => Inspection::default(),
                Err(_) => Inspection {
                    defect: None,
                    verdict: Some(Err("the archive cannot be fetched".to_owned())),
                },
            };
            self.judge_again(canonical, Some((&version.version, inspection)))
                .await?;
        }
        self.pass_on_yanks(canonical, now).await
    }

    async fn pass_on_yanks(&self, canonical: &str, now: Timestamp) -> Result<(), GatewayError> {
        let slot = self.slot(canonical);
        let _gate = slot.gate.lock().await;
        let mut tx = self.store.begin(&Actor::policy(), now).await?;
        let versions = tx.versions(canonical).await?;
        let over: Vec<_> = versions
            .iter()
            .filter(|version| version.yank_delayed.is_some_and(|until| until <= now))
            .map(|version| palisade_store::Refresh {
                yank_delayed: None,
                ..version.refresh()
            })
            .collect();
        tx.refresh(canonical, &over).await?;
        tx.commit().await?;
        self.reload(&slot, canonical).await?;
        Ok(())
    }

    /// Looks again at every version that a changed policy may judge
    /// differently.
    pub(crate) async fn judge_everything(&self) -> Result<(), GatewayError> {
        for canonical in self.store.unsettled().await? {
            self.judge_again(&canonical, None).await?;
        }
        Ok(())
    }

    /// Judges a crate's versions again: the one that was looked into, or, when
    /// there is none, all of them.
    async fn judge_again(
        &self,
        canonical: &str,
        inspected: Option<(&str, Inspection)>,
    ) -> Result<(), GatewayError> {
        let slot: Arc<Slot> = self.slot(canonical);
        let _gate = slot.gate.lock().await;
        let Some(view) = self.load(canonical).await? else {
            return Ok(());
        };
        let now = self.clock.now();
        let mut known = Vec::new();
        let mut versions = Vec::new();
        for version in &view.versions {
            let Ok(index) = IndexVersion::parse(&version.line) else {
                continue;
            };
            known.push(self.known(version, index).await?);
            versions.push(version);
        }
        let mut looked_into = BTreeMap::new();
        if let Some((version, inspection)) = inspected {
            looked_into.insert(version, inspection);
        }
        let all = looked_into.is_empty();
        let mut decisions: Vec<(&Version, Decision)> = Vec::new();
        for (at, version) in versions.into_iter().enumerate() {
            if let Some(inspection) = looked_into.get(version.version.as_str()) {
                known[at].defect.clone_from(&inspection.defect);
                known[at].verdict.clone_from(&inspection.verdict);
            } else if !all {
                continue;
            }
            let facts = Facts {
                name: &view.krate.name,
                hosted: view.krate.origin == Origin::Hosted,
                versions: &known,
                now,
            };
            let decision = judge(&self.config.policy, &facts, at);
            if self.follows(version, &decision, all) {
                decisions.push((version, decision));
            }
        }
        if decisions.is_empty() {
            return Ok(());
        }
        let mut tx = self.store.begin(&Actor::policy(), now).await?;
        for (version, decision) in decisions {
            tx.decide(canonical, version, &decision, Cause::Policy)
                .await?;
        }
        tx.commit().await?;
        self.reload(&slot, canonical).await?;
        Ok(())
    }

    async fn known(&self, version: &Version, index: IndexVersion) -> Result<Known, GatewayError> {
        let held_dependency = if version.settled || version.state == State::Quarantined {
            None
        } else {
            self.held_dependency(&index).await?
        };
        let verdict = if self.config.policy.scan.mode == Mode::Off {
            None
        } else {
            self.store.verdict(version.checksum).await?.map(Ok)
        };
        Ok(Known {
            index,
            published: version.published,
            settled: version.settled,
            yank_seen: version.yank_seen,
            missing_since: version.missing_since,
            defect: None,
            verdict,
            held_dependency,
        })
    }

    /// Whether a new judgement about a version is to be written down.
    fn follows(&self, version: &Version, decision: &Decision, policy_changed: bool) -> bool {
        let same = version.state == decision.state
            && version.rule == decision.rule
            && version.until == decision.until;
        if same || !version.state.may_become(decision.state, Cause::Policy) {
            return false;
        }
        match version.state {
            // A quarantine ends without a person only when its rule is gone:
            // this look may not have what the rule had before it.
            State::Quarantined => policy_changed && !self.still_enforced(version.rule.as_deref()),
            State::Held if decision.state == State::Allowed => {
                !policy_changed || !self.needs_archive(version.rule.as_deref())
            }
            _ => true,
        }
    }

    fn still_enforced(&self, rule: Option<&str>) -> bool {
        let policy = &self.config.policy;
        let mode = match rule {
            Some("scan") => policy.scan.mode,
            Some("archive") => policy.archive.mode,
            Some("removed") => policy.removed.mode,
            Some("mass-yank") => policy.mass_yank.mode,
            Some("first-dependency") => policy.first_dependency.mode,
            Some("review") if policy.review.is_empty() => Mode::Off,
            _ => Mode::Enforce,
        };
        mode == Mode::Enforce
    }

    fn needs_archive(&self, rule: Option<&str>) -> bool {
        rule == Some("scan") && self.still_enforced(rule)
    }

    fn was_inspected(&self, checksum: Checksum) -> bool {
        self.inspections().contains(&checksum)
    }

    fn inspections(&self) -> std::sync::MutexGuard<'_, std::collections::HashSet<Checksum>> {
        self.inspected
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a version that is about to be published shall stand, and whether a
    /// scan has to go on.
    pub(crate) async fn judge_published(
        &self,
        name: &str,
        known: &[Version],
        new: &Version,
        bytes: &[u8],
    ) -> Result<(Decision, bool), GatewayError> {
        let patience = self.scanner_patience().min(PUBLISHER_WAITS);
        let inspection = self.inspect(name, new, bytes, patience).await?;
        let unanswered = matches!(inspection.verdict, Some(Err(_)));
        let mut versions = Vec::new();
        for version in known.iter().chain([new]) {
            let index =
                IndexVersion::parse(&version.line).map_err(|reason| GatewayError::Index {
                    name: name.to_owned(),
                    reason,
                })?;
            versions.push(self.known(version, index).await?);
        }
        if let Some(last) = versions.last_mut() {
            last.defect = inspection.defect;
            last.verdict = inspection.verdict;
        }
        let facts = Facts {
            name,
            hosted: true,
            versions: &versions,
            now: new.published,
        };
        let decision = judge(&self.config.policy, &facts, versions.len() - 1);
        Ok((decision, unanswered))
    }

    /// Who somebody is to a crate.
    pub(crate) async fn viewer(
        &self,
        canonical: &str,
        user: Option<(i64, bool)>,
    ) -> Result<Viewer, GatewayError> {
        let Some((user, reviewer)) = user else {
            return Ok(Viewer::Public);
        };
        if reviewer {
            return Ok(Viewer::Reviewer);
        }
        let owned = self.store.owned(user).await?;
        Ok(if owned.iter().any(|owned| owned == canonical) {
            Viewer::Owner
        } else {
            Viewer::Public
        })
    }
}
