//! What cannot be undone, or gives power, and may take two people.

use jiff::{SignedDuration, Timestamp};
use palisade_index::canonical_name;
use palisade_model::Checksum;
use palisade_store::{Actor, NameKind, Origin, Role, Store, StoreError, Tx, Version};
use serde::{Deserialize, Serialize};

use super::bundle::Bundle;
use super::{missing, require_reason};
use crate::GatewayError;
use crate::archives::Archives;
use crate::config::{Config, TwoPeople};

/// How long a request waits for another person.
const PATIENCE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Something that may take two people. It is kept in this form until another
/// person has approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Action {
    /// Delete a version that is published here.
    DeleteVersion {
        /// The crate.
        name: String,
        /// The version.
        version: String,
    },
    /// Delete a crate that is published here.
    DeleteCrate {
        /// The crate.
        name: String,
        /// How long nobody may publish under its name.
        block_hours: u32,
    },
    /// Make a user an owner.
    AddOwner {
        /// The crate.
        name: String,
        /// The user.
        login: String,
    },
    /// End a user's ownership.
    RemoveOwner {
        /// The crate.
        name: String,
        /// The user.
        login: String,
    },
    /// Set what a user may be trusted with.
    SetRoles {
        /// The user.
        login: String,
        /// The names of the roles.
        roles: Vec<String>,
    },
}

/// What became of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It is done.
    Yes,
    /// It waits for another person under this number.
    Asked(i64),
}

impl Action {
    /// What is done, for people.
    pub fn title(&self) -> String {
        match self {
            Action::DeleteVersion { name, version } => format!("delete {name} {version}"),
            Action::DeleteCrate { name, .. } => {
                format!("delete the crate {name} with all its versions")
            }
            Action::AddOwner { name, login } => format!("make {login} an owner of {name}"),
            Action::RemoveOwner { name, login } => format!("end {login}'s ownership of {name}"),
            Action::SetRoles { login, roles } => {
                format!("set the roles of {login} to {}", roles.join(","))
            }
        }
    }

    /// What has to be named again before it is done; `None` where it can be
    /// undone.
    pub fn confirmation(&self) -> Option<&str> {
        match self {
            Action::DeleteVersion { name, .. }
            | Action::DeleteCrate { name, .. }
            | Action::RemoveOwner { name, .. } => Some(name),
            Action::AddOwner { .. } | Action::SetRoles { .. } => None,
        }
    }

    fn kind(&self) -> TwoPeople {
        match self {
            Action::DeleteVersion { .. } | Action::DeleteCrate { .. } => TwoPeople::Delete,
            Action::AddOwner { .. } | Action::RemoveOwner { .. } => TwoPeople::Owners,
            Action::SetRoles { .. } => TwoPeople::Roles,
        }
    }
}

/// Does something, or asks for another person's approval where the
/// configuration wants two.
///
/// # Errors
/// It cannot be done, or the reason says nothing.
pub async fn ask(
    store: &Store,
    config: &Config,
    actor: &Actor,
    now: Timestamp,
    action: &Action,
    reason: &str,
) -> Result<Done, GatewayError> {
    require_reason(reason)?;
    let mut tx = store.begin(actor, now).await?;
    if config.administration.second_person.contains(&action.kind()) {
        let text = serde_json::to_string(action)
            .map_err(|error| GatewayError::Refused(error.to_string()))?;
        let expires = now.checked_add(PATIENCE).unwrap_or(Timestamp::MAX);
        let id = tx
            .add_request(&text, &action.title(), reason, expires)
            .await?;
        tx.commit().await?;
        return Ok(Done::Asked(id));
    }
    let removed = perform(&mut tx, store, config, now, action, reason).await?;
    tx.commit().await?;
    drop_archives(config, &removed)?;
    Ok(Done::Yes)
}

/// Approves and does, or refuses, what another person has asked for; what that
/// is, for people.
///
/// # Errors
/// It is decided already, the same person has asked for it, or it cannot be
/// done any more.
pub async fn settle_request(
    store: &Store,
    config: &Config,
    actor: &Actor,
    now: Timestamp,
    (id, approve): (i64, bool),
    reason: &str,
) -> Result<String, GatewayError> {
    require_reason(reason)?;
    let mut tx = store.begin(actor, now).await?;
    let request = tx.decide_request(id, approve, reason).await?;
    let mut removed = Vec::new();
    if approve {
        let action: Action = serde_json::from_str(&request.action).map_err(|_| {
            GatewayError::Store(StoreError::Damaged {
                what: "the request",
                value: request.action.clone(),
            })
        })?;
        removed = perform(&mut tx, store, config, now, &action, &request.reason).await?;
    }
    tx.commit().await?;
    drop_archives(config, &removed)?;
    Ok(request.title)
}

/// Does it, within a change; the archives that are not needed any more.
async fn perform(
    tx: &mut Tx,
    store: &Store,
    config: &Config,
    now: Timestamp,
    action: &Action,
    reason: &str,
) -> Result<Vec<Checksum>, GatewayError> {
    match action {
        Action::DeleteVersion { name, version } => {
            let canonical = hosted(tx, name).await?;
            let versions = tx.versions(&canonical).await?;
            let found = versions
                .iter()
                .find(|known| known.version == *version)
                .ok_or_else(|| missing(name, version))?;
            delete(tx, store, config, &canonical, found, reason).await?;
            Ok(vec![found.checksum])
        }
        Action::DeleteCrate { name, block_hours } => {
            let canonical = hosted(tx, name).await?;
            let versions = tx.versions(&canonical).await?;
            for version in &versions {
                delete(tx, store, config, &canonical, version, reason).await?;
            }
            tx.delete_crate(&canonical, reason).await?;
            // Whoever waits for the name to become free shall not get it at
            // once: lockfiles still name it.
            if *block_hours > 0 {
                let until = now
                    .checked_add(SignedDuration::from_hours(i64::from(*block_hours)))
                    .unwrap_or(Timestamp::MAX);
                let reason = format!("the crate was deleted: {reason}");
                tx.set_name(&canonical, NameKind::Reserved, None, &reason, Some(until))
                    .await?;
            }
            Ok(versions.iter().map(|version| version.checksum).collect())
        }
        Action::AddOwner { name, login } => {
            let canonical = hosted(tx, name).await?;
            let user = store.user(login).await?;
            tx.add_owner(&canonical, &user).await?;
            Ok(Vec::new())
        }
        Action::RemoveOwner { name, login } => {
            let canonical = hosted(tx, name).await?;
            let user = store.user(login).await?;
            tx.remove_owner(&canonical, &user).await?;
            Ok(Vec::new())
        }
        Action::SetRoles { login, roles } => {
            let roles: Option<Vec<Role>> = roles.iter().map(|role| Role::parse(role)).collect();
            let roles = roles.ok_or_else(|| {
                GatewayError::Refused("the request names a role that does not exist".to_owned())
            })?;
            tx.set_roles(login, &roles).await?;
            Ok(Vec::new())
        }
    }
}

/// Puts what is left of a version aside, then deletes it.
async fn delete(
    tx: &mut Tx,
    store: &Store,
    config: &Config,
    canonical: &str,
    version: &Version,
    reason: &str,
) -> Result<(), GatewayError> {
    let bundle = Bundle::gather(store, canonical, version, reason).await?;
    let place = bundle.write(config)?;
    Ok(tx
        .delete_version(canonical, version, reason, place.as_str())
        .await?)
}

/// Removes archives whose versions are deleted for good. What a stop in
/// between leaves behind, `doctor` finds.
fn drop_archives(config: &Config, removed: &[Checksum]) -> Result<(), GatewayError> {
    let archives = Archives::open(&config.data);
    removed
        .iter()
        .try_for_each(|&checksum| archives.remove(checksum))
}

/// The canonical name of a crate that is published here.
async fn hosted(tx: &mut Tx, name: &str) -> Result<String, GatewayError> {
    let canonical = canonical_name(name);
    match tx.find_crate(&canonical).await? {
        Some(krate) if krate.origin == Origin::Hosted => Ok(canonical),
        Some(_) => Err(GatewayError::Refused(format!(
            "`{name}` comes from another registry; keep it back with `admin case decide` or \
             `admin name block`"
        ))),
        None => Err(GatewayError::Store(StoreError::Missing {
            what: "crate",
            name: name.to_owned(),
        })),
    }
}
