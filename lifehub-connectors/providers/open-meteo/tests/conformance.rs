//! Every case of the conformance suite.

lifehub_testkit::connector_suite! {
    connector: lifehub_open_meteo::OpenMeteo,
    account: lifehub_open_meteo::simulator::account,
}
