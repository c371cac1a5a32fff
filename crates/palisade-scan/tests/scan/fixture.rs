//! Packages in Markdown.
//!
//! A fixture is text, so that no tool takes it for a package, builds it or
//! trips over it. It becomes a directory like cargo's own, with archives and
//! an index, for as long as a test needs it.
//!
//! A section begins with `## title`. In it, lines such as these say what the
//! package is:
//!
//! - `finds: detector severity` or `finds nothing: detector`, as often as
//!   needed
//! - `deps: a, b`, `build-deps: a`, `proc-macro`, `version: 1.0.1`, `name: x`
//! - `index: 1.0.0 2024-01-31T00:00:00Z yanked` for a version of the index
//! - `known: name downloads created owner` for a crate of the database dump;
//!   the owner may be `login=Display_Name^SINCE`, and further words are
//!   versions, `1.0.0/publisher@TIME~YANKED%COMMIT` with all but the first part
//!   optional and `-` for a machine as publisher
//! - `other: name 1.0.0 TIME yanked` for a version of another crate's index
//! - `advisory: id package kind patched` for an advisory, `kind` being
//!   `malicious`, `vulnerable` or `unmaintained`
//! - `authors: a, b`, `repository: …`, `previous-deps: …`, `dev-deps: …` for
//!   the manifest, where a dependency may be `name=requirement`
//! - `at: TIME` for the moment that counts as now
//! - anything else with a colon is a label
//!
//! and a line `` `path`: `` before a fenced block makes a file. Files below
//! `previous/` belong to the version before: the last other one of the index,
//! else 1.0.0. The index has the package's own version even where it is not
//! listed.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A package, and what a scan of it has to find.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fixture {
    /// The section's title.
    pub(crate) title: String,
    /// Detectors with the severity that they have to give.
    pub(crate) finds: Vec<(String, String)>,
    /// Detectors that must stay silent.
    pub(crate) silent: Vec<String>,
    /// Other lines, by their key.
    pub(crate) labels: BTreeMap<String, String>,
    /// The lines of the index.
    pub(crate) index: Vec<String>,
    /// The crates of the database dump.
    pub(crate) known: Vec<String>,
    /// Versions of other crates' index files.
    pub(crate) others: Vec<String>,
    /// Advisories.
    pub(crate) advisories: Vec<String>,
    /// The files' contents.
    pub(crate) files: BTreeMap<String, String>,
}

/// Every fixture of a Markdown file.
pub(crate) fn read(markdown: &str) -> Vec<Fixture> {
    let mut fixtures = Vec::new();
    let mut lines = markdown.lines();
    let mut path: Option<String> = None;
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix("## ") {
            fixtures.push(Fixture {
                title: title.trim().to_owned(),
                ..Fixture::default()
            });
            continue;
        }
        let Some(fixture) = fixtures.last_mut() else {
            continue;
        };
        if line.starts_with("```") {
            let mut text = String::new();
            for line in lines.by_ref().take_while(|line| !line.starts_with("```")) {
                text.push_str(line);
                text.push('\n');
            }
            if let Some(path) = path.take() {
                fixture.files.insert(path, text);
            }
        } else if let Some(name) = line
            .strip_prefix('`')
            .and_then(|rest| rest.strip_suffix("`:"))
        {
            path = Some(name.to_owned());
        } else if line.trim() == "proc-macro" {
            fixture
                .labels
                .insert("proc-macro".to_owned(), String::new());
        } else if let Some((key, value)) = line.split_once(": ") {
            let value = value.trim().to_owned();
            match key {
                "finds" => {
                    let (detector, severity) =
                        value.split_once(' ').expect("a detector and a severity");
                    fixture
                        .finds
                        .push((detector.to_owned(), severity.to_owned()));
                }
                "finds nothing" => fixture.silent.push(value),
                "index" => fixture.index.push(value),
                "known" => fixture.known.push(value),
                "other" => fixture.others.push(value),
                "advisory" => fixture.advisories.push(value),
                key => {
                    fixture.labels.insert(key.to_owned(), value);
                }
            }
        }
    }
    fixtures
}

impl Fixture {
    fn label<'f>(&'f self, key: &str, otherwise: &'f str) -> &'f str {
        self.labels.get(key).map_or(otherwise, String::as_str)
    }

    /// The package's name.
    pub(crate) fn name(&self) -> &str {
        self.label("name", "demo")
    }

    /// Its version.
    pub(crate) fn version(&self) -> &str {
        self.label("version", "1.0.1")
    }

    /// What it does, from the list of known mechanisms.
    pub(crate) fn mechanism(&self) -> &str {
        let mechanism = self.label("mechanism", "unknown");
        mechanism.split(';').next().unwrap_or(mechanism)
    }

    /// Whether nothing in the package itself is bad.
    pub(crate) fn is_name_or_dependency(&self) -> bool {
        ["imitation", "carrier", "dependency confusion"].contains(&self.mechanism())
    }

    /// Whether there is a version before.
    fn has_previous(&self) -> bool {
        self.files.keys().any(|path| path.starts_with("previous/"))
    }

    /// The version before, whether or not it has files.
    fn previous_version(&self) -> &str {
        let mut listed = self.index.iter().map(|line| version_of(line));
        listed
            .rfind(|&version| version != self.version())
            .unwrap_or("1.0.0")
    }

    fn manifest(&self, version: &str, previous: bool) -> String {
        let mut text = format!(
            "[package]\nname = \"{}\"\nversion = \"{version}\"\nedition = \"2021\"\nlicense = \"MIT\"\ndescription = \"A fixture\"\n",
            self.name()
        );
        let repository = self.label("repository", "");
        if !repository.is_empty() {
            text.push_str(&format!("repository = \"{repository}\"\n"));
        }
        let authors = self.label("authors", "").split(',').map(str::trim);
        let authors: Vec<&str> = authors.filter(|author| !author.is_empty()).collect();
        if !authors.is_empty() {
            text.push_str(&format!("authors = {authors:?}\n"));
        }
        if self.labels.contains_key("proc-macro") {
            text.push_str("[lib]\nproc-macro = true\n");
        }
        let tables: &[(&str, &str)] = match previous {
            false => &[
                ("deps", "dependencies"),
                ("build-deps", "build-dependencies"),
                ("dev-deps", "dev-dependencies"),
            ],
            true => &[("previous-deps", "dependencies")],
        };
        for (key, table) in tables {
            let list = self.label(key, "");
            if !list.is_empty() {
                text.push_str(&format!("[{table}]\n"));
                for dependency in list.split(',') {
                    let dependency = dependency.trim();
                    let (name, requirement) =
                        dependency.split_once('=').unwrap_or((dependency, "1"));
                    text.push_str(&format!("{name} = \"{requirement}\"\n"));
                }
            }
        }
        text
    }

    /// The files of this version, or of the one before.
    pub(crate) fn package(&self, previous: bool) -> BTreeMap<String, String> {
        let mut files: BTreeMap<String, String> = self
            .files
            .iter()
            .filter_map(|(path, text)| {
                let path = match (path.strip_prefix("previous/"), previous) {
                    (Some(path), true) => path,
                    (None, false) => path,
                    _ => return None,
                };
                Some((path.to_owned(), text.clone()))
            })
            .collect();
        let version = if previous {
            self.previous_version()
        } else {
            self.version()
        };
        files
            .entry("Cargo.toml".to_owned())
            .or_insert_with(|| self.manifest(version, previous));
        if !files.keys().any(|path| path.starts_with("src/")) {
            files.insert("src/lib.rs".to_owned(), "//! Nothing.\n".to_owned());
        }
        files
    }

    /// Writes a directory like cargo's own below `home`, and a database dump
    /// beside it when there are known crates. Returns the dump's directory.
    pub(crate) fn write(&self, home: &Path) -> Option<PathBuf> {
        let registry = "registry.example.com-0123456789abcdef";
        let cache = home.join("registry/cache").join(registry);
        std::fs::create_dir_all(&cache).expect("the directory is new");
        let mut versions = vec![(self.version().to_owned(), false)];
        if self.has_previous() {
            versions.insert(0, (self.previous_version().to_owned(), true));
        }
        for (version, previous) in &versions {
            let bytes = pack(self.name(), version, &self.package(*previous));
            let path = cache.join(format!("{}-{version}.crate", self.name()));
            std::fs::write(path, bytes).expect("the directory can be written");
        }
        let mut lines = self.index.clone();
        for (version, _) in &versions {
            if !lines.iter().any(|line| version_of(line) == version) {
                lines.push(version.clone());
            }
        }
        let index = home.join("registry/index").join(registry).join(".cache");
        write_index(&index, self.name(), &lines);
        let mut others: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for line in &self.others {
            let (name, line) = line.split_once(' ').expect("a name and a version");
            others.entry(name).or_default().push(line.to_owned());
        }
        for (name, lines) in others {
            write_index(&index, name, &lines);
        }
        for line in &self.advisories {
            write_advisory(&home.join("db"), line);
        }
        (!self.known.is_empty()).then(|| {
            let dump = home.join("dump");
            write_dump(&dump, &self.known);
            dump
        })
    }
}

/// The version of a line of the index.
fn version_of(line: &str) -> &str {
    line.split_whitespace().next().expect("a version")
}

/// A `.crate` file.
pub(crate) fn pack(name: &str, version: &str, files: &BTreeMap<String, String>) -> Vec<u8> {
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(
        Vec::new(),
        flate2::Compression::fast(),
    ));
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append_data(
            &mut header,
            format!("{name}-{version}/{path}"),
            text.as_bytes(),
        )
        .expect("memory can be written");
    }
    let mut encoder = tar.into_inner().expect("memory can be written");
    encoder.flush().expect("memory can be written");
    encoder.finish().expect("memory can be written")
}

/// cargo's cached index file: the format's version, the index's version, a
/// revision, and then each version with its line.
fn write_index(index: &Path, name: &str, lines: &[String]) {
    let mut bytes = vec![3];
    bytes.extend(2_u32.to_le_bytes());
    bytes.extend(b"revision\0");
    for line in lines {
        let version = version_of(line);
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        let yanked = words.contains(&"yanked");
        let time = words.iter().find(|word| word.contains('T'));
        let time = time
            .map(|time| format!(",\"pubtime\":\"{time}\""))
            .unwrap_or_default();
        let checksum = "0".repeat(64);
        let json = format!(
            "{{\"name\":\"{name}\",\"vers\":\"{version}\",\"deps\":[],\"cksum\":\"{checksum}\",\"features\":{{}},\"yanked\":{yanked}{time}}}"
        );
        bytes.extend(version.as_bytes());
        bytes.push(0);
        bytes.extend(json.as_bytes());
        bytes.push(0);
    }
    let prefix = match name.len() {
        1 => "1".to_owned(),
        2 => "2".to_owned(),
        3 => format!("3/{}", &name[..1]),
        _ => format!("{}/{}", &name[..2], &name[2..4]),
    };
    let directory = index.join(prefix);
    std::fs::create_dir_all(&directory).expect("the directory is new");
    std::fs::write(directory.join(name), bytes).expect("the directory can be written");
}

/// An advisory, from `id package kind patched`.
fn write_advisory(database: &Path, line: &str) {
    let mut words = line.split_whitespace();
    let mut next = || words.next().unwrap_or_default();
    let (id, package, kind, patched) = (next(), next(), next(), next());
    let more = match kind {
        "malicious" => "categories = [\"malicious\"]\n",
        "unmaintained" => "informational = \"unmaintained\"\n",
        _ => "",
    };
    let patched = match patched {
        "" => String::new(),
        patched => format!("\"{patched}\""),
    };
    let text = format!(
        "```toml\n[advisory]\nid = \"{id}\"\npackage = \"{package}\"\ndate = \"2026-01-01\"\n{more}\n[versions]\npatched = [{patched}]\n```\n\n# About {package}\n\nText.\n"
    );
    let directory = database.join("crates").join(package);
    std::fs::create_dir_all(&directory).expect("the directory is new");
    std::fs::write(directory.join(format!("{id}.md")), text).expect("the directory can be written");
}

/// A database dump with one owner for each crate.
pub(crate) fn write_dump(dump: &Path, known: &[String]) {
    std::fs::create_dir_all(dump).expect("the directory is new");
    let mut crates = "id,name,created_at,description,repository\n".to_owned();
    let mut downloads = "crate_id,downloads\n".to_owned();
    let mut users = "id,gh_login,name\n".to_owned();
    let mut owners = "crate_id,owner_id,owner_kind,created_at\n".to_owned();
    let mut versions =
        "id,crate_id,num,created_at,updated_at,published_by,yanked,trustpub_data\n".to_owned();
    let utc = |time: &str| match time.split_once('T') {
        Some((day, time)) => format!("{day} {}+00", time.trim_end_matches('Z')),
        None => format!("{time} 00:00:00+00"),
    };
    for (id, line) in known.iter().enumerate() {
        let mut words = line.split_whitespace();
        let mut next = || words.next().unwrap_or_default();
        let (name, count, created, owner) = (next(), next(), next(), next());
        let (owner, since) = owner.split_once('^').unwrap_or((owner, created));
        let (owner, display) = owner.split_once('=').unwrap_or((owner, ""));
        let display = display.replace('_', " ");
        crates.push_str(&format!("{id},{name},{},,\n", utc(created)));
        downloads.push_str(&format!("{id},{count}\n"));
        users.push_str(&format!("{id},{owner},{display}\n"));
        owners.push_str(&format!("{id},{id},0,{}\n", utc(since)));
        // Further words are versions and their publishers.
        for (number, word) in words.enumerate() {
            let (word, commit) = word.split_once('%').unwrap_or((word, ""));
            let (word, yanked) = word.split_once('~').unwrap_or((word, ""));
            let (word, time) = word.split_once('@').unwrap_or((word, ""));
            let (version, publisher) = word.split_once('/').expect("version/publisher");
            let version_id = 1000 + id * 100 + number;
            let publisher_id = match publisher {
                "-" => String::new(),
                publisher => {
                    users.push_str(&format!("{version_id},{publisher},\n"));
                    version_id.to_string()
                }
            };
            let day = created.split('T').next().unwrap_or(created);
            let time = match time {
                "" => format!("{day} 0{number}:00:00+00"),
                time => utc(time),
            };
            let (updated, flag) = match yanked {
                "" => (time.clone(), "f"),
                yanked => (utc(yanked), "t"),
            };
            let trusted = match commit {
                "" => String::new(),
                commit => format!(
                    "\"{{\"\"provider\"\":\"\"github\"\",\"\"repository\"\":\"\"owner/demo\"\",\"\"sha\"\":\"\"{commit}\"\"}}\""
                ),
            };
            versions.push_str(&format!(
                "{version_id},{id},{version},{time},{updated},{publisher_id},{flag},{trusted}\n"
            ));
        }
    }
    for (file, text) in [
        ("crates.csv", crates),
        ("crate_downloads.csv", downloads),
        ("users.csv", users),
        ("crate_owners.csv", owners),
        ("versions.csv", versions),
        ("teams.csv", "id,login\n".to_owned()),
    ] {
        std::fs::write(dump.join(file), text).expect("the directory can be written");
    }
}
