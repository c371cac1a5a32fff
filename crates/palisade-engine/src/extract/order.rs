//! A canonical order: the same crate gives the same facts, whatever was read
//! first.

use palisade_model::facts::{CrateFacts, TypeFact};

/// Sorts items, types and functions, and everything that refers to them. The
/// crate itself stays the first of the crates.
pub(super) fn canonical(facts: &mut CrateFacts) {
    let crates = facts.crates.split_off(1.min(facts.crates.len()));
    let (crates, mut crate_places) = sorted(crates);
    for place in &mut crate_places {
        *place += 1;
    }
    crate_places.insert(0, 0);
    facts.crates.extend(crates);
    for item in &mut facts.items {
        item.krate = crate_places[item.krate as usize];
    }
    let (items, item_places) = sorted(std::mem::take(&mut facts.items));
    facts.items = items;
    let item = |place: &mut u32| *place = item_places[*place as usize];
    for ty in &mut facts.types {
        match ty {
            TypeFact::Named { item: it, .. } => item(it),
            TypeFact::Dyn { item: Some(it) } => item(it),
            TypeFact::Open | TypeFact::Builtin { .. } | TypeFact::Dyn { item: None } => {}
        }
    }
    let types = types(facts);
    let ty = |place: &mut u32| *place = types[*place as usize];
    for function in &mut facts.functions {
        item(&mut function.item);
        for call in &mut function.calls {
            item(&mut call.callee);
            call.self_type.iter_mut().for_each(ty);
            call.args.iter_mut().for_each(ty);
        }
        function.calls.sort();
        for unsizing in &mut function.unsizings {
            ty(&mut unsizing.from);
            item(&mut unsizing.to);
        }
        function.unsizings.sort();
        function.uses.iter_mut().for_each(item);
        function.uses.sort_unstable();
        function.unresolved.sort();
        function.unresolved.dedup();
    }
    facts
        .functions
        .sort_by_key(|function| (function.item, function.file, function.line, function.hash));
    for fact in &mut facts.traits {
        item(&mut fact.item);
        for list in [
            &mut fact.supertraits,
            &mut fact.members,
            &mut fact.in_vtable,
        ] {
            list.iter_mut().for_each(item);
            list.sort_unstable();
        }
    }
    facts.traits.sort_by_key(|fact| fact.item);
    for fact in &mut facts.adts {
        item(&mut fact.item);
        fact.parts.iter_mut().for_each(item);
        fact.parts.sort_unstable();
    }
    facts.adts.sort_by_key(|fact| fact.item);
    for fact in &mut facts.impls {
        item(&mut fact.of);
        ty(&mut fact.self_type);
        for (of, by) in &mut fact.members {
            item(of);
            item(by);
        }
        fact.members.sort_unstable();
        fact.types.iter_mut().for_each(item);
        fact.types.sort_unstable();
    }
    facts
        .impls
        .sort_by(|a, b| (a.of, a.self_type, &a.members).cmp(&(b.of, b.self_type, &b.members)));
}

/// Sorts the types, parts before what they are a part of; gives the new place
/// of each.
fn types(facts: &mut CrateFacts) -> Vec<u32> {
    // A type is put in its place together with its parts, so its order is that
    // of what it looks like, spelled out.
    let spelled: Vec<String> = (0..facts.types.len())
        .map(|place| spelled(&facts.types, place))
        .collect();
    let mut order: Vec<usize> = (0..facts.types.len()).collect();
    order.sort_by(|&a, &b| (spelled[a].len(), &spelled[a]).cmp(&(spelled[b].len(), &spelled[b])));
    let mut places = vec![0; order.len()];
    for (new, &old) in order.iter().enumerate() {
        places[old] = u32::try_from(new).unwrap_or(u32::MAX);
    }
    let moved = |place: &mut u32| *place = places[*place as usize];
    let mut types: Vec<TypeFact> = order.iter().map(|&old| facts.types[old].clone()).collect();
    for ty in &mut types {
        if let TypeFact::Named { args, .. } | TypeFact::Builtin { args, .. } = ty {
            args.iter_mut().for_each(moved);
        }
    }
    facts.types = types;
    places
}

fn spelled(types: &[TypeFact], place: usize) -> String {
    let of = |args: &[u32]| -> String {
        let parts = args.iter().map(|arg| spelled(types, *arg as usize));
        parts.collect::<Vec<_>>().join(",")
    };
    match &types[place] {
        TypeFact::Open => String::new(),
        TypeFact::Named { item, args } => format!("{item:07}<{}>", of(args)),
        TypeFact::Builtin { name, args } => format!("{name}<{}>", of(args)),
        TypeFact::Dyn { item } => format!("dyn {item:?}"),
    }
}

/// A list in order, and the new place of each entry.
fn sorted<T: Ord + Clone>(list: Vec<T>) -> (Vec<T>, Vec<u32>) {
    let mut order: Vec<usize> = (0..list.len()).collect();
    order.sort_by(|&a, &b| list[a].cmp(&list[b]));
    let mut places = vec![0; list.len()];
    for (new, &old) in order.iter().enumerate() {
        places[old] = u32::try_from(new).unwrap_or(u32::MAX);
    }
    (
        order.into_iter().map(|old| list[old].clone()).collect(),
        places,
    )
}
