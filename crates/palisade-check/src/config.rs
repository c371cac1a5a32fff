//! `palisade.toml`: what the user has decided.
//!
//! ```toml
//! # Where the advisory database is, relative to this file.
//! db = "ci/advisory-db"
//! # What fails a run beside reached vulnerabilities.
//! fail-on = ["unknown", "unsound"]
//!
//! [[ignore]]
//! id = "RUSTSEC-2020-0071"
//! reason = "the process never changes its environment"
//! expires = "2027-06-30"
//! ```
//!
//! The file is read with spans, so that whatever is wrong with it, or out of
//! date in it, is reported at its line. Unknown keys are errors: a misspelt
//! key must not silently do nothing.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::civil::Date;
use palisade_model::Finding;
use toml_span::value::{Key, Table, Value, ValueInner};

use crate::FailOn;

/// The name of the configuration file, in the workspace's root.
pub const FILE_NAME: &str = "palisade.toml";

/// Largest configuration file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// What the configuration file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// The file, when there is one.
    pub file: Option<Utf8PathBuf>,
    /// The advisory database to use.
    pub database: Option<Utf8PathBuf>,
    /// What fails a run.
    pub fail_on: FailOn,
    /// The advisories to ignore, in the file's order.
    pub ignores: Vec<Ignore>,
    /// The findings of scans to suppress, in the file's order.
    pub suppressions: Vec<Suppress>,
}

/// A finding of a scan that is not to fail the run for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppress {
    /// The detector's id.
    pub detector: String,
    /// The crate's name; `None` for every crate.
    pub package: Option<String>,
    /// The file in the package; `None` for every file.
    pub file: Option<String>,
    /// Why.
    pub reason: String,
    /// The last day on which it is suppressed.
    pub expires: Date,
    /// The line of the entry, counted from 1.
    pub line: u32,
}

/// An advisory that is not to fail the run for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// The advisory's id or one of its aliases.
    pub id: String,
    /// Why.
    pub reason: String,
    /// The last day on which it is ignored.
    pub expires: Date,
    /// The line of the entry, counted from 1.
    pub line: u32,
}

/// Why the configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {file}")]
    Read {
        /// The file.
        file: Utf8PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file is far larger than any configuration.
    #[error("{file} is larger than {limit} bytes")]
    TooLarge {
        /// The file.
        file: Utf8PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
    /// The file says something that it must not.
    #[error("{file}:{line}: {message}")]
    Invalid {
        /// The file.
        file: Utf8PathBuf,
        /// The line, counted from 1.
        line: u32,
        /// What is wrong, in one sentence without a full stop.
        message: String,
    },
}

impl Config {
    /// Reads the configuration in `dir`; the default when there is none.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn load(dir: &Utf8Path) -> Result<Config, ConfigError> {
        let file = dir.join(FILE_NAME);
        match std::fs::metadata(&file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Config::default());
            }
            Err(source) => return Err(ConfigError::Read { file, source }),
            Ok(metadata) if metadata.len() > MAX_BYTES => {
                return Err(ConfigError::TooLarge {
                    file,
                    limit: MAX_BYTES,
                });
            }
            Ok(_) => {}
        }
        match std::fs::read_to_string(&file) {
            Ok(text) => Config::parse(&file, &text),
            Err(source) => Err(ConfigError::Read { file, source }),
        }
    }

    /// Reads a configuration from its text; `file` is for messages and for
    /// paths relative to it.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`].
    pub fn parse(file: &Utf8Path, text: &str) -> Result<Config, ConfigError> {
        Reader { file, text }.config()
    }

    /// Marks what is to be ignored `today`, and says which entries ignore
    /// nothing: expired ones, and those that no finding matches.
    pub fn apply(&self, findings: &mut [Finding], today: Date) -> Vec<String> {
        let file = self.file.as_deref().map_or(FILE_NAME, |file| file.as_str());
        let mut warnings = Vec::new();
        for ignore in &self.ignores {
            let Ignore {
                id, line, expires, ..
            } = ignore;
            let matching = findings
                .iter_mut()
                .filter(|finding| &finding.id == id || finding.aliases.contains(id));
            let expired = *expires < today;
            let mut used = false;
            for finding in matching {
                used = true;
                if !expired {
                    finding.ignored.get_or_insert_with(|| ignore.reason.clone());
                }
            }
            if !used {
                warnings.push(format!(
                    "{file}:{line}: the ignore of {id} matches no finding; remove it"
                ));
            } else if expired {
                warnings.push(format!(
                    "{file}:{line}: the ignore of {id} expired on {expires}; decide again or remove it"
                ));
            }
        }
        warnings
    }
}

/// A table of a list, as its keys are taken out.
struct Entry<'v> {
    table: Table<'v>,
    /// What its line is taken from.
    at: usize,
    /// The list's name.
    list: &'static str,
}

struct Reader<'a> {
    file: &'a Utf8Path,
    text: &'a str,
}

impl Reader<'_> {
    fn config(&self) -> Result<Config, ConfigError> {
        let mut root = toml_span::parse(self.text)
            .map_err(|error| self.error(error.span.start, error.to_string()))?;
        let ValueInner::Table(mut table) = root.take() else {
            return Err(self.error(0, "expected a table".to_owned()));
        };
        let mut config = Config {
            file: Some(self.file.to_owned()),
            ..Config::default()
        };
        if let Some((_, value)) = table.remove_entry("db") {
            let path = self.string(value, "db")?;
            let base = self.file.parent().unwrap_or(Utf8Path::new(""));
            config.database = Some(base.join(path));
        }
        if let Some((_, value)) = table.remove_entry("fail-on") {
            config.fail_on = self.fail_on(value)?;
        }
        if let Some((_, value)) = table.remove_entry("ignore") {
            config.ignores = self.ignores(value)?;
        }
        // The gateway reads its own table and is strict about it.
        table.remove("gateway");
        if let Some((_, value)) = table.remove_entry("suppress") {
            config.suppressions = self.suppressions(value)?;
        }
        self.no_more_keys(
            &table,
            "`db`, `fail-on`, `[[ignore]]`, `[[suppress]]` and `[gateway]`",
        )?;
        Ok(config)
    }

    fn fail_on(&self, mut value: Value<'_>) -> Result<FailOn, ConfigError> {
        let start = value.span.start;
        let ValueInner::Array(items) = value.take() else {
            return Err(self.error(start, "`fail-on` is a list of names".to_owned()));
        };
        let mut fail_on = FailOn::default();
        for item in items {
            let start = item.span.start;
            let name = self.string(item, "fail-on")?;
            if !fail_on.add(&name) {
                let known = FailOn::NAMES.join("`, `");
                return Err(self.error(start, format!("`fail-on` knows `{known}`, not `{name}`")));
            }
        }
        Ok(fail_on)
    }

    fn ignores(&self, mut value: Value<'_>) -> Result<Vec<Ignore>, ConfigError> {
        let start = value.span.start;
        let ValueInner::Array(entries) = value.take() else {
            return Err(self.error(
                start,
                "write each ignore as a table under `[[ignore]]`".to_owned(),
            ));
        };
        let mut seen = BTreeSet::new();
        let mut ignores = Vec::new();
        for entry in entries {
            let start = entry.span.start;
            let ignore = self.ignore(entry)?;
            if !seen.insert(ignore.id.clone()) {
                return Err(self.error(start, format!("{} is ignored twice", ignore.id)));
            }
            ignores.push(ignore);
        }
        Ok(ignores)
    }

    fn ignore(&self, entry: Value<'_>) -> Result<Ignore, ConfigError> {
        let mut entry = self.entry(entry, "ignore", "id")?;
        let (id_at, id) = self.required(&mut entry, "id")?;
        let (_, reason) = self.required(&mut entry, "reason")?;
        let expires = self.expires(&mut entry)?;
        self.no_more_keys(&entry.table, "`id`, `reason` and `expires`")?;
        Ok(Ignore {
            id,
            reason,
            expires,
            line: self.line(id_at),
        })
    }

    fn suppressions(&self, mut value: Value<'_>) -> Result<Vec<Suppress>, ConfigError> {
        let start = value.span.start;
        let ValueInner::Array(entries) = value.take() else {
            return Err(self.error(
                start,
                "write each suppression as a table under `[[suppress]]`".to_owned(),
            ));
        };
        entries
            .into_iter()
            .map(|entry| self.suppress(entry))
            .collect()
    }

    fn suppress(&self, entry: Value<'_>) -> Result<Suppress, ConfigError> {
        let mut entry = self.entry(entry, "suppress", "detector")?;
        let (detector_at, detector) = self.required(&mut entry, "detector")?;
        let (_, reason) = self.required(&mut entry, "reason")?;
        let expires = self.expires(&mut entry)?;
        let mut optional = |name: &'static str| match entry.table.remove_entry(name) {
            None => Ok(None),
            Some((_, value)) => self.string(value, name).map(Some),
        };
        let package = optional("package")?;
        let file = optional("file")?;
        self.no_more_keys(
            &entry.table,
            "`detector`, `package`, `file`, `reason` and `expires`",
        )?;
        Ok(Suppress {
            detector,
            package,
            file,
            reason,
            expires,
            line: self.line(detector_at),
        })
    }

    /// A table of a list; `first` is the key whose line stands for it.
    fn entry<'v>(
        &self,
        mut value: Value<'v>,
        list: &'static str,
        first: &str,
    ) -> Result<Entry<'v>, ConfigError> {
        let start = value.span.start;
        let ValueInner::Table(table) = value.take() else {
            return Err(self.error(
                start,
                format!("write each {list} as a table under `[[{list}]]`"),
            ));
        };
        let at = table
            .get_key_value(first)
            .map_or(start, |(key, _)| key.span.start);
        Ok(Entry { table, at, list })
    }

    /// A string that must be there, and where it is.
    fn required(
        &self,
        entry: &mut Entry<'_>,
        name: &'static str,
    ) -> Result<(usize, String), ConfigError> {
        let Some((_, value)) = entry.table.remove_entry(name) else {
            let an = if entry.list == "ignore" { "an" } else { "a" };
            return Err(self.error(entry.at, format!("{an} {} needs `{name}`", entry.list)));
        };
        let at = value.span.start;
        let text = self.string(value, name)?;
        match text.trim().is_empty() {
            true => Err(self.error(at, format!("`{name}` is empty"))),
            false => Ok((at, text)),
        }
    }

    fn expires(&self, entry: &mut Entry<'_>) -> Result<Date, ConfigError> {
        let (at, expires) = self.required(entry, "expires")?;
        expires.parse().map_err(|_| {
            self.error(
                at,
                format!("`expires` is a day like \"2027-06-30\", not `{expires}`"),
            )
        })
    }

    fn string(&self, mut value: Value<'_>, name: &str) -> Result<String, ConfigError> {
        let start = value.span.start;
        match value.take() {
            ValueInner::String(text) => Ok(text.into_owned()),
            other => {
                let found = other.type_str();
                Err(self.error(start, format!("`{name}` takes a string, not {found}")))
            }
        }
    }

    fn no_more_keys(&self, table: &Table<'_>, known: &str) -> Result<(), ConfigError> {
        // The first in the file, whatever order the table keeps.
        match table.keys().min_by_key(|key| key.span.start) {
            None => Ok(()),
            Some(Key { name, span }) => Err(self.error(
                span.start,
                format!("unknown key `{name}`; the keys here are {known}"),
            )),
        }
    }

    fn error(&self, offset: usize, message: String) -> ConfigError {
        ConfigError::Invalid {
            file: self.file.to_owned(),
            line: self.line(offset),
            message,
        }
    }

    fn line(&self, offset: usize) -> u32 {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        let newlines = before.iter().filter(|&&byte| byte == b'\n').count();
        u32::try_from(newlines)
            .unwrap_or(u32::MAX)
            .saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::finding;

    const GOOD: &str = "\
db = \"advisories\"
fail-on = [\"unknown\"]

[[ignore]]
id = \"RUSTSEC-2099-0001\"
reason = \"never called with user input\"
expires = \"2027-01-31\"
";

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(Utf8Path::new("ws/palisade.toml"), text)
    }

    #[track_caller]
    fn refuses(text: &str, message: &str) {
        assert_eq!(
            parse(text).unwrap_err().to_string(),
            format!("ws/palisade.toml:{message}")
        );
    }

    /// Guards that each key arrives, with paths relative to the file.
    #[test]
    fn reads_every_key() {
        let config = parse(GOOD).unwrap();
        assert_eq!(
            config.database.as_deref(),
            Some(Utf8Path::new("ws/advisories"))
        );
        assert!(config.fail_on.unknown);
        assert_eq!(config.ignores.len(), 1);
        assert_eq!(config.ignores[0].line, 5);
        assert_eq!(config.ignores[0].expires, jiff::civil::date(2027, 1, 31));
    }

    /// Guards that what is wrong is named at its line.
    #[test]
    fn refuses_with_the_line() {
        refuses(
            "ignores = []",
            "1: unknown key `ignores`; the keys here are `db`, `fail-on`, `[[ignore]]`, `[[suppress]]` and `[gateway]`",
        );
        refuses("\ndb = 1", "2: `db` takes a string, not integer");
        refuses(
            "fail-on = [\"unknwon\"]",
            "1: `fail-on` knows `unknown`, `unmaintained`, `unsound`, `notice`, not `unknwon`",
        );
        refuses(
            "\n[[ignore]]\nid = \"A\"\nexpires = \"2027-01-01\"",
            "3: an ignore needs `reason`",
        );
        refuses(
            "[[ignore]]\nid = \"A\"\nreason = \"r\"",
            "2: an ignore needs `expires`",
        );
        refuses("[[ignore]]\nreason = \"r\"", "1: an ignore needs `id`");
        refuses(
            "[[ignore]]\nid = \"A\"\nreason = \" \"\nexpires = \"2027-01-01\"",
            "3: `reason` is empty",
        );
        refuses(
            "[[ignore]]\nid = \"A\"\nreason = \"r\"\nexpires = \"soon\"",
            "4: `expires` is a day like \"2027-06-30\", not `soon`",
        );
        refuses(
            "[[ignore]]\nid = \"A\"\nreason = \"r\"\nexpires = \"2027-01-01\"\nuntil = 1",
            "5: unknown key `until`; the keys here are `id`, `reason` and `expires`",
        );
        let twice = format!(
            "{GOOD}\n[[ignore]]\nid = \"RUSTSEC-2099-0001\"\nreason = \"r\"\nexpires = \"2027-01-01\""
        );
        refuses(&twice, "9: RUSTSEC-2099-0001 is ignored twice");
        assert!(
            parse("db = ")
                .unwrap_err()
                .to_string()
                .starts_with("ws/palisade.toml:1: ")
        );
    }

    /// Guards suppressions of scans: their keys, and what is wrong with them.
    #[test]
    fn suppressions() {
        let text = "[[suppress]]\ndetector = \"hidden-text\"\npackage = \"demo\"\nreason = \"r\"\nexpires = \"2027-01-31\"\n";
        let config = parse(text).unwrap();
        assert_eq!(config.suppressions[0].package.as_deref(), Some("demo"));
        assert_eq!(config.suppressions[0].file, None);
        assert_eq!(config.suppressions[0].line, 2);
        refuses(
            "[[suppress]]\ndetector = \"hidden-text\"\nexpires = \"2027-01-31\"",
            "2: a suppress needs `reason`",
        );
    }

    /// Guards ignoring by id and by alias until the day of expiry, and the
    /// warnings for entries that do nothing.
    #[test]
    fn applies_until_the_day_of_expiry() {
        let config = parse(GOOD).unwrap();
        let day = jiff::civil::date(2027, 1, 31);
        let other = finding("RUSTSEC-2099-0002", "demo 1.0.0", "bin:app");
        let mut by_alias = other.clone();
        by_alias.aliases = vec!["RUSTSEC-2099-0001".to_owned()];

        let mut findings = [
            finding("RUSTSEC-2099-0001", "demo 1.0.0", "bin:app"),
            other.clone(),
            by_alias,
        ];
        assert_eq!(config.apply(&mut findings, day), Vec::<String>::new());
        let ignored: Vec<_> = findings
            .iter()
            .map(|finding| finding.ignored.is_some())
            .collect();
        assert_eq!(ignored, [true, false, true]);

        let mut findings = [finding("RUSTSEC-2099-0001", "demo 1.0.0", "bin:app")];
        let expired = config.apply(&mut findings, day.tomorrow().unwrap());
        assert_eq!(
            expired,
            [
                "ws/palisade.toml:5: the ignore of RUSTSEC-2099-0001 expired on 2027-01-31; decide again or remove it"
            ]
        );
        assert_eq!(findings[0].ignored, None);

        let unused = config.apply(&mut [other], day);
        assert_eq!(
            unused,
            ["ws/palisade.toml:5: the ignore of RUSTSEC-2099-0001 matches no finding; remove it"]
        );
    }

    proptest::proptest! {
        /// Guards against panics on any text, and that every refusal names a
        /// line that exists.
        #[test]
        fn any_text(text in "(\\[\\[ignore\\]\\]\n)?([a-z-]{1,8} ?= ?[\"'\\[]?[^\n]{0,12}[\"'\\]]?\n?){0,4}") {
            if let Err(ConfigError::Invalid { line, .. }) = parse(&text) {
                let lines = u32::try_from(text.lines().count()).unwrap();
                proptest::prop_assert!(line >= 1 && line <= lines.max(1) + 1, "{line} of {lines}");
            }
        }
    }
}
