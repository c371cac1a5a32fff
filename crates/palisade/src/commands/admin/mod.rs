//! `palisade admin`: works on the state directly, so it needs the rights of
//! the service, and works while the gateway is down. One file per subcommand.

mod account;
pub(crate) mod appeal;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod baseline;
pub(crate) mod case;
pub(crate) mod delete;
pub(crate) mod disclosure;
pub(crate) mod doctor;
pub(crate) mod hold;
pub(crate) mod job;
pub(crate) mod limit;
pub(crate) mod name;
pub(crate) mod owner;
pub(crate) mod policy;
pub(crate) mod publisher;
pub(crate) mod request;
pub(crate) mod restore;
pub(crate) mod token;
pub(crate) mod user;
pub(crate) mod waiver;

use std::io::{BufRead as _, IsTerminal as _};

use anyhow::{Context, Result};
use jiff::Timestamp;
use palisade_gateway::admin::{Action, Done};
use palisade_gateway::{Config, admin};
use palisade_store::{Actor, Store};

use crate::cli::AdminArgs;
use crate::errors::Usage;
use crate::exit::Exit;
use crate::gateway_args::AdminCommand;
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

/// What every subcommand works with.
pub(crate) struct Desk<'a> {
    store: &'a Store,
    config: &'a Config,
    actor: Actor,
    now: Timestamp,
}

impl Desk<'_> {
    async fn run(&self, command: &AdminCommand) -> Result<Exit> {
        match command {
            AdminCommand::User(command) => user::run(self, command).await,
            AdminCommand::Token(command) => token::run(self, command).await,
            AdminCommand::Case(command) => case::run(self, command).await,
            AdminCommand::Appeal(command) => appeal::run(self, command).await,
            AdminCommand::Waiver(command) => waiver::run(self, command).await,
            AdminCommand::Hold(command) => hold::run(self, command).await,
            AdminCommand::Policy(command) => policy::run(self, command).await,
            AdminCommand::Name(command) => name::run(self, command).await,
            AdminCommand::Limit(command) => limit::run(self, command).await,
            AdminCommand::Owner(command) => owner::run(self, command).await,
            AdminCommand::Delete(args) => delete::run(self, args).await,
            AdminCommand::Request(command) => request::run(self, command).await,
            AdminCommand::Disclosure(command) => disclosure::run(self, command).await,
            AdminCommand::Audit(command) => audit::run(self, command).await,
            AdminCommand::Baseline(args) => baseline::run(self, args).await,
            AdminCommand::Doctor(args) => doctor::run(self, args).await,
            AdminCommand::Job(command) => job::run(self, command).await,
            AdminCommand::Publisher(command) => publisher::run(self, command).await,
            AdminCommand::Restore(args) => restore::run(self, args).await,
            AdminCommand::Backup(args) => backup::run(self, args).await,
        }
    }
}

impl Desk<'_> {
    /// Does something that may take two people, once it is confirmed.
    async fn act(&self, action: &Action, reason: &str, confirm: Option<&str>) -> Result<Exit> {
        if let Some(name) = action.confirmation() {
            self.confirm(&format!("this will {}", action.title()), name, confirm)?;
        }
        let done = admin::ask(
            self.store,
            self.config,
            &self.actor,
            self.now,
            action,
            reason,
        )
        .await?;
        say(&match done {
            Done::Yes => "done".to_owned(),
            Done::Asked(id) => format!(
                "request {id} waits for another person: `palisade admin request approve {id}`"
            ),
        })
    }

    /// Wants the name of what is lost once more, from the command line or from
    /// the person at the terminal.
    fn confirm(&self, what: &str, name: &str, given: Option<&str>) -> Result<()> {
        let answer = match given {
            Some(given) => given.to_owned(),
            None if std::io::stdin().is_terminal() => {
                output::to_stderr(&format!("{what}.\nType `{name}` to go on: "));
                let mut line = String::new();
                std::io::stdin().lock().read_line(&mut line)?;
                line.trim().to_owned()
            }
            None => {
                return Err(Usage {
                    message: format!("{what}; that has to be confirmed"),
                    hint: format!("add --confirm {name}"),
                }
                .into());
            }
        };
        if answer != name {
            return Err(Usage {
                message: format!("`{}` is not `{name}`; nothing was done", harmless(&answer)),
                hint: "name exactly what is meant".to_owned(),
            }
            .into());
        }
        Ok(())
    }
}

/// Text that a stranger chose, harmless to a terminal.
fn harmless(text: &str) -> String {
    text.escape_debug().to_string()
}

fn say(text: &str) -> Result<Exit> {
    lines([text.to_owned()].into_iter())
}

fn lines(lines: impl Iterator<Item = String>) -> Result<Exit> {
    output::to_stdout(|out| {
        for line in lines {
            writeln!(out, "{line}")?;
        }
        Ok(())
    })?;
    Ok(Exit::Clean)
}
