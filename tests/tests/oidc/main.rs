//! The whole OAuth 2.0 flow against an authorization server that this project did not write: the npm package
//! `oidc-provider`, certified by the OpenID Foundation.
#![cfg(test)]

mod browser;
mod diary;
mod home;
mod issuer;

mod consent;
mod refused;
mod sync;
mod tokens;
