//! The catalog: every connector that is compiled in, one line each, and every simulated provider.

#[cfg(feature = "simulator")]
use std::sync::Arc;

use lifehub_core::registry::Registry;
#[cfg(feature = "simulator")]
use lifehub_testkit::{Account, Setup};

/// All connectors whose features are on.
///
/// ```
/// let strava = lifehub_connectors::registry().get("strava")?.manifest().title;
/// assert_eq!(strava, "Strava");
/// # Ok::<(), lifehub_core::Error>(())
/// ```
pub fn registry() -> Registry {
    let registry = Registry::new();
    #[cfg(feature = "google-calendar")]
    let registry = registry.with(lifehub_google_calendar::GoogleCalendar);
    #[cfg(feature = "google-sheets")]
    let registry = registry.with(lifehub_google_sheets::GoogleSheets);
    #[cfg(feature = "ical")]
    let registry = registry.with(lifehub_ical::Ical);
    #[cfg(feature = "open-meteo")]
    let registry = registry.with(lifehub_open_meteo::OpenMeteo);
    #[cfg(feature = "oura")]
    let registry = registry.with(lifehub_oura::Oura);
    #[cfg(feature = "rize")]
    let registry = registry.with(lifehub_rize::Rize);
    #[cfg(feature = "spotify")]
    let registry = registry.with(lifehub_spotify::Spotify);
    #[cfg(feature = "strava")]
    let registry = registry.with(lifehub_strava::Strava);
    #[cfg(feature = "trading212")]
    let registry = registry.with(lifehub_trading212::Trading212);
    #[cfg(feature = "ynab")]
    let registry = registry.with(lifehub_ynab::Ynab);
    registry
}

/// Makes an account at a simulated provider.
#[cfg(feature = "simulator")]
pub type MakeAccount = fn(&Setup) -> Arc<dyn Account>;

/// All simulated providers whose features are on, each by the id of its connector: one line each, as in
/// [`registry`].
///
/// ```
/// use lifehub_testkit::{Server, Setup};
///
/// let setup = Setup::new(1, "2026-08-10T12:00:00Z".parse()?);
/// for (provider, make) in lifehub_connectors::simulators() {
///     let account = make(&setup);
///     let server = Server::start(account.clone())?;
///     let access = account.access(&server.url());
///     println!("{provider}: {} items at {:?}", account.truth().len(), access.base_url);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "simulator")]
pub fn simulators() -> Vec<(&'static str, MakeAccount)> {
    vec![
        #[cfg(feature = "google-calendar")]
        ("google-calendar", lifehub_google_calendar::simulator::account),
        #[cfg(feature = "google-sheets")]
        ("google-sheets", lifehub_google_sheets::simulator::account),
        #[cfg(feature = "ical")]
        ("ical", lifehub_ical::simulator::account),
        #[cfg(feature = "open-meteo")]
        ("open-meteo", lifehub_open_meteo::simulator::account),
        #[cfg(feature = "oura")]
        ("oura", lifehub_oura::simulator::account),
        #[cfg(feature = "rize")]
        ("rize", lifehub_rize::simulator::account),
        #[cfg(feature = "spotify")]
        ("spotify", lifehub_spotify::simulator::account),
        #[cfg(feature = "strava")]
        ("strava", lifehub_strava::simulator::account),
        #[cfg(feature = "trading212")]
        ("trading212", lifehub_trading212::simulator::account),
        #[cfg(feature = "ynab")]
        ("ynab", lifehub_ynab::simulator::account),
    ]
}

#[cfg(feature = "google-calendar")]
pub use lifehub_google_calendar as google_calendar;
#[cfg(feature = "google-sheets")]
pub use lifehub_google_sheets as google_sheets;
#[cfg(feature = "ical")]
pub use lifehub_ical as ical;
#[cfg(feature = "open-meteo")]
pub use lifehub_open_meteo as open_meteo;
#[cfg(feature = "oura")]
pub use lifehub_oura as oura;
#[cfg(feature = "rize")]
pub use lifehub_rize as rize;
#[cfg(feature = "spotify")]
pub use lifehub_spotify as spotify;
#[cfg(feature = "strava")]
pub use lifehub_strava as strava;
#[cfg(feature = "trading212")]
pub use lifehub_trading212 as trading212;
#[cfg(feature = "ynab")]
pub use lifehub_ynab as ynab;
