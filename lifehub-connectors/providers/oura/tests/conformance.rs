//! Every case of the conformance suite.

lifehub_testkit::connector_suite! {
    connector: lifehub_oura::Oura,
    account: lifehub_oura::simulator::account,
}
