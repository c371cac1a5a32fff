//! Plain files below an address.

use std::io::Read;

use super::client::{Failure, shown};
use super::{Client, HttpOptions};
use crate::IndexError;

/// Files that some server hands out as they are.
#[derive(Debug)]
pub struct StaticFiles {
    address: String,
    client: Client,
}

impl StaticFiles {
    /// The files below `address`, `https://…`.
    ///
    /// # Errors
    /// The address is none, or no client can be made.
    pub fn open(address: &str, options: HttpOptions) -> Result<StaticFiles, IndexError> {
        let url = reqwest::Url::parse(address);
        if !url.is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
            return Err(IndexError::Malformed {
                subject: shown(address),
                reason: "it is no address that begins with http or https".to_owned(),
            });
        }
        let mut address = address.to_owned();
        if !address.ends_with('/') {
            address.push('/');
        }
        Ok(StaticFiles {
            address,
            client: Client::new(options)?,
        })
    }

    /// A file of at most `limit` bytes; `None` when there is none.
    ///
    /// # Errors
    /// The server cannot be asked, answers with an error, or sends more.
    pub fn get(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, IndexError> {
        let address = format!("{}{path}", self.address);
        self.client.patiently(&address, || {
            let response = self
                .client
                .send(&address, self.client.request(&address, false))?;
            if !response.status().is_success() {
                return Ok(None);
            }
            let mut bytes = Vec::new();
            // A connection that breaks off is worth another attempt.
            response
                .take(limit.saturating_add(1))
                .read_to_end(&mut bytes)
                .map_err(|error| Failure::Passing(Box::new(error), None))?;
            if bytes.len() as u64 > limit {
                return Err(Failure::Lasting(IndexError::TooLarge {
                    subject: shown(&address),
                    limit,
                }));
            }
            Ok(Some(bytes))
        })
    }
}
