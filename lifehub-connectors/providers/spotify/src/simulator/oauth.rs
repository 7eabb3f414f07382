//! How an app comes to tokens: Spotify's consent page and its token endpoint.
//!
//! A confidential app names itself by Basic authentication. Its refresh token stays the same, does not come again in
//! the answer to a refresh, and ends six months after the consent, however often it was used.

use std::time::Duration;

use lifehub_testkit::oauth::{
    AuthorizationServer, ClientAuth, Dialect, Issued, OAuthRules, Pkce, Redirects, Refresh, Refused,
};
use lifehub_testkit::{SimRequest, SimResponse};
use serde_json::{Value, json};

use super::SpotifySimulator;

/// The scopes that exist and are of use to a reader.
pub(super) const SCOPES: [&str; 12] = [
    "user-read-recently-played",
    "user-library-read",
    "playlist-read-private",
    "playlist-read-collaborative",
    "user-top-read",
    "user-follow-read",
    "user-read-private",
    "user-read-email",
    "user-read-playback-state",
    "user-read-currently-playing",
    "user-read-playback-position",
    "user-library-modify",
];

/// Six months.
const CONSENT: Duration = Duration::from_secs(182 * 86_400);

impl SpotifySimulator {
    /// The id of the app that is registered.
    pub const CLIENT_ID: &'static str = "spotify-sim-client";

    /// Its secret.
    pub const CLIENT_SECRET: &'static str = "spotify-sim-client-secret";

    /// Answers what belongs to the consent, on a host of its own in truth.
    pub(super) fn consents(&self, request: &SimRequest) -> Option<SimResponse> {
        match request.segments().as_slice() {
            ["authorize"] if request.query("redirect_uri").is_some_and(is_insecure) => {
                let mut answer = SimResponse::empty(400).header("content-type", "text/plain");
                answer.body = "INVALID_CLIENT: Insecure redirect URI".into();
                Some(answer)
            }
            ["authorize"] => Some(self.oauth.authorize(request)),
            ["api", "token"] => Some(self.oauth.token(request)),
            _ => None,
        }
    }
}

/// Since November 2025 only HTTPS or a loopback address by its number will do; the name `localhost` will not.
fn is_insecure(redirect: &str) -> bool {
    let loopback = ["http://127.0.0.1", "http://[::1]"];
    !redirect.starts_with("https://") && !loopback.iter().any(|start| redirect.starts_with(start))
}

/// Spotify's authorization server.
pub(super) fn server(seed: u64) -> AuthorizationServer {
    let server = AuthorizationServer::speaking("spotify-sim", seed, Words);
    server.set(rules);
    server.admit(&token(seed), &SCOPES);
    server
}

/// The token that suites and the demo begin with. It does not end.
pub(super) fn token(seed: u64) -> String {
    format!("spotify-sim-{seed:016x}-access")
}

fn rules(rules: &mut OAuthRules) {
    rules.client_id = SpotifySimulator::CLIENT_ID.to_owned();
    rules.client_secret = Some(SpotifySimulator::CLIENT_SECRET.to_owned());
    rules.client_auth = ClientAuth::Basic;
    rules.redirects = Redirects::Host("lifehub.example.org".to_owned());
    rules.pkce = Pkce::Optional;
    rules.scopes = SCOPES.map(str::to_owned).to_vec();
    rules.access_lifetime = Some(Duration::from_secs(3_600));
    rules.refresh = Refresh::Keep;
    rules.refresh_lifetime = Some(CONSENT);
}

/// Spotify's words.
#[derive(Debug)]
struct Words;

impl Dialect for Words {
    fn tokens(&self, issued: &Issued) -> Value {
        let mut body = issued.standard();
        if let Some(members) = body.as_object_mut().filter(|_| !issued.first) {
            members.remove("refresh_token");
        }
        body
    }

    fn refusal(&self, refused: Refused) -> SimResponse {
        let text = match refused {
            Refused::Client => "Invalid client",
            Refused::RefreshToken | Refused::ExpiredRefreshToken => "Refresh token revoked",
            Refused::Code | Refused::ExpiredCode => "Invalid authorization code",
            _ => return refused.standard(),
        };
        SimResponse::json(400, &json!({ "error": refused.code(), "error_description": text }))
    }
}
