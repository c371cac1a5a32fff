//! Bringing what the upstream says into the store.

use std::collections::BTreeMap;
use std::sync::Arc;

use palisade_index::{Asked, IndexError};
use palisade_store::{Actor, Cause, Conditions, Origin};

use super::plan::{self, Listing, Terms};
use super::{Catalogue, View};
use crate::GatewayError;

/// The setting that names a crate whose versions the operator vouches for.
pub(crate) fn baseline_key(canonical: &str) -> String {
    format!("baseline:{canonical}")
}

impl Catalogue {
    /// Asks the upstream for a crate and brings the answer into the store. The
    /// crate's gate is held.
    pub(super) async fn refresh_crate(
        &self,
        name: &str,
        canonical: &str,
        view: Option<Arc<View>>,
    ) -> Result<Option<Arc<View>>, GatewayError> {
        let Some(upstream) = &self.upstream else {
            return Ok(view);
        };
        // The index keeps one file for one spelling.
        if view
            .as_ref()
            .is_some_and(|view| !view.krate.name.eq_ignore_ascii_case(name))
        {
            return Ok(view);
        }
        let conditions = view
            .as_ref()
            .map(|view| view.krate.conditions.clone())
            .unwrap_or_default();
        let asked = upstream.ask(name, &conditions).await;
        self.metrics.asked(asked.is_ok());
        let text = match asked {
            Ok(Asked::Same) => return Ok(view),
            Ok(Asked::New(new)) => Some(new),
            Ok(Asked::Missing) if view.is_none() => return Ok(None),
            // The upstream has removed the crate.
            Ok(Asked::Missing) => None,
            Err(source) => return Err(GatewayError::Upstream { source }),
        };
        let (text, conditions) = match text {
            Some(new) => (
                new.text,
                Conditions {
                    etag: new.conditions.etag,
                    last_modified: new.conditions.last_modified,
                },
            ),
            None => (String::new(), Conditions::default()),
        };
        let listing = Listing::read(name, &text);
        if !listing.left_out.is_empty() {
            tracing::warn!(
                krate = name,
                lines = listing.left_out.len(),
                first = listing.left_out[0],
                "index lines are not passed on"
            );
        }
        if view.is_none() && listing.versions.is_empty() {
            return Err(GatewayError::Upstream {
                source: IndexError::Malformed {
                    subject: format!("the index file of `{name}`"),
                    reason: "it has no line that can be understood".to_owned(),
                },
            });
        }
        self.write_plan(canonical, view, &listing, &conditions)
            .await
            .map(Some)
    }

    async fn write_plan(
        &self,
        canonical: &str,
        view: Option<Arc<View>>,
        listing: &Listing,
        conditions: &Conditions,
    ) -> Result<Arc<View>, GatewayError> {
        let known = view.as_ref().map_or(&[][..], |view| &view.versions);
        let baseline = known.is_empty()
            && self
                .store
                .setting(&baseline_key(canonical))
                .await?
                .is_some();
        let orders = self.orders();
        let name = match (&view, listing.versions.first()) {
            (Some(view), _) => view.krate.name.clone(),
            (None, Some(first)) => first.name.clone(),
            (None, None) => canonical.to_owned(),
        };
        let advisories = self.advisories.about(&name);
        let terms = Terms {
            policy: &self.config.policy,
            clock: self
                .upstream
                .as_ref()
                .map(|upstream| upstream.clock)
                .unwrap_or_default(),
            baseline,
            now: self.clock.now(),
            orders: &orders,
            advisories: &advisories,
        };
        let mut held = BTreeMap::new();
        for version in plan::unsettled(listing, known, terms) {
            if let Some(dependency) = self.sources(&orders).held_dependency(version).await? {
                held.insert(version.version.to_string(), dependency);
            }
        }
        let plan = plan::plan(&name, listing, known, &held, terms);

        let mut tx = self.store.begin(&Actor::policy(), terms.now).await?;
        if view.is_none() {
            tx.add_crate(canonical, &name, Origin::Upstream).await?;
        }
        tx.add_versions(canonical, &plan.new).await?;
        tx.refresh(canonical, &plan.refreshes).await?;
        for (version, decision) in &plan.decisions {
            tx.decide(canonical, version, decision, Cause::Policy)
                .await?;
        }
        tx.set_conditions(canonical, conditions).await?;
        tx.commit().await?;
        let loaded = self.load(canonical).await?;
        loaded.ok_or_else(|| GatewayError::Index {
            name,
            reason: "it vanished while it was written".to_owned(),
        })
    }
}
