//! Functions, macros, constants and modules of a file, from its tokens.

use super::lex::{Kind, Token, value};

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ItemKind {
    /// The file itself: whatever lies in no other item.
    File,
    /// A function or method.
    Function,
    /// A macro by example.
    Macro,
    /// A constant or static.
    Constant,
    /// Whatever a macro that is called outside of functions makes, under the
    /// first name that it is given.
    Generated,
}

/// An item that has code of its own.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) kind: ItemKind,
    pub(crate) name: String,
    /// The index of its first and of its last token, its attributes left out.
    pub(crate) first: usize,
    pub(crate) last: usize,
    /// Whether it is only there for tests.
    pub(crate) test: bool,
    /// Whether it runs before `main`, or when a library is loaded.
    pub(crate) constructor: bool,
    /// Whether somebody else may call it: a function that is `pub`, or that a
    /// trait or its impl has. Whether its module is public is not asked.
    pub(crate) public: bool,
}

/// `mod name;`, whose file is elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct ModuleFile {
    pub(crate) name: String,
    /// The modules around it in the same file, outermost first.
    pub(crate) inside: Vec<String>,
    /// What `#[path]` says, also below `cfg_attr`.
    pub(crate) paths: Vec<String>,
    /// Whether it is only there for tests.
    pub(crate) test: bool,
}

/// The items of a file, and for each token the item that it belongs to.
#[derive(Debug, Default)]
pub(crate) struct Items {
    pub(crate) items: Vec<Item>,
    pub(crate) of_token: Vec<u32>,
    pub(crate) modules: Vec<ModuleFile>,
}

/// Attributes in front of an item.
#[derive(Default)]
struct Attributes {
    test: bool,
    constructor: bool,
    paths: Vec<String>,
}

/// A brace that is open.
struct Scope {
    /// The item around it.
    item: u32,
    test: bool,
    /// A module's name.
    module: Option<String>,
    /// Whether it is the body of a trait or of its impl.
    of_trait: bool,
}

/// An item whose body has not begun.
struct Pending {
    kind: Option<ItemKind>,
    name: String,
    first: usize,
    attributes: Attributes,
    depth: usize,
    public: bool,
}

const FILE: u32 = 0;

pub(crate) fn items(source: &str, tokens: &[Token]) -> Items {
    let mut items = Items {
        items: vec![Item {
            kind: ItemKind::File,
            name: String::new(),
            first: 0,
            last: tokens.len().saturating_sub(1),
            test: false,
            constructor: false,
            public: false,
        }],
        of_token: Vec::with_capacity(tokens.len()),
        modules: Vec::new(),
    };
    let mut scopes: Vec<Scope> = Vec::new();
    // Parentheses and brackets, which can hold a `;` or `{` of their own.
    let mut depth = 0_usize;
    let mut attributes = Attributes::default();
    let mut pending: Option<Pending> = None;
    // The constant whose value is being read, the braces then open, and the
    // item around it.
    let mut constant: Option<(u32, usize, usize)> = None;
    // Whether the body that begins next is that of a trait or of its impl:
    // between `impl` and its brace there is a `for`.
    let mut header = Header::None;
    // What a macro makes, and the last token of its call.
    let mut generated: Option<(u32, usize)> = None;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if generated.is_some_and(|(_, last)| at > last) {
            generated = None;
        }
        let here = constant.map_or_else(
            || scopes.last().map_or(FILE, |scope| scope.item),
            |(item, ..)| item,
        );
        let test_here = scopes.last().is_some_and(|scope| scope.test);
        match token.kind {
            Kind::Punct(b'#') if next_is(tokens, at, b'[') => {
                let end = closing(tokens, at + 1);
                read_attribute(
                    source,
                    &tokens[at + 2..end.min(tokens.len())],
                    &mut attributes,
                );
                let end = end.min(tokens.len() - 1);
                items.of_token.resize(end + 1, here);
                at = end + 1;
                continue;
            }
            Kind::Ident => {
                let word = token.text(source);
                if here == FILE
                    && depth == 0
                    && pending.is_none()
                    && constant.is_none()
                    && generated.is_none()
                    && let Some((name, last)) = generates(source, tokens, at)
                {
                    let begun = Pending {
                        kind: Some(ItemKind::Generated),
                        name,
                        first: at,
                        attributes: std::mem::take(&mut attributes),
                        depth,
                        public: true,
                    };
                    let index = push(&mut items, begun, test_here);
                    items.items[index as usize].last = last;
                    generated = Some((index, last));
                }
                let following = tokens.get(at + 1).filter(|next| next.kind == Kind::Ident);
                let introduced = match word {
                    "fn" => Some(Some(ItemKind::Function)),
                    "mod" => Some(None),
                    "macro_rules" if next_is(tokens, at, b'!') => Some(Some(ItemKind::Macro)),
                    "const" | "static" if constant.is_none() => Some(Some(ItemKind::Constant)),
                    _ => None,
                };
                let name = match (word, following) {
                    ("macro_rules", _) => {
                        tokens.get(at + 2).filter(|name| name.kind == Kind::Ident)
                    }
                    ("static" | "const", Some(next)) => match next.text(source) {
                        "mut" => tokens.get(at + 2).filter(|name| name.kind == Kind::Ident),
                        "fn" | "unsafe" | "async" | "extern" => None,
                        _ => Some(next),
                    },
                    (_, following) => following,
                };
                if let (Some(kind), Some(name)) = (introduced, name)
                    && pending.is_none()
                {
                    let of_trait = scopes.last().is_some_and(|scope| scope.of_trait);
                    pending = Some(Pending {
                        public: of_trait || is_public(source, tokens, at),
                        kind,
                        name: name.text(source).trim_start_matches("r#").to_owned(),
                        first: at,
                        attributes: std::mem::take(&mut attributes),
                        depth,
                    });
                } else if matches!(
                    word,
                    "struct" | "enum" | "trait" | "use" | "let" | "type" | "union"
                ) && pending.is_none()
                {
                    attributes = Attributes::default();
                }
                header = match (word, header) {
                    ("trait", _) if pending.is_none() => Header::Trait,
                    ("impl", _) if pending.is_none() && depth == 0 => Header::Impl,
                    ("for", Header::Impl) => Header::Trait,
                    (_, header) => header,
                };
            }
            // The value of a constant begins.
            Kind::Punct(b'=')
                if constant.is_none()
                    && pending.as_ref().is_some_and(|pending| {
                        pending.kind == Some(ItemKind::Constant) && pending.depth == depth
                    }) =>
            {
                if let Some(begun) = pending.take() {
                    let index = push(&mut items, begun, test_here);
                    constant = Some((index, scopes.len(), depth));
                }
            }
            Kind::Punct(b';') => {
                if let Some((index, braces, parentheses)) = constant
                    && braces == scopes.len()
                    && parentheses >= depth
                {
                    items.items[index as usize].last = at;
                    constant = None;
                }
                if pending
                    .as_ref()
                    .is_some_and(|pending| pending.depth >= depth)
                    && let Some(ended) = pending.take()
                    && ended.kind.is_none()
                {
                    items.modules.push(ModuleFile {
                        name: ended.name,
                        inside: scopes
                            .iter()
                            .filter_map(|scope| scope.module.clone())
                            .collect(),
                        paths: ended.attributes.paths,
                        test: test_here || ended.attributes.test,
                    });
                }
                attributes = Attributes::default();
                header = Header::None;
            }
            Kind::Punct(b'(' | b'[') => depth += 1,
            Kind::Punct(b')' | b']') => depth = depth.saturating_sub(1),
            Kind::Punct(b'{') => {
                let begins = pending.as_ref().is_some_and(|pending| {
                    pending.depth == depth && pending.kind != Some(ItemKind::Constant)
                });
                let begun = if begins { pending.take() } else { None };
                let test = begun.as_ref().map_or_else(
                    // `#[cfg(test)] impl X {`
                    || std::mem::take(&mut attributes).test,
                    |begun| begun.attributes.test,
                );
                let (item, module) = match begun {
                    Some(begun) if begun.kind.is_some() => {
                        (push(&mut items, begun, test_here), None)
                    }
                    Some(module) => (here, Some(module.name)),
                    None => (here, None),
                };
                let own_body = module.is_none() && item == here;
                scopes.push(Scope {
                    item,
                    test: test_here || test,
                    module,
                    of_trait: own_body && header == Header::Trait,
                });
                header = Header::None;
            }
            Kind::Punct(b'}') => {
                if let Some(closed) = scopes.pop() {
                    let around = scopes.last().map_or(FILE, |scope| scope.item);
                    if closed.item != around
                        && constant.is_none_or(|(item, ..)| item != closed.item)
                    {
                        items.items[closed.item as usize].last = at;
                    }
                }
                if constant.is_some_and(|(_, braces, _)| braces > scopes.len()) {
                    constant = None;
                }
                attributes = Attributes::default();
            }
            _ => {}
        }
        let here = constant.map_or_else(
            || scopes.last().map_or(FILE, |scope| scope.item),
            |(item, ..)| item,
        );
        let here = match generated {
            Some((item, _)) if here == FILE => item,
            _ => here,
        };
        items.of_token.push(here);
        at += 1;
    }
    items
}

fn push(items: &mut Items, begun: Pending, test_here: bool) -> u32 {
    let index = u32::try_from(items.items.len()).unwrap_or(FILE);
    items.items.push(Item {
        kind: begun.kind.unwrap_or(ItemKind::File),
        name: begun.name,
        first: begun.first,
        // Where nothing closes it, the file's end does.
        last: items.items[FILE as usize].last,
        test: test_here || begun.attributes.test,
        constructor: begun.attributes.constructor,
        public: begun.public,
    });
    index
}

/// Whether a macro is called at `at` that may make functions: the first name
/// that it is given, and the last token of its call.
fn generates(source: &str, tokens: &[Token], at: usize) -> Option<(String, usize)> {
    /// A longer one has functions of its own, or is data.
    const LONGEST: usize = 160;
    let opens = |token: &Token| matches!(token.kind, Kind::Punct(b'(' | b'{' | b'['));
    if !next_is(tokens, at, b'!')
        || !tokens.get(at + 2).is_some_and(opens)
        || tokens[at].text(source) == "macro_rules"
    {
        return None;
    }
    let window = &tokens[..tokens.len().min(at + LONGEST)];
    let last = closing(window, at + 2);
    if last >= window.len() {
        return None;
    }
    let mut words = window[at + 3..last]
        .iter()
        .filter(|token| token.kind == Kind::Ident)
        .map(|token| token.text(source));
    let name = words.clone().find(|word| {
        !matches!(
            *word,
            "pub" | "static" | "ref" | "const" | "struct" | "type"
        )
    })?;
    words
        .all(|word| word != "fn")
        .then(|| (name.to_owned(), last))
}

/// What the words before a brace are about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Header {
    None,
    Impl,
    Trait,
}

/// Whether the item whose keyword is at `at` is `pub` without a restriction.
fn is_public(source: &str, tokens: &[Token], at: usize) -> bool {
    const BETWEEN: usize = 6;
    let mut at = at;
    for _ in 0..BETWEEN {
        let Some(before) = at.checked_sub(1) else {
            return false;
        };
        at = before;
        let token = &tokens[at];
        match (token.kind, token.text(source)) {
            (Kind::Ident, "pub") => return true,
            (Kind::Ident, "const" | "async" | "unsafe" | "extern" | "safe" | "default")
            | (Kind::Text, _) => {}
            _ => return false,
        }
    }
    false
}

fn next_is(tokens: &[Token], at: usize, punct: u8) -> bool {
    tokens.get(at + 1).is_some_and(|next| next.is(punct))
}

/// The index of the token that closes what opens at `open`, or the number of
/// tokens.
pub(crate) fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            Kind::Punct(b'(' | b'[' | b'{') => depth += 1,
            Kind::Punct(b')' | b']' | b'}') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return index;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

fn read_attribute(source: &str, tokens: &[Token], attributes: &mut Attributes) {
    let words = || {
        tokens
            .iter()
            .filter(|token| token.kind == Kind::Ident)
            .map(|token| token.text(source))
    };
    let Some(first) = words().next() else { return };
    let last_of_path = tokens
        .iter()
        .take_while(|token| token.kind == Kind::Ident || token.is(b':'))
        .filter(|token| token.kind == Kind::Ident)
        .last()
        .map_or(first, |token| token.text(source));
    match last_of_path {
        "test" | "bench" | "rstest" | "proptest" | "quickcheck" | "test_case" => {
            attributes.test = true;
        }
        "cfg" => {
            let negated = words().any(|word| word == "not");
            attributes.test |= words().any(|word| word == "test") && !negated;
        }
        "ctor" | "dtor" => attributes.constructor = true,
        _ => {}
    }
    let texts = tokens.iter().filter(|token| token.kind == Kind::Text);
    if words().any(|word| word == "link_section") {
        // ELF, Mach-O and Windows run what is listed there.
        const SECTIONS: [&str; 6] = [
            ".init_array",
            ".fini_array",
            ".ctors",
            "__mod_init_func",
            "__mod_term_func",
            ".CRT$X",
        ];
        attributes.constructor |= texts.clone().any(|token| {
            let section = value(token.text(source));
            let section = String::from_utf8_lossy(&section).into_owned();
            SECTIONS.iter().any(|known| section.contains(known))
        });
    }
    if words().any(|word| word == "path") {
        for pair in tokens.windows(3) {
            if pair[0].text(source) == "path" && pair[1].is(b'=') && pair[2].kind == Kind::Text {
                let path = value(pair[2].text(source));
                attributes
                    .paths
                    .push(String::from_utf8_lossy(&path).replace('\\', "/"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::lex::lex;

    fn read(source: &str) -> Items {
        items(source, &lex(source))
    }

    /// Guards which function code belongs to, and what is a test.
    #[test]
    fn functions_tests_and_constants() {
        let found = read(
            "const A: [u8; 2] = [1, 2]; fn f<const N: usize>(x: [u8; 3]) { fn g() {} }
             #[cfg(test)] mod tests { fn h() {} }
             #[cfg(not(test))] fn i() {} #[tokio::test] async fn j() {}
             macro_rules! m { () => {} } impl X { const fn k() { } }
             #[link_section = \".init_array\"] static S: extern fn() = l;",
        );
        let shown: Vec<String> = found
            .items
            .iter()
            .map(|item| {
                let mark = if item.test { "test " } else { "" };
                let mark = if item.constructor {
                    "constructor "
                } else {
                    mark
                };
                format!("{mark}{:?} {}", item.kind, item.name)
            })
            .collect();
        assert_eq!(
            shown,
            [
                "File ",
                "Constant A",
                "Function f",
                "Function g",
                "test Function h",
                "Function i",
                "test Function j",
                "Macro m",
                "Function k",
                "constructor Constant S",
            ]
        );
    }

    /// Guards that a module's file is found wherever `#[path]` puts it.
    #[test]
    fn modules_of_their_own() {
        let found = read(
            "mod a; #[cfg_attr(windows, path = \"w.rs\")] #[path = \"u.rs\"] pub mod b;
             mod c { mod d; } #[cfg(test)] mod e;",
        );
        let shown: Vec<_> = found
            .modules
            .iter()
            .map(|module| {
                (
                    module.name.as_str(),
                    module.inside.len(),
                    module.paths.len(),
                    module.test,
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("a", 0, 0, false),
                ("b", 0, 2, false),
                ("d", 1, 0, false),
                ("e", 0, 0, true)
            ]
        );
    }

    proptest::proptest! {
        /// Guards that any order of brackets and keywords gives every token an
        /// item that exists.
        #[test]
        fn any_tokens(source in "(fn |mod |const |static |macro_rules! |x |# ?|[(){}\\[\\];=]|\"s\" ?){0,60}") {
            let tokens = lex(&source);
            let found = items(&source, &tokens);
            proptest::prop_assert_eq!(found.of_token.len(), tokens.len());
            for &item in &found.of_token {
                proptest::prop_assert!((item as usize) < found.items.len());
            }
        }
    }
}
