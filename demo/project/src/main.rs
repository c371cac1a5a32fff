//! Prints a small almanac: moon phases of some days, and a table of them.

use lru::LruCache;
use seq_macro::seq;
use smallvec::SmallVec;
use toodee::{TooDee, TooDeeOps};

/// Days of a lunar cycle, in hundredths.
const CYCLE: u32 = 2953;

/// Remembers phases that were computed before. It never walks over the cache,
/// so the flaw in `LruCache::iter` is out of reach.
struct Phases {
    known: LruCache<u32, u32>,
}

impl Phases {
    fn new() -> Phases {
        Phases {
            known: LruCache::new(8),
        }
    }

    fn of(&mut self, day: u32) -> u32 {
        if let Some(&phase) = self.known.get(&day) {
            return phase;
        }
        let phase = day * 100 % CYCLE * 8 / CYCLE;
        self.known.put(day, phase);
        phase
    }
}

/// The days to print, with some extra ones in the middle. Here the program
/// reaches the flaw in `SmallVec::insert_many`.
fn days(extra: &[u32]) -> SmallVec<[u32; 4]> {
    let mut days = SmallVec::from_slice(&[1, 8, 22]);
    days.insert_many(2, extra.iter().copied());
    days
}

/// One row per week. The macro repeats its body, and no tool knows with what
/// result before it has run: whether `TooDee::insert_row`, which has a flaw,
/// is called stays unknown.
fn table(phases: &mut Phases) -> TooDee<u32> {
    let mut table = TooDee::default();
    seq!(WEEK in 0..4 {
        table.insert_row(WEEK, (1..=7).map(|day| phases.of(WEEK * 7 + day)).collect::<Vec<_>>());
    });
    table
}

fn main() {
    let mut phases = Phases::new();
    for day in days(&[15, 16]) {
        println!("day {day:2}: phase {} of 8", phases.of(day));
    }
    for week in table(&mut phases).rows() {
        println!("{week:?}");
    }
}
