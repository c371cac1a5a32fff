//! What may become of a version, and by whom.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a version stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// No rule objects.
    Allowed,
    /// Kept back until time is up and every check passes.
    Held,
    /// Kept back until a person decides.
    Quarantined,
    /// A person let it pass.
    Released,
    /// A person refused it.
    Rejected,
}

/// What stands in the place of a rule when a person has kept a version back.
pub const BY_PERSON: &str = "person";

/// What stands there when a repair has kept it back.
pub const BY_REPAIR: &str = "doctor";

/// Who or what moves a version to another state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A rule of the policy, or its time that is up.
    Policy,
    /// A person with the right to review.
    Person,
}

impl State {
    /// Every state.
    pub const ALL: [State; 5] = [
        State::Allowed,
        State::Held,
        State::Quarantined,
        State::Released,
        State::Rejected,
    ];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Allowed => "allowed",
            State::Held => "held",
            State::Quarantined => "quarantined",
            State::Released => "released",
            State::Rejected => "rejected",
        }
    }

    /// From the stable name.
    pub fn parse(text: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether everybody may have the version.
    pub fn is_public(self) -> bool {
        matches!(self, State::Allowed | State::Released)
    }

    /// Whether `cause` may move a version from here to `to`. What a person
    /// decided is never undone by a rule.
    pub fn may_become(self, to: State, cause: Cause) -> bool {
        use State::{Allowed, Held, Quarantined, Rejected, Released};
        match cause {
            Cause::Policy => matches!(
                (self, to),
                (Allowed, Held | Quarantined)
                    | (Held, Held | Allowed | Quarantined)
                    | (Quarantined, Quarantined | Allowed | Held)
            ),
            Cause::Person => matches!(to, Quarantined | Released | Rejected) && self != to,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Cause::Policy => "the policy",
            Cause::Person => "a person",
        })
    }
}
