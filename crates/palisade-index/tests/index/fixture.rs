//! A registry written in a few lines of text.
//!
//! ```text
//! demo 1.0.0 published=2020-01-01T00:00:00Z
//!     other ^1 optional
//!     feature fast = other/fast dep:other
//! demo 1.1.0 yanked
//! ```

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use palisade_index::{IndexError, IndexFile, IndexVersion, Registry, index_path};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A registry in memory. An archive's contents are its name and version.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fixture {
    pub(crate) files: BTreeMap<String, String>,
}

/// What the archive of a version holds: of `demo`, enough to break off in
/// several places.
pub(crate) fn archive(name: &str, version: &str) -> Vec<u8> {
    let times = if name == "demo" { 2000 } else { 1 };
    format!("{name} {version} ").repeat(times).into_bytes()
}

pub(crate) fn hex_checksum(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

impl Fixture {
    pub(crate) fn new(text: &str) -> Fixture {
        let mut lines: Vec<Value> = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            if !line.starts_with(' ') {
                lines.push(version(&words));
                continue;
            }
            let current = lines.last_mut().unwrap();
            if words[0] == "feature" {
                let list = if words[1].starts_with('^') {
                    "features2"
                } else {
                    "features"
                };
                current[list][words[1].trim_start_matches('^')] = json!(words[3..]);
            } else {
                let dependency = dependency(&words);
                current["deps"].as_array_mut().unwrap().push(dependency);
            }
        }
        let mut files = BTreeMap::new();
        for line in lines {
            let name = line["name"].as_str().unwrap().to_owned();
            let file: &mut String = files.entry(name).or_default();
            writeln!(file, "{line}").unwrap();
        }
        Fixture { files }
    }

    /// Writes it as a local registry.
    pub(crate) fn write(&self, root: &camino::Utf8Path) {
        std::fs::create_dir_all(root.join("index")).unwrap();
        for (name, text) in &self.files {
            let path = root.join("index").join(index_path(name));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
            for version in IndexFile::parse(name, text).versions {
                let version = version.version.to_string();
                let path = root.join(format!("{name}-{version}.crate"));
                std::fs::write(path, archive(name, &version)).unwrap();
            }
        }
    }
}

fn version(words: &[&str]) -> Value {
    let bytes = archive(words[0], words[1]);
    let mut line = json!({
        "name": words[0], "vers": words[1], "deps": [], "cksum": hex_checksum(&bytes),
        "features": {}, "features2": {}, "yanked": false, "links": null, "future": {"field": [1]},
    });
    for word in &words[2..] {
        match word.split_once('=') {
            Some(("published", time)) => line["pubtime"] = json!(time),
            Some(("links", name)) => line["links"] = json!(name),
            Some(("rust", version)) => line["rust_version"] = json!(version),
            Some(("v", schema)) => line["v"] = json!(schema.parse::<u32>().unwrap()),
            None if *word == "yanked" => line["yanked"] = json!(true),
            _ => panic!("unknown word {word}"),
        }
    }
    line
}

fn dependency(words: &[&str]) -> Value {
    let mut line = json!({
        "name": words[0], "req": words[1], "features": [], "optional": false,
        "default_features": true, "target": null, "kind": "normal",
    });
    for word in &words[2..] {
        match word.split_once('=') {
            Some(("package", name)) => line["package"] = json!(name),
            Some(("features", list)) => {
                line["features"] = json!(list.split(',').collect::<Vec<_>>())
            }
            Some(("target", target)) => line["target"] = json!(target.replace('~', "=")),
            Some(("registry", address)) => line["registry"] = json!(address),
            None if *word == "optional" => line["optional"] = json!(true),
            None if *word == "bare" => line["default_features"] = json!(false),
            None => line["kind"] = json!(word),
            _ => panic!("unknown word {word}"),
        }
    }
    line
}

impl Registry for Fixture {
    fn index_file(&self, name: &str) -> Result<Option<Arc<IndexFile>>, IndexError> {
        let text = self.files.get(name);
        Ok(text.map(|text| Arc::new(IndexFile::parse(name, text))))
    }

    fn archive(&self, version: &IndexVersion) -> Result<Option<Vec<u8>>, IndexError> {
        Ok(Some(archive(&version.name, &version.version.to_string())))
    }
}

/// A temporary directory and its path.
pub(crate) fn directory() -> (tempfile::TempDir, camino::Utf8PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = camino::Utf8PathBuf::try_from(dir.path().to_owned()).unwrap();
    (dir, path)
}
