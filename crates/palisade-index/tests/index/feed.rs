//! Finding what is new in a feed.

use std::sync::{Arc, Mutex};

use palisade_index::discover::FeedDiscovery;

use crate::fixture::{directory, hex_checksum};
use crate::server::{Reply, Server};
use crate::sparse::options;

/// A feed of these versions, newest first.
fn feed(versions: &[&str]) -> String {
    let items: String = versions
        .iter()
        .map(|version| {
            format!(
                "<item><title>New crate version published: demo v{version}</title><guid>id-{version}</guid>\
                 <pubDate>Wed, 01 Jan 2020 00:00:00 +0000</pubDate><description>&lt;b&gt; x &amp; y</description>\
                 <crates:name>demo</crates:name><crates:version>{version}</crates:version></item>"
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\"?><rss version=\"2.0\" xmlns:crates=\"x\"><channel><title>t</title>{items}</channel></rss>"
    )
}

/// Guards order, that nothing comes twice once confirmed, conditional
/// questions, and that a feed which moved on too far says so.
#[test]
fn a_feed_is_followed() {
    let (_guard, cache) = directory();
    let text = Arc::new(Mutex::new(feed(&["1.1.0", "1.0.0"])));
    let state = text.clone();
    let server = Server::start(move |request| {
        let text = state.lock().unwrap().clone();
        let etag = format!("\"{}\"", hex_checksum(text.as_bytes()));
        if request.field("if-none-match") == Some(&etag) {
            return Reply::new(304, "");
        }
        Reply::ok(text).with("etag", etag)
    });
    let checkpoint = cache.join("feed.json");
    let next = || {
        FeedDiscovery::new(&server.address, &checkpoint, options())
            .unwrap()
            .next()
            .unwrap()
    };
    let versions = |batch: &palisade_index::discover::Batch| {
        let changes = batch.changes.iter();
        changes
            .map(|change| change.version.as_ref().unwrap().to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(versions(&next()), ["1.0.0", "1.1.0"]);
    let batch = next();
    assert_eq!(
        batch.changes[0].published.unwrap().to_string(),
        "2020-01-01T00:00:00Z"
    );
    batch.confirm().unwrap();
    assert_eq!(versions(&next()), [] as [&str; 0]);
    *text.lock().unwrap() = feed(&["1.2.0", "1.1.0"]);
    let batch = next();
    assert_eq!(
        (versions(&batch), batch.gap),
        (vec!["1.2.0".to_owned()], false)
    );
    batch.confirm().unwrap();
    *text.lock().unwrap() = feed(&["1.10.0", "1.9.0", "1.8.0"]);
    let batch = next();
    assert_eq!((versions(&batch).len(), batch.gap), (3, true));
}

/// Guards feeds that only have titles, items that name nothing, and what is no
/// feed.
#[test]
fn other_feeds() {
    let (_guard, cache) = directory();
    let cases = [
        (
            "<rss><item><title>New crate version published: demo v1.0.0</title></item></rss>",
            Some(1),
        ),
        (
            "<feed><entry><id>1</id><title>demo 1.0.0-rc.1+b</title></entry></feed>",
            Some(1),
        ),
        (
            "<rss><item><title>../../etc v1.0.0</title></item><item/><item></item></rss>",
            Some(0),
        ),
        (
            "<rss><item><title><![CDATA[demo]]></title></item></rss>",
            Some(1),
        ),
        ("<html></html>", None),
        ("<rss><item></rss>", None),
        ("no feed", None),
    ];
    for (at, (text, expected)) in cases.into_iter().enumerate() {
        let server = Server::start(move |_| Reply::ok(text));
        let checkpoint = cache.join(format!("{at}.json"));
        let batch = FeedDiscovery::new(&server.address, &checkpoint, options())
            .unwrap()
            .next();
        assert_eq!(
            batch.as_ref().ok().map(|batch| batch.changes.len()),
            expected,
            "{text}: {batch:?}"
        );
    }
}
