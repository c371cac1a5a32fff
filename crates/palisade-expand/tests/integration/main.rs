//! The tests of the expanders, all through the public door.

mod compare;
mod fixture;
mod hostile;
mod inventory;
mod recorded;
