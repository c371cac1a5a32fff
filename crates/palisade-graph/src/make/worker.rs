//! The worker's side: loads a job's crates and takes their facts.
//!
//! A worker keeps what it has loaded from job to job: the standard library and
//! whatever crates have in common are read and resolved once, not once a job.
//! When it has grown too large it forgets everything and begins anew.

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::Duration;

use palisade_engine::{Engine, Expansion, LoadOptions};
use palisade_project::{Plan, UnitId};

use super::wire::{Frame, Job, WirePiece, WireUnit};
use crate::fragment::Capable;
use crate::{ENGINE, Fragment, capabilities};

/// Makes this process a worker; see [`palisade_sandbox::serve_bytes`].
pub fn serve_worker() -> ExitCode {
    let mut kept = Kept::default();
    palisade_sandbox::serve_bytes(move |bytes| {
        // A job that cannot be done at all is this process's failure, which the
        // parent puts on record with the message.
        match answer(&mut kept, bytes) {
            Ok(answer) => answer,
            Err(message) => std::panic::panic_any(message),
        }
    })
}

/// Above this the worker begins anew: far enough below the limit of a worker
/// for the crates of one more fragment.
const LARGE: u64 = 1500 << 20;

/// At least so much is added before a worker begins anew again, however large
/// the crates of a job are.
const WORTHWHILE: u64 = 300 << 20;

/// What is loaded.
#[derive(Default)]
struct Kept {
    loaded: Option<Loaded>,
}

struct Loaded {
    frame: Frame,
    plan: Plan,
    known: HashMap<WireUnit, UnitId>,
    engine: Engine,
    /// The memory above which it is given up.
    large: u64,
}

impl Kept {
    /// Loads what the job has beyond what is there; gives the places of the
    /// job's units.
    fn load(&mut self, job: &Job) -> Result<Vec<UnitId>, String> {
        if let Some(loaded) = &mut self.loaded
            && loaded.frame == job.frame
        {
            let places = job.add_to(&mut loaded.plan, &mut loaded.known)?;
            let grown = loaded.engine.grow(&loaded.plan);
            grown.map_err(|error| error.to_string())?;
            return Ok(places);
        }
        self.loaded = None;
        let mut plan = job.frame.plan()?;
        let mut known = HashMap::new();
        let places = job.add_to(&mut plan, &mut known)?;
        let options = LoadOptions {
            threads: 1,
            expansion: Expansion::InProcess,
            limits: Default::default(),
        };
        let engine = Engine::load(&plan, &options).map_err(|error| error.to_string())?;
        self.loaded = Some(Loaded {
            frame: job.frame.clone(),
            plan,
            known,
            engine,
            large: LARGE.max(memory("VmRSS:") + WORTHWHILE),
        });
        Ok(places)
    }

    /// Forgets everything when it has become too much; gives whether it has.
    fn shrink(&mut self) -> bool {
        let large = self.loaded.as_ref().map(|loaded| loaded.large);
        let too_large = large.is_some_and(|large| memory("VmRSS:") > large);
        if too_large {
            self.loaded = None;
        }
        too_large
    }
}

/// The most memory that the process has had, and the fragments of a job, each
/// behind its processor time in microseconds and its length.
fn answer(kept: &mut Kept, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let job: Job = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    kept.shrink();
    let mut places = kept.load(&job)?;
    let mut fragments = Vec::new();
    for piece in &job.pieces {
        if kept.shrink() {
            places = kept.load(&job)?;
        }
        let engine = kept.loaded.as_ref().map(|loaded| &loaded.engine);
        let engine = engine.ok_or("nothing is loaded")?;
        let before = processor_time();
        let bytes = fragment(engine, piece, &places)?.encode();
        let spent = processor_time().saturating_sub(before);
        let spent = u64::try_from(spent.as_micros()).unwrap_or(u64::MAX);
        fragments.extend(spent.to_le_bytes());
        fragments.extend((bytes.len() as u64).to_le_bytes());
        fragments.extend(bytes);
    }
    let mut answer = memory("VmHWM:").to_le_bytes().to_vec();
    answer.extend(fragments);
    Ok(answer)
}

fn fragment(engine: &Engine, piece: &WirePiece, places: &[UnitId]) -> Result<Fragment, String> {
    let units: Option<Vec<UnitId>> = piece
        .units()
        .map(|unit| places.get(unit).copied())
        .collect();
    let units = units.ok_or("a fragment of crates that are not there")?;
    let facts = engine.extract(&units).map_err(|error| error.to_string())?;
    let mut fragment = Fragment {
        package: piece.key.package.clone(),
        version: piece.key.version.clone(),
        origin: piece.origin(),
        features: piece.key.features.clone(),
        engine: ENGINE.to_owned(),
        missing: piece.missing.clone(),
        crates: facts.into_iter().flatten().collect(),
        capabilities: Vec::new(),
    };
    for (krate, facts) in fragment.crates.iter().enumerate() {
        for (place, function) in facts.functions.iter().enumerate() {
            let capabilities = capabilities(facts, function).bits();
            if capabilities != 0 {
                fragment.capabilities.push(Capable {
                    krate: u32::try_from(krate).unwrap_or(u32::MAX),
                    function: u32::try_from(place).unwrap_or(u32::MAX),
                    capabilities,
                });
            }
        }
    }
    Ok(fragment)
}

/// What the system says of this process's memory, in bytes; 0 where it says
/// nothing.
fn memory(what: &str) -> u64 {
    let status = std::fs::read_to_string(STATUS).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(what));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix("kB"));
    let kilobytes = kilobytes.and_then(|number| number.trim().parse::<u64>().ok());
    kilobytes.unwrap_or_default().saturating_mul(1024)
}

/// The processor time of all threads so far, in steps of 10 ms; 0 where the
/// system does not say.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string(STAT).unwrap_or_default();
    // The second field is the program's name in parentheses and may hold
    // anything; times are the 14th and 15th field.
    let times = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let times = times.split_ascii_whitespace().skip(11).take(2);
    let ticks: u64 = times.filter_map(|time| time.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks.saturating_mul(10))
}

const STATUS: &str = "/proc/self/status";
const STAT: &str = "/proc/self/stat";

/// The files that a worker asks about itself.
pub(super) const ABOUT_ITSELF: [&str; 2] = [STATUS, STAT];

/// One fragment of an answer.
pub(super) struct Answered<'a> {
    /// Processor time that it took beyond what the job took as a whole.
    pub(super) cpu: Duration,
    /// The file.
    pub(super) bytes: &'a [u8],
}

/// The memory and the fragments of an answer; `None` when it is garbled.
pub(super) fn split(answer: &[u8], pieces: usize) -> Option<(u64, Vec<Answered<'_>>)> {
    let (memory, mut answer) = answer.split_first_chunk()?;
    let mut found = Vec::new();
    for _ in 0..pieces {
        let (cpu, rest) = answer.split_first_chunk()?;
        let (size, rest) = rest.split_first_chunk()?;
        let size = usize::try_from(u64::from_le_bytes(*size)).ok()?;
        let (bytes, rest) = rest.split_at_checked(size)?;
        found.push(Answered {
            cpu: Duration::from_micros(u64::from_le_bytes(*cpu)),
            bytes,
        });
        answer = rest;
    }
    answer
        .is_empty()
        .then_some((u64::from_le_bytes(*memory), found))
}
