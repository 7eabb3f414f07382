//! Every case of the conformance suite.

lifehub_testkit::connector_suite! {
    connector: lifehub_rize::Rize,
    account: lifehub_rize::simulator::account,
}
