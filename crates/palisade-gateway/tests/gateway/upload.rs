//! Publishing without cargo.

use crate::client::{Answer, send, try_send};
use crate::upstream::archive;
use crate::world::World;

/// The body of a request that publishes a crate with this source.
pub(crate) fn body(name: &str, version: &str, source: &str) -> (Vec<u8>, Vec<u8>) {
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"{version}\"\ndescription = \"d\"\nlicense = \"MIT\"\n"
    );
    let bytes = archive(
        &format!("{name}-{version}"),
        &[("Cargo.toml", &manifest), ("src/lib.rs", source)],
    );
    let metadata = format!("{{\"name\":\"{name}\",\"vers\":\"{version}\",\"deps\":[]}}");
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
    let mut body = length(metadata.as_bytes()).to_vec();
    body.extend(metadata.as_bytes());
    body.extend(length(&bytes));
    body.extend(&bytes);
    (body, bytes)
}

pub(crate) fn upload(world: &World, token: &str, name: &str, version: &str) -> Answer {
    let (body, _) = body(name, version, "");
    let url = world.url("/api/v1/crates/new");
    send("PUT", &url, &[("authorization", token)], &body)
}

/// The same at an address; `None` when there is no whole answer.
pub(crate) fn try_upload(url: &str, token: &str, body: &[u8]) -> Option<Answer> {
    let url = format!("{url}/api/v1/crates/new");
    try_send("PUT", &url, &[("authorization", token)], body)
}
