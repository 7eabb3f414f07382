//! Every case of the conformance suite.

lifehub_testkit::connector_suite! {
    connector: lifehub_ynab::Ynab,
    account: lifehub_ynab::simulator::account,
}
