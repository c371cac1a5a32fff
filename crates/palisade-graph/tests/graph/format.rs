//! The format of fragments: what is written can be read, and what is hostile
//! is refused.

use palisade_graph::{Capable, FORMAT, FormatError, Fragment, MAGIC, Origin, ReadLimits};
use palisade_model::BlindSpotCause;
use palisade_model::facts::{
    AdtFact, BUILTINS, CallFact, CallKind, CrateFacts, CrateKind, CrateRef, FunctionFact,
    FunctionKind, ImplFact, Item, SpotFact, TraitFact, TypeFact, UnresolvedFact, Unsizing,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// Items, types and functions of a generated crate; places point into these.
const ITEMS: u32 = 6;
const TYPES: u32 = 5;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[a-c:]{0,12}",
        "\\PC{0,6}",
        Just("module::<Type as Trait>::method".to_owned()),
    ]
}

fn item() -> impl Strategy<Value = u32> {
    0..ITEMS
}

fn ty() -> impl Strategy<Value = u32> {
    0..TYPES
}

fn type_fact() -> impl Strategy<Value = TypeFact> {
    prop_oneof![
        Just(TypeFact::Open),
        (item(), vec(ty(), 0..3)).prop_map(|(item, args)| TypeFact::Named { item, args }),
        (select(BUILTINS.to_vec()), vec(ty(), 0..3))
            .prop_map(|(name, args)| TypeFact::Builtin { name, args }),
        option::of(item()).prop_map(|item| TypeFact::Dyn { item }),
    ]
}

fn call() -> impl Strategy<Value = CallFact> {
    let kinds = select(CallKind::ALL.to_vec());
    (
        item(),
        kinds,
        option::of(ty()),
        vec(ty(), 0..3),
        any::<u32>(),
    )
        .prop_map(|(callee, kind, self_type, args, line)| CallFact {
            callee,
            kind,
            self_type,
            args,
            line,
        })
}

fn function() -> impl Strategy<Value = FunctionFact> {
    let flags = any::<[bool; 4]>();
    let numbers = (any::<u32>(), any::<u32>(), any::<u32>(), any::<u64>());
    let unsizing =
        (ty(), item(), any::<u32>()).prop_map(|(from, to, line)| Unsizing { from, to, line });
    let unresolved = (text(), any::<u32>()).prop_map(|(name, line)| UnresolvedFact { name, line });
    let lists = (
        vec(call(), 0..4),
        vec(unsizing, 0..2),
        vec(item(), 0..4),
        vec(unresolved, 0..2),
    );
    let kinds = select(FunctionKind::ALL.to_vec());
    (item(), kinds, flags, option::of(text()), numbers, lists).prop_map(
        |(item, kind, flags, symbol, (generics, file, line, hash), lists)| FunctionFact {
            item,
            kind,
            public: flags[0],
            is_unsafe: flags[1],
            has_unsafe: flags[2],
            entry: flags[3],
            symbol,
            generics,
            file,
            line,
            hash,
            calls: lists.0,
            unsizings: lists.1,
            uses: lists.2,
            unresolved: lists.3,
        },
    )
}

fn facts() -> impl Strategy<Value = CrateFacts> {
    let krate = (text(), text(), text()).prop_map(|(package, version, name)| CrateRef {
        package,
        version,
        name,
    });
    let named = (0..3_u32, text()).prop_map(|(krate, path)| Item { krate, path });
    let of_trait = (
        item(),
        vec(item(), 0..2),
        vec(item(), 0..3),
        vec(item(), 0..2),
    )
        .prop_map(|(item, supertraits, members, in_vtable)| TraitFact {
            item,
            supertraits,
            members,
            in_vtable,
        });
    let adt = (item(), vec(item(), 0..3)).prop_map(|(item, parts)| AdtFact { item, parts });
    let of_impl = (item(), ty(), vec((item(), item()), 0..3), vec(item(), 0..2)).prop_map(
        |(of, self_type, members, types)| ImplFact {
            of,
            self_type,
            members,
            types,
        },
    );
    let causes = vec![BlindSpotCause::UnexpandedMacro, BlindSpotCause::ForeignCode];
    let spot =
        (select(causes), text(), text(), any::<u32>()).prop_map(|(cause, detail, file, line)| {
            SpotFact {
                cause,
                detail,
                file,
                line,
            }
        });
    let head = (
        select(CrateKind::ALL.to_vec()),
        text(),
        any::<u32>(),
        vec(krate, 3),
        vec(named, ITEMS as usize),
        vec(type_fact(), TYPES as usize),
    );
    let lists = (
        vec(text(), 0..3),
        vec(function(), 0..5),
        vec(of_trait, 0..2),
        vec(adt, 0..2),
        vec(of_impl, 0..3),
        vec(spot, 0..2),
    );
    (head, lists).prop_map(
        |((kind, name, lines, crates, items, types), lists)| CrateFacts {
            kind,
            name,
            lines,
            crates,
            items,
            types,
            files: lists.0,
            functions: lists.1,
            traits: lists.2,
            adts: lists.3,
            impls: lists.4,
            blind_spots: lists.5,
        },
    )
}

fn fragment() -> impl Strategy<Value = Fragment> {
    let origins = select(Origin::ALL.to_vec());
    let texts = (text(), text(), text(), vec(text(), 0..3), vec(text(), 0..2));
    (texts, origins, vec(facts(), 0..3), any::<u16>()).prop_map(
        |((package, version, engine, features, missing), origin, crates, bits)| {
            let mut capabilities = Vec::new();
            for (krate, facts) in crates.iter().enumerate() {
                for function in 0..facts.functions.len() {
                    capabilities.push(Capable {
                        krate: krate as u32,
                        function: function as u32,
                        capabilities: bits,
                    });
                }
            }
            Fragment {
                package,
                version,
                origin,
                features,
                engine,
                missing,
                crates,
                capabilities,
            }
        },
    )
}

fn read(bytes: &[u8]) -> Result<Fragment, FormatError> {
    Fragment::decode(bytes, &ReadLimits::default())
}

proptest! {
    /// Guards that nothing is lost on the way through a file.
    #[test]
    fn what_is_written_is_read(fragment in fragment()) {
        let bytes = fragment.encode();
        prop_assert_eq!(read(&bytes), Ok(fragment));
    }

    /// Guards that any bytes are an error or a fragment, never a panic.
    #[test]
    fn any_bytes_are_read(bytes in vec(any::<u8>(), 0..200)) {
        let mut file = MAGIC.to_vec();
        file.push(FORMAT);
        file.extend(&bytes);
        drop(read(&file));
        drop(read(&bytes));
    }

    /// Guards the checks behind the compression, which hides every change from
    /// a test that only damages files: the payload itself is damaged here.
    #[test]
    fn damaged_payloads_are_read(
        fragment in fragment(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in option::of(any::<prop::sample::Index>()),
    ) {
        let mut payload = unpacked(&fragment.encode());
        for (place, byte) in changes {
            let place = place.index(payload.len());
            payload[place] = byte;
        }
        if let Some(cut) = cut {
            payload.truncate(cut.index(payload.len()));
        }
        // What is still a fragment can be written again.
        if let Ok(fragment) = read(&packed(&payload)) {
            prop_assert_eq!(read(&fragment.encode()), Ok(fragment));
        }
    }
}

fn unpacked(file: &[u8]) -> Vec<u8> {
    use std::io::Read;
    let size = file[5..].iter().position(|byte| *byte < 0x80).unwrap() + 1;
    let mut payload = Vec::new();
    flate2::read::ZlibDecoder::new(&file[5 + size..])
        .read_to_end(&mut payload)
        .unwrap();
    payload
}

fn packed(payload: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut file = MAGIC.to_vec();
    file.push(FORMAT);
    let mut size = payload.len();
    while size >= 0x80 {
        file.push(size as u8 | 0x80);
        size >>= 7;
    }
    file.push(size as u8);
    let mut encoder = flate2::write::ZlibEncoder::new(file, flate2::Compression::fast());
    encoder.write_all(payload).unwrap();
    encoder.finish().unwrap()
}

/// Guards that each kind of wrong file is told apart.
#[test]
fn what_is_no_fragment_is_refused() {
    assert_eq!(read(b""), Err(FormatError::Magic));
    assert_eq!(read(b"PK\x03\x04 and so on"), Err(FormatError::Magic));
    let mut file = Fragment::default().encode();
    file[4] = FORMAT + 1;
    assert_eq!(read(&file), Err(FormatError::Version { found: FORMAT + 1 }));
    let good = Fragment::default().encode();
    let small = ReadLimits { payload: 3 };
    let refused = Fragment::decode(&good, &small);
    assert!(matches!(
        refused,
        Err(FormatError::TooLarge { limit: 3, .. })
    ));
    for cut in 5..good.len() {
        assert!(
            matches!(read(&good[..cut]), Err(FormatError::Damaged { .. })),
            "{cut}"
        );
    }
    let mut longer = good.clone();
    longer.push(0);
    assert!(matches!(read(&longer), Err(FormatError::Damaged { .. })));
}

/// Guards against a small file that asks for much memory by naming one long
/// string over and over.
#[test]
fn a_long_string_is_not_named_forever() {
    let long = "x".repeat(60_000);
    let fragment = Fragment {
        package: "bomb".to_owned(),
        missing: vec![long; 100_000],
        ..Fragment::default()
    };
    let file = fragment.encode();
    assert!(file.len() < 10_000, "{}", file.len());
    assert!(matches!(read(&file), Err(FormatError::Damaged { .. })));
}
