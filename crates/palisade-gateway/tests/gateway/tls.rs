//! TLS and HTTP/2, with cargo itself.

use std::time::Duration;

use palisade_gateway::{Config, Gateway, Parts};
use palisade_store::Role;

use crate::upstream::Release;
use crate::world::World;

/// Guards what cargo is given over TLS: it verifies the certificate, speaks
/// HTTP/2, and builds from what it gets.
#[test]
fn cargo_speaks_http_2() {
    let world = World::new("");
    world.user("ann", &[Role::Publisher]);
    for number in 0..20 {
        let name = format!("part{number}");
        world
            .upstream
            .publish(&Release::new(&name, "1.0.0", "2020-01-01T00:00:00Z"));
    }
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    world.write("tls/cert.pem", &made.cert.pem());
    world.write("tls/key.pem", &made.signing_key.serialize_pem());
    let text = format!(
        "[gateway]\nlisten = \"127.0.0.1:0\"\ndata = \"tls/data\"\n\
         [gateway.tls]\ncertificate = \"tls/cert.pem\"\nkey = \"tls/key.pem\"\n\
         [gateway.upstream]\nindex = \"{}\"\n",
        world.upstream.index()
    );
    let mut config = Config::parse(&world.path("palisade.toml"), &text).unwrap();
    // The certificate is for a name, so cargo has to use that; the port is
    // known only when it listens.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    config.listen.set_port(port);
    config.url = Some(format!("https://localhost:{port}"));
    let gateway = world
        .runtime
        .block_on(Gateway::start(config, Parts::default()))
        .unwrap();
    let cargo = |trusted: bool| {
        let trust = if trusted {
            format!("cainfo = \"{}\"\n", world.path("tls/cert.pem"))
        } else {
            String::new()
        };
        format!(
            "[source.crates-io]\nreplace-with = \"gw\"\n[registries.gw]\n\
             index = \"sparse+https://localhost:{port}/index/\"\n[net]\nretry = 0\n[http]\ndebug = true\n{trust}"
        )
    };
    let all: String = (0..20)
        .map(|number| format!("part{number} = \"1\"\n"))
        .collect();
    world.package("app", &all);
    world.write("home/config.toml", &cargo(false));
    world
        .cargo("app", &["generate-lockfile"])
        .fails_with("certificate");
    world.write("home/config.toml", &cargo(true));
    let said = world.cargo_logged("app", &["fetch"]);
    said.succeeds();
    assert!(
        said.text.contains("using HTTP/2") || said.text.contains("HTTP/2 200"),
        "{}",
        said.text
    );
    assert_eq!(world.locked("app", "part7").as_deref(), Some("1.0.0"));
    world.runtime.block_on(async {
        let end = tokio::time::timeout(Duration::from_secs(40), gateway.stop());
        end.await.unwrap();
    });
}
