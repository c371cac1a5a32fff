//! Which clone is that of a package's repository.

use camino::{Utf8Path, Utf8PathBuf};

use super::{ProvenanceError, Repository, RepositoryLimits, Source};

/// Clones at hand; each is opened once.
#[derive(Debug)]
pub struct Repositories {
    source: Source,
    limits: RepositoryLimits,
    open: std::collections::BTreeMap<Utf8PathBuf, Repository>,
}

impl Repositories {
    /// The clones of `source`.
    pub fn new(source: Source, limits: RepositoryLimits) -> Repositories {
        Repositories {
            source,
            limits,
            open: Default::default(),
        }
    }

    /// Where clones are kept, where there is a directory of them.
    pub fn directory(&self) -> Option<&Utf8Path> {
        match &self.source {
            Source::Clone(_) => None,
            Source::Clones(directory) => Some(directory),
        }
    }

    /// Where the clone of the repository that a manifest names is, or would
    /// be; `None` when it names none that can be a clone's name.
    pub fn place(&self, address: Option<&str>) -> Option<Utf8PathBuf> {
        match &self.source {
            Source::Clone(path) => Some(path.clone()),
            Source::Clones(directory) => {
                Some(directory.join(clone_name(&repository_address(address?)?)?))
            }
        }
    }

    /// Opens the clone for a package with this address; `None` when there is
    /// none.
    ///
    /// # Errors
    /// The clone cannot be read.
    pub fn get(&mut self, address: Option<&str>) -> Result<Option<&Repository>, ProvenanceError> {
        let Some(place) = self.place(address) else {
            return Ok(None);
        };
        let place = match &self.source {
            Source::Clone(_) => place,
            Source::Clones(_) => {
                let bare = Utf8PathBuf::from(format!("{place}.git"));
                match (place.is_dir(), bare.is_dir()) {
                    (true, _) => place,
                    (false, true) => bare,
                    (false, false) => return Ok(None),
                }
            }
        };
        if !self.open.contains_key(&place) {
            let repository = Repository::open(&place, self.limits.clone())?;
            self.open.insert(place.clone(), repository);
        }
        Ok(self.open.get(&place))
    }
}

/// The repository that a manifest names, without what only a browser needs:
/// forges show a directory of a repository under an address of its own.
pub fn repository_address(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_prefix("git+").unwrap_or(text);
    let (scheme, rest) = text.split_once("://")?;
    if !matches!(scheme, "https" | "http" | "git" | "ssh" | "file") {
        return None;
    }
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    // Forges put a tree, a blob or a branch behind these words.
    let cut = ["/tree/", "/blob/", "/src/branch/", "/-/tree/", "/-/blob/"]
        .iter()
        .filter_map(|mark| rest.find(mark))
        .min();
    let rest = &rest[..cut.unwrap_or(rest.len())];
    let rest = rest.trim_end_matches('/');
    let rest = rest.strip_suffix(".git").unwrap_or(rest);
    (!rest.is_empty()).then(|| format!("{scheme}://{rest}"))
}

/// `host/owner/name`, from an address; `None` when it could lead elsewhere.
fn clone_name(address: &str) -> Option<String> {
    let (_, rest) = address.split_once("://")?;
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    let plain = |part: &&str| {
        !part.starts_with('.')
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '~'))
    };
    (parts.len() >= 2 && parts.len() <= 12 && parts.iter().all(plain))
        .then(|| parts.join("/").to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards what of an address names a repository, and that no address leads
    /// out of the directory of clones.
    #[test]
    fn addresses() {
        let name = |text: &str| clone_name(&repository_address(text)?);
        let same = Some("example.com/owner/name".to_owned());
        for text in [
            "https://example.com/owner/name",
            "https://example.com/Owner/name.git",
            "https://example.com/owner/name/",
            "git+https://user@example.com/owner/name.git",
            "https://example.com/owner/name/tree/main/crates/x",
        ] {
            assert_eq!(name(text), same, "{text}");
        }
        for text in [
            "",
            "example.com/owner/name",
            "https://../../etc",
            "https://example.com/../x",
            "https://example.com/a b/c",
            "https://example.com",
            "javascript://x/y",
        ] {
            assert_eq!(name(text), None, "{text}");
        }
    }
}
