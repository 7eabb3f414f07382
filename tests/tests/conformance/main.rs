//! The conformance suites: every store, every connector of the catalog, and every broken double.
#![cfg(test)]

mod connector_doubles;
mod docs;
mod flawed;
mod inbox_flaws;
mod lease_flaws;
mod store_doubles;
mod store_flaws;
mod stores;
mod vault_flaws;
