//! Every case of the conformance suite.

lifehub_testkit::connector_suite! {
    connector: lifehub_google_sheets::GoogleSheets,
    account: lifehub_google_sheets::simulator::account,
}
