//! Tokens of ours that somebody has published.

use palisade_gateway::Scope::{PublishNew, Read};
use palisade_store::Role;

use crate::client::{get, get_as, send};
use crate::upload::body;
use crate::upstream::Release;
use crate::world::World;

/// Guards people against their own mistakes: a token in an archive, pulled
/// through or published here, is revoked at once, and its user is told where it
/// was found.
#[test]
fn a_token_in_an_archive_is_revoked() {
    let world = World::new(
        "[gateway.policy]\nminimum-age = { mode = \"off\" }\nnew-crate = { mode = \"off\" }\n",
    );
    world.user("ann", &[Role::Publisher]);
    world.user("bob", &[Role::Publisher]);
    let (leaked, kept) = (
        world.token("ann", &[Read], "*"),
        world.token("ann", &[Read], "*"),
    );
    let source = format!("const T: &str = \"{leaked}\"; // {}", &kept[..50]);
    world
        .upstream
        .publish(&Release::new("leaky", "1.0.0", "2020-01-01T00:00:00Z").source(&source));
    let current = world.url("/api/v1/tokens/current");
    assert_eq!(get_as(&current, &leaked).status, 200);
    assert_eq!(get(&world.url("/index/le/ak/leaky")).status, 200);
    assert_eq!(
        get(&world.url("/api/v1/crates/leaky/1.0.0/download")).status,
        200
    );
    let refused = get_as(&current, &leaked);
    assert!(
        refused.status == 403 && refused.text().contains("was revoked"),
        "{}",
        refused.text()
    );
    assert_eq!(get_as(&current, &kept).status, 200, "half a token is none");
    let told = |login: &str| {
        world.runtime.block_on(async {
            let user = world.store().user(login).await.unwrap();
            world.store().notices(user.id).await.unwrap()
        })
    };
    let notice = &told("ann")[0];
    assert_eq!(notice.kind, "token-found");
    assert!(
        notice.body.contains("leaky 1.0.0, src/lib.rs"),
        "{}",
        notice.body
    );

    // Published by somebody else, it is not even served before.
    let bob = world.token("bob", &[PublishNew], "*");
    let (sent, _) = body("mine", "1.0.0", &format!("// {kept}"));
    let url = world.url("/api/v1/crates/new");
    assert_eq!(
        send("PUT", &url, &[("authorization", &bob)], &sent).status,
        200
    );
    assert_eq!(get_as(&current, &kept).status, 403);
    assert_eq!(told("ann").len(), 2);
    assert_eq!(told("bob").len(), 0);
    world.audit_is_whole();
}
