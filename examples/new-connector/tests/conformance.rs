//! Every case of the suite.

lifehub_testkit::connector_suite! {
    connector: new_connector::Timebook,
    account: new_connector::simulator::account,
}
