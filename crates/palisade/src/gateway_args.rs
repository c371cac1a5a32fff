//! The arguments of `palisade serve` and `palisade admin`.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand, ValueEnum};
use palisade_gateway::{Pattern, Scope};
use palisade_store::Role;

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = "palisade.toml")]
    pub(crate) config: Utf8PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct AdminArgs {
    /// The configuration file of the gateway
    #[arg(
        long,
        value_name = "FILE",
        default_value = "palisade.toml",
        global = true
    )]
    pub(crate) config: Utf8PathBuf,
    #[command(subcommand)]
    pub(crate) command: AdminCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// Accounts
    #[command(subcommand)]
    User(UserCommand),
    /// Tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// What is kept back
    #[command(subcommand)]
    Case(CaseCommand),
    /// The audit log
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Work in the background
    #[command(subcommand)]
    Job(JobCommand),
    /// Workflows that may publish a crate
    #[command(subcommand)]
    Publisher(PublisherCommand),
    /// Vouch for crates: what the upstream lists of them at first sight is old
    Baseline {
        /// Names of crates
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// Every crate of a lockfile that comes from a registry
        #[arg(long, value_name = "FILE")]
        lockfile: Option<Utf8PathBuf>,
        /// Yes, I know them
        #[arg(long)]
        confirm: bool,
    },
    /// Compare the archives that were published here with the state
    Doctor {
        /// Delete archives that belong to no version
        #[arg(long)]
        repair: bool,
    },
    /// Write a copy of the state while the gateway runs
    Backup {
        /// The new file
        #[arg(value_name = "FILE")]
        to: Utf8PathBuf,
    },
    /// Fill an empty state with a copy; SQLite reads what PostgreSQL wrote, and
    /// the reverse
    Restore {
        /// The copy
        #[arg(value_name = "FILE")]
        from: Utf8PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Make an account
    Add {
        login: String,
        /// What they may be trusted with
        #[arg(long, value_name = "ROLE", required = true, value_delimiter = ',', value_parser = parse_role)]
        role: Vec<Role>,
    },
    /// Set what a user may be trusted with
    Roles {
        login: String,
        #[arg(long, value_name = "ROLE", required = true, value_delimiter = ',', value_parser = parse_role)]
        role: Vec<Role>,
    },
    /// Show every account
    List,
    /// Lock an account for a while: none of its tokens works
    Lock {
        login: String,
        /// For how long
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        hours: u32,
        /// Why; its user reads it
        #[arg(long)]
        reason: String,
    },
    /// Set where mails to a user go
    Email {
        login: String,
        /// The address; nothing ends the mails
        address: Option<String>,
    },
    /// Set a password, which is read from standard input; every session ends
    Password {
        login: String,
        /// Remove it instead
        #[arg(long)]
        remove: bool,
    },
    /// Set a second factor, whose key is shown once; every session ends
    SecondFactor {
        login: String,
        /// Remove it instead
        #[arg(long)]
        remove: bool,
    },
    /// Show what a user was told
    Notices { login: String },
    /// Unlock an account
    Unlock {
        login: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum JobCommand {
    /// Show what waits, what is worked on, and what was given up
    List,
    /// Try a job again now
    Retry {
        /// Its number
        id: i64,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PublisherCommand {
    /// Show a crate's
    List {
        #[arg(value_name = "CRATE")]
        name: String,
    },
    /// Take the right to publish from one
    Remove {
        #[arg(value_name = "CRATE")]
        name: String,
        /// Its number
        id: i64,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Give out a token; it is shown once
    Add {
        login: String,
        /// What it is called
        #[arg(long)]
        name: String,
        /// What it is for
        #[arg(long, required = true, value_delimiter = ',', value_parser = parse_scope)]
        scope: Vec<Scope>,
        /// Which crates it is for: a name, a beginning with `*`, or `*`
        #[arg(long = "crate", value_name = "PATTERN", required = true, value_delimiter = ',', value_parser = Pattern::parse)]
        crates: Vec<Pattern>,
        /// How long it lives
        #[arg(long, value_name = "N", default_value_t = 90)]
        days: u32,
    },
    /// Show a user's tokens
    List { login: String },
    /// End a token
    Revoke {
        login: String,
        /// Its number
        id: i64,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CaseCommand {
    /// Show what is kept back
    List,
    /// Decide about a version
    Decide {
        #[arg(value_name = "CRATE")]
        name: String,
        version: String,
        decision: Decision,
        /// Why; whoever wants the version reads it
        #[arg(long)]
        reason: String,
    },
}

/// What can be decided about a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Decision {
    /// Everybody may have it
    Release,
    /// Nobody may have it
    Reject,
    /// Nobody may have it until a person decides
    Quarantine,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Find any record that is missing or was changed
    Verify {
        /// The head that an earlier verification printed
        #[arg(long, value_name = "HASH")]
        head: Option<String>,
    },
    /// Print every record, one JSON object per line
    Export {
        /// Only records after this number
        #[arg(long, value_name = "N", default_value_t = 0)]
        after: i64,
    },
}

fn parse_role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| names(Role::ALL.map(Role::as_str).as_slice()))
}

fn parse_scope(text: &str) -> Result<Scope, String> {
    Scope::parse(text).ok_or_else(|| names(Scope::ALL.map(Scope::as_str).as_slice()))
}

fn names(names: &[&str]) -> String {
    format!("choose from {}", names.join(", "))
}
