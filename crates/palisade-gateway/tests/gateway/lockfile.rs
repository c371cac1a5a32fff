//! A large lockfile through the gateway, as a source replacement.
