//! Writing.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use flate2::{Compression, write::ZlibEncoder};
use palisade_model::{
    BlindSpotCause,
    facts::{BUILTINS, CrateFacts, FunctionFact, TypeFact},
};

use super::columns::{COLUMNS, Column, put, zigzag};
use super::{FORMAT, Fragment, MAGIC};

/// Every cause, in the order of the format.
pub(super) const CAUSES: [BlindSpotCause; 9] = [
    BlindSpotCause::UnexpandedMacro,
    BlindSpotCause::ExpansionFailed,
    BlindSpotCause::GeneratedSource,
    BlindSpotCause::BuildScriptCfg,
    BlindSpotCause::UnresolvedCall,
    BlindSpotCause::LimitHit,
    BlindSpotCause::AnalysisPanic,
    BlindSpotCause::BrokenSource,
    BlindSpotCause::ForeignCode,
];

struct Writer<'a> {
    columns: [Vec<u8>; COLUMNS],
    strings: BTreeMap<&'a str, u64>,
    /// The last value of each column that holds differences.
    last: [i64; COLUMNS],
}

pub(super) fn encode(fragment: &Fragment) -> Vec<u8> {
    let mut writer = Writer {
        columns: Default::default(),
        strings: strings(fragment),
        last: [0; COLUMNS],
    };
    writer.write_strings();
    writer.fragment(fragment);
    let mut payload = Vec::new();
    for column in &writer.columns {
        put(&mut payload, column.len() as u64);
    }
    for column in &writer.columns {
        payload.extend_from_slice(column);
    }
    let mut file = MAGIC.to_vec();
    file.push(FORMAT);
    put(&mut file, payload.len() as u64);
    let mut encoder = ZlibEncoder::new(file, Compression::best());
    // A vector takes everything.
    let written = encoder.write_all(&payload);
    debug_assert!(written.is_ok());
    encoder.finish().unwrap_or_default()
}

/// Every string of the fragment, with its place in the sorted table.
fn strings(fragment: &Fragment) -> BTreeMap<&str, u64> {
    let mut set: BTreeSet<&str> = BTreeSet::new();
    set.extend([
        fragment.package.as_str(),
        &fragment.version,
        &fragment.engine,
    ]);
    set.extend(fragment.features.iter().map(String::as_str));
    set.extend(fragment.missing.iter().map(String::as_str));
    for facts in &fragment.crates {
        set.insert(&facts.name);
        for krate in &facts.crates {
            set.extend([krate.package.as_str(), &krate.version, &krate.name]);
        }
        set.extend(facts.items.iter().map(|item| item.path.as_str()));
        set.extend(facts.files.iter().map(String::as_str));
        for function in &facts.functions {
            set.extend(function.symbol.as_deref());
            set.extend(function.unresolved.iter().map(|call| call.name.as_str()));
        }
        for spot in &facts.blind_spots {
            set.extend([spot.detail.as_str(), &spot.file]);
        }
    }
    set.into_iter().zip(0..).collect()
}

impl<'a> Writer<'a> {
    fn put(&mut self, column: Column, value: impl Into<u64>) {
        put(&mut self.columns[column as usize], value.into());
    }

    fn count<T>(&mut self, column: Column, list: &[T]) {
        self.put(column, list.len() as u64);
    }

    /// The difference to the last value of the same column.
    fn difference(&mut self, column: Column, value: u32) {
        let last = std::mem::replace(&mut self.last[column as usize], value.into());
        self.put(column, zigzag(i64::from(value) - last));
    }

    fn string(&mut self, column: Column, text: &str) {
        let place = self.strings.get(text).copied();
        self.put(column, place.unwrap_or_default());
    }

    fn write_strings(&mut self) {
        let strings: Vec<&'a str> = self.strings.keys().copied().collect();
        self.count(Column::Strings, &strings);
        let mut previous = "";
        for text in strings {
            let shared = previous.bytes().zip(text.bytes());
            let shared = shared.take_while(|(a, b)| a == b).count();
            self.put(Column::Strings, shared as u64);
            self.put(Column::Strings, (text.len() - shared) as u64);
            self.columns[Column::Text as usize].extend_from_slice(&text.as_bytes()[shared..]);
            previous = text;
        }
    }

    fn fragment(&mut self, fragment: &Fragment) {
        self.string(Column::Head, &fragment.package);
        self.string(Column::Head, &fragment.version);
        self.put(Column::Head, fragment.origin as u64);
        self.string(Column::Head, &fragment.engine);
        for list in [&fragment.features, &fragment.missing] {
            self.count(Column::Head, list);
            for text in list {
                self.string(Column::Head, text);
            }
        }
        self.count(Column::Head, &fragment.crates);
        for facts in &fragment.crates {
            self.last = [0; COLUMNS];
            self.krate(facts);
        }
        self.count(Column::Capabilities, &fragment.capabilities);
        for capable in &fragment.capabilities {
            self.put(Column::Capabilities, capable.krate);
            self.difference(Column::Capabilities, capable.function);
            self.put(Column::Capabilities, capable.capabilities);
        }
    }

    fn krate(&mut self, facts: &CrateFacts) {
        self.put(Column::Head, facts.kind as u64);
        self.string(Column::Head, &facts.name);
        self.put(Column::Head, facts.lines);
        self.count(Column::Head, &facts.crates);
        for krate in &facts.crates {
            self.string(Column::Head, &krate.package);
            self.string(Column::Head, &krate.version);
            self.string(Column::Head, &krate.name);
        }
        self.count(Column::Head, &facts.items);
        for item in &facts.items {
            self.difference(Column::ItemCrates, item.krate);
            let place = self.strings.get(item.path.as_str()).copied();
            let place = u32::try_from(place.unwrap_or_default()).unwrap_or(u32::MAX);
            self.difference(Column::ItemPaths, place);
        }
        self.count(Column::Head, &facts.types);
        for ty in &facts.types {
            self.ty(ty);
        }
        self.count(Column::Head, &facts.files);
        for file in &facts.files {
            self.string(Column::Head, file);
        }
        self.count(Column::Head, &facts.functions);
        for function in &facts.functions {
            self.function(function);
        }
        self.count(Column::Head, &facts.traits);
        for fact in &facts.traits {
            self.difference(Column::Traits, fact.item);
            for list in [&fact.supertraits, &fact.members, &fact.in_vtable] {
                self.list(Column::Traits, list);
            }
        }
        self.count(Column::Head, &facts.adts);
        for fact in &facts.adts {
            self.difference(Column::Adts, fact.item);
            self.list(Column::Adts, &fact.parts);
        }
        self.count(Column::Head, &facts.impls);
        for fact in &facts.impls {
            self.difference(Column::Impls, fact.of);
            self.put(Column::Impls, fact.self_type);
            self.count(Column::Impls, &fact.members);
            for &(of, by) in &fact.members {
                self.difference(Column::Impls, of);
                self.difference(Column::Impls, by);
            }
            self.list(Column::Impls, &fact.types);
        }
        self.count(Column::Head, &facts.blind_spots);
        for spot in &facts.blind_spots {
            let cause = CAUSES.iter().position(|cause| *cause == spot.cause);
            self.put(Column::Spots, cause.unwrap_or_default() as u64);
            self.string(Column::Spots, &spot.detail);
            self.string(Column::Spots, &spot.file);
            self.put(Column::Spots, spot.line);
        }
    }

    /// A list of places, as its length and differences.
    fn list(&mut self, column: Column, list: &[u32]) {
        self.count(column, list);
        for &place in list {
            self.difference(column, place);
        }
    }

    fn ty(&mut self, ty: &TypeFact) {
        match ty {
            TypeFact::Open => self.put(Column::Types, 0_u64),
            TypeFact::Dyn { item: None } => self.put(Column::Types, 1_u64),
            TypeFact::Dyn { item: Some(item) } => {
                self.put(Column::Types, 2_u64);
                self.difference(Column::TypeArguments, *item);
            }
            TypeFact::Named { item, args } => {
                self.put(Column::Types, 3 + 2 * args.len() as u64);
                self.difference(Column::TypeArguments, *item);
                self.places(Column::TypeArguments, args);
            }
            TypeFact::Builtin { name, args } => {
                self.put(Column::Types, 4 + 2 * args.len() as u64);
                let place = BUILTINS.iter().position(|known| known == name);
                self.put(Column::Types, place.unwrap_or(BUILTINS.len() - 1) as u64);
                self.places(Column::TypeArguments, args);
            }
        }
    }

    fn places(&mut self, column: Column, places: &[u32]) {
        for &place in places {
            self.put(column, place);
        }
    }

    fn function(&mut self, function: &FunctionFact) {
        self.difference(Column::FunctionItems, function.item);
        let flags = [
            function.public,
            function.is_unsafe,
            function.has_unsafe,
            function.entry,
            function.symbol.is_some(),
            !function.unsizings.is_empty(),
            !function.unresolved.is_empty(),
            function.hash != 0,
        ];
        let flags = flags
            .iter()
            .rev()
            .fold(0, |bits, flag| bits << 1 | u64::from(*flag));
        self.put(Column::FunctionFlags, flags << 3 | function.kind as u64);
        if let Some(symbol) = &function.symbol {
            self.string(Column::FunctionGenerics, symbol);
        }
        self.put(Column::FunctionGenerics, function.generics);
        self.difference(Column::FunctionFiles, function.file);
        self.difference(Column::FunctionLines, function.line);
        if function.hash != 0 {
            let bytes = function.hash.to_le_bytes();
            self.columns[Column::Hashes as usize].extend_from_slice(&bytes);
        }
        self.count(Column::Counts, &function.calls);
        for call in &function.calls {
            self.difference(Column::Callees, call.callee);
            let flags = call.kind as u64 | u64::from(call.self_type.is_some()) << 2;
            self.put(Column::CallFlags, flags | (call.args.len() as u64) << 3);
            if let Some(self_type) = call.self_type {
                self.put(Column::CallSelf, self_type);
            }
            self.places(Column::CallArguments, &call.args);
            self.line(Column::CallLines, call.line, function.line);
        }
        if !function.unsizings.is_empty() {
            self.count(Column::Counts, &function.unsizings);
            for unsizing in &function.unsizings {
                self.put(Column::Unsizings, unsizing.from);
                self.put(Column::Unsizings, unsizing.to);
                self.line(Column::Unsizings, unsizing.line, function.line);
            }
        }
        self.list(Column::Uses, &function.uses);
        if !function.unresolved.is_empty() {
            self.count(Column::Counts, &function.unresolved);
            for call in &function.unresolved {
                self.string(Column::Unresolved, &call.name);
                self.line(Column::Unresolved, call.line, function.line);
            }
        }
    }

    /// A line as its distance from the function's; 0 where there is none.
    fn line(&mut self, column: Column, line: u32, start: u32) {
        let distance = match line {
            0 => 0,
            line => 1 + zigzag(i64::from(line) - i64::from(start)),
        };
        self.put(column, distance);
    }
}
