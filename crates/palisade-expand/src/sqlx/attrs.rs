//! `#[sqlx(..)]` on a type, a field or a variant.

use heck::{ToKebabCase, ToLowerCamelCase, ToShoutySnakeCase, ToSnakeCase, ToUpperCamelCase};
use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::{Attribute, LitStr, Meta, Token, Type, parenthesized};

/// What the attributes say; most entries have a meaning in one place only.
#[derive(Default)]
pub(super) struct Attrs {
    pub(super) transparent: bool,
    pub(super) no_pg_array: bool,
    pub(super) default: bool,
    pub(super) flatten: bool,
    pub(super) skip: bool,
    pub(super) json: Option<Json>,
    pub(super) try_from: Option<Type>,
    pub(super) rename: Option<String>,
    pub(super) type_name: Option<String>,
    /// The integer of `#[repr(..)]`.
    pub(super) repr: Option<Ident>,
    rename_all: Option<String>,
}

/// `json` or `json(nullable)`
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Json {
    Required,
    Nullable,
}

impl Attrs {
    pub(super) fn read(attrs: &[Attribute]) -> syn::Result<Self> {
        let mut read = Self::default();
        for attr in attrs {
            if attr.path().is_ident("repr") {
                let name: syn::Result<Meta> = attr.parse_args();
                read.repr = name.ok().and_then(|meta| meta.path().get_ident().cloned());
                continue;
            }
            if !attr.path().is_ident("sqlx") {
                continue;
            }
            attr.parse_nested_meta(|meta| {
                let name = meta.path.require_ident()?.to_string();
                match name.as_str() {
                    "transparent" => read.transparent = true,
                    "no_pg_array" => read.no_pg_array = true,
                    "default" => read.default = true,
                    "flatten" => read.flatten = true,
                    "skip" => read.skip = true,
                    "json" if meta.input.peek(syn::token::Paren) => {
                        let inside;
                        parenthesized!(inside in meta.input);
                        inside.parse::<Ident>()?;
                        read.json = Some(Json::Nullable);
                    }
                    "json" => read.json = Some(Json::Required),
                    _ => {
                        meta.input.parse::<Token![=]>()?;
                        let value: LitStr = meta.input.parse()?;
                        match name.as_str() {
                            "try_from" => {
                                read.try_from = Some(crate::support::parse_literal(&value)?);
                            }
                            "rename" => read.rename = Some(value.value()),
                            "type_name" => read.type_name = Some(value.value()),
                            "rename_all" => read.rename_all = Some(value.value()),
                            _ => return Err(meta.error("unknown attribute")),
                        }
                    }
                }
                Ok(())
            })?;
        }
        Ok(read)
    }

    /// The name in the database of a field or variant of this type.
    pub(super) fn name_of(&self, member: &Ident, own: &Self) -> String {
        if let Some(rename) = &own.rename {
            return rename.clone();
        }
        let name = member.unraw().to_string();
        match self.rename_all.as_deref() {
            Some("lowercase") => name.to_lowercase(),
            Some("UPPERCASE") => name.to_uppercase(),
            Some("snake_case") => name.to_snake_case(),
            Some("SCREAMING_SNAKE_CASE") => name.to_shouty_snake_case(),
            Some("kebab-case") => name.to_kebab_case(),
            Some("camelCase") => name.to_lower_camel_case(),
            Some("PascalCase") => name.to_upper_camel_case(),
            _ => name,
        }
    }
}
