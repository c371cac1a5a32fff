//! The crates that are known, as they are served: the store's content in
//! memory, refreshed from the upstream, each crate by one request at a time.

mod archive;
pub(crate) mod facts;
mod ingest;
mod inspect;
mod plan;
mod review;
mod view;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use palisade_index::{IndexError, canonical_name, is_crate_name};
use palisade_model::Checksum;
use palisade_store::{Origin, Store, StoreError, Version};

use crate::advisories::Advisories;
use crate::archives::Archives;
use crate::clock::Clock;
use crate::config::Config;
use crate::policy::{Access, Orders, Viewer, access};
use crate::scanner::Scanner;
use crate::upstream::Upstream;
use crate::{GatewayError, metrics::Metrics};

pub(crate) use ingest::baseline_key;
pub(crate) use view::View;

/// The most bytes of crates that are kept in memory.
const MEMORY: usize = 64 << 20;

/// How long a name that the upstream does not know is not asked for again.
const ABSENT: Duration = Duration::from_secs(10);

/// How fresh an answer has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// As fresh as the configuration wants it.
    Usual,
    /// Whatever is known; only what is not known is asked for.
    Any,
}

/// The crates that are known.
pub(crate) struct Catalogue {
    pub(crate) store: Store,
    pub(crate) config: Arc<Config>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) archives: Archives,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) advisories: Advisories,
    upstream: Option<Upstream>,
    scanner: Option<Arc<dyn Scanner>>,
    slots: Mutex<HashMap<String, Arc<Slot>>>,
    orders: RwLock<Arc<Orders>>,
    /// Checksums of archives that were looked into, as far as that was asked
    /// since the start.
    inspected: Mutex<HashSet<Checksum>>,
    /// Archives that are being looked into.
    inspecting: Mutex<HashMap<Checksum, Gate>>,
    /// As many as the scanner takes at a time.
    scans: Arc<tokio::sync::Semaphore>,
}

/// Held while something is done that nobody else shall do meanwhile.
type Gate = Arc<tokio::sync::Mutex<()>>;

/// The place of one crate.
#[derive(Default)]
struct Slot {
    /// Held while the crate is loaded, refreshed or judged, so that many who
    /// ask at once cause one question upstream.
    gate: tokio::sync::Mutex<()>,
    content: Mutex<Content>,
}

#[derive(Clone, Default)]
struct Content {
    /// Whether `view` is what the store has.
    loaded: bool,
    view: Option<Arc<View>>,
    /// When the upstream was last asked.
    asked: Option<Instant>,
    /// How often the content was forgotten. Whoever read the store before that
    /// must not put back what they read.
    forgotten: u64,
}

impl Slot {
    fn content(&self) -> Content {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Catalogue {
    pub(crate) fn new(
        store: Store,
        config: Arc<Config>,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        scanner: Option<Arc<dyn Scanner>>,
    ) -> Result<Catalogue, GatewayError> {
        let parallel = scanner.as_ref().map_or(1, |scanner| scanner.parallel());
        Ok(Catalogue {
            archives: Archives::open(&config.data),
            upstream: Upstream::open(&config)?,
            advisories: Advisories::open(config.advisories.as_deref())?,
            store,
            config,
            clock,
            metrics,
            scanner,
            slots: Mutex::default(),
            orders: RwLock::default(),
            inspected: Mutex::default(),
            inspecting: Mutex::default(),
            scans: Arc::new(tokio::sync::Semaphore::new(parallel)),
        })
    }

    /// What people have ordered, as it is in force.
    pub(crate) fn orders(&self) -> Arc<Orders> {
        let orders = self.orders.read().unwrap_or_else(PoisonError::into_inner);
        orders.clone()
    }

    /// Reads again what people have ordered.
    pub(crate) async fn reload_orders(&self) -> Result<(), GatewayError> {
        let orders = Orders::load(&self.store, self.clock.now()).await?;
        *self.orders.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(orders);
        Ok(())
    }

    /// Whether `viewer` may have a version.
    pub(crate) fn access(&self, view: &View, version: &Version, viewer: &Viewer) -> Access {
        access(
            &self.config.policy,
            &self.orders(),
            &view.krate.name,
            version,
            viewer,
        )
    }

    /// The index file of a crate; `None` when it does not exist for the
    /// viewer.
    pub(crate) fn body(&self, view: &View, viewer: &Viewer) -> Option<Arc<view::Body>> {
        view.body(&self.config.policy, &self.orders(), viewer)
    }

    /// The crate that is asked for by `name`; `None` when there is none. Names
    /// are compared as the index's paths are: case does not count.
    pub(crate) async fn get(
        &self,
        name: &str,
        freshness: Freshness,
    ) -> Result<Option<Arc<View>>, GatewayError> {
        if !is_crate_name(name) {
            return Ok(None);
        }
        let canonical = canonical_name(name);
        let slot = self.slot(&canonical);
        let content = slot.content();
        if self.is_fresh(&content, freshness) {
            return Ok(spelled(content.view, name));
        }
        let _gate = slot.gate.lock().await;
        // Whoever held the gate may have brought what is needed.
        let content = slot.content();
        if self.is_fresh(&content, freshness) {
            return Ok(spelled(content.view, name));
        }
        let view = if content.loaded {
            content.view
        } else {
            self.load(&canonical).await?
        };
        let hosted = view
            .as_ref()
            .is_some_and(|view| view.krate.origin == Origin::Hosted);
        let ask = !hosted
            && !self.config.is_private(name)
            && self.upstream.is_some()
            && match view {
                None => !is_recent(content.asked, ABSENT),
                Some(_) => {
                    freshness == Freshness::Usual && !is_recent(content.asked, self.refresh())
                }
            };
        let (view, asked) = if ask {
            match self.refresh_crate(name, &canonical, view.clone()).await {
                Ok(view) => (view, Some(Instant::now())),
                // What is known is better than nothing, and it is exactly what
                // was served a moment ago.
                Err(GatewayError::Upstream { source }) if view.is_some() => {
                    self.metrics.stale();
                    tracing::warn!(krate = name, error = %chain(&source), "serving a stale index file");
                    (view, content.asked)
                }
                // Another process over the same state was faster.
                Err(GatewayError::Store(StoreError::Exists { .. } | StoreError::Raced { .. })) => {
                    (self.load(&canonical).await?, None)
                }
                Err(error) => return Err(error),
            }
        } else {
            (view, content.asked)
        };
        keep(&slot, content.forgotten, view.clone(), asked);
        Ok(spelled(view, name))
    }

    /// Forgets what is in memory about crates; it is read again from the
    /// store.
    pub(crate) fn forget(&self, canonical: &str) {
        let slot = self.slots().get(canonical).cloned();
        if let Some(slot) = slot {
            let mut content = slot.lock();
            content.loaded = false;
            content.view = None;
            content.forgotten += 1;
        }
    }

    fn is_fresh(&self, content: &Content, freshness: Freshness) -> bool {
        match &content.view {
            _ if !content.loaded => false,
            None => self.upstream.is_none() || is_recent(content.asked, ABSENT),
            Some(view) => {
                view.krate.origin == Origin::Hosted
                    || freshness == Freshness::Any
                    || self.upstream.is_none()
                    || is_recent(content.asked, self.refresh())
            }
        }
    }

    fn refresh(&self) -> Duration {
        self.upstream
            .as_ref()
            .map_or(Duration::ZERO, |upstream| upstream.refresh)
    }

    /// The crate as the store has it.
    async fn load(&self, canonical: &str) -> Result<Option<Arc<View>>, GatewayError> {
        let Some(krate) = self.store.find_crate(canonical).await? else {
            return Ok(None);
        };
        let versions = self.store.versions(canonical).await?;
        Ok(Some(Arc::new(View::new(krate, versions))))
    }

    /// Loads a crate anew and keeps it, with its gate held.
    async fn reload(
        &self,
        slot: &Slot,
        canonical: &str,
    ) -> Result<Option<Arc<View>>, GatewayError> {
        let before = slot.content();
        let view = self.load(canonical).await?;
        keep(slot, before.forgotten, view.clone(), before.asked);
        Ok(view)
    }

    fn slot(&self, canonical: &str) -> Arc<Slot> {
        let mut slots = self.slots();
        if let Some(slot) = slots.get(canonical) {
            return slot.clone();
        }
        // Weighed only when something is added, and seldom.
        if slots.len().is_multiple_of(256) && !slots.is_empty() {
            make_room(&mut slots);
        }
        slots.entry(canonical.to_owned()).or_default().clone()
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps what was read from the store when it had been forgotten so often.
fn keep(slot: &Slot, forgotten: u64, view: Option<Arc<View>>, asked: Option<Instant>) {
    let mut content = slot.lock();
    content.asked = asked;
    if content.forgotten == forgotten {
        content.loaded = true;
        content.view = view;
    }
}

fn is_recent(time: Option<Instant>, span: Duration) -> bool {
    time.is_some_and(|time| time.elapsed() < span)
}

/// Drops every second crate that nobody uses, when they take too much memory.
fn make_room(slots: &mut HashMap<String, Arc<Slot>>) {
    let weight: usize = slots
        .values()
        .map(|slot| 256 + slot.lock().view.as_ref().map_or(0, |view| view.weight()))
        .sum();
    if weight > MEMORY {
        let mut keep = false;
        slots.retain(|_, slot| {
            keep = !keep;
            keep || Arc::strong_count(slot) > 1
        });
    }
}

/// The view, when the crate is spelled like that: dashes and underscores are
/// one name to publish, but two files in the index.
fn spelled(view: Option<Arc<View>>, name: &str) -> Option<Arc<View>> {
    view.filter(|view| view.krate.name.eq_ignore_ascii_case(name))
}

/// An error with its causes, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Why an archive cannot be served.
#[derive(Debug)]
pub(crate) enum Unserved {
    /// The policy refuses it.
    Refused(crate::policy::Refusal),
    /// It is not there.
    Missing,
    /// It could not be fetched, or is another one.
    Failed(GatewayError),
}

impl From<GatewayError> for Unserved {
    fn from(error: GatewayError) -> Unserved {
        Unserved::Failed(error)
    }
}

impl From<StoreError> for Unserved {
    fn from(error: StoreError) -> Unserved {
        Unserved::Failed(error.into())
    }
}

impl From<IndexError> for Unserved {
    fn from(source: IndexError) -> Unserved {
        Unserved::Failed(GatewayError::Upstream { source })
    }
}
