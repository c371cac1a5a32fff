//! Who somebody is: passwords with a second factor, issuers of identities, and
//! the sessions and tokens that follow.
//!
//! A session is for a browser and for people. It never stands in for a token:
//! no route takes both.

mod exchange;
mod issuer;
pub(crate) mod oidc;
pub mod password;
mod session;
mod signature;
pub mod totp;

pub(crate) use exchange::{ExchangeError, exchange};
pub(crate) use issuer::{IssuerError, Issuers};
pub(crate) use session::{Sessions, SignedIn};
