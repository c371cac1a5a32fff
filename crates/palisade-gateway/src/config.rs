//! The table `[gateway]` of `palisade.toml`.
//!
//! Unknown keys are errors: a misspelt rule must not silently do nothing.

use std::net::SocketAddr;

use camino::{Utf8Path, Utf8PathBuf};
use palisade_index::index_path;
use serde::Deserialize;

use crate::pattern::Pattern;
use crate::policy::Policy;

/// Largest configuration file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// How the gateway is set up.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Where to listen. Anything but the machine itself needs `tls`, or
    /// something in front that has it and `behind-proxy`.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// The address by which clients reach it; `http://` and `listen` unless
    /// given.
    pub url: Option<String>,
    /// Where everything is kept, relative to the file.
    #[serde(default = "default_data")]
    pub data: Utf8PathBuf,
    /// The address of a PostgreSQL database, which several gateways may share;
    /// a file of SQLite below `data` unless given. The password may come from
    /// `PGPASSWORD` or `~/.pgpass` instead.
    pub database: Option<String>,
    /// Whether only those with a token may read. Owners see their own versions
    /// that are held only then, because cargo shows no token otherwise.
    #[serde(default)]
    pub auth_required: bool,
    /// Whether something in front ends TLS.
    #[serde(default)]
    pub behind_proxy: bool,
    /// A certificate and its key, PEM files relative to the file.
    pub tls: Option<Tls>,
    /// The registry that is pulled through; none unless given.
    pub upstream: Option<Upstream>,
    /// What may be published.
    #[serde(default)]
    pub publish: Publish,
    /// Tokens.
    #[serde(default)]
    pub tokens: Tokens,
    /// How people sign in with a browser.
    #[serde(default)]
    pub sign_in: SignIn,
    /// Issuers whose workflows may publish crates that trust them.
    #[serde(default)]
    pub trusted_publishing: Vec<TrustedIssuer>,
    /// How mails are sent; none are unless given.
    pub mail: Option<Mail>,
    /// What is kept back.
    #[serde(default)]
    pub policy: Policy,
    /// A directory with the RustSec advisory database, relative to the file;
    /// the rule `advisory` knows nothing without it.
    pub advisories: Option<Utf8PathBuf>,
    /// A directory with a registry's database dump, relative to the file; the
    /// rule `typosquat` knows nothing without it.
    pub names: Option<Utf8PathBuf>,
    /// What takes two people.
    #[serde(default)]
    pub administration: Administration,
}

/// How those who run the gateway watch each other.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Administration {
    /// What one person asks for and another one approves.
    pub second_person: Vec<TwoPeople>,
}

/// What can be made to take two people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TwoPeople {
    /// Deleting crates and versions.
    Delete,
    /// Changing the owners of a crate.
    Owners,
    /// Changing what a user may be trusted with.
    Roles,
}

/// How people sign in with a browser.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct SignIn {
    /// Whether accounts with a password may, too.
    pub local: bool,
    /// How long a session lasts after its last use, in hours.
    pub hours: u32,
    /// Accounts at an issuer of identities.
    pub oidc: Option<SignInElsewhere>,
}

impl Default for SignIn {
    fn default() -> SignIn {
        SignIn {
            local: true,
            hours: 12,
            oidc: None,
        }
    }
}

/// Signing in by OpenID Connect.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SignInElsewhere {
    /// The issuer, exactly as it calls itself.
    pub issuer: String,
    /// What it calls this registry.
    pub client_id: String,
    /// The file that holds the secret it gave, where it gave one.
    pub client_secret_file: Option<Utf8PathBuf>,
    /// Whether whoever it knows gets an account here.
    #[serde(default)]
    pub create_accounts: bool,
    /// The roles of such an account.
    #[serde(default)]
    pub roles: Vec<String>,
}

/// An issuer whose workflows may publish.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TrustedIssuer {
    /// The issuer, exactly as it calls itself.
    pub issuer: String,
    /// For whom its tokens have to be; this registry's address unless given.
    pub audience: Option<String>,
}

/// How mails are sent.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mail {
    /// The name of the server.
    pub server: String,
    /// Its port; the usual one of `security` unless given.
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub security: Security,
    /// The sender, such as `Registry <registry@example.com>`.
    pub from: String,
    /// The account at the server.
    pub user: Option<String>,
    /// The file that holds its password.
    pub password_file: Option<Utf8PathBuf>,
}

/// How a connection to a mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Security {
    /// It begins in the open and must change to TLS.
    #[default]
    Starttls,
    /// It is TLS from its beginning.
    Tls,
    /// Not at all; only to the machine itself.
    None,
}

/// A certificate and its key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tls {
    /// The chain of certificates, a PEM file.
    pub certificate: Utf8PathBuf,
    /// The key, a PEM file.
    pub key: Utf8PathBuf,
}

/// The registry that is pulled through.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Upstream {
    /// The address of its sparse index, or `default` for cargo's default
    /// registry.
    pub index: String,
    /// How long an index file is taken as fresh, in seconds.
    #[serde(default = "default_refresh")]
    pub refresh_seconds: u64,
    /// Give up on one request after so many seconds.
    #[serde(default = "default_timeout")]
    pub timeout_seconds: u64,
    /// The file that holds its token, where it wants one.
    pub token_file: Option<Utf8PathBuf>,
    /// Which clock says how old a version is.
    #[serde(default)]
    pub clock: AgeClock,
}

/// Which clock says how old a version is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgeClock {
    /// The upstream's time of publication; where it gives none, the time at
    /// which the version was first seen.
    #[default]
    Upstream,
    /// The time at which the version was first seen, whatever the upstream
    /// says, unless a baseline counts it as old.
    FirstSeen,
}

/// What may be published.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Publish {
    /// The most bytes of an archive.
    pub archive_bytes: usize,
    /// The most versions that one user publishes in 24 hours.
    pub versions_per_day: u64,
    /// The most crates that one user publishes first in 24 hours.
    pub new_crates_per_day: u64,
    /// Whether a description and a licence are needed, as on crates.io.
    pub require_metadata: bool,
    /// Names that are published here alone: they are never looked up
    /// upstream, so that nobody can put another crate in their place there.
    pub private: Vec<Pattern>,
    /// Other registries that dependencies may come from, by the address of
    /// their index. The upstream's own is always allowed.
    pub registries: Vec<String>,
}

/// Tokens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Tokens {
    /// The longest life of a token, in days.
    pub most_days: u32,
    /// How many days before its end a user is told.
    pub warn_days: u32,
}

impl Default for Publish {
    fn default() -> Publish {
        Publish {
            archive_bytes: 10 << 20,
            versions_per_day: 500,
            new_crates_per_day: 50,
            require_metadata: true,
            private: Vec::new(),
            registries: Vec::new(),
        }
    }
}

impl Default for Tokens {
    fn default() -> Tokens {
        Tokens {
            most_days: 365,
            warn_days: 7,
        }
    }
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8417))
}

fn default_data() -> Utf8PathBuf {
    Utf8PathBuf::from("palisade-gateway")
}

fn default_refresh() -> u64 {
    60
}

fn default_timeout() -> u64 {
    20
}

/// The file as a whole; other commands read its other tables.
#[derive(Deserialize)]
struct File {
    gateway: Option<Config>,
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read `{file}`")]
    Read {
        /// The file.
        file: Utf8PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file says something that it must not.
    #[error("`{file}`: {message}")]
    Invalid {
        /// The file.
        file: Utf8PathBuf,
        /// What is wrong, and where.
        message: String,
    },
}

impl ConfigError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            ConfigError::Read { .. } => "name a file with `--config`",
            ConfigError::Invalid { .. } => "docs/gateway.md lists every key",
        }
    }
}

impl Config {
    /// Reads the table `[gateway]` of a file. Paths in it become relative to
    /// the working directory.
    ///
    /// # Errors
    /// The file cannot be read, or says something that it must not.
    pub fn load(file: &Utf8Path) -> Result<Config, ConfigError> {
        use std::io::Read as _;
        let read = |source| ConfigError::Read {
            file: file.to_owned(),
            source,
        };
        let mut text = String::new();
        std::fs::File::open(file)
            .and_then(|opened| opened.take(MAX_BYTES).read_to_string(&mut text))
            .map_err(read)?;
        Config::parse(file, &text)
    }

    /// Reads the table `[gateway]` from a file's text.
    ///
    /// # Errors
    /// The text says something that it must not.
    pub fn parse(file: &Utf8Path, text: &str) -> Result<Config, ConfigError> {
        let invalid = |message: String| ConfigError::Invalid {
            file: file.to_owned(),
            message,
        };
        let parsed: File = toml::from_str(text).map_err(|error| invalid(error.to_string()))?;
        let mut config = parsed
            .gateway
            .ok_or_else(|| invalid("it has no table [gateway]".to_owned()))?;
        let directory = file.parent().unwrap_or(Utf8Path::new(""));
        config.data = directory.join(&config.data);
        if let Some(tls) = &mut config.tls {
            tls.certificate = directory.join(&tls.certificate);
            tls.key = directory.join(&tls.key);
        }
        if let Some(upstream) = &mut config.upstream
            && let Some(token) = &mut upstream.token_file
        {
            *token = directory.join(&*token);
        }
        for path in [&mut config.advisories, &mut config.names] {
            *path = path.take().map(|path| directory.join(path));
        }
        if let Some(database) = &config.database
            && !database.starts_with("postgres://")
            && !database.starts_with("postgresql://")
        {
            return Err(invalid(
                "gateway.database is the address of a PostgreSQL database, such as \
                 `postgres://palisade@localhost/palisade`; leave it out for SQLite"
                    .to_owned(),
            ));
        }
        if let Some(elsewhere) = &mut config.sign_in.oidc {
            if let Some(file) = &mut elsewhere.client_secret_file {
                *file = directory.join(&*file);
            }
            let unknown = elsewhere
                .roles
                .iter()
                .find(|role| palisade_store::Role::parse(role).is_none());
            if let Some(role) = unknown {
                return Err(invalid(format!(
                    "gateway.sign-in.oidc.roles has `{role}`, which is no role"
                )));
            }
        }
        if let Some(mail) = &mut config.mail {
            if let Some(file) = &mut mail.password_file {
                *file = directory.join(&*file);
            }
            let local = ["localhost", "127.0.0.1", "::1"].contains(&mail.server.as_str());
            if mail.security == Security::None && !local {
                return Err(invalid(
                    "gateway.mail.security is `none`, which is only for a server on this machine"
                        .to_owned(),
                ));
            }
            if mail.user.is_some() != mail.password_file.is_some() {
                return Err(invalid(
                    "gateway.mail needs both `user` and `password-file`, or neither".to_owned(),
                ));
            }
        }
        let exposed = !config.listen.ip().is_loopback();
        if exposed && config.tls.is_none() && !config.behind_proxy {
            return Err(invalid(format!(
                "gateway.listen is {}, which others reach: tokens would cross the network in the \
                 open. Give gateway.tls, or set gateway.behind-proxy when something in front has TLS",
                config.listen
            )));
        }
        Ok(config)
    }

    /// The address by which clients reach the gateway, without a slash at its
    /// end.
    pub fn address(&self) -> String {
        let url = self.url.clone().unwrap_or_else(|| {
            let scheme = if self.tls.is_some() { "https" } else { "http" };
            format!("{scheme}://{}", self.listen)
        });
        url.trim_end_matches('/').to_owned()
    }

    /// The address of the index, as cargo's configuration names it.
    pub fn index_address(&self) -> String {
        format!("sparse+{}/index/", self.address())
    }

    /// Whether a name is published here alone.
    pub fn is_private(&self, name: &str) -> bool {
        // A pattern with dashes must also keep the name with underscores from
        // the upstream: there, they are one name.
        let canonical = palisade_index::canonical_name(name);
        self.publish.private.iter().any(|pattern| {
            pattern.matches(name)
                || Pattern::parse(&pattern.as_str().to_ascii_lowercase().replace('_', "-"))
                    .is_ok_and(|pattern| pattern.matches(&canonical))
        })
    }

    /// Where a crate's index file is, below the address of the index.
    pub(crate) fn index_path(name: &str) -> String {
        index_path(name)
    }
}
