//! Publishing.

use axum::body::Body as RequestBody;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use palisade_index::canonical_name;
use palisade_store::{Actor, Crate, Decision, LimitKind, NewVersion, Origin, User, Version};
use serde_json::json;

use super::{App, Json, Known};
use crate::caller::Caller;
use crate::catalogue::{Catalogue, Freshness};
use crate::clock::{Clock as _, SystemClock};
use crate::failure::Failure;
use crate::jobs::SCAN;
use crate::publish::{Body, Candidate, version_identity};
use crate::scope::Scope;

/// What a request has beside the archive.
const REST_BYTES: usize = (1 << 20) + 8;

/// The most bytes of an archive that any limit grants; no reader of archives
/// takes more.
const MOST_GRANTED: usize = 128 << 20;

pub(super) async fn publish(
    State(app): State<App>,
    caller: Known,
    body: RequestBody,
) -> Result<Json, Failure> {
    let catalogue = &app.catalogue;
    let user = caller.user()?;
    let now = catalogue.clock.now();
    // Whose archive it is stands in the body, so the largest limit that anybody
    // has bounds what is read.
    let usual = catalogue.config.publish.archive_bytes;
    let granted = largest_archive(catalogue, now).await?;
    let limit = usual.max(granted);
    let bytes = axum::body::to_bytes(body, limit + REST_BYTES)
        .await
        .map_err(|_| {
            Failure::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the archive has more than {limit} bytes, or the request was cut off"),
            )
        })?;
    let body = Body::read(&bytes)?;
    let name = body.metadata.name.clone();
    // The token is asked before the archive is read: that costs more.
    let canonical = canonical_name(&name);
    let existing = known_crate(catalogue, &name, &canonical).await?;
    let scope = match existing {
        Some(_) => Scope::PublishUpdate,
        None => Scope::PublishNew,
    };
    caller.require(scope, &name)?;
    check_names(catalogue, &name, user, existing.is_none())?;
    check_rate(catalogue, user, existing.is_none(), now).await?;
    if let Some(krate) = &existing {
        require_own(catalogue, krate, &name, user).await?;
    }

    let own = catalogue
        .store
        .limit(LimitKind::ArchiveBytes, &canonical, now)
        .await?;
    let most = own.map_or(usual, |own| usize::try_from(own).unwrap_or(usize::MAX));
    if body.archive.len() > most {
        return Err(Failure::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the archive has more than {most} bytes"),
        ));
    }
    let candidate = Candidate::read(&body, &catalogue.config, most)?;
    check_denied(catalogue, &candidate)?;
    check_dependencies(catalogue, &candidate).await?;
    let known = catalogue.store.versions(&canonical).await?;
    let identity = version_identity(&candidate.version);
    check_unique(&known, &candidate)?;
    let new = seen(&candidate, user, now);
    let (decision, unanswered) = catalogue
        .judge_published(&name, &known, &new, body.archive)
        .await?;

    // The archive is safe on disk before anybody can learn of the version.
    let (archives, checksum) = (catalogue.archives.clone(), candidate.checksum);
    let archive = body.archive.to_vec();
    tokio::task::spawn_blocking(move || archives.put(checksum, &archive))
        .await
        .map_err(|_| {
            Failure::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the archive was not kept",
            )
        })??;

    let new = NewVersion {
        version: new.version,
        identity,
        line: new.line,
        checksum,
        published: now,
        settled: false,
        yanked: false,
        decision: decision.clone(),
        publisher: Some(user.id),
    };
    let actor = Actor::user(&user.login, &caller.request);
    let mut tx = catalogue.store.begin(&actor, now).await?;
    // Somebody else may have been faster.
    match tx.find_crate(&canonical).await? {
        None => {
            tx.add_crate(&canonical, &name, Origin::Hosted).await?;
            tx.add_owner(&canonical, user).await?;
        }
        Some(krate) if krate.origin == Origin::Hosted && krate.name == name => {
            if !tx.owns(user.id, &canonical).await? {
                return Err(Failure::forbidden(format!("you do not own `{name}`")));
            }
        }
        Some(krate) => return Err(taken(&krate, &name)),
    }
    let scan = format!("{name} {}", new.version);
    tx.add_versions(&canonical, &[new]).await?;
    if unanswered {
        tx.enqueue(SCAN, &scan, SystemClock.now()).await?;
    }
    tx.commit().await?;
    catalogue.forget(&canonical);
    Ok(Json(json!({
        "warnings": {
            "invalid_categories": [],
            "invalid_badges": [],
            "other": warnings(&decision, &candidate, &caller, now),
        }
    })))
}

async fn largest_archive(catalogue: &Catalogue, now: Timestamp) -> Result<usize, Failure> {
    let limits = catalogue.store.limits().await?;
    let archives = limits
        .iter()
        .filter(|limit| limit.kind == LimitKind::ArchiveBytes && limit.expires > now);
    let largest = archives.map(|limit| limit.value).max().unwrap_or_default();
    Ok(usize::try_from(largest)
        .unwrap_or(usize::MAX)
        .min(MOST_GRANTED))
}

/// Names that are set aside.
fn check_names(
    catalogue: &Catalogue,
    name: &str,
    user: &User,
    is_new: bool,
) -> Result<(), Failure> {
    let orders = catalogue.orders();
    if let Some(blocked) = orders.blocked(name) {
        return Err(Failure::forbidden(format!(
            "the name `{name}` is blocked: {}",
            blocked.reason
        )));
    }
    match orders.reserved(name) {
        Some(kept) if is_new && kept.login.as_ref() != Some(&user.login) => Err(
            Failure::forbidden(format!("the name `{name}` is reserved: {}", kept.reason)),
        ),
        _ => Ok(()),
    }
}

/// A stolen token, or a script that has run wild, stops here.
async fn check_rate(
    catalogue: &Catalogue,
    user: &User,
    is_new: bool,
    now: Timestamp,
) -> Result<(), Failure> {
    let store = &catalogue.store;
    let publish = &catalogue.config.publish;
    let since = now
        .checked_sub(SignedDuration::from_hours(24))
        .unwrap_or(Timestamp::MIN);
    let (versions, crates) = store.published_since(user.id, since).await?;
    let own = store
        .limit(LimitKind::VersionsPerDay, &user.login, now)
        .await?;
    let most = own.unwrap_or(publish.versions_per_day);
    if versions >= most {
        return Err(too_many(&user.login, "versions", most));
    }
    let own = store
        .limit(LimitKind::NewCratesPerDay, &user.login, now)
        .await?;
    let most = own.unwrap_or(publish.new_crates_per_day);
    if is_new && crates >= most {
        return Err(too_many(&user.login, "new crates", most));
    }
    Ok(())
}

fn too_many(login: &str, what: &str, most: u64) -> Failure {
    Failure::new(
        StatusCode::TOO_MANY_REQUESTS,
        format!(
            "`{login}` may publish {most} {what} in 24 hours; whoever runs the registry can raise              that for a while (`palisade admin limit set`)"
        ),
    )
}

/// The crate as everybody knows it: one that is published here, or one of the
/// upstream, whose name must not be taken here.
async fn known_crate(
    catalogue: &Catalogue,
    name: &str,
    canonical: &str,
) -> Result<Option<Crate>, Failure> {
    if let Some(krate) = catalogue.store.find_crate(canonical).await? {
        return Ok(Some(krate));
    }
    // The upstream's file lies at the spelling that it was published with.
    for spelling in [
        name.to_owned(),
        canonical.to_owned(),
        canonical.replace('-', "_"),
    ] {
        if let Some(view) = catalogue.get(&spelling, Freshness::Usual).await? {
            return Ok(Some(view.krate.clone()));
        }
    }
    Ok(None)
}

async fn require_own(
    catalogue: &Catalogue,
    krate: &Crate,
    name: &str,
    user: &User,
) -> Result<(), Failure> {
    if krate.origin == Origin::Upstream || krate.name != name {
        return Err(taken(krate, name));
    }
    let owners = catalogue.store.owners(&krate.canonical).await?;
    if owners.iter().any(|owner| owner.id == user.id) {
        return Ok(());
    }
    let owners: Vec<&str> = owners.iter().map(|owner| owner.login.as_str()).collect();
    Err(Failure::forbidden(format!(
        "you do not own `{name}`; ask {} to add you: `cargo owner --add {}`",
        owners.join(" or "),
        user.login
    )))
}

/// One crate in place of another is what dependency confusion needs.
fn taken(krate: &Crate, name: &str) -> Failure {
    if krate.name != name {
        return Failure::bad(format!(
            "the name `{name}` is too like `{}`: letter case, `-` and `_` do not make another crate",
            krate.name
        ));
    }
    Failure::forbidden(format!(
        "`{name}` is a crate of the registry behind this gateway; choose another name, or list \
         it under gateway.publish.private before anybody asks for it"
    ))
}

fn check_denied(catalogue: &Catalogue, candidate: &Candidate) -> Result<(), Failure> {
    let denied = catalogue
        .config
        .policy
        .deny
        .iter()
        .find(|listed| listed.matches(&candidate.name, &candidate.version));
    match denied {
        Some(listed) => Err(Failure::forbidden(format!(
            "{} {} is denied: {} (rule `deny`)",
            candidate.name, candidate.version, listed.reason
        ))),
        None => Ok(()),
    }
}

/// A dependency that does not exist could be made by anybody later.
async fn check_dependencies(catalogue: &Catalogue, candidate: &Candidate) -> Result<(), Failure> {
    for dependency in &candidate.dependencies {
        let package = &dependency.package;
        let elsewhere = dependency.registry.as_ref();
        let unknown = elsewhere.is_some() && catalogue.config.upstream.is_none();
        let listed =
            elsewhere.is_some_and(|address| catalogue.config.publish.registries.contains(address));
        if unknown || listed || *package == candidate.name {
            continue;
        }
        // Another spelling would be found by some clients alone.
        match catalogue.get(package, Freshness::Usual).await? {
            Some(view) if view.krate.name == *package => {}
            _ => {
                return Err(Failure::bad(format!(
                    "the dependency `{package}` is not known to this registry by that spelling"
                )));
            }
        }
    }
    Ok(())
}

fn check_unique(known: &[Version], candidate: &Candidate) -> Result<(), Failure> {
    let identity = version_identity(&candidate.version);
    let same = known.iter().find(|known| {
        known
            .version
            .parse()
            .is_ok_and(|version| version_identity(&version) == identity)
    });
    match same {
        Some(same) => Err(Failure::bad(format!(
            "{} {} is published already; a version is never replaced, and build metadata makes no \
             other one",
            candidate.name, same.version
        ))),
        None => Ok(()),
    }
}

/// The version as rules look at it before it is written.
fn seen(candidate: &Candidate, user: &User, now: Timestamp) -> Version {
    let allow = Decision::allow();
    Version {
        version: candidate.version.to_string(),
        line: candidate.line(now),
        checksum: candidate.checksum,
        published: now,
        first_seen: now,
        settled: false,
        yanked: false,
        yank_seen: None,
        yank_delayed: None,
        rewritten: None,
        missing_since: None,
        state: allow.state,
        rule: None,
        rules: Vec::new(),
        reason: None,
        until: None,
        was_public: false,
        publisher: Some(user.id),
        state_record: 0,
    }
}

/// cargo prints these, and nothing else that a success says.
fn warnings(
    decision: &Decision,
    candidate: &Candidate,
    caller: &Caller,
    now: Timestamp,
) -> Vec<String> {
    let mut warnings: Vec<String> = caller.ends_soon(now).into_iter().collect();
    if decision.state.is_public() {
        return warnings;
    }
    let until = decision
        .until
        .map_or_else(String::new, |until| format!(" until {until}"));
    warnings.push(format!(
        "{} {} was received and is {}{until}: {} (rule `{}`). Only its owners see it meanwhile.",
        candidate.name,
        candidate.version,
        decision.state,
        decision.reason.as_deref().unwrap_or_default(),
        decision.rule.as_deref().unwrap_or_default(),
    ));
    warnings
}
