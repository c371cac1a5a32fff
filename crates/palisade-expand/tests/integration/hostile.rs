//! No input makes an expander panic or overflow the stack.

use palisade_expand::{ExpandError, Invocation, expand, known};
use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use proptest::prelude::*;

use crate::fixture::Fixture;

/// The stack that the documentation of `Limits` promises to be enough.
const STACK: usize = if cfg!(debug_assertions) {
    64 << 20
} else {
    8 << 20
};

/// Hands a stream to every registered macro, as its item and as its arguments.
fn feed(item: &TokenStream, args: &TokenStream) {
    feed_those(|_| true, item, args);
}

/// Hands a stream to the macros of some packages.
fn feed_those(wanted: impl Fn(&str) -> bool, item: &TokenStream, args: &TokenStream) {
    for (package, name, kind) in known().filter(|(package, ..)| wanted(package)) {
        let result = expand(&Invocation {
            package,
            version: None,
            name,
            kind,
            item: item.clone(),
            args: args.clone(),
            env: &|_| None,
        });
        assert!(
            !matches!(result, Err(ExpandError::Unknown { .. })),
            "{name} is registered"
        );
    }
}

/// Hands a stream to the first macro of each kind in every package: the macros
/// of one package share their parser.
fn feed_one_of_each(item: &TokenStream) {
    let mut seen = std::collections::BTreeSet::new();
    for (package, name, kind) in known() {
        if seen.insert((package, kind)) {
            let _ = expand(&Invocation {
                package,
                version: None,
                name,
                kind,
                item: item.clone(),
                args: item.clone(),
                env: &|_| None,
            });
        }
    }
}

fn with_promised_stack(run: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(run)
        .expect("a thread")
        .join()
        .expect("no panic");
}

/// Nesting in every form that the grammar has must be refused, not recursed into.
#[test]
fn nesting_is_bounded() {
    with_promised_stack(|| {
        for depth in [50, 400, 990, 20_000] {
            let shapes = [
                ("struct S { f: ", "&", "u8 }", ""),
                ("struct S { f: ", "fn() -> ", "u8 }", ""),
                ("struct S { f: ", "for<'a, 'b> fn() -> ", "u8 }", ""),
                ("struct S { f: ", "A<u8, ", "u8 }", ">"),
                ("struct S { f: [u8; ", "- ", "1] }", ""),
                ("struct S { f: [u8; ", "|_,| ", "1] }", ""),
                ("struct S { f: [u8; ", "return ", "1] }", ""),
                ("struct S { f: [u8; ", "a = ", "1] }", ""),
                ("struct S { f: [u8; ", "1 + ", "1] }", ""),
                ("struct S { f: [u8; ", "{} + ", "1] }", ""),
                ("struct S { f: [u8; ", "if a {} else ", "{}] }", ""),
                ("struct S { f: [u8; a", ".b()", "] }", ""),
                ("fn f() {", "if a {} else ", "{} }", ""),
                ("async fn f() {", "!", "x }", ""),
            ];
            for (start, repeated, end, close) in shapes {
                let (head, tail) = (repeated.repeat(depth), close.repeat(depth));
                let text = format!("{start}{head}{}", end.replace(" }", &format!("{tail} }}")));
                let Ok(stream) = text.parse::<TokenStream>() else {
                    continue;
                };
                feed_one_of_each(&stream);
            }
            let mut nested = TokenStream::new();
            for _ in 0..depth.min(2000) {
                nested = TokenTree::from(Group::new(Delimiter::Parenthesis, nested)).into();
            }
            feed_one_of_each(&nested);
        }
    });
}

/// A string is one token, but what an expander parses out of it may nest.
#[test]
fn nesting_inside_strings_is_bounded() {
    with_promised_stack(|| {
        for depth in [30, 400, 20_000] {
            let deep = format!("{}u8{}", "(".repeat(depth), ")".repeat(depth));
            for attribute in [
                "serde(from",
                "serde(bound",
                "display(fmt",
                "new(value",
                "strum(crate",
            ] {
                let text = format!("#[{attribute} = \"{deep}\")] struct S {{ f: u8 }}");
                feed(&text.parse().expect("lexes"), &TokenStream::new());
            }
        }
    });
}

/// Fixtures cut off or damaged at any token must be refused or expanded.
#[test]
fn damaged_fixtures_do_not_panic() {
    with_promised_stack(|| {
        for fixture in Fixture::all() {
            let wanted = |package: &str| fixture.macros.iter().any(|(other, _)| other == package);
            let file = syn::parse_file(&fixture.source).expect("fixtures parse");
            let mut inputs: Vec<_> = file.items.iter().map(|item| quote::quote!(#item)).collect();
            let mut invocations = Invocations(&mut inputs);
            syn::visit::visit_file(&mut invocations, &file);
            for input in inputs {
                let tokens: Vec<_> = flat(input);
                let step = tokens.len() / 12 + 1;
                for cut in (0..tokens.len()).step_by(step) {
                    let mut damaged = tokens.clone();
                    damaged.truncate(cut);
                    feed_those(wanted, &nest(&damaged), &nest(&damaged[..cut.min(8)]));
                    let mut damaged = tokens.clone();
                    damaged.remove(cut);
                    feed_those(wanted, &nest(&damaged), &TokenStream::new());
                    let mut damaged = tokens.clone();
                    damaged.swap(cut, tokens.len() / 2);
                    feed_those(wanted, &nest(&damaged), &TokenStream::new());
                }
            }
        }
    });
}

/// Collects what function-like macros are given.
struct Invocations<'a>(&'a mut Vec<TokenStream>);

impl<'ast> syn::visit::Visit<'ast> for Invocations<'_> {
    fn visit_macro(&mut self, invocation: &'ast syn::Macro) {
        self.0.push(invocation.tokens.clone());
    }
}

/// A token, or one half of a pair of delimiters.
#[derive(Clone, Debug)]
enum Flat {
    Token(TokenTree),
    Open(Delimiter),
    Close,
}

fn flat(stream: TokenStream) -> Vec<Flat> {
    let mut tokens = Vec::new();
    for token in stream {
        match token {
            TokenTree::Group(group) => {
                tokens.push(Flat::Open(group.delimiter()));
                tokens.extend(flat(group.stream()));
                tokens.push(Flat::Close);
            }
            token => tokens.push(Flat::Token(token)),
        }
    }
    tokens
}

/// A well-formed stream: delimiters that lack their other half are completed.
fn nest(tokens: &[Flat]) -> TokenStream {
    let mut levels = vec![(Delimiter::None, TokenStream::new())];
    let close = |levels: &mut Vec<(Delimiter, TokenStream)>| {
        if levels.len() > 1
            && let Some((delimiter, inner)) = levels.pop()
            && let Some((_, outer)) = levels.last_mut()
        {
            outer.extend([TokenTree::from(Group::new(delimiter, inner))]);
        }
    };
    for token in tokens {
        match token {
            Flat::Token(token) => {
                levels
                    .last_mut()
                    .expect("never empty")
                    .1
                    .extend([token.clone()]);
            }
            Flat::Open(delimiter) => levels.push((*delimiter, TokenStream::new())),
            Flat::Close => close(&mut levels),
        }
    }
    while levels.len() > 1 {
        close(&mut levels);
    }
    levels.pop().expect("never empty").1
}

fn token() -> impl Strategy<Value = Flat> {
    const WORDS: &[&str] = &[
        "struct",
        "enum",
        "union",
        "impl",
        "fn",
        "pub",
        "where",
        "for",
        "crate",
        "self",
        "Self",
        "async",
        "unsafe",
        "dyn",
        "T",
        "x",
        "serde",
        "rename",
        "default",
        "tag",
        "transparent",
        "flatten",
        "strum",
        "error",
        "from",
        "source",
        "clap",
        "arg",
        "command",
        "skip",
        "with",
    ];
    prop_oneof![
        4 => proptest::sample::select(WORDS)
            .prop_map(|word| Flat::Token(Ident::new(word, Span::call_site()).into())),
        4 => (proptest::sample::select("#,;:<>=&*.!|-'+?@$".chars().collect::<Vec<_>>()), any::<bool>())
            .prop_map(|(c, joint)| {
                let spacing = if joint { Spacing::Joint } else { Spacing::Alone };
                Flat::Token(Punct::new(c, spacing).into())
            }),
        1 => "[a-z{}:%]{0,6}".prop_map(|text| Flat::Token(Literal::string(&text).into())),
        1 => any::<u32>().prop_map(|n| Flat::Token(Literal::u32_unsuffixed(n).into())),
        2 => proptest::sample::select(vec![
            Delimiter::Parenthesis, Delimiter::Brace, Delimiter::Bracket, Delimiter::None,
        ])
        .prop_map(Flat::Open),
        2 => Just(Flat::Close),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// Random tokens are refused or expanded, whatever they spell.
    #[test]
    fn random_tokens_do_not_panic(
        attribute in proptest::collection::vec(token(), 0..12),
        body in proptest::collection::vec(token(), 0..24),
        form in 0..5u8,
    ) {
        let (attribute, body) = (nest(&attribute), nest(&body));
        let item = match form {
            0 => quote::quote!(#body),
            1 => quote::quote!(#[serde(#attribute)] #[strum(#attribute)] struct S<T> { #body }),
            2 => quote::quote!(#[derive(Clone)] enum E { #[serde(#attribute)] A, #body }),
            3 => quote::quote!(struct S { #[serde(#attribute)] #[pin] #[clap(#attribute)] x: #body }),
            _ => quote::quote!(async fn f(#attribute) { #body }),
        };
        feed(&item, &attribute);
    }
}
