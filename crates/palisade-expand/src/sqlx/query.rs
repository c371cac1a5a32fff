//! `query!` and its relatives.
//!
//! The real macro asks a database, or what `cargo sqlx prepare` recorded of
//! its answer. The record of a query is asked for as the file
//! `.sqlx/query-<hash>.json`; without it the columns are unknown, and the
//! expansion reads values of every type that the database has, so that it
//! calls rather too much than too little.

use std::fmt::Write;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use serde_json::Value;
use sha2::{Digest, Sha256};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, ExprArray, LitBool, LitStr, Token, Type};

use super::Drivers;
use super::types::{Database, Types};
use crate::Invocation;
use crate::support::{Expansion, Refusal};

/// What a row becomes.
enum Output {
    /// A struct `Record` made for the query.
    Record,
    /// A struct that the caller names.
    Given(Box<Type>),
    /// The only column.
    Scalar,
}

struct Query {
    sql: String,
    /// The path of `query_file!`.
    file: Option<LitStr>,
    args: Vec<Expr>,
    output: Output,
    checked: bool,
}

impl Parse for Query {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut query = Self {
            sql: String::new(),
            file: None,
            args: Vec::new(),
            output: Output::Record,
            checked: true,
        };
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            match key.to_string().as_str() {
                "source" => {
                    let parts = Punctuated::<LitStr, Token![+]>::parse_separated_nonempty(input)?;
                    query.sql = parts.iter().map(LitStr::value).collect();
                }
                "source_file" => query.file = Some(input.parse()?),
                "args" => query.args = input.parse::<ExprArray>()?.elems.into_iter().collect(),
                "record" => query.output = Output::Given(Box::new(input.parse()?)),
                "scalar" => {
                    input.parse::<Token![_]>()?;
                    query.output = Output::Scalar;
                }
                "checked" => query.checked = input.parse::<LitBool>()?.value,
                _ => return Err(syn::Error::new(key.span(), "unknown key")),
            }
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(query)
    }
}

/// What the record of a query says.
struct Described {
    database: Database,
    columns: Vec<Column>,
}

struct Column {
    name: Ident,
    /// None for a column that is read with a check at run time.
    ty: Option<TokenStream>,
    nullable: bool,
}

/// `expand_query!`
pub(super) fn expand_query(invocation: &Invocation<'_>) -> Expansion {
    let mut query: Query = syn::parse2(invocation.item.clone())?;
    if let Some(file) = &query.file {
        query.sql = (invocation.env)(&format!("file:{}", file.value())).unwrap_or_default();
    }
    let types = Types::of(invocation);
    let described = described(&query.sql, invocation, &types)?;
    let names = Names::of(invocation.version);
    let database = match &described {
        Some(described) => described.database,
        None => guessed(invocation),
    };
    let args = args(&query, database, &names);
    let rows = match &described {
        Some(described) => known(&query, described, &names),
        None => unknown(&query, database, &names),
    };
    Ok(quote! {{
        use ::sqlx::Arguments as _;
        #args
        #rows
    }})
}

/// Names that differ between versions of sqlx.
struct Names {
    query_with: TokenStream,
    query_scalar_with: TokenStream,
    /// Adding an argument can fail.
    fallible: bool,
}

impl Names {
    fn of(version: Option<&str>) -> Self {
        let old = version
            .and_then(|version| version.strip_prefix("0."))
            .and_then(|rest| rest.split('.').next())
            .and_then(|minor| minor.parse::<u32>().ok())
            .is_some_and(|minor| minor < 8);
        if old {
            Self {
                query_with: quote!(::sqlx::query_with),
                query_scalar_with: quote!(::sqlx::query_scalar_with),
                fallible: false,
            }
        } else {
            Self {
                query_with: quote!(::sqlx::__query_with_result),
                query_scalar_with: quote!(::sqlx::__query_scalar_with_result),
                fallible: true,
            }
        }
    }
}

/// Statements that bind the arguments to `query_args`.
fn args(query: &Query, database: Database, names: &Names) -> TokenStream {
    let db = database.path();
    let arguments = if names.fallible {
        quote!(<#db as ::sqlx::database::Database>::Arguments::<'_>::default())
    } else {
        quote!(<#db as ::sqlx::database::HasArguments>::Arguments::default())
    };
    let ok = quote!(::core::result::Result::<_, ::sqlx::error::BoxDynError>::Ok);
    if query.args.is_empty() {
        return if names.fallible {
            quote!(let query_args = #ok(#arguments);)
        } else {
            quote!(let query_args = #arguments;)
        };
    }
    let count = query.args.len();
    let locals: Vec<_> = (0..count)
        .map(|index| format_ident!("arg{index}"))
        .collect();
    let values = query.args.iter().map(without_wildcard);
    let add = if names.fallible {
        quote! {
            let query_args = #ok(query_args)
                #(.and_then(move |mut query_args| query_args.add(#locals).map(move |()| query_args)))*;
        }
    } else {
        quote!(#(query_args.add(#locals);)*)
    };
    quote! {
        #(let #locals = &(#values);)*
        let mut query_args = #arguments;
        query_args.reserve(
            #count,
            0 #(+ ::sqlx::encode::Encode::<#db>::size_hint(#locals))*
        );
        #add
    }
}

/// `value as _` only silences the check of the argument's type.
fn without_wildcard(expr: &Expr) -> TokenStream {
    match expr {
        Expr::Group(group) => without_wildcard(&group.expr),
        Expr::Cast(cast) if matches!(*cast.ty, Type::Infer(_)) => cast.expr.to_token_stream(),
        _ => expr.to_token_stream(),
    }
}

/// The query with its columns known.
fn known(query: &Query, described: &Described, names: &Names) -> TokenStream {
    let (db, row) = (described.database.path(), described.database.row());
    let sql = sql(query);
    let Names {
        query_with,
        query_scalar_with,
        ..
    } = names;
    let columns = &described.columns;
    if columns.is_empty() {
        return quote!(#query_with::<#db, _>(#sql, query_args));
    }
    let whole = |column: &Column| match (&column.ty, column.nullable) {
        (Some(ty), false) => ty.clone(),
        (Some(ty), true) => quote!(::std::option::Option<#ty>),
        (None, false) => quote!(_),
        (None, true) => quote!(::std::option::Option<_>),
    };
    if let (Output::Scalar, [column, ..]) = (&query.output, columns.as_slice()) {
        let ty = whole(column);
        return quote!(#query_scalar_with::<#db, #ty, _>(#sql, query_args));
    }
    let reads = columns.iter().enumerate().map(|(index, column)| {
        let local = format_ident!("sqlx_query_as_{}", column.name);
        let ty = whole(column);
        match (query.checked, &column.ty, column.nullable) {
            (true, Some(_), _) => {
                quote!(let #local = row.try_get_unchecked::<#ty, _>(#index)?.into();)
            }
            (true, None, false) => quote!(let #local = row.try_get(#index)?;),
            (true, None, true) => quote!(let #local = row.try_get::<#ty, _>(#index)?;),
            (false, _, _) => quote!(let #local = row.try_get_unchecked(#index)?;),
        }
    });
    let (fields, locals): (Vec<_>, Vec<_>) = columns
        .iter()
        .map(|column| (&column.name, format_ident!("sqlx_query_as_{}", column.name)))
        .unzip();
    let (record, output) = match &query.output {
        Output::Given(ty) => (None, ty.to_token_stream()),
        Output::Record | Output::Scalar => {
            let types = columns.iter().map(whole);
            let record = quote! {
                #[derive(Debug)]
                #[allow(non_snake_case)]
                struct Record { #(#fields: #types,)* }
            };
            (Some(record), quote!(Record))
        }
    };
    quote! {
        #record
        #query_with::<#db, _>(#sql, query_args).try_map(|row: #row| {
            use ::sqlx::Row as _;
            #(#[allow(non_snake_case)] #reads)*
            ::std::result::Result::Ok(#output { #(#fields: #locals),* })
        })
    }
}

/// The query with its columns unknown.
fn unknown(query: &Query, database: Database, names: &Names) -> TokenStream {
    let (db, row) = (database.path(), database.row());
    let sql = sql(query);
    let Names {
        query_with,
        query_scalar_with,
        ..
    } = names;
    if matches!(query.output, Output::Scalar) {
        return quote!(#query_scalar_with::<#db, _, _>(#sql, query_args));
    }
    let (record, output) = match &query.output {
        Output::Given(ty) => (None, ty.to_token_stream()),
        Output::Record | Output::Scalar => (
            Some(quote!(
                #[derive(Debug)]
                struct Record {}
            )),
            quote!(Record),
        ),
    };
    let types = database.basic_types();
    quote! {
        #record
        #query_with::<#db, _>(#sql, query_args).try_map(|row: #row| {
            use ::sqlx::Row as _;
            #(row.try_get_unchecked::<::std::option::Option<#types>, _>(0usize)?;)*
            ::std::result::Result::<#output, ::sqlx::Error>::Err(::sqlx::Error::RowNotFound)
        })
    }
}

fn sql(query: &Query) -> TokenStream {
    match &query.file {
        Some(path) => quote!(include_str!(#path)),
        None => query.sql.to_token_stream(),
    }
}

/// The database that an undescribed query is probably for.
fn guessed(invocation: &Invocation<'_>) -> Database {
    let url = (invocation.env)("DATABASE_URL").unwrap_or_default();
    let drivers = Drivers::of(invocation);
    match url.split(':').next() {
        Some("mysql" | "mariadb") => Database::MySql,
        Some("sqlite") => Database::Sqlite,
        Some("postgres" | "postgresql") => Database::Postgres,
        _ if drivers.postgres => Database::Postgres,
        _ if drivers.mysql => Database::MySql,
        _ => Database::Sqlite,
    }
}

/// The record of the query, if there is one.
fn described(
    sql: &str,
    invocation: &Invocation<'_>,
    types: &Types,
) -> Result<Option<Described>, Refusal> {
    let mut file = String::from("file:.sqlx/query-");
    for byte in Sha256::digest(sql.as_bytes()) {
        // Writing to a string cannot fail.
        let _ = write!(file, "{byte:02x}");
    }
    file.push_str(".json");
    let Some(text) = (invocation.env)(&file) else {
        return Ok(None);
    };
    let invalid = || Refusal::new("the record of the query is not valid");
    let record: Value = serde_json::from_str(&text).map_err(|_| invalid())?;
    let database = match record["db_name"].as_str() {
        Some("PostgreSQL") => Database::Postgres,
        Some("MySQL") => Database::MySql,
        Some("SQLite") => Database::Sqlite,
        _ => return Err(invalid()),
    };
    let description = &record["describe"];
    let columns = description["columns"].as_array().ok_or_else(invalid)?;
    let columns = columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column["type_info"].as_str() != Some("Void"))
        .map(|(index, column)| {
            let nullable = description["nullable"][index].as_bool().unwrap_or(true);
            let name = column["name"].as_str().ok_or_else(invalid)?;
            let ty = types.of_column(database, &column["type_info"]);
            self::column(name, ty, nullable)
        })
        .collect::<Result<_, Refusal>>()?;
    Ok(Some(Described { database, columns }))
}

/// A column, with what its name says after `!`, `?` and `:`.
fn column(name: &str, ty: Option<TokenStream>, nullable: bool) -> Result<Column, Refusal> {
    let end = name.find([':', '!', '?']).unwrap_or(name.len());
    let (field, rest) = name.split_at(end);
    let field = syn::parse_str::<Ident>(field)
        .or_else(|_| syn::parse_str::<Ident>(&format!("r#{field}")))
        .map_err(|_| Refusal::new(format!("the column `{field}` is no field")))?;
    let (nullable, rest) = match rest.chars().next() {
        Some('!') => (false, &rest[1..]),
        Some('?') => (true, &rest[1..]),
        _ => (nullable, rest),
    };
    let ty = match rest.trim().strip_prefix(':') {
        Some(text) => {
            let literal = LitStr::new(text, proc_macro2::Span::call_site());
            match crate::support::parse_literal(&literal)? {
                Type::Infer(_) => None,
                ty => Some(ty.into_token_stream()),
            }
        }
        None => ty,
    };
    Ok(Column {
        name: field,
        ty,
        nullable,
    })
}
