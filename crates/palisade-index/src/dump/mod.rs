//! A registry's published database dump: a directory of CSV files with
//! popularity, owners and publishers. Columns are found by their names, so
//! that new ones do no harm.

mod table;

use std::collections::{BTreeMap, HashMap};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use semver::Version;
use serde::Deserialize;

use crate::IndexError;
use table::Table;

/// How much of a dump to read.
#[derive(Clone, Debug)]
pub struct DumpOptions {
    /// Whether to read every version as well. A public registry has some
    /// millions; without them, the rest needs some hundred megabytes less.
    pub versions: bool,
    /// Whether to add up the downloads of the last days, from the largest
    /// file.
    pub recent_downloads: bool,
    /// The most rows of one file.
    pub rows: u64,
}

impl Default for DumpOptions {
    fn default() -> DumpOptions {
        DumpOptions {
            versions: true,
            recent_downloads: true,
            rows: 1_000_000_000,
        }
    }
}

/// What a dump says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dump {
    /// Every crate, by its name.
    pub crates: BTreeMap<String, DumpedCrate>,
    /// The names that people give themselves, by their logins.
    pub people: BTreeMap<String, String>,
    /// Files and rows that could not be read.
    pub problems: Vec<DumpProblem>,
}

/// A crate in a dump.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DumpedCrate {
    /// All downloads of all versions.
    pub downloads: u64,
    /// Downloads in the days that the dump has one by one, usually 90.
    pub recent_downloads: u64,
    /// When its name was first published.
    pub created: Option<Timestamp>,
    /// What its authors say it is.
    pub description: Option<String>,
    /// Where its source is said to be.
    pub repository: Option<String>,
    /// Its page.
    pub homepage: Option<String>,
    /// Who may publish it, in order.
    pub owners: Vec<Owner>,
    /// Since when, where the dump says.
    pub owners_since: BTreeMap<Owner, Timestamp>,
    /// Whether only machines that the registry trusts may publish it; `None`
    /// where the dump does not say.
    pub trusted_only: Option<bool>,
    /// Its versions, oldest first.
    pub versions: Vec<DumpedVersion>,
}

/// A version in a dump.
#[derive(Clone, Debug, PartialEq)]
pub struct DumpedVersion {
    /// The version.
    pub version: Version,
    /// When it was published.
    pub created: Option<Timestamp>,
    /// Its downloads.
    pub downloads: u64,
    /// Whether it was withdrawn.
    pub yanked: bool,
    /// Who published it, by the login. Neither old versions nor those that a
    /// machine published say.
    pub published_by: Option<String>,
    /// When the registry last changed it: for a withdrawn version, usually
    /// when that happened.
    pub updated: Option<Timestamp>,
    /// From where a machine published it, where the dump says. The registry's
    /// public dumps leave it out; its own have it.
    pub trusted: Option<TrustedPublishing>,
}

/// From where a machine that the registry trusts published a version. The
/// forge has signed it, so that it says more than what cargo wrote into the
/// archive.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TrustedPublishing {
    /// The forge: `github`, `gitlab`.
    pub provider: String,
    /// The repository on it, `owner/name`.
    #[serde(alias = "project_path", default)]
    pub repository: Option<String>,
    /// The commit that was published.
    #[serde(rename = "sha", default)]
    pub commit: Option<String>,
}

/// Who may publish a crate.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// A person, by the login.
    User(String),
    /// A team, by its full name.
    Team(String),
}

/// A part of a dump that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DumpProblem {
    /// The file.
    pub file: String,
    /// What is wrong, and with how many rows.
    pub reason: String,
}

impl Dump {
    /// Reads the dump in `directory`, where the files are in it or in its
    /// `data`. All files but `crates.csv` may be missing.
    ///
    /// # Errors
    /// There is no `crates.csv`, it lacks a column that everything depends on,
    /// or a file cannot be read.
    pub fn open(directory: &Utf8Path, options: &DumpOptions) -> Result<Dump, IndexError> {
        let data = directory.join("data");
        let directory = if data.is_dir() {
            data
        } else {
            directory.to_owned()
        };
        let mut reader = Reader {
            directory,
            options,
            dump: Dump::default(),
            names: HashMap::new(),
        };
        reader.crates()?;
        reader.crate_downloads()?;
        let users = reader.logins("users.csv", "gh_login")?;
        reader.people(&users)?;
        let teams = reader.logins("teams.csv", "login")?;
        reader.owners(&users, &teams)?;
        if options.versions || options.recent_downloads {
            let versions = reader.versions(&users)?;
            if options.recent_downloads {
                reader.version_downloads(&versions)?;
            }
        }
        let Reader { mut dump, .. } = reader;
        for known in dump.crates.values_mut() {
            known.owners.sort();
            known.owners.dedup();
            known
                .versions
                .sort_by(|a, b| (a.created, &a.version).cmp(&(b.created, &b.version)));
        }
        Ok(dump)
    }
}

struct Reader<'o> {
    directory: Utf8PathBuf,
    options: &'o DumpOptions,
    dump: Dump,
    /// Crates' names by their number.
    names: HashMap<u64, String>,
}

impl Reader<'_> {
    fn crates(&mut self) -> Result<(), IndexError> {
        let path = self.directory.join("crates.csv");
        let Some(mut table) = Table::open(&path, &["id", "name"], self.options.rows)? else {
            return Err(IndexError::Read {
                path,
                source: std::io::ErrorKind::NotFound.into(),
            });
        };
        while let Some(row) = table.next()? {
            let (Some(id), Some(name)) = (row.number("id"), row.text("name")) else {
                table.skip();
                continue;
            };
            let known = DumpedCrate {
                // Older dumps have it here.
                downloads: row.number("downloads").unwrap_or(0),
                created: row.time("created_at"),
                description: row.text("description"),
                repository: row.text("repository"),
                homepage: row.text("homepage"),
                trusted_only: row.flag("trustpub_only"),
                ..DumpedCrate::default()
            };
            self.names.insert(id, name.clone());
            self.dump.crates.insert(name, known);
        }
        self.dump.problems.extend(table.problem());
        Ok(())
    }

    fn crate_downloads(&mut self) -> Result<(), IndexError> {
        self.each(
            "crate_downloads.csv",
            &["crate_id", "downloads"],
            |reader, row| {
                let downloads = row.number("downloads")?;
                reader.known(row.number("crate_id")?)?.downloads = downloads;
                Some(())
            },
        )
    }

    fn logins(&mut self, file: &str, column: &str) -> Result<HashMap<u64, String>, IndexError> {
        let mut logins = HashMap::new();
        self.each(file, &["id", column], |_, row| {
            logins.insert(row.number("id")?, row.text(column)?);
            Some(())
        })?;
        Ok(logins)
    }

    /// The names of people; whoever has none is left out.
    fn people(&mut self, users: &HashMap<u64, String>) -> Result<(), IndexError> {
        let path = self.directory.join("users.csv");
        let Some(mut table) = Table::open(&path, &["id"], self.options.rows)? else {
            // `logins` has said so.
            return Ok(());
        };
        while let Some(row) = table.next()? {
            let login = row.number("id").and_then(|id| users.get(&id));
            if let (Some(login), Some(name)) = (login, row.text("name")) {
                self.dump.people.insert(login.clone(), name);
            }
        }
        Ok(())
    }

    fn owners(
        &mut self,
        users: &HashMap<u64, String>,
        teams: &HashMap<u64, String>,
    ) -> Result<(), IndexError> {
        const COLUMNS: [&str; 3] = ["crate_id", "owner_id", "owner_kind"];
        self.each("crate_owners.csv", &COLUMNS, |reader, row| {
            let id = row.number("owner_id")?;
            let owner = match row.number("owner_kind")? {
                0 => Owner::User(users.get(&id)?.clone()),
                1 => Owner::Team(teams.get(&id)?.clone()),
                _ => return None,
            };
            let since = row.time("created_at");
            let known = reader.known(row.number("crate_id")?)?;
            known
                .owners_since
                .extend(since.map(|since| (owner.clone(), since)));
            known.owners.push(owner);
            Some(())
        })
    }

    /// The versions' crates, by the versions' numbers.
    fn versions(&mut self, users: &HashMap<u64, String>) -> Result<HashMap<u64, u64>, IndexError> {
        const COLUMNS: [&str; 3] = ["id", "crate_id", "num"];
        let mut crates = HashMap::new();
        let keep = self.options.versions;
        self.each("versions.csv", &COLUMNS, |reader, row| {
            let crate_id = row.number("crate_id")?;
            crates.insert(row.number("id")?, crate_id);
            if !keep {
                return Some(());
            }
            let version = DumpedVersion {
                version: row.text("num")?.parse().ok()?,
                created: row.time("created_at"),
                downloads: row.number("downloads").unwrap_or(0),
                yanked: row.flag("yanked").unwrap_or(false),
                published_by: row
                    .number("published_by")
                    .and_then(|id| users.get(&id).cloned()),
                updated: row.time("updated_at"),
                trusted: row
                    .text("trustpub_data")
                    .and_then(|text| serde_json::from_str(&text).ok()),
            };
            reader.known(crate_id)?.versions.push(version);
            Some(())
        })?;
        Ok(crates)
    }

    fn version_downloads(&mut self, versions: &HashMap<u64, u64>) -> Result<(), IndexError> {
        const COLUMNS: [&str; 2] = ["version_id", "downloads"];
        self.each("version_downloads.csv", &COLUMNS, |reader, row| {
            let crate_id = versions.get(&row.number("version_id")?)?;
            let known = reader.known(*crate_id)?;
            known.recent_downloads = known
                .recent_downloads
                .saturating_add(row.number("downloads")?);
            Some(())
        })
    }

    fn known(&mut self, id: u64) -> Option<&mut DumpedCrate> {
        self.dump.crates.get_mut(self.names.get(&id)?)
    }

    /// Reads a file that may be missing; `take` says whether it could use the
    /// row.
    fn each(
        &mut self,
        file: &str,
        columns: &[&str],
        mut take: impl FnMut(&mut Self, &table::Row) -> Option<()>,
    ) -> Result<(), IndexError> {
        let path = self.directory.join(file);
        let Some(mut table) = Table::open(&path, columns, self.options.rows)? else {
            self.dump.problems.push(DumpProblem {
                file: file.to_owned(),
                reason: "it is missing".to_owned(),
            });
            return Ok(());
        };
        while let Some(row) = table.next()? {
            if take(self, &row).is_none() {
                table.skip();
            }
        }
        self.dump.problems.extend(table.problem());
        Ok(())
    }
}
