//! Every case of the conformance suite.

lifehub_testkit::connector_suite! {
    connector: lifehub_ical::Ical,
    account: lifehub_ical::simulator::account,
}
