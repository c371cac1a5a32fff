//! `ctor` and `dtor`: functions that run before and after `main`.
//!
//! Early releases write the static that the loader reads; later ones hand the
//! item on to declarative macros.

use proc_macro2::{TokenStream, TokenTree};
use quote::{format_ident, quote};
use syn::{Item, ItemFn, ItemStatic};

use crate::Invocation;
use crate::function::Function;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal};

pub(crate) const MACROS: &[Macro] = &[
    Macro::attribute("ctor", "ctor", ctor),
    Macro::attribute("ctor", "dtor", dtor),
    Macro::attribute("ctor-proc-macro", "ctor", |it| {
        handed_on(it, "ctor", "ctor")
    }),
    Macro::attribute("dtor-proc-macro", "dtor", |it| {
        handed_on(it, "dtor", "dtor")
    }),
    Macro::attribute("dtor-proc-macro", "__dtor_from_ctor", |it| {
        handed_on(it, "ctor", "dtor")
    }),
];

/// Where the loader finds functions to run at the start.
fn at_start() -> TokenStream {
    quote! {
        #[used]
        #[allow(non_upper_case_globals, non_snake_case)]
        #[doc(hidden)]
        #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
        #[cfg_attr(windows, unsafe(link_section = ".CRT$XCU"))]
        #[cfg_attr(
            not(any(target_vendor = "apple", windows)),
            unsafe(link_section = ".init_array")
        )]
    }
}

fn ctor(invocation: &Invocation<'_>) -> Expansion {
    match syn::parse2(invocation.item.clone())? {
        Item::Fn(function) => {
            let name = format_ident!("{}___rust_ctor___ctor", function.sig.ident);
            let (function, ident) = exported(&function);
            let at_start = at_start();
            Ok(quote! {
                #function
                #at_start
                static #name: unsafe extern "C" fn() -> usize = {
                    #[allow(non_snake_case)]
                    unsafe extern "C" fn #name() -> usize { #ident(); 0 }
                    #name
                };
            })
        }
        Item::Static(item) => Ok(initialised(&item)),
        _ => Err(Refusal::new("expected a function or a static")),
    }
}

/// The function as C would call it, and its name.
fn exported(function: &ItemFn) -> (TokenStream, &proc_macro2::Ident) {
    let ItemFn {
        attrs,
        vis,
        sig,
        block,
    } = function;
    let (ident, unsafety, constness) = (&sig.ident, &sig.unsafety, &sig.constness);
    (
        quote!(#(#attrs)* #vis #unsafety extern "C" #constness fn #ident() #block),
        ident,
    )
}

/// A static that is given its value at the start.
fn initialised(item: &ItemStatic) -> TokenStream {
    let ItemStatic {
        attrs,
        vis,
        ident,
        ty,
        expr,
        ..
    } = item;
    let name = format_ident!("{ident}___rust_ctor___ctor");
    let storage = format_ident!("{ident}___rust_ctor___storage");
    let at_start = at_start();
    quote! {
        static mut #storage: Option<#ty> = None;
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #vis struct #ident<T> {
            _data: ::core::marker::PhantomData<T>
        }
        #(#attrs)*
        #vis static #ident: #ident<#ty> = #ident {
            _data: ::core::marker::PhantomData::<#ty>
        };
        impl ::core::ops::Deref for #ident<#ty> {
            type Target = #ty;
            fn deref(&self) -> &'static #ty {
                unsafe { #storage.as_ref().unwrap() }
            }
        }
        #at_start
        static #name: unsafe extern "C" fn() = {
            extern "C" fn initer() {
                let val = Some(#expr);
                unsafe { #storage = val; }
            }
            initer
        };
    }
}

fn dtor(invocation: &Invocation<'_>) -> Expansion {
    let function: ItemFn = syn::parse2(invocation.item.clone())?;
    let name = format_ident!("{}___rust_dtor___dtor", function.sig.ident);
    let module = format_ident!("{}___rust_dtor___mod", function.sig.ident);
    let (function, ident) = exported(&function);
    let at_start = at_start();
    Ok(quote! {
        #function
        mod #module {
            use super::#ident;
            #[inline(always)]
            unsafe fn do_atexit(cb: unsafe extern "C" fn()) {
                unsafe extern "C" {
                    fn atexit(cb: unsafe extern "C" fn());
                }
                atexit(cb);
            }
            #at_start
            static __dtor_export: unsafe extern "C" fn() = {
                unsafe extern "C" fn #name() { #ident() }
                unsafe extern "C" fn __dtor_atexit() {
                    do_atexit(#name);
                }
                __dtor_atexit
            };
        }
    })
}

/// The item inside of the crate's own `ctor_parse!` or `dtor_parse!`.
fn handed_on(invocation: &Invocation<'_>, word: &str, root: &str) -> Expansion {
    // Anything but a function or a static is refused there.
    let item = &invocation.item;
    if syn::parse2::<Function>(item.clone()).is_err() {
        syn::parse2::<ItemStatic>(item.clone())?;
    }
    let (word, parse) = (format_ident!("{word}"), format_ident!("{word}_parse"));
    let root = match crate_path(&invocation.args) {
        Some(path) => path,
        None => {
            let root = format_ident!("{root}");
            quote!(::#root)
        }
    };
    let args = (!invocation.args.is_empty()).then(|| {
        let args = &invocation.args;
        quote!((#args))
    });
    Ok(quote!(#root::__support::#parse!(#[#word #args] #item);))
}

/// The path in `crate_path = path`.
fn crate_path(args: &TokenStream) -> Option<TokenStream> {
    let mut tokens = args.clone().into_iter();
    tokens.find(|token| matches!(token, TokenTree::Ident(ident) if ident == "crate_path"))?;
    tokens.next()?;
    let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(it) if it.as_char() == ',');
    Some(tokens.take_while(|token| !is_comma(token)).collect())
}
