//! Advisories through the crate's public door.

mod fixture;

mod database;
mod function_path;
mod matching;
mod published;
