//! What those who run the gateway do, by command or by request.

use camino::Utf8Path;
use jiff::{SignedDuration, Timestamp};
use palisade_index::canonical_name;
use palisade_model::Checksum;
use palisade_store::{Actor, Cause, Decision, Location, NewToken, Origin, Role, State, Store};

use crate::GatewayError;
use crate::archives::Archives;
use crate::catalogue::baseline_key;
use crate::config::Config;
use crate::pattern::Pattern;
use crate::scope::Scope;
use crate::token::Secret;

/// The fewest characters of a reason: whoever asks later has to learn
/// something from it.
const REASON: usize = 10;

/// The database below the data directory, unless another one is given.
pub const DATABASE: &str = "state.db";

/// What a person decides about a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// Everybody may have it.
    Release,
    /// Nobody may have it.
    Reject,
    /// Nobody may have it until a person decides.
    Quarantine,
}

impl Ruling {
    /// From its name.
    pub fn parse(text: &str) -> Option<Ruling> {
        match text {
            "release" => Some(Ruling::Release),
            "reject" => Some(Ruling::Reject),
            "quarantine" => Some(Ruling::Quarantine),
            _ => None,
        }
    }

    fn state(self) -> State {
        match self {
            Ruling::Release => State::Released,
            Ruling::Reject => State::Rejected,
            Ruling::Quarantine => State::Quarantined,
        }
    }
}

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

/// Decides about a version, and about these bytes only when `checksum` is
/// given.
///
/// # Errors
/// There is no such version, its archive is another one, it stands there
/// already, or the reason says nothing.
pub async fn decide(
    store: &Store,
    actor: &Actor,
    now: Timestamp,
    (name, version): (&str, &str),
    ruling: Ruling,
    reason: &str,
    checksum: Option<Checksum>,
) -> Result<(), GatewayError> {
    require_reason(reason)?;
    let canonical = canonical_name(name);
    let mut tx = store.begin(actor, now).await?;
    let versions = tx.versions(&canonical).await?;
    let missing = || palisade_store::StoreError::Missing {
        what: "version",
        name: format!("{name} {version}"),
    };
    let found = versions
        .iter()
        .find(|known| known.version == version)
        .ok_or_else(missing)?;
    if checksum.is_some_and(|checksum| checksum != found.checksum) {
        return Err(GatewayError::Refused(format!(
            "the archive of {name} {version} has the checksum {}; another one was looked at",
            found.checksum
        )));
    }
    let decision = Decision {
        state: ruling.state(),
        rule: Some("person".to_owned()),
        reason: Some(reason.to_owned()),
        until: None,
        observed: Vec::new(),
    };
    tx.decide(&canonical, found, &decision, Cause::Person)
        .await?;
    Ok(tx.commit().await?)
}

/// Locks an account for so many hours; 0 unlocks it.
///
/// # Errors
/// There is no such user, or the reason says nothing.
pub async fn lock(
    store: &Store,
    actor: &Actor,
    now: Timestamp,
    login: &str,
    hours: u32,
    reason: &str,
) -> Result<(), GatewayError> {
    require_reason(reason)?;
    let until = (hours > 0).then(|| {
        now.checked_add(SignedDuration::from_hours(i64::from(hours)))
            .unwrap_or(Timestamp::MAX)
    });
    let mut tx = store.begin(actor, now).await?;
    tx.lock_user(login, until, reason).await?;
    Ok(tx.commit().await?)
}

/// A token as it is asked for.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    /// Whose it shall be.
    pub login: String,
    /// What they call it.
    pub name: String,
    /// What it is for.
    pub scopes: Vec<Scope>,
    /// Which crates it is for.
    pub crates: Vec<Pattern>,
    /// How long it lives.
    pub days: u32,
}

/// A token that was given out.
#[derive(Debug)]
pub struct Given {
    /// Its text, which is kept nowhere.
    pub secret: Secret,
    /// Its number.
    pub id: i64,
    /// When it ends.
    pub expires: Timestamp,
    /// What its user may not expect.
    pub warnings: Vec<String>,
}

/// Gives out a token.
///
/// # Errors
/// There is no such user; the token would be for nothing, for longer than
/// tokens may live, or for administration and other things at once.
pub async fn add_token(
    store: &Store,
    config: &Config,
    actor: &Actor,
    now: Timestamp,
    request: &TokenRequest,
) -> Result<Given, GatewayError> {
    let refused = |message: String| Err(GatewayError::Refused(message));
    let admin = request.scopes.iter().filter(|scope| scope.is_admin());
    let admin = admin.count();
    if request.scopes.is_empty() {
        return refused("a token without a scope is good for nothing; give one".to_owned());
    }
    // A publish token lies in many places. None of them may have power over
    // what is not its user's own.
    if admin != 0
        && request
            .scopes
            .iter()
            .any(|scope| !scope.is_admin() && *scope != Scope::Read)
    {
        return refused(
            "a token is for administration or for publishing, never for both; make two".to_owned(),
        );
    }
    if request.days == 0 || request.days > config.tokens.most_days {
        return refused(format!(
            "a token lives from 1 to {} days (gateway.tokens.most-days)",
            config.tokens.most_days
        ));
    }
    let user = store.user(&request.login).await?;
    for scope in &request.scopes {
        if let Some(role) = scope.role().filter(|role| !user.roles.contains(role)) {
            return refused(format!(
                "the scope `{}` needs the role `{}`, which `{}` does not have",
                scope.as_str(),
                role.as_str(),
                user.login
            ));
        }
    }
    let owned = store.owned(user.id).await?;
    let publishes = request.scopes.contains(&Scope::PublishNew);
    let warnings = request
        .crates
        .iter()
        .filter(|pattern| !publishes && admin == 0 && pattern.as_str() != "*")
        .filter(|pattern| !owned.iter().any(|owned| pattern.matches(owned)))
        .map(|pattern| format!("`{pattern}` matches nothing that `{}` owns", user.login))
        .collect();
    let secret = Secret::generate()
        .map_err(|error| GatewayError::Refused(format!("the system has no randomness: {error}")))?;
    let expires = now
        .checked_add(SignedDuration::from_hours(24 * i64::from(request.days)))
        .unwrap_or(Timestamp::MAX);
    let scopes: Vec<String> = request
        .scopes
        .iter()
        .map(|scope| scope.as_str().to_owned())
        .collect();
    let patterns: Vec<String> = request
        .crates
        .iter()
        .map(|pattern| pattern.as_str().to_owned())
        .collect();
    let mut tx = store.begin(actor, now).await?;
    let id = tx
        .add_token(&NewToken {
            user: &user,
            name: &request.name,
            hash: &secret.hash(),
            scopes: &scopes,
            patterns: &patterns,
            expires,
        })
        .await?;
    tx.commit().await?;
    Ok(Given {
        secret,
        id,
        expires,
        warnings,
    })
}

/// Makes an account.
///
/// # Errors
/// The login is taken or is no login.
pub async fn add_user(
    store: &Store,
    actor: &Actor,
    now: Timestamp,
    login: &str,
    roles: &[Role],
) -> Result<(), GatewayError> {
    let fits = (1..=39).contains(&login.len())
        && login
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !fits {
        return Err(GatewayError::Refused(format!(
            "`{}` is no login: 1 to 39 letters, digits and dashes",
            login.escape_debug()
        )));
    }
    let mut tx = store.begin(actor, now).await?;
    tx.add_user(login, roles).await?;
    Ok(tx.commit().await?)
}

/// Vouches for crates that were never asked for: what the upstream lists of
/// them when it is first asked counts as old, even without a time.
///
/// # Errors
/// A name is none, or the database cannot be written.
pub async fn baseline(
    store: &Store,
    actor: &Actor,
    now: Timestamp,
    names: &[String],
) -> Result<usize, GatewayError> {
    let mut added = 0;
    let mut tx = store.begin(actor, now).await?;
    for name in names {
        if !palisade_index::is_crate_name(name) {
            return Err(GatewayError::Refused(format!(
                "`{}` is not the name of a crate",
                name.escape_debug()
            )));
        }
        let canonical = canonical_name(name);
        // What is known has been judged; vouching for it is a release.
        if tx.find_crate(&canonical).await?.is_none() {
            tx.set(&baseline_key(&canonical), "confirmed").await?;
            added += 1;
        }
    }
    tx.commit().await?;
    Ok(added)
}

/// What `doctor` found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// How many archives were compared with their checksums.
    pub archives: usize,
    /// What is wrong, each in one sentence.
    pub problems: Vec<String>,
    /// Archives that no version has: what a publish that was cut short left.
    pub orphans: Vec<camino::Utf8PathBuf>,
}

/// Compares the archives of crates that are published here with the state.
///
/// # Errors
/// The database or the directory cannot be read.
pub async fn doctor(store: &Store, data: &Utf8Path) -> Result<Diagnosis, GatewayError> {
    let archives = Archives::open(data);
    let mut found = Diagnosis::default();
    let mut wanted = std::collections::BTreeSet::new();
    for krate in store.search_crates("", u32::MAX).await? {
        if krate.origin != Origin::Hosted {
            continue;
        }
        for version in store.versions(&krate.canonical).await? {
            wanted.insert(archives.path(version.checksum));
            found.archives += 1;
            let subject = format!("{} {}", krate.name, version.version);
            match archives.get(version.checksum) {
                Ok(Some(_)) => {}
                Ok(None) => found
                    .problems
                    .push(format!("the archive of {subject} is gone")),
                Err(error) => found.problems.push(format!(
                    "the archive of {subject}: {}",
                    crate::catalogue::chain(&error)
                )),
            }
        }
    }
    found.orphans = archives
        .all()?
        .into_iter()
        .filter(|path| !wanted.contains(path))
        .collect();
    Ok(found)
}

fn require_reason(reason: &str) -> Result<(), GatewayError> {
    if reason.trim().chars().count() < REASON {
        return Err(GatewayError::Refused(format!(
            "a reason has {REASON} characters or more: somebody will want to know it"
        )));
    }
    Ok(())
}
