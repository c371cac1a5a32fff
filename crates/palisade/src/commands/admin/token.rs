//! `palisade admin token`.

use anyhow::Result;
use clap::Subcommand;
use palisade_gateway::admin::{self, TokenRequest};
use palisade_gateway::{Pattern, Scope};

use super::{Desk, harmless, lines, say};
use crate::exit::Exit;
use crate::gateway_args::parse_scope;
use crate::output;

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

pub(super) async fn run(desk: &Desk<'_>, command: &TokenCommand) -> Result<Exit> {
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
                admin::add_token(desk.store, desk.config, &desk.actor, desk.now, &request).await?;
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
            let user = desk.store.user(login).await?;
            let tokens = desk.store.tokens(user.id).await?;
            lines(tokens.iter().map(|token| {
                let state = match (token.revoked, token.expires <= desk.now) {
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
            let user = desk.store.user(login).await?;
            let mut tx = desk.store.begin(&desk.actor, desk.now).await?;
            tx.revoke_token(&user, *id, reason).await?;
            tx.commit().await?;
            say("done")
        }
    }
}
