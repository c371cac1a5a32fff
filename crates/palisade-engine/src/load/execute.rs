//! The toolchain's macro server: procedural macros expanded for real, because
//! the user asked for it.
//!
//! A use that the server fails to expand costs that use alone: our expander
//! stands in for it, and where there is none the use is recorded as
//! unexpanded, with the reason.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
};

use camino::{Utf8Path, Utf8PathBuf};
use palisade_expand::MacroKind;
use palisade_project::{Executed, LoadOptions, Unit, UnitId};
use ra_ap_hir_expand::{
    proc_macro::{ProcMacro, ProcMacroExpander, ProcMacroExpansionError},
    tt,
};
use ra_ap_ide_db::base_db::{Env, SourceDatabase};
use ra_ap_paths::AbsPath;
use ra_ap_proc_macro_api::{
    MacroDylib, ProcMacro as Served, ProcMacroClient, ProcMacroKind, ServerError,
    bidirectional_protocol::reject_subrequests,
};
use ra_ap_span::Span;
use rustc_hash::FxHashMap;
use semver::Version;

use super::{
    expander::{Expander, MacroLog},
    graph::absolute,
    macros,
};
use crate::api::{EngineError, Limits};

/// Most processes of the server; they share what there is to expand.
const PROCESSES: usize = 4;

/// Most times that a crashed server is started again.
const RESTARTS: u32 = 64;

/// Why the macro server is of no use, although everything was built.
#[derive(Debug, thiserror::Error)]
enum ServeError {
    #[error("cannot use the toolchain's macro server `{program}`")]
    Start {
        program: Utf8PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the toolchain's macro server cannot load the macros of {package}: {reason}")]
    Library { package: String, reason: String },
}

/// What the user's opt-in to execution gives.
pub(super) struct Real {
    built: Executed,
    server: Arc<Server>,
}

impl Real {
    /// Builds the project and starts the macro server.
    pub(super) fn build(project: &LoadOptions, threads: usize) -> Result<Real, EngineError> {
        let built = palisade_project::execute(project).map_err(failed)?;
        let server = Server::start(&built, threads).map_err(|source| {
            let program = built.macro_server.clone();
            failed(ServeError::Start { program, source })
        })?;
        let server = Arc::new(server);
        Ok(Real { built, server })
    }

    /// What was built.
    pub(super) fn built(&self) -> &Executed {
        &self.built
    }

    /// The macros of a unit, each answered by the server; `None` when the
    /// build had no use for its crate.
    pub(super) fn macros(
        &self,
        id: UnitId,
        unit: &Unit,
        limits: &Limits,
        log: &Arc<MacroLog>,
    ) -> Result<Option<Vec<ProcMacro>>, EngineError> {
        let Some(library) = self.built.macros(&unit.package_dir) else {
            return Ok(None);
        };
        let (served, _) = self.server.macros(library).map_err(|refused| {
            failed(ServeError::Library {
                package: unit.package.to_string(),
                reason: refused.error.to_string(),
            })
        })?;
        let macros = served.iter().map(|served| {
            let kind = kind(served);
            let expander = RealExpander {
                server: self.server.clone(),
                library: library.to_owned(),
                stand_in: macros::stand_in(id, unit, served.name(), kind, limits, log, None),
            };
            macros::proc_macro(served.name(), kind, Arc::new(expander))
        });
        Ok(Some(macros.collect()))
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> EngineError {
    EngineError::Execute {
        source: Box::new(error),
    }
}

/// The macro server of a toolchain. Its processes end with the last handle.
#[derive(Debug)]
struct Server {
    program: Utf8PathBuf,
    toolchain: Version,
    processes: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    client: ProcMacroClient,
    /// How often it was started again.
    restarts: u32,
    /// The macros of each library, as the running processes know them.
    libraries: FxHashMap<Utf8PathBuf, Arc<[Served]>>,
}

impl Server {
    /// Starts the server of the toolchain that built the macros.
    fn start(built: &Executed, threads: usize) -> io::Result<Server> {
        let program = built.macro_server.clone();
        let toolchain = built.toolchain.clone();
        let processes = threads.clamp(1, PROCESSES);
        let state = Mutex::new(State {
            client: spawn(&program, &toolchain, processes)?,
            restarts: 0,
            libraries: FxHashMap::default(),
        });
        Ok(Server {
            program,
            toolchain,
            processes,
            state,
        })
    }

    /// The macros that a library holds, and how often the server had been
    /// started again when it said so.
    fn macros(&self, library: &Utf8Path) -> Result<(Arc<[Served]>, u32), Refused> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let restarts = state.restarts;
        if let Some(macros) = state.libraries.get(library) {
            return Ok((macros.clone(), restarts));
        }
        let macros: Arc<[Served]> = state
            .client
            .load_dylib(MacroDylib::new(absolute(library)))
            .map_err(|error| Refused { error, restarts })?
            .into();
        state.libraries.insert(library.to_owned(), macros.clone());
        Ok((macros, restarts))
    }

    /// Starts new processes, unless another thread has done so since.
    fn restart(&self, seen: u32) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.restarts != seen || seen >= RESTARTS {
            return;
        }
        state.restarts += 1;
        match spawn(&self.program, &self.toolchain, self.processes) {
            Ok(client) => {
                state.client = client;
                state.libraries.clear();
            }
            // The old one goes on refusing, which is said for every use.
            Err(error) => tracing::warn!(%error, "the macro server cannot be started again"),
        }
    }

    fn expand(&self, of: &RealExpander, input: &Input<'_>) -> Result<tt::TopSubtree, String> {
        let attempt = || {
            let (macros, restarts) = self.macros(&of.library)?;
            let refused = |error| Refused { error, restarts };
            let served = macros
                .iter()
                .find(|served| {
                    served.name() == of.stand_in.name && kind(served) == of.stand_in.kind
                })
                .ok_or_else(|| refused(in_words("its library does not hold it")))?;
            // A panic of the client must not poison what other threads use.
            catch_unwind(AssertUnwindSafe(|| input.send(served)))
                .unwrap_or_else(|_| Err(in_words("the answer was not understood")))
                .map_err(refused)
        };
        // A process that another macro has just crashed answers nobody who
        // waits for it, hence the second attempt.
        let answer = attempt().or_else(|Refused { error, restarts }| {
            tracing::warn!(%error, "the macro server");
            self.restart(restarts);
            attempt()
        });
        match answer {
            Ok(Ok(tree)) if is_error(&tree) && !is_error(input.item) => {
                Err("it reports an error".to_owned())
            }
            Ok(Ok(tree)) => Ok(tree),
            Ok(Err(panic)) => Err(format!("it panicked: {panic}")),
            Err(Refused { error, restarts }) => {
                self.restart(restarts);
                Err(error.to_string())
            }
        }
    }
}

/// The server did not answer.
struct Refused {
    error: ServerError,
    /// How often it had been started again by then.
    restarts: u32,
}

fn spawn(program: &Utf8Path, toolchain: &Version, processes: usize) -> io::Result<ProcMacroClient> {
    let program = absolute(program);
    let program: &AbsPath = &program;
    let environment: [(&str, &Option<String>); 0] = [];
    ProcMacroClient::spawn(program, environment, Some(toolchain), processes)
}

fn in_words(message: &str) -> ServerError {
    ServerError {
        message: message.to_owned(),
        io: None,
    }
}

fn kind(served: &Served) -> MacroKind {
    match served.kind() {
        ProcMacroKind::CustomDerive => MacroKind::Derive,
        ProcMacroKind::Attr => MacroKind::Attribute,
        ProcMacroKind::Bang => MacroKind::Function,
    }
}

/// Whether an expansion is a `compile_error!` for its user. The compiler sees
/// more of the input than the server does, so that this may be its mistake.
fn is_error(tree: &tt::TopSubtree) -> bool {
    tree.iter().any(|element| {
        matches!(
            element,
            tt::TtElement::Leaf(tt::Leaf::Ident(ident)) if ident.sym.as_str() == "compile_error"
        )
    })
}

/// Asks the server; when that fails, what stands in for it.
#[derive(Debug)]
struct RealExpander {
    server: Arc<Server>,
    library: Utf8PathBuf,
    stand_in: Expander,
}

/// One use of a macro.
struct Input<'a> {
    item: &'a tt::TopSubtree,
    args: Option<&'a tt::TopSubtree>,
    env: &'a Env,
    sites: [Span; 3],
    current_dir: &'a str,
}

impl Input<'_> {
    fn send(&self, to: &Served) -> Result<Result<tt::TopSubtree, String>, ServerError> {
        let [def_site, call_site, mixed_site] = self.sites;
        to.expand(
            self.item.view(),
            self.args.map(tt::TopSubtree::view),
            self.env.clone().into(),
            def_site,
            call_site,
            mixed_site,
            self.current_dir.to_owned(),
            Some(&reject_subrequests),
        )
    }
}

impl ProcMacroExpander for RealExpander {
    fn expand(
        &self,
        db: &dyn SourceDatabase,
        item: &tt::TopSubtree,
        args: Option<&tt::TopSubtree>,
        env: &Env,
        def_site: Span,
        call_site: Span,
        mixed_site: Span,
        current_dir: String,
    ) -> Result<tt::TopSubtree, ProcMacroExpansionError> {
        let sites = [def_site, call_site, mixed_site];
        let input = Input {
            item,
            args,
            env,
            sites,
            current_dir: &current_dir,
        };
        match self.server.expand(self, &input) {
            Ok(expansion) => Ok(expansion),
            Err(reason) => {
                let stand_in = Expander {
                    unavailable: Some(reason),
                    ..self.stand_in.clone()
                };
                stand_in.expand(
                    db,
                    item,
                    args,
                    env,
                    def_site,
                    call_site,
                    mixed_site,
                    current_dir,
                )
            }
        }
    }

    fn eq_dyn(&self, other: &dyn ProcMacroExpander) -> bool {
        let other: &dyn std::any::Any = other;
        other.downcast_ref::<RealExpander>().is_some_and(|other| {
            self.library == other.library && self.stand_in.eq_dyn(&other.stand_in)
        })
    }
}
