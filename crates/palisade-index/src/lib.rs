//! Registries as data.
