//! A registry's `config.json`.

use palisade_model::Checksum;
use semver::Version;
use serde::Deserialize;

use crate::index_prefix;

/// Where a registry keeps what.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Config {
    /// The address of archives, with markers.
    dl: String,
    /// Whether it answers only those with a token.
    #[serde(default, rename = "auth-required")]
    pub(crate) auth_required: bool,
}

impl Config {
    pub(crate) fn parse(text: &str) -> Result<Config, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// The address of a version's archive.
    pub(crate) fn archive(&self, name: &str, version: &Version, checksum: Checksum) -> String {
        const MARKERS: [&str; 5] = [
            "{crate}",
            "{version}",
            "{prefix}",
            "{lowerprefix}",
            "{sha256-checksum}",
        ];
        if !MARKERS.iter().any(|marker| self.dl.contains(marker)) {
            return format!(
                "{}/{name}/{version}/download",
                self.dl.trim_end_matches('/')
            );
        }
        // The plus sign of build metadata would mean a space to some servers;
        // cargo leaves it as it is.
        self.dl
            .replace("{crate}", name)
            .replace("{version}", &version.to_string())
            .replace("{prefix}", &index_prefix(name))
            .replace("{lowerprefix}", &index_prefix(&name.to_ascii_lowercase()))
            .replace("{sha256-checksum}", &checksum.to_string())
    }
}
