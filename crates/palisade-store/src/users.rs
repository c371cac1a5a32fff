//! Users and what they may be.

use jiff::Timestamp;
use serde_json::json;
use sqlx::Row as _;

use crate::audit::time;
use crate::backend::Row;
use crate::{Store, StoreError, Tx};

/// What a user may be trusted with. A role alone does nothing: a token has to
/// carry the scope as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Downloads.
    Reader,
    /// Publishes, and looks after crates of their own.
    Publisher,
    /// Decides what is kept back.
    Reviewer,
    /// Looks after users and their tokens.
    Admin,
    /// Reads the audit log.
    Auditor,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 5] = [
        Role::Reader,
        Role::Publisher,
        Role::Reviewer,
        Role::Admin,
        Role::Auditor,
    ];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Reader => "reader",
            Role::Publisher => "publisher",
            Role::Reviewer => "reviewer",
            Role::Admin => "admin",
            Role::Auditor => "auditor",
        }
    }

    /// From the stable name.
    pub fn parse(text: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// Somebody with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The number of the account.
    pub id: i64,
    /// The name, in lower case.
    pub login: String,
    /// What they may be trusted with.
    pub roles: Vec<Role>,
    /// Until when the account is locked.
    pub locked_until: Option<Timestamp>,
    /// Why it is locked.
    pub lock_reason: Option<String>,
    /// Where mails go.
    pub email: Option<String>,
}

impl User {
    pub(crate) fn read(row: &Row) -> Result<User, StoreError> {
        let roles: String = row.get("roles");
        let locked: Option<i64> = row.get("locked_until");
        Ok(User {
            id: row.get("id"),
            login: row.get("login"),
            roles: roles
                .split(',')
                .filter(|role| !role.is_empty())
                .map(|role| {
                    Role::parse(role).ok_or_else(|| StoreError::Damaged {
                        what: "the role",
                        value: role.to_owned(),
                    })
                })
                .collect::<Result<_, _>>()?,
            locked_until: locked.map(time).transpose()?,
            lock_reason: row.get("lock_reason"),
            email: row.get("email"),
        })
    }

    /// Whether the account is locked at `now`.
    pub fn is_locked(&self, now: Timestamp) -> bool {
        self.locked_until.is_some_and(|until| until > now)
    }
}

fn roles_text(roles: &[Role]) -> String {
    let mut roles = roles.to_vec();
    roles.sort();
    roles.dedup();
    let names: Vec<&str> = roles.into_iter().map(Role::as_str).collect();
    names.join(",")
}

impl Store {
    /// The user of this login.
    ///
    /// # Errors
    /// There is none, or the database cannot be read.
    pub async fn user(&self, login: &str) -> Result<User, StoreError> {
        let login = login.to_ascii_lowercase();
        let row = sqlx::query("SELECT * FROM users WHERE login = $1")
            .bind(&login)
            .fetch_optional(self.readers())
            .await
            .map_err(StoreError::database("read a user"))?;
        match row {
            Some(row) => User::read(&row),
            None => Err(StoreError::Missing {
                what: "user",
                name: login,
            }),
        }
    }

    /// Every user, by login.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn users(&self) -> Result<Vec<User>, StoreError> {
        let rows = sqlx::query("SELECT * FROM users ORDER BY login")
            .fetch_all(self.readers())
            .await
            .map_err(StoreError::database("read users"))?;
        rows.iter().map(User::read).collect()
    }
}

impl Tx {
    /// The user of this login, as this change sees them.
    ///
    /// # Errors
    /// There is none, or the database cannot be read.
    pub async fn user(&mut self, login: &str) -> Result<User, StoreError> {
        let login = login.to_ascii_lowercase();
        let row = sqlx::query("SELECT * FROM users WHERE login = $1")
            .bind(&login)
            .fetch_optional(&mut *self.inner)
            .await
            .map_err(StoreError::database("read a user"))?;
        let missing = || StoreError::Missing {
            what: "user",
            name: login.clone(),
        };
        User::read(&row.ok_or_else(missing)?)
    }

    /// Makes an account. Logins are compared in lower case.
    ///
    /// # Errors
    /// The login is taken, or the database cannot be written.
    pub async fn add_user(&mut self, login: &str, roles: &[Role]) -> Result<i64, StoreError> {
        let login = login.to_ascii_lowercase();
        let row = sqlx::query(
            "INSERT INTO users (login, roles, created) VALUES ($1, $2, $3)
             ON CONFLICT DO NOTHING RETURNING id",
        )
        .bind(&login)
        .bind(roles_text(roles))
        .bind(self.now.as_second())
        .fetch_optional(&mut *self.inner)
        .await
        .map_err(StoreError::database("add a user"))?;
        let Some(row) = row else {
            return Err(StoreError::Exists {
                what: "user",
                name: login,
            });
        };
        let detail = json!({ "roles": roles_text(roles) });
        self.audit("user-added", &format!("user {login}"), detail)
            .await?;
        Ok(row.get(0))
    }

    /// Sets what a user may be trusted with.
    ///
    /// # Errors
    /// There is no such user, or the database cannot be written.
    pub async fn set_roles(&mut self, login: &str, roles: &[Role]) -> Result<(), StoreError> {
        let login = login.to_ascii_lowercase();
        let done = sqlx::query("UPDATE users SET roles = $2 WHERE login = $1")
            .bind(&login)
            .bind(roles_text(roles))
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::database("change a user"))?;
        self.user_changed(done.rows_affected(), &login)?;
        let detail = json!({ "roles": roles_text(roles) });
        self.audit("roles-set", &format!("user {login}"), detail)
            .await?;
        Ok(())
    }

    /// Locks an account until a time, or unlocks it.
    ///
    /// # Errors
    /// There is no such user, or the database cannot be written.
    pub async fn lock_user(
        &mut self,
        login: &str,
        until: Option<Timestamp>,
        reason: &str,
    ) -> Result<(), StoreError> {
        let login = login.to_ascii_lowercase();
        let row = sqlx::query(
            "UPDATE users SET locked_until = $2, lock_reason = $3 WHERE login = $1 RETURNING *",
        )
        .bind(&login)
        .bind(until.map(Timestamp::as_second))
        .bind(until.map(|_| reason))
        .fetch_optional(&mut *self.inner)
        .await
        .map_err(StoreError::database("change a user"))?;
        self.user_changed(u64::from(row.is_some()), &login)?;
        let action = if until.is_some() {
            "user-locked"
        } else {
            "user-unlocked"
        };
        let detail = json!({ "until": until.map(|until| until.to_string()), "reason": reason });
        self.audit(action, &format!("user {login}"), detail).await?;
        if let Some(user) = row.as_ref().map(User::read).transpose()? {
            let (subject, body) = match until {
                Some(until) => (
                    format!("The account {login} is locked"),
                    format!("The account {login} is locked until {until}: {reason}"),
                ),
                None => (
                    format!("The account {login} is unlocked"),
                    format!("The account {login} is unlocked: {reason}"),
                ),
            };
            self.notify(&user, action, &subject, &body).await?;
        }
        Ok(())
    }

    fn user_changed(&self, rows: u64, login: &str) -> Result<(), StoreError> {
        if rows == 0 {
            return Err(StoreError::Missing {
                what: "user",
                name: login.to_owned(),
            });
        }
        Ok(())
    }
}
