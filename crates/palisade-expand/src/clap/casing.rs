//! How clap spells the name of an argument, a subcommand or a value.

use heck::{ToKebabCase, ToLowerCamelCase, ToShoutySnakeCase, ToSnakeCase, ToUpperCamelCase};
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;

/// The values of `rename_all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Casing {
    Camel,
    Kebab,
    Pascal,
    ScreamingSnake,
    Snake,
    Lower,
    Upper,
    Verbatim,
}

impl Casing {
    /// Reads the value of `rename_all`, which clap accepts in any casing.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let name = text.to_upper_camel_case().to_lowercase();
        let name = name.strip_suffix("case").unwrap_or(&name);
        Some(match name {
            "camel" => Self::Camel,
            "kebab" => Self::Kebab,
            "pascal" => Self::Pascal,
            "screamingsnake" => Self::ScreamingSnake,
            "snake" => Self::Snake,
            "lower" => Self::Lower,
            "upper" => Self::Upper,
            "verbatim" => Self::Verbatim,
            _ => return None,
        })
    }

    fn apply(self, name: &str) -> String {
        match self {
            Self::Camel => name.to_lower_camel_case(),
            Self::Kebab => name.to_kebab_case(),
            Self::Pascal => name.to_upper_camel_case(),
            Self::ScreamingSnake => name.to_shouty_snake_case(),
            Self::Snake => name.to_snake_case(),
            Self::Lower => name.to_snake_case().replace('_', ""),
            Self::Upper => name.to_shouty_snake_case().replace('_', ""),
            Self::Verbatim => name.to_owned(),
        }
    }
}

/// A name derived from an identifier, or given as an expression.
#[derive(Clone, Debug)]
pub(crate) enum Name {
    Derived(Ident),
    Given(TokenStream),
}

impl Name {
    pub(crate) fn cased(&self, casing: Casing) -> TokenStream {
        match self {
            Self::Given(tokens) => tokens.clone(),
            Self::Derived(ident) => casing.apply(&ident.unraw().to_string()).into_token_stream(),
        }
    }

    /// The first character, for `short`.
    pub(crate) fn first_char(&self, casing: Casing) -> TokenStream {
        match self {
            Self::Given(tokens) => quote!((#tokens).chars().next().unwrap()),
            Self::Derived(ident) => {
                let name = casing.apply(&ident.unraw().to_string());
                name.chars().next().unwrap_or('_').into_token_stream()
            }
        }
    }
}

impl ToTokens for Name {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.cased(Casing::Verbatim).to_tokens(tokens);
    }
}
