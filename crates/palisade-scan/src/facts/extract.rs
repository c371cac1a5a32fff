//! Facts from the tokens of all files.

use std::borrow::Cow;

use palisade_archive::SourceTree;
use palisade_index::Manifest;

use super::atoms::{self, excerpt, meanings};
use super::decoders::Decoders;
use super::names::{Names, path_at};
use super::{Evidence, Fact, paths, requests};
use crate::source::{
    Disguise, Kind, Shown, SourceFile, Text, Unit, Units, joined, program_head, reveal_bytes,
    texts, value,
};

/// The most facts of one package. More say nothing new.
const MOST: usize = 50_000;

/// The facts of all files. Tokens of files without any are let go.
pub(super) fn extract(
    files: &mut [SourceFile<'_>],
    units: &Units,
    manifest: Option<&Manifest>,
    tree: &SourceTree,
) -> Vec<Evidence> {
    let names = Names::find(files, manifest);
    let mut evidence = Vec::new();
    for (index, file) in files.iter_mut().enumerate() {
        if !file.outline.notable && names.passes_on(file) {
            file.outline.notable = true;
            file.read_uses();
        }
        let unit = units.of(file.path);
        let before = evidence.len();
        let decoders = if file.outline.decodes {
            Decoders::find(file)
        } else {
            Decoders::default()
        };
        let mut extractor = Extractor {
            decoders: &decoders,
            lists: 0,
            file,
            index,
            in_tests: unit == Unit::Test,
            names: &names,
            tree,
            evidence: &mut evidence,
        };
        // Texts matter by themselves, the rest by certain words.
        if file.outline.notable {
            extractor.imports();
            extractor.tokens();
            for (token, name) in requests::keys(file) {
                extractor.add(Fact::KeyInRequest, token, format!("`{name}`"));
            }
        }
        extractor.texts();
        if unit.is_build() {
            extractor.upwards();
        }
        if evidence.len() == before {
            file.forget();
        }
    }
    evidence.sort_by_key(|evidence| (evidence.file, evidence.token, evidence.fact));
    evidence
}

struct Extractor<'e, 't> {
    file: &'e SourceFile<'t>,
    decoders: &'e Decoders,
    /// Lists of bytes that were tried with every key.
    lists: usize,
    index: usize,
    in_tests: bool,
    names: &'e Names,
    tree: &'e SourceTree,
    evidence: &'e mut Vec<Evidence>,
}

impl Extractor<'_, '_> {
    fn add(&mut self, fact: Fact, token: usize, detail: impl Into<String>) {
        self.push(fact, token, detail.into(), None, false);
    }

    fn push(
        &mut self,
        fact: Fact,
        token: usize,
        detail: String,
        disguise: Option<Disguise>,
        import: bool,
    ) {
        if self.evidence.len() >= MOST {
            return;
        }
        let (item, _) = self.file.item(token);
        self.evidence.push(Evidence {
            fact,
            file: self.index,
            token,
            item,
            detail,
            disguise,
            test: self.in_tests || self.file.is_test(token),
            import,
        });
    }

    fn imports(&mut self) {
        let imported = self.file.uses.imported.iter();
        let imported: Vec<_> = imported
            .map(|(path, token)| {
                let segments: Vec<&str> = path.iter().map(String::as_str).collect();
                (self.names.resolve(self.file, &segments), *token)
            })
            .collect();
        for (path, token) in imported {
            let Some(path) = path else { continue };
            for fact in paths::facts(&path) {
                self.push(fact, token, format!("`{}`", path.join("::")), None, true);
            }
        }
    }

    fn tokens(&mut self) {
        let file = self.file;
        let mut at = 0;
        while let Some(token) = file.tokens().get(at) {
            if token.kind != Kind::Ident {
                at += 1;
                continue;
            }
            let previous = at.checked_sub(1).map(|before| &file.tokens()[before]);
            if previous.is_some_and(|token| token.is(b'.')) {
                self.method(at);
                at += 1;
                continue;
            }
            let word = file.word(at);
            if word == "use" {
                // Imports have been read.
                while file.tokens().get(at).is_some_and(|token| !token.is(b';')) {
                    at += 1;
                }
                continue;
            }
            if file.word(at + 1) == "!" {
                self.macro_call(at);
                at += 1;
                continue;
            }
            // The rest of a path was read with its beginning.
            let inner = previous.is_some_and(|token| token.is(b':'))
                && at >= 2
                && file.tokens()[at - 2].is(b':');
            if inner || !self.names.may_matter(file, word) {
                at += 1;
                continue;
            }
            let (segments, next) = path_at(file, at);
            if let Some(path) = self.names.resolve(file, &segments) {
                self.path(at, next, &path);
            }
            at = next;
        }
    }

    fn path(&mut self, at: usize, next: usize, path: &[String]) {
        let shown = || format!("`{}`", path.join("::"));
        let mut starts = false;
        for fact in paths::facts(path) {
            self.add(fact, at, shown());
            starts |= fact == Fact::Process;
        }
        let file = self.file;
        let called = file.word(next) == "(";
        let last = path.last().map_or("", String::as_str);
        if starts && called && matches!(last, "new" | "cmd" | "system" | "popen" | "shell") {
            match file.tokens().get(next + 1) {
                Some(token) if token.kind == Kind::Text => self.program(next + 1),
                Some(_) => self.add(Fact::DynamicProcess, at, shown()),
                None => {}
            }
        }
        if path.first().is_some_and(|first| first == "std")
            && path.get(1).is_some_and(|module| module == "env")
            && matches!(last, "var" | "var_os")
            && called
        {
            let literal = file.tokens().get(next + 1);
            if literal.is_some_and(|token| token.kind == Kind::Text) {
                self.variable(next + 1);
            } else {
                self.add(Fact::DynamicVariable, at, shown());
            }
        }
        if last == "from_mode" && called {
            self.mode(next + 1);
        }
    }

    /// The program that a text names, which a command starts.
    fn program(&mut self, at: usize) {
        let bytes = value(self.file.word(at));
        let name = String::from_utf8_lossy(&bytes).into_owned();
        let Some(fact) = atoms::program(&name) else {
            return;
        };
        self.add(fact, at, format!("`{}`", palisade_archive::visible(&name)));
        if fact == Fact::NetworkCommand {
            self.relay(at, &name);
        }
    }

    /// A program that can give a shell away, by what follows its name in any
    /// order.
    fn relay(&mut self, at: usize, name: &str) {
        const ARGUMENTS: usize = 60;
        let file = self.file;
        let program = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let program = program.strip_suffix(".exe").unwrap_or(program);
        if matches!(program, "nslookup" | "dig") {
            self.add(Fact::NameLookup, at, format!("`{program}`"));
        }
        if !matches!(program, "nc" | "ncat" | "netcat" | "socat" | "telnet") {
            return;
        }
        let mut line = program.to_owned();
        for at in at + 1..at + ARGUMENTS {
            match file.tokens().get(at).map(|token| token.kind) {
                Some(Kind::Punct(b';')) | None => break,
                Some(Kind::Text) => {
                    line.push(' ');
                    line.push_str(&String::from_utf8_lossy(&value(file.word(at))));
                }
                Some(_) => {}
            }
        }
        if super::shells::is_reverse(&line) {
            self.add(Fact::ReverseShell, at, excerpt(&line));
        }
    }

    fn variable(&mut self, at: usize) {
        if self
            .file
            .tokens()
            .get(at)
            .is_some_and(|token| token.kind == Kind::Text)
        {
            let bytes = value(self.file.word(at));
            let name = String::from_utf8_lossy(&bytes).into_owned();
            if let Some(fact) = atoms::variable(&name) {
                self.add(fact, at, name);
            }
        }
    }

    fn mode(&mut self, at: usize) {
        const EXECUTABLE: u64 = 0o111;
        if let Some(mode) = self.file.tokens().get(at).and_then(|token| {
            (token.kind == Kind::Number).then(|| crate::source::number(self.file.word(at)))?
        }) && mode & EXECUTABLE != 0
            && mode <= 0o177_777
        {
            self.add(Fact::MakeExecutable, at, format!("`{mode:#o}`"));
        }
    }

    fn method(&mut self, at: usize) {
        let file = self.file;
        let name = file.word(at);
        if file.word(at + 1) != "(" {
            return;
        }
        let argument = file.word(at + 2);
        match name {
            "post" | "put" | "patch" | "send_json" | "send_string" | "send_bytes" | "send_form"
            | "multipart" | "send_to" => self.add(Fact::Upload, at, format!("`{name}`")),
            "set_mode" | "mode" => self.mode(at + 2),
            "creation_flags" => self.add(Fact::Detached, at, "`creation_flags`"),
            "danger_accept_invalid_certs"
            | "danger_accept_invalid_hostnames"
            | "disable_verification"
            | "accept_invalid_certs"
            | "tls_danger_accept_invalid_certs"
                if argument != "false" =>
            {
                self.add(Fact::TlsOff, at, format!("`{name}`"));
            }
            "ssl_verify_peer" if argument == "false" => {
                self.add(Fact::TlsOff, at, format!("`{name}`"))
            }
            "arg" | "args" => self.script(at),
            "set_text" | "set_contents" => {
                self.add(Fact::ClipboardWrite, at, format!("`{name}`"));
            }
            "get_text" | "get_contents" => {
                self.add(Fact::ClipboardRead, at, format!("`{name}`"));
            }
            "to_socket_addrs" => self.add(Fact::NameLookup, at, "`to_socket_addrs`"),
            _ => {}
        }
    }

    /// `-c` with something that is worked out.
    fn script(&mut self, at: usize) {
        const FLAGS: [&str; 7] = [
            "-c",
            "-lc",
            "/c",
            "-command",
            "-encodedcommand",
            "-enc",
            "-e",
        ];
        let file = self.file;
        let end = file.tokens().len().min(at + 24);
        let Some(flag) = (at + 2..end).find(|&index| {
            file.tokens()[index].kind == Kind::Text && {
                let flag = value(file.word(index)).to_ascii_lowercase();
                FLAGS.iter().any(|known| known.as_bytes() == flag)
            }
        }) else {
            return;
        };
        // Only the flag of this very call.
        if flag > at + 6 {
            return;
        }
        // Behind it: `, x` in the same list, or `).arg(x`.
        let rest = (flag + 1..end).find(|&index| {
            let token = &file.tokens()[index];
            !(matches!(
                token.kind,
                Kind::Punct(b',' | b')' | b'.' | b'(' | b'&' | b'[' | b']' | b'$')
            ) || matches!(file.word(index), "arg" | "args"))
        });
        let Some(rest) = rest else { return };
        let token = &file.tokens()[rest];
        let is_call = file.word(rest + 1) == "(" && file.word(rest.wrapping_sub(1)) == ".";
        if token.kind == Kind::Ident && !is_call {
            self.add(Fact::DynamicScript, rest, format!("`{}`", file.word(rest)));
        }
    }

    fn macro_call(&mut self, at: usize) {
        let file = self.file;
        match file.word(at) {
            "env" | "option_env" => self.variable(at + 3),
            "include_bytes" | "include_str" => self.included(at),
            "cmd" => {
                self.add(Fact::Process, at, "`cmd!`");
                if file
                    .tokens()
                    .get(at + 3)
                    .is_some_and(|token| token.kind == Kind::Text)
                {
                    self.program(at + 3);
                }
            }
            "obfstr" | "lc" | "lc_env" | "obfuscate" | "encrypt_string"
                if file
                    .tokens()
                    .get(at + 3)
                    .is_some_and(|token| token.kind == Kind::Text) =>
            {
                self.add(Fact::HiddenText, at, format!("`{}!`", file.word(at)));
            }
            _ => {}
        }
    }

    /// A file that the code holds: a program, or a text that hides something.
    fn included(&mut self, at: usize) {
        let file = self.file;
        if !file
            .tokens()
            .get(at + 3)
            .is_some_and(|token| token.kind == Kind::Text)
        {
            return;
        }
        let path = value(file.word(at + 3));
        let path = String::from_utf8_lossy(&path).replace('\\', "/");
        let base = file.path.rsplit_once('/').map_or("", |(base, _)| base);
        let path = joined(base, &path);
        let Some(bytes) = self.tree.get(&path) else {
            return;
        };
        if program_head(bytes).is_some() {
            self.add(Fact::EmbeddedProgram, at, format!("`{path}`"));
            return;
        }
        if bytes.len() > INCLUDED {
            self.add(Fact::IncludedBytes, at, format!("`{path}`"));
            return;
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            match reveal_bytes(bytes) {
                Some((text, disguise)) => self.hidden(at, &text, disguise),
                None => self.add(Fact::IncludedBytes, at, format!("`{path}`")),
            }
            return;
        };
        if let Some((text, disguise)) = crate::source::reveal_file(bytes) {
            self.hidden(at, &text, disguise);
        } else if text.len() <= TABLE && !is_documentation(file, at) {
            // What lies beside the code is not hidden, but it is used.
            for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
                for meaning in meanings(line) {
                    self.add(meaning.fact, at, meaning.detail);
                }
                self.decoded(at, line);
            }
        }
    }

    /// What the file's own code may make of a text.
    fn decoded(&mut self, token: usize, text: &str) {
        for (value, disguise) in self.decoders.of_text(text) {
            self.tried(token, &value, disguise, text);
        }
    }

    /// A text that somebody may have made of another one: it counts where it
    /// matters and the other one does not.
    fn tried(&mut self, token: usize, value: &str, disguise: Disguise, written: &str) {
        // An encoding may lie below.
        let deeper = crate::source::reveal_file(value.as_bytes());
        let value = deeper.as_ref().map_or(value, |(deeper, _)| deeper);
        // An address that can be read is not hidden by a change to what is
        // around it.
        let open = written.contains("://");
        let matters = |text: &str| {
            let found = meanings(text).into_iter();
            let telling = |fact| is_telling(fact) && !(open && fact == Fact::Address);
            found.filter(|meaning| telling(meaning.fact)).count()
        };
        if matters(value) > matters(written) {
            self.hidden(token, value, disguise);
        }
    }

    fn bytes(&mut self, bytes: &[u8], token: usize) {
        const LISTS: usize = 128;
        if self.lists >= LISTS {
            return;
        }
        self.lists += 1;
        for (value, disguise) in self.decoders.of_bytes(bytes) {
            self.tried(token, &value, disguise, "");
        }
    }

    fn hidden(&mut self, token: usize, text: &str, disguise: Disguise) {
        for meaning in meanings(text) {
            if is_worth_hiding(meaning.fact) {
                let shown = match meaning.fact {
                    Fact::EmbeddedProgram => "a program".to_owned(),
                    _ => excerpt(text),
                };
                self.push(Fact::HiddenText, token, shown, Some(disguise), false);
            }
            self.push(meaning.fact, token, meaning.detail, Some(disguise), false);
        }
    }

    fn texts(&mut self) {
        let file = self.file;
        texts(&file.source, file.tokens(), &mut |shown| match shown {
            Shown::Text(text) => self.text(text),
            Shown::Bytes(bytes, token) => self.bytes(bytes, token),
        });
    }

    fn text(&mut self, text: Text<'_>) {
        let file = self.file;
        let Some(disguise) = text.disguise else {
            self.decoded(text.first, text.value);
            let found = meanings(text.value);
            if found.is_empty() {
                return;
            }
            let told = is_message(file, text.first);
            for meaning in found {
                if !(told && is_command(meaning.fact)) {
                    self.add(meaning.fact, text.first, meaning.detail);
                }
            }
            return;
        };
        if disguise == Disguise::Split {
            self.pieces(text);
        } else {
            self.hidden(text.first, text.value, disguise);
        }
    }

    /// Texts that follow each other in one statement.
    fn pieces(&mut self, text: Text<'_>) {
        let file = self.file;
        let pieces: Vec<_> = (text.first..=text.last)
            .filter(|&at| {
                let token = file.tokens().get(at);
                token.is_some_and(|token| token.kind == Kind::Text)
            })
            .map(|at| value(file.word(at)))
            .collect();
        // What a piece says by itself was not hidden by the cut.
        if is_cut(text.value, &pieces) {
            self.hidden(text.first, text.value, Disguise::Split);
        }
        if pieces.len() > 24 {
            return;
        }
        // `home.join(".ssh").join("config")`
        if pieces
            .iter()
            .any(|piece| piece.starts_with(b".") || piece.as_ref() == b"Library")
        {
            let path: Vec<_> = pieces
                .iter()
                .map(|piece| String::from_utf8_lossy(piece))
                .collect();
            for meaning in meanings(&path.join("/")) {
                if matches!(meaning.fact, Fact::CredentialPath | Fact::Persistence) {
                    self.add(meaning.fact, text.first, meaning.detail);
                }
            }
        }
        // A message to a pool, put together from its fields.
        let has = |word: &str| pieces.iter().any(|piece| piece.as_ref() == word.as_bytes());
        if has("method")
            && (has("login") && (has("pass") || has("agent")) || has("submit"))
            && (has("params") || has("nonce") || has("job_id"))
        {
            self.add(Fact::Miner, text.first, "a message to a pool");
        }
    }

    /// From the build directory upwards: `ancestors`, or `parent` again and
    /// again, or dots.
    fn upwards(&mut self) {
        const STEPS: usize = 3;
        let file = self.file;
        for (index, item) in file.items().items.iter().enumerate() {
            let tokens = item.first..=item.last;
            let inside = |at: &usize| {
                file.items().of_token.get(*at) == Some(&u32::try_from(index).unwrap_or(0))
            };
            let mut base = false;
            let mut steps = 0;
            let mut place = None;
            for at in tokens.filter(inside) {
                match file.tokens().get(at).map(|token| token.kind) {
                    Some(Kind::Text) => {
                        let text = file.word(at);
                        base |= text.contains("OUT_DIR") || text.contains("CARGO_TARGET_DIR");
                        let up = text.matches("../").count();
                        if up > 0 {
                            steps += up;
                            place = place.or(Some(at));
                        }
                    }
                    Some(Kind::Ident) => {
                        let up = match file.word(at) {
                            "ancestors" => STEPS,
                            "parent" | "pop" => 1,
                            _ => 0,
                        };
                        if up > 0 && file.word(at.wrapping_sub(1)) == "." {
                            steps += up;
                            place = place.or(Some(at));
                        }
                    }
                    _ => {}
                }
            }
            if base
                && steps >= STEPS
                && let Some(place) = place
            {
                self.add(Fact::OutDirWalk, place, "`OUT_DIR`");
            }
        }
    }
}

/// The largest included file that is decoded, in bytes.
const INCLUDED: usize = 1 << 20;
/// The largest included text whose lines are read as the code's own. Larger
/// ones are data or documentation.
const TABLE: usize = 16 << 10;

/// Whether an included text is documentation: `#[doc = include_str!(…)]`.
fn is_documentation(file: &SourceFile<'_>, at: usize) -> bool {
    at >= 2 && file.word(at - 1) == "=" && file.word(at - 2) == "doc"
}

/// What is worth asking for where a text is only tried: an accident is no
/// evidence.
fn is_telling(fact: Fact) -> bool {
    is_worth_hiding(fact) || matches!(fact, Fact::DotEnv | Fact::ShellName | Fact::LoginKey)
}

/// Whether a text is something that users are told. A hint to run a command
/// runs none.
fn is_message(file: &SourceFile<'_>, at: usize) -> bool {
    const TELLING: [&str; 18] = [
        "println",
        "print",
        "eprintln",
        "eprint",
        "panic",
        "bail",
        "anyhow",
        "ensure",
        "trace",
        "debug",
        "info",
        "warn",
        "error",
        "todo",
        "assert",
        "expect",
        "with_context",
        "context",
    ];
    let Some(before) = at.checked_sub(2) else {
        return false;
    };
    if file.word(at - 1) != "(" {
        return false;
    }
    let name = if file.word(before) == "!" {
        before.wrapping_sub(1)
    } else {
        before
    };
    TELLING.contains(&file.word(name))
}

fn is_command(fact: Fact) -> bool {
    matches!(
        fact,
        Fact::NetworkCommand
            | Fact::PipeToShell
            | Fact::MakeExecutable
            | Fact::Detached
            | Fact::TlsOff
    )
}

/// What somebody hides in order to use it unseen.
fn is_worth_hiding(fact: Fact) -> bool {
    matches!(
        fact,
        Fact::Address
            | Fact::RawAddress
            | Fact::ExfilEndpoint
            | Fact::CredentialPath
            | Fact::Persistence
            | Fact::PipeToShell
            | Fact::NetworkCommand
            | Fact::ReverseShell
            | Fact::Miner
            | Fact::EmbeddedProgram
            | Fact::Detached
            | Fact::AntiAnalysis
            | Fact::DotEnv
            | Fact::ShellName
    )
}

/// Whether an address was cut where nobody cuts it to build it: inside of its
/// scheme or host. `concat!("https://", "docs.example")` is no disguise.
fn is_cut(joined: &str, pieces: &[Cow<'_, [u8]>]) -> bool {
    let has = |piece: &[u8], text: &str| memchr::memmem::find(piece, text.as_bytes()).is_some();
    let whole = |piece: &Cow<'_, [u8]>| has(piece, "://") || has(piece, ".com") || piece.len() > 40;
    let address = joined.contains("http://") || joined.contains("https://");
    address && pieces.len() >= 3 && !pieces.iter().any(whole)
}
