//! What connectors for Google's services share: the consent, and whose account it is.

#[cfg(feature = "simulator")]
pub mod simulator;

use lifehub_core::prelude::*;

/// Where Google says whose account it is: another host than those of its services.
pub const OPENID: &str = "https://openidconnect.googleapis.com";

/// The scope that tells the account's address. Apps may write `email` for short; in answers it has the long form.
pub const EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";

/// The terms of all services: the user's data are for the features that the user sees.
pub const TERMS: Terms =
    Terms::owner_only("https://developers.google.com/terms/api-services-user-data-policy");

/// Google's consent (<https://developers.google.com/identity/protocols/oauth2/native-app>). Only `offline` gives a refresh
/// token, and only `consent` gives one again to an account that agreed before. It stays the same when it is used, and ends
/// after six months without use.
pub const fn consent(scopes: &'static [&'static str]) -> OAuthSpec {
    OAuthSpec::new("https://accounts.google.com/o/oauth2/v2/auth", "https://oauth2.googleapis.com/token")
        .scopes(scopes)
        .client_auth(ClientAuth::Form)
        .authorize_params(&[("access_type", "offline"), ("prompt", "consent")])
        .revoke(Revocation::Rfc7009 { url: "https://oauth2.googleapis.com/revoke", auth: ClientAuth::Form })
        .refresh_token_life(DAY.saturating_mul(180))
}

/// Asks whose account it is, as OpenID Connect tells it: by an id that stays when the address changes, with the address
/// as its title if the consent includes that. `home` is the address of the service; where an operator names another one,
/// that stands for both hosts.
///
/// # Errors
/// As those of a call.
pub async fn identify(cx: &Context<'_>, home: &str) -> Result<Identity> {
    let call = match cx.is_at(home) {
        true => cx.follow(&format!("{OPENID}/v1/userinfo")),
        false => cx.get("/v1/userinfo"),
    };
    call.parse(|person| Identity::of(person, "sub", "email")).await
}
