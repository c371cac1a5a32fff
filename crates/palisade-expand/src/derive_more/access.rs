//! Access to a field: `Deref`, `AsRef`, `Index`, `IntoIterator` and their
//! mutable siblings.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Field, Member, Type};

use super::{Argument, Item, More, arguments, is_skipped, with_item};
use crate::Invocation;
use crate::support::{Expansion, Refusal};

/// The field that stands for the struct: the only one, or the one marked.
fn target<'a>(item: &Item<'a>, attribute: &str) -> Result<(Member, &'a Field), Refusal> {
    let shape = item.structure()?;
    let members = shape.members();
    let fields = || {
        let all = members.iter().cloned().zip(shape.fields.iter());
        all.filter(|(_, field)| !is_skipped(&field.attrs, attribute))
    };
    let mut marked = fields().filter(|(_, field)| {
        field
            .attrs
            .iter()
            .any(|attr| attr.path().is_ident(attribute))
    });
    if let Some(found) = marked.next() {
        return Ok(found);
    }
    let mut all = fields();
    match (all.next(), all.next()) {
        (Some(found), None) => Ok(found),
        _ => Err(Refusal::new(format!(
            "which field `{attribute}` stands for is not marked"
        ))),
    }
}

fn forwards(item: &Item<'_>, field: &Field, attribute: &str) -> Result<bool, Refusal> {
    for attributes in [&item.input.attrs, &field.attrs] {
        let list = arguments(attributes, attribute, &["forward", "ignore", "skip"])?;
        if list
            .into_iter()
            .flatten()
            .any(|argument| argument.is_word(&["forward"]))
        {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) fn deref(invocation: &Invocation<'_>) -> Expansion {
    with_item(invocation, |item| {
        let (member, field) = target(item, "deref")?;
        let (ty, core) = (&field.ty, &item.core);
        let of = quote!(#core::ops::Deref);
        let (more, target, body) = if forwards(item, field, "deref")? {
            (
                More::predicate(quote!(#ty: #of)),
                quote!(<#ty as #of>::Target),
                quote!(<#ty as #of>::deref(&self.#member)),
            )
        } else {
            (More::default(), quote!(#ty), quote!(&self.#member))
        };
        item.implement(
            &of,
            &more,
            &quote! {
                type Target = #target;
                #[inline]
                fn deref(&self) -> &Self::Target {
                    #body
                }
            },
        )
    })
}

pub(super) fn deref_mut(invocation: &Invocation<'_>) -> Expansion {
    with_item(invocation, |item| {
        // Usually only `Deref` is marked with a field of its own attribute.
        let found = target(item, "deref_mut").or_else(|_| target(item, "deref"));
        let (member, field) = found?;
        let (ty, core) = (&field.ty, &item.core);
        let of = quote!(#core::ops::DerefMut);
        let (more, body) = if forwards(item, field, "deref_mut")? {
            (
                More::predicate(quote!(#ty: #of)),
                quote!(<#ty as #of>::deref_mut(&mut self.#member)),
            )
        } else {
            (More::default(), quote!(&mut self.#member))
        };
        item.implement(
            &of,
            &more,
            &quote! {
                #[inline]
                fn deref_mut(&mut self) -> &mut Self::Target {
                    #body
                }
            },
        )
    })
}

/// `AsRef` or `AsMut`.
struct Conversion {
    of: TokenStream,
    method: TokenStream,
    reference: TokenStream,
    attribute: &'static str,
}

pub(super) fn as_ref(invocation: &Invocation<'_>) -> Expansion {
    with_item(invocation, |item| {
        let core = &item.core;
        let conversion = Conversion {
            of: quote!(#core::convert::AsRef),
            method: quote!(as_ref),
            reference: quote!(&),
            attribute: "as_ref",
        };
        conversion.expand(item)
    })
}

pub(super) fn as_mut(invocation: &Invocation<'_>) -> Expansion {
    with_item(invocation, |item| {
        let core = &item.core;
        let conversion = Conversion {
            of: quote!(#core::convert::AsMut),
            method: quote!(as_mut),
            reference: quote!(&mut),
            attribute: "as_mut",
        };
        conversion.expand(item)
    })
}

impl Conversion {
    fn expand(&self, item: &Item<'_>) -> Expansion {
        const WORDS: [&str; 3] = ["forward", "skip", "ignore"];
        let shape = item.structure()?;
        let own = arguments(&item.input.attrs, self.attribute, &WORDS)?;
        let mut marked = Vec::new();
        let mut plain = Vec::new();
        for (member, field) in shape.members().into_iter().zip(shape.fields) {
            if is_skipped(&field.attrs, self.attribute) {
                continue;
            }
            match arguments(&field.attrs, self.attribute, &WORDS)? {
                Some(list) => marked.push((member, &field.ty, list)),
                None => plain.push((member, &field.ty)),
            }
        }
        let mut output = TokenStream::new();
        if marked.is_empty() {
            let list = own.unwrap_or_default();
            for (member, ty) in plain {
                output.extend(self.field(item, &member, ty, &list)?);
            }
        }
        for (member, ty, list) in marked {
            output.extend(self.field(item, &member, ty, &list)?);
        }
        Ok(output)
    }

    fn field(&self, item: &Item<'_>, member: &Member, ty: &Type, list: &[Argument]) -> Expansion {
        let Self {
            of,
            method,
            reference,
            ..
        } = self;
        let core = &item.core;
        if list.iter().any(|argument| argument.is_word(&["forward"])) {
            let more = More {
                params: vec![quote!(__AsT: ?#core::marker::Sized)],
                predicates: vec![quote!(#ty: #of<__AsT>)],
                ..More::default()
            };
            let body = quote!(<#ty as #of<__AsT>>::#method(#reference self.#member));
            return self.one(item, &quote!(__AsT), &more, &body);
        }
        let mut output = TokenStream::new();
        let mut has_types = false;
        for argument in list {
            let Argument::Type(target) = argument else {
                continue;
            };
            has_types = true;
            let (more, body) = if **target == *ty {
                (More::default(), quote!(#reference self.#member))
            } else if item.is_generic(ty) || item.is_generic(target) {
                (
                    More::predicate(quote!(#ty: #of<#target>)),
                    quote!(<#ty as #of<#target>>::#method(#reference self.#member)),
                )
            } else {
                (
                    More::default(),
                    quote! {
                        use derive_more::__private::ExtractRef as _;
                        let conv = <derive_more::__private::Conv<#reference #ty, #target>
                            as #core::default::Default>::default();
                        (&&conv).__extract_ref(#reference self.#member)
                    },
                )
            };
            output.extend(self.one(item, &quote!(#target), &more, &body)?);
        }
        if !has_types {
            let body = quote!(#reference self.#member);
            output.extend(self.one(item, &quote!(#ty), &More::default(), &body)?);
        }
        Ok(output)
    }

    fn one(
        &self,
        item: &Item<'_>,
        target: &TokenStream,
        more: &More,
        body: &TokenStream,
    ) -> Expansion {
        let Self {
            of,
            method,
            reference,
            ..
        } = self;
        item.implement(
            &quote!(#of<#target>),
            more,
            &quote! {
                #[inline]
                fn #method(#reference self) -> #reference #target {
                    #body
                }
            },
        )
    }
}

pub(super) fn index(invocation: &Invocation<'_>) -> Expansion {
    with_item(invocation, |item| {
        let (member, field) = target(item, "index")?;
        let (ty, core) = (&field.ty, &item.core);
        let of = quote!(#core::ops::Index<__IdxT>);
        let more = More {
            params: vec![quote!(__IdxT)],
            predicates: vec![quote!(#ty: #of)],
            ..More::default()
        };
        item.implement(
            &of,
            &more,
            &quote! {
                type Output = <#ty as #of>::Output;
                #[inline]
                fn index(&self, idx: __IdxT) -> &Self::Output {
                    <#ty as #of>::index(&self.#member, idx)
                }
            },
        )
    })
}

pub(super) fn index_mut(invocation: &Invocation<'_>) -> Expansion {
    with_item(invocation, |item| {
        let (member, field) = target(item, "index_mut")?;
        let (ty, core) = (&field.ty, &item.core);
        let of = quote!(#core::ops::IndexMut<__IdxT>);
        let more = More {
            params: vec![quote!(__IdxT)],
            predicates: vec![quote!(#ty: #of)],
            ..More::default()
        };
        item.implement(
            &of,
            &more,
            &quote! {
                #[inline]
                fn index_mut(&mut self, idx: __IdxT) -> &mut Self::Output {
                    <#ty as #of>::index_mut(&mut self.#member, idx)
                }
            },
        )
    })
}

pub(super) fn into_iterator(invocation: &Invocation<'_>) -> Expansion {
    const WORDS: [&str; 6] = ["owned", "ref", "ref_mut", "skip", "ignore", "forward"];
    with_item(invocation, |item| {
        let (member, field) = target(item, "into_iterator")?;
        let (ty, core, this) = (&field.ty, &item.core, item.this());
        let of = quote!(#core::iter::IntoIterator);
        let mut list = arguments(&item.input.attrs, "into_iterator", &WORDS)?.unwrap_or_default();
        list.extend(arguments(&field.attrs, "into_iterator", &WORDS)?.unwrap_or_default());
        let wants = |kind: &str| list.iter().any(|argument| argument.is_word(&[kind]));
        let (by_ref, by_mut) = (wants("ref"), wants("ref_mut"));
        let owned = wants("owned") || (!by_ref && !by_mut);
        let mut output = TokenStream::new();
        let kinds = [
            (owned, quote!(), quote!()),
            (by_ref, quote!(&'__deriveMoreLifetime), quote!(&)),
            (by_mut, quote!(&'__deriveMoreLifetime mut), quote!(&mut)),
        ];
        for (wanted, reference, access) in kinds {
            if !wanted {
                continue;
            }
            let more = More {
                params: if reference.is_empty() {
                    vec![]
                } else {
                    vec![quote!('__deriveMoreLifetime)]
                },
                predicates: vec![quote!(#reference #ty: #of)],
                this: Some(quote!(#reference #this)),
            };
            output.extend(item.implement(
                &of,
                &more,
                &quote! {
                    type Item = <#reference #ty as #of>::Item;
                    type IntoIter = <#reference #ty as #of>::IntoIter;
                    #[inline]
                    fn into_iter(self) -> Self::IntoIter {
                        <#reference #ty as #of>::into_iter(#access self.#member)
                    }
                },
            )?);
        }
        Ok(output)
    })
}
