//! Every case of the conformance suite.

lifehub_testkit::connector_suite! {
    connector: lifehub_strava::Strava,
    account: lifehub_strava::simulator::account,
}
