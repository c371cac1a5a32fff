//! Who is asking, and what they may do.

use jiff::{SignedDuration, Timestamp};
use palisade_store::{Role, Token, User};

use crate::failure::Failure;
use crate::pattern::Pattern;
use crate::scope::Scope;

/// Who sent a request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The token and its user; nobody without.
    pub(crate) known: Option<(Token, User)>,
    /// The id of the request, for logs and the audit log.
    pub(crate) request: String,
}

/// Who looks at a crate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Eyes<'a> {
    /// The number of the user.
    pub(crate) user: i64,
    pub(crate) login: &'a str,
    /// Whether they may see what is kept back.
    pub(crate) reviewer: bool,
}

impl Caller {
    /// The user, who has to be known.
    pub(crate) fn user(&self) -> Result<&User, Failure> {
        self.known
            .as_ref()
            .map(|(_, user)| user)
            .ok_or_else(Failure::login)
    }

    /// Refuses a token that is revoked, has expired, or whose user is locked,
    /// and says which.
    pub(crate) fn check(token: &Token, user: &User, now: Timestamp) -> Result<(), Failure> {
        if let Some(revoked) = token.revoked {
            return Err(Failure::forbidden(format!(
                "this token was revoked at {revoked}; ask for a new one"
            )));
        }
        if token.expires <= now {
            return Err(Failure::forbidden(format!(
                "this token expired at {}; ask for a new one",
                token.expires
            )));
        }
        if let Some(until) = user.locked_until.filter(|_| user.is_locked(now)) {
            let reason = user.lock_reason.as_deref().unwrap_or("no reason was given");
            return Err(Failure::forbidden(format!(
                "the account `{}` is locked until {until}: {reason}",
                user.login
            )));
        }
        Ok(())
    }

    /// What to tell the user of a token that ends within a week, although it
    /// lives longer than that.
    pub(crate) fn ends_soon(&self, now: Timestamp) -> Option<String> {
        let (token, _) = self.known.as_ref()?;
        let week = SignedDuration::from_hours(7 * 24);
        let short = token.expires.duration_since(token.created) <= week;
        let left = token.expires.duration_since(now);
        (!short && left < week).then(|| {
            format!(
                "the token `{}` ends at {}; ask for a new one in time",
                palisade_archive::visible(&token.name),
                token.expires
            )
        })
    }

    /// Whether the token is for this and its user has the role for it.
    pub(crate) fn has(&self, scope: Scope) -> bool {
        self.known.as_ref().is_some_and(|(token, user)| {
            token.scopes.iter().any(|name| name == scope.as_str())
                && scope.role().is_none_or(|role| user.roles.contains(&role))
        })
    }

    /// Requires one of these scopes, whatever the crate.
    pub(crate) fn require_any(&self, scopes: &[Scope]) -> Result<(), Failure> {
        if scopes.iter().any(|&scope| self.has(scope)) {
            return Ok(());
        }
        Err(match scopes.first() {
            Some(&scope) => self.missing(scope),
            // An operation that nobody has declared a scope for is for nobody.
            None => Failure::forbidden("no token is good for this".to_owned()),
        })
    }

    /// Requires a scope for a crate, by the name in the request.
    pub(crate) fn require(&self, scope: Scope, name: &str) -> Result<(), Failure> {
        if !self.has(scope) {
            return Err(self.missing(scope));
        }
        let (token, _) = self.known.as_ref().ok_or_else(Failure::login)?;
        let matches =
            |pattern: &String| Pattern::parse(pattern).is_ok_and(|pattern| pattern.matches(name));
        if token.patterns.iter().any(matches) {
            return Ok(());
        }
        Err(Failure::forbidden(format!(
            "this token is for the crates {}, which leaves out `{name}`",
            token.patterns.join(", ")
        )))
    }

    fn missing(&self, scope: Scope) -> Failure {
        let Some((token, user)) = &self.known else {
            return Failure::login();
        };
        let has = token.scopes.iter().any(|name| name == scope.as_str());
        match scope.role() {
            Some(role) if has => Failure::forbidden(format!(
                "the account `{}` does not have the role `{}`",
                user.login,
                role.as_str()
            )),
            _ => Failure::forbidden(format!(
                "this token lacks the scope `{}`; it has {}",
                scope.as_str(),
                token.scopes.join(", ")
            )),
        }
    }

    /// Who looks at a crate; `None` for somebody without a token.
    pub(crate) fn eyes(&self) -> Option<Eyes<'_>> {
        let (_, user) = self.known.as_ref()?;
        Some(Eyes {
            user: user.id,
            login: &user.login,
            reviewer: user.roles.contains(&Role::Reviewer) && self.has(Scope::AdminReview),
        })
    }
}
