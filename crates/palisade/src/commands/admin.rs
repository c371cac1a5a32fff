//! `palisade admin`: works on the state directly, so it needs the rights of
//! the service, and works while the gateway is down.

use anyhow::{Context, Result};
use camino::Utf8Path;
use jiff::Timestamp;
use palisade_gateway::admin::{self, Ruling, TokenRequest};
use palisade_gateway::{Config, GatewayError};
use palisade_index::Lockfile;
use palisade_model::PackageSource;
use palisade_store::{Actor, State, Store};

use super::admin_service as service;
use crate::cli::AdminArgs;
use crate::errors::Usage;
use crate::exit::Exit;
use crate::gateway_args::{
    AdminCommand, AuditCommand, CaseCommand, Decision, TokenCommand, UserCommand,
};
use crate::output;

pub(crate) fn run(args: &AdminArgs) -> Result<Exit> {
    let config = Config::load(&args.config)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start threads")?;
    runtime.block_on(async {
        let store = admin::open(&config).await?;
        let desk = Desk {
            store: &store,
            config: &config,
            actor: operator(),
            now: Timestamp::now(),
        };
        let result = desk.run(&args.command).await;
        store.close().await;
        result
    })
}

/// Who is at the keyboard, as the system says; the audit log keeps it.
fn operator() -> Actor {
    let name = ["SUDO_USER", "USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()));
    Actor::operator(name.as_deref().unwrap_or("unknown"))
}

struct Desk<'a> {
    store: &'a Store,
    config: &'a Config,
    actor: Actor,
    now: Timestamp,
}

impl Desk<'_> {
    async fn run(&self, command: &AdminCommand) -> Result<Exit> {
        match command {
            AdminCommand::User(command) => self.user(command).await,
            AdminCommand::Token(command) => self.token(command).await,
            AdminCommand::Case(command) => self.case(command).await,
            AdminCommand::Job(command) => {
                service::job(self.store, &self.actor, self.now, command).await
            }
            AdminCommand::Publisher(command) => {
                service::publisher(self.store, &self.actor, self.now, command).await
            }
            AdminCommand::Audit(command) => self.audit(command).await,
            AdminCommand::Baseline {
                names,
                lockfile,
                confirm,
            } => self.baseline(names, lockfile.as_deref(), *confirm).await,
            AdminCommand::Doctor { repair } => self.doctor(*repair).await,
            AdminCommand::Backup { to } => {
                self.store.backup(to).await?;
                say(&format!("wrote {to}"))
            }
            AdminCommand::Restore { from } => {
                let rows = self.store.restore(from).await?;
                let found = self.store.verify(None).await?;
                lines(found.problems.iter().cloned().chain([
                    format!("restored {rows} rows; audit records: {}", found.records),
                    format!("head: {}", found.head),
                ]))
            }
        }
    }

    async fn user(&self, command: &UserCommand) -> Result<Exit> {
        let (store, actor, now) = (self.store, &self.actor, self.now);
        match command {
            UserCommand::Add { login, role } => {
                admin::add_user(store, actor, now, login, role).await?;
            }
            UserCommand::Roles { login, role } => {
                let mut tx = store.begin(actor, now).await?;
                tx.set_roles(login, role).await?;
                tx.commit().await?;
            }
            UserCommand::Lock {
                login,
                hours,
                reason,
            } => admin::lock(store, actor, now, login, *hours, reason).await?,
            UserCommand::Unlock { login, reason } => {
                admin::lock(store, actor, now, login, 0, reason).await?;
            }
            UserCommand::Email { .. }
            | UserCommand::Password { .. }
            | UserCommand::SecondFactor { .. }
            | UserCommand::Notices { .. } => {
                return service::account(store, self.config, actor, now, command).await;
            }
            UserCommand::List => {
                let users = store.users().await?;
                return lines(users.iter().map(|user| {
                    let roles: Vec<&str> = user.roles.iter().map(|role| role.as_str()).collect();
                    let lock = match user.locked_until.filter(|_| user.is_locked(now)) {
                        Some(until) => format!("  locked until {until}"),
                        None => String::new(),
                    };
                    format!("{:<20} {}{lock}", user.login, roles.join(","))
                }));
            }
        }
        say("done")
    }

    async fn token(&self, command: &TokenCommand) -> Result<Exit> {
        match command {
            TokenCommand::Add {
                login,
                name,
                scope,
                crates,
                days,
            } => {
                let request = TokenRequest {
                    login: login.clone(),
                    name: name.clone(),
                    scopes: scope.clone(),
                    crates: crates.clone(),
                    days: *days,
                };
                let given =
                    admin::add_token(self.store, self.config, &self.actor, self.now, &request)
                        .await?;
                for warning in &given.warnings {
                    output::warn(warning);
                }
                output::to_stderr(&format!(
                    "token {} until {}; it is shown this once:\n",
                    given.id, given.expires
                ));
                say(given.secret.expose())
            }
            TokenCommand::List { login } => {
                let user = self.store.user(login).await?;
                let tokens = self.store.tokens(user.id).await?;
                lines(tokens.iter().map(|token| {
                    let state = match (token.revoked, token.expires <= self.now) {
                        (Some(revoked), _) => format!("revoked {revoked}"),
                        (None, true) => format!("expired {}", token.expires),
                        (None, false) => format!("until {}", token.expires),
                    };
                    format!(
                        "{:<4} {:<20} {state}  {}  crates {}  {}",
                        token.id,
                        harmless(&token.name),
                        token.scopes.join(","),
                        token.patterns.join(","),
                        match token.last_used {
                            Some(used) => format!("last used {used}"),
                            None => "never used".to_owned(),
                        },
                    )
                }))
            }
            TokenCommand::Revoke { login, id, reason } => {
                let user = self.store.user(login).await?;
                let mut tx = self.store.begin(&self.actor, self.now).await?;
                tx.revoke_token(&user, *id, reason).await?;
                tx.commit().await?;
                say("done")
            }
        }
    }

    async fn case(&self, command: &CaseCommand) -> Result<Exit> {
        match command {
            CaseCommand::List => {
                let mut cases = self.store.in_state(State::Quarantined).await?;
                cases.extend(self.store.in_state(State::Held).await?);
                lines(cases.iter().map(|(name, version)| {
                    let until = match version.until {
                        Some(until) => format!(" until {until}"),
                        None => String::new(),
                    };
                    format!(
                        "{name} {}  {}{until}  {}: {}",
                        version.version,
                        version.state,
                        version.rule.as_deref().unwrap_or_default(),
                        harmless(version.reason.as_deref().unwrap_or_default()),
                    )
                }))
            }
            CaseCommand::Decide {
                name,
                version,
                decision,
                reason,
            } => {
                let ruling = match decision {
                    Decision::Release => Ruling::Release,
                    Decision::Reject => Ruling::Reject,
                    Decision::Quarantine => Ruling::Quarantine,
                };
                admin::decide(
                    self.store,
                    &self.actor,
                    self.now,
                    (name, version),
                    ruling,
                    reason,
                    None,
                )
                .await?;
                say("done")
            }
        }
    }

    async fn audit(&self, command: &AuditCommand) -> Result<Exit> {
        match command {
            AuditCommand::Verify { head } => {
                let found = self.store.verify(head.as_deref()).await?;
                lines(found.problems.iter().cloned().chain([
                    format!("records: {}", found.records),
                    format!("head:    {}", found.head),
                ]))?;
                Ok(if found.problems.is_empty() {
                    Exit::Clean
                } else {
                    Exit::Reached
                })
            }
            AuditCommand::Export { after } => {
                let mut after = *after;
                loop {
                    let page = self.store.records(after).await?;
                    let Some(last) = page.last() else {
                        return Ok(Exit::Clean);
                    };
                    after = last.seq;
                    let mut text = String::new();
                    for record in &page {
                        text.push_str(&serde_json::to_string(record)?);
                        text.push('\n');
                    }
                    output::bytes_to_stdout(text.as_bytes())?;
                }
            }
        }
    }

    async fn baseline(
        &self,
        names: &[String],
        lockfile: Option<&Utf8Path>,
        confirm: bool,
    ) -> Result<Exit> {
        let mut all = names.to_vec();
        if let Some(file) = lockfile {
            let lockfile = Lockfile::open(file)?;
            let published = lockfile.packages.into_iter().filter(|package| {
                matches!(
                    package.source,
                    PackageSource::CratesIo | PackageSource::OtherRegistry(_)
                )
            });
            all.extend(published.map(|package| package.name));
        }
        all.sort();
        all.dedup();
        if !confirm {
            return Err(Usage {
                message: format!(
                    "what the upstream lists of {} crates would count as old, even what it has \
                     published a minute ago without saying so",
                    all.len()
                ),
                hint: "add --confirm when you vouch for them".to_owned(),
            }
            .into());
        }
        let added = admin::baseline(self.store, &self.actor, self.now, &all).await?;
        say(&format!(
            "{added} crates; the other {} are known already",
            all.len() - added
        ))
    }

    async fn doctor(&self, repair: bool) -> Result<Exit> {
        let found = admin::doctor(self.store, &self.config.data).await?;
        let mut report: Vec<String> = found.problems.clone();
        for orphan in &found.orphans {
            if repair {
                std::fs::remove_file(orphan).map_err(|source| GatewayError::File {
                    operation: "delete",
                    path: orphan.clone(),
                    source,
                })?;
                report.push(format!("deleted `{orphan}`, which belongs to no version"));
            } else {
                report.push(format!(
                    "`{orphan}` belongs to no version; --repair deletes it"
                ));
            }
        }
        report.push(format!("{} archives compared", found.archives));
        lines(report.into_iter())?;
        Ok(if found.problems.is_empty() {
            Exit::Clean
        } else {
            Exit::Reached
        })
    }
}

/// Text that a stranger chose, harmless to a terminal.
pub(super) fn harmless(text: &str) -> String {
    text.escape_debug().to_string()
}

pub(super) fn say(text: &str) -> Result<Exit> {
    lines([text.to_owned()].into_iter())
}

pub(super) fn lines(lines: impl Iterator<Item = String>) -> Result<Exit> {
    output::to_stdout(|out| {
        for line in lines {
            writeln!(out, "{line}")?;
        }
        Ok(())
    })?;
    Ok(Exit::Clean)
}
