//! Who may have a version where it stands.

use jiff::Timestamp;
use palisade_store::{State, Version};

use super::{Mode, Orders, Policy};

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// Anybody.
    Public,
    /// Somebody, by login, with a waiver of their own about the crate.
    Holder(String),
    /// An owner of the crate.
    Owner,
    /// Somebody who decides what is kept back.
    Reviewer,
}

/// Whether somebody may have a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// They may.
    Open,
    /// They may not.
    Refused(Refusal),
}

/// Why somebody may not have a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Where it stands; `None` when it is on the deny list or its name is
    /// blocked.
    pub state: Option<State>,
    /// The rule.
    pub rule: String,
    /// Why.
    pub reason: String,
    /// When the hold ends, at the earliest.
    pub until: Option<Timestamp>,
}

/// The most characters of a message that cargo shows.
const SHOWN: usize = 512;

/// Whether `viewer` may have a version of the crate `name`. Every route asks
/// here, and nowhere else.
pub fn access(
    policy: &Policy,
    orders: &Orders,
    name: &str,
    version: &Version,
    viewer: &Viewer,
) -> Access {
    let parsed = version.version.parse::<semver::Version>();
    let refused = |state: Option<State>, rule: &str, reason: &str| {
        Access::Refused(Refusal {
            state,
            rule: rule.to_owned(),
            reason: reason.to_owned(),
            until: version.until.filter(|_| state == Some(State::Held)),
        })
    };
    if let Ok(parsed) = &parsed
        && let Some(listed) = policy
            .deny
            .iter()
            .find(|listed| listed.matches(name, parsed))
    {
        return refused(None, "deny", &listed.reason);
    }
    if let Some(blocked) = orders.blocked(name) {
        return refused(None, "blocked", &blocked.reason);
    }
    let rule = version.rule.as_deref().unwrap_or("unknown");
    let reason = version.reason.as_deref().unwrap_or("no reason was given");
    match version.state {
        State::Allowed | State::Released => Access::Open,
        State::Rejected if *viewer == Viewer::Reviewer => Access::Open,
        State::Rejected => refused(Some(State::Rejected), rule, reason),
        State::Held | State::Quarantined => {
            let login = match viewer {
                Viewer::Holder(login) => Some(login.as_str()),
                Viewer::Public | Viewer::Owner | Viewer::Reviewer => None,
            };
            let exempt = parsed.is_ok_and(|parsed| {
                policy.exempts(name, &parsed)
                    || orders
                        .waives(name, &parsed, &version.rules, login)
                        .is_some()
            });
            let own = matches!(viewer, Viewer::Owner | Viewer::Reviewer);
            if own || exempt || policy.mode != Mode::Enforce {
                Access::Open
            } else {
                refused(Some(version.state), rule, reason)
            }
        }
    }
}

impl Refusal {
    /// What the person who wanted the version reads: the reason first, then
    /// the rule and when or where to go on.
    pub fn message(&self, name: &str, version: &str, address: &str) -> String {
        let what = match self.state {
            None => "is denied".to_owned(),
            Some(State::Held) => match self.until {
                Some(until) => format!("is held until {until}"),
                None => "is held".to_owned(),
            },
            Some(state) => format!("is {state}"),
        };
        let tail = format!(
            " (rule `{}`); {address}/api/v1/crates/{name}/{version} has more",
            self.rule
        );
        let head = format!("{name} {version} {what}: {}", self.reason);
        // The reason can quote a stranger's text, which must neither break the
        // line nor push the rest out of what cargo shows.
        let room = SHOWN.saturating_sub(tail.chars().count());
        let head: String = palisade_archive::visible(&head)
            .chars()
            .take(room)
            .collect();
        head + &tail
    }
}
