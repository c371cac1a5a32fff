//! Looking again: when time is up, when the policy has changed, when something
//! is published.

use std::time::Duration;

use jiff::Timestamp;
use palisade_index::{DependencyKind, IndexVersion, canonical_name};
use palisade_store::{Actor, Cause, Decision, Origin, State, Version};

use super::facts::{Dossier, Sources, beside};
use super::inspect::Looked;
use super::{Catalogue, Freshness, Unserved};
use crate::GatewayError;
use crate::policy::{Mode, Viewer, judge};

/// How long whoever publishes waits for the scanner. cargo gives up on a
/// request that says nothing for half a minute; a job goes on after that.
const PUBLISHER_WAITS: Duration = Duration::from_secs(15);

impl Catalogue {
    /// Has the scanner look at a version about which it has given no answer;
    /// why it has given none now, if so.
    pub(crate) async fn scan_again(
        &self,
        name: &str,
        version: &str,
    ) -> Result<Result<(), String>, GatewayError> {
        let (view, version) = match self.find(name, version).await {
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
        let looked = self.inspect(name, &version, &bytes, patience).await?;
        let answer = looked.unanswered.clone().map_or(Ok(()), Err);
        self.judge_again(&view.krate.canonical, Some((&version.version, looked)))
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
            let looked = match self.bytes(&view, version).await {
                Ok(bytes) => {
                    let patience = self.scanner_patience();
                    self.inspect(&view.krate.name, version, &bytes, patience)
                        .await?
                }
                Err(_) if self.config.policy.scan.mode() == Mode::Off => Looked::default(),
                Err(_) => Looked::unanswered("the archive cannot be fetched"),
            };
            self.judge_again(canonical, Some((&version.version, looked)))
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
    /// differently: those that a rule keeps back, those that are new, and
    /// those of crates that advisories are about.
    pub(crate) async fn judge_everything(&self) -> Result<(), GatewayError> {
        let mut again = self.store.unsettled().await?;
        let named = self.advisories.crates();
        again.extend(named.iter().map(|name| canonical_name(name)));
        if !self.config.policy.licence.is_empty() {
            let all = self.store.search_crates("", u32::MAX).await?;
            again.extend(all.into_iter().map(|krate| krate.canonical));
        }
        again.sort();
        again.dedup();
        for canonical in again {
            self.judge_again(&canonical, None).await?;
        }
        Ok(())
    }

    /// Judges a crate's versions again: the one that was looked into, or, when
    /// there is none, all of them.
    pub(super) async fn judge_again(
        &self,
        canonical: &str,
        looked: Option<(&str, Looked)>,
    ) -> Result<(), GatewayError> {
        let slot = self.slot(canonical);
        let _gate = slot.gate.lock().await;
        let Some(view) = self.load(canonical).await? else {
            return Ok(());
        };
        let now = self.clock.now();
        let orders = self.orders();
        let sources = self.sources(&orders);
        let mut known = Vec::new();
        let mut versions = Vec::new();
        for version in &view.versions {
            let Ok(index) = IndexVersion::parse(&version.line) else {
                continue;
            };
            let judged = looked
                .as_ref()
                .is_none_or(|(text, _)| *text == version.version);
            known.push(if judged {
                sources.known(version, index).await?
            } else {
                beside(version, index)
            });
            versions.push(version);
        }
        let mut dossier = Dossier {
            name: &view.krate.name,
            hosted: view.krate.origin == Origin::Hosted,
            known,
            advisories: self.advisories.about(&view.krate.name),
        };
        let mut decisions: Vec<(&Version, Decision)> = Vec::new();
        for (at, version) in versions.into_iter().enumerate() {
            match &looked {
                Some((text, looked)) if *text == version.version => {
                    if looked.inspection.is_some() {
                        dossier.known[at].inspection.clone_from(&looked.inspection);
                    }
                    dossier.known[at].unanswered.clone_from(&looked.unanswered);
                }
                Some(_) => continue,
                None => {}
            }
            let decision = judge(&self.config.policy, &dossier.facts(&orders, now), at);
            if self.follows(version, &decision, looked.is_none()) {
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

    /// Whether a new judgement about a version is to be written down.
    fn follows(&self, version: &Version, decision: &Decision, policy_changed: bool) -> bool {
        let same = version.state == decision.state
            && version.rule == decision.rule
            && version.rules == decision.rules
            && version.until == decision.until;
        if same || !version.state.may_become(decision.state, Cause::Policy) {
            return false;
        }
        match version.state {
            // Another rule objects as well: a waiver of the first one alone no
            // longer lets the version through.
            State::Quarantined if decision.state == State::Quarantined => {
                let kept = |rule: &String| decision.rules.contains(rule);
                is_by_rule(version) && version.rules.iter().all(kept)
            }
            // A quarantine ends without a person only when its rule is gone:
            // this look may not have what the rule had before it.
            State::Quarantined => {
                is_by_rule(version) && policy_changed && !self.is_enforced(version.rule.as_deref())
            }
            State::Held if decision.state == State::Allowed => {
                !policy_changed || !self.needs_archive(version.rule.as_deref())
            }
            _ => true,
        }
    }

    fn is_enforced(&self, rule: Option<&str>) -> bool {
        match rule {
            None => true,
            Some("review") if self.config.policy.review.is_empty() => false,
            Some(rule) => self.config.policy.mode_of(rule) == Mode::Enforce,
        }
    }

    fn needs_archive(&self, rule: Option<&str>) -> bool {
        rule == Some("scan") && self.is_enforced(rule)
    }

    pub(super) fn sources<'s>(&'s self, orders: &'s crate::policy::Orders) -> Sources<'s> {
        Sources {
            store: &self.store,
            policy: &self.config.policy,
            orders,
        }
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
        let looked = self.inspect(name, new, bytes, patience).await?;
        let unanswered = looked.unanswered.is_some();
        let orders = self.orders();
        let sources = self.sources(&orders);
        let mut versions = Vec::new();
        for version in known.iter().chain([new]) {
            let index =
                IndexVersion::parse(&version.line).map_err(|reason| GatewayError::Index {
                    name: name.to_owned(),
                    reason,
                })?;
            versions.push(if std::ptr::eq(version, new) {
                sources.known(version, index).await?
            } else {
                beside(version, index)
            });
        }
        if let Some(last) = versions.last_mut() {
            last.inspection = looked.inspection;
            last.unanswered = looked.unanswered;
        }
        let dossier = Dossier {
            name,
            hosted: true,
            known: versions,
            advisories: self.advisories.about(name),
        };
        let facts = dossier.facts(&orders, new.published);
        let decision = judge(&self.config.policy, &facts, dossier.known.len() - 1);
        Ok((decision, unanswered))
    }

    /// Who somebody is to a crate.
    pub(crate) async fn viewer(
        &self,
        canonical: &str,
        eyes: Option<crate::caller::Eyes<'_>>,
    ) -> Result<Viewer, GatewayError> {
        let Some(eyes) = eyes else {
            return Ok(Viewer::Public);
        };
        if eyes.reviewer {
            return Ok(Viewer::Reviewer);
        }
        let owned = self.store.owned(eyes.user).await?;
        if owned.iter().any(|owned| owned == canonical) {
            return Ok(Viewer::Owner);
        }
        // Waivers name crates as they are spelled.
        let favoured = match self.store.find_crate(canonical).await? {
            Some(krate) => self.orders().favours(&krate.name, eyes.login),
            None => false,
        };
        Ok(if favoured {
            Viewer::Holder(eyes.login.to_owned())
        } else {
            Viewer::Public
        })
    }
}

/// Whether a rule keeps a version back, and not a person or a repair.
fn is_by_rule(version: &Version) -> bool {
    !matches!(
        version.rule.as_deref(),
        Some(palisade_store::BY_PERSON | palisade_store::BY_REPAIR)
    )
}
