//! An upstream that is slow, lies or is down, at random, while people read.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use palisade_archive::checksum;

use crate::client::get;
use crate::faults::{Random, rounds};
use crate::upstream::{Manner, Release};
use crate::world::World;

/// How often the upstream changes its manner, in the core suite and in the full
/// one.
const ROUNDS: (u32, u32) = (12, 100);

/// Guards whoever reads while the upstream misbehaves: what they get is what was
/// published, or an error, and never what is held.
#[test]
fn readers_get_the_truth_or_nothing() {
    let world = World::new("");
    world.upstream.content.lock().unwrap().manner = Manner::Well;
    let old = "2020-01-01T00:00:00Z";
    let mut sums = Vec::new();
    for number in 0..6 {
        let name = format!("good{number}");
        let good = Release::new(&name, "1.0.0", old).source(&format!("// {number}"));
        sums.push(checksum(&good.archive()));
        world.upstream.publish(&good);
        // Younger than the policy wants.
        world
            .upstream
            .publish(&Release::new(&name, "1.1.0", "2026-08-20T06:00:00Z"));
    }
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let (served, refused) = (AtomicU32::new(0), AtomicU32::new(0));
    for round in 0..rounds(ROUNDS) {
        let manners = [Manner::Well, Manner::Broken, Manner::Lying, Manner::Slow];
        world
            .upstream
            .behave(manners[usize::try_from(random.below(4)).unwrap()]);
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for reader in 0..3 {
                let (world, sums, stop) = (&world, &sums, &stop);
                let (served, refused) = (&served, &refused);
                let mut random = Random(u64::from(round * 3 + reader) + 1);
                scope.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        let number = usize::try_from(random.below(6)).unwrap();
                        let index = get(&world.url(&format!("/index/go/od/good{number}")));
                        if index.status == 200 {
                            let text = index.text();
                            let held = text.lines().find(|line| line.contains("1.1.0"));
                            assert!(
                                held.is_none_or(|line| line.contains("\"yanked\":true")),
                                "{text}"
                            );
                        } else {
                            assert!(
                                [404, 502, 503, 504].contains(&index.status),
                                "{}",
                                index.text()
                            );
                        }
                        let download = |version: &str| {
                            get(&world
                                .url(&format!("/api/v1/crates/good{number}/{version}/download")))
                        };
                        let good = download("1.0.0");
                        match good.status {
                            200 => {
                                assert_eq!(checksum(&good.body), sums[number]);
                                served.fetch_add(1, Ordering::Relaxed);
                            }
                            status => {
                                assert!(status == 404 || status >= 500, "{}", good.text());
                                refused.fetch_add(1, Ordering::Relaxed);
                            }
                        }
                        let held = download("1.1.0");
                        assert_ne!(held.status, 200, "a held version was served");
                    }
                });
            }
            std::thread::sleep(Duration::from_millis(50 + random.below(250)));
            stop.store(true, Ordering::Relaxed);
        });
    }
    world.upstream.behave(Manner::Well);
    assert!(
        served.load(Ordering::Relaxed) > 0,
        "nothing was ever served"
    );
    world.audit_is_whole();
}
