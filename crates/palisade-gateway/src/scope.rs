//! What a token is for.

use palisade_store::Role;

/// What a token is for. The names of the first five are those of crates.io.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Publish a crate that does not exist.
    PublishNew,
    /// Publish a version of a crate that exists.
    PublishUpdate,
    /// Yank and unyank.
    Yank,
    /// Add and remove owners.
    ChangeOwners,
    /// Say which workflows may publish.
    TrustedPublishing,
    /// Read, where the registry is not open to everybody.
    Read,
    /// Decide what is kept back.
    AdminReview,
    /// Look after users and their tokens.
    AdminUsers,
    /// Read the audit log.
    AdminAudit,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Scope; 9] = [
        Scope::PublishNew,
        Scope::PublishUpdate,
        Scope::Yank,
        Scope::ChangeOwners,
        Scope::TrustedPublishing,
        Scope::Read,
        Scope::AdminReview,
        Scope::AdminUsers,
        Scope::AdminAudit,
    ];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::PublishNew => "publish-new",
            Scope::PublishUpdate => "publish-update",
            Scope::Yank => "yank",
            Scope::ChangeOwners => "change-owners",
            Scope::TrustedPublishing => "trusted-publishing",
            Scope::Read => "read",
            Scope::AdminReview => "admin:review",
            Scope::AdminUsers => "admin:users",
            Scope::AdminAudit => "admin:audit",
        }
    }

    /// From the stable name.
    pub fn parse(text: &str) -> Option<Scope> {
        Scope::ALL.into_iter().find(|scope| scope.as_str() == text)
    }

    /// Whether it gives power over what is not the user's own.
    pub fn is_admin(self) -> bool {
        matches!(
            self,
            Scope::AdminReview | Scope::AdminUsers | Scope::AdminAudit
        )
    }

    /// The role that its user has to have as well; none for reading.
    pub fn role(self) -> Option<Role> {
        match self {
            Scope::PublishNew
            | Scope::PublishUpdate
            | Scope::Yank
            | Scope::ChangeOwners
            | Scope::TrustedPublishing => Some(Role::Publisher),
            Scope::Read => None,
            Scope::AdminReview => Some(Role::Reviewer),
            Scope::AdminUsers => Some(Role::Admin),
            Scope::AdminAudit => Some(Role::Auditor),
        }
    }
}
