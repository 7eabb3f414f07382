//! What the answer to a revocation means: gone, or gone before, is all the same.

use serde_json::Value;

use super::bridge::Answered;
use super::refused::{by_code, by_status, known};
use crate::error::{Error, ErrorKind, Result};

/// Of a form with a token (RFC 7009): 200 also for a token that nobody knows. Some providers refuse those instead.
pub(super) fn form_revoked(answered: &Answered) -> Result<Vec<u8>> {
    let code = code(answered);
    if answered.status.is_success() || matches!(code, Some("invalid_token" | "invalid_grant")) {
        return Ok(Vec::new());
    }
    Err(by_status(answered).unwrap_or_else(|| by_code(code, answered.status)))
}

/// Of a request that carries the access token. One that is refused says nothing of its consent while a refresh token
/// may still be good.
pub(super) fn token_revoked(answered: &Answered, ended: &[u16], renewable: bool) -> Result<Vec<u8>> {
    let ended = ended.contains(&answered.status.as_u16());
    if answered.status.is_success() || ended && !renewable {
        return Ok(Vec::new());
    }
    if ended {
        let text = "the provider does not accept the access token with which to give the consent back";
        return Err(Error::new(ErrorKind::Unauthorized, text)
            .hint("renew it and try again; if it cannot be renewed, the consent is gone already")
            .with("status", answered.status.as_u16()));
    }
    Err(by_status(answered).unwrap_or_else(|| by_code(code(answered), answered.status)))
}

fn code(answered: &Answered) -> Option<&'static str> {
    let body: Value = serde_json::from_slice(&answered.body).ok()?;
    known(body.get("error")?.as_str()?)
}
