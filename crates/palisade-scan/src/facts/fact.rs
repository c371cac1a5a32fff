//! The facts that are known.

macro_rules! facts {
    ($($(#[doc = $doc:literal])+ $fact:ident $phrase:literal,)+) => {
        /// Something that code does, or can do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) enum Fact {
            $($(#[doc = $doc])+ $fact,)+
        }

        impl Fact {
            /// What it is, as the label of a place in the code.
            pub(crate) fn phrase(self) -> &'static str {
                match self { $(Fact::$fact => $phrase,)+ }
            }
        }
    };
}

facts! {
    /// A network client of any kind.
    Network "uses the network",
    /// Data goes out: a POST, an upload, a datagram.
    Upload "sends data",
    /// Another program that transfers data.
    NetworkCommand "has another program transfer data",
    /// A command line that downloads a script and runs it.
    PipeToShell "downloads a script and runs it",
    /// An address of digits, of no private network.
    RawAddress "names an address of digits",
    /// A web address.
    Address "names an address",
    /// A service that is popular for collecting what was stolen.
    ExfilEndpoint "names a place where anybody can collect data",
    /// Starts a program.
    Process "starts a program",
    /// Starts a program whose name is worked out at run time.
    DynamicProcess "starts a program that is worked out at run time",
    /// Gives a shell a script that is worked out at run time.
    DynamicScript "gives a shell a script that is worked out at run time",
    /// Starts a shell or another interpreter.
    Shell "starts an interpreter",
    /// Leaves a process behind that nobody sees.
    Detached "hides a process or leaves it behind",
    /// Loads machine code at run time.
    LoadCode "loads code at run time",
    /// Makes a file executable.
    MakeExecutable "makes a file executable",
    /// Connects a shell with the network.
    ReverseShell "connects a shell with the network",
    /// Writes a file.
    FileWrite "writes a file",
    /// Reads a file.
    FileRead "reads a file",
    /// Lists directories.
    DirectoryWalk "looks through directories",
    /// The user's home directory.
    Home "looks into the home directory",
    /// The directory for temporary files.
    TempDirectory "uses a directory for temporary files",
    /// All environment variables at once.
    EnvironmentDump "reads all environment variables",
    /// An environment variable that holds a secret.
    EnvironmentSecret "reads a secret from the environment",
    /// Whether this is continuous integration.
    CiGate "asks whether it runs in continuous integration",
    /// Who and where this machine is.
    HostIdentity "asks who and where this machine is",
    /// From the build directory upwards into somebody else's project.
    OutDirWalk "walks up from the build directory",
    /// Asks git about the project.
    GitQuery "asks git about the project",
    /// A file of credentials.
    CredentialPath "names a file of credentials",
    /// A file of environment variables.
    DotEnv "names a file of secret settings",
    /// A pattern that finds keys of wallets.
    WalletPattern "looks for keys of wallets",
    /// The clipboard.
    Clipboard "uses the clipboard",
    /// Keys that are pressed, or the screen.
    InputCapture "watches keyboard or screen",
    /// Certificates are not verified.
    TlsOff "switches the verification of certificates off",
    /// Something that is started again and again.
    Persistence "names a place whose contents are run later",
    /// A public key for logging in.
    LoginKey "holds a public key for logging in",
    /// A program that analyses malware, or a virtual machine.
    AntiAnalysis "looks for tools of analysis",
    /// Mining of coins.
    Miner "mines coins",
    /// A program in a text or among the files, that code refers to.
    EmbeddedProgram "holds a program",
    /// A text that matters and was hidden.
    HiddenText "hides a text",
    /// A shell or another interpreter is named, whoever starts it.
    ShellName "names an interpreter",
    /// An open file or connection becomes a stream of another program.
    Redirection "makes a connection the input of a program",
    /// Names of machines are looked up.
    NameLookup "looks names of machines up",
    /// The name of a machine is put together from data.
    DynamicHost "puts data into the name of a machine",
    /// What is in the clipboard is read.
    ClipboardRead "reads the clipboard",
    /// The clipboard's contents are replaced.
    ClipboardWrite "replaces what is in the clipboard",
    /// How an address of a wallet begins, or one itself.
    WalletShape "knows addresses of wallets",
    /// The name of a variable that holds a secret.
    SecretName "names a variable that holds a secret",
    /// A variable of the environment whose name is worked out at run time.
    DynamicVariable "reads a variable that is worked out at run time",
    /// A private key or a recovery phrase goes into a request.
    KeyInRequest "puts a private key into a request",
    /// Bytes that are part of the program and no text.
    IncludedBytes "holds bytes that nobody can read",
    /// What a program prints is thrown away.
    Silenced "throws away what a program prints",
    /// The source of whatever lies around.
    SourceFiles "names source files of a project",
}

/// A set of facts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FactSet(u64);

const _: () = assert!(Fact::SourceFiles as u64 <= 63, "a set of facts has 64 bits");

impl FactSet {
    pub(crate) fn has(self, fact: Fact) -> bool {
        self.0 & 1 << fact as u64 != 0
    }
}

impl FromIterator<Fact> for FactSet {
    fn from_iter<I: IntoIterator<Item = Fact>>(facts: I) -> FactSet {
        FactSet(
            facts
                .into_iter()
                .fold(0, |set, fact| set | 1 << fact as u64),
        )
    }
}
