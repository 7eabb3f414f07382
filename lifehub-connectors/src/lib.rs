//! The catalog: every connector that is compiled in, one line each.

use lifehub_core::registry::Registry;

/// All connectors whose features are on.
///
/// ```
/// let strava = lifehub_connectors::registry().get("strava")?.manifest().title;
/// assert_eq!(strava, "Strava");
/// # Ok::<(), lifehub_core::Error>(())
/// ```
pub fn registry() -> Registry {
    let registry = Registry::new();
    #[cfg(feature = "strava")]
    let registry = registry.with(lifehub_strava::Strava::default());
    registry
}

#[cfg(feature = "strava")]
pub use lifehub_strava as strava;
