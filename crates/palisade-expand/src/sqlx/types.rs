//! The types of Rust for the types of the databases, as `query!` chooses them.

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;

use crate::Invocation;

/// The databases that sqlx knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Database {
    Postgres,
    MySql,
    Sqlite,
}

impl Database {
    pub(super) fn path(self) -> TokenStream {
        match self {
            Self::Postgres => quote!(sqlx::postgres::Postgres),
            Self::MySql => quote!(sqlx::mysql::MySql),
            Self::Sqlite => quote!(sqlx::sqlite::Sqlite),
        }
    }

    pub(super) fn row(self) -> TokenStream {
        match self {
            Self::Postgres => quote!(sqlx::postgres::PgRow),
            Self::MySql => quote!(sqlx::mysql::MySqlRow),
            Self::Sqlite => quote!(sqlx::sqlite::SqliteRow),
        }
    }

    /// The types that need no feature of sqlx.
    pub(super) fn basic_types(self) -> Vec<TokenStream> {
        let mut types = vec![
            quote!(bool),
            quote!(i32),
            quote!(i64),
            quote!(f64),
            quote!(String),
            quote!(Vec<u8>),
        ];
        if self != Self::Sqlite {
            types.extend([quote!(i8), quote!(i16), quote!(f32)]);
        }
        match self {
            Self::MySql => types.extend([quote!(u8), quote!(u16), quote!(u32), quote!(u64)]),
            Self::Postgres => types.extend([
                quote!(Vec<bool>),
                quote!(Vec<i32>),
                quote!(Vec<i64>),
                quote!(Vec<f64>),
                quote!(Vec<String>),
            ]),
            Self::Sqlite => {}
        }
        types
    }
}

/// Which of the optional types to choose.
pub(super) struct Types {
    /// The `time` crate, which wins over `chrono`.
    time: bool,
    /// `rust_decimal` without `bigdecimal`, which wins over it.
    decimal: bool,
    /// `ipnet` without `ipnetwork`, which wins over it.
    ipnet: bool,
}

impl Types {
    pub(super) fn of(invocation: &Invocation<'_>) -> Self {
        let has = |feature: &str| (invocation.env)(&format!("feature:{feature}")).is_some();
        Self {
            time: has("time"),
            decimal: has("rust_decimal") && !has("bigdecimal"),
            ipnet: has("ipnet") && !has("ipnetwork"),
        }
    }

    /// The type of a column; none if there is none for it.
    pub(super) fn of_column(&self, database: Database, info: &Value) -> Option<TokenStream> {
        match database {
            Database::Postgres => self.of_postgres(info.as_str()?),
            Database::Sqlite => self.of_sqlite(info.as_str()?),
            Database::MySql => self.of_mysql(info),
        }
    }

    fn date(&self) -> TokenStream {
        self.choose(&quote!(NaiveDate), &quote!(Date))
    }

    fn time_of_day(&self) -> TokenStream {
        self.choose(&quote!(NaiveTime), &quote!(Time))
    }

    fn local(&self) -> TokenStream {
        self.choose(&quote!(NaiveDateTime), &quote!(PrimitiveDateTime))
    }

    fn zoned(&self) -> TokenStream {
        self.choose(
            &quote!(DateTime<sqlx::types::chrono::Utc>),
            &quote!(OffsetDateTime),
        )
    }

    fn choose(&self, chrono: &TokenStream, time: &TokenStream) -> TokenStream {
        if self.time {
            quote!(sqlx::types::time::#time)
        } else {
            quote!(sqlx::types::chrono::#chrono)
        }
    }

    fn number(&self) -> TokenStream {
        if self.decimal {
            quote!(sqlx::types::Decimal)
        } else {
            quote!(sqlx::types::BigDecimal)
        }
    }

    fn of_postgres(&self, name: &str) -> Option<TokenStream> {
        if let Some(element) = name.strip_suffix("Array") {
            let element = self.of_postgres(element)?;
            return Some(quote!(Vec<#element>));
        }
        if let Some(bound) = name.strip_suffix("Range") {
            let bound = match bound {
                "Int4" => quote!(i32),
                "Int8" => quote!(i64),
                "Num" => self.number(),
                "Date" => self.date(),
                "Ts" => self.local(),
                "Tstz" => self.zoned(),
                _ => return None,
            };
            return Some(quote!(sqlx::postgres::types::PgRange<#bound>));
        }
        Some(match name {
            "Bool" => quote!(bool),
            "Char" => quote!(i8),
            "Int2" => quote!(i16),
            "Int4" => quote!(i32),
            "Int8" => quote!(i64),
            "Float4" => quote!(f32),
            "Float8" => quote!(f64),
            "Text" | "Varchar" | "Bpchar" | "Name" | "Unknown" => quote!(String),
            "Bytea" => quote!(Vec<u8>),
            "Oid" => quote!(sqlx::postgres::types::Oid),
            "Uuid" => quote!(sqlx::types::Uuid),
            "Date" => self.date(),
            "Time" => self.time_of_day(),
            "Timestamp" => self.local(),
            "Timestamptz" => self.zoned(),
            "Timetz" if self.time => quote! {
                sqlx::postgres::types::PgTimeTz<sqlx::types::time::Time, sqlx::types::time::UtcOffset>
            },
            "Timetz" => quote! {
                sqlx::postgres::types::PgTimeTz<sqlx::types::chrono::NaiveTime, sqlx::types::chrono::FixedOffset>
            },
            "Interval" => quote!(sqlx::postgres::types::PgInterval),
            "Money" => quote!(sqlx::postgres::types::PgMoney),
            "Numeric" => self.number(),
            "Json" | "Jsonb" => quote!(sqlx::types::JsonValue),
            "Inet" | "Cidr" if self.ipnet => quote!(sqlx::types::ipnet::IpNet),
            "Inet" | "Cidr" => quote!(sqlx::types::ipnetwork::IpNetwork),
            "Macaddr" => quote!(sqlx::types::mac_address::MacAddress),
            "Bit" | "Varbit" => quote!(sqlx::types::BitVec),
            _ => return None,
        })
    }

    fn of_sqlite(&self, name: &str) -> Option<TokenStream> {
        Some(match name {
            "Bool" => quote!(bool),
            "Int" | "Int4" => quote!(i32),
            "Int64" | "Integer" => quote!(i64),
            "Float" | "Numeric" => quote!(f64),
            "Text" => quote!(String),
            "Blob" => quote!(Vec<u8>),
            "Date" => self.date(),
            "Datetime" if self.time => quote!(sqlx::types::time::OffsetDateTime),
            "Datetime" => self.local(),
            _ => return None,
        })
    }

    fn of_mysql(&self, info: &Value) -> Option<TokenStream> {
        let name = info["type"].as_str()?;
        let flags = info["flags"].as_str().unwrap_or_default();
        let unsigned = flags.contains("UNSIGNED");
        // Before 0.8.4 the character set had a name of its own; 63 is `binary`.
        let charset = info["collation"].as_u64().or(info["char_set"].as_u64());
        let binary = charset == Some(63) || info["collation"].as_str() == Some("binary");
        Some(match (name, unsigned) {
            ("Tiny", false) if info["max_size"].as_u64() == Some(1) => quote!(bool),
            ("Tiny", false) => quote!(i8),
            ("Tiny", true) => quote!(u8),
            ("Short", false) => quote!(i16),
            ("Short" | "Year", _) => quote!(u16),
            ("Long" | "Int24", false) => quote!(i32),
            ("Long" | "Int24", true) => quote!(u32),
            ("LongLong", false) => quote!(i64),
            ("LongLong" | "Bit", _) => quote!(u64),
            ("Float", _) => quote!(f32),
            ("Double", _) => quote!(f64),
            ("Decimal" | "NewDecimal", _) => self.number(),
            ("Date", _) => self.date(),
            ("Time", _) => self.time_of_day(),
            ("Datetime", _) => self.local(),
            ("Timestamp", _) => self.zoned(),
            ("Json", _) => quote!(sqlx::types::JsonValue),
            (
                "VarChar" | "VarString" | "String" | "Enum" | "Set" | "Blob" | "TinyBlob"
                | "MediumBlob" | "LongBlob",
                _,
            ) => {
                if binary {
                    quote!(Vec<u8>)
                } else {
                    quote!(String)
                }
            }
            _ => return None,
        })
    }
}
