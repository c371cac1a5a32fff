//! Finding what is new in the git form of an index.

use std::collections::BTreeMap;

use camino::Utf8Path;
use gix::ObjectId;
use gix::objs::Tree;
use gix::objs::tree::{Entry, EntryKind};
use palisade_index::discover::{Batch, GitDiscovery, Start};
use palisade_index::{IndexError, index_path};

use crate::fixture::{Fixture, directory};

/// A repository that holds an index.
struct Clone {
    repository: gix::Repository,
    head: Vec<ObjectId>,
}

impl Clone {
    fn new(path: &Utf8Path) -> Clone {
        Clone {
            repository: gix::init_bare(path.as_std_path()).unwrap(),
            head: Vec::new(),
        }
    }

    fn tree(&self, files: &BTreeMap<String, String>) -> ObjectId {
        let mut directories: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        let mut entries = Vec::new();
        for (path, text) in files {
            if let Some((directory, rest)) = path.split_once('/') {
                let below = directories.entry(directory.to_owned()).or_default();
                below.insert(rest.to_owned(), text.clone());
                continue;
            }
            let oid = self.repository.write_blob(text).unwrap().detach();
            let mode = EntryKind::Blob.into();
            entries.push(Entry {
                mode,
                filename: path.as_str().into(),
                oid,
            });
        }
        for (directory, files) in directories {
            let oid = self.tree(&files);
            let mode = EntryKind::Tree.into();
            entries.push(Entry {
                mode,
                filename: directory.into(),
                oid,
            });
        }
        entries.sort();
        self.repository
            .write_object(&Tree { entries })
            .unwrap()
            .detach()
    }

    /// Commits an index; without `parent` as if history had been cut off.
    fn commit(&mut self, registry: &str, parent: bool) -> String {
        let fixture = Fixture::new(registry);
        let mut files: BTreeMap<String, String> = fixture
            .files
            .iter()
            .map(|(name, text)| (index_path(name), text.clone()))
            .collect();
        files.insert("config.json".to_owned(), "{}".to_owned());
        files.insert("docs/demo".to_owned(), "no index file".to_owned());
        let tree = self.tree(&files);
        let author = gix::actor::SignatureRef {
            name: "a".into(),
            email: "a@example.org".into(),
            time: "0 +0000",
        };
        let parents = if parent {
            self.head.clone()
        } else {
            Vec::new()
        };
        let commit = gix::objs::Commit {
            tree,
            parents: parents.into_iter().collect(),
            author: author.to_owned().unwrap(),
            committer: author.to_owned().unwrap(),
            encoding: None,
            message: "index".into(),
            extra_headers: Vec::new(),
        };
        let id = self.repository.write_object(&commit).unwrap().detach();
        self.repository
            .reference(
                "refs/heads/main",
                id,
                gix::refs::transaction::PreviousValue::Any,
                "test",
            )
            .unwrap();
        self.head = vec![id];
        id.to_string()
    }
}

fn shown(batch: &Batch) -> Vec<String> {
    let changes = batch.changes.iter();
    changes
        .map(|change| {
            format!(
                "{} {} {}",
                change.kind.as_str(),
                change.name,
                change.version.as_ref().unwrap()
            )
        })
        .collect()
}

/// Guards ranges of commits: every kind of change, batches, resuming, and
/// nothing lost that was not confirmed.
#[test]
fn ranges_of_commits_are_compared() {
    let (_guard, root) = directory();
    let mut clone = Clone::new(&root.join("index"));
    clone.commit("aaaa 1.0.0\nBbbb 1.0.0\n", true);
    let checkpoint = root.join("git.json");
    let discovery = GitDiscovery::new(
        &root.join("index"),
        "refs/heads/main",
        &checkpoint,
        Start::Beginning,
    );

    let batch = discovery.next(1).unwrap();
    assert_eq!(
        (shown(&batch), batch.more),
        (vec!["published aaaa 1.0.0".to_owned()], true)
    );
    batch.confirm().unwrap();
    // What is committed in the middle comes behind.
    clone.commit("aaaa 1.0.0 yanked\nBbbb 1.0.0\nBbbb 1.1.0\n", true);
    let batch = discovery.next(99).unwrap();
    assert_eq!(shown(&batch), ["published Bbbb 1.0.0"]);
    batch.confirm().unwrap();
    drop(discovery.next(99).unwrap());
    let batch = discovery.next(99).unwrap();
    assert_eq!(shown(&batch), ["yanked aaaa 1.0.0", "published Bbbb 1.1.0"]);
    assert!(!batch.gap);
    batch.confirm().unwrap();
    clone.commit("aaaa 1.0.0 links=x\n", true);
    let batch = discovery.next(99).unwrap();
    assert_eq!(
        shown(&batch),
        [
            "unyanked aaaa 1.0.0",
            "rewritten aaaa 1.0.0",
            "removed Bbbb 1.0.0",
            "removed Bbbb 1.1.0"
        ]
    );
    batch.confirm().unwrap();
    assert_eq!(shown(&discovery.next(99).unwrap()), [] as [&str; 0]);
}

/// Guards starting from now and from a commit, and that a history which was
/// cut off is a gap after which everything comes again.
#[test]
fn where_to_start() {
    let (_guard, root) = directory();
    let path = root.join("index");
    let mut clone = Clone::new(&path);
    let first = clone.commit("aaaa 1.0.0\n", true);
    clone.commit("aaaa 1.0.0\naaaa 1.1.0\n", true);
    let at =
        |name: &str, start| GitDiscovery::new(&path, "refs/heads/main", &root.join(name), start);
    let now = at("now.json", Start::Now);
    let batch = now.next(9).unwrap();
    assert_eq!(shown(&batch), [] as [&str; 0]);
    batch.confirm().unwrap();
    assert_eq!(
        shown(&at("commit.json", Start::Commit(first)).next(9).unwrap()),
        ["published aaaa 1.1.0"]
    );
    clone.commit("aaaa 1.0.0\naaaa 1.1.0\naaaa 1.2.0\n", false);
    assert_eq!(shown(&now.next(9).unwrap()), ["published aaaa 1.2.0"]);

    let gone = at("gone.json", Start::Commit("0".repeat(39) + "1"));
    let batch = gone.next(9).unwrap();
    assert_eq!((shown(&batch).len(), batch.gap), (3, true));
    let nowhere = GitDiscovery::new(&root, "HEAD", &root.join("x.json"), Start::Now);
    assert!(matches!(nowhere.next(1), Err(IndexError::Git { .. })));
}
