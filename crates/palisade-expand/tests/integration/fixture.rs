//! Fixtures: Rust files that use macros, and the expansion of a whole file.
//!
//! `tests/fixtures/<family>/<name>.rs` starts with directives:
//!
//! ```text
//! //@ macros: serde_derive 1.0.229      a package of macros and its version
//! //@ helpers: serde                    attributes that the derives leave behind
//! //@ dep: serde = "=1.0.229"           a line of [dependencies] for the comparison
//! //@ env: CARGO_PKG_NAME=demo          the compile-time environment
//! //@ file: path=content               a file that a macro asks the environment for
//! //@ compare: functions                do not compare what functions mention
//! //@ edition: 2021                     for macros that write what 2024 refuses
//! ```
//!
//! Macros are recognised by the last segment of their path, so a fixture does
//! not shadow names.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use palisade_expand::{Invocation, MacroKind, expand, knows};
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Item, Token};

/// A fixture file with its directives.
pub(crate) struct Fixture {
    pub(crate) family: String,
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) source: String,
    pub(crate) macros: Vec<(String, String)>,
    pub(crate) helpers: Vec<String>,
    pub(crate) dependencies: Vec<String>,
    /// For releases whose functions are the same but written differently inside.
    pub(crate) functions_only: bool,
    pub(crate) edition: String,
    /// Files that a macro reads, beside the manifest, with their content.
    pub(crate) files: Vec<(String, String)>,
    environment: BTreeMap<String, String>,
}

impl Fixture {
    /// All fixtures, in a stable order.
    pub(crate) fn all() -> Vec<Self> {
        Self::select("1")
    }

    /// The fixtures of one family, or one as `family/name`, or all for `1`.
    pub(crate) fn select(wanted: &str) -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        let mut fixtures = Vec::new();
        for family in sorted_entries(&root) {
            for path in sorted_entries(&family) {
                let full = path.with_extension("");
                let is_wanted = wanted == "1" || family.ends_with(wanted) || full.ends_with(wanted);
                if is_wanted && path.extension().is_some_and(|extension| extension == "rs") {
                    fixtures.push(Self::read(&path));
                }
            }
        }
        fixtures
    }

    fn read(path: &Path) -> Self {
        let part =
            |part: Option<&std::ffi::OsStr>| part.expect("named").to_string_lossy().into_owned();
        let mut fixture = Self {
            family: part(path.parent().expect("in a family").file_name()),
            name: part(path.file_stem()),
            path: path.to_owned(),
            source: fs::read_to_string(path).expect("readable"),
            macros: Vec::new(),
            helpers: Vec::new(),
            dependencies: Vec::new(),
            functions_only: false,
            edition: "2024".to_owned(),
            files: Vec::new(),
            environment: BTreeMap::new(),
        };
        for line in fixture.source.lines() {
            let Some(directive) = line.strip_prefix("//@ ") else {
                continue;
            };
            let (key, value) = directive.split_once(':').expect("`//@ key: value`");
            let value = value.trim();
            match key {
                "macros" => {
                    let (package, version) = value.split_once(' ').expect("package and version");
                    fixture
                        .macros
                        .push((package.to_owned(), version.to_owned()));
                }
                "helpers" => fixture
                    .helpers
                    .extend(value.split_whitespace().map(str::to_owned)),
                "compare" => fixture.functions_only = value == "functions",
                "edition" => fixture.edition = value.to_owned(),
                "dep" => fixture.dependencies.push(value.to_owned()),
                "env" => {
                    let (key, value) = value.split_once('=').expect("`KEY=value`");
                    fixture.environment.insert(key.to_owned(), value.to_owned());
                }
                "file" => {
                    let (file, content) = value.split_once('=').expect("`path=content`");
                    fixture
                        .environment
                        .insert(format!("file:{file}"), content.to_owned());
                    fixture.files.push((file.to_owned(), content.to_owned()));
                }
                other => panic!("{}: unknown directive `{other}`", path.display()),
            }
        }
        fixture
    }

    /// The file with every known macro replaced by our expansion of it.
    pub(crate) fn expand(&self) -> Result<syn::File, String> {
        let mut file = syn::parse_file(&self.source).map_err(|error| error.to_string())?;
        let mut expander = Expander {
            fixture: self,
            errors: Vec::new(),
        };
        expander.items(&mut file.items);
        if expander.errors.is_empty() {
            Ok(file)
        } else {
            Err(expander.errors.join("\n"))
        }
    }

    /// The package and version that define a macro which we know.
    fn package(&self, name: &str, kind: MacroKind) -> Option<(&str, &str)> {
        self.macros
            .iter()
            .find(|(package, _)| knows(package, name, kind))
            .map(|(package, version)| (package.as_str(), version.as_str()))
    }

    fn run(
        &self,
        name: &str,
        kind: MacroKind,
        item: TokenStream,
        args: TokenStream,
    ) -> Result<TokenStream, String> {
        let (package, version) = self.package(name, kind).expect("asked before");
        expand(&Invocation {
            package,
            version: Some(version),
            name,
            kind,
            item,
            args,
            env: &|key| self.environment.get(key).cloned(),
        })
        .map_err(|error| error.to_string())
    }
}

fn sorted_entries(directory: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(directory)
        .expect("a directory of fixtures")
        .map(|entry| entry.expect("readable").path())
        .collect();
    entries.sort();
    entries
}

/// Replaces macros as the compiler does: outside in, attributes from first to last.
struct Expander<'a> {
    fixture: &'a Fixture,
    errors: Vec<String>,
}

/// What happened to one item.
enum Step {
    /// Nothing is left to expand on it.
    Done,
    /// A derive added these beside it.
    Beside(TokenStream),
    /// An attribute replaced it by these.
    Replaced(TokenStream),
}

impl Expander<'_> {
    fn items(&mut self, items: &mut Vec<Item>) {
        for item in std::mem::take(items) {
            self.item(item, items);
        }
    }

    fn item(&mut self, mut item: Item, output: &mut Vec<Item>) {
        if let Item::Macro(invocation) = &item
            && let Some(expansion) = self.function(&invocation.mac)
        {
            let parsed = self.parse::<syn::File>(expansion);
            output.extend(parsed.into_iter().flat_map(|file| file.items));
            return;
        }
        let mut beside = TokenStream::new();
        loop {
            let tokens = item.to_token_stream();
            let Some(attributes) = item_attributes(&mut item) else {
                break;
            };
            match self.step(attributes, &tokens) {
                Step::Done => break,
                Step::Beside(tokens) => beside.extend(tokens),
                Step::Replaced(mut tokens) => {
                    tokens.extend(beside);
                    let parsed = self.parse::<syn::File>(tokens);
                    for item in parsed.into_iter().flat_map(|file| file.items) {
                        self.item(item, output);
                    }
                    return;
                }
            }
        }
        self.strip_helpers(&mut item);
        visit_mut::visit_item_mut(self, &mut item);
        output.push(item);
        let parsed = self.parse::<syn::File>(beside);
        output.extend(parsed.into_iter().flat_map(|file| file.items));
    }

    /// Runs the first macro among the attributes of an item.
    fn step(&mut self, attributes: &mut Vec<Attribute>, item: &TokenStream) -> Step {
        for index in 0..attributes.len() {
            let attribute = attributes[index].clone();
            let name = last_segment(attribute.path());
            if name == "derive" {
                let derives = attribute
                    .parse_args_with(Punctuated::<syn::Path, Token![,]>::parse_terminated)
                    .expect("a list of derives");
                let known = |path: &&syn::Path| {
                    self.fixture
                        .package(&last_segment(path), MacroKind::Derive)
                        .is_some()
                };
                let (ours, others): (Vec<_>, Vec<_>) = derives.iter().partition(known);
                if ours.is_empty() {
                    continue;
                }
                if others.is_empty() {
                    attributes.remove(index);
                } else {
                    attributes[index] = syn::parse_quote!(#[derive(#(#others),*)]);
                }
                let mut beside = TokenStream::new();
                for derive in ours {
                    let name = last_segment(derive);
                    let input = without_derives(item.clone());
                    match self
                        .fixture
                        .run(&name, MacroKind::Derive, input, TokenStream::new())
                    {
                        Ok(tokens) => beside.extend(tokens),
                        Err(error) => self.errors.push(error),
                    }
                }
                return Step::Beside(beside);
            }
            // `#[core::prelude::v1::test]` is the compiler's own, whatever a macro is called.
            let builtin = attribute
                .path()
                .segments
                .first()
                .is_some_and(|first| first.ident == "core");
            if !builtin && self.fixture.package(&name, MacroKind::Attribute).is_some() {
                let args = match &attribute.meta {
                    syn::Meta::List(list) => list.tokens.clone(),
                    syn::Meta::Path(_) | syn::Meta::NameValue(_) => TokenStream::new(),
                };
                let input = without_attribute(item.clone(), index);
                match self.fixture.run(&name, MacroKind::Attribute, input, args) {
                    Ok(tokens) => return Step::Replaced(tokens),
                    Err(error) => {
                        self.errors.push(error);
                        attributes.remove(index);
                        return Step::Beside(TokenStream::new());
                    }
                }
            }
        }
        Step::Done
    }

    fn function(&mut self, invocation: &syn::Macro) -> Option<TokenStream> {
        let name = last_segment(&invocation.path);
        self.fixture.package(&name, MacroKind::Function)?;
        let input = invocation.tokens.clone();
        match self
            .fixture
            .run(&name, MacroKind::Function, input, TokenStream::new())
        {
            Ok(tokens) => Some(tokens),
            Err(error) => {
                self.errors.push(error);
                None
            }
        }
    }

    fn parse<T: syn::parse::Parse>(&mut self, tokens: TokenStream) -> Option<T> {
        match syn::parse2(tokens.clone()) {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                self.errors
                    .push(format!("the expansion does not parse: {error}\n{tokens}"));
                None
            }
        }
    }

    fn strip_helpers(&self, item: &mut Item) {
        struct Strip<'a>(&'a [String]);
        impl Strip<'_> {
            fn strip(&self, attributes: &mut Vec<Attribute>) {
                attributes.retain(|attribute| !self.0.contains(&last_segment(attribute.path())));
            }
        }
        impl VisitMut for Strip<'_> {
            fn visit_field_mut(&mut self, field: &mut syn::Field) {
                self.strip(&mut field.attrs);
            }
            fn visit_variant_mut(&mut self, variant: &mut syn::Variant) {
                self.strip(&mut variant.attrs);
                visit_mut::visit_variant_mut(self, variant);
            }
        }
        let mut strip = Strip(&self.fixture.helpers);
        match item {
            Item::Struct(item) => {
                strip.strip(&mut item.attrs);
                strip.visit_item_struct_mut(item);
            }
            Item::Enum(item) => {
                strip.strip(&mut item.attrs);
                strip.visit_item_enum_mut(item);
            }
            Item::Union(item) => {
                strip.strip(&mut item.attrs);
                strip.visit_item_union_mut(item);
            }
            _ => {}
        }
    }
}

impl VisitMut for Expander<'_> {
    fn visit_item_mod_mut(&mut self, module: &mut syn::ItemMod) {
        if let Some((_, items)) = &mut module.content {
            self.items(items);
        }
    }

    fn visit_item_impl_mut(&mut self, item: &mut syn::ItemImpl) {
        for member in std::mem::take(&mut item.items) {
            let syn::ImplItem::Fn(mut function) = member else {
                item.items.push(member);
                continue;
            };
            let tokens = function.to_token_stream();
            match self.step(&mut function.attrs, &tokens) {
                Step::Replaced(tokens) => {
                    let wrapped = quote::quote!(impl Wrapper { #tokens });
                    let parsed = self.parse::<syn::ItemImpl>(wrapped);
                    item.items
                        .extend(parsed.into_iter().flat_map(|parsed| parsed.items));
                }
                Step::Done | Step::Beside(_) => item.items.push(syn::ImplItem::Fn(function)),
            }
        }
        visit_mut::visit_item_impl_mut(self, item);
    }

    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        for statement in std::mem::take(&mut block.stmts) {
            match statement {
                syn::Stmt::Item(item) => {
                    let mut items = Vec::new();
                    self.item(item, &mut items);
                    block.stmts.extend(items.into_iter().map(syn::Stmt::Item));
                }
                syn::Stmt::Macro(statement) => match self.function(&statement.mac) {
                    Some(mut tokens) => {
                        statement.semi_token.to_tokens(&mut tokens);
                        let parsed = self.parse::<syn::Block>(quote::quote!({ #tokens }));
                        block
                            .stmts
                            .extend(parsed.into_iter().flat_map(|parsed| parsed.stmts));
                    }
                    None => block.stmts.push(syn::Stmt::Macro(statement)),
                },
                statement => block.stmts.push(statement),
            }
        }
        visit_mut::visit_block_mut(self, block);
    }

    fn visit_expr_mut(&mut self, expression: &mut syn::Expr) {
        if let syn::Expr::Macro(invocation) = expression
            && let Some(tokens) = self.function(&invocation.mac)
            && let Some(parsed) = self.parse::<syn::Expr>(quote::quote!({ #tokens }))
        {
            *expression = parsed;
        }
        visit_mut::visit_expr_mut(self, expression);
    }
}

fn item_attributes(item: &mut Item) -> Option<&mut Vec<Attribute>> {
    Some(match item {
        Item::Const(item) => &mut item.attrs,
        Item::Enum(item) => &mut item.attrs,
        Item::Fn(item) => &mut item.attrs,
        Item::Impl(item) => &mut item.attrs,
        Item::Mod(item) => &mut item.attrs,
        Item::Static(item) => &mut item.attrs,
        Item::Struct(item) => &mut item.attrs,
        Item::Trait(item) => &mut item.attrs,
        Item::Union(item) => &mut item.attrs,
        _ => return None,
    })
}

fn last_segment(path: &syn::Path) -> String {
    path.segments
        .last()
        .map(|segment| segment.ident.to_string())
        .unwrap_or_default()
}

/// The item without the outer attribute at this position: what a macro is given.
fn without_attribute(item: TokenStream, index: usize) -> TokenStream {
    let mut tokens: Vec<_> = item.into_iter().collect();
    tokens.drain(2 * index..2 * index + 2);
    tokens.into_iter().collect()
}

/// The item without its derives: the compiler has consumed them by then.
fn without_derives(item: TokenStream) -> TokenStream {
    let mut parsed: syn::DeriveInput = syn::parse2(item).expect("derives stand on types");
    parsed
        .attrs
        .retain(|attribute| last_segment(attribute.path()) != "derive");
    parsed.to_token_stream()
}
