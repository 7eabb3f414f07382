//! Every case of the suite.

lifehub_testkit::connector_suite! {
    connector: new_connector::Timebook::default(),
    account: new_connector::simulator::account,
}
