//! The arguments of `palisade serve` and `palisade admin`. What a subcommand
//! takes stands beside what it does, in `commands/admin`.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};
use palisade_gateway::Scope;
use palisade_store::Role;

use crate::commands::admin::{
    appeal::AppealCommand, audit::AuditCommand, backup::BackupArgs, baseline::BaselineArgs,
    case::CaseCommand, delete::DeleteArgs, disclosure::DisclosureCommand, doctor::DoctorArgs,
    hold::HoldCommand, job::JobCommand, limit::LimitCommand, name::NameCommand,
    owner::OwnerCommand, policy::PolicyCommand, publisher::PublisherCommand,
    request::RequestCommand, restore::RestoreArgs, token::TokenCommand, user::UserCommand,
    waiver::WaiverCommand,
};

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
    /// Appeals of owners
    #[command(subcommand)]
    Appeal(AppealCommand),
    /// Exceptions from rules, for a while
    #[command(subcommand)]
    Waiver(WaiverCommand),
    /// Keep back every new version of some crates or of a publisher
    #[command(subcommand)]
    Hold(HoldCommand),
    /// The rules, and what they would do
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Names that are reserved or blocked
    #[command(subcommand)]
    Name(NameCommand),
    /// Limits for single crates and users
    #[command(subcommand)]
    Limit(LimitCommand),
    /// Owners of crates
    #[command(subcommand)]
    Owner(OwnerCommand),
    /// Delete a crate or a version that is published here; the evidence is kept
    Delete(DeleteArgs),
    /// What waits for a second person
    #[command(subcommand)]
    Request(RequestCommand),
    /// Problems that owners are told of before the world is
    #[command(subcommand)]
    Disclosure(DisclosureCommand),
    /// The audit log
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Vouch for crates: what the upstream lists of them at first sight is old
    Baseline(BaselineArgs),
    /// Compare the archives that were published here with the state, and mend it
    Doctor(DoctorArgs),
    /// Write a copy of the state while the gateway runs
    Backup(BackupArgs),
    /// Fill an empty state with a copy; SQLite reads what PostgreSQL wrote, and
    /// the reverse
    Restore(RestoreArgs),
    /// Work in the background
    #[command(subcommand)]
    Job(JobCommand),
    /// Workflows that may publish a crate
    #[command(subcommand)]
    Publisher(PublisherCommand),
}

pub(crate) fn parse_role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| names(Role::ALL.map(Role::as_str).as_slice()))
}

pub(crate) fn parse_scope(text: &str) -> Result<Scope, String> {
    Scope::parse(text).ok_or_else(|| names(Scope::ALL.map(Scope::as_str).as_slice()))
}

pub(crate) fn names(names: &[&str]) -> String {
    format!("choose from {}", names.join(", "))
}
