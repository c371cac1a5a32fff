//! `palisade admin user`.

use anyhow::Result;
use clap::Subcommand;
use palisade_gateway::admin::{self, Action};
use palisade_store::Role;

use super::{Desk, account, lines, say};
use crate::exit::Exit;
use crate::gateway_args::parse_role;

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
        /// Why
        #[arg(long)]
        reason: String,
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

pub(super) async fn run(desk: &Desk<'_>, command: &UserCommand) -> Result<Exit> {
    let (store, actor, now) = (desk.store, &desk.actor, desk.now);
    match command {
        UserCommand::Add { login, role } => {
            admin::add_user(store, actor, now, login, role).await?;
        }
        UserCommand::Roles {
            login,
            role,
            reason,
        } => {
            let action = Action::SetRoles {
                login: login.clone(),
                roles: role.iter().map(|role| role.as_str().to_owned()).collect(),
            };
            return desk.act(&action, reason, None).await;
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
        | UserCommand::Notices { .. } => return account::run(desk, command).await,
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
