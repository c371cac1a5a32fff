//! The structure of version 0 symbol names.
//!
//! A demangler gives text, in which `<` and `::` mean several things; this
//! parser keeps what the comparison needs: crate, self type, trait and name.
//! The grammar is that of the Rust reference, chapter "v0 symbol format".

/// A crate as symbols name it. The disambiguator tells crates of one name
/// apart: several versions, or a copy inside the standard library.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct CrateId {
    /// The library name, with underscores.
    pub(super) name: String,
    /// The number that `s…_` encodes; 0 when there is none.
    pub(super) disambiguator: u64,
}

/// What a symbol stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A function or method with a body of its own (or a static, which only
    /// the object file tells apart).
    Function,
    /// The constructor of a tuple struct or variant.
    Constructor,
    /// A closure, a coroutine's body or another item inside a function that
    /// source code does not name.
    Inner,
    /// Glue that the compiler makes.
    Shim,
}

/// A symbol's name, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Symbol {
    /// The crate that defines the body: for an impl's method the impl's, for
    /// a default method the trait's.
    pub(super) krate: CrateId,
    /// Last path segment of the self type, `?` when that is not a struct, an
    /// enum or a union; `None` for free functions.
    pub(super) self_type: Option<String>,
    /// Last path segment of the trait.
    pub(super) trait_name: Option<String>,
    /// The function's own name.
    pub(super) name: String,
    /// What it stands for.
    pub(super) kind: Kind,
    /// Every crate that the name mentions.
    pub(super) crates: Vec<CrateId>,
}

/// How deeply types may nest before the parser gives up.
const MAX_DEPTH: usize = 300;
/// How many nodes it visits before it gives up: back references could
/// otherwise make a short name exponentially long.
const MAX_NODES: usize = 200_000;

/// Takes a symbol apart; `None` when it is no version 0 name.
pub(super) fn parse(symbol: &str) -> Option<Symbol> {
    let text = symbol
        .strip_prefix("_R")
        .or_else(|| symbol.strip_prefix("__R"))?;
    // A number would be the version of a later encoding.
    if !text.as_bytes().first()?.is_ascii_uppercase() {
        return None;
    }
    let mut parser = Parser {
        bytes: text.as_bytes(),
        at: 0,
        depth: 0,
        nodes: 0,
        crates: Vec::new(),
    };
    let path = parser.path(Want::Value)?;
    let crates = parser.crates;
    let Path::Item {
        krate,
        namespace,
        parent,
        name,
    } = path
    else {
        return None;
    };
    let kind = match namespace {
        b'v' => Kind::Function,
        b'c' => Kind::Constructor,
        b'S' => Kind::Shim,
        _ => Kind::Inner,
    };
    let (self_type, trait_name) = match *parent {
        Path::Impl {
            self_type,
            trait_name,
            ..
        } => (Some(self_type), trait_name),
        _ => (None, None),
    };
    Some(Symbol {
        krate,
        self_type,
        trait_name,
        name,
        kind,
        crates,
    })
}

/// Whether a node's value is needed, or only its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    Value,
    End,
}

enum Path {
    Root(CrateId),
    /// `<T>`, `<T as Trait>` of an impl, or `<T as Trait>` of the trait's own
    /// definition.
    Impl {
        krate: CrateId,
        self_type: String,
        trait_name: Option<String>,
    },
    Item {
        krate: CrateId,
        namespace: u8,
        parent: Box<Path>,
        name: String,
    },
    /// Parsed for its end alone.
    Skipped,
}

impl Path {
    fn krate(&self) -> Option<CrateId> {
        match self {
            Path::Root(krate) | Path::Impl { krate, .. } | Path::Item { krate, .. } => {
                Some(krate.clone())
            }
            Path::Skipped => None,
        }
    }
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    nodes: usize,
    crates: Vec<CrateId>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// `_` is 0, `0_` is 1, `1_` is 2, …
    fn base_62(&mut self) -> Option<u64> {
        if self.eat(b'_') {
            return Some(0);
        }
        let mut value = 0_u64;
        loop {
            let digit = match self.next()? {
                byte @ b'0'..=b'9' => byte - b'0',
                byte @ b'a'..=b'z' => byte - b'a' + 10,
                byte @ b'A'..=b'Z' => byte - b'A' + 36,
                b'_' => return value.checked_add(1),
                _ => return None,
            };
            value = value.checked_mul(62)?.checked_add(u64::from(digit))?;
        }
    }

    fn disambiguator(&mut self) -> Option<u64> {
        if self.eat(b's') {
            self.base_62()?.checked_add(1)
        } else {
            Some(0)
        }
    }

    fn identifier(&mut self) -> Option<(u64, &str)> {
        let disambiguator = self.disambiguator()?;
        Some((disambiguator, self.undisambiguated_identifier()?))
    }

    fn undisambiguated_identifier(&mut self) -> Option<&str> {
        // Names that are not ASCII stay in their encoded form.
        self.eat(b'u');
        let mut length = 0_usize;
        let first = self.next()?;
        match first {
            b'0' => {}
            b'1'..=b'9' => {
                length = usize::from(first - b'0');
                while let Some(digit @ b'0'..=b'9') = self.peek() {
                    self.at += 1;
                    length = length
                        .checked_mul(10)?
                        .checked_add(usize::from(digit - b'0'))?;
                }
            }
            _ => return None,
        }
        self.eat(b'_');
        let end = self.at.checked_add(length)?;
        let name = std::str::from_utf8(self.bytes.get(self.at..end)?).ok()?;
        self.at = end;
        Some(name)
    }

    /// Runs `read` one level deeper, within the limits.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        self.nodes += 1;
        if self.depth >= MAX_DEPTH || self.nodes >= MAX_NODES {
            return None;
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    /// Follows a back reference, whose tag has been read, when its value is
    /// needed.
    fn back_reference<T>(
        &mut self,
        want: Want,
        skipped: T,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let tag = self.at - 1;
        let target = usize::try_from(self.base_62()?).ok()?;
        // Only backwards, so that it ends.
        if target >= tag {
            return None;
        }
        if want == Want::End {
            return Some(skipped);
        }
        let resume = std::mem::replace(&mut self.at, target);
        let value = read(self);
        self.at = resume;
        value
    }

    fn path(&mut self, want: Want) -> Option<Path> {
        self.nested(|parser| parser.path_node(want))
    }

    fn path_node(&mut self, want: Want) -> Option<Path> {
        match self.next()? {
            b'C' => {
                let (disambiguator, name) = self.identifier()?;
                let krate = CrateId {
                    name: name.to_owned(),
                    disambiguator,
                };
                self.crates.push(krate.clone());
                Some(Path::Root(krate))
            }
            b'N' => {
                let namespace = self.next()?;
                let parent = self.path(want)?;
                let name = self.identifier()?.1;
                if want == Want::End {
                    return Some(Path::Skipped);
                }
                let name = name.to_owned();
                Some(Path::Item {
                    krate: parent.krate()?,
                    namespace,
                    parent: Box::new(parent),
                    name,
                })
            }
            b'M' => {
                self.disambiguator()?;
                let impl_path = self.path(want)?;
                let self_type = self.self_type(want)?;
                self.impl_node(want, &impl_path, self_type, None)
            }
            b'X' => {
                self.disambiguator()?;
                let impl_path = self.path(want)?;
                let self_type = self.self_type(want)?;
                let trait_path = self.path(want)?;
                self.impl_node(want, &impl_path, self_type, Some(&trait_path))
            }
            b'Y' => {
                let self_type = self.self_type(want)?;
                let trait_path = self.path(want)?;
                self.impl_node(want, &trait_path, self_type, Some(&trait_path))
            }
            b'I' => {
                let path = self.path(want)?;
                while !self.eat(b'E') {
                    self.generic_argument()?;
                }
                Some(path)
            }
            b'B' => self.back_reference(want, Path::Skipped, |parser| parser.path(want)),
            _ => None,
        }
    }

    fn impl_node(
        &mut self,
        want: Want,
        definition: &Path,
        self_type: String,
        trait_path: Option<&Path>,
    ) -> Option<Path> {
        if want == Want::End {
            return Some(Path::Skipped);
        }
        let trait_name = match trait_path {
            Some(Path::Item { name, .. }) => Some(name.clone()),
            Some(_) => return None,
            None => None,
        };
        Some(Path::Impl {
            krate: definition.krate()?,
            self_type,
            trait_name,
        })
    }

    /// The name of a nominal type, `?` for any other.
    fn self_type(&mut self, want: Want) -> Option<String> {
        let name = self.ty(want)?;
        Some(name.unwrap_or_else(|| "?".to_owned()))
    }

    fn generic_argument(&mut self) -> Option<()> {
        if self.eat(b'L') {
            self.base_62()?;
        } else if self.eat(b'K') {
            self.constant()?;
        } else {
            self.ty(Want::End)?;
        }
        Some(())
    }

    /// A type; its name when it is nominal and wanted.
    fn ty(&mut self, want: Want) -> Option<Option<String>> {
        self.nested(|parser| parser.ty_node(want))
    }

    fn ty_node(&mut self, want: Want) -> Option<Option<String>> {
        match self.peek()? {
            b'C' | b'M' | b'X' | b'Y' | b'N' | b'I' => {
                return Some(match self.path(want)? {
                    Path::Item {
                        namespace: b't',
                        name,
                        ..
                    } => Some(name),
                    _ => None,
                });
            }
            b'B' => {
                self.at += 1;
                return self.back_reference(want, None, |parser| parser.ty(want));
            }
            b'a'..=b'z' => self.at += 1,
            tag => {
                self.at += 1;
                self.compound_type(tag)?;
            }
        }
        Some(None)
    }

    fn compound_type(&mut self, tag: u8) -> Option<()> {
        match tag {
            b'A' => {
                self.ty(Want::End)?;
                self.constant()?;
            }
            b'S' | b'P' | b'O' => {
                self.ty(Want::End)?;
            }
            b'R' | b'Q' => {
                if self.eat(b'L') {
                    self.base_62()?;
                }
                self.ty(Want::End)?;
            }
            b'T' => {
                while !self.eat(b'E') {
                    self.ty(Want::End)?;
                }
            }
            b'F' => self.function_signature()?,
            b'D' => self.dyn_bounds()?,
            b'W' => {
                self.ty(Want::End)?;
                self.pattern()?;
            }
            _ => return None,
        }
        Some(())
    }

    fn binder(&mut self) -> Option<()> {
        if self.eat(b'G') {
            self.base_62()?;
        }
        Some(())
    }

    fn function_signature(&mut self) -> Option<()> {
        self.binder()?;
        self.eat(b'U');
        if self.eat(b'K') && !self.eat(b'C') {
            self.undisambiguated_identifier()?;
        }
        while !self.eat(b'E') {
            self.ty(Want::End)?;
        }
        self.ty(Want::End)?;
        Some(())
    }

    fn dyn_bounds(&mut self) -> Option<()> {
        self.binder()?;
        while !self.eat(b'E') {
            self.path(Want::End)?;
            while self.eat(b'p') {
                self.undisambiguated_identifier()?;
                if self.eat(b'K') {
                    self.constant()?;
                } else {
                    self.ty(Want::End)?;
                }
            }
        }
        if !self.eat(b'L') {
            return None;
        }
        self.base_62()?;
        Some(())
    }

    /// A pattern type's pattern: a range, alternatives, or "not null".
    fn pattern(&mut self) -> Option<()> {
        self.nested(|parser| match parser.next()? {
            b'R' => {
                parser.constant()?;
                parser.constant()
            }
            b'O' => {
                while !parser.eat(b'E') {
                    parser.pattern()?;
                }
                Some(())
            }
            b'N' => Some(()),
            _ => None,
        })
    }

    fn constant(&mut self) -> Option<()> {
        self.nested(Self::constant_node)
    }

    fn constant_node(&mut self) -> Option<()> {
        match self.next()? {
            b'p' => {}
            b'B' => self.back_reference(Want::End, (), |_| None)?,
            b'R' | b'Q' => {
                if self.eat(b'e') {
                    self.hexadecimal()?;
                } else {
                    self.constant()?;
                }
            }
            b'A' | b'T' => {
                while !self.eat(b'E') {
                    self.constant()?;
                }
            }
            b'V' => {
                self.path(Want::End)?;
                match self.next()? {
                    b'U' => {}
                    b'T' => {
                        while !self.eat(b'E') {
                            self.constant()?;
                        }
                    }
                    b'S' => {
                        while !self.eat(b'E') {
                            self.identifier()?;
                            self.constant()?;
                        }
                    }
                    _ => return None,
                }
            }
            // A basic type's tag, then its value.
            b'a'..=b'z' => self.hexadecimal()?,
            _ => return None,
        }
        Some(())
    }

    fn hexadecimal(&mut self) -> Option<()> {
        self.eat(b'n');
        loop {
            match self.next()? {
                b'0'..=b'9' | b'a'..=b'f' => {}
                b'_' => return Some(()),
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Crate, self type, trait, name, kind.
    fn check(symbol: &str, expected: Option<(&str, &str, &str, &str, Kind)>) {
        let parsed = parse(symbol);
        let parsed = parsed.as_ref().map(|symbol| {
            (
                symbol.krate.name.as_str(),
                symbol.self_type.as_deref().unwrap_or(""),
                symbol.trait_name.as_deref().unwrap_or(""),
                symbol.name.as_str(),
                symbol.kind,
            )
        });
        assert_eq!(parsed, expected);
    }

    /// Guards the shapes that the comparison lives on, each as the compiler
    /// writes it.
    #[test]
    fn takes_names_apart() {
        let function = Kind::Function;
        check(
            "_RNvNtCs1234_7mycrate3foo3bar",
            Some(("mycrate", "", "", "bar", function)),
        );
        check(
            "_RNvMNtCs1234_7mycrate3fooNtB2_3Bar3new",
            Some(("mycrate", "Bar", "", "new", function)),
        );
        check(
            "_RNvXNtCs1234_7mycrate3fooNtB2_3BarNtNtCs9_4core5clone5Clone5clone",
            Some(("mycrate", "Bar", "Clone", "clone", function)),
        );
        // A default method belongs to the trait's crate.
        check(
            "_RNvYNtCs1234_7mycrate3BarNtCs5_5other5Trait6helper",
            Some(("other", "Bar", "Trait", "helper", function)),
        );
        check(
            "_RINvMs_Cs1234_7mycrateINtB5_3BarpE3newhE",
            Some(("mycrate", "Bar", "", "new", function)),
        );
        check(
            "_RNvXs_Cs1234_7mycrateRNtB4_3BarNtB4_5Trait1f",
            Some(("mycrate", "?", "Trait", "f", function)),
        );
        check(
            "_RNCNvCs1234_7mycrate4main0B3_",
            Some(("mycrate", "", "", "", Kind::Inner)),
        );
        check(
            "_RNcNtCs1234_7mycrate3Bar0",
            Some(("mycrate", "", "", "", Kind::Constructor)),
        );
        check(
            "_RNSNvYNtCs1_1a1BNtB4_1C1d6vtable",
            Some(("a", "", "", "vtable", Kind::Shim)),
        );
    }

    /// Guards against guessing at names of other schemes and broken ones.
    #[test]
    fn refuses_anything_else() {
        for symbol in [
            "",
            "_R",
            "_R2NvC1a1b",
            "_ZN4core3ptr13drop_in_place17hE",
            "main",
            "_RNvB_1a",
            "_RNvC99999999999999999999a",
            "_RNvC5a",
            "_RNvCé1b",
        ] {
            assert!(parse(symbol).is_none(), "{symbol}");
        }
        let deep = format!("_RINvC1a1b{}hE", "S".repeat(100_000));
        assert!(parse(&deep).is_none());
    }

    /// Guards against panics: every prefix and every one-byte change of a
    /// real name ends in an answer.
    #[test]
    fn survives_damage() {
        let symbol = "_RINvMs_NtCs1234_7mycrate3fooINtB5_3BarRLeDNtB5_1TpB_\
                      NtB5_1UEL_E3newAhj4_KRe61_FUKCmEuTjhEE";
        for end in 0..symbol.len() {
            let _ = parse(&symbol[..end]);
        }
        for at in 0..symbol.len() {
            for byte in b"_0zBENMXYICRKsu9" {
                let mut changed = symbol.as_bytes().to_vec();
                changed[at] = *byte;
                let _ = parse(&String::from_utf8(changed).unwrap());
            }
        }
    }
}
