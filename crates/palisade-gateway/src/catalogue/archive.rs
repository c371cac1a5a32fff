//! Handing out archives.

use std::sync::Arc;

use palisade_index::IndexVersion;
use palisade_store::{Origin, State, Version};

use super::{Catalogue, Freshness, Unserved, View};
use crate::GatewayError;
use crate::policy::{Access, Mode, Viewer};

impl Catalogue {
    /// The archive of a version for somebody: the policy is asked, the bytes
    /// are compared with the checksum that was first seen, and an archive that
    /// nobody has looked into is looked into first.
    pub(crate) async fn archive(
        &self,
        name: &str,
        version: &str,
        viewer: &Viewer,
    ) -> Result<Vec<u8>, Unserved> {
        let (view, version) = self.find(name, version).await?;
        if let Access::Refused(refusal) = self.access(&view, &version, viewer) {
            return Err(Unserved::Refused(refusal));
        }
        let bytes = self.bytes(&view, &version).await?;
        if version.state == State::Released || self.was_looked_into(version.checksum).await? {
            return Ok(bytes);
        }
        let patience = self.scanner_patience();
        let looked = self
            .inspect(&view.krate.name, &version, &bytes, patience)
            .await?;
        let answered = looked.unanswered.is_none();
        self.judge_again(&view.krate.canonical, Some((&version.version, looked)))
            .await?;
        if answered {
            self.inspections().insert(version.checksum);
        }
        let (view, version) = self.find(name, &version.version).await?;
        match self.access(&view, &version, viewer) {
            Access::Open => Ok(bytes),
            Access::Refused(refusal) => Err(Unserved::Refused(refusal)),
        }
    }

    /// Whether the archive was looked into, and its version judged by that.
    async fn was_looked_into(
        &self,
        checksum: palisade_model::Checksum,
    ) -> Result<bool, GatewayError> {
        if self.inspections().contains(&checksum) {
            return Ok(true);
        }
        let Some(kept) = self.store.inspection(checksum).await? else {
            return Ok(false);
        };
        // An archive that was let pass without a scanner has to be looked into
        // again when there is one.
        let enough = kept.verdict.is_some() || self.config.policy.scan.mode() == Mode::Off;
        if enough {
            self.inspections().insert(checksum);
        }
        Ok(enough)
    }

    pub(super) async fn find(
        &self,
        name: &str,
        version: &str,
    ) -> Result<(Arc<View>, Version), Unserved> {
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
    pub(super) async fn bytes(&self, view: &View, version: &Version) -> Result<Vec<u8>, Unserved> {
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
}
