//! What those who run the gateway do, by command or by request.

mod accounts;
mod actions;
mod appeals;
mod baseline;
mod bundle;
mod cases;
mod doctor;
mod dry_run;
mod orders;
mod waivers;

use palisade_store::{Actor, Location, Store};

use crate::GatewayError;
use crate::config::Config;

pub use accounts::{Given, TokenRequest, add_token, add_user, lock};
pub use actions::{Action, Done, ask, settle_request};
pub use appeals::{appeal, decide_appeal};
pub use baseline::baseline;
pub use cases::{Ruling, add_evidence, decide};
pub use doctor::{Diagnosis, Problem, doctor};
pub use dry_run::{Change, DryRun, Moment, dry_run};
pub use orders::{add_hold, release_name, set_aside, set_limit};
pub use waivers::{WaiverRequest, request_waiver};

/// The fewest characters of a reason: whoever asks later has to learn
/// something from it.
const REASON: usize = 10;

/// The most characters of a text that somebody writes about a version.
const TEXT: usize = 20_000;

/// The database below the data directory, unless another one is given.
pub const DATABASE: &str = "state.db";

/// Opens the state of the gateway that `config` sets up.
///
/// # Errors
/// The data directory cannot be made, or the database cannot be opened.
pub async fn open(config: &Config) -> Result<Store, GatewayError> {
    std::fs::create_dir_all(&config.data).map_err(|source| GatewayError::File {
        operation: "make the directory",
        path: config.data.clone(),
        source,
    })?;
    let location = match &config.database {
        Some(url) => Location::Server(url.clone()),
        None => Location::File(config.data.join(DATABASE)),
    };
    Ok(Store::open(location).await?)
}

/// Refuses a text that says nothing.
///
/// # Errors
/// It is too short or too long.
pub fn require_reason(reason: &str) -> Result<(), GatewayError> {
    let length = reason.trim().chars().count();
    if length < REASON {
        return Err(GatewayError::Refused(format!(
            "a reason has {REASON} characters or more: somebody will want to know it"
        )));
    }
    if length > TEXT {
        return Err(GatewayError::Refused(format!(
            "a text has {TEXT} characters at most"
        )));
    }
    Ok(())
}

/// Nobody decides about what is their own.
async fn require_no_owner(
    store: &Store,
    actor: &Actor,
    canonical: &str,
) -> Result<(), GatewayError> {
    let owners = store.owners(canonical).await?;
    match actor.person() {
        Some(person) if owners.iter().any(|owner| owner.login == person) => {
            Err(GatewayError::Refused(format!(
                "{person} owns `{canonical}`; somebody else has to decide"
            )))
        }
        _ => Ok(()),
    }
}

fn missing(name: &str, version: &str) -> GatewayError {
    GatewayError::Store(palisade_store::StoreError::Missing {
        what: "version",
        name: format!("{name} {version}"),
    })
}
