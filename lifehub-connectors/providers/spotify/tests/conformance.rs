//! Every case of the conformance suite.

lifehub_testkit::connector_suite! {
    connector: lifehub_spotify::Spotify,
    account: lifehub_spotify::simulator::account,
}
