//! `sqlx-macros`: the derives for rows and values, the query macros, `migrate!`
//! and `#[sqlx::test]`.

mod attrs;
mod query;
mod row;
mod test;
mod types;
mod value;

use proc_macro2::TokenStream;
use quote::quote;

use crate::Invocation;
use crate::registry::Macro;

pub(crate) const MACROS: &[Macro] = &[
    Macro::derive("sqlx-macros", "FromRow", row::from_row),
    Macro::derive("sqlx-macros", "Type", value::all),
    Macro::derive("sqlx-macros", "Encode", value::encode),
    Macro::derive("sqlx-macros", "Decode", value::decode),
    Macro::function("sqlx-macros", "expand_query", query::expand_query),
    Macro::function("sqlx-macros", "migrate", test::migrate),
    Macro::attribute("sqlx-macros", "test", test::test),
];

/// The databases that `sqlx-macros` was built for.
struct Drivers {
    mysql: bool,
    postgres: bool,
    sqlite: bool,
}

impl Drivers {
    fn of(invocation: &Invocation<'_>) -> Self {
        let has = |feature: &str| (invocation.env)(&format!("feature:{feature}")).is_some();
        let (mysql, sqlite) = (has("mysql"), has("sqlite") || has("_sqlite"));
        Self {
            mysql,
            // Nobody said: the one that most of these derives are written for.
            postgres: has("postgres") || !(mysql || sqlite),
            sqlite,
        }
    }

    /// The database and its borrowed value, for each that is enabled.
    fn enabled(&self) -> impl Iterator<Item = (TokenStream, TokenStream)> {
        [
            (
                self.mysql,
                quote!(::sqlx::mysql::MySql),
                quote!(::sqlx::mysql::MySqlValueRef),
            ),
            (
                self.postgres,
                quote!(::sqlx::postgres::Postgres),
                quote!(::sqlx::postgres::PgValueRef),
            ),
            (
                self.sqlite,
                quote!(::sqlx::sqlite::Sqlite),
                quote!(::sqlx::sqlite::SqliteValueRef),
            ),
        ]
        .into_iter()
        .filter_map(|(enabled, database, value)| enabled.then_some((database, value)))
    }
}
