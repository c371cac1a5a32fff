//! The engine: a loaded plan that answers questions.

use std::{panic::resume_unwind, sync::Mutex};

use camino::Utf8PathBuf;
use palisade_model::{BlindSpot, BlindSpotCause, Location, Package};
use palisade_project::{Plan, Unit, UnitId, UnitKind};
use ra_ap_base_db::Crate;
use ra_ap_hir_def::HasModule;
use ra_ap_hir_ty::attach_db;
use ra_ap_ide_db::RootDatabase;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    api::{
        Collection, EngineError, FunctionHandle, Goal, LoadOptions, PathQuery, Request, Resolution,
        ResolutionKind, Stats,
    },
    blind::{Entry, Finder},
    kept::Kept,
    load::{self, Loaded},
    names::{Definition, Identity, Names},
    outcome,
    resolve::Resolver,
    roots,
    walk::{FactStore, Goals, Node, Pass, Prune, STACK_BYTES, Walk, Watched, Workers},
};

/// A loaded crate graph, ready for questions.
pub struct Engine {
    pub(crate) loaded: Loaded,
    pub(crate) units: Vec<Unit>,
    pub(crate) workspace: Utf8PathBuf,
    pub(crate) options: LoadOptions,
    handles: Mutex<Vec<Definition>>,
}

impl Engine {
    /// Loads every unit of `plan`. Nothing of it is executed unless
    /// `options.expansion` says so.
    ///
    /// # Errors
    /// See [`EngineError`]; a broken file of a dependency is not an error but
    /// a blind spot of the walks that follow.
    pub fn load(plan: &Plan, options: &LoadOptions) -> Result<Engine, EngineError> {
        let mut loaded = load::load(plan, options)?;
        // Every question needs the names of the targets' crates.
        let db = loaded.db.lock().clone();
        for target in &plan.targets {
            if let Some(krate) = loaded.crates[target.unit.0] {
                load::warm::warm(&db, &loaded.crates, krate, options.threads).map_err(|error| {
                    EngineError::Thread {
                        reason: error.to_string(),
                    }
                })?;
            }
        }
        drop(db);
        let units = std::mem::take(&mut loaded.units);
        Ok(Engine {
            loaded,
            units,
            workspace: plan.workspace_root.clone(),
            options: options.clone(),
            handles: Mutex::default(),
        })
    }

    /// Finds what `path` names in `package`, through re-exports, types,
    /// inherent and trait impls.
    ///
    /// # Errors
    /// [`EngineError::Thread`] when the analysis thread cannot be started.
    pub fn resolve(&self, package: &Package, path: &PathQuery) -> Result<Resolution, EngineError> {
        let crates: Vec<Crate> = self
            .units
            .iter()
            .zip(&self.loaded.crates)
            .filter(|(unit, _)| {
                unit.package == *package
                    && matches!(
                        unit.kind,
                        UnitKind::Lib | UnitKind::ProcMacro | UnitKind::Sysroot
                    )
            })
            .filter_map(|(_, krate)| *krate)
            .collect();
        if crates.is_empty() {
            let kind = ResolutionKind::NotLoaded;
            return Ok(Resolution {
                kind,
                functions: Vec::new(),
            });
        }
        self.with_database(|db| {
            let names = Names::new(&self.loaded, db, &self.workspace);
            let (kind, definitions) = Resolver::new(db).resolve(&crates, path);
            let functions = definitions
                .into_iter()
                .map(|def| {
                    let function = names.describe(&Identity {
                        def,
                        self_type: None,
                    });
                    (self.handle(def), function)
                })
                .collect();
            Resolution { kind, functions }
        })
    }

    /// Walks from the target's entry points.
    ///
    /// # Errors
    /// [`EngineError::Thread`] when the walk itself cannot be started.
    pub fn collect(&self, request: &Request<'_>) -> Result<Collection, EngineError> {
        self.with_database(|db| self.walk(db, request))?
    }

    fn handle(&self, def: Definition) -> FunctionHandle {
        let mut handles = self
            .handles
            .lock()
            .unwrap_or_else(|poison| poison.into_inner());
        let index = handles
            .iter()
            .position(|known| *known == def)
            .unwrap_or_else(|| {
                handles.push(def);
                handles.len() - 1
            });
        FunctionHandle(u32::try_from(index).unwrap_or(u32::MAX))
    }

    fn definition(&self, handle: FunctionHandle) -> Option<Definition> {
        let handles = self
            .handles
            .lock()
            .unwrap_or_else(|poison| poison.into_inner());
        handles.get(handle.0 as usize).copied()
    }

    /// Runs `ask` on a thread with a large stack and the database attached.
    pub(crate) fn with_database<T: Send>(
        &self,
        ask: impl FnOnce(&RootDatabase) -> T + Send,
    ) -> Result<T, EngineError>
    where
        Self: Sync,
    {
        // The lock is only held for the clone; the question may ask again.
        let db = self.loaded.db.lock().clone();
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new()
                .name("palisade-ask".to_owned())
                .stack_size(STACK_BYTES)
                .spawn_scoped(scope, move || attach_db(&db, || ask(&db)))
                .map_err(|error| EngineError::Thread {
                    reason: error.to_string(),
                })?;
            Ok(thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
        })
    }

    fn walk(&self, db: &RootDatabase, request: &Request<'_>) -> Result<Collection, EngineError> {
        let kept = match self.loaded.crates[request.target.unit.0] {
            Some(krate) => Kept::find(db, &self.loaded.files, krate),
            None => Kept::default(),
        };
        let goals = self.goals(request);
        let prune = self.prune(db, request, &goals, &kept);
        let watched = Watched::of(db, &goals.in_expansions(db));
        let mut session = Session {
            engine: self,
            db,
            request,
            store: FactStore::new(
                kept.symbols.clone(),
                self.options.limits.inferred_expressions,
                watched,
            ),
            kept,
            walk: Walk::new(&self.options.limits, goals, request.record),
            lazy: !request.record && !request.goals.is_empty(),
            prune: &prune,
            blind_spots: Vec::new(),
            spots: FxHashMap::default(),
            names: Names::new(&self.loaded, db, &self.workspace),
        };
        let build_units: &[UnitId] = if request.build_context {
            &request.target.build_units
        } else {
            &[]
        };
        let stopped_early = session.run(build_units)?;
        let Session {
            walk,
            blind_spots,
            names,
            ..
        } = session;
        let mut collection = outcome::collect(&names, &walk, blind_spots, request);
        collection.stats = Stats {
            instances: walk.nodes.len(),
            functions: walk.function_count(),
            panics: walk.panicked.len(),
            stopped_early,
        };
        Ok(collection)
    }

    /// What a walk for these goals may leave out: nothing of a call graph.
    fn prune(&self, db: &RootDatabase, request: &Request<'_>, goals: &Goals, kept: &Kept) -> Prune {
        if request.record {
            return Prune::default();
        }
        let all = self.loaded.crates.iter().flatten().copied();
        let exports = kept.symbols.values().map(|f| f.krate(db));
        Prune::new(db, all, &goals.in_crates(db), exports)
    }

    fn goals(&self, request: &Request<'_>) -> Goals {
        let mut goals = Goals {
            wanted: request.paths.max(1),
            ..Goals::default()
        };
        for goal in &request.goals {
            let index = goals.add();
            match goal {
                Goal::Functions(handles) => {
                    for &handle in handles {
                        match self.definition(handle) {
                            Some(Definition::Function(f)) => {
                                goals.functions.entry(f).or_default().push(index);
                            }
                            Some(Definition::Derive(derive, f)) => {
                                goals.derives.entry((derive, f)).or_default().push(index);
                            }
                            Some(Definition::Macro(id)) => {
                                goals.macros.entry(id).or_default().push(index);
                            }
                            None => {}
                        }
                    }
                }
                Goal::Units(units) => {
                    for unit in units {
                        if let Some(krate) = self.loaded.crates[unit.0] {
                            goals.crates.entry(krate).or_default().push(index);
                        }
                    }
                }
            }
        }
        goals
    }
}

/// One target's walk through all its passes.
struct Session<'a> {
    engine: &'a Engine,
    db: &'a RootDatabase,
    request: &'a Request<'a>,
    store: FactStore,
    kept: Kept,
    walk: Walk<'a>,
    lazy: bool,
    prune: &'a Prune,
    blind_spots: Vec<BlindSpot>,
    /// Where each blind spot stands in the list.
    spots: FxHashMap<(Location, BlindSpotCause, String), usize>,
    names: Names<'a>,
}

impl Session<'_> {
    /// What runs first, then what runs at build time, then what the blind
    /// spots of each may reach. Gives whether every goal was decided early.
    fn run(&mut self, build_units: &[UnitId]) -> Result<bool, EngineError> {
        let unit = self.request.target.unit;
        let Some(krate) = self.engine.loaded.crates[unit.0] else {
            return Ok(false);
        };
        for node in self.kept.roots(self.db, krate) {
            self.enter(node, Pass::Run, None);
        }
        if self.engine.units[unit.0].kind == UnitKind::Lib {
            // A library's own symbols are open to whoever links it.
            for node in self.kept.exports(self.db, krate) {
                self.enter(node, Pass::Run, None);
            }
        }
        if self.enter_unit(unit, Pass::Run)? {
            return Ok(true);
        }
        for &unit in build_units {
            if self.enter_unit(unit, Pass::Build)? {
                return Ok(true);
            }
        }
        if self.possible(krate, &[krate], Pass::Run, Pass::PossibleRun)? {
            return Ok(true);
        }
        if build_units.is_empty() {
            return Ok(false);
        }
        let roots: Vec<_> = build_units
            .iter()
            .filter_map(|unit| self.engine.loaded.crates[unit.0])
            .collect();
        self.possible(krate, &roots, Pass::Build, Pass::PossibleBuild)
    }

    fn enter_unit(&mut self, unit: UnitId, pass: Pass) -> Result<bool, EngineError> {
        let Some(krate) = self.engine.loaded.crates[unit.0] else {
            return Ok(false);
        };
        for node in roots::of_unit(self.db, krate, self.engine.units[unit.0].kind) {
            self.enter(node, pass, None);
        }
        self.advance(krate, pass)
    }

    /// Enters a node, unless it leads to no goal.
    fn enter(&mut self, node: Node, pass: Pass, blind_spot: Option<u32>) {
        match self.prune.leaves_out(self.db, &node) {
            None => self.walk.enter(self.db, node, pass, blind_spot),
            Some(crates) => self.walk.leave_out(crates, pass),
        }
    }

    /// Walks to a fixpoint, traits solved as seen from `krate`.
    fn advance(&mut self, krate: Crate, pass: Pass) -> Result<bool, EngineError> {
        std::thread::scope(|scope| {
            let options = &self.engine.options;
            let workers = Workers::start(
                scope,
                self.db,
                krate,
                &self.store,
                &options.limits,
                self.prune,
                options.threads,
            )
            .map_err(|error| EngineError::Thread {
                reason: error.to_string(),
            })?;
            let progress = self.request.progress;
            Ok(self.walk.run(self.db, &workers, pass, self.lazy, progress))
        })
    }

    /// Walks what the blind spots of one pass may reach; `roots` are the crates
    /// that the pass started from.
    fn possible(
        &mut self,
        krate: Crate,
        roots: &[Crate],
        of: Pass,
        pass: Pass,
    ) -> Result<bool, EngineError> {
        let engine = self.engine;
        let names = Names::new(&engine.loaded, self.db, &engine.workspace);
        let mut finder = Finder::new(
            self.db,
            &engine.loaded,
            &engine.units,
            &names,
            krate,
            roots,
            self.prune,
            self.store.watched.clone(),
        );
        let mut met = self.walk.unresolved.len();
        // Trait methods called on unknown types, each with a node that does.
        let (mut open, mut known) = (Vec::new(), FxHashSet::default());
        loop {
            let before = self.walk.extent();
            // What a blind spot may reach has blind spots of its own.
            for entry in finder.find(&self.walk, &self.store, &self.kept, &[of, pass]) {
                self.enter_blind_spot(entry, pass);
            }
            // Unseen code calls with unknown types; a trait method called on
            // those may be the impl of any type that is used, and what it does
            // may use more types.
            loop {
                if self.advance(krate, pass)? {
                    return Ok(true);
                }
                for &(call, node) in &self.walk.unresolved[met..] {
                    if known.insert(call) {
                        open.push((call, node));
                    }
                }
                met = self.walk.unresolved.len();
                finder.meet(&self.walk, &self.store);
                let before = self.walk.extent();
                for &(call, node) in &open {
                    for candidate in finder.impls_of(call) {
                        if self.prune.leaves_out(self.db, &candidate).is_none() {
                            self.walk.enter_from(self.db, candidate, pass, node);
                        }
                    }
                }
                if self.walk.extent() == before {
                    break;
                }
            }
            if self.walk.extent() == before {
                return Ok(false);
            }
        }
    }

    /// Enters what a blind spot may reach. One that is known may reach more
    /// than it did when fewer types were in use.
    fn enter_blind_spot(&mut self, entry: Entry, pass: Pass) {
        let Entry { spot, nodes } = entry;
        let key = |spot: &BlindSpot| (spot.location.clone(), spot.cause, spot.detail.clone());
        let known = self.spots.entry(key(&spot));
        let index = *known.or_insert_with(|| {
            self.blind_spots.push(BlindSpot {
                may_reach: Vec::new(),
                ..spot.clone()
            });
            self.blind_spots.len() - 1
        });
        let may_reach = &mut self.blind_spots[index].may_reach;
        may_reach.extend(spot.may_reach);
        may_reach.sort();
        may_reach.dedup();
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        for node in nodes {
            self.enter(node, pass, Some(index));
        }
    }
}
