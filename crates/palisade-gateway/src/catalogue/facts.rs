//! What the rules are told about versions that are known.

use std::sync::Arc;

use palisade_index::{DependencyKind, IndexVersion, canonical_name};
use palisade_store::{Store, Version};

use crate::GatewayError;
use crate::advisories::Advisory;
use crate::policy::{Access, Facts, Known, Orders, Policy, Viewer, access};

/// Where facts come from.
#[derive(Clone, Copy)]
pub(crate) struct Sources<'a> {
    pub(crate) store: &'a Store,
    pub(crate) policy: &'a Policy,
    pub(crate) orders: &'a Orders,
}

/// What is known about a crate, for its rules.
pub(crate) struct Dossier<'a> {
    pub(crate) name: &'a str,
    pub(crate) hosted: bool,
    pub(crate) known: Vec<Known>,
    pub(crate) advisories: Arc<[Advisory]>,
}

impl Dossier<'_> {
    /// The facts at a moment.
    pub(crate) fn facts<'s>(&'s self, orders: &'s Orders, now: jiff::Timestamp) -> Facts<'s> {
        Facts {
            name: self.name,
            hosted: self.hosted,
            versions: &self.known,
            advisories: &self.advisories,
            orders,
            now,
        }
    }
}

impl Sources<'_> {
    /// What is known about one version that is to be judged.
    pub(crate) async fn known(
        &self,
        version: &Version,
        index: IndexVersion,
    ) -> Result<Known, GatewayError> {
        let held_dependency = if version.settled {
            None
        } else {
            self.held_dependency(&index).await?
        };
        Ok(Known {
            inspection: self.store.inspection(version.checksum).await?,
            held_dependency,
            ..beside(version, index)
        })
    }

    /// A dependency of which every fitting version that is known is kept back.
    /// One that is not known yet meets the policy when somebody asks for it.
    pub(crate) async fn held_dependency(
        &self,
        version: &IndexVersion,
    ) -> Result<Option<String>, GatewayError> {
        for dependency in &version.dependencies {
            if dependency.kind == DependencyKind::Development || dependency.registry.is_some() {
                continue;
            }
            let canonical = canonical_name(&dependency.package);
            let Some(krate) = self.store.find_crate(&canonical).await? else {
                continue;
            };
            let versions = self.store.versions(&canonical).await?;
            let mut fitting = versions
                .iter()
                .filter(|version| {
                    version
                        .version
                        .parse()
                        .is_ok_and(|version| dependency.requirement.matches(&version))
                })
                .peekable();
            let held = fitting.peek().is_some()
                && fitting.all(|version| {
                    access(
                        self.policy,
                        self.orders,
                        &krate.name,
                        version,
                        &Viewer::Public,
                    ) != Access::Open
                });
            if held {
                return Ok(Some(dependency.package.clone()));
            }
        }
        Ok(None)
    }
}

/// What is known about a version beside the one that is judged: its archive and
/// its dependencies are no matter.
pub(crate) fn beside(version: &Version, index: IndexVersion) -> Known {
    Known {
        index,
        published: version.published,
        settled: version.settled,
        yank_seen: version.yank_seen,
        missing_since: version.missing_since,
        first_seen: version.first_seen,
        publisher: version.publisher,
        inspection: None,
        unanswered: None,
        held_dependency: None,
    }
}
