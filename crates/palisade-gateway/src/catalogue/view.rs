//! A crate as somebody sees it.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use palisade_store::{Crate, Version};

use crate::line::with_yanked;
use crate::policy::{Access, Orders, Policy, Viewer, access};

/// A crate with all its versions, at one moment.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) krate: Crate,
    pub(crate) versions: Vec<Version>,
    /// What everybody sees under the orders of that time.
    public: Mutex<Option<Rendered>>,
}

/// The orders, and the index file under them.
type Rendered = (Arc<Orders>, Option<Arc<Body>>);

/// An index file for one kind of viewer.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) bytes: Bytes,
    pub(crate) etag: String,
}

impl View {
    pub(crate) fn new(krate: Crate, versions: Vec<Version>) -> View {
        View {
            krate,
            versions,
            public: Mutex::default(),
        }
    }

    /// The exact version, build metadata included.
    pub(crate) fn version(&self, version: &str) -> Option<&Version> {
        self.versions.iter().find(|known| known.version == version)
    }

    /// The index file; `None` when nothing of the crate was ever public and
    /// nothing is open to the viewer, so that cargo looks elsewhere.
    pub(crate) fn body(
        &self,
        policy: &Policy,
        orders: &Arc<Orders>,
        viewer: &Viewer,
    ) -> Option<Arc<Body>> {
        if *viewer != Viewer::Public {
            return self.render(policy, orders, viewer);
        }
        let mut public = self.public.lock().unwrap_or_else(PoisonError::into_inner);
        match &*public {
            Some((known, body)) if Arc::ptr_eq(known, orders) => body.clone(),
            _ => {
                let body = self.render(policy, orders, viewer);
                *public = Some((orders.clone(), body.clone()));
                body
            }
        }
    }

    /// A version that the viewer may not have keeps its line, yanked: new
    /// resolutions pass it by, and who has it in a lockfile is told the reason
    /// when downloading.
    fn render(&self, policy: &Policy, orders: &Orders, viewer: &Viewer) -> Option<Arc<Body>> {
        let mut text = String::new();
        let mut exists = false;
        for version in &self.versions {
            let open = access(policy, orders, &self.krate.name, version, viewer) == Access::Open;
            exists |= open || version.was_public;
            let yanked = !open || version.is_shown_yanked();
            let Some(line) = with_yanked(&version.line, yanked) else {
                continue;
            };
            text.push_str(&line);
            text.push('\n');
        }
        exists.then(|| {
            let hash = palisade_archive::checksum(text.as_bytes()).to_string();
            // Weak, because the same tag stands for the packed bytes.
            let etag = format!("W/\"{}\"", &hash[..32]);
            Arc::new(Body {
                bytes: Bytes::from(text),
                etag,
            })
        })
    }

    /// About how many bytes it takes in memory.
    pub(crate) fn weight(&self) -> usize {
        let lines = self.versions.iter().map(|version| version.line.len());
        lines.sum::<usize>() * 2 + self.versions.len() * size_of::<Version>() + 512
    }
}
