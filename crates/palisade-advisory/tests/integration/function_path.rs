//! Paths of functions, for any input.

use palisade_advisory::FunctionPath;
use proptest::prelude::*;

/// Text made of the tokens of paths, right and wrong.
fn token_soup() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "a", "Type", "as", " as ", "::", ":", "<", ">", "->", ",", " ", "(", ")", "[", "]", "&",
        "dyn ", "r#", "1", "'a", "é", "!", "()", "fn", "{", "}", "-",
    ]);
    prop::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat())
}

/// Paths that are right by construction, in the forms that people write.
fn valid_path() -> impl Strategy<Value = String> {
    // `as` is a keyword in a qualified path, and no name anywhere.
    let name = "[a-zA-Z_][a-zA-Z0-9_]{0,6}".prop_filter("a keyword", |name| name != "as");
    let argument =
        prop::sample::select(vec!["T", "Vec<u8>", "&'a mut [T; 3]", "fn(A, B) -> C", "3"]);
    let generics = prop::collection::vec(argument, 1..4).prop_map(|list| list.join(","));
    let segment =
        (name, prop::option::of((any::<bool>(), generics))).prop_map(|(name, generics)| {
            match generics {
                None => name,
                Some((turbofish, list)) => {
                    format!("{name}{}<{list}>", if turbofish { "::" } else { "" })
                }
            }
        });
    let path = prop::collection::vec(segment, 1..6).prop_map(|segments| segments.join("::"));
    let qualified =
        (path.clone(), path.clone()).prop_map(|(self_type, of)| format!("<{self_type} as {of}>::"));
    (prop::option::of(qualified), path).prop_map(|(head, path)| head.unwrap_or_default() + &path)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Guards that whatever parses has a normal form that parses to the same.
    #[test]
    fn the_normal_form_round_trips(text in token_soup()) {
        if let Ok(path) = FunctionPath::parse(&text) {
            prop_assert_eq!(FunctionPath::parse(&path.to_string()), Ok(path));
        }
    }

    /// Guards that every path of a documented form parses, and round-trips.
    #[test]
    fn documented_forms_parse(text in valid_path()) {
        let path = FunctionPath::parse(&text);
        prop_assert!(path.is_ok(), "{:?}: {:?}", text, path);
        prop_assert_eq!(FunctionPath::parse(&path.clone().unwrap().to_string()), path);
    }

    /// Guards that no text panics, nor yields an offset outside of it.
    #[test]
    fn never_panics(text in any::<String>()) {
        let _ = FunctionPath::parse(&text);
        let _ = FunctionPath::parse(&format!("<{text}>::m"));
        let _ = FunctionPath::parse(&format!("a::B<{text}>"));
    }
}

/// Guards against input that makes the parser recurse or go quadratic.
#[test]
fn long_input_is_quick() {
    for unit in ["<", "a<", "a::", "as ", "<a as ", "(", ","] {
        let _ = FunctionPath::parse(&unit.repeat(4096 / unit.len()));
        let _ = FunctionPath::parse(&format!("<{}", unit.repeat(4090 / unit.len())));
    }
}
