//! Tokens of ours in archives. Whoever has published one has told everybody:
//! it is revoked at once, and its user told.

use palisade_archive::{CrateArchive, ReadOptions};
use palisade_store::Actor;

use super::{Catalogue, chain};
use crate::GatewayError;
use crate::token::{LENGTH, PREFIX, Secret};

/// The most tokens of one archive that are looked up.
const MOST: usize = 100;

/// Where a token was found.
struct Found {
    path: String,
    secret: Secret,
}

impl Catalogue {
    /// Revokes every token in force that an archive contains. What goes wrong
    /// here keeps nobody from the archive: it is logged, and found again.
    pub(super) async fn revoke_found(&self, name: &str, version: &str, bytes: &[u8]) {
        for found in search(bytes) {
            let place = format!(
                "{name} {version}, {}",
                palisade_archive::visible(&found.path)
            );
            if let Err(error) = self.revoke_one(&found.secret, &place).await {
                tracing::error!(error = %chain(&error), place, "cannot revoke a token that was found");
            }
        }
    }

    async fn revoke_one(&self, secret: &Secret, place: &str) -> Result<(), GatewayError> {
        let Some((token, user)) = self.store.token(&secret.hash()).await? else {
            return Ok(());
        };
        let mut tx = self.store.begin(&Actor::policy(), self.clock.now()).await?;
        if tx.revoke_found_token(&token, &user, place).await? {
            tx.commit().await?;
            tracing::warn!(
                token = token.id,
                user = user.login,
                place,
                "revoked a token that was found"
            );
        }
        Ok(())
    }
}

/// The texts of an archive that are tokens by their form, each once.
fn search(bytes: &[u8]) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let Ok(archive) = CrateArchive::from_bytes("the archive", bytes, &ReadOptions::lenient())
    else {
        return found;
    };
    for (path, content) in archive.tree().files() {
        for at in memchr::memmem::find_iter(content, PREFIX) {
            let text = content.get(at..at + LENGTH);
            let text = text.and_then(|text| std::str::from_utf8(text).ok());
            let Some(secret) = text.and_then(Secret::from_header) else {
                continue;
            };
            if found
                .iter()
                .all(|known| known.secret.hash() != secret.hash())
            {
                found.push(Found {
                    path: path.to_owned(),
                    secret,
                });
            }
            if found.len() == MOST {
                return found;
            }
        }
    }
    found
}
