//! The body of a publish request: the length of the metadata, the metadata,
//! the length of the archive, the archive.

use serde::Deserialize;

use crate::failure::Failure;

/// The most bytes of the metadata.
const METADATA_BYTES: usize = 1 << 20;

/// What was sent.
#[derive(Debug)]
pub(crate) struct Body<'b> {
    pub(crate) metadata: Metadata,
    pub(crate) archive: &'b [u8],
}

/// What the client says of the archive. Only what is compared with the
/// archive's own manifest is read.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    pub(crate) vers: String,
    #[serde(default)]
    pub(crate) deps: Vec<Claimed>,
}

/// A dependency as the client describes it.
#[derive(Debug, Deserialize)]
pub(crate) struct Claimed {
    /// The package's name.
    pub(crate) name: String,
    pub(crate) version_req: String,
    #[serde(default)]
    pub(crate) target: Option<String>,
    #[serde(default)]
    pub(crate) kind: Option<String>,
    /// Another registry that it comes from, by its address.
    #[serde(default)]
    pub(crate) registry: Option<String>,
    /// What the manifest calls it, where that is another name.
    #[serde(default)]
    pub(crate) explicit_name_in_toml: Option<String>,
}

impl<'b> Body<'b> {
    pub(crate) fn read(bytes: &'b [u8]) -> Result<Body<'b>, Failure> {
        let (metadata, rest) = part(bytes, "metadata")?;
        if metadata.len() > METADATA_BYTES {
            return Err(Failure::bad(format!(
                "the metadata has more than {METADATA_BYTES} bytes"
            )));
        }
        let (archive, rest) = part(rest, "archive")?;
        // Something behind the end would be seen by some readers alone.
        if !rest.is_empty() {
            return Err(Failure::bad("the request goes on behind the archive"));
        }
        let metadata = serde_json::from_slice(metadata)
            .map_err(|error| Failure::bad(format!("the metadata: {error}")))?;
        Ok(Body { metadata, archive })
    }
}

fn part<'b>(bytes: &'b [u8], what: &str) -> Result<(&'b [u8], &'b [u8]), Failure> {
    let cut = || Failure::bad(format!("the request ends inside of its {what}"));
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(cut)?;
    let length = u32::from_le_bytes(*length) as usize;
    rest.split_at_checked(length).ok_or_else(cut)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Body;

    proptest! {
        /// Guards against lengths that lie.
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = Body::read(&bytes);
        }

        #[test]
        fn what_was_framed_is_read(archive in prop::collection::vec(any::<u8>(), 0..64), cut in 1_usize..8) {
            let json = br#"{"name":"a","vers":"1.0.0"}"#;
            let mut bytes = u32::try_from(json.len()).unwrap().to_le_bytes().to_vec();
            bytes.extend(json);
            bytes.extend(u32::try_from(archive.len()).unwrap().to_le_bytes());
            bytes.extend(&archive);
            prop_assert_eq!(Body::read(&bytes).unwrap().archive, &archive[..]);
            prop_assert!(Body::read(&bytes[..bytes.len() - cut]).is_err());
            bytes.push(0);
            prop_assert!(Body::read(&bytes).is_err());
        }
    }
}
