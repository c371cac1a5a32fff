//! How a worker is started.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::error::SandboxError;

/// The executable and the arguments that make it a worker.
#[derive(Debug, Clone)]
pub struct WorkerCommand {
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl WorkerCommand {
    /// The running executable, with the argument by which its main function
    /// knows that it is to call [`serve`](crate::serve).
    ///
    /// # Errors
    /// The system does not say which executable is running.
    pub fn this_executable(argument: impl AsRef<OsStr>) -> Result<Self, SandboxError> {
        // On Linux this names the very file that runs, even when an upgrade
        // has replaced it in the meantime.
        let running = Path::new("/proc/self/exe");
        let program = if cfg!(target_os = "linux") && running.exists() {
            running.to_owned()
        } else {
            std::env::current_exe().map_err(|source| SandboxError::Executable { source })?
        };
        Ok(Self {
            program,
            arguments: vec![argument.as_ref().to_owned()],
        })
    }

    /// Adds an argument.
    #[must_use]
    pub fn argument(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    pub(crate) fn spawn(&self) -> Result<Child, SandboxError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the process is this executable, with nothing of the caller's surroundings"
        )]
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt;
            // An interrupt from the terminal is the parent's to handle; the
            // worker ends when the parent does.
            command.current_dir("/").process_group(0);
        }
        command.spawn().map_err(|source| SandboxError::Spawn {
            program: self.program.clone(),
            source,
        })
    }
}
