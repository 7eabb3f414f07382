//! Every case of the conformance suite.

lifehub_testkit::connector_suite! {
    connector: lifehub_google_calendar::GoogleCalendar,
    account: lifehub_google_calendar::simulator::account,
}
