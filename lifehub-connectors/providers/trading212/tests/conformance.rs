//! Every case of the conformance suite.

lifehub_testkit::connector_suite! {
    connector: lifehub_trading212::Trading212,
    account: lifehub_trading212::simulator::account,
}
